/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Locks, exclusions, targets, instances, and steps beside themselves. */
#include "config.h"

#include "kit.h"

static void
two(struct strvec *v, const char *a, const char *b)
{
	strvec_init(v);
	strvec_push(v, a);
	if (b != NULL)
		strvec_push(v, b);
}

/* SN2 and SN3: symmetric, whichever way it is written. */
static void
check_exclusion(const char *a, const char *b)
{
	struct sched_side x = { .pair = 0 }, y = { .pair = 0 };
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	kit_agent(&k, 0, "A", 2);
	spec_init(&p);
	p.pairs[0] = (struct sched_pair){ a, b };
	p.run.n_pairs = 1;
	x.a = strcmp(a, "X") == 0;
	x.b = !x.a;
	y.a = x.b;
	y.b = x.a;
	spec_terms(&p)->sides = &x;
	p.terms[0].n_sides = 1;
	spec_execs(&p, 1);
	spec_terms(&p)->sides = &y;
	p.terms[1].n_sides = 1;
	spec_execs(&p, 1);
	spec_terms(&p);
	spec_execs(&p, 1);
	run = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), 0);
	assert_int_equal(kit_sent(&k, run, 2), -1);
	assert_int_equal(kit_sent(&k, run, 3), 0);
	kit_started(&k, run, 1);
	assert_string_equal(kit_why(&k, run, 2), "exclusion");
	assert_true(kit_says(&k, run, 2, "exclusion", "X excludes Y"));
	assert_true(kit_says(&k, run, 2, "exclusion",
	    "held by r000000000a/1 on A"));
	kit_ended(&k, run, 1, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 2), 0);
	kit_done(&k);
}

static void
test_exclusion(void **state)
{
	check_exclusion("X", "Y");
	check_exclusion("Y", "X");
}

/* A pair of one test with itself keeps its rows apart. */
static void
test_exclusion_with_itself(void **state)
{
	struct sched_side both = { 0, true, true };
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	kit_agent(&k, 0, "A", 4);
	spec_init(&p);
	p.pairs[0] = (struct sched_pair){ "t", "t" };
	p.run.n_pairs = 1;
	spec_terms(&p)->sides = &both;
	p.terms[0].n_sides = 1;
	spec_execs(&p, 3);
	run = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 1);
	assert_string_equal(kit_why(&k, run, 2), "exclusion");
	kit_ended(&k, run, 1, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 2), 0);
	kit_done(&k);
}

/* SB1: the same step of two runs on one agent; DS1: rows do not exclude. */
static void
test_beside_itself(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t a, b;

	kit_init(&k);
	kit_agent(&k, 0, "A", 4);
	spec_init(&p);
	spec_terms(&p);
	spec_execs(&p, 2);
	a = kit_run(&k, &p);
	b = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, a, 1), 0);
	assert_int_equal(kit_sent(&k, a, 2), 0);
	assert_int_equal(kit_sent(&k, b, 1), -1);
	assert_string_equal(kit_why(&k, b, 1), "exclusion");
	assert_string_equal(kit_why(&k, b, 2), "exclusion");
	kit_ended(&k, a, 2, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, b, 1), -1);
	assert_int_equal(kit_sent(&k, b, 2), 0);
	kit_agent(&k, 1, "B", 1);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, b, 1), 1);
	p.terms[0].beside_itself = true;
	a = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 2);
	kit_done(&k);
}

/* TL1 */
static void
test_target_per_agent(void **state)
{
	uint32_t safari = 0, chrome = 1;
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	kit_agent(&k, 0, "A", 4);
	spec_init(&p);
	p.targets[0] = (struct sched_target){ .name = "safari",
		.max_per_agent = 1 };
	p.targets[1] = (struct sched_target){ .name = "chrome" };
	p.run.n_targets = 2;
	spec_terms(&p)->targets = &safari;
	spec_terms(&p)->targets = &chrome;
	p.terms[0].n_targets = p.terms[1].n_targets = 1;
	spec_execs(&p, 4);
	p.execs[0].terms = p.execs[2].terms = 0;
	run = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), 0);
	assert_int_equal(kit_sent(&k, run, 2), 0);
	assert_int_equal(kit_sent(&k, run, 3), -1);
	assert_int_equal(kit_sent(&k, run, 4), 0);
	assert_string_equal(kit_why(&k, run, 3), "target-limit");
	kit_ended(&k, run, 1, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 3), 0);
	kit_done(&k);
}

