/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files that run a simulation and that write of it share. */
#ifndef ENGINE_SIMULATION_H
#define ENGINE_SIMULATION_H

#include "yardmaster/engine/simulate.h"
#include "yardmaster/sched/sim.h"

/* No run has it: that of the ids in what is simulated. */
#define SIMULATED_RUN "r0000000000"

struct simulation {
	const struct plan *p;
	const struct simulate_opts *opts;	/* while it runs */
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

#endif
