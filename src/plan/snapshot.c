/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writing a snapshot: the resolved tables of a plan, each once, referred to
 * by index, and which steps were kept. Reading it back (snapshot_read.c)
 * needs no other file and gives the same execution numbers.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "plan/plan_private.h"
#include "plan/snapshot.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/mem.h"

/* Pointers that got a number, in order of their first use. */
struct pooled {
	const void *p;
	uint32_t index;
	UT_hash_handle hh;
};

struct pool {
	struct pooled *head;
};

struct writer {
	const struct plan *p;
	struct jw w;
	struct pool props, data;
	uint32_t *suite_props, *test_props;
};

static uint32_t
pool_index(struct pool *pool, const void *p)
{
	struct pooled *e;

	HASH_FIND_PTR(pool->head, &p, e);
	if (e != NULL)
		return e->index;
	e = mem_zalloc(sizeof(*e));
	e->p = p;
	e->index = (uint32_t)HASH_COUNT(pool->head);
	HASH_ADD_PTR(pool->head, p, e);
	return e->index;
}

static void
pool_done(struct pool *pool)
{
	struct pooled *e, *next;

	HASH_ITER(hh, pool->head, e, next) {
		HASH_DEL(pool->head, e);
		free(e);
	}
}

static void
write_strings(struct jw *w, const char *key, const struct strvec *list)
{
	size_t i;

	if (list == NULL || list->n == 0)
		return;
	jw_key(w, key);
	jw_array(w);
	for (i = 0; i < list->n; i++)
		jw_str(w, list->v[i]);
	jw_array_end(w);
}

static void
write_indices(struct jw *w, const char *key, const uint32_t *v, size_t n)
{
	size_t i;

	if (n == 0)
		return;
	jw_key(w, key);
	jw_array(w);
	for (i = 0; i < n; i++)
		jw_int(w, v[i]);
	jw_array_end(w);
}

/* A reference is one number: suites count up from 0, tests down from -1. */
static void
write_ref(struct jw *w, const struct plan_ref *ref)
{
	jw_int(w, ref->is_test ? -1 - (int64_t)ref->index : ref->index);
}

static void
write_refs(struct jw *w, const char *key, const struct plan_ref *v,
    uint32_t n)
{
	uint32_t i;

	if (n == 0)
		return;
	jw_key(w, key);
	jw_array(w);
	for (i = 0; i < n; i++)
		write_ref(w, &v[i]);
	jw_array_end(w);
}

static void
write_locks(struct jw *w, const struct plan_props *props)
{
	uint32_t i;

	if (props->n_locks == 0)
		return;
	jw_key(w, "locks");
	jw_array(w);
	for (i = 0; i < props->n_locks; i++) {
		jw_array(w);
		jw_int(w, props->locks[i].lock);
		jw_int(w, props->locks[i].count);
		jw_bool(w, props->locks[i].shared);
		jw_array_end(w);
	}
	jw_array_end(w);
}

static void
write_exits(struct jw *w, const struct plan_props *props)
{
	uint32_t i;

	if (props->n_exits == 0)
		return;
	jw_key(w, "exits");
	jw_array(w);
	for (i = 0; i < props->n_exits; i++) {
		jw_array(w);
		jw_int(w, props->exits[i].code);
		jw_int(w, props->exits[i].outcome);
		jw_array_end(w);
	}
	jw_array_end(w);
}

static void
write_fields(struct jw *w, const struct plan_props *props)
{
	const struct snapshot_field *f;
	const char *member;
	size_t i;

	for (i = 0; i < n_snapshot_fields; i++) {
		f = &snapshot_fields[i];
		member = (const char *)props + f->offset;
		if (memcmp(member, (const char *)&plan_default_props +
		    f->offset, f->size) != 0)
			f->write(w, f->name, member);
	}
}

