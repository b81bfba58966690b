/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From an execution to the work of one attempt: commands with placeholders
 * replaced, and the environment, later wins: fleet, plan, suites (the work's),
 * target, test, ours (each step's).
 */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/data.h"
#include "plan/plan_private.h"
#include "plan/work.h"
#include "yardmaster/base/mem.h"

struct filling {
	const struct plan *p;
	const struct plan_place *place;
	const struct plan_step *step;
	struct work_step *to;	/* NULL: only a text is wanted */
};

static const char *
cell(const struct plan *p, const struct plan_step *s, size_t column)
{
	const struct plan_data *d = p->tests[s->test].props->data;

	return d->cells[(size_t)s->row * d->columns.n + column];
}

static void
put_cell(const struct filling *f, const struct piece *piece, struct buf *out)
{
	const struct plan_data *d = f->p->tests[f->step->test].props->data;
	const char *value;
	size_t i;

	for (i = 0; i < d->columns.n; i++) {
		if (strlen(d->columns.v[i]) != piece->part_len ||
		    memcmp(d->columns.v[i], piece->part, piece->part_len) != 0)
			continue;
		value = d->secret[i] ? NULL : cell(f->p, f->step, i);
		buf_puts(out, value != NULL ? value : "");
	}
}

/* The value behind the name that the part of piece says. */
static const char *
find_pair(const struct strvec *pairs, const struct piece *piece)
{
	size_t i, n = piece->part_len;

	for (i = 0; i < pairs->n; i++)
		if (strncmp(pairs->v[i], piece->part, n) == 0 &&
		    pairs->v[i][n] == '=')
			return pairs->v[i] + n + 1;
	return NULL;
}

static const char *
target_text(const struct filling *f, const struct piece *piece)
{
	const struct plan_target *t;

	if (f->step->target == PLAN_NONE)
		return NULL;
	t = &f->p->targets[f->step->target];
	return piece->part != NULL ? find_pair(&t->axes, piece) : t->name;
}

/* The agent knows the path; here is where it belongs. */
static void
put_hole(struct work_step *to, size_t at)
{
	if (to->n_results == WORK_MAX_HOLES)
		return;
	to->results_at = mem_realloc(to->results_at, to->n_results + 1,
	    sizeof(*to->results_at));
	to->results_at[to->n_results++] = (struct work_hole){
		(uint32_t)to->argv.n, (uint32_t)at };
}

/* As the agent names it; where that is not known the folder of the step is
 * the same. */
static void
put_workspace(const struct filling *f, struct buf *out)
{
	uint32_t suite = f->p->tests[f->step->test].suite;

	if (f->place->spool == NULL)
		buf_puts(out, ".");
	else
		buf_putf(out, "%s/ws/%s.%u/tree", f->place->spool,
		    f->place->id.run, plan_prepare_no(f->p, suite));
}

static void
put_value(void *arg, const struct piece *piece, struct buf *out)
{
	const struct filling *f = arg;
	const char *text = NULL;
	char number[16];

	switch (piece->kind) {
	case PH_TEST:
		text = f->p->tests[f->step->test].name;
		break;
	case PH_TARGET:
		text = target_text(f, piece);
		break;
	case PH_INSTANCE:
		text = f->place->instance;
		break;
	case PH_AGENT:
		text = f->place->agent;
		break;
	case PH_SHARD:
		buf_putf(out, "%u", piece_part_is(piece, "index") ?
		    f->step->row + 1 :
		    f->p->tests[f->step->test].props->shards);
		break;
	case PH_ROW:
		if (f->step->row != PLAN_NONE && piece->part != NULL)
			put_cell(f, piece, out);
		else
			text = plan_row_name(f->p, f->step, number);
		break;
	case PH_WORKSPACE:
		put_workspace(f, out);
		break;
	case PH_PARAM:
		text = find_pair(&f->p->params, piece);
		break;
	case PH_RESULTS:
		if (f->to != NULL)
			put_hole(f->to, buf_len(out));
		break;
	default:	/* refused when the plan was loaded */
		break;
	}
	if (text != NULL)
		buf_puts(out, text);
}

void
work_piece(const struct plan *p, const struct plan_step *s,
    const struct piece *piece, struct buf *out)
{
	static const struct plan_place nowhere;
	struct filling f = { .p = p, .place = &nowhere, .step = s };

	put_value(&f, piece, out);
}

/* "YARDMASTER_ROW_" and the like, with name in capitals behind it. */
static void
put_named(struct buf *key, const char *prefix, const char *name, size_t n)
{
	size_t i;

	buf_puts(key, prefix);
	for (i = 0; i < n; i++)
		buf_putc(key, isalnum((unsigned char)name[i]) ?
		    toupper((unsigned char)name[i]) : '_');
}

static void
set_named(struct strvec *env, const char *prefix, const char *name, size_t n,
    const char *value)
{
	struct buf key = BUF_INIT;

	put_named(&key, prefix, name, n);
	strvec_setenv(env, buf_str(&key), value);
	buf_done(&key);
}

static void
set_all(struct strvec *env, const struct strvec *from)
{
	const char *value;
	char *key;
	size_t i;

	if (from == NULL)
		return;
	for (i = 0; i < from->n; i++) {
		value = strchr(from->v[i], '=');
		if (value == NULL)
			continue;
		key = str_ndup(from->v[i], (size_t)(value - from->v[i]));
		strvec_setenv(env, key, value + 1);
		free(key);
	}
}

static void
set_number(struct strvec *env, const char *key, uint32_t n)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", n);
	strvec_setenv(env, key, text);
}

static void
set_row(const struct filling *f, struct strvec *env)
{
	const struct plan_data *d = f->p->tests[f->step->test].props->data;
	const char *value;
	char number[16];
	size_t i;

	if (f->step->row == PLAN_NONE)
		return;
	strvec_setenv(env, "YARDMASTER_ROW", plan_row_name(f->p, f->step,
	    number));
	for (i = 0; i < d->columns.n; i++) {
		value = cell(f->p, f->step, i);
		if (value != NULL && !d->secret[i] &&
		    d->columns.v[i][0] != '_')
			set_named(env, "YARDMASTER_ROW_", d->columns.v[i],
			    strlen(d->columns.v[i]), value);
	}
}

/* Name and axes of the target. */
static void
set_target(const struct plan_target *t, struct strvec *env)
{
	const char *pair;
	size_t i, n;

	if (t == NULL)
		return;
	strvec_setenv(env, "YARDMASTER_TARGET", t->name);
	for (i = 0; i < t->axes.n; i++) {
		pair = t->axes.v[i];
		n = strcspn(pair, "=");
		set_named(env, "YARDMASTER_TARGET_", pair, n, pair + n + 1);
	}
}

static void
fill_step_env(const struct filling *f, struct strvec *env)
{
	const struct plan_test *t = &f->p->tests[f->step->test];
	const struct plan_target *target = f->step->target == PLAN_NONE ?
	    NULL : &f->p->targets[f->step->target];

	if (target != NULL)
		set_all(env, &target->env);
	set_all(env, t->env);
	set_target(target, env);
	if (f->place->n_members > 0) {
		set_number(env, "YARDMASTER_BATCH", f->place->n_members);
		return;
	}
	strvec_setenv(env, "YARDMASTER_TEST", t->name);
	if (t->props->shards > 0) {
		set_number(env, "YARDMASTER_SHARD_INDEX", f->step->row + 1);
		set_number(env, "YARDMASTER_SHARD_TOTAL", t->props->shards);
	} else
		set_row(f, env);
}

/* Step no gets them beside its environment. */
static void
fill_secrets(const struct filling *f, uint32_t no, struct secrets *ret)
{
	const struct plan_props *props = f->p->tests[f->step->test].props;
	const struct plan_data *d = f->step->row == PLAN_NONE ? NULL :
	    props->data;
	const struct plan_secret *s;
	struct buf key = BUF_INIT;
	uint32_t i;

	for (i = 0; i < props->n_secrets; i++) {
		s = &f->p->secrets[props->secrets[i]];
		if (s->value != NULL)
			secrets_put(ret, s->name, s->value, no);
	}
	for (i = 0; d != NULL && i < d->columns.n; i++) {
		if (!d->secret[i] || cell(f->p, f->step, i) == NULL)
			continue;
		put_named(&key, "YARDMASTER_ROW_", d->columns.v[i],
		    strlen(d->columns.v[i]));
		secrets_put(ret, buf_str(&key), cell(f->p, f->step, i), no);
		buf_clear(&key);
	}
	buf_done(&key);
}

static void
fill_exits(const struct plan_props *props, struct work_step *ret)
{
	uint32_t i;

	if (props->n_exits == 0)
		return;
	ret->exits = mem_calloc(props->n_exits, sizeof(*ret->exits));
	for (i = 0; i < props->n_exits; i++) {
		ret->exits[i].code = props->exits[i].code;
		ret->exits[i].outcome = props->exits[i].outcome;
	}
	ret->n_exits = props->n_exits;
}

/* The names of all members, an argument each. */
static void
push_tests(const struct filling *f, struct strvec *argv)
{
	struct buf b = BUF_INIT;
	uint32_t i;

	for (i = 0; i < f->place->n_members; i++) {
		plan_batch_name(f->p, f->place->members[i], &b);
		strvec_push_owned(argv, buf_steal(&b));
	}
}

static void
fill_command(struct filling *f, const struct strvec *command,
    struct work_step *ret)
{
	struct buf b = BUF_INIT;
	size_t i;

	f->to = ret;
	for (i = 0; command != NULL && i < command->n; i++) {
		if (f->place->n_members > 0 &&
		    strcmp(command->v[i], "{tests}") == 0) {
			push_tests(f, &ret->argv);
			continue;
		}
		subst_text(command->v[i], put_value, f, &b);
		strvec_push_owned(&ret->argv, buf_steal(&b));
	}
}

static void
fill_step(struct filling *f, struct work_step *ret)
{
	const struct plan_props *props = f->p->tests[f->step->test].props;
	struct buf b = BUF_INIT;

	plan_step_label(f->p, f->step, &b);
	ret->label = buf_steal(&b);
	fill_command(f, props->command, ret);
	ret->shell = str_dup(props->shell);
	fill_step_env(f, &ret->env);
	ret->timeout_us = props->timeout_us;
	ret->manner = props->manner;
	fill_exits(props, ret);
	if (f->step->row != PLAN_NONE && props->data->expect_column >= 0)
		ret->expect_fail = data_truth(cell(f->p, f->step,
		    (size_t)props->data->expect_column)) > 0;
}

/* Which parts there are, which this one is, and where they are. */
static void
set_hosts(const struct plan *p, const struct plan_place *place,
    const struct plan_exec *e, struct strvec *env)
{
	const struct plan_suite *s = &p->suites[e->suite];
	struct buf roles = BUF_INIT;
	const char *role;
	uint32_t i;

	for (i = 0; i < s->n_tests; i++) {
		role = p->tests[s->first_test + i].name;
		buf_putf(&roles, "%s%s", i > 0 ? " " : "", role);
		set_named(env, "YARDMASTER_HOST_", role, strlen(role),
		    place->hosts[i]);
	}
	strvec_setenv(env, "YARDMASTER_ROLES", buf_str(&roles));
	strvec_setenv(env, "YARDMASTER_ROLE",
	    p->tests[p->steps[e->first_step].test].name);
	buf_done(&roles);
}

static void
fill_env(const struct plan *p, const struct plan_place *place,
    const struct plan_exec *e, struct strvec *env)
{
	struct ident id = place->id;
	char text[IDENT_TEXT];
	size_t i, n;

	set_all(env, place->fleet_env);
	set_all(env, p->suites[e->suite].props->env);
	for (i = 0; i < p->params.n; i++) {
		n = strcspn(p->params.v[i], "=");
		set_named(env, "YARDMASTER_PARAM_", p->params.v[i], n,
		    p->params.v[i] + n + 1);
	}
	strvec_setenv(env, "YARDMASTER_RUN", id.run);
	strvec_setenv(env, "YARDMASTER_ATTEMPT", ident_format(&id, text));
	id.attempt = 0;
	strvec_setenv(env, "YARDMASTER_EXECUTION", ident_format(&id, text));
	if (place->agent != NULL)
		strvec_setenv(env, "YARDMASTER_AGENT", place->agent);
	if (place->instance != NULL)
		strvec_setenv(env, "YARDMASTER_INSTANCE", place->instance);
	if (place->hosts != NULL)
		set_hosts(p, place, e, env);
}

/* What of the one step is that of all members. */
static void
fill_batch(const struct plan *p, const struct plan_place *place,
    struct work *ret)
{
	struct work_step *step = &ret->steps[0];
	const struct plan_exec *e;
	int64_t sum = place->start_us, one = 1;
	struct buf b = BUF_INIT;
	uint32_t i;

	for (i = 0; i < place->n_members && one > 0; i++) {
		e = &p->execs[place->members[i] - 1];
		one = p->tests[p->steps[e->first_step].test].props->timeout_us;
		sum += one;
	}
	/* One that may take for ever makes the whole do so. */
	step->timeout_us = one > 0 ? sum : 0;
	step->expect_fail = false;
	if (place->n_members == 1)
		return;
	buf_putf(&b, "%s and %u more", ret->label, place->n_members - 1);
	free(ret->label);
	ret->label = buf_steal(&b);
}

/* What comes back is what its steps want, the most of them. */
static void
fill_prepare(struct filling *f, const struct plan_exec *e, struct work *ret)
{
	const struct plan_props *props;
	uint32_t i, k;

	f->step = &f->p->steps[e->first_step];
	work_prepare_fill(f->p, e->suite, put_value, f, &ret->prepare);
	for (i = 0; i < e->n_steps; i++) {
		props = f->p->tests[f->step[i].test].props;
		for (k = 0; props->artifacts != NULL &&
		    k < props->artifacts->n; k++)
			if (strvec_find(&ret->artifacts,
			    props->artifacts->v[k]) < 0)
				strvec_push(&ret->artifacts,
				    props->artifacts->v[k]);
		if ((uint64_t)props->artifacts_max > ret->artifacts_max)
			ret->artifacts_max = (uint64_t)props->artifacts_max;
	}
	if (ret->artifacts.n == 0)
		ret->artifacts_max = 0;
}

/* What counts in its run only is counted by who drives that. */
static void
fill_targets(const struct plan *p, const struct plan_terms *t,
    struct work *ret)
{
	const struct plan_target *target;
	uint32_t i;

	if (p->private || t->n_targets == 0)
		return;
	ret->targets = mem_calloc(t->n_targets, sizeof(*ret->targets));
	for (i = 0; i < t->n_targets && i < WORK_MAX_TARGETS; i++) {
		target = &p->targets[t->targets[i]];
		ret->targets[ret->n_targets++] = (struct work_target){
			str_dup(target->name), target->max_per_agent };
	}
}

void
plan_work(const struct plan *p, const struct plan_place *place,
    struct work *ret)
{
	const struct plan_exec *e = &p->execs[place->id.execution - 1];
	const struct plan_terms *t = &p->terms[e->terms];
	struct filling f = { .p = p, .place = place };
	struct buf label = BUF_INIT;
	uint32_t i, step;

	*ret = (struct work){ .id = place->id };
	ret->workers = (uint16_t)t->workers;
	plan_exec_label(p, place->id.execution, &label);
	ret->label = buf_steal(&label);
	ret->instance = str_dup(place->instance);
	ret->beside_itself = t->beside_itself;
	ret->together = e->group > 0;
	ret->stop_at_failure = t->on_failure != ON_FAILURE_CONTINUE;
	fill_env(p, place, e, &ret->env);
	fill_prepare(&f, e, ret);
	fill_targets(p, t, ret);
	ret->n_steps = place->steps != NULL ? place->n_steps : e->n_steps;
	ret->steps = mem_calloc(ret->n_steps, sizeof(*ret->steps));
	for (i = 0; i < ret->n_steps; i++) {
		step = place->steps != NULL ? place->steps[i] : i;
		f.step = &p->steps[e->first_step + step];
		fill_step(&f, &ret->steps[i]);
		fill_secrets(&f, i, &ret->secrets);
	}
	ret->secret = ret->secrets.n > 0;
	if (place->n_members > 0)
		fill_batch(p, place, ret);
}
