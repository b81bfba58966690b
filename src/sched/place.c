/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Placement: the best item of the best lane goes to the best agent of the
 * first tier that has one; what cannot go is parked where the event that may
 * free it will find it.
 */
#include "config.h"

#include "sched/sched_private.h"
#include "yardmaster/base/mem.h"

/* What is looked for, and what was found on the way. */
struct search {
	struct lane *lane;
	const struct class *class;
	const struct exec *x;
	bool seen;		/* some agent had room, fit or not */
	bool beside;		/* one did not fit only as the step is there */
	bool avoid;
	bool queues;		/* beyond the workers of an agent */
};

bool
avoid_holds(const struct sched *s, uint32_t avoid, uint32_t req, bool pinned,
    uint32_t workers)
{
	const uint64_t *elig = s->reqs[req]->elig;
	const struct agent *a;
	uint32_t i, at;
	uint64_t w;

	for (i = 0; avoid < s->n_agents && i < s->n_words; i++) {
		for (w = elig[i] & s->usable[i]; w != 0; w &= w - 1) {
			at = i * 64 + (uint32_t)__builtin_ctzll(w);
			a = &s->agents[at];
			if (at != avoid &&
			    (pinned ? a->max : a->threshold) >= workers)
				return true;
		}
	}
	return false;
}

bool
class_avoids(const struct sched *s, const struct class *c)
{
	const struct lane *l = s->lanes[c->key.lane];

	return avoid_holds(s, c->key.avoid, l->key.req, l->key.pinned,
	    c->key.workers);
}

bool
agent_fits(const struct sched *s, const struct class *c,
    const struct exec *x, uint32_t agent)
{
	const struct agent *a = &s->agents[agent];
	const struct lane *l = s->lanes[c->key.lane];

	if (!reserve_lets(s, a->reserved, c->index))
		return false;
	if (c->key.workers > 1 &&
	    agent_room(a, l->key.pinned) < (int64_t)c->key.workers)
		return false;
	return lset_blocked_on(s, c->key.lset, agent, NONE) == NONE;
}

/* Candidates of one set of agents, in s->cand. True when there is one. */
static bool
candidates(struct sched *s, struct search *f, const uint64_t *set)
{
	const uint64_t *elig = s->reqs[f->lane->key.req]->elig;
	uint64_t any = 0;
	uint32_t i;

	for (i = 0; i < s->n_words; i++) {
		s->cand[i] = elig[i] & set[i];
		any |= s->cand[i];
	}
	if (any == 0)
		return false;
	f->seen = true;
	if (f->avoid)
		bit_set(s->cand, f->class->key.avoid, false);
	return true;
}

/* The better of two in a tier: fewer queued (in the last one), faster, more
 * free; the order of the fleet is the caller's. */
static bool
better(const struct agent *a, const struct agent *b, enum tier tier)
{
	int64_t ra, rb;

	if (tier == TIER_FEWEST_QUEUED && a->queued != b->queued)
		return a->queued < b->queued;
	if (a->speed != b->speed)
		return a->speed > b->speed;
	ra = agent_room(a, tier == TIER_PINNED);
	rb = agent_room(b, tier == TIER_PINNED);
	return ra > rb;
}

static uint32_t
best_candidate(const struct sched *s, enum tier tier)
{
	uint32_t i, at, best = NONE;
	uint64_t w;

	for (i = 0; i < s->n_words; i++) {
		for (w = s->cand[i]; w != 0; w &= w - 1) {
			at = i * 64 + (uint32_t)__builtin_ctzll(w);
			if (best == NONE || better(&s->agents[at],
			    &s->agents[best], tier))
				best = at;
		}
	}
	return best;
}

static bool
try_tier(struct sched *s, struct search *f, const uint64_t *set,
    struct placement *ret)
{
	const struct run *r = s->runs[f->lane->key.run];
	uint32_t at;

