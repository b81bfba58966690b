/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The options that choose what of a plan is meant, shared by run and plan. */
#ifndef YARDMASTER_CLI_PLAN_ARGS_H
#define YARDMASTER_CLI_PLAN_ARGS_H

#include "yardmaster/plan/plan.h"

#include "cli/cli_private.h"

#define SELECT_OPTS \
	{ "only", 'o', "EXPR", "only what this filter over suite, test, " \
	    "target and row meets" }, \
	{ "not", 0, "EXPR", "leave out what this filter meets" }, \
	{ "test", 't', "NAME", "only this test or suite (repeatable)" }, \
	{ "target", 0, "NAME", "only this target (repeatable)" }, \
	{ "parallel", 'p', "MODE", "none, targets or tests, instead of the " \
	    "plan's", "none targets tests" }, \
	{ "agents", 'a', "SUITE=SEL", "other agents for a suite (* for all)" }, \
	{ "set", 's', "NAME=VALUE", "the value of a parameter" }, \
	{ "order", 0, "ORDER", "auto, plan, longest or failed", \
	    "auto plan longest failed" }, \
	{ "deadline", 0, "TIME", "use the fewest workers that still meet it; " \
	    "0: all" }

/* The choice that these options make: for plan_select_done(). 0, or an exit
 * code after a message. */
int plan_args_select(const struct cli *c, struct plan_select *s);

/*
 * Loads, discovers (with a progress line on standard error) and expands the
 * plan of a file as the options say. 0 and a plan for plan_free(), or an
 * exit code after all messages. Warnings are printed.
 */
int plan_args_load(const struct cli *c, const char *path, struct plan **ret);

#endif
