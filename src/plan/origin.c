/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where in its file a suite or test has a key, for messages about a plan that
 * is loaded. Only suites are remembered; a test is looked for in its own.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "plan/plan_private.h"
#include "yardmaster/base/mem.h"

void
plan_origin_add(struct plan *p, uint32_t suite, const struct check *c,
    const struct jval *obj)
{
	struct plan_private *v = p->priv;

	v->origins = mem_grow(v->origins, &v->cap_origins, suite + 1,
	    sizeof(*v->origins));
	v->origins[suite] = (struct origin){ .doc = c->doc, .obj = obj,
		.path = str_dup(buf_str(&c->path)) };
}

static const struct origin *
origin_of(const struct plan *p, uint32_t suite)
{
	return suite < p->priv->cap_origins &&
	    p->priv->origins[suite].doc != NULL ?
	    &p->priv->origins[suite] : NULL;
}

/* The element of a list of the suite that has the name, with its place
 * appended; NULL: there is none. */
static const struct jval *
find_in(const struct origin *o, const char *key, const char *named,
    const char *name, struct buf *path)
{
	const struct jval *list = jval_get(o->obj, key), *t;
	size_t i;

	for (i = 0; i < jval_count(list); i++) {
		t = jval_at(list, i);
		if (strcmp(jval_str(t, jval_get_str(t, named, "")),
		    name) != 0)
			continue;
		jdoc_path_key(path, key);
		jdoc_path_index(path, i);
		return t;
	}
	return NULL;
}

/* The test's own object or name; NULL: it comes from a command. */
static const struct jval *
test_in(const struct origin *o, const char *name, struct buf *path)
{
	const struct jval *t = find_in(o, "tests", "name", name, path);

	return t != NULL ? t : find_in(o, "together", "role", name, path);
}

/* True when obj has the key, which is then appended. */
static bool
has(const struct jval *obj, const char *key, struct buf *path)
{
	if (jval_get(obj, key) == NULL)
		return false;
	jdoc_path_key(path, key);
	return true;
}

/* Fills path with where the key stands, its own or inherited; where none has
 * it the suite or test itself. The document, or NULL when it is not known. */
static const struct jdoc *
place(const struct plan *p, const struct plan_ref *ref, const char *key,
    struct buf *path)
{
	uint32_t s = ref->is_test ? p->tests[ref->index].suite : ref->index;
	const struct origin *o = origin_of(p, s);
	const struct jdoc *own = o != NULL ? o->doc : NULL;
	struct buf at = BUF_INIT;
	bool found = false;

	buf_clear(path);
	if (own == NULL)
		return NULL;
	buf_puts(path, o->path);
	if (ref->is_test)
		found = has(test_in(o, p->tests[ref->index].name, path), key,
		    path);
	/* Else it is inherited: from the nearest that has it. */
	for (; !found && o != NULL; s = p->suites[s].parent,
	    o = s != PLAN_NONE ? origin_of(p, s) : NULL) {
		buf_clear(&at);
		buf_puts(&at, o->path);
		if ((found = has(o->obj, key, &at)))
			own = o->doc;
	}
	if (!found && p->priv->doc.text != NULL) {
		buf_clear(&at);
		if ((found = has(p->priv->doc.root, key, &at)))
			own = &p->priv->doc;
	}
	if (found && buf_len(&at) > 0) {
		buf_clear(path);
		buf_puts(path, buf_str(&at));
	}
	buf_done(&at);
	return own;
}

struct diag *
plan_say_at(const struct plan *p, const struct plan_ref *ref, const char *key,
    enum diag_level level, struct diags *ds, char *text)
{
	struct buf path = BUF_INIT;
	/* What is only counted needs no place. */
	const struct jdoc *doc = ds->dropped > 0 ? NULL :
	    place(p, ref, key, &path);
	struct diag *d;

	d = plan_fault(p, doc, ds, level, doc != NULL ? buf_str(&path) : NULL,
	    text);
	buf_done(&path);
	free(text);
	return d;
}
