/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files that run a simulation and that write of it share. */
#ifndef ENGINE_SIMULATION_H
#define ENGINE_SIMULATION_H

#include "yardmaster/engine/simulate.h"
#include "yardmaster/sched/sim.h"

/* No run has it: that of the ids in what is simulated. */
#define SIMULATED_RUN "r0000000000"

/* What may make a run longer than it would be, in this order. */
enum cause {
	CAUSE_NONE,
	CAUSE_START, CAUSE_LIMITS, CAUSE_NEEDS, CAUSE_LENGTHS, CAUSE_RETRIES,
	CAUSE_SLOW, CAUSE_TRIPS, CAUSE_LONGEST, CAUSE_END,
	CAUSES
};

struct cause_cost {
	enum cause cause;
	int64_t cost_us;
};

/* So much a way to run it takes. */
struct expense {
	int64_t makespan_us;
	uint32_t workers;	/* at once, at most */
	int64_t held_us;	/* over all workers: until each has nothing
				 * left to do */
	double cost;		/* by cost_per_hour */
};

struct simulation {
	const struct plan *p;
	const struct simulate_opts *opts;	/* while it is filled */
	struct sim_opts sim_opts;
	int64_t at_wall_us;	/* when it begins */
	double *cost_per_hour;	/* by agent */
	struct cause_cost causes[CAUSES];	/* largest first */
	uint32_t n_causes;
	uint32_t longest;	/* number of the longest execution */
	struct expense full;	/* without the deadline; 0 when there is none */
	struct sim_agent *agents;
	uint32_t n_agents;
	struct sched_pool *pools;
	int64_t *believed_us;	/* by execution, -1 unknown */
	int32_t *fails;		/* by execution: likelihood in thousandths */
	int64_t *actual_us;	/* by step */
	uint32_t *first_step;
	bool *ends;		/* by execution: a failure ends it */
	uint32_t unknown;	/* executions without a length */
	enum order order;
	struct sim_result result;
};

/* simulate.c: plays it once more with other numbers: estimates_us by
 * execution, and what fn makes of the spec and the rest before it runs. */
struct replay {
	struct simulation *s;
	const int64_t *estimates_us, *step_us;
	struct sim_agent *agents;	/* as many */
	struct sim_opts opts;
	void (*change)(struct sched_run *spec);	/* NULL: nothing */
	struct sim_result *ret;
};
int simulation_replay(struct replay *r);

/* causes.c */
const char *cause_name(enum cause cause);
/* What a result takes. */
void expense_of(const struct simulation *s, const struct sim_result *r,
    struct expense *ret);
/* How many of an agent's workers an execution occupies. */
uint32_t simulation_width(const struct simulation *s, uint32_t exec);

#endif
