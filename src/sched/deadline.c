/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Deadlines: a run that has one uses the fewest workers that still meet it
 * by prediction, with a margin. What is left is laid out on so many workers
 * as it would run; where its tests took longer than predicted so far, the
 * rest is taken to do so, too, and those without a prediction to take what
 * others without one took. Too little known, or no time left, and it uses all.
 * The answer holds until the next look, or until the fleet changes.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "sched/outlook.h"
#include "yardmaster/base/mem.h"

#define LOOKS 100		/* of the time that is left, between two looks */
#define LOOK_US (5 * US_PER_S)	/* but not longer than this */
#define LEAST_LOOK_US (10 * US_PER_MS)
#define MARGIN 1.1		/* a tenth more than predicted */
#define MOST_ITEMS 20000	/* that are laid out one by one */
#define BELIEF 2		/* so many tests are as predicted, before any
				 * has ended */
#define SLOW_MAX 8.0
#define SAMPLE 3		/* so many unknown ones tell of the others, */
#define FEW 20			/* unless only one in so many is unknown */

/* What is left, in the order in which it starts. */
struct layout {
	struct outlook o;
	double *item_us;
	size_t n, cap;
	double sum_us, longest_us;
	double limited_us, starts_us;
	double slow;		/* times what is predicted */
	double unknown_us;	/* of one that is not */
};

/* How much longer tests take than predicted, with those that are late now;
 * never less than 1. */
static double
slowness(const struct outlook *o)
{
	double belief = (double)(BELIEF * run_typical_us(o->s, o->r));
	double by = (o->r->seen_us + o->late_us + belief) /
	    (o->r->foreseen_us + o->due_us + belief);

	return by < 1 ? 1 : by > SLOW_MAX ? SLOW_MAX : by;
}

/* A length that those without a prediction have on average, in all
 * likelihood. */
static double
unknown_length(const struct sched *s, const struct run *r)
{
	double n = r->n_unknown;

	return n < SAMPLE ? 2 * (double)run_typical_us(s, r) :
	    r->unknown_us / n * (1 + 1 / sqrt(n));
}

static bool
is_waiting(const struct sched *s, const struct exec *x)
{
	return x->state == EXEC_WAITING || (x->state == EXEC_ASSIGNED &&
	    x->parcel != NONE && s->parcels[x->parcel].state != P_RUNNING);
}

static void
item_add(struct layout *l, const struct run *r, const struct exec *x)
{
	const struct terms *t = &r->terms[x->terms];
	double us = x->estimate_us > 0 ? (double)x->estimate_us * l->slow :
	    l->unknown_us;
	uint32_t i;

	if (t->batch == 0)
		us += (double)r->start_cost_us;
	if (us > l->longest_us)
		l->longest_us = us;
	l->sum_us += us * t->workers;
	for (i = 0; i < t->workers && r->n_open <= MOST_ITEMS; i++) {
		l->item_us = mem_grow(l->item_us, &l->cap, l->n + 1,
		    sizeof(*l->item_us));
		l->item_us[l->n++] = us;
	}
}

/* Workers in the order in which they would be the run's: those it has, the
 * last to be free first, then as placement goes. */
static int
by_turn(const void *pa, const void *pb)
{
	const struct slot *a = pa, *b = pb;

	if (a->own != b->own)
		return a->own ? -1 : 1;
	if (a->own && a->free_us != b->free_us)
		return a->free_us > b->free_us ? -1 : 1;
	if (a->free_us != b->free_us)
		return a->free_us < b->free_us ? -1 : 1;
	if (a->idle != b->idle)
		return a->idle ? -1 : 1;
	return a->speed > b->speed ? -1 : a->speed < b->speed;
}

static void
layout_make(struct layout *l, const struct sched *s, const struct run *r)
{
	const struct exec *x;
	uint32_t i;

	*l = (struct layout){ .o = { .s = s, .r = r, .now_us = s->now_us } };
	outlook_slots(&l->o);
	if (l->o.n > 0)
		qsort(l->o.v, l->o.n, sizeof(*l->o.v), by_turn);
	l->slow = slowness(&l->o);
	l->limited_us = outlook_limited(&l->o) * l->slow;
	l->starts_us = outlook_starts(r);
	l->unknown_us = unknown_length(s, r);
	for (i = 0; i < r->n; i++) {
		x = &r->x[i];
		if (is_waiting(s, x))
			item_add(l, r, x);
	}
}

/* ---- the end with n workers ------------------------------------------------ */

static int
by_end(const void *pa, const void *pb)
{
	const double *a = pa, *b = pb;

	return *a < *b ? -1 : *a > *b;
}

