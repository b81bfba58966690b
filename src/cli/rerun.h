/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plan of an earlier run, to be launched again. */
#ifndef YARDMASTER_CLI_RERUN_H
#define YARDMASTER_CLI_RERUN_H

#include "yardmaster/plan/plan.h"

#include "cli/cli_private.h"

/*
 * The plan of the run that args.v[0] names, as it was launched; with --failed
 * of the executions that failed, timed out or erred, with --failed-rows of
 * their steps that did not pass. 0 and a plan for plan_free(), or an exit
 * code after a message.
 */
int rerun_load(const struct cli *c, struct plan **ret);

#endif
