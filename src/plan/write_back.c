/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes an amended value into the text of a plan: that value alone changes,
 * comments and layout stay. What would need more than that is refused.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/plan/plan.h"

/* Where a value stands: a member of the object (or the name) at path. */
struct place {
	const struct jdoc *doc;
	struct buf path;
	const char *member;
};

/* The element of the list at path (and v) that is, or has the name, name. */
static const struct jval *
named(struct place *at, const struct jval *v, const char *list,
    const char *name, size_t n)
{
	const struct jval *items = jval_get(v, list), *item;
	const char *is;
	size_t i;

	for (i = 0; i < jval_count(items); i++) {
		item = jval_at(items, i);
		is = jval_str(item, jval_get_str(item, "name", ""));
		if (strlen(is) != n || strncmp(is, name, n) != 0)
			continue;
		jdoc_path_key(&at->path, list);
		jdoc_path_index(&at->path, i);
		return item;
	}
	return NULL;
}

/* "outer/inner" or "outer/test", from the suites of v on. */
static bool
find_below(struct place *at, const struct jval *v, const char *name)
{
	size_t n = strcspn(name, "/"), was = buf_len(&at->path);
	const struct jval *found;

	found = named(at, v, "suites", name, n);
	if (found != NULL && (name[n] == '\0' ||
	    find_below(at, found, name + n + 1)))
		return true;
	buf_truncate(&at->path, was);
	return name[n] == '\0' && named(at, v, "tests", name, n) != NULL;
}

static bool
find_place(struct place *at, const char *key, const char *name)
{
	const struct jval *root = at->doc->root;

	at->member = strncmp(key, "agents", 6) == 0 ? "agents" :
	    strncmp(key, "max_parallel", 12) == 0 ? "max_parallel" :
	    strncmp(key, "max_failures", 12) == 0 ? "max_failures" :
	    strcmp(key, "deadline") == 0 ? "deadline" :
	    strncmp(key, "max_per_agent", 13) == 0 ? "max_per_agent" :
	    strncmp(key, "max:", 4) == 0 ? "max" : NULL;
	if (strncmp(key, "lock:", 5) == 0) {
		at->member = name;
		jdoc_path_key(&at->path, "locks");
		return jval_get(jval_get(root, "locks"), name) != NULL;
	}
	if (at->member == NULL)
		return false;
	if (*name == '\0')
		return true;
	if (at->member[0] == 'm' && strcmp(at->member, "max_parallel") != 0)
		return named(at, root, "targets", name, strlen(name)) != NULL;
	return find_below(at, root, name);
}

/* The value as it stands in a file. */
static void
value_text(const char *member, const char *value, struct buf *out)
{
	struct jw w;
	size_t n;

	jw_init(&w, out);
	if (strcmp(member, "deadline") == 0) {
		jw_str(&w, value);
		return;
	}
	if (strcmp(member, "agents") != 0) {
		buf_puts(out, value);
		return;
	}
	jw_array(&w);
	for (; *value != '\0'; value += n + (value[n] == ',')) {
		n = strcspn(value, ",");
		jw_strn(&w, value, n);
	}
	jw_array_end(&w);
}

/* Replaces the value, or puts a member where there is none. */
static void
put(const struct place *at, const char *value, struct buf *out)
{
	const struct jdoc *doc = at->doc;
	struct buf path = BUF_INIT, text = BUF_INIT;
	size_t from, n;

	buf_puts(&path, buf_str(&at->path));
	jdoc_path_key(&path, at->member);
	value_text(at->member, value, &text);
	if (jdoc_span(doc, buf_str(&path), &from, &n)) {
		buf_put(out, doc->text, from);
		buf_puts(out, buf_str(&text));
	} else {
		(void)jdoc_span(doc, buf_str(&at->path), &from, &n);
		buf_put(out, doc->text, from);
		if (doc->text[from] == '{') {
			buf_putf(out, "{\"%s\": %s, ", at->member,
			    buf_str(&text));
			n = 1;
		} else {	/* a plain name */
			buf_putf(out, "{\"name\": %.*s, \"%s\": %s}", (int)n,
			    doc->text + from, at->member, buf_str(&text));
		}
	}
	buf_put(out, doc->text + from + n, doc->len - from - n);
	buf_done(&path);
	buf_done(&text);
}

int
plan_write_back(const struct jdoc *doc, const char *key, const char *value,
    struct buf *out, char **ret_error)
{
	const char *name = key + strcspn(key, ":");
	struct place at = { .doc = doc, .path = BUF_INIT };
	struct diags ds = DIAGS_INIT;
	struct plan *p = NULL;
	const char *slash;
	char *dir = NULL;
	int r = 0;

	name += *name == ':';
	buf_clear(out);
	if (*value == '\0' || (strncmp(key, "lock:", 5) == 0 &&
	    strcmp(value, "0") == 0) || !find_place(&at, key, name)) {
		*ret_error = str_fmt("%s=%s cannot be written there: the "
		    "file has no single place for it; change it by hand",
		    key, value);
		r = ERR_UNSUPPORTED;
		goto out;
	}
	put(&at, value, out);
	if ((slash = strrchr(doc->file, '/')) != NULL)
		dir = str_ndup(doc->file, (size_t)(slash - doc->file) + 1);
	r = plan_load_text(doc->file, dir, buf_str(out), buf_len(out), &ds,
	    &p);
	if (r < 0)
		*ret_error = str_fmt("%s=%s cannot be written there: %s", key,
		    value, ds.n > 0 ? ds.v[0].text : err_text(r));
out:
	plan_free(p);
	free(dir);
	diags_done(&ds);
	buf_done(&at.path);
	return r;
}
