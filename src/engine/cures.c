/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cures: for each blocker of an execution the ops that may end it, and what
 * each would come to. The prediction is the scheduler's own, on a copy.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sched/forecast.h"

#include "engine/cures.h"

#define BUDGET_US (50 * US_PER_MS)	/* for all effects of one answer */

/* ---- effects ----------------------------------------------------------------------- */

struct change {
	struct engine *e;
	const struct op *ops;
	size_t n;
};

/* Of the processor's time. One play is worth all that is left. */
struct budget {
	int64_t until_us, share_us;
};

static bool
is_spent(void *arg, uint32_t plays)
{
	const struct budget *b = arg;

	return clock_cpu_us() > (plays > 0 ? b->share_us : b->until_us);
}

/* For the next of n forecasts that are to come. */
static void
budget_share(struct budget *b, size_t n)
{
	int64_t now = clock_cpu_us();

	b->share_us = now + (b->until_us - now) / (int64_t)n;
}

static void
change_run(struct engine *e, struct erun *r, const struct op *op,
    struct sched *to)
{
	uint32_t h = r->handle, no = op->id.execution;
	int64_t now = clock_mono_us();
	int agent = fleet_index(e->fleet, op->agent);

	switch (op->kind) {
	case OP_HOLD:
	case OP_RELEASE:
		if (no != 0)
			sched_exec_hold(to, h, no, op->kind == OP_HOLD ? "" :
			    NULL, now);
		else
			sched_run_hold(to, h, op->kind == OP_HOLD ? "" : NULL,
			    now);
		break;
	case OP_CANCEL:
		if (no != 0)
			sched_exec_cancel(to, h, no, now);
		else
			sched_run_cancel(to, h, now);
		break;
	case OP_PRIORITY:
		if (no != 0)
			sched_exec_priority(to, h, no, op->priority);
		else
			sched_run_priority(to, h, op->priority);
		break;
	case OP_REQUEUE:
		sched_exec_requeue(to, h, no, now);
		break;
	case OP_MOVE:
		sched_exec_move(to, h, no, agent < 0 ? SCHED_NONE :
		    (uint32_t)agent, now);
		break;
	case OP_SKIP:
		sched_exec_skip(to, h, no, now);
		break;
	case OP_RUN_ANYWAY:
		sched_exec_run_anyway(to, h, no, now);
		break;
	case OP_START_NOW:
		sched_exec_start_now(to, h, no, now);
		break;
	case OP_OVERRIDE:
		sched_exec_override(to, h, no, now);
		break;
	default:
		break;
	}
}

static void
apply(void *arg, struct sched *to)
{
	const struct change *c = arg;
	const struct op *op;
	struct erun *r;
	size_t i;
	int agent;

	amend_try(c->e, c->ops, c->n, to);
	for (i = 0; i < c->n; i++) {
		op = &c->ops[i];
		r = erun_find(c->e, op->id.run);
		agent = fleet_index(c->e->fleet, op->agent);
		if (op->kind == OP_GO_ON)
			sched_pause(to, NULL, clock_mono_us());
		else if (r != NULL && r->file != NULL)
			change_run(c->e, r, op, to);
		else if (agent >= 0)
			feed_agent_into(c->e, (size_t)agent, to, op);
	}
}

static int
forecast_by(struct engine *e, struct budget *b, const struct change *c,
    struct forecast *ret)
{
	struct forecast_opts o = { .now_us = clock_mono_us(),
		.change = c != NULL ? apply : NULL,
		.change_arg = (void *)(uintptr_t)c,
		.enough = is_spent, .enough_arg = b };

	return sched_forecast(e->sched, &o, ret);
}

/* "in 12m", or "at once". */
static const char *
in_time(int64_t us, char *out, size_t size)
{
	char text[DURATION_TEXT];

	snprintf(out, size, us < US_PER_S ? "at once" : "in %s",
	    duration_format(us - us % US_PER_S, text));
	return out;
}

