/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether tests can run as they are described (part of load.h). */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "plan/load.h"
#include "plan/subst.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"

/* A cell that a command needs and one row does not have. */
static void
check_cells(struct loader *l, const struct plan_data *d, size_t column)
{
	size_t mark, rows, row;
	uint32_t i;

	if (d->source != NULL)
		return;		/* a file has all cells */
	mark = check_key(&l->c, "data");
	rows = check_key(&l->c, "rows");
	for (i = 0; i < d->n_rows; i++) {
		if (d->cells[i * d->columns.n + column] != NULL)
			continue;
		row = check_index(&l->c, i);
		check_fault(&l->c, "the row has no \"%s\", which {row.%s} "
		    "needs", d->columns.v[column], d->columns.v[column]);
		check_back(&l->c, row);
	}
	check_back(&l->c, rows);
	check_back(&l->c, mark);
}

static void
check_row(struct loader *l, const struct plan_props *props,
    const struct piece *piece)
{
	const struct plan_data *d = props->data;
	struct diag *fault;
	long column;
	char *name;

	if (d == NULL) {
		if (!l->bad_data)
			check_fault(&l->c, "%.*s needs data, and there is "
			    "none", (int)piece->len, piece->text);
		return;
	}
	if (piece->part == NULL)
		return;
	name = str_ndup(piece->part, piece->part_len);
	column = strvec_find(&d->columns, name);
	if (column < 0) {
		fault = check_fault(&l->c, "%.*s: the data has no column "
		    "\"%s\"", (int)piece->len, piece->text, name);
		check_did_you_mean(fault, text_nearest(name,
		    (const char *const *)strvec_argv(&d->columns), 2));
	} else if (d->secret[column])
		diag_set_hint(check_fault(&l->c, "%.*s: arguments can be seen "
		    "by others, and the column is secret", (int)piece->len,
		    piece->text), "it is in the environment, as "
		    "$YARDMASTER_ROW_ and its name");
	else
		check_cells(l, d, (size_t)column);
	free(name);
}

/* {target.AXIS}: all targets need that axis; the first without it is said. */
static void
check_axis(struct loader *l, const struct plan_props *props,
    const struct piece *piece)
{
	const struct plan_target *t;
	struct strvec names = STRVEC_INIT;
	struct diag *d;
	char *name = str_ndup(piece->part, piece->part_len);
	uint32_t i;
	size_t k;

	for (i = 0; i < props->n_targets; i++) {
		t = &l->p->targets[props->targets[i]];
		strvec_done(&names);
		for (k = 0; k < t->axes.n; k++)
			strvec_push_owned(&names, str_ndup(t->axes.v[k],
			    strcspn(t->axes.v[k], "=")));
		if (strvec_find(&names, name) >= 0)
			continue;
		d = check_fault(&l->c, "%.*s: target \"%s\" has no axis "
		    "\"%s\"", (int)piece->len, piece->text, t->name, name);
		check_did_you_mean(d, text_nearest(name,
		    (const char *const *)strvec_argv(&names), 2));
		break;
	}
	strvec_done(&names);
	free(name);
}

static void
check_argument(struct loader *l, const struct plan_props *props,
    const char *text)
{
	struct piece piece;

	while (subst_next(&text, &piece)) {
		if (piece.literal)
			continue;
		if (piece.kind == PH_ROW)
			check_row(l, props, &piece);
		if ((piece.kind == PH_TARGET || piece.kind == PH_INSTANCE) &&
		    props->n_targets == 0 && !l->bad_targets)
			check_fault(&l->c, "%.*s needs targets, and there are "
			    "none", (int)piece.len, piece.text);
		else if (piece.kind == PH_SHARD && props->shards == 0 &&
		    !l->bad_shards)
			check_fault(&l->c, "%.*s needs shards, and there are "
			    "none", (int)piece.len, piece.text);
		else if ((piece.kind == PH_TESTS || piece.kind == PH_RESULTS) &&
		    !props->batch)
			check_fault(&l->c, "%.*s needs a batch",
			    (int)piece.len, piece.text);
		else if (piece.kind == PH_WORKSPACE && props->workspace == 0)
			check_fault(&l->c, "%.*s needs a workspace, and there "
			    "is none", (int)piece.len, piece.text);
		else if (piece.kind == PH_TARGET && piece.part != NULL)
			check_axis(l, props, &piece);
	}
}

bool
has_command(const struct loader *l, const struct plan_props *props)
{
	return props->command != NULL || props->shell != NULL ||
	    l->bad_command;
}

void
check_runnable(struct loader *l, const struct plan_props *props)
{
	size_t i;

	check_secret_columns(l, props);
	for (i = 0; props->command != NULL && i < props->command->n; i++)
		check_argument(l, props, props->command->v[i]);
	if (props->batch)
		check_batch(l, props);
}
