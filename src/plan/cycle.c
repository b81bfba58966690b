/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cycles in needs. What waits for what is a graph of moments: a suite begins
 * (after the one around it and after its needs), a unit runs (a test, or all
 * tests of a suite that share executions; after its suite began and after its
 * needs), a suite ends (after all in it). A walk in depth, with a stack of
 * its own because plans may be long chains, finds an edge back.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "plan/cycle.h"
#include "plan/plan_private.h"
#include "yardmaster/base/mem.h"

struct edge {
	uint32_t from, to;
	struct plan_ref owner;	/* whose need it is */
	const struct plan_ref *need;	/* NULL: by structure */
};

struct graph {
	const struct plan *p;
	struct diags *ds;
	struct edge *edges;	/* by from */
	size_t n, cap;
	size_t *first;		/* of each node, and one more */
	uint32_t n_nodes;
	uint8_t *seen;		/* 0 not, 1 on the stack, 2 done */
	size_t *stack;		/* edges taken */
	uint32_t depth;
};

/* Nodes: begin of each suite, end of each, unit of each, then tests. */
static uint32_t
node_begin(uint32_t suite)
{
	return suite;
}

static uint32_t
node_end(const struct graph *g, uint32_t suite)
{
	return g->p->n_suites + suite;
}

/* What runs the test: itself, or the unit of its suite. */
static uint32_t
node_test(const struct graph *g, uint32_t test)
{
	uint32_t suite = g->p->tests[test].suite;

	if (plan_groups(g->p, suite))
		return 2 * g->p->n_suites + suite;
	return 3 * g->p->n_suites + test;
}

static void
add_edge(struct graph *g, uint32_t from, uint32_t to,
    const struct plan_ref *owner, const struct plan_ref *need)
{
	struct edge *e;

	if (from == to)
		return;		/* inside one execution: the order decides */
	g->edges = mem_grow(g->edges, &g->cap, g->n + 1, sizeof(*g->edges));
	e = &g->edges[g->n++];
	e->from = from;
	e->to = to;
	e->need = need;
	if (owner != NULL)
		e->owner = *owner;
}

/* Appends a name unless it is the last one already. */
static void
put_name(struct strvec *names, const struct plan *p,
    const struct plan_ref *ref)
{
	struct buf b = BUF_INIT;

	plan_ref_format(p, ref, &b);
	if (names->n == 0 || strcmp(names->v[names->n - 1], buf_str(&b)) != 0)
		strvec_push(names, buf_str(&b));
	buf_done(&b);
}

/* The first need of a suite or test as it was written, or NULL. */
static const struct raw_ref *
need_place(const struct graph *g, const struct plan_ref *owner)
{
	const struct raw_refs *raw = owner->is_test ?
	    &g->p->priv->test_needs[owner->index] :
	    &g->p->priv->suite_needs[owner->index];

	return raw->n > 0 ? &raw->v[0] : NULL;
}

static void
say(struct graph *g, const struct raw_ref *at, const struct strvec *names)
{
	struct buf text = BUF_INIT;
	uint32_t i;

	for (i = 0; i < names->n; i++)
		buf_putf(&text, "%s%s", i > 0 ? " -> " : "a cycle: ",
		    names->v[i]);
	plan_fault(g->p, at != NULL ? at->doc : NULL, g->ds, DIAG_ERROR,
	    at != NULL ? at->path : NULL, buf_str(&text));
	buf_done(&text);
}

/* What needs itself can never begin, whatever it shares a worker with. */
static void
say_self(struct graph *g, const struct plan_ref *ref)
{
	struct strvec names = STRVEC_INIT;

	put_name(&names, g->p, ref);
	strvec_push(&names, names.v[0]);
	say(g, need_place(g, ref), &names);
	strvec_done(&names);
}

static bool
same_ref(const struct plan_ref *a, const struct plan_ref *b)
{
	return a->is_test == b->is_test && a->index == b->index;
}

static void
add_needs(struct graph *g, uint32_t from, const struct plan_ref *owner,
    const struct plan_ref *needs, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (same_ref(owner, &needs[i]))
			say_self(g, owner);
		else
			add_edge(g, from, needs[i].is_test ?
			    node_test(g, needs[i].index) :
			    node_end(g, needs[i].index), owner, &needs[i]);
}

