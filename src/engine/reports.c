/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What agents said of attempts: told to the scheduler, put into the run file,
 * and acknowledged once that is committed. Everything may be said twice.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/log.h"
#include "yardmaster/base/mem.h"

#include "engine/batch.h"
#include "engine/share.h"

static struct sched_id
sched_id_of(const struct erun *r, const struct ident *id)
{
	return (struct sched_id){
		.run = r->handle, .exec = id->execution, .attempt = id->attempt,
	};
}

/* The run of an id when this process drives it and the number is one of it. */
static struct erun *
driven(struct engine *e, const struct ident *id)
{
	struct erun *r = erun_find(e, id->run);

	if (r == NULL || id->execution == 0 || id->execution > r->live.n)
		return NULL;
	return r;
}

/* How the command of a job ended; NULL: it passed. */
static char *
exit_text(const struct report *rep)
{
	const struct step_result *s = rep->steps;

	if (rep->n_steps == 0 || s->outcome == OUTCOME_PASSED)
		return NULL;
	return s->signo != 0 ? str_fmt("signal %d", s->signo) :
	    str_fmt("exit %d", s->exit_code);
}

/* The steps of a counted result: which passed; why the worst did not. */
static void
take_steps(struct erun *r, const struct report *rep)
{
	const struct plan_exec *x = &r->plan->execs[rep->id.execution - 1];
	const char *text = rep->text;
	uint32_t *left, n, i, step;

	n = erun_steps_left(r, rep->id.execution, &left);
	for (i = 0; i < rep->n_steps && i < n; i++) {
		step = x->first_step + (left != NULL ? left[i] : i);
		if (rep->steps[i].outcome == OUTCOME_PASSED)
			r->passed[step] = 1;
		else if (text == NULL)
			text = rep->steps[i].text;
	}
	free(left);
	erun_why(r, rep->id.execution, text == NULL && r->plan->adhoc ?
	    exit_text(rep) : str_dup(text));
	r->live.executions[rep->id.execution - 1].elapsed_us = rep->elapsed_us;
}

/* Its start may have gone unheard while there was no link. */
static void
started_unheard(struct engine *e, struct erun *r, const struct report *rep)
{
	struct sched_view v;

	if (rep->worker == 0 || sched_exec_view(e->sched, r->handle,
	    rep->id.execution, &v) < 0 || v.attempt != rep->id.attempt)
		return;
	if (v.state == EXEC_ASSIGNED || v.state == EXEC_WAITING)
		sched_started(e->sched, sched_id_of(r, &rep->id), rep->worker,
		    clock_mono_us());
}

bool
report_record(struct engine *e, size_t agent, struct erun *r,
    const struct report *rep, bool shared)
{
	int64_t now = clock_mono_us();
	enum sched_taken taken;
	char *test = engine_bench_test(r, rep);
	bool is_new;
	int rc;

	taken = sched_ended(e->sched, sched_id_of(r, &rep->id), rep->outcome,
	    rep->elapsed_us, now);
	if (taken == SCHED_STRANGE) {
		log_warn("%s: a result of an unknown attempt %s/%u/%u",
		    fleet_agent(e->fleet, agent)->name, r->live.id,
		    rep->id.execution, rep->id.attempt);
		free(test);
		return false;
	}
	if (taken == SCHED_TAKEN) {
		take_steps(r, rep);
		if (!shared || rep->outcome != OUTCOME_ERROR)
			engine_bench_ended(e, agent, r, rep, test);
	}
	free(test);
	rc = run_file_put_result(r->file, rep, taken == SCHED_LATE, &is_new);
	erun_put(r, rc);
	if (rc < 0)
		return false;
	if (is_new && taken == SCHED_LATE)
		engine_say(e, EVENT_WARNING, NULL, r->live.id, "execution %u: "
		    "a late result of attempt %u, %s, is kept and does not "
		    "count", rep->id.execution, rep->id.attempt,
		    outcome_name(rep->outcome));
	return true;
}

/* The scheduler is told of the end when the results are there; until then the
 * agent has it, which must not be taken for lost. */
static void
heard_of(struct engine *e, struct erun *r, const struct report *rep)
{
	struct sched_id id = batch_voice(e, r, &rep->id);

	if (rep->worker > 0)
		sched_started(e->sched, id, rep->worker, clock_mono_us());
	else
		sched_accepted(e->sched, id, clock_mono_us());
}

