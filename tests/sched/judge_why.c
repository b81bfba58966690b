/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One execution that waits: the headline has to be true by the facts of the
 * made-up world, and no agent may have room for it.
 */
#include "config.h"

#include "world.h"

struct ask {
	const struct world *w;
	uint32_t run, exec;
	const struct item *x;
	const struct sched_terms *t;
	const struct team *team;	/* it is a part of, or NULL */
	struct takes own, all;	/* itself; with what the team takes once */
};

static struct ask
ask_of(const struct world *w, uint32_t run, uint32_t exec)
{
	uint32_t team = w->team_of[run][exec];
	struct ask q = { .w = w, .run = run, .exec = exec,
		.x = &w->items[run][exec] };

	q.t = &w->specs[run].terms[w->specs[run].execs[exec - 1].terms];
	q.team = team != SCHED_NONE ? &w->teams[team] : NULL;
	q.own = q.all = takes_of(w, run, exec);
	if (q.team != NULL)
		q.all = team_takes(w, q.team);
	return q;
}

/* The stages of the table of reasons, in its order. */
enum stage { NOBODY, OFFLINE, DRAINING, HELD, BENCHED, GUARD, OPEN };

static enum stage
stage_of(const struct sched_agent *f)
{
	if (!f->up)
		return OFFLINE;
	if (f->draining)
		return DRAINING;
	if (f->held)
		return HELD;
	if (f->benched)
		return BENCHED;
	return f->guard != NULL ? GUARD : OPEN;
}

static enum stage
last_stage(const struct ask *q)
{
	enum stage st, last = NOBODY;
	uint32_t i;

	for (i = 0; i < q->w->n_hosts; i++) {
		if (!fact_eligible(q->w, q->run, q->exec, i))
			continue;
		st = stage_of(&q->w->hosts[i].facts);
		last = st > last ? st : last;
	}
	return last;
}

static bool
room_on(const struct ask *q, uint32_t agent, uint32_t workers)
{
	const struct sched_agent *f = &q->w->hosts[agent].facts;
	uint32_t max = fact_pinned(q->w, q->run, q->exec) ? f->max_workers :
	    f->threshold;

	return fact_load(q->w, agent) + workers <= max;
}

/* No agent can ever take it as things are. */
static bool
nobody(const struct ask *q)
{
	bool pinned = fact_pinned(q->w, q->run, q->exec);
	const struct sched_agent *f;
	uint32_t i;

	for (i = 0; i < q->w->n_hosts; i++) {
		f = &q->w->hosts[i].facts;
		if (fact_eligible(q->w, q->run, q->exec, i) &&
		    (q->t->workers == 1 || !f->up || q->t->workers <=
		    (pinned ? f->max_workers : f->threshold)))
			return false;
	}
	return true;
}

enum on_agent { ROOM, NO_ROOM, FULL_TARGET, BESIDE };
static const uint32_t alone[N_TARGETS];

/* Some agent that is up and may be used is in that way for it. */
static bool
some_agent(const struct ask *q, enum on_agent is)
{
	uint32_t i;
	bool yes;

	for (i = 0; i < q->w->n_hosts; i++) {
		if (!fact_usable(q->w, i) ||
		    !fact_eligible(q->w, q->run, q->exec, i))
			continue;
		yes = is == NO_ROOM ? !room_on(q, i, q->t->workers) ||
		    fact_avoided(q->w, q->run, q->exec, i) :
		    is == FULL_TARGET ? fact_target_full_on(q->w, &q->own, i,
		    alone) :
		    fact_beside(q->w, q->run, q->exec, i);
		if (yes)
			return true;
	}
	return false;
}

/* Something else waits for which something may be kept. */
static bool
somebody_keeps(const struct ask *q)
{
	const struct sched_terms *t;
	uint32_t i, j;

	for (i = 0; i < q->w->n_runs; i++)
		for (j = 1; j <= q->w->specs[i].run.n_execs; j++) {
			t = &q->w->specs[i].terms[q->w->specs[i].
			    execs[j - 1].terms];
			if ((i != q->run || j != q->exec) &&
			    !q->w->removed[i] &&
			    sched_exec_state(q->w->k.s, i, j) ==
			    EXEC_WAITING && (t->workers > 1 || t->together ||
			    t->n_holds + t->n_sides + t->n_targets > 0))
				return true;
		}
	return false;
}

