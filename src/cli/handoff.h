/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Giving the runs of this process to processes of their own sessions. */
#ifndef YARDMASTER_CLI_HANDOFF_H
#define YARDMASTER_CLI_HANDOFF_H

#include "yardmaster/base/strvec.h"
#include "yardmaster/engine/engine.h"

#include "cli/cli_private.h"

/* Before the session is closed: from here on no signal ends this process. A
 * terminal that goes away is told of twice, by the kernel and by its shell,
 * and without the loop the second would be deadly before the run is handed
 * over. */
void handoff_begin(struct engine *e);
/* Appends the ids of the runs that this engine drives and that go on. */
void handoff_collect(const struct engine *e, struct strvec *runs);

/* Starts "yardmaster serve --run RUN" in its own session and waits until it
 * drives the run, at most 10 s. The engine that drove the run must be closed.
 * fleet may be NULL. 0 or a negative code, after a message. */
int handoff_start(const struct cli *c, const char *run, const char *fleet);

#endif