static void
attempt_ended(struct engine *e, size_t agent, struct erun *r,
    const struct report *rep)
{
	struct batch *b = batch_led_by(r, &rep->id);

	if (b != NULL) {
		heard_of(e, r, rep);
		batch_ended(b, agent, rep);
		return;
	}
	started_unheard(e, r, rep);
	if (report_record(e, agent, r, rep, false) &&
	    !artifacts_take(e, r->file, rep))
		engine_out(e, OUT_ACK, agent, &rep->id, r->epoch);
}

static void
attempt_running(struct engine *e, size_t agent, struct erun *r,
    const struct report *rep)
{
	struct run_attempt a = {
		.agent = fleet_agent(e->fleet, agent)->name,
		.state = rep->state,
		.worker = rep->worker,
		.started_wall_us = rep->started_wall_us,
	};
	const struct sched_member *m;
	struct sched_member one;
	struct sched_id id;
	enum sched_taken taken;
	int64_t now = clock_mono_us();
	uint32_t i, n;

	id = batch_voice(e, r, &rep->id);
	taken = sched_started(e->sched, id, rep->worker, now);
	sched_ran(e->sched, id, rep->elapsed_us, now);
	if (taken != SCHED_TAKEN)
		return;
	m = batch_members(r, &rep->id, &one, &n);
	for (i = 0; i < n; i++) {
		a.exec = m[i].exec;
		a.attempt = m[i].attempt;
		erun_put(r, run_file_put_attempt(r->file, &a));
		erun_put_exec(e, r, a.exec);
	}
}

static void
put_lost(struct engine *e, struct erun *r, struct run_attempt *a,
    const struct sched_member *m)
{
	a->exec = m->exec;
	a->attempt = m->attempt;
	engine_say(e, EVENT_WARNING, NULL, r->live.id,
	    "execution %u: attempt %u was lost on %s: %s", a->exec,
	    a->attempt, a->agent, a->text != NULL ? a->text : "?");
	erun_put(r, run_file_put_attempt(r->file, a));
	r->texts[a->exec - 1].lost = a->attempt;
	erun_why(r, a->exec, str_fmt("attempt %u was lost on %s: %s",
	    a->attempt, a->agent, a->text != NULL ? a->text : "?"));
}

static void
attempt_lost(struct engine *e, size_t agent, struct erun *r,
    const struct report *rep)
{
	struct run_attempt a = {
		.agent = fleet_agent(e->fleet, agent)->name,
		.state = ATTEMPT_LOST,
		.outcome = OUTCOME_ERROR,
		.worker = rep->worker,
		.started_wall_us = rep->started_wall_us,
		.elapsed_us = rep->elapsed_us,
		.text = rep->text,
	};
	const struct sched_member *m;
	struct sched_member one;
	enum sched_taken taken;
	uint32_t i, n;

	taken = sched_lost(e->sched, batch_voice(e, r, &rep->id),
	    clock_mono_us());
	if (taken == SCHED_STRANGE)
		return;
	m = batch_members(r, &rep->id, &one, &n);
	for (i = 0; i < n && taken == SCHED_TAKEN; i++)
		put_lost(e, r, &a, &m[i]);
	engine_out(e, OUT_ACK, agent, &rep->id, r->epoch);
}

/* What one agent holds another cannot report or return. Whose an attempt was
 * that nobody holds any more is not known; it does not count. */
static bool
is_holder(struct engine *e, struct erun *r, size_t agent,
    const struct ident *id)
{
	uint32_t holder;

	if (r->file == NULL)
		return true;
	holder = sched_holder(e->sched, batch_voice(e, r, id));
	if (holder == SCHED_NONE || holder == agent)
		return true;
	log_warn("%s: speaks of %s/%u/%u, which %s has",
	    fleet_agent(e->fleet, agent)->name, r->live.id, id->execution,
	    id->attempt, fleet_agent(e->fleet, holder)->name);
	return false;
}

static void
view_members(struct engine *e, struct erun *r, const struct ident *id)
{
	const struct sched_member *m;
	struct sched_member one;
	uint32_t i, n;

	m = batch_members(r, id, &one, &n);
	for (i = 0; i < n; i++)
		view_execution(e, r, m[i].exec);
}

