/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A plan on a fleet in made-up time: its numbers in, what came of it out. */
#include "config.h"

#include <stdlib.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/engine/lengths.h"

#include "engine/feed.h"
#include "engine/simulation.h"

#define UNKNOWN_US (60 * US_PER_S)

static void
fill_lengths(struct simulation *s)
{
	const struct plan *p = s->p;
	const struct plan_step *step;
	int64_t believed, actual;
	int32_t fails;
	uint32_t i, k;

	s->believed_us = mem_calloc(p->n_execs, sizeof *s->believed_us);
	s->fails = mem_calloc(p->n_execs, sizeof *s->fails);
	s->actual_us = mem_calloc(p->n_steps, sizeof *s->actual_us);
	s->first_step = mem_calloc(p->n_execs + 1, sizeof *s->first_step);
	s->ends = mem_calloc(p->n_execs, sizeof *s->ends);
	for (i = 0; i < p->n_execs; i++) {
		s->first_step[i] = p->execs[i].first_step;
		s->ends[i] = p->terms[p->execs[i].terms].on_failure !=
		    ON_FAILURE_CONTINUE;
		for (k = 0; k < p->execs[i].n_steps; k++) {
			step = &p->steps[p->execs[i].first_step + k];
			fails = lengths_fails(p, step, s->opts->fails);
			if (fails > s->fails[i])
				s->fails[i] = fails;
			believed = lengths_of(p, step, s->opts->history);
			if (believed < 0)
				believed =
				    p->tests[step->test].props->estimate_us;
			else if (believed == 0)
				believed = 1;	/* known, and quick */
			actual = lengths_of(p, step, s->opts->actual);
			if (actual < 0)
				actual = believed > 0 ? believed : UNKNOWN_US;
			s->actual_us[p->execs[i].first_step + k] = actual;
			if (believed <= 0 || s->believed_us[i] < 0)
				s->believed_us[i] = -1;
			else
				s->believed_us[i] += believed;
		}
		s->unknown += s->believed_us[i] < 0;
	}
	s->first_step[p->n_execs] = p->n_steps;
}

static void
fill_agents(struct simulation *s, const struct simulate_agent *agents)
{
	const struct agent_spec *a;
	struct sched_pool *pool;
	size_t i, k, n = 0;

	for (i = 0; i < s->n_agents; i++)
		n += agents[i].spec->n_instances;
	s->pools = mem_calloc(n, sizeof *s->pools);
	s->agents = mem_calloc(s->n_agents, sizeof *s->agents);
	s->cost_per_hour = mem_calloc(s->n_agents, sizeof *s->cost_per_hour);
	pool = s->pools;
	for (i = 0; i < s->n_agents; i++) {
		a = agents[i].spec;
		s->cost_per_hour[i] = a->cost_per_hour;
		s->agents[i].facts = (struct sched_agent){
			.name = a->name,
			.labels = &a->labels,
			.targets = &a->targets,
			.pools = pool,
			.n_pools = (uint32_t)a->n_instances,
			.up = true,
			.max_workers = agents[i].max_workers,
			.threshold = agents[i].threshold,
			.rtt_us = agents[i].rtt_us,
		};
		s->agents[i].speed = (uint32_t)(a->speed * 1000 + 0.5);
		/* As earlier runs would have taught it. */
		s->agents[i].facts.speed = s->agents[i].speed;
		for (k = 0; k < a->n_instances; k++)
			*pool++ = (struct sched_pool){
				.target = a->instances[k].target,
				.names = &a->instances[k].names,
			};
	}
}

static int
run_it(void *arg, const struct sched_run *spec)
{
	struct replay *r = arg;
	struct sched_run changed = *spec;
	struct sim_run run = {
		.spec = &changed,
		.step_us = r->step_us,
		.first_step = r->s->first_step,
		.ends = r->s->ends,
	};

	if (r->change != NULL)
		r->change(&changed);
	r->s->order = spec->order;
	return sim_run(r->agents, r->s->n_agents, &run, 1, &r->opts, r->ret);
}

