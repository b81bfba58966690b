/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Attempts that are not acknowledged or not started in time. */
#include "config.h"

#include "kit.h"

#define IN_TIME_US (5 * US_PER_S)

/* One execution of that time on agents of one worker each; it is sent. */
static uint32_t
sent(struct kit *k, struct spec *p, uint32_t n_agents)
{
	static const char *const names[] = { "A", "B" };
	uint32_t i, run;

	kit_init(k);
	for (i = 0; i < n_agents; i++)
		kit_agent(k, i, names[i], 1);
	spec_init(p);
	spec_terms(p)->start_timeout_us = IN_TIME_US;
	spec_execs(p, 1);
	run = kit_run(k, p);
	kit_decide(k);
	assert_int_equal(kit_sent(k, run, 1), 0);
	return run;
}

static void
after(struct kit *k, int64_t us)
{
	k->now_us += us;
	kit_decide(k);
}

/* Not before, but then. */
static void
is_late_after(struct kit *k, uint32_t run, int64_t us)
{
	after(k, us - 1);
	assert_int_equal(k->out.n, 0);
	assert_int_equal(sched_next_us(k->s), k->now_us + 1);
	after(k, 1);
	assert_int_equal(k->out.n, 1);
	assert_non_null(kit_find(k, SCHED_TAKE_BACK, run, 1));
}

static void
give_back(struct kit *k, uint32_t run)
{
	assert_int_equal(sched_returned(k->s, kit_id(k, run, 1), false,
	    k->now_us), SCHED_TAKEN);
	kit_decide(k);
}

static void
test_not_acknowledged(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run = sent(&k, &p, 2);
	struct sched_view v;

	is_late_after(&k, run, IN_TIME_US);
	give_back(&k, run);
	assert_int_equal(kit_sent(&k, run, 1), 1);
	/* A says something of it after all: it counts no more. */
	assert_int_equal(sched_ended(k.s, (struct sched_id){ run, 1, 1 },
	    OUTCOME_FAILED, 1, k.now_us), SCHED_LATE);
	kit_ended(&k, run, 1, OUTCOME_PASSED);
	kit_decide(&k);
	sched_exec_view(k.s, run, 1, &v);
	assert_int_equal(v.state, EXEC_PASSED);
	assert_int_equal(v.attempt, 2);
	assert_int_equal(v.failures + v.errors, 0);
	kit_done(&k);
}

static void
test_not_started(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run = sent(&k, &p, 2);

	sched_accepted(k.s, kit_id(&k, run, 1), k.now_us);
	is_late_after(&k, run, IN_TIME_US);
	give_back(&k, run);
	assert_int_equal(kit_sent(&k, run, 1), 1);
	kit_done(&k);
}

static void
test_there_again_when_nowhere_else(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run = sent(&k, &p, 1);

	is_late_after(&k, run, IN_TIME_US);
	give_back(&k, run);
	assert_int_equal(kit_sent(&k, run, 1), 0);
	is_late_after(&k, run, IN_TIME_US);
	kit_done(&k);
}

static void
test_started_meanwhile(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run = sent(&k, &p, 2);

	is_late_after(&k, run, IN_TIME_US);
	assert_int_equal(sched_kept(k.s, kit_id(&k, run, 1), k.now_us),
	    SCHED_TAKEN);
	after(&k, 0);
	assert_int_equal(k.out.n, 0);
	/* It only said so: the time runs again. */
	is_late_after(&k, run, IN_TIME_US);
	kit_started(&k, run, 1);
	after(&k, 10 * IN_TIME_US);
	assert_int_equal(k.out.n, 0);
	kit_ended(&k, run, 1, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_state(&k, run, 1), EXEC_PASSED);
	kit_done(&k);
}

static void
test_not_while_it_could_not_start(void **state)
{
	struct sched_agent a = kit_facts("A", 1);
	struct spec p;
	struct kit k;
	uint32_t run = sent(&k, &p, 1);

	sched_accepted(k.s, kit_id(&k, run, 1), k.now_us);
	a.held = true;
	sched_agent_set(k.s, 0, &a, k.now_us);
	after(&k, 3 * IN_TIME_US);
	assert_int_equal(k.out.n, 0);
	a.held = false;
	sched_agent_set(k.s, 0, &a, k.now_us);
	kit_decide(&k);
	assert_int_equal(k.out.n, 0);
	is_late_after(&k, run, IN_TIME_US);
	kit_done(&k);
}

static void
test_not_while_it_is_prepared(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run = sent(&k, &p, 1);

	sched_preparing(k.s, kit_id(&k, run, 1), true, k.now_us);
	after(&k, 3 * IN_TIME_US);
	assert_int_equal(k.out.n, 0);
	sched_preparing(k.s, kit_id(&k, run, 1), false, k.now_us);
	is_late_after(&k, run, IN_TIME_US);
	kit_done(&k);
}

/* One that was lost and is found in the queue is watched as before. */
static void
test_found_again(void **state)
{
	struct sched_agent a = kit_facts("A", 1);
	struct spec p;
	struct kit k;
	uint32_t run = sent(&k, &p, 1);

	sched_accepted(k.s, kit_id(&k, run, 1), k.now_us);
	a.up = false;
	sched_agent_set(k.s, 0, &a, k.now_us);
	after(&k, 130 * US_PER_S);
	assert_int_equal(kit_count(&k, SCHED_LOST), 1);
	a.up = true;
	assert_int_equal(sched_accepted(k.s, kit_id(&k, run, 1), k.now_us),
	    SCHED_TAKEN);
	sched_agent_set(k.s, 0, &a, k.now_us);
	kit_decide(&k);
	is_late_after(&k, run, IN_TIME_US);
	kit_done(&k);
}

/* What waits in a queue is not late, however long that is. */
static void
test_not_what_is_queued(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	kit_agent(&k, 0, "A", 1);
	spec_init(&p);
	spec_terms(&p)->start_timeout_us = IN_TIME_US;
	spec_execs(&p, 2);
	p.run.ahead = 1;
	run = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 2), 0);
	kit_started(&k, run, 1);
	sched_accepted(k.s, kit_id(&k, run, 2), k.now_us);
	after(&k, 10 * IN_TIME_US);
	assert_int_equal(k.out.n, 0);
	kit_done(&k);
}

/* The earliest counts, whichever was sent first. */
static void
test_shorter_after_longer(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	kit_agent(&k, 0, "A", 2);
	spec_init(&p);
	spec_terms(&p)->start_timeout_us = 10 * IN_TIME_US;
	spec_execs(&p, 1);
	spec_terms(&p)->start_timeout_us = IN_TIME_US;
	spec_execs(&p, 1);
	run = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 2);
	after(&k, IN_TIME_US);
	assert_int_equal(k.out.n, 1);
	assert_non_null(kit_find(&k, SCHED_TAKE_BACK, run, 2));
	after(&k, 9 * IN_TIME_US);
	assert_int_equal(k.out.n, 1);
	assert_non_null(kit_find(&k, SCHED_TAKE_BACK, run, 1));
	kit_done(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_not_acknowledged),
		cmocka_unit_test(test_not_started),
		cmocka_unit_test(test_there_again_when_nowhere_else),
		cmocka_unit_test(test_started_meanwhile),
		cmocka_unit_test(test_not_while_it_could_not_start),
		cmocka_unit_test(test_not_while_it_is_prepared),
		cmocka_unit_test(test_found_again),
		cmocka_unit_test(test_not_what_is_queued),
		cmocka_unit_test(test_shorter_after_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