static bool
too_many(const struct ask *q)
{
	uint32_t max = q->w->max_parallel[q->run];

	return max > 0 && fact_out(q->w, q->run) + (q->team != NULL ?
	    q->team->n : 1) > max;
}

/* Fewer workers may be enough; one is used always, and all of them when it is
 * too late. */
static bool
deadline_may(const struct ask *q)
{
	int64_t at_us = q->w->specs[q->run].run.deadline_us;

	return at_us > 0 && fact_out(q->w, q->run) > 0 &&
	    q->w->k.now_us < at_us + 5 * US_PER_S;
}

/* Some limit of a target leaves less than all parts ask for. */
static bool
targets_full(const struct ask *q)
{
	struct takes t = { .targets = 2 };

	return q->team == NULL ? fact_target_full(q->w, &q->own, 1) :
	    fact_target_full(q->w, &t, team_wants(q->w, q->team, 1));
}

static bool
is_reserved(const struct ask *q, uint32_t exec)
{
	struct why why;
	bool is = false;
	size_t i;

	sched_why(q->w->k.s, q->run, exec, q->w->k.now_us, &why);
	for (i = 0; i < why.n && !is; i++)
		is = why.v[i].code == REASON_RESERVED;
	why_done(&why);
	return is;
}

/* Something that it, or a part of it, may use is kept for others. */
static bool
any_reserved(const struct ask *q)
{
	uint32_t i;

	if (q->team == NULL)
		return is_reserved(q, q->exec);
	for (i = 0; i < q->team->n; i++)
		if (is_reserved(q, q->team->first + i))
			return true;
	return false;
}

static bool part_ripe(const struct ask *q);

/* Another part is not ripe, or some worker is missing. */
static bool
waits_for_others(const struct ask *q)
{
	struct ask p;
	uint32_t i;

	for (i = 0; q->team != NULL && i < q->team->n; i++) {
		p = ask_of(q->w, q->run, q->team->first + i);
		if (p.exec != q->exec && !part_ripe(&p))
			return true;
	}
	return q->team != NULL && (!team_fits(q->w, q->team, false) ||
	    any_reserved(q));
}

/* What the reason says is so. */
static bool
is_true(const struct ask *q, enum reason code)
{
	const struct world *w = q->w;

	switch (code) {
	case REASON_CONSOLE_PAUSED:
		return w->paused;
	case REASON_HELD:
		return q->x->held;
	case REASON_RUN_HELD:
		return w->held[q->run];
	case REASON_NO_AGENT:
		return nobody(q);
	case REASON_SCHEDULE:
		return q->x->ready_us > w->k.now_us && q->x->last == 0;
	case REASON_RETRY_DELAY:
		return q->x->ready_us > w->k.now_us && q->x->last > 0;
	case REASON_NEEDS:
		return fact_needs(w, q->run, q->exec);
	case REASON_TARGET_LIMIT:
		return targets_full(q) || some_agent(q, FULL_TARGET) ||
		    (w->amended && w->resumed);	/* see judge_limits() */
	case REASON_LOCK:
		return fact_lock_full(w, &q->all, false) ||
		    (w->amended && w->resumed);
	case REASON_EXCLUSION:
		return fact_pair_full(w, &q->all) || some_agent(q, BESIDE);
	case REASON_PLAN_LIMIT:
		return fact_lock_full(w, &q->all, true) || too_many(q) ||
		    deadline_may(q);
	case REASON_TOGETHER:
		return waits_for_others(q);
	case REASON_RESERVED:
		return somebody_keeps(q);
	case REASON_AGENTS_OFFLINE:
		return last_stage(q) == OFFLINE;
	case REASON_AGENTS_DRAINING:
		return last_stage(q) == DRAINING;
	case REASON_AGENTS_HELD:
		return last_stage(q) == HELD;
	case REASON_AGENTS_BENCHED:
		return last_stage(q) == BENCHED;
	case REASON_GUARD:
		return last_stage(q) == GUARD;
	case REASON_THRESHOLD:
	case REASON_WORKERS_BUSY:
		return last_stage(q) == OPEN && some_agent(q, NO_ROOM);
	default:
		return false;
	}
}

