/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Loading what is inherited. Plain values go straight from the key table to
 * their member; the others each have a function.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "plan/data.h"
#include "plan/load.h"
#include "plan/subst.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"

/* The object at hand, while its values are set. */
struct setting {
	struct loader *l;
	unsigned at;
	struct plan_props *props;
	const struct strvec **ret_env;
};

static void
store(struct plan_props *props, const struct key *k, const struct jval *v)
{
	char *member = (char *)props + k->offset;

	switch (k->form) {
	case FORM_BOOL:
		*(bool *)member = jval_bool(v, false);
		break;
	case FORM_DURATION:
		*(int64_t *)member = value_duration_us(v);
		break;
	case FORM_CHOICE:
		*(int *)member = value_choice(v, k);
		break;
	default:	/* FORM_INT, signed or not: 32 bits either way */
		*(int32_t *)member = (int32_t)jval_int(v, 0);
	}
}

static void
set_agents(struct setting *s, const struct jval *v)
{
	struct strvec terms = STRVEC_INIT;
	struct plan_agents *a;
	char *error = NULL;
	size_t bad = 0, mark;

	value_strings(v, &terms);
	if (plan_agents_index(s->l->p, &terms, &s->props->agents, &error,
	    &bad) < 0) {
		mark = check_index(&s->l->c, bad);
		check_fault(&s->l->c, "\"%s\" is not a selector: %s",
		    bad < terms.n ? terms.v[bad] : "", error);
		check_back(&s->l->c, mark);
		free(error);
	} else {
		a = &s->l->p->agents[s->props->agents];
		if (a->path == NULL) {
			a->path = str_dup(buf_str(&s->l->c.path));
			a->doc = s->l->c.doc;
		}
	}
	strvec_done(&terms);
}

/* Faults that need no more than the plan's parameters. */
static void
check_piece(struct loader *l, const struct piece *piece)
{
	int n = (int)piece->len;
	const char *near;

	if (piece->kind == PH_UNKNOWN) {
		near = subst_near(piece);
		if (near != NULL)
			diag_set_hint(check_fault(&l->c, "unknown placeholder "
			    "%.*s", n, piece->text), "did you mean {%s}?",
			    near);
		return;
	}
	if (piece->kind == PH_WORKER)
		diag_set_hint(check_fault(&l->c, "%.*s is not supported in "
		    "commands", n, piece->text), "YARDMASTER_WORKER is in the "
		    "environment");
	else if (piece->part != NULL && piece->kind != PH_ROW &&
	    piece->kind != PH_PARAM && piece->kind != PH_TARGET &&
	    piece->kind != PH_SHARD)
		check_fault(&l->c, "%.*s: {%s} has no parts", n, piece->text,
		    piece->name);
	else if (piece->part == NULL && piece->kind == PH_PARAM)
		check_fault(&l->c, "{param} needs a name, as {param.NAME}");
	else if (piece->kind == PH_SHARD && !piece_part_is(piece, "index") &&
	    !piece_part_is(piece, "total"))
		check_fault(&l->c, "%.*s: there are {shard.index} and "
		    "{shard.total}", n, piece->text);
}

/* {param.NAME} of a parameter that was declared. */
static void
check_param(struct loader *l, const struct piece *piece)
{
	const struct strvec *params = &l->p->params;
	struct strvec names = STRVEC_INIT;
	struct diag *d;
	char *name;
	size_t i;

	if (piece->kind != PH_PARAM || piece->part == NULL)
		return;
	name = str_ndup(piece->part, piece->part_len);
	for (i = 0; i < params->n; i++)
		strvec_push_owned(&names, str_ndup(params->v[i],
		    strcspn(params->v[i], "=")));
	if (strvec_find(&names, name) < 0) {
		d = check_fault(&l->c, "no parameter \"%s\" in params", name);
		check_did_you_mean(d, text_nearest(name,
		    (const char *const *)strvec_argv(&names), 2));
	}
	strvec_done(&names);
	free(name);
}

