/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Resolving names in needs and exclusive. Done at load, again after
 * discovery (when more tests are there) and again at each expansion, because
 * what shares an execution decides what is a cycle.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "plan/cycle.h"
#include "plan/load.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"

/* Names that a hint may suggest; more would take long to compare. */
#define CANDIDATES_MAX 20000

static void
say_unknown(const struct plan *p, const struct raw_ref *raw, int code,
    struct diags *ds)
{
	const char **names;
	struct diag *d;
	uint32_t i, n = 0;
	char *text;

	text = str_fmt(code == ERR_EXISTS ? "several suites or tests are "
	    "named \"%s\"" : "no suite or test is named \"%s\"", raw->text);
	d = plan_fault(p, raw->doc, ds, DIAG_ERROR, raw->path, text);
	free(text);
	if (code == ERR_EXISTS) {
		diag_set_hint(d, "write suite/test");
		return;
	}
	names = mem_calloc(CANDIDATES_MAX + 1, sizeof(*names));
	for (i = 0; i < p->n_suites && n < CANDIDATES_MAX; i++)
		names[n++] = p->suites[i].path;
	for (i = 0; i < p->n_tests && n < CANDIDATES_MAX; i++)
		names[n++] = p->tests[i].name;
	check_did_you_mean(d, text_nearest(raw->text, names, 2));
	free(names);
}

/* 1: found, 0: it means nothing yet, ERR_INVALID: said. */
static int
resolve(struct plan *p, const struct raw_ref *raw, bool lenient,
    struct diags *ds, struct plan_ref *ret)
{
	int r = plan_find(p, raw->text, ret);

	if (r == 0)
		return 1;
	if (lenient && r == ERR_NOT_FOUND)
		return 0;
	say_unknown(p, raw, r, ds);
	return ERR_INVALID;
}

/* Resolves a list into one that goes with the next expansion. */
static const struct plan_ref *
resolve_list(struct plan *p, const struct raw_refs *raw, bool lenient,
    struct diags *ds, uint32_t *ret_n)
{
	struct plan_ref *list;
	uint32_t n = 0;
	size_t i;

	*ret_n = 0;
	if (raw->n == 0)
		return NULL;
	list = plan_own_expanded(p, mem_calloc(raw->n, sizeof(*list)));
	for (i = 0; i < raw->n; i++)
		if (resolve(p, &raw->v[i], lenient, ds, &list[n]) == 1)
			n++;
	*ret_n = n;
	return list;
}

static bool
is_within(const struct plan *p, const struct plan_ref *a,
    const struct plan_ref *b)
{
	uint32_t suite = a->is_test ? p->tests[a->index].suite : a->index;

	if (b->is_test)
		return a->is_test && a->index == b->index;
	return suite >= b->index && suite < p->suites[b->index].end;
}

/* The first test of it that may run beside itself, or PLAN_NONE. */
static uint32_t
beside_itself(const struct plan *p, const struct plan_ref *ref)
{
	uint32_t i, k;

	if (ref->is_test)
		return p->tests[ref->index].props->beside_itself ?
		    ref->index : PLAN_NONE;
	for (i = ref->index; i < p->suites[ref->index].end; i++)
		for (k = p->suites[i].first_test; k <
		    p->suites[i].first_test + p->suites[i].n_tests; k++)
			if (p->tests[k].props->beside_itself)
				return k;
	return PLAN_NONE;
}

/* What is on both sides is kept apart from itself. */
static void
check_pair(const struct plan *p, const struct plan_pair *pair,
    const struct raw_ref *raw, struct diags *ds)
{
	const struct plan_ref *inner = is_within(p, &pair->a, &pair->b) ?
	    &pair->a : is_within(p, &pair->b, &pair->a) ? &pair->b : NULL;
	uint32_t test = inner != NULL ? beside_itself(p, inner) : PLAN_NONE;
	char *text;

	if (test == PLAN_NONE)
		return;
	text = str_fmt("the pair keeps test \"%s\" apart from itself, and "
	    "its \"beside_itself\" does not", p->tests[test].name);
	diag_set_hint(plan_fault(p, raw->doc, ds, DIAG_ERROR, raw->path,
	    text), "take one of the two away");
	free(text);
}

static void
resolve_pairs(struct plan *p, bool lenient, struct diags *ds)
{
	const struct raw_refs *raw = &p->priv->pairs;
	struct plan_pair pair = { .off = false };
	size_t i;

	free(p->pairs);
	p->pairs = mem_calloc(raw->n / 2, sizeof(*p->pairs));
	p->n_pairs = 0;
	for (i = 0; i + 1 < raw->n; i += 2)
		if (resolve(p, &raw->v[i], lenient, ds, &pair.a) +
		    resolve(p, &raw->v[i + 1], lenient, ds, &pair.b) == 2) {
			check_pair(p, &pair, &raw->v[i], ds);
			p->pairs[p->n_pairs++] = pair;
		}
}

static void
resolve_all(struct plan *p, bool lenient, struct diags *ds)
{
	uint32_t i;

	for (i = 0; i < p->n_suites; i++)
		p->suites[i].needs = resolve_list(p, &p->priv->suite_needs[i],
		    lenient, ds, &p->suites[i].n_needs);
	for (i = 0; i < p->n_tests; i++)
		p->tests[i].needs = resolve_list(p, &p->priv->test_needs[i],
		    lenient, ds, &p->tests[i].n_needs);
	resolve_pairs(p, lenient, ds);
}

int
plan_resolve(struct plan *p, bool strict, struct diags *ds)
{
	size_t errors = ds->errors;

	if (!p->priv->restored)
		resolve_all(p, !strict && plan_discovers(p), ds);
	if (ds->errors == errors)
		plan_check_cycles(p, ds);
	return ds->errors > errors ? ERR_INVALID : 0;
}
