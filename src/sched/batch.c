/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Batches: executions of one class that share a process on one worker. Each
 * batch is a share of what remains for its lane, so that batches are large
 * early, when there is time to make up for a bad prediction, and small late,
 * but never so small that starting the process is most of it.
 */
#include "config.h"

#include "sched/sched_private.h"
#include "yardmaster/base/mem.h"

#define SHARE_NUM 4		/* of a worker's part of what remains */
#define SHARE_DEN 5
#define LEAST_STARTS 2		/* a batch is at least so many starts long */
#define UNKNOWN_WEIGHT 10	/* times the mean: one of them may be the
				 * longest, and all behind it would wait */
#define MOST_MEMBERS 1000
#define MOST_AFTER_ERROR 8	/* of those whose process may have crashed */

static int64_t
usual_us(const struct sched *s, const struct run *r)
{
	if (r->n_known > 0)
		return r->known_us / r->n_known;
	return s->typical_us > 0 ? s->typical_us : US_PER_S;
}

/* What remains in the lane, by prediction. */
static int64_t
lane_work_us(const struct sched *s, const struct run *r, uint32_t lane)
{
	const struct class *c;
	int64_t usual = usual_us(s, r), sum = 0;
	size_t i;

	for (i = 0; i < r->classes.n; i++) {
		c = s->classes[r->classes.v[i]];
		if (c->key.lane == lane)
			sum += c->work_us + usual * c->n_unknown;
	}
	return sum;
}

static uint32_t
lane_workers(const struct sched *s, const struct run *r,
    const struct lane *l)
{
	uint32_t n = slots_of(s, l->key.req, l->key.pinned);

	if (r->max_parallel > 0 && r->max_parallel < n)
		n = r->max_parallel;
	return n > 0 ? n : 1;
}

static int64_t
batch_us(const struct sched *s, const struct run *r, const struct class *c)
{
	const struct lane *l = s->lanes[c->key.lane];
	int64_t share, least = LEAST_STARTS * r->start_cost_us;

	share = lane_work_us(s, r, c->key.lane) / SHARE_DEN * SHARE_NUM /
	    lane_workers(s, r, l);
	return share > least ? share : least;
}

/* How many may share a process with x, itself among them: one that crashes
 * takes all with it, and is to be found. What was lost with its agent says
 * nothing about that. */
static size_t
most_beside(const struct exec *x)
{
	uint32_t errors = x->errors;

	if (errors > 0 && (x->flags & X_LOST) != 0)
		errors--;
	return errors == 0 ? MOST_MEMBERS : errors == 1 ? MOST_AFTER_ERROR : 1;
}

/* One more: it leaves the queue, so that the next one is the head. */
static void
take(struct sched *s, struct run *r, struct exec *x, struct ids *to)
{
	ids_push(to, exec_no(r, x));
	queue_remove(s, r, x);
}

static struct sched_member *
members_of(const struct run *r, const struct ids *l)
{
	struct sched_member *m = mem_calloc(l->n, sizeof(*m));
	size_t i;

	for (i = 0; i < l->n; i++)
		m[i] = (struct sched_member){ l->v[i],
			exec_get(r, l->v[i])->attempt + 1 };
	return m;
}

void
sched_run_start_cost(struct sched *s, uint32_t run, int64_t start_us)
{
	struct run *r = run_get(s, run);

	if (r != NULL && start_us > 0)
		r->start_cost_us = start_us;
}

struct sched_member *
batch_gather(struct sched *s, struct run *r, struct exec *x, uint32_t agent,
    uint32_t *ret_n)
{
	struct class *c = s->classes[x->class];
	struct sched_member *m;
	struct ids l = { NULL, 0, 0 };
	int64_t most, est, sum = 0, usual = usual_us(s, r) * UNKNOWN_WEIGHT;
	size_t most_n = MOST_MEMBERS, room, size = 0;
	struct exec *y;

	*ret_n = 1;
	if (c->key.batch == 0 || (x->flags & X_PINNED) != 0)
		return NULL;
	most = batch_us(s, r, c);
	room = r->terms[x->terms].room > 0 ? r->terms[x->terms].room : SIZE_MAX;
	for (y = x; y != NULL && l.n < most_n; y = class_head(s, c)) {
		est = y->estimate_us > 0 ? y->estimate_us : usual;
		if (y != x && (sum + est > most || size + y->size > room ||
		    l.n + 1 > most_beside(y) || beside_on(s, r, y, agent)))
			break;
		if (most_beside(y) < most_n)
			most_n = most_beside(y);
		sum += est;
		size += y->size;
		take(s, r, y, &l);
	}
	m = members_of(r, &l);
	*ret_n = (uint32_t)l.n;
	ids_done(&l);
	return m;
}
