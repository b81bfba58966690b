/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Plans pane, and what is done with a plan that is to be launched. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/when.h"
#include "tui/cells.h"
#include "tui/launch.h"
#include "tui/pager.h"

/* What a plan file came to when it was looked at last. */
struct plan_info {
	bool looked;
	bool valid, discovers;
	char name[80];
	char fault[200];
	char *file;		/* absolute, links followed; NULL: gone */
	uint32_t suites, tests, execs;
};

struct plan_cache {
	struct plan_info *v;
	size_t n;
};

void
plan_cache_free(struct plan_cache *c)
{
	size_t i;

	if (c == NULL)
		return;
	for (i = 0; i < c->n; i++)
		free(c->v[i].file);
	free(c->v);
	free(c);
}

static void
look(const char *path, struct plan_info *ret)
{
	struct diags ds = DIAGS_INIT;
	struct plan *p = NULL;
	int r = plan_load(path, &ds, &p);

	ret->looked = true;
	ret->file = realpath(path, NULL);
	if (r == 0) {
		snprintf(ret->name, sizeof(ret->name), "%s", p->name);
		ret->discovers = plan_discovers(p);
		ret->suites = p->n_suites;
		if (!ret->discovers)
			r = plan_expand(p, NULL, &ds);
		ret->tests = p->n_tests;
		ret->execs = p->n_execs;
	}
	ret->valid = r == 0;
	if (r < 0)
		snprintf(ret->fault, sizeof(ret->fault), "%s",
		    ds.n > 0 ? ds.v[0].text : err_text(r));
	plan_free(p);
	diags_done(&ds);
}

static const struct plan_info *
info_of(const struct tui *t, size_t i)
{
	return &t->plans->v[i];
}

static void
text_plan(const struct tui *t, const struct object *o, struct cellout *out)
{
	const struct plan_info *in = info_of(t, o->plan);

	buf_puts(out->b, in->name[0] != '\0' ? in->name
	    : tui_plan(t, o->plan));
}

static void
text_tests(const struct tui *t, const struct object *o, struct cellout *out)
{
	const struct plan_info *in = info_of(t, o->plan);

	if (in->discovers)
		buf_puts(out->b, "found at launch");
	else if (in->valid)
		buf_putf(out->b, "%u", in->tests);
}

static void
text_execs(const struct tui *t, const struct object *o, struct cellout *out)
{
	const struct plan_info *in = info_of(t, o->plan);

	if (in->valid && !in->discovers)
		buf_putf(out->b, "%u", in->execs);
}

/* The newest run of that plan. */
static const struct run *
last_run(const struct tui *t, const char *name)
{
	const struct run *r;
	size_t i;

	for (i = 0; i < engine_run_count(t->engine); i++) {
		r = engine_run(t->engine, i);
		if (r->plan != NULL && strcmp(r->plan, name) == 0)
			return r;
	}
	return NULL;
}

static void
text_last(const struct tui *t, const struct object *o, struct cellout *out)
{
	const struct plan_info *in = info_of(t, o->plan);
	const struct run *r = last_run(t, in->name);
	uint32_t bad;

	if (!in->valid) {
		out->style.role = ROLE_BAD;
		buf_putf(out->b, "invalid: %s", in->fault);
		return;
	}
	if (r == NULL)
		return;
	bad = r->counts.n[EXEC_FAILED] + r->counts.n[EXEC_TIMEOUT] +
	    r->counts.n[EXEC_ERROR];
	out->style.role = bad > 0 ? ROLE_BAD : ROLE_NORMAL;
	if (r->state != RUN_ENDED)
		buf_putf(out->b, "%s, %u of %u", run_state_name(r->state),
		    counts_final(&r->counts), counts_total(&r->counts));
	else if (bad > 0)
		buf_putf(out->b, "%u failed of %u", bad,
		    counts_total(&r->counts));
	else
		buf_putf(out->b, "all %u well", counts_total(&r->counts));
}

