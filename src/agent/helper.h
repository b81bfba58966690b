/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The commands that steps call: sync, put, get, progress. They and the daemon
 * speak frames over a socket in the spool.
 */
#ifndef AGENT_HELPER_H
#define AGENT_HELPER_H

#include <stdint.h>

#define HELPER_SOCKET "step.sock"
#define HELPER_ASK_MAX 64
#define HELPER_NAME_MAX 255	/* bytes of a name, and of a progress text */
#define HELPER_VALUE_MAX 65536

enum helper_wire {
	/* helper to daemon: {"attempt", "ask", "op", "name", "value"} */
	HELPER_ASK = 1,
	/* daemon to helper: {"ok", "text", "value"}, the answer */
	HELPER_TOLD = 2,
	/* daemon to helper: {"runs"}: whether a console is there to answer */
	HELPER_CLOCK = 3,
};

/*
 * Asks the daemon that runs this step and waits for the answer, at most
 * timeout_us of the time in which a console is linked (-1: for ever). value is
 * that of a put, else NULL. Returns the exit code: 0, 1 (it can never be met,
 * or this is no step), 2 when the time is over.
 */
int helper_main(const char *op, const char *name, const char *value,
    int64_t timeout_us);

#endif
