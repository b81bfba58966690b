/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Instances of targets, leased one to each execution: from the agent's own
 * pool where it has one, else from the fleet's.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "sched/sched_private.h"
#include "yardmaster/base/mem.h"

uint32_t
lease_count(const uint32_t *holder, size_t n)
{
	uint32_t left = 0;
	size_t i;

	for (i = 0; i < n; i++)
		left += holder[i] == NONE;
	return left;
}

bool
lease_free(const uint32_t *holder, size_t n, uint32_t parcel)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (holder[i] == NONE || holder[i] == parcel)
			return true;
	return false;
}

struct pool *
lease_pool(const struct agent *a, const struct limit *l)
{
	uint32_t i;

	for (i = 0; i < a->n_pools; i++)
		if (a->pools[i].limit == l->base)
			return &a->pools[i];
	return NULL;
}

/* Where it has none at all, only a move by hand brings it: then it goes
 * without. */
bool
lease_room_on(const struct limit *l, const struct agent *a, uint32_t parcel)
{
	const struct pool *p = lease_pool(a, l);

	if (p != NULL && p->names.n > 0)
		return lease_free(p->holder, p->names.n, parcel);
	return l->names.n == 0 || lease_free(l->holder, l->names.n, parcel);
}

bool
lease_possible_on(const struct limit *l, const struct agent *a)
{
	const struct pool *p = lease_pool(a, l);

	return !l->pools || l->names.n > 0 || (p != NULL && p->names.n > 0);
}

/* Takes the wanted one, or the first free one. True when there was one. */
static bool
take(const struct strvec *names, uint32_t *holder, uint32_t parcel,
    const char *want)
{
	size_t i;

	for (i = 0; i < names->n; i++)
		if (holder[i] == NONE &&
		    (want == NULL || strcmp(want, names->v[i]) == 0)) {
			holder[i] = parcel;
			return true;
		}
	return false;
}

static bool
take_some(struct sched *s, struct limit *l, uint32_t parcel, const char *want)
{
	uint32_t agent = s->parcels[parcel].agent;
	struct pool *p = agent != NONE ? lease_pool(&s->agents[agent], l) :
	    NULL;

	return (p != NULL && take(&p->names, p->holder, parcel, want)) ||
	    take(&l->names, l->holder, parcel, want);
}

static void
keep_named(struct kept *k, uint32_t parcel, const char *name)
{
	k->holder = mem_realloc(k->holder, k->names.n + 1,
	    sizeof(*k->holder));
	k->holder[k->names.n] = parcel;
	strvec_push(&k->names, name);
}

/* The target of a parcel that has an instance of that name free takes it.
 * When none has, it is kept for all of them, should one be given that name
 * later, and NONE is returned. */
static uint32_t
take_named(struct sched *s, uint32_t parcel, const char *want)
{
	const struct lset *ls = s->lsets[s->parcels[parcel].own];
	uint32_t i;

	for (i = 0; i < ls->n; i++)
		if (s->limits[ls->v[i].limit]->kind == LIMIT_TARGET &&
		    take_some(s, s->limits[ls->v[i].limit], parcel, want))
			return ls->v[i].limit;
	for (i = 0; i < ls->n; i++)
		if (s->limits[ls->v[i].limit]->kind == LIMIT_TARGET)
			keep_named(&s->limits[ls->v[i].limit]->kept, parcel,
			    want);
	return NONE;
}

void
lease_take(struct sched *s, uint32_t parcel, const char *want)
{
	const struct lset *ls = s->lsets[s->parcels[parcel].lset];
	uint32_t i, named = NONE;

	if (want != NULL && want[0] == '\0')
		return;
	if (want != NULL)
		named = take_named(s, parcel, want);
	for (i = 0; i < ls->n; i++)
		if (ls->v[i].limit != named &&
		    s->limits[ls->v[i].limit]->kind == LIMIT_TARGET)
			(void)take_some(s, s->limits[ls->v[i].limit], parcel,
			    NULL);
}

static void
drop(uint32_t *holder, size_t n, uint32_t parcel)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (holder[i] == parcel)
			holder[i] = NONE;
}

