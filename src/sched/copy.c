/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A copy of a scheduler, made by telling a new one all that the old one knows:
 * agents, runs as they are, what is out, what operators did. What it was
 * about to decide is not copied; it will be decided again.
 */
#include "config.h"

#include <stdlib.h>

#include "sched/sched_private.h"
#include "yardmaster/base/mem.h"

/* The spec of a run, with all that it borrows. */
struct copy {
	const struct sched *s;
	const struct run *r;
	struct sched_run spec;
	uint32_t *cap_of;	/* by limit: its index among its kind */
	void **owned;
	size_t n_owned, cap_owned;
};

static void *
own(struct copy *c, size_t n, size_t size)
{
	void *p = mem_calloc(n > 0 ? n : 1, size);

	c->owned = mem_grow(c->owned, &c->cap_owned, c->n_owned + 1,
	    sizeof(*c->owned));
	c->owned[c->n_owned++] = p;
	return p;
}

static void
copy_done(struct copy *c)
{
	size_t i;

	for (i = 0; i < c->n_owned; i++)
		free(c->owned[i]);
	free(c->owned);
}

/* ---- runs ----------------------------------------------------------------------- */

static void
copy_caps(struct copy *c)
{
	const struct run *r = c->r;
	struct sched_lock *locks = own(c, r->n_caps, sizeof(*locks));
	struct sched_target *targets = own(c, r->n_caps, sizeof(*targets));
	struct sched_pair *pairs = own(c, r->n_caps, sizeof(*pairs));
	struct sched_run *to = &c->spec;
	const struct run_cap *cap;
	const struct limit *l;
	uint32_t i;

	c->cap_of = own(c, c->s->n_limits, sizeof(uint32_t));
	for (i = 0; i < r->n_caps; i++) {
		cap = &r->caps[i];
		l = c->s->limits[cap->limit];
		if (l->kind == LIMIT_LOCK) {
			c->cap_of[cap->limit] = to->n_locks;
			locks[to->n_locks++] = (struct sched_lock){
				.name = l->name, .capacity = cap->capacity,
				.parallel = l->parallel };
		} else if (l->kind == LIMIT_TARGET) {
			c->cap_of[cap->limit] = to->n_targets;
			targets[to->n_targets++] = (struct sched_target){
				.name = l->name, .max = cap->capacity,
				.max_per_agent = cap->per_agent,
				.instances = &cap->names };
		} else {
			c->cap_of[cap->limit] = to->n_pairs;
			pairs[to->n_pairs++] = (struct sched_pair){ l->name,
				l->other };
		}
	}
	to->locks = locks;
	to->targets = targets;
	to->pairs = pairs;
}

static void
copy_wants(struct copy *c, const struct terms *t, struct sched_terms *to)
{
	struct sched_hold *holds = own(c, t->n_wants, sizeof(*holds));
	struct sched_side *sides = own(c, t->n_wants, sizeof(*sides));
	const struct use *u;
	uint32_t i;

	for (i = 0; i < t->n_wants; i++) {
		u = &t->wants[i];
		if (c->s->limits[u->limit]->kind == LIMIT_LOCK)
			holds[to->n_holds++] = (struct sched_hold){
				c->cap_of[u->limit], u->n, u->shared };
		else if (c->s->limits[u->limit]->kind == LIMIT_PAIR)
			sides[to->n_sides++] = (struct sched_side){
				c->cap_of[u->limit], (u->n & 1) != 0,
				(u->n & 2) != 0 };
	}
	to->holds = holds;
	to->sides = sides;
}

static void
copy_req(struct copy *c, const struct terms *t, struct sched_terms *to)
{
	const struct req *req = c->s->reqs[t->req];
	const struct strvec **lists = own(c, req->n_lists, sizeof(*lists));
	uint32_t *targets = own(c, req->n_targets, sizeof(*targets));
	uint32_t i;

	for (i = 0; i < req->n_lists; i++)
		lists[i] = &req->lists[i];
	for (i = 0; i < req->n_targets; i++)
		targets[i] = c->cap_of[req->targets[i]];
	to->secrets = req->secrets;
	to->agents = lists;
	to->n_agents = req->n_lists;
	to->targets = targets;
	to->n_targets = req->n_targets;
}

