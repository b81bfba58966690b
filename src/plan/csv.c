/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A reader for CSV as RFC 4180 has it: one record after the other, each line
 * of the file counted, every ragged record reported.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "plan/csv.h"
#include "plan/plan_private.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"

struct csv {
	const char *file;
	const char *p, *end;
	unsigned line;		/* of p */
	struct diags *ds;
	struct strvec record;
	struct buf field;
	struct plan_data *data;
	size_t cap_cells, cap_lines;
};

static int
fault(struct csv *c, unsigned line, const char *text)
{
	diag_add(c->ds, DIAG_ERROR, c->file, line, NULL, "%s", text);
	return ERR_INVALID;
}

/* A quoted field, from behind its first quote to behind its last. */
static int
take_quoted(struct csv *c)
{
	unsigned line = c->line;

	for (; c->p < c->end; c->p++) {
		if (*c->p == '\n')
			c->line++;
		if (*c->p == '"') {
			c->p++;
			if (c->p == c->end || *c->p != '"')
				return 0;
		}
		buf_putc(&c->field, *c->p);
	}
	return fault(c, line, "a quotation mark is not closed");
}

static bool
at_record_end(const struct csv *c)
{
	return c->p == c->end || *c->p == '\n' ||
	    (*c->p == '\r' && c->p + 1 < c->end && c->p[1] == '\n');
}

static int
take_plain(struct csv *c)
{
	const char *from = c->p;

	while (!at_record_end(c) && *c->p != ',') {
		if (*c->p == '"')
			return fault(c, c->line, "a quotation mark inside a "
			    "field that is not quoted");
		c->p++;
	}
	buf_put(&c->field, from, (size_t)(c->p - from));
	return 0;
}

static int
take_field(struct csv *c)
{
	unsigned line = c->line;
	int r;

	buf_clear(&c->field);
	if (c->p < c->end && *c->p == '"') {
		c->p++;
		r = take_quoted(c);
	} else
		r = take_plain(c);
	if (r < 0)
		return r;
	if (!at_record_end(c) && *c->p != ',')
		return fault(c, c->line, "text behind the closing quotation "
		    "mark of a field");
	if (buf_len(&c->field) > CSV_MAX_CELL)
		return fault(c, line, "a field longer than 64 kB");
	strvec_push(&c->record, buf_str(&c->field));
	return 0;
}

/* It may have cells that are secret. */
static void
record_done(struct csv *c)
{
	size_t i;

	for (i = 0; i < c->record.n; i++)
		mem_wipe(c->record.v[i], strlen(c->record.v[i]));
	strvec_done(&c->record);
}

/* One record into c->record, its line end passed. */
static int
take_record(struct csv *c)
{
	int r;

	record_done(c);
	for (;;) {
		if ((r = take_field(c)) < 0)
			return r;
		if (c->record.n > CSV_MAX_COLUMNS)
			return fault(c, c->line, "more than 1000 fields");
		if (at_record_end(c))
			break;
		c->p++;		/* the comma */
	}
	if (c->p < c->end && *c->p == '\r')
		c->p++;
	if (c->p < c->end) {
		c->p++;
		c->line++;
	}
	return 0;
}

static int
add_row(struct csv *c, unsigned line)
{
	struct plan_data *d = c->data;
	size_t i, at = (size_t)d->n_rows * d->columns.n;

	if (c->record.n != d->columns.n) {
		diag_add(c->ds, DIAG_ERROR, c->file, line, NULL,
		    "%zu field%s, but the first line names %zu", c->record.n,
		    c->record.n == 1 ? "" : "s", d->columns.n);
		return 0;	/* there may be more of them */
	}
	if (d->n_rows == CSV_MAX_ROWS)
		return fault(c, line, "more than 1000000 rows");
	d->cells = mem_grow(d->cells, &c->cap_cells, at + d->columns.n,
	    sizeof(*d->cells));
	for (i = 0; i < d->columns.n; i++) {
		d->cells[at + i] = c->record.v[i];
		c->record.v[i] = NULL;
	}
	c->record.n = 0;
	d->lines = mem_grow(d->lines, &c->cap_lines, d->n_rows + 1,
	    sizeof(*d->lines));
	d->lines[d->n_rows++] = line;
	return 0;
}

/* True when only line ends are left. */
static bool
only_blank(const struct csv *c)
{
	const char *p;

	for (p = c->p; p < c->end; p++)
		if (*p != '\n' && *p != '\r')
			return false;
	return true;
}

static int
take_all(struct csv *c)
{
	unsigned line;
	int r;

	if (only_blank(c))
		return fault(c, 1, "no data: the file is empty");
	if ((r = take_record(c)) < 0)
		return r;
	strvec_push_all(&c->data->columns, &c->record);
	if (only_blank(c))
		return fault(c, c->line, "no data: there is only the line of "
		    "names");
	while (!only_blank(c)) {
		line = c->line;
		if ((r = take_record(c)) < 0 || (r = add_row(c, line)) < 0)
			return r;
	}
	return 0;
}

int
csv_parse(const char *file, const char *text, size_t len, struct diags *ds,
    struct plan_data **ret)
{
	struct csv c = { .file = file, .p = text, .end = text + len,
		.line = 1, .ds = ds };
	size_t errors = ds->errors;
	int r;

	if (memchr(text, '\0', len) != NULL || !text_is_utf8(text, len))
		return fault(&c, 0, "not UTF-8 text");
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		c.p += 3;
	buf_secret(&c.field);
	c.data = mem_zalloc(sizeof(*c.data));
	r = take_all(&c);
	if (r == 0 && ds->errors > errors)
		r = ERR_INVALID;
	record_done(&c);
	buf_done(&c.field);
	if (r < 0)
		plan_data_free(c.data);
	else
		*ret = c.data;
	return r;
}
