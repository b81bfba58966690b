/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Ad-hoc work: a plan of jobs that is made from a command line. Jobs may use
 * all workers of an agent, are tried once, and leave nothing in history.
 */
#ifndef YARDMASTER_PLAN_ADHOC_H
#define YARDMASTER_PLAN_ADHOC_H

#include "yardmaster/base/diag.h"
#include "yardmaster/plan/plan.h"

struct adhoc {
	const struct strvec *command;	/* from one word; nothing in it is a
					 * placeholder but "{}", and that only
					 * with args */
	const struct strvec *args;	/* a job each, put where "{}" stands, else
					 * behind the command; NULL: a job for
					 * each of agents */
	const struct strvec *agents;	/* names; with args selectors of where
					 * jobs may run, empty: everywhere */
	const char *target;	/* or NULL */
	int64_t timeout_us;	/* of a job; 0: none */
	uint32_t jobs;		/* at once; 0: no limit */
};

/* Makes the plan, expanded: job N is execution N. 0, or ERR_INVALID with
 * diagnostics (an argument that is not UTF-8 or longer than 64 kB among them).
 */
int plan_adhoc(const struct adhoc *a, struct diags *ds, struct plan **ret);

#endif
