/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading a snapshot. It comes from a store that another program may have
 * damaged, so every index and count is checked; the first fault ends it.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "plan/expand.h"
#include "plan/snapshot.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"

struct restore {
	struct plan *p;
	const struct jval *root;
	const struct plan_props **props;
	size_t n_props;
	const struct plan_data **data;
	size_t n_data;
	size_t n_suites, n_tests;	/* that there will be */
	bool bad;
};

static void
fail(struct restore *x)
{
	x->bad = true;
}

/* An integer member from 0 to below limit. */
static uint32_t
get_index(struct restore *x, const struct jval *v, const char *key,
    uint64_t limit)
{
	int64_t n = jval_get_int(v, key, -1);

	if (n >= 0 && (uint64_t)n < limit)
		return (uint32_t)n;
	fail(x);
	return 0;
}

static void
get_strings(struct restore *x, const struct jval *v, const char *key,
    struct strvec *out)
{
	const struct jval *list = jval_get(v, key);
	size_t i, n = jval_count(list);

	for (i = 0; i < n; i++) {
		if (jval_type(jval_at(list, i)) != JVAL_STRING)
			fail(x);
		strvec_push(out, jval_str(jval_at(list, i), ""));
	}
}

/* Strings that are KEY=VALUE each. */
static void
get_pairs(struct restore *x, const struct jval *v, const char *key,
    struct strvec *out)
{
	size_t i;

	get_strings(x, v, key, out);
	for (i = 0; i < out->n; i++)
		if (strchr(out->v[i], '=') == NULL)
			fail(x);
}

/* Strings as a list owned by the plan, NULL when empty. */
static const struct strvec *
get_list(struct restore *x, const struct jval *v, const char *key)
{
	struct strvec *list;

	if (jval_count(jval_get(v, key)) == 0)
		return NULL;
	list = plan_own_list(x->p);
	get_strings(x, v, key, list);
	return list;
}

static const struct strvec *
get_env(struct restore *x, const struct jval *v)
{
	struct strvec *list;

	if (jval_count(jval_get(v, "env")) == 0)
		return NULL;
	list = plan_own_list(x->p);
	get_pairs(x, v, "env", list);
	return list;
}

static struct plan_ref
get_ref(struct restore *x, const struct jval *v)
{
	int64_t n = jval_int(v, INT64_MAX);
	struct plan_ref ref = { .is_test = n < 0 };
	uint64_t index = n < 0 ? (uint64_t)(-1 - n) : (uint64_t)n;

	if (jval_type(v) != JVAL_INT ||
	    index >= (ref.is_test ? x->n_tests : x->n_suites))
		fail(x);
	else
		ref.index = (uint32_t)index;
	return ref;
}

static const struct plan_ref *
get_refs(struct restore *x, const struct jval *v, uint32_t *ret_n)
{
	const struct jval *list = jval_get(v, "needs");
	size_t i, n = jval_count(list);
	struct plan_ref *refs;

	*ret_n = (uint32_t)n;
	if (n == 0)
		return NULL;
	refs = plan_own(x->p, mem_calloc(n, sizeof(*refs)), free);
	for (i = 0; i < n; i++)
		refs[i] = get_ref(x, jval_at(list, i));
	return refs;
}

/* ---- tables ---- */

static void
read_targets(struct restore *x)
{
	const struct jval *list = jval_get(x->root, "targets"), *v;
	size_t i, n = jval_count(list);
	struct plan_target *t;
	const char *name;

	for (i = 0; i < n && !x->bad; i++) {
		v = jval_at(list, i);
		name = jval_get_str(v, "name", NULL);
		if (name == NULL || plan_target_index(x->p, name) != i) {
			fail(x);
			return;
		}
		t = &x->p->targets[i];
		t->max_per_agent = get_index(x, v, "max_per_agent",
		    UINT64_C(1) << 32);
		t->max = get_index(x, v, "max", UINT64_C(1) << 32);
		get_strings(x, v, "instances", &t->instances);
		get_pairs(x, v, "env", &t->env);
		get_pairs(x, v, "axes", &t->axes);
	}
}

