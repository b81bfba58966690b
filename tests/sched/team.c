/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Executions that run together in the made-up world: what they take, whether
 * all of them fit by trying every way, and what must hold of a round: sent
 * whole, told to go when all are prepared, else given back.
 */
#include "config.h"

#include "world.h"

#define PREPARE_US (10 * US_PER_S)

/* ---- what is taken --------------------------------------------------------- */

static const struct sched_terms *
terms_at(const struct world *w, uint32_t run, uint32_t exec)
{
	return &w->specs[run].terms[w->specs[run].execs[exec - 1].terms];
}

static void
take_shared(const struct sched_terms *t, struct takes *ret)
{
	const struct sched_hold *h;
	uint32_t i;

	for (i = 0; i < t->n_holds; i++) {
		h = &t->holds[i];
		ret->shared[h->lock] = h->shared &&
		    (ret->shared[h->lock] || ret->count[h->lock] == 0);
		if (h->count > ret->count[h->lock])
			ret->count[h->lock] = h->count;
	}
	for (i = 0; i < t->n_sides; i++)
		ret->sides[t->sides[i].pair] |= (uint8_t)
		    ((t->sides[i].a ? 1 : 0) | (t->sides[i].b ? 2 : 0));
}

struct takes
takes_of(const struct world *w, uint32_t run, uint32_t exec)
{
	const struct sched_terms *t = terms_at(w, run, exec);
	struct takes ret = { .targets = 0 };
	uint32_t i;

	for (i = 0; i < t->n_targets; i++)
		ret.targets |= (uint8_t)(1 << t->targets[i]);
	if (w->team_of[run][exec] == SCHED_NONE)
		take_shared(t, &ret);
	return ret;
}

struct takes
team_takes(const struct world *w, const struct team *t)
{
	struct takes ret = { .targets = 0 };
	uint32_t i;

	for (i = 0; i < t->n; i++)
		take_shared(terms_at(w, t->run, t->first + i), &ret);
	return ret;
}

uint32_t
team_wants(const struct world *w, const struct team *t, uint32_t target)
{
	uint32_t i, n = 0;

	for (i = 0; i < t->n; i++)
		n += takes_of(w, t->run, t->first + i).targets >> target & 1;
	return n;
}

/* ---- whether it fits ----------------------------------------------------------- */

struct fitting {
	const struct world *w;
	const struct team *t;
	bool empty;
	uint32_t at[MAX_PARTS];	/* agents of the parts so far */
};

static int64_t
room(const struct fitting *f, uint32_t exec, uint32_t agent)
{
	const struct sched_agent *a = &f->w->hosts[agent].facts;

	return (int64_t)(fact_pinned(f->w, f->t->run, exec) ? a->max_workers :
	    a->threshold) - (f->empty ? 0 : fact_load(f->w, agent));
}

/* All parts up to that one that are there have room beside each other. */
static bool
workers_fit(const struct fitting *f, uint32_t part)
{
	int64_t sum = 0;
	uint32_t i;

	for (i = 0; i <= part; i++)
		if (f->at[i] == f->at[part])
			sum += terms_at(f->w, f->t->run, f->t->first + i)->
			    workers;
	for (i = 0; i <= part; i++)
		if (f->at[i] == f->at[part] &&
		    room(f, f->t->first + i, f->at[part]) < sum)
			return false;
	return true;
}

static bool
part_fits(const struct fitting *f, uint32_t part)
{
	const struct world *w = f->w;
	uint32_t exec = f->t->first + part, agent = f->at[part], i, k;
	struct takes takes = takes_of(w, f->t->run, exec), other;
	uint32_t beside[N_TARGETS] = { 0 };

	for (i = 0; i < part; i++) {
		if (f->at[i] != agent)
			continue;
		if (!f->t->same_agent)
			return false;
		other = takes_of(w, f->t->run, f->t->first + i);
		for (k = 0; k < N_TARGETS; k++)
			beside[k] += other.targets >> k & 1;
	}
	if (!fact_eligible(w, f->t->run, exec, agent) || !workers_fit(f, part))
		return false;
	if (f->empty)
		return ((takes.targets & 1) == 0 || fact_per_agent(w) == 0 ||
		    beside[0] < fact_per_agent(w)) &&
		    ((takes.targets & 4) == 0 || beside[2] == 0);
	return fact_usable(w, agent) &&
	    (w->items[f->t->run][exec].avoided >> agent & 1) == 0 &&
	    !fact_beside(w, f->t->run, exec, agent) &&
	    !fact_target_full_on(w, &takes, agent, beside);
}

static bool
rest_fits(struct fitting *f, uint32_t part)
{
	if (part == f->t->n)
		return true;
	for (f->at[part] = 0; f->at[part] < f->w->n_hosts; f->at[part]++)
		if (part_fits(f, part) && rest_fits(f, part + 1))
			return true;
	return false;
}

bool
team_fits(const struct world *w, const struct team *t, bool empty)
{
	struct fitting f = { .w = w, .t = t, .empty = empty };

	return rest_fits(&f, 0);
}

bool
team_targets_fit(const struct world *w, const struct team *t)
{
	uint32_t i, n = team_wants(w, t, 1);
	const struct sched_target *target;

	for (i = 0; i < w->n_runs; i++) {
		target = &w->specs[i].targets[1];
		if (!w->removed[i] && target->max > 0 && target->max < n)
			return false;
	}
	return n <= 2 || !fact_named(w);
}

/* ---- a round ---------------------------------------------------------------------- */

