/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The rows of a table: built from the model, filtered, ordered, and the
 * cursor and marks that follow ids through all of it.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"
#include "tui/console.h"
#include "tui/table.h"

struct mark {
	struct rowid id;
	UT_hash_handle hh;
};

struct item {
	struct rowid id;
	struct sortkey key;
	size_t place;		/* among equals; in a held order, the place */
};

struct build {
	struct item *items;
	size_t n, cap;
	const struct column *by;	/* NULL: order of the model */
	struct buf scratch[COLUMNS_MAX];
};

size_t
pane_column_count(const struct pane *p)
{
	size_t n = 0;

	while (p->columns[n].name != NULL)
		n++;
	return n;
}

void
table_init(struct table *tb, struct tui *t, const struct pane *pane,
    const struct scope *scope)
{
	size_t i, n = pane_column_count(pane);

	memset(tb, 0, sizeof(*tb));
	tb->t = t;
	tb->pane = pane;
	if (scope != NULL)
		tb->scope = *scope;
	tb->sort = pane->sort;
	tb->reverse = pane->reverse;
	for (i = 0; i < n; i++)
		tb->names[i] = pane->columns[i].name;
	finder_init(&tb->find, tb->names);
}

void
table_done(struct table *tb)
{
	table_unmark_all(tb);
	finder_done(&tb->find);
	free(tb->rows);
	tb->rows = NULL;
	tb->n = tb->cap = 0;
}

const char *
table_cell(const struct table *tb, size_t column, const struct object *o,
    struct buf *scratch, struct style *style)
{
	struct cellout out = { scratch, { ROLE_NORMAL, 0 } };

	buf_clear(scratch);
	tb->pane->columns[column].text(tb->t, o, &out);
	if (style != NULL)
		*style = out.style;
	return buf_str(scratch);
}

/* What a filter sees of a row. */
struct cell_source {
	struct table *tb;
	const struct object *o;
};

static const char *
cell_of(void *arg, size_t column)
{
	struct cell_source *src = arg;

	return table_cell(src->tb, column, src->o,
	    &src->tb->build->scratch[column], NULL);
}

void
table_add(struct table *tb, const struct object *o)
{
	struct cell_source src = { tb, o };
	struct build *b = tb->build;
	struct item *item;

	tb->total++;
	if (!expression_match(&tb->find.filter, cell_of, &src))
		return;
	b->items = mem_grow(b->items, &b->cap, b->n + 1, sizeof(*b->items));
	item = &b->items[b->n];
	item->id = o->id;
	item->place = b->n++;
	if (b->by != NULL)
		item->key = b->by->key(tb->t, o);
}

static int
compare_keys(const struct sortkey *a, const struct sortkey *b)
{
	if (a->n != b->n)
		return a->n < b->n ? -1 : 1;
	if (a->s == NULL || b->s == NULL)
		return (b->s == NULL) - (a->s == NULL);
	return a->s == b->s ? 0 : text_natural_cmp(a->s, b->s);
}

static int
compare_up(const void *pa, const void *pb)
{
	const struct item *a = pa, *b = pb;
	int r = compare_keys(&a->key, &b->key);

	return r != 0 ? r : (a->place > b->place) - (a->place < b->place);
}

static int
compare_down(const void *pa, const void *pb)
{
	const struct item *a = pa, *b = pb;
	int r = compare_keys(&b->key, &a->key);

	return r != 0 ? r : (a->place > b->place) - (a->place < b->place);
}

static int
compare_place(const void *pa, const void *pb)
{
	const struct item *a = pa, *b = pb;

	return (a->place > b->place) - (a->place < b->place);
}

static int
compare_ids(const void *pa, const void *pb)
{
	const struct item *a = pa, *b = pb;

	if (a->id.a != b->id.a)
		return a->id.a < b->id.a ? -1 : 1;
	return (a->id.b > b->id.b) - (a->id.b < b->id.b);
}

