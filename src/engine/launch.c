/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A new run from a plan, and taking over one whose owner is dead. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/proc.h"

#include "engine/batch.h"
#include "engine/share.h"

/* Reads what the plan keeps secret; from then on nobody may look in here. */
static int
secrets_take(struct engine *e, struct plan *plan, const struct plan_ask *ask,
    struct diags *ds)
{
	if (plan_has_secrets(plan))
		proc_dumpable(false);
	return plan_read_secrets(plan, &e->known,
	    ask != NULL && ask->ask != NULL ? ask : NULL, ds);
}

void
engine_ask_secrets(struct engine *e, const struct plan_ask *ask)
{
	e->ask = *ask;
}

void
engine_export_secrets(struct engine *e)
{
	size_t i;

	for (i = 0; i < e->known.n; i++)
		(void)setenv(e->known.v[i].name, e->known.v[i].value, 1);
}

struct creating {
	const struct erun *r;
	const int64_t *estimates_us;
	char number[16];
};

static void
fill_exec(void *arg, uint32_t no, struct run_exec *ret)
{
	const struct creating *c = arg;
	const struct execution *x = &c->r->live.executions[no - 1];

	*ret = (struct run_exec){
		.no = no,
		.suite = x->suite,
		.test = x->test,
		.row = x->row,
		.target = x->target,
		.n_steps = x->n_steps,
		.estimate_us = c->estimates_us[no - 1] > 0 ?
		    c->estimates_us[no - 1] : 0,
	};
}

static void
fill_step(void *arg, uint32_t no, uint32_t step, struct run_step *ret)
{
	struct creating *c = arg;
	const struct plan *p = c->r->plan;
	const struct plan_step *s =
	    &p->steps[p->execs[no - 1].first_step + step];

	*ret = (struct run_step){
		.exec = no,
		.step = step,
		.test = p->tests[s->test].name,
		.row = plan_row_name(p, s, c->number),
		.target = s->target != PLAN_NONE ?
		    p->targets[s->target].name : NULL,
	};
}

static int
create_file(struct engine *e, struct erun *r, const int64_t *estimates_us)
{
	struct creating c = { .r = r, .estimates_us = estimates_us };
	struct buf snapshot = BUF_INIT;
	struct run_create create = {
		.head = {
			.plan = r->plan->name,
			.who = e->who,
			.state = RUN_RUNNING,
			.started_wall_us = clock_wall_us(),
		},
		.n = r->plan->n_execs,
		.exec = fill_exec,
		.step = fill_step,
		.arg = &c,
	};
	int rc;

	memcpy(create.head.id, r->live.id, sizeof create.head.id);
	plan_snapshot(r->plan, &snapshot);
	create.snapshot = buf_str(&snapshot);
	rc = run_file_create(e->state_dir, &create, &r->file);
	buf_done(&snapshot);
	if (rc < 0)
		return rc;
	r->epoch = run_file_epoch(r->file);
	r->live.started_wall_us = create.head.started_wall_us;
	return 0;
}

static int
fail(struct engine *e, struct erun *r, struct diags *ds, int rc,
    const char *what)
{
	diag_add(ds, DIAG_ERROR, NULL, 0, NULL, "%s: %s: %s", r->live.id, what,
	    err_text(rc));
	r->plan = NULL;
	erun_free(e, r);
	return rc;
}

