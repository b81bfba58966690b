/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A plan on a fleet in made-up time, by the real scheduler. */
#ifndef YARDMASTER_ENGINE_SIMULATE_H
#define YARDMASTER_ENGINE_SIMULATE_H

#include "yardmaster/base/buf.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/plan/plan.h"

struct simulate_opts {
	/* Objects of seconds by key (the keys of history; may be NULL): what
	 * the scheduler believes, and what happens. */
	const struct jval *history, *actual;
	int64_t startup_us;	/* of each process */
	int64_t rtt_us;		/* to every agent */
	double fail;		/* chance of a step to fail, 0 to 1 */
	uint64_t seed;
};

/*
 * Simulates the expanded plan on the fleet and appends the timeline as JSON
 * (man yardmaster: plan simulate) or, for people, as a chart of one line per
 * worker. Without an actual length a step takes what history says, else its
 * estimate, else 60 s. 0, or ERR_RANGE.
 */
int simulate_json(const struct plan *p, const struct fleet_spec *fleet,
    const struct simulate_opts *opts, struct buf *out);
int simulate_text(const struct plan *p, const struct fleet_spec *fleet,
    const struct simulate_opts *opts, struct buf *out);

#endif
