/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The preview of a launch: what it would run, on what, and until when, with a
 * few choices. The plan is expanded again with each change of a choice; the
 * agents are looked at whenever it is drawn, so it follows links that come
 * up.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "tui/dialog.h"
#include "tui/launch.h"
#include "tui/lineedit.h"
#include "tui/lines.h"
#include "tui/prediction.h"
#include "tui/table.h"

#define WIDTH 72
#define FIELD_X 12
#define FOOT 3			/* a blank or fault, and what the keys do */
#define DEAR_US (30 * US_PER_MS)
#define PANE_RUNS 6

enum field { FIELD_PARALLEL, FIELD_ORDER, FIELD_ONLY, FIELDS };

struct launch_view {
	struct view v;
	struct plan *plan;
	int parallel, order;	/* as in plan_select: -1 as the plan says */
	struct lineedit only;
	enum field focus;
	bool due;		/* what is typed is not counted yet */
	bool leaving;		/* Esc was pressed once on edited fields */
	int64_t cost_us;	/* of counting */
	uint32_t tests;		/* that are chosen */
	struct diags ds;	/* of the last expansion */
	struct prediction prediction;
	const char *note;	/* said in place of a fault, or NULL */
};

/* Tests that have a step. */
static uint32_t
count_tests(const struct plan *p)
{
	bool *seen = mem_calloc((size_t)p->n_tests + 1, sizeof(*seen));
	uint32_t i, n = 0;

	for (i = 0; i < p->n_steps; i++) {
		n += !seen[p->steps[i].test];
		seen[p->steps[i].test] = true;
	}
	free(seen);
	return n;
}

static void
count(struct launch_view *lv)
{
	struct plan_select select = PLAN_SELECT_INIT;
	int64_t from_us = clock_mono_us();

	select.parallel = lv->parallel;
	select.order = lv->order;
	if (lv->only.n > 0)
		strvec_push(&select.only, lv->only.text);
	diags_done(&lv->ds);
	plan_expand(lv->plan, &select, &lv->ds);
	plan_select_done(&select);
	lv->tests = count_tests(lv->plan);
	prediction_drop(&lv->prediction);
	lv->due = false;
	lv->cost_us = clock_mono_us() - from_us;
}

static bool
is_edited(const struct launch_view *lv)
{
	return lv->parallel >= 0 || lv->order >= 0 || lv->only.n > 0;
}

/* To the next value of a choice; -1, the plan's own, is one of them. */
static void
cycle(struct launch_view *lv, int step)
{
	int *value = lv->focus == FIELD_PARALLEL ? &lv->parallel : &lv->order;
	int n = (lv->focus == FIELD_PARALLEL ? PARALLELS : ORDERS) + 1;

	*value = (*value + 1 + step + n) % n - 1;
	count(lv);
}

static void
focus_on(struct launch_view *lv, enum field field)
{
	if (lv->due)
		count(lv);
	lv->focus = field;
}

static void
start(struct launch_view *lv)
{
	struct launch launch = { .plan = lv->plan };
	struct tui *t = lv->v.t;
	struct diags ds = DIAGS_INIT;
	char id[RUN_ID_SIZE];
	int r;

	if (lv->due)
		count(lv);
	if (lv->ds.errors > 0)
		return;		/* the fault is shown */
	if (tui_is_read_only(t)) {
		lv->note = "read-only: not launched";
		return;
	}
	r = engine_launch(t->engine, &launch, &ds, id);
	if (r == 0)
		lv->plan = NULL;
	tui_close(t, &lv->v);
	if (r < 0) {
		tui_status(t, ROLE_STATUS_BAD, "not launched: %s",
		    ds.n > 0 ? ds.v[0].text : err_text(r));
	} else {
		tui_go(t, PANE_RUNS);
		table_rebuild(tui_table(t), false);
		table_seek(tui_table(t), rowid_run(id));
		tui_status(t, ROLE_STATUS_GOOD, "run %s started", id);
	}
	diags_done(&ds);
}

/* Leaves the filter's field, then the dialog; choices that were made are not
 * dropped by a single key. */
