/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Executions that wait for a time of the wall clock. The scheduler knows no
 * such clock: it is told instants of its own, and anew when somebody set the
 * other one.
 */
#include "config.h"

#include <stdlib.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"

#include "engine/engine_private.h"

#define SET_US US_PER_S		/* a clock that is off by less was not set */

static void
move_run(struct engine *e, struct erun *r, int64_t now_us)
{
	int64_t at_us;
	uint32_t no;

	for (no = 1; no <= r->live.n; no++)
		if (r->live.executions[no - 1].state == EXEC_WAITING &&
		    (at_us = plan_exec_at(r->plan, no)) > 0)
			(void)sched_exec_not_before(e->sched, r->handle, no,
			    at_us - e->wall_ahead_us, now_us);
}

void
due_look(struct engine *e)
{
	int64_t now_us = clock_mono_us();
	int64_t ahead_us = clock_wall_us() - now_us;
	struct erun *r;

	if (llabs(ahead_us - e->wall_ahead_us) < SET_US)
		return;
	e->wall_ahead_us = ahead_us;
	TAILQ_FOREACH(r, &e->runs, entry)
		if (r->file != NULL && r->plan->n_schedules > 0)
			move_run(e, r, now_us);
	engine_wake(e);
}

int64_t
due_at(const struct engine *e, const struct execution *x)
{
	const struct erun *r;

	if (x->reason != REASON_SCHEDULE ||
	    (r = erun_find(e, x->run->id)) == NULL)
		return 0;
	return plan_exec_at(r->plan, x->no);
}

void
due_why(const struct erun *r, uint32_t no, struct why *why)
{
	char at[WHEN_TEXT], *text;
	size_t i;

	for (i = 0; i < why->n; i++) {
		if (why->v[i].code != REASON_SCHEDULE)
			continue;
		text = str_fmt("%s, %s", when_format(plan_exec_at(r->plan,
		    no), at), why->v[i].text);
		free(why->v[i].text);
		why->v[i].text = text;
	}
}

char *
due_text(const struct plan *p, int64_t now_us)
{
	int64_t first_us = CLOCK_NEVER, at_us;
	char at[WHEN_TEXT];
	uint32_t no, n = 0;

	for (no = 1; p->n_schedules > 0 && no <= p->n_execs; no++) {
		if ((at_us = plan_exec_at(p, no)) <= now_us)
			continue;
		n++;
		if (at_us < first_us)
			first_us = at_us;
	}
	return n == 0 ? str_dup("") : str_fmt(", %u of them wait for their "
	    "schedule, the first until %s", n, when_format(first_us, at));
}
