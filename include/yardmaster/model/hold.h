/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What one attempt holds of limits that are known by name: locks, exclusions,
 * targets. It travels with the work and comes back in the agent's facts, so
 * that consoles that share nothing but an agent count it; leases keep the
 * same. Plain data with its JSON form.
 */
#ifndef YARDMASTER_MODEL_HOLD_H
#define YARDMASTER_MODEL_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "yardmaster/base/ident.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/jw.h"

#define HOLDS_MAX 256		/* of one attempt, in JSON */

enum hold_kind { HOLD_LOCK, HOLD_EXCLUSION, HOLD_TARGET, HOLD_KINDS };
/* Its name, and the kind of that name or -1. */
const char *hold_kind_name(enum hold_kind k);
int hold_kind_parse(const char *name);

struct hold {
	enum hold_kind kind;
	char *name;		/* the lock, the target, or one side */
	char *other;		/* exclusion: the other side; else NULL */
	uint32_t n;		/* lock: units; exclusion: 1 the side name,
				 * 2 other, 3 both; target: 1 */
	bool shared;		/* lock: as a reader */
	uint32_t capacity;	/* lock, target: as its run declares it; 0 not */
	char *instance;		/* target: the one leased, or NULL */
	uint32_t group;		/* the first execution of those that hold it
				 * once for all, until the last of them has
				 * ended; 0: it is held by one */
};

/* Frees what it holds; copies into *to, which holds nothing. */
void hold_done(struct hold *h);
void hold_copy(struct hold *to, const struct hold *from);

/* Writes the member "holds", an array, unless n is 0; at most HOLDS_MAX. */
void holds_write(struct jw *w, const struct hold *v, uint32_t n);
/* Reads that member of the object v. 0 and a heap array (NULL when there is
 * none), or ERR_SYNTAX, ERR_RANGE, ERR_TOO_LARGE and nothing to free. */
int holds_read(const struct jval *v, struct hold **ret, uint32_t *ret_n);
void holds_free(struct hold *v, uint32_t n);

#endif
