/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Loading targets, locks and exit codes. */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "plan/load.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"

static void
define_target(struct loader *l, const struct jval *v, uint32_t index)
{
	struct plan_target *t = &l->p->targets[index];
	const struct jval *instances, *env;

	if (l->p->priv->target_defined[index]) {
		check_fault(&l->c, "target \"%s\" is defined twice", t->name);
		return;
	}
	l->p->priv->target_defined[index] = true;
	t->max_per_agent = (uint32_t)jval_int(check_get(v, "max_per_agent",
	    AT_TARGET), 0);
	t->max = (uint32_t)jval_int(check_get(v, "max", AT_TARGET), 0);
	instances = check_get(v, "instances", AT_TARGET);
	value_strings(instances, &t->instances);
	env = check_get(v, "env", AT_TARGET);
	value_env(env, &t->env);
	if (instances != NULL && t->instances.n == 0)
		check_fault_at(&l->c, "instances", "the list is empty");
}

static void
check_instances(struct loader *l, const struct jval *v)
{
	const struct jval *list = check_get(v, "instances", AT_TARGET);
	struct strvec seen = STRVEC_INIT;
	size_t i, mark, inner;

	mark = check_key(&l->c, "instances");
	value_strings(list, &seen);
	for (i = 0; i < seen.n; i++) {
		inner = check_index(&l->c, i);
		if (!is_good_name(seen.v[i]))
			check_fault(&l->c, "not a usable name");
		else if ((size_t)strvec_find(&seen, seen.v[i]) != i)
			check_fault(&l->c, "instance \"%s\" is there twice",
			    seen.v[i]);
		check_back(&l->c, inner);
	}
	strvec_done(&seen);
	check_back(&l->c, mark);
}

/* One element of targets: a name, or an object that defines one. */
static uint32_t
load_target(struct loader *l, const struct jval *v)
{
	const char *name = jval_str(v, NULL);
	uint32_t index;

	if (jval_type(v) == JVAL_OBJECT) {
		check_object(&l->c, v, AT_TARGET);
		name = jval_str(check_get(v, "name", AT_TARGET), NULL);
		if (name == NULL) {
			if (jval_get(v, "name") == NULL)
				check_fault(&l->c, "a target needs a name");
			return PLAN_NONE;
		}
	} else if (name == NULL) {
		check_fault(&l->c, "a name or an object is expected, not %s",
		    jval_type_name(jval_type(v)));
		return PLAN_NONE;
	}
	if (!is_good_name(name)) {
		check_fault(&l->c, "not a usable name of a target");
		return PLAN_NONE;
	}
	index = plan_target_index(l->p, name);
	if (jval_type(v) == JVAL_OBJECT) {
		check_instances(l, v);
		define_target(l, v, index);
	}
	return index;
}

static bool
has_index(const uint32_t *v, uint32_t n, uint32_t index)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (v[i] == index)
			return true;
	return false;
}

void
load_targets(struct loader *l, const struct jval *v, struct plan_props *props)
{
	uint32_t i, n = 0, count = (uint32_t)jval_count(v), *list, index;
	size_t mark, errors;

	if (jval_type(v) == JVAL_OBJECT) {
		load_matrix(l, v, props);
		return;
	}
	list = mem_calloc(count, sizeof(*list));
	for (i = 0; i < count; i++) {
		mark = check_index(&l->c, i);
		errors = l->c.ds->errors;
		index = load_target(l, jval_at(v, i));
		if (index != PLAN_NONE && !has_index(list, n, index))
			list[n++] = index;
		else if (l->c.ds->errors == errors)
			check_fault(&l->c, "target \"%s\" is there twice",
			    l->p->targets[index].name);
		check_back(&l->c, mark);
	}
	props->targets = plan_own_copy(l->p, list, n, sizeof(*list));
	props->n_targets = n;
	free(list);
}

static bool
is_lock_name(const char *s)
{
	return is_good_name(s) && strpbrk(s, ": \t") == NULL;
}

void
load_lock_table(struct loader *l, const struct jval *v)
{
	size_t i, mark, n = jval_count(v);
	const struct jval *value;
	const char *name;
	uint32_t index;

	for (i = 0; i < n; i++) {
		name = jval_key_at(v, i);
		value = jval_value_at(v, i);
		mark = check_key(&l->c, name);
		if (!is_lock_name(name))
			check_fault(&l->c, "not a usable name of a lock");
		else if (jval_type(value) != JVAL_INT)
			check_fault(&l->c, "a whole number is expected, not "
			    "%s", jval_type_name(jval_type(value)));
		else if (jval_int(value, 0) < 1 ||
		    jval_int(value, 0) > 1000000)
			check_fault(&l->c, "%" PRId64 " is not between 1 and "
			    "1000000", jval_int(value, 0));
		else {
			index = plan_lock_index(l->p, name);
			l->p->locks[index].capacity =
			    (uint32_t)jval_int(value, 1);
			l->p->priv->lock_declared[index] = true;
		}
		check_back(&l->c, mark);
	}
}

/* ":N" behind the name of a lock. */
static bool
parse_count(const char *s, uint32_t *ret)
{
	char *end;
	long n;

	if (*s < '1' || *s > '9')
		return false;
	n = strtol(s, &end, 10);
	if (*end != '\0' || n > 1000000)
		return false;
	*ret = (uint32_t)n;
	return true;
}

