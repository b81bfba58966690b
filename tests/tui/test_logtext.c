/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Output as lines, and edit expressions: both read what others wrote. */
#include "tests/lib/check.h"

#include <stdio.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/text.h"
#include "tui/clipboard.h"
#include "tui/editexpr.h"
#include "tui/logtext.h"
#include "tui/theme.h"

static void
feed(struct logtext *lt, const char *text)
{
	logtext_feed(lt, (const uint8_t *)text, strlen(text), 1);
}

static void
expect_line(const struct logtext *lt, uint64_t no, const char *want)
{
	const struct log_line *l = logtext_line(lt, no);

	assert_int_equal(l->n, strlen(want));
	assert_memory_equal(l->text, want, l->n);
}

static void
test_lines(void **state)
{
	struct logtext *lt = logtext_new();

	assert_int_equal(logtext_end(lt), 0);
	feed(lt, "one\n\ntw");
	assert_int_equal(logtext_end(lt), 3);
	expect_line(lt, 2, "tw");	/* still grows */
	feed(lt, "o\r\nthree\tx\n");
	assert_int_equal(logtext_end(lt), 4);
	expect_line(lt, 0, "one");
	expect_line(lt, 1, "");
	expect_line(lt, 2, "two");
	expect_line(lt, 3, "three   x");
	logtext_free(lt);
}

static void
test_progress(void **state)
{
	struct logtext *lt = logtext_new();

	feed(lt, "10%\r50%\r");
	expect_line(lt, 0, "50%");
	feed(lt, "100%\nnext");
	expect_line(lt, 0, "100%");
	expect_line(lt, 1, "next");
	logtext_free(lt);
}

static void
test_colours(void **state)
{
	struct logtext *lt = logtext_new();
	const struct log_line *l;

	feed(lt, "a\033[31;1mb\033[0mc\033[38;5;2md\033[38;2;1;2;3me"
	    "\033[48;5;9mf\n");
	l = logtext_line(lt, 0);
	expect_line(lt, 0, "abcdef");
	assert_int_equal(l->spans[1].from, 1);
	assert_int_equal(l->spans[1].style.role, ROLE_OUT_RED);
	assert_int_equal(l->spans[1].style.attr, ATTR_BOLD);
	assert_int_equal(l->spans[2].style.role, ROLE_NORMAL);
	assert_int_equal(l->spans[3].style.role, ROLE_OUT_GREEN);
	/* The colour goes on over the end of the line. */
	feed(lt, "\033[32mx\ny\n");
	assert_int_equal(logtext_line(lt, 2)->spans[0].style.role,
	    ROLE_OUT_GREEN);
	logtext_free(lt);
}

/* Other sequences stay in the text, where drawing escapes them. */
static void
test_hostile(void **state)
{
	struct logtext *lt = logtext_new();
	char big[40000];

	feed(lt, "a\033[2Jb\033]0;t\007c\033");
	feed(lt, "[31");
	feed(lt, "mz\033[;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;m\n");
	expect_line(lt, 0, "a\033[2Jb\033]0;t\007c"
	    "z\033[;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;m");
	memset(big, 'x', sizeof(big));
	logtext_feed(lt, (uint8_t *)big, sizeof(big), 1);
	assert_int_equal(logtext_line(lt, 1)->n, LOG_MAX_LINE);
	logtext_free(lt);
}

static void
test_ring(void **state)
{
	struct logtext *lt = logtext_new();
	char line[64];
	unsigned i;

	for (i = 0; i < LOG_MAX_LINES + 10; i++) {
		snprintf(line, sizeof(line), "%u\n", i);
		feed(lt, line);
	}
	assert_int_equal(logtext_first(lt), 10);
	expect_line(lt, 10, "10");
	snprintf(line, sizeof(line), "%u", i - 1);
	expect_line(lt, i - 1, line);
	logtext_gap(lt, "--- gap ---", 2);
	assert_true(logtext_line(lt, logtext_end(lt) - 1)->gap);
	logtext_free(lt);
}

static void
test_failures(void **state)
{
	struct logtext *lt = logtext_new();

	feed(lt, "all is well\nFAILED x\nnot ok 3\nfailover works\n");
	assert_false(logtext_line(lt, 0)->failure);
	assert_true(logtext_line(lt, 1)->failure);
	assert_true(logtext_line(lt, 2)->failure);
	assert_false(logtext_line(lt, 3)->failure);
	logtext_free(lt);
}

static uint32_t
max_of(const char *text, uint32_t old)
{
	const char *error;
	struct edit e;

	assert_int_equal(edit_parse(text, false, &e, &error), 0);
	return edit_max(&e, old, 3);
}

static void
test_edit_max(void **state)
{
	static const char *const bad[] = { "", "x", "0", "1.5", "--2", "+",
		"%", "5%", "2000", "=max", "=adviced", "3 4", "-101%" };
	const char *error;
	struct edit e;
	size_t i;

	assert_int_equal(max_of("6", 4), 6);
	assert_int_equal(max_of(" 6 ", 4), 6);
	assert_int_equal(max_of("+2", 4), 6);
	assert_int_equal(max_of("-1", 4), 3);
	assert_int_equal(max_of("-9", 4), 1);
	assert_int_equal(max_of("-25%", 4), 3);
	assert_int_equal(max_of("-25%", 1), 1);
	assert_int_equal(max_of("+10%", 2), 3);	/* always changes something */
	assert_int_equal(max_of("+100%", 1000), 1024);
	assert_int_equal(max_of("=advised", 9), 3);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		error = NULL;
		assert_true(edit_parse(bad[i], false, &e, &error) < 0);
		assert_non_null(error);
	}
}

static void
test_edit_threshold(void **state)
{
	const char *error;
	struct threshold th;
	struct edit e;

	assert_int_equal(edit_parse("-2", true, &e, &error), 0);
	th = edit_threshold(&e, 4, 4);
	assert_int_equal(th.kind, THRESHOLD_SPARE);
	assert_int_equal(th.n, 2);
	assert_int_equal(edit_parse("0", true, &e, &error), 0);
	th = edit_threshold(&e, 4, 4);
	assert_int_equal(th.kind, THRESHOLD_NUMBER);
	assert_int_equal(th.n, 0);
	assert_int_equal(edit_parse("=max", true, &e, &error), 0);
	assert_int_equal(edit_threshold(&e, 4, 4).kind, THRESHOLD_UNSET);
	assert_int_equal(edit_parse("-50%", true, &e, &error), 0);
	assert_int_equal(edit_threshold(&e, 4, 4).n, 2);
}

static void
test_clipboard(void **state)
{
	struct buf b = BUF_INIT;

	clipboard_put(&b, "Hello", 5);
	assert_string_equal(buf_str(&b), "\033]52;c;SGVsbG8=\007");
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_progress),
		cmocka_unit_test(test_colours),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_edit_max),
		cmocka_unit_test(test_edit_threshold),
		cmocka_unit_test(test_clipboard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