static void
copy_terms(struct copy *c)
{
	const struct run *r = c->r;
	struct sched_terms *v = own(c, r->n_terms, sizeof(*v));
	const struct needset *needs;
	const struct terms *t;
	uint32_t i;

	for (i = 0; i < r->n_terms; i++) {
		t = &r->terms[i];
		v[i] = (struct sched_terms){ .pinned = t->pinned,
			.repeatable = t->repeatable,
			.beside_itself = t->beside, .stop = t->stop,
			.together = t->together,
			.same_agent = t->same_agent,
			.retries = t->retries,
			.error_retries = t->error_retries,
			.workers = t->workers, .priority = t->priority,
			.retry_delay_us = t->retry_delay_us,
			.lost_after_us = t->lost_after_us,
			.start_timeout_us = t->start_timeout_us,
			.batch = t->batch, .room = t->room };
		copy_req(c, t, &v[i]);
		copy_wants(c, t, &v[i]);
		if (t->needset == NONE)
			continue;
		needs = &r->needsets[t->needset];
		v[i].needs = needs->nodes;
		v[i].n_needs = needs->n;
		v[i].needs_any_result = needs->any;
	}
	c->spec.terms = v;
	c->spec.n_terms = r->n_terms;
}

static void
copy_lists(struct copy *c)
{
	const struct run *r = c->r;
	struct sched_list *v = own(c, r->n_lists, sizeof(*v));
	uint32_t i;

	for (i = 0; i < r->n_lists; i++)
		v[i] = (struct sched_list){ r->list_nodes + r->list_first[i],
			r->list_first[i + 1] - r->list_first[i] };
	c->spec.lists = v;
	c->spec.n_lists = r->n_lists;
	c->spec.n_nodes = r->n_nodes;
}

static void
copy_execs(struct copy *c)
{
	const struct run *r = c->r;
	struct sched_exec *v = own(c, r->n, sizeof(*v));
	const struct exec *x;
	uint32_t i;

	for (i = 0; i < r->n; i++) {
		x = exec_get(r, i + 1);
		v[i] = (struct sched_exec){ .terms = x->terms,
			.group = x->group == NONE ? 0 : x->group + 1,
			.member = x->member, .estimate_us = x->estimate_us,
			.size = x->size,
			.fails = (int32_t)(r->n - exec_rank(r, x)),
			.first_key = x->first_key, .n_keys = x->n_keys,
			.not_before_us = (x->flags & X_DELAYED) != 0 ?
			    x->ready_us : 0,
			.state = x->state, .cause = x->cause,
			.attempt = x->attempt, .agent = x->agent,
			.avoid = x->avoid + 1,
			.pinned = x->parcel != NONE &&
			    c->s->parcels[x->parcel].class == CLASS_PINNED,
			.worker = x->worker, .failures = x->failures,
			.errors = x->errors,
			.returned = x->group != NONE &&
			    !c->s->groups[x->group]->gone };
		if (x->parcel == NONE)
			continue;
		v[i].instance = lease_find(c->s, x->parcel, NULL);
		if (v[i].instance == NULL)
			v[i].instance = "";
		v[i].lead = c->s->parcels[x->parcel].exec;
	}
	c->spec.execs = v;
	c->spec.n_execs = r->n;
}

/* What operators did, and what is asked of agents. */
static void
redo(struct sched *to, const struct run *r, const struct exec *x,
    int64_t now_us)
{
	uint32_t no = exec_no(r, x);

	if (exec_state_final(x->state))
		return;
	if ((x->flags & X_WAIVED) != 0)
		(void)sched_exec_run_anyway(to, r->handle, no, now_us);
	if ((x->flags & X_OVER) != 0)
		(void)sched_exec_override(to, r->handle, no, now_us);
	if ((x->flags & X_PINNED) != 0)
		(void)sched_exec_move(to, r->handle, no, x->pin, now_us);
	if ((x->flags & X_HELD) != 0)
		(void)sched_exec_hold(to, r->handle, no, "held", now_us);
	if (x->priority != r->terms[x->terms].priority)
		(void)sched_exec_priority(to, r->handle, no, x->priority);
	if ((x->flags & X_CANCEL) != 0)
		(void)sched_exec_cancel(to, r->handle, no, now_us);
	if ((x->flags & X_REQUEUE) != 0)
		(void)sched_exec_requeue(to, r->handle, no, now_us);
}

