/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Queues of ripe executions. Those that placement cannot tell apart share a
 * class, so that only its head is ever tried; classes of a run that the same
 * agents may take share a lane, so that one look at the agents speaks for all
 * of them. Lanes stand in a heap by their best item.
 *
 * A class or lane is pushed again only when its key improves; what comes up
 * with another key than the one last pushed is dropped.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "sched/sched_private.h"
#include "yardmaster/base/mem.h"

/* ---- names for numbers ------------------------------------------------------- */

uint64_t
priority_key(int64_t priority)
{
	return (uint64_t)(INT64_C(0x80000000) - priority) & UINT32_MAX;
}

int64_t
clamp_priority(int64_t p)
{
	const int64_t most = INT32_MAX;

	return p > most ? most : p < -most ? -most : p;
}

static uint32_t
lane_intern(struct sched *s, struct run *r, const struct lane_key *k)
{
	struct lane *l;
	uint32_t i;

	HASH_FIND(hh, s->lane_hash, k, sizeof(*k), l);
	if (l != NULL)
		return l->index;
	l = mem_zalloc(sizeof(*l));
	l->key = *k;
	if (s->free_lanes.n > 0) {
		i = s->free_lanes.v[--s->free_lanes.n];
	} else {
		i = (uint32_t)s->n_lanes++;
		s->lanes = mem_grow(s->lanes, &s->cap_lanes, s->n_lanes,
		    sizeof(struct lane *));
	}
	l->index = i;
	s->lanes[i] = l;
	ids_push(&r->lanes, i);
	HASH_ADD(hh, s->lane_hash, key, sizeof(l->key), l);
	return i;
}

static uint32_t
class_intern(struct sched *s, struct run *r, const struct class_key *k)
{
	struct class *c;
	uint32_t i;

	HASH_FIND(hh, s->class_hash, k, sizeof(*k), c);
	if (c != NULL)
		return c->index;
	c = mem_zalloc(sizeof(*c));
	c->key = *k;
	c->block = c->agent = NONE;
	if (s->free_classes.n > 0) {
		i = s->free_classes.v[--s->free_classes.n];
	} else {
		i = (uint32_t)s->n_classes++;
		s->classes = mem_grow(s->classes, &s->cap_classes,
		    s->n_classes, sizeof(struct class *));
	}
	c->index = i;
	s->classes[i] = c;
	ids_push(&r->classes, i);
	HASH_ADD(hh, s->class_hash, key, sizeof(c->key), c);
	return i;
}

void
class_free(struct sched *s, uint32_t class)
{
	struct class *c = s->classes[class];

	HASH_DEL(s->class_hash, c);
	free(c->base);
	heap_done(&c->back);
	ids_done(&c->aside);
	free(c);
	s->classes[class] = NULL;
	ids_push(&s->free_classes, class);
}

void
lane_free(struct sched *s, uint32_t lane)
{
	struct lane *l = s->lanes[lane];

	lane_unstarve(s, l);
	HASH_DEL(s->lane_hash, l);
	heap_done(&l->ready);
	ids_done(&l->parked);
	free(l);
	s->lanes[lane] = NULL;
	ids_push(&s->free_lanes, lane);
}

static uint32_t
exec_class(struct sched *s, struct run *r, const struct exec *x)
{
	const struct terms *t = &r->terms[x->terms];
	bool moved = (x->flags & X_PINNED) != 0;
	struct class_key k;
	struct lane_key lk;

	memset(&k, 0, sizeof(k));
	memset(&lk, 0, sizeof(lk));
	lk.run = r->handle;
	lk.req = moved ? req_pin(s, x->pin,
	    s->reqs[t->req]->secrets) : t->req;
	lk.pinned = moved || t->pinned;
	lk.free_only = s->lsets[t->lset]->n > 0 || t->workers > 1 ||
	    (x->flags & X_OVER) != 0 ||
	    (t->batch > 0 && r->ahead == SCHED_AHEAD_AUTO);
	lk.over = (x->flags & X_OVER) != 0;
	k.run = r->handle;
	k.lane = lane_intern(s, r, &lk);
	k.lset = t->lset;
	k.priority = x->priority;
	k.avoid = moved ? NONE : x->avoid;
	k.workers = t->workers;
	k.batch = t->batch;
	return class_intern(s, r, &k);
}

/* ---- one class ----------------------------------------------------------------- */

static bool
is_member(const struct run *r, const struct class *c, uint64_t rank)
{
	const struct exec *x = &r->x[rank];

	return x->class == c->index &&
	    (x->flags & (X_QUEUED | X_ASIDE)) == X_QUEUED;
}

