/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The scheduler as a whole. What always holds between two calls, and the
 * function that keeps it (sched_check() looks at all of it):
 *
 *  1. Every execution is in one state; the counts of a run are those of its
 *     executions and their sum is what was planned.     exec_state_set()
 *  2. Assigned or running: it has exactly one current parcel, which names
 *     it; in any other state none.      place_send(), parcel_member_end()
 *  3. Waiting: it is in the queue of its class, or one of needs, hold, delay
 *     says why not.                                       exec_ripen()
 *  4. The loads of an agent are the sums over its parcels that are not lost;
 *     busy, queued and the sets of agents follow.   parcel_load(),
 *     agent_update()
 *  5. What is used of a limit is the sum over the parcels that hold it; a
 *     parcel holds all of its limits or none, from send to end; a lost one
 *     keeps all but the counts of targets.     lset_take(), lset_drop()
 *  6. A step is on an agent as often as parcels there have it.  parcel_new(),
 *     parcel_end()
 *  7. A class with members is listed in its lane, or waits for a limit that
 *     lists it, or is parked in its lane; a lane with a ready class is
 *     listed, blocked, or its run is gated.   class_set(), lane_touch()
 *  8. At most max_parallel of a run are out (a batch is one of them; lowering
 *     it ends none).                                        run_gated()
 *  9. Attempts are numbered without gaps, and none is sent while another of
 *     the same execution is current.                        place_send()
 * 10. Of a group either all parts are sent in one decision or none; while one
 *     is out no other attempt of any part starts a new round, and its locks
 *     are taken as long as it has a parcel.    group_try(), group_parcel()
 * 11. After sched_decide() nothing that may go is left while an agent has
 *     room for it.                                          place_all()
 * 12. Nor is a worker free beside what is queued elsewhere, beyond what that
 *     agent has workers for, and may run here: it is asked back.
 *     reassign_all()
 * 13. What is limited or wide is passed by at most RESERVE_PASSES sends, then
 *     it keeps what it needs.           reserve_look(), reserve_passed()
 * 14. Nothing is sent ahead to where a limited item that comes before it
 *     waits for a worker.                      ahead_set(), ahead_withheld()
 * 15. What is kept is kept for one, who knows of it; nobody takes it over.
 *     limits_keep(), agent_keep(), agents_keep()
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "sched/sched_private.h"
#include "yardmaster/base/mem.h"

struct sched *
sched_new(void)
{
	struct sched *s = mem_zalloc(sizeof(*s));

	s->gen = s->fleet_gen = s->group_gen = 1;
	return s;
}

static void
sets_free(struct sched *s)
{
	free(s->usable);
	free(s->idle);
	free(s->below);
	free(s->free_max);
	free(s->room);
	free(s->gained);
	free(s->cand);
	free(s->ahead);
	free(s->hungry);
	free(s->donors);
	free(s->kept);
}

static void
lists_free(struct sched *s)
{
	size_t i;

	HASH_CLEAR(hh, s->req_hash);
	HASH_CLEAR(hh, s->limit_hash);
	HASH_CLEAR(hh, s->lset_hash);
	for (i = 0; i < s->n_reqs; i++)
		req_free(s->reqs[i]);
	for (i = 0; i < s->n_limits; i++)
		limit_free(s->limits[i]);
	for (i = 0; i < s->n_lsets; i++)
		lset_free(s->lsets[i]);
	for (i = 0; i < s->n_parcels; i++)
		free(s->parcels[i].members);
	free(s->reqs);
	free(s->limits);
	free(s->lsets);
	free(s->runs);
	free(s->classes);
	free(s->lanes);
	free(s->timer_args);
	free(s->parcels);
	free(s->groups);
	free(s->beside);
	free(s->moves);
}

void
sched_free(struct sched *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < s->n_runs; i++)
		if (s->runs[i] != NULL)
			run_free(s, s->runs[i]);
	lists_free(s);
	for (i = 0; i < s->n_agents; i++)
		agent_free(&s->agents[i]);
	free(s->agents);
	sets_free(s);
	ids_done(&s->free_classes);
	ids_done(&s->free_lanes);
	ids_done(&s->free_timers);
	ids_done(&s->free_parcels);
	ids_done(&s->ghosts);
	ids_done(&s->reserving);
	heap_done(&s->passed);
	ids_done(&s->starving);
	free(s->kinds);
	ids_done(&s->keepers);
	heap_done(&s->top);
	heap_done(&s->timers);
	sched_decisions_done(&s->out);
	free(s->paused);
	free(s);
}

/* ---- decisions -------------------------------------------------------------------- */

const char *
sched_kind_name(enum sched_kind k)
{
	static const char *const names[SCHED_KINDS] = {
		[SCHED_SEND] = "send", [SCHED_TAKE_BACK] = "take-back",
		[SCHED_CANCEL] = "cancel", [SCHED_LOST] = "lost",
		[SCHED_FREED] = "freed",
		[SCHED_GO] = "go",
		[SCHED_WAIT] = "wait", [SCHED_FINAL] = "final",
		[SCHED_RUN_ENDED] = "run-ended",
	};

	return (unsigned)k < SCHED_KINDS ? names[k] : "";
}