/* What it came to know on its way. */
static void
copy_learned(struct run *to, const struct run *r)
{
	to->halted = r->halted;
	to->halted_by = r->halted_by;
	to->by_length = r->by_length;
	to->foreseen_us = r->foreseen_us;
	to->seen_us = r->seen_us;
	to->unknown_us = r->unknown_us;
	to->n_unknown = r->n_unknown;
	to->done_us = r->done_us;
	to->n_done = r->n_done;
	to->enough = r->enough;
}

static void
copy_run(struct sched *to, const struct sched *s, const struct run *r,
    int64_t now_us)
{
	struct copy c = { .s = s, .r = r };
	struct run *got;
	uint32_t i, handle = NONE;

	c.spec = (struct sched_run){ .id = r->id, .priority = r->priority,
		.order = ORDER_FAILED, .max_parallel = r->max_parallel,
		.max_failures = r->max_failures, .ahead = r->ahead,
		.deadline_us = r->deadline_us, .private = r->private,
		.start_cost_us = r->start_cost_us, .keys = r->keys };
	copy_caps(&c);
	copy_terms(&c);
	copy_lists(&c);
	copy_execs(&c);
	to->runs = mem_grow(to->runs, &to->cap_runs, r->handle + 1,
	    sizeof(struct run *));
	while (to->n_runs < r->handle)
		to->runs[to->n_runs++] = NULL;
	(void)sched_run_add(to, &c.spec, now_us, &handle);
	copy_done(&c);
	got = run_get(to, handle);
	copy_learned(got, r);
	if (r->held != NULL)
		sched_run_hold(to, handle, r->held, now_us);
	for (i = 0; i < r->n; i++)
		redo(to, r, exec_get(r, i + 1), now_us);
	if (r->cancelled)
		sched_run_cancel(to, handle, now_us);
}

/* ---- agents ------------------------------------------------------------------------ */

static void
copy_agent(struct sched *to, const struct sched *s, uint32_t idx,
    int64_t now_us)
{
	const struct agent *a = &s->agents[idx];
	struct sched_agent facts = { .name = a->name, .labels = &a->labels,
		.targets = &a->targets, .n_pools = a->n_pools, .gone = a->gone,
		.up = a->up,
		.draining = a->draining, .held = a->held,
		.benched = a->benched, .probe = a->probe, .guard = a->guard,
		.max_workers = a->max, .threshold = a->threshold,
		.other_busy = a->other_busy, .other_queued = a->other_queued,
		.no_secrets = a->no_secrets,
		.rtt_us = a->rtt_us, .speed = a->told ? a->speed : 0 };
	struct sched_ration *rations;
	struct sched_pool *pools;
	uint32_t i;

	if (!a->known)
		return;
	rations = mem_calloc(a->n_rations, sizeof(*rations));
	for (i = 0; i < a->n_rations; i++)
		rations[i] = (struct sched_ration){ a->rations[i].name,
			a->rations[i].max, a->rations[i].taken,
			a->rations[i].holder };
	facts.rations = rations;
	facts.n_rations = a->n_rations;
	pools = mem_calloc(a->n_pools, sizeof(*pools));
	for (i = 0; i < a->n_pools; i++)
		pools[i] = (struct sched_pool){
			s->limits[a->pools[i].limit]->name,
			&a->pools[i].names };
	facts.pools = pools;
	sched_agent_set(to, idx, &facts, now_us);
	to->agents[idx].typical_us = a->typical_us;
	to->agents[idx].speed = a->speed;
	to->agents[idx].pace = a->pace;
	to->pace = s->pace;
	to->fleet_gen++;
	free(rations);
	free(pools);
}

