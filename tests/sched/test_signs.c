/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is said of a cure, in runs of real suites: at some instant of each it
 * is asked what a change would do, by what is predicted and by how long all
 * really takes, and the signs are compared.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "kit.h"
#include "suites.h"
#include "../lib/check.h"
#include "yardmaster/sched/forecast.h"

#define SEEDS 1
#define RIGHT 95		/* per cent */
#define SURE_RIGHT 98		/* of what is said without a doubt */

static const struct suite_fleet fleets[] = {
	{ "4 x 2", 4, { 2, 2, 2, 2 }, { 1000, 1000, 1000, 1000 } },
	{ "4 x 8", 4, { 8, 8, 8, 8 }, { 1000, 1000, 1000, 1000 } },
	{ "4 x 2, speeds 0.5 1 1.5 2", 4, { 2, 2, 2, 2 },
	    { 500, 1000, 1500, 2000 } },
};

/* What an operator may do to an agent, or to the run. */
static const struct remedy {
	const char *name;
	int workers;		/* that many more on one agent */
	uint32_t parts;		/* max workers times this... */
	uint32_t of;		/* ... by this */
	bool drain, skip;
	uint32_t parallel;	/* of ten of all workers; 0: no such limit */
} cures[] = {
	{ "a worker more", .workers = 1 },
	{ "a worker less", .workers = -1 },
	{ "twice the workers", .parts = 2, .of = 1 },
	{ "half the workers", .parts = 1, .of = 2 },
	{ "a drain", .drain = true },
	{ "at most nine tenths at once", .parallel = 9 },
	{ "at most half at once", .parallel = 5 },
	{ "a skip", .skip = true },
};

#define N_CURES (sizeof(cures) / sizeof(cures[0]))

struct tally {
	uint32_t all, right, equal, sure, sure_right;
};

struct trial {
	struct suite suite;
	const struct suite_fleet *fleet;
	const struct remedy *cure;
	uint32_t agent, exec;
	int64_t now_us;
	struct tally *of;	/* by cure */
	int64_t end_us;		/* when it would end without any */
};

static uint32_t
new_max(const struct trial *t)
{
	const struct remedy *c = t->cure;
	uint32_t max = t->fleet->workers[t->agent];

	return c->of > 0 ? max * c->parts / c->of :
	    (uint32_t)((int)max + c->workers);
}

static void
change(void *arg, struct sched *s)
{
	static const char *const names[] = { "a", "b", "c", "d" };
	const struct trial *t = arg;
	const struct suite_fleet *f = t->fleet;
	struct sched_agent a;
	uint32_t i, all = 0;

	for (i = 0; i < f->n; i++)
		all += f->workers[i];
	if (t->cure->parallel > 0) {
		sched_run_limits(s, 0, all * t->cure->parallel / 10, 0,
		    t->now_us);
	} else if (t->cure->skip) {
		(void)sched_exec_skip(s, 0, t->exec, t->now_us);
	} else {
		a = (struct sched_agent){ .name = names[t->agent], .up = true,
			.max_workers = new_max(t), .threshold = new_max(t),
			.rtt_us = SUITES_RTT_US,
			.speed = f->speed[t->agent],
			.draining = t->cure->drain };
		sched_agent_set(s, t->agent, &a, t->now_us);
	}
}

static int64_t
truth(void *arg, uint32_t run, uint32_t exec)
{
	const struct trial *t = arg;

	return t->suite.us[exec - 1];
}

static struct effect
asked(struct trial *t, const struct sched *s, bool real)
{
	struct forecast_opts o = { .now_us = t->now_us,
		.length_us = real ? truth : NULL, .length_arg = t };
	struct forecast without, with;
	struct effect e;

	assert_int_equal(sched_forecast(s, &o, &without), 0);
	o.change = change;
	o.change_arg = t;
	assert_int_equal(sched_forecast(s, &o, &with), 0);
	forecast_effect(&without, &with, 0, t->now_us, &e);
	forecast_done(&without);
	forecast_done(&with);
	return e;
}

static void
probe(void *arg, const struct sched *s, int64_t now_us)
{
	struct trial *t = arg;
	struct effect said, came;
	struct tally *to;
	size_t i;

	t->now_us = now_us;
	for (t->exec = 1; t->exec < t->suite.n && sched_exec_state(s, 0,
	    t->exec) != EXEC_WAITING; t->exec++)
		;
	for (i = 0; i < N_CURES; i++) {
		t->cure = &cures[i];
		to = &t->of[i];
		said = asked(t, s, false);
		came = asked(t, s, true);
		to->all++;
		to->equal += came.sign == 0;
		to->right += said.sign == came.sign;
		to->sure += said.sure;
		to->sure_right += said.sure && said.sign == came.sign;
	}
}

