/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Deadlines: how many workers a run takes. */
#include "config.h"

#include "kit.h"

/* The fewest that still meet it, more when it gets late, all when it is. */
static void
test_deadline(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run, i;

	kit_init(&k);
	kit_agent(&k, 0, "A", 10);
	spec_init(&p);
	spec_terms(&p);
	spec_execs(&p, 20);
	for (i = 0; i < 20; i++)
		p.execs[i].estimate_us = 10 * US_PER_S;
	p.run.deadline_us = k.now_us + 120 * US_PER_S;
	run = kit_run(&k, &p);
	kit_decide(&k);		/* ten rounds of 10 s and a margin */
	assert_int_equal(kit_count(&k, SCHED_SEND), 2);
	assert_string_equal(kit_why(&k, run, 3), "plan-limit");
	assert_true(kit_says(&k, run, 3, "plan-limit",
	    "2 workers are enough to meet it, in 2m00s; 2 have work"));
	kit_started(&k, run, 1);
	kit_started(&k, run, 2);
	k.now_us += 20 * US_PER_S;
	kit_decide(&k);		/* it is slow: 18 of 15 s in 91 s */
	assert_int_equal(kit_count(&k, SCHED_SEND), 2);
	k.now_us += 80 * US_PER_S;
	kit_decide(&k);		/* it cannot be met: all */
	assert_int_equal(kit_count(&k, SCHED_SEND), 6);
	assert_string_equal(kit_why(&k, run, 20), "workers-busy");
	kit_done(&k);
}

/* Workers that one execution takes count each. */
static void
test_deadline_wide(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t i;

	kit_init(&k);
	kit_agent(&k, 0, "A", 10);
	spec_init(&p);
	spec_terms(&p)->workers = 2;
	spec_execs(&p, 8);
	for (i = 0; i < 8; i++)
		p.execs[i].estimate_us = 10 * US_PER_S;
	p.run.deadline_us = k.now_us + 50 * US_PER_S;
	kit_run(&k, &p);
	kit_decide(&k);		/* 160 s of work */
	assert_int_equal(kit_count(&k, SCHED_SEND), 2);
	kit_done(&k);
}

/* What nobody can predict takes all workers, until some of it has ended; then
 * the rest is taken to be like that. */
static void
test_deadline_unknown(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run, i;

	kit_init(&k);
	kit_agent(&k, 0, "A", 8);
	spec_init(&p);
	spec_terms(&p);
	spec_execs(&p, 40);
	for (i = 0; i < 10; i++)
		p.execs[i].estimate_us = US_PER_S;
	p.run.deadline_us = k.now_us + 600 * US_PER_S;
	run = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 8);
	for (i = 1; i <= 8; i++)
		kit_started(&k, run, i);
	k.now_us += 20 * US_PER_S;
	for (i = 1; i <= 8; i++)	/* of known length */
		kit_ended(&k, run, i, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 8);
	for (i = 9; i <= 16; i++)
		kit_started(&k, run, i);
	k.now_us += 20 * US_PER_S;
	for (i = 9; i <= 13; i++)
		assert_int_equal(sched_ended(k.s, kit_id(&k, run, i),
		    OUTCOME_PASSED, 20 * US_PER_S, k.now_us), SCHED_TAKEN);
	kit_decide(&k);		/* 27 of 20 s, and a doubt, in 560 s */
	assert_int_equal(kit_count(&k, SCHED_SEND), 0);
	assert_string_equal(kit_why(&k, run, 20), "plan-limit");
	kit_done(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_deadline_wide),
		cmocka_unit_test(test_deadline_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
