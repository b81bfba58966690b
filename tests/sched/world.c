/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The made-up world: plans, agents and letters between them. */
#include "config.h"

#include <stdio.h>

#include "world.h"
#include "yardmaster/base/mem.h"

uint32_t
pick(struct world *w, uint32_t n)
{
	w->seed ^= w->seed << 13;
	w->seed ^= w->seed >> 7;
	w->seed ^= w->seed << 17;
	return (uint32_t)((w->seed >> 11) % (n > 0 ? n : 1));
}

bool
chance(struct world *w, uint32_t percent)
{
	return pick(w, 100) < percent;
}

/* ---- plans and agents ------------------------------------------------------------ */

static void
host_make(struct world *w, uint32_t i)
{
	static const char *const labels[] = { "red", "blue" };
	static const char *const targets[] = { "t0", "t1", "t2" };
	struct host *h = &w->hosts[i];
	uint32_t j;

	snprintf(h->name, sizeof(h->name), "agent-%u", i);
	for (j = 0; j < 2; j++)
		if (i == 0 || chance(w, 60))
			strvec_push(&h->labels, labels[j]);
	for (j = 0; i > 0 && chance(w, 40) && j < N_TARGETS; j++)
		strvec_push(&h->targets, targets[pick(w, N_TARGETS)]);
	if (i == 0 || chance(w, 30))
		strvec_push(&h->own, h->name);
	h->pool = (struct sched_pool){ "t2", &h->own };
	h->delay_us = chance(w, 50) ? 0 : 1000 + pick(w, 200000);
	h->facts = kit_facts(h->name, i == 0 ? 3 : 1 + pick(w, 4));
	h->facts.labels = &h->labels;
	h->facts.targets = &h->targets;
	h->facts.pools = &h->pool;
	h->facts.n_pools = i == 0 || (h->own.n > 0 &&
	    chance(w, 50));
	h->facts.rtt_us = 2 * h->delay_us;
	if (i > 0 && chance(w, 30))
		h->facts.threshold = pick(w, h->facts.max_workers + 1);
	h->wanted_up = true;
	sched_agent_set(w->k.s, i, &h->facts, w->k.now_us);
}

static void
terms_make(struct world *w, uint32_t r, uint32_t n)
{
	struct spec *p = &w->specs[r];
	struct sched_terms *t = spec_terms(p);

	t->agents = &w->lists[pick(w, 4)];
	t->n_agents = 1;
	w->targets[r][n] = pick(w, N_TARGETS);
	t->targets = &w->targets[r][n];
	t->n_targets = chance(w, 50);
	w->holds[r][n][0] = (struct sched_hold){ 0, 1 + pick(w, 2),
		chance(w, 30) };
	w->holds[r][n][1] = (struct sched_hold){ 1 + pick(w, 2), 1,
		chance(w, 30) };
	t->holds = w->holds[r][n];
	t->n_holds = chance(w, 30) ? 1 + pick(w, 2) : 0;
	w->sides[r][n] = (struct sched_side){ pick(w, 2), chance(w, 60),
		chance(w, 60) };
	t->sides = &w->sides[r][n];
	t->n_sides = chance(w, 25);
	if (n > 0 && chance(w, 25)) {
		w->needs[r][n] = pick(w, n);
		t->needs = &w->needs[r][n];
		t->n_needs = 1;
		t->needs_any_result = chance(w, 30);
	}
	t->pinned = chance(w, 10);
	t->batch = chance(w, 30);
	t->repeatable = !chance(w, 10);
	t->stop = chance(w, 2);
	t->beside_itself = chance(w, 20);
	t->retries = pick(w, 3);
	t->error_retries = 1 + pick(w, 4);
	t->workers = chance(w, 12) ? 2 : 1;
	t->priority = (int32_t)pick(w, 3) - 1;
	t->retry_delay_us = pick(w, 3) * US_PER_S;
	t->lost_after_us = (1 + pick(w, 30)) * US_PER_S;
	w->nodes[r][n] = n;
	p->lists[n] = (struct sched_list){ &w->nodes[r][n], 1 };
}

