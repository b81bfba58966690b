/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Amendments: one value of a plan that runs is changed. What a key means is a
 * row of a table; each gives the value that it replaces.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plan/expand.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"

#define NUMBER_MAX 1000000

/* One amendment under way; name is what follows the colon, or "". */
struct amend {
	struct plan *p;
	const char *name, *value;
	char *old, *error;
	uint32_t one;		/* the only execution that it changes; 0: any */
};

static int
refuse(struct amend *a, int code, char *text)
{
	a->error = text;
	return code;
}

static int
number(struct amend *a, uint32_t *at)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(a->value, &end, 10);
	if (a->value[0] < '0' || a->value[0] > '9' || *end != '\0' ||
	    errno != 0 || n > NUMBER_MAX)
		return refuse(a, ERR_INVALID, str_fmt("%s: a number from 0 "
		    "to %d is expected", a->value, NUMBER_MAX));
	a->old = str_fmt("%u", *at);
	*at = (uint32_t)n;
	return 0;
}

static int
find(struct amend *a, const char *name, struct plan_ref *ret)
{
	int r = plan_find(a->p, name, ret);

	if (r == ERR_EXISTS)
		return refuse(a, ERR_INVALID, str_fmt("%s: several tests have "
		    "that name; say suite/test", name));
	return r == 0 ? 0 : refuse(a, ERR_NOT_FOUND,
	    str_fmt("%s: no such suite or test", name));
}

static int
amend_parallel(struct amend *a)
{
	struct plan_ref ref;
	int r;

	if (*a->name == '\0')
		return number(a, &a->p->max_parallel);
	if ((r = find(a, a->name, &ref)) < 0)
		return r;
	if (ref.is_test)
		return refuse(a, ERR_INVALID, str_fmt("%s is a test; only "
		    "suites have max_parallel", a->name));
	return number(a, &a->p->suites[ref.index].max_parallel);
}

static int
amend_failures(struct amend *a)
{
	return number(a, &a->p->max_failures);
}

static int
amend_deadline(struct amend *a)
{
	char text[DURATION_TEXT];
	int64_t us, was = a->p->deadline_us;

	if (duration_parse(a->value, &us) < 0)
		return refuse(a, ERR_INVALID, str_fmt("%s: a time from the "
		    "launch, such as 20m, is expected (0: none)", a->value));
	a->old = str_dup(was == 0 ? "0" : duration_format(was, text));
	if (duration_parse(a->old, &a->p->deadline_us) < 0 ||
	    a->p->deadline_us != was) {
		free(a->old);
		a->old = str_fmt("%lldms", (long long)(was / US_PER_MS));
	}
	a->p->deadline_us = us;
	return 0;
}

static struct plan_target *
target(struct amend *a)
{
	uint32_t i = plan_target_find(a->p, a->name);

	if (i == PLAN_NONE)
		a->error = str_fmt("%s: no such target", a->name);
	return i == PLAN_NONE ? NULL : &a->p->targets[i];
}

static int
amend_max(struct amend *a)
{
	struct plan_target *t = target(a);

	return t == NULL ? ERR_NOT_FOUND : number(a, &t->max);
}

static int
amend_max_per_agent(struct amend *a)
{
	struct plan_target *t = target(a);

	return t == NULL ? ERR_NOT_FOUND : number(a, &t->max_per_agent);
}

static int
amend_lock(struct amend *a)
{
	uint32_t i;

	for (i = 0; i < a->p->n_locks; i++)
		if (strcmp(a->p->locks[i].name, a->name) == 0)
			return number(a, &a->p->locks[i].capacity);
	return refuse(a, ERR_NOT_FOUND, str_fmt("%s: no such lock", a->name));
}

static bool
same_ref(const struct plan_ref *a, const struct plan_ref *b)
{
	return a->is_test == b->is_test && a->index == b->index;
}

static int
amend_exclusive(struct amend *a)
{
	const char *comma = strchr(a->name, ',');
	char *first = str_ndup(a->name, strcspn(a->name, ","));
	bool off = strcmp(a->value, "off") == 0;
	struct plan_ref x, y;
	struct plan_pair *p;
	uint32_t i;
	int r;

	r = find(a, first, &x);
	if (r == 0)
		r = find(a, comma != NULL ? comma + 1 : first, &y);
	free(first);
	if (r < 0)
		return r;
	if (!off && strcmp(a->value, "on") != 0)
		return refuse(a, ERR_INVALID, str_fmt("%s: on or off is "
		    "expected", a->value));
	for (i = 0; i < a->p->n_pairs; i++) {
		p = &a->p->pairs[i];
		if (!(same_ref(&p->a, &x) && same_ref(&p->b, &y)) &&
		    !(same_ref(&p->a, &y) && same_ref(&p->b, &x)))
			continue;
		a->old = str_dup(p->off ? "off" : "on");
		p->off = off;
		return 0;
	}
	return refuse(a, ERR_NOT_FOUND, str_fmt("%s: the plan has no such "
	    "pair in exclusive", a->name));
}