static void
say_effect(struct op_effect *f)
{
	char with[48], without[48], starts[48] = "";
	size_t size = sizeof f->text;

	in_time(f->end_us, with, sizeof with);
	in_time(f->end_without_us, without, sizeof without);
	if (f->starts > 0)
		snprintf(starts, sizeof starts, "%u start%s now, ", f->starts,
		    f->starts == 1 ? "s" : "");
	if (f->never < f->never_without)
		snprintf(f->text, size, "%s%u that would never end do, the "
		    "last %s", starts, f->never_without - f->never, with);
	else if (f->never > f->never_without)
		snprintf(f->text, size, "%s%u more never end", starts,
		    f->never - f->never_without);
	else if (f->sign != 0 && strcmp(with, without) != 0)
		snprintf(f->text, size, "%sends %s, not %s%s", starts, with,
		    without, f->sure ? "" : ", but that is not sure");
	else
		snprintf(f->text, size, "%sends as before, %s%s", starts,
		    with, f->sure ? "" : ", but that is not sure");
}

static void
compare(struct engine *e, const struct forecast *without,
    const struct forecast *with, uint32_t handle, struct op_effect *ret)
{
	int64_t now = clock_mono_us();
	struct erun *r;
	struct effect f;
	uint32_t i;

	forecast_effect(without, with, handle, now, &f);
	*ret = (struct op_effect){ .known = true, .starts = f.starts,
		.never = f.never, .never_without = f.never_without,
		.end_us = f.end_us - now,
		.end_without_us = f.end_without_us - now, .sign = f.sign,
		.sure = f.sure };
	for (i = 0; i < 3 && i < f.starts; i++) {
		if ((r = erun_by_handle(e, f.first[i].run)) == NULL)
			continue;
		memcpy(ret->first[i].run, r->live.id,
		    sizeof ret->first[i].run);
		ret->first[i].execution = f.first[i].exec;
	}
	say_effect(ret);
}

static void
not_predicted(struct op_effect *ret, const char *why)
{
	*ret = (struct op_effect){ .known = false };
	snprintf(ret->text, sizeof ret->text, "not predicted: %s", why);
}

/* What is beyond the scheduler: nobody knows what comes of it. */
static const char *
unforeseeable(const struct engine *e, const struct op *op)
{
	if (op->id.run[0] != '\0' && erun_find(e, op->id.run) == NULL)
		return "this console does not drive the run";
	switch (op->kind) {
	case OP_KINDS:
		return "it changes nothing";
	case OP_ADD:
		return "what it can do is not known";
	case OP_RECONNECT:
		return "whether the link comes up is not known";
	case OP_PROBE:
		return "what comes of a probe is not known";
	case OP_DECLARE_DEAD:
	case OP_DECLARE_LOST:
		return "what the agent has done is not known";
	default:
		return NULL;
	}
}

/* Beside the forecast of things as they are; NULL: that is not known. */
static void
effect_of(const struct change *c, const char *run, struct budget *b,
    const struct forecast *without, struct op_effect *ret)
{
	struct erun *r = run != NULL ? erun_find(c->e, run) : NULL;
	struct forecast with;

	if (c->n == 0 || unforeseeable(c->e, &c->ops[0]) != NULL) {
		not_predicted(ret, c->n == 0 ? "nothing to do" :
		    unforeseeable(c->e, &c->ops[0]));
		return;
	}
	if (without == NULL || forecast_by(c->e, b, c, &with) < 0) {
		not_predicted(ret, "too large");
		return;
	}
	compare(c->e, without, &with, r != NULL && r->file != NULL ?
	    r->handle : SCHED_NONE, ret);
	forecast_done(&with);
}

void
engine_effect(struct engine *e, const struct op *ops, size_t n,
    const char *run, struct op_effect *ret)
{
	struct budget b = { .until_us = clock_cpu_us() + BUDGET_US };
	struct change c = { e, ops, n };
	struct forecast without;
	bool known;

	budget_share(&b, 2);
	known = forecast_by(e, &b, NULL, &without) == 0;
	budget_share(&b, 1);
	effect_of(&c, run, &b, known ? &without : NULL, ret);
	if (known)
		forecast_done(&without);
}

/* ---- offers -------------------------------------------------------------------------- */

struct cure_offer *
cure_offer(struct offering *o, enum cure cure, enum op_kind kind)
{
	struct cure_offer *c;

	o->v = mem_grow(o->v, &o->cap, o->n + 1, sizeof *o->v);
	c = &o->v[o->n++];
	memset(c, 0, sizeof *c);
	c->cure = cure;
	c->reason = o->b->code;
	c->op.kind = kind;
	return c;
}

