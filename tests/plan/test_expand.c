/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Expansion: the worked examples, nesting, selection, terms. */
#include "plan_help.h"

#include "yardmaster/base/jval.h"

/* ---- the worked examples ---- */

static void
check_step(const struct plan *p, const struct plan_step *s,
    const struct jval *want, const char *target)
{
	const struct jval *row = jval_get(want, "row");

	assert_string_equal(p->tests[s->test].name,
	    jval_get_str(want, "test", NULL));
	if (row == NULL)
		assert_int_equal(s->row, PLAN_NONE);
	else
		assert_int_equal(s->row + 1, jval_int(row, 0));
	assert_string_equal(p->targets[s->target].name, target);
}

static void
check_case(const struct jval *v)
{
	const struct jval *expected = jval_get(v, "expected"), *steps;
	struct buf text = BUF_INIT;
	struct plan *p;
	uint32_t i, k;

	jval_print(jval_get(v, "plan"), &text);
	p = expand_good(buf_str(&text), NULL);
	assert_int_equal(p->n_execs, jval_get_int(v, "executions_total", 0));
	assert_int_equal(p->n_execs, jval_count(expected));
	for (i = 0; i < p->n_execs; i++) {
		steps = jval_get(jval_at(expected, i), "steps");
		assert_int_equal(p->execs[i].n_steps, jval_count(steps));
		for (k = 0; k < p->execs[i].n_steps; k++)
			check_step(p, &p->steps[p->execs[i].first_step + k],
			    jval_at(steps, k), jval_get_str(
			    jval_at(expected, i), "target", NULL));
		assert_int_equal(p->terms[p->execs[i].terms].estimate_us,
		    60000000 * (int64_t)p->execs[i].n_steps);
	}
	plan_free(p);
	buf_done(&text);
}

static void
test_conformance(void **state)
{
	struct diags ds = DIAGS_INIT;
	const struct jval *cases;
	struct jdoc doc;
	char path[4096];
	size_t i;

	snprintf(path, sizeof(path), "%s/tests/data/conformance/"
	    "parallel-execution.json", getenv("YM_SRCDIR"));
	assert_int_equal(jdoc_load(&doc, path, 0, &ds), 0);
	cases = jval_get(doc.root, "cases");
	assert_int_equal(jval_count(cases), 8);
	for (i = 0; i < jval_count(cases); i++)
		check_case(jval_at(cases, i));
	jdoc_done(&doc);
	diags_done(&ds);
}

/* ---- modes ---- */

#define COMMAND "\"command\": [\"true\"]"

static void
test_modes(void **state)
{
	static const struct {
		const char *parallel, *mode, *labels;
	} rows[] = {
		{ "none", "free", "s/a[1]@x s/a[2]@x s/b@x "
		    "s/a[1]@y s/a[2]@y s/b@y" },
		{ "targets", "free", "s/a[1]@x s/a[2]@x s/b@x; "
		    "s/a[1]@y s/a[2]@y s/b@y" },
		{ "tests", "free", "s/a[1]@x; s/a[1]@y; s/a[2]@x; s/a[2]@y; "
		    "s/b@x; s/b@y" },
		{ "none", "sequential", "s/a[1]@x s/a[2]@x s/b@x; "
		    "s/a[1]@y s/a[2]@y s/b@y" },
		{ "tests", "sequential", "s/a[1]@x s/a[2]@x s/b@x; "
		    "s/a[1]@y s/a[2]@y s/b@y" },
	};
	char text[1024];
	struct plan *p;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "{\"parallel\": \"%s\", "
		    "\"targets\": [\"x\", \"y\"], " COMMAND ", \"suites\": [{"
		    "\"name\": \"s\", \"mode\": \"%s\", \"tests\": [{\"name\": "
		    "\"a\", \"data\": {\"rows\": [{}, {}]}}, \"b\"]}]}",
		    rows[i].parallel, rows[i].mode);
		p = expand_good(text, NULL);
		check_labels(p, rows[i].labels);
		plan_free(p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conformance),
		cmocka_unit_test(test_modes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