static void
test_target_over_fleet(void **state)
{
	uint32_t cloud = 0;
	struct spec p;
	struct kit k;
	uint32_t run, other;

	kit_init(&k);
	kit_agent(&k, 0, "A", 4);
	kit_agent(&k, 1, "B", 4);
	spec_init(&p);
	p.targets[0] = (struct sched_target){ .name = "cloud", .max = 3 };
	p.run.n_targets = 1;
	spec_terms(&p)->targets = &cloud;
	p.terms[0].n_targets = 1;
	spec_execs(&p, 5);
	run = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 3);
	assert_string_equal(kit_why(&k, run, 4), "target-limit");
	assert_true(kit_says(&k, run, 4, "target-limit", "3 of 3"));
	p.targets[0].max = 2;	/* another run is stricter: that counts */
	p.run.id = "r000000000b";
	other = kit_run(&k, &p);
	kit_ended(&k, run, 1, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 0);
	sched_run_remove(k.s, other);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 4), 0);
	kit_done(&k);
}

static void
test_instances(void **state)
{
	struct sched_agent a = kit_facts("A", 4), b = kit_facts("B", 4);
	struct sched_pool pool = { "pixel", NULL };
	struct strvec fleet, own;
	uint32_t pixel = 0;
	struct spec p;
	struct kit k;
	uint32_t run;

	two(&fleet, "emu-1", "emu-2");
	two(&own, "usb-7", NULL);
	kit_init(&k);
	sched_agent_set(k.s, 0, &a, k.now_us);
	spec_init(&p);
	p.targets[0] = (struct sched_target){ .name = "pixel",
		.instances = &fleet };
	p.run.n_targets = 1;
	spec_terms(&p)->targets = &pixel;
	p.terms[0].n_targets = 1;
	spec_execs(&p, 5);
	run = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 2);
	assert_string_equal(kit_find(&k, SCHED_SEND, run, 1)->instance,
	    "emu-1");
	assert_string_equal(kit_find(&k, SCHED_SEND, run, 2)->instance,
	    "emu-2");
	assert_string_equal(kit_why(&k, run, 3), "target-limit");
	pool.names = &own;
	b.pools = &pool;
	b.n_pools = 1;
	sched_agent_set(k.s, 1, &b, k.now_us);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 3), 1);
	assert_string_equal(sched_instance(k.s, run, 3, "pixel"), "usb-7");
	assert_null(sched_instance(k.s, run, 3, "other"));
	kit_ended(&k, run, 1, OUTCOME_PASSED);
	kit_decide(&k);
	assert_string_equal(sched_instance(k.s, run, 4, NULL), "emu-1");
	assert_string_equal(kit_why(&k, run, 5), "target-limit");
	kit_done(&k);
	strvec_done(&fleet);
	strvec_done(&own);
}

static void
test_lock_capacity_and_sharing(void **state)
{
	struct sched_hold one = { 0, 1, false }, all = { 0, 3, false };
	struct sched_hold read = { 0, 1, true };
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	kit_agent(&k, 0, "A", 10);
	spec_init(&p);
	p.locks[0] = (struct sched_lock){ .name = "db", .capacity = 3 };
	p.run.n_locks = 1;
	spec_terms(&p)->holds = &one;
	p.terms[0].n_holds = 1;
	spec_execs(&p, 4);		/* 1 to 4 take one unit */
	spec_terms(&p)->holds = &read;
	p.terms[1].n_holds = 1;
	spec_execs(&p, 2);		/* 5 and 6 share */
	spec_terms(&p)->holds = &all;
	p.terms[2].n_holds = 1;
	spec_execs(&p, 1);		/* 7 takes all */
	run = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 3);
	assert_string_equal(kit_why(&k, run, 4), "lock");
	assert_string_equal(kit_why(&k, run, 5), "lock");
	assert_true(kit_says(&k, run, 4, "lock", "db: 3 of 3 taken"));
	kit_ended(&k, run, 1, OUTCOME_PASSED);
	kit_ended(&k, run, 2, OUTCOME_PASSED);
	kit_ended(&k, run, 3, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 1);
	assert_int_equal(kit_sent(&k, run, 4), 0);
	kit_ended(&k, run, 4, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 5), 0);
	assert_int_equal(kit_sent(&k, run, 6), 0);
	assert_int_equal(kit_sent(&k, run, 7), -1);
	kit_ended(&k, run, 5, OUTCOME_PASSED);
	kit_ended(&k, run, 6, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 7), 0);
	kit_done(&k);
}

