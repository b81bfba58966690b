/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Placing groups: all parts get an agent each, or none does. Parts are matched
 * with agents by augmenting paths, so that a part that may run anywhere leaves
 * the only agent of another to it; each takes the best agent that is left.
 */
#include "config.h"

#include <stdlib.h>

#include "sched/sched_private.h"
#include "yardmaster/base/mem.h"

#define PACK_BUDGET 256

struct match {
	const struct sched *s;
	const struct group *g;
	bool idle;		/* as if nothing ran */
	bool avoid;		/* no part goes where it failed last */
	bool beside;		/* some agent has a step of it already */
	uint32_t *agent;	/* by part, or NONE */
	uint32_t *seen, n_seen;	/* agents that were tried to be cleared */
	uint32_t budget;	/* ways still to be tried */
};

static bool
is_pinned(const struct run *r, const struct exec *x)
{
	return r->terms[x->terms].pinned || (x->flags & X_PINNED) != 0;
}

static bool
may_use(struct match *m, const struct exec *x, uint32_t idx)
{
	const struct sched *s = m->s;
	const struct run *r = s->runs[m->g->run];
	const struct agent *a = &s->agents[idx];

	if (!bit_get(s->usable, idx) || !exec_admits(s, r, x, idx) ||
	    !reserve_lets(s, a->reserved, group_tag(m->g)))
		return false;
	if (m->avoid && x->avoid == idx && (x->flags & X_PINNED) == 0)
		return false;
	if (m->idle || !beside_on(s, r, x, idx))
		return true;
	m->beside = true;
	return false;
}

/* What the parts that were given the agent take of it, of target limit (or
 * NONE: workers); without part but. */
static uint32_t
given(const struct match *m, uint32_t idx, uint32_t limit, uint32_t but)
{
	const struct run *r = m->s->runs[m->g->run];
	const struct terms *t;
	const struct lset *ls;
	uint32_t i, k, n = 0;

	for (i = 0; i < m->g->n; i++) {
		if (i == but || m->agent[i] != idx)
			continue;
		t = &r->terms[group_part(m->s, m->g, i)->terms];
		if (limit == NONE)
			n += t->workers;
		ls = m->s->lsets[t->lset];
		for (k = 0; limit != NONE && k < ls->n; k++)
			n += ls->v[k].limit == limit;
	}
	return n;
}

static bool
targets_fit(const struct match *m, const struct terms *t, uint32_t idx,
    uint32_t but)
{
	const struct lset *ls = m->s->lsets[t->lset];
	uint32_t i;

	for (i = 0; i < ls->n; i++)
		if (given(m, idx, ls->v[i].limit, but) >=
		    limit_left_on(m->s, ls->v[i].limit, idx))
			return false;
	return true;
}

/* As if nothing ran: only what the agent has of each at all. */
static bool
targets_exist(const struct match *m, const struct terms *t, uint32_t idx,
    uint32_t but)
{
	const struct lset *ls = m->s->lsets[t->lset];
	uint32_t i;

	for (i = 0; i < ls->n; i++)
		if (given(m, idx, ls->v[i].limit, but) >=
		    limit_most_on(m->s, ls->v[i].limit, idx))
			return false;
	return true;
}

/* Whether part has room there beside those given it; but is moved away. */
static bool
fits(const struct match *m, uint32_t part, uint32_t idx, uint32_t but)
{
	const struct run *r = m->s->runs[m->g->run];
	const struct exec *x = group_part(m->s, m->g, part);
	const struct terms *t = &r->terms[x->terms];
	const struct agent *a = &m->s->agents[idx];
	uint32_t used = given(m, idx, NONE, but);
	bool pinned = is_pinned(r, x);
	int64_t room = m->idle ? (int64_t)(pinned ? a->max : a->threshold) :
	    agent_room(a, pinned);

	if (used > 0 && !m->g->same_agent)
		return false;
	return room >= (int64_t)used + t->workers && (m->idle ?
	    targets_exist(m, t, idx, but) : targets_fit(m, t, idx, but));
}

static bool
is_better(const struct sched *s, uint32_t a, uint32_t b)
{
	const struct agent *x = &s->agents[a], *y = &s->agents[b];
	int64_t rx, ry;

	if ((x->busy == 0) != (y->busy == 0))
		return x->busy == 0;
	if (x->speed != y->speed)
		return x->speed > y->speed;
	rx = agent_room(x, false);
	ry = agent_room(y, false);
	return rx > ry;
}

