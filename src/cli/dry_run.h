/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "run --dry-run": what a launch would come to. */
#ifndef YARDMASTER_CLI_DRY_RUN_H
#define YARDMASTER_CLI_DRY_RUN_H

#include "yardmaster/plan/plan.h"

#include "cli/session.h"

/* Waits for the agents and prints what would come of the plan on them. Gives
 * the exit code: EXIT_USAGE when nothing could start. */
int dry_run(struct session *s, const struct cli *c, struct plan *p);

#endif
