/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The words of JSON text: strict, with or without comments. Private to base. */
#ifndef BASE_JSCAN_H
#define BASE_JSCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "yardmaster/base/buf.h"

struct jscan {
	const char *start, *p, *end;
	bool comments;
	const char *fault;	/* what is wrong at p, once a call returned <0 */
};

/* Starts at the first byte. With comments a byte-order mark is passed, too. */
void jscan_init(struct jscan *s, const char *text, size_t n, bool comments);

/* Passes white space and comments. 0 or ERR_SYNTAX (comment not closed). */
int jscan_space(struct jscan *s);

/* Each passes one word that begins at p. 0 or ERR_SYNTAX, p at the fault. */
int jscan_string(struct jscan *s);
int jscan_number(struct jscan *s);
int jscan_literal(struct jscan *s);

/* Passes one value of text that was checked before, whatever it holds. */
void jscan_skip_value(struct jscan *s);

/* Appends the n bytes between the quotes of a checked string, decoded. */
void jscan_decode(const char *p, size_t n, struct buf *out);

#endif
