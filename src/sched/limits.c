/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Limits by name over all runs: locks, pairs that exclude each other,
 * targets. What an execution takes of them is a set, checked whole and taken
 * whole. Leased instances are in lease.c.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "sched/sched_private.h"
#include "yardmaster/base/mem.h"

static char *
limit_key(enum limit_kind kind, const char *a, const char *b,
    const char *run)
{
	static const char *const tags[] = {
		[LIMIT_LOCK] = "l", [LIMIT_PAIR] = "p", [LIMIT_TARGET] = "t"
	};

	return str_fmt("%s%s%s%s%s%s", tags[kind], a, b != NULL ? "\x1f" : "",
	    b != NULL ? b : "", run != NULL ? "\x1e" : "",
	    run != NULL ? run : "");
}

struct limit *
limit_find(const struct sched *s, enum limit_kind kind, const char *a,
    const char *b)
{
	char *key = limit_key(kind, a, b, NULL);
	struct limit *l;

	HASH_FIND(hh, s->limit_hash, key, strlen(key), l);
	free(key);
	return l;
}

/* a and b of a pair come sorted; b is NULL for the other kinds. */
uint32_t
limit_intern(struct sched *s, enum limit_kind kind, const char *a,
    const char *b, const char *run)
{
	uint32_t base = kind == LIMIT_TARGET && run != NULL ?
	    limit_intern(s, kind, a, NULL, NULL) : NONE;
	char *key = limit_key(kind, a, b, run);
	struct limit *l;

	HASH_FIND(hh, s->limit_hash, key, strlen(key), l);
	if (l != NULL) {
		free(key);
		return l->index;
	}
	l = mem_zalloc(sizeof(*l));
	l->kind = kind;
	l->key = key;
	l->name = str_dup(a);
	l->other = str_dup(b);
	l->self = b != NULL && strcmp(a, b) == 0;
	l->capacity = kind == LIMIT_LOCK ? 1 : 0;
	l->reserved = NONE;
	l->slot = kind == LIMIT_TARGET ? s->n_slots++ : 0;
	l->index = (uint32_t)s->n_limits;
	l->run = str_dup(run);
	l->base = base != NONE ? base : l->index;
	l->pools = base != NONE && s->limits[base]->pools;
	s->limits = mem_grow(s->limits, &s->cap_limits, s->n_limits + 1,
	    sizeof(struct limit *));
	s->limits[s->n_limits++] = l;
	HASH_ADD_KEYPTR(hh, s->limit_hash, l->key, strlen(l->key), l);
	return l->index;
}

void
limit_free(struct limit *l)
{
	free(l->key);
	free(l->name);
	free(l->other);
	free(l->ext_text);
	free(l->run);
	free(l->holder);
	kept_done(&l->kept);
	strvec_done(&l->names);
	ids_done(&l->waiters);
	free(l);
}

bool
limit_live(const struct limit *l)
{
	return l->kind != LIMIT_TARGET || l->capacity > 0 ||
	    l->per_agent > 0 || l->names.n > 0 || l->kept.names.n > 0 ||
	    l->pools || l->rationed;
}

uint32_t
lset_intern(struct sched *s, const struct use *v, uint32_t n)
{
	struct lset *l;
	uint32_t i;

	HASH_FIND(hh, s->lset_hash, v, n * sizeof(*v), l);
	if (l != NULL)
		return l->index;
	l = mem_zalloc(sizeof(*l));
	l->v = mem_dup(v, n * sizeof(*v));
	l->n = n;
	for (i = 0; i < n; i++)
		if (s->limits[v[i].limit]->kind == LIMIT_TARGET)
			l->per_agent = true;
	l->index = (uint32_t)s->n_lsets;
	s->lsets = mem_grow(s->lsets, &s->cap_lsets, s->n_lsets + 1,
	    sizeof(struct lset *));
	s->lsets[s->n_lsets++] = l;
	HASH_ADD_KEYPTR(hh, s->lset_hash, l->v, n * sizeof(*v), l);
	return l->index;
}

