/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is allowed in a plan and yet seldom meant. Each warning has a number,
 * which the manual page explains; W04 is in fleet_file.c.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "plan/plan_private.h"
#include "plan/work.h"
#include "yardmaster/base/mem.h"

/* A warning where the key of a suite or test stands. */
static struct diag *
warn(const struct plan *p, const struct plan_ref *ref, const char *key,
    struct diags *ds, char *text)
{
	return plan_say_at(p, ref, key, DIAG_WARNING, ds, text);
}

/* ---- W01: suites that share no eligible agent ---- */

struct reach {
	const struct plan *p;
	const struct fleet_spec *f;
	uint32_t *group;	/* by suite: one of its group, perhaps itself */
	uint32_t *user;		/* by agent: a suite that may use it */
	bool *reaches;		/* by suite: some agent is eligible */
};

static bool
is_eligible(const struct plan *p, const struct plan_terms *t,
    const struct agent_spec *a)
{
	uint32_t i;

	for (i = 0; i < t->n_agents; i++)
		if (!selector_match(p->agents[t->agents[i]].selector,
		    a->name, &a->labels))
			return false;
	for (i = 0; i < t->n_targets; i++)
		if (!agent_spec_offers(a, p->targets[t->targets[i]].name))
			return false;
	return true;
}

static uint32_t
group_of(const struct reach *r, uint32_t suite)
{
	while (r->group[suite] != suite)
		suite = r->group[suite];
	return suite;
}

/* Joins suites over the agents that both may use. */
static void
reach_terms(struct reach *r, const struct plan_terms *t, uint32_t suite)
{
	uint32_t a, b;
	size_t i;

	for (i = 0; i < r->f->n_agents; i++) {
		if (!is_eligible(r->p, t, &r->f->agents[i]))
			continue;
		r->reaches[suite] = true;
		if (r->user[i] == PLAN_NONE)
			r->user[i] = suite;
		a = group_of(r, suite);
		b = group_of(r, r->user[i]);
		/* The first suite of a group stands for it. */
		r->group[a > b ? a : b] = a > b ? b : a;
	}
}

static void
say_apart(const struct reach *r, struct diags *ds)
{
	const struct plan *p = r->p;
	uint32_t i, first = PLAN_NONE;
	struct plan_ref ref = { .is_test = false };

	for (i = 0; i < p->n_suites; i++) {
		if (!r->reaches[i] || r->group[i] != i)
			continue;
		if (first == PLAN_NONE) {
			first = i;
			continue;
		}
		ref.index = i;
		diag_set_hint(warn(p, &ref, "agents", ds, str_fmt("W01: "
		    "suites %s and %s share no eligible agent of the fleet %s",
		    p->suites[first].path, p->suites[i].path, r->f->name)),
		    "idle workers of one cannot help the other");
	}
}

static void
lint_agents(const struct plan *p, const struct fleet_spec *f,
    struct diags *ds)
{
	struct reach r = { .p = p, .f = f };
	uint32_t i, terms = PLAN_NONE, suite = PLAN_NONE;

	r.group = mem_calloc(p->n_suites, sizeof(*r.group));
	r.reaches = mem_calloc(p->n_suites, sizeof(*r.reaches));
	r.user = mem_calloc(f->n_agents, sizeof(*r.user));
	for (i = 0; i < p->n_suites; i++)
		r.group[i] = i;
	for (i = 0; i < f->n_agents; i++)
		r.user[i] = PLAN_NONE;
	for (i = 0; i < p->n_execs; i++) {
		if (p->execs[i].terms == terms && p->execs[i].suite == suite)
			continue;
		terms = p->execs[i].terms;
		suite = p->execs[i].suite;
		reach_terms(&r, &p->terms[terms], suite);
	}
	say_apart(&r, ds);
	free(r.group);
	free(r.reaches);
	free(r.user);
}

/* ---- W05: wider than any agent ---- */