static void
run_make(struct world *w, uint32_t r)
{
	static const char *const ids[] = { "ra", "rb", "rc" };
	struct spec *p = &w->specs[r];
	uint32_t i, j, n_terms = 1 + pick(w, 8);
	struct sched_exec *x;

	spec_init(p);
	p->run.id = ids[r];
	p->run.priority = (int32_t)pick(w, 3);
	p->run.order = ORDER_PLAN + pick(w, 3);
	p->run.max_parallel = chance(w, 30) ? 1 + pick(w, 6) : 0;
	p->run.deadline_us = chance(w, 15) ? (int64_t)pick(w, 200) *
	    US_PER_S : 0;
	p->run.start_cost_us = pick(w, 10) * US_PER_S;
	p->run.max_failures = chance(w, 10) ? 1 + pick(w, 5) : 0;
	p->run.ahead = chance(w, 70) ? SCHED_AHEAD_AUTO :
	    chance(w, 30) ? SCHED_AHEAD_ALL : pick(w, 4);
	p->locks[0] = (struct sched_lock){ "l0", 2 + pick(w, 2), false };
	p->locks[1] = (struct sched_lock){ "l1", 1, false };
	p->locks[2] = (struct sched_lock){ "l2", 1, true };
	p->targets[0] = (struct sched_target){ "t0", pick(w, 3), 0, NULL };
	p->targets[1] = (struct sched_target){ "t1", 0, pick(w, 4),
		chance(w, 50) ? &w->instances : NULL };
	p->targets[2] = (struct sched_target){ "t2", 0, 0, NULL };
	p->pairs[0] = (struct sched_pair){ "x", "y" };
	p->pairs[1] = (struct sched_pair){ "z", "z" };
	p->run.n_locks = N_LOCKS;
	p->run.n_targets = N_TARGETS;
	p->run.n_pairs = 2;
	for (i = 0; i < n_terms; i++) {
		terms_make(w, r, i);
		for (j = pick(w, 8); j > 0 && p->run.n_execs < KIT_MAX; j--) {
			x = spec_execs(p, 1);
			x->member = i;
			x->fails = (int32_t)pick(w, 1000);
			if (chance(w, 60))
				x->estimate_us = pick(w, 20) * US_PER_S;
			p->keys[p->run.n_execs - 1] = i * 100 + pick(w, 40);
			if (chance(w, 5))
				x->not_before_us = w->k.now_us +
				    pick(w, 20) * US_PER_S;
		}
	}
	p->run.n_lists = p->run.n_nodes = n_terms;
	w->runs[r] = kit_run(&w->k, p);
}

void
world_make(struct world *w, uint64_t seed)
{
	static const char *const terms[] = { NULL, "@red", "@blue",
		"/agent-[0-3]/" };
	uint32_t i;

	memset(w, 0, sizeof(*w));
	w->seed = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	pick(w, 1);
	kit_init(&w->k);
	w->attempts = mem_calloc(MAX_ATTEMPTS, sizeof(*w->attempts));
	w->letters = mem_calloc(MAX_LETTERS, sizeof(*w->letters));
	for (i = 0; i < 4; i++) {
		if (terms[i] != NULL)
			strvec_push(&w->selectors[i], terms[i]);
		w->lists[i] = &w->selectors[i];
	}
	strvec_push(&w->instances, "i1");
	strvec_push(&w->instances, "i2");
	w->n_hosts = 1 + pick(w, MAX_AGENTS);
	for (i = 0; i < w->n_hosts; i++)
		host_make(w, i);
	w->n_runs = 1 + pick(w, MAX_RUNS);
	for (i = 0; i < w->n_runs; i++)
		run_make(w, i);
}

void
world_free(struct world *w)
{
	uint32_t i;

	for (i = 0; i < w->n_hosts; i++) {
		strvec_done(&w->hosts[i].labels);
		strvec_done(&w->hosts[i].targets);
		strvec_done(&w->hosts[i].own);
	}
	for (i = 0; i < 4; i++)
		strvec_done(&w->selectors[i]);
	strvec_done(&w->instances);
	free(w->attempts);
	free(w->letters);
	kit_done(&w->k);
}

/* ---- letters ----------------------------------------------------------------------- */

