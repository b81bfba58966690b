/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a table is laid out and drawn: only the rows that are visible. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "yardmaster/base/text.h"
#include "tui/console.h"
#include "tui/table.h"

#define GUTTER 2		/* cursor and mark */
#define GAP 1
#define NARROW_PRIORITY 2	/* up to it columns are shown however narrow */

struct layout {
	int width[COLUMNS_MAX];	/* 0: not shown */
	size_t n;
};

/* What a column wants before less important ones are shown at all. */
static int
comfort(const struct column *c)
{
	int half = c->min + c->min / 2;

	return c->want == 0 || half < c->want ? half : c->want;
}

/* Shows columns by priority: the first ones as long as their least width
 * fits, the others when all stay readable. Returns the room that is left. */
static int
choose(const struct table *tb, int room, struct layout *l)
{
	const struct column *c = tb->pane->columns;
	int used = 0, soft = 0;
	unsigned priority;
	bool full = false;
	size_t i;

	for (priority = 0; priority < COLUMNS_MAX && !full; priority++) {
		for (i = 0; i < l->n && !full; i++) {
			if (c[i].priority != priority ||
			    (tb->hidden & 1u << i && priority > 0))
				continue;
			full = priority > NARROW_PRIORITY
			    ? soft + comfort(&c[i]) + GAP > room
			    : priority > 0 && used + c[i].min + GAP > room;
			if (full)
				break;
			l->width[i] = c[i].min;
			used += c[i].min + GAP;
			soft += comfort(&c[i]) + GAP;
		}
	}
	return room - used;
}

/* Widens columns, the first ones first, up to what they want (or up to where
 * they are readable). Returns the room that is left. */
static int
widen(const struct table *tb, int left, bool readable, struct layout *l)
{
	const struct column *c = tb->pane->columns;
	unsigned priority;
	size_t i;
	int more;

	for (priority = 0; priority < COLUMNS_MAX; priority++) {
		for (i = 0; i < l->n; i++) {
			more = (readable ? comfort(&c[i]) : c[i].want) -
			    l->width[i];
			if (l->width[i] == 0 || c[i].priority != priority ||
			    more <= 0)
				continue;
			if (more > left)
				more = left > 0 ? left : 0;
			l->width[i] += more;
			left -= more;
		}
	}
	return left;
}

/* What is left then goes to the columns with an open end. */
static void
grow(const struct table *tb, int left, struct layout *l)
{
	const struct column *c = tb->pane->columns;
	size_t i, open = 0;
	int more;

	left = widen(tb, left, true, l);
	left = widen(tb, left, false, l);
	for (i = 0; i < l->n; i++)
		open += l->width[i] > 0 && c[i].want == 0;
	for (i = 0; i < l->n && left > 0; i++) {
		if (l->width[i] == 0 || c[i].want != 0)
			continue;
		more = left / (int)open--;
		l->width[i] += more;
		left -= more;
	}
}

static void
lay_out(const struct table *tb, int width, struct layout *l)
{
	int left;

	memset(l, 0, sizeof(*l));
	l->n = pane_column_count(tb->pane);
	left = choose(tb, width - GUTTER + GAP, l);
	grow(tb, left, l);
}

static int
right_shift(const struct column *c, int width, const char *text)
{
	int cells = (int)text_width(text, strlen(text));

	return c->right && cells < width ? width - cells : 0;
}

static void
draw_heading(const struct table *tb, struct surface *s, struct rect r,
    const struct layout *l, const char *lead)
{
	struct style style = { ROLE_HEADING, 0 };
	int x = r.x + GUTTER, w, shift;
	const struct column *c;
	char title[48];
	bool first = true;
	size_t i;

	surface_fill(s, (struct rect){ r.x, r.y, r.w, 1 }, style);
	for (i = 0; i < l->n; i++) {
		c = &tb->pane->columns[i];
		w = l->width[i];
		if (w == 0)
			continue;
		snprintf(title, sizeof(title), "%s%s",
		    first && lead != NULL ? lead : c->title,
		    tb->sort != (int)i ? "" : tb->reverse ? " v" : " ^");
		style.role = tb->sort == (int)i ? ROLE_HEADING_SORT
		    : ROLE_HEADING;
		shift = right_shift(c, w, title);
		if (first && lead != NULL)
			surface_text(s, r.x, r.y, w + GUTTER, style, title);
		else
			surface_text(s, x + shift, r.y, w - shift, style,
			    title);
		first = false;
		x += w + GAP;
	}
}

