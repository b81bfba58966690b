/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JUnit files of test programs: dialects, and what is refused. */
#include "config.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "yardmaster/base/err.h"
#include "yardmaster/report/junit_read.h"

static int
parse(const char *xml, struct junit_results *r)
{
	return junit_read("results.xml", xml, strlen(xml), r, NULL);
}

/* As pytest writes it. */
static const char pytest[] =
    "<?xml version=\"1.0\" encoding=\"utf-8\"?><testsuites>"
    "<testsuite name=\"pytest\" errors=\"1\" tests=\"5\" time=\"0.1\">"
    "<testcase classname=\"t.test_a\" name=\"test_ok\" time=\"0.001\" />"
    "<testcase classname=\"t.test_a\" name=\"test_bad[a&lt;b]\""
    " file=\"t/test_a.py\" time=\"1.5\"><failure message=\"assert 1 == 2\">"
    "def test():\n&gt; assert 1 &lt; 2\n</failure><system-out>hi"
    "</system-out></testcase>"
    "<testcase classname=\"t.test_a\" name=\"test_skip\" time=\"0.000\">"
    "<skipped type=\"pytest.skip\" message=\"why not\">t.py:3: why not"
    "</skipped></testcase>"
    "<testcase classname=\"t.test_a\" name=\"test_up\" time=\"2.1e-05\">"
    "<error message=\"failed on setup\"><![CDATA[a <b> & c]]></error>"
    "</testcase><testcase classname=\"t.test_a\" name=\"test_both\">"
    "<failure/><error message=\"teardown\"/><skipped/></testcase>"
    "</testsuite></testsuites>";

static void
pytest_is_read(void **state)
{
	struct junit_results r;

	assert_int_equal(parse(pytest, &r), 0);
	assert_int_equal(r.n, 5);
	assert_string_equal(r.v[0].suite, "pytest");
	assert_string_equal(r.v[0].classname, "t.test_a");
	assert_string_equal(r.v[0].name, "test_ok");
	assert_int_equal(r.v[0].outcome, OUTCOME_PASSED);
	assert_int_equal(r.v[0].elapsed_us, 1000);
	assert_null(r.v[0].text);
	assert_null(r.v[0].file);
	assert_string_equal(r.v[1].name, "test_bad[a<b]");
	assert_string_equal(r.v[1].file, "t/test_a.py");
	assert_int_equal(r.v[1].outcome, OUTCOME_FAILED);
	assert_string_equal(r.v[1].text,
	    "assert 1 == 2\ndef test():\n> assert 1 < 2\n");
	assert_int_equal(r.v[2].outcome, OUTCOME_SKIPPED);
	assert_string_equal(r.v[2].text, "why not\nt.py:3: why not");
	assert_int_equal(r.v[3].outcome, OUTCOME_ERROR);
	assert_int_equal(r.v[3].elapsed_us, 21);
	assert_string_equal(r.v[3].text, "failed on setup\na <b> & c");
	assert_int_equal(r.v[4].outcome, OUTCOME_ERROR);
	assert_string_equal(r.v[4].text, "teardown");
	assert_int_equal(r.v[4].elapsed_us, 0);
	junit_results_done(&r);
	assert_int_equal(r.n, 0);
}

static void
other_dialects_are_read(void **state)
{
	struct junit_results r;

	/* No testsuites, nested suites, reruns, properties, no classname. */
	assert_int_equal(parse("<testsuite name='outer'><properties>"
	    "<property name='failure' value='x'/></properties>"
	    "<testsuite name='inner'><testcase name='a' time='1,234.5'>"
	    "<rerunFailure message='r'/><properties><failure/></properties>"
	    "</testcase></testsuite><testcase name='b' time='fast'/>"
	    "</testsuite>", &r), 0);
	assert_int_equal(r.n, 2);
	assert_string_equal(r.v[0].suite, "inner");
	assert_string_equal(r.v[0].classname, "");
	assert_int_equal(r.v[0].outcome, OUTCOME_PASSED);
	assert_true(r.v[0].elapsed_us == INT64_C(1234500000));
	assert_string_equal(r.v[1].suite, "outer");
	assert_int_equal(r.v[1].elapsed_us, 0);
	junit_results_done(&r);
	assert_int_equal(parse("<testcase/>", &r), 0);
	assert_string_equal(r.v[0].name, "");
	junit_results_done(&r);
	assert_int_equal(parse("<other/>", &r), 0);
	assert_int_equal(r.n, 0);
	junit_results_done(&r);
}