/* It was taken for lost, and waits there: that is on record too. */
static void
found_queued(struct engine *e, size_t agent, struct erun *r,
    const struct report *rep)
{
	struct run_attempt a = {
		.agent = fleet_agent(e->fleet, agent)->name,
		.state = ATTEMPT_QUEUED,
	};
	const struct sched_member *m;
	struct sched_member one;
	uint32_t i, n;

	m = batch_members(r, &rep->id, &one, &n);
	for (i = 0; i < n; i++) {
		if (r->live.executions[m[i].exec - 1].state != EXEC_WAITING ||
		    sched_exec_state(e->sched, r->handle, m[i].exec) !=
		    EXEC_ASSIGNED)
			continue;
		a.exec = m[i].exec;
		a.attempt = m[i].attempt;
		erun_put(r, run_file_put_attempt(r->file, &a));
		erun_put_exec(e, r, a.exec);
	}
}

/* What waits or runs there and is nobody's any more is ended: a host that was
 * declared dead is back, or it was given up long ago. */
static void
end_stray(struct engine *e, size_t agent, struct erun *r,
    const struct report *rep)
{
	if (rep->state != ATTEMPT_QUEUED && rep->state != ATTEMPT_RUNNING)
		return;
	if (sched_holder(e->sched, batch_voice(e, r, &rep->id)) ==
	    SCHED_NONE)
		engine_out(e, OUT_CANCEL, agent, &rep->id, r->epoch);
	else if (rep->state == ATTEMPT_QUEUED)
		found_queued(e, agent, r, rep);
}

static void
on_report(void *arg, size_t agent, const struct report *rep)
{
	static void (*const handlers[ATTEMPT_STATES])(struct engine *, size_t,
	    struct erun *, const struct report *) = {
		[ATTEMPT_RUNNING] = attempt_running,
		[ATTEMPT_ENDING] = attempt_running,
		[ATTEMPT_ENDED] = attempt_ended,
		[ATTEMPT_LOST] = attempt_lost,
	};
	struct engine *e = arg;
	struct erun *r = driven(e, &rep->id);

	if (r == NULL || r->file == NULL) {
		late_report(e, agent, rep);
		return;
	}
	if (!is_holder(e, r, agent, &rep->id))
		return;
	workspace_waits(r, rep->id.execution, rep->state == ATTEMPT_QUEUED ?
	    rep->text : NULL);
	if (rep->state == ATTEMPT_QUEUED && rep->prepared) {
		sched_prepared(e->sched, sched_id_of(r, &rep->id),
		    clock_mono_us());
	} else if (rep->state == ATTEMPT_QUEUED) {
		sched_preparing(e->sched, batch_voice(e, r, &rep->id),
		    rep->text != NULL, clock_mono_us());
		if (rep->text != NULL)
			workspace_offer(e, r, agent, rep->id.execution);
	} else if (handlers[rep->state] != NULL)
		handlers[rep->state](e, agent, r, rep);
	end_stray(e, agent, r, rep);
	view_members(e, r, &rep->id);
	engine_wake(e);
}

/* An agent gave an attempt back: because we asked, or because it would not
 * have it. */
static void
put_returned(struct engine *e, size_t agent, struct erun *r,
    const struct ident *id, const char *why)
{
	struct run_attempt a = {
		.agent = fleet_agent(e->fleet, agent)->name,
		.state = ATTEMPT_RETURNED,
		.text = why,
	};
	const struct sched_member *m;
	struct sched_member one;
	uint32_t i, n;

	m = batch_members(r, id, &one, &n);
	for (i = 0; i < n; i++) {
		a.exec = m[i].exec;
		a.attempt = m[i].attempt;
		erun_put(r, run_file_put_attempt(r->file, &a));
	}
}

static void
attempt_returned(struct engine *e, size_t agent, struct erun *r,
    const struct ident *id, const char *why)
{
	const char *name = fleet_agent(e->fleet, agent)->name;
	bool refused = r->asked_back[id->execution - 1] != id->attempt;

	if (sched_returned(e->sched, batch_voice(e, r, id), refused,
	    clock_mono_us()) != SCHED_TAKEN)
		return;
	put_returned(e, agent, r, id, why);
	if (refused)
		engine_say(e, EVENT_WARNING, NULL, name,
		    "%s/%u was not taken by %s: %s", r->live.id, id->execution,
		    name, why != NULL ? why : "no reason given");
}

static void
on_returned(void *arg, size_t agent, const struct ident *id, bool returned,
    const char *why)
{
	struct engine *e = arg;
	struct erun *r = driven(e, id);

	if ((r == NULL || r->file == NULL) && returned)
		late_returned(e, agent, id, why);
	if (r == NULL || r->file == NULL || !is_holder(e, r, agent, id))
		return;
	if (returned)
		attempt_returned(e, agent, r, id, why);
	else
		sched_kept(e->sched, batch_voice(e, r, id), clock_mono_us());
	view_members(e, r, id);
	engine_wake(e);
}

