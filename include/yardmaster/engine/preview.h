/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a launch would come to on the agents as they are now. */
#ifndef YARDMASTER_ENGINE_PREVIEW_H
#define YARDMASTER_ENGINE_PREVIEW_H

#include <stdbool.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/engine/engine.h"
#include "yardmaster/engine/simulate.h"

struct preview_out {
	struct buf json, text;	/* appended to; the same facts, the tables of
				 * agents in json only */
	struct chart_look look;	/* of text */
	bool runs;		/* something can start */
};

/*
 * Simulates the expanded plan on the live agents of the engine's fleet, with
 * their own max workers and thresholds and what history knows, and appends
 * what came of it: executions, agents that take part, those that cannot and
 * why, the timeline, the end and what made it so late, worker-minutes, cost.
 * What others run there now is shown, not reckoned with. 0, or ERR_RANGE.
 * Nothing is started or recorded.
 */
int preview(const struct engine *e, const struct plan *p,
    struct preview_out *out);

/* What history knows of tests, read once for several previews; owned. */
struct preview_known;
struct preview_known *preview_known_new(void);
/* NULL is fine. */
void preview_known_free(struct preview_known *k);

/* The same in a few numbers, without what would have made it shorter. */
struct preview_sum {
	struct simulated sim;
	uint32_t agents, workers;	/* that take part */
	double worker_minutes;
	double cost;			/* while some agent has a price */
	bool priced;
};
/* 0, or ERR_RANGE. A plan of 10,000 executions takes some 0.1 s. */
int preview_sum(const struct engine *e, const struct preview_known *k,
    const struct plan *p, struct preview_sum *ret);
/* Appends "NAME: REASON, FACTS" of the first agent from from (an index of the
 * fleet) on that takes no part. Returns where to go on, or 0 for none. */
size_t preview_excluded(const struct engine *e, const struct plan *p,
    size_t from, struct buf *text);

#endif
