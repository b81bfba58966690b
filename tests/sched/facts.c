/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What ought to be so in the made-up world, worked out from its plans and
 * from what is believed, the slow and obvious way.
 */
#include "config.h"

#include "world.h"

bool
fact_usable(const struct world *w, uint32_t agent)
{
	const struct sched_agent *f = &w->hosts[agent].facts;

	return f->up && !f->draining && !f->held && !f->benched &&
	    f->guard == NULL;
}

static const struct sched_terms *
terms_at(const struct world *w, uint32_t run, uint32_t exec)
{
	return &w->specs[run].terms[w->specs[run].execs[exec - 1].terms];
}

bool
fact_pinned(const struct world *w, uint32_t run, uint32_t exec)
{
	return terms_at(w, run, exec)->pinned ||
	    w->items[run][exec].pin != SCHED_NONE;
}

static bool
has_pool(const struct host *h)
{
	return h->facts.n_pools > 0 && h->own.n > 0;
}

static bool
offers(const struct world *w, uint32_t agent, uint32_t target)
{
	static const char *const names[] = { "t0", "t1", "t2" };
	const struct host *h = &w->hosts[agent];

	if (target == 2)
		return has_pool(h);
	return h->targets.n == 0 || strvec_find(&h->targets,
	    names[target]) >= 0;
}

bool
fact_eligible(const struct world *w, uint32_t run, uint32_t exec,
    uint32_t agent)
{
	const struct sched_terms *t = terms_at(w, run, exec);
	const struct strvec *labels = &w->hosts[agent].labels;
	long list = t->agents - w->lists;
	uint32_t i;

	if (w->items[run][exec].pin != SCHED_NONE)
		return w->items[run][exec].pin == agent;
	if ((list == 1 && strvec_find(labels, "red") < 0) ||
	    (list == 2 && strvec_find(labels, "blue") < 0) ||
	    (list == 3 && agent > 3))
		return false;
	for (i = 0; i < t->n_targets; i++)
		if (!offers(w, agent, t->targets[i]))
			return false;
	return true;
}

static uint32_t
load(const struct world *w, uint32_t agent, bool pinned_too)
{
	uint32_t i, n = w->hosts[agent].facts.other_busy;
	const struct attempt *a;

	for (i = 0; i < w->n_live; i++) {
		a = &w->attempts[w->live[i]];
		if (a->agent == agent && a->belief < NOWHERE &&
		    a->belief != GHOST && (pinned_too || !a->pinned))
			n += a->workers;
	}
	return n;
}

uint32_t
fact_load(const struct world *w, uint32_t agent)
{
	return load(w, agent, true);
}

uint32_t
fact_autos(const struct world *w, uint32_t agent)
{
	return load(w, agent, false);
}

uint32_t
fact_out(const struct world *w, uint32_t run)
{
	const struct attempt *a;
	uint32_t i, n = 0;

	for (i = 0; i < w->n_live; i++) {
		a = &w->attempts[w->live[i]];
		n += a->id.run == run && a->belief < GHOST;
	}
	return n;
}

/* Some of a node has not ended, or ended badly. */
static void
node_look(const struct world *w, uint32_t run, uint32_t node, bool *ret_open,
    bool *ret_bad)
{
	const struct sched_exec *x = w->specs[run].execs;
	struct sched_view v;
	uint32_t i;

	for (i = 1; i <= w->specs[run].run.n_execs; i++) {
		if (x[i - 1].member != node)
			continue;
		sched_exec_view(w->k.s, run, i, &v);
		*ret_open |= !exec_state_final(v.state);
		*ret_bad |= v.state == EXEC_FAILED ||
		    v.state == EXEC_TIMEOUT || v.state == EXEC_ERROR ||
		    v.state == EXEC_CANCELLED || (v.state == EXEC_SKIPPED &&
		    v.cause != REASON_NONE);
	}
}

bool
fact_needs(const struct world *w, uint32_t run, uint32_t exec)
{
	const struct sched_terms *t = terms_at(w, run, exec);
	const struct item *x = &w->items[run][exec];
	bool open = false, bad = false;
	uint32_t i;

	if (x->waived || x->last > 0)
		return false;
	for (i = 0; i < t->n_needs; i++)
		node_look(w, run, t->needs[i], &open, &bad);
	return open || (bad && !t->needs_any_result);
}

static uint32_t
lock_capacity(const struct world *w, uint32_t lock)
{
	uint32_t i, cap = UINT32_MAX;

	for (i = 0; i < w->n_runs; i++)
		if (!w->removed[i] && w->specs[i].locks[lock].capacity < cap)
			cap = w->specs[i].locks[lock].capacity;
	return cap;
}

/* What each holder has of a lock; of a team once. */
static void
lock_count(const struct takes *t, uint32_t lock, uint32_t *units,
    uint32_t *readers)
{
	if (t->shared[lock])
		*readers += t->count[lock] > 0;
	else
		*units += t->count[lock];
}

static bool
lock_full(const struct world *w, const struct takes *want, uint32_t lock)
{
	uint32_t units = 0, readers = 0, i;

	if (w->ext_shared[lock])
		readers = w->ext[lock];
	else
		units = w->ext[lock];
	for (i = 0; i < w->n_live; i++)
		if (w->attempts[w->live[i]].belief != NOWHERE)
			lock_count(&w->attempts[w->live[i]].takes, lock,
			    &units, &readers);
	for (i = 0; i < w->n_teams; i++)
		if (w->teams[i].parcels > 0)
			lock_count(&w->teams[i].held, lock, &units,
			    &readers);
	if (want->shared[lock])
		return units > 0;
	return readers > 0 || (units > 0 && units + want->count[lock] >
	    lock_capacity(w, lock));
}

