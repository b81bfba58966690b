/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Launching an expanded plan in a session, and what is said at its end. */
#ifndef YARDMASTER_CLI_LAUNCH_H
#define YARDMASTER_CLI_LAUNCH_H

#include "cli/follow.h"
#include "cli/session.h"

/* Launches the plan (owned from then on, also on failure). 0, or an exit code
 * after messages. ret_run has RUN_ID_SIZE bytes. */
int launch_plan(struct session *s, const struct cli *c, struct plan *p,
    char *ret_run);

/*
 * After the end of a run: the summary to standard output (unless --json),
 * and the files that --junit, --tap and --html name. tails: ask agents for
 * the last lines of what failed. 0 or an exit code after messages.
 */
int launch_report(struct session *s, const struct cli *c, const char *run,
    bool tails);

#endif
