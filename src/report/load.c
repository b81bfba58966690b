/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A run out of its file: executions and steps in order, the tries of each
 * step, then what each step came to.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/report/report.h"
#include "yardmaster/store/run_file.h"

struct suite {
	char *name;
	uint32_t no;
	UT_hash_handle hh;
};

struct loader {
	struct report_run *r;
	size_t execs_cap, steps_cap;
	char **suite_of;	/* names, by execution */
	size_t suite_cap;
	struct suite *suites;
};

static int
load_exec(void *arg, const struct run_exec *e)
{
	struct loader *l = arg;
	struct report_run *r = l->r;

	if (e->no != r->n_execs + 1)
		return ERR_STORE;
	r->execs = mem_grow(r->execs, &l->execs_cap, e->no,
	    sizeof(*r->execs));
	l->suite_of = mem_grow(l->suite_of, &l->suite_cap, e->no,
	    sizeof(*l->suite_of));
	l->suite_of[e->no - 1] = str_dup(e->suite != NULL ? e->suite : "");
	r->execs[r->n_execs++] = (struct report_exec){
		.no = e->no, .state = e->state, .attempt = e->attempt,
		.agent = str_dup(e->agent), .tier = e->tier,
		.text = str_dup(e->text)
	};
	return 0;
}

/* The number of a suite, given in order of their first steps. */
static uint32_t
suite_number(struct loader *l, const char *name)
{
	struct suite *s;

	HASH_FIND_STR(l->suites, name, s);
	if (s == NULL) {
		s = mem_zalloc(sizeof(*s));
		s->name = str_dup(name);
		s->no = l->r->n_suites++;
		HASH_ADD_KEYPTR(hh, l->suites, s->name, strlen(s->name), s);
	}
	return s->no;
}

static char *
label_of(const struct report_step *s)
{
	struct buf b = BUF_INIT;

	buf_putf(&b, "%s%s%s", s->suite, s->suite[0] != '\0' ? "/" : "",
	    s->test);
	if (s->row != NULL)
		buf_putf(&b, "[%s]", s->row);
	if (s->target != NULL)
		buf_putf(&b, "@%s", s->target);
	return buf_steal(&b);
}

static int
load_step(void *arg, const struct run_step *s)
{
	struct loader *l = arg;
	struct report_run *r = l->r;
	struct report_exec *e;
	struct report_step *step;

	if (s->exec == 0 || s->exec > r->n_execs || r->n_steps == UINT32_MAX)
		return ERR_STORE;
	e = &r->execs[s->exec - 1];
	if (s->step != e->n_steps)
		return ERR_STORE;
	if (e->n_steps++ == 0)
		e->first_step = r->n_steps;
	r->steps = mem_grow(r->steps, &l->steps_cap, (size_t)r->n_steps + 1,
	    sizeof(*r->steps));
	step = &r->steps[r->n_steps++];
	*step = (struct report_step){
		.exec = s->exec, .step = s->step,
		.suite = str_dup(l->suite_of[s->exec - 1]),
		.test = str_dup(s->test != NULL ? s->test : ""),
		.row = str_dup(s->row), .target = str_dup(s->target)
	};
	step->suite_no = suite_number(l, step->suite);
	step->label = label_of(step);
	return 0;
}

static int
load_result(void *arg, const struct run_result *res)
{
	struct loader *l = arg;
	struct report_exec *e;
	struct report_step *s;

	if (res->exec == 0 || res->exec > l->r->n_execs)
		return 0;
	e = &l->r->execs[res->exec - 1];
	if (res->step >= e->n_steps)
		return 0;
	s = &l->r->steps[e->first_step + res->step];
	s->tries = mem_realloc(s->tries, s->n_tries + 1, sizeof(*s->tries));
	s->tries[s->n_tries++] = (struct report_try){
		.attempt = res->attempt, .agent = str_dup(res->agent),
		.outcome = res->r.outcome, .late = res->late,
		.exit_code = res->r.exit_code, .signo = res->r.signo,
		.started_wall_us = res->r.started_wall_us,
		.elapsed_us = res->r.elapsed_us,
		.text = str_dup(res->r.text)
	};
	return 0;
}

static int
load_artifact(void *arg, const struct run_artifact *a)
{
	struct loader *l = arg;
	struct report_exec *e;

	if (a->exec == 0 || a->exec > l->r->n_execs)
		return 0;
	e = &l->r->execs[a->exec - 1];
	if (a->state == ARTIFACT_LEFT_OUT) {
		e->left_out += a->n;
		return 0;
	}
	e->artifacts = mem_realloc(e->artifacts, e->n_artifacts + 1,
	    sizeof(*e->artifacts));
	e->artifacts[e->n_artifacts++] = (struct report_artifact){
		.name = str_fmt("%u/%s", a->attempt, a->name),
		.state = a->state, .text = str_dup(a->text)
	};
	return 0;
}

/* What a step is that has no try that counts. */
static enum exec_state
state_without_try(enum exec_state exec)
{
	/* It was not reached because another step ended the execution. */
	if (exec == EXEC_FAILED || exec == EXEC_TIMEOUT)
		return EXEC_SKIPPED;
	return exec;
}

