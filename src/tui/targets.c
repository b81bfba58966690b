/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which agents, runs and executions a form changes when it is used on a row.
 * Only what applies is taken: an agent that does not drain cannot be
 * undrained, and the cure of a reason is offered on that reason only.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/mem.h"
#include "tui/attention.h"
#include "tui/console.h"
#include "tui/targets.h"

#define LOOK_MAX 40

/* The cure that a form is, for rows that wait. */
static const uint32_t form_cures[FORMS] = {
	[FORM_MAX_WORKERS] = CURE_RAISE_MAX,
	[FORM_THRESHOLD] = CURE_EDIT_THRESHOLD,
	[FORM_GUARDS] = CURE_EDIT_GUARD,
	[FORM_UNDRAIN] = CURE_UNDRAIN,
	[FORM_RELEASE] = CURE_RELEASE,
	[FORM_CANCEL] = CURE_CANCEL,
	[FORM_REQUEUE] = CURE_REQUEUE | CURE_TAKE_BACK,
	[FORM_MOVE] = CURE_MOVE | CURE_PIN,
	[FORM_PRIORITY] = CURE_PRIORITY,
	[FORM_RECONNECT] = CURE_RECONNECT,
	[FORM_SKIP] = CURE_SKIP,
	[FORM_RUN_ANYWAY] = CURE_RUN_ANYWAY,
	[FORM_START_NOW] = CURE_START_NOW,
	[FORM_OVERRIDE] = CURE_OVERRIDE,
	[FORM_AMEND] = CURE_AMEND | CURE_RAISE_LIMIT,
	[FORM_GO_ON] = CURE_GO_ON,
	[FORM_CLEAR] = CURE_CLEAR,
	[FORM_PROBE] = CURE_PROBE,
	[FORM_DEAD] = CURE_DECLARE_DEAD,
	[FORM_LOST] = CURE_DECLARE_LOST,
	[FORM_GIVE_BACK] = CURE_RELEASE,
	[FORM_AMEND_AGENT] = CURE_AMEND_AGENT,
	[FORM_ADD_AGENT] = CURE_ADD_AGENT,
	[FORM_CANCEL_HOLDER] = CURE_CANCEL_HOLDER,
	[FORM_ADOPT] = CURE_RESUME,
};

uint32_t
form_cures_of(enum form form)
{
	return form_cures[form];
}

uint32_t
action_cures(const struct action *a)
{
	return a->fn == act_form ? form_cures[a->n] : a->cures;
}

void
object_resolve(const struct tui *t, struct object *o)
{
	const struct attention *a = o->attention;

	if (o->kind != OBJ_ATTENTION)
		return;
	if (a->kind == ATTENTION_STUCK)
		object_find(t, rowid_plain(OBJ_CAUSE, a->reason), o);
	else if (a->kind != ATTENTION_LINKS && a->object.a != 0)
		object_find(t, a->object, o);
}

/* True when an agent can be changed that way. */
static bool
agent_takes(enum form form, const struct agent *a)
{
	const struct facts *f = &a->facts;

	switch (form) {
	case FORM_MAX_WORKERS:
	case FORM_THRESHOLD:
	case FORM_SETTINGS:
	case FORM_GUARDS:
		return a->known;
	case FORM_DRAIN:
		return !a->known || !f->draining.on;
	case FORM_UNDRAIN:
		return a->known && f->draining.on;
	case FORM_HOLD:
		return !a->known || !f->held.on;
	case FORM_RELEASE:
		return a->known && f->held.on;
	case FORM_TAKE:
		return a->link == LINK_UP;
	case FORM_RECONNECT:
		return a->link != LINK_UP;
	case FORM_CLEAR:
		return a->errors != NULL;
	case FORM_PROBE:
		return a->benched;
	case FORM_DEAD:
		return a->link < LINK_UP;
	default:
		return false;
	}
}

