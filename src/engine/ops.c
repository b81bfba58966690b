/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What operators do. Ops on agents go over the links and are answered by the
 * agents; ops on runs and executions go to the scheduler and are recorded as
 * amendments of the run.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"

#include "engine/engine_private.h"

typedef void (*op_fn)(void *arg, int code, const char *text);

/* An op on an agent, until the agent answers. */
struct agent_op {
	struct engine *e;
	struct op op;
	char *who;
	char *what;		/* "max workers 2 -> 4" */
	op_fn fn;
	void *arg;
};

static void
answer(op_fn fn, void *arg, int code, const char *text)
{
	if (fn != NULL)
		fn(arg, code, text);
}

/* ---- agents ------------------------------------------------------------------ */

static void
agent_answered(void *arg, int code, const char *text)
{
	struct agent_op *a = arg;

	if (code == 0)
		engine_say(a->e, EVENT_EDIT, a->who, a->op.agent, "%s: %s",
		    a->op.agent, a->what);
	else
		engine_say(a->e, EVENT_WARNING, a->who, a->op.agent,
		    "%s: %s failed: %s", a->op.agent, a->what,
		    text != NULL ? text : err_text(code));
	answer(a->fn, a->arg, code, code == 0 ? a->what : text);
	free(a->who);
	free(a->what);
	free(a);
}

static char *
describe_set(const struct op *op)
{
	struct buf b = BUF_INIT;
	char from[16], to[16];

	if (op->set_max)
		buf_putf(&b, "max workers %u -> %u", op->expect_max,
		    op->max_workers);
	if (op->set_threshold)
		buf_putf(&b, "%sthreshold %s -> %s", op->set_max ? ", " : "",
		    threshold_format(&op->expect_threshold, from),
		    threshold_format(&op->threshold, to));
	if (op->set_guards != 0 && buf_len(&b) > 0)
		buf_puts(&b, ", ");
	guards_put_change(&b, &op->expect_guards, &op->guards,
	    op->set_guards);
	return buf_steal(&b);
}

static struct agent_op *
agent_op_new(struct engine *e, const struct op *op, op_fn fn, void *arg)
{
	struct agent_op *a = mem_zalloc(sizeof *a);

	a->e = e;
	a->op = *op;
	a->who = str_dup(op->who != NULL ? op->who : e->who);
	a->fn = fn;
	a->arg = arg;
	return a;
}

/* What the fleet file says of it. */
static int
op_set_fleet(struct engine *e, struct agent_op *a)
{
	char *text = NULL;
	int r = fleet_live_set(e, &a->op, a->who, &text);

	answer(a->fn, a->arg, r, text);
	free(text);
	free(a->who);
	free(a);
	return 0;
}

static int
op_set(struct engine *e, size_t agent, struct agent_op *a)
{
	struct fleet_set set = {
		.who = a->who,
		.set_max = a->op.set_max,
		.set_threshold = a->op.set_threshold,
		.max_workers = a->op.max_workers,
		.expect_max = a->op.expect_max,
		.threshold = a->op.threshold,
		.expect_threshold = a->op.expect_threshold,
		.set_guards = a->op.set_guards,
		.guards = a->op.guards,
		.expect_guards = a->op.expect_guards,
	};

	if (a->op.key != NULL)
		return op_set_fleet(e, a);
	a->what = describe_set(&a->op);
	fleet_set_values(e->fleet, agent, &set, agent_answered, a);
	return 0;
}

static int
op_mode(struct engine *e, size_t agent, struct agent_op *a)
{
	a->what = str_dup(op_name(a->op.kind));
	fleet_set_mode(e->fleet, agent, a->what, a->who, a->op.note,
	    a->op.expires_wall_us, agent_answered, a);
	return 0;
}

static int
op_take(struct engine *e, size_t agent, struct agent_op *a)
{
	struct fleet_take take = {
		.who = a->who, .note = a->op.note,
		.kind = a->op.taking, .workers = a->op.worker,
	};

	if (a->op.expires_wall_us > 0)
		take.for_us = a->op.expires_wall_us - clock_wall_us();
	a->what = str_fmt("%u taken for %s", a->op.worker,
	    worker_kind_name(a->op.taking));
	fleet_take(e->fleet, agent, &take, agent_answered, a);
	return 0;
}

