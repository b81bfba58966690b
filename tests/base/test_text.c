/* SPDX-License-Identifier: GPL-3.0-or-later */
/* text.h, and what log.h and diag.h make of foreign text. */
#include "../lib/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "yardmaster/base/diag.h"
#include "yardmaster/base/log.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"

static void
test_escapes(void **state)
{
	static const struct {
		const char *in, *out;
		size_t width;
	} rows[] = {
		{ "plain", "plain", 5 },
		{ "a\tb\n", "a^Ib^J", 6 },
		{ "\x1b[31m", "^[[31m", 6 },
		{ "\x7f", "^?", 2 },
		{ "caf\xc3\xa9", "caf\xc3\xa9", 4 },
		{ "\xe4\xb8\xad", "\xe4\xb8\xad", 2 },		/* wide */
		{ "e\xcc\x81", "e\xcc\x81", 1 },		/* with a mark */
		{ "\xcc\x81", " \xcc\x81", 1 },			/* mark alone */
		{ "\x01\xcc\x81", "^A \xcc\x81", 3 },
		{ "\xc2\x9b", "<U+009B>", 8 },			/* C1 */
		{ "\xe2\x80\xae", "<U+202E>", 8 },		/* turns */
		{ "\xe2\x80\x8b", "<U+200B>", 8 },		/* no width */
		{ "\xe2\x80\xa8", "<U+2028>", 8 },
		{ "\xee\x80\x80", "<U+E000>", 8 },		/* private */
		{ "\xf3\xa0\x81\x81", "<U+E0041>", 9 },		/* tag */
		{ "\xef\xbf\xbf", "<U+FFFF>", 8 },
		{ "\xff", "\\xFF", 4 },
		{ "\xc3", "\\xC3", 4 },				/* cut */
		{ "\xc3(", "\\xC3(", 5 },
		{ "\xc0\x80", "\\xC0\\x80", 8 },		/* overlong */
		{ "\xed\xa0\x80", "\\xED\\xA0\\x80", 12 },	/* surrogate */
		{ "\xf4\x90\x80\x80", "\\xF4\\x90\\x80\\x80", 16 },
		{ "\xe2\x9d\xa4\xef\xb8\x8f", "\xe2\x9d\xa4", 1 },
	};
	char *out;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		out = text_safe(rows[i].in);
		assert_string_equal(out, rows[i].out);
		assert_int_equal(text_width(rows[i].in, strlen(rows[i].in)),
		    rows[i].width);
		free(out);
	}
}

static void
test_marks(void **state)
{
	struct buf in = BUF_INIT, out = BUF_INIT;
	int i;

	buf_putc(&in, 'o');
	for (i = 0; i < 50; i++)
		buf_puts(&in, "\xcc\x81");
	text_escape(&out, buf_str(&in), buf_len(&in));
	assert_int_equal(buf_len(&out), 1 + 4 * 2);
	buf_done(&in);
	buf_done(&out);
}

static void
test_nul_and_end(void **state)
{
	struct text_glyph g;

	assert_int_equal(text_next("", 0, &g), 0);
	assert_int_equal(g.len, 0);
	assert_int_equal(text_next("\0x", 2, &g), 1);
	assert_string_equal(g.bytes, "^@");
	assert_true(g.escaped);
	assert_int_equal(text_next("x", 1, &g), 1);
	assert_false(g.escaped);
}

/* Whatever goes in, what comes out is UTF-8 without controls, and safe text
 * is not changed again but for its backslashes and marks. */
static void
test_any_bytes(void **state)
{
	struct buf in = BUF_INIT, out = BUF_INIT;
	uint32_t x = 12345;
	size_t i, n, round;

	for (round = 0; round < 3000; round++) {
		buf_clear(&in);
		buf_clear(&out);
		n = round % 40;
		for (i = 0; i < n; i++) {
			x = x * 1664525u + 1013904223u;
			buf_putc(&in, (int)(x >> 24) | (x & 0x300 ? 0x80 : 0));
		}
		text_escape(&out, buf_str(&in), n);
		assert_true(text_is_utf8(buf_str(&out), buf_len(&out)));
		for (i = 0; i < buf_len(&out); i++)
			assert_true(buf_data(&out)[i] >= 0x20 &&
			    buf_data(&out)[i] != 0x7f);
		assert_int_equal(text_width(buf_str(&in), n),
		    text_width(buf_str(&out), buf_len(&out)));
	}
	buf_done(&in);
	buf_done(&out);
}

static void
check_fit(const char *in, size_t cells, bool utf8, bool pad, const char *out,
    size_t width)
{
	struct buf b = BUF_INIT;

	assert_int_equal(text_fit(&b, in, cells, utf8, pad), width);
	assert_string_equal(buf_str(&b), out);
	buf_done(&b);
}

static void
test_fit(void **state)
{
	check_fit("abc", 3, false, false, "abc", 3);
	check_fit("abcd", 3, false, false, "ab~", 3);
	check_fit("abcd", 3, true, false, "ab\xe2\x80\xa6", 3);
	check_fit("abc", 5, false, true, "abc  ", 5);
	check_fit("abc", 0, false, true, "", 0);
	check_fit("abc", 1, false, true, "~", 1);
	check_fit("", 2, false, true, "  ", 2);
	check_fit("a\xe4\xb8\xad\xe4\xb8\xad", 3, false, false, "a~", 2);
	check_fit("a\xe4\xb8\xad\xe4\xb8\xad", 4, false, true, "a\xe4\xb8\xad~", 4);
	check_fit("a\xe4\xb8\xad\xe4\xb8\xad", 3, false, true, "a~ ", 3);
	check_fit("ab\x01", 3, false, true, "ab~", 3);
}

