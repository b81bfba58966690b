/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The end of a turn, in this order: the scheduler decides, decisions are put
 * into the run files, the run files commit, agents are told. Nothing is sent
 * before it is recorded that it will be; nothing is acknowledged before it is
 * recorded that it came. A run whose file cannot be written sends and
 * acknowledges nothing until it can.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"

#include "engine/batch.h"
#include "engine/share.h"

#define CANCEL_GRACE_US (5 * US_PER_S)
#define RECOVER_EVERY_US (2 * US_PER_S)
/* Turns that decide and commit are at least so far apart: what agents say in
 * close order shares one commit, and the answers one message. The first after
 * a pause does not wait. */
#define TURN_GAP_US (8 * US_PER_MS)

/* ---- what agents shall be told ---------------------------------------------- */

static struct out *
out_add(struct engine *e)
{
	e->out = mem_grow(e->out, &e->cap_out, e->n_out + 1, sizeof *e->out);
	return &e->out[e->n_out++];
}

void
engine_out(struct engine *e, enum out_kind kind, size_t agent,
    const struct ident *id, uint32_t epoch)
{
	*out_add(e) = (struct out){
		.kind = kind, .agent = agent, .id = *id, .epoch = epoch,
	};
}

/* The executions of a batch; NULL: it is none. usual grows by what each is
 * predicted to take. */
static uint32_t *
place_batch(struct engine *e, const struct erun *r, const struct out *o,
    struct plan_place *place, int64_t *usual_us)
{
	const struct batch *b = batch_led_by(r, &o->id);
	uint32_t *members, i;

	*usual_us = r->live.executions[o->id.execution - 1].estimate_us;
	if (b == NULL)
		return NULL;
	members = mem_calloc(b->n, sizeof *members);
	place->start_us = *usual_us = batch_start_us(e, r->plan, r->starts);
	for (i = 0; i < b->n; i++) {
		members[i] = b->members[i].exec;
		*usual_us += r->live.executions[members[i] - 1].estimate_us;
	}
	place->members = members;
	place->n_members = b->n;
	return members;
}

/* What the work holds, for consoles of other state folders. */
static void
put_holds(struct engine *e, const struct erun *r, struct work *work)
{
	struct sched_id id = { r->handle, work->id.execution,
		work->id.attempt };
	struct hold *v;
	uint32_t i, n = sched_holds(e->sched, id, NULL, 0);

	v = mem_calloc(n, sizeof *v);
	sched_holds(e->sched, id, v, n);
	work->holds = mem_calloc(n, sizeof *work->holds);
	for (i = 0; i < n; i++)
		hold_copy(&work->holds[i], &v[i]);
	work->n_holds = n;
	free(v);
}

void
engine_out_told(struct engine *e, size_t agent, const struct ident *id,
    uint32_t epoch, char *told)
{
	*out_add(e) = (struct out){ .kind = OUT_TOLD, .agent = agent,
		.id = *id, .epoch = epoch, .told = told };
}

/* Where the parts of its group are, in order; NULL when it runs alone. The
 * names are borrowed. */
static const char **
group_hosts(const struct engine *e, const struct erun *r, uint32_t no)
{
	const struct plan *p = r->plan;
	const struct agent_spec *a;
	uint32_t i, n, group = p->execs[no - 1].group;
	const char **hosts;

	if (group == 0)
		return NULL;
	n = p->suites[p->execs[no - 1].suite].n_tests;
	hosts = mem_calloc(n, sizeof *hosts);
	for (i = no - 1; i > 0 && p->execs[i - 1].group == group; i--)
		;
	for (; n > 0; n--, i++) {
		a = r->live.executions[i].agent < 0 ? NULL :
		    &e->spec->agents[r->live.executions[i].agent];
		*hosts++ = a == NULL ? "" : a->host != NULL ? a->host :
		    a->transport == TRANSPORT_LOCAL ? "localhost" : a->name;
	}
	return hosts - p->suites[p->execs[no - 1].suite].n_tests;
}

static void
send_start(struct engine *e, struct out *o)
{
	struct erun *r = erun_find(e, o->id.run);
	struct plan_place place = {
		.id = o->id,
		.agent = fleet_agent(e->fleet, o->agent)->name,
		.instance = o->instance,
		.fleet_env = &e->spec->agents[o->agent].env,
	};
	uint32_t *steps, *members;
	struct work work;
	int64_t usual_us;
	const char **hosts = group_hosts(e, r, o->id.execution);

	place.hosts = hosts;
	place.n_steps = erun_steps_left(r, o->id.execution, &steps);
	place.steps = steps;
	place.spool = fleet_agent(e->fleet, o->agent)->spool;
	members = place_batch(e, r, o, &place, &usual_us);
	memset(&work, 0, sizeof work);
	plan_work(r->plan, &place, &work);
	work.epoch = o->epoch;
	work.class = r->plan->adhoc ? CLASS_ADHOC : o->class;
	work.owner = str_dup(e->owner_text);
	work.usual_us = engine_usual_on(e, o->agent, usual_us);
	if (o->leased)
		put_holds(e, r, &work);
	fleet_start(e->fleet, o->agent, &work);
	workspace_offer(e, r, o->agent, o->id.execution);
	work_done(&work);
	free(steps);
	free(members);
	free(hosts);
}

