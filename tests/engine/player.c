/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The player: agents that do what they are told, at once, and its clock. */
#include "config.h"

#include "player.h"

static void
say(const struct play *p, uint32_t agent)
{
	sched_agent_set(p->s, agent, &p->hosts[agent].facts, p->now_us);
}

/* ---- what a step is and does ------------------------------------------------- */

static const struct plan_exec *
exec_of(const struct play *p, const struct try *t)
{
	return &p->plans[t->id.run]->execs[t->id.exec - 1];
}

uint32_t
step_at(const struct play *p, const struct try *t, uint32_t i)
{
	return exec_of(p, t)->first_step + (t->steps != NULL ? t->steps[i] :
	    i);
}

void
step_name(const struct plan *plan, uint32_t at, bool row, bool target,
    struct buf *out)
{
	const struct plan_step *step = &plan->steps[at];

	buf_puts(out, plan->tests[step->test].name);
	if (row && step->row != PLAN_NONE)
		buf_putf(out, "[%u]", step->row + 1);
	if (target && step->target != PLAN_NONE)
		buf_putf(out, "@%s", plan->targets[step->target].name);
}

/* What a table of the case has for a step, most specific first, or NULL. */
static const struct jval *
of_step(const struct play *p, const char *table, uint32_t run, uint32_t at)
{
	const struct jval *v = NULL;
	struct buf b = BUF_INIT;
	int i;

	for (i = 3; i >= 0 && v == NULL; i--) {
		buf_clear(&b);
		step_name(p->plans[run], at, (i & 1) != 0, (i & 2) != 0, &b);
		v = jval_get(jval_get(p->c, table), buf_str(&b));
	}
	buf_done(&b);
	return v;
}

static int64_t
step_us(const struct play *p, uint32_t run, uint32_t at)
{
	const struct plan *plan = p->plans[run];
	int64_t us = plan->tests[plan->steps[at].test].props->estimate_us;

	return jval_int(of_step(p, "actual_s", run, at),
	    us > 0 ? us / US_PER_S : 60) * US_PER_S;
}

/* Runs a step, and says how it ended: the outcomes listed, then passed. */
static enum outcome
step_run(struct play *p, uint32_t run, uint32_t at)
{
	const struct jval *v = jval_at(of_step(p, "outcomes", run, at),
	    p->ran[run][at]++);

	return v != NULL ? (enum outcome)outcome_parse(jval_str(v, "")) :
	    OUTCOME_PASSED;
}

/* ---- agents --------------------------------------------------------------------- */

/* The lowest free workers; 0: not enough, or not allowed. */
static uint16_t
slots_take(struct play *p, uint32_t try)
{
	const struct try *t = &p->tries[try];
	struct host *h = &p->hosts[t->agent];
	uint32_t i, busy = 0, autos = 0, left = t->workers;
	uint16_t first = 0;

	for (i = 0; i < MAX_SLOTS; i++) {
		busy += h->slots[i] != 0;
		autos += h->slots[i] != 0 &&
		    !p->tries[h->slots[i] - 1].pinned;
	}
	if (h->facts.held || h->facts.draining ||
	    busy + t->workers > h->facts.max_workers ||
	    (!t->pinned && autos + t->workers > h->facts.threshold))
		return 0;
	for (i = 0; left > 0; i++) {
		if (h->slots[i] != 0)
			continue;
		h->slots[i] = try + 1;
		first = first == 0 ? (uint16_t)(i + 1) : first;
		left--;
	}
	return first;
}

static void
tell(struct play *p, struct try *t)
{
	uint8_t *passed = p->runs[t->id.run].passed;
	uint32_t i;

	if (!p->hosts[t->agent].facts.up)
		return;
	if (t->state == QUEUED)
		sched_accepted(p->s, t->id, p->now_us);
	if (t->state == RUNNING)
		sched_started(p->s, t->id, t->worker, p->now_us);
	if (t->state != OVER || t->told)
		return;
	t->told = true;
	if (sched_ended(p->s, t->id, t->outcome, t->end_us - t->start_us,
	    p->now_us) != SCHED_TAKEN)
		return;
	for (i = 0; i < t->n_steps; i++)
		if ((t->ok >> i & 1) != 0)
			passed[step_at(p, t, i)] = 1;
}

static void
begin(struct play *p, struct try *t, uint16_t worker)
{
	const struct plan_exec *x = exec_of(p, t);
	enum outcome outcome;
	uint32_t i, at;
	bool ends = p->plans[t->id.run]->terms[x->terms].on_failure !=
	    ON_FAILURE_CONTINUE, over = false;

	t->state = RUNNING;
	t->worker = worker;
	t->start_us = t->end_us = p->now_us;
	t->outcome = OUTCOME_PASSED;
	t->n_steps = erun_steps_left(&p->runs[t->id.run], t->id.exec,
	    &t->steps);
	assert_true(t->n_steps <= 64);
	for (i = 0; i < t->n_steps && !over; i++) {
		at = step_at(p, t, i);
		t->end_us += step_us(p, t->id.run, at);
		outcome = step_run(p, t->id.run, at);
		t->outcome = outcome_worst(t->outcome, outcome);
		over = ends && outcome != OUTCOME_PASSED;
		t->ok |= (uint64_t)(outcome == OUTCOME_PASSED) << i;
	}
	t->n_steps = i;
	tell(p, t);
}

