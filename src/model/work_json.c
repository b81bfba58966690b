/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The JSON form of work and reports. Members that are zero, empty or unknown
 * are left out: these objects are most of what travels.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/read.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/model/work.h"

/* Exit codes that there are. */
#define EXITS_MAX 256

static void
put_text(struct jw *w, const char *key, const char *s)
{
	if (s != NULL)
		jw_kv_str(w, key, s);
}

static void
put_number(struct jw *w, const char *key, uint64_t n)
{
	if (n > 0)
		jw_kv_int(w, key, n > INT64_MAX ? INT64_MAX : (int64_t)n);
}

static void
put_length(struct jw *w, const char *key, int64_t us)
{
	if (us > 0)
		jw_kv_seconds(w, key, us);
}

static void
put_time(struct jw *w, const char *key, int64_t wall_us)
{
	if (wall_us != 0)
		jw_kv_time(w, key, wall_us);
}

static void
put_strings(struct jw *w, const char *key, const struct strvec *sv)
{
	size_t i;

	if (sv->n == 0)
		return;
	jw_key(w, key);
	jw_array(w);
	for (i = 0; i < sv->n; i++)
		jw_str(w, sv->v[i]);
	jw_array_end(w);
}

static void
put_ident(struct jw *w, const struct ident *id)
{
	char text[IDENT_TEXT];

	jw_kv_str(w, "id", ident_format(id, text));
}

static void
put_exits(struct jw *w, const struct work_step *s)
{
	char code[8];
	uint32_t i;

	if (s->n_exits == 0)
		return;
	jw_key(w, "exits");
	jw_object(w);
	for (i = 0; i < s->n_exits; i++) {
		snprintf(code, sizeof(code), "%u", s->exits[i].code);
		jw_kv_str(w, code, outcome_name(s->exits[i].outcome));
	}
	jw_object_end(w);
}

/* As [[argument, bytes before], ...]. */
static void
put_results_at(struct jw *w, const struct work_step *s)
{
	uint32_t i;

	if (s->n_results == 0)
		return;
	jw_key(w, "results_at");
	jw_array(w);
	for (i = 0; i < s->n_results; i++) {
		jw_array(w);
		jw_int(w, s->results_at[i].arg);
		jw_int(w, s->results_at[i].at);
		jw_array_end(w);
	}
	jw_array_end(w);
}

static void
step_write(struct jw *w, const struct work_step *s)
{
	jw_object(w);
	put_text(w, "label", s->label);
	put_strings(w, "argv", &s->argv);
	put_text(w, "shell", s->shell);
	put_strings(w, "env", &s->env);
	put_length(w, "timeout_s", s->timeout_us);
	if (s->expect_fail)
		jw_kv_bool(w, "expect_fail", true);
	if (memcmp(&s->manner, &manner_default, sizeof(s->manner)) != 0) {
		jw_key(w, "manner");
		manner_write(w, &s->manner);
	}
	put_exits(w, s);
	put_results_at(w, s);
	jw_object_end(w);
}

static void
put_targets(struct jw *w, const struct work *work)
{
	uint32_t i;

	if (work->n_targets == 0)
		return;
	jw_key(w, "targets");
	jw_array(w);
	for (i = 0; i < work->n_targets && i < WORK_MAX_TARGETS; i++) {
		jw_object(w);
		jw_kv_str(w, "name", work->targets[i].name);
		put_number(w, "max_per_agent", work->targets[i].max_per_agent);
		jw_object_end(w);
	}
	jw_array_end(w);
}

void
work_write(struct jw *w, const struct work *work)
{
	uint32_t i;

	jw_object(w);
	put_ident(w, &work->id);
	put_number(w, "epoch", work->epoch);
	jw_kv_str(w, "class", attempt_class_name(work->class));
	jw_kv_int(w, "workers", work->workers);
	put_text(w, "label", work->label);
	put_text(w, "owner", work->owner);
	put_text(w, "cwd", work->cwd);
	put_text(w, "instance", work->instance);
	if (work->stop_at_failure)
		jw_kv_bool(w, "stop_at_failure", true);
	if (work->beside_itself)
		jw_kv_bool(w, "beside_itself", true);
	if (work->together)
		jw_kv_bool(w, "together", true);
	if (work->secret)
		jw_kv_bool(w, "secret", true);
	holds_write(w, work->holds, work->n_holds);
	put_targets(w, work);
	put_length(w, "usual_s", work->usual_us);
	put_strings(w, "env", &work->env);
	if (work->prepare.no > 0) {
		jw_key(w, "prepare");
		work_prepare_write(w, &work->prepare);
	}
	put_strings(w, "artifacts", &work->artifacts);
	put_number(w, "artifacts_max", work->artifacts_max);
	jw_key(w, "steps");
	jw_array(w);
	for (i = 0; i < work->n_steps; i++)
		step_write(w, &work->steps[i]);
	jw_array_end(w);
	jw_object_end(w);
}