/* Two locks are taken together or not at all, over runs, and nothing that
 * needs one is sent to a queue. */
static void
test_locks_are_atomic_and_global(void **state)
{
	struct sched_hold ab[] = { { 0, 1, false }, { 1, 1, false } };
	struct sched_agent a = kit_facts("A", 4);
	struct spec p, q;
	struct kit k;
	uint32_t first, second;

	kit_init(&k);
	a.rtt_us = US_PER_S;
	sched_agent_set(k.s, 0, &a, k.now_us);
	spec_init(&p);
	p.locks[0].name = "a";
	p.locks[1].name = "b";
	p.run.n_locks = 2;
	spec_terms(&p)->holds = ab;
	p.terms[0].n_holds = 1;
	spec_execs(&p, 1);
	first = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, first, 1), 0);
	spec_init(&q);
	q.run.id = "r000000000b";
	q.locks[0].name = "b";
	q.locks[1].name = "a";
	q.run.n_locks = 2;
	spec_terms(&q)->holds = ab;
	q.terms[0].n_holds = 2;		/* b and a */
	spec_terms(&q)->holds = ab;
	q.terms[1].n_holds = 1;		/* b alone */
	spec_execs(&q, 2);
	q.execs[0].terms = 0;
	q.keys[0] = 5;
	q.keys[1] = 6;
	second = kit_run(&k, &q);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, second, 1), -1);
	assert_int_equal(kit_sent(&k, second, 2), 0);
	kit_ended(&k, first, 1, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, second, 1), -1);
	assert_string_equal(kit_why(&k, second, 1), "lock");
	kit_ended(&k, second, 2, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, second, 1), 0);
	kit_done(&k);
}

static void
test_lock_held_elsewhere(void **state)
{
	struct hold db = { .kind = HOLD_LOCK, .name = (char *)"db", .n = 1 };
	struct sched_elsewhere bob = { &db, SCHED_NONE, "bob@lab" };
	struct sched_hold one = { 0, 1, false };
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	kit_agent(&k, 0, "A", 4);
	spec_init(&p);
	p.locks[0].name = "db";
	p.run.n_locks = 1;
	spec_terms(&p)->holds = &one;
	p.terms[0].n_holds = 1;
	spec_execs(&p, 1);
	run = kit_run(&k, &p);
	sched_held_elsewhere(k.s, &bob, 1, k.now_us);
	kit_decide(&k);
	assert_int_equal(k.out.n, 0);
	assert_true(kit_says(&k, run, 1, "lock", "held by bob@lab"));
	sched_held_elsewhere(k.s, NULL, 0, k.now_us);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), 0);
	kit_done(&k);
}