/* What waits there starts where there is room, in order of arrival. */
static void
host_work(struct play *p, uint32_t agent)
{
	uint32_t i;
	uint16_t worker;

	for (i = 0; i < p->n_tries; i++) {
		if (p->tries[i].agent != agent || p->tries[i].state != QUEUED)
			continue;
		worker = slots_take(p, i);
		if (worker > 0)
			begin(p, &p->tries[i], worker);
	}
}

static void
end(struct play *p, struct try *t, enum outcome outcome)
{
	struct host *h = &p->hosts[t->agent];
	uint32_t i;

	for (i = 0; i < MAX_SLOTS; i++)
		if (h->slots[i] == (uint32_t)(t - p->tries) + 1)
			h->slots[i] = 0;
	if (t->state == QUEUED)
		t->start_us = p->now_us;
	t->end_us = p->now_us;
	t->state = OVER;
	t->outcome = outcome;
	tell(p, t);
	host_work(p, t->agent);
}

/* ---- decisions ---------------------------------------------------------------------- */

static struct try *
try_find(struct play *p, struct sched_id id)
{
	uint32_t i;

	for (i = 0; i < p->n_tries; i++)
		if (memcmp(&p->tries[i].id, &id, sizeof(id)) == 0)
			return &p->tries[i];
	fail_msg("%u/%u/%u was never sent", id.run, id.exec, id.attempt);
	return NULL;
}

static void
obey_send(struct play *p, const struct sched_decision *d)
{
	struct try *t = &p->tries[p->n_tries];
	uint16_t worker;

	assert_true(p->n_tries < MAX_TRIES);
	*t = (struct try){ .id = d->id, .agent = d->agent,
		.pinned = d->class == CLASS_PINNED };
	t->workers = p->plans[d->id.run]->terms[exec_of(p, t)->terms].workers;
	worker = slots_take(p, p->n_tries++);
	if (worker > 0)
		begin(p, t, worker);
	else
		tell(p, t);
}

static void
obey_take_back(struct play *p, const struct sched_decision *d)
{
	struct try *t = try_find(p, d->id);

	if (t->state != QUEUED) {
		sched_kept(p->s, d->id, p->now_us);
		return;
	}
	t->state = GONE;
	sched_returned(p->s, d->id, false, p->now_us);
}

static void
obey_cancel(struct play *p, const struct sched_decision *d)
{
	struct try *t = try_find(p, d->id);

	if (t->state == QUEUED || t->state == RUNNING)
		end(p, t, OUTCOME_CANCELLED);
}

static void
decide(struct play *p)
{
	static void (*const obey[SCHED_KINDS])(struct play *,
	    const struct sched_decision *) = {
		[SCHED_SEND] = obey_send, [SCHED_TAKE_BACK] = obey_take_back,
		[SCHED_CANCEL] = obey_cancel,
	};
	const struct sched_decision *d;
	char *broken;
	size_t i;

	do {
		sched_decide(p->s, p->now_us, &p->out);
		for (i = 0; i < p->out.n; i++) {
			d = &p->out.v[i];
			if (obey[d->kind] != NULL)
				obey[d->kind](p, d);
		}
	} while (p->out.n > 0);
	broken = sched_check(p->s);
	if (broken != NULL)
		fail_msg("%s", broken);
}

/* ---- what happens in mid-run ------------------------------------------------------ */

struct act_at {
	const struct jval *v;
	uint32_t agent, run, exec;
};

static void
do_set(struct play *p, const struct act_at *e)
{
	struct sched_agent *f = &p->hosts[e->agent].facts;
	int64_t was = f->threshold == f->max_workers ? INT32_MAX :
	    f->threshold;

	f->max_workers = (uint32_t)jval_get_int(e->v, "max_workers",
	    f->max_workers);
	f->threshold = (uint32_t)jval_get_int(e->v, "threshold", was);
	if (f->threshold > f->max_workers)
		f->threshold = f->max_workers;
}

static void
do_drain(struct play *p, const struct act_at *e)
{
	p->hosts[e->agent].facts.draining = jval_get_bool(e->v, "on", true);
}

static void
do_hold(struct play *p, const struct act_at *e)
{
	p->hosts[e->agent].facts.held = jval_get_bool(e->v, "on", true);
}

static void
do_leave(struct play *p, const struct act_at *e)
{
	p->hosts[e->agent].facts.up = false;
}