/* ---- agents ---- */

static char *
join_terms(const struct strvec *v)
{
	struct buf b = BUF_INIT;
	size_t i;

	for (i = 0; i < v->n; i++)
		buf_putf(&b, "%s%s", i > 0 ? "," : "", v->v[i]);
	return buf_steal(&b);
}

/* Takes the entry of ref out; what it said is the old value. */
static void
agents_drop(struct amend *a, const struct plan_ref *ref)
{
	struct plan_private *v = a->p->priv;
	size_t i;

	for (i = 0; i < v->n_amended && !same_ref(&v->amended[i].ref, ref);
	    i++)
		;
	if (i == v->n_amended) {
		a->old = str_dup("");
		return;
	}
	a->old = join_terms(&a->p->agents[v->amended[i].agents].terms);
	memmove(&v->amended[i], &v->amended[i + 1],
	    (--v->n_amended - i) * sizeof(*v->amended));
}

void
plan_amended_add(struct plan *p, const struct amended *a)
{
	struct plan_private *v = p->priv;

	v->amended = mem_grow(v->amended, &v->cap_amended, v->n_amended + 1,
	    sizeof(*v->amended));
	v->amended[v->n_amended++] = *a;
}

static int
amend_agents(struct amend *a)
{
	struct strvec terms = STRVEC_INIT;
	uint32_t index = PLAN_NONE;
	struct plan_ref ref;
	char *error = NULL;
	size_t bad;
	int r;

	if ((r = find(a, a->name, &ref)) < 0)
		return r;
	strvec_push_list(&terms, a->value);
	if (terms.n > 0 && plan_agents_index(a->p, &terms, &index, &error,
	    &bad) < 0)
		r = refuse(a, ERR_INVALID, str_fmt("%s: %s", a->value,
		    error != NULL ? error : "no list of agents"));
	free(error);
	strvec_done(&terms);
	if (r < 0)
		return r;
	agents_drop(a, &ref);
	if (index != PLAN_NONE)
		plan_amended_add(a->p, &(struct amended){ ref, index });
	return 0;
}

/* ---- the target of what one execution runs ---- */

static uint32_t *
planned(struct plan *p)
{
	uint32_t i;

	if (p->priv->planned == NULL) {
		p->priv->planned = mem_calloc(p->n_steps,
		    sizeof(*p->priv->planned));
		for (i = 0; i < p->n_steps; i++)
			p->priv->planned[i] = p->steps[i].target;
	}
	return p->priv->planned;
}

/* "N" or "N,OLD": its number, and the target by the plan. */
static int
read_exec(struct amend *a, uint32_t *ret_no, uint32_t *ret_old)
{
	const struct plan *p = a->p;
	const struct plan_exec *x;
	const uint32_t *was = planned(a->p);
	unsigned long no;
	char *end;
	uint32_t i;

	no = strtoul(a->name, &end, 10);
	if (a->name[0] < '1' || a->name[0] > '9' || no > p->n_execs ||
	    (*end != '\0' && *end != ','))
		return refuse(a, ERR_NOT_FOUND, str_fmt("%s: no such "
		    "execution", a->name));
	x = &p->execs[no - 1];
	*ret_no = (uint32_t)no;
	*ret_old = *end == ',' ? plan_target_find(p, end + 1) :
	    was[x->first_step];
	for (i = 0; *end == '\0' && i < x->n_steps; i++)
		if (was[x->first_step + i] != *ret_old)
			return refuse(a, ERR_INVALID, str_fmt("%s has several "
			    "targets: say which, as target:%lu,OLD", a->name,
			    no));
	return 0;
}

static bool
is_same(const struct plan_step *a, const struct plan_step *b, uint32_t target)
{
	return a->test == b->test && a->row == b->row && a->target == target;
}

/* Some other step is the same test and row on that target: by the plan, or as
 * two targets were made one. Those of a test are near each other. */
static bool
is_twice(const struct plan *p, uint32_t at, uint32_t target)
{
	const struct plan_step *s = &p->steps[at];
	const struct plan_props *props = p->tests[s->test].props;
	uint32_t i;

	for (i = 0; i < props->n_targets && props->targets[i] != target; i++)
		;
	if (i == props->n_targets && !p->priv->joined)
		return false;
	for (i = 1; i <= at || i < p->n_steps - at; i++)
		if ((i <= at && is_same(s - i, s, target)) ||
		    (i < p->n_steps - at && is_same(s + i, s, target)))
			return true;
	return false;
}

