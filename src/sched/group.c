/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Groups: executions that run together. One of them that is ripe waits in its
 * group, not in a queue; the group goes when all are. Its locks and exclusions
 * are taken once, from the send of the parts until the last parcel is over.
 *
 *	(waits) -> group_send() -> out -> all prepared: gone -> all over
 *	   ^                        |                              |
 *	   |  one is not prepared in time, returned, lost,         |
 *	   |  cancelled: the others are given back                 |
 *	   +------------------------+------------------------------+
 *	                                     group_settle()
 *
 * A round is over when no part has a parcel. When some part waits for another
 * try then all are tried again, also those that passed; when some part ended
 * badly for good none is.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "sched/sched_private.h"
#include "yardmaster/base/mem.h"

struct group *
group_of(const struct sched *s, const struct exec *x)
{
	return x->group == NONE ? NULL : s->groups[x->group];
}

struct exec *
group_part(const struct sched *s, const struct group *g, uint32_t part)
{
	return exec_get(s->runs[g->run], g->first + part);
}

bool
group_is_over(const struct sched *s, const struct group *g)
{
	return (group_part(s, g, 0)->flags & X_OVER) != 0;
}

bool
group_complete(const struct group *g)
{
	return g->n_ready == g->n;
}

/* ---- making ---- */

static void
group_make(struct sched *s, struct run *r, uint32_t first, uint32_t n)
{
	struct group *g = mem_zalloc(sizeof(*g));
	uint32_t i;

	s->groups = mem_grow(s->groups, &s->cap_groups, s->n_groups + 1,
	    sizeof(struct group *));
	*g = (struct group){ .run = r->handle, .first = first, .n = n,
		.index = (uint32_t)s->n_groups, .kind = NONE, .block = NONE,
		.held = NONE,
		.settling = true };
	g->reserved = mem_calloc(n, sizeof(*g->reserved));
	for (i = 0; i < n; i++) {
		g->reserved[i] = NONE;
		exec_get(r, first + i)->group = g->index;
	}
	s->groups[s->n_groups++] = g;
}

void
groups_make(struct sched *s, struct run *r, const struct sched_run *spec)
{
	uint32_t i, n;

	for (i = 0; i < r->n; i++)
		r->x[i].group = NONE;
	for (i = 0; i < r->n; i += n) {
		for (n = 1; i + n < r->n && spec->execs[i].group > 0 &&
		    spec->execs[i + n].group == spec->execs[i].group; n++)
			;
		if (spec->execs[i].group > 0)
			group_make(s, r, i + 1, n);
	}
	groups_lsets(s, r);
}

void
groups_lsets(struct sched *s, struct run *r)
{
	const struct terms *t;
	const struct exec *x;
	struct use *v = NULL;
	struct group *g;
	uint32_t i, k, n, group = NONE;

	for (i = 0; i < r->n; i++) {
		x = exec_get(r, i + 1);
		if (x->group == NONE || x->group == group)
			continue;
		group = x->group;
		g = s->groups[group];
		for (k = 0, n = 0; k < g->n; k++) {
			t = &r->terms[group_part(s, g, k)->terms];
			v = mem_realloc(v, n + t->n_wants + 1, sizeof(*v));
			n = uses_shared(s, t, v, n);
		}
		n = uses_merge(s, v, n);
		g->lset = lset_intern(s, v, n);
		g->same_agent = r->terms[x->terms].same_agent;
	}
	free(v);
}

static void
group_free(struct sched *s, struct group *g)
{
	s->groups[g->index] = NULL;
	free(g->reserved);
	free(g);
}

void
groups_free(struct sched *s, const struct run *r)
{
	struct group *g;
	uint32_t i;

	for (i = 0; i < r->n; i++) {
		g = group_of(s, &r->x[i]);
		if (g == NULL)
			continue;
		group_unreserve(s, g);
		group_free(s, g);
	}
}

/* ---- waiting ---- */

void
group_ready(struct sched *s, struct exec *x)
{
	struct group *g = group_of(s, x);

	x->flags |= X_READY;
	if (++g->n_ready < g->n)
		return;
	g->tried = 0;
	g->block = NONE;
	g->block_us = s->now_us;
	group_enqueue(s, g);
}

void
group_unready(struct sched *s, struct exec *x)
{
	struct group *g = group_of(s, x);

	x->flags &= (uint16_t)~X_READY;
	g->n_ready--;
	group_unreserve(s, g);
}

/* ---- what it holds ---- */

void
group_take(struct sched *s, struct group *g)
{
	const struct lset *ls = s->lsets[g->lset];
	uint32_t i;

	if (g->held != NONE)
		return;
	g->held = g->lset;
	for (i = 0; i < ls->n; i++)
		limit_count(s, &ls->v[i], 1);
}

