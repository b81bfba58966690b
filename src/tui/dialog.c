/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames and buttons of dialogs. */
#include "config.h"

#include "tui/dialog.h"
#include "tui/theme.h"

struct rect
dialog_frame(struct surface *s, struct rect r, int want_w, int want_h,
    const char *title)
{
	struct style frame = { ROLE_DIALOG_FRAME, 0 };
	struct style text = { ROLE_DIALOG_TITLE, 0 };
	struct style inside = { ROLE_DIALOG, 0 };
	struct rect box = { 0, 0, want_w + 4, want_h + 2 };

	if (box.w > r.w)
		box.w = r.w;
	if (box.h > r.h)
		box.h = r.h;
	box.x = r.x + (r.w - box.w) / 2;
	box.y = r.y + (r.h - box.h) / 2;
	surface_box(s, box, frame);
	surface_printf(s, box.x + 2, box.y, box.w - 4, text, " %s ", title);
	box.x += 2;
	box.w -= 4;
	box.y++;
	box.h -= 2;
	surface_fill(s, box, inside);
	surface_cursor(s, -1, -1);
	return box;
}

int
dialog_button(struct surface *s, int x, int y, const char *text, bool focus)
{
	struct style style = { focus ? ROLE_BUTTON_FOCUS : ROLE_BUTTON, 0 };

	return x + surface_printf(s, x, y, s->w - x, style, "[ %s ]", text) +
	    2;
}
