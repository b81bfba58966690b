/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names, state machines, worst-of, counts, reasons. */
#include "config.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "yardmaster/base/mem.h"
#include "yardmaster/model/live.h"
#include "yardmaster/model/reason.h"
#include "yardmaster/model/state.h"

#define CHECK_NAMES(prefix, type, n)                                          \
	do {                                                                  \
		int i_;                                                       \
		for (i_ = 0; i_ < (n); i_++) {                                \
			const char *s_ = prefix##_name((type)i_);             \
			assert_true(s_[0] != '\0');                           \
			assert_int_equal(prefix##_parse(s_), i_);             \
		}                                                             \
		assert_string_equal(prefix##_name((type)(n)), "");            \
		assert_int_equal(prefix##_parse("nonsense"), -1);             \
		assert_int_equal(prefix##_parse(""), -1);                     \
		assert_int_equal(prefix##_parse(NULL), -1);                   \
	} while (0)

static void
names_go_both_ways(void **state)
{
	CHECK_NAMES(exec_state, enum exec_state, EXEC_STATES);
	CHECK_NAMES(attempt_state, enum attempt_state, ATTEMPT_STATES);
	CHECK_NAMES(run_state, enum run_state, RUN_STATES);
	CHECK_NAMES(agent_state, enum agent_state, AGENT_STATES);
	CHECK_NAMES(outcome, enum outcome, OUTCOMES);
	CHECK_NAMES(attempt_class, enum attempt_class, CLASSES);
	CHECK_NAMES(tier, enum tier, TIERS);
	CHECK_NAMES(worker_kind, enum worker_kind, WORKER_KINDS);
	CHECK_NAMES(value_source, enum value_source, VALUE_SOURCES);
	CHECK_NAMES(parallel, enum parallel, PARALLELS);
	CHECK_NAMES(order, enum order, ORDERS);
	assert_string_equal(link_state_name(LINK_ASKING), "asking");
	assert_string_equal(link_state_name(LINK_STALE), "stale");
	assert_string_equal(tier_name(TIER_BELOW_THRESHOLD),
	    "below-threshold");
	assert_string_equal(attempt_class_name(CLASS_ADHOC), "ad-hoc");
}

static void
executions_move_as_allowed(void **state)
{
	int from, to;

	assert_true(exec_state_may(EXEC_WAITING, EXEC_ASSIGNED));
	assert_true(exec_state_may(EXEC_ASSIGNED, EXEC_WAITING));
	assert_true(exec_state_may(EXEC_ASSIGNED, EXEC_PASSED));
	assert_true(exec_state_may(EXEC_RUNNING, EXEC_WAITING));
	assert_true(exec_state_may(EXEC_SKIPPED, EXEC_WAITING));
	assert_false(exec_state_may(EXEC_WAITING, EXEC_PASSED));
	for (from = 0; from < EXEC_STATES; from++) {
		assert_false(exec_state_may(from, from));
		assert_false(exec_state_may(EXEC_PASSED, from));
		assert_false(exec_state_may(EXEC_HEALED, from));
		assert_false(exec_state_may(from, EXEC_STATES));
		assert_false(exec_state_may(EXEC_STATES, from));
		for (to = 0; to < EXEC_STATES; to++)
			if (exec_state_final(from) && to != EXEC_WAITING)
				assert_false(exec_state_may(from, to));
	}
	assert_false(exec_state_final(EXEC_RUNNING));
	assert_true(exec_state_final(EXEC_PASSED));
	assert_true(exec_state_final(EXEC_SKIPPED));
	assert_false(exec_state_final(EXEC_STATES));
}

static void
attempts_move_as_allowed(void **state)
{
	int to;

	assert_true(attempt_state_may(ATTEMPT_SENT, ATTEMPT_ENDED));
	assert_true(attempt_state_may(ATTEMPT_QUEUED, ATTEMPT_RETURNED));
	assert_true(attempt_state_may(ATTEMPT_LOST, ATTEMPT_RUNNING));
	assert_false(attempt_state_may(ATTEMPT_RUNNING, ATTEMPT_RETURNED));
	assert_false(attempt_state_may(ATTEMPT_RUNNING, ATTEMPT_QUEUED));
	for (to = 0; to < ATTEMPT_STATES; to++) {
		assert_false(attempt_state_may(ATTEMPT_ENDED, to));
		assert_false(attempt_state_may(ATTEMPT_RETURNED, to));
		assert_false(attempt_state_may(to, ATTEMPT_SENT));
		assert_false(attempt_state_may(to, ATTEMPT_STATES));
	}
}

static void
the_worse_outcome_wins(void **state)
{
	static const enum outcome worst_first[] = { OUTCOME_ERROR,
		OUTCOME_TIMEOUT, OUTCOME_FAILED, OUTCOME_CANCELLED,
		OUTCOME_SKIPPED, OUTCOME_PASSED, OUTCOME_NONE };
	size_t i;

	for (i = 0; i + 1 < sizeof(worst_first) / sizeof(worst_first[0]);
	     i++) {
		assert_int_equal(outcome_worst(worst_first[i],
		    worst_first[i + 1]), worst_first[i]);
		assert_int_equal(outcome_worst(worst_first[i + 1],
		    worst_first[i]), worst_first[i]);
	}
	assert_int_equal(outcome_exec_state(OUTCOME_PASSED, 1), EXEC_PASSED);
	assert_int_equal(outcome_exec_state(OUTCOME_PASSED, 2), EXEC_HEALED);
	assert_int_equal(outcome_exec_state(OUTCOME_FAILED, 2), EXEC_FAILED);
	assert_int_equal(outcome_exec_state(OUTCOME_TIMEOUT, 1),
	    EXEC_TIMEOUT);
	assert_int_equal(outcome_exec_state(OUTCOME_NONE, 1), EXEC_ERROR);
	assert_int_equal(outcome_exec_state(OUTCOMES, 1), EXEC_ERROR);
}

static int
code(enum exec_state a, enum exec_state b)
{
	struct counts c = { { 0 } };

	c.n[a]++;
	c.n[b]++;
	assert_int_equal(counts_total(&c), 2);
	return counts_exit_code(&c);
}

static void
counts_give_the_exit_code(void **state)
{
	struct counts none = { { 0 } };

	assert_int_equal(counts_exit_code(&none), 4);
	assert_int_equal(code(EXEC_PASSED, EXEC_HEALED), 0);
	assert_int_equal(code(EXEC_PASSED, EXEC_SKIPPED), 0);
	assert_int_equal(code(EXEC_PASSED, EXEC_FAILED), 1);
	assert_int_equal(code(EXEC_TIMEOUT, EXEC_CANCELLED), 1);
	assert_int_equal(code(EXEC_ERROR, EXEC_PASSED), 2);
	assert_int_equal(code(EXEC_SKIPPED, EXEC_SKIPPED), 2);
	assert_int_equal(code(EXEC_ERROR, EXEC_TIMEOUT), 3);
	assert_int_equal(code(EXEC_CANCELLED, EXEC_PASSED), 5);
	assert_int_equal(code(EXEC_RUNNING, EXEC_PASSED), 5);
	none.n[EXEC_RUNNING] = 2;
	none.n[EXEC_PASSED] = 3;
	assert_int_equal(counts_final(&none), 3);
}

static void
every_reason_has_a_full_row(void **state)
{
	uint32_t offered = 0, bit;
	int i;

	for (i = 0; i < REASONS; i++) {
		assert_int_equal(reason_info(i)->code, i);
		assert_int_equal(reason_parse(reason_name(i)), i);
		assert_true(reason_info(i)->help[0] != '\0');
		assert_true(i == REASON_NONE || reason_info(i)->cures != 0);
		offered |= reason_info(i)->cures;
	}
	for (bit = 1; bit <= CURE_SHOW_LOG; bit <<= 1) {
		assert_true((offered & bit) != 0);
		assert_true(cure_name(bit)[0] != '\0');
	}
	assert_string_equal(cure_name(CURE_SHOW_LOG << 1), "");
	assert_int_equal(reason_info(REASONS)->code, REASON_NONE);
	assert_int_equal(reason_parse("busy"), -1);
	assert_int_equal(reason_info(REASON_NO_AGENT)->clears,
	    CLEARS_OPERATOR);
	assert_int_equal(reason_info(REASON_AGENTS_OFFLINE)->clears,
	    CLEARS_EITHER);
	assert_int_equal(reason_parse("workers-busy"), REASON_WORKERS_BUSY);
}

static void
why_keeps_order(void **state)
{
	struct why w = { NULL, 0 };
	int i;

	for (i = 0; i < 20; i++)
		why_add(&w, REASON_LOCK, i, "lock %d", i);
	assert_int_equal(w.n, 20);
	assert_string_equal(w.v[0].text, "lock 0");
	assert_string_equal(w.v[19].text, "lock 19");
	assert_int_equal(w.v[19].since_us, 19);
	why_done(&w);
	assert_int_equal(w.n, 0);
	why_done(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_go_both_ways),
		cmocka_unit_test(executions_move_as_allowed),
		cmocka_unit_test(attempts_move_as_allowed),
		cmocka_unit_test(the_worse_outcome_wins),
		cmocka_unit_test(counts_give_the_exit_code),
		cmocka_unit_test(every_reason_has_a_full_row),
		cmocka_unit_test(why_keeps_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