/* Agents that are there have what they have; nothing is asked again. */
static void
report(struct sched *to, const struct sched *s, int64_t now_us)
{
	const struct parcel *p;
	struct sched_id id;
	uint32_t i;

	for (i = 0; i < s->n_parcels; i++) {
		p = &s->parcels[i];
		if (p->state == P_FREE || p->state == P_LOST || p->stale ||
		    p->agent == NONE || !s->agents[p->agent].up)
			continue;
		id = (struct sched_id){ p->run, p->exec, p->attempt };
		if (p->state == P_RUNNING) {
			(void)sched_started(to, id, p->worker, now_us);
			sched_ran(to, id, now_us - p->started_us, now_us);
		} else if (p->prepared)
			(void)sched_prepared(to, id, now_us);
		else
			(void)sched_accepted(to, id, now_us);
	}
}

/* What is leased to others, or to what is lost, is leased to nobody known. */
static void
copy_leased(const struct sched *s, uint32_t *to, const uint32_t *holder,
    size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (holder[i] == ELSEWHERE || (holder[i] != NONE &&
		    s->parcels[holder[i]].state == P_LOST))
			to[i] = ELSEWHERE;
}

static struct limit *
limit_same(struct sched *to, const struct limit *l)
{
	return to->limits[limit_intern(to, l->kind, l->name, l->other,
	    l->run)];
}

static void
copy_limits(struct sched *to, const struct sched *s)
{
	const struct limit *l;
	struct limit *got;
	const struct pool *p;
	struct pool *q;
	uint32_t i, j;

	for (i = 0; i < s->n_limits; i++) {
		l = s->limits[i];
		got = limit_same(to, l);
		got->ext[0] = l->ext[0];
		got->ext[1] = l->ext[1];
		got->ext_cap = l->ext_cap;
		got->n_ext = l->n_ext;
		got->ext_text = str_dup(l->ext_text);
		got->rationed |= l->rationed;
		if (got->names.n == l->names.n)
			copy_leased(s, got->holder, l->holder, l->names.n);
	}
	for (i = 0; i < s->n_agents; i++)
		for (j = 0; j < s->agents[i].n_pools; j++) {
			p = &s->agents[i].pools[j];
			q = i < to->n_agents ? lease_pool(&to->agents[i],
			    limit_same(to, s->limits[p->limit])) : NULL;
			if (q != NULL && q->names.n == p->names.n)
				copy_leased(s, q->holder, p->holder,
				    p->names.n);
		}
}

/* Lost attempts are not copied: what they keep is taken by others, or by the
 * group that they are a part of. */
static void
copy_lost(struct sched *to, const struct sched *s, const struct parcel *p)
{
	const struct lset *ls = s->lsets[p->lset];
	struct limit *got;
	uint32_t i;

	for (i = 0; i < ls->n; i++) {
		got = limit_same(to, s->limits[ls->v[i].limit]);
		if (got->kind == LIMIT_LOCK)
			got->ext[ls->v[i].shared] += ls->v[i].n;
		else if (got->kind == LIMIT_PAIR) {
			got->ext[0] += ls->v[i].n & 1;
			got->ext[1] += ls->v[i].n >> 1 & 1;
		}
	}
	if (p->group != NONE)
		group_parcel(to, exec_get(to->runs[p->run], p->exec)->group,
		    1);
}

static void
copy_ext(struct sched *to, const struct sched *s)
{
	const struct parcel *p;
	uint32_t i;

	copy_limits(to, s);
	for (i = 0; i < s->n_parcels; i++) {
		p = &s->parcels[i];
		if (p->state == P_LOST && p->holds &&
		    run_get(to, p->run) != NULL)
			copy_lost(to, s, p);
	}
}

struct sched *
sched_copy(const struct sched *s, int64_t now_us)
{
	struct sched *to = sched_new();
	uint32_t i;

	to->now_us = now_us;
	to->typical_us = s->typical_us;
	for (i = 0; i < s->n_agents; i++)
		copy_agent(to, s, i, now_us);
	for (i = 0; i < s->n_runs; i++)
		if (s->runs[i] != NULL && !s->runs[i]->ended)
			copy_run(to, s, s->runs[i], now_us);
	copy_ext(to, s);
	report(to, s, now_us);
	sched_pause(to, s->paused, now_us);
	return to;
}