static void
write_props(struct writer *x, const struct plan_props *props)
{
	struct jw *w = &x->w;

	jw_object(w);
	write_fields(w, props);
	if (props->agents != 0)
		jw_kv_int(w, "agents", props->agents);
	write_strings(w, "command", props->command);
	if (props->shell != NULL)
		jw_kv_str(w, "shell", props->shell);
	if (props->results_name != NULL)
		jw_kv_str(w, "results_name", props->results_name);
	write_strings(w, "env", props->env);
	write_strings(w, "setup", props->setup);
	write_strings(w, "teardown", props->teardown);
	write_strings(w, "artifacts", props->artifacts);
	write_locks(w, props);
	write_exits(w, props);
	write_indices(w, "targets", props->targets, props->n_targets);
	write_indices(w, "secrets", props->secrets, props->n_secrets);
	if (props->data != NULL)
		jw_kv_int(w, "data", pool_index(&x->data, props->data));
	jw_object_end(w);
}

static void
write_data(struct jw *w, const struct plan_data *d)
{
	size_t i, n = (size_t)d->n_rows * d->columns.n;

	jw_object(w);
	if (d->source != NULL)
		jw_kv_str(w, "source", d->source);
	snapshot_write_columns(w, d);
	jw_kv_int(w, "rows", d->n_rows);
	write_strings(w, "columns", &d->columns);
	jw_key(w, "cells");
	jw_array(w);
	for (i = 0; i < n; i++)
		jw_str(w, d->secret[i % d->columns.n] ? NULL : d->cells[i]);
	jw_array_end(w);
	jw_object_end(w);
}

static void
write_targets(struct writer *x)
{
	const struct plan_target *t;
	struct jw *w = &x->w;
	uint32_t i;

	jw_key(w, "targets");
	jw_array(w);
	for (i = 0; i < x->p->n_targets; i++) {
		t = &x->p->targets[i];
		jw_object(w);
		jw_kv_str(w, "name", t->name);
		jw_kv_int(w, "max_per_agent", t->max_per_agent);
		jw_kv_int(w, "max", t->max);
		write_strings(w, "instances", &t->instances);
		write_strings(w, "env", &t->env);
		write_strings(w, "axes", &t->axes);
		jw_object_end(w);
	}
	jw_array_end(w);
}

static void
write_workspaces(struct writer *x)
{
	const struct plan_workspace *ws;
	struct jw *w = &x->w;
	uint32_t i;

	if (x->p->n_workspaces == 0)
		return;
	jw_key(w, "workspaces");
	jw_array(w);
	for (i = 0; i < x->p->n_workspaces; i++) {
		ws = &x->p->workspaces[i];
		jw_object(w);
		jw_kv_str(w, "path", ws->path);
		write_strings(w, "exclude", &ws->exclude);
		jw_kv_str(w, "hash", ws->hash);
		jw_kv_int(w, "bytes", (int64_t)ws->bytes);
		jw_object_end(w);
	}
	jw_array_end(w);
}

static void
write_lists(struct writer *x)
{
	const struct plan *p = x->p;
	struct jw *w = &x->w;
	uint32_t i;

	jw_key(w, "agents");
	jw_array(w);
	for (i = 0; i < p->n_agents; i++) {
		jw_object(w);
		write_strings(w, "terms", &p->agents[i].terms);
		jw_object_end(w);
	}
	jw_array_end(w);
	jw_key(w, "locks");
	jw_array(w);
	for (i = 0; i < p->n_locks; i++) {
		jw_object(w);
		jw_kv_str(w, "name", p->locks[i].name);
		jw_kv_int(w, "capacity", p->locks[i].capacity);
		jw_object_end(w);
	}
	jw_array_end(w);
	jw_key(w, "pairs");
	jw_array(w);
	for (i = 0; i < p->n_pairs; i++) {
		if (p->pairs[i].off)
			continue;
		write_ref(w, &p->pairs[i].a);
		write_ref(w, &p->pairs[i].b);
	}
	jw_array_end(w);
}

static void
write_suites(struct writer *x)
{
	const struct plan_suite *s;
	struct jw *w = &x->w;
	uint32_t i;

	jw_key(w, "suites");
	jw_array(w);
	for (i = 0; i < x->p->n_suites; i++) {
		s = &x->p->suites[i];
		jw_object(w);
		jw_kv_str(w, "name", s->name);
		if (s->parent != PLAN_NONE)
			jw_kv_int(w, "parent", s->parent);
		jw_kv_int(w, "props", x->suite_props[i]);
		jw_kv_int(w, "tests", s->n_tests);
		jw_kv_int(w, "mode", s->mode);
		jw_kv_int(w, "max_parallel", s->max_parallel);
		write_refs(w, "needs", s->needs, s->n_needs);
		if (x->p->priv->suite_agents != NULL &&
		    x->p->priv->suite_agents[i] != PLAN_NONE)
			jw_kv_int(w, "agents", x->p->priv->suite_agents[i]);
		jw_object_end(w);
	}
	jw_array_end(w);
}

