/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Retries, needs, halts, resuming, what operators do. */
#include "config.h"

#include "kit.h"
#include "yardmaster/base/err.h"

/* One agent A with n workers and one run of p. */
static uint32_t
begin(struct kit *k, const struct spec *p, uint32_t n)
{
	kit_init(k);
	kit_agent(k, 0, "A", n);
	return kit_run(k, p);
}

static void
test_budgets_are_apart(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run;

	spec_init(&p);
	spec_terms(&p)->retries = 1;
	p.terms[0].error_retries = 2;
	p.terms[0].retry_delay_us = 0;
	spec_execs(&p, 2);
	run = begin(&k, &p, 2);
	kit_decide(&k);
	kit_ended(&k, run, 1, OUTCOME_FAILED);
	kit_decide(&k);
	kit_ended(&k, run, 1, OUTCOME_ERROR);
	kit_decide(&k);
	kit_ended(&k, run, 1, OUTCOME_ERROR);
	kit_decide(&k);
	kit_ended(&k, run, 1, OUTCOME_PASSED);	/* any pass heals */
	kit_decide(&k);
	assert_int_equal(kit_state(&k, run, 1), EXEC_HEALED);
	kit_ended(&k, run, 2, OUTCOME_TIMEOUT);
	kit_decide(&k);
	kit_ended(&k, run, 2, OUTCOME_FAILED);
	kit_decide(&k);
	assert_int_equal(kit_state(&k, run, 2), EXEC_FAILED);
	assert_int_equal(kit_find(&k, SCHED_FINAL, run, 2)->state,
	    EXEC_FAILED);
	assert_int_equal(kit_count(&k, SCHED_RUN_ENDED), 1);
	assert_true(sched_run_ended(k.s, run));
	kit_done(&k);
}

static void
test_delay_and_other_agent(void **state)
{
	const struct sched_decision *d;
	struct spec p;
	struct kit k;
	uint32_t run;

	spec_init(&p);
	spec_terms(&p)->retries = 3;
	p.terms[0].retry_delay_us = 5 * US_PER_S;
	spec_execs(&p, 1);
	run = begin(&k, &p, 1);
	kit_agent(&k, 1, "B", 1);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), 0);
	kit_ended(&k, run, 1, OUTCOME_FAILED);
	kit_decide(&k);
	d = kit_find(&k, SCHED_WAIT, run, 1);
	assert_non_null(d);
	assert_int_equal(d->at_us, k.now_us + 5 * US_PER_S);
	assert_int_equal(d->cause, REASON_RETRY_DELAY);
	assert_string_equal(kit_why(&k, run, 1), "retry-delay");
	assert_int_equal(sched_next_start(k.s, run, 1, k.now_us), d->at_us);
	assert_int_equal(sched_next_us(k.s), k.now_us + 5 * US_PER_S);
	k.now_us += 5 * US_PER_S;
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), 1);
	kit_ended(&k, run, 1, OUTCOME_FAILED);
	assert_int_equal(sched_exec_start_now(k.s, run, 1, k.now_us), 0);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), 0);
	kit_link(&k, 1, "B", 1, false);	/* no other agent is left */
	kit_ended(&k, run, 1, OUTCOME_FAILED);
	assert_int_equal(sched_exec_start_now(k.s, run, 1, k.now_us), 0);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), 0);
	kit_done(&k);
}

/* It waits for the other agent, and goes back when that one leaves. */
static void
test_avoided_agent_is_better_than_none(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run;

	spec_init(&p);
	spec_terms(&p)->retries = 1;
	p.terms[0].retry_delay_us = 0;
	spec_execs(&p, 2);
	run = begin(&k, &p, 1);
	kit_agent(&k, 1, "B", 1);
	kit_decide(&k);
	kit_ended(&k, run, 1, OUTCOME_FAILED);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), -1);
	assert_true(strcmp(kit_why(&k, run, 1), "none") != 0);
	kit_link(&k, 1, "B", 1, false);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), 0);
	kit_done(&k);
}

/* Where it failed is remembered while it waits on another agent: a free
 * worker there does not take it, nor does it go there when given back. */