/* "name", "name:N" or "read:name". */
static bool
parse_hold(struct loader *l, const char *text, struct plan_hold *ret)
{
	struct plan_hold h = { .count = 1 };
	const char *colon;
	char *name;
	bool ok;

	if (strncmp(text, "read:", 5) == 0) {
		h.shared = true;
		text += 5;
	}
	colon = strchr(text, ':');
	name = colon != NULL ? str_ndup(text, (size_t)(colon - text)) :
	    str_dup(text);
	ok = is_lock_name(name) &&
	    (colon == NULL || (!h.shared && parse_count(colon + 1, &h.count)));
	if (ok) {
		h.lock = plan_lock_index(l->p, name);
		*ret = h;
	}
	free(name);
	return ok;
}

static void
check_hold(struct loader *l, const struct plan_hold *h)
{
	const struct plan_lock *lock = &l->p->locks[h->lock];
	const char **names, *near;
	struct diag *d;
	uint32_t i, n = 0;

	if (h->count > lock->capacity) {
		d = check_fault(&l->c, "takes %u of lock \"%s\", of which "
		    "there is %u", h->count, lock->name, lock->capacity);
		if (!l->p->priv->lock_declared[h->lock])
			diag_set_hint(d, "declare it: \"locks\": {\"%s\": %u}",
			    lock->name, h->count);
		return;
	}
	if (l->p->priv->lock_declared[h->lock])
		return;
	names = mem_calloc(l->p->n_locks + 1, sizeof(*names));
	for (i = 0; i < l->p->n_locks; i++)
		if (l->p->priv->lock_declared[i])
			names[n++] = l->p->locks[i].name;
	near = text_nearest(lock->name, names, 1);
	if (near != NULL)
		check_did_you_mean(check_warn(&l->c, "lock \"%s\" is not "
		    "declared", lock->name), near);
	free(names);
}

/* Adds h to the list; of one lock the larger part is taken. */
static void
add_hold(struct plan_hold *list, uint32_t *n, const struct plan_hold *h)
{
	uint32_t i;

	for (i = 0; i < *n && list[i].lock != h->lock; i++)
		;
	if (i == *n) {
		list[(*n)++] = *h;
		return;
	}
	if (h->count > list[i].count)
		list[i].count = h->count;
	list[i].shared = list[i].shared && h->shared;
}

static int
by_lock(const void *pa, const void *pb)
{
	const struct plan_hold *a = pa, *b = pb;

	return a->lock < b->lock ? -1 : a->lock > b->lock;
}

void
load_locks(struct loader *l, const struct jval *v, struct plan_props *props)
{
	uint32_t i, n = 0, count = (uint32_t)jval_count(v);
	struct plan_hold *list, h;
	size_t mark;

	list = mem_calloc(props->n_locks + count, sizeof(*list));
	for (i = 0; i < props->n_locks; i++)
		list[n++] = props->locks[i];
	for (i = 0; i < count; i++) {
		mark = check_index(&l->c, i);
		if (parse_hold(l, jval_str(jval_at(v, i), ""), &h)) {
			check_hold(l, &h);
			add_hold(list, &n, &h);
		} else
			diag_set_hint(check_fault(&l->c, "\"%s\" is not a "
			    "lock", jval_str(jval_at(v, i), "")),
			    "as name, name:2 or read:name");
		check_back(&l->c, mark);
	}
	if (n > 0)
		qsort(list, n, sizeof(*list), by_lock);
	props->locks = plan_own_copy(l->p, list, n, sizeof(*list));
	props->n_locks = n;
	free(list);
}

/* What an exit code may mean. */
static int
parse_meaning(const char *name)
{
	static const enum outcome allowed[] = { OUTCOME_PASSED,
		OUTCOME_FAILED, OUTCOME_SKIPPED, OUTCOME_ERROR };
	size_t i;

	for (i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if (strcmp(outcome_name(allowed[i]), name) == 0)
			return (int)allowed[i];
	return -1;
}

static void
load_exit(struct loader *l, const char *code, const struct jval *v,
    struct plan_exit *list, uint32_t *n)
{
	int meaning = parse_meaning(jval_str(v, ""));
	char *end;
	long no = strtol(code, &end, 10);

	if (*code < '0' || *code > '9' || *end != '\0' || no > 255)
		check_fault(&l->c, "\"%s\" is not an exit code from 0 to 255",
		    code);
	else if (meaning < 0)
		check_fault(&l->c, "an exit code means \"passed\", "
		    "\"failed\", \"skipped\" or \"error\"");
	else {
		list[*n].code = (uint8_t)no;
		list[(*n)++].outcome = (enum outcome)meaning;
	}
}

void
load_exits(struct loader *l, const struct jval *v, struct plan_props *props)
{
	uint32_t i, n = 0, count = (uint32_t)jval_count(v);
	struct plan_exit *list = mem_calloc(count, sizeof(*list));
	size_t mark;

	for (i = 0; i < count; i++) {
		mark = check_key(&l->c, jval_key_at(v, i));
		load_exit(l, jval_key_at(v, i), jval_value_at(v, i), list, &n);
		check_back(&l->c, mark);
	}
	props->exits = plan_own_copy(l->p, list, n, sizeof(*list));
	props->n_exits = n;
	free(list);
}