static void
send_take_back(struct engine *e, struct out *o)
{
	fleet_take_back(e->fleet, o->agent, &o->id, o->epoch);
}

static void
send_cancel(struct engine *e, struct out *o)
{
	fleet_cancel(e->fleet, o->agent, &o->id, o->epoch, CANCEL_GRACE_US);
}

static void
send_ack(struct engine *e, struct out *o)
{
	fleet_ack(e->fleet, o->agent, &o->id, o->epoch);
}

static void
send_ack_files(struct engine *e, struct out *o)
{
	fleet_ack_files(e->fleet, o->agent, &o->id, o->epoch);
}

static void
send_go(struct engine *e, struct out *o)
{
	fleet_go(e->fleet, o->agent, &o->id, o->epoch);
}

static void
send_told(struct engine *e, struct out *o)
{
	fleet_tell(e->fleet, o->agent, &o->id, o->epoch, o->told);
}

/* What was put of a start that is not sent is put right. */
static void
put_unsent(struct engine *e, struct erun *r, const struct out *o)
{
	struct run_attempt a = { .state = ATTEMPT_RETURNED,
		.text = "it was not sent: that could not be recorded",
	};
	const struct sched_member *m;
	struct sched_member one;
	uint32_t i, n;

	sched_returned(e->sched, (struct sched_id){ r->handle,
	    o->id.execution, o->id.attempt }, false, clock_mono_us());
	m = batch_members(r, &o->id, &one, &n);
	for (i = 0; i < n; i++) {
		a.exec = m[i].exec;
		a.attempt = m[i].attempt;
		erun_put(r, run_file_put_attempt(r->file, &a));
		erun_put_exec(e, r, a.exec);
	}
}

/* A start that was decided and not recorded was not sent either. Asking to
 * end or to give back needs no record. */
static bool
withhold(struct engine *e, struct erun *r, const struct out *o)
{
	bool unleased = o->leased && e->unleased;

	if ((!r->failed && !unleased) || o->kind == OUT_CANCEL ||
	    o->kind == OUT_TAKE_BACK)
		return false;
	if (o->kind == OUT_START)
		put_unsent(e, r, o);
	return true;
}

static void
flush_out(struct engine *e)
{
	static void (*const senders[])(struct engine *, struct out *) = {
		[OUT_START] = send_start,
		[OUT_TAKE_BACK] = send_take_back,
		[OUT_CANCEL] = send_cancel,
		[OUT_ACK] = send_ack,
		[OUT_ACK_FILES] = send_ack_files,
		[OUT_GO] = send_go,
		[OUT_TOLD] = send_told,
	};
	struct erun *r;
	size_t i;

	for (i = 0; i < e->n_out; i++) {
		r = erun_find(e, e->out[i].id.run);
		if (r != NULL && !withhold(e, r, &e->out[i]))
			senders[e->out[i].kind](e, &e->out[i]);
		free(e->out[i].instance);
		free(e->out[i].told);
	}
	e->n_out = 0;
}

/* ---- decisions ----------------------------------------------------------------- */

static void
put_sent(struct engine *e, struct erun *r, const struct sched_decision *d,
    const struct sched_member *m)
{
	uint32_t *steps, n = erun_steps_left(r, m->exec, &steps);
	struct run_attempt a = {
		.exec = m->exec,
		.attempt = m->attempt,
		.agent = fleet_agent(e->fleet, d->agent)->name,
		.class = r->plan->adhoc ? CLASS_ADHOC : d->class,
		.tier = d->tier,
		.state = ATTEMPT_SENT,
		.sent_wall_us = clock_wall_us(),
		.steps = steps,
		.n_steps = steps != NULL ? n : 0,
	};

	erun_put(r, run_file_put_attempt(r->file, &a));
	free(steps);
	if (d->instance != NULL)
		erun_put(r, run_file_put_leased(r->file, &(struct run_leased){
			.exec = m->exec, .attempt = m->attempt,
			.instance = d->instance }));
	erun_put_exec(e, r, m->exec);
}

