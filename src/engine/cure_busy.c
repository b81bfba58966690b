/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cures where all workers are busy, by what keeps them so: what is silent or
 * overdue can be ended or tried elsewhere, what a person took and should have
 * given back can be.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"

#include "engine/cures.h"

#define OFFERED 3		/* holders */

static bool
is_overlong(const struct agent *a, const struct worker *w)
{
	int64_t now = clock_mono_us();
	int64_t age = now > a->facts_us ? now - a->facts_us : 0;

	return w->busy && w->kind <= WORKER_JOB &&
	    (worker_overdue(w, w->elapsed_us + age) ||
	    worker_silent(w, age));
}

/* Its time is over, or it has none. */
static bool
is_overdrawn(const struct worker *w)
{
	return w->busy && w->take != 0 && w->taken.on &&
	    w->taken.expires_wall_us < clock_wall_us();
}

static void
offer_execution(struct offering *o, enum cure cure, enum op_kind kind,
    const struct ident *attempt)
{
	struct erun *r = erun_find(o->e, attempt->run);
	struct cure_offer *c;
	char id[IDENT_TEXT];

	if (r == NULL || r->file == NULL)
		return;
	c = cure_offer(o, cure, kind);
	c->op.id = *attempt;
	c->op.id.attempt = 0;
	c->command = str_fmt("yardmaster %s %s", op_name(kind),
	    ident_format(&c->op.id, id));
}

static void
offer_give_back(struct offering *o, const struct agent *a,
    const struct worker *w)
{
	struct cure_offer *c = cure_offer(o, CURE_RELEASE, OP_GIVE_BACK);

	snprintf(c->op.agent, sizeof c->op.agent, "%s", a->name);
	c->op.worker = w->no;
	c->command = str_fmt("yardmaster give-back %s %u%s", a->name, w->no,
	    o->e->fleet_option);
}

/* True when it is a holder of that kind of cure. */
static bool
offer_worker(struct offering *o, enum cure cure, const struct agent *a,
    const struct worker *w)
{
	if (cure == CURE_RELEASE) {
		if (is_overdrawn(w))
			offer_give_back(o, a, w);
		return is_overdrawn(w);
	}
	if (!is_overlong(a, w))
		return false;
	offer_execution(o, cure, cure == CURE_REQUEUE ? OP_REQUEUE :
	    OP_CANCEL, &w->attempt);
	return true;
}

void
cure_busy(struct offering *o, enum cure cure)
{
	const struct agent *a;
	size_t i, n = 0;
	uint32_t w;

	for (i = 0; i < fleet_count(o->e->fleet); i++) {
		a = fleet_agent(o->e->fleet, i);
		if (!a->known || a->link != LINK_UP || !sched_exec_admits(
		    o->e->sched, o->r->handle, o->id->execution, (uint32_t)i))
			continue;
		for (w = 0; w < a->facts.n_workers && n < OFFERED; w++)
			n += offer_worker(o, cure, a, &a->facts.workers[w]);
	}
}