/* Something of an earlier round is still held, by other terms: both are. */
void
group_take_more(struct sched *s, struct group *g)
{
	const struct lset *a, *b = s->lsets[g->lset];
	struct use *v;
	uint32_t i, n;

	if (g->held == NONE || g->held == g->lset)
		return;
	a = s->lsets[g->held];
	v = mem_calloc(a->n + b->n, sizeof(*v));
	for (n = 0; n < a->n + b->n; n++)
		v[n] = n < a->n ? a->v[n] : b->v[n - a->n];
	for (i = 0; i < a->n; i++)
		limit_count(s, &a->v[i], -1);
	n = uses_merge(s, v, n);
	g->held = lset_intern(s, v, n);
	for (i = 0; i < n; i++)
		limit_count(s, &v[i], 1);
	free(v);
}

void
group_parcel(struct sched *s, uint32_t group, int by)
{
	struct group *g = group != NONE ? s->groups[group] : NULL;
	const struct lset *ls;
	uint32_t i;

	if (g == NULL)
		return;
	g->n_parcels += (uint32_t)by;
	if (g->n_parcels > 0) {
		group_take(s, g);
		return;
	}
	ls = s->lsets[g->held];
	g->held = NONE;
	for (i = 0; i < ls->n; i++)
		limit_count(s, &ls->v[i], -1);
}

/* ---- a round ---- */

static void
go(struct sched *s, const struct parcel *p)
{
	decision_add(s, &(struct sched_decision){ .kind = SCHED_GO,
		.id = { p->run, p->exec, p->attempt }, .agent = p->agent,
		.other = NONE });
}

/* Those that are prepared start; the others do when they are. */
static void
group_go(struct sched *s, struct group *g)
{
	const struct exec *x;
	uint32_t i;

	g->gone = true;
	for (i = 0; i < g->n; i++) {
		x = group_part(s, g, i);
		if (x->parcel != NONE && s->parcels[x->parcel].prepared)
			go(s, &s->parcels[x->parcel]);
	}
}

void
group_give_back(struct sched *s, struct group *g)
{
	uint32_t i;

	if (g->gone)
		return;
	g->back = true;
	for (i = 0; i < g->n; i++)
		parcel_ask_back(s, group_part(s, g, i)->parcel, NONE);
}

void
group_prepared(struct sched *s, uint32_t parcel)
{
	struct group *g = s->groups[s->parcels[parcel].group];
	const struct parcel *p;
	const struct exec *x;
	uint32_t i;

	s->parcels[parcel].prepared = true;
	if (g->gone) {
		go(s, &s->parcels[parcel]);
		return;
	}
	for (i = 0; i < g->n && !g->back; i++) {
		x = group_part(s, g, i);
		p = x->parcel != NONE ? &s->parcels[x->parcel] : NULL;
		if (p == NULL || !p->prepared || p->back || p->cancel ||
		    parcel_unknown(s, p))
			return;
	}
	if (!g->back)
		group_go(s, g);
}

void
group_started(struct sched *s, uint32_t parcel)
{
	struct parcel *p = &s->parcels[parcel];
	struct group *g = p->group != NONE ? s->groups[p->group] : NULL;

	if (g == NULL || p->stale)
		return;
	p->prepared = false;
	g->out = true;
	if (!g->gone)
		group_go(s, g);
}

void
group_out(struct sched *s, struct group *g)
{
	if (g->out)
		return;
	g->out = true;
	g->sent_us = s->now_us;
	timer_add(s, s->now_us + PREPARE_US, (struct timer_arg){ TIMER_GROUP,
	    g->index, 0 });
}

void
group_found(struct sched *s, uint32_t group, bool runs)
{
	struct group *g = s->groups[group];

	group_out(s, g);
	g->gone |= runs;
	group_give_back(s, g);
}

void
group_timer(struct sched *s, uint32_t group)
{
	struct group *g = s->groups[group];

	if (g == NULL || !g->out || g->gone)
		return;
	if (s->now_us < g->sent_us + PREPARE_US)
		return;		/* of an earlier round */
	group_give_back(s, g);
	timer_add(s, s->now_us + PREPARE_US, (struct timer_arg){ TIMER_GROUP,
	    group, 0 });
}

/* ---- the end of a round ---- */

static bool
any_out(const struct sched *s, const struct group *g)
{
	uint32_t i;

	for (i = 0; i < g->n; i++)
		if (group_part(s, g, i)->parcel != NONE)
			return true;
	return false;
}

