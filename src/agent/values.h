/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Max workers, threshold and guards: the sources they come from, which prevails, and
 * their place in the journal. Drain and hold are kept here too, because they
 * outlive the daemon as well.
 */
#ifndef AGENT_VALUES_H
#define AGENT_VALUES_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/agent_file.h"
#include "yardmaster/model/facts.h"
#include "yardmaster/store/journal.h"

#define MAX_WORKERS_LIMIT 1024

/* A number of each source; 0 where a source says nothing. */
struct max_sources {
	bool virtual;
	uint32_t environment, file, console, advised;
	bool console_live;	/* the console's was set since the last start */
};
/* The one that counts and where it is from. */
uint32_t max_decide(const struct max_sources *s, enum value_source *ret);

struct values {
	struct max_sources max;
	bool has_file_threshold, has_console_threshold, threshold_live;
	struct threshold file_threshold, console_threshold;
	struct guards file_guards, console_guards;
	unsigned guards_live;	/* bits: set by a console since the start */
	struct stop_note draining, held;
	bool dirty;		/* differs from the journal */
	/* what follows from the above */
	uint32_t max_workers;
	enum value_source max_source;
	struct threshold threshold;
	struct guards guards;	/* given: by file or console; the others have
				 * their defaults */
};

/* Reads what the journal holds: the start after a crash or a restart. */
void values_load(struct values *v, struct journal *j);
/* A full start: what is said locally replaces what was read earlier.
 * environment is the text of YARDMASTER_MAX_WORKERS, or NULL. 0, or
 * ERR_SYNTAX, ERR_RANGE when it is no number from 1 to 1024. */
int values_full_start(struct values *v, const struct agent_file *file,
    const char *environment);
/* Computes what follows; due after each change. */
void values_decide(struct values *v);
/* The console's edits. */
void values_set_max(struct values *v, uint32_t n);
void values_set_threshold(struct values *v, const struct threshold *t);
/* Takes over what which (bits) names; what is not given there is default. */
void values_set_guards(struct values *v, const struct guards *g,
    unsigned which);
/* Ends drains and holds that expired; true when one did. *ret_next is when
 * the next one will, or CLOCK_NEVER. */
bool values_expire(struct values *v, int64_t now_wall_us, int64_t *ret_next);
/* Writes all to the journal, inside its transaction. */
int values_store(const struct values *v, struct journal *j);
void values_done(struct values *v);

#endif