static void
back(struct launch_view *lv)
{
	if (lv->focus == FIELD_ONLY) {
		focus_on(lv, FIELD_PARALLEL);
	} else if (is_edited(lv) && !lv->leaving) {
		lv->leaving = true;
		lv->note = "Esc again leaves without a launch";
	} else {
		tui_close(lv->v.t, &lv->v);
	}
}

static bool
act(struct view *v, enum action_id id)
{
	struct launch_view *lv = (struct launch_view *)v;
	bool typing = lv->focus == FIELD_ONLY;

	if (id == ACT_BACK || id == ACT_OPEN)
		back(lv);
	else if (id == ACT_CONFIRM && !typing)
		start(lv);
	else if (id == ACT_NEXT_FIELD || id == ACT_DOWN)
		focus_on(lv, (lv->focus + 1) % FIELDS);
	else if (id == ACT_PREVIOUS_FIELD || id == ACT_UP)
		focus_on(lv, (lv->focus + FIELDS - 1) % FIELDS);
	else if (id == ACT_FILTER)
		focus_on(lv, FIELD_ONLY);
	else if ((id == ACT_LEFT || id == ACT_RIGHT) && !typing)
		cycle(lv, id == ACT_RIGHT ? 1 : -1);
	return true;
}

/* What is typed counts at once, but in a plan so large that one would wait
 * for the keys: then when the field is left. */
static bool
key(struct view *v, uint32_t k)
{
	struct launch_view *lv = (struct launch_view *)v;

	lv->note = NULL;
	if (k != YK_ESC)
		lv->leaving = false;
	if (k == YK_ESC || k == YK_ENTER)
		return act(v, ACT_BACK);
	if (k == YK_SPACE && lv->focus != FIELD_ONLY)
		return act(v, ACT_RIGHT);
	if (lv->focus != FIELD_ONLY || !lineedit_key(&lv->only, k))
		return false;
	lv->due = true;
	if (lv->cost_us < DEAR_US)
		count(lv);
	return true;
}

static void
fill_agents(const struct tui *t, struct lines *out)
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
	lines_fact(out, "agents up", up > 0 ? ROLE_DIALOG : ROLE_BAD,
	    "%zu of %zu, %u workers for distributed work, %u free now", up,
	    agents, workers, free);
	if (up == 1)
		lines_add(out, ROLE_WARN,
		    "one agent: nothing is there to distribute over");
}

/* Totals first: they are what a low terminal still shows. */
static void
fill(const struct launch_view *lv, struct lines *out)
{
	const struct plan *p = lv->plan;
	size_t i;

	if (lv->due)
		lines_fact(out, "executions", ROLE_DIM,
		    "counted when the field is left");
	else
		lines_fact(out, "executions", p->n_execs > 0 ? ROLE_STRONG
		    : ROLE_BAD, "%u", p->n_execs);
	lines_fact(out, "steps", ROLE_DIALOG, "%u, of %u of %u test%s in "
	    "%u suite%s", p->n_steps, lv->tests, p->n_tests,
	    plural(p->n_tests), p->n_suites, plural(p->n_suites));
	if (p->n_targets > 0)
		lines_fact(out, "targets", ROLE_DIALOG, "%u", p->n_targets);
	if (p->priority != 0)
		lines_fact(out, "priority", ROLE_DIALOG, "%d", p->priority);
	fill_agents(lv->v.t, out);
	if (!lv->due && lv->ds.errors == 0)
		prediction_lines(&lv->prediction, lv->v.t->engine, p, out);
	for (i = 0; i < lv->ds.n && i < 4; i++)
		if (lv->ds.v[i].level != DIAG_ERROR)
			lines_add(out, ROLE_WARN, "%s", lv->ds.v[i].text);
}

static const char *
value_text(const struct launch_view *lv, enum field field, char *out,
    size_t size)
{
	if (field == FIELD_PARALLEL)
		return lv->parallel < 0 ? "as the plan says"
		    : parallel_name((enum parallel)lv->parallel);
	if (lv->order >= 0)
		return order_name((enum order)lv->order);
	snprintf(out, size, "as the plan says: %s",
	    order_name(lv->plan->order));
	return out;
}

