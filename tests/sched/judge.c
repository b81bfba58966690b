/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What must hold after every turn of the made-up world: nothing is lost or
 * counted twice, agents that told the truth are never past a limit, every
 * execution is where it was said to be, and no worker idles beside a queue.
 */
#include "config.h"

#include "world.h"

/* ---- what really happens ------------------------------------------------------------ */

/* It really holds something, by an agent that did not lie. */
static bool
holds(const struct world *w, const struct attempt *a)
{
	if (a->written_off || w->hosts[a->agent].liar)
		return false;
	return a->truth == WAITS || a->truth == READY || a->truth == RUNS ||
	    (a->truth == FLYING && w->hosts[a->agent].facts.up);
}

/* Of all that hold something, each team once; into v, that has room for live
 * attempts and teams. */
static uint32_t
holders(const struct world *w, const struct takes **v)
{
	bool seen[MAX_TEAMS] = { false };
	const struct attempt *a;
	uint32_t i, n = 0;

	for (i = 0; i < w->n_live; i++) {
		a = &w->attempts[w->live[i]];
		if (!holds(w, a))
			continue;
		v[n++] = &a->took;
		if (a->team == SCHED_NONE || seen[a->team])
			continue;
		seen[a->team] = true;
		v[n++] = &w->teams[a->team].took;
	}
	return n;
}

static void
judge_lock(const struct world *w, uint32_t lock, const struct takes *const *v,
    uint32_t n)
{
	uint32_t units = 0, readers = 0, alone = 0, i;

	for (i = 0; i < n; i++) {
		readers += v[i]->shared[lock];
		alone += !v[i]->shared[lock] && v[i]->count[lock] > 0;
		units += v[i]->shared[lock] ? 0 : v[i]->count[lock];
	}
	if (alone > 1 && units > (lock == 0 || w->amended ? 3 : 1))
		broken(w, "lock %u: %u units", lock, units);
	if (units > 0 && readers > 0)
		broken(w, "lock %u: readers beside others", lock);
}

static void
judge_pairs(const struct world *w, const struct takes *const *v, uint32_t n)
{
	uint32_t a = 0, b = 0, all[N_PAIRS] = { 0 }, i;

	for (i = 0; i < n; i++) {
		a += (v[i]->sides[0] & 1) != 0;
		b += (v[i]->sides[0] & 2) != 0;
		all[0] += v[i]->sides[0] != 0;
		all[1] += v[i]->sides[1] != 0;
	}
	if (a > 0 && b > 0 && all[0] > 1)
		broken(w, "a pair runs together");
	if (all[1] > 1)
		broken(w, "a pair of one with itself runs together");
}

static void
judge_limits(const struct world *w)
{
	static const struct takes *v[MAX_ATTEMPTS + MAX_TEAMS];
	uint32_t i, n = holders(w, v);

	if (w->amended && w->resumed)	/* the new one knows other limits */
		return;
	for (i = 0; i < N_LOCKS; i++)
		judge_lock(w, i, v, n);
	judge_pairs(w, v, n);
}

/* ---- where everything is --------------------------------------------------------------- */

static void
judge_exec(const struct world *w, uint32_t run, uint32_t exec,
    const struct sched_view *v)
{
	const struct item *x = &w->items[run][exec];
	struct sched_id id = { run, exec, v->attempt };
	const char *is = exec_state_name(v->state);
	bool out = v->state == EXEC_ASSIGNED || v->state == EXEC_RUNNING;

	if (v->attempt != x->last)
		broken(w, "%s, but %u were sent", id_text(w, id), x->last);
	if (out != (x->current != SCHED_NONE))
		broken(w, "%s is %s and %s out", id_text(w, id), is,
		    out ? "not" : "is");
	if (out && (w->attempts[x->current].belief == RUNS_THERE) !=
	    (v->state == EXEC_RUNNING))
		broken(w, "%s is %s, by what its agent said it is not",
		    id_text(w, id), is);
	if (x->over != exec_state_final(v->state) ||
	    (x->over && x->state != v->state))
		broken(w, "%s is %s, said to be %s", id_text(w, id), is,
		    x->over ? exec_state_name(x->state) : "open");
}