static void
read_env(struct reader *r, struct strvec *env)
{
	size_t i;

	read_strings(r, "env", env);
	for (i = 0; i < env->n; i++)
		if (env->v[i][0] == '=' || strchr(env->v[i], '=') == NULL)
			read_fail(r, ERR_SYNTAX);
}

static void
read_exits(struct reader *r, struct work_step *s)
{
	const struct jval *v = read_get(r, "exits", JVAL_OBJECT);
	size_t i, n = jval_count(v);
	int code, outcome;
	char end;

	if (n == 0)
		return;
	if (n > EXITS_MAX) {
		read_fail(r, ERR_TOO_LARGE);
		return;
	}
	s->exits = mem_calloc(n, sizeof(*s->exits));
	for (i = 0; i < n; i++) {
		outcome = outcome_parse(jval_str(jval_value_at(v, i), ""));
		if (sscanf(jval_key_at(v, i), "%3d%c", &code, &end) != 1 ||
		    code < 0 || code > 255 || outcome <= OUTCOME_NONE) {
			read_fail(r, ERR_SYNTAX);
			return;
		}
		s->exits[i].code = (uint8_t)code;
		s->exits[i].outcome = (enum outcome)outcome;
	}
	s->n_exits = (uint32_t)n;
}

/* False when it is not inside an argument, or not behind the one before. */
static bool
hole_read(const struct jval *v, const struct work_step *s,
    struct work_hole *ret)
{
	const struct work_hole *last = s->n_results > 0 ? ret - 1 : NULL;
	int64_t arg = jval_int(jval_at(v, 0), -1);
	int64_t at = jval_int(jval_at(v, 1), -1);

	if (arg < 0 || (uint64_t)arg >= s->argv.n || at < 0 ||
	    (uint64_t)at > strlen(s->argv.v[arg]))
		return false;
	*ret = (struct work_hole){ (uint32_t)arg, (uint32_t)at };
	return last == NULL || ret->arg > last->arg ||
	    (ret->arg == last->arg && ret->at >= last->at);
}

static void
read_results_at(struct reader *r, struct work_step *s)
{
	const struct jval *v = read_get(r, "results_at", JVAL_ARRAY);
	size_t i, n = jval_count(v);

	if (n == 0)
		return;
	if (n > WORK_MAX_HOLES) {
		read_fail(r, ERR_TOO_LARGE);
		return;
	}
	s->results_at = mem_calloc(n, sizeof(*s->results_at));
	for (i = 0; i < n; i++, s->n_results++)
		if (!hole_read(jval_at(v, i), s, &s->results_at[i])) {
			read_fail(r, ERR_RANGE);
			return;
		}
}

/* Fills *s, which the caller frees also after a fault. */
static int
step_read(const struct jval *v, struct work_step *s)
{
	struct reader r;

	read_init(&r, v);
	s->label = read_note(&r, "label");
	read_strings(&r, "argv", &s->argv);
	s->shell = read_text(&r, "shell", READ_ARG_MAX);
	read_env(&r, &s->env);
	s->timeout_us = read_seconds(&r, "timeout_s", 0);
	s->expect_fail = read_bool(&r, "expect_fail");
	if (r.err == 0)
		r.err = manner_read(jval_get(v, "manner"), &s->manner);
	read_exits(&r, s);
	read_results_at(&r, s);
	if ((s->argv.n > 0) == (s->shell != NULL))
		read_fail(&r, ERR_SYNTAX);
	return r.err;
}