static void
read_agents(struct restore *x)
{
	const struct jval *list = jval_get(x->root, "agents");
	size_t i, n = jval_count(list);
	struct strvec terms = STRVEC_INIT;
	uint32_t index;

	for (i = 0; i < n && !x->bad; i++) {
		get_strings(x, jval_at(list, i), "terms", &terms);
		if (plan_agents_index(x->p, &terms, &index, NULL, NULL) < 0 ||
		    index != i)
			fail(x);
		strvec_done(&terms);
	}
}

static void
read_locks(struct restore *x)
{
	const struct jval *list = jval_get(x->root, "locks"), *v;
	size_t i, n = jval_count(list);
	const char *name;

	for (i = 0; i < n && !x->bad; i++) {
		v = jval_at(list, i);
		name = jval_get_str(v, "name", NULL);
		if (name == NULL || plan_lock_index(x->p, name) != i) {
			fail(x);
			return;
		}
		x->p->locks[i].capacity = get_index(x, v, "capacity",
		    UINT64_C(1) << 32);
	}
}

static void
read_workspaces(struct restore *x)
{
	const struct jval *list = jval_get(x->root, "workspaces"), *v;
	struct plan_workspace *ws;
	const char *hash;
	size_t i;

	for (i = 0; i < jval_count(list); i++) {
		v = jval_at(list, i);
		ws = plan_add_workspace(x->p);
		ws->path = str_dup(jval_get_str(v, "path", ""));
		get_strings(x, v, "exclude", &ws->exclude);
		hash = jval_get_str(v, "hash", "");
		if (*hash != '\0' && !sha256_is_text(hash))
			fail(x);
		else
			memcpy(ws->hash, hash, strlen(hash) + 1);
		ws->bytes = get_index(x, v, "bytes", TREE_MAX_BYTES + 1);
	}
}

static void
read_pairs(struct restore *x)
{
	const struct jval *list = jval_get(x->root, "pairs");
	size_t i, n = jval_count(list) / 2;

	x->p->pairs = mem_calloc(n, sizeof(*x->p->pairs));
	for (i = 0; i < n; i++) {
		x->p->pairs[i].a = get_ref(x, jval_at(list, 2 * i));
		x->p->pairs[i].b = get_ref(x, jval_at(list, 2 * i + 1));
	}
	x->p->n_pairs = (uint32_t)n;
}

static void
read_data(struct restore *x)
{
	const struct jval *list = jval_get(x->root, "data"), *v;
	struct plan_data *d;
	size_t i, k;

	x->data = mem_calloc(jval_count(list), sizeof(*x->data));
	for (i = 0; i < jval_count(list); i++) {
		v = jval_at(list, i);
		d = plan_own(x->p, mem_zalloc(sizeof(*d)), plan_data_free);
		x->data[x->n_data++] = d;
		d->source = str_dup(jval_get_str(v, "source", NULL));
		get_strings(x, v, "columns", &d->columns);
		d->name_column = strvec_find(&d->columns, "_name");
		d->expect_column = strvec_find(&d->columns, "_expect_fail");
		if (!snapshot_read_columns(v, d))
			fail(x);
		d->n_rows = get_index(x, v, "rows", PLAN_MAX_STEPS + 1);
		if (d->n_rows == 0 || jval_count(jval_get(v, "cells")) !=
		    (size_t)d->n_rows * d->columns.n) {
			d->n_rows = 0;
			fail(x);
			return;
		}
		d->cells = mem_calloc((size_t)d->n_rows * d->columns.n,
		    sizeof(*d->cells));
		for (k = 0; k < (size_t)d->n_rows * d->columns.n; k++)
			d->cells[k] = str_dup(jval_str(jval_at(jval_get(v,
			    "cells"), k), NULL));
	}
}

/* ---- values ---- */

static void
read_holds(struct restore *x, const struct jval *list,
    struct plan_props *props)
{
	size_t i, n = jval_count(list);
	struct plan_hold *holds;
	const struct jval *v;

