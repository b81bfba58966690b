/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reaching the daemon of an instance, and starting it when there is none. */
#ifndef AGENT_START_H
#define AGENT_START_H

#include <stdbool.h>
#include <stdint.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/sys/proc.h"

#define SOCKET_NAME "agent.sock"
#define LOOK_SOCKET_NAME "look.sock"	/* for links that may only look */
#define LOCK_NAME "agent.lock"
#define LOG_NAME "agent.log"

struct start_options {
	const char *instance;
	bool local, read_only;
	int64_t idle_us;	/* -1: as usual */
};

/* Who holds agent.lock and how it was started. */
struct lock_note {
	struct proc_id id;
	bool local;
	int64_t idle_us;
};

/* Makes the spool and goes there. 0 or a code with words. ret (NULL allowed)
 * gets its path, heap. */
int spool_enter(const char *instance, char **ret, struct buf *why);
/* Connects to the daemon, started when there is none. 0 and a descriptor, or
 * a code with words. The current folder is then the spool. */
int agent_reach(const struct start_options *o, int *ret_fd, struct buf *why);
/* Starts the daemon; ERR_LOCKED when one runs. */
int agent_start(const struct start_options *o, struct buf *why);
/* Says on the FIFO how a start went: "ok", or why it did not. */
void agent_ready(const char *fifo, const char *text);

/* From now on the log goes to standard error with times: it is a file that
 * is read later. */
void agent_log(void);

/* In the spool: writes and reads what the lock file says. */
int lock_note_write(int fd, bool local, int64_t idle_us);
int lock_note_read(struct lock_note *ret);

#endif