static void
post(struct world *w, enum letter_kind kind, uint32_t agent, uint32_t attempt,
    uint32_t run)
{
	struct host *h = &w->hosts[agent];

	if (!h->facts.up)
		return;
	if (w->n_letters == MAX_LETTERS)
		fail_msg("too many letters");
	w->letters[w->n_letters++] = (struct letter){ kind, attempt, agent,
		run, h->link, w->k.now_us + h->delay_us, w->seq++ };
}

void
letter_post(struct world *w, enum letter_kind kind, uint32_t attempt)
{
	post(w, kind, w->attempts[attempt].agent, attempt, 0);
	if (kind >= STARTED && chance(w, 5))	/* said twice */
		post(w, kind, w->attempts[attempt].agent, attempt, 0);
}

static bool
may_start(const struct world *w, const struct attempt *a)
{
	const struct sched_agent *f = &w->hosts[a->agent].facts;
	uint32_t i, busy = 0, autos = 0;

	for (i = 0; i < w->n_attempts; i++) {
		if (w->attempts[i].agent != a->agent ||
		    w->attempts[i].truth != RUNS)
			continue;
		busy += w->attempts[i].workers;
		autos += w->attempts[i].pinned ? 0 : w->attempts[i].workers;
	}
	return !f->held && !f->draining && f->guard == NULL &&
	    busy + a->workers <= f->max_workers &&
	    (a->pinned || autos + a->workers <= f->threshold);
}

static void
begin(struct world *w, uint32_t i)
{
	struct attempt *a = &w->attempts[i];

	a->truth = RUNS;
	a->worker = 1;
	a->ends_us = w->k.now_us + 1 + pick(w, 20) * US_PER_S / 2;
	letter_post(w, STARTED, i);
}

static void
arrives(struct world *w, uint32_t i)
{
	struct attempt *a = &w->attempts[i];

	if (a->truth != FLYING)
		return;
	a->truth = WAITS;
	if (may_start(w, a))
		begin(w, i);
	else
		letter_post(w, QUEUED, i);
}

static void
give_back(struct world *w, uint32_t i)
{
	struct attempt *a = &w->attempts[i];

	if (a->truth == WAITS || a->truth == FLYING) {
		a->truth = GONE;
		letter_post(w, RETURNED, i);
	} else {
		letter_post(w, KEPT, i);
	}
}

static enum outcome
some_outcome(struct world *w)
{
	static const enum outcome all[] = { OUTCOME_FAILED, OUTCOME_ERROR,
		OUTCOME_TIMEOUT, OUTCOME_SKIPPED };

	return chance(w, 75) ? OUTCOME_PASSED : all[pick(w, 4)];
}

/* outcome NONE: by chance. */
static void
end(struct world *w, uint32_t i, enum outcome outcome)
{
	struct attempt *a = &w->attempts[i];
	uint32_t j;

	a->truth = OVER;
	for (j = 0; j < a->n_members; j++)
		a->outcomes[j] = outcome != OUTCOME_NONE ? outcome :
		    some_outcome(w);
	letter_post(w, ENDED, i);
}

static void
hear_end(struct world *w, const struct attempt *a)
{
	struct sched_id id = a->id;
	uint32_t i;

	for (i = 0; i < a->n_members; i++) {
		id.exec = a->members[i].exec;
		id.attempt = a->members[i].attempt;
		sched_ended(w->k.s, id, a->outcomes[i], US_PER_S,
		    w->k.now_us);
	}
}

static void
to_console(struct world *w, const struct letter *l)
{
	struct attempt *a = &w->attempts[l->attempt];
	struct sched *s = w->k.s;

	switch (l->kind) {
	case STARTED:
		sched_started(s, a->id, a->worker, w->k.now_us);
		break;
	case QUEUED:
		sched_accepted(s, a->id, w->k.now_us);
		break;
	case RETURNED:
		sched_returned(s, a->id, chance(w, 10), w->k.now_us);
		break;
	case KEPT:
		sched_kept(s, a->id, w->k.now_us);
		break;
	case ENDED:
		hear_end(w, a);
		if (a->truth == OVER)
			a->truth = GONE;
		break;
	case WAS_LOST:
		sched_lost(s, a->id, w->k.now_us);
		if (a->truth == LOST)
			a->truth = GONE;
		break;
	default:
		sched_agent_synced(s, l->agent, w->runs[l->run],
		    w->k.now_us);
		break;
	}
}