static bool
all_out(const struct sched *s, const struct group *g)
{
	uint32_t i;

	for (i = 0; i < g->n; i++)
		if (group_part(s, g, i)->parcel == NONE)
			return false;
	return true;
}

/* The part that ended badly for good, or NULL. */
static const struct exec *
bad_part(const struct sched *s, const struct group *g)
{
	const struct exec *x;
	uint32_t i;

	for (i = 0; i < g->n; i++) {
		x = group_part(s, g, i);
		if (exec_bad(x))
			return x;
	}
	return NULL;
}

/* No part runs alone: what waits ends as what it came to, or as skipped. */
static void
end_waiting(struct sched *s, const struct group *g)
{
	struct run *r = s->runs[g->run];
	struct exec *x;
	uint32_t i;

	for (i = 0; i < g->n; i++) {
		x = group_part(s, g, i);
		if (x->state == EXEC_WAITING)
			exec_final(s, r, x, (x->flags & X_RETRY) != 0 &&
			    x->last != EXEC_WAITING ?
			    (enum exec_state)x->last : EXEC_SKIPPED,
			    REASON_NONE);
	}
}

static uint32_t
waiting_parts(const struct sched *s, const struct group *g)
{
	uint32_t i, n = 0;

	for (i = 0; i < g->n; i++)
		n += group_part(s, g, i)->state == EXEC_WAITING;
	return n;
}

static void
group_settle(struct sched *s, struct group *g)
{
	uint32_t i, waiting = waiting_parts(s, g);
	struct exec *x;

	if (waiting == 0 || waiting == g->n)
		return;
	g->settling = true;
	if (bad_part(s, g) != NULL)
		end_waiting(s, g);
	g->settling = false;
	for (i = 0; i < g->n && waiting_parts(s, g) > 0; i++) {
		x = group_part(s, g, i);
		if (exec_state_final(x->state))
			exec_revive(s, s->runs[g->run], x);
	}
}

/* One that was not out became final: the others follow it. */
static void
group_follow(struct sched *s, const struct group *g, const struct exec *x)
{
	struct exec *y;
	uint32_t i;

	for (i = 0; i < g->n; i++) {
		y = group_part(s, g, i);
		if (y != x && y->state == EXEC_WAITING)
			exec_final(s, s->runs[g->run], y,
			    (enum exec_state)x->state,
			    (enum reason)x->cause);
	}
}

void
group_part_over(struct sched *s, struct exec *x)
{
	struct group *g = group_of(s, x);

	if (g == NULL || g->settling)
		return;
	if (!g->out) {
		if (exec_state_final(x->state))
			group_follow(s, g, x);
		return;
	}
	if (any_out(s, g)) {
		group_give_back(s, g);
		return;
	}
	g->out = g->gone = g->back = false;
	group_settle(s, g);
}

void
group_revived(struct sched *s, struct run *r, const struct exec *x)
{
	const struct group *g = group_of(s, x);
	struct exec *y;
	uint32_t i;

	for (i = 0; g != NULL && !g->out && i < g->n; i++) {
		y = group_part(s, g, i);
		if (exec_state_final(y->state)) {
			y->flags |= x->flags & X_WAIVED;
			exec_revive(s, r, y);
		}
	}
}

/* ---- after a resume ---- */

/* No part comes to a result before the go, but for an error, or the hand of
 * somebody. */
static bool
shows_go(const struct exec *x, const struct sched_exec *from)
{
	bool ran = !from->returned && !from->unstarted;

	switch ((enum exec_state)x->state) {
	case EXEC_RUNNING:
	case EXEC_PASSED:
	case EXEC_HEALED:
	case EXEC_FAILED:
	case EXEC_TIMEOUT:
		return true;
	case EXEC_SKIPPED:
		return x->attempt > 0 && x->cause == REASON_NONE && ran;
	case EXEC_WAITING:
		return (x->flags & X_RETRY) != 0 && ran;
	default:
		return false;
	}
}

void
groups_restore(struct sched *s, struct run *r, const struct sched_run *spec)
{
	struct group *g;
	const struct exec *x;
	uint32_t i;

	for (i = 0; i < r->n; i++) {
		x = exec_get(r, i + 1);
		g = group_of(s, x);
		if (g == NULL)
			continue;
		if (x->parcel != NONE)
			group_out(s, g);
		g->gone |= shows_go(x, &spec->execs[i]);
	}
	for (i = 0; i < r->n; i++) {
		g = group_of(s, exec_get(r, i + 1));
		if (g == NULL || !g->settling)
			continue;
		g->settling = false;
		g->gone &= g->out;
		if (!g->out)
			group_settle(s, g);
		else if (!all_out(s, g))
			group_give_back(s, g);
	}
}
