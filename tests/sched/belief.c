/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a console must believe of every attempt, from its own sends and the
 * letters it got, kept apart from the scheduler and compared with it.
 */
#include "config.h"

#include "world.h"

const struct sched_terms *
terms_of(const struct world *w, const struct attempt *a)
{
	return &w->specs[a->id.run].terms[a->terms];
}

static struct item *
item_of(struct world *w, const struct attempt *a, uint32_t member)
{
	return &w->items[a->id.run][a->members[member].exec];
}

static uint32_t
index_of(const struct world *w, const struct attempt *a)
{
	return (uint32_t)(a - w->attempts);
}

static void
avoids(struct item *x, uint32_t agent, bool sure)
{
	x->avoided = (sure ? 0 : x->avoided) | UINT32_C(1) << agent;
	x->avoids = sure;
}

void
believe_waits(struct world *w, uint32_t run, uint32_t exec)
{
	uint32_t team = w->team_of[run][exec];

	w->items[run][exec].current = SCHED_NONE;
	if (team != SCHED_NONE && !team_is_out(w, &w->teams[team]))
		w->teams[team].gone = w->teams[team].back = false;
}

/* It is no execution's own any more, for whatever reason. */
static void
disown(struct world *w, const struct attempt *a)
{
	struct item *x;
	uint32_t i;

	for (i = 0; i < a->n_members; i++) {
		x = item_of(w, a, i);
		if (x->current != index_of(w, a))
			continue;
		believe_waits(w, a->id.run, a->members[i].exec);
		if (!a->moved)
			avoids(x, a->agent, false);
	}
}

static void
gone(struct world *w, struct attempt *a)
{
	disown(w, a);
	if (a->team != SCHED_NONE && a->belief != NOWHERE)
		w->teams[a->team].parcels--;
	a->belief = NOWHERE;
	memset(a->open, 0, sizeof(a->open));
}

/* A ghost is heard of: it is current again where nothing followed it. */
static void
found(struct world *w, struct attempt *a, enum belief to)
{
	struct item *x;
	uint32_t i, n = 0;

	for (i = 0; i < a->n_members; i++) {
		x = item_of(w, a, i);
		if (!a->open[i] || x->last != a->members[i].attempt ||
		    x->current != SCHED_NONE || sched_exec_state(w->k.s,
		    a->id.run, a->members[i].exec) != EXEC_WAITING)
			continue;
		x->current = index_of(w, a);
		n++;
	}
	a->belief = n > 0 ? to : FOUND;
	if (n > 0 && a->team != SCHED_NONE && to == RUNS_THERE)
		team_gone(w, &w->teams[a->team]);
	else if (n > 0 && a->team != SCHED_NONE)
		w->teams[a->team].back |= !w->teams[a->team].gone;
	a->clock_us = w->k.now_us;
	for (i = 0; n > 0 && i < a->n_members; i++)
		a->open[i] = item_of(w, a, i)->current == index_of(w, a);
}

static bool
is_open(const struct attempt *a)
{
	uint32_t i;

	for (i = 0; i < a->n_members && !a->open[i]; i++)
		;
	return a->belief != NOWHERE && i < a->n_members;
}

static bool
heard(struct attempt *a)
{
	if (!is_open(a))
		return false;
	a->unheard = false;
	return true;
}

void
believe_queued(struct world *w, struct attempt *a)
{
	if (!heard(a))
		return;
	a->prepared = false;
	if (a->belief == GHOST)
		found(w, a, QUEUED_THERE);
	else if (a->belief == SENT_OUT)
		a->belief = QUEUED_THERE;
}

void
believe_prepared(struct world *w, struct attempt *a)
{
	believe_queued(w, a);
	if (a->team == SCHED_NONE || a->belief != QUEUED_THERE || !is_open(a))
		return;
	a->prepared = true;
	team_prepared(w, a);
}

void
believe_started(struct world *w, struct attempt *a)
{
	if (!heard(a))
		return;
	a->back = false;
	if (a->belief == GHOST)
		found(w, a, RUNS_THERE);
	else if (a->belief != FOUND)
		a->belief = RUNS_THERE;
	a->ran |= a->belief == RUNS_THERE;
	if (a->team != SCHED_NONE && a->belief == RUNS_THERE)
		team_gone(w, &w->teams[a->team]);
}

bool
believe_ended(struct world *w, struct attempt *a, uint32_t member,
    enum outcome outcome)
{
	struct item *x = item_of(w, a, member);
	uint32_t i;
	bool counts;

