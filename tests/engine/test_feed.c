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

struct noted {
	uint32_t batch[6], size[6], room;
	int64_t start_us;
};

static int
note_batches(void *arg, const struct sched_run *spec)
{
	struct noted *n = arg;
	uint32_t i;

	for (i = 0; i < spec->n_execs; i++) {
		n->batch[i] = spec->terms[spec->execs[i].terms].batch;
		n->size[i] = spec->execs[i].size;
	}
	n->room = spec->terms[spec->execs[0].terms].room;
	n->start_us = spec->start_cost_us;
	return (int)spec->n_execs;
}

/* Equal numbers for what may share a process; none for what may not. */
static void
test_batches(void **state)
{
	struct plan *p = expand_good("{\"command\": [\"t\", \"{results}\", "
	    "\"{tests}\"], \"batch\": true, \"results\": {\"junit\": "
	    "\"{results}\"}, \"suites\": [{\"name\": \"a\", \"tests\": "
	    "[\"t\", {\"name\": \"slow\", \"estimate\": 9}, {\"name\": "
	    "\"e\", \"env\": {\"X\": 1}}]}, {\"name\": \"b\", \"tests\": "
	    "[\"t\"]}, {\"name\": \"c\", \"batch\": false, \"command\": "
	    "[\"x\"], \"tests\": [\"t\", \"u\"], \"parallel\": "
	    "\"tests\"}]}", NULL);
	int64_t estimates[6] = { -1, -1, -1, -1, -1, -1 };
	struct feed_state st = { .estimates_us = estimates, .start_us = 42 };
	static const uint32_t want[] = { 1, 1, 2, 3, 0, 0 };
	struct noted n;
	uint32_t i;

	assert_int_equal(feed_plan(p, "r0000000001", &st, note_batches, &n),
	    6);
	for (i = 0; i < 6; i++)
		assert_int_equal(n.batch[i], want[i]);
	assert_int_equal(n.size[1], strlen("slow") + 1);
	assert_int_equal(n.size[4], 0);
	assert_int_equal(n.room, plan_batch_room(p, 1));
	assert_int_equal(n.start_us, 42);
	plan_free(p);
}

static int
note_was(void *arg, const struct sched_run *spec)
{
	*(struct sched_exec *)arg = spec->execs[1];
	return (int)spec->n_lost;
}

/* What is known of the last attempt, and of those that may yet be found. */
static void
test_was(void **state)
{
	static const struct sched_lost lost = { .exec = 2, .attempt = 3 };
	struct feed_exec was[] = { { .attempt = 0 }, { .attempt = 4,
		.state = EXEC_SKIPPED, .cause = REASON_HALTED,
		.pinned = true, .unstarted = true } };
	int64_t estimates[] = { -1, -1 };
	struct feed_state st = { .estimates_us = estimates, .execs = was,
		.lost = &lost, .n_lost = 1 };
	struct sched_exec x;
	struct plan *p = expand_good("{\"parallel\": \"tests\", \"suites\": "
	    "[{\"name\": \"s\", \"shell\": \"x\", \"tests\": [\"t\", "
	    "\"u\"]}]}", NULL);

	assert_int_equal(feed_plan(p, "r0000000001", &st, note_was, &x), 1);
	assert_int_equal(x.cause, REASON_HALTED);
	assert_int_equal(x.attempt, 4);
	assert_true(x.pinned && x.unstarted && !x.returned);
	plan_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ahead),
		cmocka_unit_test(test_batches),
		cmocka_unit_test(test_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
