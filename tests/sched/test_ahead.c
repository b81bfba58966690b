/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is sent ahead of a free worker, and what is not. */
#include "config.h"

#include "kit.h"

static void
test_prefetch_depth(void **state)
{
	struct sched_agent a = kit_facts("a", 2);
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	a.rtt_us = 100 * US_PER_MS;
	sched_agent_set(k.s, 0, &a, k.now_us);
	spec_init(&p);
	spec_terms(&p);
	spec_execs(&p, 20);
	run = kit_run(&k, &p);
	kit_decide(&k);		/* nothing known: a minute, so one ahead */
	assert_int_equal(kit_count(&k, SCHED_SEND), 3);
	assert_int_equal(kit_find(&k, SCHED_SEND, run, 3)->tier,
	    TIER_FEWEST_QUEUED);
	assert_int_equal(sched_ended(k.s, kit_id(&k, run, 1), OUTCOME_PASSED,
	    100 * US_PER_MS, k.now_us), SCHED_TAKEN);
	kit_decide(&k);		/* ceil(2 x 2 x 0.1 / 0.1) = 4 ahead */
	assert_int_equal(kit_count(&k, SCHED_SEND), 4);
	kit_done(&k);
}

static void
test_ahead_all(void **state)
{
	struct spec p;
	struct kit k;

	kit_init(&k);
	kit_agent(&k, 0, "a", 1);
	kit_agent(&k, 1, "b", 1);
	spec_init(&p);
	p.run.ahead = SCHED_AHEAD_ALL;
	spec_terms(&p);
	spec_execs(&p, 20);
	kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 20);
	kit_done(&k);
}

/* An agent with that many workers, far enough away to be sent one ahead. */
static void
far_agent(struct kit *k, uint32_t idx, uint32_t max)
{
	struct sched_agent a = kit_facts(idx == 0 ? "A" : "B", max);

	a.rtt_us = 100 * US_PER_MS;
	sched_agent_set(k->s, idx, &a, k->now_us);
}

/* One lock, which no execution takes yet, and terms that do. */
static void
lock_spec(struct spec *p)
{
	static const struct sched_hold db = { 0, 1, false };

	spec_init(p);
	p->locks[0] = (struct sched_lock){ "db", 1, false };
	p->run.n_locks = 1;
	spec_terms(p);
	spec_terms(p)->holds = &db;
	p->terms[1].n_holds = 1;
}

/* What takes a lock goes to a free worker only: what comes after it is not
 * sent ahead, or no worker would ever be free. */
static void
test_nothing_ahead_of_limited(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	far_agent(&k, 0, 1);
	lock_spec(&p);
	spec_execs(&p, 4);
	p.execs[0].terms = p.execs[2].terms = p.execs[3].terms = 0;
	run = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 1);
	assert_int_equal(kit_sent(&k, run, 1), 0);
	assert_string_equal(kit_why(&k, run, 2), "workers-busy");
	kit_started(&k, run, 1);
	kit_ended(&k, run, 1, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 2), 0);
	assert_int_equal(kit_sent(&k, run, 3), 0);	/* now it may */
	kit_done(&k);
}

/* Nor where the worker that is free next holds a lock that is waited for;
 * elsewhere it is, and there too when another worker is free before. */
static void
test_nothing_ahead_of_waiters(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	far_agent(&k, 0, 2);
	far_agent(&k, 1, 1);
	lock_spec(&p);
	spec_execs(&p, 6);
	p.execs[1].terms = p.execs[2].terms = p.execs[4].terms =
	    p.execs[5].terms = 0;
	p.execs[0].estimate_us = 20 * US_PER_S;
	p.execs[2].estimate_us = 30 * US_PER_S;
	run = kit_run(&k, &p);
	kit_decide(&k);		/* 1 and 3 on A, 2 on B; 4 waits for 1 */
	assert_int_equal(kit_sent(&k, run, 3), 0);
	assert_int_equal(kit_sent(&k, run, 5), 1);
	assert_int_equal(kit_sent(&k, run, 6), -1);
	kit_started(&k, run, 1);
	kit_started(&k, run, 2);
	kit_started(&k, run, 3);
	k.now_us += 20 * US_PER_S;
	kit_ended(&k, run, 1, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 4), 0);
	assert_int_equal(kit_sent(&k, run, 6), 0);
	kit_done(&k);
}

/* The same where the agent counts: one of a target at a time. */
static void
test_nothing_ahead_of_targets(void **state)
{
	static const uint32_t target;
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	far_agent(&k, 0, 2);
	spec_init(&p);
	p.targets[0] = (struct sched_target){ .name = "t",
		.max_per_agent = 1 };
	p.run.n_targets = 1;
	spec_terms(&p);
	spec_terms(&p)->targets = &target;
	p.terms[1].n_targets = 1;
	spec_execs(&p, 4);
	p.execs[2].terms = p.execs[3].terms = 0;
	p.execs[0].estimate_us = 20 * US_PER_S;
	p.execs[2].estimate_us = 30 * US_PER_S;
	run = kit_run(&k, &p);
	kit_decide(&k);		/* 1 and 3; 2 waits for 1 */
	assert_int_equal(kit_count(&k, SCHED_SEND), 2);
	assert_int_equal(kit_sent(&k, run, 3), 0);
	kit_started(&k, run, 1);
	kit_started(&k, run, 3);
	k.now_us += 20 * US_PER_S;
	kit_ended(&k, run, 1, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 2), 0);
	assert_int_equal(kit_sent(&k, run, 4), 0);
	kit_done(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prefetch_depth),
		cmocka_unit_test(test_ahead_all),
		cmocka_unit_test(test_nothing_ahead_of_limited),
		cmocka_unit_test(test_nothing_ahead_of_waiters),
		cmocka_unit_test(test_nothing_ahead_of_targets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
