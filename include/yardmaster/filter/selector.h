/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Agent selectors: "name", "@label", "slash-re-slash" over the name, each
 * with an optional leading "!" that excludes. An agent is selected when no
 * excluding one meets it and some other one does (or there is no other one).
 */
#ifndef YARDMASTER_FILTER_SELECTOR_H
#define YARDMASTER_FILTER_SELECTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "yardmaster/base/strvec.h"

struct selector;

#define SELECTOR_MAX 1000	/* terms of one list */

/*
 * Compiles a list; empty selects every agent. 0, or ERR_SYNTAX,
 * ERR_TOO_LARGE with ret_error (heap text for people) and ret_bad (index of
 * the term at fault); both may be NULL.
 */
int selector_new(const struct strvec *terms, struct selector **ret,
    char **ret_error, size_t *ret_bad);
void selector_free(struct selector *s);	/* NULL is fine */

/* True when an agent of that name and labels is selected. */
bool selector_match(const struct selector *s, const char *name,
    const struct strvec *labels);

/* How many terms there are; whether term i (with its "!" left out of
 * account) meets the agent; its text as written. */
size_t selector_count(const struct selector *s);
bool selector_term_match(const struct selector *s, size_t i,
    const char *name, const struct strvec *labels);
const char *selector_term(const struct selector *s, size_t i);

/* Appends the terms as people write them, separated by ", ". */
struct buf;
void selector_format(const struct selector *s, struct buf *out);

#endif