/* A test that is no more than a name in its suite is written as that. */
static void
write_tests(struct writer *x)
{
	const struct plan_test *t;
	struct jw *w = &x->w;
	uint32_t i;

	jw_key(w, "tests");
	jw_array(w);
	for (i = 0; i < x->p->n_tests; i++) {
		t = &x->p->tests[i];
		if (t->env == NULL && t->n_needs == 0 &&
		    t->props == x->p->suites[t->suite].props) {
			jw_str(w, t->name);
			continue;
		}
		jw_object(w);
		jw_kv_str(w, "name", t->name);
		jw_kv_int(w, "props", x->test_props[i]);
		write_strings(w, "env", t->env);
		write_refs(w, "needs", t->needs, t->n_needs);
		jw_object_end(w);
	}
	jw_array_end(w);
}

static void
write_head(struct writer *x)
{
	const struct plan *p = x->p;
	struct jw *w = &x->w;

	jw_kv_int(w, "version", SNAPSHOT_VERSION);
	jw_kv_str(w, "name", p->name);
	if (p->file != NULL)
		jw_kv_str(w, "file", p->file);
	if (p->dir != NULL)
		jw_kv_str(w, "dir", p->dir);
	jw_kv_int(w, "order", p->order);
	jw_kv_int(w, "parallel", p->priv->parallel);
	jw_kv_int(w, "priority", p->priority);
	jw_kv_int(w, "max_parallel", p->max_parallel);
	jw_kv_int(w, "max_failures", p->max_failures);
	jw_kv_int(w, "on_failure", p->on_failure);
	if (p->deadline_us > 0)
		jw_kv_int(w, "deadline_us", p->deadline_us);
	if (p->adhoc)
		jw_kv_bool(w, "adhoc", true);
	if (p->private)
		jw_kv_bool(w, "private", true);
	if (p->ahead != PLAN_AHEAD_AUTO)
		jw_kv_int(w, "ahead", p->ahead);
	jw_kv_int(w, "executions", p->n_execs);
	write_strings(w, "params", &p->params);
}

static void
write_pools(struct writer *x)
{
	const struct pooled *e;

	/* A hash of uthash is walked in the order of insertion. */
	jw_key(&x->w, "props");
	jw_array(&x->w);
	for (e = x->props.head; e != NULL; e = e->hh.next)
		write_props(x, e->p);
	jw_array_end(&x->w);
	jw_key(&x->w, "data");
	jw_array(&x->w);
	for (e = x->data.head; e != NULL; e = e->hh.next)
		write_data(&x->w, e->p);
	jw_array_end(&x->w);
}

void
plan_snapshot(const struct plan *p, struct buf *out)
{
	struct writer x = { .p = p };
	uint32_t i;

	x.suite_props = mem_calloc(p->n_suites, sizeof(*x.suite_props));
	x.test_props = mem_calloc(p->n_tests, sizeof(*x.test_props));
	for (i = 0; i < p->n_suites; i++)
		x.suite_props[i] = pool_index(&x.props, p->suites[i].props);
	for (i = 0; i < p->n_tests; i++)
		x.test_props[i] = pool_index(&x.props, p->tests[i].props);
	jw_init(&x.w, out);
	jw_object(&x.w);
	write_head(&x);
	write_pools(&x);
	write_targets(&x);
	write_workspaces(&x);
	snapshot_write_secrets(&x.w, p);
	snapshot_write_schedules(&x.w, p);
	write_lists(&x);
	write_suites(&x);
	write_tests(&x);
	write_indices(&x.w, "kept", p->priv->kept.v, p->priv->kept.n);
	snapshot_write_amended(&x.w, p);
	jw_object_end(&x.w);
	free(x.suite_props);
	free(x.test_props);
	pool_done(&x.props);
	pool_done(&x.data);
}
