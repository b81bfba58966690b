/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Loading a plan file: the document is walked once from the outside in, and
 * every fault on the way is noted.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "plan/load.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/paths.h"

/* A name and where it stands in its list. */
struct named {
	const char *name;
	size_t index;
};

static void load_suites(struct loader *l, const struct jval *v,
    uint32_t parent, const struct plan_props *base);
static void load_nested(struct loader *l, const char *file, uint32_t parent,
    const struct plan_props *base);

static int
by_name(const void *pa, const void *pb)
{
	const struct named *a = pa, *b = pb;
	int r = strcmp(a->name, b->name);

	return r != 0 ? r : a->index < b->index ? -1 : 1;
}

/* Notes tests of a list (at hand) that were there before. Sorts the list. */
static void
check_twice(struct loader *l, struct named *list, size_t n)
{
	size_t i, mark;

	qsort(list, n, sizeof(*list), by_name);
	for (i = 1; i < n; i++) {
		if (strcmp(list[i].name, list[i - 1].name) != 0)
			continue;
		mark = check_index(&l->c, list[i].index);
		check_fault(&l->c, "a test named \"%s\" was there before",
		    list[i].name);
		check_back(&l->c, mark);
	}
}

/* The good name of obj, or NULL after a fault. */
static const char *
load_name(struct loader *l, const struct jval *obj, unsigned at)
{
	const char *name = jval_str(check_get(obj, "name", at), NULL);

	if (name == NULL) {
		if (jval_get(obj, "name") == NULL)
			check_fault(&l->c, "%s needs a name", place_name(at));
		return NULL;
	}
	if (is_good_name(name) &&
	    (at != AT_SUITE || strchr(name, '/') == NULL))
		return name;
	check_fault_at(&l->c, "name", at == AT_SUITE ?
	    "not a usable name: at most 255 bytes, no /, no control "
	    "characters" :
	    "not a usable name: at most 255 bytes, no control characters");
	return NULL;
}

static void
load_needs(struct loader *l, const struct jval *obj, unsigned at,
    struct raw_refs *refs)
{
	const struct jval *v = check_get(obj, "needs", at);
	size_t i, mark, inner, n = jval_count(v);

	mark = check_key(&l->c, "needs");
	for (i = 0; i < n; i++) {
		inner = check_index(&l->c, i);
		raw_refs_add(refs, jval_str(jval_at(v, i), ""), &l->c);
		check_back(&l->c, inner);
	}
	check_back(&l->c, mark);
}

/* ---- tests ---- */

/* A test that is more than a name. True when it has values of its own. */
static bool
load_test_object(struct loader *l, const struct jval *obj, uint32_t index,
    const struct plan_props *base)
{
	const struct plan_props *props;
	const struct strvec *env = NULL;

	props = load_props(l, obj, AT_TEST, base, &env);
	l->p->tests[index].props = props;
	l->p->tests[index].env = env;
	load_needs(l, obj, AT_TEST, &l->p->priv->test_needs[index]);
	if (props != base)
		check_runnable(l, props);
	return props != base;
}

/* What the tests of a suite have in common. */
struct common {
	uint32_t suite;
	const struct plan_props *props;
	bool shared;		/* some test has the values of the suite */
	const char *naked;	/* the first test without command, or NULL */
};

/* Returns the name, borrowed, or NULL after a fault. */
static const char *
load_test(struct loader *l, const struct jval *v, struct common *common)
{
	const char *name = jval_str(v, NULL);
	uint32_t index;

	if (jval_type(v) == JVAL_OBJECT) {
		check_object(&l->c, v, AT_TEST);
		name = load_name(l, v, AT_TEST);
	} else if (name == NULL)
		check_fault(&l->c, "a name or an object is expected, not %s",
		    jval_type_name(jval_type(v)));
	else if (!is_good_name(name)) {
		check_fault(&l->c, "not a usable name of a test");
		name = NULL;
	}
	if (name == NULL)
		return NULL;
	index = plan_add_test(l->p);
	l->p->tests[index].name = str_dup(name);
	l->p->tests[index].suite = common->suite;
	l->p->tests[index].props = common->props;
	if (jval_type(v) != JVAL_OBJECT ||
	    !load_test_object(l, v, index, common->props))
		common->shared = true;
	if (common->naked == NULL &&
	    !has_command(l, l->p->tests[index].props))
		common->naked = name;
	return name;
}