void
lset_free(struct lset *l)
{
	free(l->v);
	free(l);
}

uint32_t
limit_capacity(const struct limit *l)
{
	if (l->ext_cap > 0 && (l->capacity == 0 || l->ext_cap < l->capacity))
		return l->ext_cap;
	return l->capacity;
}

static bool
lock_room(const struct limit *l, const struct use *u)
{
	uint32_t units = l->used[0] + l->ext[0];

	if (u->shared)
		return units == 0;
	if (l->used[1] + l->ext[1] > 0)
		return false;
	return units == 0 || units + u->n <= limit_capacity(l);
}

static bool
pair_room(const struct limit *l, const struct use *u)
{
	uint32_t a = l->used[0] + l->ext[0], b = l->used[1] + l->ext[1];

	if (l->self)
		return a + b == 0;
	return ((u->n & 1) == 0 || b == 0) && ((u->n & 2) == 0 || a == 0);
}

static bool
target_room(const struct limit *l)
{
	uint32_t capacity = limit_capacity(l);

	if (capacity > 0 && l->used[0] + l->ext[0] >= capacity)
		return false;
	return l->names.n == 0 || l->pools || lease_free(l->holder,
	    l->names.n, NONE);
}

bool
limit_room(const struct sched *s, const struct use *u, uint32_t class)
{
	const struct limit *l = s->limits[u->limit];

	if (!reserve_lets(s, l->reserved, class) ||
	    (s->awaits && limit_shared(l)))
		return false;
	switch (l->kind) {
	case LIMIT_LOCK:
		return lock_room(l, u);
	case LIMIT_PAIR:
		return pair_room(l, u);
	default:
		return target_room(l);
	}
}

bool
lset_has(const struct lset *ls, uint32_t limit)
{
	uint32_t i;

	for (i = 0; i < ls->n; i++)
		if (ls->v[i].limit == limit)
			return true;
	return false;
}

uint32_t
lset_blocked(const struct sched *s, uint32_t lset, uint32_t class)
{
	const struct lset *ls = s->lsets[lset];
	uint32_t i;

	for (i = 0; i < ls->n; i++)
		if (!limit_room(s, &ls->v[i], class))
			return ls->v[i].limit;
	return NONE;
}

uint32_t
lset_blocked_on(const struct sched *s, uint32_t lset, uint32_t agent,
    uint32_t parcel)
{
	const struct lset *ls = s->lsets[lset];
	const struct agent *a = &s->agents[agent];
	const struct limit *l;
	uint32_t i;

	for (i = 0; ls->per_agent && i < ls->n; i++) {
		l = s->limits[ls->v[i].limit];
		if (l->kind != LIMIT_TARGET)
			continue;
		if (ration_left(l, a) == 0)
			return ls->v[i].limit;
		if (!lease_room_on(l, a, parcel))
			return ls->v[i].limit;
	}
	return NONE;
}

/* Room for one more of a target in the counts of the agent. */
static uint32_t *
target_count(struct sched *s, struct agent *a, uint32_t slot)
{
	uint32_t i;

	if (slot >= a->n_slots) {
		a->held_targets = mem_realloc(a->held_targets, s->n_slots,
		    sizeof(uint32_t));
		for (i = a->n_slots; i < s->n_slots; i++)
			a->held_targets[i] = 0;
		a->n_slots = s->n_slots;
	}
	return &a->held_targets[slot];
}

static void
use_count(struct sched *s, const struct use *u, uint32_t agent, int by)
{
	struct limit *l = s->limits[u->limit];

	switch (l->kind) {
	case LIMIT_LOCK:
		if (u->shared)
			l->used[1] += (uint32_t)by;
		else
			l->used[0] += (uint32_t)by * u->n;
		break;
	case LIMIT_PAIR:
		l->used[0] += (u->n & 1) != 0 ? (uint32_t)by : 0;
		l->used[1] += (u->n & 2) != 0 ? (uint32_t)by : 0;
		break;
	case LIMIT_TARGET:
		l->used[0] += (uint32_t)by;
		if (agent != NONE)
			*target_count(s, &s->agents[agent], l->slot) +=
			    (uint32_t)by;
		break;
	}
	if (by > 0)
		l->since_us = s->now_us;
	else
		limit_wake(s, u->limit);
}