/* The next time that it is launched by itself: month, day and time. */
static void
text_next(const struct tui *t, const struct object *o, struct cellout *out)
{
	const struct plan_info *in = info_of(t, o->plan);
	const struct scheduled *s;
	int64_t next_us = 0;
	char at[WHEN_TEXT];
	size_t i;

	for (i = 0; i < engine_schedule_count(t->engine); i++) {
		s = engine_schedule(t->engine, i);
		if (s->ours && s->next_wall_us > 0 && in->file != NULL &&
		    strcmp(s->plan, in->file) == 0 &&
		    (next_us == 0 || s->next_wall_us < next_us))
			next_us = s->next_wall_us;
	}
	if (next_us > 0)
		buf_put(out->b, when_format(next_us, at) + 5, 11);
}

static void
text_file(const struct tui *t, const struct object *o, struct cellout *out)
{
	buf_puts(out->b, tui_plan(t, o->plan));
}

static const struct column columns[] = {
	{ "plan", "PLAN", 10, 24, 0, false, text_plan, NULL },
	{ "tests", "TESTS", 6, 6, 1, true, text_tests, NULL },
	{ "executions", "EXECS", 6, 6, 2, true, text_execs, NULL },
	{ "last", "LAST RESULT", 14, 24, 3, false, text_last, NULL },
	{ "next", "NEXT START", 11, 11, 4, false, text_next, NULL },
	{ "file", "FILE", 8, 0, 5, false, text_file, NULL },
	{ NULL }
};

static void
build(struct tui *t, struct table *tb)
{
	struct object o = { .kind = OBJ_PLAN };
	size_t i, n = tui_plan_count(t);

	if (t->plans == NULL) {
		t->plans = mem_zalloc(sizeof(*t->plans));
		t->plans->v = mem_calloc(n + 1, sizeof(*t->plans->v));
		t->plans->n = n;
	}
	for (i = 0; i < n; i++) {
		if (!t->plans->v[i].looked)
			look(tui_plan(t, i), &t->plans->v[i]);
		o.plan = i;
		o.id = rowid_plain(OBJ_PLAN, i);
		table_add(tb, &o);
	}
}

static void
fill_faults(struct tui *t, const void *arg, int cells, struct lines *out)
{
	struct diags ds = DIAGS_INIT;
	struct buf b = BUF_INIT;
	struct plan *p = NULL;
	size_t i;

	if (plan_load(arg, &ds, &p) == 0 && !plan_discovers(p))
		plan_expand(p, NULL, &ds);
	for (i = 0; i < ds.n; i++) {
		buf_clear(&b);
		diag_format(&ds.v[i], &b);
		lines_wrap(out, ds.v[i].level == DIAG_ERROR ? ROLE_BAD
		    : ROLE_WARN, cells, 0, buf_str(&b));
	}
	plan_free(p);
	buf_done(&b);
	diags_done(&ds);
}

static void
launch_plan(struct tui *t, const char *path)
{
	struct diags ds = DIAGS_INIT;
	struct plan *p = NULL;
	int r = plan_load(path, &ds, &p);

	if (r == 0 && plan_discovers(p)) {
		discovering_open(t, path);
	} else if (r == 0 && (r = plan_expand(p, NULL, &ds)) == 0) {
		launch_open(t, p);
		p = NULL;
	} else {
		pager_open(t, "Faults of the plan", fill_faults, path,
		    strlen(path) + 1);
	}
	plan_free(p);
	diags_done(&ds);
}

void
act_launch(struct tui *t, int n, const char *arg)
{
	struct object o;

	if (arg != NULL)
		launch_plan(t, arg);
	else if (tui_object(t, &o) && o.kind == OBJ_PLAN)
		launch_plan(t, tui_plan(t, o.plan));
	else
		tui_go(t, 5);
}

static void
open_plan(struct tui *t, const struct object *o)
{
	if (tui_is_read_only(t))
		tui_status(t, ROLE_STATUS_WARN, "read-only: not launched");
	else
		launch_plan(t, tui_plan(t, o->plan));
}

const struct pane pane_plans = { "plans", "Plans",
	"no plan file here; :launch FILE takes any", columns, -1, false,
	build, open_plan, NULL };