/* True when changing that agent may end the reason. */
static bool
agent_cures(enum form form, enum reason reason, const struct agent *a)
{
	const struct facts *f = &a->facts;

	if (!agent_takes(form, a))
		return false;
	if (form == FORM_MAX_WORKERS)
		return a->link == LINK_UP && !f->virtual &&
		    f->busy >= f->max_workers;
	if (form == FORM_THRESHOLD)
		return a->link == LINK_UP && f->effective < f->max_workers;
	if (form == FORM_GUARDS)
		return a->link == LINK_UP && f->guard != NULL;
	if (form == FORM_RELEASE)
		return reason == REASON_AGENTS_HELD;
	return true;
}

struct target *
target_add(struct batch *b, const char *name)
{
	struct target *tg;

	b->targets = mem_grow(b->targets, &b->cap, b->n + 1,
	    sizeof(*b->targets));
	tg = &b->targets[b->n++];
	memset(tg, 0, sizeof(*tg));
	tg->op.kind = form_info(b->form)->kind;
	tg->name = str_dup(name);
	return tg;
}

void
target_add_agent(struct batch *b, const struct agent *a)
{
	struct target *tg;
	size_t i;

	for (i = 0; i < b->n; i++)
		if (strcmp(b->targets[i].op.agent, a->name) == 0)
			return;
	tg = target_add(b, a->name);
	snprintf(tg->op.agent, sizeof(tg->op.agent), "%s", a->name);
	tg->old_max = a->facts.max_workers;
	tg->old_threshold = a->facts.threshold;
	tg->old_guards = a->facts.guards;
}

static void
add_run(struct batch *b, const struct run *r)
{
	struct target *tg;
	char *name;
	size_t i;

	for (i = 0; i < b->n; i++)
		if (strcmp(b->targets[i].op.id.run, r->id) == 0 &&
		    b->targets[i].op.id.execution == 0)
			return;
	name = str_fmt("%s %s", r->id, r->plan != NULL ? r->plan : "");
	tg = target_add(b, name);
	memcpy(tg->op.id.run, r->id, sizeof(tg->op.id.run));
	free(name);
}

/* Dispatch as a whole: once. */
static void
add_console(struct batch *b)
{
	if (b->n == 0)
		target_add(b, "this console");
}

/* Nobody but "why" knows what it would change. */
static bool
is_offered(enum form form)
{
	return form == FORM_AMEND || form == FORM_AMEND_AGENT ||
	    form == FORM_ADD_AGENT || form == FORM_CANCEL_HOLDER;
}

static void
add_exec(struct batch *b, const struct execution *x)
{
	struct buf name = BUF_INIT;
	struct target *tg;

	if (is_offered(b->form)) {
		offers_add(b, x);
		return;
	}
	tui_exec_name(x, &name);
	buf_putf(&name, " (%s/%u)", x->run->id, x->no);
	tg = target_add(b, buf_str(&name));
	memcpy(tg->op.id.run, x->run->id, sizeof(tg->op.id.run));
	tg->op.id.execution = x->no;
	buf_done(&name);
}

static bool
run_takes(enum form form, const struct run *r)
{
	switch (form) {
	case FORM_CANCEL:
	case FORM_PRIORITY:
		return r->state != RUN_ENDED && r->state != RUN_ORPHANED;
	case FORM_HOLD:
		return r->state != RUN_ENDED && !r->held.on;
	case FORM_RELEASE:
		return r->held.on;
	case FORM_ADOPT:
		return r->state == RUN_ORPHANED;
	default:
		return false;
	}
}

static bool
exec_takes(enum form form, const struct execution *x)
{
	bool waits = x->state <= EXEC_ASSIGNED;
	uint32_t cures = reason_info(x->reason)->cures;

	switch (form) {
	case FORM_CANCEL:
		return !exec_state_final(x->state);
	case FORM_HOLD:
		return waits && x->reason != REASON_HELD;
	case FORM_RELEASE:
		return waits && x->reason == REASON_HELD;
	case FORM_REQUEUE:
		return x->state == EXEC_RUNNING || (waits && x->attempt > 0 &&
		    (cures & form_cures[form]));
	case FORM_MOVE:
		return waits;
	case FORM_RUN_ANYWAY:
		return x->state == EXEC_SKIPPED ||
		    (waits && (cures & form_cures[form]) != 0);
	case FORM_SKIP:
	case FORM_START_NOW:
	case FORM_OVERRIDE:
	case FORM_AMEND:
	case FORM_AMEND_AGENT:
	case FORM_ADD_AGENT:
	case FORM_CANCEL_HOLDER:
		return x->state == EXEC_WAITING &&
		    (cures & form_cures[form]) != 0;
	case FORM_LOST:
		return x->unknown;
	default:
		return false;
	}
}

