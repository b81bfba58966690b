/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What operators do to runs and executions. */
#include "config.h"

#include <stdlib.h>

#include "sched/sched_private.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"

/* ---- runs ------------------------------------------------------------------------ */

int
sched_run_hold(struct sched *s, uint32_t run, const char *text,
    int64_t now_us)
{
	struct run *r = run_get(s, run);

	if (r == NULL)
		return ERR_NOT_FOUND;
	s->now_us = now_us;
	free(r->held);
	r->held = str_dup(text);
	r->held_us = now_us;
	if (text == NULL)
		run_wake(s, r);
	s->reassign = true;
	return 0;
}

int
sched_run_setup(struct sched *s, uint32_t run, const char *text,
    int64_t now_us)
{
	struct run *r = run_get(s, run);

	if (r == NULL)
		return ERR_NOT_FOUND;
	s->now_us = now_us;
	if (r->setup == NULL)
		r->setup_us = now_us;
	free(r->setup);
	r->setup = str_dup(text);
	if (text == NULL)
		run_wake(s, r);
	s->reassign = true;
	return 0;
}

/* Ends it: at once when nothing is out, else where it is. */
static void
cancel_one(struct sched *s, struct run *r, struct exec *x)
{
	if (exec_state_final(x->state))
		return;
	x->flags &= (uint16_t)~X_REQUEUE;
	x->flags |= X_CANCEL;
	if (x->parcel == NONE)
		exec_final(s, r, x, EXEC_CANCELLED, REASON_NONE);
	else
		parcel_ask_cancel(s, x->parcel);
}

/* No part of a group runs alone. */
static void
cancel(struct sched *s, struct run *r, struct exec *x)
{
	const struct group *g = group_of(s, x);
	uint32_t i;

	if (g == NULL)
		cancel_one(s, r, x);
	for (i = 0; g != NULL && i < g->n; i++)
		cancel_one(s, r, group_part(s, g, i));
}

int
sched_run_cancel(struct sched *s, uint32_t run, int64_t now_us)
{
	struct run *r = run_get(s, run);
	uint32_t i;

	if (r == NULL)
		return ERR_NOT_FOUND;
	s->now_us = now_us;
	r->cancelled = true;
	for (i = 0; i < r->n; i++)
		cancel(s, r, exec_get(r, i + 1));
	return 0;
}

int
sched_run_priority(struct sched *s, uint32_t run, int32_t priority)
{
	struct run *r = run_get(s, run);
	size_t i;

	if (r == NULL)
		return ERR_NOT_FOUND;
	r->priority = priority;
	for (i = 0; i < r->lanes.n; i++) {
		s->lanes[r->lanes.v[i]]->listed = false;
		lane_touch(s, r->lanes.v[i]);
	}
	return 0;
}

static void
unhalt(struct sched *s, struct run *r)
{
	struct exec *x;
	uint32_t i;

	r->halted = false;
	for (i = 0; i < r->n; i++) {
		x = exec_get(r, i + 1);
		if (x->state == EXEC_SKIPPED && x->cause == REASON_HALTED)
			exec_revive(s, r, x);
	}
}

static const struct exec *
first_bad(const struct run *r)
{
	uint32_t i;

	for (i = 0; i + 1 < r->n && !exec_bad(&r->x[i]); i++)
		;
	return &r->x[i];
}

int
sched_run_limits(struct sched *s, uint32_t run, uint32_t max_parallel,
    uint32_t max_failures, int64_t now_us)
{
	struct run *r = run_get(s, run);

	if (r == NULL)
		return ERR_NOT_FOUND;
	if (r->ended)
		return ERR_STATE;
	s->now_us = now_us;
	r->max_parallel = max_parallel;
	r->max_failures = max_failures;
	r->full_us = now_us;
	if (r->halted && !r->cancelled && !run_should_halt(r))
		unhalt(s, r);
	else if (!r->halted && run_should_halt(r))
		run_halt(s, r, first_bad(r));
	run_wake(s, r);
	return 0;
}

int
sched_run_deadline(struct sched *s, uint32_t run, int64_t deadline_us,
    int64_t now_us)
{
	struct run *r = run_get(s, run);
	bool timed;

	if (r == NULL)
		return ERR_NOT_FOUND;
	if (r->ended)
		return ERR_STATE;
	if (r->deadline_us == deadline_us)
		return 0;
	s->now_us = now_us;
	timed = r->deadline_us > now_us;
	r->deadline_us = deadline_us;
	r->look_us = 0;
	r->enough = 0;
	if (!timed)
		deadline_timer(s, run);
	run_wake(s, r);
	return 0;
}

/* ---- executions --------------------------------------------------------------------- */

/* 0 with both found and the run not ended. */
static int
target(struct sched *s, uint32_t run, uint32_t exec, struct run **ret_r,
    struct exec **ret_x)
{
	struct run *r = run_get(s, run);
	struct exec *x = r != NULL ? exec_get(r, exec) : NULL;

