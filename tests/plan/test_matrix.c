/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Targets made from axes. */
#include "plan_help.h"

#define COMMAND "\"command\": [\"true\"]"

static void
test_matrix(void **state)
{
	struct plan *p = expand_good("{" COMMAND ", \"parallel\": \"tests\", "
	    "\"targets\": {\"matrix\": {\"browser\": [\"chrome\", "
	    "\"safari\"], \"os\": [\"linux\", \"mac\"], \"v\": [1]}, "
	    "\"exclude\": [{\"browser\": \"safari\", \"os\": \"linux\"}]}, "
	    "\"suites\": [{\"name\": \"s\", \"tests\": [\"t\", \"u\"]}, "
	    "{\"name\": \"n\", \"targets\": [{\"name\": \"chrome-mac-1\", "
	    "\"max\": 2}], \"tests\": [\"t\"]}]}", NULL);

	check_labels(p, "s/t@chrome-linux-1; s/t@chrome-mac-1; "
	    "s/t@safari-mac-1; s/u@chrome-linux-1; s/u@chrome-mac-1; "
	    "s/u@safari-mac-1; n/t@chrome-mac-1");
	assert_int_equal(p->n_targets, 3);
	assert_int_equal(p->targets[1].max, 2);
	assert_int_equal(p->targets[1].axes.n, 3);
	assert_string_equal(p->targets[1].axes.v[1], "os=mac");
	plan_free(p);
}

/* As many combinations as there may be, in each mode. */
static void
test_matrix_full(void **state)
{
	struct plan_select select = PLAN_SELECT_INIT;
	struct diags ds = DIAGS_INIT;
	struct buf b = BUF_INIT;
	struct plan *p;
	int i;

	buf_puts(&b, "{" COMMAND ", \"parallel\": \"targets\", \"targets\": "
	    "{\"matrix\": {\"a\": [0");
	for (i = 1; i < 100; i++)
		buf_putf(&b, ",%d", i);
	buf_puts(&b, "], \"b\": [0");
	for (i = 1; i < 100; i++)
		buf_putf(&b, ",%d", i);
	buf_puts(&b, "]}}, \"suites\": [{\"name\": \"s\", \"tests\": "
	    "[\"t\", \"u\"]}]}");
	p = expand_good(buf_str(&b), NULL);
	assert_int_equal(p->n_targets, 10000);
	assert_int_equal(p->n_execs, 10000);
	assert_int_equal(p->n_steps, 20000);
	select.parallel = PARALLEL_NONE;
	assert_int_equal(plan_expand(p, &select, &ds), 0);
	assert_int_equal(p->n_execs, 1);
	assert_int_equal(p->terms[0].n_targets, 10000);
	diags_done(&ds);
	plan_free(p);
	buf_done(&b);
}

/* A product that is too large, before any of it is made. */
static void
test_matrix_size(void **state)
{
	struct diags ds = DIAGS_INIT;
	struct buf b = BUF_INIT;
	struct plan *p;
	char *said;
	int i, k;

	buf_puts(&b, "{" COMMAND ", \"suites\": [{\"name\": \"s\", \"tests\": "
	    "[\"t\"]}],\n\"targets\": {\"matrix\": {");
	for (i = 0; i < 16; i++) {
		buf_putf(&b, "%s\"a%d\": [0", i > 0 ? "," : "", i);
		for (k = 1; k < 1000; k++)
			buf_putf(&b, ",%d", k);
		buf_putc(&b, ']');
	}
	buf_puts(&b, "}}}");
	assert_int_equal(plan_load_text("p.json", NULL, buf_str(&b),
	    buf_len(&b), &ds, &p), ERR_INVALID);
	said = say_all(&ds);
	assert_string_equal(said, "p.json:2: targets.matrix: more than 10000 "
	    "combinations\n");
	free(said);
	diags_done(&ds);
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matrix),
		cmocka_unit_test(test_matrix_full),
		cmocka_unit_test(test_matrix_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