/* The agents whose change would cure a reason. */
static void
add_cure_agents(struct batch *b, enum reason reason)
{
	size_t i, n = engine_agent_count(b->t->engine);
	const struct agent *a;

	if ((reason_info(reason)->cures & form_cures[b->form]) == 0)
		return;
	for (i = 0; i < n; i++) {
		a = engine_agent(b->t->engine, i);
		if (agent_cures(b->form, reason, a))
			target_add_agent(b, a);
	}
}

static void
add_waiting(struct batch *b, enum reason reason)
{
	struct tui *t = b->t;
	const struct run *r;
	const struct execution *x;
	uint32_t k, looked = 0;
	size_t i;

	for (i = 0; i < engine_run_count(t->engine); i++) {
		r = engine_run(t->engine, i);
		if (reason == REASON_RUN_HELD && run_takes(b->form, r))
			add_run(b, r);
		for (k = 0; r->executions != NULL && k < r->n; k++) {
			x = &r->executions[k];
			/* Values are few; each costs a question. */
			if (is_offered(b->form) && looked >= LOOK_MAX)
				return;
			looked += x->reason == reason;
			if (x->reason == reason && x->state <= EXEC_ASSIGNED &&
			    exec_takes(b->form, x))
				add_exec(b, x);
		}
	}
}

/* A worker that a person took. */
static void
add_taken(struct batch *b, const struct agent *a, const struct worker *w)
{
	struct target *tg;
	char *name;

	if (!w->taken.on)
		return;
	name = str_fmt("%s/%u, %s of %s", a->name, w->no,
	    worker_kind_name(w->kind), w->owner != NULL ? w->owner : "?");
	tg = target_add(b, name);
	snprintf(tg->op.agent, sizeof(tg->op.agent), "%s", a->name);
	tg->op.worker = w->no;
	free(name);
}

static void
add_all_taken(struct batch *b)
{
	size_t i, n = engine_agent_count(b->t->engine);
	const struct agent *a;
	uint32_t k;

	for (i = 0; i < n; i++) {
		a = engine_agent(b->t->engine, i);
		for (k = 0; a->link == LINK_UP && k < a->facts.n_workers; k++)
			add_taken(b, a, &a->facts.workers[k]);
	}
}

static void
add_for_cause(struct batch *b, enum reason reason)
{
	if (b->form == FORM_GO_ON && reason == REASON_CONSOLE_PAUSED)
		add_console(b);
	if (b->form == FORM_GIVE_BACK && reason == REASON_WORKERS_BUSY)
		add_all_taken(b);
	add_cure_agents(b, reason);
	if (b->n == 0)
		add_waiting(b, reason);
}

static void
add_for_exec(struct batch *b, const struct execution *x)
{
	if (b->form == FORM_PRIORITY) {
		if (run_takes(b->form, x->run))
			add_run(b, x->run);
	} else if (exec_takes(b->form, x)) {
		add_exec(b, x);
	} else if (b->form == FORM_DEAD && x->unknown && x->agent >= 0) {
		target_add_agent(b, engine_agent(b->t->engine, (size_t)x->agent));
	} else if (b->form == FORM_GO_ON) {
		add_for_cause(b, x->reason);
	} else if (b->form == FORM_ADOPT) {
		if (run_takes(b->form, x->run))
			add_run(b, x->run);
	} else if (x->state <= EXEC_ASSIGNED) {
		if (x->reason == REASON_RUN_HELD && b->form == FORM_RELEASE)
			add_run(b, x->run);
		else
			add_cure_agents(b, x->reason);
	}
	/* Of what is under the headline, too. */
	if (b->n == 0 && (x->state <= EXEC_ASSIGNED ||
	    x->state == EXEC_SKIPPED))
		offers_add(b, x);
}

