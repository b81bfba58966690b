/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What agents said of attempts. Saying it twice is harmless; what comes late
 * is told apart from what counts.
 */
#include "config.h"

#include "sched/sched_private.h"

/* The parcel of an attempt, with its run and execution; or NONE. */
static uint32_t
lookup(struct sched *s, struct sched_id id, int64_t now_us, struct run **ret_r,
    struct exec **ret_x)
{
	*ret_x = NULL;
	*ret_r = run_get(s, id.run);
	s->now_us = now_us;
	if (*ret_r == NULL)
		return NONE;
	*ret_x = exec_get(*ret_r, id.exec);
	if (*ret_x == NULL)
		return NONE;
	return parcel_find(s, *ret_r, id.exec, id.attempt);
}

uint32_t
sched_holder(const struct sched *s, struct sched_id id)
{
	const struct run *r = run_get(s, id.run);
	uint32_t i;

	if (r == NULL || exec_get(r, id.exec) == NULL)
		return SCHED_NONE;
	i = parcel_find(s, r, id.exec, id.attempt);
	return i == NONE || s->parcels[i].agent == NONE ? SCHED_NONE :
	    s->parcels[i].agent;
}

static enum sched_taken
not_out(const struct exec *x, struct sched_id id)
{
	if (x == NULL || id.attempt == 0 || id.attempt > x->attempt)
		return SCHED_STRANGE;
	return SCHED_SAID;
}

static bool
member_misplaced(const struct sched *s, const struct run *r,
    const struct exec *x, uint32_t agent)
{
	return (x->flags & X_HELD) != 0 || !exec_admits(s, r, x, agent) ||
	    (r->halted && (x->flags & X_WAIVED) == 0);
}

/* It, or what shares its process, is not where or not when it should be. */
static bool
misplaced(const struct sched *s, struct parcel *p)
{
	const struct run *r = s->runs[p->run];
	const struct sched_member *m;
	uint32_t i, n;

	if (s->agents[p->agent].draining || s->agents[p->agent].gone ||
	    (p->group != NONE && s->groups[p->group]->back))
		return true;
	m = parcel_members(p, &n);
	for (i = 0; i < n; i++)
		if (m[i].attempt != 0 && member_misplaced(s, r,
		    exec_get(r, m[i].exec), p->agent))
			return true;
	return false;
}

/* What was asked while the link was down is asked now. */
static void
ask_again(struct sched *s, uint32_t parcel)
{
	struct parcel *p = &s->parcels[parcel];

	if (p->cancel) {
		p->cancel = false;
		parcel_ask_cancel(s, parcel);
	} else if (misplaced(s, p)) {
		parcel_ask_back(s, parcel, NONE);
	}
}

/* First report since the link came up. */
static void
heard(struct sched *s, uint32_t parcel)
{
	if (!s->parcels[parcel].unheard)
		return;
	s->parcels[parcel].unheard = false;
	s->reassign = true;	/* it may be taken back from now on */
	late_watch(s, parcel);
	ask_again(s, parcel);
}

void
events_agent_up(struct sched *s, uint32_t idx)
{
	uint32_t p;

	for (p = s->agents[idx].first; p != NONE; p = s->parcels[p].next)
		if (!s->parcels[p].unheard && s->parcels[p].state != P_LOST)
			ask_again(s, p);
}

/* Found though given up. A superseded one is ended, and so is a part that
 * would wait for a go that does not come. */
static enum sched_taken
found(struct sched *s, uint32_t parcel, enum parcel_state state)
{
	const struct parcel *p;
	const struct exec *x;

	if (lost_found(s, parcel, state)) {
		ask_again(s, parcel);
		return SCHED_TAKEN;
	}
	p = &s->parcels[parcel];
	x = exec_get(s->runs[p->run], p->exec);
	if (x->attempt <= p->attempt && x->state != EXEC_CANCELLED &&
	    (p->group == NONE || state == P_RUNNING))
		return SCHED_LATE;
	parcel_ask_cancel(s, parcel);
	return SCHED_LATE;
}

enum sched_taken
sched_accepted(struct sched *s, struct sched_id id, int64_t now_us)
{
	struct run *r;
	struct exec *x;
	uint32_t i = lookup(s, id, now_us, &r, &x);

	if (i == NONE)
		return not_out(x, id);
	if (s->parcels[i].state == P_LOST)
		return found(s, i, P_QUEUED);
	heard(s, i);
	s->parcels[i].prepared = false;
	if (s->parcels[i].state != P_SENT)
		return SCHED_SAID;
	parcel_state(s, i, P_QUEUED);
	return s->parcels[i].stale ? SCHED_LATE : SCHED_TAKEN;
}