int
engine_launch(struct engine *e, struct launch *l, struct diags *ds,
    char *ret_id)
{
	struct feed_state st = { .execs = NULL };
	char id[RUN_ID_SIZE];
	int64_t *estimates;
	struct erun *r;
	char *waits;
	int rc;

	if (e->read_only) {
		diag_add(ds, DIAG_ERROR, NULL, 0, NULL,
		    "this console is read-only: nothing is launched");
		return ERR_REFUSED;
	}
	if ((rc = secrets_take(e, l->plan, NULL, ds)) < 0)
		return rc;
	workspaces_look(e, l->plan);
	if (l->now)
		plan_unfix_schedules(l->plan);
	else
		plan_fix_schedules(l->plan, l->at_wall_us != 0 ?
		    l->at_wall_us : clock_wall_us(), l->when, ds);
	if (l->id != NULL)
		memcpy(id, l->id, sizeof id);
	else
		ident_new_run(id);
	r = erun_new(e, l->plan, id);
	if (l->name != NULL) {
		free(r->live.plan);
		r->live.plan = str_dup(l->name);
	}
	estimates = erun_estimates(e, r);
	st.estimates_us = estimates;
	st.fails = r->fails;
	if ((rc = create_file(e, r, estimates)) < 0)
		rc = fail(e, r, ds, rc, "the run cannot be recorded");
	else if ((rc = erun_start(e, r, &st)) < 0)
		rc = fail(e, r, ds, rc, "the run cannot be scheduled");
	free(estimates);
	if (rc < 0)
		return rc;
	amend_begun_paused(e, r);
	waits = due_text(r->plan, r->live.started_wall_us);
	engine_say(e, EVENT_INFO, e->who, id, "launched %s%s%s: %u "
	    "executions%s", r->live.plan, l->schedule != NULL ?
	    " by schedule " : "", l->schedule != NULL ? l->schedule : "",
	    r->live.n, waits);
	free(waits);
	packing_begin(e, r);
	memcpy(ret_id, id, RUN_ID_SIZE);
	return 0;
}

/* ---- adopting --------------------------------------------------------------- */

/* An attempt that its agent may have after all. */
struct lost_row {
	struct ident lead;	/* of its batch */
	struct sched_lost was;
};

/* What an attempt came to by its row, while its execution reads as out. */
struct ended_row {
	struct sched_id id;
	uint16_t worker;
	enum outcome outcome;
	int64_t elapsed_us;
};

struct restoring {
	struct engine *e;
	struct erun *r;
	struct feed_exec *v;
	int64_t *estimates_us;
	struct lost_row *lost;
	size_t n_lost, cap_lost;
	struct ended_row *ended;
	size_t n_ended, cap_ended;
	struct strvec instances;	/* names that the above borrow */
};

static int
restore_exec(void *arg, const struct run_exec *x)
{
	struct restoring *s = arg;
	struct feed_exec *f = &s->v[x->no - 1];
	int agent;

	if (x->no == 0 || x->no > s->r->live.n)
		return ERR_STORE;
	agent = x->agent != NULL ? fleet_index(s->e->fleet, x->agent) : -1;
	f->state = x->state;
	f->attempt = x->attempt;
	if (x->state == EXEC_SKIPPED && x->text != NULL &&
	    reason_parse(x->text) > 0)
		f->cause = (enum reason)reason_parse(x->text);
	f->agent = agent >= 0 ? (uint32_t)agent : SCHED_NONE;
	if (x->estimate_us > 0)
		s->estimates_us[x->no - 1] = x->estimate_us;
	if (x->text != NULL) {
		s->r->texts[x->no - 1].why = str_dup(x->text);
		s->r->live.executions[x->no - 1].text =
		    s->r->texts[x->no - 1].why;
	}
	return 0;
}

static void
restore_lost(struct restoring *s, const struct run_attempt *a, int agent)
{
	if (agent < 0)
		return;
	s->lost = mem_grow(s->lost, &s->cap_lost, s->n_lost + 1,
	    sizeof *s->lost);
	s->lost[s->n_lost++].was = (struct sched_lost){ .exec = a->exec,
		.attempt = a->attempt, .agent = (uint32_t)agent };
}

static void
restore_ended(struct restoring *s, const struct run_attempt *a)
{
	s->ended = mem_grow(s->ended, &s->cap_ended, s->n_ended + 1,
	    sizeof *s->ended);
	s->ended[s->n_ended++] = (struct ended_row){
		.id = { .exec = a->exec, .attempt = a->attempt },
		.worker = a->worker, .outcome = a->outcome,
		.elapsed_us = a->elapsed_us };
}

/* A result was recorded, and its console died before it could decide what
 * follows: its agent may have forgotten it, nobody reports it again. */
static void
replay_ended(struct restoring *s)
{
	struct ended_row *x;
	size_t i;

	for (i = 0; i < s->n_ended; i++) {
		x = &s->ended[i];
		x->id.run = s->r->handle;
		if (x->worker > 0)
			sched_started(s->e->sched, x->id, x->worker,
			    clock_mono_us());
		sched_ended(s->e->sched, x->id, x->outcome, x->elapsed_us,
		    clock_mono_us());
	}
}

