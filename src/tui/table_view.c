/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pages made of tables: one table with the facts of its row beside or below,
 * and the overview of three.
 */
#include "config.h"

#include <stdlib.h>

#include "yardmaster/base/mem.h"
#include "tui/cells.h"

#define DETAIL_RIGHT_FROM 120	/* columns */
#define DETAIL_RIGHT 42
#define DETAIL_WIDE_FROM 160
#define DETAIL_WIDE 58
#define DETAIL_BELOW_FROM 40	/* rows of the terminal */
#define DETAIL_BELOW 10

struct table_view {
	struct view v;
	struct table tb;
};

static struct table *
view_table(struct view *v)
{
	return &((struct table_view *)v)->tb;
}

static struct finder *
view_finder(struct view *v)
{
	return &view_table(v)->find;
}

/* Cuts room for details from r and draws those of the cursor's row. */
static void
draw_detail(struct table *tb, struct surface *s, struct rect *r)
{
	struct rect d = *r;
	struct lines lines = { .n = 0 };
	struct object o;

	if (tb->pane->detail == NULL)
		return;
	if (s->w >= DETAIL_RIGHT_FROM) {
		d.w = s->w >= DETAIL_WIDE_FROM ? DETAIL_WIDE : DETAIL_RIGHT;
		r->w -= d.w + 2;
		d.x = r->x + r->w + 2;
	} else if (s->h >= DETAIL_BELOW_FROM) {
		d.h = DETAIL_BELOW;
		r->h -= d.h + 1;
		d.y = r->y + r->h + 1;
	} else {
		return;
	}
	if (table_object(tb, &o))
		tb->pane->detail(tb->t, &o, &lines);
	lines_draw(&lines, 0, s, d);
	lines_done(&lines);
}

static void
draw(struct view *v, struct surface *s, struct rect r)
{
	struct table *tb = view_table(v);

	draw_detail(tb, s, &r);
	table_draw(tb, s, r, NULL, true);
}

static void
title(struct view *v, struct buf *out)
{
	const struct table *tb = view_table(v);
	const struct scope *sc = &tb->scope;
	struct buf of = BUF_INIT;

	if (sc->kind == SCOPE_RUN)
		buf_putf(&of, " of %s", sc->run);
	else if (sc->kind == SCOPE_AGENT)
		buf_putf(&of, " of %s",
		    engine_agent(tb->t->engine, sc->agent)->name);
	else if (sc->kind == SCOPE_REASON)
		buf_putf(&of, " for %s", reason_name(sc->reason));
	else if (sc->kind == SCOPE_LOST)
		buf_puts(&of, " not reached");
	table_title(tb, buf_str(&of), out);
	buf_done(&of);
}

static bool
act(struct view *v, enum action_id id)
{
	return table_act(view_table(v), id);
}

static void
update(struct view *v)
{
	table_rebuild(view_table(v), tui_order_held(v->t));
}

static void
view_free(struct view *v)
{
	table_done(view_table(v));
	free(v);
}

static const struct view_ops table_ops = {
	.listens = LISTEN_TABLE, .draw = draw, .title = title, .act = act,
	.update = update, .table = view_table, .finder = view_finder,
	.free = view_free,
};

struct view *
table_view_new(struct tui *t, const struct pane *pane,
    const struct scope *scope)
{
	struct table_view *tv = mem_zalloc(sizeof(*tv));

	tv->v.ops = &table_ops;
	tv->v.t = t;
	table_init(&tv->tb, t, pane, scope);
	return &tv->v;
}

/* The overview: agents, workers and queue; one of them has the focus. */
#define PARTS 3
#define LEAST_ROWS 6		/* with less, only the one with the focus */

struct overview {
	struct view v;
	struct table parts[PARTS];
	int focus;
};

static const struct {
	const struct pane *pane;
	int number;		/* of the pane it stands for */
	int share;		/* of 17 rows */
} parts[PARTS] = { { &pane_agents, 2, 4 }, { &pane_workers, 4, 4 },
	{ &pane_queue, 3, 9 } };
