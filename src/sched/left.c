/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is left of a run, by prediction, and what its agents can do: the
 * grounds of batches, of who gets the long ones, and of the predicted end.
 * Work is in microseconds of an agent of speed 1000.
 */
#include "config.h"

#include <stdlib.h>

#include "sched/sched_private.h"
#include "yardmaster/base/mem.h"

int64_t
run_typical_us(const struct sched *s, const struct run *r)
{
	if (r->n_known > 0)
		return r->known_us / r->n_known;
	if (r->n_done > 0)
		return r->done_us / r->n_done;
	return s->typical_us > 0 ? s->typical_us : TYPICAL_US;
}

int64_t
length_us(const struct sched *s, const struct run *r, const struct exec *x)
{
	return x->estimate_us > 0 ? x->estimate_us : run_typical_us(s, r);
}

/* ---- agents --------------------------------------------------------------- */

static void
force_add(struct force *f, const struct agent *a, bool pinned)
{
	uint32_t n = pinned ? a->max : a->threshold;

	if (n == 0)
		return;
	f->workers += n;
	f->power += (double)n * a->speed / 1000;
	if (a->speed > f->fastest) {
		f->slower = f->fastest;
		f->fastest = a->speed;
	} else if (a->speed < f->fastest && a->speed > f->slower) {
		f->slower = a->speed;
	}
}

static void
force_sum(const struct sched *s, const uint64_t *elig, bool pinned,
    struct force *f)
{
	uint32_t i, at;
	uint64_t w;

	*f = (struct force){ .gen = s->fleet_gen };
	for (i = 0; i < s->n_words; i++)
		for (w = elig[i] & s->usable[i]; w != 0; w &= w - 1) {
			at = i * 64 + (uint32_t)__builtin_ctzll(w);
			force_add(f, &s->agents[at], pinned);
		}
}

const struct force *
force_of(const struct sched *s, uint32_t req, bool pinned)
{
	struct force *f = &s->reqs[req]->force[pinned];

	if (f->gen != s->fleet_gen)
		force_sum(s, s->reqs[req]->elig, pinned, f);
	return f;
}

/* Of all agents that some lane of the run may use. */
static const struct force *
force_run(const struct sched *s, struct run *r)
{
	const uint64_t *elig;
	uint64_t *all;
	uint32_t w;
	size_t i;

	if (r->force.gen == s->fleet_gen && r->force_lanes == r->lanes.n)
		return &r->force;
	all = mem_calloc(s->n_words, sizeof(*all));
	for (i = 0; i < r->lanes.n; i++) {
		elig = s->reqs[s->lanes[r->lanes.v[i]]->key.req]->elig;
		for (w = 0; w < s->n_words; w++)
			all[w] |= elig[w];
	}
	force_sum(s, all, false, &r->force);
	r->force_lanes = r->lanes.n;
	free(all);
	return &r->force;
}

/* What a run makes of them within its max_parallel, and while so many are
 * enough; above 0. */
static double
power_of(const struct run *r, const struct force *f)
{
	uint32_t n = f->workers;

	if (n == 0)
		return 1;
	if (r->max_parallel > 0 && r->max_parallel < n)
		n = r->max_parallel;
	if (r->enough > 0 && r->enough < n)
		n = r->enough;
	return f->power * n / f->workers;
}

/* ---- work ------------------------------------------------------------------ */

static double
speed_of(const struct sched *s, const struct parcel *p)
{
	return p->agent == NONE ? 1 : s->agents[p->agent].speed / 1000.0;
}

void
left_out(const struct sched *s, struct parcel *p, bool on)
{
	struct run *r = s->runs[p->run];

	if (on)
		p->out_us = (double)p->estimate_us +
		    (double)r->start_cost_us * speed_of(s, p);
	r->out_us += on ? p->out_us : -p->out_us;
}

void
left_running(const struct sched *s, struct parcel *p, bool on)
{
	struct run *r = s->runs[p->run];

	if (on) {
		p->out_speed = speed_of(s, p);
		p->out_from = p->out_speed * (double)p->started_us;
	}
	r->out_speed += on ? p->out_speed : -p->out_speed;
	r->out_from += on ? p->out_from : -p->out_from;
}

/* Time until what is out ends, for one worker on average. */
static double
out_left(const struct sched *s, const struct run *r, double power)
{
	double left = r->out_us - (double)s->now_us * r->out_speed +
	    r->out_from;

	return left > 0 ? left / power : 0;
}

static double
work_left(const struct sched *s, const struct run *r, int64_t work_us,
    uint32_t n_unknown)
{
	return (double)work_us + (double)n_unknown *
	    (double)run_typical_us(s, r);
}

double
lane_left(const struct sched *s, const struct lane *l)
{
	struct run *r = s->runs[l->key.run];
	double own = power_of(r, force_of(s, l->key.req, l->key.pinned));
	double all = power_of(r, force_run(s, r));
	double a = work_left(s, r, l->work_us, l->n_unknown) / own;
	double b = work_left(s, r, r->queued_us, r->queued_unknown) / all;

	return (a > b ? a : b) + out_left(s, r, all);
}
