/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From an expanded plan to what the scheduler is told of a run. */
#ifndef YARDMASTER_ENGINE_FEED_H
#define YARDMASTER_ENGINE_FEED_H

#include "yardmaster/plan/plan.h"
#include "yardmaster/sched/sched.h"

/* What was stored of an execution. */
struct feed_exec {
	enum exec_state state;
	enum reason cause;	/* of a skipped one: why, by us; else NONE */
	uint32_t attempt, agent;	/* of the last one; SCHED_NONE unknown */
	uint16_t worker;
	const char *instance;	/* it was sent with; NULL: not known */
	uint32_t failures, errors;	/* counted so far */
	uint32_t avoid;		/* 1 + agent not to use for the next, 0: none */
	int64_t due_wall_us;	/* the next waits for that; 0 it does not */
	uint32_t lead;		/* of its batch; 0: itself */
	bool pinned;		/* the last one was sent as pinned, */
	bool returned;		/* was given back unstarted, */
	bool unstarted;		/* never started, as far as is known */
};
/* What is known of each execution beyond the plan; arrays by number - 1. */
struct feed_state {
	const struct feed_exec *execs;	/* NULL: fresh */
	const struct sched_lost *lost;	/* attempts that may yet be found */
	uint32_t n_lost;
	const int64_t *estimates_us;	/* -1 unknown */
	const int32_t *fails;	/* likelihood in thousandths; NULL: none */
	int64_t start_us;	/* of a process of a batch; 0 unknown */
	int64_t deadline_us;	/* an instant of the scheduler's clock */
	int64_t wall_ahead_us;	/* the wall clock, of the scheduler's */
};

typedef int (*feed_fn)(void *arg, const struct sched_run *spec);
/* Builds the spec of a run and calls fn with it; what it gives is returned.
 * The spec lives during the call. */
int feed_plan(const struct plan *p, const char *id,
    const struct feed_state *st, feed_fn fn, void *arg);

#endif
