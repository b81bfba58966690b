/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a launch chooses: values that replace those of the file, and steps
 * that are let through.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "plan/expand.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"
#include "yardmaster/filter/filter.h"

static const char *const columns[] = { "suite", "test", "target", "row",
	NULL };

struct chooser {
	const struct plan *p;
	struct filter **only, **not;
	size_t n_only, n_not;
	struct plan_ref *tests;
	size_t n_tests;
	bool *targets;		/* by target; NULL: all */
	const struct plan_step *step;	/* being looked at */
};

void
plan_select_done(struct plan_select *s)
{
	strvec_done(&s->only);
	strvec_done(&s->not);
	strvec_done(&s->tests);
	strvec_done(&s->targets);
	strvec_done(&s->agents);
	strvec_done(&s->params);
	*s = (struct plan_select)PLAN_SELECT_INIT;
}

static struct diag *
fault(struct diags *ds, const char *option, const char *text)
{
	return diag_add(ds, DIAG_ERROR, NULL, 0, option, "%s", text);
}

/* ---- parameters ---- */

static void
set_param(struct plan *p, const char *text, struct diags *ds)
{
	size_t n = strcspn(text, "="), i;
	struct strvec names = STRVEC_INIT;
	char *name = str_ndup(text, n), *message;
	struct diag *d;

	for (i = 0; i < p->params.n; i++)
		strvec_push_owned(&names, str_ndup(p->params.v[i],
		    strcspn(p->params.v[i], "=")));
	if (text[n] != '=')
		fault(ds, "--set", "NAME=VALUE is expected");
	else if (strvec_find(&names, name) >= 0)
		strvec_setenv(&p->params, name, text + n + 1);
	else {
		message = str_fmt("the plan has no parameter \"%s\"", name);
		d = fault(ds, "--set", message);
		check_did_you_mean(d, text_nearest(name,
		    (const char *const *)strvec_argv(&names), 2));
		free(message);
	}
	strvec_done(&names);
	free(name);
}

/* ---- agents ---- */

/* Takes one selector from *p; a comma inside slashes belongs to it. */
static char *
take_selector(const char **p)
{
	const char *s = *p, *end, *slash;
	char *text;

	end = s + (*s == '!');
	if (*end == '/' && (slash = strstr(end + 1, "/,")) != NULL)
		end = slash + 1;
	else if (*end == '/')
		end = s + strlen(s);
	else
		end += strcspn(end, ",");
	text = str_ndup(s, (size_t)(end - s));
	*p = *end == ',' ? end + 1 : end;
	return text;
}

static void
set_agents(struct plan *p, uint32_t suite, const char *list,
    struct diags *ds)
{
	struct strvec terms = STRVEC_INIT;
	char *error = NULL;
	uint32_t index, i;

	while (*list != '\0')
		strvec_push_owned(&terms, take_selector(&list));
	if (terms.n == 0)
		fault(ds, "--agents", "SUITE=SELECTOR[,SELECTOR...] is "
		    "expected");
	else if (plan_agents_index(p, &terms, &index, &error, NULL) < 0)
		fault(ds, "--agents", error);
	else
		for (i = 0; i < p->n_suites; i++)
			if (suite == PLAN_NONE ? p->suites[i].parent ==
			    PLAN_NONE : i == suite)
				p->priv->suite_agents[i] = index;
	free(error);
	strvec_done(&terms);
}

/* "SUITE=SEL[,SEL...]"; a suite replaces what was said for "*". */
static void
apply_agents(struct plan *p, const char *text, struct diags *ds)
{
	const char *eq = strchr(text, '=');
	struct plan_ref ref = { .index = PLAN_NONE };
	char *name, *message;
	struct diag *d;

	if (eq == NULL) {
		fault(ds, "--agents", "SUITE=SELECTOR[,SELECTOR...] is "
		    "expected");
		return;
	}
	name = str_ndup(text, (size_t)(eq - text));
	if (strcmp(name, "*") != 0 &&
	    (plan_find(p, name, &ref) < 0 || ref.is_test)) {
		message = str_fmt("no suite is named \"%s\"", name);
		d = fault(ds, "--agents", message);
		diag_set_hint(d, "* stands for all suites");
		free(message);
	} else
		set_agents(p, ref.index, eq + 1, ds);
	free(name);
}

static void
reset(struct plan *p)
{
	uint32_t i;

	p->order = p->priv->file_order;
	p->deadline_us = p->priv->file_deadline_us;
	p->priv->parallel = p->priv->file_parallel;
	if (p->priv->restored)
		return;		/* the others of its launch are its own */
	strvec_done(&p->params);
	strvec_push_all(&p->params, &p->priv->file_params);
	free(p->priv->suite_agents);
	p->priv->suite_agents = mem_calloc(p->n_suites, sizeof(uint32_t));
	for (i = 0; i < p->n_suites; i++)
		p->priv->suite_agents[i] = PLAN_NONE;
}

void
select_apply(struct plan *p, const struct plan_select *select,
    struct diags *ds)
{
	size_t i;

