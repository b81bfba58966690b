/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What tests of plans share: loading text, and all messages as one text. */
#ifndef TESTS_PLAN_HELP_H
#define TESTS_PLAN_HELP_H

#include "../lib/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/plan/plan.h"

/* All messages, a line each; the caller frees. */
static inline char *
say_all(const struct diags *ds)
{
	struct buf b = BUF_INIT;
	size_t i;

	for (i = 0; i < ds->n; i++) {
		diag_format(&ds->v[i], &b);
		buf_putc(&b, '\n');
	}
	return buf_steal(&b);
}

static inline void
write_file(const char *dir, const char *name, const char *text)
{
	char *path = str_fmt("%s/%s", dir, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	free(path);
}

/* The files of a folder, then the folder. */
static inline void
remove_all(const char *dir, const char *const *names)
{
	char *path;

	for (; *names != NULL; names++) {
		path = str_fmt("%s/%s", dir, *names);
		unlink(path);
		free(path);
	}
	rmdir(dir);
}

/* A plan that must load; not expanded. */
static inline struct plan *
load_good(const char *text)
{
	struct diags ds = DIAGS_INIT;
	struct plan *p = NULL;

	if (plan_load_text("p.json", NULL, text, strlen(text), &ds, &p) != 0)
		fail_msg("%s", say_all(&ds));
	diags_done(&ds);
	return p;
}

/* A plan that must load and expand. */
static inline struct plan *
expand_good(const char *text, const struct plan_select *select)
{
	struct diags ds = DIAGS_INIT;
	struct plan *p = load_good(text);

	if (plan_expand(p, select, &ds) != 0)
		fail_msg("%s", say_all(&ds));
	diags_done(&ds);
	return p;
}

/* The labels of all steps, executions parted by "; ", steps by " ". */
static inline char *
labels(const struct plan *p)
{
	struct buf b = BUF_INIT;
	uint32_t i, k;

	for (i = 0; i < p->n_execs; i++) {
		if (i > 0)
			buf_puts(&b, "; ");
		for (k = 0; k < p->execs[i].n_steps; k++) {
			if (k > 0)
				buf_putc(&b, ' ');
			plan_step_label(p,
			    &p->steps[p->execs[i].first_step + k], &b);
		}
	}
	return buf_steal(&b);
}

static inline void
check_labels(const struct plan *p, const char *expected)
{
	char *got = labels(p);

	assert_string_equal(got, expected);
	free(got);
}

#endif
