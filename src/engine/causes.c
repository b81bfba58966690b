/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What made a simulated run as long as it is: it is played again without each
 * cause, and the difference is what that one costs. Causes overlap, so that
 * they need not add up; one without which it would be longer is none.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"

#include "engine/simulation.h"

#define MATTERS 100		/* from this part of the makespan on */

static const char *const names[CAUSES] = {
	[CAUSE_START] = "start-cost", [CAUSE_LIMITS] = "limits",
	[CAUSE_NEEDS] = "needs", [CAUSE_LENGTHS] = "lengths",
	[CAUSE_RETRIES] = "retries", [CAUSE_SLOW] = "slow-agents",
	[CAUSE_TRIPS] = "round-trips", [CAUSE_LONGEST] = "longest",
	[CAUSE_END] = "end",
};

const char *
cause_name(enum cause cause)
{
	return names[cause];
}

/* ---- specs without something -------------------------------------------------- */

/* What a spec lends for the time of a replay is changed in place: it is the
 * feed's own copy. */
static void
drop_deadline(struct sched_run *spec)
{
	spec->deadline_us = 0;
}

static void
drop_limits(struct sched_run *spec)
{
	struct sched_terms *t = (struct sched_terms *)spec->terms;
	struct sched_target *g = (struct sched_target *)spec->targets;
	uint32_t i;

	drop_deadline(spec);
	spec->max_parallel = 0;
	for (i = 0; i < spec->n_terms; i++)
		t[i].n_holds = t[i].n_sides = 0;
	for (i = 0; i < spec->n_targets; i++) {
		g[i].max = g[i].max_per_agent = 0;
		g[i].instances = NULL;
	}
}

static void
drop_needs(struct sched_run *spec)
{
	struct sched_terms *t = (struct sched_terms *)spec->terms;
	uint32_t i;

	drop_deadline(spec);
	for (i = 0; i < spec->n_terms; i++)
		t[i].n_needs = 0;
}

/* ---- other numbers ------------------------------------------------------------- */

/* A replay and what it owns. */
struct variant {
	struct replay r;
	int64_t *estimates_us, *step_us;
	struct sim_agent *agents;
};

static int64_t
actual_of(const struct simulation *s, uint32_t exec)
{
	int64_t us = 0;
	uint32_t k;

	for (k = s->first_step[exec]; k < s->first_step[exec + 1]; k++)
		us += s->actual_us[k];
	return us;
}

static void
vary_start(struct variant *v)
{
	v->r.opts.startup_us = 0;
}

static void
vary_limits(struct variant *v)
{
	uint32_t i;

	v->r.change = drop_limits;
	for (i = 0; i < v->r.s->n_agents; i++)
		v->agents[i].facts.n_pools = 0;
}

static void
vary_needs(struct variant *v)
{
	v->r.change = drop_needs;
}

static void
vary_lengths(struct variant *v)
{
	uint32_t i;

	for (i = 0; i < v->r.s->p->n_execs; i++) {
		v->estimates_us[i] = actual_of(v->r.s, i);
		if (v->estimates_us[i] == 0)
			v->estimates_us[i] = 1;
	}
}

static void
vary_retries(struct variant *v)
{
	v->r.opts.fail_ppm = 0;
}

static void
vary_slow(struct variant *v)
{
	uint32_t i, fastest = 0;

	for (i = 0; i < v->r.s->n_agents; i++)
		if (v->agents[i].speed > fastest)
			fastest = v->agents[i].speed;
	for (i = 0; i < v->r.s->n_agents; i++)
		v->agents[i].speed = v->agents[i].facts.speed = fastest;
}

static void
vary_trips(struct variant *v)
{
	uint32_t i;

	for (i = 0; i < v->r.s->n_agents; i++)
		v->agents[i].facts.rtt_us = 0;
}

/* The work of speed 1000 that each worker of the fastest agent has to do when
 * all end at once. */
