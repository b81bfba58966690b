/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What changed from one run to another, step by step. */
#ifndef YARDMASTER_REPORT_DIFF_H
#define YARDMASTER_REPORT_DIFF_H

#include "yardmaster/report/report.h"

/* In the order in which a person wants to read them. */
enum change {
	CHANGE_BROKEN,		/* passed before, went wrong now */
	CHANGE_FIXED,
	CHANGE_STATE,		/* another state, neither of these */
	CHANGE_ADDED,		/* only in the second run */
	CHANGE_REMOVED,		/* only in the first */
	CHANGE_SLOWER,		/* passed in both; half as long again, and 1 s */
	CHANGE_FASTER,
	CHANGES
};
/* The name in JSON and in lists. */
const char *change_name(enum change c);

struct diff_step {
	enum change change;
	const struct report_step *a, *b;	/* of the runs; NULL: not there */
};

struct report_diff {
	struct diff_step *steps;	/* n; by change, then as in the runs */
	uint32_t n;
	uint32_t by_change[CHANGES];	/* how many of each */
	uint32_t same;		/* steps of both that changed in nothing */
};

/* Steps are the same when their labels are. Both runs are borrowed while *ret
 * lives. */
void report_diff(const struct report_run *a, const struct report_run *b,
    struct report_diff *ret);
/* Frees what it holds and zeroes it. */
void report_diff_done(struct report_diff *d);

/* Appends it as one JSON object; a and b are the runs it was made of. */
void report_diff_json(const struct report_diff *d, const struct report_run *a,
    const struct report_run *b, struct buf *out);

#endif
