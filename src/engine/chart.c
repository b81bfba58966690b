/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What came of a simulation for people: a chart, and what made it so long. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"
#include "yardmaster/model/chart.h"

#include "engine/simulation.h"

#define LABEL_MAX 24
#define BUSY_CELLS 7		/* of the last column, with its gap */
#define CELLS_MIN 10
#define LEAST_COST 0.05		/* that is spoken of */
#define FAR 2			/* a deadline so many times as late is not in
				 * the chart */

/* ---- the chart ------------------------------------------------------------------ */

struct glyphs {
	const char *idle, *bad, *end, *block[2];
};
static const struct glyphs glyphs[2] = {
	{ ".", "x", "|", { "#", "=" } },
	{ "·", "✗", "│", { "█", "▓" } },
};

struct drawing {
	const struct simulation *s;
	const struct glyphs *g;
	struct chart c;
	struct chart_cell *cells;
	size_t label, end;	/* cells of names; cell after the end */
	struct buf *out;
};

static struct chart_span *
spans_of(const struct simulation *s)
{
	struct chart_span *v = mem_calloc(s->result.n_rows, sizeof *v);
	const struct sim_row *row;
	size_t i;

	for (i = 0; i < s->result.n_rows; i++) {
		row = &s->result.rows[i];
		v[i] = (struct chart_span){ row->agent, row->worker,
			(uint32_t)i, row->start_us, row->end_us };
	}
	return v;
}

static void
put_name(const struct drawing *d, const struct chart_lane *l)
{
	const char *name = d->s->agents[l->agent].facts.name;
	struct buf b = BUF_INIT;

	if (l->worker > 0)
		buf_putf(&b, "%s#%u", name, l->worker);
	else
		buf_puts(&b, name);
	text_fit(d->out, buf_str(&b), d->label, false, true);
	buf_putc(d->out, ' ');
	buf_done(&b);
}

/* Longest name of a lane, within bounds. */
static size_t
label_cells(const struct simulation *s)
{
	size_t n, most = strlen("WORKER");
	uint32_t i;

	for (i = 0; i < s->n_agents; i++) {
		n = strlen(s->agents[i].facts.name) + strlen("#100");
		most = n > most ? n : most;
	}
	return most < LABEL_MAX ? most : LABEL_MAX;
}

/* Executions that follow each other differ. */
static void
put_worker(const struct drawing *d)
{
	const struct chart_cell *c = d->cells;
	uint32_t was = 0, kind = 1;
	size_t i;

	for (i = 0; i < d->c.cells; i++) {
		if (i == d->end)
			buf_puts(d->out, d->g->end);
		if (c[i].busy > 0) {
			kind ^= c[i].span != was;
			was = c[i].span;
		}
		if (c[i].busy == 0)
			buf_puts(d->out, d->g->idle);
		else if (c[i].begins && d->s->result.rows[d->c.v[c[i].span -
		    1].what].outcome != OUTCOME_PASSED)
			buf_puts(d->out, d->g->bad);
		else
			buf_puts(d->out, d->g->block[kind]);
	}
}

static void
put_agent(const struct drawing *d)
{
	size_t i;

	for (i = 0; i < d->c.cells; i++) {
		if (i == d->end)
			buf_puts(d->out, d->g->end);
		if (d->cells[i].busy == 0)
			buf_puts(d->out, d->g->idle);
		else
			buf_putc(d->out, d->cells[i].busy > 9 ? '+' :
			    (char)('0' + d->cells[i].busy));
	}
}

/* In percent of the time until the end, over the workers of the lane. */
static int
busy_part(const struct drawing *d, const struct chart_lane *l)
{
	const struct sim_result *r = &d->s->result;
	double busy = 0, all = (double)r->makespan_us;
	size_t i;

	for (i = 0; i < r->n_rows; i++)
		if (r->rows[i].agent == l->agent && (l->worker == 0 ||
		    r->rows[i].worker == l->worker))
			busy += (double)(r->rows[i].end_us -
			    r->rows[i].start_us) * (l->worker > 0 ? 1 :
			    simulation_width(d->s, r->rows[i].exec));
	if (l->worker == 0)
		all *= d->s->agents[l->agent].facts.max_workers;
	return (int)(busy * 100 / all + 0.5);
}

static void
put_scale(const struct drawing *d)
{
	char text[DURATION_TEXT];

	duration_format(d->c.to_us, text);
	text_fit(d->out, d->c.by_agent ? "AGENT" : "WORKER", d->label, false,
	    true);
	buf_putf(d->out, " 0%*s   BUSY\n", (int)d->c.cells, text);
}

