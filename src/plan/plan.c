/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tables of a plan and who owns what: everything reached through a plan
 * is in one of its pools, so that inherited values may be shared.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "plan/plan_private.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"

const struct plan_props plan_default_props = {
	.parallel = PARALLEL_NONE,
	.agents = 0,	/* every plan has the empty list there */
	.on_failure = ON_FAILURE_CONTINUE,
	.manner.keep = KEEP_FAILED,
	.retry_delay_us = US_PER_S,
	.lost_after_us = 120 * US_PER_S,
	.start_timeout_us = 60 * US_PER_S,
	.error_retries = 2,
	.workers = 1,
	.repeatable = true,
	.enabled = true,
	.artifacts_max = 64 << 20,
};

struct plan *
plan_new(void)
{
	struct plan *p = mem_zalloc(sizeof(*p));
	struct strvec everybody = STRVEC_INIT;
	uint32_t index;

	p->priv = mem_zalloc(sizeof(*p->priv));
	p->priv->parallel = p->priv->file_parallel = -1;
	p->ahead = PLAN_AHEAD_AUTO;
	plan_agents_index(p, &everybody, &index, NULL, NULL);
	return p;
}

static void
own(struct owned **list, size_t *n, size_t *cap, void *mem,
    void (*free_fn)(void *))
{
	*list = mem_grow(*list, cap, *n + 1, sizeof(**list));
	(*list)[(*n)++] = (struct owned){ .p = mem, .free = free_fn };
}

static void
disown(struct owned **list, size_t *n, size_t *cap)
{
	while (*n > 0) {
		(*n)--;
		(*list)[*n].free((*list)[*n].p);
	}
	free(*list);
	*list = NULL;
	*cap = 0;
}

void *
plan_own(struct plan *p, void *mem, void (*free_fn)(void *))
{
	own(&p->priv->owned, &p->priv->n_owned, &p->priv->cap_owned, mem,
	    free_fn);
	return mem;
}

void *
plan_own_expanded(struct plan *p, void *mem)
{
	own(&p->priv->expanded, &p->priv->n_expanded, &p->priv->cap_expanded,
	    mem, free);
	return mem;
}

void *
plan_own_copy(struct plan *p, const void *from, size_t n, size_t size)
{
	if (n == 0)
		return NULL;
	return plan_own(p, mem_dup(from, n * size), free);
}

static void
free_list(void *list)
{
	strvec_done(list);
	free(list);
}

struct strvec *
plan_own_list(struct plan *p)
{
	struct strvec *list = mem_zalloc(sizeof(*list));

	strvec_init(list);
	return plan_own(p, list, free_list);
}

struct plan_props *
plan_own_props(struct plan *p, const struct plan_props *base)
{
	return plan_own_copy(p, base, 1, sizeof(*base));
}

void
plan_data_free(void *mem)
{
	struct plan_data *data = mem;
	size_t i, n;

	if (data == NULL)
		return;
	n = (size_t)data->n_rows * data->columns.n;
	for (i = 0; i < n; i++) {
		/* Not yet known which are secret: they may be. */
		if (data->cells[i] != NULL && (data->secret == NULL ||
		    data->secret[i % data->columns.n]))
			mem_wipe(data->cells[i], strlen(data->cells[i]));
		free(data->cells[i]);
	}
	free(data->cells);
	free(data->secret);
	free(data->path);
	free(data->lines);
	free(data->source);
	strvec_done(&data->columns);
	free(data);
}

int
plan_agents_index(struct plan *p, const struct strvec *terms, uint32_t *ret,
    char **ret_error, size_t *ret_bad)
{
	struct selector *selector;
	struct plan_agents *a;
	uint32_t i;
	int r;

	for (i = 0; i < p->n_agents; i++)
		if (strvec_equal(&p->agents[i].terms, terms)) {
			*ret = i;
			return 0;
		}
	if ((r = selector_new(terms, &selector, ret_error, ret_bad)) < 0)
		return r;
	p->agents = mem_grow(p->agents, &p->priv->cap_agents,
	    p->n_agents + 1, sizeof(*p->agents));
	a = &p->agents[p->n_agents];
	strvec_init(&a->terms);
	strvec_push_all(&a->terms, terms);
	a->selector = selector;
	a->path = NULL;
	a->doc = NULL;
	*ret = p->n_agents++;
	return 0;
}

