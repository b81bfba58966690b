/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a person must mend in a file (plan, fleet, theme, key map, data): all
 * faults at once, each with file, line, column, the path of the key, a text
 * and, where there is one, the next step.
 */
#ifndef YARDMASTER_BASE_DIAG_H
#define YARDMASTER_BASE_DIAG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "yardmaster/base/buf.h"

enum diag_level { DIAG_ERROR, DIAG_WARNING };

struct diag {
	enum diag_level level;
	char *file;		/* NULL: no file */
	unsigned line, column;	/* from 1; 0: unknown */
	char *path;		/* "suites[0].tests[1].name", or NULL */
	char *text;
	char *hint;		/* what to do, or NULL */
};

struct diags {
	struct diag *v;
	size_t n;
	size_t errors;		/* those with DIAG_ERROR */
	size_t cap;		/* private */
	size_t dropped;		/* counted, not kept */
};

#define DIAGS_INIT { NULL, 0, 0, 0, 0 }

/* Frees all and sets ds empty. */
void diags_done(struct diags *ds);

/* Adds one; returns it so that the caller may set hint (owned) and column.
 * file and path may be NULL and are copied. Over 200 are counted, not kept
 * (then one is returned that the next call overwrites). */
struct diag *diag_add(struct diags *ds, enum diag_level level,
    const char *file, unsigned line, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));

/* Sets the hint of d, formatted; an earlier one is freed. */
void diag_set_hint(struct diag *d, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends "FILE:LINE: PATH: TEXT (HINT)" escaped, without newline; a warning
 * has "warning: " before the path. */
void diag_format(const struct diag *d, struct buf *out);

/* Writes all, one line each, in order of file and line, to fd. */
void diags_print(const struct diags *ds, int fd);

#endif
