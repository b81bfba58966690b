/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Questions about executions and runs that are cheap to answer. */
#include "config.h"

#include "sched/sched_private.h"
#include "yardmaster/base/err.h"

static const char *
note_text(const struct run *r, uint32_t exec)
{
	struct hold_note *n;

	HASH_FIND(hh, r->notes, &exec, sizeof(exec), n);
	return n != NULL ? n->text : "held";
}

int
sched_exec_view(const struct sched *s, uint32_t run, uint32_t exec,
    struct sched_view *ret)
{
	const struct run *r = run_get(s, run);
	const struct exec *x = r != NULL ? exec_get(r, exec) : NULL;

	if (x == NULL)
		return ERR_NOT_FOUND;
	*ret = (struct sched_view){ .state = x->state, .attempt = x->attempt,
		.agent = x->agent, .worker = x->worker, .tier = x->tier,
		.since_us = x->since_us, .failures = x->failures,
		.errors = x->errors, .avoid = x->avoid, .cause = x->cause };
	ret->ready_us = (x->flags & X_DELAYED) != 0 ? x->ready_us : 0;
	ret->pin = (x->flags & X_PINNED) != 0 ? x->pin : NONE;
	ret->priority = x->priority;
	ret->held = (x->flags & X_HELD) != 0 ? note_text(r, exec) : NULL;
	if (x->parcel != NONE)
		ret->unknown = parcel_unknown(s, &s->parcels[x->parcel]);
	return 0;
}

int
sched_run_view(const struct sched *s, uint32_t run,
    struct sched_run_view *ret)
{
	const struct run *r = run_get(s, run);

	if (r == NULL)
		return ERR_NOT_FOUND;
	*ret = (struct sched_run_view){ .priority = r->priority,
		.max_parallel = r->max_parallel,
		.max_failures = r->max_failures, .held = r->held };
	return 0;
}

enum exec_state
sched_exec_state(const struct sched *s, uint32_t run, uint32_t exec)
{
	const struct run *r = run_get(s, run);
	const struct exec *x = r != NULL ? exec_get(r, exec) : NULL;

	return x != NULL ? x->state : EXEC_WAITING;
}

struct counts
sched_counts(const struct sched *s, uint32_t run)
{
	const struct run *r = run_get(s, run);

	return r != NULL ? r->counts : (struct counts){ { 0 } };
}

uint32_t
sched_run_workers(const struct sched *s, uint32_t run)
{
	const struct run *r = run_get(s, run);

	return r != NULL ? r->workers : 0;
}

uint32_t
sched_run_enough(const struct sched *s, uint32_t run)
{
	const struct run *r = run_get(s, run);

	return r != NULL ? r->enough : 0;
}

bool
sched_run_ended(const struct sched *s, uint32_t run)
{
	const struct run *r = run_get(s, run);

	return r != NULL && r->ended;
}

const char *
sched_instance(const struct sched *s, uint32_t run, uint32_t exec,
    const char *target)
{
	const struct run *r = run_get(s, run);
	const struct exec *x = r != NULL ? exec_get(r, exec) : NULL;

	return x != NULL && x->parcel != NONE ?
	    lease_find(s, x->parcel, target) : NULL;
}

/* ---- predictions ---------------------------------------------------------------------- */

/* What the lane has before that rank, by the share of ranks. */
static int64_t
ahead_us(const struct sched *s, const struct run *r, const struct exec *x)
{
	const struct class *c = s->classes[x->class];
	int64_t work = c->work_us;
	uint32_t first = 0, last = r->n - 1, rank = exec_rank(r, x);

	if (work <= 0)
		work = (int64_t)c->n * run_typical_us(s, r);
	if (c->cursor < c->n_base) {
		first = c->base[c->cursor];
		last = c->base[c->n_base - 1];
	}
	if (rank <= first || last <= first)
		return 0;
	if (rank >= last)
		return work;
	return (int64_t)((double)work * (rank - first) / (last - first));
}

static int64_t
next_on_agent(const struct sched *s, const struct run *r,
    const struct parcel *p, int64_t now_us)
{
	const struct agent *a = &s->agents[p->agent];
	int64_t us = 0, est, left;
	uint32_t i;

	if (!a->up || a->threshold == 0)
		return 0;
	for (i = a->first; i != NONE && &s->parcels[i] != p;
	    i = s->parcels[i].next) {
		est = s->parcels[i].estimate_us > 0 ?
		    s->parcels[i].estimate_us : run_typical_us(s, r);
		left = s->parcels[i].state == P_RUNNING ? est - (now_us -
		    s->parcels[i].started_us) : est;
		us += left > 0 ? left : 0;
	}
	return now_us + us / a->threshold;
}

int64_t
sched_next_start(const struct sched *s, uint32_t run, uint32_t exec,
    int64_t now_us)
{
	const struct run *r = run_get(s, run);
	const struct exec *x = r != NULL ? exec_get(r, exec) : NULL;
	const struct lane *l;
	uint32_t n;

	if (x == NULL || exec_state_final(x->state) ||
	    x->state == EXEC_RUNNING)
		return 0;
	if ((x->flags & X_DELAYED) != 0)
		return x->ready_us;
	if (x->parcel != NONE)
		return s->parcels[x->parcel].agent == NONE ? 0 :
		    next_on_agent(s, r, &s->parcels[x->parcel], now_us);
	if ((x->flags & X_QUEUED) == 0 || run_gated(s, r))
		return 0;
	l = s->lanes[s->classes[x->class]->key.lane];
	n = force_of(s, l->key.req, l->key.pinned)->workers;
	return n > 0 ? now_us + ahead_us(s, r, x) / n : 0;
}

bool
sched_exec_admits(const struct sched *s, uint32_t run, uint32_t exec,
    uint32_t agent)
{
	const struct run *r = run_get(s, run);
	const struct exec *x = r != NULL ? exec_get(r, exec) : NULL;

	return x != NULL && agent < s->n_agents &&
	    exec_admits(s, r, x, agent);
}
