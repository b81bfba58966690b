/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The console of the made-up world dies and another takes over: a new
 * scheduler is told what was recorded, as the engine tells it, operators'
 * amendments are done again, letters on their way are lost, and agents say
 * what they have.
 */
#include "config.h"

#include "world.h"

#define MAX_LOST 1000

struct resuming {
	struct world *w;
	uint32_t run;
	struct sched_exec execs[KIT_MAX];
	struct sched_lost lost[MAX_LOST];
	uint32_t n_lost;
};

static const char *
instance_of(const struct world *w, const struct attempt *a)
{
	static const char *const names[] = { "", "i1", "i2" };

	return a->instance == 0 && a->pool ? w->hosts[a->agent].name :
	    names[a->instance];
}

static enum exec_state
state_of(const struct world *w, const struct item *it)
{
	if (it->over)
		return it->state;
	if (it->current == SCHED_NONE)
		return EXEC_WAITING;
	return w->attempts[it->current].belief == RUNS_THERE ? EXEC_RUNNING :
	    EXEC_ASSIGNED;
}

/* The first of a batch that is still at its attempt. */
static uint32_t
lead_of(const struct world *w, const struct attempt *a)
{
	uint32_t i;

	for (i = 0; i < a->n_members; i++)
		if (w->items[a->id.run][a->members[i].exec].last ==
		    a->members[i].attempt)
			return a->members[i].exec;
	return 0;
}

static void
read_lost(struct resuming *s, const struct attempt *a)
{
	uint32_t i, first = s->n_lost;

	for (i = 0; i < a->n_members && s->n_lost < MAX_LOST; i++)
		if (a->open[i])
			s->lost[s->n_lost++] = (struct sched_lost){
				.exec = a->members[i].exec,
				.attempt = a->members[i].attempt,
				.agent = a->agent, .lead = first,
				.instance = instance_of(s->w, a) };
}

static void
read_attempts(struct resuming *s)
{
	const struct attempt *a;
	uint32_t i;

	for (i = 0; i < s->w->n_attempts; i++) {
		a = &s->w->attempts[i];
		if (a->id.run == s->run &&
		    (a->belief == GHOST || a->belief == FOUND))
			read_lost(s, a);
	}
}

static void
read_exec(struct resuming *s, uint32_t no)
{
	const struct world *w = s->w;
	const struct item *it = &w->items[s->run][no];
	struct sched_exec *x = &s->execs[no - 1];
	const struct attempt *a;
	struct sched_view v;

	x->state = state_of(w, it);
	x->attempt = it->last;
	x->not_before_us = it->ready_us;
	if (sched_exec_view(w->k.s, s->run, no, &v) == 0) {
		x->cause = v.cause;
		x->failures = v.failures;
		x->errors = v.errors;
		x->avoid = v.avoid + 1;
	}
	if (it->last == 0)
		return;
	a = &w->attempts[it->last_in];
	x->agent = a->agent;
	x->worker = a->worker;
	x->instance = it->current != SCHED_NONE ? instance_of(w, a) : NULL;
	x->lead = a->n_members > 1 ? lead_of(w, a) : 0;
	x->pinned = a->pinned;
	x->returned = a->returned;
	x->unstarted = !a->ran;
}

static void
run_resume(struct world *w, struct sched *to, uint32_t run)
{
	struct resuming s = { .w = w, .run = run };
	struct sched_run spec = w->specs[run].run;
	uint32_t i, got;

	memcpy(s.execs, spec.execs, spec.n_execs * sizeof(s.execs[0]));
	for (i = 1; i <= spec.n_execs; i++)
		read_exec(&s, i);
	read_attempts(&s);
	spec.execs = s.execs;
	spec.lost = s.lost;
	spec.n_lost = s.n_lost;
	spec.max_parallel = w->max_parallel[run];
	spec.max_failures = w->max_failures[run];
	if (sched_run_add(to, &spec, w->k.now_us, &got) != 0 || got != run)
		broken(w, "run %s cannot be taken over", spec.id);
	if (w->removed[run])
		sched_run_remove(to, run);
}

/* ---- what operators did --------------------------------------------------------- */

static void
exec_redo(struct world *w, struct sched *to, uint32_t run, uint32_t no)
{
	const struct item *it = &w->items[run][no];
	int64_t now_us = w->k.now_us;

	if (it->over)
		return;
	if (it->held)
		(void)sched_exec_hold(to, run, no, "x", now_us);
	if (it->pin != SCHED_NONE)
		(void)sched_exec_move(to, run, no, it->pin, now_us);
	if (it->preferred)
		(void)sched_exec_priority(to, run, no, it->priority);
	if (it->requeued == it->last && it->current != SCHED_NONE)
		(void)sched_exec_requeue(to, run, no, now_us);
	if (it->cancelled)
		(void)sched_exec_cancel(to, run, no, now_us);
}

static void
run_redo(struct world *w, struct sched *to, uint32_t run)
{
	uint32_t i;

	if (w->held[run])
		(void)sched_run_hold(to, run, "x", w->k.now_us);
	if (w->preferred[run])
		(void)sched_run_priority(to, run, w->priority[run]);
	for (i = 1; i <= w->specs[run].run.n_execs; i++)
		if (w->items[run][i].waived && !w->items[run][i].over &&
		    w->items[run][i].last == 0)
			(void)sched_exec_run_anyway(to, run, i, w->k.now_us);
	for (i = 1; i <= w->specs[run].run.n_execs; i++)
		exec_redo(w, to, run, i);
	if (w->cancelled[run])
		(void)sched_run_cancel(to, run, w->k.now_us);
}