static void
test_utf8(void **state)
{
	assert_true(text_is_utf8("", 0));
	assert_true(text_is_utf8("a\0b", 3));
	assert_true(text_is_utf8("\xf0\x9f\x98\x80", 4));
	assert_false(text_is_utf8("\xf0\x9f\x98", 3));
	assert_false(text_is_utf8("\xf5\x80\x80\x80", 4));
}

static void
test_nearest(void **state)
{
	static const char *const words[] = { "retries", "timeout", "tests",
		NULL };
	char longer[80];

	assert_int_equal(text_distance("", ""), 0);
	assert_int_equal(text_distance("", "abc"), 3);
	assert_int_equal(text_distance("kitten", "sitting"), 3);
	assert_int_equal(text_distance("ab", "ba"), 1);
	assert_int_equal(text_distance("timeuot", "timeout"), 1);
	memset(longer, 'a', 79);
	longer[79] = '\0';
	assert_int_equal(text_distance(longer, longer), 255);
	assert_string_equal(text_nearest("retrys", words, 2), "retries");
	assert_string_equal(text_nearest("test", words, 2), "tests");
	assert_null(text_nearest("banana", words, 2));
	assert_null(text_nearest("retrys", words, 1));
}

static void
test_natural(void **state)
{
	static const char *const order[] = { "", "1", "2", "10", "A", "t", "t1",
		"t01", "t2", "t02b", "t10", "t10a2", "t10a10", "u" };
	size_t i, j, n = sizeof(order) / sizeof(order[0]);
	int r;

	for (i = 0; i < n; i++)
		for (j = 0; j < n; j++) {
			r = text_natural_cmp(order[i], order[j]);
			if (strcmp(order[i], "t1") == 0 &&
			    strcmp(order[j], "t01") == 0)
				assert_true(r > 0);
			else if (strcmp(order[j], "t1") == 0 &&
			    strcmp(order[i], "t01") == 0)
				assert_true(r < 0);
			else
				assert_true(i < j ? r < 0 : i > j ? r > 0 :
				    r == 0);
		}
}

static void
keep_line(void *arg, enum log_level level, const char *line)
{
	char **kept = arg;

	free(*kept);
	*kept = str_fmt("%d %s", (int)level, line);
}

static void
test_log(void **state)
{
	char *line = NULL;

	log_to(keep_line, &line);
	errno = ENOSPC;
	log_info("not said");
	assert_null(line);
	log_warn("bad\x1b%s", "\n");
	assert_int_equal(errno, ENOSPC);
	assert_string_equal(line, "1 bad^[^J");
	log_set_level(LOG_DEBUG);
	log_debug("d");
	assert_string_equal(line, "3 d");
	log_set_level(LOG_WARNING);
	log_to(NULL, NULL);
	free(line);
}

static void
test_diag(void **state)
{
	struct diags ds = DIAGS_INIT;
	struct buf b = BUF_INIT;
	char text[4096];
	int fds[2], i;
	ssize_t n;

	diag_set_hint(diag_add(&ds, DIAG_ERROR, "b.json", 3, "suites[0]",
	    "bad %s", "\x1b"), "use %s", "good");
	diag_add(&ds, DIAG_WARNING, "b.json", 1, NULL, "odd");
	diag_add(&ds, DIAG_ERROR, NULL, 0, NULL, "no file");
	assert_int_equal(ds.errors, 2);
	diag_format(&ds.v[0], &b);
	assert_string_equal(buf_str(&b),
	    "b.json:3: suites[0]: bad ^[ (use good)");
	assert_int_equal(pipe(fds), 0);
	diags_print(&ds, fds[1]);
	close(fds[1]);
	n = read(fds[0], text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = '\0';
	close(fds[0]);
	assert_string_equal(text, "no file\nb.json:1: warning: odd\n"
	    "b.json:3: suites[0]: bad ^[ (use good)\n");
	for (i = 0; i < 300; i++)
		diag_set_hint(diag_add(&ds, DIAG_ERROR, "x", 1, NULL, "%d", i),
		    "hint %d", i);
	assert_int_equal(ds.n, 200);
	assert_int_equal(ds.dropped, 103);
	assert_int_equal(ds.errors, 302);
	assert_string_equal(ds.v[199].text, "196");
	diags_done(&ds);
	buf_done(&b);
}

static void
test_first_line(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "", "" }, { "one", "one" }, { "one\n", "one" },
		{ "\n  one\n\ntwo", "one ..." }, { "a\tb\rc", "a^Ib ..." },
		{ " \n ", "" },
	};
	struct buf b = BUF_INIT;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_clear(&b);
		text_first_line(&b, rows[i].in);
		assert_string_equal(buf_str(&b), rows[i].out);
	}
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_first_line),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_nul_and_end),
		cmocka_unit_test(test_any_bytes),
		cmocka_unit_test(test_fit),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_natural),
		cmocka_unit_test(test_log),
		cmocka_unit_test(test_diag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
