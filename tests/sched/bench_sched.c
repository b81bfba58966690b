/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How long a decision takes and how much memory an execution costs, at 10,000
 * and at 1,000,000 executions on 1,000 agents with 10 workers each, a tenth
 * of the executions limited: by locks, by exclusions, by a target. One event, one call of sched_decide(): nothing
 * is batched. Times are of the processor: the machine may have other work.
 *
 *	bench_sched [EXECUTIONS... | groups | forecasts]
 */
#include "config.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "yardmaster/base/mem.h"
#include "yardmaster/sched/forecast.h"
#include "yardmaster/sched/sched.h"

#define AGENTS 1000
#define WORKERS 10
#define LABELS 8
#define LOCKS 50
#define TERMS (2 * LABELS + LOCKS + 1)

struct fixture {
	struct sched_run run;
	struct strvec selectors[LABELS];
	const struct strvec *lists[LABELS];
	struct sched_lock locks[LOCKS];
	char names[LOCKS][16];
	struct sched_hold holds[LOCKS];
	struct sched_pair pairs[LOCKS];
	struct sched_side sides[LOCKS];
	struct sched_target targets[1];
	uint32_t target;
	struct sched_terms terms[TERMS];
	struct sched_exec *execs;
	uint64_t *keys;
};

static void
terms_fill(struct fixture *f)
{
	struct sched_terms *t;
	uint32_t i;

	for (i = 0; i < TERMS; i++) {
		t = &f->terms[i];
		t->repeatable = true;
		t->agents = &f->lists[i % LABELS];
		t->n_agents = 1;
		t->retries = 1;
		if (i < 2 * LABELS || i >= 2 * LABELS + LOCKS)
			continue;
		if (i % 2 == 0) {
			t->holds = &f->holds[i - 2 * LABELS];
			t->n_holds = 1;
		} else {
			t->sides = &f->sides[i - 2 * LABELS];
			t->n_sides = 1;
		}
	}
	f->terms[TERMS - 1].targets = &f->target;
	f->terms[TERMS - 1].n_targets = 1;
}

static void
fixture_make(struct fixture *f, uint32_t n)
{
	struct sched_exec *x;
	uint32_t i;

	*f = (struct fixture){ .run = { .id = "rbench", .order =
		ORDER_LONGEST, .ahead = SCHED_AHEAD_AUTO, .n_locks = LOCKS,
		.n_targets = 1, .n_terms = TERMS, .n_execs = n } };
	for (i = 0; i < LABELS; i++) {
		if (i > 0)
			strvec_pushf(&f->selectors[i], "@l%u", i);
		f->lists[i] = &f->selectors[i];
	}
	for (i = 0; i < LOCKS; i++) {
		snprintf(f->names[i], sizeof(f->names[i]), "lock-%u", i);
		f->locks[i] = (struct sched_lock){ f->names[i], 4, false };
		f->holds[i] = (struct sched_hold){ i, 1, false };
		f->pairs[i] = (struct sched_pair){ f->names[i],
			f->names[i / 2] };
		f->sides[i] = (struct sched_side){ i / 4, i % 4 == 1,
			i % 4 == 3 };
	}
	f->targets[0] = (struct sched_target){ .name = "cloud", .max = 200 };
	terms_fill(f);
	f->execs = mem_calloc(n, sizeof(*f->execs));
	f->keys = mem_calloc(n, sizeof(*f->keys));
	for (i = 0; i < n; i++) {
		x = &f->execs[i];
		x->member = SCHED_NONE;
		x->terms = i % 10 != 0 ? i % (2 * LABELS) :
		    2 * LABELS + i / 10 % (LOCKS + 1);
		x->estimate_us = (int64_t)(i * 2654435761u % 1000000);
		x->first_key = i;
		x->n_keys = 1;
		f->keys[i] = i * UINT64_C(0x9e3779b97f4a7c15);
	}
	f->run.locks = f->locks;
	f->run.pairs = f->pairs;
	f->run.n_pairs = LOCKS;
	f->run.targets = f->targets;
	f->run.terms = f->terms;
	f->run.execs = f->execs;
	f->run.keys = f->keys;
}

static void
agents_set(struct sched *s, uint32_t n)
{
	char name[24];
	struct strvec labels;
	uint32_t i, j;

	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "agent-%u", i);
		strvec_init(&labels);
		for (j = 1; j < LABELS; j++)
			if ((i >> (j - 1)) % 2 == 0)
				strvec_pushf(&labels, "l%u", j);
		sched_agent_set(s, i, &(struct sched_agent){ .name = name,
			.labels = &labels, .up = true, .max_workers = WORKERS,
			.threshold = WORKERS, .rtt_us = 500,
			.speed = 900 + i % 200 }, 0);
		strvec_done(&labels);
	}
}

/* What is out, in the order in which it ends. */
struct out {
	struct sched_id *v;
	size_t head, n;
};

static void
obey(struct out *o, const struct sched_decisions *d, uint64_t *sent)
{
	size_t i;

	for (i = 0; i < d->n; i++) {
		if (d->v[i].kind != SCHED_SEND)
			continue;
		o->v[o->n++] = d->v[i].id;
		++*sent;
	}
}

