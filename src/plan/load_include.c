/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Suites from other files (part of load.h). While one is read, the loader
 * stands in its document: faults name it, and data is looked for beside it.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plan/load.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/paths.h"

#define MAX_DEPTH 8
#define MAX_FILES 1000	/* of a whole plan: files may be included often */

static void
free_doc(void *doc)
{
	jdoc_done(doc);
	free(doc);
}

/* The name of a file for people: as the including one is named. */
static char *
shown_name(const struct loader *l, const char *name)
{
	const char *file = l->c.doc->file;
	char *dir, *path;

	if (name[0] == '/' || file == NULL || strchr(file, '/') == NULL)
		return str_dup(name);
	dir = path_dir(file);
	path = path_join(dir, name);
	free(dir);
	return path;
}

/* The path of a file without links, or NULL after a fault. */
static char *
locate(struct loader *l, const char *name, const char *shown)
{
	char *path, *real;

	path = name[0] == '/' || l->dir == NULL ? str_dup(name) :
	    path_join(l->dir, name);
	real = realpath(path, NULL);
	if (real == NULL)
		check_fault(&l->c, "%s: %s", shown, err_text(-errno));
	free(path);
	return real;
}

static bool
is_open(const struct loader *l, const char *real)
{
	const struct including *in;

	for (in = l->in; in != NULL; in = in->outer)
		if (strcmp(in->real, real) == 0)
			return true;
	return l->real != NULL && strcmp(l->real, real) == 0;
}

/* False after a fault. */
static bool
may_open(struct loader *l, const char *real, const char *shown)
{
	if (is_open(l, real))
		check_fault(&l->c, "a cycle: %s includes itself", shown);
	else if (l->in != NULL && l->in->depth == MAX_DEPTH)
		check_fault(&l->c, "files include each other more than %d "
		    "deep", MAX_DEPTH);
	else if (l->n_included == MAX_FILES)
		check_fault(&l->c, "more than %d files are included",
		    MAX_FILES);
	else
		return true;
	return false;
}

/* The document, owned by the plan, or NULL after a fault. */
static const struct jdoc *
read_doc(struct loader *l, const char *real, const char *shown)
{
	size_t room = JDOC_MAX_BYTES - l->included_bytes;
	struct buf text = BUF_INIT;
	struct jdoc *doc = NULL;
	int r;

	l->n_included++;
	if ((r = fs_read(real, room, &text)) < 0) {
		check_fault(&l->c, "%s: %s", shown, err_text(r));
		goto out;
	}
	l->included_bytes += buf_len(&text);
	doc = mem_zalloc(sizeof(*doc));
	if (jdoc_parse(doc, shown, buf_str(&text), buf_len(&text),
	    JDOC_COMMENTS, l->c.ds) < 0) {
		free(doc);
		doc = NULL;
	} else
		plan_own(l->p, doc, free_doc);
out:
	buf_done(&text);
	return doc;
}

/* A list of suites has nothing that they could inherit. */
static void
load_list(struct loader *l, const struct jval *root, struct siblings *s)
{
	const struct jval *list = jval_get(root, "suites");
	size_t i, mark, n = jval_count(root);
	const char *key;

	for (i = 0; i < n; i++) {
		key = jval_key_at(root, i);
		if (strcmp(key, "suites") == 0 || strcmp(key, "$schema") == 0)
			continue;
		mark = check_key(&l->c, key);
		diag_set_hint(check_fault(&l->c, "an included file without a "
		    "name has only \"suites\""), "give it a name, and it is "
		    "a suite");
		check_back(&l->c, mark);
	}
	mark = check_key(&l->c, "suites");
	if (jval_type(list) == JVAL_ARRAY)
		load_members(l, list, s);
	else
		check_fault(&l->c, "a list is expected, not %s",
		    jval_type_name(jval_type(list)));
	check_back(&l->c, mark);
}

/* Loads a document in place of the one at hand. */
static void
load_doc(struct loader *l, const struct jdoc *doc,
    const struct including *in, struct siblings *s)
{
	const struct loader outer = *l;
	char *dir = path_dir(in->real);

	check_init(&l->c, doc, outer.c.ds);
	l->dir = dir;
	l->in = in;
	if (jval_get(doc->root, "suites") != NULL &&
	    jval_get(doc->root, "name") == NULL)
		load_list(l, doc->root, s);
	else
		load_member(l, doc->root, s);
	check_done(&l->c);
	l->c = outer.c;
	l->dir = outer.dir;
	l->in = outer.in;
	free(dir);
}

void
load_included(struct loader *l, const char *name, struct siblings *s)
{
	struct including in = { .outer = l->in,
		.depth = l->in != NULL ? l->in->depth + 1 : 1 };
	const struct jdoc *doc;
	char *shown = shown_name(l, name);
	char *real = locate(l, name, shown);

	in.real = real;
	if (real != NULL && may_open(l, real, shown) &&
	    (doc = read_doc(l, real, shown)) != NULL)
		load_doc(l, doc, &in, s);
	free(shown);
	free(real);
}
