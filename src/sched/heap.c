/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A four-way heap of keys, lists of ids, and the timers made of them. */
#include "config.h"

#include <stdlib.h>

#include "sched/sched_private.h"
#include "yardmaster/base/mem.h"

#define WAYS 4

bool
heap_less(const struct heap_key *a, const struct heap_key *b)
{
	if (a->a != b->a)
		return a->a < b->a;
	if (a->b != b->b)
		return a->b < b->b;
	return a->id < b->id;
}

void
heap_push(struct heap *h, struct heap_key k)
{
	size_t i, up;

	if (h->n == h->cap)
		h->v = mem_grow(h->v, &h->cap, h->n + 1, sizeof(*h->v));
	for (i = h->n++; i > 0; i = up) {
		up = (i - 1) / WAYS;
		if (!heap_less(&k, &h->v[up]))
			break;
		h->v[i] = h->v[up];
	}
	h->v[i] = k;
}

static size_t
heap_least_child(const struct heap *h, size_t i)
{
	size_t c, end, best;

	best = i * WAYS + 1;
	end = best + WAYS < h->n ? best + WAYS : h->n;
	for (c = best + 1; c < end; c++)
		if (heap_less(&h->v[c], &h->v[best]))
			best = c;
	return best;
}

void
heap_pop(struct heap *h)
{
	struct heap_key k;
	size_t i, c;

	if (h->n == 0 || --h->n == 0)
		return;
	k = h->v[h->n];
	for (i = 0; i * WAYS + 1 < h->n; i = c) {
		c = heap_least_child(h, i);
		if (!heap_less(&h->v[c], &k))
			break;
		h->v[i] = h->v[c];
	}
	h->v[i] = k;
}

void
heap_done(struct heap *h)
{
	free(h->v);
	*h = (struct heap){ NULL, 0, 0 };
}

void
ids_push(struct ids *l, uint32_t id)
{
	if (l->n == l->cap)
		l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = id;
}

void
ids_done(struct ids *l)
{
	free(l->v);
	*l = (struct ids){ NULL, 0, 0 };
}

void
timer_add(struct sched *s, int64_t at_us, struct timer_arg arg)
{
	uint32_t i;

	if (s->free_timers.n > 0) {
		i = s->free_timers.v[--s->free_timers.n];
	} else {
		i = (uint32_t)s->n_timer_args++;
		s->timer_args = mem_grow(s->timer_args, &s->cap_timer_args,
		    s->n_timer_args, sizeof(*s->timer_args));
	}
	s->timer_args[i] = arg;
	heap_push(&s->timers, (struct heap_key){
		.a = at_us > 0 ? (uint64_t)at_us : 0,
		.b = (uint32_t)arg.kind, .id = i });
}
