/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The walk along a document and the check of its objects. */
#include "config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "plan/check.h"
#include "plan/forms.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"

#define NAME_MAX_BYTES 255

void
check_init(struct check *c, const struct jdoc *doc, struct diags *ds)
{
	c->doc = doc;
	c->ds = ds;
	buf_init(&c->path);
}

void
check_done(struct check *c)
{
	buf_done(&c->path);
}

size_t
check_key(struct check *c, const char *key)
{
	size_t mark = buf_len(&c->path);

	jdoc_path_key(&c->path, key);
	return mark;
}

size_t
check_index(struct check *c, size_t i)
{
	size_t mark = buf_len(&c->path);

	jdoc_path_index(&c->path, i);
	return mark;
}

void
check_back(struct check *c, size_t mark)
{
	buf_truncate(&c->path, mark);
}

static struct diag *
vfault(struct check *c, enum diag_level level, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

static struct diag *
vfault(struct check *c, enum diag_level level, const char *fmt, va_list ap)
{
	char *text = str_vfmt(fmt, ap);
	struct diag *d;

	d = jdoc_fault(c->doc, c->ds, level, buf_str(&c->path), "%s", text);
	free(text);
	return d;
}

struct diag *
check_fault(struct check *c, const char *fmt, ...)
{
	struct diag *d;
	va_list ap;

	va_start(ap, fmt);
	d = vfault(c, DIAG_ERROR, fmt, ap);
	va_end(ap);
	return d;
}

struct diag *
check_warn(struct check *c, const char *fmt, ...)
{
	struct diag *d;
	va_list ap;

	va_start(ap, fmt);
	d = vfault(c, DIAG_WARNING, fmt, ap);
	va_end(ap);
	return d;
}

struct diag *
check_fault_at(struct check *c, const char *key, const char *text)
{
	size_t mark = check_key(c, key);
	struct diag *d = check_fault(c, "%s", text);

	check_back(c, mark);
	return d;
}

void
check_did_you_mean(struct diag *d, const char *near)
{
	if (near != NULL)
		diag_set_hint(d, "did you mean \"%s\"?", near);
}

bool
check_is_object(struct check *c, const struct jval *v, const char *what)
{
	if (jval_type(v) == JVAL_OBJECT)
		return true;
	check_fault(c, "%s is expected, not %s", what,
	    jval_type_name(jval_type(v)));
	return false;
}

/* "a plan or a suite": where a misplaced key belongs. */
static void
hint_places(struct diag *d, unsigned places)
{
	struct buf b = BUF_INIT;
	unsigned bit;

	for (bit = 1; bit <= places; bit <<= 1)
		if ((places & bit) != 0)
			buf_putf(&b, "%s%s", buf_len(&b) > 0 ? ", " : "",
			    place_name(bit));
	diag_set_hint(d, "it may stand on %s", buf_str(&b));
	buf_done(&b);
}

static void
unknown_key(struct check *c, const char *name, unsigned at)
{
	const char *near = key_nearest(name, at);
	unsigned places = key_places(name);
	struct diag *d;

	if (places != 0) {
		d = check_fault(c, "\"%s\" may not stand on %s", name,
		    place_name(at));
		hint_places(d, places);
		return;
	}
	d = check_fault(c, "unknown key \"%s\"", name);
	check_did_you_mean(d, near);
}

static void
check_member(struct check *c, const char *name, const struct jval *v,
    unsigned at)
{
	const struct key *k = key_find(name, at);
	size_t mark = check_key(c, name);

	if (k == NULL)
		unknown_key(c, name, at);
	else if (form_check(c, k, v) && k->later)
		check_fault(c, "\"%s\" is not supported yet", name);
	check_back(c, mark);
}

void
check_object(struct check *c, const struct jval *obj, unsigned at)
{
	size_t i, n = jval_count(obj);

	for (i = 0; i < n; i++)
		check_member(c, jval_key_at(obj, i), jval_value_at(obj, i),
		    at);
}

const struct jval *
check_get(const struct jval *obj, const char *key, unsigned at)
{
	const struct jval *v = jval_get(obj, key);
	const struct key *k = key_find(key, at);

	return v != NULL && k != NULL && form_check(NULL, k, v) ? v : NULL;
}

bool
check_misspelt(const struct jval *obj, const char *key, unsigned at)
{
	size_t i, n = jval_count(obj);
	const char *name, *near;

	for (i = 0; i < n; i++) {
		name = jval_key_at(obj, i);
		near = key_find(name, at) == NULL ? key_nearest(name, at) :
		    NULL;
		if (near != NULL && strcmp(near, key) == 0)
			return true;
	}
	return false;
}

bool
is_good_name(const char *s)
{
	size_t n = strlen(s), i;

	if (n == 0 || n > NAME_MAX_BYTES || !text_is_utf8(s, n))
		return false;
	for (i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return false;
	return true;
}
