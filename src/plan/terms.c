/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the scheduler must know of an execution. Tests that share all values
 * share the terms, and a single step borrows its lists: a plan of a million
 * steps must not have a million of each.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "plan/expand.h"
#include "yardmaster/base/mem.h"

struct needs {
	const struct plan_ref *v;
	uint32_t n;
	bool made;
};

struct terms_maker {
	struct plan *p;
	struct needs *chains;	/* by suite: its own and those around it */
	/* Terms made for steps like the last one, by target, plus 1. */
	uint32_t *by_target;
	uint32_t test;		/* of the last one */
};

struct terms_maker *
terms_maker_new(struct plan *p)
{
	struct terms_maker *m = mem_zalloc(sizeof(*m));

	m->p = p;
	m->chains = mem_calloc(p->n_suites, sizeof(*m->chains));
	m->by_target = mem_calloc((size_t)p->n_targets + 1,
	    sizeof(*m->by_target));
	m->test = PLAN_NONE;
	return m;
}

void
terms_maker_free(struct terms_maker *m)
{
	free(m->chains);
	free(m->by_target);
	free(m);
}

/* ---- lists ---- */

static bool
has_ref(const struct plan_ref *v, uint32_t n, const struct plan_ref *ref)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (v[i].is_test == ref->is_test && v[i].index == ref->index)
			return true;
	return false;
}

static uint32_t
add_refs(struct plan_ref *v, uint32_t n, const struct plan_ref *from,
    uint32_t n_from)
{
	uint32_t i;

	for (i = 0; i < n_from; i++)
		if (!has_ref(v, n, &from[i]))
			v[n++] = from[i];
	return n;
}

static const struct needs *
chain(struct terms_maker *m, uint32_t suite)
{
	struct needs *c = &m->chains[suite];
	uint32_t s, n = 0;
	struct plan_ref *v;

	if (c->made)
		return c;
	c->made = true;
	for (s = suite; s != PLAN_NONE; s = m->p->suites[s].parent)
		n += m->p->suites[s].n_needs;
	if (n == 0)
		return c;
	v = plan_own_expanded(m->p, mem_calloc(n, sizeof(*v)));
	for (s = suite; s != PLAN_NONE; s = m->p->suites[s].parent)
		c->n = add_refs(v, c->n, m->p->suites[s].needs,
		    m->p->suites[s].n_needs);
	c->v = v;
	return c;
}

static void
set_needs(struct terms_maker *m, struct plan_terms *t,
    const struct plan_test *test)
{
	const struct needs *c = chain(m, test->suite);
	struct plan_ref *v;
	uint32_t n;

	t->needs = c->v;
	t->n_needs = c->n;
	if (test->n_needs == 0)
		return;
	v = plan_own_expanded(m->p, mem_calloc(c->n + test->n_needs,
	    sizeof(*v)));
	n = add_refs(v, 0, c->v, c->n);
	t->n_needs = add_refs(v, n, test->needs, test->n_needs);
	t->needs = v;
}

/* ---- one step ---- */

static void
set_plain(struct plan_terms *t, const struct plan_props *props)
{
	t->needs_any_result = props->needs_any_result;
	t->pinned = props->pinned;
	t->repeatable = props->repeatable;
	t->beside_itself = props->beside_itself;
	t->on_failure = props->on_failure;
	t->retries = props->retries;
	t->error_retries = props->error_retries;
	t->workers = props->workers;
	t->priority = props->priority;
	t->retry_delay_us = props->retry_delay_us;
	t->lost_after_us = props->lost_after_us;
	t->start_timeout_us = props->start_timeout_us;
	t->estimate_us = props->estimate_us;
}

/* One that was amended is not among those of the test. */
static const uint32_t *
borrow_target(struct plan *p, const struct plan_props *props, uint32_t target)
{
	uint32_t i;

	for (i = 0; i < props->n_targets; i++)
		if (props->targets[i] == target)
			return &props->targets[i];
	return plan_own_expanded(p, mem_dup(&target, sizeof(target)));
}