void
kept_done(struct kept *k)
{
	strvec_done(&k->names);
	free(k->holder);
	*k = (struct kept){ STRVEC_INIT, NULL };
}

static void
kept_drop(struct kept *k, uint32_t parcel)
{
	drop(k->holder, k->names.n, parcel);
	if (lease_count(k->holder, k->names.n) == k->names.n)
		kept_done(k);
}

void
lease_drop(struct sched *s, struct limit *l, uint32_t parcel)
{
	uint32_t agent = s->parcels[parcel].agent;
	struct pool *p;

	drop(l->holder, l->names.n, parcel);
	kept_drop(&l->kept, parcel);
	limit_wake(s, l->index);
	if (agent == NONE)
		return;
	p = lease_pool(&s->agents[agent], l);
	if (p == NULL)
		return;
	drop(p->holder, p->names.n, parcel);
	kept_drop(&p->kept, parcel);
}

static uint32_t
holder_of(const struct strvec *names, const uint32_t *holder,
    const char *name)
{
	long i = strvec_find(names, name);

	return i >= 0 ? holder[i] : NONE;
}

/* What is still held of some names, and not in those that follow them. */
static void
keep(struct kept *k, const struct strvec *from, const uint32_t *holder,
    const struct strvec *names)
{
	size_t i;

	for (i = 0; i < from->n; i++) {
		if (holder[i] == NONE || holder[i] == ELSEWHERE ||
		    strvec_find(names, from->v[i]) >= 0)
			continue;
		k->holder = mem_realloc(k->holder, k->names.n + 1,
		    sizeof(*k->holder));
		k->holder[k->names.n] = holder[i];
		strvec_push(&k->names, from->v[i]);
	}
}

/* Replaces the names of a pool. Who holds a name keeps it, also while it is
 * not named: it is not given out again. Owns what is in names from now on. */
void
lease_names(struct strvec *to, uint32_t **holder, struct kept *kept,
    struct strvec *names)
{
	uint32_t *h = mem_calloc(names->n, sizeof(*h));
	struct kept k = { STRVEC_INIT, NULL };
	size_t i;

	for (i = 0; i < names->n; i++) {
		h[i] = holder_of(to, *holder, names->v[i]);
		if (h[i] == NONE)
			h[i] = holder_of(&kept->names, kept->holder,
			    names->v[i]);
	}
	keep(&k, to, *holder, names);
	keep(&k, &kept->names, kept->holder, names);
	kept_done(kept);
	*kept = k;
	strvec_done(to);
	free(*holder);
	*to = *names;
	*holder = h;
	strvec_init(names);
}

static const char *
name_of(const struct strvec *names, const uint32_t *holder, uint32_t parcel)
{
	size_t i;

	for (i = 0; i < names->n; i++)
		if (holder[i] == parcel)
			return names->v[i];
	return NULL;
}

static const char *
name_in(const struct pool *p, uint32_t parcel)
{
	const char *name = name_of(&p->names, p->holder, parcel);

	return name != NULL ? name : name_of(&p->kept.names, p->kept.holder,
	    parcel);
}

const char *
lease_find(const struct sched *s, uint32_t parcel, const char *target)
{
	const struct parcel *p = &s->parcels[parcel];
	const struct lset *ls = s->lsets[p->lset];
	const struct pool *pool;
	const struct limit *l;
	const char *name = NULL;
	uint32_t i;

	for (i = 0; p->holds && i < ls->n && name == NULL; i++) {
		l = s->limits[ls->v[i].limit];
		if (l->kind != LIMIT_TARGET ||
		    (target != NULL && strcmp(target, l->name) != 0))
			continue;
		name = name_of(&l->names, l->holder, parcel);
		if (name == NULL)
			name = name_of(&l->kept.names, l->kept.holder,
			    parcel);
		pool = p->agent != NONE ?
		    lease_pool(&s->agents[p->agent], l) : NULL;
		if (name == NULL && pool != NULL)
			name = name_in(pool, parcel);
	}
	return name;
}
