/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which steps are on which agent, over all runs and attempts: an open table
 * of (step, agent) with counts, linear probing, shifted back on removal.
 */
#include "config.h"

#include <stdlib.h>

#include "sched/sched_private.h"
#include "yardmaster/base/mem.h"

static size_t
slot_of(const struct sched *s, uint64_t key, uint32_t agent)
{
	uint64_t h = key ^ (uint64_t)agent * UINT64_C(0x9e3779b97f4a7c15);

	h ^= h >> 32;
	h *= UINT64_C(0xd6e8feb86659fd93);
	h ^= h >> 32;
	return (size_t)h & (s->cap_beside - 1);
}

static size_t
find(const struct sched *s, uint64_t key, uint32_t agent)
{
	size_t i;

	for (i = slot_of(s, key, agent); s->beside[i].n > 0;
	    i = (i + 1) & (s->cap_beside - 1))
		if (s->beside[i].key == key && s->beside[i].agent == agent)
			break;
	return i;
}

static void
grow(struct sched *s)
{
	struct beside *old = s->beside;
	size_t i, n = s->cap_beside;

	s->cap_beside = n > 0 ? n * 2 : 256;
	s->beside = mem_calloc(s->cap_beside, sizeof(*s->beside));
	for (i = 0; i < n; i++)
		if (old[i].n > 0)
			s->beside[find(s, old[i].key, old[i].agent)] = old[i];
	free(old);
}

/* Closes the gap at i, so that no search ends too early. */
static void
shift_back(struct sched *s, size_t i)
{
	size_t mask = s->cap_beside - 1, j, home;

	s->beside[i].n = 0;
	for (j = (i + 1) & mask; s->beside[j].n > 0; j = (j + 1) & mask) {
		home = slot_of(s, s->beside[j].key, s->beside[j].agent);
		if (((j - home) & mask) < ((j - i) & mask))
			continue;
		s->beside[i] = s->beside[j];
		s->beside[j].n = 0;
		i = j;
	}
	s->n_beside--;
}

bool
beside_on(const struct sched *s, const struct run *r, const struct exec *x,
    uint32_t agent)
{
	uint32_t i;

	if (s->n_beside == 0 || r->terms[x->terms].beside)
		return false;
	for (i = 0; i < x->n_keys; i++)
		if (s->beside[find(s, r->keys[x->first_key + i], agent)].n > 0)
			return true;
	return false;
}

static bool
shares_step(const struct run *r, const struct exec *x, const struct run *q,
    const struct exec *y)
{
	uint32_t i, k;

	for (i = 0; i < x->n_keys; i++)
		for (k = 0; k < y->n_keys; k++)
			if (r->keys[x->first_key + i] ==
			    q->keys[y->first_key + k])
				return true;
	return false;
}

uint32_t
beside_holder(const struct sched *s, const struct run *r,
    const struct exec *x, uint32_t agent)
{
	const struct sched_member *m;
	const struct run *q;
	uint32_t i, k, n;

	for (i = s->agents[agent].first; i != NONE; i = s->parcels[i].next) {
		q = s->runs[s->parcels[i].run];
		m = parcel_members(&s->parcels[i], &n);
		for (k = 0; k < n; k++)
			if (shares_step(r, x, q, exec_get(q, m[k].exec)))
				return i;
	}
	return NONE;
}

void
beside_change(struct sched *s, const struct run *r, const struct exec *x,
    uint32_t agent, int by)
{
	uint64_t key;
	uint32_t i;
	size_t at;

	if (agent == NONE)
		return;
	for (i = 0; i < x->n_keys; i++) {
		if (by > 0 && (s->n_beside + 1) * 2 > s->cap_beside)
			grow(s);
		key = r->keys[x->first_key + i];
		at = find(s, key, agent);
		if (s->beside[at].n == 0) {
			s->beside[at] = (struct beside){ key, agent, 0 };
			s->n_beside++;
		}
		s->beside[at].n += (uint32_t)by;
		if (s->beside[at].n == 0)
			shift_back(s, at);
	}
}