static void
decided_send(struct engine *e, struct erun *r, const struct sched_decision *d)
{
	const struct sched_member *m = e->decisions.members + d->first_member;
	uint32_t i;

	for (i = 0; i < d->n_members; i++)
		put_sent(e, r, d, &m[i]);
	batch_sent(e, r, d);
	*out_add(e) = (struct out){
		.kind = OUT_START,
		.agent = d->agent,
		.id = batch_lead(r, d->id),
		.epoch = r->epoch,
		.class = d->class,
		.instance = str_dup(d->instance),
		.leased = leases_take(e, r, d->id),
	};
}

static void
decided_take_back(struct engine *e, struct erun *r,
    const struct sched_decision *d)
{
	struct ident id = batch_lead(r, d->id);

	r->asked_back[id.execution - 1] = id.attempt;
	engine_out(e, OUT_TAKE_BACK, d->agent, &id, r->epoch);
	if (d->other != SCHED_NONE)
		engine_say(e, EVENT_INFO, NULL, r->live.id, "execution %u is "
		    "taken back from %s for %s", d->id.exec,
		    fleet_agent(e->fleet, d->agent)->name,
		    fleet_agent(e->fleet, d->other)->name);
}

static void
decided_cancel(struct engine *e, struct erun *r,
    const struct sched_decision *d)
{
	struct ident id = batch_lead(r, d->id);

	engine_out(e, OUT_CANCEL, d->agent, &id, r->epoch);
}

static void
decided_go(struct engine *e, struct erun *r, const struct sched_decision *d)
{
	struct ident id = batch_lead(r, d->id);

	engine_out(e, OUT_GO, d->agent, &id, r->epoch);
}

static void
put_lost(struct engine *e, struct erun *r, const struct sched_decision *d,
    const struct sched_member *m)
{
	const struct agent *agent = d->agent != SCHED_NONE ?
	    fleet_agent(e->fleet, d->agent) : NULL;
	struct run_attempt a = {
		.exec = m->exec,
		.attempt = m->attempt,
		.agent = agent != NULL ? agent->name : NULL,
		.state = ATTEMPT_LOST,
		.outcome = OUTCOME_ERROR,
		.text = agent != NULL && agent->link == LINK_UP ?
		    "the agent does not know it any more" :
		    "the agent was silent for too long",
	};

	if (r->texts[a.exec - 1].lost == a.attempt)
		return;
	erun_put(r, run_file_put_attempt(r->file, &a));
	erun_why(r, a.exec, str_fmt("attempt %u was lost on %s: %s", a.attempt,
	    a.agent != NULL ? a.agent : "?", a.text));
	engine_say(e, EVENT_WARNING, NULL, r->live.id, "execution %u: attempt "
	    "%u on %s counts as lost: %s", a.exec, a.attempt,
	    a.agent != NULL ? a.agent : "?", a.text);
}

/* The agent was silent for too long, or came back without it. What the agent
 * itself said of it is recorded already. */
static void
decided_lost(struct engine *e, struct erun *r, const struct sched_decision *d)
{
	struct ident id = batch_lead(r, d->id);
	const struct sched_member *m;
	struct sched_member one;
	uint32_t i, n;

	m = batch_members(r, &id, &one, &n);
	for (i = 0; i < n; i++)
		put_lost(e, r, d, &m[i]);
}

static void
decided_freed(struct engine *e, struct erun *r,
    const struct sched_decision *d)
{
	leases_drop(e, r, d->id);
}

static void
decided_wait(struct engine *e, struct erun *r, const struct sched_decision *d)
{
	erun_put_exec(e, r, d->id.exec);
}

static void
decided_final(struct engine *e, struct erun *r,
    const struct sched_decision *d)
{
	if (d->state == EXEC_SKIPPED && d->cause != REASON_NONE)
		erun_why(r, d->id.exec, str_dup(reason_info(d->cause)->name));
	erun_put_exec(e, r, d->id.exec);
	if (d->state != EXEC_PASSED)
		engine_say(e, EVENT_RESULT, NULL, r->live.id,
		    "execution %u (%s) %s", d->id.exec,
		    r->live.executions[d->id.exec - 1].test,
		    exec_state_name(d->state));
}

static void
decided_run_ended(struct engine *e, struct erun *r,
    const struct sched_decision *d)
{
	r->live.counts = sched_counts(e->sched, r->handle);
	r->live.ended_wall_us = clock_wall_us();
	r->moved_us = clock_mono_us();
	r->ended = true;
}

