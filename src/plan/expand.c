/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Expansion. All steps that could be are enumerated in one fixed order; what
 * is left out is remembered as lengths of runs, so that a snapshot can repeat
 * the choice exactly.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "plan/expand.h"
#include "plan/load.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"

struct expander {
	struct plan *p;
	struct diags *ds;
	keep_fn keep;
	void *arg;
	struct terms_maker *terms;
	struct runs runs;	/* being written */
	size_t base_at;		/* reading base: its run */
	uint32_t base_used;	/* and how much of it was used */
	struct plan_exec exec;	/* being filled */
	uint32_t *targets;	/* of the suite at hand */
	uint32_t n_targets;
	uint32_t n_groups;
	bool full;
};

/* ---- which steps are kept ---- */

static void
note(struct runs *r, bool kept)
{
	/* Runs at even places are left out, those at odd ones kept. */
	while (r->n == 0 || (r->n % 2 == 0) != kept) {
		r->v = mem_grow(r->v, &r->cap, r->n + 1, sizeof(*r->v));
		r->v[r->n++] = 0;
	}
	r->v[r->n - 1]++;
}

static bool
in_base(struct expander *x)
{
	const struct runs *base = &x->p->priv->base;

	if (base->n == 0)
		return true;
	while (x->base_at < base->n && x->base_used == base->v[x->base_at]) {
		x->base_at++;
		x->base_used = 0;
	}
	x->base_used++;
	return x->base_at < base->n && x->base_at % 2 == 1;
}

static bool
is_kept(struct expander *x, const struct plan_step *s)
{
	return in_base(x) && (x->keep == NULL || x->keep(x->arg, s));
}

/* ---- steps and executions ---- */

static void
put_step(struct expander *x, const struct plan_step *s, bool kept)
{
	struct plan *p = x->p;

	note(&x->runs, kept);
	if (!kept)
		return;
	if (p->n_steps == PLAN_MAX_STEPS) {
		x->full = true;
		diag_add(x->ds, DIAG_ERROR, p->file, 0, NULL,
		    "more than %d steps", PLAN_MAX_STEPS);
		return;
	}
	p->steps = mem_grow(p->steps, &p->priv->cap_steps, p->n_steps + 1,
	    sizeof(*p->steps));
	p->steps[p->n_steps++] = *s;
	x->exec.n_steps++;
}

static void
add_step(struct expander *x, const struct plan_step *s)
{
	if (!x->full)
		put_step(x, s, is_kept(x, s));
}

static void
begin_exec(struct expander *x, uint32_t suite)
{
	x->exec = (struct plan_exec){ .suite = suite,
		.first_step = x->p->n_steps };
}

/* An execution of which nothing was kept is none. */
static void
end_exec(struct expander *x)
{
	struct plan *p = x->p;

	if (x->exec.n_steps == 0)
		return;
	if (x->exec.n_steps > WORK_MAX_STEPS && !x->full) {
		x->full = true;
		diag_add(x->ds, DIAG_ERROR, p->file, 0, NULL,
		    "suite %s: more than %d steps in one execution",
		    p->suites[x->exec.suite].path, WORK_MAX_STEPS);
	}
	if (x->full)
		return;
	x->exec.terms = terms_make(x->terms, &x->exec);
	p->execs = mem_grow(p->execs, &p->priv->cap_execs, p->n_execs + 1,
	    sizeof(*p->execs));
	p->execs[p->n_execs++] = x->exec;
}

/* All rows of a test on one target, in one execution or each in its own. */
static void
add_rows(struct expander *x, uint32_t test, uint32_t target)
{
	const struct plan_data *d = x->p->tests[test].props->data;
	struct plan_step s = { .test = test, .row = PLAN_NONE,
		.target = target };
	uint32_t i;

	if (d == NULL) {
		add_step(x, &s);
		return;
	}
	for (i = 0; i < d->n_rows; i++) {
		s.row = i;
		add_step(x, &s);
	}
}

/* at: where the target is likely to stand; there may be thousands. */
static bool
has_target(const struct plan_props *props, uint32_t target, uint32_t at)
{
	uint32_t i;

	if (at < props->n_targets && props->targets[at] == target)
		return true;
	for (i = 0; i < props->n_targets; i++)
		if (props->targets[i] == target)
			return true;
	return props->n_targets == 0 && target == PLAN_NONE;
}