void
limit_count(struct sched *s, const struct use *u, int by)
{
	use_count(s, u, NONE, by);
}

uint32_t
limit_left(const struct sched *s, uint32_t limit)
{
	const struct limit *l = s->limits[limit];
	uint32_t used = l->used[0] + l->ext[0], left = UINT32_MAX, n;

	if (l->capacity > 0)
		left = used < l->capacity ? l->capacity - used : 0;
	n = l->names.n == 0 || l->pools ? UINT32_MAX :
	    lease_count(l->holder, l->names.n);
	return n < left ? n : left;
}

uint32_t
limit_most_on(const struct sched *s, uint32_t limit, uint32_t agent)
{
	const struct limit *l = s->limits[limit];
	const struct pool *p = lease_pool(&s->agents[agent], l);
	uint32_t most = l->per_agent > 0 ? l->per_agent : UINT32_MAX;
	size_t names = p != NULL && p->names.n > 0 ? p->names.n : l->names.n;

	return names > 0 && names < most ? (uint32_t)names : most;
}

uint32_t
limit_left_on(const struct sched *s, uint32_t limit, uint32_t agent)
{
	const struct limit *l = s->limits[limit];
	const struct agent *a = &s->agents[agent];
	const struct pool *p = lease_pool(a, l);
	uint32_t left = ration_left(l, a), n;

	if (!lease_room_on(l, a, NONE))
		return 0;
	if (p == NULL || p->names.n == 0)
		return left;
	n = lease_count(p->holder, p->names.n);
	return n < left ? n : left;
}

void
lset_take(struct sched *s, uint32_t parcel, const char *instance)
{
	struct parcel *p = &s->parcels[parcel];
	const struct lset *ls = s->lsets[p->lset];
	uint32_t i;

	for (i = 0; i < ls->n; i++)
		use_count(s, &ls->v[i], p->agent, 1);
	lease_take(s, parcel, instance);
	p->holds = p->holds_targets = true;
	p->limited = ls->n > 0;
	if (p->agent != NONE)
		s->agents[p->agent].n_limited += p->limited;
}

void
lset_drop_targets(struct sched *s, uint32_t parcel)
{
	struct parcel *p = &s->parcels[parcel];
	const struct lset *ls = s->lsets[p->lset];
	uint32_t i;

	for (i = 0; p->holds_targets && i < ls->n; i++)
		if (s->limits[ls->v[i].limit]->kind == LIMIT_TARGET)
			use_count(s, &ls->v[i], p->agent, -1);
	p->holds_targets = false;
}

void
lset_retake_targets(struct sched *s, uint32_t parcel)
{
	struct parcel *p = &s->parcels[parcel];
	const struct lset *ls = s->lsets[p->lset];
	uint32_t i;

	for (i = 0; !p->holds_targets && i < ls->n; i++)
		if (s->limits[ls->v[i].limit]->kind == LIMIT_TARGET)
			use_count(s, &ls->v[i], p->agent, 1);
	p->holds_targets = true;
}

uint32_t
lset_live(struct sched *s, uint32_t lset)
{
	const struct lset *ls = s->lsets[lset];
	struct use *v = mem_calloc(ls->n, sizeof(*v));
	uint32_t i, n = 0;

	for (i = 0; i < ls->n; i++)
		if (limit_live(s->limits[ls->v[i].limit]))
			v[n++] = ls->v[i];
	lset = lset_intern(s, v, n);
	free(v);
	return lset;
}