/* The worker stands for all that were taken with it. */
static int
op_give_back(struct engine *e, size_t agent, struct agent_op *a)
{
	const struct facts *f = &fleet_agent(e->fleet, agent)->facts;
	struct fleet_take take = { .who = a->who };
	uint32_t i;

	for (i = 0; i < f->n_workers; i++)
		if (f->workers[i].no == a->op.worker)
			take.give_back = f->workers[i].take;
	a->what = str_fmt("worker %u given back", a->op.worker);
	if (take.give_back == 0) {
		agent_answered(a, ERR_STATE, "nobody has taken that worker");
		return 0;
	}
	fleet_take(e->fleet, agent, &take, agent_answered, a);
	return 0;
}

static int
op_reconnect(struct engine *e, size_t agent, struct agent_op *a)
{
	a->what = str_dup("trying now");
	fleet_reconnect(e->fleet, agent);
	agent_answered(a, 0, NULL);
	return 0;
}

/* Answers what was done at once, or why not. */
static int
agent_done(struct agent_op *a, int code, const char *what, const char *fault)
{
	a->what = str_dup(what);
	agent_answered(a, code, fault);
	return 0;
}

static int
op_clear(struct engine *e, size_t agent, struct agent_op *a)
{
	int r = bench_clear(e->bench, (uint32_t)agent, clock_mono_us());

	engine_bench_look(e);
	return agent_done(a, r, "cleared", "it is not benched");
}

static int
op_probe(struct engine *e, size_t agent, struct agent_op *a)
{
	int r = bench_probe(e->bench, (uint32_t)agent);

	engine_bench_look(e);
	return agent_done(a, r, "probed by the next execution",
	    "it is not benched");
}

static int
op_declare_dead(struct engine *e, size_t agent, struct agent_op *a)
{
	/* One that is there speaks for itself. */
	if (fleet_agent(e->fleet, agent)->link >= LINK_UP)
		return agent_done(a, ERR_STATE, "declared dead",
		    "its link is up");
	amend_dead(e, agent, a->who);
	sched_agent_dead(e->sched, (uint32_t)agent, clock_mono_us());
	leases_agent_dead(e, agent);
	engine_hurry(e);
	return agent_done(a, 0, "declared dead", NULL);
}

/* ---- runs and executions --------------------------------------------------------- */

/* Who did it and why, as it stands in blockers. */
static char *
op_text(const struct engine *e, const struct op *op)
{
	return str_fmt("%s%s%s", op->who != NULL ? op->who : e->who,
	    op->note != NULL ? ": " : "", op->note != NULL ? op->note : "");
}

static int
op_hold(struct engine *e, struct erun *r, const struct op *op)
{
	char *text = op->kind == OP_HOLD ? op_text(e, op) : NULL;
	int64_t now = clock_mono_us(), wall = clock_wall_us();
	int64_t since = op->since_wall_us > 0 ? op->since_wall_us : wall;
	int rc;

	if (op->id.execution != 0) {
		rc = sched_exec_hold(e->sched, r->handle, op->id.execution,
		    text, now);
	} else {
		rc = sched_run_hold(e->sched, r->handle, text, now);
		stop_note_set(&r->live.held, text != NULL ?
		    (op->who != NULL ? op->who : e->who) : NULL, op->note,
		    since, op->expires_wall_us);
	}
	if (rc == 0) {
		sched_held_since(e->sched, r->handle, op->id.execution,
		    now - (wall - since));
		holds_set(r, op->id.execution, text != NULL ?
		    op->expires_wall_us : 0);
	}
	free(text);
	return rc;
}

static int
op_cancel(struct engine *e, struct erun *r, const struct op *op)
{
	int64_t now = clock_mono_us();

	if (op->id.execution == 0)
		return sched_run_cancel(e->sched, r->handle, now);
	return sched_exec_cancel(e->sched, r->handle, op->id.execution, now);
}