	if (x == NULL)
		return ERR_NOT_FOUND;
	if (r->ended)
		return ERR_STATE;
	*ret_r = r;
	*ret_x = x;
	return 0;
}

static void
note_set(struct run *r, uint32_t exec, const char *text, int64_t now_us)
{
	struct hold_note *n;

	HASH_FIND(hh, r->notes, &exec, sizeof(exec), n);
	if (n != NULL) {
		HASH_DEL(r->notes, n);
		free(n->text);
		free(n);
	}
	if (text == NULL)
		return;
	n = mem_zalloc(sizeof(*n));
	n->exec = exec;
	n->text = str_dup(text);
	n->since_us = now_us;
	HASH_ADD(hh, r->notes, exec, sizeof(exec), n);
}

int
sched_exec_hold(struct sched *s, uint32_t run, uint32_t exec,
    const char *text, int64_t now_us)
{
	struct run *r;
	struct exec *x;
	int err = target(s, run, exec, &r, &x);

	if (err < 0)
		return err;
	if (exec_state_final(x->state))
		return ERR_STATE;
	s->now_us = now_us;
	note_set(r, exec, text, now_us);
	if (text == NULL) {
		if ((x->flags & X_HELD) == 0)
			return 0;
		x->flags &= (uint16_t)~X_HELD;
		if (x->state == EXEC_WAITING && (x->flags & X_DELAYED) == 0)
			exec_ripen(s, r, x);
		return 0;
	}
	x->flags |= X_HELD;
	queue_remove(s, r, x);
	if (x->state == EXEC_ASSIGNED)
		parcel_ask_back(s, x->parcel, NONE);
	return 0;
}

void
sched_held_since(struct sched *s, uint32_t run, uint32_t exec,
    int64_t since_us)
{
	struct run *r = run_get(s, run);
	struct hold_note *n;

	if (r == NULL)
		return;
	if (exec == 0)
		r->held_us = since_us;
	HASH_FIND(hh, r->notes, &exec, sizeof(exec), n);
	if (n != NULL)
		n->since_us = since_us;
}

int
sched_exec_cancel(struct sched *s, uint32_t run, uint32_t exec,
    int64_t now_us)
{
	struct run *r;
	struct exec *x;
	int err = target(s, run, exec, &r, &x);

	if (err < 0)
		return err;
	if (exec_state_final(x->state))
		return ERR_STATE;
	s->now_us = now_us;
	cancel(s, r, x);
	return 0;
}

/* A waiting one ends without having been tried again. */
static int
end_waiting(struct sched *s, struct sched_id id, enum exec_state state,
    int64_t now_us)
{
	struct run *r;
	struct exec *x;
	int err = target(s, id.run, id.exec, &r, &x);

	if (err < 0)
		return err;
	if (x->state != EXEC_WAITING)
		return ERR_STATE;
	s->now_us = now_us;
	exec_final(s, r, x, state, REASON_NONE);
	return 0;
}

int
sched_exec_skip(struct sched *s, uint32_t run, uint32_t exec, int64_t now_us)
{
	return end_waiting(s, (struct sched_id){ run, exec, 0 },
	    EXEC_SKIPPED, now_us);
}

int
sched_exec_unskip(struct sched *s, uint32_t run, uint32_t exec,
    int64_t now_us)
{
	struct run *r;
	struct exec *x;
	int err = target(s, run, exec, &r, &x);

	if (err < 0)
		return err;
	if (x->state != EXEC_SKIPPED || x->cause != REASON_NONE ||
	    r->cancelled)
		return ERR_STATE;
	s->now_us = now_us;
	exec_revive(s, r, x);
	needs_again(s, r, x);
	return 0;
}

int
sched_exec_give_up(struct sched *s, uint32_t run, uint32_t exec,
    int64_t now_us)
{
	return end_waiting(s, (struct sched_id){ run, exec, 0 }, EXEC_ERROR,
	    now_us);
}

static void
requeue_out(struct sched *s, struct exec *x)
{
	if (x->parcel == NONE)
		return;
	x->flags &= (uint16_t)~X_CANCEL;
	x->flags |= X_REQUEUE;
	parcel_ask_cancel(s, x->parcel);
}

int
sched_exec_requeue(struct sched *s, uint32_t run, uint32_t exec,
    int64_t now_us)
{
	const struct group *g;
	struct run *r;
	struct exec *x;
	uint32_t i;
	int err = target(s, run, exec, &r, &x);

	if (err < 0)
		return err;
	if (x->state == EXEC_WAITING || x->state == EXEC_PASSED ||
	    x->state == EXEC_HEALED || r->cancelled)
		return ERR_STATE;
	s->now_us = now_us;
	g = group_of(s, x);
	if (exec_state_final(x->state)) {
		x->failures = x->errors = 0;
		for (i = 0; g != NULL && i < g->n; i++)
			group_part(s, g, i)->failures =
			    group_part(s, g, i)->errors = 0;
		x->flags |= X_WAIVED;
		exec_revive(s, r, x);
		return 0;
	}
	requeue_out(s, x);
	for (i = 0; g != NULL && i < g->n; i++)
		requeue_out(s, group_part(s, g, i));
	return 0;
}

