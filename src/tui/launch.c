/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Plans pane, and launching one of them after a preview. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "tui/cells.h"
#include "tui/confirm.h"
#include "tui/pager.h"

/* What a plan file came to when it was looked at last. */
struct plan_info {
	bool looked;
	bool valid, discovers;
	char name[80];
	char fault[200];
	uint32_t suites, tests, execs;
};

struct plan_cache {
	struct plan_info *v;
	size_t n;
};

void
plan_cache_free(struct plan_cache *c)
{
	if (c == NULL)
		return;
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

static void
text_file(const struct tui *t, const struct object *o, struct cellout *out)
{
	buf_puts(out->b, tui_plan(t, o->plan));
}

static const struct column columns[] = {
	{ "plan", "PLAN", 12, 24, 0, false, text_plan, NULL },
	{ "tests", "TESTS", 6, 6, 1, true, text_tests, NULL },
	{ "executions", "EXECS", 6, 6, 2, true, text_execs, NULL },
	{ "last", "LAST RESULT", 14, 24, 3, false, text_last, NULL },
	{ "file", "FILE", 12, 0, 4, false, text_file, NULL },
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

	plan_load(arg, &ds, &p);
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

/* A plan that is about to be launched. */
struct launching {
	struct plan *plan;
};

static void
launch_done(void *arg)
{
	struct launching *l = arg;

	plan_free(l->plan);
	free(l);
}

static void
launch_yes(struct tui *t, void *arg)
{
	struct launching *l = arg;
	struct launch launch = { .plan = l->plan };
	struct diags ds = DIAGS_INIT;
	char id[RUN_ID_SIZE];
	int r = engine_launch(t->engine, &launch, &ds, id);

	if (r < 0) {
		tui_status(t, ROLE_STATUS_BAD, "not launched: %s",
		    ds.n > 0 ? ds.v[0].text : err_text(r));
	} else {
		l->plan = NULL;
		tui_go(t, 6);
		table_rebuild(tui_table(t), false);
		table_seek(tui_table(t), rowid_run(id));
		tui_status(t, ROLE_STATUS_GOOD, "run %s started", id);
	}
	diags_done(&ds);
}

static const struct confirm_ops launch_ops = { launch_yes, launch_done };

/* What the launch would do, from the plan and the fleet as it is now. */
static void
fill_preview(struct tui *t, const struct plan *p, const struct diags *ds,
    struct lines *out)
{
	size_t i, up = 0, agents = engine_agent_count(t->engine);
	const struct agent *a;
	uint32_t workers = 0, free = 0;

	for (i = 0; i < agents; i++) {
		a = engine_agent(t->engine, i);
		if (a->link != LINK_UP || !a->known)
			continue;
		up++;
		workers += a->facts.effective;
		if (a->facts.effective > a->facts.busy)
			free += a->facts.effective - a->facts.busy;
	}
	lines_fact(out, "plan", ROLE_STRONG, "%s", p->name);
	lines_fact(out, "executions", ROLE_STRONG, "%u", p->n_execs);
	lines_fact(out, "steps", ROLE_DIALOG, "%u of %u test%s in %u suite%s",
	    p->n_steps, p->n_tests, plural(p->n_tests), p->n_suites,
	    plural(p->n_suites));
	if (p->n_targets > 0)
		lines_fact(out, "targets", ROLE_DIALOG, "%u", p->n_targets);
	lines_fact(out, "order", ROLE_DIALOG, "%s, priority %d",
	    order_name(p->order), p->priority);
	lines_fact(out, "agents up", up > 0 ? ROLE_DIALOG : ROLE_BAD,
	    "%zu of %zu, %u workers for distributed work, %u free now", up,
	    agents, workers, free);
	if (up == 1)
		lines_add(out, ROLE_WARN,
		    "one agent: nothing is there to distribute over");
	for (i = 0; i < ds->n && i < 4; i++)
		lines_add(out, ROLE_WARN, "%s", ds->v[i].text);
}

static void
launch_plan(struct tui *t, const char *path)
{
	struct launching *l;
	struct lines lines = { .n = 0 };
	struct diags ds = DIAGS_INIT;
	struct plan *p = NULL;
	int r = plan_load(path, &ds, &p);

	if (r == 0 && plan_discovers(p)) {
		tui_status(t, ROLE_STATUS_WARN, "its tests are found by a "
		    "command: yardmaster run %s launches it", path);
		plan_free(p);
		diags_done(&ds);
		return;
	}
	if (r == 0)
		r = plan_expand(p, NULL, &ds);
	if (r < 0) {
		plan_free(p);
		pager_open(t, "Faults of the plan", fill_faults, path,
		    strlen(path) + 1);
		diags_done(&ds);
		return;
	}
	fill_preview(t, p, &ds, &lines);
	l = mem_zalloc(sizeof(*l));
	l->plan = p;
	confirm_open(t, "Launch", "start the run", &lines, &launch_ops, l);
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
