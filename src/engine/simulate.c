/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A plan on a fleet in made-up time: its numbers in, its timeline out. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/engine/lengths.h"
#include "yardmaster/engine/simulate.h"
#include "yardmaster/sched/sim.h"

#include "engine/feed.h"

#define UNKNOWN_US (60 * US_PER_S)
#define RUN_ID "r0000000000"
#define CHART_CELLS 60

struct simulation {
	const struct plan *p;
	const struct fleet_spec *fleet;
	const struct simulate_opts *opts;
	struct sim_agent *agents;
	struct sched_pool *pools;
	int64_t *believed_us;	/* by execution, -1 unknown */
	int64_t *actual_us;	/* by step */
	uint32_t *first_step;
	struct sim_result result;
};

static void
fill_lengths(struct simulation *s)
{
	const struct plan *p = s->p;
	const struct plan_step *step;
	int64_t believed, actual;
	uint32_t i, k;

	s->believed_us = mem_calloc(p->n_execs, sizeof *s->believed_us);
	s->actual_us = mem_calloc(p->n_steps, sizeof *s->actual_us);
	s->first_step = mem_calloc(p->n_execs + 1, sizeof *s->first_step);
	for (i = 0; i < p->n_execs; i++) {
		s->first_step[i] = p->execs[i].first_step;
		for (k = 0; k < p->execs[i].n_steps; k++) {
			step = &p->steps[p->execs[i].first_step + k];
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
	}
	s->first_step[p->n_execs] = p->n_steps;
}

static void
fill_agents(struct simulation *s)
{
	const struct agent_spec *a;
	struct sched_pool *pool;
	size_t i, k, n = 0;

	for (i = 0; i < s->fleet->n_agents; i++)
		n += s->fleet->agents[i].n_instances;
	s->pools = mem_calloc(n, sizeof *s->pools);
	s->agents = mem_calloc(s->fleet->n_agents, sizeof *s->agents);
	pool = s->pools;
	for (i = 0; i < s->fleet->n_agents; i++) {
		a = &s->fleet->agents[i];
		s->agents[i].facts = (struct sched_agent){
			.name = a->name,
			.labels = &a->labels,
			.targets = &a->targets,
			.pools = pool,
			.n_pools = (uint32_t)a->n_instances,
			.up = true,
			.max_workers = a->virtual || a->max_workers == 0 ? 1 :
			    a->max_workers,
			.rtt_us = s->opts->rtt_us,
		};
		s->agents[i].facts.threshold = threshold_effective(
		    &a->threshold, s->agents[i].facts.max_workers);
		s->agents[i].speed = (uint32_t)(a->speed * 1000 + 0.5);
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
	struct simulation *s = arg;
	struct sim_run run = {
		.spec = spec,
		.step_us = s->actual_us,
		.first_step = s->first_step,
	};
	struct sim_opts opts = {
		.startup_us = s->opts->startup_us,
		.fail_ppm = (uint32_t)(s->opts->fail * 1e6),
		.seed = s->opts->seed,
	};

	return sim_run(s->agents, (uint32_t)s->fleet->n_agents, &run, 1,
	    &opts, &s->result);
}

static int
simulate(struct simulation *s)
{
	struct feed_state st;

	fill_lengths(s);
	fill_agents(s);
	st.execs = NULL;
	st.estimates_us = s->believed_us;
	return feed_plan(s->p, RUN_ID, &st, run_it, s);
}

static void
simulation_done(struct simulation *s)
{
	sim_result_done(&s->result);
	free(s->agents);
	free(s->pools);
	free(s->believed_us);
	free(s->actual_us);
	free(s->first_step);
}

/* ---- JSON ------------------------------------------------------------------- */

static void
write_step(const struct simulation *s, const struct sim_step *st,
    struct jw *w)
{
	const struct plan *p = s->p;
	const struct plan_exec *x = &p->execs[st->exec - 1];
	const struct plan_step *step = &p->steps[x->first_step + st->step];
	const char *row;
	char number[16];

	row = plan_row_name(p, step, number);
	jw_object(w);
	jw_kv_str(w, "test", p->tests[step->test].name);
	if (row == number)
		jw_kv_int(w, "row", strtol(number, NULL, 10));
	else
		jw_kv_str(w, "row", row);
	jw_kv_str(w, "target", step->target != PLAN_NONE ?
	    p->targets[step->target].name : NULL);
	jw_kv_seconds(w, "start_s", st->start_us);
	jw_kv_seconds(w, "end_s", st->end_us);
	jw_object_end(w);
}

static void
write_row(const struct simulation *s, const struct sim_row *row, struct jw *w)
{
	const struct plan *p = s->p;
	const struct plan_exec *x = &p->execs[row->exec - 1];
	uint32_t target = p->steps[x->first_step].target, i;
	char id[IDENT_TEXT];
	struct ident ident = { .execution = row->exec };

	memcpy(ident.run, RUN_ID, sizeof RUN_ID);
	jw_object(w);
	jw_kv_str(w, "id", ident_format(&ident, id));
	jw_kv_str(w, "suite", p->suites[x->suite].path);
	jw_kv_str(w, "target", target != PLAN_NONE ? p->targets[target].name :
	    NULL);
	jw_kv_int(w, "attempt", row->attempt);
	jw_kv_str(w, "agent", s->fleet->agents[row->agent].name);
	jw_kv_int(w, "worker", row->worker);
	jw_kv_str(w, "tier", tier_name(row->tier));
	jw_kv_str(w, "outcome", outcome_name(row->outcome));
	jw_kv_seconds(w, "start_s", row->start_us);
	jw_kv_seconds(w, "end_s", row->end_us);
	jw_key(w, "steps");
	jw_array(w);
	for (i = 0; i < row->n_steps; i++)
		write_step(s, &s->result.steps[row->first_step + i], w);
	jw_array_end(w);
	jw_object_end(w);
}

int
simulate_json(const struct plan *p, const struct fleet_spec *fleet,
    const struct simulate_opts *opts, struct buf *out)
{
	struct simulation s = { .p = p, .fleet = fleet, .opts = opts };
	struct jw w;
	size_t i;
	int rc;

	if ((rc = simulate(&s)) == 0) {
		jw_init(&w, out);
		jw_object(&w);
		jw_kv_seconds(&w, "makespan_s", s.result.makespan_us);
		jw_kv_seconds(&w, "lower_bound_s", s.result.bound_us);
		jw_key(&w, "executions");
		jw_array(&w);
		for (i = 0; i < s.result.n_rows; i++)
			write_row(&s, &s.result.rows[i], &w);
		jw_array_end(&w);
		jw_object_end(&w);
	}
	simulation_done(&s);
	return rc;
}

/* ---- the chart ------------------------------------------------------------------ */

/* One worker: a block of letters for each execution, '.' where it is idle. */
static void
chart_line(const struct simulation *s, uint32_t agent, uint32_t worker,
    struct buf *out)
{
	const struct sim_result *r = &s->result;
	char cells[CHART_CELLS + 1];
	const struct sim_row *row;
	int64_t busy = 0;
	size_t i, from, to;

	memset(cells, '.', CHART_CELLS);
	cells[CHART_CELLS] = '\0';
	for (i = 0; i < r->n_rows; i++) {
		row = &r->rows[i];
		if (row->agent != agent || row->worker != worker)
			continue;
		busy += row->end_us - row->start_us;
		from = (size_t)(row->start_us * CHART_CELLS / r->makespan_us);
		to = (size_t)(row->end_us * CHART_CELLS / r->makespan_us);
		if (to <= from)
			to = from + 1;
		if (to > CHART_CELLS)
			to = CHART_CELLS;
		if (from < to)
			memset(cells + from,
			    (char)('A' + (row->exec - 1) % 26), to - from);
	}
	buf_putf(out, "%12s#%-3u |%s| %3d%%\n", s->fleet->agents[agent].name,
	    worker, cells, (int)(busy * 100 / r->makespan_us));
}

int
simulate_text(const struct plan *p, const struct fleet_spec *fleet,
    const struct simulate_opts *opts, struct buf *out)
{
	struct simulation s = { .p = p, .fleet = fleet, .opts = opts };
	char makespan[DURATION_TEXT], bound[DURATION_TEXT];
	uint32_t i, k;
	int rc;

	if ((rc = simulate(&s)) < 0)
		goto out;
	for (i = 0; s.result.makespan_us > 0 && i < fleet->n_agents; i++)
		for (k = 1; k <= s.agents[i].facts.max_workers; k++)
			chart_line(&s, i, k, out);
	buf_putf(out, "%u executions, %zu attempts; makespan %s, lower bound "
	    "%s", p->n_execs, s.result.n_rows,
	    duration_format(s.result.makespan_us, makespan),
	    duration_format(s.result.bound_us, bound));
	if (s.result.bound_us > 0)
		buf_putf(out, ", ratio %.3f", (double)s.result.makespan_us /
		    (double)s.result.bound_us);
	buf_putc(out, '\n');
	if (counts_final(&s.result.counts) < counts_total(&s.result.counts))
		buf_putf(out, "%u executions never start on this fleet\n",
		    counts_total(&s.result.counts) -
		    counts_final(&s.result.counts));
out:
	simulation_done(&s);
	return rc;
}
