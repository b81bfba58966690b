/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cures that are done to agents: only those are offered that the execution
 * may use, and only what would change something there.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/mem.h"

#include "engine/cures.h"

#define OFFERED 3		/* agents, of each cure */

/* An agent that is looked at, and the offer that would be made of it. */
struct fit {
	const struct offering *o;
	size_t index;
	const struct agent *a;
	struct cure_offer *c;
	char *value;		/* of the command, with a blank before it */
};

static bool
is_open(const struct agent *a)
{
	return a->link == LINK_UP && !a->facts.draining.on &&
	    !a->facts.held.on && !a->benched && a->facts.guard == NULL;
}

static bool
fit_undrain(struct fit *f)
{
	return f->a->facts.draining.on;
}

static bool
fit_release(struct fit *f)
{
	return f->a->facts.held.on;
}

static bool
fit_clear(struct fit *f)
{
	return f->a->benched;
}

static void
set_max(struct fit *f, uint32_t n)
{
	f->c->op.set_max = true;
	f->c->op.expect_max = f->a->facts.max_workers;
	f->c->op.max_workers = n;
	f->value = str_fmt(" max_workers=%u", n);
}

static void
set_threshold(struct fit *f)
{
	char *before = f->value;

	f->c->op.set_threshold = true;
	f->c->op.expect_threshold = f->a->facts.threshold;
	threshold_parse("max", &f->c->op.threshold);
	f->value = str_fmt("%s threshold=max", before != NULL ? before : "");
	free(before);
}

/* As many workers as it asks for at once. */
static bool
fit_width(struct fit *f)
{
	const struct plan *p = f->o->r->plan;
	const struct plan_terms *t =
	    &p->terms[p->execs[f->o->id->execution - 1].terms];
	const struct facts *facts = &f->a->facts;
	uint32_t max = facts->max_workers;

	if (max < t->workers)
		set_max(f, max = t->workers);
	if (!t->pinned && threshold_effective(&facts->threshold, max) <
	    t->workers)
		set_threshold(f);
	return f->value != NULL;
}

static bool
fit_raise_max(struct fit *f)
{
	const struct facts *facts = &f->a->facts;

	if (f->a->link != LINK_UP || facts->virtual)
		return false;
	if (f->o->b->code == REASON_NO_AGENT)
		return fit_width(f);
	if (facts->busy < facts->max_workers)
		return false;
	set_max(f, facts->max_workers + 1);
	return true;
}

static bool
fit_threshold(struct fit *f)
{
	const struct facts *facts = &f->a->facts;

	if (f->a->link != LINK_UP || facts->effective >= facts->max_workers)
		return false;
	set_threshold(f);
	return true;
}

/* Which guard it is, by how agents word it. */
static int
guard_of(const char *text)
{
	static const struct {
		const char *begins;
		enum guard guard;
	} words[] = {
		{ "load per CPU:", GUARD_LOAD },
		{ "memory:", GUARD_MEMORY },
		{ "disk:", GUARD_DISK },
		{ "health:", GUARD_HEALTH },
	};
	size_t i;

	for (i = 0; text != NULL && i < sizeof words / sizeof *words; i++)
		if (strncmp(text, words[i].begins,
		    strlen(words[i].begins)) == 0)
			return (int)words[i].guard;
	return -1;
}

static bool
fit_guard(struct fit *f)
{
	int g = guard_of(f->a->facts.guard);

	if (f->a->link != LINK_UP || g < 0)
		return false;
	f->c->op.set_guards = GUARD_BIT(g);
	f->c->op.expect_guards = f->c->op.guards = f->a->facts.guards;
	(void)guard_set(&f->c->op.guards, (enum guard)g, "off");
	f->value = str_fmt(" guards.%s=off", guard_name((enum guard)g));
	return true;
}

static bool
to_here(struct fit *f)
{
	f->c->op.id = *f->o->id;
	f->c->op.id.attempt = 0;
	return true;
}

/* Free workers that the threshold keeps are for what is pinned. */
static bool
fit_pin(struct fit *f)
{
	return is_open(f->a) && f->a->facts.busy < f->a->facts.max_workers &&
	    to_here(f);
}

static bool
fit_move(struct fit *f)
{
	const struct execution *x =
	    &f->o->r->live.executions[f->o->id->execution - 1];

	return is_open(f->a) && (int)f->index != (int)x->agent &&
	    f->a->facts.max_workers > 0 && to_here(f);
}