void
sched_decisions_done(struct sched_decisions *d)
{
	free(d->v);
	free(d->members);
	memset(d, 0, sizeof(*d));
}

void
decision_add(struct sched *s, const struct sched_decision *d)
{
	struct sched_decisions *o = &s->out;

	if (o->n == o->cap)
		o->v = mem_grow(o->v, &o->cap, o->n + 1, sizeof(*o->v));
	o->v[o->n++] = *d;
}

void
decisions_forget_run(struct sched *s, uint32_t run)
{
	struct sched_decisions *o = &s->out;
	size_t i, n = 0;

	for (i = 0; i < o->n; i++)
		if (o->v[i].id.run != run)
			o->v[n++] = o->v[i];
	o->n = n;
}

/* ---- timers ------------------------------------------------------------------------- */

static void
ready_due(struct sched *s, const struct timer_arg *t)
{
	struct run *r = run_get(s, t->a);
	struct exec *x = r != NULL ? exec_get(r, t->b) : NULL;

	if (x != NULL && (x->flags & X_DELAYED) != 0 &&
	    x->ready_us <= s->now_us)
		exec_ripen(s, r, x);
}

static void
timers_run(struct sched *s)
{
	struct timer_arg t;
	uint32_t i;

	while (s->timers.n > 0 && s->timers.v[0].a <= (uint64_t)s->now_us) {
		i = s->timers.v[0].id;
		t = s->timer_args[i];
		heap_pop(&s->timers);
		ids_push(&s->free_timers, i);
		switch (t.kind) {
		case TIMER_READY:
			ready_due(s, &t);
			break;
		case TIMER_LATE:
			late_timer(s, t.a);
			break;
		case TIMER_LOST:
			lost_timer(s, t.a);
			break;
		case TIMER_DEADLINE:
			deadline_timer(s, t.a);
			break;
		case TIMER_GROUP:
			group_timer(s, t.a);
			break;
		}
	}
}

static bool
timer_stale(const struct sched *s, const struct timer_arg *t, int64_t at_us)
{
	const struct run *r;
	const struct exec *x;

	if (t->kind == TIMER_LOST)
		return s->agents[t->a].up;
	if (t->kind == TIMER_LATE)
		return s->agents[t->a].late_us != at_us;
	if (t->kind == TIMER_GROUP)
		return s->groups[t->a] == NULL || !s->groups[t->a]->out ||
		    s->groups[t->a]->gone;
	if (t->kind == TIMER_DEADLINE)
		return run_get(s, t->a) == NULL || s->runs[t->a]->n_open == 0;
	if (t->kind != TIMER_READY)
		return false;
	r = run_get(s, t->a);
	x = r != NULL ? exec_get(r, t->b) : NULL;
	return x == NULL || (x->flags & X_DELAYED) == 0 ||
	    x->ready_us != at_us;
}

int64_t
sched_next_us(struct sched *s)
{
	uint32_t i;

	while (s->timers.n > 0) {
		i = s->timers.v[0].id;
		if (!timer_stale(s, &s->timer_args[i],
		    (int64_t)s->timers.v[0].a))
			return (int64_t)s->timers.v[0].a;
		heap_pop(&s->timers);
		ids_push(&s->free_timers, i);
	}
	return CLOCK_NEVER;
}

/* ---- a turn --------------------------------------------------------------------------- */

static void
runs_look(struct sched *s)
{
	struct run *r;
	size_t i;

	for (i = 0; i < s->n_runs; i++) {
		r = s->runs[i];
		if (r == NULL)
			continue;
		needs_look(s, r);
		deadline_look(s, r);
		if (r->n_open > 0 || r->ended)
			continue;
		r->ended = true;
		decision_add(s, &(struct sched_decision){
			.kind = SCHED_RUN_ENDED, .id = { r->handle, 0, 0 },
			.agent = NONE, .other = NONE });
	}
}

void
sched_decide(struct sched *s, int64_t now_us, struct sched_decisions *out)
{
	struct sched_decisions done;
	bool dropped;

	if (now_us > s->now_us)
		s->now_us = now_us;
	timers_run(s);
	runs_look(s);
	(void)reserve_check(s);
	(void)groups_check(s);
	moves_do(s);
	do {	/* a reservation that ended, or what is asked back, may have
		 * made room; and a run that is full now keeps nothing */
		lanes_wake(s);
		place_all(s);
		if (!s->any_gain)
			reassign_all(s);
		dropped = reserve_check(s);
		dropped |= groups_check(s);
	} while (s->any_gain || dropped);
	done = s->out;
	s->out = *out;
	s->out.n = s->out.n_members = 0;
	*out = done;
}

void
sched_pause(struct sched *s, const char *text, int64_t now_us)
{
	size_t i;

	s->now_us = now_us;
	free(s->paused);
	s->paused = str_dup(text);
	s->paused_us = now_us;
	for (i = 0; text == NULL && i < s->n_runs; i++)
		if (s->runs[i] != NULL)
			run_wake(s, s->runs[i]);
}
