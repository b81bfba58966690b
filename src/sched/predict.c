/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When a run ends, by prediction: its workers are filled with what is left,
 * from when each of them is free, to a common level; what a lock lets through
 * one by one, and what runs already, may take longer than that.
 */
#include "config.h"

#include <stdlib.h>

#include "sched/outlook.h"
#include "yardmaster/base/mem.h"

#define BATCHES 2		/* that a worker still starts */
#define OVERDUE 10		/* what is late takes that part longer still */

static void
slot_add(struct outlook *o, const struct slot *slot)
{
	o->v = mem_grow(o->v, &o->cap, o->n + 1, sizeof(*o->v));
	o->v[o->n++] = *slot;
}

static double
running_left(const struct outlook *o, const struct parcel *p, double speed)
{
	const struct run *r = o->s->runs[p->run];
	double gone = (double)(o->now_us - p->started_us);
	double left = (double)p->estimate_us / speed - gone;

	if (p->members != NULL)
		left += (double)r->start_cost_us;
	return left > gone / OVERDUE ? left : gone / OVERDUE;
}

static void
own_runs(struct outlook *o, const struct parcel *p, double speed,
    double left_us)
{
	double done = (double)(o->now_us - p->started_us) * speed;

	if (left_us > o->last_us)
		o->last_us = left_us;
	if (done <= (double)p->estimate_us)
		return;
	o->late_us += done;
	o->due_us += (double)p->estimate_us;
}

/* Workers of an agent: those of what runs there, and those that are free. */
static void
agent_slots(struct outlook *o, const struct agent *a)
{
	double speed = a->speed / 1000.0, left;
	int64_t n = (int64_t)a->threshold - a->other_busy;
	const struct parcel *p;
	uint32_t i, k;
	bool own;

	for (i = a->first; i != NONE; i = p->next) {
		p = &o->s->parcels[i];
		if (p->stale || p->state == P_LOST)
			continue;
		if (p->state != P_RUNNING) {
			o->queue_us += p->run == o->r->handle ?
			    (double)p->estimate_us * p->workers : 0;
			continue;
		}
		left = running_left(o, p, speed);
		own = p->run == o->r->handle;
		if (own)
			own_runs(o, p, speed, left);
		for (k = 0; k < p->workers; k++, n--)
			slot_add(o, &(struct slot){ left, speed, own,
				false });
	}
	for (k = 0; n > 0; n--, k++)
		slot_add(o, &(struct slot){ 0, speed, false, k == 0 &&
		    a->busy == 0 });
}

void
outlook_slots(struct outlook *o)
{
	const struct sched *s = o->s;
	uint64_t w, any;
	uint32_t i, at;
	size_t k;

	for (i = 0; i < s->n_words; i++) {
		for (any = 0, k = 0; k < o->r->n_terms; k++)
			any |= s->reqs[o->r->terms[k].req]->elig[i];
		for (w = any & s->usable[i]; w != 0; w &= w - 1) {
			at = i * 64 + (uint32_t)__builtin_ctzll(w);
			agent_slots(o, &s->agents[at]);
		}
	}
}

static double
class_us(const struct outlook *o, const struct class *c)
{
	return ((double)c->work_us + (double)c->n_unknown *
	    (double)run_typical_us(o->s, o->r)) * c->key.workers;
}

/* What waits; those not ripe yet are in no class: by their number. */
static void
add_queue(struct outlook *o)
{
	const struct sched *s = o->s;
	uint32_t n = o->r->counts.n[EXEC_WAITING];
	const struct class *c;
	size_t i;

	for (i = 0; i < o->r->classes.n; i++) {
		c = s->classes[o->r->classes.v[i]];
		o->queue_us += class_us(o, c);
		n -= c->n;
	}
	o->queue_us += (double)n * (double)run_typical_us(s, o->r);
}

static int
by_free(const void *pa, const void *pb)
{
	const struct slot *a = pa, *b = pb;

	return a->free_us < b->free_us ? -1 : a->free_us > b->free_us;
}

/* The level to which the work fills the workers. */
static double
level(struct outlook *o)
{
	double work = o->queue_us, power = 0, sum = 0, at = 0;
	size_t i;

	qsort(o->v, o->n, sizeof(*o->v), by_free);
	if (o->r->max_parallel > 0 && o->n > o->r->max_parallel)
		o->n = o->r->max_parallel;
	if (o->r->enough > 0 && o->n > o->r->enough)
		o->n = o->r->enough;
	for (i = 0; i < o->n; i++) {
		if (i > 0 && o->v[i].free_us >= at)
			break;
		power += o->v[i].speed;
		sum += o->v[i].speed * o->v[i].free_us;
		at = (work + sum) / power;
	}
	return at;
}

/* The longest that a limit lets through, each class on its own terms. */
double
outlook_limited(const struct outlook *o)
{
	const struct sched *s = o->s;
	double *sum = mem_calloc(s->n_limits, sizeof(*sum)), most = 0;
	const struct class *c;
	const struct lset *ls;
	const struct limit *l;
	uint32_t k, cap;
	size_t i;

	for (i = 0; i < o->r->classes.n; i++) {
		c = s->classes[o->r->classes.v[i]];
		ls = s->lsets[c->key.lset];
		for (k = 0; k < ls->n; k++) {
			l = s->limits[ls->v[k].limit];
			cap = l->kind == LIMIT_PAIR ? (l->self ? 1 : 0) :
			    l->capacity;
			if (cap == 0 || ls->v[k].shared)
				continue;
			sum[l->index] += class_us(o, c) * (l->kind ==
			    LIMIT_LOCK ? ls->v[k].n : 1) / cap;
			if (sum[l->index] > most)
				most = sum[l->index];
		}
	}
	free(sum);
	return most;
}

double
outlook_starts(const struct run *r)
{
	bool batch = false;
	uint32_t i;

	for (i = 0; i < r->n_terms; i++)
		batch |= r->terms[i].batch != 0;
	return batch ? (double)r->start_cost_us * BATCHES : 0;
}

int64_t
sched_predicted_end(const struct sched *s, uint32_t run, int64_t now_us)
{
	const struct run *r = run_get(s, run);
	struct outlook o = { .s = s, .r = r, .now_us = now_us };
	double us = 0, limited;

	if (r == NULL || r->ended || r->n_open == 0)
		return 0;
	outlook_slots(&o);
	add_queue(&o);
	if (o.queue_us > 0)
		o.queue_us += outlook_starts(r) * (double)o.n;
	if (o.n > 0) {
		us = level(&o);
		limited = outlook_limited(&o);
		us = us > limited ? us : limited;
		us = us > o.last_us ? us : o.last_us;
	}
	free(o.v);
	return us > 0 || o.n > 0 ? now_us + (int64_t)us : 0;
}