/* On the execution itself, with what the command says after its id. */
static void
offer_exec(struct offering *o, enum cure cure, enum op_kind kind)
{
	struct cure_offer *c = cure_offer(o, cure, kind);
	char id[IDENT_TEXT];

	c->op.id = *o->id;
	c->op.id.attempt = 0;
	if (kind == OP_PRIORITY)
		c->op.priority = 1;
	if (o->b->code == REASON_RUN_HELD)
		c->op.id.execution = 0;
	ident_format(&c->op.id, id);
	c->command = kind == OP_DECLARE_LOST ?
	    str_fmt("yardmaster declare %s lost", id) :
	    str_fmt("yardmaster %s %s%s", op_name(kind), id,
	    kind == OP_PRIORITY ? " 1" : "");
}

static void
offer_amend(struct offering *o, enum cure cure, const char *key, char *value)
{
	struct cure_offer *c = cure_offer(o, cure, OP_AMEND);

	memcpy(c->op.id.run, o->id->run, sizeof c->op.id.run);
	c->key = str_dup(key);
	c->value = value;
	c->op.key = c->key;
	c->op.value = c->value;
	c->command = str_fmt("yardmaster amend %s %s=%s", o->id->run, key,
	    value);
}

/* What stands in its way is a value of the plan. */
static void
offer_limit(struct offering *o, enum cure cure)
{
	const struct blocker *b = o->b;
	struct buf label = BUF_INIT;
	const struct execution *x;

	if (b->code == REASON_NO_AGENT) {
		x = &o->r->live.executions[o->id->execution - 1];
		buf_putf(&label, "agents:%s", x->suite);
		if (x->n_steps == 1)
			buf_putf(&label, "/%s", x->test);
		offer_amend(o, cure, buf_str(&label), str_dup("/./"));
		buf_done(&label);
	} else if (b->key != NULL && strncmp(b->key, "exclusive:", 10) == 0) {
		offer_amend(o, cure, b->key, str_dup("off"));
	} else if (b->key != NULL) {
		offer_amend(o, cure, b->key, str_fmt("%u", b->limit +
		    (b->limit + 1) / 2));
	}
}

static void
offer_holder(struct offering *o)
{
	struct cure_offer *c;
	struct ident id;

	/* What is lost cannot be cancelled. */
	if (o->b->holder == NULL || ident_parse(o->b->holder, &id) < 0 ||
	    id.attempt != 0)
		return;
	c = cure_offer(o, CURE_CANCEL_HOLDER, OP_CANCEL);
	c->op.id = id;
	c->command = str_fmt("yardmaster cancel %s", o->b->holder);
}

static void
offer_show(struct offering *o)
{
	struct cure_offer *c;
	struct ident id;

	if (o->b->holder == NULL || ident_parse(o->b->holder, &id) < 0)
		return;
	id.attempt = 0;
	c = cure_offer(o, CURE_SHOW_HOLDER, OP_KINDS);
	c->op.id = id;
	c->command = str_fmt("yardmaster why %s/%u", id.run, id.execution);
}

static void
offer_go_on(struct offering *o)
{
	struct cure_offer *c = cure_offer(o, CURE_GO_ON, OP_GO_ON);

	c->command = str_fmt("yardmaster go-on %s", o->id->run);
}