/* What it runs is ended or moved; anything else is done to its agent. */
static void
add_for_worker(struct batch *b, const struct object *o)
{
	const struct execution *x;

	if (b->form == FORM_CANCEL || b->form == FORM_REQUEUE) {
		x = engine_execution_find(b->t->engine, &o->worker->attempt);
		if (x != NULL && exec_takes(b->form, x))
			add_exec(b, x);
	} else if (b->form == FORM_GIVE_BACK) {
		add_taken(b, o->agent, o->worker);
	} else if (agent_takes(b->form, o->agent)) {
		target_add_agent(b, o->agent);
	}
}

static void
add_lost(struct batch *b)
{
	size_t i, n = engine_agent_count(b->t->engine);
	const struct agent *a;

	for (i = 0; i < n && b->form == FORM_RECONNECT; i++) {
		a = engine_agent(b->t->engine, i);
		if (a->state == AGENT_LOST || a->state == AGENT_OFFLINE)
			target_add_agent(b, a);
	}
}

void
targets_add(struct batch *b, const struct object *o)
{
	struct object real = *o;

	object_resolve(b->t, &real);
	switch (real.kind) {
	case OBJ_WORKER:
		add_for_worker(b, &real);
		break;
	case OBJ_AGENT:
		if (agent_takes(b->form, real.agent))
			target_add_agent(b, real.agent);
		break;
	case OBJ_EXEC:
		add_for_exec(b, real.exec);
		break;
	case OBJ_RUN:
		if ((b->form == FORM_PAUSE || b->form == FORM_GO_ON) &&
		    real.run->ours && (engine_paused(b->t->engine) != NULL) ==
		    (b->form == FORM_GO_ON))
			add_console(b);
		if (run_takes(b->form, real.run))
			add_run(b, real.run);
		break;
	case OBJ_CAUSE:
		add_for_cause(b, real.cause->reason);
		break;
	case OBJ_ATTENTION:
		add_lost(b);
		break;
	default:
		break;
	}
}

/* A batch that is only counted. */
static size_t
count_targets(struct tui *t, enum form form, const struct object *o,
    char **ret_first, struct op_effect *ret_effect)
{
	struct batch b = { .t = t, .form = form };
	size_t i;

	targets_add(&b, o);
	if (ret_first != NULL)
		*ret_first = b.n > 0 ? str_dup(b.targets[0].name) : NULL;
	/* Forms without fields are known in full. */
	if (ret_effect != NULL && b.n > 0 &&
	    form_info(form)->fields[0] == NULL)
		batch_effect(&b, ret_effect);
	for (i = 0; i < b.n; i++)
		target_done(&b.targets[i]);
	free(b.targets);
	return b.n;
}

bool
targets_any(struct tui *t, enum form form, const struct object *o)
{
	return count_targets(t, form, o, NULL, NULL) > 0;
}

void
targets_effect(struct tui *t, enum form form, const struct object *o,
    struct buf *out)
{
	struct object real = *o;
	const struct cause *c = NULL;
	char *first;
	struct op_effect effect = { .known = false };
	size_t n = count_targets(t, form, o, &first, &effect);

	if (effect.known)
		buf_putf(out, "%s; ", effect.text);
	if (n == 1)
		buf_putf(out, "%s", first);
	else
		buf_putf(out, "%zu targets", n);
	free(first);
	object_resolve(t, &real);
	if (real.kind == OBJ_CAUSE)
		c = real.cause;
	else if (real.kind == OBJ_EXEC)
		c = attention_cause(t, real.exec->reason);
	if (c != NULL && (reason_info(c->reason)->cures & form_cures[form]))
		buf_putf(out, "; %u wait%s for it", c->n, c->n == 1 ? "s" : "");
}
