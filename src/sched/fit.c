/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who gets the long ones, where agents are not equally fast and order is
 * longest first. What only the fastest can end in time goes there first;
 * a slower one takes the longest that it ends by the time all are expected
 * to. An agent never waits: what fits nowhere goes where there is room.
 */
#include "config.h"

#include "sched/sched_private.h"

#define LONGER 1.7	/* that much longer than predicted is not rare */
#define SKIP_MAX 1000	/* entries looked at that have left the queue */

static int64_t
rank_length(const struct run *r, uint32_t rank)
{
	int64_t us = r->x[rank].estimate_us;

	return us > 0 ? us : INT64_MAX;
}

static struct exec *
member_at(const struct run *r, const struct class *c, size_t pos)
{
	struct exec *x = &r->x[c->base[pos]];

	return x->class == c->index &&
	    (x->flags & (X_QUEUED | X_ASIDE)) == X_QUEUED ? x : NULL;
}

struct exec *
fit_next(const struct sched *s, const struct class *c, size_t *pos,
    int64_t most_us)
{
	const struct run *r = s->runs[c->key.run];
	size_t low = *pos < c->cursor ? c->cursor : *pos, high = c->n_base;
	size_t mid, end;
	struct exec *x;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (rank_length(r, c->base[mid]) > most_us)
			low = mid + 1;
		else
			high = mid;
	}
	end = c->n_base - low > SKIP_MAX ? low + SKIP_MAX : c->n_base;
	for (; low < end; low++) {
		if ((x = member_at(r, c, low)) == NULL)
			continue;
		*pos = low;
		return x;
	}
	return NULL;
}

/* The one that does least harm where none fits. */
static struct exec *
shortest(const struct sched *s, const struct class *c)
{
	const struct run *r = s->runs[c->key.run];
	size_t i, n = 0;
	struct exec *x;

	for (i = c->n_base; i > c->cursor && n < SKIP_MAX; i--, n++)
		if ((x = member_at(r, c, i - 1)) != NULL &&
		    x->estimate_us > 0)
			return x;
	return NULL;
}

static struct exec *
for_fastest(const struct sched *s, const struct class *c,
    const struct force *f, double left)
{
	const struct run *r = s->runs[c->key.run];
	size_t pos = c->cursor;
	struct exec *x = fit_next(s, c, &pos, INT64_MAX - 1);

	return x != NULL && (double)x->estimate_us * LONGER >
	    (left - (double)r->start_cost_us) * f->fastest / 1000 ? x : NULL;
}

static struct exec *
for_slower(const struct sched *s, const struct class *c, uint32_t speed,
    double left, const struct exec *head)
{
	const struct run *r = s->runs[c->key.run];
	double most = (left - (double)r->start_cost_us) * speed / 1000;
	int64_t us = head->estimate_us > 0 ? head->estimate_us :
	    r->longest_us;
	size_t pos = c->cursor;
	struct exec *x;

	if ((double)us * LONGER <= most)
		return NULL;
	x = most < 1 ? NULL : fit_next(s, c, &pos, (int64_t)(most / LONGER));
	return x != NULL ? x : shortest(s, c);
}

struct exec *
fit_pick(const struct sched *s, const struct class *c, struct exec *head,
    uint32_t agent)
{
	const struct lane *l = s->lanes[c->key.lane];
	const struct run *r = s->runs[c->key.run];
	const struct force *f = force_of(s, l->key.req, l->key.pinned);
	uint32_t speed = s->agents[agent].speed;
	struct exec *x = NULL;

	if (!r->by_length || f->slower == 0 || r->n_known == 0 ||
	    (head->flags & X_PINNED) != 0)
		return head;
	if (speed >= f->fastest && head->estimate_us <= 0)
		x = for_fastest(s, c, f, lane_left(s, l));
	else if (speed < f->fastest)
		x = for_slower(s, c, speed, lane_left(s, l), head);
	return x != NULL && !beside_on(s, r, x, agent) ? x : head;
}
