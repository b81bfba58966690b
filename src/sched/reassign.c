/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reassigning: an agent with a free worker and nothing queued takes the last
 * item of the longest queue, in two phases: taken back first, sent when it
 * was given back unstarted.
 */
#include "config.h"

#include "sched/sched_private.h"
#include "yardmaster/base/mem.h"

void
move_add(struct sched *s, const struct move *m)
{
	s->moves = mem_grow(s->moves, &s->cap_moves, s->n_moves + 1,
	    sizeof(*s->moves));
	s->moves[s->n_moves++] = *m;
}

static void
move_do(struct sched *s, const struct move *m)
{
	struct run *r = run_get(s, m->run);
	struct exec *x = r != NULL ? exec_get(r, m->exec) : NULL;
	const struct class *c;
	const struct lane *l;

	if (x == NULL || (x->flags & (X_QUEUED | X_ASIDE)) != X_QUEUED ||
	    run_gated(s, r))
		return;
	c = s->classes[x->class];
	l = s->lanes[c->key.lane];
	if (!bit_get(l->key.pinned ? s->free_max : s->below, m->agent) ||
	    !bit_get(s->reqs[l->key.req]->elig, m->agent) ||
	    lset_blocked(s, c->key.lset, c->index) != NONE ||
	    (c->key.avoid == m->agent && class_avoids(s, c)) ||
	    !agent_fits(s, c, x, m->agent) || beside_on(s, r, x, m->agent))
		return;
	place_send(s, r, x, (struct placement){ m->agent, TIER_REASSIGNED });
}

void
moves_do(struct sched *s)
{
	size_t i;

	for (i = 0; i < s->n_moves; i++)
		move_do(s, &s->moves[i]);
	s->n_moves = 0;
}

/* Predicted time until its queue has started, times the workers of all. */
static int64_t
queue_us(const struct sched *s, const struct agent *a)
{
	int64_t typical = s->typical_us > 0 ? s->typical_us : TYPICAL_US;
	int64_t us = a->unstarted_us > 0 ? a->unstarted_us :
	    (int64_t)a->n_unstarted * typical;

	return us / (a->threshold > 0 ? a->threshold : 1);
}

static bool
may_take(const struct sched *s, uint32_t parcel, uint32_t to)
{
	const struct parcel *p = &s->parcels[parcel];
	const struct run *r = s->runs[p->run];
	const struct exec *x = exec_get(r, p->exec);
	const struct terms *t = &r->terms[x->terms];

	return (p->state == P_SENT || p->state == P_QUEUED) && !p->back &&
	    !p->cancel && !p->stale && !p->unheard &&
	    p->group == NONE && p->class == CLASS_AUTO &&
	    p->workers == 1 && r->held == NULL && exec_admits(s, r, x, to) &&
	    ((x->flags & X_PINNED) != 0 || x->avoid != to ||
	    !avoid_holds(s, to, t->req, false, t->workers)) &&
	    lset_blocked_on(s, p->lset, to, parcel) == NONE &&
	    !beside_on(s, r, x, to);
}

/* The last one queued there that the agent may take, or NONE. */
static uint32_t
last_for(const struct sched *s, uint32_t from, uint32_t to)
{
	int64_t n = agent_spare(&s->agents[from]);
	uint32_t p;

	for (p = s->agents[from].last; p != NONE && n > 0;
	    p = s->parcels[p].prev) {
		if (s->parcels[p].state != P_SENT &&
		    s->parcels[p].state != P_QUEUED)
			continue;
		if (may_take(s, p, to))
			return p;
		if (!s->parcels[p].back)
			n--;
	}
	return NONE;
}

static bool
take_one(struct sched *s, uint32_t to)
{
	int64_t us, most = -1;
	uint32_t i, at, p, best = NONE;
	uint64_t w;

	for (i = 0; i < s->n_words; i++) {
		for (w = s->donors[i]; w != 0; w &= w - 1) {
			at = i * 64 + (uint32_t)__builtin_ctzll(w);
			us = queue_us(s, &s->agents[at]);
			if (at == to || us <= most)
				continue;
			p = last_for(s, at, to);
			if (p == NONE)
				continue;
			best = p;
			most = us;
		}
	}
	if (best == NONE)
		return false;
	parcel_ask_back(s, best, to);
	return true;
}

void
reassign_all(struct sched *s)
{
	uint64_t w, any = 0;
	uint32_t i, at;

	if (!s->reassign || s->paused != NULL)
		return;
	s->reassign = false;
	for (i = 0; i < s->n_words; i++)
		any |= s->donors[i];
	for (i = 0; any != 0 && i < s->n_words; i++) {
		for (w = s->hungry[i]; w != 0; w &= w - 1) {
			at = i * 64 + (uint32_t)__builtin_ctzll(w);
			while (agent_room(&s->agents[at], false) >
			    (int64_t)s->agents[at].incoming &&
			    take_one(s, at))
				;
		}
	}
}