static void
make_single(struct terms_maker *m, const struct plan_step *s,
    struct plan_terms *t)
{
	const struct plan_test *test = &m->p->tests[s->test];
	const struct plan_props *props = test->props;
	uint32_t agents = plan_test_agents(m->p, s->test);

	set_plain(t, props);
	t->agents = &props->agents;
	t->n_agents = 1;
	if (agents != props->agents)
		t->agents = plan_own_expanded(m->p, mem_dup(&agents,
		    sizeof(agents)));
	if (s->target != PLAN_NONE) {
		t->targets = borrow_target(m->p, props, s->target);
		t->n_targets = 1;
	}
	t->locks = props->locks;
	t->n_locks = props->n_locks;
	set_needs(m, t, test);
}

/* ---- several steps ---- */

static uint32_t
max_u(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static int64_t
max_us(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Unlike plain values: what holds for the whole execution. */
static void
join_plain(struct plan_terms *t, const struct plan_props *props)
{
	t->needs_any_result = t->needs_any_result && props->needs_any_result;
	t->pinned = t->pinned || props->pinned;
	t->repeatable = t->repeatable && props->repeatable;
	t->beside_itself = t->beside_itself && props->beside_itself;
	if (props->on_failure > t->on_failure)
		t->on_failure = props->on_failure;
	t->retries = max_u(t->retries, props->retries);
	t->error_retries = max_u(t->error_retries, props->error_retries);
	t->workers = max_u(t->workers, props->workers);
	if (props->priority > t->priority)
		t->priority = props->priority;
	t->retry_delay_us = max_us(t->retry_delay_us, props->retry_delay_us);
	t->lost_after_us = max_us(t->lost_after_us, props->lost_after_us);
	t->start_timeout_us = max_us(t->start_timeout_us,
	    props->start_timeout_us);
}

struct join {
	struct terms_maker *m;
	uint32_t *agents, *targets;
	uint32_t n_agents, n_targets;
	struct plan_hold *locks;	/* by lock; count 0: not taken */
	struct plan_ref *needs;
	uint32_t n_needs;
};

static uint32_t
add_index(uint32_t *v, uint32_t n, uint32_t index)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (v[i] == index)
			return n;
	v[n] = index;
	return n + 1;
}

static void
join_locks(struct join *j, const struct plan_props *props)
{
	const struct plan_hold *from;
	struct plan_hold *to;
	uint32_t i;

	for (i = 0; i < props->n_locks; i++) {
		from = &props->locks[i];
		to = &j->locks[from->lock];
		if (to->count == 0) {
			*to = *from;
			continue;
		}
		to->count = max_u(to->count, from->count);
		to->shared = to->shared && from->shared;
	}
}

/* Where tests share executions, needs among them are met by their order. */
static void
join_needs(struct join *j, const struct plan_test *test)
{
	const struct plan *p = j->m->p;
	const struct plan_ref *ref;
	uint32_t i;

	for (i = 0; i < test->n_needs; i++) {
		ref = &test->needs[i];
		if (ref->is_test && p->tests[ref->index].suite == test->suite)
			continue;
		j->n_needs = add_refs(j->needs, j->n_needs, ref, 1);
	}
}

static void
join_test(struct join *j, uint32_t index)
{
	const struct plan_test *test = &j->m->p->tests[index];

	j->n_agents = add_index(j->agents, j->n_agents,
	    plan_test_agents(j->m->p, index));
	join_locks(j, test->props);
	join_needs(j, test);
}

static uint32_t
count_needs(const struct plan *p, const struct plan_exec *e)
{
	uint32_t i, n = 0;

	for (i = 0; i < e->n_steps; i++)
		n += p->tests[p->steps[e->first_step + i].test].n_needs;
	return n;
}

static const void *
keep_list(struct join *j, const void *from, size_t n, size_t size)
{
	if (n == 0)
		return NULL;
	return plan_own_expanded(j->m->p, mem_dup(from, n * size));
}

static void
set_lists(struct join *j, struct plan_terms *t)
{
	uint32_t i, n = 0;

	t->agents = keep_list(j, j->agents, j->n_agents, sizeof(*j->agents));
	t->n_agents = j->n_agents;
	t->targets = keep_list(j, j->targets, j->n_targets,
	    sizeof(*j->targets));
	t->n_targets = j->n_targets;
	for (i = 0; i < j->m->p->n_locks; i++)
		if (j->locks[i].count > 0)
			j->locks[n++] = j->locks[i];
	t->locks = keep_list(j, j->locks, n, sizeof(*j->locks));
	t->n_locks = n;
	t->needs = keep_list(j, j->needs, j->n_needs, sizeof(*j->needs));
	t->n_needs = j->n_needs;
}

static void
make_joined(struct terms_maker *m, const struct plan_exec *e,
    struct plan_terms *t)
{
	const struct plan *p = m->p;
	const struct plan_step *s = &p->steps[e->first_step];
	const struct needs *c = chain(m, e->suite);
	const struct plan_props *props = NULL;
	struct join j = { .m = m };
	bool known = true;
	uint32_t i;

	j.agents = mem_calloc(p->n_agents, sizeof(*j.agents));
	j.targets = mem_calloc(p->n_targets, sizeof(*j.targets));
	j.locks = mem_calloc(p->n_locks, sizeof(*j.locks));
	j.needs = mem_calloc(c->n + count_needs(p, e), sizeof(*j.needs));
	j.n_needs = add_refs(j.needs, 0, c->v, c->n);
	set_plain(t, p->tests[s->test].props);
	t->estimate_us = 0;
	for (i = 0; i < e->n_steps; i++, s++) {
		if (i == 0 || s->test != s[-1].test) {
			props = p->tests[s->test].props;
			join_plain(t, props);
			join_test(&j, s->test);
		}
		if (s->target != PLAN_NONE)
			j.n_targets = add_index(j.targets, j.n_targets,
			    s->target);
		known = known && props->estimate_us > 0;
		t->estimate_us += props->estimate_us;
	}
	if (!known)
		t->estimate_us = 0;
	set_lists(&j, t);
	free(j.agents);
	free(j.targets);
	free(j.locks);
	free(j.needs);
}

/* ---- sharing ---- */

/* True when a step of that test may have the terms of the last one. */
static bool
is_alike(const struct terms_maker *m, uint32_t test)
{
	const struct plan_test *a, *b;

	if (m->test == test)
		return true;
	if (m->test == PLAN_NONE)
		return false;
	a = &m->p->tests[m->test];
	b = &m->p->tests[test];
	return a->suite == b->suite && a->props == b->props &&
	    a->n_needs == 0 && b->n_needs == 0;
}

static struct plan_terms *
add_terms(struct plan *p)
{
	p->terms = mem_grow(p->terms, &p->priv->cap_terms, p->n_terms + 1,
	    sizeof(*p->terms));
	return &p->terms[p->n_terms++];
}

uint32_t
terms_make(struct terms_maker *m, const struct plan_exec *e)
{
	struct plan *p = m->p;
	const struct plan_step *s = &p->steps[e->first_step];
	uint32_t *slot;

	if (plan_groups(p, e->suite)) {
		make_joined(m, e, add_terms(p));
		return p->n_terms - 1;
	}
	if (!is_alike(m, s->test))
		memset(m->by_target, 0,
		    ((size_t)p->n_targets + 1) * sizeof(*m->by_target));
	m->test = s->test;
	slot = &m->by_target[s->target == PLAN_NONE ? p->n_targets :
	    s->target];
	if (*slot == 0) {
		make_single(m, s, add_terms(p));
		*slot = p->n_terms;
	}
	return *slot - 1;
}
