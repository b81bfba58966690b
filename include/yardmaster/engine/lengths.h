/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How long tests take, from a file: one object of seconds by key, as "report
 * --format durations", pytest-split (.test_durations) and knapsack write it.
 * Keys are those of history: "suite/test[row]@target" down to "test".
 */
#ifndef YARDMASTER_ENGINE_LENGTHS_H
#define YARDMASTER_ENGINE_LENGTHS_H

#include "yardmaster/base/jval.h"
#include "yardmaster/plan/plan.h"

/* Loads and checks such a file. 0, or ERR_* as jdoc_load() with every fault
 * in ds. jdoc_done() is due only after success. */
int lengths_load(struct jdoc *ret, const char *file, struct diags *ds);

/* The same of what earlier runs of the state folder took. ERR_NOT_FOUND when
 * nothing was recorded yet. */
int lengths_recorded(struct jdoc *ret);

/* How likely each fails, in thousandths, by what earlier runs recorded. */
int lengths_recorded_fails(struct jdoc *ret);
/* That of a step by its most specific key in by (may be NULL); of one that
 * never ran when no key is there. */
int32_t lengths_fails(const struct plan *p, const struct plan_step *s,
    const struct jval *by);

/* The length of a step in microseconds by its most specific key in by (may
 * be NULL); -1 when no key is there. */
int64_t lengths_of(const struct plan *p, const struct plan_step *s,
    const struct jval *by);

#endif
