/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Silence and loss, and what is found after it. */
#include "config.h"

#include "kit.h"

/* One agent A with n workers and one run of p. */
static uint32_t
begin(struct kit *k, const struct spec *p, uint32_t n)
{
	kit_init(k);
	kit_agent(k, 0, "A", n);
	return kit_run(k, p);
}

/* LK1: locks stay taken by the lost one; a retry without locks goes. */
static void
test_lost_keeps_locks(void **state)
{
	struct sched_hold db = { 0, 1, false };
	struct spec p;
	struct kit k;
	uint32_t run;

	spec_init(&p);
	p.locks[0].name = "db";
	p.run.n_locks = 1;
	spec_terms(&p)->holds = &db;
	p.terms[0].n_holds = 1;
	p.terms[0].lost_after_us = 60 * US_PER_S;
	spec_execs(&p, 1);
	spec_terms(&p)->lost_after_us = 60 * US_PER_S;
	spec_execs(&p, 1);
	run = begin(&k, &p, 2);
	kit_decide(&k);
	kit_started(&k, run, 1);
	kit_started(&k, run, 2);
	kit_agent(&k, 1, "B", 4);
	kit_link(&k, 0, "A", 2, false);
	kit_decide(&k);
	assert_int_equal(kit_state(&k, run, 1), EXEC_RUNNING);
	assert_string_equal(kit_why(&k, run, 1), "lost-grace");
	k.now_us += 59 * US_PER_S;
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_LOST), 0);
	k.now_us += 1 * US_PER_S;
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_LOST), 2);
	k.now_us += 2 * US_PER_S;
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 2), 1);
	assert_int_equal(kit_sent(&k, run, 1), -1);
	assert_string_equal(kit_why(&k, run, 1), "lock");
	assert_true(kit_says(&k, run, 1, "lock", "(lost) on A"));
	sched_agent_dead(k.s, 0, k.now_us);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), 1);
	kit_ended(&k, run, 1, OUTCOME_PASSED);
	kit_ended(&k, run, 2, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(sched_counts(k.s, run).n[EXEC_HEALED], 2);
	kit_done(&k);
}

/* Lost and found: current again, or ended when its successor was sent; and a
 * late result is never counted twice. */
static void
test_lost_and_found(void **state)
{
	struct sched_id one, two;
	struct spec p;
	struct kit k;
	uint32_t run;

	spec_init(&p);
	spec_terms(&p)->retry_delay_us = 30 * US_PER_S;
	spec_execs(&p, 2);
	run = begin(&k, &p, 2);
	kit_decide(&k);
	kit_started(&k, run, 1);
	kit_started(&k, run, 2);
	one = kit_id(&k, run, 1);
	two = kit_id(&k, run, 2);
	kit_link(&k, 0, "A", 2, false);
	kit_decide(&k);
	k.now_us += 120 * US_PER_S;
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_LOST), 2);
	kit_link(&k, 0, "A", 2, true);
	assert_int_equal(sched_started(k.s, one, 1, k.now_us), SCHED_TAKEN);
	assert_int_equal(kit_state(&k, run, 1), EXEC_RUNNING);
	kit_agent(&k, 1, "B", 1);
	k.now_us += 30 * US_PER_S;
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 2), 1);
	assert_int_equal(sched_started(k.s, two, 2, k.now_us), SCHED_LATE);
	kit_decide(&k);
	assert_non_null(kit_find(&k, SCHED_CANCEL, run, 2));
	assert_int_equal(kit_find(&k, SCHED_CANCEL, run, 2)->id.attempt, 1);
	assert_int_equal(sched_ended(k.s, two, OUTCOME_PASSED, 1, k.now_us),
	    SCHED_LATE);
	assert_int_equal(kit_state(&k, run, 2), EXEC_ASSIGNED);
	assert_int_equal(sched_ended(k.s, one, OUTCOME_PASSED, 1, k.now_us),
	    SCHED_TAKEN);
	assert_int_equal(sched_ended(k.s, one, OUTCOME_PASSED, 1, k.now_us),
	    SCHED_SAID);
	assert_int_equal(kit_state(&k, run, 1), EXEC_PASSED);
	kit_ended(&k, run, 2, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_state(&k, run, 2), EXEC_HEALED);
	kit_done(&k);
}

/* Reports come before the agent counts as up: what they make necessary is
 * asked then. */
