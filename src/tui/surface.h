/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What will be on the screen, as cells in memory. Views draw here and know
 * no terminal; screen.c puts it out, tests read it as text. Drawing outside
 * is cut. All text passes base/text.h on its way into a cell.
 */
#ifndef YARDMASTER_TUI_SURFACE_H
#define YARDMASTER_TUI_SURFACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "yardmaster/base/buf.h"

#define ATTR_BOLD 1
#define ATTR_DIM 2
#define ATTR_UNDERLINE 4
#define ATTR_REVERSE 8

/* How a cell looks: a role of the theme, and attributes beyond the role's. */
struct style {
	uint8_t role;		/* enum role */
	uint8_t attr;
};

struct cell {
	char bytes[22];		/* UTF-8 of one glyph, not NUL-ended */
	uint8_t len;
	uint8_t width;		/* 1 or 2; 0: right half of the one before */
	struct style style;
	uint8_t over;		/* role laid over it (cursor row), or 0 */
};

struct rect {
	int x, y, w, h;
};

struct surface {
	int w, h;
	bool utf8;		/* false: other than ASCII is drawn as '?' */
	struct cell *cells;	/* h rows of w */
	bool cursor;		/* the terminal's cursor is shown at x, y */
	int cursor_x, cursor_y;
};

/* A blank surface of w x h cells (both at least 1). The caller frees. */
struct surface *surface_new(int w, int h, bool utf8);
void surface_free(struct surface *s);	/* NULL is fine */
/* Changes the size; the contents are blank afterwards. */
void surface_resize(struct surface *s, int w, int h);
/* Blanks everything and hides the cursor. */
void surface_clear(struct surface *s);

/*
 * Draws text (n bytes) from x, y on at most cells cells; a cut is marked with
 * an ellipsis. Escapes are drawn in reverse. Returns the cells used.
 */
int surface_textn(struct surface *s, int x, int y, int cells,
    struct style style, const char *text, size_t n);
/* The same for a NUL-ended text; NULL draws nothing. */
int surface_text(struct surface *s, int x, int y, int cells,
    struct style style, const char *text);
/* The same, formatted. */
int surface_printf(struct surface *s, int x, int y, int cells,
    struct style style, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));
/* Fills r with blanks of that style. */
void surface_fill(struct surface *s, struct rect r, struct style style);
/* Lays a role over all cells of r. */
void surface_over(struct surface *s, struct rect r, uint8_t role);
/* Draws a frame along the inside of r and blanks what is in it. */
void surface_box(struct surface *s, struct rect r, struct style style);
/* Shows the terminal's cursor there. */
void surface_cursor(struct surface *s, int x, int y);

/* The cell at x, y, which must be inside. */
struct cell *surface_at(const struct surface *s, int x, int y);
/* True when both look the same. */
bool surface_equal(const struct surface *a, const struct surface *b);
/* Makes to look like from (sizes too). */
void surface_copy(struct surface *to, const struct surface *from);
/* Appends row y as UTF-8 without trailing blanks, no newline. */
void surface_row_text(const struct surface *s, int y, struct buf *out);

#endif