uint32_t
plan_lock_index(struct plan *p, const char *name)
{
	struct plan_private *v = p->priv;
	uint32_t i;

	for (i = 0; i < p->n_locks; i++)
		if (strcmp(p->locks[i].name, name) == 0)
			return i;
	p->locks = mem_grow(p->locks, &v->cap_locks, i + 1,
	    sizeof(*p->locks));
	v->lock_declared = mem_grow(v->lock_declared, &v->cap_lock_declared,
	    i + 1, sizeof(*v->lock_declared));
	p->locks[i].name = str_dup(name);
	p->locks[i].capacity = 1;
	p->n_locks++;
	return i;
}

uint32_t
plan_target_find(const struct plan *p, const char *name)
{
	const struct target_entry *e;

	HASH_FIND_STR(p->priv->by_target, name, e);
	return e != NULL ? e->index : PLAN_NONE;
}

uint32_t
plan_target_index(struct plan *p, const char *name)
{
	struct plan_private *v = p->priv;
	uint32_t i = plan_target_find(p, name);
	struct target_entry *e;

	if (i != PLAN_NONE)
		return i;
	i = p->n_targets++;
	p->targets = mem_grow(p->targets, &v->cap_targets, i + 1,
	    sizeof(*p->targets));
	v->target_defined = mem_grow(v->target_defined,
	    &v->cap_target_defined, i + 1, sizeof(*v->target_defined));
	p->targets[i].name = str_dup(name);
	e = mem_zalloc(sizeof(*e));
	e->index = i;
	HASH_ADD_KEYPTR(hh, v->by_target, p->targets[i].name, strlen(name),
	    e);
	return i;
}

struct plan_secret *
plan_add_secret(struct plan *p)
{
	p->secrets = mem_grow(p->secrets, &p->priv->cap_secrets,
	    p->n_secrets + 1, sizeof(*p->secrets));
	p->secrets[p->n_secrets] = (struct plan_secret){ .name = NULL };
	return &p->secrets[p->n_secrets++];
}

void
plan_secret_done(struct plan_secret *s)
{
	free(s->name);
	free(s->file);
	strvec_done(&s->command);
	secret_free(s->value);
}

struct plan_workspace *
plan_add_workspace(struct plan *p)
{
	p->workspaces = mem_grow(p->workspaces, &p->priv->cap_workspaces,
	    p->n_workspaces + 1, sizeof(*p->workspaces));
	return &p->workspaces[p->n_workspaces++];
}

uint32_t
plan_add_suite(struct plan *p)
{
	struct plan_private *v = p->priv;
	uint32_t i = p->n_suites++;

	p->suites = mem_grow(p->suites, &v->cap_suites, i + 1,
	    sizeof(*p->suites));
	v->suite_needs = mem_grow(v->suite_needs, &v->cap_suite_needs, i + 1,
	    sizeof(*v->suite_needs));
	return i;
}

uint32_t
plan_add_test(struct plan *p)
{
	struct plan_private *v = p->priv;
	uint32_t i = p->n_tests++;

	p->tests = mem_grow(p->tests, &v->cap_tests, i + 1,
	    sizeof(*p->tests));
	v->test_needs = mem_grow(v->test_needs, &v->cap_test_needs, i + 1,
	    sizeof(*v->test_needs));
	return i;
}

struct diag *
plan_fault(const struct plan *p, const struct jdoc *doc, struct diags *ds,
    enum diag_level level, const char *path, const char *text)
{
	if (doc == NULL)
		return diag_add(ds, level, p->file, 0, path, "%s", text);
	return jdoc_fault(doc, ds, level, path, "%s", text);
}

void
raw_refs_add(struct raw_refs *r, const char *text, const struct check *c)
{
	r->v = mem_grow(r->v, &r->cap, r->n + 1, sizeof(*r->v));
	r->v[r->n++] = (struct raw_ref){ .text = str_dup(text),
		.doc = c->doc, .path = str_dup(buf_str(&c->path)) };
}

void
raw_refs_done(struct raw_refs *r)
{
	size_t i;

	for (i = 0; i < r->n; i++) {
		free(r->v[i].text);
		free(r->v[i].path);
	}
	free(r->v);
	*r = (struct raw_refs){ .n = 0 };
}

struct discovery *
plan_discovery(const struct plan *p, uint32_t suite)
{
	size_t i;

	for (i = 0; i < p->priv->n_discoveries; i++)
		if (p->priv->discoveries[i].suite == suite)
			return &p->priv->discoveries[i];
	return NULL;
}

enum parallel
plan_parallel(const struct plan *p, uint32_t suite)
{
	if (p->priv->parallel >= 0)
		return (enum parallel)p->priv->parallel;
	return p->suites[suite].props->parallel;
}

