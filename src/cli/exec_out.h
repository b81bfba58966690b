/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The output of jobs as they write it, line by line or job by job. */
#ifndef YARDMASTER_CLI_EXEC_OUT_H
#define YARDMASTER_CLI_EXEC_OUT_H

#include "cli/follow.h"

struct job_out;

struct outputs {
	struct follow *f;
	const struct strvec *names;	/* of the jobs, in order; borrowed */
	bool group;		/* each job whole, when it has ended */
	bool tty;		/* standard output is one: text is escaped */
	/* private */
	struct job_out **jobs;	/* by number less 1 */
	size_t n, n_open;
};

/* For struct follow: opens what is due; true when the run has ended and all
 * output was printed that can be had. */
bool outputs_watch(void *arg, const struct run *run);
/* Frees all it made. */
void outputs_done(void *arg);

#endif
