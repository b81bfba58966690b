/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What log_view.c (keys, tail) and log_draw.c (lines on the surface) share. */
#ifndef YARDMASTER_TUI_LOG_DRAW_H
#define YARDMASTER_TUI_LOG_DRAW_H

#include "tui/console.h"
#include "tui/finder.h"
#include "tui/logtext.h"

struct log_view {
	struct view v;
	bool is_pane;
	struct log_target target;
	struct tail *tail;
	struct logtext *text;	/* NULL until something was opened */
	uint64_t offset;	/* of the next byte expected */
	bool seen, ended;
	bool follow, wrap, stamps;
	bool want_failure;	/* go to the first failure when it comes */
	int left;		/* cells scrolled to the right */
	struct finder find;
	uint64_t *shown;	/* numbers of lines that pass the filter */
	size_t n_shown, cap_shown;
	uint64_t looked;	/* lines below this were filtered */
	size_t top;		/* index in shown of the first line drawn */
	int page;		/* rows last drawn */
};

/* Filters all lines again. */
void log_view_filter(struct log_view *lv);
/* Takes in lines that came since; forgets those that went. */
void log_view_extend(struct log_view *lv);
bool log_line_matches(struct log_view *lv, const struct expression *e,
    uint64_t no);
void log_view_draw(struct log_view *lv, struct surface *s, struct rect r);

#endif