void
load_argument(struct loader *l, const char *text)
{
	struct piece piece;

	while (subst_next(&text, &piece)) {
		if (piece.literal)
			continue;
		check_piece(l, &piece);
		check_param(l, &piece);
	}
}

static void
set_command(struct setting *s, const struct jval *v)
{
	struct strvec *list = plan_own_list(s->l->p);
	size_t i, mark;

	value_strings(v, list);
	for (i = 0; i < list->n; i++) {
		mark = check_index(&s->l->c, i);
		load_argument(s->l, list->v[i]);
		check_back(&s->l->c, mark);
	}
	s->props->command = list;
	s->props->shell = NULL;
}

/* Shells have braces of their own, so a placeholder there is only probably
 * a mistake. */
static void
check_shell(struct loader *l, const char *text)
{
	const char *p = text;
	struct piece piece;

	while (subst_next(&p, &piece)) {
		if (piece.literal || piece.kind == PH_UNKNOWN ||
		    (piece.text > text && piece.text[-1] == '$'))
			continue;
		diag_set_hint(check_warn(&l->c, "%.*s is not replaced in "
		    "shell", (int)piece.len, piece.text),
		    "values are in the environment, as $YARDMASTER_TEST");
		return;
	}
}

static void
set_shell(struct setting *s, const struct jval *v)
{
	s->props->shell = plan_own(s->l->p, str_dup(jval_str(v, "")), free);
	s->props->command = NULL;
	check_shell(s->l, s->props->shell);
}

static void
set_env(struct setting *s, const struct jval *v)
{
	struct strvec *list = plan_own_list(s->l->p);

	if (s->ret_env == NULL && s->props->env != NULL)
		strvec_push_all(list, s->props->env);
	value_env(v, list);
	if (s->ret_env != NULL)
		*s->ret_env = list;
	else
		s->props->env = list;
}

static void
set_targets(struct setting *s, const struct jval *v)
{
	size_t errors = s->l->c.ds->errors;

	load_targets(s->l, v, s->props);
	if (s->l->c.ds->errors > errors)
		s->l->bad_targets = true;
}

static void
set_locks(struct setting *s, const struct jval *v)
{
	if (s->at != AT_PLAN)
		load_locks(s->l, v, s->props);
}

static void
set_exits(struct setting *s, const struct jval *v)
{
	load_exits(s->l, v, s->props);
}

/* Limits add up: what the nearest does not say counts from further out. */
static void
set_limits(struct setting *s, const struct jval *v)
{
	struct manner *m = &s->props->manner;
	const struct jval *one;
	const struct key *k;
	int i;

	check_object(&s->l->c, v, AT_LIMITS);
	for (i = 0; i < LIMITS; i++) {
		k = key_find(limit_name((enum limit)i), AT_LIMITS);
		if ((one = check_get(v, k->name, AT_LIMITS)) == NULL)
			continue;
		m->limited |= 1u << i;
		if (k->form == FORM_SIZE)
			m->limit[i] = (uint64_t)value_size(one);
		else if (k->form == FORM_DURATION)
			m->limit[i] = (uint64_t)((value_duration_us(one) +
			    US_PER_S - 1) / US_PER_S);
		else
			m->limit[i] = (uint64_t)jval_int(one, 0);
	}
}

static void
set_data(struct setting *s, const struct jval *v)
{
	struct plan_data *d = data_load(&s->l->c, v, s->l->dir);

	if (d != NULL)
		s->props->data = plan_own(s->l->p, d, plan_data_free);
	else
		s->l->bad_data = true;
}

static void
set_results(struct setting *s, const struct jval *v)
{
	load_results(s->l, v, s->props);
}

static void
set_secrets(struct setting *s, const struct jval *v)
{
	load_secrets(s->l, v, s->props);
}

static void
set_secret_columns(struct setting *s, const struct jval *v)
{
	struct strvec *list = plan_own_list(s->l->p);

	value_strings(v, list);
	s->props->secret_columns = list;
}

static void
set_schedule(struct setting *s, const struct jval *v)
{
	s->props->schedule = load_schedule(s->l, v);
}

