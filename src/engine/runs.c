/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The runs of this process: made, started, finished; and those of others. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/log.h"
#include "yardmaster/base/mem.h"

#include "engine/batch.h"
#include "engine/owner_private.h"
#include "engine/share.h"

struct erun *
erun_find(const struct engine *e, const char *id)
{
	struct erun *r;

	TAILQ_FOREACH(r, &e->runs, entry)
		if (strcmp(r->live.id, id) == 0)
			return r;
	return NULL;
}

struct erun *
erun_by_handle(const struct engine *e, uint32_t handle)
{
	struct erun *r;

	TAILQ_FOREACH(r, &e->runs, entry)
		if (r->file != NULL && r->handle == handle)
			return r;
	return NULL;
}

static void
name_execution(struct erun *r, uint32_t i, int64_t now_us)
{
	const struct plan *p = r->plan;
	const struct plan_exec *px = &p->execs[i];
	const struct plan_step *step = &p->steps[px->first_step];
	struct execution *x = &r->live.executions[i];
	const struct plan_suite *suite = &p->suites[px->suite];
	char number[16];

	*x = (struct execution){
		.run = &r->live,
		.no = i + 1,
		.suite = suite->path,
		.test = suite->name,
		.n_steps = px->n_steps,
		.agent = -1,
		.since_us = now_us,
		.target = step->target != PLAN_NONE ?
		    p->targets[step->target].name : NULL,
	};
	if (px->n_steps > 1)
		return;
	x->test = p->tests[step->test].name;
	r->texts[i].row = str_dup(plan_row_name(p, step, number));
	x->row = r->texts[i].row;
}

struct erun *
erun_new(struct engine *e, struct plan *plan, const char *id)
{
	struct erun *r = mem_zalloc(sizeof *r);
	int64_t now_us = clock_mono_us();
	uint32_t i;

	r->plan = plan;
	memcpy(r->live.id, id, sizeof r->live.id);
	r->live.plan = str_dup(plan->name);
	r->live.owner = str_dup(e->owner_text);
	r->live.ours = true;
	r->live.state = RUN_STARTING;
	r->live.started_us = now_us;
	r->live.n = plan->n_execs;
	r->live.executions = mem_calloc(plan->n_execs,
	    sizeof *r->live.executions);
	r->texts = mem_calloc(plan->n_execs, sizeof *r->texts);
	r->tries = mem_calloc(plan->n_execs, sizeof *r->tries);
	r->asked_back = mem_calloc(plan->n_execs, sizeof *r->asked_back);
	r->passed = mem_calloc(plan->n_steps, 1);
	r->awaits = mem_calloc(fleet_count(e->fleet), sizeof *r->awaits);
	r->repeats = mem_calloc(fleet_count(e->fleet), sizeof *r->repeats);
	for (i = 0; i < plan->n_execs; i++)
		name_execution(r, i, now_us);
	return r;
}

void
erun_free(struct engine *e, struct erun *r)
{
	uint32_t i;

	batches_free(r);
	packing_free(r->packing);
	owner_free(r->owner);
	run_file_close(r->file);
	for (i = 0; i < r->live.n; i++) {
		free(r->texts[i].row);
		free(r->texts[i].why);
		free(r->texts[i].reason);
		free(r->texts[i].setup);
	}
	free(r->texts);
	free(r->tries);
	amendments_free(r);
	free(r->passed);
	shares_free(r);
	free(r->asked_back);
	free(r->fails);
	free(r->awaits);
	free(r->repeats);
	free(r->live.executions);
	free(r->live.plan);
	free(r->live.owner);
	stop_note_done(&r->live.held);
	free(r->held_until);
	plan_free(r->plan);
	free(r);
}

/* History's length of one step, or 0; and how likely it fails. */
static int64_t
step_usual(struct engine *e, const struct plan *p, const struct plan_step *s,
    int32_t *ret_fails)
{
	const struct plan_test *t = &p->tests[s->test];
	struct history_estimate got;
	char number[16];
	struct history_item item = {
		.suite = p->suites[t->suite].path,
		.test = t->name,
		.row = plan_row_name(p, s, number),
		.target = s->target != PLAN_NONE ?
		    p->targets[s->target].name : NULL,
	};

	*ret_fails = history_likelihood(0, 0);
	if (e->registry == NULL ||
	    history_estimate(e->registry, &item, &got) < 0)
		return t->props->estimate_us;
	*ret_fails = history_likelihood(got.outcomes, got.failures);
	return got.usual_us > 0 ? got.usual_us : t->props->estimate_us;
}