static void
steps_read(struct reader *r, struct work *work)
{
	const struct jval *v = read_get(r, "steps", JVAL_ARRAY);
	size_t i, n = jval_count(v);
	int err;

	if (n == 0 || n > WORK_MAX_STEPS) {
		read_fail(r, n == 0 ? ERR_RANGE : ERR_TOO_LARGE);
		return;
	}
	work->steps = mem_calloc(n, sizeof(*work->steps));
	work->n_steps = (uint32_t)n;
	for (i = 0; i < n; i++) {
		err = step_read(jval_at(v, i), &work->steps[i]);
		if (err < 0) {
			read_fail(r, err);
			return;
		}
	}
}

static int
target_read(const struct jval *v, struct work_target *t)
{
	struct reader r;

	read_init(&r, v);
	t->name = read_text(&r, "name", READ_TEXT_MAX);
	t->max_per_agent = (uint32_t)read_int(&r, "max_per_agent", 0,
	    UINT32_MAX, 0);
	if (t->name == NULL)
		read_fail(&r, ERR_SYNTAX);
	return r.err;
}

static void
targets_read(struct reader *r, struct work *work)
{
	const struct jval *v = read_get(r, "targets", JVAL_ARRAY);
	size_t i, n = jval_count(v);

	if (n > WORK_MAX_TARGETS)
		read_fail(r, ERR_TOO_LARGE);
	if (n == 0 || r->err < 0)
		return;
	work->targets = mem_calloc(n, sizeof(*work->targets));
	work->n_targets = (uint32_t)n;
	for (i = 0; i < n && r->err == 0; i++)
		r->err = target_read(jval_at(v, i), &work->targets[i]);
}

static void
read_prepare(struct reader *r, struct work_prepare *ret)
{
	const struct jval *v = read_get(r, "prepare", JVAL_OBJECT);

	if (v != NULL)
		read_fail(r, work_prepare_read(v, ret));
}

int
work_read(const struct jval *v, struct work *ret)
{
	struct reader r;
	struct work w = { .label = NULL };

	read_init(&r, v);
	read_ident(&r, "id", 3, &w.id);
	w.epoch = (uint32_t)read_int(&r, "epoch", 0, UINT32_MAX, 0);
	w.class = (enum attempt_class)read_name(&r, "class",
	    attempt_class_parse, CLASS_AUTO);
	w.workers = (uint16_t)read_int(&r, "workers", 1, WORK_MAX_WORKERS, 1);
	w.label = read_note(&r, "label");
	w.owner = read_note(&r, "owner");
	w.cwd = read_text(&r, "cwd", READ_TEXT_MAX);
	w.instance = read_text(&r, "instance", READ_TEXT_MAX);
	w.stop_at_failure = read_bool(&r, "stop_at_failure");
	w.beside_itself = read_bool(&r, "beside_itself");
	w.together = read_bool(&r, "together");
	w.secret = read_bool(&r, "secret");
	if (r.err == 0)
		r.err = holds_read(v, &w.holds, &w.n_holds);
	targets_read(&r, &w);
	w.usual_us = read_seconds(&r, "usual_s", 0);
	read_env(&r, &w.env);
	read_prepare(&r, &w.prepare);
	read_strings(&r, "artifacts", &w.artifacts);
	w.artifacts_max = (uint64_t)read_int(&r, "artifacts_max", 0,
	    INT64_MAX, 0);
	steps_read(&r, &w);
	if (r.err < 0)
		work_done(&w);
	else
		*ret = w;
	return r.err;
}

static void
result_write(struct jw *w, const struct step_result *s)
{
	jw_object(w);
	jw_kv_str(w, "outcome", outcome_name(s->outcome));
	if (s->exit_code >= 0)
		jw_kv_int(w, "exit_code", s->exit_code);
	if (s->signo > 0)
		jw_kv_int(w, "signal", s->signo);
	put_time(w, "started", s->started_wall_us);
	put_length(w, "elapsed_s", s->elapsed_us);
	put_number(w, "out_from", s->out_from);
	put_number(w, "out_to", s->out_to);
	put_text(w, "text", s->text);
	jw_object_end(w);
}

static void
times_write(struct jw *w, const struct report *r)
{
	put_time(w, "queued", r->queued_wall_us);
	put_time(w, "started", r->started_wall_us);
	put_time(w, "ended", r->ended_wall_us);
	put_length(w, "elapsed_s", r->elapsed_us);
	put_number(w, "out_bytes", r->out_bytes);
	put_number(w, "out_dropped", r->out_dropped);
}