bool
plan_groups(const struct plan *p, uint32_t suite)
{
	if (p->suites[suite].props->shards > 0 ||
	    p->suites[suite].props->together > 0 ||
	    p->suites[suite].props->batch)
		return false;
	return p->suites[suite].mode == MODE_SEQUENTIAL ||
	    plan_parallel(p, suite) != PARALLEL_TESTS;
}

/* What was amended last of the test or a suite around it, or PLAN_NONE. */
static uint32_t
amended_agents(const struct plan *p, uint32_t test)
{
	const struct amended *a;
	size_t i;

	for (i = p->priv->n_amended; i-- > 0;) {
		a = &p->priv->amended[i];
		if (a->ref.is_test ? a->ref.index == test :
		    p->tests[test].suite >= a->ref.index &&
		    p->tests[test].suite < p->suites[a->ref.index].end)
			return a->agents;
	}
	return PLAN_NONE;
}

uint32_t
plan_test_agents(const struct plan *p, uint32_t test)
{
	const struct plan_test *t = &p->tests[test];
	uint32_t s = amended_agents(p, test);

	if (s != PLAN_NONE)
		return s;
	if (p->priv->suite_agents == NULL)
		return t->props->agents;
	for (s = t->suite; s != PLAN_NONE; s = p->suites[s].parent)
		if (p->priv->suite_agents[s] != PLAN_NONE)
			return p->priv->suite_agents[s];
	return t->props->agents;
}

void
plan_drop_expansion(struct plan *p)
{
	struct plan_private *v = p->priv;

	disown(&v->expanded, &v->n_expanded, &v->cap_expanded);
	free(v->planned);
	v->planned = NULL;
	free(p->execs);
	free(p->steps);
	free(p->terms);
	p->execs = NULL;
	p->steps = NULL;
	p->terms = NULL;
	p->n_execs = p->n_steps = p->n_terms = 0;
	v->cap_execs = v->cap_steps = v->cap_terms = 0;
	free(v->kept.v);
	v->kept = (struct runs){ .n = 0 };
}

static void
private_free(struct plan *p)
{
	struct plan_private *v = p->priv;
	struct target_entry *e, *next;
	uint32_t i;

	HASH_ITER(hh, v->by_target, e, next) {
		HASH_DEL(v->by_target, e);
		free(e);
	}
	for (i = 0; i < p->n_suites; i++)
		raw_refs_done(&v->suite_needs[i]);
	for (i = 0; i < p->n_tests; i++)
		raw_refs_done(&v->test_needs[i]);
	for (i = 0; i < v->n_discoveries; i++) {
		pattern_free(v->discoveries[i].pattern);
		free(v->discoveries[i].path);
	}
	free(v->suite_needs);
	free(v->test_needs);
	free(v->discoveries);
	raw_refs_done(&v->pairs);
	free(v->target_defined);
	for (i = 0; i < v->cap_origins; i++)
		free(v->origins[i].path);
	free(v->origins);
	free(v->lock_declared);
	free(v->suite_agents);
	free(v->amended);
	free(v->base.v);
	strvec_done(&v->file_params);
	disown(&v->owned, &v->n_owned, &v->cap_owned);
	if (v->doc.text != NULL)
		jdoc_done(&v->doc);
	free(v);
}

static void
tables_free(struct plan *p)
{
	uint32_t i;

	for (i = 0; i < p->n_agents; i++) {
		strvec_done(&p->agents[i].terms);
		selector_free(p->agents[i].selector);
		free(p->agents[i].path);
	}
	for (i = 0; i < p->n_targets; i++) {
		free(p->targets[i].name);
		strvec_done(&p->targets[i].instances);
		strvec_done(&p->targets[i].env);
		strvec_done(&p->targets[i].axes);
	}
	for (i = 0; i < p->n_workspaces; i++) {
		free(p->workspaces[i].path);
		strvec_done(&p->workspaces[i].exclude);
	}
	for (i = 0; i < p->n_secrets; i++)
		plan_secret_done(&p->secrets[i]);
	free(p->secrets);
	for (i = 0; i < p->n_locks; i++)
		free(p->locks[i].name);
	for (i = 0; i < p->n_suites; i++) {
		free(p->suites[i].name);
		free(p->suites[i].path);
	}
	for (i = 0; i < p->n_tests; i++)
		free(p->tests[i].name);
	free(p->agents);
	free(p->targets);
	free(p->workspaces);
	plan_schedules_done(p);
	free(p->locks);
	free(p->suites);
	free(p->tests);
	free(p->pairs);
}

void
plan_free(struct plan *p)
{
	if (p == NULL)
		return;
	plan_drop_expansion(p);
	private_free(p);
	tables_free(p);
	strvec_done(&p->params);
	free(p->name);
	free(p->file);
	free(p->dir);
	free(p);
}