	if (!candidates(s, f, set))
		return false;
	while ((at = best_candidate(s, ret->tier)) != NONE) {
		if (f->queues && ahead_withheld(s, r, at)) {
			;
		} else if (agent_fits(s, f->class, f->x, at)) {
			if (!beside_on(s, r, f->x, at)) {
				ret->agent = at;
				return true;
			}
			f->beside = true;
		}
		bit_set(s->cand, at, false);
	}
	return false;
}

static bool
choose(struct sched *s, struct search *f, struct placement *ret)
{
	ret->tier = TIER_PINNED;
	if (f->lane->key.pinned && s->n_free_max > 0 &&
	    try_tier(s, f, s->free_max, ret))
		return true;
	ret->tier = TIER_IDLE;
	if (!f->lane->key.pinned && s->n_idle > 0 &&
	    try_tier(s, f, s->idle, ret))
		return true;
	ret->tier = TIER_BELOW_THRESHOLD;
	if (!f->lane->key.pinned && s->n_below > 0 &&
	    try_tier(s, f, s->below, ret))
		return true;
	if (f->lane->key.free_only)
		return false;
	f->queues = true;
	ret->tier = f->lane->key.pinned ? TIER_PINNED : TIER_FEWEST_QUEUED;
	return try_tier(s, f, ahead_set(s, f->lane), ret);
}

static struct parcel
parcel_for(const struct sched *s, const struct run *r, const struct exec *x,
    const struct placement *at)
{
	const struct terms *t = &r->terms[x->terms];
	bool pinned = t->pinned || (x->flags & X_PINNED) != 0;

	return (struct parcel){ .state = P_SENT,
		.class = pinned ? CLASS_PINNED : CLASS_AUTO,
		.tier = (uint8_t)at->tier, .run = r->handle,
		.exec = exec_no(r, x), .attempt = x->attempt + 1,
		.agent = at->agent, .workers = t->workers, .lset = t->lset,
		.own = t->own,
		.group = x->group, .to = NONE, .prev = NONE, .next = NONE,
		.to_free = agent_room(&s->agents[at->agent], pinned) >=
		    (int64_t)t->workers,
		.sent_us = s->now_us,
		.one = { exec_no(r, x), x->attempt + 1 } };
}

static void
member_sent(struct sched *s, struct run *r, struct exec *x, uint32_t parcel)
{
	x->attempt++;
	x->agent = s->parcels[parcel].agent;
	x->tier = s->parcels[parcel].tier;
	x->worker = 0;
	x->parcel = parcel;
	x->ready_us = 0;
	x->flags &= (uint16_t)~(X_RETRY | X_LOST);
	exec_state_set(s, r, x, EXEC_ASSIGNED);
}

static void
send_decide(struct sched *s, uint32_t parcel)
{
	struct parcel *p = &s->parcels[parcel];
	struct sched_decision d = { .kind = SCHED_SEND,
		.id = { p->run, p->exec, p->attempt }, .agent = p->agent,
		.other = NONE, .class = p->class, .tier = p->tier,
		.first_member = (uint32_t)s->out.n_members };
	struct sched_member *m;
	uint32_t i;

	d.instance = lease_find(s, parcel, NULL);
	m = parcel_members(p, &d.n_members);
	s->out.members = mem_grow(s->out.members, &s->out.cap_members,
	    s->out.n_members + d.n_members, sizeof(*m));
	for (i = 0; i < d.n_members; i++)
		s->out.members[s->out.n_members++] = m[i];
	decision_add(s, &d);
}

static void
class_sent(struct sched *s, struct class *c)
{
	c->waits = false;
	if (c->reserves || c->agent != NONE)
		reserve_drop(s, c);
}

/* x and what shares its process leave their queues. */
void
place_send(struct sched *s, struct run *r, struct exec *x,
    struct placement at)
{
	struct parcel from = parcel_for(s, r, x, &at);
	struct sched_member *m;
	struct exec *y;
	uint32_t i, n, parcel;

