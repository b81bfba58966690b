/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An expanded plan for people and for programs ("plan show"). */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "plan/plan_private.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"

#define LABEL_CELLS 48

static void
put_safe(struct buf *out, const char *s)
{
	text_escape(out, s, strlen(s));
}

/* "  locks db, licence:2, read:config" */
static void
put_locks(const struct plan *p, const struct plan_terms *t, struct buf *out)
{
	const struct plan_hold *h;
	uint32_t i;

	for (i = 0; i < t->n_locks; i++) {
		h = &t->locks[i];
		buf_puts(out, i == 0 ? "  locks " : ", ");
		if (h->shared)
			buf_puts(out, "read:");
		put_safe(out, p->locks[h->lock].name);
		if (h->count > 1)
			buf_putf(out, ":%u", h->count);
	}
}

static void
put_needs(const struct plan *p, const struct plan_terms *t, struct buf *out)
{
	struct buf name = BUF_INIT;
	uint32_t i;

	for (i = 0; i < t->n_needs; i++) {
		buf_puts(out, i == 0 ? "  needs " : ", ");
		plan_ref_format(p, &t->needs[i], &name);
		put_safe(out, buf_str(&name));
		buf_clear(&name);
	}
	buf_done(&name);
}

static void
put_agents(const struct plan *p, const struct plan_terms *t, struct buf *out)
{
	struct buf text = BUF_INIT;
	uint32_t i;

	for (i = 0; i < t->n_agents; i++) {
		if (p->agents[t->agents[i]].terms.n == 0)
			continue;
		buf_puts(out, "  on ");
		selector_format(p->agents[t->agents[i]].selector, &text);
		put_safe(out, buf_str(&text));
		buf_clear(&text);
	}
	buf_done(&text);
}

static void
put_schedules(const struct plan *p, uint32_t no, struct buf *out)
{
	struct strvec list = STRVEC_INIT;
	size_t i;

	plan_exec_schedules(p, no, &list);
	for (i = 0; i < list.n; i++)
		buf_putf(out, "%s%s", i == 0 ? "  waits for " : "; ",
		    list.v[i]);
	strvec_done(&list);
}

static void
put_exec(const struct plan *p, uint32_t no, struct buf *out)
{
	const struct plan_exec *e = &p->execs[no - 1];
	const struct plan_terms *t = &p->terms[e->terms];
	char length[DURATION_TEXT];
	struct buf label = BUF_INIT;

	plan_exec_label(p, no, &label);
	buf_putf(out, "%7u  ", no);
	text_fit(out, buf_str(&label), LABEL_CELLS, false, true);
	if (e->n_steps > 1)
		buf_putf(out, "  %u steps", e->n_steps);
	if (t->estimate_us > 0)
		buf_putf(out, "  %s", duration_format(t->estimate_us,
		    length));
	if (t->workers > 1)
		buf_putf(out, "  %u workers", t->workers);
	if (t->pinned)
		buf_puts(out, "  pinned");
	put_agents(p, t, out);
	put_locks(p, t, out);
	put_needs(p, t, out);
	put_schedules(p, no, out);
	buf_putc(out, '\n');
	buf_done(&label);
}

static void
put_steps(const struct plan *p, const struct plan_exec *e, struct buf *out)
{
	struct buf label = BUF_INIT;
	uint32_t i;

	if (e->n_steps == 1)
		return;
	for (i = 0; i < e->n_steps; i++) {
		plan_step_label(p, &p->steps[e->first_step + i], &label);
		buf_puts(out, "           ");
		put_safe(out, buf_str(&label));
		buf_putc(out, '\n');
		buf_clear(&label);
	}
	buf_done(&label);
}

static const char *
plural(uint32_t n)
{
	return n == 1 ? "" : "s";
}

/* How the executions of a suite are formed. */
static const char *
way(const struct plan *p, uint32_t suite)
{
	if (p->suites[suite].props->shards > 0)
		return "shards";
	if (p->suites[suite].props->batch)
		return "batch";
	if (p->suites[suite].props->together > 0)
		return "together";
	return p->suites[suite].mode == MODE_SEQUENTIAL ? "sequential" :
	    parallel_name(plan_parallel(p, suite));
}

void
plan_show_text(const struct plan *p, struct buf *out)
{
	uint32_t i, suite = PLAN_NONE;

	put_safe(out, p->name);
	buf_putf(out, ": %u execution%s, %u step%s, order %s\n", p->n_execs,
	    plural(p->n_execs), p->n_steps, plural(p->n_steps),
	    order_name(p->order));
	for (i = 0; i < p->n_execs; i++) {
		if (p->execs[i].suite != suite) {
			suite = p->execs[i].suite;
			put_safe(out, p->suites[suite].path);
			buf_putf(out, " (%s)\n", way(p, suite));
		}
		put_exec(p, i + 1, out);
		put_steps(p, &p->execs[i], out);
	}
}

/* ---- JSON ---- */

/* A row is its number, or its name as text; null without data. */
static void
write_row(struct jw *w, const struct plan *p, const struct plan_step *s)
{
	char number[16];
	const char *name = plan_row_name(p, s, number);

	jw_key(w, "row");
	if (name == NULL)
		jw_null(w);
	else if (name == number)
		jw_int(w, (int64_t)s->row + 1);
	else
		jw_str(w, name);
}