bool
fact_lock_full(const struct world *w, const struct takes *t, bool parallel)
{
	uint32_t i;

	for (i = 0; i < N_LOCKS; i++)
		if (t->count[i] > 0 && (i == 2) == parallel &&
		    lock_full(w, t, i))
			return true;
	return false;
}

static bool
pair_clash(const struct takes *a, const struct takes *b)
{
	return (a->sides[0] & 1 && b->sides[0] & 2) ||
	    (a->sides[0] & 2 && b->sides[0] & 1) ||
	    (a->sides[1] && b->sides[1]);
}

bool
fact_pair_full(const struct world *w, const struct takes *t)
{
	uint32_t i;

	for (i = 0; i < w->n_live; i++)
		if (w->attempts[w->live[i]].belief != NOWHERE &&
		    pair_clash(t, &w->attempts[w->live[i]].takes))
			return true;
	for (i = 0; i < w->n_teams; i++)
		if (w->teams[i].parcels > 0 &&
		    pair_clash(t, &w->teams[i].held))
			return true;
	return false;
}

static bool
has_target(const struct takes *t, uint32_t target)
{
	return (t->targets >> target & 1) != 0;
}

/* agent NONE: over the fleet. */
static uint32_t
on_target(const struct world *w, uint32_t target, uint32_t agent)
{
	const struct attempt *a;
	uint32_t i, n = 0;

	for (i = 0; i < w->n_live; i++) {
		a = &w->attempts[w->live[i]];
		n += a->belief != NOWHERE && a->belief != GHOST &&
		    (agent == SCHED_NONE || a->agent == agent) &&
		    has_target(&a->takes, target);
	}
	return n;
}

bool
fact_named(const struct world *w)
{
	uint32_t i;

	for (i = 0; i < w->n_runs; i++)
		if (!w->removed[i] &&
		    w->specs[i].targets[1].instances != NULL)
			return true;
	return false;
}

static bool
instances_full(const struct world *w, uint32_t n)
{
	uint32_t i, taken = 0;

	for (i = 0; i < w->n_live; i++)
		if (w->attempts[w->live[i]].belief != NOWHERE)
			taken |= w->attempts[w->live[i]].instance;
	return fact_named(w) && (taken & 1) + (taken >> 1) + n > 2;
}

static uint32_t
smaller(uint32_t cap, uint32_t other)
{
	return other > 0 && (cap == 0 || other < cap) ? other : cap;
}

bool
fact_target_full(const struct world *w, const struct takes *t, uint32_t n)
{
	uint32_t i, cap = 0;

	if (!has_target(t, 1) || n == 0)
		return false;
	for (i = 0; i < w->n_runs; i++)
		if (!w->removed[i])
			cap = smaller(cap, w->specs[i].targets[1].max);
	return (cap > 0 && on_target(w, 1, SCHED_NONE) + n > cap) ||
	    instances_full(w, n);
}

static bool
pool_taken(const struct world *w, uint32_t agent)
{
	uint32_t i;

	for (i = 0; i < w->n_live; i++)
		if (w->attempts[w->live[i]].agent == agent &&
		    w->attempts[w->live[i]].belief != NOWHERE &&
		    w->attempts[w->live[i]].pool)
			return true;
	return false;
}

uint32_t
fact_per_agent(const struct world *w)
{
	uint32_t i, cap = 0;

	for (i = 0; i < w->n_runs; i++)
		if (!w->removed[i])
			cap = smaller(cap, w->specs[i].targets[0].
			    max_per_agent);
	return cap;
}

bool
fact_target_full_on(const struct world *w, const struct takes *t,
    uint32_t agent, const uint32_t n[N_TARGETS])
{
	uint32_t cap = fact_per_agent(w);

	if (has_target(t, 0) && cap > 0 &&
	    on_target(w, 0, agent) + n[0] >= cap)
		return true;
	return has_target(t, 2) && has_pool(&w->hosts[agent]) &&
	    (n[2] > 0 || pool_taken(w, agent));
}

bool
fact_beside(const struct world *w, uint32_t run, uint32_t exec,
    uint32_t agent)
{
	uint64_t key = w->specs[run].keys[exec - 1];
	const struct attempt *a;
	uint32_t i, j;

	for (i = 0; !terms_at(w, run, exec)->beside_itself && i < w->n_live;
	    i++) {
		a = &w->attempts[w->live[i]];
		for (j = 0; a->agent == agent && a->belief != NOWHERE &&
		    j < a->n_members; j++)
			if (w->specs[a->id.run].keys[a->members[j].exec - 1]
			    == key)
				return true;
	}
	return false;
}

bool
fact_avoided(const struct world *w, uint32_t run, uint32_t exec,
    uint32_t agent)
{
	const struct sched_terms *t = terms_at(w, run, exec);
	const struct sched_agent *f;
	uint32_t i;

	if ((w->items[run][exec].avoided >> agent & 1) == 0)
		return false;
	for (i = 0; i < w->n_hosts; i++) {
		f = &w->hosts[i].facts;
		if (i != agent && fact_usable(w, i) &&
		    fact_eligible(w, run, exec, i) && t->workers <=
		    (t->pinned ? f->max_workers : f->threshold))
			return true;
	}
	return false;
}