static void
test_found_before_up(void **state)
{
	struct sched_id one, two;
	struct spec p;
	struct kit k;
	uint32_t run;

	spec_init(&p);
	spec_terms(&p);
	spec_execs(&p, 2);
	run = begin(&k, &p, 2);
	kit_decide(&k);
	kit_started(&k, run, 1);
	kit_started(&k, run, 2);
	one = kit_id(&k, run, 1);
	two = kit_id(&k, run, 2);
	kit_link(&k, 0, "A", 2, false);
	assert_int_equal(sched_exec_cancel(k.s, run, 2, k.now_us), 0);
	assert_int_equal(sched_exec_declare_lost(k.s, run, 1, k.now_us), 0);
	kit_agent(&k, 1, "B", 2);
	kit_decide(&k);
	k.now_us += 2 * US_PER_S;
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), 1);
	assert_int_equal(sched_started(k.s, one, 1, k.now_us), SCHED_LATE);
	sched_started(k.s, two, 2, k.now_us);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_CANCEL), 0);
	kit_link(&k, 0, "A", 2, true);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_CANCEL), 2);
	kit_done(&k);
}

/* What was asked while the link was down is asked when it is up again. */
static void
test_asked_while_silent(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run;

	spec_init(&p);
	p.run.ahead = 3;
	spec_terms(&p);
	spec_execs(&p, 4);
	run = begin(&k, &p, 1);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 4);
	kit_started(&k, run, 1);
	kit_link(&k, 0, "A", 1, false);
	kit_agent(&k, 1, "B", 1);
	assert_int_equal(sched_exec_cancel(k.s, run, 1, k.now_us), 0);
	assert_int_equal(sched_exec_hold(k.s, run, 2, "ann", k.now_us), 0);
	assert_int_equal(sched_exec_move(k.s, run, 3, 1, k.now_us), 0);
	kit_decide(&k);
	assert_int_equal(k.out.n, 0);
	kit_link(&k, 0, "A", 1, true);
	assert_int_equal(sched_started(k.s, kit_id(&k, run, 1), 1,
	    k.now_us), SCHED_SAID);
	assert_int_equal(sched_accepted(k.s, kit_id(&k, run, 2), k.now_us),
	    SCHED_TAKEN);
	assert_int_equal(sched_accepted(k.s, kit_id(&k, run, 3), k.now_us),
	    SCHED_TAKEN);
	sched_agent_synced(k.s, 0, run, k.now_us);	/* 4 never came */
	kit_decide(&k);
	assert_non_null(kit_find(&k, SCHED_CANCEL, run, 1));
	assert_non_null(kit_find(&k, SCHED_TAKE_BACK, run, 2));
	assert_non_null(kit_find(&k, SCHED_TAKE_BACK, run, 3));
	assert_int_equal(kit_sent(&k, run, 4), 1);
	kit_done(&k);
}

static void
test_not_repeatable(void **state)
{
	struct sched_id id;
	struct spec p;
	struct kit k;
	uint32_t run;

	spec_init(&p);
	spec_terms(&p)->repeatable = false;
	spec_execs(&p, 2);
	run = begin(&k, &p, 2);
	kit_decide(&k);
	kit_started(&k, run, 1);
	id = kit_id(&k, run, 1);
	kit_link(&k, 0, "A", 2, false);
	kit_decide(&k);
	assert_int_equal(sched_exec_declare_lost(k.s, run, 1, k.now_us), 0);
	kit_decide(&k);
	assert_int_equal(kit_state(&k, run, 1), EXEC_ERROR);
	kit_link(&k, 0, "A", 2, true);
	assert_int_equal(sched_ended(k.s, id, OUTCOME_PASSED, 1, k.now_us),
	    SCHED_LATE);
	sched_agent_synced(k.s, 0, run, k.now_us);
	kit_decide(&k);
	assert_int_equal(kit_state(&k, run, 1), EXEC_ERROR);
	assert_int_equal(kit_sent(&k, run, 2), 0);	/* never arrived */
	assert_int_equal(kit_id(&k, run, 2).attempt, 2);
	kit_done(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lost_keeps_locks),
		cmocka_unit_test(test_lost_and_found),
		cmocka_unit_test(test_found_before_up),
		cmocka_unit_test(test_asked_while_silent),
		cmocka_unit_test(test_not_repeatable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