	if (a->belief == NOWHERE || !a->open[member])
		return false;
	a->unheard = false;
	if (a->belief == GHOST)
		found(w, a, RUNS_THERE);
	counts = x->current == index_of(w, a);
	if (counts)
		believe_waits(w, a->id.run, a->members[member].exec);
	x->passed |= counts && outcome == OUTCOME_PASSED;
	x->failures += counts && (outcome == OUTCOME_FAILED ||
	    outcome == OUTCOME_TIMEOUT);
	x->errors += counts && outcome == OUTCOME_ERROR;
	if (counts && outcome != OUTCOME_PASSED)
		avoids(x, a->agent, outcome == OUTCOME_FAILED || outcome ==
		    OUTCOME_TIMEOUT || outcome == OUTCOME_ERROR);
	a->open[member] = false;
	for (i = 0; i < a->n_members && !a->open[i]; i++)
		;
	if (i == a->n_members)
		gone(w, a);
	return counts;
}

void
believe_returned(struct world *w, struct attempt *a, bool refused)
{
	if (!is_open(a) ||
	    (a->belief == RUNS_THERE && !a->unheard))
		return;
	a->moved = a->to != SCHED_NONE && !refused;
	a->returned |= a->belief < GHOST;
	gone(w, a);
}

void
believe_kept(const struct world *w, struct attempt *a)
{
	if (!is_open(a))
		return;
	a->back = false;
	a->kept = true;
	a->clock_us = w->k.now_us;
}

void
believe_lost(struct world *w, struct attempt *a)
{
	if (!is_open(a))
		return;
	gone(w, a);
}

void
believe_synced(struct world *w, uint32_t agent, uint32_t run)
{
	struct attempt *a;
	uint32_t i;

	for (i = 0; i < w->n_live; i++) {
		a = &w->attempts[w->live[i]];
		if (a->agent != agent || a->id.run != run || !a->unheard ||
		    a->belief == NOWHERE)
			continue;
		gone(w, a);
	}
}

void
believe_down(struct world *w, uint32_t agent)
{
	uint32_t i;

	for (i = 0; i < w->n_live; i++)
		if (w->attempts[w->live[i]].agent == agent) {
			w->attempts[w->live[i]].unheard = true;
			w->attempts[w->live[i]].back = false;
		}
}

void
believe_dead(struct world *w, uint32_t agent)
{
	uint32_t i;

	for (i = 0; i < w->n_live; i++)
		if (w->attempts[w->live[i]].agent == agent) {
			w->attempts[w->live[i]].written_off = true;
			gone(w, &w->attempts[w->live[i]]);
		}
}

void
believe_removed(struct world *w, uint32_t run)
{
	uint32_t i;

	w->removed[run] = w->ended[run] = true;
	for (i = 0; i < w->n_live; i++)
		if (w->attempts[w->live[i]].id.run == run) {
			w->attempts[w->live[i]].written_off = true;
			gone(w, &w->attempts[w->live[i]]);
		}
}

/* ---- decisions --------------------------------------------------------------------- */

/* By whichever of its members; the one that led may have ended. */
static uint32_t
attempt_find(const struct world *w, struct sched_id id)
{
	const struct attempt *a;
	uint32_t i, k;

	for (i = w->n_attempts; i-- > 0;) {
		a = &w->attempts[i];
		for (k = 0; a->id.run == id.run && k < a->n_members; k++)
			if (a->members[k].exec == id.exec &&
			    a->members[k].attempt == id.attempt)
				return i;
	}
	broken(w, "%s was never sent", id_text(w, id));
}

