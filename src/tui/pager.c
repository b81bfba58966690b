/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pages of lines, filled again when the model changes. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/mem.h"
#include "tui/finder.h"
#include "tui/pager.h"

struct pager {
	struct view v;
	char *title;
	pager_fill_fn fill;
	void *arg;
	struct lines lines;
	size_t first, page;
	int cells;
	struct finder find;
};

static const char *const columns[] = { "line", NULL };

static void
refill(struct pager *p)
{
	lines_done(&p->lines);
	p->fill(p->v.t, p->arg, p->cells, &p->lines);
}

static void
draw(struct view *v, struct surface *s, struct rect r)
{
	struct pager *p = (struct pager *)v;

	if (p->cells != r.w) {
		p->cells = r.w;
		refill(p);
	}
	p->page = (size_t)r.h;
	if (p->first + p->page > p->lines.n)
		p->first = p->lines.n > p->page ? p->lines.n - p->page : 0;
	lines_draw(&p->lines, p->first, s, r);
}

static void
title(struct view *v, struct buf *out)
{
	struct pager *p = (struct pager *)v;

	buf_puts(out, p->title);
	if (p->lines.n > p->page)
		buf_putf(out, " %zu-%zu of %zu", p->first + 1,
		    p->first + p->page, p->lines.n);
}

static const char *
line_cell(void *arg, size_t column)
{
	const struct line *l = arg;

	return column == 0 ? l->text : l->label;
}

static void
search(struct pager *p, int step)
{
	size_t i, at = p->first;

	if (!expression_on(&p->find.search) || p->lines.n == 0)
		return;
	for (i = 0; i < p->lines.n; i++) {
		at = (at + p->lines.n + (size_t)(step + (int)p->lines.n)) %
		    p->lines.n;
		if (!filter_match(p->find.search.filter, line_cell,
			&p->lines.v[at]))
			continue;
		p->first = at;
		return;
	}
	tui_status(p->v.t, ROLE_STATUS_WARN, "no line matches");
}

static void
scroll(struct pager *p, long by)
{
	long at = (long)p->first + by;
	long last = (long)p->lines.n - (long)p->page;

	if (at > last)
		at = last;
	p->first = at > 0 ? (size_t)at : 0;
}

static bool
act(struct view *v, enum action_id id)
{
	struct pager *p = (struct pager *)v;
	static const struct {
		enum action_id id;
		int lines, pages;
	} moves[] = { { ACT_UP, -1, 0 }, { ACT_DOWN, 1, 0 },
		{ ACT_HALF_UP, -8, 0 }, { ACT_HALF_DOWN, 8, 0 },
		{ ACT_PAGE_UP, 1, -1 }, { ACT_PAGE_DOWN, -1, 1 },
		{ ACT_FIRST, -1000000, 0 }, { ACT_LAST, 1000000, 0 } };
	size_t i;

	if (id == ACT_SEARCH_NEXT || id == ACT_SEARCH_PREVIOUS) {
		search(p, id == ACT_SEARCH_NEXT ? 1 : -1);
		return true;
	}
	for (i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		if (moves[i].id != id)
			continue;
		scroll(p, moves[i].lines + moves[i].pages * (long)p->page);
		return true;
	}
	return false;
}

static void
update(struct view *v)
{
	refill((struct pager *)v);
}

static struct finder *
view_finder(struct view *v)
{
	return &((struct pager *)v)->find;
}

static void
view_free(struct view *v)
{
	struct pager *p = (struct pager *)v;

	lines_done(&p->lines);
	finder_done(&p->find);
	free(p->title);
	free(p->arg);
	free(p);
}

static const struct view_ops pager_ops = {
	.listens = LISTEN_PAGER, .draw = draw, .title = title, .act = act,
	.update = update, .finder = view_finder, .free = view_free,
};

void
pager_open(struct tui *t, const char *title_text, pager_fill_fn fill,
    const void *arg, size_t n)
{
	struct pager *p = mem_zalloc(sizeof(*p));

	p->v.ops = &pager_ops;
	p->v.t = t;
	p->title = str_dup(title_text);
	p->fill = fill;
	p->arg = mem_dup(arg, n);
	p->cells = t->surface->w;
	finder_init(&p->find, columns);
	tui_push(t, &p->v);
}