static double
fair_share(const struct simulation *s)
{
	double sum = 0, power = 0, fastest = 1, speed;
	uint32_t i;

	for (i = 0; i < s->p->n_execs; i++)
		sum += (double)actual_of(s, i) * simulation_width(s, i + 1);
	for (i = 0; i < s->n_agents; i++) {
		speed = s->agents[i].speed > 0 ? s->agents[i].speed : 1000;
		power += speed * s->agents[i].facts.threshold;
		fastest = speed > fastest ? speed : fastest;
	}
	return power > 0 ? sum * fastest / power : sum;
}

/* None is longer than that. */
static void
vary_longest(struct variant *v)
{
	struct simulation *s = v->r.s;
	double share = fair_share(s), us, most = 0;
	uint32_t i, k;

	for (i = 0; i < s->p->n_execs; i++) {
		us = (double)actual_of(s, i);
		if (us > most) {
			most = us;
			s->longest = i + 1;
		}
		if (us <= share)
			continue;
		for (k = s->first_step[i]; k < s->first_step[i + 1]; k++)
			v->step_us[k] = (int64_t)((double)v->step_us[k] *
			    share / us);
		if ((double)v->estimates_us[i] > share)
			v->estimates_us[i] = (int64_t)share + 1;
	}
}

typedef void (*vary_fn)(struct variant *v);
static const vary_fn variants[CAUSES] = {
	[CAUSE_START] = vary_start, [CAUSE_LIMITS] = vary_limits,
	[CAUSE_NEEDS] = vary_needs, [CAUSE_LENGTHS] = vary_lengths,
	[CAUSE_RETRIES] = vary_retries, [CAUSE_SLOW] = vary_slow,
	[CAUSE_TRIPS] = vary_trips, [CAUSE_LONGEST] = vary_longest,
};

/* ---- playing -------------------------------------------------------------------- */

static int
play_without(struct simulation *s, enum cause cause, struct sim_result *ret)
{
	const struct plan *p = s->p;
	struct variant v = { .r = { .s = s, .opts = s->sim_opts,
		.change = drop_deadline, .ret = ret } };
	int rc;

	v.estimates_us = mem_dup(s->believed_us,
	    p->n_execs * sizeof *v.estimates_us);
	v.step_us = mem_dup(s->actual_us, p->n_steps * sizeof *v.step_us);
	v.agents = mem_dup(s->agents, s->n_agents * sizeof *v.agents);
	if (variants[cause] != NULL)
		variants[cause](&v);
	v.r.estimates_us = v.estimates_us;
	v.r.step_us = v.step_us;
	v.r.agents = v.agents;
	rc = simulation_replay(&v.r);
	free(v.estimates_us);
	free(v.step_us);
	free(v.agents);
	return rc;
}

static void
max_us(int64_t *to, int64_t us)
{
	*to = us > *to ? us : *to;
}

static int
by_instant(const void *pa, const void *pb)
{
	const int64_t *a = pa, *b = pb;

	return a[0] != b[0] ? a[0] < b[0] ? -1 : 1 : a[1] < b[1] ? -1 :
	    a[1] > b[1];
}

/* When each worker of each agent ends its last; *ret_n of them, to be freed. */
static int64_t *
worker_ends(const struct simulation *s, const struct sim_result *r,
    uint32_t *ret_n)
{
	uint32_t *first = mem_calloc(s->n_agents + 1, sizeof *first);
	const struct sim_row *row;
	int64_t *end_us;
	uint32_t i, at, n = 0;

	for (i = 0; i < s->n_agents; i++) {
		first[i] = n;
		n += s->agents[i].facts.max_workers;
	}
	end_us = mem_calloc(n + 1, sizeof *end_us);
	for (i = 0; i < r->n_rows; i++) {
		row = &r->rows[i];
		for (at = 0; at < simulation_width(s, row->exec); at++)
			if (first[row->agent] + row->worker - 1 + at < n)
				max_us(&end_us[first[row->agent] +
				    row->worker - 1 + at], row->end_us);
	}
	free(first);
	*ret_n = n;
	return end_us;
}

