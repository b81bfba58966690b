/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Benching: when errors pile up, the brake, blame of tests, probes; and what
 * the scheduler does with a benched agent. */
#include <stdio.h>

#include "kit.h"
#include "yardmaster/base/err.h"
#include "yardmaster/sched/bench.h"

static void
ends(struct bench *b, uint32_t agent, uint32_t exec, const char *test,
    enum outcome outcome)
{
	struct bench_end end = { .agent = agent, .id = { "r000000000a", exec,
		1 }, .test = test, .outcome = outcome, .text = "no shell" };

	bench_ended(b, &end, 0);
}

/* Errors of n different executions and tests there. */
static void
errs(struct bench *b, uint32_t agent, uint32_t n)
{
	char test[32];
	uint32_t i;

	for (i = 1; i <= n; i++) {
		snprintf(test, sizeof(test), "p/s/a%u-%u", agent, i);
		ends(b, agent, agent * 100 + i, test, OUTCOME_ERROR);
	}
}

static void
test_errors_pile_up(void **state)
{
	struct bench *b = bench_new(6);
	struct bench_news n;

	errs(b, 1, BENCH_ERRORS - 1);
	assert_int_equal(bench_state(b, 1), BENCH_WELL);
	assert_false(bench_next(b, &n));
	errs(b, 1, BENCH_ERRORS);
	assert_int_equal(bench_state(b, 1), BENCH_ON);
	assert_non_null(strstr(bench_text(b, 1), "r000000000a/103/1 (no shell)"));
	assert_non_null(strstr(bench_text(b, 1), "since 1970-01-01T"));
	assert_true(bench_next(b, &n));
	assert_int_equal(n.agent, 1);
	assert_int_equal(n.was, BENCH_WELL);
	assert_int_equal(n.state, BENCH_ON);
	assert_false(bench_next(b, &n));
	ends(b, 9, 1, "p/s/x", OUTCOME_ERROR);	/* no such agent */
	bench_free(b);
}

/* Not: failures, one execution again and again, errors among passes. */
static void
test_what_does_not_bench(void **state)
{
	struct bench *b = bench_new(6);
	uint32_t i;

	for (i = 1; i <= 20; i++)
		ends(b, 0, i, "p/s/t", OUTCOME_FAILED);
	for (i = 1; i <= 20; i++)
		ends(b, 1, 7, "p/s/t", OUTCOME_ERROR);
	for (i = 1; i <= 20; i++)
		ends(b, 2, i, i % 2 ? "p/s/u" : "p/s/v",
		    i % 2 ? OUTCOME_PASSED : OUTCOME_ERROR);
	for (i = 1; i <= 20; i++)
		ends(b, 3, i, "p/s/w", OUTCOME_CANCELLED);
	for (i = 0; i < 6; i++)
		assert_int_equal(bench_state(b, i), BENCH_WELL);
	bench_free(b);
}

static void
test_brake(void **state)
{
	struct bench *small = bench_new(2), *b = bench_new(6);

	errs(small, 0, 5);
	assert_int_equal(bench_state(small, 0), BENCH_BRAKED);
	assert_non_null(strstr(bench_text(small, 0),
	    "not benched: at most 0 of 2 agents may be"));
	assert_int_equal(bench_probe(small, 0), ERR_STATE);
	ends(small, 0, 50, "p/s/x", OUTCOME_PASSED);
	ends(small, 0, 51, "p/s/x", OUTCOME_PASSED);
	assert_int_equal(bench_state(small, 0), BENCH_BRAKED);
	errs(b, 0, 3);
	errs(b, 1, 3);
	errs(b, 2, 3);
	assert_int_equal(bench_state(b, 1), BENCH_ON);
	assert_int_equal(bench_state(b, 2), BENCH_BRAKED);
	/* The next one takes the place of one that is cleared. */
	assert_int_equal(bench_clear(b, 0, 0), 0);
	assert_int_equal(bench_state(b, 0), BENCH_WELL);
	assert_null(bench_text(b, 0));
	assert_int_equal(bench_state(b, 2), BENCH_ON);
	assert_null(strstr(bench_text(b, 2), "not benched"));
	bench_free(small);
	bench_free(b);
}

static void
test_a_test_is_blamed(void **state)
{
	struct bench *b = bench_new(9);
	struct bench_news n;
	uint32_t a[2];
	uint32_t i;

	for (i = 1; i <= 4; i++)	/* its rows */
		ends(b, 0, i, "p/s/bad", OUTCOME_ERROR);
	assert_int_equal(bench_state(b, 0), BENCH_ON);
	assert_false(bench_blamed(b, "p/s/bad", a));
	while (bench_next(b, &n))
		;
	ends(b, 1, 1, "p/s/bad", OUTCOME_ERROR);
	assert_true(bench_blamed(b, "p/s/bad", a));
	assert_int_equal(a[0], 0);
	assert_int_equal(a[1], 1);
	assert_int_equal(bench_state(b, 0), BENCH_WELL);
	assert_true(bench_next(b, &n));
	assert_int_equal(n.was, BENCH_ON);
	assert_true(bench_next(b, &n));
	assert_string_equal(n.test, "p/s/bad");
	assert_false(bench_next(b, &n));
	for (i = 1; i <= 9; i++)
		ends(b, 2, i, "p/s/bad", OUTCOME_ERROR);
	assert_int_equal(bench_state(b, 2), BENCH_WELL);
	/* It passes somewhere: it was the agents after all. */
	ends(b, 3, 1, "p/s/bad", OUTCOME_PASSED);
	assert_false(bench_blamed(b, "p/s/bad", a));
	assert_int_equal(bench_state(b, 2), BENCH_ON);
	bench_free(b);
}

