/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a launch would come to on the agents as they are now. */
#ifndef YARDMASTER_ENGINE_PREVIEW_H
#define YARDMASTER_ENGINE_PREVIEW_H

#include <stdbool.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/engine/engine.h"

/*
 * Simulates the expanded plan on the live agents of fleet (that of the
 * engine), with their own max workers and thresholds and what history knows,
 * and appends what came of it as JSON: executions, agents that take part,
 * those that cannot and why, the end, worker-minutes, cost. What others run
 * there now is shown, not reckoned with. *ret_runs: something can start. 0, or
 * ERR_RANGE. Nothing is started or recorded.
 */
int preview_json(const struct engine *e, const struct fleet_spec *fleet,
    const struct plan *p, struct buf *out, bool *ret_runs);

#endif
