/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The manner in which a step's processes are run on their host: niceness,
 * limits of resources, how long they may be silent, whose home folder they
 * see and how long their folders stay. Plain data, copied by assignment.
 */
#ifndef YARDMASTER_MODEL_MANNER_H
#define YARDMASTER_MODEL_MANNER_H

#include <stdint.h>

#include "yardmaster/base/jval.h"
#include "yardmaster/base/jw.h"

#define NICE_MAX 19

enum limit { LIMIT_CPU, LIMIT_MEMORY, LIMIT_FILE_SIZE, LIMIT_STACK,
	LIMIT_CORE, LIMIT_FILES, LIMIT_PROCESSES, LIMITS };
enum keep { KEEP_NEVER, KEEP_FAILED, KEEP_ALWAYS, KEEPS };
enum home { HOME_SHARED, HOME_OWN, HOMES };

struct manner {
	uint32_t nice;		/* 0 to NICE_MAX */
	enum keep keep;		/* its folders: when it did not pass, ... */
	enum home home;
	int64_t silence_us;	/* ended when it writes nothing for so long; 0 */
	unsigned limited;	/* bits (1 << enum limit): which limit counts */
	uint64_t limit[LIMITS];	/* seconds (cpu), bytes, or numbers */
};

/* Nice 0, no limits, shared home, kept when failed. */
extern const struct manner manner_default;

/* "cpu", "memory", "file_size", "stack", "core", "files", "processes". */
const char *limit_name(enum limit l);

/* Writes one object of what differs from the default. */
void manner_write(struct jw *w, const struct manner *m);
/* Reads one; absent or null is the default. 0, ERR_SYNTAX or ERR_RANGE. */
int manner_read(const struct jval *v, struct manner *ret);

#endif
