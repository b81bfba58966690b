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

void
lease_take(struct sched *s, struct limit *l, uint32_t parcel,
    const char *want)
{
	uint32_t agent = s->parcels[parcel].agent;
	struct pool *p = NULL;

	if (agent != NONE)
		p = lease_pool(&s->agents[agent], l);
	if (p == NULL || !take(&p->names, p->holder, parcel, want))
		take(&l->names, l->holder, parcel, want);
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
lease_drop(struct sched *s, struct limit *l, uint32_t parcel)
{
	uint32_t agent = s->parcels[parcel].agent;
	struct pool *p;

	drop(l->holder, l->names.n, parcel);
	limit_wake(s, l->index);
	if (agent == NONE)
		return;
	p = lease_pool(&s->agents[agent], l);
	if (p != NULL)
		drop(p->holder, p->names.n, parcel);
}

/* Replaces the names of a pool; who holds a name that stays keeps it. Owns
 * what is in names from now on. */
void
lease_names(struct strvec *to, uint32_t **holder, struct strvec *names)
{
	uint32_t *h = mem_calloc(names->n, sizeof(*h));
	size_t i;
	long old;

	for (i = 0; i < names->n; i++) {
		old = strvec_find(to, names->v[i]);
		h[i] = old >= 0 ? (*holder)[old] : NONE;
	}
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
		pool = p->agent != NONE ?
		    lease_pool(&s->agents[p->agent], l) : NULL;
		if (name == NULL && pool != NULL)
			name = name_of(&pool->names, pool->holder, parcel);
	}
	return name;
}