static bool
was_seen(const struct match *m, uint32_t idx)
{
	uint32_t i;

	for (i = 0; i < m->n_seen; i++)
		if (m->seen[i] == idx)
			return true;
	return false;
}

static void
consider(struct match *m, uint32_t part, uint32_t idx, uint32_t *best)
{
	const struct exec *x = group_part(m->s, m->g, part);

	if ((*best == NONE || is_better(m->s, idx, *best)) &&
	    !was_seen(m, idx) && may_use(m, x, idx) && fits(m, part, idx, NONE))
		*best = idx;
}

/* The best agent not seen that has room for part, or NONE. */
static uint32_t
next_agent(struct match *m, uint32_t part)
{
	const struct sched *s = m->s;
	const struct exec *x = group_part(s, m->g, part);
	const uint64_t *room = m->idle ? s->usable :
	    is_pinned(s->runs[m->g->run], x) ? s->free_max : s->below;
	uint64_t bits;
	uint32_t w, best = NONE;

	for (w = 0; w < s->n_words; w++)
		for (bits = room[w]; bits != 0; bits &= bits - 1)
			consider(m, part, w * 64 +
			    (uint32_t)__builtin_ctzll(bits), &best);
	/* Its own ones are open to nobody else. */
	for (w = 0; w < m->g->n_reserved; w++)
		consider(m, part, m->g->reserved[w], &best);
	return best;
}

static bool assign(struct match *m, uint32_t part);

/* Makes room on an agent by moving one part of those there. An agent is seen
 * only where that may make room: another part may yet need the way over it. */
static bool
displace(struct match *m, uint32_t part, uint32_t idx)
{
	uint32_t i;
	bool seen = false;

	for (i = 0; i < m->g->n; i++) {
		if (m->agent[i] != idx || !fits(m, part, idx, i))
			continue;
		if (!seen)
			m->seen[m->n_seen++] = idx;
		seen = true;
		if (assign(m, i))
			return true;
		m->agent[i] = idx;
	}
	return false;
}

static bool
assign(struct match *m, uint32_t part)
{
	const struct exec *x = group_part(m->s, m->g, part);
	uint32_t i, at, idx = next_agent(m, part);

	for (i = 0; i < m->g->n && idx == NONE; i++) {
		at = m->agent[i];
		if (at != NONE && !was_seen(m, at) && may_use(m, x, at) &&
		    displace(m, part, at))
			idx = at;
	}
	if (idx == NONE)
		return false;
	m->agent[part] = idx;
	return true;
}

static bool pack(struct match *m, uint32_t part);

static bool
pack_on(struct match *m, uint32_t part, uint32_t idx)
{
	if (m->budget == 0 || !may_use(m, group_part(m->s, m->g, part), idx) ||
	    !fits(m, part, idx, NONE))
		return false;
	m->budget--;
	m->agent[part] = idx;
	if (pack(m, part + 1))
		return true;
	m->agent[part] = NONE;
	return false;
}

/* Parts of several workers share agents in more ways than one by one: tries
 * them all, from that part on, within a budget. */
static bool
pack(struct match *m, uint32_t part)
{
	const struct sched *s = m->s;
	const uint64_t *room = m->idle ? s->usable : s->free_max;
	uint64_t bits;
	uint32_t w;

	if (part == m->g->n)
		return true;
	for (w = 0; w < s->n_words; w++)
		for (bits = room[w]; bits != 0; bits &= bits - 1)
			if (pack_on(m, part, w * 64 +
			    (uint32_t)__builtin_ctzll(bits)))
				return true;
	for (w = 0; w < m->g->n_reserved; w++)
		if (pack_on(m, part, m->g->reserved[w]))
			return true;
	return false;
}

static bool
pack_all(struct match *m)
{
	uint32_t *was = mem_dup(m->agent, m->g->n * sizeof(*was)), i;
	bool all;

	for (i = 0; i < m->g->n; i++)
		m->agent[i] = NONE;
	m->budget = PACK_BUDGET;
	all = pack(m, 0);
	for (i = 0; i < m->g->n && !all; i++)
		m->agent[i] = was[i];
	free(was);
	return all;
}

