/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Executions that share a process: what they are given, and what they are
 * called. */
#include "plan_help.h"

static const char text[] =
    "{\"targets\": [\"x\"], \"env\": {\"A\": 1}, \"timeout\": \"10s\","
    " \"suites\": [{\"name\": \"unit\", \"batch\": true,"
    "  \"parallel\": \"none\", \"exit_codes\": {\"5\": \"skipped\"},"
    "  \"command\": [\"t\", \"--x={results}\", \"{target}\", \"{tests}\","
    "   \"{results}{results}\"],"
    "  \"results\": {\"junit\": \"{results}\", \"name\": \"{name}\"},"
    "  \"tests\": [\"a.py::t\", {\"name\": \"b\", \"data\": {\"rows\": "
    "   [{\"_expect_fail\": \"no\"}, {\"_name\": \"z\", "
    "   \"_expect_fail\": \"yes\"}]}},"
    "   {\"name\": \"slow\", \"estimate\": \"1h\"},"
    "   {\"name\": \"own\", \"env\": {\"B\": 2}},"
    "   {\"name\": \"forever\", \"timeout\": 0}]}]}";

static bool
same_key(const struct plan *p, uint32_t a, uint32_t b)
{
	struct buf x = BUF_INIT, y = BUF_INIT;
	bool same;

	plan_batch_key(p, a, &x);
	plan_batch_key(p, b, &y);
	same = buf_len(&x) == buf_len(&y) &&
	    memcmp(buf_data(&x), buf_data(&y), buf_len(&x)) == 0;
	buf_done(&x);
	buf_done(&y);
	return same;
}

static bool
has_env(const struct work *w, const char *pair)
{
	return strvec_find(&w->steps[0].env, pair) >= 0;
}

static void
check_work(const struct plan *p)
{
	static const uint32_t members[] = { 1, 3, 4 }, endless[] = { 1, 6 };
	static const char *const argv[] = { "t", "--x=", "x", "a.py::t",
		"b[z]", "slow", "" };
	struct plan_place place = { .agent = "a", .members = members,
		.n_members = 3, .start_us = 500000 };
	struct work w;
	size_t i;

	assert_int_equal(ident_parse("r0000000001/1/1", &place.id), 0);
	plan_work(p, &place, &w);
	assert_int_equal(w.n_steps, 1);
	assert_string_equal(w.label, "unit/a.py::t@x and 2 more");
	assert_int_equal(w.steps[0].argv.n, 7);
	for (i = 0; i < 7; i++)
		assert_string_equal(w.steps[0].argv.v[i], argv[i]);
	assert_int_equal(w.steps[0].n_results, 3);
	assert_int_equal(w.steps[0].results_at[0].arg, 1);
	assert_int_equal(w.steps[0].results_at[0].at, 4);
	assert_int_equal(w.steps[0].results_at[2].arg, 6);
	assert_int_equal(w.steps[0].results_at[2].at, 0);
	assert_int_equal(w.steps[0].timeout_us, 30500000);
	assert_int_equal(w.steps[0].n_exits, 1);
	assert_false(w.steps[0].expect_fail);
	assert_true(has_env(&w, "YARDMASTER_BATCH=3"));
	assert_true(has_env(&w, "YARDMASTER_TARGET=x"));
	assert_false(has_env(&w, "YARDMASTER_TEST=a.py::t"));
	work_done(&w);
	place.members = endless;
	place.n_members = 2;
	plan_work(p, &place, &w);
	assert_int_equal(w.steps[0].timeout_us, 0);
	work_done(&w);
}

/* Each test, row and target alone, also in a resumed run. */
static void
test_work(void **state)
{
	struct plan *p = expand_good(text, NULL), *again;
	struct buf b = BUF_INIT;

	check_labels(p, "unit/a.py::t@x; unit/b[1]@x; unit/b[z]@x; "
	    "unit/slow@x; unit/own@x; unit/forever@x");
	check_work(p);
	plan_snapshot(p, &b);
	assert_int_equal(plan_from_snapshot(buf_str(&b), buf_len(&b), &again),
	    0);
	plan_free(p);
	check_work(again);
	assert_true(plan_is_batch(again, 1));
	plan_free(again);
	buf_done(&b);
}

/* Lengths and time-outs may differ, environments not. */
static void
test_who_may_share(void **state)
{
	struct plan *p = expand_good(text, NULL);
	uint32_t room = plan_batch_room(p, 1);

	assert_true(same_key(p, 1, 2));
	assert_true(same_key(p, 1, 4));
	assert_false(same_key(p, 1, 5));
	assert_true(same_key(p, 1, 6));
	assert_true(plan_batch_inverted(p, 3));
	assert_false(plan_batch_inverted(p, 2));
	assert_false(plan_batch_inverted(p, 1));
	assert_in_range(room, PLAN_BATCH_ARGV - 3 * 4096 - 20,
	    PLAN_BATCH_ARGV - 3 * 4096);
	plan_free(p);
}

/* One whose arguments are too long already runs its tests alone. */
static void
test_no_room(void **state)
{
	struct buf b = BUF_INIT;
	struct plan *p;

	buf_puts(&b, "{\"suites\": [{\"name\": \"s\", \"batch\": true, "
	    "\"tests\": [\"t\"], \"results\": {\"junit\": \"{results}\"}, "
	    "\"command\": [\"x\", \"{results}\", \"{tests}\", \"");
	while (buf_len(&b) < PLAN_BATCH_ARGV)
		buf_puts(&b, "xxxxxxxxxx");
	buf_puts(&b, "\"]}]}");
	p = expand_good(buf_str(&b), NULL);
	assert_int_equal(plan_batch_room(p, 1), 1);
	plan_free(p);
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_work),
		cmocka_unit_test(test_who_may_share),
		cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