static struct attempt *
current(const struct world *w, const struct team *t, uint32_t part)
{
	uint32_t i = w->items[t->run][t->first + part].current;

	return i == SCHED_NONE ? NULL : &w->attempts[i];
}

bool
team_is_whole(const struct world *w, const struct team *t)
{
	uint32_t i;

	for (i = 0; i < t->n; i++)
		if (current(w, t, i) == NULL)
			return false;
	return true;
}

bool
team_is_out(const struct world *w, const struct team *t)
{
	uint32_t i;

	for (i = 0; i < t->n; i++)
		if (current(w, t, i) != NULL)
			return true;
	return false;
}

/* What is left of an earlier round holds by the terms of then. */
static void
take_both(struct team *t, struct takes more)
{
	struct takes *h = &t->held;
	uint32_t i;

	for (i = 0; i < N_LOCKS; i++) {
		h->shared[i] = (h->shared[i] || h->count[i] == 0) &&
		    (more.shared[i] || more.count[i] == 0);
		if (more.count[i] > h->count[i])
			h->count[i] = more.count[i];
		h->shared[i] &= h->count[i] > 0;
	}
	for (i = 0; i < N_PAIRS; i++)
		h->sides[i] |= more.sides[i];
	t->took = *h;
}

void
team_sent(struct world *w, struct attempt *a)
{
	struct team *t = &w->teams[a->team];
	const struct attempt *b;
	uint32_t i;

	if (t->sent == 0 && team_is_out(w, t))
		broken(w, "%s is sent while its last round is out",
		    id_text(w, a->id));
	if (t->parcels == 0)
		t->held = t->took = team_takes(w, t);
	else if (t->sent == 0)
		take_both(t, team_takes(w, t));
	t->sent_us = w->k.now_us;
	for (i = 0; i < t->n && !t->same_agent; i++) {
		b = current(w, t, i);
		if (b != NULL && b->agent == a->agent)
			broken(w, "%s and %s share an agent", id_text(w,
			    a->id), id_text(w, b->id));
	}
}

/* Nothing keeps that part from starting now. What an agent that drains has
 * is asked back when it is heard of, also before that is decided. */
static bool
may_go(const struct world *w, const struct attempt *a)
{
	const struct sched_agent *f;

	if (a == NULL || !a->prepared || a->belief != QUEUED_THERE ||
	    a->back || a->cancel || a->unheard)
		return false;
	f = &w->hosts[a->agent].facts;
	return f->up && (!f->draining || a->kept);
}

static bool
all_may_go(const struct world *w, const struct team *t)
{
	uint32_t i;

	for (i = 0; i < t->n && may_go(w, current(w, t, i)); i++)
		;
	return i == t->n && !t->back;
}

void
team_gone(struct world *w, struct team *t)
{
	struct attempt *a;
	uint32_t i;

	for (i = 0; i < t->n && !t->gone; i++) {
		a = current(w, t, i);
		if (a != NULL)
			a->due += a->prepared && a->belief == QUEUED_THERE;
	}
	t->gone = true;
}

void
team_prepared(struct world *w, struct attempt *a)
{
	struct team *t = &w->teams[a->team];

	if (t->gone)
		a->due++;
	else if (all_may_go(w, t))
		team_gone(w, t);
}

void
team_go(struct world *w, uint32_t attempt)
{
	struct attempt *a = &w->attempts[attempt];

	trace(w, "go %s", id_text(w, a->id));
	if (a->due-- == 0)
		broken(w, "%s is told to go before all are prepared",
		    id_text(w, a->id));
	letter_post(w, GO, attempt);
}

void
teams_decided(struct world *w)
{
	struct team *t;
	uint32_t i;

	for (i = 0; i < w->n_teams; i++) {
		t = &w->teams[i];
		if (t->sent != 0 && t->sent != t->n)
			broken(w, "%u of %u parts of %s/%u are sent", t->sent,
			    t->n, w->specs[t->run].run.id, t->first);
		t->sent = 0;
	}
}

/* It was asked back, or it is too early for that, or cannot be. */
static void
judge_back(const struct world *w, const struct team *t,
    const struct attempt *a, bool whole)
{
	int64_t since_us = a->clock_us > t->sent_us ? a->clock_us : t->sent_us;

	if (a->belief >= RUNS_THERE || a->back || a->cancel || a->unheard ||
	    !w->hosts[a->agent].facts.up ||
	    ((whole || a->kept) && w->k.now_us < since_us + PREPARE_US))
		return;
	broken(w, "%s is not given back, and %s", id_text(w, a->id), whole ?
	    "not all are prepared in time" : "not all are there");
}

static void
judge_round(const struct world *w, const struct team *t)
{
	const struct attempt *a;
	bool whole = team_is_whole(w, t);
	uint32_t i;

	for (i = 0; i < t->n; i++) {
		a = current(w, t, i);
		if (a == NULL)
			continue;
		if (!t->gone)
			judge_back(w, t, a, whole);
		else if (a->due > 0 && !a->back && !a->cancel)	/* as it ends */
			broken(w, "%s is prepared, and not told to go",
			    id_text(w, a->id));
	}
}

void
judge_teams(const struct world *w)
{
	uint32_t i;

	for (i = 0; i < w->n_teams; i++)
		if (w->teams[i].run < w->n_runs &&
		    !w->removed[w->teams[i].run] &&
		    team_is_out(w, &w->teams[i]))
			judge_round(w, &w->teams[i]);
}
