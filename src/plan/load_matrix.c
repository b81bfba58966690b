/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Targets written as a matrix: the product of its axes, in the order of the
 * keys, the first one outermost, without the combinations that are excluded.
 */
#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "plan/load.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"

#define MAX_AXES 16
#define MAX_COMBINATIONS 10000
#define ANY SIZE_MAX

struct axis {
	const char *name;	/* borrowed from the document */
	struct strvec values;
};

/* One value of each axis, by index; of an exclusion ANY where it has none. */
struct combination {
	size_t at[MAX_AXES];
};

struct matrix {
	struct loader *l;
	struct axis axes[MAX_AXES];
	size_t n;
	struct combination *excluded;
	size_t n_excluded;
};

static bool
is_axis_name(const char *s)
{
	size_t i;

	for (i = 0; s[i] != '\0'; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '_')
			return false;
	return i > 0 && i < 64 && !isdigit((unsigned char)s[0]);
}

static void
load_value(struct check *c, const struct jval *v, struct strvec *values)
{
	char *text = value_text(v);

	if (text == NULL)
		check_fault(c, "a string, a number or a boolean is expected, "
		    "not %s", jval_type_name(jval_type(v)));
	else if (!is_good_name(text))
		check_fault(c, "not a usable value of an axis");
	else if (strvec_find(values, text) >= 0)
		check_fault(c, "\"%s\" is there twice", text);
	else
		strvec_push(values, text);
	free(text);
}

static void
load_axis(struct matrix *m, const char *name, const struct jval *v)
{
	struct check *c = &m->l->c;
	struct axis *axis = &m->axes[m->n];
	size_t i, mark, n = jval_count(v);

	if (!is_axis_name(name))
		check_fault(c, "not a usable name of an axis (letters, digits "
		    "and _)");
	for (i = 0; i < m->n; i++)
		if (strcasecmp(m->axes[i].name, name) == 0)
			check_fault(c, "differs from axis \"%s\" in capitals "
			    "only", m->axes[i].name);
	axis->name = name;
	m->n++;
	if (jval_type(v) != JVAL_ARRAY)
		check_fault(c, "a list is expected, not %s",
		    jval_type_name(jval_type(v)));
	else if (n == 0)
		check_fault(c, "the list is empty");
	else if (n > MAX_COMBINATIONS)
		check_fault(c, "more than %d values", MAX_COMBINATIONS);
	for (i = 0; i < n && n <= MAX_COMBINATIONS; i++) {
		mark = check_index(c, i);
		load_value(c, jval_at(v, i), &axis->values);
		check_back(c, mark);
	}
}

static void
load_axes(struct matrix *m, const struct jval *v)
{
	struct check *c = &m->l->c;
	size_t i, inner, product = 1, n = jval_count(v);
	size_t mark = check_key(c, "matrix");

	if (n == 0)
		check_fault(c, "the matrix has no axis");
	if (n > MAX_AXES)
		check_fault(c, "more than %d axes", MAX_AXES);
	for (i = 0; i < n && n <= MAX_AXES; i++) {
		inner = check_key(c, jval_key_at(v, i));
		load_axis(m, jval_key_at(v, i), jval_value_at(v, i));
		check_back(c, inner);
		if (product <= MAX_COMBINATIONS)
			product *= m->axes[i].values.n;
	}
	if (product > MAX_COMBINATIONS)
		check_fault(c, "more than %d combinations", MAX_COMBINATIONS);
	check_back(c, mark);
}

/* ---- what is excluded ---- */

static struct axis *
find_axis(struct matrix *m, const char *name, size_t *ret)
{
	const char *names[MAX_AXES + 1] = { NULL };
	struct diag *d;
	size_t i;

	for (i = 0; i < m->n; i++) {
		names[i] = m->axes[i].name;
		if (strcmp(names[i], name) == 0) {
			*ret = i;
			return &m->axes[i];
		}
	}
	d = check_fault(&m->l->c, "the matrix has no axis \"%s\"", name);
	check_did_you_mean(d, text_nearest(name, names, 2));
	return NULL;
}

static void
exclude_value(struct matrix *m, const char *name, const struct jval *v,
    struct combination *ret)
{
	char *text = value_text(v);
	struct axis *axis;
	struct diag *d;
	size_t at;
	long i;

	axis = find_axis(m, name, &at);
	if (axis == NULL)
		goto out;
	i = text != NULL ? strvec_find(&axis->values, text) : -1;
	if (i >= 0) {
		ret->at[at] = (size_t)i;
		goto out;
	}
	d = check_fault(&m->l->c, "not a value of axis \"%s\"", name);
	if (text != NULL)
		check_did_you_mean(d, text_nearest(text,
		    (const char *const *)strvec_argv(&axis->values), 2));
out:
	free(text);
}