/* How many parts got an agent; in m->agent. */
static uint32_t
match_all(struct match *m)
{
	uint32_t i, n = 0;

	m->seen = mem_calloc(m->g->n, sizeof(*m->seen));
	m->agent = mem_calloc(m->g->n, sizeof(*m->agent));
	for (i = 0; i < m->g->n; i++)
		m->agent[i] = NONE;
	for (i = 0; i < m->g->n; i++) {
		m->n_seen = 0;
		n += assign(m, i);
	}
	if (n < m->g->n && m->g->same_agent && pack_all(m))
		n = m->g->n;
	return n;
}

static void
match_done(struct match *m)
{
	free(m->seen);
	free(m->agent);
}

static bool
any_avoids(const struct sched *s, const struct group *g)
{
	uint32_t i;

	for (i = 0; i < g->n; i++)
		if (group_part(s, g, i)->avoid != NONE)
			return true;
	return false;
}

/* Some parts failed, and all could be where none of them did: they wait for
 * that, as one that runs alone does. */
static bool
group_avoids(const struct sched *s, const struct group *g)
{
	struct match m = { .s = s, .g = g, .idle = true, .avoid = true };
	bool all;

	if (!any_avoids(s, g))
		return false;
	all = match_all(&m) == g->n;
	match_done(&m);
	return all;
}

/* ---- reservations ---- */

static bool
limits_keepable(const struct sched *s, const struct lset *ls)
{
	uint32_t i;

	for (i = 0; i < ls->n; i++)
		if (s->limits[ls->v[i].limit]->reserved != NONE)
			return false;
	return ls->n > 0;
}

static void
limits_keep(struct sched *s, struct group *g, bool on)
{
	const struct lset *ls = s->lsets[on ? g->lset : g->kept];
	uint32_t i;

	g->keeps = on;
	g->kept = on ? g->lset : NONE;
	for (i = 0; i < ls->n; i++)
		s->limits[ls->v[i].limit]->reserved = on ? group_tag(g) :
		    NONE;
	for (i = 0; !on && i < ls->n; i++)
		limit_wake(s, ls->v[i].limit);
}

static void
agents_release(struct sched *s, struct group *g)
{
	uint32_t i, idx;

	for (i = 0; i < g->n; i++) {
		idx = g->reserved[i];
		g->reserved[i] = NONE;
		if (idx == NONE || s->agents[idx].reserved != group_tag(g))
			continue;
		s->agents[idx].reserved = NONE;
		agent_update(s, idx);
		agent_gained(s, idx);
	}
	g->n_reserved = 0;
}

void
group_unreserve(struct sched *s, struct group *g)
{
	if (g->keeps)
		limits_keep(s, g, false);
	if (g->n_reserved > 0)
		agents_release(s, g);
}

bool
group_keeps(const struct group *g)
{
	return g->keeps || g->n_reserved > 0;
}

/* Who may pass what others keep does not take it from them. */
static bool
any_kept(const struct match *m)
{
	uint32_t i;

	for (i = 0; i < m->g->n; i++)
		if (m->s->agents[m->agent[i]].reserved != NONE)
			return true;
	return false;
}

/* All of its agents, or none. */
static void
agents_keep(struct sched *s, struct group *g)
{
	struct match m = { .s = s, .g = g, .idle = true,
		.avoid = group_avoids(s, g) };
	uint32_t i;

	if (match_all(&m) == g->n && !any_kept(&m)) {
		g->n_reserved = g->n;
		for (i = 0; i < g->n; i++) {
			g->reserved[i] = m.agent[i];
			s->agents[m.agent[i]].reserved = group_tag(g);
			agent_update(s, m.agent[i]);
		}
	}
	match_done(&m);
}

/* Passed often enough, it keeps what it needs: its limits while they are
 * taken, its agents once they are free. */
static void
group_reserve(struct sched *s, struct group *g)
{
	const struct lset *ls = s->lsets[g->lset];

	bool kept = group_keeps(g);

	if (s->n_sent - g->block_sent < RESERVE_PASSES)
		return;
	if (g->block != NONE && !g->keeps && limits_keepable(s, ls))
		limits_keep(s, g, true);
	if (g->block != NONE && g->n_reserved > 0)
		agents_release(s, g);
	if (g->block == NONE && g->n_reserved == 0)
		agents_keep(s, g);
	if (!kept && group_keeps(g))
		ids_push(&s->keepers, g->index);
}