/* Whether more than one target became another: then it is to be looked. */
static void
note_moved(struct plan_private *v, uint32_t old, uint32_t to)
{
	v->joined = v->joined || (v->moved && (v->moved_from != old ||
	    v->moved_to != to));
	v->moved = true;
	v->moved_from = old;
	v->moved_to = to;
}

static int
amend_target(struct amend *a)
{
	struct plan *p = a->p;
	uint32_t no, old, to, i, first, n = 0;
	struct plan_step *s;
	int r;

	if ((r = read_exec(a, &no, &old)) < 0)
		return r;
	if (old == PLAN_NONE)
		return refuse(a, ERR_NOT_FOUND, str_fmt("%s: it has no such "
		    "target", a->name));
	if (!is_good_name(a->value))
		return refuse(a, ERR_INVALID, str_fmt("\"%s\" is not a usable "
		    "name of a target", a->value));
	a->one = no;
	first = p->execs[no - 1].first_step;
	to = plan_target_index(p, a->value);
	note_moved(p->priv, old, to);
	for (i = 0; i < p->execs[no - 1].n_steps; i++) {
		s = &p->steps[first + i];
		if (p->priv->planned[first + i] == old && s->target != to &&
		    is_twice(p, first + i, to))
			return refuse(a, ERR_INVALID, str_fmt("%s runs it on "
			    "%s already", a->name, a->value));
	}
	for (i = 0; i < p->execs[no - 1].n_steps; i++) {
		s = &p->steps[first + i];
		if (p->priv->planned[first + i] != old)
			continue;
		if (n++ == 0)
			a->old = str_dup(p->targets[s->target].name);
		s->target = to;
	}
	if (n == 0)
		return refuse(a, ERR_NOT_FOUND, str_fmt("%s: it has no such "
		    "target", a->name));
	return 0;
}

/* ---- the table ---- */

static const struct {
	const char *key;
	int named;		/* a name follows: 1; may: 0; must not: -1 */
	int (*fn)(struct amend *a);
} keys[] = {
	{ "max_parallel", 0, amend_parallel },
	{ "max_failures", -1, amend_failures },
	{ "deadline", -1, amend_deadline },
	{ "agents", 1, amend_agents },
	{ "max", 1, amend_max },
	{ "max_per_agent", 1, amend_max_per_agent },
	{ "lock", 1, amend_lock },
	{ "exclusive", 1, amend_exclusive },
	{ "target", 1, amend_target },
};

/* The same executions, by what the plan says now. */
static void
terms_again(struct plan *p)
{
	struct terms_maker *m = terms_maker_new(p);
	uint32_t i;

	p->n_terms = 0;
	for (i = 0; i < p->n_execs; i++)
		p->execs[i].terms = terms_make(m, &p->execs[i]);
	terms_maker_free(m);
}

/* What was made for others stays theirs. */
static void
terms_of_one(struct plan *p, uint32_t no)
{
	struct terms_maker *m = terms_maker_new(p);

	p->execs[no - 1].terms = terms_make(m, &p->execs[no - 1]);
	terms_maker_free(m);
}

uint32_t *
plan_step_targets(const struct plan *p)
{
	uint32_t *v = mem_calloc(p->n_steps, sizeof(*v)), i;

	for (i = 0; i < p->n_steps; i++)
		v[i] = p->steps[i].target;
	return v;
}

void
plan_retarget(struct plan *p, const uint32_t *targets)
{
	const uint32_t *was = planned(p);
	uint32_t i;

	for (i = 0; i < p->n_steps; i++) {
		if (targets[i] == was[i])
			continue;
		note_moved(p->priv, was[i], targets[i]);
		p->steps[i].target = targets[i];
	}
	terms_again(p);
}

int
plan_amend(struct plan *p, const char *key, const char *value,
    char **ret_old, char **ret_error)
{
	size_t n = strcspn(key, ":"), i;
	struct amend a = { .p = p, .value = value };
	int r;

	a.name = key[n] == ':' ? key + n + 1 : "";
	for (i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (strlen(keys[i].key) == n &&
		    strncmp(keys[i].key, key, n) == 0)
			break;
	if (i == sizeof(keys) / sizeof(*keys) ||
	    (keys[i].named == 1 && *a.name == '\0') ||
	    (keys[i].named == -1 && key[n] != '\0'))
		r = refuse(&a, ERR_INVALID, str_fmt("%s: not a key that can "
		    "be amended (max_parallel, max_parallel:SUITE, "
		    "max_failures, deadline, agents:SUITE or TEST, max:TARGET, "
		    "max_per_agent:TARGET, lock:NAME, exclusive:A,B, "
		    "target:SUITE or TEST,OLD)", key));
	else
		r = keys[i].fn(&a);
	if (r < 0) {
		free(a.old);
		*ret_error = a.error;
		return r;
	}
	if (a.one > 0)
		terms_of_one(p, a.one);
	else
		terms_again(p);
	*ret_old = a.old;
	return 0;
}
