/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The made-up world's agents and plans, by the seed. */
#include "config.h"

#include <stdio.h>

#include <unistd.h>

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

void
trace(const struct world *w, const char *fmt, ...)
{
	va_list ap;

	if (!w->trace)
		return;
	printf("# %10.4f ", (double)w->k.now_us / US_PER_S);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void
broken(const struct world *w, const char *fmt, ...)
{
	va_list ap;

	printf("# seed %llu at %.4f s: ", (unsigned long long)w->first_seed,
	    (double)w->k.now_us / US_PER_S);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
	_exit(1);
}

const char *
id_text(const struct world *w, struct sched_id id)
{
	static char texts[4][40];
	static unsigned next;
	char *to = texts[next++ % 4];

	snprintf(to, sizeof(texts[0]), "%s/%u/%u", id.run < w->n_specs ?
	    w->specs[id.run].run.id : "?", id.exec, id.attempt);
	return to;
}

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
	h->liar = i > 0 && chance(w, 25);
	h->facts = kit_facts(h->name, i == 0 ? 3 : 1 + pick(w, 4));
	h->facts.labels = &h->labels;
	h->facts.targets = &h->targets;
	h->facts.pools = &h->pool;
	h->facts.n_pools = i == 0 || (h->own.n > 0 &&
	    chance(w, 50));
	h->facts.rtt_us = 2 * h->delay_us;
	h->facts.speed = chance(w, 30) ? 500 + pick(w, 1500) : 0;
	if (i > 0 && chance(w, 30))
		h->facts.threshold = pick(w, h->facts.max_workers + 1);
	host_say(w, i);
	trace(w, "%s%s: max %u, threshold %u, round trip %.3f s", h->name,
	    h->liar ? " (a liar)" : "", h->facts.max_workers,
	    h->facts.threshold, (double)h->facts.rtt_us / US_PER_S);
}

static void
limits_make(struct world *w, uint32_t r, uint32_t n, struct sched_terms *t)
{
	t->agents = &w->lists[pick(w, 4)];
	t->n_agents = 1;
	w->targets[r][n][0] = pick(w, N_TARGETS);
	w->targets[r][n][1] = (w->targets[r][n][0] + 1) % N_TARGETS;
	t->targets = w->targets[r][n];
	t->n_targets = chance(w, 50) ? 1 + chance(w, 10) : 0;
	w->holds[r][n][0] = (struct sched_hold){ 0, 1 + pick(w, 4),
		chance(w, 30) };
	w->holds[r][n][1] = (struct sched_hold){ 1 + pick(w, 2), 1,
		chance(w, 30) };
	t->holds = w->holds[r][n];
	t->n_holds = chance(w, 30) ? 1 + pick(w, 2) : 0;
	w->sides[r][n] = (struct sched_side){ .pair = pick(w, 2),
		.a = chance(w, 60), .b = chance(w, 60) };
	w->sides[r][n].b |= !w->sides[r][n].a;
	t->sides = &w->sides[r][n];
	t->n_sides = chance(w, 25);
}

static void
terms_make(struct world *w, uint32_t r, uint32_t n)
{
	struct spec *p = &w->specs[r];
	struct sched_terms *t = spec_terms(p);

	limits_make(w, r, n, t);
	if (n > 0 && chance(w, 25)) {
		w->needs[r][n][0] = pick(w, n);
		w->needs[r][n][1] = pick(w, n);
		t->needs = w->needs[r][n];
		t->n_needs = 1 + (w->needs[r][n][0] != w->needs[r][n][1]);
		t->needs_any_result = chance(w, 30);
	}
	t->pinned = chance(w, 10);
	t->batch = chance(w, 30) ? n + 1 : 0;
	t->repeatable = !chance(w, 10);
	t->stop = chance(w, 2);
	t->beside_itself = chance(w, 20);
	t->retries = pick(w, 3);
	t->error_retries = 1 + pick(w, 4);
	t->workers = chance(w, 12) ? 2 + chance(w, 30) : 1;
	t->priority = (int32_t)pick(w, 3) - 1;
	t->retry_delay_us = pick(w, 3) * US_PER_S;
	t->start_timeout_us = (2 + pick(w, 30)) * US_PER_S;
	t->lost_after_us = (1 + pick(w, 30)) * US_PER_S;
	w->nodes[r][n] = n;
	p->lists[n] = (struct sched_list){ &w->nodes[r][n], 1 };
}

static void
run_limits_make(struct world *w, struct spec *p)
{
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
	p->run.n_pairs = N_PAIRS;
}

static void
exec_make(struct world *w, uint32_t r, uint32_t terms, uint32_t group)
{
	struct spec *p = &w->specs[r];
	struct sched_exec *x = spec_execs(p, 1);

	x->terms = x->member = terms;
	x->group = group;
	x->fails = (int32_t)pick(w, 1000);
	if (chance(w, 60))
		x->estimate_us = pick(w, 20) * US_PER_S;
	p->keys[p->run.n_execs - 1] = terms * 100 + pick(w, 40);
	if (chance(w, 5))
		x->not_before_us = w->k.now_us + pick(w, 20) * US_PER_S;
	w->team_of[r][p->run.n_execs] = SCHED_NONE;
}

