/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Filter and search expressions that may be wrong while they are typed. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/mem.h"
#include "tui/finder.h"

void
finder_init(struct finder *f, const char *const *columns)
{
	memset(f, 0, sizeof(*f));
	f->columns = columns;
}

static void
expression_done(struct expression *e)
{
	free(e->text);
	free(e->error);
	filter_free(e->filter);
	memset(e, 0, sizeof(*e));
}

void
finder_done(struct finder *f)
{
	expression_done(&f->filter);
	expression_done(&f->search);
}

void
finder_set(struct finder *f, struct expression *e, const char *text)
{
	struct filter *filter = NULL;
	char *error = NULL;

	if (text == NULL || *text == '\0') {
		expression_done(e);
		return;
	}
	if (filter_new(text, f->columns, &filter, &error) == 0) {
		filter_free(e->filter);
		e->filter = filter;
		free(error);
		error = NULL;
	}
	free(e->error);
	e->error = error;
	text = str_dup(text);
	free(e->text);
	e->text = (char *)text;
}

bool
expression_on(const struct expression *e)
{
	return e->filter != NULL && !filter_is_empty(e->filter);
}

bool
expression_match(const struct expression *e, filter_cell_fn cell, void *arg)
{
	return !expression_on(e) || filter_match(e->filter, cell, arg);
}