static void
decide(struct engine *e)
{
	static void (*const handlers[SCHED_KINDS])(struct engine *,
	    struct erun *, const struct sched_decision *) = {
		[SCHED_SEND] = decided_send,
		[SCHED_TAKE_BACK] = decided_take_back,
		[SCHED_CANCEL] = decided_cancel,
		[SCHED_GO] = decided_go,
		[SCHED_LOST] = decided_lost,
		[SCHED_FREED] = decided_freed,
		[SCHED_WAIT] = decided_wait,
		[SCHED_FINAL] = decided_final,
		[SCHED_RUN_ENDED] = decided_run_ended,
	};
	const struct sched_decision *d;
	struct erun *r;
	size_t i;

	sched_decide(e->sched, clock_mono_us(), &e->decisions);
	for (i = 0; i < e->decisions.n; i++) {
		d = &e->decisions.v[i];
		r = erun_by_handle(e, d->id.run);
		if (r != NULL)
			handlers[d->kind](e, r, d);
	}
	if (e->decisions.n > 0)
		engine_touch(e);
	TAILQ_FOREACH(r, &e->runs, entry)
		if (r->file != NULL)
			shares_look(e, r);
}

/* What had to be recorded cannot be: nothing new starts until it can. r NULL:
 * it is the registry, for that reason. */
static void
pause_dispatch(struct engine *e, struct erun *r, int code)
{
	/* Turns may come faster than that. */
	if (!timer_armed(e->recover))
		timer_start(e->recover, RECOVER_EVERY_US);
	if (e->paused != NULL)
		return;
	e->paused = r != NULL ?
	    str_fmt("the run file of %s cannot be written: %s", r->live.id,
	    run_file_error(r->file)) :
	    str_fmt("the registry of the state folder cannot be written: %s",
	    err_text(code));
	engine_say(e, EVENT_ERROR, NULL, r != NULL ? r->live.id : NULL,
	    "%s; nothing new starts until it can", e->paused);
	engine_gate(e);
}

/* Decides, unless other processes have what is shared with them just now:
 * then soon. What was put before is committed all the same. */
static void
decide_shared(struct engine *e)
{
	int rc = leases_begin(e);

	e->changed = rc == ERR_TIMEOUT;
	e->unleased = rc < 0 && rc != ERR_TIMEOUT;
	if (rc == ERR_TIMEOUT)
		timer_start(e->turn, TURN_GAP_US);
	if (rc < 0) {
		if (e->unleased)
			pause_dispatch(e, NULL, rc);
		return;
	}
	decide(e);
	if ((rc = leases_end(e)) < 0) {
		e->unleased = true;
		pause_dispatch(e, NULL, rc);
	}
}

/* ---- commit ----------------------------------------------------------------------- */

static void
file_failed(struct engine *e, struct erun *r)
{
	r->failed = true;
	pause_dispatch(e, r, 0);
}

static void
commit(struct engine *e)
{
	struct erun *r;

	TAILQ_FOREACH(r, &e->runs, entry) {
		if (r->file == NULL || (!r->failed && !run_file_dirty(r->file)))
			continue;
		if (r->failed || run_file_commit(r->file) < 0)
			file_failed(e, r);
	}
}

/* An agent that is there was asked to repeat what it has, and has not yet. */
static bool
is_awaited(const struct engine *e, const struct erun *r)
{
	size_t i;

	for (i = 0; i < fleet_count(e->fleet); i++)
		if (r->repeats[i] &&
		    fleet_agent(e->fleet, i)->link >= LINK_UP)
			return true;
	return false;
}

/* A run has ended when its artifacts came as well, or will not. */
static void
record_ended(struct engine *e)
{
	struct erun *r;

	TAILQ_FOREACH(r, &e->runs, entry)
		if (r->ended && !r->recorded &&
		    !engine_artifacts_pending(e, r->live.id))
			erun_put_ended(r);
}

static void
finish_ended(struct engine *e)
{
	struct erun *r;

	TAILQ_FOREACH(r, &e->runs, entry)
		if (r->recorded && !r->failed && !is_awaited(e, r)) {
			r->live.state = RUN_ENDED;
			erun_finish(e, r);
		}
}

static void
arm_wake(struct engine *e)
{
	int64_t next = sched_next_us(e->sched), now = clock_mono_us();

	if (next == CLOCK_NEVER)
		timer_stop(e->wake);
	else
		timer_start(e->wake, next > now ? next - now : 0);
}

static bool
too_soon(struct engine *e)
{
	int64_t wait = e->turned_us + TURN_GAP_US - loop_now_us(e->loop);

	if (wait > 0 && !timer_armed(e->turn))
		timer_start(e->turn, wait);
	else if (wait <= 0)
		e->turned_us = loop_now_us(e->loop);
	return wait > 0;
}

void
engine_turn(void *arg)
{
	struct engine *e = arg;

	late_turn(e);
	if (e->changed && !too_soon(e)) {
		decide_shared(e);
		record_ended(e);
		commit(e);
		flush_out(e);
		finish_ended(e);
		arm_wake(e);
		engine_touch(e);
	}
	if (e->generation != e->notified) {
		e->notified = e->generation;
		if (!timer_armed(e->view))
			timer_start(e->view, VIEW_EVERY_US);
		if (e->on_change != NULL)
			e->on_change(e->on_change_arg);
	}
}
