/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Suites split by their own command (part of load.h). Such a suite is one
 * test with the suite's name; its rows are the shards.
 */
#include "config.h"

#include <string.h>

#include "plan/load.h"
#include "yardmaster/base/mem.h"

void
check_stands_alone(struct loader *l, const struct jval *obj, uint32_t suite,
    const struct plan_props *props, const char *what)
{
	static const char *const keys[] = { "tests", "suites", "include",
		"discover", "data", "shards", "together" };
	size_t i, mark;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (jval_get(obj, keys[i]) == NULL ||
		    strcmp(keys[i], what) == 0)
			continue;
		mark = check_key(&l->c, keys[i]);
		check_fault(&l->c, "%s and %s at once; give one", keys[i],
		    what);
		check_back(&l->c, mark);
	}
	mark = check_key(&l->c, what);
	if (props->data != NULL && jval_get(obj, "data") == NULL)
		check_fault(&l->c, "a suite with %s has no data, and there "
		    "is some above", what);
	check_back(&l->c, mark);
	mark = check_key(&l->c, "mode");
	if (l->p->suites[suite].mode == MODE_SEQUENTIAL)
		check_fault(&l->c, "with %s each is an execution of its own, "
		    "never sequential", what);
	check_back(&l->c, mark);
}

/* One row for each shard, named "shard 3/8". */
static struct plan_data *
make_rows(struct plan *p, uint32_t n)
{
	struct plan_data *d = mem_zalloc(sizeof(*d));
	uint32_t i;

	plan_own(p, d, plan_data_free);
	strvec_push(&d->columns, "_name");
	d->secret = mem_calloc(1, sizeof(*d->secret));
	d->name_column = 0;
	d->expect_column = -1;
	d->n_rows = n;
	d->cells = mem_calloc(n, sizeof(*d->cells));
	for (i = 0; i < n; i++)
		d->cells[i] = str_fmt("shard %u/%u", i + 1, n);
	return d;
}

void
load_shards(struct loader *l, const struct jval *obj, uint32_t suite,
    const struct plan_props *props)
{
	size_t errors = l->c.ds->errors;
	struct plan *p = l->p;
	struct plan_props *own;
	uint32_t index;

	check_stands_alone(l, obj, suite, props, "shards");
	check_runnable(l, props);
	if (!has_command(l, props))
		check_fault(&l->c, "no command and no shell, here or above");
	l->n_shards += props->shards;
	if (l->n_shards > PLAN_MAX_STEPS || p->n_tests == PLAN_MAX_TESTS)
		check_fault_at(&l->c, "shards", "too many shards");
	if (l->c.ds->errors > errors)
		return;
	own = plan_own_props(p, props);
	own->data = make_rows(p, props->shards);
	p->suites[suite].props = own;
	p->suites[suite].n_tests = 1;
	index = plan_add_test(p);
	p->tests[index].name = str_dup(p->suites[suite].name);
	p->tests[index].suite = suite;
	p->tests[index].props = own;
}
