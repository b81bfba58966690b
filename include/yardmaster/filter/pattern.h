/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One PCRE2 pattern, bounded: match and depth limits are set and the JIT is
 * off, so that neither a hostile pattern nor hostile text can hang us. Text
 * that is not UTF-8 is matched all the same.
 */
#ifndef YARDMASTER_FILTER_PATTERN_H
#define YARDMASTER_FILTER_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

struct pattern;

#define PATTERN_CASELESS 1
#define PATTERN_LITERAL 2	/* the text stands for itself */
#define PATTERN_MULTILINE 4	/* ^ and $ match at lines */
#define PATTERN_MAX_BYTES 4096

/* Compiles text. 0, or ERR_SYNTAX, ERR_TOO_LARGE with ret_error (may be
 * NULL) set to a heap text for people that the caller frees. */
int pattern_new(const char *text, unsigned flags, struct pattern **ret,
    char **ret_error);
void pattern_free(struct pattern *p);	/* NULL is fine */

/* True when the pattern has a group of that name. */
bool pattern_has_group(const struct pattern *p, const char *name);

/*
 * Looks for a match in n bytes of text from offset from. True and its bounds
 * (ends are exclusive; may be NULL). Over a limit counts as no match.
 */
bool pattern_find(const struct pattern *p, const char *text, size_t n,
    size_t from, size_t *ret_start, size_t *ret_end);

/* The same, and the bounds are those of the named group of the match (both
 * equal when it took no part); ret_next is where to look on. */
bool pattern_find_group(const struct pattern *p, const char *name,
    const char *text, size_t n, size_t from, size_t *ret_start,
    size_t *ret_end, size_t *ret_next);

#endif