static void
deliver(struct world *w, const struct letter *l)
{
	if (l->kind == SEND)
		arrives(w, l->attempt);
	else if (l->kind == TAKE_BACK)
		give_back(w, l->attempt);
	else if (l->kind != CANCEL)
		to_console(w, l);
	else if (w->attempts[l->attempt].truth == RUNS ||
	    w->attempts[l->attempt].truth == WAITS)
		end(w, l->attempt, OUTCOME_CANCELLED);
}

static uint32_t
next_letter(const struct world *w)
{
	const struct letter *l, *best = NULL;
	uint32_t i;

	for (i = 0; i < w->n_letters; i++) {
		l = &w->letters[i];
		if (best == NULL || l->at_us < best->at_us ||
		    (l->at_us == best->at_us && l->seq < best->seq))
			best = l;
	}
	return best != NULL ? (uint32_t)(best - w->letters) : SCHED_NONE;
}

void
letters_deliver(struct world *w)
{
	struct letter l;
	uint32_t i;

	while ((i = next_letter(w)) != SCHED_NONE &&
	    w->letters[i].at_us <= w->k.now_us) {
		l = w->letters[i];
		w->letters[i] = w->letters[--w->n_letters];
		if (w->hosts[l.agent].link == l.link)
			deliver(w, &l);
	}
}

/* ---- what agents do ------------------------------------------------------------------- */

void
host_work(struct world *w, uint32_t agent)
{
	struct attempt *a;
	uint32_t i;

	for (i = 0; i < w->n_attempts; i++) {
		a = &w->attempts[i];
		if (a->agent == agent && a->truth == RUNS &&
		    a->ends_us <= w->k.now_us)
			end(w, i, OUTCOME_NONE);
	}
	for (i = 0; i < w->n_attempts; i++) {
		a = &w->attempts[i];
		if (a->agent == agent && a->truth == WAITS && may_start(w, a))
			begin(w, i);
	}
}

/* All it has, then that this was all. */
void
host_tell(struct world *w, uint32_t agent)
{
	static const enum letter_kind says[] = { [WAITS] = QUEUED,
		[RUNS] = STARTED, [OVER] = ENDED, [LOST] = WAS_LOST };
	struct attempt *a;
	uint32_t i;

	for (i = 0; i < w->n_attempts; i++) {
		a = &w->attempts[i];
		if (a->agent == agent && a->truth != FLYING &&
		    a->truth != GONE)
			letter_post(w, says[a->truth], i);
	}
	for (i = 0; i < w->n_runs; i++)
		post(w, SYNCED, agent, 0, i);
}

void
host_link(struct world *w, uint32_t agent, bool up)
{
	struct host *h = &w->hosts[agent];
	uint32_t i;

	if (h->facts.up == up)
		return;
	h->facts.up = up;
	h->link++;
	for (i = 0; !up && i < w->n_attempts; i++)
		if (w->attempts[i].agent == agent &&
		    w->attempts[i].truth == FLYING)
			w->attempts[i].truth = GONE;
	sched_agent_set(w->k.s, agent, &h->facts, w->k.now_us);
	if (up)
		host_tell(w, agent);
}

void
host_crash(struct world *w, uint32_t agent)
{
	uint32_t i;

	host_link(w, agent, false);
	for (i = 0; i < w->n_attempts; i++)
		if (w->attempts[i].agent == agent &&
		    w->attempts[i].truth == RUNS)
			w->attempts[i].truth = LOST;
}

int64_t
world_next_us(const struct world *w)
{
	int64_t next_us = sched_next_us(w->k.s);
	uint32_t i;

	for (i = 0; i < w->n_letters; i++)
		if (w->letters[i].at_us < next_us)
			next_us = w->letters[i].at_us;
	for (i = 0; i < w->n_attempts; i++)
		if (w->attempts[i].truth == RUNS &&
		    w->attempts[i].ends_us < next_us)
			next_us = w->attempts[i].ends_us;
	return next_us;
}