/* ---- what is believed from now on ------------------------------------------------- */

static void
attempt_anew(struct world *w, struct attempt *a)
{
	uint8_t instance = a->instance;
	bool pool = a->pool;

	if (a->belief == NOWHERE || w->removed[a->id.run])
		return;
	a->takes = takes_of(w, a->id.run, a->id.exec);
	a->unheard = true;
	a->back = a->cancel = a->prepared = a->kept = a->to_free = false;
	a->to = SCHED_NONE;
	a->due = 0;
	a->clock_us = w->k.now_us;
	if (a->belief == FOUND)
		a->belief = GHOST;
	if (a->belief >= GHOST) {
		a->pool &= (a->takes.targets & 4) != 0;
		a->instance &= (a->takes.targets & 2) != 0 ? 3 : 0;
		return;
	}
	if (a->belief == QUEUED_THERE)
		a->belief = SENT_OUT;
	instances_note(w, a);
	if (!w->amended && (pool ? !a->pool : instance != 0 &&
	    a->instance != instance))
		broken(w, "%s has another instance than it was sent with",
		    id_text(w, a->id));
}

static void
exec_anew(struct world *w, uint32_t run, uint32_t no)
{
	struct item *it = &w->items[run][no];

	/* What has ended is moved no more, nor what runs elsewhere. */
	if (it->over || (it->current != SCHED_NONE &&
	    w->attempts[it->current].belief == RUNS_THERE &&
	    w->attempts[it->current].agent != it->pin))
		it->pin = SCHED_NONE;
}

/* Whatever its agent said before: only what was told to go comes to that. */
static bool
has_run(const struct item *it)
{
	return it->over && (it->state == EXEC_PASSED ||
	    it->state == EXEC_HEALED || it->state == EXEC_FAILED ||
	    it->state == EXEC_TIMEOUT);
}

static void
team_anew(struct world *w, struct team *t)
{
	const struct item *it;
	const struct attempt *a;
	uint32_t i;

	t->gone = t->back = false;
	t->sent_us = w->k.now_us;
	t->held = team_takes(w, t);
	t->back = team_is_out(w, t) && !team_is_whole(w, t);
	for (i = 0; i < t->n && team_is_out(w, t); i++) {
		it = &w->items[t->run][t->first + i];
		a = &w->attempts[it->last_in];
		t->gone |= it->current != SCHED_NONE ?
		    a->belief == RUNS_THERE : has_run(it) ||
		    (it->last > 0 && a->ran);
	}
}

static void
believe_anew(struct world *w)
{
	uint32_t i, k;

	for (i = 0; i < w->n_live; i++)
		attempt_anew(w, &w->attempts[w->live[i]]);
	for (i = 0; i < w->n_runs; i++) {
		w->ended[i] &= w->removed[i];
		for (k = 1; k <= w->specs[i].run.n_execs; k++)
			exec_anew(w, i, k);
	}
	for (i = 0; i < w->n_teams; i++)
		if (w->teams[i].run < w->n_runs &&
		    !w->removed[w->teams[i].run])
			team_anew(w, &w->teams[i]);
}

/* Where it was moved to is forgotten when it had ended before that was said
 * again. */
static void
it_anew(struct world *w, uint32_t run, uint32_t no, bool held)
{
	struct item *it = &w->items[run][no];
	struct sched_view v;

	it->held = held && !it->over;
	if (it->over && (sched_exec_view(w->k.s, run, no, &v) < 0 ||
	    v.pin == SCHED_NONE))
		it->pin = SCHED_NONE;
}

/* What ended for a moment, until it was run anyway once more, is still held. */
static void
resume_decide(struct world *w)
{
	bool held[MAX_RUNS][KIT_MAX + 1];
	uint32_t i, k;

	for (i = 0; i < MAX_RUNS; i++)
		for (k = 0; k <= KIT_MAX; k++)
			held[i][k] = w->items[i][k].held;
	sched_decide(w->k.s, w->k.now_us, &w->k.out);
	believe_decisions(w);
	for (i = 0; i < MAX_RUNS; i++)
		for (k = 0; k <= KIT_MAX; k++)
			it_anew(w, i, k, held[i][k]);
}

void
world_resume(struct world *w)
{
	struct sched *was = w->k.s, *to = sched_new();
	bool up[MAX_AGENTS];
	uint32_t i;

	trace(w, "the console dies, another one takes over");
	w->resumed = true;
	w->paused = false;
	for (i = 0; i < w->n_hosts; i++) {
		up[i] = w->hosts[i].facts.up;
		host_cut(w, i);
	}
	w->k.s = to;
	for (i = 0; i < w->n_hosts; i++)
		host_say(w, i);
	w->k.s = was;
	for (i = 0; i < w->n_runs; i++)
		run_resume(w, to, i);
	w->k.s = to;
	for (i = 0; i < w->n_runs; i++)
		if (!w->removed[i])
			run_redo(w, to, i);
	sched_free(was);
	believe_anew(w);
	say_ext(w);
	resume_decide(w);
	for (i = 0; i < w->n_hosts; i++)
		if (up[i] && chance(w, 80))
			host_link(w, i, true);
}