/* A copy of a run goes on as the run itself does. */
static void
ask_end(void *arg, const struct sched *s, int64_t now_us)
{
	struct trial *t = arg;
	struct forecast_opts o = { .now_us = now_us, .length_us = truth,
		.length_arg = t };
	struct forecast f;

	assert_int_equal(sched_forecast(s, &o, &f), 0);
	t->end_us = f.plays[0].runs[0].end_us;
	forecast_done(&f);
}

/* A run of it, asked at quarter, half and three quarters of its time. */
static int64_t
run_asked(struct suite_try *try, int64_t at_us)
{
	struct sim_result res;
	int64_t end_us;

	try->probe_us = at_us;
	suite_run(try, &res);
	end_us = res.makespan_us;
	sim_result_done(&res);
	return end_us;
}

static void
ask_at(struct trial *t, uint64_t seed)
{
	struct suite_try try = { .suite = &t->suite, .fleet = t->fleet,
		.seed = seed, .told = true, .probe = probe, .arg = t };
	int64_t end_us = run_asked(&try, 0);
	int quarter;

	for (quarter = 1; quarter <= 3; quarter++) {
		t->agent = (uint32_t)((uint64_t)quarter + seed) % t->fleet->n;
		(void)run_asked(&try, end_us * quarter / 4);
	}
}

static void
judge(const struct tally *of)
{
	struct tally all = { 0 };
	size_t i;

	for (i = 0; i < N_CURES; i++) {
		print_message("# %s: sign right in %u of %u (equal: %u)\n",
		    cures[i].name, of[i].right, of[i].all, of[i].equal);
		all.all += of[i].all;
		all.right += of[i].right;
		all.equal += of[i].equal;
		all.sure += of[i].sure;
		all.sure_right += of[i].sure_right;
	}
	print_message("# real suites: sign right in %.1f%% of %u; always "
	    "saying equal: %.1f%%; without a doubt, %u of them: %.1f%%\n",
	    100.0 * all.right / all.all, all.all, 100.0 * all.equal / all.all,
	    all.sure, 100.0 * all.sure_right / all.sure);
	assert_true(all.right * 100 >= all.all * RIGHT);
	assert_true(all.sure_right * 100 >= all.sure * SURE_RIGHT);
}

static void
each_run(struct trial *t, void (*ask)(struct trial *t, uint64_t seed))
{
	size_t fleet, n = sizeof(fleets) / sizeof(fleets[0]);
	uint64_t seed;
	size_t i;

	for (i = 0; suites_real[i] != NULL; i++) {
		assert_true(suite_load(&t->suite, suites_real[i]));
		for (fleet = 0; fleet < n; fleet++)
			for (seed = 1; seed <= SEEDS; seed++) {
				t->fleet = &fleets[fleet];
				ask(t, seed);
			}
		suite_done(&t->suite);
	}
}

static void
test_signs_of_real_suites(void **state)
{
	struct tally of[N_CURES] = { { 0 } };
	struct trial t = { .of = of };

	each_run(&t, ask_at);
	judge(of);
}

static void
end_at_half_time(struct trial *t, uint64_t seed)
{
	struct suite_try try = { .suite = &t->suite, .fleet = t->fleet,
		.seed = seed, .told = true, .probe = ask_end, .arg = t };
	int64_t end_us = run_asked(&try, 0);

	(void)run_asked(&try, end_us / 2);
	print_message("# %s, %s: ends at %.1f s, a copy of its half at "
	    "%.1f s\n", t->suite.name, t->fleet->name, (double)end_us /
	    US_PER_S, (double)t->end_us / US_PER_S);
	assert_true(llabs(t->end_us - end_us) * 1000 <= end_us);
}

static void
test_a_copy_goes_on_as_the_run(void **state)
{
	struct trial t = { .of = NULL };

	each_run(&t, end_at_half_time);
}

int
main(void)
{
	struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_copy_goes_on_as_the_run),
		cmocka_unit_test(test_signs_of_real_suites),
	};

	if (under_valgrind()) {
		print_message("# left out: test_signs_of_real_suites\n");
		tests[1].name = NULL;
	}

	return cmocka_run_group_tests(tests, NULL, NULL);
}
