/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keeps and restores the last view: an INI file, one section for a pane. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"
#include "tui/ini.h"
#include "tui/table.h"
#include "tui/viewstate.h"

static char *
state_path(const struct tui *t)
{
	return t->opts->state_dir == NULL ? NULL
	    : str_fmt("%s/console.view", t->opts->state_dir);
}

static struct table *
pane_table(struct tui *t, int pane)
{
	struct view *v = t->panes[pane];

	/* The overview has several; its order is not kept. */
	return v != NULL && pane != 1 && v->ops->table != NULL
	    ? v->ops->table(v) : NULL;
}

static int
column_of(const struct table *tb, const char *name)
{
	size_t i;

	for (i = 0; name != NULL && i < pane_column_count(tb->pane); i++)
		if (strcmp(tb->pane->columns[i].name, name) == 0)
			return (int)i;
	return -1;
}

static void
restore_pane(struct tui *t, int pane, const struct ini *ini)
{
	struct table *tb;
	const char *text;
	int column;

	tui_go(t, pane);
	if ((tb = pane_table(t, pane)) == NULL)
		return;
	column = column_of(tb, ini_get(ini, tb->pane->name, "sort"));
	if (column >= 0 && tb->pane->columns[column].key != NULL)
		tb->sort = column;
	text = ini_get(ini, tb->pane->name, "reverse");
	if (text != NULL)
		tb->reverse = strcmp(text, "yes") == 0;
	text = ini_get(ini, tb->pane->name, "hidden");
	for (; text != NULL && *text != '\0'; text++)
		if (*text >= 'a' && *text < 'a' + COLUMNS_MAX)
			tb->hidden |= 1u << (*text - 'a');
	table_rebuild(tb, false);
}

void
viewstate_load(struct tui *t)
{
	char *path = state_path(t), name[16];
	struct diags ds = DIAGS_INIT;
	struct ini ini;
	const char *text;
	int i, pane = t->pane;

	if (path == NULL)
		return;
	if (fs_exists(path) && ini_load(&ini, path, &ds) == 0) {
		text = ini_get(&ini, "console", "pane");
		if (text != NULL && *text >= '0' && *text < '0' + PANES)
			pane = *text - '0';
		for (i = 0; i < PANES; i++) {
			snprintf(name, sizeof(name), "seen%d", i);
			if (ini_get(&ini, "console", name) != NULL)
				restore_pane(t, i, &ini);
		}
		ini_done(&ini);
	}
	tui_go(t, pane);
	diags_done(&ds);
	free(path);
}

static void
write_pane(struct tui *t, int pane, struct buf *out)
{
	const struct table *tb = pane_table(t, pane);
	int i;

	if (tb == NULL)
		return;
	buf_putf(out, "[%s]\nsort = %s\nreverse = %s\nhidden = ",
	    tb->pane->name, tb->sort >= 0 ? tb->pane->columns[tb->sort].name
	    : "none", tb->reverse ? "yes" : "no");
	for (i = 0; i < COLUMNS_MAX; i++)
		if (tb->hidden & 1u << i)
			buf_putc(out, 'a' + i);
	buf_putc(out, '\n');
}

void
viewstate_save(struct tui *t)
{
	char *path = state_path(t);
	struct buf b = BUF_INIT;
	int i;

	if (path == NULL)
		return;
	buf_putf(&b, "[console]\npane = %d\n", t->pane);
	for (i = 0; i < PANES; i++)
		if (t->panes[i] != NULL && i != 5)
			buf_putf(&b, "seen%d = yes\n", i);
	for (i = 0; i < PANES; i++)
		write_pane(t, i, &b);
	fs_replace(path, buf_data(&b), buf_len(&b), 0600);
	buf_done(&b);
	free(path);
}
