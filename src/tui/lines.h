/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A list of styled lines: details, help, reasons, previews. */
#ifndef YARDMASTER_TUI_LINES_H
#define YARDMASTER_TUI_LINES_H

#include <stddef.h>

#include "tui/surface.h"

struct line {
	char *label;		/* drawn first, in its own style; or NULL */
	char *text;
	struct style style;	/* of text */
};

struct lines {
	struct line *v;
	size_t n, cap;
};

void lines_done(struct lines *l);
/* Adds a line of that role. */
void lines_add(struct lines *l, uint8_t role, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Adds "label  text"; labels stand in a column of their own. Nothing when
 * text comes out empty. */
void lines_fact(struct lines *l, const char *label, uint8_t role,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Adds text (may be long) in lines of at most cells cells, cut at blanks,
 * indented. */
void lines_wrap(struct lines *l, uint8_t role, int cells, int indent,
    const char *text);
/* Draws from line first on. */
void lines_draw(const struct lines *l, size_t first, struct surface *s,
    struct rect r);

#endif
