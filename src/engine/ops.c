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
op_reconnect(struct engine *e, size_t agent, struct agent_op *a)
{
	a->what = str_dup("trying now");
	fleet_reconnect(e->fleet, agent);
	agent_answered(a, 0, NULL);
	return 0;
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
	int64_t now = clock_mono_us();
	int rc;

	if (op->id.execution != 0) {
		rc = sched_exec_hold(e->sched, r->handle, op->id.execution,
		    text, now);
	} else {
		rc = sched_run_hold(e->sched, r->handle, text, now);
		stop_note_set(&r->live.held, text != NULL ?
		    (op->who != NULL ? op->who : e->who) : NULL, op->note,
		    clock_wall_us(), op->expires_wall_us);
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
	int agent = fleet_index(e->fleet, op->agent);

	if (agent < 0)
		return ERR_NOT_FOUND;
	return sched_exec_move(e->sched, r->handle, op->id.execution,
	    (uint32_t)agent, clock_mono_us());
}

static int
op_priority(struct engine *e, struct erun *r, const struct op *op)
{
	if (op->id.execution == 0)
		return sched_run_priority(e->sched, r->handle, op->priority);
	return sched_exec_priority(e->sched, r->handle, op->id.execution,
	    op->priority);
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

/* ---- dispatch ------------------------------------------------------------------------ */

struct replaying {
	struct engine *e;
	struct erun *r;
};

struct op_row {
	int (*on_agent)(struct engine *, size_t, struct agent_op *);
	int (*on_run)(struct engine *, struct erun *, const struct op *);
	bool execution_only;
};

static const struct op_row rows[OP_KINDS] = {
	[OP_SET] = { .on_agent = op_set },
	[OP_DRAIN] = { .on_agent = op_mode },
	[OP_UNDRAIN] = { .on_agent = op_mode },
	[OP_HOLD] = { .on_agent = op_mode, .on_run = op_hold },
	[OP_RELEASE] = { .on_agent = op_mode, .on_run = op_hold },
	[OP_CANCEL] = { .on_run = op_cancel },
	[OP_REQUEUE] = { .on_run = op_requeue, .execution_only = true },
	[OP_MOVE] = { .on_run = op_move, .execution_only = true },
	[OP_PRIORITY] = { .on_run = op_priority },
	[OP_RECONNECT] = { .on_agent = op_reconnect },
	[OP_GIVE_UP] = { .on_run = op_give_up },
};

/* What the amendment of an op says beyond its kind and object. */
static const char *
amended(const struct op *op, char number[16])
{
	if (op->kind == OP_MOVE)
		return op->agent;
	if (op->kind != OP_PRIORITY)
		return op->note;
	snprintf(number, 16, "%d", (int)op->priority);
	return number;
}

/* The reverse, for a run that is taken over. */
static int
replay(void *arg, const struct run_amendment *am)
{
	const struct replaying *p = arg;
	struct op op = { .who = am->who };
	int kind = op_parse(am->kind);

	if (kind < 0 || rows[kind].on_run == NULL || am->object == NULL ||
	    ident_parse(am->object, &op.id) < 0 ||
	    op.id.execution > p->r->live.n)
		return 0;
	op.kind = (enum op_kind)kind;
	if (kind == OP_MOVE && am->what != NULL)
		snprintf(op.agent, sizeof op.agent, "%s", am->what);
	else if (kind == OP_PRIORITY && am->what != NULL)
		op.priority = (int32_t)strtol(am->what, NULL, 10);
	else
		op.note = am->what;
	/* What it was meant for may have ended since. */
	if (kind != OP_REQUEUE && kind != OP_GIVE_UP)
		(void)rows[kind].on_run(p->e, p->r, &op);
	return 0;
}

int
ops_replay(struct engine *e, struct erun *r)
{
	struct replaying p = { e, r };

	return run_file_each_amendment(r->file, replay, &p);
}

static int
on_run(struct engine *e, const struct op_row *row, const struct op *op)
{
	struct erun *r = erun_find(e, op->id.run);
	struct run_amendment am = {
		.wall_us = clock_wall_us(),
		.who = op->who != NULL ? op->who : e->who,
		.kind = op_name(op->kind),
	};
	char id[IDENT_TEXT], number[16];
	int rc;

	am.what = amended(op, number);
	if (r == NULL || r->file == NULL || op->id.execution > r->live.n)
		return ERR_NOT_FOUND;
	if (row->execution_only && op->id.execution == 0)
		return ERR_INVALID;
	if ((rc = row->on_run(e, r, op)) < 0)
		return rc;
	am.object = ident_format(&op->id, id);
	erun_put(r, run_file_put_amendment(r->file, &am));
	engine_say(e, EVENT_EDIT, am.who, r->live.id, "%s %s%s%s", am.kind, id,
	    am.what != NULL ? ": " : "", am.what != NULL ? am.what : "");
	if (op->id.execution != 0)
		view_execution(e, r, op->id.execution);
	engine_hurry(e);
	return 0;
}

void
engine_op(struct engine *e, const struct op *op, op_fn fn, void *arg)
{
	const struct op_row *row = &rows[op->kind];
	int agent, rc;

	if (e->read_only) {
		answer(fn, arg, ERR_REFUSED, "this console is read-only");
	} else if (op->id.run[0] != '\0' && row->on_run != NULL) {
		rc = on_run(e, row, op);
		answer(fn, arg, rc, rc < 0 ? err_text(rc) : NULL);
	} else if (op->agent[0] == '\0' || row->on_agent == NULL) {
		answer(fn, arg, ERR_INVALID, "this cannot be done to that");
	} else if ((agent = fleet_index(e->fleet, op->agent)) < 0) {
		answer(fn, arg, ERR_NOT_FOUND, "no such agent");
	} else {
		row->on_agent(e, (size_t)agent,
		    agent_op_new(e, op, fn, arg));
	}
}