/* What has to be the headline before any other, if something has. */
static enum reason
first_of_all(const struct ask *q)
{
	if (q->w->paused)
		return REASON_CONSOLE_PAUSED;
	if (q->x->held)
		return REASON_HELD;
	if (q->w->held[q->run])
		return REASON_RUN_HELD;
	if (nobody(q))
		return REASON_NO_AGENT;
	switch (last_stage(q)) {
	case DRAINING:
		return REASON_AGENTS_DRAINING;
	case HELD:
		return REASON_AGENTS_HELD;
	case BENCHED:
		return REASON_AGENTS_BENCHED;
	default:
		break;
	}
	if (q->x->ready_us > q->w->k.now_us)
		return q->x->last > 0 ? REASON_RETRY_DELAY : REASON_SCHEDULE;
	return REASON_NONE;
}

static bool
part_ripe(const struct ask *q)
{
	return q->x->current == SCHED_NONE && !q->x->over &&
	    first_of_all(q) == REASON_NONE &&
	    !fact_needs(q->w, q->run, q->exec);
}

static bool
parts_ripe(const struct ask *q)
{
	struct ask p;
	uint32_t i;

	for (i = 0; q->team != NULL && i < q->team->n; i++) {
		p = ask_of(q->w, q->run, q->team->first + i);
		if (!part_ripe(&p))
			return false;
	}
	return true;
}

/* By the run and the execution alone it may go. */
static bool
ripe(const struct ask *q)
{
	return part_ripe(q) && !too_many(q) && !deadline_may(q) &&
	    !fact_lock_full(q->w, &q->all, false) &&
	    !fact_lock_full(q->w, &q->all, true) &&
	    !fact_pair_full(q->w, &q->all) && !targets_full(q) &&
	    parts_ripe(q);
}

static bool
may_go(const struct ask *q, uint32_t agent)
{
	if (q->team != NULL)
		return team_fits(q->w, q->team, false);
	return fact_usable(q->w, agent) && fact_eligible(q->w, q->run, q->exec,
	    agent) && room_on(q, agent, q->t->workers) &&
	    !fact_target_full_on(q->w, &q->own, agent, alone) &&
	    !fact_beside(q->w, q->run, q->exec, agent) &&
	    !fact_avoided(q->w, q->run, q->exec, agent);
}

static void
judge_why(const struct ask *q, enum reason headline, struct sched_id id)
{
	/* Else other limits are known: see judge_limits(). */
	bool all_known = !(q->w->amended && q->w->resumed) ||
	    (headline != REASON_TARGET_LIMIT && headline != REASON_LOCK);
	struct why why;
	uint32_t i;

	sched_why(q->w->k.s, q->run, q->exec, q->w->k.now_us, &why);
	if (why.n == 0 || why.v[0].code != headline)
		broken(q->w, "%s has two headlines, %s and %s", id_text(q->w,
		    id), reason_name(headline), reason_name(why.n > 0 ?
		    why.v[0].code : REASON_NONE));
	if (strstr(why.v[0].text, "it goes next") != NULL)
		broken(q->w, "%s waits, and is said to go next",
		    id_text(q->w, id));
	for (i = 0; ripe(q) && all_known && !any_reserved(q) &&
	    i < q->w->n_hosts; i++)
		if (may_go(q, i))
			broken(q->w, "%s waits (%s: %s), and %s is free for "
			    "it", id_text(q->w, id), reason_name(headline),
			    why.v[0].text, q->w->hosts[i].name);
	why_done(&why);
}

static void
not_true(const struct ask *q, struct sched_id id)
{
	struct why why;

	sched_why(q->w->k.s, q->run, q->exec, q->w->k.now_us, &why);
	broken(q->w, "%s waits for %s, which is not so: %s", id_text(q->w, id),
	    reason_name(why.n > 0 ? why.v[0].code : REASON_NONE), why.n > 0 ?
	    why.v[0].text : "nothing is said");
}

void
judge_waiting(struct world *w, uint32_t run, uint32_t exec, bool reasons)
{
	const struct ask q = ask_of(w, run, exec);
	struct sched_id id = { run, exec, q.x->last };
	enum reason code = sched_headline(w->k.s, run, exec, NULL);
	enum reason first = first_of_all(&q);
	uint32_t i;

	if (!is_true(&q, code))
		not_true(&q, id);
	if (first != REASON_NONE && code != first)
		broken(w, "%s waits for %s, not for %s", id_text(w, id),
		    reason_name(code), reason_name(first));
	for (i = 0; !reasons && ripe(&q) && i < w->n_hosts; i++)
		reasons |= may_go(&q, i);
	if (reasons)
		judge_why(&q, code, id);
}