int64_t *
erun_estimates(struct engine *e, struct erun *r)
{
	const struct plan *p = r->plan;
	int64_t *v = mem_calloc(p->n_execs, sizeof *v), usual;
	int32_t fails;
	uint32_t i, k;

	free(r->fails);
	r->fails = mem_calloc(p->n_execs, sizeof *r->fails);
	if (e->registry != NULL)
		(void)registry_begin_read(e->registry);
	for (i = 0; i < p->n_execs; i++)
		for (k = 0; k < p->execs[i].n_steps; k++) {
			usual = step_usual(e, p,
			    &p->steps[p->execs[i].first_step + k], &fails);
			/* That of its likeliest step. */
			if (fails > r->fails[i])
				r->fails[i] = fails;
			if (usual <= 0 || v[i] < 0)
				v[i] = -1;
			else
				v[i] += usual;
		}
	if (e->registry != NULL)
		registry_end_read(e->registry);
	return v;
}

int
erun_start(struct engine *e, struct erun *r, const struct feed_state *st)
{
	char *path;
	size_t i;
	int rc;

	if ((rc = feed_run(e, r, st)) < 0)
		return rc;
	for (i = 0; i < r->live.n; i++)
		if (st->estimates_us[i] > 0)
			r->live.executions[i].estimate_us =
			    st->estimates_us[i];
	path = run_path(e->state_dir, r->live.id, ".sock");
	/* Without a socket the run still runs; only nobody can ask for it. */
	if (owner_new(e, e->loop, path, &r->owner) < 0)
		engine_say(e, EVENT_WARNING, NULL, r->live.id,
		    "%s cannot be listened on", path);
	free(path);
	r->live.state = RUN_RUNNING;
	TAILQ_INSERT_HEAD(&e->runs, r, entry);
	/* Links keep order: what is sent after this finds the run known. */
	for (i = 0; i < fleet_count(e->fleet); i++)
		if (fleet_agent(e->fleet, i)->link >= LINK_UP)
			fleet_sync(e->fleet, i, r->live.id, r->epoch);
	for (i = 1; i <= r->live.n; i++)
		view_execution(e, r, (uint32_t)i);
	foreign_refresh(e);
	leases_look_again(e);
	engine_hurry(e);
	return 0;
}

void
erun_why(struct erun *r, uint32_t no, char *text)
{
	free(r->texts[no - 1].why);
	r->texts[no - 1].why = text;
	r->live.executions[no - 1].text = text;
}

uint32_t
erun_steps_left(const struct erun *r, uint32_t no, uint32_t **ret)
{
	const struct plan_exec *x = &r->plan->execs[no - 1];
	bool whole = r->plan->suites[x->suite].mode == MODE_SEQUENTIAL;
	uint32_t *v, i, n = 0;

	*ret = NULL;
	if (x->n_steps == 1 || whole)
		return x->n_steps;
	v = mem_calloc(x->n_steps, sizeof *v);
	for (i = 0; i < x->n_steps; i++)
		if (!r->passed[x->first_step + i])
			v[n++] = i;
	/* All passed before (it was asked for again): all of them. */
	if (n == 0 || n == x->n_steps) {
		free(v);
		return x->n_steps;
	}
	*ret = v;
	return n;
}

void
erun_put(struct erun *r, int code)
{
	if (code < 0 && code != ERR_NOT_FOUND && code != ERR_RANGE)
		r->failed = true;
}

static bool
tries_equal(const struct tries *a, const struct tries *b)
{
	return a->failures == b->failures && a->errors == b->errors &&
	    a->avoid == b->avoid && a->due_wall_us == b->due_wall_us;
}

/* A schedule is of the plan, and no delay after a try. */
static void
put_tries(struct engine *e, struct erun *r, uint32_t no)
{
	struct tries *was = &r->tries[no - 1], is;
	struct sched_view v;

	if (sched_exec_view(e->sched, r->handle, no, &v) < 0)
		return;
	is = (struct tries){ v.failures, v.errors, v.avoid + 1,
		v.attempt == 0 || v.ready_us == 0 ? 0 :
		v.ready_us + clock_wall_us() - clock_mono_us() };
	if (tries_equal(&is, was))
		return;
	*was = is;
	erun_put(r, run_file_put_tries(r->file, &(struct run_tries){
		.exec = no, .failures = is.failures, .errors = is.errors,
		.avoid = is.avoid > 0 ?
		    fleet_agent(e->fleet, is.avoid - 1)->name : NULL,
		.due_wall_us = is.due_wall_us }));
}

void
erun_put_exec(struct engine *e, struct erun *r, uint32_t no)
{
	const struct execution *x = &r->live.executions[no - 1];
	struct run_exec row;

	view_execution(e, r, no);
	row = (struct run_exec){
		.no = no,
		.state = x->state,
		.attempt = x->attempt,
		.agent = x->agent >= 0 ?
		    fleet_agent(e->fleet, (size_t)x->agent)->name : NULL,
		.tier = x->tier,
		.since_wall_us = clock_wall_us(),
		.text = x->text,
	};
	erun_put(r, run_file_put_exec(r->file, &row));
	put_tries(e, r, no);
}

void
erun_put_ended(struct erun *r)
{
	struct run_head head = {
		.state = RUN_ENDED,
		.ended_wall_us = r->live.ended_wall_us,
		.exit_code = counts_exit_code(&r->live.counts),
	};

	erun_put(r, run_file_put_head(r->file, &head));
	r->recorded = true;
}