static void
settle_step(struct report_step *s, const struct report_exec *e)
{
	bool bad = false;
	uint32_t i;

	for (i = 0; i < s->n_tries; i++) {
		if (s->tries[i].late)
			continue;
		if (s->last != NULL && s->last->outcome != OUTCOME_PASSED)
			bad = true;
		s->last = &s->tries[i];
	}
	if (s->last == NULL) {
		s->state = state_without_try(e->state);
		s->text = e->text;
		return;
	}
	s->text = s->last->text != NULL ? s->last->text : e->text;
	if (s->last->outcome == OUTCOME_PASSED)
		s->state = bad ? EXEC_HEALED : EXEC_PASSED;
	else if (!exec_state_final(e->state))
		s->state = e->state;	/* it will be tried again */
	else
		s->state = outcome_exec_state(s->last->outcome, 1);
}

static bool
is_bad(enum exec_state s)
{
	return s >= EXEC_FAILED && s <= EXEC_CANCELLED;
}

/* An execution that did not pass shows it in one row at least. */
static void
settle_exec(struct report_run *r, const struct report_exec *e)
{
	struct report_step *s = &r->steps[e->first_step];
	bool shown = !is_bad(e->state);
	uint32_t i;

	for (i = 0; i < e->n_steps; i++) {
		settle_step(&s[i], e);
		shown |= is_bad(s[i].state);
	}
	if (!shown && e->n_steps > 0) {
		s[e->n_steps - 1].state = e->state;
		s[e->n_steps - 1].text = e->text;
	}
	for (i = 0; i < e->n_steps; i++)
		r->steps_by_state.n[s[i].state]++;
}

static int
load_head(struct run_file *f, struct report_run *r)
{
	struct run_head h;
	int err;

	if ((err = run_file_head(f, &h)) < 0)
		return err;
	strcpy(r->id, h.id);
	r->plan = str_dup(h.plan != NULL ? h.plan : "");
	r->who = str_dup(h.who);
	r->state = h.state;
	r->started_wall_us = h.started_wall_us;
	r->ended_wall_us = h.ended_wall_us;
	r->exit_code = h.exit_code;
	return run_file_counts(f, &r->counts);
}

static void
loader_done(struct loader *l)
{
	struct suite *s, *next;
	uint32_t i;

	for (i = 0; i < l->r->n_execs; i++)
		free(l->suite_of[i]);
	free(l->suite_of);
	HASH_ITER(hh, l->suites, s, next) {
		HASH_DEL(l->suites, s);
		free(s->name);
		free(s);
	}
}

static int
load_rows(struct run_file *f, struct report_run *r)
{
	struct loader l = { .r = r };
	uint32_t i;
	int err;

	if ((err = run_file_begin_read(f)) < 0)
		return err;
	if ((err = load_head(f, r)) == 0 &&
	    (err = run_file_each_exec(f, load_exec, &l)) == 0 &&
	    (err = run_file_each_step(f, 0, load_step, &l)) == 0 &&
	    (err = run_file_each_result(f, 0, load_result, &l)) == 0)
		err = run_file_each_artifact(f, 0, load_artifact, &l);
	run_file_end_read(f);
	for (i = 0; err == 0 && i < r->n_execs; i++)
		settle_exec(r, &r->execs[i]);
	loader_done(&l);
	return err;
}

int
report_load(const char *state_dir, const char *run, struct report_run *ret)
{
	struct report_run r = { .plan = NULL };
	struct run_owner owner = { .who = NULL };
	struct run_file *f = NULL;
	int err;

	/* Before the head is read: one that ends in between is no orphan. */
	if (run_owner_read(state_dir, run, &owner) == 0)
		r.owner = run_owner_text(&owner);
	run_owner_done(&owner);
	if ((err = run_file_open(state_dir, run, &f)) == 0)
		err = load_rows(f, &r);
	run_file_close(f);
	if (err < 0) {
		report_run_done(&r);
		return err;
	}
	if (r.state != RUN_ENDED && r.owner == NULL)
		r.state = RUN_ORPHANED;
	*ret = r;
	return 0;
}

static void
step_done(struct report_step *s)
{
	uint32_t i;

	for (i = 0; i < s->n_tries; i++) {
		free(s->tries[i].agent);
		free(s->tries[i].text);
	}
	free(s->tries);
	free(s->suite);
	free(s->test);
	free(s->row);
	free(s->target);
	free(s->label);
}

static void
exec_artifacts_done(struct report_exec *e)
{
	uint32_t i;

	for (i = 0; i < e->n_artifacts; i++) {
		free(e->artifacts[i].name);
		free(e->artifacts[i].text);
	}
	free(e->artifacts);
}

void
report_run_done(struct report_run *r)
{
	uint32_t i;

	for (i = 0; i < r->n_steps; i++)
		step_done(&r->steps[i]);
	for (i = 0; i < r->n_execs; i++) {
		free(r->execs[i].agent);
		free(r->execs[i].text);
		free(r->execs[i].tail);
		exec_artifacts_done(&r->execs[i]);
	}
	free(r->steps);
	free(r->execs);
	free(r->plan);
	free(r->who);
	free(r->owner);
	free(r->artifacts_at);
	*r = (struct report_run){ .plan = NULL };
}

void
report_set_tail(struct report_run *r, uint32_t no, const void *p, size_t n)
{
	struct report_exec *e;
	const char *from = p;

	if (no == 0 || no > r->n_execs)
		return;
	if (n > REPORT_TAIL_MAX) {
		from += n - REPORT_TAIL_MAX;
		n = REPORT_TAIL_MAX;
	}
	e = &r->execs[no - 1];
	free(e->tail);
	e->tail = mem_dup(from, n);
	e->tail_len = n;
}