/* Rows that were there keep their order; new ones come behind them. */
static void
hold_order(const struct table *tb, struct build *b)
{
	struct item *old = mem_calloc(tb->n + 1, sizeof(*old)), *found;
	size_t i;

	for (i = 0; i < tb->n; i++) {
		old[i].id = tb->rows[i];
		old[i].place = i;
	}
	qsort(old, tb->n, sizeof(*old), compare_ids);
	for (i = 0; i < b->n; i++) {
		found = bsearch(&b->items[i], old, tb->n, sizeof(*old),
		    compare_ids);
		b->items[i].place = found != NULL ? found->place
		    : tb->n + b->items[i].place;
	}
	if (b->n > 1)
		qsort(b->items, b->n, sizeof(*b->items), compare_place);
	free(old);
}

/* The cursor stays on its id; when that is gone, on its place. */
static void
settle_cursor(struct table *tb)
{
	size_t i;

	if (tb->n == 0) {
		tb->at = tb->top = 0;
		return;
	}
	if (tb->at >= tb->n || !rowid_equal(tb->rows[tb->at], tb->cursor)) {
		for (i = 0; i < tb->n; i++)
			if (rowid_equal(tb->rows[i], tb->cursor))
				break;
		if (i < tb->n)
			tb->at = i;
		else if (tb->at >= tb->n)
			tb->at = tb->n - 1;
	}
	tb->cursor = tb->rows[tb->at];
}

/* Marks of what is gone go too. */
static void
drop_dead_marks(struct table *tb)
{
	struct mark *m, *next;
	struct object o;

	HASH_ITER (hh, tb->marks, m, next) {
		if (object_find(tb->t, m->id, &o))
			continue;
		HASH_DEL(tb->marks, m);
		free(m);
	}
}

static const struct column *
sort_column(const struct table *tb)
{
	return tb->sort >= 0 && tb->pane->columns[tb->sort].key != NULL
	    ? &tb->pane->columns[tb->sort] : NULL;
}

void
table_rebuild(struct table *tb, bool hold)
{
	struct build b = { .by = sort_column(tb) };
	size_t i;

	tb->build = &b;
	tb->total = 0;
	tb->pane->build(tb->t, tb);
	tb->held = hold && b.by != NULL && tb->n > 0;
	if (tb->held)
		hold_order(tb, &b);
	else if (b.by != NULL && b.n > 1)
		qsort(b.items, b.n, sizeof(*b.items),
		    tb->reverse ? compare_down : compare_up);
	tb->rows = mem_grow(tb->rows, &tb->cap, b.n, sizeof(*tb->rows));
	for (i = 0; i < b.n; i++)
		tb->rows[i] = b.items[i].id;
	tb->n = b.n;
	free(b.items);
	for (i = 0; i < COLUMNS_MAX; i++)
		buf_done(&b.scratch[i]);
	tb->build = NULL;
	drop_dead_marks(tb);
	settle_cursor(tb);
}

bool
table_object(const struct table *tb, struct object *ret)
{
	memset(ret, 0, sizeof(*ret));
	return tb->n > 0 && object_find(tb->t, tb->cursor, ret);
}

void
table_seek(struct table *tb, struct rowid id)
{
	size_t i;

	for (i = 0; i < tb->n; i++) {
		if (!rowid_equal(tb->rows[i], id))
			continue;
		tb->at = i;
		tb->cursor = id;
		return;
	}
}

static void
move_to(struct table *tb, long at)
{
	if (tb->n == 0)
		return;
	if (at < 0)
		at = 0;
	if (at >= (long)tb->n)
		at = (long)tb->n - 1;
	tb->at = (size_t)at;
	tb->cursor = tb->rows[tb->at];
}

static bool
row_matches(struct table *tb, size_t i)
{
	struct object o;
	struct cell_source src = { tb, &o };

	return object_find(tb->t, tb->rows[i], &o) &&
	    filter_match(tb->find.search.filter, cell_of, &src);
}

