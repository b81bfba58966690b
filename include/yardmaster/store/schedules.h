/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Scheduled launches: a row each in the registry, and which processes are
 * there to launch them. Each occurrence is claimed by one process before it
 * launches anything, so it comes to at most one run. Times are wall times.
 */
#ifndef YARDMASTER_STORE_SCHEDULES_H
#define YARDMASTER_STORE_SCHEDULES_H

#include "yardmaster/model/state.h"
#include "yardmaster/store/registry.h"

/* What became of the last occurrence. */
enum schedule_note {
	NOTE_NONE,		/* its run was launched, or there was none */
	NOTE_STARTING,		/* its plan is being loaded */
	NOTE_MISSED,		/* nobody was there */
	NOTE_SKIPPED,		/* the run before it went on */
	NOTE_ERROR,		/* it could not be launched */
	NOTES
};
/* The name in JSON. */
const char *schedule_note_name(enum schedule_note n);

struct schedule {
	const char *name;	/* unique */
	const char *plan;	/* path, absolute */
	const char *fleet;	/* path of its file, absolute; "": embedded */
	const char *when;	/* as when_parse() takes it */
	const char *options;	/* of the launch: a JSON list of strings */
	const char *who;	/* login@host */
	bool catch_up;		/* the latest that was missed is launched */
	int64_t added_us;
	int64_t next_us;	/* 0: it does not come again */
	const char *run;	/* the last one launched, or NULL */
	int64_t run_us;		/* the instant that it was due */
	enum schedule_note note;
	int64_t note_us;	/* the instant that it is about; 0 none */
	const char *text;	/* more of it, for people, or NULL */
	const char *by;		/* the process that claimed it last, as
				 * serving_name(); or NULL */
	int64_t missed;		/* occurrences that nobody launched, of all */
};

/* Adds one; of it no run is known. 0, ERR_EXISTS, or a code of the store. */
int registry_schedule_add(struct registry *r, const struct schedule *s);
/* 0, ERR_NOT_FOUND, or a code of the store. */
int registry_schedule_remove(struct registry *r, const char *name);
/* All, by name; fn returns non-zero to end it, which is given. */
int registry_schedule_each(struct registry *r,
    int (*fn)(void *arg, const struct schedule *s), void *arg);

/* What is to become of the occurrence that is due. */
struct schedule_claim {
	int64_t next_us;	/* the one after; 0: none */
	const char *run;	/* id of the run to be; NULL: it is not launched */
	int64_t at_us;		/* the instant that was due */
	enum schedule_note note;	/* with a run: NOTE_STARTING */
	const char *text;	/* or NULL */
	const char *by;
	int64_t missed;		/* occurrences before it, or with it */
};
/*
 * Takes the next occurrence of s, as it was read. On the disk when it returns
 * 0; ERR_STALE when it is no longer so: another process has it. Does not wait
 * for a writing process: ERR_TIMEOUT, to be tried again.
 */
int registry_schedule_claim(struct registry *r, const struct schedule *s,
    const struct schedule_claim *c);
/* The run that was claimed is launched (NOTE_NONE), or will not be. Harmless
 * when there is none such. */
int registry_schedule_note(struct registry *r, const char *name,
    const char *run, enum schedule_note note, const char *text);

/* ---- who launches them ---------------------------------------------------------- */

/* That this process does, as long as it lives: a lock in STATE/serving. */
struct serving;
/* fleet as in struct schedule. 0 or -errno, ERR_LOCKED. */
int serving_open(const char *state_dir, const char *who, const char *fleet,
    struct serving **ret);
/* The name of this process there. Borrowed. */
const char *serving_name(const struct serving *s);
void serving_close(struct serving *s);	/* NULL is fine */
/* True when the process of that name lives. */
bool serving_lives(const char *state_dir, const char *name);
/* Those that live; who is "login@host pid N". fn as above. */
int serving_each(const char *state_dir,
    int (*fn)(void *arg, const char *who, const char *fleet), void *arg);

#endif
