/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What views see of executions and runs, copied from the scheduler. */
#include "config.h"

#include <stdlib.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"

#include "engine/engine_private.h"

/* Facts are written out for so many waiting executions; the rest shows its
 * code and is explained when somebody asks. */
#define TEXTS_MAX 500

void
view_execution(struct engine *e, struct erun *r, uint32_t no)
{
	struct execution *x = &r->live.executions[no - 1];
	enum reason was = x->reason;
	struct sched_view v;

	if (r->file == NULL ||
	    sched_exec_view(e->sched, r->handle, no, &v) < 0)
		return;
	x->state = v.state;
	x->unknown = v.unknown;
	x->attempt = v.attempt;
	x->tries = v.failures + v.errors + (v.state == EXEC_PASSED ||
	    v.state == EXEC_HEALED);
	x->agent = v.agent == SCHED_NONE ? -1 : (int)v.agent;
	x->worker = v.worker;
	x->tier = v.tier;
	x->since_us = v.since_us;
	if (exec_state_final(x->state) || x->state == EXEC_RUNNING)
		x->reason = REASON_NONE;
	else
		x->reason = sched_headline(e->sched, r->handle, no,
		    &x->reason_since_us);
	if (x->reason != REASON_NONE && workspace_is_awaited(r, no)) {
		x->reason = REASON_SETUP;
		x->reason_since_us = r->texts[no - 1].setup_us;
	}
	/* Facts of another reason say nothing of this one. */
	if (x->reason != was)
		x->reason_text = NULL;
}

void
view_why(const struct engine *e, const struct erun *r, uint32_t no,
    int64_t now_us, struct why *ret)
{
	const struct execution *x = &r->live.executions[no - 1];
	char *text;

	sched_why(e->sched, r->handle, no, now_us, ret);
	workspace_why(r, no, ret);
	if (x->state != EXEC_ASSIGNED || x->batch == NULL || ret->n == 0)
		return;
	text = str_fmt("%s; one process for %s", ret->v[0].text, x->batch);
	free(ret->v[0].text);
	ret->v[0].text = text;
}

static void
refresh_text(struct engine *e, struct erun *r, struct execution *x,
    int64_t now_us)
{
	struct exec_texts *texts = &r->texts[x->no - 1];
	struct why why = { NULL, 0 };

	view_why(e, r, x->no, now_us, &why);
	free(texts->reason);
	texts->reason = why.n > 0 ? str_dup(why.v[0].text) : NULL;
	x->reason_text = texts->reason;
	why_done(&why);
}

static void
refresh_run(struct engine *e, struct erun *r, int64_t now_us, size_t *texts)
{
	struct execution *x;
	uint32_t i;

	for (i = 0; i < r->live.n; i++) {
		x = &r->live.executions[i];
		if (exec_state_final(x->state))
			continue;
		view_execution(e, r, x->no);
		if (x->reason == REASON_NONE)
			continue;
		if (*texts < TEXTS_MAX) {
			(*texts)++;
			refresh_text(e, r, x, now_us);
			x->next_us = sched_next_start(e->sched, r->handle,
			    x->no, now_us);
			/* What should have begun by now is not foreseen. */
			if (x->next_us <= now_us)
				x->next_us = 0;
		}
	}
	r->live.counts = sched_counts(e->sched, r->handle);
	r->live.workers = sched_run_workers(e->sched, r->handle);
	r->live.enough = sched_run_enough(e->sched, r->handle);
	r->live.deadline_wall_us = r->plan->deadline_us > 0 ?
	    r->live.started_wall_us + r->plan->deadline_us : 0;
	r->live.predicted_end_us = sched_predicted_end(e->sched, r->handle,
	    now_us);
	if (r->live.state != RUN_ENDED)
		r->live.state = r->live.held.on ? RUN_HELD : RUN_RUNNING;
}

void
view_refresh(struct engine *e)
{
	int64_t now_us = clock_mono_us();
	size_t texts = 0;
	struct erun *r;

	TAILQ_FOREACH(r, &e->runs, entry)
		if (r->file != NULL)
			refresh_run(e, r, now_us, &texts);
	if (now_us - e->foreign_us > FOREIGN_EVERY_US)
		foreign_refresh(e);
}