/* One that needs all units is not starved by a stream of small ones. */
static void
test_lock_is_reserved(void **state)
{
	struct sched_hold one = { 0, 1, false }, all = { 0, 2, false };
	struct spec p;
	struct kit k;
	uint32_t small, big, i, n;

	kit_init(&k);
	kit_agent(&k, 0, "A", 10);
	spec_init(&p);
	p.locks[0] = (struct sched_lock){ .name = "db", .capacity = 2 };
	p.run.n_locks = 1;
	spec_terms(&p)->holds = &one;
	p.terms[0].n_holds = 1;
	p.terms[0].retries = UINT16_MAX;
	p.terms[0].retry_delay_us = 0;
	spec_execs(&p, 2);
	small = kit_run(&k, &p);
	kit_decide(&k);
	p.run.priority = 3;
	p.terms[0].holds = &all;
	p.run.n_execs = 1;
	p.keys[0] = 7;
	big = kit_run(&k, &p);
	for (i = 0; i < 400 && kit_state(&k, big, 1) == EXEC_WAITING; i++) {
		n = 1 + i % 2;
		if (kit_state(&k, small, n) == EXEC_ASSIGNED)
			kit_ended(&k, small, n, OUTCOME_FAILED);
		kit_decide(&k);
		if (i == 70)
			assert_string_equal(kit_why(&k, small, n),
			    "reserved");
	}
	assert_true(i > 60 && i < 80);
	kit_done(&k);
}

/* One that needs all workers is not starved by a stream of narrow ones. */
static void
test_wide_is_reserved(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t narrow, wide, i, n;

	kit_init(&k);
	kit_agent(&k, 0, "A", 2);
	spec_init(&p);
	spec_terms(&p)->retries = UINT16_MAX;
	p.terms[0].retry_delay_us = 0;
	spec_execs(&p, 2);
	narrow = kit_run(&k, &p);
	kit_decide(&k);
	p.run.priority = 3;
	p.terms[0].workers = 2;
	p.run.n_execs = 1;
	p.keys[0] = 7;
	wide = kit_run(&k, &p);
	for (i = 0; i < 400 && kit_state(&k, wide, 1) == EXEC_WAITING; i++) {
		n = 1 + i % 2;
		if (kit_state(&k, narrow, n) == EXEC_ASSIGNED)
			kit_ended(&k, narrow, n, OUTCOME_FAILED);
		kit_decide(&k);
	}
	assert_true(i > 60 && i < 80);
	kit_done(&k);
}

static void
test_max_parallel(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	kit_agent(&k, 0, "A", 10);
	spec_init(&p);
	p.run.max_parallel = 2;
	spec_terms(&p);
	spec_execs(&p, 5);
	run = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 2);
	assert_string_equal(kit_why(&k, run, 3), "plan-limit");
	kit_ended(&k, run, 1, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 1);
	assert_int_equal(sched_run_limits(k.s, run, 0, 0, k.now_us), 0);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 2);
	kit_done(&k);
}

static void
test_bad_indices_are_refused(void **state)
{
	struct sched_hold bad = { 1, 1, false };
	uint32_t node = 0, run;
	struct spec p;
	struct kit k;

	kit_init(&k);
	spec_init(&p);
	spec_terms(&p)->holds = &bad;
	p.terms[0].n_holds = 1;
	p.locks[0].name = "a";
	p.run.n_locks = 1;
	spec_execs(&p, 1);
	assert_true(sched_run_add(k.s, &p.run, 0, &run) < 0);
	bad.lock = 0;
	p.terms[0].needs = &node;
	p.terms[0].n_needs = 1;
	assert_true(sched_run_add(k.s, &p.run, 0, &run) < 0);
	p.terms[0].n_needs = 0;
	p.execs[0].terms = 1;
	assert_true(sched_run_add(k.s, &p.run, 0, &run) < 0);
	p.execs[0].terms = 0;
	assert_int_equal(sched_run_add(k.s, &p.run, 0, &run), 0);
	kit_done(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exclusion),
		cmocka_unit_test(test_exclusion_with_itself),
		cmocka_unit_test(test_beside_itself),
		cmocka_unit_test(test_target_per_agent),
		cmocka_unit_test(test_target_over_fleet),
		cmocka_unit_test(test_instances),
		cmocka_unit_test(test_lock_capacity_and_sharing),
		cmocka_unit_test(test_locks_are_atomic_and_global),
		cmocka_unit_test(test_lock_held_elsewhere),
		cmocka_unit_test(test_lock_is_reserved),
		cmocka_unit_test(test_wide_is_reserved),
		cmocka_unit_test(test_max_parallel),
		cmocka_unit_test(test_bad_indices_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