static void
test_probe(void **state)
{
	struct bench *b = bench_new(3);
	int64_t due_us;

	assert_int_equal(bench_probe(b, 0), ERR_STATE);
	assert_int_equal(bench_clear(b, 0, 0), ERR_STATE);
	assert_int_equal(bench_probe(b, 3), ERR_RANGE);
	errs(b, 0, 3);
	/* What ends there without a probe does not count. */
	ends(b, 0, 60, "p/s/x", OUTCOME_PASSED);
	assert_int_equal(bench_state(b, 0), BENCH_ON);
	assert_int_equal(bench_probe(b, 0), 0);
	ends(b, 0, 61, "p/s/y", OUTCOME_ERROR);
	assert_int_equal(bench_state(b, 0), BENCH_ON);
	due_us = bench_due(b, 0);	/* the delay has grown */
	assert_int_equal(due_us, 2 * BENCH_PROBE_FIRST_US);
	assert_int_equal(bench_due(b, due_us), CLOCK_NEVER);
	assert_int_equal(bench_state(b, 0), BENCH_PROBED);
	ends(b, 0, 62, "p/s/z", OUTCOME_FAILED);
	assert_int_equal(bench_state(b, 0), BENCH_WELL);
	bench_free(b);
}

static void
test_restored(void **state)
{
	struct bench *b = bench_new(3);
	struct bench_news n;

	bench_restore(b, 2, "3 errors", 0);
	bench_restore(b, 7, "no such agent", 0);
	assert_int_equal(bench_state(b, 2), BENCH_ON);
	assert_string_equal(bench_text(b, 2), "3 errors");
	assert_true(bench_next(b, &n));
	assert_int_equal(n.agent, 2);
	/* It counts for the brake, and a late end does not free it. */
	errs(b, 0, 3);
	assert_int_equal(bench_state(b, 0), BENCH_BRAKED);
	ends(b, 2, 1, "p/s/x", OUTCOME_ERROR);
	ends(b, 1, 1, "p/s/x", OUTCOME_ERROR);
	assert_int_equal(bench_state(b, 2), BENCH_ON);
	bench_free(b);
}

/* The scheduler: what waits there is taken back, nothing more is sent; a
 * probe is one attempt at a time. */
static void
test_scheduler(void **state)
{
	struct sched_agent a = kit_facts("A", 2);
	struct spec p;
	struct kit k;
	uint32_t run, busy, queued;

	kit_init(&k);
	spec_init(&p);
	p.run.ahead = SCHED_AHEAD_ALL;
	spec_terms(&p);
	spec_execs(&p, 4);
	run = kit_run(&k, &p);
	sched_agent_set(k.s, 0, &a, k.now_us);
	kit_decide(&k);
	sched_started(k.s, (struct sched_id){ run, 1, 1 }, 1, k.now_us);
	sched_started(k.s, (struct sched_id){ run, 2, 1 }, 2, k.now_us);
	sched_accepted(k.s, (struct sched_id){ run, 3, 1 }, k.now_us);
	sched_accepted(k.s, (struct sched_id){ run, 4, 1 }, k.now_us);
	a.benched = true;
	sched_agent_set(k.s, 0, &a, k.now_us);
	kit_decide(&k);
	assert_non_null(kit_find(&k, SCHED_TAKE_BACK, run, 3));
	assert_non_null(kit_find(&k, SCHED_TAKE_BACK, run, 4));
	sched_returned(k.s, (struct sched_id){ run, 3, 1 }, false, k.now_us);
	sched_returned(k.s, (struct sched_id){ run, 4, 1 }, false, k.now_us);
	sched_ended(k.s, (struct sched_id){ run, 1, 1 }, OUTCOME_PASSED, 1,
	    k.now_us);
	kit_decide(&k);
	assert_int_equal(k.out.n, 3);	/* wait, wait, final */
	a.probe = true;
	sched_agent_set(k.s, 0, &a, k.now_us);
	kit_decide(&k);
	assert_null(kit_find(&k, SCHED_SEND, run, 3));	/* 2 runs there yet */
	sched_ended(k.s, (struct sched_id){ run, 2, 1 }, OUTCOME_PASSED, 1,
	    k.now_us);
	kit_decide(&k);
	assert_non_null(kit_find(&k, SCHED_SEND, run, 3));
	assert_null(kit_find(&k, SCHED_SEND, run, 4));
	sched_agent_load(k.s, 0, &busy, &queued);
	assert_int_equal(busy, 1);
	a.benched = a.probe = false;
	sched_agent_set(k.s, 0, &a, k.now_us);
	kit_decide(&k);
	assert_non_null(kit_find(&k, SCHED_SEND, run, 4));
	kit_done(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors_pile_up),
		cmocka_unit_test(test_what_does_not_bench),
		cmocka_unit_test(test_brake),
		cmocka_unit_test(test_a_test_is_blamed),
		cmocka_unit_test(test_probe),
		cmocka_unit_test(test_restored),
		cmocka_unit_test(test_scheduler),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
