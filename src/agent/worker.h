/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The worker process of one slot. */
#ifndef AGENT_WORKER_H
#define AGENT_WORKER_H

#include <stdint.h>

struct worker_options {
	const char *instance;
	uint16_t no;		/* of the slot, from 1 */
	int64_t grace_us;	/* of timeouts */
	uint64_t out_cap;	/* 0: none */
};

/* Lives in the spool (the current folder) with the daemon on descriptor 3.
 * Returns the exit code of the process. */
int worker_main(const struct worker_options *opt);

#endif
