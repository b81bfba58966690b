/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Holds of runs and executions that end by themselves, at a time of the wall
 * clock. What ends is recorded as a release, so that whoever takes the run
 * over does not end it again.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"

#include "engine/engine_private.h"

void
holds_set(struct erun *r, uint32_t no, int64_t until_wall_us)
{
	if (r->held_until == NULL && until_wall_us == 0)
		return;
	if (r->held_until == NULL)
		r->held_until = mem_calloc((size_t)r->live.n + 1,
		    sizeof *r->held_until);
	r->held_until[no] = until_wall_us;
}

int64_t
holds_before(const struct erun *r, const struct amendment *am)
{
	const struct amendment *was;
	size_t i;

	for (i = (size_t)am->number - 1; i-- > 0;) {
		was = &r->amendments[i];
		if (was->id.execution == am->id.execution &&
		    (was->kind == OP_HOLD || was->kind == OP_RELEASE))
			return was->expires_wall_us > clock_wall_us() ?
			    was->expires_wall_us : 0;
	}
	return 0;
}

/* One that has ended meanwhile may be asked for again, and stays until then. */
static void
end_hold(struct engine *e, struct erun *r, uint32_t no)
{
	struct op op = { .kind = OP_RELEASE, .note = "its time is over",
		.id = { .execution = no } };
	char id[IDENT_TEXT], *text = NULL, *was;

	memcpy(op.id.run, r->live.id, sizeof op.id.run);
	was = amend_value(e, r, &op);
	if (op_run(e, r, &op, &text) < 0) {
		free(was);
		return;
	}
	engine_say(e, EVENT_INFO, NULL, r->live.id, "the hold of %s ended: "
	    "%s%s%s", ident_format(&op.id, id), op.note,
	    was != NULL ? "; it was by " : "", was != NULL ? was : "");
	(void)amend_record(r, &op, "yardmaster", was);
	if (no > 0)
		view_execution(e, r, no);
	engine_hurry(e);
}

static void
look_at(struct engine *e, struct erun *r, int64_t now_wall_us)
{
	uint32_t no;

	for (no = 0; no <= r->live.n; no++)
		if (r->held_until[no] > 0 && r->held_until[no] <= now_wall_us)
			end_hold(e, r, no);
}

void
holds_look(struct engine *e)
{
	int64_t now_wall_us = clock_wall_us();
	struct erun *r;

	TAILQ_FOREACH(r, &e->runs, entry)
		if (r->file != NULL && !r->ended && r->held_until != NULL)
			look_at(e, r, now_wall_us);
}

void
holds_why(const struct erun *r, uint32_t no, struct why *why)
{
	char at[WHEN_TEXT], *text;
	int64_t until_us;
	size_t i;

	for (i = 0; r->held_until != NULL && i < why->n; i++) {
		until_us = why->v[i].code == REASON_HELD ? r->held_until[no] :
		    why->v[i].code == REASON_RUN_HELD ? r->held_until[0] : 0;
		if (until_us == 0)
			continue;
		text = str_fmt("%s; until %s", why->v[i].text,
		    when_format(until_us, at));
		free(why->v[i].text);
		why->v[i].text = text;
	}
}