/* The agent it may use that has the most workers by the fleet; NULL: one does
 * not say, or there is none. */
static const struct agent_spec *
widest(const struct plan *p, const struct plan_terms *t,
    const struct fleet_spec *f)
{
	const struct agent_spec *a, *best = NULL;
	size_t i;

	for (i = 0; i < f->n_agents; i++) {
		a = &f->agents[i];
		if (!is_eligible(p, t, a))
			continue;
		if (a->max_workers == 0)
			return NULL;
		if (best == NULL || a->max_workers > best->max_workers)
			best = a;
	}
	return best;
}

static void
lint_wide(const struct plan *p, const struct fleet_spec *f, struct diags *ds)
{
	const struct agent_spec *a;
	const struct plan_terms *t;
	struct plan_ref ref = { .is_test = true };
	struct buf label = BUF_INIT;
	uint32_t i, said = PLAN_NONE;

	for (i = 0; i < p->n_execs; i++) {
		t = &p->terms[p->execs[i].terms];
		if (t->workers == 1 || p->execs[i].terms == said)
			continue;
		said = p->execs[i].terms;
		a = widest(p, t, f);
		if (a == NULL || a->max_workers >= t->workers)
			continue;
		buf_clear(&label);
		ref.index = p->steps[p->execs[i].first_step].test;
		plan_step_label(p, &p->steps[p->execs[i].first_step], &label);
		diag_set_hint(warn(p, &ref, "workers", ds, str_fmt("W05: %s "
		    "takes %u workers at once, and no agent of the fleet %s "
		    "has as many", buf_str(&label), t->workers, f->name)),
		    "the most has %s: %u", a->name, a->max_workers);
	}
	buf_done(&label);
}

/* ---- W02: processes of its own on one worker ---- */

/* "auto", "logical" or a number from 2. */
static bool
is_several(const char *s)
{
	char *end;
	long n;

	if (strcmp(s, "auto") == 0 || strcmp(s, "logical") == 0)
		return true;
	n = strtol(s, &end, 10);
	return *s >= '0' && *s <= '9' && *end == '\0' && n > 1;
}

/* The argument that asks for processes, or NULL. What -n means otherwise is
 * everybody's own, but "auto" is not. */
static const char *
find_processes(const struct strvec *argv)
{
	bool pytest = false;
	const char *base, *value;
	size_t i;

	for (i = 0; i < argv->n; i++) {
		base = strrchr(argv->v[i], '/');
		base = base != NULL ? base + 1 : argv->v[i];
		pytest = pytest || strncmp(base, "pytest", 6) == 0 ||
		    strcmp(base, "py.test") == 0;
		value = NULL;
		if (strcmp(argv->v[i], "-n") == 0 ||
		    strcmp(argv->v[i], "--numprocesses") == 0)
			value = i + 1 < argv->n ? argv->v[i + 1] : NULL;
		else if (strncmp(argv->v[i], "--numprocesses=", 15) == 0)
			value = argv->v[i] + 15;
		else if (strncmp(argv->v[i], "-n", 2) == 0)
			value = argv->v[i] + 2;
		if (value != NULL && is_several(value) &&
		    (pytest || strcmp(value, "auto") == 0))
			return value;
	}
	return NULL;
}

static void
lint_processes(const struct plan *p, const struct plan_props *props,
    const struct plan_ref *ref, const char *what, struct diags *ds)
{
	const char *n;

	if (!props->enabled || props->command == NULL || props->workers > 1)
		return;
	if ((n = find_processes(props->command)) != NULL)
		diag_set_hint(warn(p, ref, "command", ds, str_fmt("W02: %s: "
		    "the command starts processes (-n %s) on 1 worker", what,
		    n)), "set workers, or let yardmaster run the tests in "
		    "parallel");
}