static int64_t
cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void
bench(uint32_t n)
{
	struct fixture f;
	struct sched *s = sched_new();
	struct sched_decisions d = { NULL };
	struct out o = { NULL };
	uint64_t sent = 0, peak;
	int64_t from, added, filled, now_us = 1;
	size_t before, after;
	uint32_t run;

	agents_set(s, AGENTS);
	fixture_make(&f, n);
	o.v = mem_calloc(2 * (size_t)n, sizeof(*o.v));
	before = mallinfo2().uordblks + mallinfo2().hblkhd;
	from = cpu_us();
	sched_run_add(s, &f.run, now_us, &run);
	added = cpu_us();
	sched_decide(s, now_us, &d);
	obey(&o, &d, &sent);
	filled = cpu_us();
	peak = sent;
	after = mallinfo2().uordblks + mallinfo2().hblkhd;
	while (o.head < o.n) {
		now_us += 10;
		sched_started(s, o.v[o.head], 1, now_us);
		sched_ended(s, o.v[o.head], OUTCOME_PASSED, 100000, now_us);
		o.head++;
		sched_decide(s, now_us, &d);
		obey(&o, &d, &sent);
	}
	printf("%8u executions: add %6.1f ms, first fill %6llu in %6.2f ms "
	    "(%.2f us each), then %.3f us per decision; %.0f B per execution "
	    "(counted %.0f); %u passed\n", n, (double)(added - from) / 1000,
	    (unsigned long long)peak, (double)(filled - added) / 1000,
	    (double)(filled - added) / (double)peak,
	    sent > peak ? (double)(cpu_us() - filled) /
	    (double)(sent - peak) : 0.0, (double)(after - before) / n,
	    (double)sched_bytes(s) / n,
	    sched_counts(s, run).n[EXEC_PASSED]);
	sched_decisions_done(&d);
	sched_free(s);
	free(o.v);
	free(f.execs);
	free(f.keys);
	for (run = 0; run < LABELS; run++)
		strvec_done(&f.selectors[run]);
}

/* Two parts each, a tenth with a lock, on the same agents: the fleet is full
 * all the time, and what ends makes room for one part at a time. */
static void
bench_groups(uint32_t n)
{
	struct fixture f;
	struct sched *s = sched_new();
	struct sched_decisions d = { NULL };
	struct out o = { NULL };
	uint64_t sent = 0, peak, turns = 0;
	int64_t from, now_us = 1;
	uint32_t run, i;

	agents_set(s, AGENTS);
	fixture_make(&f, 2 * n);
	for (i = 0; i < TERMS; i++)
		f.terms[i].together = true;
	for (i = 0; i < 2 * n; i++) {
		f.execs[i].group = 1 + i / 2;
		f.execs[i].terms = i / 2 % 10 != 0 ? i % LABELS :
		    2 * LABELS + i / 20 % 4 * 2;
	}
	o.v = mem_calloc(4 * (size_t)n, sizeof(*o.v));
	sched_run_add(s, &f.run, now_us, &run);
	sched_decide(s, now_us, &d);
	obey(&o, &d, &sent);
	peak = sent;
	from = cpu_us();
	for (; o.head < o.n; o.head++, turns++) {
		now_us += 10;
		sched_prepared(s, o.v[o.head], now_us);
		sched_started(s, o.v[o.head], 1, now_us);
		sched_ended(s, o.v[o.head], OUTCOME_PASSED, 100000, now_us);
		sched_decide(s, now_us, &d);
		obey(&o, &d, &sent);
	}
	printf("%8u groups of 2: first fill %6llu, then %.3f us per decision, "
	    "%.3f us per event; %u passed\n", n, (unsigned long long)peak,
	    sent > peak ? (double)(cpu_us() - from) / (double)(sent - peak) :
	    0.0, (double)(cpu_us() - from) / (double)turns,
	    sched_counts(s, run).n[EXEC_PASSED]);
	sched_decisions_done(&d);
	sched_free(s);
	free(o.v);
	free(f.execs);
	free(f.keys);
	for (i = 0; i < LABELS; i++)
		strvec_done(&f.selectors[i]);
}

/* A forecast of what is open, after half as much has ended. */
static void
bench_forecast(uint32_t n)
{
	struct fixture f;
	struct sched *s = sched_new();
	struct sched_decisions d = { NULL };
	struct forecast_opts opts = { .now_us = 1 };
	struct forecast got;
	struct out o = { NULL };
	uint64_t sent = 0;
	int64_t from, now_us = 1;
	uint32_t run, i;

	agents_set(s, 20);
	fixture_make(&f, n * 3 / 2);
	o.v = mem_calloc(2 * (size_t)n, sizeof(*o.v));
	sched_run_add(s, &f.run, now_us, &run);
	sched_decide(s, now_us, &d);
	obey(&o, &d, &sent);
	for (; o.head < n / 2; o.head++) {
		now_us += 10;
		sched_started(s, o.v[o.head], 1, now_us);
		sched_ended(s, o.v[o.head], OUTCOME_PASSED, 100000, now_us);
		sched_decide(s, now_us, &d);
		obey(&o, &d, &sent);
	}
	opts.now_us = now_us;
	from = cpu_us();
	if (sched_forecast(s, &opts, &got) == 0) {
		printf("%8u open executions: a forecast of %u plays takes "
		    "%.1f ms\n", n, got.n_plays,
		    (double)(cpu_us() - from) / 1000);
		forecast_done(&got);
	}
	sched_decisions_done(&d);
	sched_free(s);
	free(o.v);
	free(f.execs);
	free(f.keys);
	for (i = 0; i < LABELS; i++)
		strvec_done(&f.selectors[i]);
}

static void
bench_forecasts(void)
{
	bench_forecast(50);
	bench_forecast(300);
	bench_forecast(2000);
}

int
main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (strcmp(argv[i], "groups") == 0)
			bench_groups(10000);
		else if (strcmp(argv[i], "forecasts") == 0)
			bench_forecasts();
		else
			bench((uint32_t)strtoul(argv[i], NULL, 10));
	if (argc == 1) {
		bench(10000);
		bench(20000);
		bench(100000);
		bench(1000000);
		bench_groups(10000);
		bench_forecasts();
	}
	return 0;
}