static void
draw_gutter(const struct table *tb, struct surface *s, int x, int y,
    size_t row, bool focus)
{
	struct style mark = { ROLE_MARK, 0 };
	struct style cursor = { ROLE_CURSOR, 0 };

	if (table_is_marked(tb, tb->rows[row]))
		surface_text(s, x + 1, y, 1, mark, "*");
	if (row != tb->at)
		return;
	if (!focus) {
		surface_text(s, x, y, 1, mark, ">");
		return;
	}
	surface_text(s, x, y, 1, cursor, ">");
	surface_cursor(s, x, y);
}

static void
draw_row(const struct table *tb, struct surface *s, struct rect r,
    const struct layout *l, size_t row, bool focus)
{
	struct style gone = { ROLE_DIM, 0 }, style;
	struct buf scratch = BUF_INIT;
	int x = r.x + GUTTER, shift;
	struct object o;
	const char *text;
	size_t i;

	draw_gutter(tb, s, r.x, r.y, row, focus);
	if (!object_find(tb->t, tb->rows[row], &o)) {
		surface_text(s, x, r.y, r.w - GUTTER, gone, "(gone)");
		return;
	}
	for (i = 0; i < l->n; i++) {
		if (l->width[i] == 0)
			continue;
		text = table_cell(tb, i, &o, &scratch, &style);
		shift = right_shift(&tb->pane->columns[i], l->width[i], text);
		surface_text(s, x + shift, r.y, l->width[i] - shift, style,
		    text);
		x += l->width[i] + GAP;
	}
	if (row == tb->at && focus && tb->t->theme.cursor_row)
		surface_over(s, (struct rect){ r.x, r.y, r.w, 1 },
		    ROLE_CURSOR);
	buf_done(&scratch);
}

/* Scrolls no further than the cursor needs. */
static void
scroll(struct table *tb, size_t page)
{
	if (tb->at < tb->top)
		tb->top = tb->at;
	if (tb->at >= tb->top + page)
		tb->top = tb->at - page + 1;
	if (tb->top > 0 && tb->top + page > tb->n)
		tb->top = tb->n > page ? tb->n - page : 0;
}

void
table_draw(struct table *tb, struct surface *s, struct rect r,
    const char *lead, bool focus)
{
	struct style dim = { ROLE_DIM, 0 };
	struct layout l;
	size_t i;
	int rows = r.h - 1;

	if (r.h <= 0 || r.w <= GUTTER)
		return;
	lay_out(tb, r.w, &l);
	if (rows > 0)
		draw_heading(tb, s, r, &l, lead);
	else
		rows = 1;	/* one row of data is worth more */
	r.y += r.h - rows;
	tb->page = (size_t)rows;
	scroll(tb, (size_t)rows);
	if (tb->n == 0)
		surface_text(s, r.x + GUTTER, r.y, r.w - GUTTER, dim,
		    tb->total > 0 ? "no row passes the filter"
		    : tb->pane->empty);
	for (i = 0; i < (size_t)rows && tb->top + i < tb->n; i++)
		draw_row(tb, s, (struct rect){ r.x, r.y + (int)i, r.w, 1 },
		    &l, tb->top + i, focus);
}

void
table_title(const struct table *tb, const char *of, struct buf *out)
{
	size_t marked = table_mark_count(tb);

	buf_putf(out, "%s %zu%s", tb->pane->title, tb->total, of);
	if (tb->n != tb->total)
		buf_putf(out, ", %zu shown", tb->n);
	if (marked > 0)
		buf_putf(out, ", %zu marked", marked);
	if (tb->held)
		buf_puts(out, ", order held");
}
