/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The timeline of a run: a line for each worker, executions as blocks, idle
 * time visible, now and the predicted end marked. Where the workers do not
 * fit, a line for each agent says how many of its workers were busy.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "yardmaster/base/mem.h"
#include "yardmaster/model/chart.h"
#include "tui/cells.h"

#define LABEL 16

struct timeline {
	struct view v;
	char run[RUN_ID_SIZE];
	size_t first;
	int page;
};

/* What is drawn, worked out anew for each frame. */
struct plot {
	const struct run *run;
	struct chart_span *spans;
	struct chart c;
	struct chart_cell *cells;
};

static bool
span_of(const struct tui *t, const struct execution *x, int64_t *ret_from,
    int64_t *ret_to)
{
	if (x->agent < 0 || x->since_us == 0)
		return false;
	if (x->state == EXEC_RUNNING) {
		*ret_from = x->since_us;
		*ret_to = t->now_us;
		return true;
	}
	*ret_from = x->since_us - x->elapsed_us;
	*ret_to = x->since_us;
	return exec_state_final(x->state) && x->elapsed_us > 0;
}

/* In max_lanes lines of so many cells. */
static void
plot_make(const struct tui *t, struct plot *p, size_t max_lanes, size_t cells)
{
	int64_t from, to, end_us = 0;
	const struct execution *x;
	size_t i, n = 0;

	p->spans = mem_calloc(p->run->n, sizeof(*p->spans));
	for (i = 0; i < p->run->n; i++) {
		x = &p->run->executions[i];
		if (span_of(t, x, &from, &to))
			p->spans[n++] = (struct chart_span){
				(uint32_t)x->agent, x->worker, (uint32_t)i,
				from, to };
	}
	if (p->run->state != RUN_ENDED)
		end_us = p->run->predicted_end_us;
	chart_make(&p->c, p->spans, n, max_lanes, cells, end_us);
	p->cells = mem_calloc(cells, sizeof(*p->cells));
}

static void
plot_done(struct plot *p)
{
	chart_done(&p->c);
	free(p->spans);
	free(p->cells);
}

/* The letter of a block, so that it is told apart without colour. */
static void
draw_worker_cell(const struct tui *t, const struct plot *p,
    struct surface *s, int x, int y, const struct chart_cell *c)
{
	enum exec_state state = p->run->executions[p->c.v[c->span - 1].what].
	    state;

	surface_text(s, x, y, 1, theme_state(&t->theme, LOOK_EXEC,
	    state)->style, c->begins ? theme_glyph(&t->theme, LOOK_EXEC,
	    state, s->utf8) : "=");
}

static void
draw_lane(const struct tui *t, const struct plot *p, struct surface *s,
    struct rect r, size_t i)
{
	struct style plain = { ROLE_NORMAL, 0 }, dim = { ROLE_GAUGE_FREE, 0 };
	struct style used = { ROLE_GAUGE_USED, 0 };
	const struct chart_lane *lane = &p->c.lanes[i];
	const struct agent *a = engine_agent(t->engine, lane->agent);
	const struct chart_cell *c = p->cells;
	size_t k;

	if (lane->worker > 0)
		surface_printf(s, r.x, r.y, LABEL - 1, plain, "%s/%u",
		    a->name, lane->worker);
	else
		surface_text(s, r.x, r.y, LABEL - 1, plain, a->name);
	r.x += LABEL;
	chart_lane(&p->c, i, p->cells);
	for (k = 0; k < p->c.cells; k++, c++, r.x++) {
		if (c->busy == 0)
			surface_text(s, r.x, r.y, 1, dim, ".");
		else if (lane->worker > 0)
			draw_worker_cell(t, p, s, r.x, r.y, c);
		else
			surface_printf(s, r.x, r.y, 1, used, c->busy < 10 ?
			    "%u" : "+", c->busy);
	}
}

static void
draw_scale(const struct tui *t, const struct plot *p, struct surface *s,
    struct rect r)
{
	struct style style = { ROLE_HEADING, 0 }, end = { ROLE_WARN, 0 };
	char text[DURATION_TEXT];
	int64_t predicted = p->run->predicted_end_us;

	surface_fill(s, (struct rect){ r.x, r.y, r.w, 1 }, style);
	surface_text(s, r.x, r.y, LABEL, style,
	    p->c.by_agent ? "AGENT" : "WORKER");
	surface_text(s, r.x + LABEL, r.y, 2, style, "0");
	duration_format(p->c.to_us - p->c.from_us, text);
	surface_text(s, r.x + r.w - (int)strlen(text), r.y,
	    (int)strlen(text), style, text);
	if (p->run->state == RUN_ENDED || predicted <= t->now_us)
		return;
	surface_text(s, r.x + LABEL + (int)chart_at(&p->c, t->now_us), r.y, 4, style,
	    "now");
	surface_text(s, r.x + LABEL + (int)chart_at(&p->c, predicted), r.y, 1, end,
	    "E");
}

static void
draw(struct view *v, struct surface *s, struct rect r)
{
	struct timeline *tl = (struct timeline *)v;
	struct plot p = { .run = engine_run_recorded(v->t->engine,
	    tl->run) };
	struct style dim = { ROLE_DIM, 0 };
	size_t i;

	if (p.run == NULL || p.run->executions == NULL || r.w < LABEL + 4) {
		surface_text(s, r.x + 2, r.y, r.w - 2, dim, "not loaded");
		return;
	}
	plot_make(v->t, &p, r.h > 1 ? (size_t)r.h - 1 : 0,
	    (size_t)(r.w - LABEL));
	draw_scale(v->t, &p, s, r);
	tl->page = r.h - 1;
	if (tl->first >= p.c.n_lanes)
		tl->first = 0;
	for (i = tl->first; i < p.c.n_lanes && ++r.y < s->h && --r.h > 0; i++)
		draw_lane(v->t, &p, s, r, i);
	if (p.c.n_lanes == 0)
		surface_text(s, r.x + 2, r.y + 1, r.w - 2, dim,
		    "nothing has run yet");
	plot_done(&p);
}

static void
title(struct view *v, struct buf *out)
{
	buf_putf(out, "Timeline of %s", ((struct timeline *)v)->run);
}

static bool
act(struct view *v, enum action_id id)
{
	struct timeline *tl = (struct timeline *)v;

	if (id == ACT_UP)
		tl->first -= tl->first > 0;
	else if (id == ACT_DOWN)
		tl->first++;
	else if (id == ACT_PAGE_DOWN)
		tl->first += (size_t)tl->page;
	else if (id == ACT_PAGE_UP)
		tl->first -= tl->first < (size_t)tl->page ? tl->first
		    : (size_t)tl->page;
	else
		return false;
	return true;
}

static void
view_free(struct view *v)
{
	free(v);
}

static const struct view_ops timeline_ops = {
	.listens = LISTEN_PAGER, .draw = draw, .title = title, .act = act,
	.free = view_free,
};

void
act_timeline(struct tui *t, int n, const char *arg)
{
	struct timeline *tl;
	struct object o;

	if (!tui_object(t, &o) || o.run == NULL) {
		tui_status(t, ROLE_STATUS,
		    "runs have a timeline; 6 shows them");
		return;
	}
	tl = mem_zalloc(sizeof(*tl));
	tl->v.ops = &timeline_ops;
	tl->v.t = t;
	memcpy(tl->run, o.run->id, sizeof(tl->run));
	tui_push(t, &tl->v);
}