/* Its facts, which came before, say who has the target there. */
static void
on_full(void *arg, size_t agent, const struct ident *id, const char *why)
{
	struct engine *e = arg;
	struct erun *r = driven(e, id);

	if (r == NULL || r->file == NULL || !is_holder(e, r, agent, id))
		return;
	if (sched_full(e->sched, batch_voice(e, r, id), clock_mono_us()) ==
	    SCHED_TAKEN)
		put_returned(e, agent, r, id, why);
	view_members(e, r, id);
	engine_wake(e);
}

static void
on_asked(void *arg, size_t agent, const struct fleet_ask *q)
{
	struct engine *e = arg;
	struct erun *r = driven(e, &q->id);

	if (r == NULL || r->file == NULL || !is_holder(e, r, agent, &q->id))
		return;
	share_asked(e, r, agent, q);
	engine_wake(e);
}

static void
on_unasked(void *arg, size_t agent, const struct ident *id, const char *ask)
{
	struct engine *e = arg;
	struct erun *r = driven(e, id);

	if (r != NULL && is_holder(e, r, agent, id))
		share_unasked(r, ask);
}

static void
on_changed(void *arg, size_t agent)
{
	struct engine *e = arg;

	const struct agent *a = fleet_agent(e->fleet, agent);

	feed_agent(e, agent);
	if (a->facts_us != e->facts_us[agent]) {
		e->facts_us[agent] = a->facts_us;
		leases_facts(e, agent);
		late_facts(e, agent);
	}
	engine_touch(e);
}

static void
on_up(void *arg, size_t agent)
{
	struct engine *e = arg;
	struct erun *r;

	e->syncing[agent] = 0;
	TAILQ_FOREACH(r, &e->runs, entry) {
		if (r->file == NULL)
			continue;
		e->syncing[agent]++;
		r->awaits[agent] = true;
		fleet_sync(e->fleet, agent, r->live.id, r->epoch);
	}
	on_changed(e, agent);
}

static void
on_down(void *arg, size_t agent)
{
	late_down(arg, agent);
	on_changed(arg, agent);
}

/* The agent has heard of a newer owner and follows nothing we say of the run;
 * what it has of it is not known. People decide who is right. */
static void
superseded(struct engine *e, size_t agent, struct erun *r, uint32_t epoch)
{
	char *text;

	if (!r->awaits[agent])
		return;
	r->awaits[agent] = false;
	e->syncing[agent]--;
	text = str_fmt("%s knows a newer owner of the run (epoch %u, ours %u)",
	    fleet_agent(e->fleet, agent)->name, epoch, r->epoch);
	engine_say(e, EVENT_ERROR, NULL, r->live.id, "%s; nothing more of it "
	    "starts until it is released", text);
	if (r->file != NULL) {
		sched_run_hold(e->sched, r->handle, text, clock_mono_us());
		/* That of a person ends no more: this one does not. */
		holds_set(r, 0, 0);
	}
	free(text);
	on_changed(e, agent);
}

static void
on_synced(void *arg, size_t agent, const char *run, uint32_t epoch)
{
	struct engine *e = arg;
	struct erun *r = erun_find(e, run);

	if (r == NULL || r->epoch > epoch)
		return;
	if (r->epoch < epoch) {
		superseded(e, agent, r, epoch);
		return;
	}
	if (r->file != NULL)
		sched_agent_synced(e->sched, (uint32_t)agent, r->handle,
		    clock_mono_us());
	r->repeats[agent] = false;
	if (r->awaits[agent]) {
		r->awaits[agent] = false;
		e->syncing[agent]--;
	}
	on_changed(e, agent);
}

static void
on_event(void *arg, enum event_kind kind, const char *agent, const char *text)
{
	struct engine *e = arg;
	char *who = str_fmt("agent %s", agent);

	engine_say(e, kind, who, agent, "%s", text);
	free(who);
}

const struct fleet_ops engine_fleet_ops = {
	.changed = on_changed,
	.up = on_up,
	.down = on_down,
	.report = on_report,
	.synced = on_synced,
	.returned = on_returned,
	.full = on_full,
	.asked = on_asked,
	.unasked = on_unasked,
	.event = on_event,
};
