/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Static splits: the worked examples of pytest-split's rules, and edges. */
#include "../lib/check.h"

#include "yardmaster/base/buf.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sched/split.h"

#define MANY 500

/* "abc" for the group of that number. */
static void
names_of(const struct split_test *tests, uint32_t n, uint32_t group,
    struct buf *out)
{
	uint32_t i;

	buf_clear(out);
	for (i = 0; i < n; i++)
		if (tests[i].group == group)
			buf_puts(out, tests[i].name);
}

static void
check_case(const struct jval *c, enum split_rule rule)
{
	const struct jval *names = jval_get(c, "tests");
	const struct jval *want = jval_get(c, split_rule_name(rule));
	uint32_t n = (uint32_t)jval_count(names), i;
	uint32_t groups = (uint32_t)jval_get_int(c, "splits", 0);
	struct split_test *tests = mem_calloc(n, sizeof(*tests));
	double *seconds = mem_calloc(n, sizeof(*seconds));
	struct buf got = BUF_INIT;

	for (i = 0; i < n; i++) {
		tests[i].name = jval_str(jval_at(names, i), "");
		seconds[i] = jval_get_real(jval_get(c, "durations"),
		    tests[i].name, -1);
	}
	split_fill_unknown(seconds, n);
	for (i = 0; i < n; i++)
		tests[i].seconds = seconds[i];
	split(rule, tests, n, groups);
	assert_true(split_is_whole(tests, n, groups));
	assert_int_equal(jval_count(want), groups);
	for (i = 0; i < groups; i++) {
		names_of(tests, n, i, &got);
		assert_string_equal(buf_str(&got), jval_str(jval_at(want, i),
		    NULL));
	}
	buf_done(&got);
	free(seconds);
	free(tests);
}

static void
test_conformance(void **state)
{
	char *path = str_fmt("%s/tests/data/conformance/rules.json",
	    getenv("YM_SRCDIR") != NULL ? getenv("YM_SRCDIR") : ".");
	const struct jval *cases;
	struct jdoc doc;
	size_t i;

	assert_int_equal(jdoc_load(&doc, path, 0, NULL), 0);
	cases = jval_get(doc.root, "split");
	assert_true(jval_count(cases) >= 3);
	for (i = 0; i < jval_count(cases); i++) {
		check_case(jval_at(cases, i), SPLIT_CHUNKS);
		check_case(jval_at(cases, i), SPLIT_LEAST);
	}
	jdoc_done(&doc);
	free(path);
}

static void
test_unknown(void **state)
{
	double none[] = { -1, -1 }, zero[] = { 0, -1 };
	double some[] = { 2, -1, 4 };

	split_fill_unknown(none, 2);
	assert_true(none[0] == 1 && none[1] == 1);
	split_fill_unknown(zero, 2);
	assert_true(zero[0] == 0 && zero[1] == 0);
	split_fill_unknown(some, 3);
	assert_true(some[1] == 3);
	split_fill_unknown(NULL, 0);
}

/* Lengths of nothing, and more groups than tests, must not run over. */
static void
test_edges(void **state)
{
	struct split_test tests[] = {
		{ .name = "a" }, { .name = "b" }, { .name = "c" },
		{ .name = "d" }, { .name = "e" },
	};
	int rule;

	for (rule = 0; rule < SPLIT_RULES; rule++) {
		split((enum split_rule)rule, tests, 5, 3);
		assert_true(split_is_whole(tests, 5, 3));
		split((enum split_rule)rule, tests, 5, 1);
		assert_int_equal(tests[4].group, 0);
		split((enum split_rule)rule, tests, 5, 7);
		assert_true(split_is_whole(tests, 5, 7));
		split((enum split_rule)rule, tests, 0, 2);
	}
	tests[2].group = 3;
	assert_false(split_is_whole(tests, 5, 3));
}

/* Whatever the lengths: the union is everything, chunks keep the order, and
 * least is never worse than the mean plus the longest. */
static void
test_many(void **state)
{
	static struct split_test tests[MANY];
	double has[16] = { 0 }, sum = 0;
	uint32_t i, seed = 1;

	for (i = 0; i < MANY; i++) {
		seed = seed * 1103515245 + 12345;
		tests[i] = (struct split_test){ .name = "t",
			.seconds = (seed >> 16) % 1000 / 8.0 };
		sum += tests[i].seconds;
	}
	split(SPLIT_CHUNKS, tests, MANY, 16);
	assert_true(split_is_whole(tests, MANY, 16));
	for (i = 1; i < MANY; i++)
		assert_true(tests[i].group >= tests[i - 1].group);
	split(SPLIT_LEAST, tests, MANY, 16);
	assert_true(split_is_whole(tests, MANY, 16));
	for (i = 0; i < MANY; i++)
		has[tests[i].group] += tests[i].seconds;
	for (i = 0; i < 16; i++)
		assert_true(has[i] <= sum / 16 + 125);
}

static void
test_names(void **state)
{
	assert_int_equal(split_rule_parse("least"), SPLIT_LEAST);
	assert_int_equal(split_rule_parse("chunks"), SPLIT_CHUNKS);
	assert_int_equal(split_rule_parse("chunk"), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conformance),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
