/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A table of rows with a cursor, marks, filter, search and order. It holds
 * ids only; cells are made when they are drawn, compared or matched. What it
 * shows is told by a pane.
 */
#ifndef YARDMASTER_TUI_TABLE_H
#define YARDMASTER_TUI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tui/action.h"
#include "tui/finder.h"
#include "tui/object.h"
#include "tui/surface.h"

#define COLUMNS_MAX 16

struct table;
struct lines;

/* One cell: text is appended to b; style may be set. */
struct cellout {
	struct buf *b;
	struct style style;
};

/* What a row is ordered by: numbers first, then text (naturally). */
struct sortkey {
	int64_t n;
	const char *s;		/* borrowed from the model; may be NULL */
};

struct column {
	const char *name;	/* in filters, ":sort" and the kept view */
	const char *title;
	uint8_t min, want;	/* cells; want 0: takes what is left */
	uint8_t priority;	/* 0 is shown first; the largest goes first */
	bool right;		/* adjusted to the right */
	void (*text)(const struct tui *t, const struct object *o,
	    struct cellout *out);
	/* NULL: no order by it. */
	struct sortkey (*key)(const struct tui *t, const struct object *o);
};

struct pane {
	const char *name;	/* "agents" */
	const char *title;	/* "Agents" */
	const char *empty;	/* said when there is no row */
	const struct column *columns;	/* ended by one without name */
	int sort;		/* column, or -1: order of the model */
	bool reverse;
	/* Adds all rows of the scope. */
	void (*build)(struct tui *t, struct table *tb);
	/* Enter; NULL: nothing. */
	void (*open)(struct tui *t, const struct object *o);
	/* Facts of a row for the detail pane; NULL: none. */
	void (*detail)(struct tui *t, const struct object *o,
	    struct lines *out);
};

/* What of a pane is shown. */
enum scope_kind { SCOPE_ALL, SCOPE_RUN, SCOPE_AGENT, SCOPE_REASON,
	SCOPE_LOST };
struct scope {
	enum scope_kind kind;
	char run[RUN_ID_SIZE];
	size_t agent;
	enum reason reason;
};

struct mark;
struct build;

struct table {
	struct tui *t;
	const struct pane *pane;
	struct scope scope;
	struct rowid *rows;	/* n, in the order shown */
	size_t n, cap;
	size_t total;		/* before the filter */
	struct rowid cursor;
	size_t at, top;		/* where the cursor was last; first row shown */
	size_t page;		/* rows last drawn */
	struct mark *marks;	/* by id */
	struct rowid anchor;	/* last one marked */
	struct finder find;
	const char *names[COLUMNS_MAX + 1];	/* of columns, for filters */
	int sort;
	bool reverse;
	bool held;		/* the order shown is an older one */
	uint32_t hidden;	/* columns, by bit */
	struct build *build;	/* while rows are built */
};

void table_init(struct table *tb, struct tui *t, const struct pane *pane,
    const struct scope *scope);
void table_done(struct table *tb);

/* Builds the rows again; the cursor stays on its id. hold keeps the order of
 * those that were there. */
void table_rebuild(struct table *tb, bool hold);
/* Adds a row while building; o is what it stands for. */
void table_add(struct table *tb, const struct object *o);

/* Heading and rows; lead is drawn in place of the first heading (NULL: its
 * own). focus tells whether the cursor is shown strongly. */
void table_draw(struct table *tb, struct surface *s, struct rect r,
    const char *lead, bool focus);
/* Carries out movement, search, open; false when it is another id. */
bool table_act(struct table *tb, enum action_id id);
/* Moves the cursor to a row, when it is there. */
void table_seek(struct table *tb, struct rowid id);
/* The object under the cursor. */
bool table_object(const struct table *tb, struct object *ret);

size_t table_mark_count(const struct table *tb);
bool table_is_marked(const struct table *tb, struct rowid id);
void table_mark(struct table *tb, struct rowid id, bool on);
void table_unmark_all(struct table *tb);
/* The ids an action concerns: the marked rows in the order shown, else the
 * cursor's. The caller frees *ret. */
size_t table_targets(const struct table *tb, struct rowid **ret);

/* Text of a cell, made into scratch (cleared first). Borrowed from it. */
const char *table_cell(const struct table *tb, size_t column,
    const struct object *o, struct buf *scratch, struct style *style);
/* The title: name and counts, what they are of ("" for all), order. */
void table_title(const struct table *tb, const char *of, struct buf *out);
size_t pane_column_count(const struct pane *p);

#endif
