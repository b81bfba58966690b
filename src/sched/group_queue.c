/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Groups that wait. Those that ask for the same form a kind, and only the
 * best of a kind is tried: when it finds no room, none of them does. What
 * finds none because its steps run already is put aside until something
 * changes, and what has something reserved is always tried itself.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "sched/sched_private.h"
#include "yardmaster/base/mem.h"

/* What all parts ask for and avoid; one that is pinned by hand, or let past
 * what is reserved, is of its own kind. */
static uint32_t *
key_of(const struct sched *s, const struct group *g, size_t *ret_size)
{
	uint32_t *key = mem_calloc((size_t)g->n * 2 + 3, sizeof(*key));
	const struct exec *x;
	uint32_t i;

	key[0] = g->run;
	key[1] = g->lset;
	key[2] = NONE;
	for (i = 0; i < g->n; i++) {
		x = group_part(s, g, i);
		key[3 + i] = x->terms;
		key[3 + g->n + i] = x->avoid;
		if ((x->flags & (X_PINNED | X_OVER)) != 0)
			key[2] = g->index;
	}
	*ret_size = ((size_t)g->n * 2 + 3) * sizeof(*key);
	return key;
}

static struct group_kind *
kind_of(struct sched *s, const struct group *g)
{
	struct group_kind *k;
	size_t size;
	uint32_t *key = key_of(s, g, &size);

	HASH_FIND(hh, s->kind_hash, key, size, k);
	if (k != NULL) {
		free(key);
		return k;
	}
	k = mem_zalloc(sizeof(*k));
	k->key = key;
	k->index = (uint32_t)s->n_kinds;
	HASH_ADD_KEYPTR(hh, s->kind_hash, k->key, size, k);
	s->kinds = mem_grow(s->kinds, &s->cap_kinds, s->n_kinds + 1,
	    sizeof(struct group_kind *));
	s->kinds[s->n_kinds++] = k;
	return k;
}

static void
push(const struct sched *s, struct group_kind *k, uint32_t group)
{
	struct heap_key key = group_key(s, group);

	key.id = group;
	heap_push(&k->waiting, key);
}

void
group_enqueue(struct sched *s, struct group *g)
{
	struct group_kind *k = kind_of(s, g);

	g->kind = k->index;
	k->tried = 0;
	push(s, k, g->index);
}

static void
kind_free(struct sched *s, struct group_kind *k)
{
	HASH_DEL(s->kind_hash, k);
	heap_done(&k->waiting);
	ids_done(&k->aside);
	free(k->key);
	free(k);
}

void
kinds_free(struct sched *s, uint32_t run)
{
	uint32_t *now = mem_calloc(s->n_kinds, sizeof(*now));
	struct group_kind *k;
	size_t i, n = 0;

	for (i = 0; i < s->n_kinds; i++) {
		k = s->kinds[i];
		if (k->key[0] == run) {
			kind_free(s, k);
			continue;
		}
		now[i] = k->index = (uint32_t)n;
		s->kinds[n++] = k;
	}
	s->n_kinds = n;
	for (i = 0; i < s->n_groups; i++)
		if (s->groups[i] != NULL && s->groups[i]->kind != NONE)
			s->groups[i]->kind = now[s->groups[i]->kind];
	free(now);
}

uint32_t
group_missing(const struct sched *s, const struct group *g)
{
	const struct group_kind *k = g->kind != NONE ? s->kinds[g->kind] :
	    NULL;

	return k == NULL || g->tried >= k->tried ? g->missing : k->missing;
}

void
group_failed(struct sched *s, const struct group *g, bool alone)
{
	struct group_kind *k = s->kinds[g->kind];

	if (alone)
		return;
	k->tried = g->tried;
	k->missing = g->missing;
}

/* The best of a kind that is still to be tried, or NONE. */
static uint32_t
kind_best(struct sched *s, struct group_kind *k)
{
	const struct group *g;
	struct heap_key top, now;

	if (k->tried == s->group_gen)
		return NONE;
	for (; k->aside.n > 0 && k->aside_gen != s->group_gen; k->aside.n--)
		if (s->groups[k->aside.v[k->aside.n - 1]] != NULL)
			push(s, k, k->aside.v[k->aside.n - 1]);
	k->aside_gen = s->group_gen;
	while (k->waiting.n > 0) {
		top = k->waiting.v[0];
		g = s->groups[top.id];
		if (g == NULL || !group_complete(g) || g->kind != k->index) {
			heap_pop(&k->waiting);
			continue;
		}
		now = group_key(s, top.id);
		if (g->tried != s->group_gen && now.a == top.a &&
		    now.b == top.b)
			return top.id;
		heap_pop(&k->waiting);
		if (g->tried == s->group_gen)
			ids_push(&k->aside, top.id);
		else
			push(s, k, top.id);
	}
	return NONE;
}

static void
better(const struct sched *s, uint32_t group, uint32_t *best)
{
	struct heap_key a, b;

	if (group == NONE)
		return;
	if (*best != NONE) {
		a = group_key(s, group);
		b = group_key(s, *best);
		if (!heap_less(&a, &b))
			return;
	}
	*best = group;
}

uint32_t
group_best(struct sched *s)
{
	const struct group *g;
	uint32_t best = NONE;
	size_t i;

	for (i = 0; i < s->keepers.n; i++) {
		g = s->groups[s->keepers.v[i]];
		if (g != NULL && group_complete(g) && group_keeps(g) &&
		    g->tried != s->group_gen)
			better(s, g->index, &best);
	}
	for (i = 0; i < s->n_kinds; i++)
		better(s, kind_best(s, s->kinds[i]), &best);
	return best;
}
