/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Live edits of a fleet: kept in an overlay beside the fleet file (its name
 * with ".edits"), numbered from 1, each with who and when, and taken back by
 * another one. The fleet file itself is never written. What a fleet is: the
 * file, then its edits in order (fleet_load() does that).
 */
#ifndef YARDMASTER_PLAN_FLEET_EDITS_H
#define YARDMASTER_PLAN_FLEET_EDITS_H

#include <stddef.h>
#include <stdint.h>

#include "yardmaster/base/diag.h"
#include "yardmaster/base/jval.h"

#define FLEET_EDITS_MAX 10000

struct fleet_edit {
	uint64_t number;
	int64_t wall_us;
	char *who;
	char *agent;
	char *key;		/* of the fleet file; NULL: the agent itself */
	char *was, *now;	/* JSON; NULL: it was, or is, not there */
	uint64_t undoes;	/* which one it takes back, or 0 */
};

struct fleet_edits {
	struct fleet_edit *v;	/* number N is v[N - 1] */
	size_t n;
	size_t cap;		/* private */
};

/* The path of the overlay of a fleet file; the caller frees. */
char *fleet_edits_path(const char *fleet);

/* The edits of a fleet file; none when it has no overlay. 0, or ERR_INVALID
 * (or -errno) with a diagnostic. The caller frees with fleet_edits_done(). */
int fleet_edits_load(const char *fleet, struct fleet_edits *ret,
    struct diags *ds);
void fleet_edits_done(struct fleet_edits *e);

/* What somebody wants to change of an agent. */
struct fleet_change {
	const char *agent;
	/* "KEY=VALUE", "KEY+=A,B" and "KEY-=A,B" (lists); an empty VALUE takes
	 * the key away. */
	const char *const *values;
	size_t n;
	bool add, remove;	/* the agent itself; remove: no values */
	const char *who;
};

/*
 * Checks the change against the fleet as it is now, and records it: one edit
 * a value, one for the whole of an agent. 0 and a text for people in
 * *ret_text (heap), or ERR_NOT_FOUND, ERR_EXISTS, ERR_INVALID, ERR_TOO_LARGE,
 * ERR_LOCKED or -errno with diagnostics; then nothing is changed.
 */
int fleet_change(const char *fleet, const struct fleet_change *c,
    struct diags *ds, char **ret_text);

/* Takes an edit back; ERR_NOT_FOUND when there is none of that number,
 * ERR_STATE when it no longer holds. Else as fleet_change(). */
int fleet_undo(const char *fleet, uint64_t number, const char *who,
    struct diags *ds, char **ret_text);

/* Checks file and edits, and has all processes that use the file read it
 * again. As fleet_change(). */
int fleet_touch(const char *fleet, struct diags *ds);

#endif