	if (n == 0)
		return;
	holds = plan_own(x->p, mem_calloc(n, sizeof(*holds)), free);
	for (i = 0; i < n; i++) {
		v = jval_at(list, i);
		holds[i].lock = (uint32_t)jval_int(jval_at(v, 0), 0);
		holds[i].count = (uint32_t)jval_int(jval_at(v, 1), 0);
		holds[i].shared = jval_bool(jval_at(v, 2), false);
		if (holds[i].lock >= x->p->n_locks || holds[i].count == 0)
			fail(x);
	}
	props->locks = holds;
	props->n_locks = (uint32_t)n;
}

static void
read_exits(struct restore *x, const struct jval *list,
    struct plan_props *props)
{
	size_t i, n = jval_count(list);
	struct plan_exit *exits;
	int64_t code, outcome;

	if (n == 0)
		return;
	exits = plan_own(x->p, mem_calloc(n, sizeof(*exits)), free);
	for (i = 0; i < n; i++) {
		code = jval_int(jval_at(jval_at(list, i), 0), -1);
		outcome = jval_int(jval_at(jval_at(list, i), 1), -1);
		if (code < 0 || code > 255 || outcome < 1 ||
		    outcome >= OUTCOMES) {
			fail(x);
			continue;
		}
		exits[i].code = (uint8_t)code;
		exits[i].outcome = (enum outcome)outcome;
	}
	props->exits = exits;
	props->n_exits = (uint32_t)n;
}

/* A list of indices below limit, owned by the plan. */
static const uint32_t *
get_indices(struct restore *x, const struct jval *list, uint32_t limit,
    uint32_t *ret_n)
{
	size_t i, n = jval_count(list);
	uint32_t *v;
	int64_t one;

	*ret_n = (uint32_t)n;
	if (n == 0)
		return NULL;
	v = plan_own(x->p, mem_calloc(n, sizeof(*v)), free);
	for (i = 0; i < n; i++) {
		one = jval_int(jval_at(list, i), -1);
		if (one < 0 || one >= limit)
			fail(x);
		else
			v[i] = (uint32_t)one;
	}
	return v;
}

static void
read_one_props(struct restore *x, const struct jval *v)
{
	struct plan_props *props = plan_own_props(x->p, &plan_default_props);
	const char *shell = jval_get_str(v, "shell", NULL);
	const char *name = jval_get_str(v, "results_name", NULL);
	const struct jval *field;
	size_t i;

	for (i = 0; i < n_snapshot_fields; i++) {
		field = jval_get(v, snapshot_fields[i].name);
		if (field != NULL && !snapshot_fields[i].read(field,
		    (char *)props + snapshot_fields[i].offset))
			fail(x);
	}
	if (jval_get(v, "agents") != NULL)
		props->agents = get_index(x, v, "agents", x->p->n_agents);
	props->command = get_list(x, v, "command");
	if (shell != NULL)
		props->shell = plan_own(x->p, str_dup(shell), free);
	if (name != NULL)
		props->results_name = plan_own(x->p, str_dup(name), free);
	props->env = get_env(x, v);
	props->setup = get_list(x, v, "setup");
	props->teardown = get_list(x, v, "teardown");
	props->artifacts = get_list(x, v, "artifacts");
	if (props->workspace > x->p->n_workspaces ||
	    props->schedule > x->p->n_schedules)
		fail(x);
	read_holds(x, jval_get(v, "locks"), props);
	read_exits(x, jval_get(v, "exits"), props);
	props->targets = get_indices(x, jval_get(v, "targets"),
	    x->p->n_targets, &props->n_targets);
	props->secrets = get_indices(x, jval_get(v, "secrets"),
	    x->p->n_secrets, &props->n_secrets);
	if (jval_get(v, "data") != NULL && x->n_data > 0)
		props->data = x->data[get_index(x, v, "data", x->n_data)];
	if (props->shards > 0 && (props->data == NULL ||
	    props->data->n_rows != props->shards))
		fail(x);
	x->props[x->n_props++] = props;
}