static void
load_tests(struct loader *l, const struct jval *v, struct common *common)
{
	size_t i, inner, mark, n = jval_count(v), named = 0;
	struct named *names;
	const char *name;

	mark = check_key(&l->c, "tests");
	if (l->p->n_tests + n > PLAN_MAX_TESTS) {
		check_fault(&l->c, "more than %d tests", PLAN_MAX_TESTS);
		n = 0;
	}
	names = mem_calloc(n, sizeof(*names));
	for (i = 0; i < n; i++) {
		inner = check_index(&l->c, i);
		name = load_test(l, jval_at(v, i), common);
		check_back(&l->c, inner);
		if (name != NULL)
			names[named++] = (struct named){ name, i };
	}
	check_twice(l, names, named);
	free(names);
	check_back(&l->c, mark);
}

/* ---- suites ---- */

static void
load_suite_values(struct loader *l, const struct jval *obj, uint32_t index)
{
	struct plan_suite *s = &l->p->suites[index];
	const struct jval *v;

	v = check_get(obj, "mode", AT_SUITE);
	if (v != NULL)
		s->mode = (enum suite_mode)value_choice(v,
		    key_find("mode", AT_SUITE));
	s->max_parallel = (uint32_t)jval_int(check_get(obj, "max_parallel",
	    AT_SUITE), 0);
	load_needs(l, obj, AT_SUITE, &l->p->priv->suite_needs[index]);
}

/* A suite that nothing can come of; errors are those before the suite. */
static void
check_members(struct loader *l, const struct jval *obj, size_t errors)
{
	static const char *const members[] = { "tests", "suites", "include",
		"discover", "shards", "together" };
	size_t i, n = 0;

	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (jval_get(obj, members[i]) != NULL)
			n++;
	if (l->c.ds->errors > errors)
		return;		/* perhaps one of them is misspelt */
	if (n == 0)
		check_fault(&l->c, "the suite is empty: it needs tests, "
		    "suites, include, discover, shards or together");
	else if (n == 1 && jval_get(obj, "tests") != NULL &&
	    jval_count(jval_get(obj, "tests")) == 0)
		check_fault_at(&l->c, "tests", "the list is empty");
}

static void
load_suite_members(struct loader *l, const struct jval *obj, uint32_t index,
    const struct plan_props *props)
{
	const struct jval *suites = check_get(obj, "suites", AT_SUITE);
	const struct jval *include = check_get(obj, "include", AT_SUITE);
	const struct jval *discover = check_get(obj, "discover", AT_SUITE);
	struct common common = { .suite = index, .props = props };
	struct plan *p = l->p;
	size_t mark;

	p->suites[index].first_test = p->n_tests;
	if (check_get(obj, "together", AT_SUITE) != NULL) {
		load_together(l, obj, index, props);
		return;
	}
	if (jval_get(obj, "same_agent") != NULL)
		check_fault_at(&l->c, "same_agent", "there is no together");
	if (check_get(obj, "shards", AT_SUITE) != NULL) {
		load_shards(l, obj, index, props);
		return;
	}
	load_tests(l, check_get(obj, "tests", AT_SUITE), &common);
	p->suites[index].n_tests = p->n_tests - p->suites[index].first_test;
	if (discover != NULL) {
		p->suites[index].discovers = true;
		mark = check_key(&l->c, "discover");
		load_discover(l, discover, index);
		check_back(&l->c, mark);
	}
	if (common.shared || discover != NULL)
		check_runnable(l, props);
	if (common.naked != NULL)
		check_fault(&l->c, "test \"%s\" has no command and no shell, "
		    "here or above", common.naked);
	else if (discover != NULL && !has_command(l, props))
		check_fault(&l->c, "no command and no shell, here or above");
	if (suites != NULL && include != NULL)
		check_fault(&l->c, "suites and include at once; give one");
	else if (include != NULL)
		load_nested(l, jval_str(include, ""), index, props);
	else if (suites != NULL)
		load_suites(l, suites, index, props);
}