static void
test_avoided_agent_takes_nothing_back(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run;

	spec_init(&p);
	p.run.ahead = 1;
	spec_terms(&p)->retries = 1;
	p.terms[0].retry_delay_us = 0;
	spec_execs(&p, 2);
	run = begin(&k, &p, 1);
	kit_agent(&k, 1, "B", 1);
	kit_decide(&k);
	kit_started(&k, run, 1);
	kit_started(&k, run, 2);
	kit_ended(&k, run, 1, OUTCOME_FAILED);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), 1);
	assert_int_equal(kit_count(&k, SCHED_TAKE_BACK), 0);
	sched_returned(k.s, kit_id(&k, run, 1), false, k.now_us);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), 1);
	kit_ended(&k, run, 2, OUTCOME_PASSED);
	kit_ended(&k, run, 1, OUTCOME_PASSED);
	kit_done(&k);
}

/* 1 needs nothing, 2 needs 1, 3 needs 2, 4 runs whatever 1 came to. */
static void
needs_spec(struct spec *p, uint32_t nodes[2])
{
	static const uint32_t first = 0, second = 1;

	spec_init(p);
	nodes[0] = first;
	nodes[1] = second;
	p->lists[0] = (struct sched_list){ &first, 1 };
	p->lists[1] = (struct sched_list){ &second, 1 };
	p->run.n_lists = p->run.n_nodes = 2;
	spec_terms(p);
	spec_execs(p, 1)->member = 0;
	spec_terms(p)->needs = &first;
	spec_execs(p, 1)->member = 1;
	spec_terms(p)->needs = &second;
	spec_execs(p, 1);
	spec_terms(p)->needs = &first;
	spec_execs(p, 1);
	p->terms[1].n_needs = p->terms[2].n_needs = p->terms[3].n_needs = 1;
	p->terms[3].needs_any_result = true;
}

static void
test_needs(void **state)
{
	uint32_t nodes[2], run;
	struct spec p;
	struct kit k;

	needs_spec(&p, nodes);
	run = begin(&k, &p, 4);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 1);
	assert_string_equal(kit_why(&k, run, 2), "needs");
	assert_true(kit_says(&k, run, 2, "needs", "0 of 1 ended"));
	assert_true(kit_says(&k, run, 2, "needs", "r000000000a/1"));
	kit_ended(&k, run, 1, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 2), 0);
	assert_int_equal(kit_sent(&k, run, 4), 0);
	assert_int_equal(kit_sent(&k, run, 3), -1);
	kit_ended(&k, run, 2, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 3), 0);
	kit_done(&k);
}

static void
test_needs_failed(void **state)
{
	uint32_t nodes[2], run;
	struct spec p;
	struct kit k;

	needs_spec(&p, nodes);
	run = begin(&k, &p, 4);
	kit_decide(&k);
	kit_ended(&k, run, 1, OUTCOME_FAILED);
	kit_decide(&k);
	assert_int_equal(kit_state(&k, run, 2), EXEC_SKIPPED);
	assert_int_equal(kit_state(&k, run, 3), EXEC_SKIPPED);
	assert_int_equal(kit_find(&k, SCHED_FINAL, run, 3)->cause,
	    REASON_NEEDS_FAILED);
	assert_string_equal(kit_why(&k, run, 2), "needs-failed");
	assert_true(kit_says(&k, run, 2, "needs-failed",
	    "r000000000a/1 ended as failed"));
	assert_int_equal(kit_sent(&k, run, 4), 0);
	assert_int_equal(sched_exec_run_anyway(k.s, run, 2, k.now_us), 0);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 2), 0);
	kit_ended(&k, run, 2, OUTCOME_PASSED);
	kit_ended(&k, run, 4, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_RUN_ENDED), 1);
	assert_int_equal(sched_exec_run_anyway(k.s, run, 3, k.now_us),
	    ERR_STATE);
	kit_done(&k);
}

static void
test_halt(void **state)
{
	struct sched_agent a = kit_facts("A", 2);
	struct counts c;
	struct spec p;
	struct kit k;
	uint32_t run;

	spec_init(&p);
	p.run.max_failures = 1;
	p.run.ahead = 1;
	spec_terms(&p)->retries = 1;
	p.terms[0].retry_delay_us = 0;
	spec_execs(&p, 5);
	kit_init(&k);
	sched_agent_set(k.s, 0, &a, k.now_us);
	run = kit_run(&k, &p);
	kit_decide(&k);
	kit_started(&k, run, 1);
	kit_started(&k, run, 2);
	kit_ended(&k, run, 1, OUTCOME_FAILED);
	kit_started(&k, run, 3);
	kit_decide(&k);
	kit_ended(&k, run, 3, OUTCOME_FAILED);
	kit_started(&k, run, 1);
	kit_decide(&k);
	kit_ended(&k, run, 1, OUTCOME_FAILED);
	kit_decide(&k);
	c = sched_counts(k.s, run);
	assert_int_equal(c.n[EXEC_FAILED], 1);
	assert_true(c.n[EXEC_SKIPPED] >= 1);
	assert_string_equal(kit_why(&k, run, 5), "halted");
	assert_true(kit_says(&k, run, 5, "halted", "limit of 1"));
	assert_true(kit_count(&k, SCHED_TAKE_BACK) >= 1);
	assert_int_equal(sched_run_limits(k.s, run, 0, 9, k.now_us), 0);
	kit_decide(&k);
	assert_int_equal(kit_state(&k, run, 5) == EXEC_SKIPPED, 0);
	kit_done(&k);
}