/* ---- history ------------------------------------------------------------- */

struct samples {
	const struct engine *e;
	const struct plan *p;
	struct history_sample *v;
	size_t n, cap;
	struct strvec rows;
};

static int
add_sample(void *arg, const struct run_result *res)
{
	struct samples *s = arg;
	const struct plan_exec *x = &s->p->execs[res->exec - 1];
	const struct plan_step *step = &s->p->steps[x->first_step + res->step];
	const struct plan_test *t = &s->p->tests[step->test];
	const char *row;
	char number[16];
	int agent;

	if (res->late)
		return 0;
	agent = res->agent != NULL ? fleet_index(s->e->fleet, res->agent) : -1;
	s->v = mem_grow(s->v, &s->cap, s->n + 1, sizeof *s->v);
	row = plan_row_name(s->p, step, number);
	if (row != NULL) {
		strvec_push(&s->rows, row);
		row = s->rows.v[s->rows.n - 1];
	}
	s->v[s->n++] = (struct history_sample){
		.item = {
			.suite = s->p->suites[t->suite].path,
			.test = t->name,
			.row = row,
			.target = step->target != PLAN_NONE ?
			    s->p->targets[step->target].name : NULL,
		},
		.outcome = res->r.outcome,
		.elapsed_us = res->r.elapsed_us,
		.agent = agent < 0 ? NULL :
		    fleet_agent(s->e->fleet, (size_t)agent)->name,
		.speed = agent < 0 ? 0 :
		    fleet_agent(s->e->fleet, (size_t)agent)->speed,
	};
	return 0;
}

static void
keep_history(struct engine *e, struct erun *r)
{
	struct samples s = { .e = e, .p = r->plan };
	int rc;

	/* What a job does today says nothing of tomorrow's. */
	if (e->registry == NULL || r->plan->adhoc)
		return;
	batch_keep_history(e, r);
	rc = run_file_each_result(r->file, 0, add_sample, &s);
	if (rc == 0)
		rc = history_add(e->registry, s.v, s.n);
	if (rc < 0)
		engine_say(e, EVENT_WARNING, NULL, r->live.id,
		    "history was not kept: %s", err_text(rc));
	strvec_done(&s.rows);
	free(s.v);
	engine_learn_speeds(e);
}

void
erun_finish(struct engine *e, struct erun *r)
{
	size_t i;

	keep_history(e, r);
	packing_free(r->packing);
	r->packing = NULL;
	plan_forget_secrets(r->plan);
	workspaces_over(e, r);
	sched_run_remove(e->sched, r->handle);
	leases_orphan(e, r);
	for (i = 0; i < fleet_count(e->fleet); i++)
		if (r->awaits[i]) {
			r->awaits[i] = false;
			e->syncing[i]--;
			feed_agent(e, i);
		}
	owner_free(r->owner);
	r->owner = NULL;
	run_file_close(r->file);
	r->file = NULL;
	r->ended = r->recorded = false;
	engine_say(e, EVENT_INFO, NULL, r->live.id,
	    "run of %s ended: %u of %u passed", r->live.plan,
	    r->live.counts.n[EXEC_PASSED] + r->live.counts.n[EXEC_HEALED],
	    counts_total(&r->live.counts));
}

/* ---- runs of others -------------------------------------------------------- */

void
foreign_done(struct engine *e)
{
	size_t i;

	for (i = 0; i < e->n_foreign; i++) {
		free(e->foreign[i].plan);
		free(e->foreign[i].owner);
	}
	free(e->foreign);
	e->foreign = NULL;
	e->n_foreign = 0;
}

#define FOREIGN_MAX 200

struct listing {
	struct engine *e;
	size_t cap;
};

static int
add_foreign(void *arg, const struct run_summary *s)
{
	struct listing *l = arg;
	struct engine *e = l->e;
	struct run *r;

	if (erun_find(e, s->head->id) != NULL)
		return 0;
	if (e->n_foreign >= FOREIGN_MAX)
		return 1;
	e->foreign = mem_grow(e->foreign, &l->cap, e->n_foreign + 1,
	    sizeof *e->foreign);
	r = &e->foreign[e->n_foreign++];
	*r = (struct run){
		.plan = str_dup(s->head->plan),
		.state = s->head->state,
		.owner = str_dup(s->owner),
		.started_wall_us = s->head->started_wall_us,
		.ended_wall_us = s->head->ended_wall_us,
		.counts = s->counts,
		.n = counts_total(&s->counts),
	};
	memcpy(r->id, s->head->id, sizeof r->id);
	return 0;
}

void
foreign_refresh(struct engine *e)
{
	struct listing l = { .e = e };

	foreign_done(e);
	(void)run_list(e->state_dir, add_foreign, &l);
	e->foreign_us = clock_mono_us();
	engine_touch(e);
}
