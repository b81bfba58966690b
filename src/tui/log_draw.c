/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines of output on the surface: filtered, wrapped, in mapped colours. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"
#include "tui/log_draw.h"

#define STAMP 9			/* "12:34:56 " */

struct line_source {
	struct buf *b;
	const struct log_line *line;
};

static const char *
line_cell(void *arg, size_t column)
{
	struct line_source *src = arg;

	if (column > 0)
		return NULL;
	buf_clear(src->b);
	buf_put(src->b, src->line->text, src->line->n);
	return buf_str(src->b);
}

bool
log_line_matches(struct log_view *lv, const struct expression *e,
    uint64_t no)
{
	struct buf b = BUF_INIT;
	struct line_source src = { &b, logtext_line(lv->text, no) };
	bool match;

	if (!expression_on(e))
		return false;
	match = filter_match(e->filter, line_cell, &src);
	buf_done(&b);
	return match;
}

static bool
passes(struct log_view *lv, uint64_t no)
{
	return !expression_on(&lv->find.filter) ||
	    logtext_line(lv->text, no)->gap ||
	    log_line_matches(lv, &lv->find.filter, no);
}

/* Lines that fell out of the ring. */
static void
forget_old(struct log_view *lv)
{
	uint64_t first = logtext_first(lv->text);
	size_t n = 0;

	while (n < lv->n_shown && lv->shown[n] < first)
		n++;
	if (n == 0)
		return;
	memmove(lv->shown, lv->shown + n,
	    (lv->n_shown - n) * sizeof(*lv->shown));
	lv->n_shown -= n;
	lv->top -= lv->top < n ? lv->top : n;
}

void
log_view_extend(struct log_view *lv)
{
	uint64_t end = logtext_end(lv->text);

	forget_old(lv);
	if (lv->looked < logtext_first(lv->text))
		lv->looked = logtext_first(lv->text);
	/* The last line may have grown since it was looked at. */
	if (lv->n_shown > 0 && lv->looked > 0 &&
	    lv->shown[lv->n_shown - 1] == lv->looked - 1)
		lv->n_shown--;
	if (lv->looked > logtext_first(lv->text))
		lv->looked--;
	for (; lv->looked < end; lv->looked++) {
		if (!passes(lv, lv->looked))
			continue;
		lv->shown = mem_grow(lv->shown, &lv->cap_shown,
		    lv->n_shown + 1, sizeof(*lv->shown));
		lv->shown[lv->n_shown++] = lv->looked;
	}
}

void
log_view_filter(struct log_view *lv)
{
	if (lv->text == NULL)
		return;
	lv->n_shown = 0;
	lv->looked = logtext_first(lv->text);
	log_view_extend(lv);
}

/* Bytes of a line that fit on cells cells from byte at on. */
static uint32_t
fit(const struct log_line *l, uint32_t at, int cells)
{
	struct text_glyph g;
	uint32_t from = at;
	size_t used;
	int w = 0;

	while (at < l->n) {
		used = text_next(l->text + at, l->n - at, &g);
		if (w + g.width > cells)
			break;
		w += g.width;
		at += (uint32_t)used;
	}
	return at > from || at == l->n ? at : from + 1;
}

/* How many rows a line takes. */
static int
rows_of(const struct log_view *lv, const struct log_line *l, int cells)
{
	uint32_t at = 0;
	int rows = 0;

	if (!lv->wrap)
		return 1;
	do {
		at = fit(l, at, cells);
		rows++;
	} while (at < l->n);
	return rows;
}

/* Draws the bytes from at to end of a line in its styles. */
static void
draw_piece(struct surface *s, struct rect r, const struct log_line *l,
    uint32_t at, uint32_t end)
{
	uint32_t i, stop;
	int x = r.x;

	for (i = 0; i < l->n_spans && x < r.x + r.w; i++) {
		stop = i + 1 < l->n_spans ? l->spans[i + 1].from : l->n;
		if (stop > end)
			stop = end;
		if (stop <= at)
			continue;
		x += surface_textn(s, x, r.y, r.x + r.w - x,
		    l->spans[i].style, l->text + at, stop - at);
		at = stop;
	}
}

static void
draw_stamp(struct surface *s, int x, int y, const struct log_line *l)
{
	struct style dim = { ROLE_DIM, 0 };
	time_t t = (time_t)(l->wall_us / US_PER_S);
	struct tm tm;
	char text[16];

	if (localtime_r(&t, &tm) != NULL &&
	    strftime(text, sizeof(text), "%H:%M:%S", &tm) > 0)
		surface_text(s, x, y, STAMP, dim, text);
}

/* Draws a line, on at most r.h rows; returns how many it took. */
static int
draw_line(struct log_view *lv, struct surface *s, struct rect r, uint64_t no)
{
	const struct log_line *l = logtext_line(lv->text, no);
	bool match = log_line_matches(lv, &lv->find.search, no);
	struct rect row = { r.x, r.y, r.w, 1 };
	uint32_t at = 0, end;

	if (lv->stamps) {
		draw_stamp(s, row.x, row.y, l);
		row.x += STAMP;
		row.w -= STAMP;
	}
	if (!lv->wrap && lv->left > 0)
		at = fit(l, 0, lv->left);
	do {
		end = lv->wrap ? fit(l, at, row.w) : l->n;
		draw_piece(s, row, l, at, end);
		if (match)
			surface_over(s, row, ROLE_MATCH);
		at = end;
		row.y++;
	} while (at < l->n && row.y < r.y + r.h);
	return row.y - r.y;
}

/* The first line so that the last one is at the bottom. */
static size_t
bottom_top(const struct log_view *lv, int rows, int cells)
{
	size_t at = lv->n_shown;

	while (at > 0) {
		rows -= rows_of(lv, logtext_line(lv->text,
		    lv->shown[at - 1]), cells);
		if (rows < 0)
			break;
		at--;
	}
	return at < lv->n_shown ? at : lv->n_shown > 0 ? lv->n_shown - 1 : 0;
}

void
log_view_draw(struct log_view *lv, struct surface *s, struct rect r)
{
	int y = 0, cells = r.w - (lv->stamps ? STAMP : 0);
	size_t i, bottom = bottom_top(lv, r.h, cells);

	lv->page = r.h;
	if (lv->follow || (lv->top > bottom && !lv->wrap))
		lv->top = bottom;
	for (i = lv->top; i < lv->n_shown && y < r.h; i++)
		y += draw_line(lv, s, (struct rect){ r.x, r.y + y, r.w,
		    r.h - y }, lv->shown[i]);
}