static void
put_lanes(struct drawing *d, size_t max)
{
	const struct chart_lane *l;
	size_t i;

	for (i = 0; i < d->c.n_lanes && i < max; i++) {
		l = &d->c.lanes[i];
		chart_lane(&d->c, i, d->cells);
		put_name(d, l);
		if (d->c.by_agent)
			put_agent(d);
		else
			put_worker(d);
		if (d->end >= d->c.cells)
			buf_puts(d->out, d->g->end);
		buf_putf(d->out, "  %3d%%\n", busy_part(d, l));
	}
	if (i < d->c.n_lanes)
		buf_putf(d->out, "and %zu more\n", d->c.n_lanes - i);
}

void
simulate_chart(const struct simulation *s, const struct chart_look *look,
    struct buf *out)
{
	struct drawing d = { .s = s, .g = &glyphs[look->utf8], .out = out,
		.label = label_cells(s) };
	int64_t end_us = s->result.makespan_us;
	struct chart_span *v = spans_of(s);
	size_t used = d.label + 2 + BUSY_CELLS;

	if (s->p->deadline_us > end_us && s->p->deadline_us < FAR * end_us)
		end_us = s->p->deadline_us;
	chart_make(&d.c, v, s->result.n_rows, look->lines,
	    look->width > used + CELLS_MIN ? look->width - used : CELLS_MIN,
	    end_us);
	if (s->result.makespan_us > 0) {
		d.cells = mem_calloc(d.c.cells, sizeof *d.cells);
		d.end = chart_at(&d.c, s->result.makespan_us - 1) + 1;
		put_scale(&d);
		put_lanes(&d, look->lines);
	}
	free(d.cells);
	chart_done(&d.c);
	free(v);
}

/* ---- what made it so long ------------------------------------------------------ */

static uint32_t
attempts_again(const struct simulation *s)
{
	uint32_t n = 0;
	size_t i;

	for (i = 0; i < s->result.n_rows; i++)
		n += s->result.rows[i].attempt > 1;
	return n;
}

static const char *
fastest_name(const struct simulation *s)
{
	uint32_t i, best = 0;

	for (i = 1; i < s->n_agents; i++)
		if (s->agents[i].speed > s->agents[best].speed)
			best = i;
	return s->agents[best].facts.name;
}

static void
cause_text(const struct simulation *s, enum cause cause, struct buf *out)
{
	static const char *const texts[CAUSES] = {
		[CAUSE_LIMITS] = "locks, exclusions and limits",
		[CAUSE_NEEDS] = "waiting for what is needed",
		[CAUSE_LENGTHS] = "lengths that were unknown or other than "
		    "predicted",
		[CAUSE_TRIPS] = "messages on their way",
		[CAUSE_END] = "workers with nothing left at the end, on "
		    "average",
	};
	char time[DURATION_TEXT];

	if (texts[cause] != NULL)
		buf_puts(out, texts[cause]);
	else if (cause == CAUSE_START)
		buf_putf(out, "starting %zu processes, %s each",
		    s->result.n_rows, duration_format(
		    s->sim_opts.startup_us, time));
	else if (cause == CAUSE_RETRIES)
		buf_putf(out, "%u attempts that were tries again",
		    attempts_again(s));
	else if (cause == CAUSE_SLOW)
		buf_putf(out, "agents slower than %s", fastest_name(s));
	else if (cause == CAUSE_LONGEST) {
		buf_puts(out, "more than an equal share in one, most in ");
		plan_exec_label(s->p, s->longest, out);
	}
}

static void
put_causes(const struct simulation *s, struct buf *out)
{
	struct buf text = BUF_INIT;
	char cost[DURATION_TEXT];
	uint32_t i;

	if (s->n_causes > 0)
		buf_puts(out, "without each of these it would take less by:\n");
	for (i = 0; i < s->n_causes; i++) {
		buf_clear(&text);
		cause_text(s, s->causes[i].cause, &text);
		buf_putf(out, "%9s  ", duration_format(s->causes[i].cost_us,
		    cost));
		text_escape(out, buf_str(&text), buf_len(&text));
		buf_putc(out, '\n');
	}
	buf_done(&text);
}

static double
minutes(const struct expense *e)
{
	return (double)e->held_us / (60.0 * US_PER_S);
}

