/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Plays plans by the real scheduler with made-up agents in made-up time, and
 * what disturbs them at given instants.
 */
#ifndef TESTS_ENGINE_PLAYER_H
#define TESTS_ENGINE_PLAYER_H

#include "../plan/plan_help.h"

#include "engine/engine_private.h"
#include "engine/feed.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/plan/fleet_file.h"

#define MAX_RUNS 2
#define MAX_HOSTS 4
#define MAX_SLOTS 16
#define MAX_TRIES 256

enum try_state { QUEUED, RUNNING, OVER, GONE };

struct try {
	struct sched_id id;
	uint32_t agent, workers;
	bool pinned, told;	/* the console heard of its end */
	enum try_state state;
	uint16_t worker;
	int64_t start_us, end_us;
	uint32_t *steps, n_steps;	/* NULL: all */
	uint64_t ok;		/* bits of the steps that passed */
	enum outcome outcome;
};

struct host {
	struct sched_agent facts;
	struct sched_pool pools[4];
	uint32_t slots[MAX_SLOTS];	/* try + 1; 0: free */
};

struct play {
	const struct jval *c;
	struct fleet_spec *fleet;
	struct host hosts[MAX_HOSTS];
	struct erun runs[MAX_RUNS];	/* their plan, and what passed */
	struct plan *plans[MAX_RUNS];
	uint32_t *ran[MAX_RUNS];	/* by step: how often it ran */
	uint32_t handles[MAX_RUNS], n_runs;
	struct sched *s;
	struct sched_decisions out;
	struct try tries[MAX_TRIES];
	uint32_t n_tries;
	int64_t now_us;
};

/* "test[row]@target", of which either part may be left out. */
void step_name(const struct plan *plan, uint32_t at, bool row, bool target,
    struct buf *out);
/* The index in the steps of its plan of step i of an attempt. */
uint32_t step_at(const struct play *p, const struct try *t, uint32_t i);
/* Plays on to the end: agents and runs are those of *p. */
void play(struct play *p);

#endif