/* Goes to the next match in that direction, round the end. */
static void
search(struct table *tb, int step)
{
	struct build scratch = { .by = NULL };
	size_t i, at = tb->at;
	bool found = false;

	if (!expression_on(&tb->find.search)) {
		tui_status(tb->t, ROLE_STATUS_WARN, "nothing to search for");
		return;
	}
	tb->build = &scratch;
	for (i = 0; i < tb->n && !found; i++) {
		at = (at + tb->n + (size_t)(step + (int)tb->n)) % tb->n;
		found = row_matches(tb, at);
	}
	tb->build = NULL;
	for (i = 0; i < COLUMNS_MAX; i++)
		buf_done(&scratch.scratch[i]);
	if (found)
		move_to(tb, (long)at);
	else
		tui_status(tb->t, ROLE_STATUS_WARN, "no row matches %s",
		    tb->find.search.text);
}

static void
open_row(struct table *tb)
{
	struct object o;

	if (tb->pane->open != NULL && table_object(tb, &o))
		tb->pane->open(tb->t, &o);
}

bool
table_act(struct table *tb, enum action_id id)
{
	long at = (long)tb->at, page = tb->page > 1 ? (long)tb->page - 1 : 1;

	switch (id) {
	case ACT_UP:
		move_to(tb, at - 1);
		return true;
	case ACT_DOWN:
		move_to(tb, at + 1);
		return true;
	case ACT_PAGE_UP:
		move_to(tb, at - page);
		return true;
	case ACT_PAGE_DOWN:
		move_to(tb, at + page);
		return true;
	case ACT_HALF_UP:
		move_to(tb, at - (page + 1) / 2);
		return true;
	case ACT_HALF_DOWN:
		move_to(tb, at + (page + 1) / 2);
		return true;
	case ACT_FIRST:
		move_to(tb, 0);
		return true;
	case ACT_LAST:
		move_to(tb, (long)tb->n - 1);
		return true;
	case ACT_SEARCH_NEXT:
	case ACT_SEARCH_PREVIOUS:
		if (tb->n > 0)
			search(tb, id == ACT_SEARCH_NEXT ? 1 : -1);
		return true;
	case ACT_OPEN:
		open_row(tb);
		return true;
	default:
		return false;
	}
}

static struct mark *
find_mark(const struct table *tb, struct rowid id)
{
	struct mark *m = NULL;

	HASH_FIND(hh, tb->marks, &id, sizeof(id), m);
	return m;
}

size_t
table_mark_count(const struct table *tb)
{
	return HASH_COUNT(tb->marks);
}

bool
table_is_marked(const struct table *tb, struct rowid id)
{
	return find_mark(tb, id) != NULL;
}

void
table_mark(struct table *tb, struct rowid id, bool on)
{
	struct mark *m = find_mark(tb, id);

	if (on && m == NULL) {
		m = mem_zalloc(sizeof(*m));
		m->id = id;
		HASH_ADD(hh, tb->marks, id, sizeof(m->id), m);
		tb->anchor = id;
	} else if (!on && m != NULL) {
		HASH_DEL(tb->marks, m);
		free(m);
	}
}

void
table_unmark_all(struct table *tb)
{
	struct mark *m, *next;

	HASH_ITER (hh, tb->marks, m, next) {
		HASH_DEL(tb->marks, m);
		free(m);
	}
}

size_t
table_targets(const struct table *tb, struct rowid **ret)
{
	size_t i, n = 0, marked = table_mark_count(tb);
	struct rowid *ids = mem_calloc(marked + 1, sizeof(*ids));

	for (i = 0; i < tb->n && marked > 0; i++)
		if (table_is_marked(tb, tb->rows[i]))
			ids[n++] = tb->rows[i];
	if (marked == 0 && tb->n > 0)
		ids[n++] = tb->cursor;
	*ret = ids;
	return n;
}
