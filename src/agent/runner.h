/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Runs one attempt inside a worker process: its steps in order, each in a
 * session of its own, their output straight into a file; timeouts, cancel,
 * and the end of everything that a step left behind.
 */
#ifndef AGENT_RUNNER_H
#define AGENT_RUNNER_H

#include <stdbool.h>
#include <stdint.h>

#include "yardmaster/base/strvec.h"
#include "yardmaster/model/work.h"
#include "yardmaster/sys/loop.h"

/* What is the same for every attempt of a worker. Borrowed. */
struct runner_place {
	struct loop *loop;
	const char *spool;	/* absolute; also the current folder */
	const char *instance;
	uint16_t worker;
	struct folders *folders;	/* work folders, used again */
	int null_fd;		/* /dev/null for reading */
	int64_t grace_us;	/* of timeouts */
	uint64_t out_cap;	/* 0: none */
	uint64_t keep_free;	/* bytes of disk that preparing has to leave */
	/* What the run prepares here is ready; NULL: nobody asks. */
	void (*prepared)(void *arg);
	void *prepared_arg;
};

struct folders;
struct runner;

/*
 * Starts; owns *work from now on (also what it holds). done runs once, from
 * the loop, with the report (borrowed); runner_free() is due after it.
 */
void runner_start(const struct runner_place *place, struct work *work,
    int64_t queued_wall_us, void (*done)(void *arg, const struct report *r),
    void *arg, struct runner **ret);
/* Begins to end it: INT, TERM, KILL with grace_us between them. */
void runner_cancel(struct runner *r, int64_t grace_us);
/* A child of this process may have ended: due on each SIGCHLD. */
void runner_reap(struct runner *r);
const struct ident *runner_id(const struct runner *r);
bool runner_ending(const struct runner *r);
void runner_free(struct runner *r);	/* NULL is fine */

#endif