/* Whether it was allowed to go when it went. */
static void
member_sent(struct world *w, const struct attempt *a,
    const struct sched_member *m)
{
	struct item *x = &w->items[a->id.run][m->exec];
	struct sched_id id = { a->id.run, m->exec, m->attempt };

	if (m->attempt != x->last + 1)
		broken(w, "%s follows attempt %u", id_text(w, id), x->last);
	if (x->over || x->current != SCHED_NONE)
		broken(w, "%s is sent though it %s", id_text(w, id),
		    x->over ? "has ended" : "is out");
	if (x->held || x->ready_us > w->k.now_us)
		broken(w, "%s is sent though it %s", id_text(w, id),
		    x->held ? "is held" : "has to wait");
	if (!w->revived[id.run] && fact_needs(w, id.run, m->exec))
		broken(w, "%s is sent before what it needs", id_text(w, id));
	if (!fact_eligible(w, id.run, m->exec, a->agent))
		broken(w, "%s is sent to an agent it may not use",
		    id_text(w, id));
	if (fact_beside(w, id.run, m->exec, a->agent))
		broken(w, "%s is sent beside itself", id_text(w, id));
	if (x->avoids && a->team == SCHED_NONE &&
	    fact_avoided(w, id.run, m->exec, a->agent))
		broken(w, "%s is sent to where it failed", id_text(w, id));
	/* A part is tried again for the sake of another that somebody lets
	 * run, whatever it has used. */
	if (!(a->team != SCHED_NONE && w->revived[id.run]) &&
	    (x->failures > terms_of(w, a)->retries ||
	    x->errors > terms_of(w, a)->error_retries))
		broken(w, "%s is sent after %u failures and %u errors",
		    id_text(w, id), x->failures, x->errors);
	x->last++;
	x->ready_us = 0;
}

void
instances_note(const struct world *w, struct attempt *a)
{
	const char *name;
	uint32_t i;

	/* What has ended has none any more. */
	for (i = 0; i + 1 < a->n_members && !a->open[i]; i++)
		;
	name = sched_instance(w->k.s, a->id.run, a->members[i].exec, "t1");
	a->instance = name == NULL ? 0 : strcmp(name, "i1") == 0 ? 1 : 2;
	a->pool = sched_instance(w->k.s, a->id.run, a->members[i].exec,
	    "t2") != NULL;
}

/* No limit has less room than this takes. */
static void
limits_judge(const struct world *w, const struct attempt *a,
    const struct sched_decision *d)
{
	static const uint32_t alone[N_TARGETS];
	const struct sched_terms *t = terms_of(w, a);
	const struct sched_agent *f = &w->hosts[a->agent].facts;
	uint32_t max = w->max_parallel[a->id.run];
	struct takes all = a->team == SCHED_NONE || w->teams[a->team].sent > 0 ?
	    a->takes : team_takes(w, &w->teams[a->team]), *takes = &all;
	const char *what = NULL;

	if (w->paused || w->held[a->id.run] || !fact_usable(w, a->agent))
		what = "what is paused, held or past a guard";
	else if (max > 0 && fact_out(w, a->id.run) >= max)
		what = "max_parallel";
	else if (fact_lock_full(w, takes, false) ||
	    fact_lock_full(w, takes, true))
		what = "a lock";
	else if (fact_pair_full(w, takes))
		what = "an exclusion";
	else if (!(w->amended && w->resumed) &&	/* see judge_limits() */
	    (fact_target_full(w, &a->takes, 1) ||
	    fact_target_full_on(w, &a->takes, a->agent, alone)))
		what = "a target's limit";
	else if ((t->n_holds > 0 || t->workers > 1 || a->team != SCHED_NONE) &&
	    d->tier == TIER_FEWEST_QUEUED)
		what = "that it may not be queued";
	else if (d->tier < TIER_FEWEST_QUEUED && !a->pinned &&
	    fact_autos(w, a->agent) + t->workers > f->threshold)
		what = "the threshold";
	if (what != NULL)
		broken(w, "%s is sent past %s", id_text(w, d->id), what);
}

static void
sent(struct world *w, const struct sched_decision *d)
{
	const struct spec *p = &w->specs[d->id.run];
	const struct sched_terms *t =
	    &p->terms[p->execs[d->id.exec - 1].terms];
	struct attempt *a;
	uint32_t i;

	if (w->n_attempts == MAX_ATTEMPTS || d->n_members > MAX_MEMBERS)
		broken(w, "too many attempts");
	a = &w->attempts[w->n_attempts];
	*a = (struct attempt){ .id = d->id, .agent = d->agent,
		.workers = t->workers, .pinned = d->class == CLASS_PINNED,
		.terms = p->execs[d->id.exec - 1].terms, .to = SCHED_NONE,
		.team = w->team_of[d->id.run][d->id.exec],
		.takes = takes_of(w, d->id.run, d->id.exec),
		.n_members = d->n_members, .clock_us = w->k.now_us,
		.to_free = d->tier < TIER_FEWEST_QUEUED ||
		    d->tier == TIER_REASSIGNED };
	trace(w, "send %s (%u) to %s, %s", id_text(w, d->id), d->n_members,
	    w->hosts[d->agent].name, tier_name(d->tier));
	limits_judge(w, a, d);
	if (a->team != SCHED_NONE)
		team_sent(w, a);
	for (i = 0; i < d->n_members; i++) {
		a->members[i] = w->k.out.members[d->first_member + i];
		a->open[i] = true;
		member_sent(w, a, &a->members[i]);
	}
	if (a->team != SCHED_NONE) {
		w->teams[a->team].sent++;
		w->teams[a->team].parcels++;
	}
	instances_note(w, a);
	a->took = a->takes;
	for (i = 0; i < d->n_members; i++)
		item_of(w, a, i)->current = item_of(w, a, i)->last_in =
		    w->n_attempts;
	w->live[w->n_live++] = w->n_attempts++;
	letter_post(w, SEND, w->n_attempts - 1);
}