static int
restore_attempt(void *arg, const struct run_attempt *a)
{
	struct restoring *s = arg;
	struct feed_exec *f;
	int agent;

	if (a->exec == 0 || a->exec > s->r->live.n || a->attempt == 0)
		return ERR_STORE;
	f = &s->v[a->exec - 1];
	agent = a->agent != NULL ? fleet_index(s->e->fleet, a->agent) : -1;
	if (a->attempt == f->attempt) {
		f->worker = a->worker;
		f->pinned = a->class == CLASS_PINNED;
		f->returned = a->state == ATTEMPT_RETURNED;
		f->unstarted = a->started_wall_us == 0;
		s->r->live.executions[a->exec - 1].elapsed_us = a->elapsed_us;
		if (a->state == ATTEMPT_ENDED && !a->late &&
		    exec_state_out(f->state))
			restore_ended(s, a);
	}
	if (a->state == ATTEMPT_LOST && !a->late && !amend_gave_up(s->r, a))
		restore_lost(s, a, agent);
	return 0;
}

static int
restore_tries(void *arg, const struct run_tries *t)
{
	struct restoring *s = arg;
	struct feed_exec *f;

	if (t->exec == 0 || t->exec > s->r->live.n)
		return ERR_STORE;
	f = &s->v[t->exec - 1];
	f->failures = t->failures;
	f->errors = t->errors;
	f->avoid = t->avoid == NULL ? 0 :
	    (uint32_t)(fleet_index(s->e->fleet, t->avoid) + 1);
	f->due_wall_us = t->due_wall_us;
	s->r->tries[t->exec - 1] = (struct tries){ f->failures, f->errors,
		f->avoid, f->due_wall_us };
	return 0;
}

static int
by_attempt(const void *key, const void *row)
{
	const struct run_leased *l = key;
	const struct sched_lost *was = &((const struct lost_row *)row)->was;

	if (l->exec != was->exec)
		return l->exec < was->exec ? -1 : 1;
	return l->attempt < was->attempt ? -1 : l->attempt > was->attempt;
}

/* Lost ones are still in the order in which they were read. */
static int
restore_leased(void *arg, const struct run_leased *l)
{
	struct restoring *s = arg;
	struct lost_row *lost = NULL;
	const char *name;
	struct feed_exec *f;

	if (l->exec == 0 || l->exec > s->r->live.n || l->instance == NULL)
		return ERR_STORE;
	f = &s->v[l->exec - 1];
	if (s->n_lost > 0)
		lost = bsearch(l, s->lost, s->n_lost, sizeof *s->lost,
		    by_attempt);
	if (lost == NULL && f->attempt != l->attempt)
		return 0;
	strvec_push(&s->instances, l->instance);
	name = s->instances.v[s->instances.n - 1];
	if (f->attempt == l->attempt)
		f->instance = name;
	if (lost != NULL)
		lost->was.instance = name;
	return 0;
}

static int
restore_result(void *arg, const struct run_result *res)
{
	struct restoring *s = arg;
	const struct plan_exec *x;

	if (res->exec == 0 || res->exec > s->r->live.n)
		return ERR_STORE;
	x = &s->r->plan->execs[res->exec - 1];
	if (!res->late && res->step < x->n_steps &&
	    res->r.outcome == OUTCOME_PASSED)
		s->r->passed[x->first_step + res->step] = 1;
	return 0;
}

static int
by_lead(const void *a, const void *b)
{
	const struct lost_row *x = a, *y = b;

	if (x->lead.execution != y->lead.execution)
		return x->lead.execution < y->lead.execution ? -1 : 1;
	if (x->lead.attempt != y->lead.attempt)
		return x->lead.attempt < y->lead.attempt ? -1 : 1;
	return x->was.exec < y->was.exec ? -1 : x->was.exec > y->was.exec;
}

