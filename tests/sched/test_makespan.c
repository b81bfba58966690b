/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How near to the lower bound runs of real suites end: their durations, with
 * 30% noise against what is predicted, 5% of the tests unknown, 2 s to start
 * a process, batches, 8 and 32 workers.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>

#include "kit.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sched/sim.h"

#define STARTUP_US (2 * US_PER_S)
#define SEEDS 3
#define REACH 1.03	/* geometric mean, times the bound */

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
suite_make(struct suite *u, const struct jval *ms, uint64_t seed)
{
	uint32_t i, n = (uint32_t)jval_count(ms);
	int64_t us;

	memset(u, 0, sizeof(*u));
	u->terms = (struct sched_terms){ .repeatable = true, .workers = 1,
		.batch = 1 };
	u->execs = mem_calloc(n, sizeof(*u->execs));
	u->step_us = mem_calloc(n, sizeof(*u->step_us));
	u->first_step = mem_calloc((size_t)n + 1, sizeof(uint32_t));
	for (i = 0; i < n; i++) {
		us = jval_int(jval_at(ms, i), 1) * US_PER_MS;
		u->step_us[i] = us;
		u->first_step[i + 1] = i + 1;
		u->execs[i] = (struct sched_exec){ .member = SCHED_NONE,
			.estimate_us = uniform(&seed) < 0.05 ? -1 :
			(int64_t)((double)us * noise(&seed)) + 1 };
	}
	u->run = (struct sched_run){ .id = "r", .order = ORDER_LONGEST,
		.ahead = SCHED_AHEAD_AUTO, .start_cost_us = STARTUP_US,
		.terms = &u->terms, .n_terms = 1, .execs = u->execs,
		.n_execs = n };
}

static double
ratio(const struct jval *ms, uint32_t workers, uint64_t seed)
{
	struct sim_agent a = { .facts = { .name = "a", .max_workers = workers,
		.threshold = workers } };
	struct sim_opts opts = { .startup_us = STARTUP_US, .seed = seed };
	struct sim_result res;
	struct sim_run run;
	struct suite u;
	double x;

	suite_make(&u, ms, seed * 7919 + 1);
	run = (struct sim_run){ &u.run, u.step_us, u.first_step };
	assert_int_equal(sim_run(&a, 1, &run, 1, &opts, &res), 0);
	assert_int_equal(res.counts.n[EXEC_PASSED], u.run.n_execs);
	assert_true(res.makespan_us >= res.bound_us);
	x = (double)res.makespan_us / (double)res.bound_us;
	sim_result_done(&res);
	free(u.execs);
	free(u.step_us);
	free(u.first_step);
	return x;
}

static double
suite_ratio(const char *name, uint32_t workers)
{
	const char *dir = getenv("YM_SRCDIR");
	char *path = str_fmt("%s/tests/data/durations/real-%s.json",
	    dir != NULL ? dir : ".", name);
	double sum = 0;
	struct jdoc doc;
	uint64_t seed;

	assert_int_equal(jdoc_load(&doc, path, 0, NULL), 0);
	for (seed = 1; seed <= SEEDS; seed++)
		sum += log(ratio(jval_get(doc.root, "ms"), workers, seed));
	jdoc_done(&doc);
	free(path);
	print_message("# %s, %u workers: %.3f x the bound\n", name, workers,
	    exp(sum / SEEDS));
	return sum / SEEDS;
}

static void
test_real_suites(void **state)
{
	static const char *const names[] = { "dbt-core", "identity-idp",
		"localstack" };
	static const uint32_t workers[] = { 8, 32 };
	double sum = 0;
	int i, j;

	for (i = 0; i < 3; i++)
		for (j = 0; j < 2; j++)
			sum += suite_ratio(names[i], workers[j]);
	print_message("# geometric mean %.3f\n", exp(sum / 6));
	assert_true(exp(sum / 6) <= REACH);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real_suites),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
