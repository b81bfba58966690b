/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * JSON documents (part of jval.h): a tree of values together with the text
 * it came from, for faults with a line.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/jcheck.h"
#include "base/jloc.h"
#include "base/jscan.h"
#include "base/jparse.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/mem.h"

static int
too_large(const char *file, struct diags *ds)
{
	if (ds != NULL)
		diag_add(ds, DIAG_ERROR, file, 0, NULL,
		    "larger than %u MB", JDOC_MAX_BYTES >> 20);
	return ERR_TOO_LARGE;
}

/* Where the faults of a text go. */
struct faults {
	const char *file, *text;
	struct diags *ds;
};

static void
report(void *arg, const struct jfault *f)
{
	const struct faults *to = arg;
	unsigned line, column;

	if (to->ds == NULL)
		return;
	jloc_place(to->text, f->offset, &line, &column);
	diag_add(to->ds, DIAG_ERROR, to->file, line, f->path, "%s",
	    f->text)->column = column;
}

int
jdoc_parse(struct jdoc *ret, const char *file, const char *text, size_t len,
    unsigned flags, struct diags *ds)
{
	bool comments = (flags & JDOC_COMMENTS) != 0;
	struct jval *root = NULL;
	struct faults faults = { .file = file, .text = text, .ds = ds };
	char *plain;
	int r;

	if (len > JDOC_MAX_BYTES)
		return too_large(file, ds);
	if ((r = jcheck(text, len, comments, report, &faults)) < 0)
		return r;
	plain = mem_dup(text, len);
	if (comments)
		jloc_blank_comments(plain, len);
	r = jval_parse_checked(&root, plain, len);
	free(plain);
	if (r < 0) {
		if (ds != NULL)
			diag_add(ds, DIAG_ERROR, file, 1, NULL,
			    "holds nothing but null");
		return r;
	}
	ret->file = str_dup(file);
	ret->text = mem_dup(text, len);
	ret->len = len;
	ret->root = root;
	return 0;
}

/* Appends all of fd, but stops behind JDOC_MAX_BYTES. */
static int
read_all(int fd, struct buf *out)
{
	ssize_t n;

	while (buf_len(out) <= JDOC_MAX_BYTES) {
		n = read(fd, buf_reserve(out, 65536), 65536);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		buf_commit(out, (size_t)n);
	}
	return 0;
}

int
jdoc_load(struct jdoc *ret, const char *file, unsigned flags,
    struct diags *ds)
{
	struct buf b = BUF_INIT;
	int fd, r;

	fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	r = fd < 0 ? -errno : read_all(fd, &b);
	if (fd >= 0)
		close(fd);
	if (r == 0)
		r = jdoc_parse(ret, file, buf_str(&b), buf_len(&b), flags, ds);
	else if (ds != NULL)
		diag_add(ds, DIAG_ERROR, file, 0, NULL, "cannot be read: %s",
		    err_text(r));
	buf_done(&b);
	return r;
}

void
jdoc_done(struct jdoc *doc)
{
	free(doc->file);
	free(doc->text);
	jval_free(doc->root);
	*doc = (struct jdoc){ .file = NULL };
}

bool
jdoc_span(const struct jdoc *doc, const char *path, size_t *ret_from,
    size_t *ret_n)
{
	struct jscan s;
	size_t from;

	if (!jloc_find(doc->text, doc->len, path, &from))
		return false;
	jscan_init(&s, doc->text, doc->len, true);
	s.p = doc->text + from;
	jscan_skip_value(&s);
	*ret_from = from;
	*ret_n = (size_t)(s.p - doc->text) - from;
	return true;
}

void
jdoc_locate(const struct jdoc *doc, const char *path, unsigned *ret_line,
    unsigned *ret_column)
{
	size_t offset;

	*ret_line = *ret_column = 0;
	if (jloc_find(doc->text, doc->len, path, &offset))
		jloc_place(doc->text, offset, ret_line, ret_column);
}

/* Cuts the last step off path. False when there is none. */
static bool
cut_step(char *path)
{
	size_t n = strlen(path);

	if (n == 0)
		return false;
	while (--n > 0 && path[n] != '.' && path[n] != '[')
		continue;
	path[n] = '\0';
	return true;
}

struct diag *
jdoc_fault(const struct jdoc *doc, struct diags *ds, enum diag_level level,
    const char *path, const char *fmt, ...)
{
	char *near = str_dup(path), *text;
	unsigned line = 0, column = 0;
	struct diag *d;
	va_list ap;

	/* What is missing is reported where it would stand. */
	if (ds->dropped == 0) {
		do {
			jdoc_locate(doc, near, &line, &column);
		} while (line == 0 && cut_step(near));
	}
	va_start(ap, fmt);
	text = str_vfmt(fmt, ap);
	va_end(ap);
	d = diag_add(ds, level, doc->file, line, path, "%s", text);
	d->column = column;
	free(text);
	free(near);
	return d;
}
