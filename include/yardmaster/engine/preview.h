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
 * Simulates the expanded plan on the live agents of fleet (that of the
 * engine), with their own max workers and thresholds and what history knows,
 * and appends what came of it: executions, agents that take part, those that
 * cannot and why, the timeline, the end and what made it so late,
 * worker-minutes, cost. What others run there now is shown, not reckoned
 * with. 0, or ERR_RANGE. Nothing is started or recorded.
 */
int preview(const struct engine *e, const struct fleet_spec *fleet,
    const struct plan *p, struct preview_out *out);

#endif
