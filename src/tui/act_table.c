/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Actions on the rows of a table that change nothing outside the screen. */
#include "config.h"

#include "tui/attention.h"
#include "tui/cells.h"
#include "tui/screen.h"
#include "tui/targets.h"

/* By the name of a column, or to the next one that has an order. */
static bool
choose_column(struct table *tb, int step, const char *name)
{
	int i, at = tb->sort, n = (int)pane_column_count(tb->pane);

	for (i = 0; i < n; i++) {
		if (name != NULL) {
			if (strcmp(tb->pane->columns[i].name, name) != 0)
				continue;
			at = i;
		} else {
			at = at < 0 ? (step > 0 ? 0 : n - 1)
			    : (at + step + n) % n;
		}
		if (tb->pane->columns[at].key != NULL) {
			tb->sort = at;
			return true;
		}
	}
	return false;
}

void
act_sort(struct tui *t, int n, const char *arg)
{
	struct table *tb = tui_table(t);

	if (tb == NULL)
		return;
	if (!choose_column(tb, n, arg)) {
		tui_status(t, ROLE_STATUS_WARN, "no order by %s",
		    arg != NULL ? arg : "any column");
		return;
	}
	tui_status(t, ROLE_STATUS, "sorted by %s",
	    tb->pane->columns[tb->sort].name);
	table_rebuild(tb, false);
}

void
act_sort_reverse(struct tui *t, int n, const char *arg)
{
	struct table *tb = tui_table(t);

	if (tb == NULL)
		return;
	tb->reverse = !tb->reverse;
	table_rebuild(tb, false);
}

/* From the last row marked to the cursor. */
static void
mark_range(struct table *tb)
{
	size_t i, from = tb->at, to = tb->at;

	for (i = 0; i < tb->n; i++)
		if (rowid_equal(tb->rows[i], tb->anchor))
			from = i;
	if (from > to) {
		i = from;
		from = to;
		to = i;
	}
	for (i = from; i <= to && i < tb->n; i++)
		table_mark(tb, tb->rows[i], true);
}

enum { MARK_ROW, MARK_RANGE, MARK_ALL, MARK_NONE };

void
act_mark(struct tui *t, int n, const char *arg)
{
	struct table *tb = tui_table(t);
	size_t i;

	if (tb == NULL || tb->n == 0)
		return;
	if (n == MARK_ROW) {
		table_mark(tb, tb->cursor, !table_is_marked(tb, tb->cursor));
		table_act(tb, ACT_DOWN);
	} else if (n == MARK_RANGE) {
		mark_range(tb);
	} else if (n == MARK_ALL) {
		for (i = 0; i < tb->n; i++)
			table_mark(tb, tb->rows[i], true);
	} else {
		table_unmark_all(tb);
	}
}

void
act_log(struct tui *t, int n, const char *arg)
{
	struct buf name = BUF_INIT;
	struct object o;
	struct ident id;

	if (!tui_object(t, &o)) {
		tui_status(t, ROLE_STATUS, "no row");
		return;
	}
	object_resolve(t, &o);
	if (!object_ident(&o, &id)) {
		tui_status(t, ROLE_STATUS, "no output belongs to this row");
		return;
	}
	if (o.kind == OBJ_EXEC)
		tui_exec_name(o.exec, &name);
	else if (o.worker->label != NULL)
		buf_puts(&name, o.worker->label);
	log_open(t, &id, buf_str(&name), o.kind == OBJ_EXEC &&
	    o.exec->state >= EXEC_FAILED && o.exec->state <= EXEC_ERROR);
	buf_done(&name);
}

void
act_copy(struct tui *t, int n, const char *arg)
{
	struct table *tb = tui_table(t);
	struct buf row = BUF_INIT, cell = BUF_INIT;
	struct object o;
	size_t i;

	if (!tui_object(t, &o))
		return;
	for (i = 0; i < pane_column_count(tb->pane); i++)
		buf_putf(&row, "%s%s", i > 0 ? "\t" : "",
		    table_cell(tb, i, &o, &cell, NULL));
	if (t->screen != NULL)
		screen_copy(t->screen, buf_str(&row), buf_len(&row));
	tui_status(t, ROLE_STATUS, "row copied");
	buf_done(&row);
	buf_done(&cell);
}

void
act_acknowledge(struct tui *t, int n, const char *arg)
{
	struct object o;

	if (!tui_object(t, &o) || o.kind != OBJ_ATTENTION) {
		tui_status(t, ROLE_STATUS,
		    "only rows of Attention are acknowledged; 0 shows them");
		return;
	}
	attention_ack(t, o.attention, arg);
	table_rebuild(tui_table(t), false);
}
