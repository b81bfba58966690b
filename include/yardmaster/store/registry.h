/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What all runs of a state folder share: STATE/registry.db, written by every
 * console in short transactions. Now: history of tests.
 */
#ifndef YARDMASTER_STORE_REGISTRY_H
#define YARDMASTER_STORE_REGISTRY_H

#include <stddef.h>
#include <stdint.h>

#include "yardmaster/base/jval.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/strvec.h"
#include "yardmaster/model/state.h"

#define HISTORY_KEPT 10		/* durations and outcomes kept per key */
#define HISTORY_MEDIAN 5	/* newest durations an estimate looks at */

struct registry;

/* Opens it, creating it where absent. 0, ERR_UNSUPPORTED (network file
 * system), ERR_VERSION, ERR_STORE (damaged), or a code of the disk. */
int registry_open(const char *state_dir, struct registry **ret);
void registry_close(struct registry *r);	/* NULL is fine */

/* Brackets many reads, so that the file is locked once; other consoles wait
 * meanwhile when they want to write. */
int registry_begin_read(struct registry *r);
void registry_end_read(struct registry *r);

/* What history is about; row and target may be NULL. */
struct history_item {
	const char *suite, *test, *row, *target;
};
/*
 * Its keys, most specific first: "suite/test[row]@target", "test[row]@target",
 * then both without "@target", both without "[row]", and both bare.
 */
void history_keys(const struct history_item *item, struct strvec *out);

struct history_sample {
	struct history_item item;
	enum outcome outcome;
	int64_t elapsed_us;	/* used of a pass only */
};
/* Adds all to every key of each, in one transaction: outcomes of passes and
 * failures (incl. timeouts), durations of passes. Others are left out. */
int history_add(struct registry *r, const struct history_sample *v, size_t n);

struct history_estimate {
	int64_t usual_us;	/* median of the newest passes; 0: none passed */
	uint32_t passes;	/* durations it rests on, to HISTORY_KEPT */
	uint32_t outcomes;	/* how many are known, to HISTORY_KEPT */
	uint32_t failures;	/* of those */
};
/* By the most specific key that has a duration (outcomes: that is known).
 * ERR_NOT_FOUND when there is nothing. */
int history_estimate(struct registry *r, const struct history_item *item,
    struct history_estimate *ret);

/* Writes {"key": seconds, ...}: the estimate of every key with a duration. */
int history_export(struct registry *r, struct jw *w);
/* Adds the durations of such an object as passes; *ret_n says how many.
 * ERR_SYNTAX, ERR_RANGE for a value that is no length: nothing is added. */
int history_import(struct registry *r, const struct jval *v, size_t *ret_n);

#endif