/* A batch was lost as a whole: its members follow each other. */
static struct sched_lost *
lost_in_order(struct restoring *s)
{
	struct sched_lost *v = mem_calloc(s->n_lost, sizeof *v);
	size_t i;

	for (i = 0; i < s->n_lost; i++)
		s->lost[i].lead = batch_lead(s->r, (struct sched_id){ 0,
		    s->lost[i].was.exec, s->lost[i].was.attempt });
	if (s->n_lost > 1)
		qsort(s->lost, s->n_lost, sizeof *s->lost, by_lead);
	for (i = 0; i < s->n_lost; i++) {
		v[i] = s->lost[i].was;
		v[i].lead = i > 0 && ident_equal(&s->lost[i].lead,
		    &s->lost[i - 1].lead) ? v[i - 1].lead : (uint32_t)i;
	}
	return v;
}

static int
restore_all(struct engine *e, struct erun *r)
{
	struct restoring s = { .e = e, .r = r };
	struct feed_state st = { .execs = NULL };
	struct sched_lost *lost = NULL;
	int rc;

	s.v = mem_calloc(r->live.n, sizeof *s.v);
	s.estimates_us = erun_estimates(e, r);
	if ((rc = amend_restore_plan(r)) == 0 &&
	    (rc = run_file_each_exec(r->file, restore_exec, &s)) == 0 &&
	    (rc = run_file_each_tries(r->file, restore_tries, &s)) == 0 &&
	    (rc = run_file_each_attempt(r->file, 0, restore_attempt, &s)) ==
	    0 && (rc = run_file_each_leased(r->file, 0, restore_leased,
	    &s)) == 0)
		rc = run_file_each_result(r->file, 0, restore_result, &s);
	if (rc == 0)
		rc = batch_restore(e, r, s.v);
	if (rc == 0)
		rc = shares_restore(r);
	if (rc == 0)
		rc = artifacts_restore(e, r->file);
	if (rc == 0)
		rc = events_restore(e, r);
	if (rc == 0) {
		st.lost = lost = lost_in_order(&s);
		st.execs = s.v;
		st.n_lost = (uint32_t)s.n_lost;
		st.estimates_us = s.estimates_us;
		st.fails = r->fails;
		rc = erun_start(e, r, &st);
	}
	if (rc == 0) {
		replay_ended(&s);
		amend_replay(e, r);
	}
	free(s.v);
	free(s.lost);
	free(s.ended);
	strvec_done(&s.instances);
	free(lost);
	free(s.estimates_us);
	return rc;
}

int
run_plan_load(struct run_file *f, struct plan **ret)
{
	char *text = NULL;
	int rc;

	if ((rc = run_file_snapshot(f, &text)) < 0)
		return rc;
	rc = plan_from_snapshot(text, strlen(text), ret);
	free(text);
	return rc;
}

int
engine_adopt(struct engine *e, const char *run_id, struct diags *ds)
{
	struct run_file *file = NULL;
	struct run_head head;
	struct plan *plan = NULL;
	struct erun *r = NULL;
	char *owner = NULL;
	int rc;

	rc = run_file_adopt(e->state_dir, run_id, e->who, &file, &owner);
	if (rc == ERR_LOCKED)
		diag_add(ds, DIAG_ERROR, NULL, 0, NULL, "%s is driven by %s",
		    run_id, owner != NULL ? owner : "another process");
	else if (rc == ERR_VERSION)
		diag_add(ds, DIAG_ERROR, NULL, 0, NULL, "%s is of a newer "
		    "yardmaster: take it over with that one", run_id);
	if (rc < 0)
		goto out;
	if ((rc = run_file_head(file, &head)) < 0 ||
	    (rc = run_plan_load(file, &plan)) < 0)
		goto out;
	if ((rc = secrets_take(e, plan, &e->ask, ds)) < 0) {
		plan_free(plan);
		goto out;
	}
	r = erun_new(e, plan, run_id);
	r->file = file;
	file = NULL;
	r->epoch = head.epoch;
	r->live.adopted = true;
	r->live.started_wall_us = head.started_wall_us;
	if ((rc = restore_all(e, r)) < 0) {
		erun_free(e, r);
		goto out;
	}
	engine_say(e, EVENT_INFO, e->who, run_id, "took over %s",
	    r->live.plan);
	packing_begin(e, r);
out:
	run_file_close(file);
	free(owner);
	return rc;
}