	class_sent(s, s->classes[x->class]);
	from.members = batch_gather(s, r, x, at.agent, &from.n_members);
	m = parcel_members(&from, &n);
	for (i = 0; i < n; i++) {
		y = exec_get(r, m[i].exec);
		queue_remove(s, r, y);
		from.estimate_us += length_us(s, r, y);
	}
	parcel = parcel_new(s, &from, NULL);
	m = parcel_members(&s->parcels[parcel], &n);
	for (i = 0; i < n; i++)
		member_sent(s, r, exec_get(r, m[i].exec), parcel);
	send_decide(s, parcel);
	late_watch(s, parcel);
	s->n_sent++;
	s->reassign = true;
}

void
place_part(struct sched *s, struct run *r, struct exec *x,
    struct placement at)
{
	struct parcel from = parcel_for(s, r, x, &at);
	uint32_t parcel;

	queue_remove(s, r, x);
	from.estimate_us = x->estimate_us > 0 ? x->estimate_us : 0;
	parcel = parcel_new(s, &from, NULL);
	member_sent(s, r, x, parcel);
	send_decide(s, parcel);
	s->n_sent++;
	s->reassign = true;
}

/* What its limits let go: it finds an agent, or is parked. */
static void
try_agents(struct sched *s, struct class *c)
{
	struct lane *l = s->lanes[c->key.lane];
	struct exec *x = class_head(s, c);
	struct search f = { .lane = l, .class = c, .x = x };
	struct placement at = { NONE, TIER_NONE };
	bool placed;

	f.avoid = class_avoids(s, c);
	reserve_open(s, c, true);
	placed = choose(s, &f, &at);
	reserve_open(s, c, false);
	if (placed)
		place_send(s, s->runs[l->key.run],
		    fit_pick(s, c, x, at.agent), at);
	else if (!f.seen)
		class_blocked(s, c);
	else if (f.beside)
		class_aside(s, c, x);
	else
		class_set(s, c->index, CLASS_AGENT, NONE);
}

static void
try_class(struct sched *s, uint32_t class)
{
	struct class *c = s->classes[class];
	struct lane *l = s->lanes[c->key.lane];
	uint32_t limit;

	reserve_look(s, c);
	limit = lset_blocked(s, c->key.lset, class);
	if (limit != NONE)
		class_set(s, class, CLASS_LIMIT, limit);
	else
		try_agents(s, c);
	if (l->blocked && l->key.free_only)
		lane_starve(s, l);
	else if (l->starves)
		lane_fed(s, l);
}

static bool
any_room(const struct sched *s)
{
	uint64_t any = 0;
	uint32_t i;

	for (i = 0; s->n_ahead > 0 && i < s->n_words; i++)
		any |= s->usable[i];
	return any != 0 || s->n_free_max + s->n_room > 0 ||
	    s->reserving.n + s->keepers.n > 0;
}

/* Agents that are reserved are seen by one class only, however its lane
 * stands. */
static void
try_reserving(struct sched *s)
{
	struct class *c;
	size_t i;

	for (i = s->reserving.n; i > 0; i--) {
		if (i > s->reserving.n)
			continue;
		c = s->classes[s->reserving.v[i - 1]];
		if (c->agent != NONE && c->state == CLASS_READY &&
		    class_head(s, c) != NULL)
			try_class(s, c->index);
	}
}

static bool
goes_before(const struct sched *s, uint32_t group, uint32_t lane)
{
	struct heap_key k = group_key(s, group);

	return heap_less(&k, &s->lanes[lane]->top);
}

void
place_all(struct sched *s)
{
	uint32_t lane, group;

	try_reserving(s);
	for (;;) {
		if (reserve_passed(s))
			try_reserving(s);
		lane = any_room(s) ? lane_best(s) : NONE;
		group = group_best(s);
		if (group != NONE && (lane == NONE ||
		    goes_before(s, group, lane)))
			group_try(s, group);
		else if (lane != NONE)
			try_class(s, lane_class(s, s->lanes[lane]));
		else
			return;
	}
}