static void
test_stop_ends_the_run(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run;

	spec_init(&p);
	spec_terms(&p)->stop = true;
	spec_execs(&p, 4);
	run = begin(&k, &p, 2);
	kit_decide(&k);
	kit_ended(&k, run, 1, OUTCOME_ERROR);
	kit_decide(&k);
	k.now_us += 2 * US_PER_S;
	kit_ended(&k, run, 3, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), 0);
	kit_ended(&k, run, 1, OUTCOME_FAILED);
	kit_decide(&k);
	assert_int_equal(kit_state(&k, run, 4), EXEC_SKIPPED);
	assert_int_equal(kit_state(&k, run, 2), EXEC_ASSIGNED);
	kit_ended(&k, run, 2, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_RUN_ENDED), 1);
	kit_done(&k);
}

static void
test_resume(void **state)
{
	struct counts c;
	struct spec p;
	struct kit k;
	uint32_t run;

	spec_init(&p);
	spec_terms(&p)->retries = 1;
	spec_execs(&p, 6);
	p.execs[0].state = EXEC_PASSED;
	p.execs[0].attempt = 1;
	p.execs[1].state = EXEC_RUNNING;
	p.execs[1].attempt = 2;
	p.execs[1].worker = 1;
	p.execs[1].failures = 1;
	p.execs[2].state = EXEC_ASSIGNED;
	p.execs[2].attempt = 1;
	p.execs[3].attempt = 1;
	p.execs[3].failures = 1;
	p.execs[4].state = EXEC_RUNNING;
	p.execs[4].attempt = 1;
	p.execs[4].agent = SCHED_NONE;	/* no such agent any more */
	run = begin(&k, &p, 4);
	kit_decide(&k);
	c = sched_counts(k.s, run);
	assert_int_equal(counts_total(&c), 6);
	assert_int_equal(c.n[EXEC_PASSED], 1);
	assert_int_equal(c.n[EXEC_RUNNING], 1);
	assert_non_null(kit_find(&k, SCHED_LOST, run, 5));
	assert_string_equal(kit_why(&k, run, 2), "lost-grace");
	assert_int_equal(kit_sent(&k, run, 4), 0);
	assert_int_equal(kit_id(&k, run, 4).attempt, 2);
	assert_int_equal(kit_sent(&k, run, 6), 0);
	assert_int_equal(sched_started(k.s, kit_id(&k, run, 2), 1,
	    k.now_us), SCHED_SAID);
	sched_agent_synced(k.s, 0, run, k.now_us);
	k.now_us += 2 * US_PER_S;
	kit_decide(&k);
	assert_int_equal(kit_id(&k, run, 3).attempt, 2);
	kit_ended(&k, run, 2, OUTCOME_PASSED);
	assert_int_equal(kit_state(&k, run, 2), EXEC_HEALED);
	kit_done(&k);
}

static void
test_hold_and_cancel(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run;

	spec_init(&p);
	spec_terms(&p);
	spec_execs(&p, 4);
	run = begin(&k, &p, 1);
	assert_int_equal(sched_exec_hold(k.s, run, 2, "ann: why", k.now_us),
	    0);
	kit_decide(&k);
	kit_started(&k, run, 1);
	assert_string_equal(kit_why(&k, run, 2), "held");
	assert_true(kit_says(&k, run, 2, "held", "ann: why"));
	assert_int_equal(sched_run_hold(k.s, run, "bob", k.now_us), 0);
	kit_ended(&k, run, 1, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 0);
	assert_string_equal(kit_why(&k, run, 3), "run-held");
	assert_int_equal(sched_run_hold(k.s, run, NULL, k.now_us), 0);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 3), 0);
	kit_started(&k, run, 3);
	assert_int_equal(sched_exec_hold(k.s, run, 2, NULL, k.now_us), 0);
	assert_int_equal(sched_exec_cancel(k.s, run, 2, k.now_us), 0);
	assert_int_equal(kit_state(&k, run, 2), EXEC_CANCELLED);
	assert_int_equal(sched_exec_cancel(k.s, run, 2, k.now_us),
	    ERR_STATE);
	assert_int_equal(sched_run_cancel(k.s, run, k.now_us), 0);
	kit_decide(&k);
	assert_non_null(kit_find(&k, SCHED_CANCEL, run, 3));
	assert_int_equal(kit_state(&k, run, 4), EXEC_CANCELLED);
	kit_ended(&k, run, 3, OUTCOME_CANCELLED);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_RUN_ENDED), 1);
	assert_int_equal(sched_exec_cancel(k.s, run, 9, k.now_us),
	    ERR_NOT_FOUND);
	kit_done(&k);
}