static bool
is_priced(const struct simulation *s)
{
	uint32_t i;

	for (i = 0; i < s->n_agents; i++)
		if (s->cost_per_hour[i] > 0)
			return true;
	return false;
}

/* "saves 2.5 worker-minutes", or that it takes them. */
static void
put_saved(const char *what, double saved, struct buf *out)
{
	bool more = saved <= -0.05;	/* else it reads 0.0 */

	buf_putf(out, "%s %.1f %s", more ? "takes" : "saves",
	    more ? -saved : saved > 0 ? saved : 0, what);
}

/* It is too short, or what is predicted is too far from what will be. */
static void
put_missed(const struct simulation *s, const struct expense *e,
    const char *deadline, struct buf *out)
{
	int64_t first_us = s->full.makespan_us < e->makespan_us ?
	    s->full.makespan_us : e->makespan_us;
	char end[DURATION_TEXT], first[DURATION_TEXT];

	duration_format(first_us, first);
	if (first_us > s->p->deadline_us)
		buf_putf(out, "deadline %s: cannot be met, the earliest end "
		    "is at %s with %u workers\n", deadline, first,
		    s->full.workers);
	else
		buf_putf(out, "deadline %s: missed, the end is at %s, as "
		    "tests take longer than predicted; at %s without a "
		    "deadline\n", deadline, duration_format(e->makespan_us,
		    end), first);
}

static void
put_deadline(const struct simulation *s, struct buf *out)
{
	char end[DURATION_TEXT], deadline[DURATION_TEXT];
	struct expense e;
	double saved;

	if (s->p->deadline_us <= 0)
		return;
	expense_of(s, &s->result, &e);
	duration_format(s->p->deadline_us, deadline);
	if (e.makespan_us > s->p->deadline_us) {
		put_missed(s, &e, deadline, out);
		return;
	}
	buf_putf(out, "deadline %s: met at %s with %u worker%s; ", deadline,
	    duration_format(e.makespan_us, end), e.workers,
	    e.workers == 1 ? "" : "s");
	put_saved("worker-minutes", minutes(&s->full) - minutes(&e), out);
	saved = s->full.cost - e.cost;
	if (saved > LEAST_COST || saved < -LEAST_COST) {
		buf_puts(out, ", ");
		put_saved("of cost", saved, out);
	}
	buf_putf(out, " against %s with %u\n", duration_format(
	    s->full.makespan_us, end), s->full.workers);
}

void
simulate_reasons(const struct simulation *s, struct buf *out)
{
	put_causes(s, out);
	put_deadline(s, out);
}

/* ---- the same as JSON ------------------------------------------------------------ */

static void
write_expense(const struct simulation *s, const struct expense *e,
    struct jw *w)
{
	jw_kv_seconds(w, "end_s", e->makespan_us);
	jw_kv_int(w, "workers", e->workers);
	jw_kv_real(w, "worker_minutes", minutes(e));
	jw_key(w, "cost");
	if (is_priced(s))
		jw_real(w, e->cost);
	else
		jw_null(w);
}

static void
write_deadline(const struct simulation *s, struct jw *w)
{
	struct expense e;

	jw_key(w, "deadline");
	if (s->p->deadline_us <= 0) {
		jw_null(w);
		return;
	}
	expense_of(s, &s->result, &e);
	jw_object(w);
	jw_kv_seconds(w, "deadline_s", s->p->deadline_us);
	jw_kv_bool(w, "met", e.makespan_us <= s->p->deadline_us);
	write_expense(s, &e, w);
	jw_key(w, "full_width");
	jw_object(w);
	write_expense(s, &s->full, w);
	jw_object_end(w);
	jw_object_end(w);
}

void
simulate_write_facts(const struct simulation *s, struct jw *w)
{
	struct buf text = BUF_INIT;
	uint32_t i;

	jw_key(w, "ratio");
	if (s->result.bound_us > 0)
		jw_real(w, (double)s->result.makespan_us /
		    (double)s->result.bound_us);
	else
		jw_null(w);
	jw_key(w, "causes");
	jw_array(w);
	for (i = 0; i < s->n_causes; i++) {
		buf_clear(&text);
		cause_text(s, s->causes[i].cause, &text);
		jw_object(w);
		jw_kv_str(w, "cause", cause_name(s->causes[i].cause));
		jw_kv_seconds(w, "cost_s", s->causes[i].cost_us);
		jw_kv_str(w, "text", buf_str(&text));
		jw_object_end(w);
	}
	jw_array_end(w);
	buf_done(&text);
	write_deadline(s, w);
}