static void
read_props(struct restore *x)
{
	const struct jval *list = jval_get(x->root, "props");
	size_t i, n = jval_count(list);

	if (!snapshot_read_secrets(x->root, x->p) ||
	    !snapshot_read_schedules(x->root, x->p))
		fail(x);
	x->props = mem_calloc(n, sizeof(*x->props));
	for (i = 0; i < n && !x->bad; i++)
		read_one_props(x, jval_at(list, i));
}

/* ---- suites and tests ---- */

static const struct plan_props *
get_props(struct restore *x, const struct jval *v)
{
	uint32_t i = get_index(x, v, "props", x->n_props);

	return x->n_props > 0 ? x->props[i] : &plan_default_props;
}

static void
close_suites(struct plan *p)
{
	uint32_t i, s;

	for (i = 0; i < p->n_suites; i++)
		for (s = i; s != PLAN_NONE; s = p->suites[s].parent)
			p->suites[s].end = i + 1;
}

static void
read_suite(struct restore *x, const struct jval *v, uint32_t *tests)
{
	uint32_t i = plan_add_suite(x->p);
	struct plan_suite *s = &x->p->suites[i];
	const char *name = jval_get_str(v, "name", NULL);

	if (name == NULL)
		fail(x);
	s->name = str_dup(name != NULL ? name : "?");
	s->parent = PLAN_NONE;
	if (jval_get(v, "parent") != NULL && i == 0)
		fail(x);
	else if (jval_get(v, "parent") != NULL)
		s->parent = get_index(x, v, "parent", i);
	s->path = s->parent == PLAN_NONE ? str_dup(s->name) :
	    str_fmt("%s/%s", x->p->suites[s->parent].path, s->name);
	s->props = get_props(x, v);
	s->first_test = *tests;
	s->n_tests = get_index(x, v, "tests", x->n_tests - *tests + 1);
	*tests += s->n_tests;
	s->mode = (enum suite_mode)get_index(x, v, "mode", SUITE_MODES);
	s->max_parallel = get_index(x, v, "max_parallel", UINT64_C(1) << 32);
	s->needs = get_refs(x, v, &s->n_needs);
	x->p->priv->suite_agents[i] = PLAN_NONE;
	if (jval_get(v, "agents") != NULL)
		x->p->priv->suite_agents[i] = get_index(x, v, "agents",
		    x->p->n_agents);
}

static void
read_suites(struct restore *x)
{
	const struct jval *list = jval_get(x->root, "suites");
	uint32_t tests = 0;
	size_t i;

	x->p->priv->suite_agents = mem_calloc(x->n_suites, sizeof(uint32_t));
	for (i = 0; i < x->n_suites && !x->bad; i++)
		read_suite(x, jval_at(list, i), &tests);
	if (tests != x->n_tests)
		fail(x);
	if (!x->bad)
		close_suites(x->p);
}

static void
read_test(struct restore *x, const struct jval *v, uint32_t suite)
{
	const char *name = jval_str(v, NULL);
	uint32_t i = plan_add_test(x->p);
	struct plan_test *t = &x->p->tests[i];

	t->suite = suite;
	t->props = x->p->suites[suite].props;
	if (jval_type(v) == JVAL_OBJECT) {
		name = jval_get_str(v, "name", NULL);
		t->props = get_props(x, v);
		t->env = get_env(x, v);
		t->needs = get_refs(x, v, &t->n_needs);
	}
	if (name == NULL)
		fail(x);
	t->name = str_dup(name != NULL ? name : "?");
}

static void
read_tests(struct restore *x)
{
	const struct jval *list = jval_get(x->root, "tests");
	const struct plan_suite *s;
	uint32_t i, k;

	for (i = 0; i < x->p->n_suites && !x->bad; i++) {
		s = &x->p->suites[i];
		for (k = 0; k < s->n_tests; k++)
			read_test(x, jval_at(list, s->first_test + k), i);
	}
}

