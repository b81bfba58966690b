/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Following a run of ours to its end, and saying what happens. */
#ifndef YARDMASTER_CLI_FOLLOW_H
#define YARDMASTER_CLI_FOLLOW_H

#include "cli/session.h"

struct follow {
	struct session *s;
	const struct cli *c;
	char run[RUN_ID_SIZE];
	bool now;		/* launched: nothing waits for its schedule */
	bool quiet;		/* no line per end */
	bool terse;		/* no summary of it all either */
	int64_t give_up_us;	/* 0: wait for ever */
	/* Called whenever the run may have changed, or NULL. When the run has
	 * ended it is waited for until this says true. */
	bool (*watch)(void *arg, const struct run *run);
	void (*unwatch)(void *arg);	/* called once when it ends */
	void *watch_arg;
	/* private */
	bool *told;		/* by number: its end was said */
	uint32_t ended;
	bool paused;		/* that was said */
	int64_t hopeless_us;	/* since when nothing can start */
	int64_t packing_us;	/* when something was said of packing last */
	bool gave_up, left;
	char *last_wait;	/* what was said last of what waits */
};

/*
 * Turns the loop until the run has ended. The first INT or TERM cancels the
 * run, a second one, or HUP, leaves it going. Returns the exit code of the
 * run; -1 when it was left.
 */
int follow_run(struct follow *f);
/*
 * Turns the loop until the workspaces of the run are packed. True when it can
 * be left to another process; false when it was cancelled or that failed, and
 * follow_run() has to see its end.
 */
bool follow_packing(struct follow *f);

/* The first that waits, where nothing of a run is out and all that waits does
 * so because no agent can take it, or none is there; else NULL. */
const struct execution *follow_stuck(const struct run *run);

#endif