static void
test_setup(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run;

	spec_init(&p);
	spec_terms(&p);
	spec_execs(&p, 2);
	run = begin(&k, &p, 1);
	assert_int_equal(sched_run_setup(k.s, run, "packing", k.now_us), 0);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 0);
	assert_string_equal(kit_why(&k, run, 1), "setup");
	assert_int_equal(sched_run_setup(k.s, run, "nearly", k.now_us), 0);
	assert_true(kit_says(&k, run, 2, "setup", "nearly"));
	/* Nobody releases that, and a hold beside it stays one. */
	assert_int_equal(sched_run_hold(k.s, run, "bob", k.now_us), 0);
	assert_string_equal(kit_why(&k, run, 1), "run-held");
	assert_int_equal(sched_run_hold(k.s, run, NULL, k.now_us), 0);
	assert_int_equal(sched_exec_cancel(k.s, run, 1, k.now_us), 0);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 0);
	assert_int_equal(sched_run_setup(k.s, run, NULL, k.now_us), 0);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 2), 0);
	assert_int_equal(sched_run_setup(k.s, run + 1, NULL, k.now_us),
	    ERR_NOT_FOUND);
	kit_done(&k);
}

static void
test_requeue_and_move(void **state)
{
	const struct sched_decision *d;
	struct spec p;
	struct kit k;
	uint32_t run;

	spec_init(&p);
	spec_terms(&p);
	spec_execs(&p, 2);
	run = begin(&k, &p, 1);
	kit_agent(&k, 1, "B", 1);
	kit_decide(&k);
	kit_started(&k, run, 1);
	kit_started(&k, run, 2);
	assert_int_equal(sched_exec_move(k.s, run, 1, 1, k.now_us),
	    ERR_STATE);
	assert_int_equal(sched_exec_requeue(k.s, run, 1, k.now_us), 0);
	kit_decide(&k);
	assert_non_null(kit_find(&k, SCHED_CANCEL, run, 1));
	kit_ended(&k, run, 1, OUTCOME_CANCELLED);
	kit_decide(&k);
	assert_int_equal(kit_state(&k, run, 1), EXEC_WAITING);
	assert_int_equal(sched_exec_move(k.s, run, 1, 0, k.now_us), 0);
	kit_decide(&k);
	d = kit_find(&k, SCHED_SEND, run, 1);
	assert_non_null(d);
	assert_int_equal(d->agent, 0);
	assert_int_equal(d->class, CLASS_PINNED);
	kit_ended(&k, run, 1, OUTCOME_PASSED);
	kit_ended(&k, run, 2, OUTCOME_FAILED);
	assert_int_equal(kit_state(&k, run, 1), EXEC_PASSED);
	assert_int_equal(sched_exec_requeue(k.s, run, 1, k.now_us),
	    ERR_STATE);
	assert_int_equal(sched_exec_requeue(k.s, run, 2, k.now_us), 0);
	kit_decide(&k);
	assert_true(kit_sent(&k, run, 2) >= 0);
	assert_int_equal(sched_exec_move(k.s, run, 2, 7, k.now_us),
	    ERR_RANGE);
	kit_done(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_budgets_are_apart),
		cmocka_unit_test(test_delay_and_other_agent),
		cmocka_unit_test(test_avoided_agent_is_better_than_none),
		cmocka_unit_test(test_avoided_agent_takes_nothing_back),
		cmocka_unit_test(test_needs),
		cmocka_unit_test(test_needs_failed),
		cmocka_unit_test(test_halt),
		cmocka_unit_test(test_stop_ends_the_run),
		cmocka_unit_test(test_resume),
		cmocka_unit_test(test_hold_and_cancel),
		cmocka_unit_test(test_setup),
		cmocka_unit_test(test_requeue_and_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