static void
read_kept(struct restore *x)
{
	const struct jval *list = jval_get(x->root, "kept");
	struct runs *base = &x->p->priv->base;
	int64_t n;
	size_t i;

	for (i = 0; i < jval_count(list); i++) {
		n = jval_int(jval_at(list, i), -1);
		if (n < 0 || n > PLAN_MAX_STEPS) {
			fail(x);
			return;
		}
		base->v = mem_grow(base->v, &base->cap, i + 1,
		    sizeof(*base->v));
		base->v[base->n++] = (uint32_t)n;
	}
}

static void
read_head(struct restore *x)
{
	struct plan *p = x->p;
	int64_t parallel = jval_get_int(x->root, "parallel", -2);
	const char *name = jval_get_str(x->root, "name", NULL);

	if (name == NULL || parallel < -1 || parallel >= PARALLELS)
		fail(x);
	else
		p->priv->parallel = (int)parallel;
	p->name = str_dup(name);
	p->file = str_dup(jval_get_str(x->root, "file", NULL));
	p->dir = str_dup(jval_get_str(x->root, "dir", NULL));
	p->order = (enum order)get_index(x, x->root, "order", ORDERS);
	p->priority = (int32_t)jval_get_int(x->root, "priority", 0);
	p->max_parallel = get_index(x, x->root, "max_parallel",
	    UINT64_C(1) << 32);
	p->max_failures = get_index(x, x->root, "max_failures",
	    UINT64_C(1) << 32);
	p->on_failure = (enum on_failure)get_index(x, x->root, "on_failure",
	    ON_FAILURES);
	p->deadline_us = jval_get_int(x->root, "deadline_us", 0);
	if (p->deadline_us < 0)
		fail(x);
	p->adhoc = jval_get_bool(x->root, "adhoc", false);
	p->private = jval_get_bool(x->root, "private", false);
	if (jval_get(x->root, "ahead") != NULL)
		p->ahead = get_index(x, x->root, "ahead", PLAN_AHEAD_AUTO);
	get_pairs(x, x->root, "params", &p->params);
	x->n_suites = jval_count(jval_get(x->root, "suites"));
	x->n_tests = jval_count(jval_get(x->root, "tests"));
	if (x->n_tests > PLAN_MAX_TESTS || x->n_suites > PLAN_MAX_TESTS)
		fail(x);
}

static int
restore(struct restore *x)
{
	/* Later ones refer to earlier ones. */
	static void (*const steps[])(struct restore *x) = { read_head,
		read_targets, read_agents, read_locks, read_pairs, read_data,
		read_workspaces, read_props, read_suites, read_tests, read_kept };
	struct diags ds = DIAGS_INIT;
	size_t i;
	bool good;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]) && !x->bad; i++)
		steps[i](x);
	if (x->bad || !snapshot_read_amended(x->root, x->p))
		return ERR_SYNTAX;
	x->p->priv->restored = true;
	x->p->priv->file_order = x->p->order;
	x->p->priv->file_deadline_us = x->p->deadline_us;
	x->p->priv->file_parallel = x->p->priv->parallel;
	good = expand_all(x->p, NULL, NULL, &ds) == 0 &&
	    x->p->n_execs == jval_get_int(x->root, "executions", -1) &&
	    snapshot_read_moved(x->root, x->p);
	diags_done(&ds);
	return good ? 0 : ERR_SYNTAX;
}

int
plan_from_snapshot(const char *text, size_t len, struct plan **ret)
{
	struct restore x = { .p = NULL };
	struct jdoc doc;
	int r;

	if ((r = jdoc_parse(&doc, NULL, text, len, 0, NULL)) < 0)
		return r;
	x.root = doc.root;
	if (jval_get_int(x.root, "version", -1) != SNAPSHOT_VERSION) {
		r = jval_get_int(x.root, "version", -1) > SNAPSHOT_VERSION ?
		    ERR_VERSION : ERR_SYNTAX;
		goto out;
	}
	x.p = plan_new();
	if ((r = restore(&x)) == 0) {
		*ret = x.p;
		x.p = NULL;
	}
out:
	plan_free(x.p);
	free(x.props);
	free(x.data);
	jdoc_done(&doc);
	return r;
}