int
simulation_replay(struct replay *r)
{
	struct feed_state st = {
		.estimates_us = r->estimates_us,
		.fails = r->s->fails,
		.deadline_us = r->s->p->deadline_us,
		.start_us = r->opts.startup_us,
		.wall_ahead_us = r->s->at_wall_us,
	};

	return feed_plan(r->s->p, SIMULATED_RUN, &st, run_it, r);
}

int
simulate(const struct plan *p, const struct simulate_agent *agents,
    uint32_t n, const struct simulate_opts *opts, struct simulation **ret)
{
	struct simulation *s = mem_zalloc(sizeof *s);
	struct replay r = { .s = s };
	int rc;

	s->p = p;
	s->opts = opts;
	s->n_agents = n;
	s->at_wall_us = opts->at_wall_us;
	fill_lengths(s);
	fill_agents(s, agents);
	s->opts = NULL;
	s->sim_opts = r.opts = (struct sim_opts){
		.startup_us = opts->startup_us,
		.fail_ppm = (uint32_t)(opts->fail * 1e6),
		.seed = opts->seed,
	};
	r.estimates_us = s->believed_us;
	r.step_us = s->actual_us;
	r.agents = s->agents;
	r.ret = &s->result;
	if ((rc = simulation_replay(&r)) < 0) {
		simulation_free(s);
		return rc;
	}
	*ret = s;
	return 0;
}

int
simulate_fleet(const struct plan *p, const struct fleet_spec *fleet,
    int64_t rtt_us, const struct simulate_opts *opts,
    struct simulation **ret)
{
	struct simulate_agent *agents;
	const struct agent_spec *a;
	size_t i;
	int rc;

	agents = mem_calloc(fleet->n_agents, sizeof *agents);
	for (i = 0; i < fleet->n_agents; i++) {
		a = &fleet->agents[i];
		agents[i].spec = a;
		agents[i].max_workers = a->virtual || a->max_workers == 0 ?
		    1 : a->max_workers;
		agents[i].threshold = threshold_effective(&a->threshold,
		    agents[i].max_workers);
		agents[i].rtt_us = rtt_us;
	}
	rc = simulate(p, agents, (uint32_t)fleet->n_agents, opts, ret);
	free(agents);
	return rc;
}

void
simulation_free(struct simulation *s)
{
	if (s == NULL)
		return;
	sim_result_done(&s->result);
	free(s->agents);
	free(s->pools);
	free(s->cost_per_hour);
	free(s->believed_us);
	free(s->fails);
	free(s->actual_us);
	free(s->first_step);
	free(s->ends);
	free(s);
}

void
simulation_sum(const struct simulation *s, struct simulated *ret)
{
	*ret = (struct simulated){
		.makespan_us = s->result.makespan_us,
		.bound_us = s->result.bound_us,
		.executions = s->p->n_execs,
		.attempts = (uint32_t)s->result.n_rows,
		.never = counts_total(&s->result.counts) -
		    counts_final(&s->result.counts),
		.unknown = s->unknown,
		.order = s->order == ORDER_AUTO ? ORDER_PLAN : s->order,
	};
}

uint32_t
simulation_width(const struct simulation *s, uint32_t exec)
{
	uint32_t n = s->p->terms[s->p->execs[exec - 1].terms].workers;

	return n > 0 ? n : 1;
}

void
simulation_agent(const struct simulation *s, uint32_t i,
    struct simulated_agent *ret)
{
	const struct sim_row *row;
	size_t k;

	*ret = (struct simulated_agent){ .attempts = 0 };
	for (k = 0; k < s->result.n_rows; k++) {
		row = &s->result.rows[k];
		if (row->agent != i)
			continue;
		ret->attempts++;
		ret->busy_us += (row->end_us - row->start_us) *
		    simulation_width(s, row->exec);
		if (row->end_us > ret->end_us)
			ret->end_us = row->end_us;
	}
}
