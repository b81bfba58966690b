/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The simulator: the real scheduler driven by a made-up clock of integer
 * microseconds and made-up agents. Everything is a number; the same input
 * gives the same timeline. All events of one instant, ordered by agent,
 * worker, execution, are applied before decisions.
 */
#ifndef YARDMASTER_SCHED_SIM_H
#define YARDMASTER_SCHED_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "yardmaster/sched/sched.h"

struct sim_agent {
	struct sched_agent facts;	/* up is taken as true */
	uint32_t speed;		/* actual, in thousandths; 0: as in facts */
};

struct sim_run {
	const struct sched_run *spec;
	/* Actual lengths of the steps at speed 1000: those of execution N are
	 * step_us[first_step[N-1]] up to step_us[first_step[N] - 1];
	 * first_step has n_execs + 1 members. An execution has one or more. */
	const int64_t *step_us;
	const uint32_t *first_step;
	/* By execution: a step that fails ends it, the rest is not run. NULL:
	 * none does. */
	const bool *ends;
};

struct sim_opts {
	int64_t startup_us;	/* of a process: before the first step */
	uint32_t fail_ppm;	/* chance of a step to fail, in millionths */
	uint64_t seed;
	int64_t end_us;		/* gives up here; 0: 10 years */
	/* Called once, at the first instant from probe_us on (0: never), when
	 * all of that instant is decided: to ask the scheduler. */
	int64_t probe_us;
	void (*probe)(void *arg, const struct sched *s, int64_t now_us);
	void *probe_arg;
	bool (*stop)(void *arg);	/* asked at every instant; NULL: never */
	void *stop_arg;
};

struct sim_step {
	uint32_t exec;		/* of which execution (batches) */
	uint32_t step;		/* which of its steps, from 0 */
	int64_t start_us, end_us;
	enum outcome outcome;
};

/* One attempt (of a batch: of all its members), in order of start, then
 * agent, then worker. */
struct sim_row {
	uint32_t run;		/* index in runs */
	uint32_t exec, attempt;	/* of a batch: the leading one */
	uint32_t decision;	/* how many sends were decided before it */
	uint32_t agent;
	uint16_t worker;	/* from 1: the lowest it occupies */
	enum tier tier;
	enum outcome outcome;
	int64_t start_us, end_us;
	uint32_t first_step, n_steps;	/* in steps */
};

struct sim_result {
	struct sim_row *rows;
	size_t n_rows;
	struct sim_step *steps;
	size_t n_steps;
	int64_t makespan_us;	/* first instant to last end */
	int64_t bound_us;	/* lower bound: see sim_bound_us() */
	struct counts counts;	/* over all runs; some wait for ever when they
				 * are not all final */
	uint64_t decisions;	/* how many sends were decided */
};

/* Runs it to the end, or until nothing can happen any more. 0, or what
 * sched_run_add() said. *ret is for sim_result_done(). */
int sim_run(const struct sim_agent *agents, uint32_t n_agents,
    const struct sim_run *runs, uint32_t n_runs, const struct sim_opts *opts,
    struct sim_result *ret);
void sim_result_done(struct sim_result *r);

/*
 * max((sum + workers x startup) / workers, longest + startup) over n lengths
 * at speed 1000, each of which takes width workers (NULL: 1) all the time,
 * where workers are weighted by the speed of their agent and the longest runs
 * on the fastest. 0 without agents or work.
 */
int64_t sim_bound_us(const struct sim_agent *agents, uint32_t n_agents,
    const int64_t *length_us, const uint32_t *width, uint32_t n,
    int64_t startup_us);

#endif