static bool
fit_reconnect(struct fit *f)
{
	return f->a->link < LINK_UP;
}

/* The one that is silent and has it, or has what it waits for. */
static bool
fit_dead(struct fit *f)
{
	const struct execution *x =
	    &f->o->r->live.executions[f->o->id->execution - 1];
	const struct erun *r;
	struct ident id;

	if (f->a->link >= LINK_UP)
		return false;
	if (f->o->b->code == REASON_LOST_GRACE)
		return (int)f->index == (int)x->agent;
	if (f->o->b->holder == NULL ||
	    ident_parse(f->o->b->holder, &id) < 0 || id.attempt == 0 ||
	    (r = erun_find(f->o->e, id.run)) == NULL)
		return false;
	return sched_holder(f->o->e->sched, (struct sched_id){ r->handle,
	    id.execution, id.attempt }) == f->index;
}

static const struct {
	enum cure cure;
	bool any;		/* also agents that it may not use */
	bool unknown;		/* also those that were never heard */
	bool (*fits)(struct fit *f);
} table[] = {
	{ CURE_UNDRAIN, false, false, fit_undrain },
	{ CURE_RELEASE, false, false, fit_release },
	{ CURE_CLEAR, false, false, fit_clear },
	{ CURE_PROBE, false, false, fit_clear },
	{ CURE_RAISE_MAX, false, false, fit_raise_max },
	{ CURE_EDIT_THRESHOLD, false, false, fit_threshold },
	{ CURE_EDIT_GUARD, false, false, fit_guard },
	{ CURE_PIN, false, false, fit_pin },
	{ CURE_MOVE, false, false, fit_move },
	{ CURE_RECONNECT, false, true, fit_reconnect },
	{ CURE_SHOW_LOG, false, true, fit_reconnect },
	{ CURE_DECLARE_DEAD, true, true, fit_dead },
};

static bool
fits(size_t row, struct fit *f)
{
	const struct offering *o = f->o;

	if (!table[row].unknown && !f->a->known)
		return false;
	if (!table[row].any && !sched_exec_admits(o->e->sched, o->r->handle,
	    o->id->execution, (uint32_t)f->index))
		return false;
	return table[row].fits(f);
}

/* Those that drive runs are told, and know the fleet. */
static bool
asks_owners(enum op_kind kind)
{
	return kind == OP_CLEAR || kind == OP_PROBE || kind == OP_RECONNECT;
}

static void
offer_on(struct offering *o, enum cure cure, const struct cure_offer *trial,
    const struct fit *f)
{
	struct cure_offer *c = cure_offer(o, cure, trial->op.kind);
	enum op_kind kind = trial->op.kind;
	char id[IDENT_TEXT];

	c->op = trial->op;
	snprintf(c->op.agent, sizeof c->op.agent, "%s", f->a->name);
	if (cure == CURE_SHOW_LOG)
		c->command = str_fmt("yardmaster fleet log %s%s", f->a->name,
		    o->e->fleet_option);
	else if (kind == OP_DECLARE_DEAD)
		c->command = str_fmt("yardmaster declare %s dead",
		    f->a->name);
	else if (kind == OP_MOVE)
		c->command = str_fmt("yardmaster move %s %s",
		    ident_format(&c->op.id, id), f->a->name);
	else
		c->command = str_fmt("yardmaster %s %s%s%s", op_name(kind),
		    f->a->name, f->value != NULL ? f->value : "",
		    asks_owners(kind) ? "" : o->e->fleet_option);
}

void
cure_offer_agents(struct offering *o, enum cure cure, enum op_kind kind)
{
	struct cure_offer trial;
	struct fit f = { .o = o, .c = &trial };
	size_t row, n = 0;

	for (row = 0; row < sizeof table / sizeof *table &&
	    table[row].cure != cure; row++)
		;
	for (; row < sizeof table / sizeof *table && n < OFFERED &&
	    f.index < fleet_count(o->e->fleet); f.index++) {
		f.a = fleet_agent(o->e->fleet, f.index);
		f.value = NULL;
		memset(&trial, 0, sizeof trial);
		trial.op.kind = kind;
		if (fits(row, &f)) {
			offer_on(o, cure, &trial, &f);
			n++;
		}
		free(f.value);
	}
}