static int
op_requeue(struct engine *e, struct erun *r, const struct op *op)
{
	return sched_exec_requeue(e->sched, r->handle, op->id.execution,
	    clock_mono_us());
}

static int
op_move(struct engine *e, struct erun *r, const struct op *op)
{
	int agent = -1;

	/* None: it goes where it may. */
	if (op->agent[0] != '\0' &&
	    (agent = fleet_index(e->fleet, op->agent)) < 0)
		return ERR_NOT_FOUND;
	return sched_exec_move(e->sched, r->handle, op->id.execution,
	    agent < 0 ? SCHED_NONE : (uint32_t)agent, clock_mono_us());
}

static int
op_skip(struct engine *e, struct erun *r, const struct op *op)
{
	return (op->kind == OP_SKIP ? sched_exec_skip : sched_exec_unskip)
	    (e->sched, r->handle, op->id.execution, clock_mono_us());
}

/* What it was skipped for does not count any more. */
static int
op_run_anyway(struct engine *e, struct erun *r, const struct op *op)
{
	erun_why(r, op->id.execution, NULL);
	return sched_exec_run_anyway(e->sched, r->handle, op->id.execution,
	    clock_mono_us());
}

static int
op_start_now(struct engine *e, struct erun *r, const struct op *op)
{
	int rc = sched_exec_start_now(e->sched, r->handle, op->id.execution,
	    clock_mono_us());

	if (rc == 0)
		erun_put_exec(e, r, op->id.execution);
	return rc;
}

static int
op_override(struct engine *e, struct erun *r, const struct op *op)
{
	return sched_exec_override(e->sched, r->handle, op->id.execution,
	    clock_mono_us());
}

static int
op_priority(struct engine *e, struct erun *r, const struct op *op)
{
	if (op->id.execution == 0)
		return sched_run_priority(e->sched, r->handle, op->priority);
	return sched_exec_priority(e->sched, r->handle, op->id.execution,
	    op->priority);
}

static int
op_declare_lost(struct engine *e, struct erun *r, const struct op *op)
{
	return sched_exec_declare_lost(e->sched, r->handle, op->id.execution,
	    clock_mono_us());
}

/* Everything that only waits ends as error. */
static int
op_give_up(struct engine *e, struct erun *r, const struct op *op)
{
	const struct execution *x;
	uint32_t i;

	for (i = 0; i < r->live.n; i++) {
		x = &r->live.executions[i];
		if (x->state != EXEC_WAITING)
			continue;
		erun_why(r, x->no, str_fmt("%s%sgave up: %s%s%s",
		    x->text != NULL ? x->text : "",
		    x->text != NULL ? "; " : "", reason_name(x->reason),
		    x->reason_text != NULL ? ": " : "",
		    x->reason_text != NULL ? x->reason_text : ""));
		(void)sched_exec_give_up(e->sched, r->handle, x->no,
		    clock_mono_us());
	}
	return 0;
}

/* ---- the console itself -------------------------------------------------------------- */

static void
pause_all(struct engine *e, const struct op *op, const struct erun *but)
{
	const char *who = op->who != NULL ? op->who : e->who;
	bool on = op->kind == OP_PAUSE;

	amend_console(e, op, but);
	stop_note_set(&e->stop, on ? who : NULL, op->note, clock_wall_us(),
	    0);
	free(e->stopped);
	e->stopped = on ? op_text(e, op) : NULL;
	engine_gate(e);
	engine_say(e, EVENT_EDIT, who, NULL, on ? "dispatch paused%s%s" :
	    "dispatch goes on%s%s", op->note != NULL ? ": " : "",
	    op->note != NULL ? op->note : "");
	engine_hurry(e);
}

static void
op_pause(struct engine *e, const struct op *op)
{
	pause_all(e, op, NULL);
}

/* By way of one run: it was taken over, or a pause is taken back. The caller
 * records that run's own. */
static int
op_pause_run(struct engine *e, struct erun *r, const struct op *op)
{
	pause_all(e, op, r);
	return 0;
}

