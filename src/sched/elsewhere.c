/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Limits over processes: what this scheduler's attempts hold that others have
 * to know of, and what others hold, which counts as taken here.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "sched/sched_private.h"
#include "yardmaster/base/mem.h"

/* More than any capacity; sums of it stay in 32 bits. */
#define UNITS_MAX (1u << 28)

bool
limit_shared(const struct limit *l)
{
	return l->run == NULL && !l->parallel && (l->kind != LIMIT_TARGET ||
	    l->capacity > 0 || l->names.n > 0 || l->pools);
}

bool
sched_run_shares(const struct sched *s, uint32_t run)
{
	const struct run *r = run_get(s, run);
	uint32_t i;

	for (i = 0; r != NULL && i < r->n_caps; i++)
		if (limit_shared(s->limits[r->caps[i].limit]))
			return true;
	return false;
}

/* ---- what is held here ---------------------------------------------------------- */

static struct hold
hold_of(const struct sched *s, uint32_t parcel, const struct use *u)
{
	static const enum hold_kind kinds[] = {
		[LIMIT_LOCK] = HOLD_LOCK, [LIMIT_PAIR] = HOLD_EXCLUSION,
		[LIMIT_TARGET] = HOLD_TARGET
	};
	const struct limit *l = s->limits[u->limit];
	struct hold h = { .kind = kinds[l->kind], .name = l->name,
		.other = l->other, .n = u->n, .shared = u->shared,
		.capacity = l->capacity };

	if (l->kind == LIMIT_TARGET)
		h.instance = (char *)(uintptr_t)lease_find(s, parcel, l->name);
	return h;
}

struct hold_list {
	const struct sched *s;
	uint32_t parcel;
	struct hold *v;
	uint32_t n, cap;
};

/* Those that others have to know of; group: as hold.group. */
static void
list_holds(struct hold_list *l, uint32_t lset, uint32_t group)
{
	const struct lset *ls = l->s->lsets[lset];
	struct hold h;
	uint32_t i;

	for (i = 0; i < ls->n; i++) {
		if (!limit_shared(l->s->limits[ls->v[i].limit]))
			continue;
		h = hold_of(l->s, l->parcel, &ls->v[i]);
		if (h.kind == HOLD_TARGET && h.capacity == 0 &&
		    h.instance == NULL)
			continue;
		h.group = group;
		if (l->n < l->cap)
			l->v[l->n] = h;
		l->n++;
	}
}

uint32_t
sched_holds(const struct sched *s, struct sched_id id, struct hold *v,
    uint32_t cap)
{
	const struct run *r = run_get(s, id.run);
	struct hold_list l = { .s = s, .v = v, .cap = cap };
	const struct group *g;
	uint32_t p;

	if (r == NULL || exec_get(r, id.exec) == NULL ||
	    (p = parcel_find(s, r, id.exec, id.attempt)) == NONE ||
	    !s->parcels[p].holds)
		return 0;
	l.parcel = p;
	list_holds(&l, s->parcels[p].lset, 0);
	if (s->parcels[p].group != NONE) {
		g = s->groups[s->parcels[p].group];
		list_holds(&l, g->held, g->first);
	}
	return l.n;
}

/* ---- what is held elsewhere ------------------------------------------------------- */

static void
free_instances(uint32_t *holder, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (holder[i] == ELSEWHERE)
			holder[i] = NONE;
}

/* Forgets all of it; who waits looks again. */
static void
forget_all(struct sched *s)
{
	struct limit *l;
	struct agent *a;
	uint32_t k;
	size_t i;

	for (i = 0; i < s->n_limits; i++) {
		l = s->limits[i];
		if (l->n_ext == 0) {
			l->ext_us = 0;
			continue;
		}
		free_instances(l->holder, l->names.n);
		l->n_ext = l->ext_cap = l->ext[0] = l->ext[1] = 0;
		free(l->ext_text);
		l->ext_text = NULL;
		limit_wake(s, (uint32_t)i);
	}
	for (i = 0; i < s->n_agents; i++) {
		a = &s->agents[i];
		for (k = 0; k < a->n_pools; k++)
			free_instances(a->pools[k].holder,
			    a->pools[k].names.n);
	}
}

static bool
take_instance(const struct strvec *names, uint32_t *holder, const char *name)
{
	long i = strvec_find(names, name);

	if (i >= 0 && holder[i] == NONE)
		holder[i] = ELSEWHERE;
	return i >= 0;
}

static void
take_target(struct sched *s, struct limit *l, const struct sched_elsewhere *e)
{
	struct pool *p = NULL;

	l->ext[0]++;
	if (e->hold->instance == NULL)
		return;
	if (e->agent < s->n_agents)
		p = lease_pool(&s->agents[e->agent], l);
	if (p == NULL || !take_instance(&p->names, p->holder,
	    e->hold->instance))
		take_instance(&l->names, l->holder, e->hold->instance);
}

