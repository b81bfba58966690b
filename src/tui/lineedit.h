/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One line of text that is being typed. */
#ifndef YARDMASTER_TUI_LINEEDIT_H
#define YARDMASTER_TUI_LINEEDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tui/surface.h"

#define LINEEDIT_MAX 512

struct lineedit {
	char text[LINEEDIT_MAX];	/* UTF-8, NUL-ended */
	size_t n;
	size_t at;		/* the cursor, in bytes, between characters */
	bool hidden;		/* drawn as dots, wiped when done */
	bool changed;		/* since it was set */
};

void lineedit_set(struct lineedit *e, const char *text);
/* Wipes the memory. */
void lineedit_done(struct lineedit *e);
/* Takes a key that edits (text, Left, Right, Home, End, Backspace, Delete,
 * C-u, C-w, C-a, C-e, C-k); false for another one. Backspace in an empty line
 * is not taken. */
bool lineedit_key(struct lineedit *e, uint32_t key);
/* Draws the text so that the cursor is visible. */
void lineedit_draw(const struct lineedit *e, struct surface *s, int x, int y,
    int cells, struct style style, bool focus);

#endif