struct exec *
class_head(struct sched *s, struct class *c)
{
	struct run *r = s->runs[c->key.run];
	uint64_t rank = UINT64_MAX;

	while (c->cursor < c->n_base && !is_member(r, c, c->base[c->cursor]))
		c->cursor++;
	while (c->back.n > 0 && !is_member(r, c, c->back.v[0].a))
		heap_pop(&c->back);
	if (c->cursor < c->n_base)
		rank = c->base[c->cursor];
	if (c->back.n > 0 && c->back.v[0].a < rank)
		rank = c->back.v[0].a;
	return rank == UINT64_MAX ? NULL : &r->x[rank];
}

static void
class_push(struct class *c, uint32_t rank)
{
	if (c->cursor == c->n_base)
		c->cursor = c->n_base = 0;
	if (c->n_base > 0 && rank <= c->base[c->n_base - 1]) {
		heap_push(&c->back, (struct heap_key){ .a = rank });
		return;
	}
	if (c->n_base == c->cap_base)
		c->base = mem_grow(c->base, &c->cap_base, c->n_base + 1,
		    sizeof(*c->base));
	c->base[c->n_base++] = rank;
}

/* Lists a ready class in its lane when its key has improved. */
static void
class_touch(struct sched *s, struct class *c)
{
	struct lane *l = s->lanes[c->key.lane];
	const struct exec *x = class_head(s, c);
	struct heap_key k = { .id = c->index };

	if (x == NULL)
		return;
	k.a = priority_key(c->key.priority) << 32 |
	    exec_rank(s->runs[c->key.run], x);
	if (c->listed && !heap_less(&k, &c->top))
		return;
	c->top = k;
	c->listed = true;
	heap_push(&l->ready, k);
	lane_touch(s, c->key.lane);
}

/* It could not go; what is sent from now on passes it. */
static void
class_waits(struct sched *s, struct class *c)
{
	if (c->waits)
		return;
	c->waits = true;
	c->block_sent = s->n_sent;
	if (c->key.workers > 1)
		reserve_due(s, c);
}

void
class_blocked(struct sched *s, struct class *c)
{
	s->lanes[c->key.lane]->blocked = true;
	if (c->key.workers > 1)
		class_waits(s, c);
}

void
class_set(struct sched *s, uint32_t class, enum class_state state,
    uint32_t block)
{
	struct class *c = s->classes[class];

	if (c->state == CLASS_READY && state != CLASS_READY) {
		c->block_us = s->now_us;
		class_waits(s, c);
	}
	c->state = state;
	c->block = block;
	if (state == CLASS_LIMIT)
		ids_push(&s->limits[block]->waiters, class);
	else if (state == CLASS_AGENT)
		ids_push(&s->lanes[c->key.lane]->parked, class);
	else if (state == CLASS_READY)
		class_touch(s, c);
}

static void
class_count(struct sched *s, struct class *c, const struct exec *x, int by)
{
	struct lane *l = s->lanes[c->key.lane];
	struct run *r = s->runs[c->key.run];
	int64_t us = x->estimate_us > 0 ? by * x->estimate_us : 0;
	uint32_t unknown = x->estimate_us > 0 ? 0 : (uint32_t)by;

	c->n += (uint32_t)by;
	c->work_us += us;
	c->n_unknown += unknown;
	l->work_us += us;
	l->n_unknown += unknown;
	r->queued_us += us;
	r->queued_unknown += unknown;
}

void
queue_add(struct sched *s, struct run *r, struct exec *x)
{
	struct class *c;

	if (x->group != NONE) {
		group_ready(s, x);
		return;
	}
	x->class = exec_class(s, r, x);
	x->flags |= X_QUEUED;
	c = s->classes[x->class];
	class_count(s, c, x, 1);
	class_push(c, exec_rank(r, x));
	if (c->state == CLASS_EMPTY)
		c->state = CLASS_READY;
	if (c->state == CLASS_READY)
		class_touch(s, c);
}

void
queue_remove(struct sched *s, struct run *r, struct exec *x)
{
	struct class *c;

	if ((x->flags & X_READY) != 0)
		group_unready(s, x);
	if ((x->flags & X_QUEUED) == 0)
		return;
	c = s->classes[x->class];
	x->flags &= (uint16_t)~(X_QUEUED | X_ASIDE);
	class_count(s, c, x, -1);
	if (c->n == 0)
		class_emptied(s, c);
}

void
class_aside(struct sched *s, struct class *c, struct exec *x)
{
	struct run *r = s->runs[c->key.run];

	x->flags |= X_ASIDE;
	if (c->aside.n == 0)
		ids_push(&s->lanes[c->key.lane]->parked, c->index);
	ids_push(&c->aside, exec_no(r, x));
}

static void
aside_back(struct sched *s, struct class *c)
{
	struct run *r = s->runs[c->key.run];
	struct exec *x;
	size_t i;

	for (i = 0; i < c->aside.n; i++) {
		x = exec_get(r, c->aside.v[i]);
		if (x->class != c->index || (x->flags & X_ASIDE) == 0)
			continue;
		x->flags &= (uint16_t)~X_ASIDE;
		class_push(c, exec_rank(r, x));
	}
	c->aside.n = 0;
}