static int64_t
time_of(const char *time)
{
	struct junit_results r;
	char xml[200];
	int64_t us;

	snprintf(xml, sizeof(xml), "<testcase time='%s'/>", time);
	assert_int_equal(parse(xml, &r), 0);
	us = r.v[0].elapsed_us;
	junit_results_done(&r);
	return us;
}

static void
times_have_many_forms(void **state)
{
	assert_int_equal(time_of("1"), 1000000);
	assert_int_equal(time_of(".5"), 500000);
	assert_int_equal(time_of("0.1234567891"), 123456);
	assert_int_equal(time_of("1.5e1"), 15000000);
	assert_int_equal(time_of("1E-3"), 1000);
	assert_int_equal(time_of("1e-999999999999999999999"), 0);
	assert_int_equal(time_of("-1"), 0);
	assert_int_equal(time_of("nan"), 0);
	assert_true(time_of("9e999999999") > 0);
	assert_true(time_of("99999999999999999999999999") > 0);
}

static const struct {
	const char *xml;
	int code;
	const char *says;
} bad[] = {
	{ "", ERR_SYNTAX, "no element found" },
	{ "<testsuite>", ERR_SYNTAX, "no element found" },
	{ "<testsuite></wrong>", ERR_SYNTAX, "mismatched tag" },
	{ "<testsuite><testcase name='a'/>\n<testcase", ERR_SYNTAX,
	    "results.xml:2: unclosed token" },
	{ "<!DOCTYPE x [<!ENTITY a \"b\">]><testsuite/>", ERR_SYNTAX,
	    "a document type is not accepted" },
	{ "<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><testsuite/>",
	    ERR_SYNTAX, "a document type is not accepted" },
	{ "<testsuite name='&a;'/>", ERR_SYNTAX, "undefined entity" },
	{ "<testsuite name='\xff'/>", ERR_SYNTAX, "not well-formed" },
};

static void
what_is_wrong_is_refused(void **state)
{
	struct junit_results r;
	struct diags ds = DIAGS_INIT;
	struct buf b = BUF_INIT;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(junit_read("results.xml", bad[i].xml,
		    strlen(bad[i].xml), &r, &ds), bad[i].code);
		assert_int_equal(ds.n, 1);
		diag_format(&ds.v[0], &b);
		if (strstr(buf_str(&b), bad[i].says) == NULL)
			fail_msg("%s: %s", bad[i].xml, buf_str(&b));
		buf_clear(&b);
		diags_done(&ds);
	}
	buf_done(&b);
}

static void
there_are_caps(void **state)
{
	struct junit_results r;
	struct buf b = BUF_INIT;
	int i;

	for (i = 0; i < 64; i++)
		buf_puts(&b, "<testsuite>");
	assert_int_equal(parse(buf_str(&b), &r), ERR_TOO_LARGE);
	buf_clear(&b);
	buf_puts(&b, "<testsuite>");
	for (i = 0; i <= JUNIT_MAX_CASES; i++)
		buf_puts(&b, "<testcase/>");
	buf_puts(&b, "</testsuite>");
	assert_int_equal(parse(buf_str(&b), &r), ERR_TOO_LARGE);
	buf_clear(&b);
	buf_puts(&b, "<testcase name='");
	for (i = 0; i < 2 * JUNIT_MAX_NAME; i++)
		buf_putc(&b, 'n');
	buf_puts(&b, "'><failure>");
	for (i = 0; i < 3000; i++)
		buf_puts(&b, "text &amp; ");
	buf_puts(&b, "</failure></testcase>");
	assert_int_equal(parse(buf_str(&b), &r), 0);
	assert_int_equal(strlen(r.v[0].name), JUNIT_MAX_NAME);
	assert_int_equal(strlen(r.v[0].text), JUNIT_MAX_TEXT);
	assert_int_equal(strncmp(r.v[0].text, "text & text & ", 14), 0);
	junit_results_done(&r);
	assert_int_equal(junit_read("x", "", (size_t)JUNIT_MAX_BYTES + 1, &r,
	    NULL), ERR_TOO_LARGE);
	buf_done(&b);
}

static void
a_missing_file_is_said(void **state)
{
	struct junit_results r;
	struct diags ds = DIAGS_INIT;

	assert_true(junit_read_file("/nowhere/results.xml", &r, &ds) < 0);
	assert_int_equal(ds.errors, 1);
	assert_string_equal(ds.v[0].file, "/nowhere/results.xml");
	diags_done(&ds);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pytest_is_read),
		cmocka_unit_test(other_dialects_are_read),
		cmocka_unit_test(times_have_many_forms),
		cmocka_unit_test(what_is_wrong_is_refused),
		cmocka_unit_test(there_are_caps),
		cmocka_unit_test(a_missing_file_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
