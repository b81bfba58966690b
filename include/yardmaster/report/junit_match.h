/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which case of a result file belongs to which test of a plan. Pure: names
 * in, outcomes out.
 */
#ifndef YARDMASTER_REPORT_JUNIT_MATCH_H
#define YARDMASTER_REPORT_JUNIT_MATCH_H

#include "yardmaster/base/buf.h"
#include "yardmaster/report/junit_read.h"

/* What the cases of one test came to. */
struct junit_match {
	enum outcome outcome;	/* the worst of them; NONE: there is no case */
	int64_t elapsed_us;	/* their sum */
	const char *text;	/* why, of the worst; borrowed, or NULL */
};

/* Appends what pattern makes of a case: {classname}, {name}, {file}, {suite}
 * are replaced, all else stands. */
void junit_case_name(const struct junit_case *c, const char *pattern,
    struct buf *out);

/*
 * Finds n names (ret has as many). A case belongs to the name it gives by
 * pattern, else to the only name that differs in no more than separators
 * (/, . and ::) and the extension of the file before the first "::". Cases of
 * no name are left out.
 */
void junit_match(const struct junit_results *r, const char *pattern,
    const char *const *names, size_t n, struct junit_match *ret);

#endif