void
report_write(struct jw *w, const struct report *r)
{
	uint32_t i;

	jw_object(w);
	put_ident(w, &r->id);
	put_number(w, "epoch", r->epoch);
	jw_kv_str(w, "state", attempt_state_name(r->state));
	if (r->outcome != OUTCOME_NONE)
		jw_kv_str(w, "outcome", outcome_name(r->outcome));
	put_number(w, "worker", r->worker);
	put_number(w, "place", r->place);
	if (r->prepared)
		jw_kv_bool(w, "prepared", true);
	times_write(w, r);
	put_text(w, "text", r->text);
	put_text(w, "owner", r->owner);
	put_text(w, "label", r->label);
	artifacts_write(w, &r->artifacts);
	if (r->n_steps > 0) {
		jw_key(w, "steps");
		jw_array(w);
		for (i = 0; i < r->n_steps; i++)
			result_write(w, &r->steps[i]);
		jw_array_end(w);
	}
	jw_object_end(w);
}

static uint64_t
read_size(struct reader *r, const char *key)
{
	return (uint64_t)read_int(r, key, 0, INT64_MAX, 0);
}

static int
result_read(const struct jval *v, struct step_result *s)
{
	struct reader r;

	read_init(&r, v);
	s->outcome = (enum outcome)read_name(&r, "outcome", outcome_parse,
	    OUTCOME_NONE);
	s->exit_code = (int16_t)read_int(&r, "exit_code", 0, 255, -1);
	s->signo = (int16_t)read_int(&r, "signal", 0, 255, 0);
	s->started_wall_us = read_time(&r, "started");
	s->elapsed_us = read_seconds(&r, "elapsed_s", 0);
	s->out_from = read_size(&r, "out_from");
	s->out_to = read_size(&r, "out_to");
	s->text = read_note(&r, "text");
	if (s->out_to < s->out_from)
		read_fail(&r, ERR_RANGE);
	return r.err;
}

static void
results_read(struct reader *r, struct report *report)
{
	const struct jval *v = read_get(r, "steps", JVAL_ARRAY);
	size_t i, n = jval_count(v);
	int err;

	if (n > WORK_MAX_STEPS)
		read_fail(r, ERR_TOO_LARGE);
	if (n == 0 || r->err < 0)
		return;
	report->steps = mem_calloc(n, sizeof(*report->steps));
	report->n_steps = (uint32_t)n;
	for (i = 0; i < n; i++) {
		err = result_read(jval_at(v, i), &report->steps[i]);
		if (err < 0) {
			read_fail(r, err);
			return;
		}
	}
}

static void
times_read(struct reader *r, struct report *out)
{
	out->queued_wall_us = read_time(r, "queued");
	out->started_wall_us = read_time(r, "started");
	out->ended_wall_us = read_time(r, "ended");
	out->elapsed_us = read_seconds(r, "elapsed_s", 0);
	out->out_bytes = read_size(r, "out_bytes");
	out->out_dropped = read_size(r, "out_dropped");
}

int
report_read(const struct jval *v, struct report *ret)
{
	struct reader r;
	struct report out = { .text = NULL };
	int state;

	read_init(&r, v);
	read_ident(&r, "id", 3, &out.id);
	out.epoch = (uint32_t)read_int(&r, "epoch", 0, UINT32_MAX, 0);
	state = read_name(&r, "state", attempt_state_parse, -1);
	if (state < 0)
		read_fail(&r, ERR_SYNTAX);
	else
		out.state = (enum attempt_state)state;
	out.outcome = (enum outcome)read_name(&r, "outcome", outcome_parse,
	    OUTCOME_NONE);
	out.worker = (uint16_t)read_int(&r, "worker", 0, UINT16_MAX, 0);
	out.place = (uint32_t)read_int(&r, "place", 0, UINT32_MAX, 0);
	out.prepared = read_bool(&r, "prepared");
	times_read(&r, &out);
	out.text = read_note(&r, "text");
	out.owner = read_note(&r, "owner");
	out.label = read_note(&r, "label");
	results_read(&r, &out);
	if (r.err == 0)
		read_fail(&r, artifacts_read(v, &out.artifacts));
	if (r.err < 0)
		report_done(&out);
	else
		*ret = out;
	return r.err;
}
