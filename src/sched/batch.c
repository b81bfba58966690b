/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Batches: executions of one class that share a process on one worker. A
 * batch is as much as its worker ends, in all likelihood, before the time
 * when everything is expected to end: large early, while what it holds
 * averages out, and small late; but never so small that starting the process
 * is most of it, and no remainder is left that would not pay for a start.
 */
#include "config.h"

#include <math.h>

#include "sched/sched_private.h"
#include "yardmaster/base/mem.h"

#define SHARE 0.9		/* a tenth is kept back: predictions also err
				 * all in one direction */
#define LEAST_SHARE 0.3		/* the same where the agent is not known */
#define ERR_SD 0.35		/* of one prediction, in parts of it */
#define SURE 2.0		/* so many deviations may go wrong */
#define LEAST_STARTS 2		/* a batch is at least so many starts long */
#define REST_STARTS 3		/* a rest of so many is taken along */
#define LONG_PART 4		/* an unknown one that may be a quarter of a
				 * batch goes without known ones */
#define MOST_MEMBERS 1000
#define MOST_AFTER_ERROR 8	/* of those whose process may have crashed */

/* A batch while it is filled; times are work. */
struct filling {
	struct class *c;
	double most_us;		/* ends when all do */
	double share;		/* of that, what is taken */
	double rest_us;		/* of that, what does not pay for a start */
	double sum_us, var;	/* of the members */
	double unknown_us, unknown_var;	/* of one unknown */
	uint32_t most_unknown;	/* UINT32_MAX: any */
	bool apart;		/* unknown ones go without known ones */
	size_t most_n;		/* members */
	uint64_t room, size;	/* of their names */
	struct ids l;
};

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

static void
unknown_init(const struct sched *s, const struct run *r, struct filling *f)
{
	double mean = (double)run_typical_us(s, r);

	f->unknown_us = mean;
	f->unknown_var = 4 * mean * mean;
	if (r->n_known > 1)
		f->unknown_var = r->known_sq / r->n_known - mean * mean;
}

static void
filling_init(const struct sched *s, const struct run *r, uint32_t agent,
    struct filling *f)
{
	const struct lane *l = s->lanes[f->c->key.lane];
	double speed = s->agents[agent].speed / 1000.0;
	double start = (double)(r->start_cost_us + s->agents[agent].rtt_us);
	uint32_t workers = force_of(s, l->key.req, l->key.pinned)->workers;

	f->most_us = lane_left(s, l) - start;
	if (f->most_us < LEAST_STARTS * start)
		f->most_us = LEAST_STARTS * start;
	f->most_us *= speed;
	f->share = fmax(LEAST_SHARE, SHARE -
	    pace_doubt(s, &s->agents[agent]));
	f->rest_us = REST_STARTS * start * speed;
	f->apart = (double)r->longest_us * LONG_PART > f->most_us;
	f->most_unknown = UINT32_MAX;
	if (f->apart && r->n_known > 0)
		f->most_unknown = (r->n - r->n_known) /
		    (workers > 0 ? workers : 1) + 1;
	f->most_n = MOST_MEMBERS;
	unknown_init(s, r, f);
}

/* Whether x may join those that are there. */
static bool
joins(const struct sched *s, const struct run *r, const struct filling *f,
    const struct exec *x, uint32_t agent)
{
	const struct exec *first = exec_get(r, f->l.v[0]);
	bool known = x->estimate_us > 0;
	double us = known ? (double)x->estimate_us : f->unknown_us;
	double var = known ? us * us * ERR_SD * ERR_SD : f->unknown_var;
	double late = f->sum_us + us + SURE * sqrt(f->var + var);

	if (f->l.n >= f->most_n || f->l.n >= most_beside(x) ||
	    f->size + x->size > f->room)
		return false;
	if (f->sum_us + us > f->most_us || (late > f->share *
	    f->most_us && f->most_us - f->sum_us > f->rest_us))
		return false;
	if (!known && f->l.n >= f->most_unknown)
		return false;
	if (f->apart && known != (first->estimate_us > 0))
		return false;
	return !beside_on(s, r, x, agent);
}

static void
take(struct sched *s, struct run *r, struct filling *f, struct exec *x)
{
	double us = f->unknown_us, var = f->unknown_var;

	if (x->estimate_us > 0) {
		us = (double)x->estimate_us;
		var = us * us * ERR_SD * ERR_SD;
	}
	f->sum_us += us;
	f->var += var;
	f->size += x->size;
	if (most_beside(x) < f->most_n)
		f->most_n = most_beside(x);
	ids_push(&f->l, exec_no(r, x));
	queue_remove(s, r, x);
}

/* What comes after x in its queue, or what is left there before it. */
static struct exec *
next_of(struct sched *s, struct class *c, const struct exec *x, bool picked,
    size_t *pos)
{
	return picked ? fit_next(s, c, pos, x->estimate_us) :
	    class_head(s, c);
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

struct sched_member *
batch_gather(struct sched *s, struct run *r, struct exec *x, uint32_t agent,
    uint32_t *ret_n)
{
	struct filling f = { .c = s->classes[x->class] };
	bool picked = class_head(s, f.c) != x;
	struct sched_member *m;
	size_t pos = 0;

	*ret_n = 1;
	if (f.c->key.batch == 0 || (x->flags & X_PINNED) != 0)
		return NULL;
	filling_init(s, r, agent, &f);
	f.room = r->terms[x->terms].room > 0 ? r->terms[x->terms].room :
	    UINT64_MAX;
	do {
		take(s, r, &f, x);
		x = next_of(s, f.c, x, picked, &pos);
	} while (x != NULL && joins(s, r, &f, x, agent));
	m = members_of(r, &f.l);
	*ret_n = (uint32_t)f.l.n;
	ids_done(&f.l);
	return m;
}

void
sched_run_start_cost(struct sched *s, uint32_t run, int64_t start_us)
{
	struct run *r = run_get(s, run);

	if (r != NULL && start_us > 0)
		r->start_cost_us = start_us;
}
