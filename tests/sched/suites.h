/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Suites to measure distribution with: the durations of real ones, and made
 * ones of other shapes; predictions that are wrong in a known way.
 */
#ifndef TESTS_SCHED_SUITES_H
#define TESTS_SCHED_SUITES_H

#include "yardmaster/sched/sim.h"

#define SUITES_STARTUP_US INT64_C(2000000)	/* of a process */
#define SUITES_RTT_US 20000	/* to every agent and back */

/* Lengths at speed 1000, in the order of the plan. */
struct suite {
	char *name;
	int64_t *us;
	uint32_t n;
};

/* A real one of tests/data/durations, or one of the shapes. False: there is
 * none of that name. Freed by suite_done(). */
bool suite_load(struct suite *u, const char *name);
void suite_done(struct suite *u);
/* The names, up to NULL. */
extern const char *const suites_real[], *const suites_made[];

/* What the scheduler believes: truth x lognormal noise of sd 0.3, and 5% not
 * known (-1). n lengths, to be freed. */
int64_t *suite_beliefs(const struct suite *u, uint64_t seed);

/* A fleet: agents with workers each, of a speed in thousandths. */
struct suite_fleet {
	const char *name;
	uint32_t n;
	uint32_t workers[4], speed[4];
};

/* One run of it by the scheduler, in batches; told: it knows the speeds from
 * the start. To be freed by sim_result_done(). probe may be NULL. */
struct suite_try {
	const struct suite *suite;
	const struct suite_fleet *fleet;
	uint64_t seed;
	bool told;
	int64_t probe_us;	/* 0: never */
	void (*probe)(void *arg, const struct sched *s, int64_t now_us);
	void *arg;
};
void suite_run(const struct suite_try *t, struct sim_result *ret);

#endif
