/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What suites, tests, rows, steps and executions are called. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "plan/plan_private.h"
#include "yardmaster/base/err.h"

static const char *const on_failures[] = { "continue", "next-target", "stop" };
static const char *const modes[] = { "free", "sequential" };

const char *
on_failure_name(enum on_failure f)
{
	return on_failures[f];
}

const char *
suite_mode_name(enum suite_mode m)
{
	return modes[m];
}

static uint32_t
find_own_test(const struct plan *p, const struct plan_suite *s,
    const char *name)
{
	uint32_t i;

	for (i = s->first_test; i < s->first_test + s->n_tests; i++)
		if (strcmp(p->tests[i].name, name) == 0)
			return i;
	return PLAN_NONE;
}

/* A whole path: of a suite, or of a suite and a test in it. */
static bool
find_path(const struct plan *p, const char *name, struct plan_ref *ret)
{
	uint32_t i, test;
	size_t n;

	for (i = 0; i < p->n_suites; i++)
		if (strcmp(p->suites[i].path, name) == 0) {
			*ret = (struct plan_ref){ .index = i };
			return true;
		}
	for (i = 0; i < p->n_suites; i++) {
		n = strlen(p->suites[i].path);
		if (strncmp(p->suites[i].path, name, n) != 0 ||
		    name[n] != '/')
			continue;
		test = find_own_test(p, &p->suites[i], name + n + 1);
		if (test == PLAN_NONE)
			continue;
		*ret = (struct plan_ref){ .is_test = true, .index = test };
		return true;
	}
	return false;
}

int
plan_find(const struct plan *p, const char *name, struct plan_ref *ret)
{
	struct plan_ref found = { .index = PLAN_NONE };
	unsigned n = 0;
	uint32_t i;

	if (find_path(p, name, ret))
		return 0;
	for (i = 0; i < p->n_suites; i++)
		if (strcmp(p->suites[i].name, name) == 0) {
			found = (struct plan_ref){ .index = i };
			n++;
		}
	/* The test of a suite with shards is named like the suite. */
	for (i = 0; i < p->n_tests; i++)
		if (p->tests[i].props->shards == 0 &&
		    strcmp(p->tests[i].name, name) == 0) {
			found = (struct plan_ref){ .is_test = true,
				.index = i };
			n++;
		}
	if (n != 1)
		return n == 0 ? ERR_NOT_FOUND : ERR_EXISTS;
	*ret = found;
	return 0;
}

static bool
suite_covers(const struct plan *p, uint32_t outer, uint32_t inner)
{
	return inner >= outer && inner < p->suites[outer].end;
}

bool
plan_ref_covers(const struct plan *p, const struct plan_ref *ref,
    uint32_t no)
{
	const struct plan_exec *e = &p->execs[no - 1];
	uint32_t i;

	if (!ref->is_test)
		return suite_covers(p, ref->index, e->suite);
	if (p->tests[ref->index].suite != e->suite)
		return false;
	for (i = 0; i < e->n_steps; i++)
		if (p->steps[e->first_step + i].test == ref->index)
			return true;
	return false;
}

void
plan_ref_format(const struct plan *p, const struct plan_ref *ref,
    struct buf *out)
{
	const struct plan_test *t;

	if (!ref->is_test) {
		buf_puts(out, p->suites[ref->index].path);
		return;
	}
	t = &p->tests[ref->index];
	buf_putf(out, "%s/%s", p->suites[t->suite].path, t->name);
}

const char *
plan_row_name(const struct plan *p, const struct plan_step *s, char *buf)
{
	const struct plan_data *d = p->tests[s->test].props->data;
	const char *name = NULL;

	if (s->row == PLAN_NONE)
		return NULL;
	if (d->name_column >= 0)
		name = d->cells[(size_t)s->row * d->columns.n +
		    (size_t)d->name_column];
	if (name != NULL && name[0] != '\0')
		return name;
	snprintf(buf, 16, "%u", s->row + 1);
	return buf;
}

void
plan_step_label(const struct plan *p, const struct plan_step *s,
    struct buf *out)
{
	struct plan_ref ref = { .is_test = true, .index = s->test };
	char number[16];

	plan_ref_format(p, &ref, out);
	if (s->row != PLAN_NONE)
		buf_putf(out, "[%s]", plan_row_name(p, s, number));
	if (s->target != PLAN_NONE)
		buf_putf(out, "@%s", p->targets[s->target].name);
}

void
plan_exec_label(const struct plan *p, uint32_t no, struct buf *out)
{
	const struct plan_exec *e = &p->execs[no - 1];
	const struct plan_step *first = &p->steps[e->first_step];
	const struct plan_step *last = first + e->n_steps - 1;

	if (e->n_steps == 1) {
		plan_step_label(p, first, out);
		return;
	}
	buf_puts(out, p->suites[e->suite].path);
	if (first->target != PLAN_NONE && first->target == last->target)
		buf_putf(out, "@%s", p->targets[first->target].name);
}