static void
set_setup(struct setting *s, const struct jval *v)
{
	s->props->setup = load_once(s->l, v);
}

static void
set_teardown(struct setting *s, const struct jval *v)
{
	s->props->teardown = load_once(s->l, v);
}

static void
set_workspace(struct setting *s, const struct jval *v)
{
	s->props->workspace = load_workspace(s->l, v);
}

static void
set_artifacts(struct setting *s, const struct jval *v)
{
	s->props->artifacts = load_artifacts(s->l, v);
}

static void
set_artifacts_max(struct setting *s, const struct jval *v)
{
	s->props->artifacts_max = value_size(v);
}

static const struct {
	const char *name;
	void (*set)(struct setting *s, const struct jval *v);
} setters[] = {
	{ "agents", set_agents },
	{ "artifacts", set_artifacts },
	{ "artifacts_max", set_artifacts_max },
	{ "command", set_command },
	{ "data", set_data },
	{ "env", set_env },
	{ "exit_codes", set_exits },
	{ "limits", set_limits },
	{ "locks", set_locks },
	{ "results", set_results },
	{ "schedule", set_schedule },
	{ "secret_columns", set_secret_columns },
	{ "secrets", set_secrets },
	{ "setup", set_setup },
	{ "shell", set_shell },
	{ "targets", set_targets },
	{ "teardown", set_teardown },
	{ "workspace", set_workspace },
};

#define N_SETTERS (sizeof(setters) / sizeof(setters[0]))

static size_t
setter_find(const char *name)
{
	size_t i = 0;

	while (i < N_SETTERS && strcmp(setters[i].name, name) != 0)
		i++;
	return i;
}

static bool
is_inherited(const char *name, unsigned at)
{
	const struct key *k = key_find(name, at);

	return k != NULL &&
	    (k->offset != KEY_NO_OFFSET || setter_find(name) < N_SETTERS);
}

static void
set_member(struct setting *s, const char *name, const struct jval *v)
{
	const struct key *k = key_find(name, s->at);
	size_t i = setter_find(name), mark;

	if (k->offset != KEY_NO_OFFSET) {
		store(s->props, k, v);
		return;
	}
	mark = check_key(&s->l->c, name);
	setters[i].set(s, v);
	check_back(&s->l->c, mark);
}

/* A key that is misspelt or whose value has a wrong form is not missing. */
static void
note_faulty(struct loader *l, const char *name, unsigned at)
{
	const char *meant = name;

	if (key_find(name, at) == NULL &&
	    (meant = key_nearest(name, at)) == NULL)
		return;
	if (strcmp(meant, "command") == 0 || strcmp(meant, "shell") == 0)
		l->bad_command = true;
	else if (strcmp(meant, "data") == 0)
		l->bad_data = true;
	else if (strcmp(meant, "targets") == 0)
		l->bad_targets = true;
	else if (strcmp(meant, "shards") == 0)
		l->bad_shards = true;
	else if (strcmp(meant, "results") == 0)
		l->bad_results = true;
}

const struct plan_props *
load_props(struct loader *l, const struct jval *obj, unsigned at,
    const struct plan_props *base, const struct strvec **ret_env)
{
	struct setting s = { .l = l, .at = at, .ret_env = ret_env };
	size_t i, n = jval_count(obj);
	const struct jval *v;
	const char *name;

	for (i = 0; i < n; i++) {
		name = jval_key_at(obj, i);
		v = check_get(obj, name, at);
		if (v == NULL)
			note_faulty(l, name, at);
		if (v == NULL || !is_inherited(name, at))
			continue;
		if (s.props == NULL)
			s.props = plan_own_props(l->p, base);
		set_member(&s, name, v);
	}
	if (check_get(obj, "command", at) != NULL &&
	    check_get(obj, "shell", at) != NULL)
		check_fault(&l->c, "command and shell at once; give one");
	if (s.props == NULL)
		return base;
	/* What is left out stays out with all that is in it. */
	s.props->enabled = s.props->enabled && base->enabled;
	return s.props;
}