static void
judge_run(struct world *w, uint32_t run, bool reasons)
{
	struct counts c = { { 0 } }, said = sched_counts(w->k.s, run);
	struct sched_view v;
	uint32_t i;

	for (i = 1; i <= w->specs[run].run.n_execs; i++) {
		if (sched_exec_view(w->k.s, run, i, &v) != 0)
			broken(w, "%u of run %u is lost", i, run);
		judge_exec(w, run, i, &v);
		c.n[v.state]++;
		if (v.state == EXEC_WAITING)
			judge_waiting(w, run, i, reasons);
	}
	if (memcmp(&c, &said, sizeof(c)) != 0 || counts_total(&said) !=
	    w->specs[run].run.n_execs)
		broken(w, "the sum of run %u is not what was planned", run);
	if (w->ended[run] != (counts_final(&said) == counts_total(&said)) &&
	    !w->revived[run])
		broken(w, "run %u is%s ended", run, w->ended[run] ? "" :
		    " not");
}

/* ---- queues beside free workers ----------------------------------------------------------- */

static bool
one_each(const struct world *w, uint32_t agent)
{
	const struct attempt *a;
	uint32_t i;

	for (i = 0; i < w->n_live; i++) {
		a = &w->attempts[w->live[i]];
		if (a->agent == agent && a->belief < NOWHERE &&
		    a->belief != GHOST && (a->pinned || a->workers > 1 ||
		    a->belief == FOUND))
			return false;
	}
	return true;
}

/* How many of those queued on an agent, beyond what it has workers for, are
 * not yet asked back; plain cases only. */
static int64_t
surplus(const struct world *w, uint32_t agent)
{
	const struct sched_agent *f = &w->hosts[agent].facts;
	int64_t n = (int64_t)fact_load(w, agent) - f->threshold;
	int64_t unstarted = 0, back = 0;
	const struct attempt *a;
	uint32_t i;

	if (!f->up || f->held || f->draining || !one_each(w, agent))
		return 0;
	for (i = 0; i < w->n_live; i++) {
		a = &w->attempts[w->live[i]];
		unstarted += a->agent == agent && a->belief < RUNS_THERE;
		back += a->agent == agent && a->belief < RUNS_THERE && a->back;
	}
	if (f->guard != NULL)	/* all of them are */
		n = unstarted;
	return (n < unstarted ? n : unstarted) - back;
}

static int64_t
free_workers(const struct world *w, uint32_t agent)
{
	int64_t n = (int64_t)w->hosts[agent].facts.threshold -
	    fact_load(w, agent);
	const struct attempt *a;
	uint32_t i;

	for (i = 0; i < w->n_live; i++) {
		a = &w->attempts[w->live[i]];
		n -= a->back && a->to == agent && a->belief < RUNS_THERE ?
		    a->workers : 0;
	}
	return fact_usable(w, agent) ? n : 0;
}

static bool
may_move(const struct world *w, const struct attempt *a, uint32_t to)
{
	static const uint32_t alone[N_TARGETS];

	return a->team == SCHED_NONE && !a->back && !a->cancel && !a->unheard &&
	    !w->held[a->id.run] && fact_eligible(w, a->id.run, a->id.exec,
	    to) && !fact_target_full_on(w, &a->takes, to, alone) &&
	    !fact_beside(w, a->id.run, a->id.exec, to) &&
	    !fact_avoided(w, a->id.run, a->id.exec, to);
}

/* Something wide waits: an agent may be kept for it. */
static bool
anyone_wide(const struct world *w)
{
	const struct spec *p;
	uint32_t i, j;

	for (i = 0; i < w->n_runs; i++) {
		p = &w->specs[i];
		for (j = 1; !w->removed[i] && j <= p->run.n_execs; j++)
			if ((w->team_of[i][j] != SCHED_NONE ||
			    p->terms[p->execs[j - 1].terms].workers > 1) &&
			    sched_exec_state(w->k.s, w->runs[i], j) ==
			    EXEC_WAITING)
				return true;
	}
	return false;
}

