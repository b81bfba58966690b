/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of data from a CSV file or from the plan, and their special columns. */
#include "config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "plan/csv.h"
#include "plan/data.h"
#include "plan/plan_private.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/paths.h"

/* Rows times columns of inline rows, of which most may be absent. */
#define ROWS_MAX_CELLS 20000000

/* Where faults of data are: in the plan, or in a file. */
struct source {
	struct check *c;
	const char *file;	/* NULL: inline */
	const struct plan_data *data;
};

static const char *const special[] = { "_name", "_expect_fail", NULL };

/* A fault of a row (index), or of the columns (PLAN_NONE). */
static struct diag *
fault(struct source *s, uint32_t row, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static struct diag *
fault(struct source *s, uint32_t row, const char *fmt, ...)
{
	struct diag *d;
	size_t mark, inner;
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = str_vfmt(fmt, ap);
	va_end(ap);
	if (s->file != NULL) {
		d = diag_add(s->c->ds, DIAG_ERROR, s->file,
		    row == PLAN_NONE ? 1 : s->data->lines[row], NULL, "%s",
		    text);
		free(text);
		return d;
	}
	mark = check_key(s->c, "rows");
	if (row != PLAN_NONE) {
		inner = check_index(s->c, row);
		d = check_fault(s->c, "%s", text);
		check_back(s->c, inner);
	} else
		d = check_fault(s->c, "%s", text);
	check_back(s->c, mark);
	free(text);
	return d;
}

static void
check_columns(struct source *s)
{
	const struct strvec *columns = &s->data->columns;
	const char *name;
	struct diag *d;
	size_t i;

	for (i = 0; i < columns->n; i++) {
		name = columns->v[i];
		if (!is_good_name(name) || strpbrk(name, "{}") != NULL)
			fault(s, PLAN_NONE, "column %zu has no usable name",
			    i + 1);
		else if ((size_t)strvec_find(columns, name) != i)
			fault(s, PLAN_NONE, "two columns are named \"%s\"",
			    name);
		else if (name[0] == '_' && strcmp(name, special[0]) != 0 &&
		    strcmp(name, special[1]) != 0) {
			d = fault(s, PLAN_NONE, "unknown column \"%s\"; names "
			    "with _ are reserved", name);
			check_did_you_mean(d, text_nearest(name, special, 2));
		}
	}
}

struct named_row {
	const char *name;
	uint32_t row;
};

static int
by_name(const void *pa, const void *pb)
{
	const struct named_row *a = pa, *b = pb;
	int r = strcmp(a->name, b->name);

	return r != 0 ? r : a->row < b->row ? -1 : 1;
}

static const char *
cell(const struct plan_data *d, uint32_t row, long column)
{
	return column < 0 ? NULL :
	    d->cells[(size_t)row * d->columns.n + (size_t)column];
}

static void
check_names(struct source *s)
{
	const struct plan_data *d = s->data;
	struct named_row *rows;
	uint32_t i, n = 0;
	const char *name;

	rows = mem_calloc(d->n_rows, sizeof(*rows));
	for (i = 0; i < d->n_rows; i++) {
		name = cell(d, i, d->name_column);
		if (name == NULL || name[0] == '\0')
			continue;	/* then it has its number */
		if (!is_good_name(name))
			fault(s, i, "not a name of a row");
		rows[n++] = (struct named_row){ .name = name, .row = i };
	}
	qsort(rows, n, sizeof(*rows), by_name);
	for (i = 1; i < n; i++)
		if (strcmp(rows[i].name, rows[i - 1].name) == 0)
			fault(s, rows[i].row, "a row named \"%s\" was there "
			    "before", rows[i].name);
	free(rows);
}

int
data_truth(const char *text)
{
	static const char *const words[] = { "", "0", "false", "no", "1",
		"true", "yes" };
	size_t i;

	if (text == NULL)
		return 0;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(text, words[i]) == 0)
			return i >= 4;
	return -1;
}

static void
check_truths(struct source *s)
{
	const struct plan_data *d = s->data;
	uint32_t i;

	for (i = 0; i < d->n_rows; i++)
		if (data_truth(cell(d, i, d->expect_column)) < 0)
			fault(s, i, "_expect_fail is \"%s\", not true or "
			    "false", cell(d, i, d->expect_column));
}

static int
check_data(struct source *s, struct plan_data *d)
{
	size_t errors = s->c->ds->errors;

	s->data = d;
	d->secret = mem_calloc(d->columns.n, sizeof(*d->secret));
	d->name_column = strvec_find(&d->columns, special[0]);
	d->expect_column = strvec_find(&d->columns, special[1]);
	check_columns(s);
	check_names(s);
	check_truths(s);
	return s->c->ds->errors > errors ? ERR_INVALID : 0;
}

