/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which agents may queue one more than they have workers for. What is
 * limited, or shares a process, goes to a free worker only, and no worker is
 * ever free where something is queued: so nothing is sent ahead of such an
 * item that waits for no more than a worker, nor where the worker that is
 * free next holds a limit that others wait for. That costs those workers a
 * round trip, not an execution.
 */
#include "config.h"

#include <string.h>

#include "sched/sched_private.h"

#define WAITERS_MAX 8	/* of a limit, or of a lane, that are looked at */

/* ---- lanes that starve for want of a free worker --------------------- */

void
lane_starve(struct sched *s, struct lane *l)
{
	if (!l->starves)
		ids_push(&s->starving, l->index);
	l->starves = true;
}

void
lane_unstarve(struct sched *s, struct lane *l)
{
	struct ids *v = &s->starving;
	size_t i;

	if (!l->starves)
		return;
	l->starves = false;
	for (i = 0; v->v[i] != l->index; i++)
		;
	v->v[i] = v->v[--v->n];
}

void
lane_fed(struct sched *s, struct lane *l)
{
	const uint64_t *elig = s->reqs[l->key.req]->elig;
	uint32_t i;

	lane_unstarve(s, l);
	for (i = 0; i < s->n_lanes; i++)
		if (s->lanes[i] != NULL)
			s->lanes[i]->shunned = false;
	for (i = 0; i < s->n_words; i++)
		s->gained[i] |= elig[i] & s->room[i];
	gain_widen(s, 0, s->n_words);
}

/* It still waits, and comes before that lane. */
static bool
starves_before(struct sched *s, struct lane *l, const struct lane *than)
{
	uint32_t c;

	if (!l->blocked || !heap_less(&l->top, &than->top) ||
	    run_gated(s, s->runs[l->key.run]))
		return false;
	c = lane_class(s, l);
	return c != NONE &&
	    lset_blocked(s, s->classes[c]->key.lset, c) == NONE;
}

/* ---- agents whose next free worker is waited for --------------------------------- */

static bool
waits_for(const struct sched *s, uint32_t class, uint32_t limit,
    uint32_t agent)
{
	const struct class *c = s->classes[class];

	return c != NULL && c->state == CLASS_LIMIT && c->block == limit &&
	    c->n > 0 && !run_gated(s, s->runs[c->key.run]) &&
	    bit_get(s->reqs[s->lanes[c->key.lane]->key.req]->elig, agent);
}

/* The same for what an agent counts: who waits for it is parked. */
static bool
parked_for(const struct sched *s, uint32_t limit, uint32_t agent)
{
	const struct class *c;
	const struct lane *l;
	size_t i, k;

	for (i = 0; i < s->n_lanes; i++) {
		l = s->lanes[i];
		if (l == NULL || l->parked.n == 0 || !l->key.free_only ||
		    !bit_get(s->reqs[l->key.req]->elig, agent) ||
		    run_gated(s, s->runs[l->key.run]))
			continue;
		for (k = 0; k < l->parked.n && k < WAITERS_MAX; k++) {
			c = s->classes[l->parked.v[k]];
			if (c->state == CLASS_AGENT && c->n > 0 &&
			    lset_has(s->lsets[c->key.lset], limit))
				return true;
		}
	}
	return false;
}

/* Somebody who may run there waits for what it holds. */
static bool
is_wanted(const struct sched *s, const struct parcel *p)
{
	const struct lset *ls = s->lsets[p->lset];
	const struct ids *w;
	uint32_t i;
	size_t k;

	for (i = 0; p->holds && i < ls->n; i++) {
		if (ls->per_agent && parked_for(s, ls->v[i].limit, p->agent))
			return true;
		w = &s->limits[ls->v[i].limit]->waiters;
		for (k = 0; k < w->n && k < WAITERS_MAX; k++)
			if (waits_for(s, w->v[k], ls->v[i].limit, p->agent))
				return true;
	}
	return false;
}

static bool
has_worker(const struct parcel *p)
{
	return p->state == P_RUNNING || (p->to_free && (p->state == P_SENT ||
	    p->state == P_QUEUED));
}

/* When its worker is free, by prediction. */
static int64_t
ends_us(const struct sched *s, const struct parcel *p)
{
	int64_t us = p->estimate_us > 0 ? p->estimate_us :
	    s->typical_us > 0 ? s->typical_us : TYPICAL_US;

	us = us * 1000 / s->agents[p->agent].speed;
	us += p->state == P_RUNNING ? p->started_us : p->sent_us;
	return us > s->now_us ? us : s->now_us;
}

/* The worker there that the next one sent would get holds what is wanted. */
static bool
is_awaited(const struct sched *s, uint32_t agent)
{
	const struct agent *a = &s->agents[agent];
	int64_t first_us = INT64_MAX, us;
	const struct parcel *p;
	uint32_t i, before = 0;

	if (a->n_limited == 0)
		return false;
	for (i = a->first; i != NONE; i = p->next) {
		p = &s->parcels[i];
		if (has_worker(p) && is_wanted(s, p) &&
		    (us = ends_us(s, p)) < first_us)
			first_us = us;
	}
	for (i = a->first; i != NONE && first_us < INT64_MAX; i = p->next) {
		p = &s->parcels[i];
		before += has_worker(p) && ends_us(s, p) < first_us ?
		    p->workers : 0;
	}
	return first_us < INT64_MAX && before <= a->queued;
}

bool
ahead_withheld(struct sched *s, const struct run *r, uint32_t agent)
{
	if (r->ahead != SCHED_AHEAD_AUTO || !is_awaited(s, agent))
		return false;
	/* Until something changes there. */
	bit_count(s->room, &s->n_room, agent, false);
	return true;
}

/* ---- the set ---------------------------------------------------------------------- */

/* Of a run that says how much ahead. */
static bool
may_queue(const struct sched *s, const struct run *r, uint32_t agent,
    bool pinned)
{
	const struct agent *a = &s->agents[agent];

	return bit_get(s->usable, agent) && a->reserved == NONE &&
	    (pinned ? a->max : a->threshold) > 0 &&
	    (r->ahead == SCHED_AHEAD_ALL || a->queued < r->ahead);
}

/* Takes away what another lane may use of what this one could. */
static void
leave_to(struct sched *s, struct lane *l, const struct lane *other)
{
	const uint64_t *its = s->reqs[other->key.req]->elig;
	const uint64_t *own = s->reqs[l->key.req]->elig;
	uint32_t w;

	for (w = 0; w < s->n_words; w++) {
		l->shunned |= (s->ahead[w] & its[w] & own[w]) != 0;
		s->ahead[w] &= ~its[w];
	}
}

const uint64_t *
ahead_set(struct sched *s, struct lane *l)
{
	const struct run *r = s->runs[l->key.run];
	struct lane *other;
	uint32_t w;
	size_t i;

	l->shunned = false;
	if (r->ahead != SCHED_AHEAD_AUTO) {
		for (w = 0; w < s->n_agents; w++)
			bit_set(s->ahead, w, may_queue(s, r, w,
			    l->key.pinned));
		return s->ahead;
	}
	if (s->starving.n == 0)
		return s->room;
	memcpy(s->ahead, s->room, s->n_words * sizeof(*s->ahead));
	for (i = 0; i < s->starving.n; i++) {
		other = s->lanes[s->starving.v[i]];
		if (starves_before(s, other, l))
			leave_to(s, l, other);
	}
	return s->ahead;
}