/* Returns the name, borrowed, or NULL after a fault. */
static const char *
load_suite(struct loader *l, const struct jval *obj, uint32_t parent,
    const struct plan_props *base)
{
	const struct plan_props *props;
	size_t errors = l->c.ds->errors;
	const char *name;
	uint32_t index;

	if (!check_is_object(&l->c, obj, "an object"))
		return NULL;
	check_object(&l->c, obj, AT_SUITE);
	name = load_name(l, obj, AT_SUITE);
	index = plan_add_suite(l->p);
	plan_origin_add(l->p, index, &l->c, obj);
	l->p->suites[index].name = str_dup(name != NULL ? name : "?");
	l->p->suites[index].path = parent == PLAN_NONE ?
	    str_dup(l->p->suites[index].name) :
	    str_fmt("%s/%s", l->p->suites[parent].path,
	    l->p->suites[index].name);
	l->p->suites[index].parent = parent;
	props = load_props(l, obj, AT_SUITE, base, NULL);
	l->p->suites[index].props = props;
	load_suite_values(l, obj, index);
	check_batch_suite(l, index, props);
	load_suite_members(l, obj, index, props);
	check_members(l, obj, errors);
	l->p->suites[index].end = l->p->n_suites;
	return name;
}

/* ---- suites beside each other ---- */

static void
add_sibling(struct loader *l, const char *name, struct siblings *s)
{
	s->v = mem_grow(s->v, &s->cap, s->n + 1, sizeof(*s->v));
	s->v[s->n] = (struct sibling){ .name = name, .doc = l->c.doc,
		.path = str_dup(buf_str(&l->c.path)), .order = s->n };
	s->n++;
}

static int
by_sibling(const void *pa, const void *pb)
{
	const struct sibling *a = pa, *b = pb;
	int r = strcmp(a->name, b->name);

	return r != 0 ? r : a->order < b->order ? -1 : 1;
}

/* Notes names that were there before, and frees the list. */
static void
end_siblings(struct loader *l, struct siblings *s)
{
	size_t i;

	if (s->n > 0)
		qsort(s->v, s->n, sizeof(*s->v), by_sibling);
	for (i = 1; i < s->n; i++)
		if (strcmp(s->v[i].name, s->v[i - 1].name) == 0)
			jdoc_fault(s->v[i].doc, l->c.ds, DIAG_ERROR,
			    s->v[i].path, "a suite named \"%s\" was there "
			    "before", s->v[i].name);
	for (i = 0; i < s->n; i++)
		free(s->v[i].path);
	free(s->v);
}

/* An element that is no suite, only a file of some: all else that it says
 * would be lost. */
static void
load_splice(struct loader *l, const struct jval *obj, struct siblings *s)
{
	const struct jval *v = check_get(obj, "include", AT_SUITE);
	size_t i, mark, n = jval_count(obj);

	check_object(&l->c, obj, AT_SUITE);
	for (i = 0; i < n; i++) {
		if (strcmp(jval_key_at(obj, i), "include") == 0 ||
		    key_find(jval_key_at(obj, i), AT_SUITE) == NULL)
			continue;
		mark = check_key(&l->c, jval_key_at(obj, i));
		diag_set_hint(check_fault(&l->c, "an include without a name "
		    "has nothing beside it"), "give the suite a name");
		check_back(&l->c, mark);
	}
	if (v == NULL)
		return;
	mark = check_key(&l->c, "include");
	load_included(l, jval_str(v, ""), s);
	check_back(&l->c, mark);
}

