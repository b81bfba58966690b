/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Text that came from outside, made safe to draw, log and print: the one
 * escaping function and the one width function of the program.
 */
#ifndef YARDMASTER_BASE_TEXT_H
#define YARDMASTER_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "yardmaster/base/buf.h"

/* One piece of text as it may be drawn. */
struct text_glyph {
	char bytes[64];		/* UTF-8, NUL-ended; a base and at most 4 marks */
	uint8_t len;		/* bytes used */
	uint8_t width;		/* cells: 0 (never alone), 1 or 2; of an escape: its length */
	bool escaped;		/* an escape such as "^X", "\\xNN", "<U+202E>": draw in reverse */
};

/*
 * Takes the next glyph from s (n bytes). Strict UTF-8: each bad byte becomes
 * "\\xNN", C0 and DEL "^X", C1 and the categories Cf, Zl, Zp, Co, Cn, Cs
 * "<U+XXXX>"; a mark without base stands on a space; marks after the fourth
 * and variation selectors 15 and 16 are dropped. Returns the bytes of s used,
 * 0 at the end.
 */
size_t text_next(const char *s, size_t n, struct text_glyph *ret);

/* Cells that s (n bytes) takes when drawn through text_next(). */
size_t text_width(const char *s, size_t n);

/* Appends s escaped as text_next() says, for a log, a message or a terminal. */
void text_escape(struct buf *out, const char *s, size_t n);

/* A heap copy of the NUL-ended s, escaped; the caller frees. */
char *text_safe(const char *s);

/* Appends the first line of s that is not blank, escaped, and " ..." when
 * more follows: what a list has room for. */
void text_first_line(struct buf *out, const char *s);

/* Appends s escaped and cut to cells cells; a cut is marked by a final '~'
 * (or the ellipsis where utf8 is true). Pads with spaces when pad is true.
 * Returns the cells used. */
size_t text_fit(struct buf *out, const char *s, size_t cells, bool utf8,
    bool pad);

/* True when s (n bytes) is strict UTF-8. */
bool text_is_utf8(const char *s, size_t n);

/* Damerau-Levenshtein distance, capped at 255. Names longer than 64 bytes
 * compare as far. */
unsigned text_distance(const char *a, const char *b);

/* The candidate nearest to word within max edits, or NULL. candidates is a
 * NULL-ended list. Borrowed from it. */
const char *text_nearest(const char *word, const char *const *candidates,
    unsigned max);

/* Compares names as people sort them: digits by value ("t2" before "t10"). */
int text_natural_cmp(const char *a, const char *b);

#endif