/* Suites, and tests that differ from theirs. */
static void
lint_commands(const struct plan *p, struct diags *ds)
{
	const struct plan_props *last = NULL;
	struct plan_ref ref = { .is_test = true }, suite = { .is_test = false };
	struct buf name = BUF_INIT;
	const struct plan_suite *s;
	uint32_t i, k;

	for (i = 0; i < p->n_suites; i++) {
		s = &p->suites[i];
		suite.index = i;
		if (s->n_tests > 0 || s->discovers)
			lint_processes(p, s->props, &suite, s->path, ds);
		for (k = 0; k < s->n_tests; k++) {
			ref.index = s->first_test + k;
			if (p->tests[ref.index].props == s->props ||
			    p->tests[ref.index].props->command ==
			    s->props->command ||
			    p->tests[ref.index].props == last)
				continue;
			last = p->tests[ref.index].props;
			plan_ref_format(p, &ref, &name);
			lint_processes(p, last, &ref, buf_str(&name), ds);
			buf_clear(&name);
		}
	}
	buf_done(&name);
}

/* ---- W03: values that look like options ---- */

static void
say_option(const struct plan *p, const struct plan_step *s,
    const struct piece *piece, const char *value, struct diags *ds)
{
	struct plan_ref ref = { .is_test = true, .index = s->test };
	struct buf label = BUF_INIT;
	int n = (int)piece->len;

	plan_step_label(p, s, &label);
	diag_set_hint(warn(p, &ref, "command", ds, str_fmt("W03: %s: %.*s is "
	    "\"%s\", which the command may take for an option",
	    buf_str(&label), n, piece->text, value)),
	    "put \"--\" before it");
	buf_done(&label);
}

/* The arguments of a step that begin with a placeholder, up to "--". True
 * when something was said. */
static bool
lint_values(const struct plan *p, const struct plan_step *s,
    struct diags *ds)
{
	const struct strvec *argv = p->tests[s->test].props->command;
	struct buf value = BUF_INIT;
	struct piece piece;
	const char *text;
	bool said = false;
	size_t i;

	for (i = 1; i < argv->n && strcmp(argv->v[i], "--") != 0; i++) {
		text = argv->v[i];
		if (text[0] != '{' || !subst_next(&text, &piece) ||
		    piece.literal || piece.kind == PH_UNKNOWN)
			continue;
		buf_clear(&value);
		work_piece(p, s, &piece, &value);
		if (buf_str(&value)[0] != '-' || buf_len(&value) == 1)
			continue;
		say_option(p, s, &piece, buf_str(&value), ds);
		said = true;
	}
	buf_done(&value);
	return said;
}

static void
lint_steps(const struct plan *p, struct diags *ds)
{
	uint32_t i, said = PLAN_NONE;

	for (i = 0; i < p->n_steps; i++) {
		if (p->steps[i].test == said ||
		    p->tests[p->steps[i].test].props->command == NULL)
			continue;
		if (lint_values(p, &p->steps[i], ds))
			said = p->steps[i].test;
	}
}

/* ---- W06: an instant that has passed ---- */

static void
lint_schedules(const struct plan *p, int64_t now_us, struct diags *ds)
{
	const struct plan_schedule *s;
	char text[WHEN_TEXT];
	uint32_t i;

	for (i = 0; i < p->n_schedules; i++) {
		s = &p->schedules[i];
		if (s->when.kind == WHEN_INSTANT && s->when.us < now_us)
			diag_set_hint(plan_fault(p, s->doc, ds, DIAG_WARNING,
			    s->path, "W06: this instant has passed: nothing "
			    "waits for it"), "it was %s",
			    when_format(s->when.us, text));
	}
}

void
plan_lint(const struct plan *p, const struct fleet_spec *f,
    int64_t now_us, struct diags *ds)
{
	lint_schedules(p, now_us, ds);
	if (f != NULL) {
		lint_agents(p, f, ds);
		lint_wide(p, f, ds);
	}
	lint_commands(p, ds);
	lint_steps(p, ds);
}
