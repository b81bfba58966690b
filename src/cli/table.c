/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table of JSON rows for people. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/text.h"

#include "cli/table.h"

#define COLUMNS_MAX 16

void
table_value(const struct jval *v, struct buf *out)
{
	switch (jval_type(v)) {
	case JVAL_STRING:
		buf_puts(out, jval_str(v, ""));
		break;
	case JVAL_INT:
		buf_putf(out, "%lld", (long long)jval_int(v, 0));
		break;
	case JVAL_REAL:
		buf_putf(out, "%.2f", jval_real(v, 0));
		break;
	case JVAL_BOOL:
		buf_puts(out, jval_bool(v, false) ? "yes" : "no");
		break;
	default:
		buf_putc(out, '-');
	}
}

void
table_seconds(const struct jval *v, struct buf *out)
{
	char text[DURATION_TEXT];

	if (jval_type(v) == JVAL_NULL)
		buf_putc(out, '-');
	else
		buf_puts(out, duration_format(
		    (int64_t)(jval_real(v, 0) * 1e6), text));
}

static void
cell(const struct column *col, const struct jval *row, struct buf *out)
{
	buf_clear(out);
	if (col->cell != NULL)
		col->cell(row, out);
	else
		table_value(jval_get(row, col->key), out);
}

static size_t
widths(const struct column *columns, const struct jval *rows, size_t *ret)
{
	struct buf b = BUF_INIT;
	size_t i, k, w, n = 0;

	for (; n < COLUMNS_MAX && columns[n].title != NULL; n++)
		ret[n] = text_width(columns[n].title,
		    strlen(columns[n].title));
	for (i = 0; i < jval_count(rows); i++)
		for (k = 0; k < n; k++) {
			cell(&columns[k], jval_at(rows, i), &b);
			w = text_width(buf_str(&b), buf_len(&b));
			if (columns[k].max != 0 && w > columns[k].max)
				w = columns[k].max;
			if (w > ret[k])
				ret[k] = w;
		}
	buf_done(&b);
	return n;
}

static void
put_line(struct buf *line)
{
	size_t n = buf_len(line);
	const char *s = buf_str(line);

	while (n > 0 && s[n - 1] == ' ')
		n--;
	printf("%.*s\n", (int)n, s);
	buf_clear(line);
}

void
table_print(const struct column *columns, const struct jval *rows)
{
	struct buf line = BUF_INIT, b = BUF_INIT;
	size_t w[COLUMNS_MAX], n, i, k;

	n = widths(columns, rows, w);
	for (k = 0; k < n; k++) {
		text_fit(&line, columns[k].title, w[k], false, true);
		buf_puts(&line, "  ");
	}
	put_line(&line);
	for (i = 0; i < jval_count(rows); i++) {
		for (k = 0; k < n; k++) {
			cell(&columns[k], jval_at(rows, i), &b);
			text_fit(&line, buf_str(&b), w[k], false, true);
			buf_puts(&line, "  ");
		}
		put_line(&line);
	}
	buf_done(&line);
	buf_done(&b);
}