enum sched_taken
sched_preparing(struct sched *s, struct sched_id id, bool on, int64_t now_us)
{
	enum sched_taken taken = sched_accepted(s, id, now_us);
	struct run *r;
	struct exec *x;
	uint32_t i = lookup(s, id, now_us, &r, &x);

	if (i == NONE || s->parcels[i].preparing == on)
		return taken;
	s->parcels[i].preparing = on;
	if (!on)
		late_clock(s, i);
	return taken;
}

enum sched_taken
sched_prepared(struct sched *s, struct sched_id id, int64_t now_us)
{
	enum sched_taken taken = sched_accepted(s, id, now_us);
	struct run *r;
	struct exec *x;
	uint32_t i = lookup(s, id, now_us, &r, &x);

	if (i == NONE || s->parcels[i].group == NONE || s->parcels[i].stale ||
	    s->parcels[i].state != P_QUEUED)
		return taken;
	group_prepared(s, i);
	return taken;
}

static void
members_running(struct sched *s, struct run *r, uint32_t parcel)
{
	struct parcel *p = &s->parcels[parcel];
	struct sched_member *m;
	struct exec *x;
	uint32_t i, n;

	m = parcel_members(p, &n);
	for (i = 0; i < n; i++) {
		x = exec_get(r, m[i].exec);
		if (m[i].attempt == 0 || x->parcel != parcel)
			continue;
		x->worker = p->worker;
		if (x->state == EXEC_ASSIGNED)
			exec_state_set(s, r, x, EXEC_RUNNING);
	}
}

enum sched_taken
sched_started(struct sched *s, struct sched_id id, uint16_t worker,
    int64_t now_us)
{
	struct run *r;
	struct exec *x;
	uint32_t i = lookup(s, id, now_us, &r, &x);
	enum sched_taken taken;

	if (i == NONE)
		return not_out(x, id);
	taken = s->parcels[i].state == P_RUNNING ? SCHED_SAID : SCHED_TAKEN;
	s->parcels[i].worker = worker;
	if (s->parcels[i].state == P_LOST) {
		taken = found(s, i, P_RUNNING);
	} else {
		if (s->parcels[i].state != P_RUNNING)
			parcel_state(s, i, P_RUNNING);
		heard(s, i);
	}
	members_running(s, r, i);
	group_started(s, i);
	return s->parcels[i].stale ? SCHED_LATE : taken;
}

void
sched_ran(struct sched *s, struct sched_id id, int64_t ran_us, int64_t now_us)
{
	struct run *r;
	struct exec *x;
	uint32_t i = lookup(s, id, now_us, &r, &x);
	struct parcel *p = i != NONE ? &s->parcels[i] : NULL;

	if (p == NULL || p->state != P_RUNNING || ran_us < 0)
		return;
	left_running(s, p, false);
	p->started_us = now_us - ran_us;
	left_running(s, p, true);
}

static int64_t
blend(int64_t old_us, int64_t new_us)
{
	if (old_us <= 0)
		return new_us > 0 ? new_us : 1;
	return old_us + (new_us - old_us) / 8;
}

static void
learn(struct sched *s, uint32_t agent, int64_t elapsed_us)
{
	s->typical_us = blend(s->typical_us, elapsed_us);
	if (agent == NONE)
		return;
	s->agents[agent].typical_us = blend(s->agents[agent].typical_us,
	    elapsed_us);
}

/* What it took itself, also in a batch. */
static void
learn_exec(struct sched *s, const struct exec *x, const struct parcel *p,
    enum outcome outcome, int64_t elapsed_us)
{
	struct run *r = s->runs[p->run];

	if (outcome != OUTCOME_PASSED || elapsed_us <= 0)
		return;
	r->done_us += elapsed_us;
	r->n_done++;
	if (p->agent == NONE)
		return;
	if (x->estimate_us > 0)
		pace_learn(s, p->agent, x->estimate_us, elapsed_us);
	deadline_learn(r, x->estimate_us <= 0 ? 0 : x->estimate_us +
	    (p->members != NULL ? 0 : r->start_cost_us), (double)elapsed_us *
	    s->agents[p->agent].speed / 1000);
}

/* A batch has the length of its process, and is learned from once. */
static void
learn_from(struct sched *s, const struct parcel *p, enum outcome outcome,
    int64_t elapsed_us)
{
	if (p->members != NULL) {
		elapsed_us = s->now_us - p->started_us;
		if (p->n_open > 1 || p->state != P_RUNNING)
			return;
	}
	if (outcome == OUTCOME_PASSED || outcome == OUTCOME_FAILED)
		learn(s, p->agent, elapsed_us);
}

