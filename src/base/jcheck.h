/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The check that JSON text has to pass before json-c sees it. Private to
 * base. */
#ifndef BASE_JCHECK_H
#define BASE_JCHECK_H

#include <stdbool.h>
#include <stddef.h>

#define JSON_DEPTH 32

struct jfault {
	size_t offset;		/* where in the text */
	const char *text;	/* what is wrong there */
	const char *path;	/* of the value it is in */
};

/*
 * Checks that n bytes are one JSON value, at most JSON_DEPTH deep, without
 * equal keys in one object. 0, or ERR_SYNTAX, ERR_TOO_LARGE (too deep); then
 * tell (which may be NULL) has been called for each fault: every key that
 * comes twice, and the one place where the grammar ends.
 */
int jcheck(const char *text, size_t n, bool comments,
    void (*tell)(void *arg, const struct jfault *fault), void *arg);

#endif
