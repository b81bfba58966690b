/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Speed factors from tests that several agents ran, and the orders that
 * history gives. */
#include "kit.h"
#include "yardmaster/sched/speed.h"

#define MANY 400

static struct speed_sample v[MANY];
static uint32_t speeds[4];

/* Test t, of its own length, on an agent that takes percent of it. */
static size_t
ran(size_t n, uint32_t t, uint32_t agent, int64_t percent)
{
	v[n] = (struct speed_sample){ t, agent,
		(t % 7 + 1) * 100000 * percent / 100 };
	return n + 1;
}

static void
test_factors(void **state)
{
	uint32_t t;
	size_t n = 0;

	/* 0 takes double of 1; 2 shares only its neighbour's tests. */
	for (t = 0; t < 20; t++) {
		n = ran(n, t, 0, 200);
		n = ran(n, t, 1, 100);
	}
	for (t = 20; t < 40; t++) {
		n = ran(n, t, 1, 100);
		n = ran(n, t, 2, 50);
	}
	speed_learn(v, n, speeds, 3);
	assert_int_equal(speeds[0], 500);
	assert_int_equal(speeds[1], 1000);
	assert_int_equal(speeds[2], 2000);
}

static void
test_evidence_is_needed(void **state)
{
	uint32_t t;
	size_t n = 0;

	for (t = 0; t < SPEED_TESTS - 1; t++) {
		n = ran(n, t, 0, 200);
		n = ran(n, t, 1, 100);
	}
	for (; t < 40; t++)
		n = ran(n, t, t % 2, 100);	/* nobody else ran it */
	speed_learn(v, n, speeds, 2);
	assert_int_equal(speeds[0], 0);
	assert_int_equal(speeds[1], 0);
	speed_learn(v, 0, speeds, 0);
}

static void
test_robust(void **state)
{
	uint32_t t;
	size_t n = 0;

	/* A third of the tests went astray; noise of a few percent orders
	 * nobody; nothing is beyond the bounds. */
	for (t = 0; t < 30; t++) {
		n = ran(n, t, 0, t % 3 == 0 ? 5000 : 100 + t % 5);
		n = ran(n, t, 1, 102);
		n = ran(n, t, 2, 100000);
	}
	speed_learn(v, n, speeds, 3);
	assert_int_equal(speeds[0], speeds[1]);
	assert_int_equal(speeds[2], SPEED_MIN);
	for (t = 0, n = 0; t < 30; t++) {
		v[n++] = (struct speed_sample){ t, 0, 1000 };
		v[n++] = (struct speed_sample){ t, 1, 9000 };
	}
	speed_learn(v, n, speeds, 2);	/* too short to say anything */
	assert_int_equal(speeds[0], 0);
}

/* The likeliest to fail first, then the longest; the fastest idle agent. */
static void
test_order_and_place(void **state)
{
	struct sched_agent a = kit_facts("A", 1), b = kit_facts("B", 1);
	const struct sched_decision *d;
	struct sched_exec *x;
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	spec_init(&p);
	p.run.order = ORDER_FAILED;
	spec_terms(&p);
	x = spec_execs(&p, 4);
	x[0].fails = 45;
	x[1].fails = 500;
	x[1].estimate_us = US_PER_S;
	x[2].fails = 863;
	x[3].fails = 500;
	x[3].estimate_us = 2 * US_PER_S;
	run = kit_run(&k, &p);
	b.speed = 2000;
	sched_agent_set(k.s, 0, &a, k.now_us);
	sched_agent_set(k.s, 1, &b, k.now_us);
	kit_decide(&k);
	d = kit_find(&k, SCHED_SEND, run, 3);
	assert_non_null(d);
	assert_int_equal(d->agent, 1);
	d = kit_find(&k, SCHED_SEND, run, 4);
	assert_non_null(d);
	assert_int_equal(d->agent, 0);
	kit_done(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_factors),
		cmocka_unit_test(test_evidence_is_needed),
		cmocka_unit_test(test_robust),
		cmocka_unit_test(test_order_and_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