void
load_member(struct loader *l, const struct jval *v, struct siblings *s)
{
	const char *name;

	if (jval_get(v, "include") != NULL && jval_get(v, "name") == NULL) {
		load_splice(l, v, s);
		return;
	}
	name = load_suite(l, v, s->parent, s->base);
	if (name != NULL)
		add_sibling(l, name, s);
}

void
load_members(struct loader *l, const struct jval *v, struct siblings *s)
{
	size_t i, inner, n = jval_count(v);

	if (n == 0)
		check_fault(&l->c, "the list is empty");
	for (i = 0; i < n; i++) {
		inner = check_index(&l->c, i);
		load_member(l, jval_at(v, i), s);
		check_back(&l->c, inner);
	}
}

static void
load_suites(struct loader *l, const struct jval *v, uint32_t parent,
    const struct plan_props *base)
{
	struct siblings s = { .parent = parent, .base = base };
	size_t mark = check_key(&l->c, "suites");

	load_members(l, v, &s);
	end_siblings(l, &s);
	check_back(&l->c, mark);
}

static void
load_nested(struct loader *l, const char *file, uint32_t parent,
    const struct plan_props *base)
{
	struct siblings s = { .parent = parent, .base = base };
	size_t mark = check_key(&l->c, "include");

	load_included(l, file, &s);
	end_siblings(l, &s);
	check_back(&l->c, mark);
}

/* ---- the plan ---- */

static void
load_exclusive(struct loader *l, const struct jval *v)
{
	size_t i, k, inner, mark, n = jval_count(v);
	const struct jval *pair;

	mark = check_key(&l->c, "exclusive");
	for (i = 0; i < n; i++) {
		inner = check_index(&l->c, i);
		pair = jval_at(v, i);
		if (jval_count(pair) != 2 ||
		    jval_type(jval_at(pair, 0)) != JVAL_STRING ||
		    jval_type(jval_at(pair, 1)) != JVAL_STRING)
			check_fault(&l->c, "a pair of names is expected, as "
			    "[\"one\", \"other\"]");
		else
			for (k = 0; k < 2; k++)
				raw_refs_add(&l->p->priv->pairs,
				    jval_str(jval_at(pair, k), ""), &l->c);
		check_back(&l->c, inner);
	}
	check_back(&l->c, mark);
}

/* The name of a file without folder and ending. */
static char *
stem(const char *file)
{
	const char *base = strrchr(file, '/');
	size_t n;

	base = base != NULL ? base + 1 : file;
	n = strcspn(base, ".");
	return n > 0 ? str_ndup(base, n) : str_dup("plan");
}

static void
load_ahead(struct loader *l, const struct jval *v)
{
	const char *word = jval_str(v, NULL);

	if (v == NULL || (word != NULL && strcmp(word, "auto") == 0))
		return;
	if (word == NULL)
		l->p->ahead = (uint32_t)jval_int(v, 0);
	else if (strcmp(word, "all") == 0)
		l->p->ahead = PLAN_AHEAD_ALL;
	else
		check_fault_at(&l->c, "ahead",
		    "auto, all or a whole number is expected");
}

static void
load_plan_values(struct loader *l, const struct jval *root)
{
	struct plan *p = l->p;
	const struct jval *v;

	v = check_get(root, "name", AT_PLAN);
	if (v != NULL && !is_good_name(jval_str(v, "")))
		check_fault_at(&l->c, "name", "not a usable name: at most "
		    "255 bytes, no control characters");
	p->name = v != NULL ? str_dup(jval_str(v, "")) :
	    stem(p->file != NULL ? p->file : "");
	v = check_get(root, "order", AT_PLAN);
	if (v != NULL)
		p->order = (enum order)value_choice(v, key_find("order",
		    AT_PLAN));
	p->priv->file_order = p->order;
	p->max_parallel = (uint32_t)jval_int(check_get(root, "max_parallel",
	    AT_PLAN), 0);
	p->max_failures = (uint32_t)jval_int(check_get(root, "max_failures",
	    AT_PLAN), 0);
	v = check_get(root, "deadline", AT_PLAN);
	p->deadline_us = v != NULL ? value_duration_us(v) : 0;
	p->priv->file_deadline_us = p->deadline_us;
	p->private = strcmp(jval_str(check_get(root, "scope", AT_PLAN), "all"),
	    "run") == 0;
	load_ahead(l, check_get(root, "ahead", AT_PLAN));
	value_env(check_get(root, "params", AT_PLAN), &p->params);
	strvec_push_all(&p->priv->file_params, &p->params);
}