	reset(p);
	if (select == NULL)
		return;
	if (select->order >= 0)
		p->order = (enum order)select->order;
	if (select->deadline_us >= 0)
		p->deadline_us = select->deadline_us;
	if (select->parallel >= 0)
		p->priv->parallel = select->parallel;
	for (i = 0; i < select->params.n; i++)
		set_param(p, select->params.v[i], ds);
	/* All suites first, so that one of them may differ. */
	for (i = 0; i < select->agents.n; i++)
		if (strncmp(select->agents.v[i], "*=", 2) == 0)
			apply_agents(p, select->agents.v[i], ds);
	for (i = 0; i < select->agents.n; i++)
		if (strncmp(select->agents.v[i], "*=", 2) != 0)
			apply_agents(p, select->agents.v[i], ds);
}

/* ---- choosing steps ---- */

static struct filter **
compile(const struct strvec *texts, const char *option, struct diags *ds,
    size_t *ret_n)
{
	struct filter **list = mem_calloc(texts->n, sizeof(struct filter *));
	char *error;
	size_t i;

	*ret_n = 0;
	for (i = 0; i < texts->n; i++) {
		error = NULL;
		if (filter_new(texts->v[i], columns, &list[*ret_n],
		    &error) == 0) {
			(*ret_n)++;
			continue;
		}
		fault(ds, option, error);
		free(error);
	}
	return list;
}

static void
choose_tests(struct chooser *c, const struct strvec *names, struct diags *ds)
{
	struct plan_ref ref;
	char *message;
	size_t i;
	int r;

	c->tests = mem_calloc(names->n, sizeof(*c->tests));
	for (i = 0; i < names->n; i++) {
		r = plan_find(c->p, names->v[i], &ref);
		if (r == 0) {
			c->tests[c->n_tests++] = ref;
			continue;
		}
		message = str_fmt(r == ERR_EXISTS ? "several suites or tests "
		    "are named \"%s\"; write suite/test" :
		    "no suite or test is named \"%s\"", names->v[i]);
		fault(ds, "--test", message);
		free(message);
	}
}

static void
choose_targets(struct chooser *c, const struct strvec *names,
    struct diags *ds)
{
	const char **known;
	struct diag *d;
	char *message;
	uint32_t t;
	size_t i;

	if (names->n == 0)
		return;
	known = mem_calloc((size_t)c->p->n_targets + 1, sizeof(*known));
	for (t = 0; t < c->p->n_targets; t++)
		known[t] = c->p->targets[t].name;
	c->targets = mem_calloc(c->p->n_targets, sizeof(*c->targets));
	for (i = 0; i < names->n; i++) {
		t = plan_target_find(c->p, names->v[i]);
		if (t != PLAN_NONE) {
			c->targets[t] = true;
			continue;
		}
		message = str_fmt("no target is named \"%s\"", names->v[i]);
		d = fault(ds, "--target", message);
		check_did_you_mean(d, text_nearest(names->v[i], known, 2));
		free(message);
	}
	free(known);
}

struct chooser *
chooser_new(const struct plan *p, const struct plan_select *select,
    struct diags *ds)
{
	struct chooser *c;

	if (select == NULL || select->only.n + select->not.n +
	    select->tests.n + select->targets.n == 0)
		return NULL;
	c = mem_zalloc(sizeof(*c));
	c->p = p;
	c->only = compile(&select->only, "--only", ds, &c->n_only);
	c->not = compile(&select->not, "--not", ds, &c->n_not);
	choose_tests(c, &select->tests, ds);
	choose_targets(c, &select->targets, ds);
	return c;
}

static void
free_filters(struct filter **list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		filter_free(list[i]);
	free(list);
}

void
chooser_free(struct chooser *c)
{
	if (c == NULL)
		return;
	free_filters(c->only, c->n_only);
	free_filters(c->not, c->n_not);
	free(c->tests);
	free(c->targets);
	free(c);
}

struct cell {
	const struct chooser *c;
	char number[16];
};

static const char *
cell_text(void *arg, size_t column)
{
	struct cell *cell = arg;
	const struct plan *p = cell->c->p;
	const struct plan_step *s = cell->c->step;

	switch (column) {
	case 0:
		return p->suites[p->tests[s->test].suite].path;
	case 1:
		return p->tests[s->test].name;
	case 2:
		return s->target == PLAN_NONE ? NULL :
		    p->targets[s->target].name;
	default:
		return plan_row_name(p, s, cell->number);
	}
}

static bool
is_named(const struct chooser *c, uint32_t test)
{
	uint32_t suite = c->p->tests[test].suite;
	const struct plan_ref *ref;
	size_t i;

	for (i = 0; i < c->n_tests; i++) {
		ref = &c->tests[i];
		if (ref->is_test ? ref->index == test : suite >= ref->index &&
		    suite < c->p->suites[ref->index].end)
			return true;
	}
	return c->n_tests == 0;
}

bool
chooser_keeps(void *arg, const struct plan_step *s)
{
	struct chooser *c = arg;
	struct cell cell = { .c = c };
	size_t i;

	c->step = s;
	if (!is_named(c, s->test))
		return false;
	if (c->targets != NULL &&
	    (s->target == PLAN_NONE || !c->targets[s->target]))
		return false;
	for (i = 0; i < c->n_only; i++)
		if (!filter_match(c->only[i], cell_text, &cell))
			return false;
	for (i = 0; i < c->n_not; i++)
		if (filter_match(c->not[i], cell_text, &cell))
			return false;
	return true;
}