static void
draw_field(const struct launch_view *lv, struct surface *s, struct rect r,
    enum field field)
{
	static const char *const labels[FIELDS] = { "parallel", "order",
		"only" };
	static const char *const hints[FIELDS] = { "Left, Right change it",
		"Left, Right change it", "suite, test, target, row" };
	bool focus = lv->focus == field;
	struct style style = { focus ? ROLE_FIELD_FOCUS : ROLE_FIELD, 0 };
	int w = r.w > 60 ? 30 : (r.w - FIELD_X) / 2, x = r.x + FIELD_X;
	char text[64];

	surface_text(s, r.x, r.y, FIELD_X - 1,
	    (struct style){ ROLE_DIALOG, 0 }, labels[field]);
	if (field == FIELD_ONLY) {
		lineedit_draw(&lv->only, s, x, r.y, w, style, focus);
	} else {
		surface_fill(s, (struct rect){ x, r.y, w, 1 }, style);
		surface_printf(s, x, r.y, w, style, "< %s >",
		    value_text(lv, field, text, sizeof(text)));
	}
	surface_text(s, x + w + 2, r.y, r.w - w - FIELD_X - 2,
	    (struct style){ ROLE_DIM, 0 }, hints[field]);
}

static void
draw_foot(const struct launch_view *lv, struct surface *s, struct rect r)
{
	struct style bad = { ROLE_BAD, 0 }, plain = { ROLE_DIALOG, 0 };
	int x, y = r.y + r.h - 1;
	char yes[KEYSEQ_TEXT];

	if (lv->note != NULL)
		surface_text(s, r.x, y - 1, r.w, bad, lv->note);
	else if (lv->ds.errors > 0)
		surface_text(s, r.x, y - 1, r.w, bad, lv->ds.v[0].text);
	if (lv->focus == FIELD_ONLY) {
		surface_text(s, r.x, y, r.w, plain,
		    "Enter goes back to the choices");
		return;
	}
	keymap_first(&lv->v.t->keymap, action_find("confirm"), yes);
	x = dialog_button(s, r.x, y, "Cancel", true);
	surface_printf(s, x, y, r.x + r.w - x, plain,
	    "%s: start the run   Tab: next choice", yes);
}

static void
draw(struct view *v, struct surface *s, struct rect body)
{
	struct launch_view *lv = (struct launch_view *)v;
	struct lines lines = { .n = 0 };
	struct rect r, part;
	char *title;
	int i;

	if (!lv->due && lv->ds.errors == 0)
		prediction_follow(&lv->prediction, v->t->engine, lv->plan);
	fill(lv, &lines);
	title = str_fmt("Launch %s", lv->plan->name);
	r = dialog_frame(s, body, WIDTH, (int)lines.n + FIELDS + 1 + FOOT,
	    title);
	free(title);
	part = r;
	part.h = r.h - FIELDS - FOOT;
	if (part.h < 1)
		part.h = r.h > 1;
	lines_draw(&lines, 0, s, part);
	lines_done(&lines);
	part.y += part.h;
	for (i = 0; i < FIELDS && part.y < r.y + r.h - 1; i++, part.y++)
		draw_field(lv, s, part, (enum field)i);
	if (r.h > 0)
		draw_foot(lv, s, r);
}

static void
view_free(struct view *v)
{
	struct launch_view *lv = (struct launch_view *)v;

	plan_free(lv->plan);
	lineedit_done(&lv->only);
	diags_done(&lv->ds);
	prediction_done(&lv->prediction);
	free(lv);
}

static const struct view_ops launch_ops = {
	.listens = LISTEN_DIALOG, .overlay = true, .draw = draw, .act = act,
	.key = key, .free = view_free,
};

void
launch_open(struct tui *t, struct plan *plan)
{
	struct launch_view *lv = mem_zalloc(sizeof(*lv));

	lv->v.ops = &launch_ops;
	lv->v.t = t;
	lv->plan = plan;
	lv->parallel = lv->order = -1;
	count(lv);
	tui_push(t, &lv->v);
}