static void
take(struct sched *s, const struct sched_elsewhere *e)
{
	static const enum limit_kind kinds[HOLD_KINDS] = {
		[HOLD_LOCK] = LIMIT_LOCK, [HOLD_EXCLUSION] = LIMIT_PAIR,
		[HOLD_TARGET] = LIMIT_TARGET
	};
	const struct hold *h = e->hold;
	uint32_t units = h->n < UNITS_MAX ? h->n : UNITS_MAX;
	struct limit *l = limit_find(s, kinds[h->kind], h->name, h->other);

	if (l == NULL || l->ext[0] > UNITS_MAX || l->ext[1] > UNITS_MAX)
		return;
	if (l->kind == LIMIT_PAIR) {
		l->ext[0] += units & 1;
		l->ext[1] += units >> 1 & 1;
	} else if (l->kind == LIMIT_LOCK) {
		l->ext[h->shared] += h->shared ? 1 : units;
	} else {
		take_target(s, l, e);
	}
	if (h->capacity > 0 && (l->ext_cap == 0 || h->capacity < l->ext_cap))
		l->ext_cap = h->capacity;
	if (l->n_ext++ == 0) {
		l->ext_text = str_dup(e->holder);
		if (l->ext_us == 0)
			l->ext_us = s->now_us;
		l->since_us = l->ext_us;
	}
}

/* ---- what others have on an agent -------------------------------------------------- */

const struct ration *
ration_of(const struct limit *l, const struct agent *a)
{
	uint32_t i;

	for (i = 0; i < a->n_rations && l->run == NULL; i++)
		if (strcmp(a->rations[i].name, l->name) == 0)
			return &a->rations[i];
	return NULL;
}

uint32_t
ration_most(const struct limit *l, const struct agent *a)
{
	const struct ration *r = ration_of(l, a);

	return r != NULL && r->max > 0 && (l->per_agent == 0 ||
	    r->max < l->per_agent) ? r->max : l->per_agent;
}

uint32_t
ration_taken(const struct limit *l, const struct agent *a)
{
	const struct ration *r = ration_of(l, a);

	return (r != NULL ? r->taken : 0) +
	    (l->slot < a->n_slots ? a->held_targets[l->slot] : 0);
}

uint32_t
ration_left(const struct limit *l, const struct agent *a)
{
	uint32_t most = ration_most(l, a), taken;

	if (most == 0)
		return UINT32_MAX;
	taken = ration_taken(l, a);
	return taken < most ? most - taken : 0;
}

void
rations_free(struct ration *v, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		free(v[i].name);
		free(v[i].holder);
	}
	free(v);
}

static bool
is_same(const struct ration *r, const struct sched_ration *f)
{
	return strcmp(r->name, f->target) == 0 && r->max == f->max &&
	    r->taken == f->taken && (r->holder == NULL) ==
	    (f->holder == NULL) && (r->holder == NULL ||
	    strcmp(r->holder, f->holder) == 0);
}

/* A target that limited nothing before now does: runs must know. */
static bool
ration_seen(const struct sched *s, const char *name)
{
	struct limit *l = limit_find(s, LIMIT_TARGET, name, NULL);
	bool news = l != NULL && !l->rationed;

	if (news)
		l->rationed = true;
	return news;
}

bool
rations_set(struct sched *s, struct agent *a, const struct sched_agent *f)
{
	struct ration *old = a->rations;
	uint32_t i, n = a->n_rations;
	bool news = false, same = n == f->n_rations;

	for (i = 0; i < f->n_rations; i++) {
		news |= ration_seen(s, f->rations[i].target);
		same = same && is_same(&old[i], &f->rations[i]);
	}
	if (news)
		run_terms_lsets(s);
	if (same)
		return news;
	a->rations = mem_calloc(f->n_rations, sizeof *a->rations);
	a->n_rations = f->n_rations;
	for (i = 0; i < f->n_rations; i++)
		a->rations[i] = (struct ration){
			.name = str_dup(f->rations[i].target),
			.holder = str_dup(f->rations[i].holder),
			.max = f->rations[i].max,
			.taken = f->rations[i].taken,
			.since_us = s->now_us };
	rations_free(old, n);
	return true;
}

/* ---- all of it ------------------------------------------------------------------- */

void
sched_await_elsewhere(struct sched *s, bool on, int64_t now_us)
{
	uint32_t i;

	s->now_us = now_us;
	if (s->awaits == on)
		return;
	s->awaits = on;
	for (i = 0; !on && i < s->n_limits; i++)
		limit_wake(s, i);
}

void
sched_held_elsewhere(struct sched *s, const struct sched_elsewhere *v,
    size_t n, int64_t now_us)
{
	size_t i;

	s->now_us = now_us;
	forget_all(s);
	for (i = 0; i < n; i++)
		take(s, &v[i]);
}