/* It says all it has before it counts as up, and then that this was all. */
static void
do_return(struct play *p, const struct act_at *e)
{
	uint32_t i;

	p->hosts[e->agent].facts.up = true;
	for (i = 0; i < p->n_tries; i++)
		if (p->tries[i].agent == e->agent)
			tell(p, &p->tries[i]);
	say(p, e->agent);
	for (i = 0; i < p->n_runs; i++)
		sched_agent_synced(p->s, e->agent, p->handles[i], p->now_us);
}

static void
do_cancel(struct play *p, const struct act_at *e)
{
	assert_int_equal(sched_exec_cancel(p->s, e->run, e->exec, p->now_us),
	    0);
}

static void
do_move(struct play *p, const struct act_at *e)
{
	assert_int_equal(sched_exec_move(p->s, e->run, e->exec, e->agent,
	    p->now_us), 0);
}

static void
do_priority(struct play *p, const struct act_at *e)
{
	int32_t to = (int32_t)jval_get_int(e->v, "to", 0);

	assert_int_equal(e->exec > 0 ? sched_exec_priority(p->s, e->run,
	    e->exec, to) : sched_run_priority(p->s, e->run, to), 0);
}

static const struct {
	const char *name;
	void (*act)(struct play *p, const struct act_at *e);
	bool agent;		/* its facts are to be told */
} acts[] = {
	{ "set", do_set, true }, { "drain", do_drain, true },
	{ "hold", do_hold, true }, { "leave", do_leave, true },
	{ "return", do_return, false }, { "cancel", do_cancel, false },
	{ "move", do_move, false }, { "priority", do_priority, false },
};

static struct act_at
event_of(const struct play *p, const struct jval *v)
{
	long agent = fleet_find(p->fleet, jval_get_str(v, "agent", ""));

	return (struct act_at){ v, agent < 0 ? SCHED_NONE : (uint32_t)agent,
		p->handles[jval_get_int(v, "run", 1) - 1],
		(uint32_t)jval_get_int(v, "exec", 0) };
}

static void
happen(struct play *p, const struct jval *v)
{
	struct act_at e = event_of(p, v);
	size_t i;

	for (i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		if (strcmp(acts[i].name, jval_get_str(v, "do", "")) != 0)
			continue;
		acts[i].act(p, &e);
		if (acts[i].agent)
			say(p, e.agent);
		if (e.agent != SCHED_NONE)
			host_work(p, e.agent);
		return;
	}
	fail_msg("no such event: %s", jval_get_str(v, "do", ""));
}

/* Why something waits, asked when all of the instant is decided. */
static void
ask(struct play *p, const struct jval *v)
{
	struct act_at e = event_of(p, v);

	assert_string_equal(reason_name(sched_headline(p->s, e.run, e.exec,
	    NULL)), jval_get_str(v, "is", ""));
}

/* ---- the clock --------------------------------------------------------------------------- */

static int64_t
next_of(const struct jval *list, int64_t after_us, int64_t next_us)
{
	int64_t at_us;
	size_t i;

	for (i = 0; i < jval_count(list); i++) {
		at_us = jval_get_int(jval_at(list, i), "at_s", 0) * US_PER_S;
		if (at_us > after_us && at_us < next_us)
			next_us = at_us;
	}
	return next_us;
}

static int64_t
next_us(const struct play *p)
{
	int64_t at_us = sched_next_us(p->s);
	uint32_t i;

	for (i = 0; i < p->n_tries; i++)
		if (p->tries[i].state == RUNNING &&
		    p->tries[i].end_us < at_us)
			at_us = p->tries[i].end_us;
	at_us = next_of(jval_get(p->c, "events"), p->now_us, at_us);
	return next_of(jval_get(p->c, "reasons"), p->now_us, at_us);
}

/* The next that ends now: by agent, then worker. */
static struct try *
next_end(struct play *p)
{
	struct try *t, *best = NULL;
	uint32_t i;

	for (i = 0; i < p->n_tries; i++) {
		t = &p->tries[i];
		if (t->state == RUNNING && t->end_us <= p->now_us &&
		    (best == NULL || t->agent < best->agent || (t->agent ==
		    best->agent && t->worker < best->worker)))
			best = t;
	}
	return best;
}

static void
each_now(struct play *p, const char *list,
    void (*fn)(struct play *p, const struct jval *v))
{
	const struct jval *v = jval_get(p->c, list);
	size_t i;

	for (i = 0; i < jval_count(v); i++)
		if (jval_get_int(jval_at(v, i), "at_s", 0) * US_PER_S ==
		    p->now_us)
			fn(p, jval_at(v, i));
}

void
play(struct play *p)
{
	struct try *t;

	for (; p->now_us < CLOCK_NEVER; p->now_us = next_us(p)) {
		while ((t = next_end(p)) != NULL)
			end(p, t, t->outcome);
		each_now(p, "events", happen);
		decide(p);
		each_now(p, "reasons", ask);
	}
}