enum sched_taken
sched_ended(struct sched *s, struct sched_id id, enum outcome outcome,
    int64_t elapsed_us, int64_t now_us)
{
	struct run *r;
	struct exec *x;
	uint32_t i = lookup(s, id, now_us, &r, &x);

	if (i == NONE) {
		if (x == NULL || id.attempt == 0 || id.attempt > x->attempt)
			return SCHED_STRANGE;
		return id.attempt == x->ended ? SCHED_SAID : SCHED_LATE;
	}
	if (s->parcels[i].state == P_LOST)
		lost_found(s, i, P_RUNNING);
	s->parcels[i].unheard = false;
	if (s->parcels[i].stale || x->parcel != i) {
		parcel_member_end(s, i, id.exec);
		return SCHED_LATE;
	}
	learn_exec(s, x, &s->parcels[i], outcome, elapsed_us);
	learn_from(s, &s->parcels[i], outcome, elapsed_us);
	/* Another member was cancelled, and this one with it. */
	if (s->parcels[i].members != NULL && s->parcels[i].cancel &&
	    (x->flags & X_CANCEL) == 0)
		x->flags |= X_REQUEUE;
	if (s->parcels[i].worker != 0)
		x->worker = s->parcels[i].worker;
	parcel_member_end(s, i, id.exec);
	exec_outcome(s, r, x, outcome);
	return SCHED_TAKEN;
}

enum sched_taken
sched_lost(struct sched *s, struct sched_id id, int64_t now_us)
{
	struct run *r;
	struct exec *x;
	uint32_t i = lookup(s, id, now_us, &r, &x);

	if (i == NONE)
		return not_out(x, id);
	if (s->parcels[i].state == P_LOST || s->parcels[i].stale) {
		parcel_end(s, i);
		return SCHED_LATE;
	}
	parcel_lose(s, i, true);
	return SCHED_TAKEN;
}

static void
members_wait(struct sched *s, struct run *r, const struct parcel *p,
    bool refused, int64_t delay_us)
{
	const struct sched_member *m = p->members != NULL ? p->members :
	    &p->one;
	uint32_t i, n = p->members != NULL ? p->n_members : 1;
	struct exec *x;

	for (i = 0; i < n; i++) {
		if (m[i].attempt == 0)
			continue;
		x = exec_get(r, m[i].exec);
		/* An end of it, should one come all the same, is late. */
		x->ended = 0;
		if (refused || p->late)
			x->avoid = x->agent;
		exec_wait(s, r, x, delay_us);
	}
}

/* Why it came back: it was asked for, would not be taken at all, or not now. */
enum back { BACK_ASKED, BACK_REFUSED, BACK_FULL };

/* Nothing that is known here keeps what is full from going there again: that
 * would be at once. */
static int64_t
back_delay(struct sched *s, uint32_t parcel, enum back how)
{
	const struct parcel *p = &s->parcels[parcel];

	if (how != BACK_FULL)
		return how == BACK_REFUSED ? REFUSED_US : 0;
	lset_drop_targets(s, parcel);
	return p->agent == NONE || lset_blocked_on(s, p->lset, p->agent,
	    parcel) == NONE ? REFUSED_US : 0;
}

static enum sched_taken
came_back(struct sched *s, struct sched_id id, enum back how, int64_t now_us)
{
	struct run *r;
	struct exec *x;
	uint32_t i = lookup(s, id, now_us, &r, &x), to;

	if (i == NONE)
		return not_out(x, id);
	if (s->parcels[i].state == P_LOST || s->parcels[i].stale) {
		parcel_end(s, i);
		return SCHED_LATE;
	}
	if (s->parcels[i].state == P_RUNNING && !s->parcels[i].unheard)
		return SCHED_STRANGE;
	to = s->parcels[i].to;
	members_wait(s, r, &s->parcels[i], how == BACK_REFUSED,
	    back_delay(s, i, how));
	parcel_end(s, i);
	if (to != NONE && x->state == EXEC_WAITING)
		move_add(s, &(struct move){ id.run, id.exec, to });
	return SCHED_TAKEN;
}

enum sched_taken
sched_returned(struct sched *s, struct sched_id id, bool refused,
    int64_t now_us)
{
	return came_back(s, id, refused ? BACK_REFUSED : BACK_ASKED, now_us);
}

enum sched_taken
sched_full(struct sched *s, struct sched_id id, int64_t now_us)
{
	return came_back(s, id, BACK_FULL, now_us);
}

bool
sched_uncounted(const struct sched *s, struct sched_id id)
{
	const struct run *r = run_get(s, id.run);
	uint32_t i;

	if (r == NULL || exec_get(r, id.exec) == NULL)
		return false;
	i = parcel_find(s, r, id.exec, id.attempt);
	return i != NONE && s->parcels[i].state == P_LOST &&
	    !s->parcels[i].holds_targets;
}

enum sched_taken
sched_kept(struct sched *s, struct sched_id id, int64_t now_us)
{
	struct run *r;
	struct exec *x;
	uint32_t i = lookup(s, id, now_us, &r, &x);

	if (i == NONE)
		return not_out(x, id);
	parcel_back_over(s, &s->parcels[i]);
	late_clock(s, i);
	s->reassign = true;
	return SCHED_TAKEN;
}
