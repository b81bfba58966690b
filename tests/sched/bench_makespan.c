/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How near to the lower bound runs of real suites end: their durations, with
 * 30% noise against what is predicted, 5% of the tests unknown, 2 s to start
 * a process, batches, 8 and 32 workers.
 *
 *	bench_makespan DURATIONS.json...   an object of test and seconds
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sched/sim.h"

#define STARTUP_US (2 * US_PER_S)
#define SEEDS 5

struct suite {
	struct sched_terms terms;
	struct sched_run run;
	struct sched_exec *execs;
	int64_t *step_us;
	uint32_t *first_step;
};

static uint64_t
next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed >> 11;
}

static double
uniform(uint64_t *seed)
{
	return (double)(next_random(seed) % 1000000 + 1) / 1000001;
}

/* Log-normal with a deviation of about 30%. */
static double
noise(uint64_t *seed)
{
	double u = uniform(seed), v = uniform(seed);

	return exp(0.3 * sqrt(-2 * log(u)) * cos(6.283185307179586 * v));
}

static void
suite_make(struct suite *u, const struct jval *durations, uint64_t seed,
    bool batch)
{
	uint32_t i, n = (uint32_t)jval_count(durations);
	double s;

	memset(u, 0, sizeof(*u));
	u->terms = (struct sched_terms){ .repeatable = true, .workers = 1,
		.batch = batch };
	u->execs = mem_calloc(n, sizeof(*u->execs));
	u->step_us = mem_calloc(n, sizeof(*u->step_us));
	u->first_step = mem_calloc((size_t)n + 1, sizeof(uint32_t));
	for (i = 0; i < n; i++) {
		s = jval_real(jval_value_at(durations, i), 0);
		u->step_us[i] = (int64_t)(s * 1e6) + 1;
		u->first_step[i + 1] = i + 1;
		u->execs[i] = (struct sched_exec){ .member = SCHED_NONE,
			.estimate_us = uniform(&seed) < 0.05 ? -1 :
			(int64_t)(s * 1e6 * noise(&seed)) + 1 };
	}
	u->run = (struct sched_run){ .id = "r", .order = ORDER_LONGEST,
		.ahead = SCHED_AHEAD_AUTO, .start_cost_us = STARTUP_US,
		.terms = &u->terms, .n_terms = 1, .execs = u->execs,
		.n_execs = n };
}

static double
ratio(const struct jval *durations, uint32_t workers, uint64_t seed,
    bool batch)
{
	struct sim_agent a = { .facts = { .name = "a", .max_workers = workers,
		.threshold = workers } };
	struct sim_opts opts = { .startup_us = STARTUP_US, .seed = seed };
	struct sim_result res;
	struct sim_run run;
	struct suite u;
	double x;

	suite_make(&u, durations, seed * 7919 + 1, batch);
	run = (struct sim_run){ &u.run, u.step_us, u.first_step };
	if (sim_run(&a, 1, &run, 1, &opts, &res) < 0)
		exit(1);
	x = (double)res.makespan_us / (double)res.bound_us;
	sim_result_done(&res);
	free(u.execs);
	free(u.step_us);
	free(u.first_step);
	return x;
}

int
main(int argc, char **argv)
{
	static const uint32_t workers[] = { 8, 32 };
	double sum, all = 0, alone;
	struct jdoc doc;
	uint64_t seed;
	int i, j, n = 0;

	for (i = 1; i < argc; i++) {
		if (jdoc_load(&doc, argv[i], 0, NULL) < 0)
			return 1;
		for (j = 0; j < 2; j++) {
			for (sum = 0, seed = 1; seed <= SEEDS; seed++)
				sum += log(ratio(doc.root, workers[j], seed,
				    true));
			alone = ratio(doc.root, workers[j], 1, false);
			printf("%2u workers: %.3f x the bound (each alone "
			    "%.3f)  %s\n", workers[j], exp(sum / SEEDS),
			    alone, argv[i]);
			all += sum;
			n += SEEDS;
		}
		jdoc_done(&doc);
	}
	if (n > 0)
		printf("geometric mean %.3f\n", exp(all / n));
	return 0;
}
