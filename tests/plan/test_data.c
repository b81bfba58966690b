/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Data: CSV files and what may be in them. */
#include "plan_help.h"

#include "plan/csv.h"
#include "plan/plan_private.h"

static void
check_csv(const char *text, const char *cells)
{
	struct diags ds = DIAGS_INIT;
	struct buf b = BUF_INIT;
	struct plan_data *d;
	size_t i;

	if (csv_parse("d.csv", text, strlen(text), &ds, &d) != 0)
		fail_msg("%s: %s", text, say_all(&ds));
	for (i = 0; i < d->columns.n; i++)
		buf_putf(&b, "<%s>", d->columns.v[i]);
	for (i = 0; i < d->n_rows * d->columns.n; i++)
		buf_putf(&b, "%s[%s]", i % d->columns.n == 0 ? " " : "",
		    d->cells[i]);
	assert_string_equal(buf_str(&b), cells);
	buf_done(&b);
	plan_data_free(d);
	diags_done(&ds);
}

static void
test_good(void **state)
{
	check_csv("a,b\n1,2\n", "<a><b> [1][2]");
	check_csv("a,b\r\n1,2\r\n3,4", "<a><b> [1][2] [3][4]");
	check_csv("\xef\xbb\xbf" "a\n1\n\n\n", "<a> [1]");
	check_csv("a\n1\n\n2\n", "<a> [1] [] [2]");
	check_csv("\"a\",\"b,c\"\n\"x\ny\",\"q\"\"q\"\n,\n",
	    "<a><b,c> [x\ny][q\"q] [][]");
	check_csv("a\n\" 1 \"\n 1 ", "<a> [ 1 ] [ 1 ]");
	check_csv("a\nx\ry\n", "<a> [x\ry]");
}

static const struct {
	const char *text, *said;
} bad[] = {
	{ "", "d.csv:1: no data: the file is empty\n" },
	{ "\xef\xbb\xbf\r\n\r\n", "d.csv:1: no data: the file is empty\n" },
	{ "a,b\n\n", "d.csv:2: no data: there is only the line of names\n" },
	{ "a,b\n1\n\"2\n2\",2\n3,3,3\n", "d.csv:2: 1 field, but the first "
	    "line names 2\nd.csv:5: 3 fields, but the first line names 2\n" },
	{ "a\nx\n\"y\n\nz", "d.csv:3: a quotation mark is not closed\n" },
	{ "a\n\"x\"y\n", "d.csv:2: text behind the closing quotation mark of "
	    "a field\n" },
	{ "a\nx\"y\n", "d.csv:2: a quotation mark inside a field that is not "
	    "quoted\n" },
	{ "a\n\xff\n", "d.csv: not UTF-8 text\n" },
};

static void
test_faults(void **state)
{
	struct diags ds = DIAGS_INIT;
	struct plan_data *d;
	char *said;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(csv_parse("d.csv", bad[i].text,
		    strlen(bad[i].text), &ds, &d), ERR_INVALID);
		said = say_all(&ds);
		assert_string_equal(said, bad[i].said);
		free(said);
		diags_done(&ds);
	}
	assert_int_equal(csv_parse("d.csv", "a\n\0\n", 4, &ds, &d),
	    ERR_INVALID);
	diags_done(&ds);
}

static void
test_caps(void **state)
{
	struct diags ds = DIAGS_INIT;
	struct buf b = BUF_INIT;
	struct plan_data *d;
	size_t i;

	buf_puts(&b, "a\n");
	for (i = 0; i <= CSV_MAX_CELL; i++)
		buf_putc(&b, 'x');
	assert_int_equal(csv_parse("d.csv", buf_str(&b), buf_len(&b), &ds,
	    &d), ERR_INVALID);
	buf_clear(&b);
	for (i = 0; i <= CSV_MAX_COLUMNS; i++)
		buf_puts(&b, "c,");
	assert_int_equal(csv_parse("d.csv", buf_str(&b), buf_len(&b), &ds,
	    &d), ERR_INVALID);
	buf_clear(&b);
	buf_puts(&b, "a\n");
	for (i = 0; i <= CSV_MAX_ROWS; i++)
		buf_puts(&b, "1\n");
	assert_int_equal(csv_parse("d.csv", buf_str(&b), buf_len(&b), &ds,
	    &d), ERR_INVALID);
	assert_int_equal(ds.errors, 3);
	diags_done(&ds);
	buf_done(&b);
}

static void
test_truncated(void **state)
{
	static const char text[] = "a,\"b\"\r\n\"x\"\"\ny\",\r\n1,2\n";
	struct diags ds = DIAGS_INIT;
	struct plan_data *d;
	size_t n;

	for (n = 0; n < sizeof(text); n++) {
		if (csv_parse("d.csv", text, n, &ds, &d) == 0)
			plan_data_free(d);
		else
			assert_true(ds.errors > 0);
		diags_done(&ds);
	}
}

/* ---- through a plan ---- */

static int
load(const char *file, struct diags *ds, struct plan **ret)
{
	char text[512], dir[4096];

	snprintf(dir, sizeof(dir), "%s/tests/data/plan",
	    getenv("YM_SRCDIR"));
	snprintf(text, sizeof(text), "{\"parallel\": \"tests\", \"suites\": "
	    "[{\"name\": \"s\", \"shell\": \"x\", \"data\": \"%s\", "
	    "\"tests\": [\"t\", \"u\"]}]}", file);
	return plan_load_text("p.json", dir, text, strlen(text), ds, ret);
}

static void
test_file(void **state)
{
	struct diags ds = DIAGS_INIT;
	struct plan *p;

	assert_int_equal(load("users.csv", &ds, &p), 0);
	assert_int_equal(plan_expand(p, NULL, &ds), 0);
	check_labels(p, "s/t[first]; s/t[2]; s/u[first]; s/u[2]");
	assert_ptr_equal(p->tests[0].props->data, p->tests[1].props->data);
	assert_string_equal(p->tests[0].props->data->cells[1],
	    "says \"hi\", twice");
	plan_free(p);
	diags_done(&ds);
}

static void
test_file_faults(void **state)
{
	struct diags ds = DIAGS_INIT;
	struct plan *p;

	assert_int_equal(load("head.csv", &ds, &p), ERR_INVALID);
	assert_int_equal(ds.n, 1);
	assert_non_null(strstr(ds.v[0].file, "/tests/data/plan/head.csv"));
	assert_int_equal(ds.v[0].line, 2);
	diags_done(&ds);
	assert_int_equal(load("missing.csv", &ds, &p), ERR_INVALID);
	assert_int_equal(ds.n, 1);
	assert_string_equal(ds.v[0].file, "p.json");
	assert_string_equal(ds.v[0].path, "suites[0].data");
	assert_non_null(strstr(ds.v[0].text, "No such file"));
	diags_done(&ds);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_caps),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_file_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
