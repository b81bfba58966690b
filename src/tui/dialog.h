/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The look that all dialogs share. */
#ifndef YARDMASTER_TUI_DIALOG_H
#define YARDMASTER_TUI_DIALOG_H

#include "tui/lines.h"
#include "tui/surface.h"

/* Draws a frame with a title, of at most want_w x want_h cells inside, in the
 * middle of r; returns its inside. */
struct rect dialog_frame(struct surface *s, struct rect r, int want_w,
    int want_h, const char *title);
/* Draws "text" as a button at x, y; returns where the next one begins. */
int dialog_button(struct surface *s, int x, int y, const char *text,
    bool focus);

#endif
