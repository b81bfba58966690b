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
#include "tui/cells.h"

#define LABEL 16

struct lane {
	int agent;
	uint16_t worker;	/* 0: the whole agent */
};

struct timeline {
	struct view v;
	char run[RUN_ID_SIZE];
	size_t first;
	int page;
};

/* What is drawn, worked out anew for each frame. */
struct plot {
	const struct run *run;
	struct lane *lanes;
	size_t n;
	bool by_agent;
	int64_t from_us, to_us;
	int cells;
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

static int
compare_lanes(const void *pa, const void *pb)
{
	const struct lane *a = pa, *b = pb;

	if (a->agent != b->agent)
		return a->agent < b->agent ? -1 : 1;
	return (a->worker > b->worker) - (a->worker < b->worker);
}

/* One lane for each worker that did something; sorted, each once. */
static void
find_lanes(const struct tui *t, struct plot *p)
{
	const struct execution *x;
	int64_t from, to;
	size_t i, n = 0;

	p->lanes = mem_calloc(p->run->n + 1, sizeof(*p->lanes));
	for (i = 0; i < p->run->n; i++) {
		x = &p->run->executions[i];
		if (!span_of(t, x, &from, &to))
			continue;
		p->lanes[n].agent = x->agent;
		p->lanes[n++].worker = p->by_agent ? 0 : x->worker;
		if (p->from_us == 0 || from < p->from_us)
			p->from_us = from;
		if (to > p->to_us)
			p->to_us = to;
	}
	if (n > 1)
		qsort(p->lanes, n, sizeof(*p->lanes), compare_lanes);
	for (i = 0; i < n; i++)
		if (p->n == 0 ||
		    compare_lanes(&p->lanes[p->n - 1], &p->lanes[i]) != 0)
			p->lanes[p->n++] = p->lanes[i];
}

static int
cell_at(const struct plot *p, int64_t us)
{
	int64_t span = p->to_us - p->from_us;

	if (span <= 0)
		return 0;
	return (int)((us - p->from_us) * (p->cells - 1) / span);
}

/* The letter of a block, so that it is told apart without colour. */
static void
draw_block(const struct tui *t, const struct plot *p, struct surface *s,
    int x, int y, const struct execution *e, int64_t from, int64_t to)
{
	const struct state_look *look = theme_state(&t->theme, LOOK_EXEC,
	    e->state);
	int a = cell_at(p, from), b = cell_at(p, to), i;

	for (i = a; i <= b; i++)
		surface_text(s, x + i, y, 1, look->style,
		    i == a ? theme_glyph(&t->theme, LOOK_EXEC, e->state,
			s->utf8) : "=");
}

static void
draw_worker_lane(const struct tui *t, const struct plot *p,
    struct surface *s, struct rect r, const struct lane *lane)
{
	const struct execution *x;
	int64_t from, to;
	uint32_t i;

	for (i = 0; i < p->run->n; i++) {
		x = &p->run->executions[i];
		if (x->agent == lane->agent && x->worker == lane->worker &&
		    span_of(t, x, &from, &to))
			draw_block(t, p, s, r.x, r.y, x, from, to);
	}
}

static void
draw_agent_lane(const struct tui *t, const struct plot *p,
    struct surface *s, struct rect r, const struct lane *lane)
{
	struct style style = { ROLE_GAUGE_USED, 0 };
	uint16_t *busy = mem_calloc((size_t)p->cells + 1, sizeof(*busy));
	const struct execution *x;
	int64_t from, to;
	uint32_t i;
	int c;

	for (i = 0; i < p->run->n; i++) {
		x = &p->run->executions[i];
		if (x->agent != lane->agent || !span_of(t, x, &from, &to))
			continue;
		for (c = cell_at(p, from); c <= cell_at(p, to); c++)
			busy[c]++;
	}
	for (c = 0; c < p->cells; c++)
		if (busy[c] > 0)
			surface_printf(s, r.x + c, r.y, 1, style,
			    busy[c] < 10 ? "%u" : "+", busy[c]);
	free(busy);
}

static void
draw_lane(const struct tui *t, const struct plot *p, struct surface *s,
    struct rect r, const struct lane *lane)
{
	struct style plain = { ROLE_NORMAL, 0 }, dim = { ROLE_GAUGE_FREE, 0 };
	const struct agent *a = engine_agent(t->engine, (size_t)lane->agent);
	int i;

	if (lane->worker > 0)
		surface_printf(s, r.x, r.y, LABEL - 1, plain, "%s/%u",
		    a->name, lane->worker);
	else
		surface_text(s, r.x, r.y, LABEL - 1, plain, a->name);
	r.x += LABEL;
	for (i = 0; i < p->cells; i++)
		surface_text(s, r.x + i, r.y, 1, dim, ".");
	if (p->by_agent)
		draw_agent_lane(t, p, s, r, lane);
	else
		draw_worker_lane(t, p, s, r, lane);
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
	    p->by_agent ? "AGENT" : "WORKER");
	surface_text(s, r.x + LABEL, r.y, 2, style, "0");
	duration_format(p->to_us - p->from_us, text);
	surface_text(s, r.x + r.w - (int)strlen(text), r.y,
	    (int)strlen(text), style, text);
	if (p->run->state == RUN_ENDED || predicted <= t->now_us)
		return;
	surface_text(s, r.x + LABEL + cell_at(p, t->now_us), r.y, 4, style,
	    "now");
	surface_text(s, r.x + LABEL + cell_at(p, predicted), r.y, 1, end,
	    "E");
}

static void
draw(struct view *v, struct surface *s, struct rect r)
{
	struct timeline *tl = (struct timeline *)v;
	struct plot p = { .cells = r.w - LABEL };
	struct style dim = { ROLE_DIM, 0 };
	size_t i;

	p.run = engine_run_find(v->t->engine, tl->run);
	if (p.run == NULL || p.run->executions == NULL || p.cells < 4) {
		surface_text(s, r.x + 2, r.y, r.w - 2, dim, "not loaded");
		return;
	}
	find_lanes(v->t, &p);
	if (p.n > (size_t)r.h - 1) {
		free(p.lanes);
		p.n = 0;
		p.by_agent = true;
		find_lanes(v->t, &p);
	}
	if (p.run->state != RUN_ENDED && p.run->predicted_end_us > p.to_us)
		p.to_us = p.run->predicted_end_us;
	draw_scale(v->t, &p, s, r);
	tl->page = r.h - 1;
	if (tl->first >= p.n)
		tl->first = 0;
	for (i = tl->first; i < p.n && ++r.y < s->h && --r.h > 0; i++)
		draw_lane(v->t, &p, s, r, &p.lanes[i]);
	if (p.n == 0)
		surface_text(s, r.x + 2, r.y + 1, r.w - 2, dim,
		    "nothing has run yet");
	free(p.lanes);
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