static void
write_target(struct jw *w, const struct plan *p, uint32_t target)
{
	jw_kv_str(w, "target", target == PLAN_NONE ? NULL :
	    p->targets[target].name);
}

static void
write_steps(struct jw *w, const struct plan *p, const struct plan_exec *e)
{
	const struct plan_step *s = &p->steps[e->first_step];
	uint32_t i;

	jw_key(w, "steps");
	jw_array(w);
	for (i = 0; i < e->n_steps; i++, s++) {
		jw_object(w);
		jw_kv_str(w, "test", p->tests[s->test].name);
		write_row(w, p, s);
		write_target(w, p, s->target);
		jw_object_end(w);
	}
	jw_array_end(w);
}

static void
write_locks(struct jw *w, const struct plan *p, const struct plan_terms *t)
{
	uint32_t i;

	jw_key(w, "locks");
	jw_array(w);
	for (i = 0; i < t->n_locks; i++) {
		jw_object(w);
		jw_kv_str(w, "name", p->locks[t->locks[i].lock].name);
		jw_kv_int(w, "count", t->locks[i].count);
		jw_kv_bool(w, "shared", t->locks[i].shared);
		jw_object_end(w);
	}
	jw_array_end(w);
}

static void
write_names(struct jw *w, const struct plan *p, const struct plan_terms *t)
{
	struct buf name = BUF_INIT;
	const struct strvec *terms;
	uint32_t i;
	size_t k;

	jw_key(w, "agents");
	jw_array(w);
	for (i = 0; i < t->n_agents; i++) {
		terms = &p->agents[t->agents[i]].terms;
		for (k = 0; k < terms->n; k++)
			jw_str(w, terms->v[k]);
	}
	jw_array_end(w);
	jw_key(w, "needs");
	jw_array(w);
	for (i = 0; i < t->n_needs; i++) {
		plan_ref_format(p, &t->needs[i], &name);
		jw_str(w, buf_str(&name));
		buf_clear(&name);
	}
	jw_array_end(w);
	buf_done(&name);
}

static void
write_schedules(struct jw *w, const struct plan *p, uint32_t no)
{
	struct strvec list = STRVEC_INIT;
	size_t i;

	if (p->n_schedules == 0)
		return;
	plan_exec_schedules(p, no, &list);
	jw_key(w, "schedules");
	jw_array(w);
	for (i = 0; i < list.n; i++)
		jw_str(w, list.v[i]);
	jw_array_end(w);
	strvec_done(&list);
}

static void
write_exec(struct jw *w, const struct plan *p, uint32_t no)
{
	const struct plan_exec *e = &p->execs[no - 1];
	const struct plan_terms *t = &p->terms[e->terms];
	struct buf label = BUF_INIT;

	plan_exec_label(p, no, &label);
	jw_object(w);
	jw_kv_int(w, "id", no);
	jw_kv_str(w, "label", buf_str(&label));
	jw_kv_str(w, "suite", p->suites[e->suite].path);
	write_target(w, p, t->n_targets == 1 ? t->targets[0] : PLAN_NONE);
	write_steps(w, p, e);
	write_names(w, p, t);
	write_locks(w, p, t);
	write_schedules(w, p, no);
	if (e->group > 0)
		jw_kv_int(w, "together", e->group);
	jw_kv_int(w, "workers", t->workers);
	jw_kv_int(w, "priority", t->priority);
	jw_kv_int(w, "retries", t->retries);
	jw_kv_int(w, "error_retries", t->error_retries);
	jw_kv_bool(w, "pinned", t->pinned);
	jw_kv_bool(w, "repeatable", t->repeatable);
	jw_key(w, "estimate_s");
	if (t->estimate_us > 0)
		jw_real(w, (double)t->estimate_us / (double)US_PER_S);
	else
		jw_null(w);
	jw_object_end(w);
	buf_done(&label);
}

static void
write_suites(struct jw *w, const struct plan *p)
{
	uint32_t *counts = mem_calloc(p->n_suites, sizeof(*counts));
	uint32_t i, s;

	for (i = 0; i < p->n_execs; i++)
		for (s = p->execs[i].suite; s != PLAN_NONE;
		    s = p->suites[s].parent)
			counts[s]++;
	jw_key(w, "suites");
	jw_array(w);
	for (i = 0; i < p->n_suites; i++) {
		jw_object(w);
		jw_kv_str(w, "suite", p->suites[i].path);
		jw_kv_int(w, "executions", counts[i]);
		jw_object_end(w);
	}
	jw_array_end(w);
	free(counts);
}

void
plan_show_json(const struct plan *p, struct buf *out)
{
	struct jw w;
	uint32_t i;

	jw_init(&w, out);
	jw_object(&w);
	jw_kv_str(&w, "plan", p->name);
	jw_kv_str(&w, "order", order_name(p->order));
	jw_kv_int(&w, "steps", p->n_steps);
	write_suites(&w, p);
	jw_key(&w, "executions");
	jw_array(&w);
	for (i = 1; i <= p->n_execs; i++)
		write_exec(&w, p, i);
	jw_array_end(&w);
	jw_object_end(&w);
	buf_putc(out, '\n');
}