static int
load_file(struct check *c, const char *name, const char *dir,
    struct plan_data **ret)
{
	struct source s = { .c = c };
	struct buf text = BUF_INIT;
	char *path;
	int r;

	/* Some of its columns may be. */
	buf_secret(&text);
	path = name[0] == '/' ? str_dup(name) : path_join(dir, name);
	r = fs_read(path, CSV_MAX_BYTES, &text);
	if (r < 0) {
		check_fault(c, "%s: %s", path, err_text(r));
		goto out;
	}
	s.file = path;
	r = csv_parse(path, buf_str(&text), buf_len(&text), c->ds, ret);
	if (r < 0)
		goto out;
	(*ret)->source = str_dup(name);
	(*ret)->path = realpath(path, NULL);
	if ((r = check_data(&s, *ret)) < 0)
		plan_data_free(*ret);
out:
	free(path);
	buf_done(&text);
	return r;
}

static void
add_columns(struct strvec *columns, const struct jval *row)
{
	size_t i, n = jval_count(row);

	for (i = 0; i < n && columns->n <= CSV_MAX_COLUMNS; i++)
		if (strvec_find(columns, jval_key_at(row, i)) < 0)
			strvec_push(columns, jval_key_at(row, i));
}

static void
fill_row(struct check *c, struct plan_data *d, uint32_t at,
    const struct jval *row)
{
	size_t i, mark, n = jval_count(row);
	const char *key;
	char *text;
	long column;

	for (i = 0; i < n; i++) {
		key = jval_key_at(row, i);
		column = strvec_find(&d->columns, key);
		text = value_text(jval_value_at(row, i));
		mark = check_key(c, key);
		if (text == NULL)
			check_fault(c, "a string, a number or a boolean is "
			    "expected, not %s", jval_type_name(
			    jval_type(jval_value_at(row, i))));
		else if (strlen(text) > CSV_MAX_CELL)
			check_fault(c, "longer than 64 kB");
		check_back(c, mark);
		d->cells[at * d->columns.n + (size_t)column] = text;
	}
}

static struct plan_data *
make_rows(struct check *c, const struct jval *rows)
{
	struct plan_data *d = mem_zalloc(sizeof(*d));
	uint32_t i, n = (uint32_t)jval_count(rows);
	size_t mark;

	for (i = 0; i < n; i++)
		add_columns(&d->columns, jval_at(rows, i));
	if (d->columns.n > CSV_MAX_COLUMNS ||
	    (size_t)n * d->columns.n > ROWS_MAX_CELLS) {
		check_fault(c, "too many columns");
		strvec_done(&d->columns);
		n = 0;
	}
	d->n_rows = n;
	d->cells = mem_calloc((size_t)n * d->columns.n + 1,
	    sizeof(*d->cells));
	for (i = 0; i < n; i++) {
		mark = check_index(c, i);
		if (check_is_object(c, jval_at(rows, i), "an object"))
			fill_row(c, d, i, jval_at(rows, i));
		check_back(c, mark);
	}
	return d;
}

static int
load_rows(struct check *c, const struct jval *v, struct plan_data **ret)
{
	struct source s = { .c = c };
	size_t errors = c->ds->errors, mark;
	const struct jval *rows;
	struct plan_data *d;

	check_object(c, v, AT_DATA);
	rows = check_get(v, "rows", AT_DATA);
	if (rows == NULL) {
		if (c->ds->errors == errors)
			check_fault(c, "no data: \"rows\" is missing");
		return ERR_INVALID;
	}
	mark = check_key(c, "rows");
	if (jval_count(rows) == 0)
		check_fault(c, "no data: the list is empty");
	else if (jval_count(rows) > CSV_MAX_ROWS)
		check_fault(c, "more than %d rows", CSV_MAX_ROWS);
	if (c->ds->errors > errors) {
		check_back(c, mark);
		return ERR_INVALID;
	}
	d = make_rows(c, rows);
	check_back(c, mark);
	if (c->ds->errors > errors || check_data(&s, d) < 0) {
		plan_data_free(d);
		return ERR_INVALID;
	}
	*ret = d;
	return 0;
}

struct plan_data *
data_load(struct check *c, const struct jval *v, const char *dir)
{
	struct plan_data *d;
	int r;

	if (jval_type(v) == JVAL_STRING)
		r = load_file(c, jval_str(v, ""), dir, &d);
	else
		r = load_rows(c, v, &d);
	return r == 0 ? d : NULL;
}
