/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What came of a simulation: the timeline, the order of starts. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/ident.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"

#include "engine/simulation.h"

static void
write_step(const struct simulation *s, const struct sim_step *st,
    struct jw *w)
{
	const struct plan *p = s->p;
	const struct plan_exec *x = &p->execs[st->exec - 1];
	const struct plan_step *step = &p->steps[x->first_step + st->step];
	const char *row;
	char number[16];

	row = plan_row_name(p, step, number);
	jw_object(w);
	jw_kv_str(w, "test", p->tests[step->test].name);
	if (row == number)
		jw_kv_int(w, "row", strtol(number, NULL, 10));
	else
		jw_kv_str(w, "row", row);
	jw_kv_str(w, "target", step->target != PLAN_NONE ?
	    p->targets[step->target].name : NULL);
	jw_kv_seconds(w, "start_s", st->start_us);
	jw_kv_seconds(w, "end_s", st->end_us);
	jw_object_end(w);
}

static void
write_row(const struct simulation *s, const struct sim_row *row, struct jw *w)
{
	const struct plan *p = s->p;
	const struct plan_exec *x = &p->execs[row->exec - 1];
	uint32_t target = p->steps[x->first_step].target, i;
	char id[IDENT_TEXT];
	struct ident ident = { .execution = row->exec };

	memcpy(ident.run, SIMULATED_RUN, sizeof SIMULATED_RUN);
	jw_object(w);
	jw_kv_str(w, "id", ident_format(&ident, id));
	jw_kv_str(w, "suite", p->suites[x->suite].path);
	jw_kv_str(w, "target", target != PLAN_NONE ? p->targets[target].name :
	    NULL);
	jw_kv_int(w, "attempt", row->attempt);
	jw_kv_str(w, "agent", s->agents[row->agent].facts.name);
	jw_kv_int(w, "worker", row->worker);
	jw_kv_str(w, "tier", tier_name(row->tier));
	jw_kv_str(w, "outcome", outcome_name(row->outcome));
	jw_kv_seconds(w, "start_s", row->start_us);
	jw_kv_seconds(w, "end_s", row->end_us);
	jw_key(w, "steps");
	jw_array(w);
	for (i = 0; i < row->n_steps; i++)
		write_step(s, &s->result.steps[row->first_step + i], w);
	jw_array_end(w);
	jw_object_end(w);
}

static void
write_rows(const struct simulation *s, const struct sim_row *rows,
    const char *key, struct jw *w)
{
	size_t i;

	jw_key(w, key);
	jw_array(w);
	for (i = 0; i < s->result.n_rows; i++)
		write_row(s, &rows[i], w);
	jw_array_end(w);
}

void
simulate_write_rows(const struct simulation *s, const char *key, struct jw *w)
{
	write_rows(s, s->result.rows, key, w);
}

void
simulate_json(const struct simulation *s, struct buf *out)
{
	struct jw w;

	jw_init(&w, out);
	jw_object(&w);
	jw_kv_seconds(&w, "makespan_s", s->result.makespan_us);
	jw_kv_seconds(&w, "lower_bound_s", s->result.bound_us);
	simulate_write_facts(s, &w);
	simulate_write_rows(s, "executions", &w);
	jw_object_end(&w);
}

/* ---- the order of starts ---------------------------------------------------- */

static int
by_decision(const void *pa, const void *pb)
{
	const struct sim_row *a = pa, *b = pb;

	if (a->start_us != b->start_us)
		return a->start_us < b->start_us ? -1 : 1;
	return a->decision < b->decision ? -1 : a->decision > b->decision;
}

/* The rows; those that start at one instant as they were decided. The caller
 * frees. */
static struct sim_row *
ordered(const struct simulation *s)
{
	size_t n = s->result.n_rows;
	struct sim_row *v = mem_calloc(n, sizeof *v);

	if (n > 0) {
		memcpy(v, s->result.rows, n * sizeof *v);
		qsort(v, n, sizeof *v, by_decision);
	}
	return v;
}

/* By number - 1: it starts. The caller frees. */
static bool *
started(const struct simulation *s)
{
	bool *v = mem_calloc(s->p->n_execs, sizeof *v);
	size_t i;

	for (i = 0; i < s->result.n_steps; i++)
		v[s->result.steps[i].exec - 1] = true;
	return v;
}

static void
put_label(const struct simulation *s, uint32_t exec, struct buf *out)
{
	struct buf label = BUF_INIT;

	plan_exec_label(s->p, exec, &label);
	text_escape(out, buf_str(&label), buf_len(&label));
	buf_done(&label);
}

static void
order_line(const struct simulation *s, size_t i, const struct sim_row *row,
    struct buf *out)
{
	char start[DURATION_TEXT], took[DURATION_TEXT];

	buf_putf(out, "%5zu  %7s  %7s  ", i + 1,
	    duration_format(row->start_us, start),
	    duration_format(row->end_us - row->start_us, took));
	put_label(s, row->exec, out);
	buf_putf(out, "  %s#%u", s->agents[row->agent].facts.name,
	    row->worker);
	if (row->attempt > 1)
		buf_putf(out, "  attempt %u", row->attempt);
	buf_putc(out, '\n');
}

void
simulate_order_text(const struct simulation *s, struct buf *out)
{
	struct sim_row *rows = ordered(s);
	bool *starts = started(s);
	struct simulated sum;
	uint32_t i;
	size_t k;

	simulation_sum(s, &sum);
	buf_putf(out, "%5s  %7s  %7s  %s\n", "#", "START", "TAKES",
	    "EXECUTION");
	for (k = 0; k < s->result.n_rows; k++)
		order_line(s, k, &rows[k], out);
	for (i = 1; i <= s->p->n_execs; i++) {
		if (starts[i - 1])
			continue;
		buf_putf(out, "%5s  %7s  %7s  ", "-", "never", "");
		put_label(s, i, out);
		buf_putc(out, '\n');
	}
	buf_putf(out, "order %s", order_name(sum.order));
	if (sum.unknown > 0)
		buf_putf(out, "; %u execution%s of unknown length count%s as "
		    "60s a step", sum.unknown, sum.unknown == 1 ? "" : "s",
		    sum.unknown == 1 ? "s" : "");
	buf_putc(out, '\n');
	free(starts);
	free(rows);
}

void
simulate_order_json(const struct simulation *s, struct buf *out)
{
	struct sim_row *rows = ordered(s);
	bool *starts = started(s);
	struct buf label = BUF_INIT;
	struct simulated sum;
	struct jw w;
	uint32_t i;

	simulation_sum(s, &sum);
	jw_init(&w, out);
	jw_object(&w);
	jw_kv_str(&w, "order", order_name(sum.order));
	jw_kv_seconds(&w, "makespan_s", sum.makespan_us);
	jw_kv_int(&w, "unknown", sum.unknown);
	write_rows(s, rows, "executions", &w);
	jw_key(&w, "never");
	jw_array(&w);
	for (i = 1; i <= s->p->n_execs; i++) {
		if (starts[i - 1])
			continue;
		buf_clear(&label);
		plan_exec_label(s->p, i, &label);
		jw_str(&w, buf_str(&label));
	}
	jw_array_end(&w);
	jw_object_end(&w);
	buf_done(&label);
	free(starts);
	free(rows);
}
