/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a launch would come to: the scheduler's own dry run on the agents as
 * they are now, made again as they or the plan change. */
#ifndef YARDMASTER_TUI_PREDICTION_H
#define YARDMASTER_TUI_PREDICTION_H

#include "tui/console.h"
#include "tui/lines.h"
#include "yardmaster/engine/preview.h"

/* All zero at first. */
struct prediction {
	struct preview_known *known;
	struct preview_sum sum;
	bool made;		/* sum is of the plan as it is */
	uint64_t seen;		/* the agents that it is of */
	int64_t at_us, cost_us;
};

/* The plan is another: what was predicted no longer holds. */
void prediction_drop(struct prediction *p);
/* Predicts again when something has changed; of large plans not so often that
 * keys would wait for it. plan is expanded; its schedules are fixed. */
void prediction_follow(struct prediction *p, const struct engine *e,
    struct plan *plan);
/* Adds what is predicted, and which agents take no part and why. */
void prediction_lines(const struct prediction *p, const struct engine *e,
    const struct plan *plan, struct lines *out);
void prediction_done(struct prediction *p);

#endif
