/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What operators do in the made-up world, and what is believed of it. */
#include "config.h"

#include "world.h"

static void
hold_exec(struct world *w, uint32_t run, uint32_t x)
{
	bool on = chance(w, 50);

	if (sched_exec_hold(w->k.s, run, x, on ? "x" : NULL, w->k.now_us) == 0)
		w->items[run][x].held = on;
}

static void
move_exec(struct world *w, uint32_t run, uint32_t x)
{
	uint32_t to = chance(w, 50) ? pick(w, w->n_hosts) : SCHED_NONE;

	if (sched_exec_move(w->k.s, run, x, to, w->k.now_us) == 0)
		w->items[run][x].pin = to;
}

static void
run_anyway(struct world *w, uint32_t run, uint32_t x)
{
	if (sched_exec_run_anyway(w->k.s, run, x, w->k.now_us) == 0)
		w->items[run][x].waived = true;
}

static void
start_now(struct world *w, uint32_t run, uint32_t x)
{
	if (sched_exec_start_now(w->k.s, run, x, w->k.now_us) == 0)
		w->items[run][x].ready_us = 0;
}

static void
override(struct world *w, uint32_t run, uint32_t x)
{
	(void)sched_exec_override(w->k.s, run, x, w->k.now_us);
}

/* All that runs together shares that fate. */
static void
cancelled(struct world *w, uint32_t run, uint32_t x, bool on)
{
	const struct team *t = w->team_of[run][x] == SCHED_NONE ? NULL :
	    &w->teams[w->team_of[run][x]];
	uint32_t i, n = t == NULL ? 1 : t->n;

	for (i = t == NULL ? x : t->first; n > 0; i++, n--) {
		w->items[run][i].cancelled = on;
		w->items[run][i].requeued = on ||
		    w->items[run][i].current == SCHED_NONE ? 0 :
		    w->items[run][i].last;
	}
}

/* It is tried as if it never had been, and so is what it runs together
 * with. */
static void
afresh(struct world *w, uint32_t run, uint32_t x)
{
	const struct team *t = w->team_of[run][x] == SCHED_NONE ? NULL :
	    &w->teams[w->team_of[run][x]];
	uint32_t i, n = t == NULL ? 1 : t->n;
	struct item *it;

	w->revived[run] = true;
	for (i = t == NULL ? x : t->first; n > 0; i++, n--) {
		it = &w->items[run][i];
		it->waived = true;
		it->failures = it->errors = 0;
	}
}

static void
requeue(struct world *w, uint32_t run, uint32_t x)
{
	struct item *it = &w->items[run][x];

	if (sched_exec_requeue(w->k.s, run, x, w->k.now_us) != 0)
		return;
	cancelled(w, run, x, false);
	if (it->over)
		afresh(w, run, x);
}

static void
declare_lost(struct world *w, uint32_t run, uint32_t x)
{
	sched_exec_declare_lost(w->k.s, run, x, w->k.now_us);
}

static void
cancel(struct world *w, uint32_t run, uint32_t x)
{
	w->cut[run] = true;
	if (chance(w, 10)) {
		sched_run_cancel(w->k.s, run, w->k.now_us);
		w->cancelled[run] = true;
	} else if (sched_exec_cancel(w->k.s, run, x, w->k.now_us) == 0) {
		cancelled(w, run, x, true);
	}
}

static void
skip_exec(struct world *w, uint32_t run, uint32_t x)
{
	if (chance(w, 50))
		sched_exec_skip(w->k.s, run, x, w->k.now_us);
	else
		sched_exec_give_up(w->k.s, run, x, w->k.now_us);
}

static void
priority(struct world *w, uint32_t run, uint32_t x)
{
	struct item *it = &w->items[run][x];

	if (chance(w, 50)) {
		w->priority[run] = (int32_t)pick(w, 5);
		w->preferred[run] = true;
		sched_run_priority(w->k.s, run, w->priority[run]);
		return;
	}
	it->priority = (int32_t)pick(w, 5);
	it->preferred = sched_exec_priority(w->k.s, run, x, it->priority) == 0;
}

static void
hold_run(struct world *w, uint32_t run, uint32_t x)
{
	(void)x;
	w->held[run] = chance(w, 50);
	sched_run_hold(w->k.s, run, w->held[run] ? "x" : NULL, w->k.now_us);
}

static void
limit_run(struct world *w, uint32_t run, uint32_t x)
{
	uint32_t max = pick(w, 5), failures = pick(w, 9);

	(void)x;
	w->cut[run] = true;
	if (sched_run_limits(w->k.s, run, max, failures, w->k.now_us) != 0)
		return;
	w->max_parallel[run] = max;
	w->max_failures[run] = failures;
}

static void
amend(struct world *w, uint32_t run, uint32_t x)
{
	(void)x;
	if (!w->ended[run])
		run_amend(w, run);
}

static const struct {
	const char *name;
	void (*act)(struct world *w, uint32_t run, uint32_t exec);
} acts[] = {
	{ "holds or releases", hold_exec }, { "moves", move_exec },
	{ "runs anyway", run_anyway }, { "starts now", start_now },
	{ "lets past", override }, { "requeues", requeue },
	{ "declares lost", declare_lost }, { "cancels", cancel },
	{ "skips", skip_exec }, { "prefers", priority },
	{ "holds or releases the run of", hold_run },
	{ "limits the run of", limit_run }, { "amends the run of", amend },
};

#define N_ACTS (uint32_t)(sizeof(acts) / sizeof(acts[0]))

void
world_act(struct world *w)
{
	uint32_t r = pick(w, w->n_runs), i = pick(w, N_ACTS);
	uint32_t x = 1 + pick(w, w->specs[r].run.n_execs);

	if (w->removed[r] || w->specs[r].run.n_execs == 0)
		return;
	trace(w, "an operator %s %s", acts[i].name, id_text(w,
	    (struct sched_id){ r, x, w->items[r][x].last }));
	acts[i].act(w, r, x);
}
