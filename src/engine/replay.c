/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A run was taken over: what was done to it while it ran is done again, so far
 * as it still means something. What came of the rest is recorded with the
 * states of executions, and stays.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"

#include "engine/engine_private.h"

/* What runs together shares its fate. */
static bool
same_fate(const struct erun *r, uint32_t a, uint32_t b)
{
	const struct plan_exec *x = r->plan->execs;

	return a == b || (a > 0 && b > 0 && x[a - 1].group > 0 &&
	    x[a - 1].group == x[b - 1].group);
}

/* Executions that were begun afresh by a later requeue are not ended again by
 * what was done before it. */
static bool
superseded(const struct erun *r, const struct amendment *am)
{
	size_t i;

	/* One undone was done, too; what undid it is done after it. */
	if (am->kind == OP_HOLD || am->kind == OP_RELEASE)
		return false;
	if (am->id.execution == 0 || am->undone || am->undoes > 0)
		return am->undone || am->undoes > 0;
	for (i = (size_t)am->number; i < r->n_amendments; i++)
		if (r->amendments[i].kind == OP_REQUEUE && same_fate(r,
		    r->amendments[i].id.execution, am->id.execution))
			return true;
	return false;
}

/* Only the last word counts, and one that lets go on lets nothing go on that
 * somebody paused here. */
static void
replay_pause(struct engine *e, struct erun *r)
{
	const struct amendment *am = NULL;
	char *text = NULL;
	struct op op;
	size_t i;

	for (i = r->n_amendments; i-- > 0 && am == NULL;)
		if ((r->amendments[i].kind == OP_PAUSE ||
		    r->amendments[i].kind == OP_GO_ON) &&
		    !r->amendments[i].undone && r->amendments[i].undoes == 0)
			am = &r->amendments[i];
	if (am == NULL || am->kind == OP_GO_ON || e->stopped != NULL)
		return;
	amend_op(am, am->now, &op);
	(void)op_run(e, r, &op, &text);
	free(text);
}

/* It named the attempt that it was to end, which may not have ended yet; or
 * that of a part that runs together with it has not. */
static void
replay_requeue(struct engine *e, struct erun *r, const struct amendment *am)
{
	struct sched_view v;
	uint32_t no;

	for (no = 1; am->id.attempt > 0 && no <= r->live.n; no++)
		if (same_fate(r, no, am->id.execution) &&
		    sched_exec_view(e->sched, r->handle, no, &v) == 0 &&
		    v.attempt == am->id.attempt && exec_state_out(v.state))
			(void)sched_exec_requeue(e->sched, r->handle, no,
			    clock_mono_us());
}

/* One that was sent since has waited for its schedule; of a delay after a try
 * it is recorded whether it is over. */
static bool
is_over(struct engine *e, const struct erun *r, const struct amendment *am)
{
	struct sched_view v;

	return am->kind == OP_START_NOW && sched_exec_view(e->sched,
	    r->handle, am->id.execution, &v) == 0 && v.attempt > 0;
}

bool
amend_gave_up(const struct erun *r, const struct run_attempt *a)
{
	const struct amendment *am;
	size_t i;

	for (i = 0; i < r->n_amendments; i++) {
		am = &r->amendments[i];
		if (am->kind == OP_DECLARE_DEAD && am->now != NULL &&
		    a->agent != NULL && strcmp(am->now, a->agent) == 0 &&
		    a->sent_wall_us <= am->wall_us)
			return true;
	}
	return false;
}

void
amend_replay(struct engine *e, struct erun *r)
{
	const struct amendment *am;
	char *text = NULL;
	struct op op;
	size_t i;

	for (i = 0; i < r->n_amendments; i++) {
		am = &r->amendments[i];
		if (am->kind == OP_REQUEUE)
			replay_requeue(e, r, am);
		/* Recorded with states, or put over the plan before. */
		if (am->kind == OP_REQUEUE || am->kind == OP_GIVE_UP ||
		    am->kind == OP_DECLARE_LOST || am->kind == OP_AMEND ||
		    am->kind == OP_DECLARE_DEAD ||
		    am->kind == OP_PAUSE || am->kind == OP_GO_ON ||
		    (am->kind == OP_PRIORITY && am->now == NULL) ||
		    superseded(r, am) || is_over(e, r, am))
			continue;
		amend_op(am, am->now, &op);
		op.expires_wall_us = am->expires_wall_us;
		op.since_wall_us = am->wall_us;
		/* What it was meant for may have ended since. */
		(void)op_run(e, r, &op, &text);
		free(text);
		text = NULL;
	}
	replay_pause(e, r);
	holds_look(e);
}