static void
add_suite(struct graph *g, uint32_t i)
{
	const struct plan_suite *s = &g->p->suites[i];
	struct plan_ref self = { .index = i };

	add_edge(g, node_end(g, i), node_begin(i), NULL, NULL);
	if (s->parent != PLAN_NONE) {
		add_edge(g, node_begin(i), node_begin(s->parent), NULL, NULL);
		add_edge(g, node_end(g, s->parent), node_end(g, i), NULL,
		    NULL);
	}
	add_needs(g, node_begin(i), &self, s->needs, s->n_needs);
}

static void
add_test(struct graph *g, uint32_t i)
{
	const struct plan_test *t = &g->p->tests[i];
	struct plan_ref self = { .is_test = true, .index = i };
	uint32_t node = node_test(g, i);

	add_edge(g, node, node_begin(t->suite), NULL, NULL);
	add_edge(g, node_end(g, t->suite), node, NULL, NULL);
	add_needs(g, node, &self, t->needs, t->n_needs);
}

static int
by_from(const void *pa, const void *pb)
{
	const struct edge *a = pa, *b = pb;

	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	return a->to < b->to ? -1 : a->to > b->to;
}

static void
build(struct graph *g)
{
	uint32_t i;
	size_t k;

	for (i = 0; i < g->p->n_suites; i++)
		add_suite(g, i);
	for (i = 0; i < g->p->n_tests; i++)
		add_test(g, i);
	if (g->n > 0)
		qsort(g->edges, g->n, sizeof(*g->edges), by_from);
	g->n_nodes = 3 * g->p->n_suites + g->p->n_tests;
	g->first = mem_calloc((size_t)g->n_nodes + 1, sizeof(*g->first));
	for (k = 0; k < g->n; k++)
		g->first[g->edges[k].from + 1]++;
	for (i = 0; i < g->n_nodes; i++)
		g->first[i + 1] += g->first[i];
	g->seen = mem_calloc(g->n_nodes, 1);
	g->stack = mem_calloc((size_t)g->n_nodes + 1, sizeof(*g->stack));
}

/* The cycle is on the stack from the place where node was left, closed by
 * the edge on top. */
static void
say_cycle(struct graph *g, uint32_t node)
{
	struct strvec names = STRVEC_INIT;
	const struct raw_ref *at = NULL;
	const struct edge *e;
	uint32_t from, i;

	for (from = g->depth; g->edges[g->stack[from - 1]].from != node;)
		from--;
	for (i = from - 1; i < g->depth; i++) {
		e = &g->edges[g->stack[i]];
		if (e->need == NULL)
			continue;
		if (at == NULL)
			at = need_place(g, &e->owner);
		put_name(&names, g->p, &e->owner);
		put_name(&names, g->p, e->need);
	}
	if (names.n == 1 ||
	    (names.n > 1 && strcmp(names.v[0], names.v[names.n - 1]) != 0))
		strvec_push(&names, names.v[0]);
	say(g, at, &names);
	strvec_done(&names);
}

/* Walks from root; one message at most. The stack holds, for each level, the
 * edge that is being followed. */
static void
walk(struct graph *g, uint32_t root)
{
	bool said = false;
	uint32_t node, to;
	size_t *top;

	g->depth = 1;
	g->stack[0] = g->first[root];
	g->seen[root] = 1;
	node = root;
	while (g->depth > 0) {
		top = &g->stack[g->depth - 1];
		if (*top == g->first[node + 1]) {
			g->seen[node] = 2;
			if (--g->depth > 0) {
				node = g->edges[g->stack[g->depth - 1]].from;
				g->stack[g->depth - 1]++;
			}
			continue;
		}
		to = g->edges[*top].to;
		if (g->seen[to] == 1 && !said) {
			say_cycle(g, to);
			said = true;
		}
		if (g->seen[to] != 0) {
			(*top)++;
			continue;
		}
		g->seen[to] = 1;
		g->stack[g->depth++] = g->first[to];
		node = to;
	}
}

static bool
has_needs(const struct plan *p)
{
	uint32_t i;

	for (i = 0; i < p->n_suites; i++)
		if (p->suites[i].n_needs > 0)
			return true;
	for (i = 0; i < p->n_tests; i++)
		if (p->tests[i].n_needs > 0)
			return true;
	return false;
}

void
plan_check_cycles(const struct plan *p, struct diags *ds)
{
	struct graph g = { .p = p, .ds = ds };
	uint32_t i;

	if (!has_needs(p))
		return;
	build(&g);
	for (i = 0; i < g.n_nodes; i++)
		if (g.seen[i] == 0)
			walk(&g, i);
	free(g.edges);
	free(g.first);
	free(g.seen);
	free(g.stack);
}
