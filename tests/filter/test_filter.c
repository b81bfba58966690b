/* SPDX-License-Identifier: GPL-3.0-or-later */
/* filter.h and selector.h and pattern.h. */
#include "../lib/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/err.h"
#include "yardmaster/filter/filter.h"
#include "yardmaster/filter/pattern.h"
#include "yardmaster/filter/selector.h"

static const char *const columns[] = { "agent", "state", "test", NULL };

static const char *
cell(void *arg, size_t column)
{
	const char *const *row = arg;

	return row[column];
}

static bool
passes(const char *text, const char *agent, const char *state,
    const char *test)
{
	const char *row[3] = { agent, state, test };
	struct filter *f;
	char *error = NULL;
	bool r;

	if (filter_new(text, columns, &f, &error) != 0)
		fail_msg("%s: %s", text, error);
	r = filter_match(f, cell, row);
	filter_free(f);
	return r;
}

static void
test_terms(void **state)
{
	static const struct {
		const char *text;
		bool passes;
	} rows[] = {
		{ "", true }, { "   ", true },
		{ "lab", true }, { "LAB", false }, { "Lab-1", true },
		{ "lab busy", true }, { "lab idle", false },
		{ "!idle", true }, { "!lab", false }, { "! lab", true },
		{ "state:busy", true }, { "state:lab", false },
		{ "!state:busy", false }, { "!state:lab", true },
		{ "agent:/^Lab-[0-9]$/", true }, { "/^busy$/", true },
		{ "/^bus$/", false }, { "/BUSY/", false }, { "/bUSY/", false },
		{ "~lb1", true }, { "~l1b", false }, { "~BY", false },
		{ "test:~ulogin", true },
		{ "test:a/b", true }, { "/a/b", false }, { "a/b", true },
		{ "users::login", true }, { "nocolumn:x", false },
		{ "\"with space\"", true }, { "\"with  space\"", false },
		{ "/with space/", true }, { "state:", true }, { "!", true },
		{ "\xc3\xa9t\xc3\xa9", true }, { "\xc3\xa9tA", false },
		{ "/a\\/b/", true }, { "~", true },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (passes(rows[i].text, "Lab-1", "busy",
		    "a/b users::login with space \xc3\x89t\xc3\xa9") !=
		    rows[i].passes)
			fail_msg("filter \"%s\"", rows[i].text);
}

static void
test_empty_cell(void **state)
{
	assert_false(passes("x", NULL, NULL, NULL));
	assert_true(passes("!x", NULL, NULL, NULL));
	assert_true(passes("agent:/^$/", NULL, "busy", NULL));
}

static void
check_bad(const char *text, int code, const char *part)
{
	struct filter *f;
	char *error = NULL;

	assert_int_equal(filter_new(text, columns, &f, &error), code);
	if (strstr(error, part) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", error, part);
	free(error);
	assert_int_equal(filter_new(text, columns, &f, NULL), code);
}

static void
test_bad(void **state)
{
	char *big = malloc(FILTER_MAX_BYTES + 2);
	struct buf many = BUF_INIT;
	int i;

	check_bad("/a(/", ERR_SYNTAX, "parenthesis");
	check_bad("\"open", ERR_SYNTAX, "not closed");
	check_bad("fine state:/[/", ERR_SYNTAX, "character");
	memset(big, 'x', FILTER_MAX_BYTES + 1);
	big[FILTER_MAX_BYTES + 1] = '\0';
	check_bad(big, ERR_TOO_LARGE, "too long");
	for (i = 0; i <= FILTER_MAX_TERMS; i++)
		buf_puts(&many, "x ");
	check_bad(buf_str(&many), ERR_TOO_LARGE, "too many");
	buf_done(&many);
	free(big);
}

/* Every prefix of every text either compiles or says why. */
static void
test_truncated(void **state)
{
	static const char text[] =
	    "!agent:/a(b|c)[x\\/]+/ ~fu \"q \\\" q\" state:\"a b\" !~z \\Q /x";
	struct filter *f;
	char part[sizeof(text)], *error;
	size_t n;

	for (n = 0; n < sizeof(text); n++) {
		memcpy(part, text, n);
		part[n] = '\0';
		error = NULL;
		if (filter_new(part, columns, &f, &error) == 0)
			filter_free(f);
		else
			assert_non_null(error);
		free(error);
	}
}

static void
test_hostile_pattern(void **state)
{
	char text[4096];
	struct pattern *p;

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(pattern_new("(a+)+(a+)+(a+)+$b", 0, &p, NULL), 0);
	assert_false(pattern_find(p, text, strlen(text), 0, NULL, NULL));
	pattern_free(p);
	assert_int_equal(pattern_new("x\\Cy", 0, &p, NULL), ERR_SYNTAX);
	/* Bytes that are not UTF-8 around what is looked for. */
	assert_int_equal(pattern_new("b+", 0, &p, NULL), 0);
	assert_true(pattern_find(p, "\xff\xfe" "bb\xc3", 5, 0, NULL, NULL));
	pattern_free(p);
}

static void
test_groups(void **state)
{
	static const char text[] = "a1\nb2\n\nc3";
	size_t start, end, next = 0;
	struct pattern *p;
	char found[8] = "";

	assert_int_equal(pattern_new("^(?<test>[a-z])\\d?$",
	    PATTERN_MULTILINE, &p, NULL), 0);
	assert_true(pattern_has_group(p, "test"));
	assert_false(pattern_has_group(p, "other"));
	assert_false(pattern_find_group(p, "other", text, 8, 0, &start, &end,
	    &next));
	while (pattern_find_group(p, "test", text, strlen(text), next, &start,
	    &end, &next))
		strncat(found, text + start, end - start);
	assert_string_equal(found, "abc");
	pattern_free(p);
	/* An empty match moves on. */
	assert_int_equal(pattern_new("(?<test>x?)", 0, &p, NULL), 0);
	assert_true(pattern_find_group(p, "test", "ab", 2, 0, &start, &end,
	    &next));
	assert_int_equal(next, 1);
	pattern_free(p);
}

static bool
selects(const char *a, const char *b, const char *name)
{
	struct strvec terms = STRVEC_INIT, labels = STRVEC_INIT;
	struct selector *s;
	bool r;

	if (a != NULL)
		strvec_push(&terms, a);
	if (b != NULL)
		strvec_push(&terms, b);
	strvec_push(&labels, "linux");
	assert_int_equal(selector_new(&terms, &s, NULL, NULL), 0);
	r = selector_match(s, name, &labels);
	selector_free(s);
	strvec_done(&terms);
	strvec_done(&labels);
	return r;
}

static void
test_selector(void **state)
{
	assert_true(selects(NULL, NULL, "lab-1"));
	assert_true(selects("lab-1", NULL, "lab-1"));
	assert_false(selects("lab-1", NULL, "lab-10"));
	assert_true(selects("mac", "@linux", "lab-1"));
	assert_false(selects("@gpu", NULL, "lab-1"));
	assert_true(selects("/^lab-/", NULL, "lab-1"));
	assert_false(selects("/^LAB/", NULL, "lab-1"));
	assert_false(selects("@linux", "!lab-1", "lab-1"));
	assert_true(selects("!lab-2", NULL, "lab-1"));
	assert_false(selects("!@linux", NULL, "lab-1"));
	assert_false(selects("!/1$/", "lab-1", "lab-1"));
}

static void
test_selector_bad(void **state)
{
	static const char *const bad[] = { "", "!", "@", "a b", "/x", "/",
		"//", "/(/", "@a/b", "!!x" };
	struct strvec terms = STRVEC_INIT;
	struct selector *s;
	char *error;
	size_t i, at;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		strvec_push(&terms, "fine");
		strvec_push(&terms, bad[i]);
		assert_int_equal(selector_new(&terms, &s, &error, &at),
		    ERR_SYNTAX);
		assert_int_equal(at, 1);
		assert_true(strlen(error) > 0);
		free(error);
		strvec_done(&terms);
	}
}

static void
test_selector_text(void **state)
{
	struct strvec terms = STRVEC_INIT;
	struct buf out = BUF_INIT;
	struct selector *s;

	strvec_push(&terms, "@gpu");
	strvec_push(&terms, "!lab-2");
	assert_int_equal(selector_new(&terms, &s, NULL, NULL), 0);
	selector_format(s, &out);
	assert_string_equal(buf_str(&out), "@gpu, !lab-2");
	assert_int_equal(selector_count(s), 2);
	assert_string_equal(selector_term(s, 1), "!lab-2");
	selector_free(s);
	buf_done(&out);
	strvec_done(&terms);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_terms),
		cmocka_unit_test(test_empty_cell),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_hostile_pattern),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_selector),
		cmocka_unit_test(test_selector_bad),
		cmocka_unit_test(test_selector_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
