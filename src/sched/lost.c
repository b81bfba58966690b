/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Silence. What an agent holds is unknown while its link is down; after the
 * grace it is lost: its execution goes on, but its locks, exclusions and
 * instances stay taken until the agent answers or is declared dead.
 */
#include "config.h"

#include "sched/sched_private.h"

/* An attempt that is lost is an error of the agent, unless it may not be
 * repeated: then it is the end. */
static void
exec_lost(struct sched *s, struct run *r, struct exec *x)
{
	const struct terms *t = &r->terms[x->terms];

	if ((x->flags & X_CANCEL) != 0) {
		exec_final(s, r, x, EXEC_CANCELLED, REASON_NONE);
	} else if (!t->repeatable) {
		exec_final(s, r, x, EXEC_ERROR, REASON_NONE);
	} else if ((x->flags & X_REQUEUE) != 0) {
		x->avoid = x->agent;
		exec_wait(s, r, x, 0);
	} else {
		exec_outcome(s, r, x, OUTCOME_ERROR);
		if (x->state == EXEC_WAITING)
			x->flags |= X_LOST;
	}
}

void
parcel_lose(struct sched *s, uint32_t parcel, bool gone)
{
	struct parcel p = s->parcels[parcel];
	struct run *r = s->runs[p.run];
	struct sched_member *m;
	struct exec *x;
	uint32_t i, n;

	if (p.state == P_LOST)
		return;
	parcel_back_over(s, &s->parcels[parcel]);
	m = parcel_members(&p, &n);
	decision_add(s, &(struct sched_decision){ .kind = SCHED_LOST,
		.id = { p.run, p.exec, p.attempt }, .agent = p.agent,
		.other = NONE });
	parcel_state(s, parcel, P_LOST);
	parcel_load(s, parcel, false);
	lset_drop_targets(s, parcel);
	if (!p.stale)
		parcel_ghost(s, parcel);
	for (i = 0; !p.stale && i < n; i++) {
		x = exec_get(r, m[i].exec);
		if (m[i].attempt != 0)
			exec_lost(s, r, x);
	}
	if (gone)
		parcel_end(s, parcel);
}

static int64_t
lost_at(const struct sched *s, const struct parcel *p)
{
	const struct run *r = s->runs[p->run];
	const struct exec *x = exec_get(r, p->exec);
	int64_t since = s->agents[p->agent].down_us;

	if (p->sent_us > since)
		since = p->sent_us;
	return since + r->terms[x->terms].lost_after_us;
}

void
lost_timer(struct sched *s, uint32_t idx)
{
	int64_t at, next_us = CLOCK_NEVER;
	uint32_t p, next;

	if (s->agents[idx].known && s->agents[idx].up)
		return;
	for (p = s->agents[idx].first; p != NONE; p = next) {
		next = s->parcels[p].next;
		if (s->parcels[p].state == P_LOST)
			continue;
		at = lost_at(s, &s->parcels[p]);
		if (at <= s->now_us)
			parcel_lose(s, p, false);
		else if (at < next_us)
			next_us = at;
	}
	if (next_us != CLOCK_NEVER)
		timer_add(s, next_us, (struct timer_arg){ TIMER_LOST, idx,
		    0 });
}

void
lost_agent_down(struct sched *s, uint32_t idx)
{
	uint32_t p;

	s->agents[idx].down_us = s->now_us;
	/* Now, not when it is up again: its reports come before that. */
	for (p = s->agents[idx].first; p != NONE; p = s->parcels[p].next) {
		parcel_back_over(s, &s->parcels[p]);
		s->parcels[p].unheard = true;
	}
	lost_timer(s, idx);
}

/* The exec of a member goes on with this parcel, if nothing followed it. */
static bool
resume(struct sched *s, struct run *r, const struct sched_member *m,
    enum parcel_state state)
{
	struct exec *x = exec_get(r, m->exec);

	if (m->attempt == 0 || x->attempt != m->attempt ||
	    x->state != EXEC_WAITING || x->parcel != NONE)
		return false;
	queue_remove(s, r, x);
	if ((x->flags & X_LOST) != 0 && x->errors > 0)
		x->errors--;
	x->flags &= (uint16_t)~(X_LOST | X_RETRY | X_DELAYED);
	x->ended = 0;
	exec_state_set(s, r, x, state == P_RUNNING ? EXEC_RUNNING :
	    EXEC_ASSIGNED);
	return true;
}

/* Members that were superseded are not waited for. */
static void
members_drop(const struct run *r, struct parcel *p, uint32_t parcel)
{
	struct sched_member *m;
	uint32_t i, n;

	m = parcel_members(p, &n);
	for (i = 0; i < n; i++)
		if (exec_get(r, m[i].exec)->parcel != parcel)
			m[i].attempt = 0;
}

bool
lost_found(struct sched *s, uint32_t parcel, enum parcel_state state)
{
	struct parcel *p = &s->parcels[parcel];
	struct run *r = s->runs[p->run];
	struct sched_member *m;
	uint32_t i, n, back = 0;

	parcel_load(s, parcel, true);
	parcel_state(s, parcel, state);
	p->unheard = false;
	p->cancel = false;	/* was maybe never heard */
	p->prepared = false;
	m = parcel_members(p, &n);
	for (i = 0; i < n; i++)
		if (resume(s, r, &m[i], state)) {
			exec_get(r, m[i].exec)->parcel = parcel;
			back++;
		}
	p->stale = back == 0;
	lset_retake_targets(s, parcel);
	if (back > 0) {
		p->n_open = back;
		members_drop(r, p, parcel);
		parcel_unghost(s, parcel);
		late_clock(s, parcel);
		if (p->group != NONE)
			group_found(s, p->group, state == P_RUNNING);
		return true;
	}
	return false;
}

static void
sync_one(struct sched *s, uint32_t parcel)
{
	struct parcel p = s->parcels[parcel];
	struct run *r = s->runs[p.run];
	struct sched_member *m;
	uint32_t i, n;

	if (p.state == P_LOST || p.stale) {
		parcel_end(s, parcel);
		return;
	}
	if (p.state != P_SENT) {
		parcel_lose(s, parcel, true);
		return;
	}
	m = parcel_members(&p, &n);
	for (i = 0; i < n; i++)
		if (m[i].attempt != 0)
			exec_wait(s, r, exec_get(r, m[i].exec), 0);
	parcel_end(s, parcel);
}

void
sched_agent_synced(struct sched *s, uint32_t idx, uint32_t run,
    int64_t now_us)
{
	uint32_t p, next;

	s->now_us = now_us;
	if (idx >= s->n_agents || run_get(s, run) == NULL)
		return;
	for (p = s->agents[idx].first; p != NONE; p = next) {
		next = s->parcels[p].next;
		if (s->parcels[p].run == run && s->parcels[p].unheard)
			sync_one(s, p);
	}
}

bool
sched_agent_has(const struct sched *s, uint32_t idx, uint32_t run)
{
	uint32_t p = idx < s->n_agents ? s->agents[idx].first : NONE;

	while (p != NONE && s->parcels[p].run != run)
		p = s->parcels[p].next;
	return p != NONE;
}

void
sched_agent_dead(struct sched *s, uint32_t idx, int64_t now_us)
{
	uint32_t p, next;

	s->now_us = now_us;
	if (idx >= s->n_agents)
		return;
	for (p = s->agents[idx].first; p != NONE; p = next) {
		next = s->parcels[p].next;
		if (s->parcels[p].state == P_LOST)
			parcel_end(s, p);
		else
			parcel_lose(s, p, true);
	}
}
