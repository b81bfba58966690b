/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Filter expressions of panes and of --only and --not. Terms separated by
 * spaces must all hold: text is a smart-case substring (a capital letter makes
 * it case-sensitive), /re/ a pattern, ~text fuzzy (its characters in order),
 * a leading ! inverts, column:term looks in one column, "..." keeps spaces. A word before a colon
 * that is no column is plain text. Compiled once, matched often.
 */
#ifndef YARDMASTER_FILTER_FILTER_H
#define YARDMASTER_FILTER_FILTER_H

#include <stdbool.h>
#include <stddef.h>

struct filter;

#define FILTER_MAX_BYTES 4096
#define FILTER_MAX_TERMS 64

/*
 * The text of a cell: column is an index into the names given to
 * filter_new(). Valid until the next call; NULL is an empty cell.
 */
typedef const char *(*filter_cell_fn)(void *arg, size_t column);

/*
 * Compiles text. columns is a NULL-ended list of names, copied. An empty text
 * gives a filter that lets everything through. 0, or ERR_SYNTAX,
 * ERR_TOO_LARGE with ret_error (may be NULL) set to a heap text for people.
 */
int filter_new(const char *text, const char *const *columns,
    struct filter **ret, char **ret_error);
void filter_free(struct filter *f);	/* NULL is fine */

/* True when the filter holds no term. */
bool filter_is_empty(const struct filter *f);

/* True when the row, read through cell, passes. */
bool filter_match(const struct filter *f, filter_cell_fn cell, void *arg);

#endif
