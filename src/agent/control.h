/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands that people give on the host. Each returns an exit code. */
#ifndef AGENT_CONTROL_H
#define AGENT_CONTROL_H

#include "agent/start.h"

/* Starts the daemon; fine when one runs. */
int control_start(const struct start_options *o);
/* Starts it anew; what runs goes on, values stay. */
int control_restart(const struct start_options *o);
/* Ends it; what runs goes on and is reported by the next one. */
int control_quit(const struct start_options *o);
/* Ends it and removes its spool. Refused while it has attempts or results
 * that no console took, unless force is set: what runs is then killed. */
int control_remove(const struct start_options *o, bool force);
/* Prints what it does; 3 when none runs. */
int control_status(const struct start_options *o, bool json);
/* Holds or releases the agent. for_us: 0 until released. */
int control_hold(const struct start_options *o, bool on, const char *note,
    int64_t for_us);

struct take_options {
	const char *kind, *note;	/* note may be NULL */
	int64_t for_us;		/* 0: until given back */
	int64_t workers;
	bool wait;		/* until so many are free */
};
/* Takes workers for a person and prints the number of the taking; gives back
 * those of one. */
int control_take(const struct start_options *o, const struct take_options *t);
int control_give_back(const struct start_options *o, int64_t take);

#endif