/* ---- dispatch ------------------------------------------------------------------------ */

struct op_row {
	int (*on_agent)(struct engine *, size_t, struct agent_op *);
	int (*on_run)(struct engine *, struct erun *, const struct op *);
	void (*on_console)(struct engine *, const struct op *);
	int (*on_fleet)(struct engine *, const struct op *, const char *who,
	    char **ret_text);
	bool execution_only;
	bool amends;		/* it is recorded with the run */
};

static const struct op_row rows[OP_KINDS] = {
	[OP_SET] = { .on_agent = op_set },
	[OP_ADD] = { .on_fleet = fleet_live_set },
	[OP_DRAIN] = { .on_agent = op_mode },
	[OP_UNDRAIN] = { .on_agent = op_mode },
	[OP_HOLD] = { .on_agent = op_mode, .on_run = op_hold, .amends = true },
	[OP_RELEASE] = { .on_agent = op_mode, .on_run = op_hold,
	    .amends = true },
	[OP_CANCEL] = { .on_run = op_cancel, .amends = true },
	[OP_REQUEUE] = { .on_run = op_requeue, .execution_only = true,
	    .amends = true },
	[OP_MOVE] = { .on_run = op_move, .execution_only = true,
	    .amends = true },
	[OP_PRIORITY] = { .on_run = op_priority, .amends = true },
	[OP_TAKE] = { .on_agent = op_take },
	[OP_GIVE_BACK] = { .on_agent = op_give_back },
	[OP_RECONNECT] = { .on_agent = op_reconnect },
	[OP_GIVE_UP] = { .on_run = op_give_up, .amends = true },
	[OP_SKIP] = { .on_run = op_skip, .execution_only = true,
	    .amends = true },
	[OP_UNSKIP] = { .on_run = op_skip, .execution_only = true,
	    .amends = true },
	[OP_RUN_ANYWAY] = { .on_run = op_run_anyway, .execution_only = true,
	    .amends = true },
	[OP_START_NOW] = { .on_run = op_start_now, .execution_only = true,
	    .amends = true },
	[OP_OVERRIDE] = { .on_run = op_override, .execution_only = true,
	    .amends = true },
	[OP_PAUSE] = { .on_console = op_pause, .on_run = op_pause_run },
	[OP_GO_ON] = { .on_console = op_pause, .on_run = op_pause_run },
	[OP_AMEND] = { .amends = true },
	[OP_CLEAR] = { .on_agent = op_clear },
	[OP_PROBE] = { .on_agent = op_probe },
	[OP_DECLARE_DEAD] = { .on_agent = op_declare_dead },
	[OP_DECLARE_LOST] = { .on_run = op_declare_lost,
	    .execution_only = true, .amends = true },
};

bool
op_amends(enum op_kind kind)
{
	return rows[kind].amends;
}

int
op_run(struct engine *e, struct erun *r, const struct op *op, char **ret_text)
{
	const struct op_row *row = &rows[op->kind];

	if (op->id.execution > r->live.n)
		return ERR_NOT_FOUND;
	if (row->execution_only && op->id.execution == 0)
		return ERR_INVALID;
	if (op->kind == OP_AMEND)
		return amend_plan(e, r, op, ret_text);
	return row->on_run == NULL ? ERR_INVALID : row->on_run(e, r, op);
}

/* The rest of an op on a run: it is told and shown. */
static char *
told(struct engine *e, struct erun *r, const struct amendment *am)
{
	char id[IDENT_TEXT];

	ident_format(&am->id, id);
	engine_say(e, EVENT_EDIT, am->who, r->live.id, "%s %s%s%s%s%s%s%s",
	    am->undoes > 0 ? "undo" : op_name(am->kind), id,
	    am->key != NULL ? " " : "", am->key != NULL ? am->key : "",
	    am->was != NULL && am->now != NULL ? ": " : "",
	    am->was != NULL && am->now != NULL ? am->was : "",
	    am->now == NULL ? "" : am->was != NULL ? " -> " : ": ",
	    am->now != NULL ? am->now : "");
	if (am->id.execution != 0)
		view_execution(e, r, am->id.execution);
	engine_hurry(e);
	if (am->key != NULL)
		return str_fmt("%s %s -> %s (amendment %llu)%s", am->key,
		    *am->was != '\0' ? am->was : "as planned",
		    *am->now != '\0' ? am->now : "as planned",
		    (unsigned long long)am->number, r->failed ?
		    "; it cannot be recorded yet" : "");
	return str_fmt("done (amendment %llu)%s",
	    (unsigned long long)am->number, r->failed ?
	    "; it cannot be recorded yet" : "");
}