/* Some rows of a few parts that run together. */
static void
teams_make(struct world *w, uint32_t r)
{
	uint32_t first = w->specs[r].run.n_terms, i, row;
	uint32_t n = 2 + pick(w, MAX_PARTS - 1), rows = 1 + pick(w, 3);
	struct spec *p = &w->specs[r];
	bool same = chance(w, 30);

	for (i = 0; i < n; i++) {
		terms_make(w, r, first + i);
		p->terms[first + i].together = true;
		p->terms[first + i].same_agent = same;
		p->terms[first + i].batch = 0;
		if (w->needs[r][first + i][0] >= first ||
		    w->needs[r][first + i][1] >= first)
			p->terms[first + i].n_needs = 0;
	}
	for (row = 1; row <= rows && p->run.n_execs + n <= KIT_MAX; row++) {
		w->teams[w->n_teams] = (struct team){ .run = r, .n = n,
			.first = p->run.n_execs + 1, .same_agent = same };
		for (i = 0; i < n; i++) {
			exec_make(w, r, first + i, row);
			w->team_of[r][p->run.n_execs] = w->n_teams;
		}
		w->n_teams++;
	}
}

static void
run_make(struct world *w, uint32_t r)
{
	static const char *const ids[] = { "ra", "rb", "rc" };
	struct spec *p = &w->specs[r];
	uint32_t i, j, n_terms = 1 + pick(w, 8);

	spec_init(p);
	p->run.id = ids[r];
	run_limits_make(w, p);
	for (i = 0; i < n_terms; i++) {
		terms_make(w, r, i);
		for (j = pick(w, 8); j > 0 && p->run.n_execs < KIT_MAX; j--)
			exec_make(w, r, i, 0);
	}
	if (chance(w, 40))
		teams_make(w, r);
	w->cut[r] = p->run.max_failures > 0;
	for (i = 0; i < p->run.n_terms; i++)
		w->cut[r] |= p->terms[i].stop;
	p->run.n_lists = p->run.n_nodes = p->run.n_terms;
}

void
say_ext(struct world *w)
{
	static const char *const locks[] = { "l0", "l1", "l2" };
	struct sched_elsewhere v[N_LOCKS];
	struct hold holds[N_LOCKS];
	uint32_t i;
	size_t n = 0;

	for (i = 0; i < N_LOCKS; i++) {
		if (w->ext[i] == 0)
			continue;
		holds[n] = (struct hold){ .kind = HOLD_LOCK,
			.name = (char *)(uintptr_t)locks[i], .n = w->ext[i],
			.shared = w->ext_shared[i] };
		v[n] = (struct sched_elsewhere){ &holds[n], SCHED_NONE,
			"others" };
		n++;
	}
	sched_held_elsewhere(w->k.s, v, n, w->k.now_us);
}

void
run_add(struct world *w)
{
	uint32_t r = w->n_runs, i;
	const struct spec *p = &w->specs[r];

	for (i = 1; i <= p->run.n_execs; i++)
		w->items[r][i] = (struct item){ .current = SCHED_NONE,
			.pin = SCHED_NONE,
			.ready_us = p->execs[i - 1].not_before_us };
	w->max_parallel[r] = p->run.max_parallel;
	w->max_failures[r] = p->run.max_failures;
	w->runs[w->n_runs++] = kit_run(&w->k, p);
	say_ext(w);
	trace(w, "run %s: %u executions", p->run.id, p->run.n_execs);
}

static void
terms_amend(struct world *w, struct sched_terms *t)
{
	switch (pick(w, 4)) {
	case 0:
		t->agents = &w->lists[pick(w, 4)];
		break;
	case 1:
		t->n_holds = pick(w, 3);
		break;
	case 2:
		t->n_sides = !t->n_sides;
		break;
	default:
		t->n_targets = pick(w, 3);
		break;
	}
}

void
run_amend(struct world *w, uint32_t r)
{
	struct spec *p = &w->specs[r];

	w->amended = true;
	switch (pick(w, 5)) {
	case 0:
		p->targets[0].max_per_agent = pick(w, 3);
		break;
	case 1:
		p->targets[1].max = pick(w, 4);
		break;
	case 2:
		p->locks[pick(w, 2)].capacity = 1 + pick(w, 3);
		break;
	default:
		terms_amend(w, &p->terms[pick(w, p->run.n_terms)]);
		break;
	}
	if (sched_run_amend(w->k.s, r, &p->run, w->k.now_us) != 0)
		broken(w, "run %s cannot be amended", p->run.id);
}

void
world_make(struct world *w, uint64_t seed, bool traced)
{
	static const char *const terms[] = { NULL, "@red", "@blue",
		"/agent-[0-3]/" };
	uint32_t i;

	memset(w, 0, sizeof(*w));
	w->first_seed = seed;
	w->trace = traced;
	w->seed = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	pick(w, 1);
	kit_init(&w->k);
	w->attempts = mem_calloc(MAX_ATTEMPTS, sizeof(*w->attempts));
	w->live = mem_calloc(MAX_ATTEMPTS, sizeof(*w->live));
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
	w->n_specs = 1 + pick(w, MAX_RUNS);
	for (i = 0; i < w->n_specs; i++)
		run_make(w, i);
	for (i = 1 + pick(w, w->n_specs); i > 0; i--)
		run_add(w);
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
	free(w->live);
	free(w->letters);
	kit_done(&w->k);
}
