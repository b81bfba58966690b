/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the scheduler is told of a plan. */
#include "../plan/plan_help.h"

#include "engine/feed.h"
#include "yardmaster/sched/sched.h"

static int
note_ahead(void *arg, const struct sched_run *spec)
{
	*(uint32_t *)arg = spec->ahead;
	return (int)spec->n_execs;
}

static uint32_t
feed_ahead(const struct plan *p)
{
	int64_t estimates[] = { -1, -1 };
	struct feed_state st = { .estimates_us = estimates };
	uint32_t ahead = 12345;

	assert_int_equal(feed_plan(p, "r0000000001", &st, note_ahead, &ahead),
	    2);
	return ahead;
}

/* How much is sent ahead, also by a run that is resumed. */
static void
test_ahead(void **state)
{
	static const struct {
		const char *member;
		uint32_t ahead;
	} rows[] = {
		{ "", SCHED_AHEAD_AUTO },
		{ "\"ahead\": \"auto\", ", SCHED_AHEAD_AUTO },
		{ "\"ahead\": \"all\", ", SCHED_AHEAD_ALL },
		{ "\"ahead\": 0, ", 0 },
		{ "\"ahead\": 1000000, ", 1000000 },
	};
	struct buf b = BUF_INIT;
	struct plan *p, *again;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_clear(&b);
		buf_putf(&b, "{%s\"parallel\": \"tests\", \"suites\": "
		    "[{\"name\": \"s\", \"shell\": \"x\", \"tests\": [\"t\", "
		    "\"u\"]}]}", rows[i].member);
		p = expand_good(buf_str(&b), NULL);
		assert_int_equal(feed_ahead(p), rows[i].ahead);
		buf_clear(&b);
		plan_snapshot(p, &b);
		plan_free(p);
		assert_int_equal(plan_from_snapshot(buf_str(&b), buf_len(&b),
		    &again), 0);
		assert_int_equal(feed_ahead(again), rows[i].ahead);
		plan_free(again);
	}
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ahead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