/* Notes the targets of props that were not there before. */
static void
gather(struct expander *x, const struct plan_props *props)
{
	uint32_t i, k, t, n = props->n_targets > 0 ? props->n_targets : 1;

	for (i = 0; i < n; i++) {
		t = props->n_targets > 0 ? props->targets[i] : PLAN_NONE;
		for (k = 0; k < x->n_targets && x->targets[k] != t; k++)
			;
		if (k == x->n_targets)
			x->targets[x->n_targets++] = t;
	}
}

/* The targets of a suite's tests: in the suite's own order, then others. */
static void
gather_targets(struct expander *x, const struct plan_suite *s)
{
	const uint32_t *last = s->props->targets;
	const struct plan_props *props;
	uint32_t i;

	x->n_targets = 0;
	gather(x, s->props);
	for (i = 0; i < s->n_tests; i++) {
		props = x->p->tests[s->first_test + i].props;
		if (props->targets != last || last == NULL)
			gather(x, props);
		last = props->targets;
	}
}

static void
add_target(struct expander *x, const struct plan_suite *s, uint32_t at)
{
	uint32_t target = x->targets[at];
	const struct plan_test *t;
	uint32_t i;

	for (i = s->first_test; i < s->first_test + s->n_tests; i++) {
		t = &x->p->tests[i];
		if (t->props->enabled && has_target(t->props, target, at))
			add_rows(x, i, target);
	}
}

/* One execution per target, or one for all of them. */
static void
expand_grouped(struct expander *x, uint32_t suite, bool per_target)
{
	const struct plan_suite *s = &x->p->suites[suite];
	uint32_t i;

	gather_targets(x, s);
	begin_exec(x, suite);
	for (i = 0; i < x->n_targets; i++) {
		add_target(x, s, i);
		if (!per_target)
			continue;
		end_exec(x);
		begin_exec(x, suite);
	}
	end_exec(x);
}

static void
add_single(struct expander *x, uint32_t suite, const struct plan_step *s)
{
	begin_exec(x, suite);
	add_step(x, s);
	end_exec(x);
}

/* Every test x row x target is its own execution, in that nesting. */
static void
expand_test(struct expander *x, uint32_t suite, uint32_t test)
{
	const struct plan_props *props = x->p->tests[test].props;
	uint32_t rows = props->data != NULL ? props->data->n_rows : 1;
	uint32_t targets = props->n_targets > 0 ? props->n_targets : 1;
	struct plan_step s = { .test = test };
	uint32_t r, t;

	for (r = 0; r < rows && !x->full; r++)
		for (t = 0; t < targets; t++) {
			s.row = props->data != NULL ? r : PLAN_NONE;
			s.target = props->n_targets > 0 ? props->targets[t] :
			    PLAN_NONE;
			add_single(x, suite, &s);
		}
}

/* The steps of one group: of each part, on its own target or the suite's.
 * They are kept all or not at all. */
static void
expand_group(struct expander *x, uint32_t suite, uint32_t target)
{
	const struct plan_suite *s = &x->p->suites[suite];
	const struct plan_props *props;
	struct plan_step steps[PLAN_MAX_PARTS];
	bool there[PLAN_MAX_PARTS], kept = false;
	uint32_t i, n = s->n_tests < PLAN_MAX_PARTS ? s->n_tests :
	    PLAN_MAX_PARTS;

	for (i = 0; i < n; i++) {
		props = x->p->tests[s->first_test + i].props;
		steps[i] = (struct plan_step){ .test = s->first_test + i,
			.row = PLAN_NONE, .target = props->n_targets == 1 ?
			props->targets[0] : target };
		there[i] = in_base(x);
		if (there[i] && (x->keep == NULL || x->keep(x->arg,
		    &steps[i])))
			kept = true;
	}
	x->n_groups += kept ? 1 : 0;
	for (i = 0; i < n; i++) {
		begin_exec(x, suite);
		x->exec.group = x->n_groups;
		put_step(x, &steps[i], kept && there[i]);
		end_exec(x);
	}
}

static void
expand_together(struct expander *x, uint32_t suite)
{
	const struct plan_props *props = x->p->suites[suite].props;
	uint32_t i;

	if (props->n_targets == 0)
		expand_group(x, suite, PLAN_NONE);
	for (i = 0; i < props->n_targets && !x->full; i++)
		expand_group(x, suite, props->targets[i]);
}