static void
load_exclusion(struct matrix *m, const struct jval *v)
{
	struct combination *e = &m->excluded[m->n_excluded];
	struct check *c = &m->l->c;
	size_t i, mark;

	if (!check_is_object(c, v, "an object"))
		return;
	if (jval_count(v) == 0)
		check_fault(c, "names no axis");
	m->n_excluded++;
	for (i = 0; i < MAX_AXES; i++)
		e->at[i] = ANY;
	for (i = 0; i < jval_count(v); i++) {
		mark = check_key(c, jval_key_at(v, i));
		exclude_value(m, jval_key_at(v, i), jval_value_at(v, i), e);
		check_back(c, mark);
	}
}

static void
load_exclusions(struct matrix *m, const struct jval *v)
{
	size_t i, inner, n = jval_count(v);
	size_t mark = check_key(&m->l->c, "exclude");

	if (n > MAX_COMBINATIONS) {
		check_fault(&m->l->c, "more than %d exclusions",
		    MAX_COMBINATIONS);
		n = 0;
	}
	m->excluded = mem_calloc(n, sizeof(*m->excluded));
	for (i = 0; i < n; i++) {
		inner = check_index(&m->l->c, i);
		load_exclusion(m, jval_at(v, i));
		check_back(&m->l->c, inner);
	}
	check_back(&m->l->c, mark);
}

static bool
is_excluded(const struct matrix *m, const struct combination *c)
{
	const struct combination *e;
	size_t i, k;

	for (i = 0; i < m->n_excluded; i++) {
		e = &m->excluded[i];
		for (k = 0; k < m->n; k++)
			if (e->at[k] != ANY && e->at[k] != c->at[k])
				break;
		if (k == m->n)
			return true;
	}
	return false;
}

/* ---- the product ---- */

static const char *
value_of(const struct matrix *m, const struct combination *c, size_t axis)
{
	return m->axes[axis].values.v[c->at[axis]];
}

/* Counts up, the last axis fastest. False at the end. */
static bool
next(const struct matrix *m, struct combination *c)
{
	size_t i = m->n;

	while (i-- > 0) {
		if (++c->at[i] < m->axes[i].values.n)
			return true;
		c->at[i] = 0;
	}
	return false;
}

/* The target of a combination, or PLAN_NONE after a fault. */
static uint32_t
add_target(struct matrix *m, const struct combination *c)
{
	struct strvec axes = STRVEC_INIT;
	struct plan_target *t;
	struct buf name = BUF_INIT;
	uint32_t index = PLAN_NONE;
	size_t i;

	for (i = 0; i < m->n; i++) {
		buf_putf(&name, "%s%s", i > 0 ? "-" : "", value_of(m, c, i));
		strvec_push_owned(&axes, str_fmt("%s=%s", m->axes[i].name,
		    value_of(m, c, i)));
	}
	if (!is_good_name(buf_str(&name))) {
		check_fault(&m->l->c, "the name %.40s... of a target is "
		    "longer than 255 bytes", buf_str(&name));
		goto out;
	}
	index = plan_target_index(m->l->p, buf_str(&name));
	t = &m->l->p->targets[index];
	if (t->axes.n == 0)
		strvec_push_all(&t->axes, &axes);
	else if (!strvec_equal(&t->axes, &axes)) {
		check_fault(&m->l->c, "two combinations are named \"%s\"",
		    t->name);
		index = PLAN_NONE;
	}
out:
	strvec_done(&axes);
	buf_done(&name);
	return index;
}

static void
add_targets(struct matrix *m, struct plan_props *props)
{
	uint32_t n = 0, *list, index = 0;
	struct combination c = { .at = { 0 } };

	list = mem_calloc(MAX_COMBINATIONS, sizeof(*list));
	do {
		if (is_excluded(m, &c))
			continue;
		index = add_target(m, &c);
		if (index != PLAN_NONE)
			list[n++] = index;
	} while (index != PLAN_NONE && next(m, &c));
	if (n == 0 && index != PLAN_NONE)
		check_fault(&m->l->c, "every combination is excluded");
	props->targets = plan_own_copy(m->l->p, list, n, sizeof(*list));
	props->n_targets = n;
	free(list);
}

void
load_matrix(struct loader *l, const struct jval *v, struct plan_props *props)
{
	struct matrix m = { .l = l };
	size_t i, errors = l->c.ds->errors;

	check_object(&l->c, v, AT_MATRIX);
	if (jval_get(v, "matrix") == NULL &&
	    !check_misspelt(v, "matrix", AT_MATRIX))
		check_fault(&l->c, "no targets: \"matrix\" is missing");
	if (l->c.ds->errors == errors)
		load_axes(&m, check_get(v, "matrix", AT_MATRIX));
	if (l->c.ds->errors == errors)
		load_exclusions(&m, check_get(v, "exclude", AT_MATRIX));
	if (l->c.ds->errors == errors)
		add_targets(&m, props);
	for (i = 0; i < m.n; i++)
		strvec_done(&m.axes[i].values);
	free(m.excluded);
}