static void
asked(struct world *w, const struct sched_decision *d)
{
	uint32_t i = attempt_find(w, d->id);
	struct attempt *a = &w->attempts[i];

	trace(w, "%s %s of %s", sched_kind_name(d->kind), id_text(w, d->id),
	    w->hosts[d->agent].name);
	if (d->agent != a->agent)
		broken(w, "%s is not there", id_text(w, d->id));
	if (d->kind == SCHED_CANCEL) {
		a->cancel = true;
		letter_post(w, CANCEL, i);
		return;
	}
	a->back = true;
	a->to = d->other;
	letter_post(w, TAKE_BACK, i);
}

static void
ghost(struct world *w, struct attempt *a)
{
	trace(w, "%s is lost", id_text(w, a->id));
	if (a->belief == NOWHERE)
		return;
	disown(w, a);
	a->belief = GHOST;
	a->back = a->prepared = false;
}

/* It failed for good only when its tries are used up. */
static void
budget_judge(const struct world *w, const struct sched_decision *d)
{
	const struct spec *p = &w->specs[d->id.run];
	const struct item *x = &w->items[d->id.run][d->id.exec];

	if ((d->state == EXEC_FAILED || d->state == EXEC_TIMEOUT) &&
	    !w->cut[d->id.run] &&
	    w->team_of[d->id.run][d->id.exec] == SCHED_NONE &&
	    x->failures <= p->terms[p->execs[d->id.exec - 1].terms].retries)
		broken(w, "%s has tries left after %u failures", id_text(w,
		    d->id), x->failures);
}

static void
became(struct world *w, const struct sched_decision *d)
{
	struct item *x = &w->items[d->id.run][d->id.exec];

	trace(w, "%s %s", id_text(w, d->id), d->kind == SCHED_FINAL ?
	    exec_state_name(d->state) : "waits");
	if (d->kind == SCHED_FINAL) {
		if (x->over)
			broken(w, "%s ended twice", id_text(w, d->id));
		x->over = true;
		x->held = false;
		x->state = d->state;
		budget_judge(w, d);
		if (x->passed != (d->state == EXEC_PASSED ||
		    d->state == EXEC_HEALED))
			broken(w, "%s is %s, and %s", id_text(w, d->id),
			    exec_state_name(d->state), x->passed ?
			    "passed" : "never passed");
		return;
	}
	w->revived[d->id.run] |= x->over;
	if (x->over) {
		x->avoided = 0;
		x->avoids = x->passed = false;
	}
	x->over = false;
	x->ready_us = d->at_us;
}

static void
run_over(struct world *w, uint32_t run)
{
	trace(w, "run %s has ended", w->specs[run].run.id);
	if (w->ended[run])
		broken(w, "a run ended twice");
	w->ended[run] = true;
}

void
believe_decisions(struct world *w)
{
	const struct sched_decision *d;
	size_t i;

	for (i = 0; i < w->k.out.n; i++) {
		d = &w->k.out.v[i];
		if (d->kind == SCHED_SEND)
			sent(w, d);
		else if (d->kind == SCHED_TAKE_BACK || d->kind == SCHED_CANCEL)
			asked(w, d);
		else if (d->kind == SCHED_GO)
			team_go(w, attempt_find(w, d->id));
		else if (d->kind == SCHED_LOST)
			ghost(w, &w->attempts[attempt_find(w, d->id)]);
		else if (d->kind == SCHED_RUN_ENDED)
			run_over(w, d->id.run);
		else if (d->kind != SCHED_FREED)
			became(w, d);
	}
	teams_decided(w);
}
