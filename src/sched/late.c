/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An attempt that its agent does not acknowledge in time is taken back and
 * tried elsewhere, and so is one that was sent to a free worker and does not
 * start. Only time in which it could start counts: not while the agent is
 * held, past a guard or away, nor while the workspace is made ready.
 */
#include "config.h"

#include "sched/sched_private.h"

static int64_t
later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* When it is late, or CLOCK_NEVER as things are. A group has a clock of its
 * own. */
static int64_t
late_at(const struct sched *s, const struct parcel *p)
{
	const struct agent *a = &s->agents[p->agent];
	const struct run *r = s->runs[p->run];
	int64_t most_us =
	    r->terms[exec_get(r, p->exec)->terms].start_timeout_us;

	if (p->back || p->cancel || p->stale || p->unheard ||
	    p->group != NONE || !a->up)
		return CLOCK_NEVER;
	if (p->state == P_SENT)
		return p->clock_us + most_us;
	if (p->state == P_QUEUED && p->to_free && !p->preparing &&
	    agent_usable(a))
		return later(p->clock_us, a->open_us) + most_us;
	return CLOCK_NEVER;
}

static void
watch_until(struct sched *s, uint32_t agent, int64_t at_us)
{
	if (at_us >= s->agents[agent].late_us)
		return;
	s->agents[agent].late_us = at_us;
	timer_add(s, at_us, (struct timer_arg){ TIMER_LATE, agent, 0 });
}

void
late_watch(struct sched *s, uint32_t parcel)
{
	const struct parcel *p = &s->parcels[parcel];

	if (p->agent != NONE)
		watch_until(s, p->agent, late_at(s, p));
}

void
late_clock(struct sched *s, uint32_t parcel)
{
	s->parcels[parcel].clock_us = s->now_us;
	late_watch(s, parcel);
}

void
late_watch_all(struct sched *s, uint32_t agent)
{
	uint32_t p;

	for (p = s->agents[agent].first; p != NONE; p = s->parcels[p].next)
		late_watch(s, p);
}

void
late_timer(struct sched *s, uint32_t agent)
{
	struct agent *a = &s->agents[agent];
	int64_t at, next_us = CLOCK_NEVER;
	uint32_t i;

	if (a->late_us > s->now_us)
		return;		/* an earlier one was set since */
	a->late_us = CLOCK_NEVER;
	for (i = a->first; i != NONE; i = s->parcels[i].next) {
		at = late_at(s, &s->parcels[i]);
		if (at <= s->now_us) {
			s->parcels[i].late = true;
			parcel_ask_back(s, i, NONE);
		} else if (at < next_us) {
			next_us = at;
		}
	}
	watch_until(s, agent, next_us);
}