static void
load_root(struct loader *l, const struct jval *root)
{
	const struct plan_props *props;
	const struct jval *v;
	size_t mark;

	if (!check_is_object(&l->c, root, "an object"))
		return;
	check_object(&l->c, root, AT_PLAN);
	load_plan_values(l, root);
	if ((v = check_get(root, "locks", AT_PLAN)) != NULL) {
		mark = check_key(&l->c, "locks");
		load_lock_table(l, v);
		check_back(&l->c, mark);
	}
	props = load_props(l, root, AT_PLAN, &plan_default_props, NULL);
	l->p->priority = props->priority;
	l->p->on_failure = props->on_failure;
	l->p->schedule = props->schedule;
	if ((v = check_get(root, "suites", AT_PLAN)) != NULL)
		load_suites(l, v, PLAN_NONE, props);
	else if (jval_get(root, "suites") == NULL &&
	    !check_misspelt(root, "suites", AT_PLAN))
		check_fault(&l->c, "a plan needs suites");
	if ((v = check_get(root, "exclusive", AT_PLAN)) != NULL)
		load_exclusive(l, v);
}

/* Where the file of a folder is, links followed; NULL when it is not. */
static char *
real_path(const char *dir, const char *file)
{
	const char *base;
	char *path, *real;

	if (dir == NULL || file == NULL)
		return NULL;
	base = strrchr(file, '/');
	path = path_join(dir, base != NULL ? base + 1 : file);
	real = realpath(path, NULL);
	free(path);
	return real;
}

/* Takes over the document in doc, whether it succeeds or not. */
static int
load_document(const char *file, const char *dir, struct jdoc *doc,
    struct diags *ds, struct plan **ret)
{
	struct loader l = { .p = plan_new() };
	size_t errors = ds->errors;
	char *absolute;
	int r = 0;

	l.p->priv->doc = *doc;
	l.p->file = str_dup(file);
	absolute = realpath(dir != NULL ? dir : ".", NULL);
	l.p->dir = str_dup(absolute != NULL ? absolute : dir);
	free(absolute);
	l.dir = l.p->dir;
	l.real = real_path(l.p->dir, file);
	check_init(&l.c, &l.p->priv->doc, ds);
	load_root(&l, doc->root);
	plan_resolve(l.p, false, ds);
	if (ds->errors > errors)
		r = ERR_INVALID;
	check_done(&l.c);
	free(l.real);
	if (r < 0)
		plan_free(l.p);
	else
		*ret = l.p;
	return r;
}

int
plan_load(const char *path, struct diags *ds, struct plan **ret)
{
	struct jdoc doc;
	char *dir;
	int r;

	if ((r = jdoc_load(&doc, path, JDOC_COMMENTS, ds)) < 0)
		return r == ERR_SYNTAX ? ERR_INVALID : r;
	dir = path_dir(path);
	r = load_document(path, dir, &doc, ds, ret);
	free(dir);
	return r;
}

int
plan_load_text(const char *file, const char *dir, const char *text,
    size_t len, struct diags *ds, struct plan **ret)
{
	struct jdoc doc;
	int r;

	if ((r = jdoc_parse(&doc, file, text, len, JDOC_COMMENTS, ds)) < 0)
		return r == ERR_SYNTAX ? ERR_INVALID : r;
	return load_document(file, dir, &doc, ds, ret);
}