#define SHARES 17

static struct table *
focused(struct view *v)
{
	struct overview *ov = (struct overview *)v;

	return &ov->parts[ov->focus];
}

static struct finder *
focused_finder(struct view *v)
{
	return &focused(v)->find;
}

static void
draw_part(struct overview *ov, struct surface *s, struct rect r, int i)
{
	struct buf lead = BUF_INIT;

	buf_puts(&lead, i == ov->focus ? "> " : "  ");
	table_title(&ov->parts[i], "", &lead);
	table_draw(&ov->parts[i], s, r, buf_str(&lead), i == ov->focus);
	buf_done(&lead);
}

static void
overview_draw(struct view *v, struct surface *s, struct rect r)
{
	struct overview *ov = (struct overview *)v;
	struct rect part;
	int i, rows;

	draw_detail(focused(v), s, &r);
	if (r.h < LEAST_ROWS) {
		draw_part(ov, s, r, ov->focus);
		return;
	}
	part = r;
	rows = r.h - PARTS;
	for (i = 0; i < PARTS; i++) {
		part.h = 1 + rows * parts[i].share / SHARES;
		if (i == PARTS - 1)
			part.h = r.y + r.h - part.y;
		else if (part.h < 2)
			part.h = 2;
		draw_part(ov, s, part, i);
		part.y += part.h;
	}
}

static void
overview_title(struct view *v, struct buf *out)
{
	buf_puts(out, "Overview");
}

/* The other cursors go to what belongs to the row under this one. */
static void
link_cursors(struct overview *ov)
{
	struct object o;
	struct table *workers = &ov->parts[1];

	if (!table_object(&ov->parts[ov->focus], &o) || o.agent == NULL)
		return;
	if (ov->focus != 0)
		table_seek(&ov->parts[0], rowid_agent(o.agent_no));
	if (ov->focus == 0 && o.agent->facts.n_workers > 0)
		table_seek(workers, rowid_worker(o.agent_no,
		    o.agent->facts.workers[0].no));
	if (ov->focus == 2 && o.exec->worker > 0)
		table_seek(workers, rowid_worker(o.agent_no,
		    o.exec->worker));
}

/* The pane of the part, at the same row. */
static void
open_part(struct overview *ov)
{
	struct rowid id = ov->parts[ov->focus].cursor;
	struct tui *t = ov->v.t;

	tui_go(t, parts[ov->focus].number);
	table_seek(tui_table(t), id);
}

static bool
overview_act(struct view *v, enum action_id id)
{
	struct overview *ov = (struct overview *)v;
	bool taken;

	if (id == ACT_OPEN) {
		open_part(ov);
		return true;
	}
	if (id == ACT_NEXT_PANE && ov->focus < PARTS - 1) {
		ov->focus++;
		return true;
	}
	if (id == ACT_PREVIOUS_PANE && ov->focus > 0) {
		ov->focus--;
		return true;
	}
	taken = table_act(focused(v), id);
	if (taken)
		link_cursors(ov);
	return taken;
}

static void
overview_update(struct view *v)
{
	struct overview *ov = (struct overview *)v;
	int i;

	for (i = 0; i < PARTS; i++)
		table_rebuild(&ov->parts[i], tui_order_held(v->t));
}

static void
overview_free(struct view *v)
{
	struct overview *ov = (struct overview *)v;
	int i;

	for (i = 0; i < PARTS; i++)
		table_done(&ov->parts[i]);
	free(ov);
}

static const struct view_ops overview_ops = {
	.listens = LISTEN_TABLE, .draw = overview_draw,
	.title = overview_title, .act = overview_act,
	.update = overview_update, .table = focused,
	.finder = focused_finder, .free = overview_free,
};

struct view *
overview_new(struct tui *t)
{
	struct overview *ov = mem_zalloc(sizeof(*ov));
	int i;

	ov->v.ops = &overview_ops;
	ov->v.t = t;
	for (i = 0; i < PARTS; i++)
		table_init(&ov->parts[i], t, parts[i].pane, NULL);
	return &ov->v;
}
