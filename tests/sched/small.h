/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small random world: a run with limits and needs on a few agents, played to
 * the end by true lengths that are not those predicted. */
#ifndef TESTS_SCHED_SMALL_H
#define TESTS_SCHED_SMALL_H

#include <math.h>

#include "kit.h"

#define AGENTS 4

struct go {			/* an attempt that an agent has */
	struct sched_id id;
	uint32_t agent;
	int64_t ends_us;	/* 0: waits there */
};

struct small {
	struct kit k;
	struct spec p;
	uint32_t run, n_agents, max[AGENTS], busy[AGENTS];
	bool drained[AGENTS];
	int64_t truth_us[KIT_MAX];
	struct go go[KIT_MAX * 4];
	uint32_t n_go;
	struct strvec first;
	const struct strvec *lists[1];
	uint32_t targets[1], nodes[1], needs[1];
	struct sched_hold hold;
	uint64_t seed;
};

static uint32_t
pick(struct small *w, uint32_t n)
{
	w->seed = w->seed * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return (uint32_t)(w->seed >> 33) % n;
}

/* Log-normal with a deviation of sd. */
static double
noise(struct small *w, double sd)
{
	double u = (pick(w, 1000000) + 1) / 1000001.0;
	double v = pick(w, 1000000) / 1000000.0;

	return exp(sd * sqrt(-2 * log(u)) * cos(6.283185307179586 * v));
}

static void
agent_tell(struct sched *s, const struct small *w, uint32_t i, uint32_t max,
    bool drained)
{
	static const char *const names[AGENTS] = { "a1", "a2", "a3", "a4" };
	struct sched_agent a = kit_facts(names[i], max);

	a.draining = drained;
	sched_agent_set(s, i, &a, w->k.now_us);
}

/* Executions: free ones; with a lock; of a target with a limit; of the first
 * agent; after the first two. */
static void
plan_make(struct small *w)
{
	struct sched_terms *t;
	struct sched_exec *x;
	uint32_t i, kind, n;

	spec_init(&w->p);
	strvec_push(&w->first, "a1");
	w->lists[0] = &w->first;
	w->hold = (struct sched_hold){ 0, 1, false };
	w->p.locks[0] = (struct sched_lock){ .name = "db", .capacity = 1 };
	w->p.run.n_locks = 1;
	w->p.targets[0] = (struct sched_target){ .name = "t",
		.max = 1 + pick(w, 2) };
	w->p.run.n_targets = 1;
	w->p.run.n_nodes = 1;
	w->p.lists[0] = (struct sched_list){ w->nodes, 1 };
	w->p.run.n_lists = 1;
	for (kind = 0; kind < 5; kind++) {
		t = spec_terms(&w->p);
		t->n_holds = kind == 1;
		t->holds = &w->hold;
		t->n_targets = kind == 2;
		t->targets = w->targets;
		t->n_agents = kind == 3;
		t->agents = w->lists;
		t->n_needs = kind == 4;
		t->needs = w->needs;
		n = kind == 0 ? 8 + pick(w, 16) : 1 + pick(w, 8);
		x = spec_execs(&w->p, n);
		for (i = 0; i < n; i++) {
			w->truth_us[x - w->p.execs + i] = (int64_t)
			    (noise(w, 0.8) * 20 * US_PER_S) + 1;
			x[i].estimate_us = (int64_t)((double)
			    w->truth_us[x - w->p.execs + i] *
			    noise(w, 0.3)) + 1;
			x[i].member = kind == 0 && i < 2 ? 0 : SCHED_NONE;
		}
	}
	w->p.run.order = pick(w, 3) > 0 ? ORDER_LONGEST : ORDER_PLAN;
	w->p.run.max_parallel = pick(w, 3) == 0 ? 2 + pick(w, 4) : 0;
}

static void
small_make(struct small *w, uint64_t seed)
{
	uint32_t i;

	memset(w, 0, sizeof(*w));
	w->seed = seed * 77777 + 5;
	kit_init(&w->k);
	w->n_agents = 2 + pick(w, AGENTS - 1);
	for (i = 0; i < w->n_agents; i++) {
		w->max[i] = 1 + pick(w, 4);
		w->drained[i] = i > 0 && pick(w, 4) == 0;
		agent_tell(w->k.s, w, i, w->max[i], w->drained[i]);
	}
	plan_make(w);
	w->run = kit_run(&w->k, &w->p);
}

static void
small_free(struct small *w)
{
	strvec_done(&w->first);
	kit_done(&w->k);
}

/* ---- the agents' side ------------------------------------------------------ */

static void
begin(struct small *w, uint32_t agent)
{
	uint32_t i;
	struct go *g;

	for (i = 0; i < w->n_go && w->busy[agent] < w->max[agent]; i++) {
		g = &w->go[i];
		if (g->agent != agent || g->ends_us != 0)
			continue;
		g->ends_us = w->k.now_us + w->truth_us[g->id.exec - 1];
		w->busy[agent]++;
		assert_int_equal(sched_started(w->k.s, g->id, 1,
		    w->k.now_us), SCHED_TAKEN);
	}
}

static struct go *
go_find(struct small *w, const struct sched_id *id)
{
	uint32_t i;

	for (i = 0; i < w->n_go; i++)
		if (memcmp(&w->go[i].id, id, sizeof(*id)) == 0)
			return &w->go[i];
	return NULL;
}

static void
obey(struct small *w)
{
	const struct sched_decision *d;
	struct go *g;
	size_t i;

	for (i = 0; i < w->k.out.n; i++) {
		d = &w->k.out.v[i];
		g = go_find(w, &d->id);
		if (d->kind == SCHED_SEND) {
			w->go[w->n_go++] = (struct go){ d->id, d->agent, 0 };
			(void)sched_accepted(w->k.s, d->id, w->k.now_us);
		} else if (d->kind == SCHED_TAKE_BACK && g != NULL &&
		    g->ends_us == 0) {
			*g = w->go[--w->n_go];
			(void)sched_returned(w->k.s, d->id, false,
			    w->k.now_us);
		} else if (d->kind == SCHED_TAKE_BACK) {
			(void)sched_kept(w->k.s, d->id, w->k.now_us);
		}
	}
	for (i = 0; i < w->n_agents; i++)
		begin(w, (uint32_t)i);
}

/* Until that many have ended, or none can. */
static void
go_on(struct small *w, uint32_t ended)
{
	struct go *next, g;
	uint32_t i;

	do {
		kit_decide(&w->k);
		obey(w);
		kit_decide(&w->k);
		obey(w);
		for (next = NULL, i = 0; i < w->n_go; i++)
			if (w->go[i].ends_us != 0 && (next == NULL ||
			    w->go[i].ends_us < next->ends_us))
				next = &w->go[i];
		if (next == NULL || ended-- == 0)
			return;
		g = *next;
		*next = w->go[--w->n_go];
		w->k.now_us = g.ends_us;
		w->busy[g.agent]--;
		assert_int_equal(sched_ended(w->k.s, g.id, OUTCOME_PASSED,
		    w->truth_us[g.id.exec - 1], w->k.now_us), SCHED_TAKEN);
	} while (true);
}

#endif