static void
expand_suite(struct expander *x, uint32_t suite)
{
	const struct plan_suite *s = &x->p->suites[suite];
	uint32_t i;

	if (!s->props->enabled)
		return;
	if (s->props->together > 0) {
		expand_together(x, suite);
		return;
	}
	if (plan_groups(x->p, suite)) {
		expand_grouped(x, suite, s->mode == MODE_SEQUENTIAL ||
		    plan_parallel(x->p, suite) == PARALLEL_TARGETS);
		return;
	}
	for (i = s->first_test; i < s->first_test + s->n_tests; i++)
		if (x->p->tests[i].props->enabled)
			expand_test(x, suite, i);
}

/* ---- what an execution may not be ---- */

/* Only one instance is leased for an execution. */
static void
check_instances(struct plan *p, const struct plan_exec *e, struct diags *ds)
{
	const struct plan_terms *t = &p->terms[e->terms];
	const char *first = NULL;
	uint32_t i;

	for (i = 0; i < t->n_targets; i++) {
		if (p->targets[t->targets[i]].instances.n == 0)
			continue;
		if (first == NULL) {
			first = p->targets[t->targets[i]].name;
			continue;
		}
		diag_set_hint(diag_add(ds, DIAG_ERROR, p->file, 0, NULL,
		    "suite %s: one execution would need instances of both "
		    "%s and %s", p->suites[e->suite].path, first,
		    p->targets[t->targets[i]].name),
		    "set parallel to targets or tests");
		return;
	}
}

int
expand_all(struct plan *p, keep_fn keep, void *arg, struct diags *ds)
{
	struct expander x = { .p = p, .ds = ds, .keep = keep, .arg = arg };
	size_t errors = ds->errors;
	uint32_t i;

	x.targets = mem_calloc((size_t)p->n_targets + 1, sizeof(*x.targets));
	x.terms = terms_maker_new(p);
	for (i = 0; i < p->n_suites && !x.full; i++)
		expand_suite(&x, i);
	terms_maker_free(x.terms);
	free(x.targets);
	for (i = 0; i < p->n_execs; i++)
		if (p->execs[i].n_steps > 1)
			check_instances(p, &p->execs[i], ds);
	if (x.runs.n == 2 && x.runs.v[0] == 0)
		free(x.runs.v);		/* everything is kept */
	else
		p->priv->kept = x.runs;
	if (p->n_execs == 0 && ds->errors == errors)
		diag_add(ds, DIAG_ERROR, p->file, 0, NULL, "nothing to run");
	return ds->errors > errors ? ERR_INVALID : 0;
}

bool
plan_discovers(const struct plan *p)
{
	size_t i;

	for (i = 0; i < p->priv->n_discoveries; i++)
		if (!p->priv->discoveries[i].done &&
		    p->suites[p->priv->discoveries[i].suite].props->enabled)
			return true;
	return false;
}

int
plan_expand(struct plan *p, const struct plan_select *select,
    struct diags *ds)
{
	size_t errors = ds->errors;
	struct chooser *chooser;

	plan_drop_expansion(p);
	select_apply(p, select, ds);
	if (plan_discovers(p))
		diag_add(ds, DIAG_ERROR, p->file, 0, NULL,
		    "the tests of a suite are not discovered yet");
	plan_resolve(p, true, ds);
	if (ds->errors == errors) {
		chooser = chooser_new(p, select, ds);
		if (ds->errors == errors)
			expand_all(p, chooser != NULL ? chooser_keeps : NULL,
			    chooser, ds);
		chooser_free(chooser);
	}
	return ds->errors > errors ? ERR_INVALID : 0;
}

/* Steps are asked about in the order in which they stood. */
struct picker {
	const bool *keep;
	uint32_t at;
};

static bool
picks(void *arg, const struct plan_step *s)
{
	struct picker *k = arg;

	(void)s;
	return k->keep[k->at++];
}

int
plan_keep(struct plan *p, const bool *keep, struct diags *ds)
{
	struct plan_private *v = p->priv;
	struct picker k = { .keep = keep };
	uint32_t *targets = plan_step_targets(p), i, n = 0;
	bool moved = v->planned != NULL;
	int r;

	for (i = 0; i < p->n_steps; i++)
		if (keep[i])
			targets[n++] = targets[i];
	/* What it has now is what there is to choose from. */
	if (v->kept.n > 0) {
		free(v->base.v);
		v->base = v->kept;
		v->kept = (struct runs){ .n = 0 };
	}
	plan_drop_expansion(p);
	r = expand_all(p, picks, &k, ds);
	if (r == 0 && moved)
		plan_retarget(p, targets);
	free(targets);
	return r;
}