int
sched_exec_move(struct sched *s, uint32_t run, uint32_t exec, uint32_t agent,
    int64_t now_us)
{
	struct run *r;
	struct exec *x;
	int err = target(s, run, exec, &r, &x);
	bool queued;

	if (err < 0)
		return err;
	if (agent != NONE && (agent >= s->n_agents ||
	    !s->agents[agent].known))
		return ERR_RANGE;
	if (exec_state_final(x->state) ||
	    (x->state == EXEC_RUNNING && x->agent != agent))
		return ERR_STATE;
	s->now_us = now_us;
	queued = (x->flags & (X_QUEUED | X_READY)) != 0;
	queue_remove(s, r, x);
	x->pin = agent;
	x->flags &= (uint16_t)~X_PINNED;
	x->flags |= agent != NONE ? X_PINNED : 0;
	if (queued)
		queue_add(s, r, x);
	else if (x->state == EXEC_ASSIGNED && x->agent != agent)
		parcel_ask_back(s, x->parcel, NONE);
	return 0;
}

int
sched_exec_priority(struct sched *s, uint32_t run, uint32_t exec,
    int32_t priority)
{
	struct run *r;
	struct exec *x;
	int err = target(s, run, exec, &r, &x);
	bool queued;

	if (err < 0)
		return err;
	queued = (x->flags & (X_QUEUED | X_READY)) != 0;
	queue_remove(s, r, x);
	x->priority = priority;
	if (queued)
		queue_add(s, r, x);
	return 0;
}

int
sched_exec_run_anyway(struct sched *s, uint32_t run, uint32_t exec,
    int64_t now_us)
{
	struct run *r;
	struct exec *x;
	int err = target(s, run, exec, &r, &x);

	if (err < 0)
		return err;
	s->now_us = now_us;
	if (x->state == EXEC_WAITING) {
		x->flags |= X_WAIVED;
		if ((x->flags & X_NEEDS) == 0)
			return 0;
		x->flags &= (uint16_t)~X_NEEDS;
		if ((x->flags & X_DELAYED) == 0)
			exec_ripen(s, r, x);
		return 0;
	}
	if (x->state != EXEC_SKIPPED || x->cause == REASON_NONE ||
	    r->cancelled)
		return ERR_STATE;
	x->flags |= X_WAIVED;
	exec_revive(s, r, x);
	return 0;
}

static void
override(struct sched *s, struct run *r, struct exec *x)
{
	bool queued = (x->flags & (X_QUEUED | X_READY)) != 0;

	queue_remove(s, r, x);
	x->flags |= X_OVER;
	if (queued)
		queue_add(s, r, x);
}

int
sched_exec_override(struct sched *s, uint32_t run, uint32_t exec,
    int64_t now_us)
{
	const struct group *g;
	struct run *r;
	struct exec *x;
	uint32_t i;
	int err = target(s, run, exec, &r, &x);

	if (err < 0)
		return err;
	if (x->state != EXEC_WAITING)
		return ERR_STATE;
	s->now_us = now_us;
	g = group_of(s, x);
	if (g == NULL)
		override(s, r, x);
	for (i = 0; g != NULL && i < g->n; i++)
		override(s, r, group_part(s, g, i));
	return 0;
}

int
sched_exec_start_now(struct sched *s, uint32_t run, uint32_t exec,
    int64_t now_us)
{
	struct run *r;
	struct exec *x;
	int err = target(s, run, exec, &r, &x);

	if (err < 0)
		return err;
	if ((x->flags & X_DELAYED) == 0)
		return ERR_STATE;
	s->now_us = now_us;
	x->ready_us = 0;
	exec_ripen(s, r, x);
	return 0;
}

int
sched_exec_not_before(struct sched *s, uint32_t run, uint32_t exec,
    int64_t at_us, int64_t now_us)
{
	struct run *r;
	struct exec *x;
	int err = target(s, run, exec, &r, &x);

	if (err < 0)
		return err;
	/* After an attempt it is another delay. */
	if ((x->flags & X_DELAYED) == 0 || x->attempt > 0)
		return ERR_STATE;
	s->now_us = now_us;
	x->ready_us = at_us;
	exec_ripen(s, r, x);
	return 0;
}

int
sched_exec_declare_lost(struct sched *s, uint32_t run, uint32_t exec,
    int64_t now_us)
{
	struct run *r;
	struct exec *x;
	int err = target(s, run, exec, &r, &x);

	if (err < 0)
		return err;
	if (x->parcel == NONE || !parcel_unknown(s, &s->parcels[x->parcel]))
		return ERR_STATE;
	s->now_us = now_us;
	parcel_lose(s, x->parcel, false);
	return 0;
}
