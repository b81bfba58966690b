/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The list of faults of a file. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "yardmaster/base/diag.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"

#define DIAGS_KEPT 200	/* one more is scratch, for those dropped */

static void
diag_done(struct diag *d)
{
	free(d->file);
	free(d->path);
	free(d->text);
	free(d->hint);
}

void
diags_done(struct diags *ds)
{
	size_t i;

	for (i = 0; i < ds->n; i++)
		diag_done(&ds->v[i]);
	if (ds->dropped > 0)
		diag_done(&ds->v[DIAGS_KEPT]);
	free(ds->v);
	*ds = (struct diags)DIAGS_INIT;
}

struct diag *
diag_add(struct diags *ds, enum diag_level level, const char *file,
    unsigned line, const char *path, const char *fmt, ...)
{
	struct diag *d;
	va_list ap;

	if (level == DIAG_ERROR)
		ds->errors++;
	/* All at once: callers may still hold what an earlier call returned. */
	ds->v = mem_grow(ds->v, &ds->cap, DIAGS_KEPT + 1, sizeof(*ds->v));
	if (ds->n < DIAGS_KEPT) {
		d = &ds->v[ds->n++];
	} else {
		d = &ds->v[DIAGS_KEPT];
		diag_done(d);
		ds->dropped++;
	}
	d->hint = NULL;
	d->column = 0;
	d->level = level;
	d->file = str_dup(file);
	d->line = line;
	d->path = str_dup(path);
	va_start(ap, fmt);
	d->text = str_vfmt(fmt, ap);
	va_end(ap);
	return d;
}

void
diag_set_hint(struct diag *d, const char *fmt, ...)
{
	va_list ap;

	free(d->hint);
	va_start(ap, fmt);
	d->hint = str_vfmt(fmt, ap);
	va_end(ap);
}

static void
put_safe(struct buf *out, const char *s)
{
	text_escape(out, s, strlen(s));
}

void
diag_format(const struct diag *d, struct buf *out)
{
	if (d->file != NULL) {
		put_safe(out, d->file);
		if (d->line > 0)
			buf_putf(out, ":%u", d->line);
		buf_puts(out, ": ");
	}
	if (d->level == DIAG_WARNING)
		buf_puts(out, "warning: ");
	if (d->path != NULL && d->path[0] != '\0') {
		put_safe(out, d->path);
		buf_puts(out, ": ");
	}
	put_safe(out, d->text);
	if (d->hint != NULL) {
		buf_puts(out, " (");
		put_safe(out, d->hint);
		buf_putc(out, ')');
	}
}

/* By file and line; equal ones as they were added. */
static int
by_place(const void *pa, const void *pb)
{
	const struct diag *a = *(const struct diag *const *)pa;
	const struct diag *b = *(const struct diag *const *)pb;
	int r;

	r = strcmp(a->file != NULL ? a->file : "",
	    b->file != NULL ? b->file : "");
	if (r != 0)
		return r;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return a < b ? -1 : a > b;
}

void
diags_print(const struct diags *ds, int fd)
{
	const struct diag **order = mem_calloc(ds->n, sizeof(*order));
	struct buf b = BUF_INIT;
	ssize_t done;
	size_t i;

	for (i = 0; i < ds->n; i++)
		order[i] = &ds->v[i];
	qsort(order, ds->n, sizeof(*order), by_place);
	for (i = 0; i < ds->n; i++) {
		diag_format(order[i], &b);
		buf_putc(&b, '\n');
	}
	if (ds->dropped > 0)
		buf_putf(&b, "and %zu more\n", ds->dropped);
	while (buf_len(&b) > 0) {
		done = write(fd, buf_data(&b), buf_len(&b));
		if (done <= 0)
			break;	/* nobody to tell */
		buf_consume(&b, (size_t)done);
	}
	buf_done(&b);
	free(order);
}