static bool
is_queued(const struct attempt *a, uint32_t agent)
{
	return a->agent == agent && a->belief < RUNS_THERE && !a->back;
}

/* What is last in a queue goes elsewhere. Nobody who took a run over knows
 * its order: what has to stay may be the last. */
static void
judge_queue(const struct world *w, uint32_t from, uint32_t to)
{
	int64_t n = surplus(w, from);
	const struct attempt *a;
	uint32_t i;

	for (i = 0; w->resumed && i < w->n_live; i++) {
		a = &w->attempts[w->live[i]];
		n -= is_queued(a, from) && !may_move(w, a, to);
	}
	for (i = w->n_live; n > 0 && i-- > 0;) {
		a = &w->attempts[w->live[i]];
		if (!is_queued(a, from))
			continue;
		if (may_move(w, a, to))
			broken(w, "%s has a free worker, and %s is queued on "
			    "%s", w->hosts[to].name, id_text(w, a->id),
			    w->hosts[from].name);
		n -= !w->resumed;
	}
}

static void
judge_queues(const struct world *w)
{
	uint32_t i, j;

	if (w->paused || anyone_wide(w))
		return;
	for (i = 0; i < w->n_hosts; i++)
		for (j = 0; free_workers(w, i) > 0 && j < w->n_hosts; j++)
			if (i != j)
				judge_queue(w, j, i);
}

/* ---- starts that do not come ---------------------------------------------------------------- */

static int64_t
late_at(const struct world *w, const struct attempt *a)
{
	const struct host *h = &w->hosts[a->agent];
	int64_t most_us = terms_of(w, a)->start_timeout_us;

	if (a->back || a->cancel || a->unheard || a->team != SCHED_NONE ||
	    !h->facts.up)
		return CLOCK_NEVER;
	if (a->belief == SENT_OUT)
		return a->clock_us + most_us;
	if (a->belief != QUEUED_THERE || !a->to_free || h->open_us < 0)
		return CLOCK_NEVER;
	return (a->clock_us > h->open_us ? a->clock_us : h->open_us) +
	    most_us;
}

static void
judge_late(const struct world *w)
{
	const struct attempt *a;
	uint32_t i;

	for (i = 0; i < w->n_live; i++) {
		a = &w->attempts[w->live[i]];
		if (late_at(w, a) <= w->k.now_us)
			broken(w, "%s should have started", id_text(w,
			    a->id));
	}
}

/* ---- where nothing may start any more ------------------------------------------------ */

/* Some member of it waits on an agent that it may not use. */
static bool
is_stranger(const struct world *w, const struct attempt *a)
{
	uint32_t i;

	for (i = 0; i < a->n_members; i++)
		if (a->open[i] && (w->items[a->id.run][a->members[i].exec].held
		    || !fact_eligible(w, a->id.run, a->members[i].exec,
		    a->agent)))
			return true;
	return false;
}

static void
judge_strangers(const struct world *w)
{
	const struct attempt *a;
	uint32_t i;

	for (i = 0; i < w->n_live; i++) {
		a = &w->attempts[w->live[i]];
		if (a->belief < RUNS_THERE && !a->back && !a->cancel &&
		    !a->kept && !a->unheard &&
		    w->hosts[a->agent].facts.up && is_stranger(w, a) &&
		    (a->team == SCHED_NONE || !w->teams[a->team].gone))
			broken(w, "%s is left where it may not run",
			    id_text(w, a->id));
	}
}

void
judge(struct world *w, bool reasons)
{
	char *text = sched_check(w->k.s);
	uint32_t i;

	if (text != NULL)
		broken(w, "%s", text);
	judge_limits(w);
	for (i = 0; i < w->n_runs; i++)
		if (!w->removed[i])
			judge_run(w, i, reasons);
	judge_queues(w);
	judge_late(w);
	judge_teams(w);
	judge_strangers(w);
}
