/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which case of a result file belongs to which test. */
#include "config.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "yardmaster/report/junit_match.h"

#define CASE(class, name, more) \
	"<testcase classname=\"" class "\" name=\"" name "\" " more "/>"

/* Matches n names with the cases of a file. */
static void
match(const char *cases, const char *pattern, const char *const *names,
    size_t n, struct junit_match *ret)
{
	struct junit_results r;
	struct buf b = BUF_INIT;

	buf_putf(&b, "<testsuite name=\"s\">%s</testsuite>", cases);
	assert_int_equal(junit_read("r.xml", buf_data(&b), buf_len(&b), &r,
	    NULL), 0);
	junit_match(&r, pattern, names, n, ret);
	/* Texts are borrowed: they are looked at in a test of their own. */
	junit_results_done(&r);
	buf_done(&b);
}

static void
names_are_found(void **state)
{
	static const struct {
		const char *pattern, *cases, *name;
		int found;
	} rows[] = {
		{ "{classname}::{name}", CASE("a.b", "t", ""), "a.b::t", 1 },
		{ "{classname}::{name}", CASE("a.b", "t", ""), "a/b.py::t",
		    1 },
		{ "{classname}::{name}", CASE("a.b.C", "t[x/y.z]", ""),
		    "a/b.py::C::t[x/y.z]", 1 },
		{ "{classname}::{name}", CASE("a.b.C", "t[x.y.z]", ""),
		    "a/b.py::C::t[x/y.z]", 0 },
		{ "{classname}.{name}", CASE("m.C", "t", ""), "m.C.t", 1 },
		{ "{classname}.{name}", CASE("m.C", "t", ""), "m.C.u", 0 },
		{ "{name}", CASE("m.C", "t", ""), "t", 1 },
		{ "{name}", CASE("m.C", "t", ""), "m.C::t", 0 },
		{ "{file}::{name}", CASE("x", "t", "file=\"a/b.py\""),
		    "a/b.py::t", 1 },
		{ "{suite}/{name}", CASE("x", "t", ""), "s/t", 1 },
		{ "{x}{name", CASE("x", "t", ""), "{x}{name", 1 },
		{ "{classname}::{name}", CASE("", "t", ""), "::t", 1 },
		{ "{classname}::{name}", CASE("pkg.mod", "t", ""),
		    "pkg.py::t", 0 },
		{ "{classname}::{name}", CASE(".b", "t", ""), ".py::t", 0 },
	};
	struct junit_match m;
	size_t i;

	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		match(rows[i].cases, rows[i].pattern, &rows[i].name, 1, &m);
		if ((m.outcome == OUTCOME_PASSED) != (rows[i].found != 0))
			fail_msg("%s and %s", rows[i].cases, rows[i].name);
	}
}

/* Which of two is meant is not guessed; the same name is. */
static void
doubtful_names_are_not(void **state)
{
	static const char *const names[] = { "a/b::t", "a.b::t", "a::b::t",
		"c" };
	struct junit_match m[4];

	match(CASE("a.b", "t", "") CASE("a-b", "t", ""), "{classname}::{name}",
	    names, 4, m);
	assert_int_equal(m[0].outcome, OUTCOME_NONE);
	assert_int_equal(m[1].outcome, OUTCOME_PASSED);
	assert_int_equal(m[2].outcome, OUTCOME_NONE);
	match(CASE("a", "b.t", ""), "{classname}::{name}", names, 4, m);
	assert_int_equal(m[0].outcome, OUTCOME_NONE);
	assert_int_equal(m[2].outcome, OUTCOME_NONE);
	assert_int_equal(m[3].outcome, OUTCOME_NONE);
}

/* A test that has several cases is as good as the worst, and as long as all. */
static void
cases_add_up(void **state)
{
	static const char *const names[] = { "t", "u" };
	static const char cases[] =
	    "<testsuite>" CASE("", "t", "time=\"1\"")
	    "<testcase name=\"t\" time=\"0.5\"><failure message=\"no\"/>"
	    "</testcase><testcase name=\"t\" time=\"2\"><skipped "
	    "message=\"x\"/></testcase>" CASE("", "v", "time=\"9\"")
	    "</testsuite>";
	struct junit_results r;
	struct junit_match m[2];

	assert_int_equal(junit_read("r.xml", cases, strlen(cases), &r, NULL),
	    0);
	junit_match(&r, "{name}", names, 2, m);
	assert_int_equal(m[0].outcome, OUTCOME_FAILED);
	assert_int_equal(m[0].elapsed_us, 3500000);
	assert_string_equal(m[0].text, "no");
	assert_int_equal(m[1].outcome, OUTCOME_NONE);
	assert_null(m[1].text);
	junit_match(&r, "{name}", names, 0, m);
	junit_results_done(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_found),
		cmocka_unit_test(doubtful_names_are_not),
		cmocka_unit_test(cases_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
