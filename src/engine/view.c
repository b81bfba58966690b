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
#define HOLDERS_SAID 12	/* busy workers that an answer lists */

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
	due_why(r, no, ret);
	holds_why(r, no, ret);
	workspace_why(r, no, ret);
	if (x->state != EXEC_ASSIGNED || x->batch == NULL || ret->n == 0)
		return;
	text = str_fmt("%s; one process for %s", ret->v[0].text, x->batch);
	free(ret->v[0].text);
	ret->v[0].text = text;
}

/* "lab-1#2 execution s/a 12s of 20s, quiet 5s", "lab-1#1 hold by ann: why" */
static void
put_holder(struct buf *out, const struct agent *a, const struct worker *w,
    int64_t now_us)
{
	int64_t age = now_us > a->facts_us ? now_us - a->facts_us : 0;
	char text[DURATION_TEXT], until[CLOCK_TEXT];

	buf_putf(out, "; %s#%u %s %s %s", a->name, w->no,
	    worker_kind_name(w->kind), w->label != NULL ? w->label : "",
	    duration_format(w->elapsed_us + age, text));
	if (w->usual_us > 0)
		buf_putf(out, " of %s", duration_format(w->usual_us, text));
	if (w->output_age_us >= 0)
		buf_putf(out, ", quiet %s", duration_format(
		    w->output_age_us + age, text));
	if (w->taken.on)
		buf_putf(out, ", by %s", w->taken.who);
	if (w->taken.note != NULL)
		buf_putf(out, ": %s", w->taken.note);
	if (w->taken.expires_wall_us > 0)
		buf_putf(out, ", until %s", clock_format(
		    w->taken.expires_wall_us, until));
}

void
view_holders(const struct engine *e, int64_t now_us, struct why *why)
{
	const struct agent *a;
	struct buf b = BUF_INIT;
	uint32_t i, k, w, said;

	for (i = 0; i < why->n; i++) {
		if (why->v[i].code != REASON_WORKERS_BUSY ||
		    why->v[i].n_agents == 0)
			continue;
		buf_puts(&b, why->v[i].text);
		for (k = said = 0; k < why->v[i].n_agents; k++) {
			a = engine_agent(e, why->v[i].agents[k]);
			for (w = 0; w < a->facts.n_workers; w++)
				if (a->facts.workers[w].busy &&
				    said++ < HOLDERS_SAID)
					put_holder(&b, a,
					    &a->facts.workers[w], now_us);
		}
		free(why->v[i].text);
		why->v[i].text = buf_steal(&b);
	}
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
		r->live.state = r->packing != NULL ? RUN_STARTING :
		    r->live.held.on ? RUN_HELD : RUN_RUNNING;
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
