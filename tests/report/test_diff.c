/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two runs and all that may have changed between them. */
#include "../lib/check.h"

#include "yardmaster/base/clock.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/report/diff.h"

#define MAX 16

struct made {
	struct report_run run;
	struct report_step steps[MAX];
	struct report_try tries[MAX];
	char labels[MAX][8];
};

static void
add(struct made *m, const char *label, enum exec_state state, double seconds)
{
	uint32_t i = m->run.n_steps++;

	m->run.steps = m->steps;
	m->tries[i].elapsed_us = (int64_t)(seconds * US_PER_S);
	strcpy(m->labels[i], label);
	m->steps[i] = (struct report_step){ .label = m->labels[i],
		.suite = m->labels[i], .test = m->labels[i], .state = state,
		.last = &m->tries[i] };
}

static void
check(const struct report_diff *d, uint32_t i, enum change change,
    const char *label)
{
	const struct report_step *s = d->steps[i].b != NULL ? d->steps[i].b :
	    d->steps[i].a;

	assert_true(i < d->n);
	assert_string_equal(change_name(d->steps[i].change),
	    change_name(change));
	assert_string_equal(s->label, label);
}

static void
fill(struct made *a, struct made *b)
{
	add(a, "same", EXEC_PASSED, 1);
	add(b, "slow", EXEC_PASSED, 3);
	add(a, "gone", EXEC_FAILED, 1);
	add(b, "new", EXEC_PASSED, 1);
	add(a, "slow", EXEC_PASSED, 2);
	add(b, "same", EXEC_PASSED, 1.9);
	add(a, "bad", EXEC_PASSED, 1);
	add(b, "good", EXEC_PASSED, 1);
	add(a, "good", EXEC_TIMEOUT, 1);
	add(b, "bad", EXEC_ERROR, 1);
	add(a, "heals", EXEC_PASSED, 1);
	add(b, "heals", EXEC_HEALED, 1);
	add(a, "fast", EXEC_PASSED, 9);
	add(b, "fast", EXEC_PASSED, 1);
	add(a, "fails", EXEC_FAILED, 1);
	add(b, "fails", EXEC_FAILED, 90);
	add(a, "bad2", EXEC_HEALED, 1);
	add(b, "bad2", EXEC_FAILED, 1);
}

static void
test_changes(void **state)
{
	struct made a = { .run.id = "ra" }, b = { .run.id = "rb" };
	struct buf out = BUF_INIT;
	struct report_diff d;
	struct jdoc doc;

	fill(&a, &b);
	report_diff(&a.run, &b.run, &d);
	assert_int_equal(d.n, 8);
	assert_int_equal(d.same, 2);
	check(&d, 0, CHANGE_BROKEN, "bad");
	check(&d, 1, CHANGE_BROKEN, "bad2");
	check(&d, 2, CHANGE_FIXED, "good");
	check(&d, 3, CHANGE_STATE, "heals");
	check(&d, 4, CHANGE_ADDED, "new");
	check(&d, 5, CHANGE_REMOVED, "gone");
	check(&d, 6, CHANGE_SLOWER, "slow");
	check(&d, 7, CHANGE_FASTER, "fast");
	report_diff_json(&d, &a.run, &b.run, &out);
	assert_int_equal(jdoc_parse(&doc, NULL, buf_str(&out), buf_len(&out),
	    0, NULL), 0);
	assert_int_equal(jval_get_int(jval_get(doc.root, "counts"), "broken",
	    0), 2);
	assert_int_equal(jval_count(jval_get(doc.root, "steps")), 8);
	jdoc_done(&doc);
	buf_done(&out);
	report_diff_done(&d);
}

static void
test_empty(void **state)
{
	struct made a = { .run.id = "ra" }, b = { .run.id = "rb" };
	struct report_diff d;

	report_diff(&a.run, &b.run, &d);
	assert_int_equal(d.n + d.same, 0);
	report_diff_done(&d);
	add(&a, "x", EXEC_PASSED, 1);
	report_diff(&a.run, &a.run, &d);
	assert_int_equal(d.n, 0);
	assert_int_equal(d.same, 1);
	report_diff_done(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