/* ---- lanes -------------------------------------------------------------------------- */

bool
run_gated(const struct sched *s, const struct run *r)
{
	return s->paused != NULL || r->held != NULL || r->setup != NULL ||
	    r->ended ||
	    (r->max_parallel > 0 && r->inflight >= r->max_parallel) ||
	    deadline_gates(r);
}

uint32_t
lane_class(struct sched *s, struct lane *l)
{
	struct heap_key *k, now;
	struct class *c;
	const struct exec *x;

	while (l->ready.n > 0) {
		k = &l->ready.v[0];
		c = s->classes[k->id];
		if (!c->listed || c->top.a != k->a) {
			heap_pop(&l->ready);
			continue;
		}
		x = c->state == CLASS_READY ? class_head(s, c) : NULL;
		now = *k;
		if (x != NULL)
			now.a = priority_key(c->key.priority) << 32 |
			    exec_rank(s->runs[c->key.run], x);
		if (x != NULL && now.a == k->a)
			return c->index;
		heap_pop(&l->ready);
		c->listed = false;
		if (x != NULL)
			class_touch(s, c);
	}
	return NONE;
}

static bool
lane_key(struct sched *s, struct lane *l, struct heap_key *ret)
{
	const struct run *r = s->runs[l->key.run];
	const struct class *c;
	uint32_t i;

	if (l->blocked || run_gated(s, r))
		return false;
	i = lane_class(s, l);
	if (i == NONE)
		return false;
	c = s->classes[i];
	ret->a = priority_key(clamp_priority((int64_t)r->priority +
	    c->key.priority)) << 32 | r->handle;
	ret->b = (uint32_t)c->top.a;
	ret->id = l->index;
	return true;
}

static bool
same_key(const struct heap_key *a, const struct heap_key *b)
{
	return a->a == b->a && a->b == b->b;
}

void
lane_touch(struct sched *s, uint32_t lane)
{
	struct lane *l = s->lanes[lane];
	struct heap_key k;

	if (l->touching)
		return;
	l->touching = true;
	if (lane_key(s, l, &k) && (!l->listed || heap_less(&k, &l->top))) {
		l->top = k;
		l->listed = true;
		heap_push(&s->top, k);
	}
	l->touching = false;
}

uint32_t
lane_best(struct sched *s)
{
	struct heap_key *k, now;
	struct lane *l;

	while (s->top.n > 0) {
		k = &s->top.v[0];
		l = s->lanes[k->id];
		if (l == NULL || !l->listed || !same_key(k, &l->top)) {
			heap_pop(&s->top);
			continue;
		}
		l->touching = true;
		if (lane_key(s, l, &now) && same_key(&now, k)) {
			l->touching = false;
			return l->index;
		}
		l->touching = false;
		heap_pop(&s->top);
		l->listed = false;
		lane_touch(s, l->index);
	}
	return NONE;
}

static void
lane_wake(struct sched *s, struct lane *l)
{
	struct ids parked = l->parked;
	struct class *c;
	size_t i;

	l->blocked = l->shunned = false;
	l->parked = (struct ids){ NULL, 0, 0 };
	for (i = 0; i < parked.n; i++) {
		c = s->classes[parked.v[i]];
		aside_back(s, c);
		if (c->state == CLASS_AGENT)
			class_set(s, c->index, CLASS_READY, NONE);
		else if (c->state == CLASS_READY)
			class_touch(s, c);
	}
	ids_done(&parked);
	lane_touch(s, l->index);
}

/* Some agent that gained has a worker free for it, or a place in its queue. */
static bool
lane_gained(const struct sched *s, const struct lane *l)
{
	const uint64_t *elig = s->reqs[l->key.req]->elig;
	const uint64_t *free = l->key.pinned ? s->free_max : s->below;
	bool queues = !l->key.free_only && !l->shunned;
	uint64_t open;
	uint32_t w;

	for (w = s->gain_from; w < s->gain_to; w++) {
		open = free[w] | s->kept[w];
		if (queues)
			open |= s->n_ahead > 0 ? s->usable[w] : s->room[w];
		if ((elig[w] & s->gained[w] & open) != 0)
			return true;
	}
	return false;
}

void
lanes_wake(struct sched *s)
{
	struct lane *l;
	uint32_t w;
	size_t i;

	if (!s->any_gain)
		return;
	for (i = 0; i < s->n_lanes; i++) {
		l = s->lanes[i];
		if (l == NULL || (!l->blocked && l->parked.n == 0))
			continue;
		if (lane_gained(s, l))
			lane_wake(s, l);
	}
	for (w = s->gain_from; w < s->gain_to; w++)
		s->gained[w] = 0;
	s->any_gain = false;
}

void
run_wake(struct sched *s, struct run *r)
{
	size_t i;

	s->group_gen++;
	for (i = 0; i < r->lanes.n; i++)
		lane_touch(s, r->lanes.v[i]);
}