/* The attempt that a requeue will end, or 0: its execution is not out. */
static uint32_t
requeued(const struct engine *e, const struct erun *r, const struct op *op)
{
	struct sched_view v;

	return op->kind == OP_REQUEUE && sched_exec_view(e->sched, r->handle,
	    op->id.execution, &v) == 0 && exec_state_out(v.state) ?
	    v.attempt : 0;
}

/* Who can do it to a run that this process does not drive. */
static char *
who_can(const struct engine *e, const struct op *op)
{
	const struct run *run = engine_run_find(e, op->id.run);
	char id[IDENT_TEXT];

	if (run == NULL)
		return NULL;
	if (run->state == RUN_ENDED)
		return str_dup("its run has ended");
	if (run->owner != NULL)
		return str_fmt("\"yardmaster %s %s\" does it: %s drives it",
		    op_name(op->kind), ident_format(&op->id, id), run->owner);
	return str_dup("no process drives it; resume it first");
}

static int
on_run(struct engine *e, const struct op *op, char **ret_text)
{
	struct erun *r = erun_find(e, op->id.run);
	const char *who = op->who != NULL ? op->who : e->who;
	struct op todo = *op;
	char *was;
	int rc;

	if (r == NULL || r->file == NULL) {
		*ret_text = who_can(e, op);
		return ERR_NOT_FOUND;
	}
	if (op->kind == OP_UNDO && (rc = amend_undo(e, r, op->number, &todo,
	    ret_text)) < 0)
		return rc;
	todo.number = op->kind == OP_UNDO ? op->number : 0;
	if (op->kind == OP_AMEND && amend_is_wide(op))
		return sched_run_ended(e->sched, r->handle) ? ERR_STATE :
		    amend_targets(e, r, op, who, ret_text);
	todo.id.attempt = requeued(e, r, &todo);
	was = amend_value(e, r, &todo);
	if ((rc = op_run(e, r, &todo, ret_text)) < 0) {
		free(was);
		return rc;
	}
	if (todo.kind == OP_AMEND) {
		was = *ret_text;
		*ret_text = NULL;
	}
	*ret_text = told(e, r, amend_record(r, &todo, who, was));
	return 0;
}

void
engine_op(struct engine *e, const struct op *op, op_fn fn, void *arg)
{
	const struct op_row *row = &rows[op->kind];
	char *text = NULL;
	int agent, rc;

	if (e->read_only) {
		answer(fn, arg, ERR_REFUSED, "this console is read-only");
	} else if (row->on_console != NULL) {
		row->on_console(e, op);
		answer(fn, arg, 0, NULL);
	} else if (row->on_fleet != NULL) {
		rc = row->on_fleet(e, op, op->who != NULL ? op->who : e->who,
		    &text);
		answer(fn, arg, rc, text);
		free(text);
	} else if (op->id.run[0] != '\0' && (row->amends ||
	    op->kind == OP_UNDO)) {
		rc = on_run(e, op, &text);
		answer(fn, arg, rc, text != NULL ? text :
		    rc < 0 ? err_text(rc) : NULL);
		free(text);
	} else if (op->agent[0] == '\0' || row->on_agent == NULL) {
		answer(fn, arg, ERR_INVALID, "this cannot be done to that");
	} else if ((agent = fleet_index(e->fleet, op->agent)) < 0) {
		answer(fn, arg, ERR_NOT_FOUND, "no such agent");
	} else {
		row->on_agent(e, (size_t)agent,
		    agent_op_new(e, op, fn, arg));
	}
}