static void
offer_cure(struct offering *o, enum cure cure)
{
	static const struct {
		enum cure cure;
		enum op_kind kind;
		bool agents;
	} plain[] = {
		{ CURE_RUN_ANYWAY, OP_RUN_ANYWAY, false },
		{ CURE_SKIP, OP_SKIP, false },
		{ CURE_START_NOW, OP_START_NOW, false },
		{ CURE_OVERRIDE, OP_OVERRIDE, false },
		{ CURE_CANCEL, OP_CANCEL, false },
		{ CURE_TAKE_BACK, OP_REQUEUE, false },
		{ CURE_PRIORITY, OP_PRIORITY, false },
		{ CURE_DECLARE_LOST, OP_DECLARE_LOST, false },
		{ CURE_UNDRAIN, OP_UNDRAIN, true },
		{ CURE_CLEAR, OP_CLEAR, true },
		{ CURE_RAISE_MAX, OP_SET, true },
		{ CURE_EDIT_THRESHOLD, OP_SET, true },
		{ CURE_EDIT_GUARD, OP_SET, true },
		{ CURE_PIN, OP_MOVE, true },
		{ CURE_MOVE, OP_MOVE, true },
		{ CURE_RECONNECT, OP_RECONNECT, true },
		{ CURE_SHOW_LOG, OP_KINDS, true },
		{ CURE_PROBE, OP_PROBE, true },
		{ CURE_DECLARE_DEAD, OP_DECLARE_DEAD, true },
	};
	bool of_agents = o->b->code >= REASON_AGENTS_OFFLINE;
	size_t i;

	/* It is set up here, not on an agent. */
	if (o->b->code == REASON_SETUP && o->r->packing != NULL)
		return;
	if (o->b->code == REASON_WORKERS_BUSY && (cure == CURE_RELEASE ||
	    cure == CURE_CANCEL_HOLDER || cure == CURE_REQUEUE))
		cure_busy(o, cure);
	else if (cure == CURE_AMEND_AGENT)
		cure_amend_agent(o);
	else if (cure == CURE_ADD_AGENT)
		cure_add_agent(o);
	else if (cure == CURE_GO_ON)
		offer_go_on(o);
	else if (cure == CURE_CANCEL_HOLDER)
		offer_holder(o);
	else if (cure == CURE_SHOW_HOLDER)
		offer_show(o);
	else if (cure == CURE_AMEND || cure == CURE_RAISE_LIMIT)
		offer_limit(o, cure);
	else if (cure == CURE_RELEASE && of_agents)
		cure_offer_agents(o, cure, OP_RELEASE);
	else if (cure == CURE_RELEASE)
		offer_exec(o, cure, OP_RELEASE);
	for (i = 0; i < sizeof plain / sizeof *plain; i++) {
		if (plain[i].cure != cure)
			continue;
		if (plain[i].agents)
			cure_offer_agents(o, cure, plain[i].kind);
		else
			offer_exec(o, cure, plain[i].kind);
	}
}

/* Each is compared with one forecast of things as they are. */
static void
predict_all(struct offering *o)
{
	struct budget b = { .until_us = clock_cpu_us() + BUDGET_US };
	struct change c = { o->e, NULL, 1 };
	struct forecast without;
	bool known;
	size_t i;

	if (o->n == 0)
		return;
	budget_share(&b, o->n + 1);
	known = forecast_by(o->e, &b, NULL, &without) == 0;
	for (i = 0; i < o->n; i++) {
		c.ops = &o->v[i].op;
		budget_share(&b, o->n - i);
		effect_of(&c, o->r->live.id, &b, known ? &without : NULL,
		    &o->v[i].effect);
	}
	if (known)
		forecast_done(&without);
}

static void
offer_done(struct cure_offer *c)
{
	free(c->key);
	free(c->value);
	free(c->command);
}

/* Two blockers may have one cure. */
static void
drop_repeated(struct offering *o)
{
	size_t i, k, n = 0;

	for (i = 0; i < o->n; i++) {
		for (k = 0; k < n; k++)
			if (o->v[i].command != NULL &&
			    o->v[k].command != NULL && strcmp(o->v[i].command,
			    o->v[k].command) == 0)
				break;
		if (k == n)
			o->v[n++] = o->v[i];
		else
			offer_done(&o->v[i]);
	}
	o->n = n;
}

void
engine_cures(struct engine *e, const struct ident *id, bool predict,
    struct cure_offer **ret, size_t *ret_n)
{
	struct offering o = { .e = e, .r = erun_find(e, id->run), .id = id };
	struct why why = { NULL, 0 };
	uint32_t bit;
	size_t i;

	*ret = NULL;
	*ret_n = 0;
	if (o.r == NULL || o.r->file == NULL || id->execution == 0 ||
	    id->execution > o.r->live.n)
		return;
	engine_why(e, id, &why);
	for (i = 0; i < why.n; i++) {
		o.b = &why.v[i];
		for (bit = 1; bit != 0; bit <<= 1)
			if (reason_info(o.b->code)->cures & bit)
				offer_cure(&o, (enum cure)bit);
	}
	drop_repeated(&o);
	if (predict)
		predict_all(&o);
	why_done(&why);
	*ret = o.v;
	*ret_n = o.n;
}

void
cure_offers_free(struct cure_offer *v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		offer_done(&v[i]);
	free(v);
}