static bool
agents_usable(const struct sched *s, const struct group *g)
{
	uint32_t i;

	for (i = 0; i < g->n_reserved; i++)
		if (!bit_get(s->usable, g->reserved[i]))
			return false;
	return true;
}

bool
groups_check(struct sched *s)
{
	struct group *g;
	size_t i = s->keepers.n;
	bool dropped = false;

	while (i-- > 0) {
		g = s->groups[s->keepers.v[i]];
		if (g == NULL || !group_keeps(g)) {
			s->keepers.v[i] = s->keepers.v[--s->keepers.n];
			continue;
		}
		if (run_gated(s, s->runs[g->run]))
			group_unreserve(s, g);
		else if (!agents_usable(s, g))
			agents_release(s, g);
		else
			continue;
		dropped = true;
	}
	return dropped;
}

/* ---- trying ---- */

/* The run lets no further attempts out, or not so many. */
bool
group_gated(const struct sched *s, const struct group *g)
{
	const struct run *r = s->runs[g->run];

	return run_gated(s, r) || (r->max_parallel > 0 &&
	    r->inflight + g->n > r->max_parallel);
}

uint32_t
group_target(const struct sched *s, const struct group *g)
{
	const struct run *r = s->runs[g->run];
	const struct lset *ls;
	struct match m = { .s = s, .g = g };
	uint32_t i, k, limit = NONE;

	m.agent = mem_calloc(g->n, sizeof(*m.agent));	/* all on one: 0 */
	for (i = 0; i < g->n && limit == NONE; i++) {
		ls = s->lsets[r->terms[group_part(s, g, i)->terms].lset];
		for (k = 0; k < ls->n && limit == NONE; k++)
			if (given(&m, 0, ls->v[k].limit, NONE) >
			    limit_left(s, ls->v[k].limit))
				limit = ls->v[k].limit;
	}
	free(m.agent);
	return limit;
}

static void
group_send(struct sched *s, struct group *g, const uint32_t *agents)
{
	struct run *r = s->runs[g->run];
	struct exec *x;
	struct placement at;
	uint32_t i;

	group_unreserve(s, g);
	group_take_more(s, g);
	group_out(s, g);
	g->missing = 0;
	for (i = 0; i < g->n; i++) {
		x = group_part(s, g, i);
		at.agent = agents[i];
		at.tier = is_pinned(r, x) ? TIER_PINNED :
		    s->agents[agents[i]].busy == 0 ? TIER_IDLE :
		    TIER_BELOW_THRESHOLD;
		place_part(s, r, x, at);
	}
}

/* True when it went; else *ret_alone says that it is for the steps it has. */
static bool
try(struct sched *s, struct group *g, bool *ret_alone)
{
	struct match m = { .s = s, .g = g };
	bool all;

	if (group_gated(s, g))
		return false;
	g->block = lset_blocked(s, g->lset, group_tag(g));
	if (g->block == NONE)
		g->block = group_target(s, g);
	if (g->block != NONE) {
		group_reserve(s, g);
		return false;
	}
	m.avoid = group_avoids(s, g);
	if (group_is_over(s, g))
		reserve_open_all(s, true);
	g->missing = g->n - match_all(&m);
	if (group_is_over(s, g))
		reserve_open_all(s, false);
	all = g->missing == 0;
	if (all)
		group_send(s, g, m.agent);
	else
		group_reserve(s, g);
	*ret_alone = m.beside;
	match_done(&m);
	return all;
}

void
group_try(struct sched *s, uint32_t group)
{
	struct group *g = s->groups[group];
	bool alone = false;

	if (g->tried == 0)	/* those before it did not pass it */
		g->block_sent = s->n_sent;
	g->tried = s->group_gen;
	g->missing = 0;
	g->block = NONE;
	if (!try(s, g, &alone))
		group_failed(s, g, alone);
}

struct heap_key
group_key(const struct sched *s, uint32_t group)
{
	const struct group *g = s->groups[group];
	const struct run *r = s->runs[g->run];
	const struct exec *x = group_part(s, g, 0);

	return (struct heap_key){ .a = priority_key(clamp_priority(
	    (int64_t)r->priority + x->priority)) << 32 | r->handle,
	    .b = exec_rank(r, x) };
}