/* Moves the first of a heap of ends (the earliest on top) down to its place. */
static void
sift(double (*h)[2], size_t n)
{
	double was[2] = { h[0][0], h[0][1] };
	size_t i = 0, k;

	while ((k = 2 * i + 1) < n) {
		if (k + 1 < n && h[k + 1][0] < h[k][0])
			k++;
		if (h[k][0] >= was[0])
			break;
		h[i][0] = h[k][0];
		h[i][1] = h[k][1];
		i = k;
	}
	h[i][0] = was[0];
	h[i][1] = was[1];
}

/* One by one, each to the worker that is free first. */
static double
end_listed(const struct layout *l, uint32_t n)
{
	double (*h)[2] = mem_calloc(n, sizeof(*h)), end = l->o.last_us, us;
	size_t i;

	/* Sorted, it is a heap. */
	for (i = 0; i < n; i++) {
		h[i][0] = l->o.v[i].free_us + l->starts_us;
		h[i][1] = l->o.v[i].speed;
	}
	qsort(h, n, sizeof(*h), by_end);
	for (i = 0; i < l->n; i++) {
		us = h[0][0] += l->item_us[i] / h[0][1];
		end = us > end ? us : end;
		sift(h, n);
	}
	free(h);
	return end;
}

/* As if it could be cut anywhere, and the longest came last but one. */
static double
end_poured(const struct layout *l, uint32_t n)
{
	double work = l->sum_us, power = 0, end;
	uint32_t i;

	for (i = 0; i < n; i++) {
		work += l->o.v[i].speed * (l->o.v[i].free_us + l->starts_us);
		power += l->o.v[i].speed;
	}
	end = work / power;
	if (end < l->longest_us)
		end = l->longest_us;
	return end > l->o.last_us ? end : l->o.last_us;
}

static double
end_with(const struct layout *l, uint32_t n)
{
	double end = l->n > 0 ? end_listed(l, n) : end_poured(l, n);

	return end > l->limited_us ? end : l->limited_us;
}

/* The fewest that end in time, or 0. */
static uint32_t
fewest(const struct layout *l, double time_us)
{
	uint32_t lo = 1, hi = (uint32_t)l->o.n, mid;

	if (hi == 0 || end_with(l, hi) * MARGIN > time_us)
		return 0;
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (end_with(l, mid) * MARGIN <= time_us)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

static bool
too_little_known(const struct run *r)
{
	uint32_t i, n = 0, of = 0;

	for (i = 0; r->n_unknown < SAMPLE && i < r->n; i++) {
		if (r->x[i].state != EXEC_WAITING)
			continue;
		n += r->x[i].estimate_us <= 0;
		of++;
	}
	return n * FEW > of;
}

static uint32_t
enough(const struct sched *s, const struct run *r)
{
	double time_us = (double)(r->deadline_us - s->now_us);
	struct layout l;
	uint32_t n;

	if (too_little_known(r) || time_us <= 0)
		return 0;
	layout_make(&l, s, r);
	n = fewest(&l, time_us);
	free(l.o.v);
	free(l.item_us);
	return n;
}

/* ---- when to look ----------------------------------------------------------- */

static int64_t
look_after(const struct sched *s, const struct run *r)
{
	int64_t us = (r->deadline_us - s->now_us) / LOOKS;

	return us < LEAST_LOOK_US ? LEAST_LOOK_US :
	    us > LOOK_US ? LOOK_US : us;
}

void
deadline_look(struct sched *s, struct run *r)
{
	uint32_t was = r->enough;

	if (r->deadline_us == 0 || r->n_open == 0 ||
	    (s->now_us < r->look_us && r->look_gen == s->fleet_gen))
		return;
	r->look_us = s->now_us + look_after(s, r);
	r->look_gen = s->fleet_gen;
	r->enough = enough(s, r);
	if (r->enough == 0 || (was != 0 && r->enough > was))
		run_wake(s, r);
}

void
deadline_timer(struct sched *s, uint32_t handle)
{
	struct run *r = run_get(s, handle);

	if (r == NULL || r->deadline_us == 0 || r->n_open == 0 ||
	    s->now_us >= r->deadline_us)
		return;
	timer_add(s, s->now_us + look_after(s, r), (struct timer_arg){
		TIMER_DEADLINE, handle, 0 });
}

void
deadline_learn(struct run *r, int64_t foreseen_us, double seen_us)
{
	if (foreseen_us > 0) {
		r->foreseen_us += (double)foreseen_us;
		r->seen_us += seen_us;
	} else {
		r->unknown_us += seen_us;
		r->n_unknown++;
	}
}

bool
deadline_gates(const struct run *r)
{
	return r->enough > 0 && r->inflight_workers >= r->enough;
}