void
lset_change(struct sched *s, uint32_t parcel)
{
	struct parcel *p = &s->parcels[parcel];
	uint32_t lset = lset_live(s, p->own);
	bool counts = p->holds_targets;

	if (lset == p->lset)
		return;
	lset_drop_targets(s, parcel);
	p->lset = lset;
	if (counts)
		lset_retake_targets(s, parcel);
}

void
lset_drop(struct sched *s, uint32_t parcel)
{
	struct parcel *p = &s->parcels[parcel];
	const struct lset *ls = s->lsets[p->lset];
	uint32_t i;

	if (!p->holds)
		return;
	for (i = 0; i < ls->n && !limit_shared(s->limits[ls->v[i].limit]);)
		i++;
	if (i < ls->n)
		decision_add(s, &(struct sched_decision){
			.kind = SCHED_FREED, .agent = p->agent, .other = NONE,
			.id = { p->run, p->exec, p->attempt } });
	lset_drop_targets(s, parcel);
	for (i = 0; i < ls->n; i++)
		if (s->limits[ls->v[i].limit]->kind != LIMIT_TARGET)
			use_count(s, &ls->v[i], NONE, -1);
	ls = s->lsets[p->own];	/* a name may be kept that limits nothing */
	for (i = 0; i < ls->n; i++)
		if (s->limits[ls->v[i].limit]->kind == LIMIT_TARGET)
			lease_drop(s, s->limits[ls->v[i].limit], parcel);
	p->holds = false;
	if (p->agent != NONE)
		s->agents[p->agent].n_limited -= p->limited;
}

static void
cap_lower(uint32_t *cap, uint32_t to)
{
	if (to > 0 && (*cap == 0 || to < *cap))
		*cap = to;
}

static void
run_caps_count(struct sched *s, const struct run *r, struct strvec *names)
{
	const struct run_cap *c;
	struct limit *l;
	uint32_t i;
	size_t j;

	for (i = 0; i < r->n_caps; i++) {
		c = &r->caps[i];
		l = s->limits[c->limit];
		cap_lower(&l->capacity, c->capacity);
		cap_lower(&l->per_agent, c->per_agent);
		for (j = 0; j < c->names.n; j++)
			if (strvec_find(&names[c->limit], c->names.v[j]) < 0)
				strvec_push(&names[c->limit], c->names.v[j]);
	}
}

void
limits_recount(struct sched *s)
{
	struct strvec *names = mem_calloc(s->n_limits, sizeof(*names));
	bool named = false;
	size_t i;

	for (i = 0; i < s->n_limits; i++)
		s->limits[i]->capacity = s->limits[i]->per_agent = 0;
	for (i = 0; i < s->n_runs; i++)
		if (s->runs[i] != NULL)
			run_caps_count(s, s->runs[i], names);
	for (i = 0; i < s->n_limits; i++) {
		if (s->limits[i]->kind == LIMIT_LOCK &&
		    s->limits[i]->capacity == 0)
			s->limits[i]->capacity = 1;
		named |= (names[i].n > 0) != (s->limits[i]->names.n > 0);
		lease_names(&s->limits[i]->names, &s->limits[i]->holder,
		    &s->limits[i]->kept, &names[i]);
		limit_wake(s, (uint32_t)i);
	}
	free(names);
	if (named)
		reqs_eval(s);
	for (i = 0; i < s->n_agents; i++)	/* max_per_agent may be more */
		agent_gained(s, (uint32_t)i);
}

void
limit_wake(struct sched *s, uint32_t limit)
{
	struct ids waiters = s->limits[limit]->waiters;
	size_t i;

	s->group_gen++;
	if (waiters.n == 0)
		return;
	s->limits[limit]->waiters = (struct ids){ NULL, 0, 0 };
	for (i = 0; i < waiters.n; i++)
		if (s->classes[waiters.v[i]] != NULL &&
		    s->classes[waiters.v[i]]->state == CLASS_LIMIT &&
		    s->classes[waiters.v[i]]->block == limit)
			class_set(s, waiters.v[i], CLASS_READY, NONE);
	ids_done(&waiters);
}