void
expense_of(const struct simulation *s, const struct sim_result *r,
    struct expense *ret)
{
	int64_t (*v)[2] = mem_calloc(2 * r->n_rows, sizeof *v), now = 0;
	int64_t *end_us = mem_calloc(s->n_agents, sizeof *end_us);
	const struct sim_row *row;
	uint32_t n;
	size_t i;

	*ret = (struct expense){ .makespan_us = r->makespan_us };
	for (i = 0; i < r->n_rows; i++) {
		row = &r->rows[i];
		v[2 * i][0] = row->start_us;
		v[2 * i][1] = simulation_width(s, row->exec);
		v[2 * i + 1][0] = row->end_us;
		v[2 * i + 1][1] = -v[2 * i][1];
		max_us(&end_us[row->agent], row->end_us);
	}
	if (r->n_rows > 0)
		qsort(v, 2 * r->n_rows, sizeof *v, by_instant);
	for (i = 0; i < 2 * r->n_rows; i++) {
		now += v[i][1];
		if (now > (int64_t)ret->workers)
			ret->workers = (uint32_t)now;
	}
	for (i = 0; i < s->n_agents; i++)
		ret->cost += s->cost_per_hour[i] * (double)end_us[i] /
		    (3600.0 * US_PER_S);
	free(v);
	free(end_us);
	end_us = worker_ends(s, r, &n);
	while (n-- > 0)
		ret->held_us += end_us[n];
	free(end_us);
}

/* How long a worker has nothing more to do at the end, on average. */
static int64_t
idle_end(const struct simulation *s, const struct sim_result *r)
{
	struct expense e;
	uint32_t i, n = 0;

	for (i = 0; i < s->n_agents; i++)
		n += s->agents[i].facts.threshold;
	expense_of(s, r, &e);
	return n > 0 ? r->makespan_us - e.held_us / n : 0;
}

static int
by_cost(const void *pa, const void *pb)
{
	const struct cause_cost *a = pa, *b = pb;

	if (a->cost_us != b->cost_us)
		return a->cost_us > b->cost_us ? -1 : 1;
	return a->cause < b->cause ? -1 : 1;
}

static void
note(struct simulation *s, enum cause cause, int64_t cost_us,
    int64_t makespan_us)
{
	if (cost_us > 0 && cost_us >= makespan_us / MATTERS)
		s->causes[s->n_causes++] = (struct cause_cost){ cause,
			cost_us };
}

static int
explain_from(struct simulation *s, const struct sim_result *base)
{
	struct sim_result res = { NULL };
	enum cause c;
	int rc;

	s->n_causes = 0;
	for (c = CAUSE_NONE + 1; c < CAUSES; c++) {
		if (variants[c] == NULL)
			continue;
		if ((rc = play_without(s, c, &res)) < 0)
			return rc;
		/* What never ended is not shorter. */
		if (res.counts.n[EXEC_WAITING] == base->counts.n[EXEC_WAITING])
			note(s, c, base->makespan_us - res.makespan_us,
			    base->makespan_us);
		sim_result_done(&res);
	}
	note(s, CAUSE_END, idle_end(s, base), base->makespan_us);
	qsort(s->causes, s->n_causes, sizeof *s->causes, by_cost);
	return 0;
}

int
simulation_explain(struct simulation *s)
{
	struct sim_result full = { NULL };
	int rc;

	if (s->p->deadline_us <= 0)
		return explain_from(s, &s->result);
	if ((rc = play_without(s, CAUSE_NONE, &full)) < 0)
		return rc;
	expense_of(s, &full, &s->full);
	rc = explain_from(s, &full);
	sim_result_done(&full);
	return rc;
}
