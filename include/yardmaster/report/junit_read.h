/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads what a test program wrote as its JUnit file: hostile input, so
 * document types and entities are refused and everything has a cap.
 */
#ifndef YARDMASTER_REPORT_JUNIT_READ_H
#define YARDMASTER_REPORT_JUNIT_READ_H

#include <stddef.h>
#include <stdint.h>

#include "yardmaster/base/diag.h"
#include "yardmaster/model/state.h"

#define JUNIT_MAX_BYTES (64u << 20)	/* of a file */
#define JUNIT_MAX_CASES 100000
#define JUNIT_MAX_NAME 4096	/* longer names are cut */
#define JUNIT_MAX_TEXT 4096	/* of a message with what follows it, cut */

struct junit_case {
	char *suite;		/* name of the innermost testsuite; "" unknown */
	char *classname;	/* "" when absent */
	char *name;
	char *file;		/* or NULL */
	enum outcome outcome;	/* passed, skipped, failed, error */
	int64_t elapsed_us;	/* 0 when absent */
	char *text;		/* message and text of what it is, or NULL */
};

struct junit_results {
	struct junit_case *v;	/* in order of the file; a name may repeat */
	size_t n;
	size_t cap;		/* private */
};

/* Parses n bytes; name is for the diagnostic. 0, or ERR_SYNTAX,
 * ERR_TOO_LARGE with a diagnostic in ds (may be NULL); nothing to free then. */
int junit_read(const char *name, const void *p, size_t n,
    struct junit_results *ret, struct diags *ds);
/* The same for a file; also -errno. */
int junit_read_file(const char *path, struct junit_results *ret,
    struct diags *ds);
/* Frees what it holds and zeroes it. */
void junit_results_done(struct junit_results *r);

#endif
