/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cells: cutting, widths, escapes, and text that means harm. */
#include "tests/lib/check.h"

#include "tui/lines.h"
#include "tui/lineedit.h"
#include "tui/key.h"
#include "tui/surface.h"

static const struct style plain = { 0, 0 };

static void
expect_row(const struct surface *s, int y, const char *want)
{
	struct buf b = BUF_INIT;

	surface_row_text(s, y, &b);
	assert_string_equal(buf_str(&b), want);
	buf_done(&b);
}

static void
test_cuts(void **state)
{
	struct surface *s = surface_new(10, 3, true);

	assert_int_equal(surface_text(s, 0, 0, 10, plain, "0123456789"), 10);
	expect_row(s, 0, "0123456789");
	assert_int_equal(surface_text(s, 0, 1, 5, plain, "0123456789"), 5);
	expect_row(s, 1, "0123\xe2\x80\xa6");
	assert_int_equal(surface_text(s, 7, 2, 9, plain, "abcdef"), 3);
	expect_row(s, 2, "       ab\xe2\x80\xa6");
	surface_text(s, 20, 0, 5, plain, "out");
	surface_text(s, 0, 7, 5, plain, "out");
	surface_text(s, 0, -1, 5, plain, "out");
	expect_row(s, 0, "0123456789");
	surface_free(s);
}

static void
test_ascii(void **state)
{
	struct surface *s = surface_new(10, 2, false);

	surface_text(s, 0, 0, 4, plain, "abcdef");
	expect_row(s, 0, "abc~");
	surface_text(s, 0, 1, 9, plain, "\xc3\xa4z\xe6\xbc\xa2!");
	expect_row(s, 1, "?z?" "?!");
	surface_free(s);
}

static void
test_wide(void **state)
{
	struct surface *s = surface_new(6, 2, true);

	assert_int_equal(surface_text(s, 0, 0, 6, plain,
	    "a\xe6\xbc\xa2" "b"), 4);
	expect_row(s, 0, "a\xe6\xbc\xa2" "b");
	/* Half of it is overwritten: the other half becomes a blank. */
	surface_text(s, 2, 0, 1, plain, "x");
	expect_row(s, 0, "a xb");
	/* It does not fit on the last cell. */
	surface_text(s, 5, 1, 1, plain, "\xe6\xbc\xa2");
	assert_int_equal(surface_at(s, 5, 1)->width, 1);
	surface_free(s);
}

static void
test_hostile(void **state)
{
	struct surface *s = surface_new(40, 1, true);

	surface_text(s, 0, 0, 40, plain, "a\033[2Jb\xff\xe2\x80\xae\r");
	expect_row(s, 0, "a^[[2Jb\\xFF<U+202E>^M");
	assert_int_equal(surface_at(s, 1, 0)->style.attr, ATTR_REVERSE);
	assert_int_equal(surface_at(s, 3, 0)->style.attr, 0);
	surface_free(s);
}

static void
test_equal(void **state)
{
	struct surface *a = surface_new(5, 2, true);
	struct surface *b = surface_new(5, 2, true);

	assert_true(surface_equal(a, b));
	surface_text(a, 0, 0, 3, plain, "x");
	assert_false(surface_equal(a, b));
	surface_copy(b, a);
	assert_true(surface_equal(a, b));
	surface_over(a, (struct rect){ -3, -3, 4, 4 }, 7);
	assert_int_equal(surface_at(a, 0, 0)->over, 7);
	assert_int_equal(surface_at(a, 1, 0)->over, 0);
	surface_cursor(b, 9, 9);
	assert_false(b->cursor);
	surface_free(a);
	surface_free(b);
}

static void
test_wrap(void **state)
{
	struct lines l = { .n = 0 };

	lines_wrap(&l, 0, 14, 2, "one two three four\nfive");
	assert_int_equal(l.n, 3);
	assert_string_equal(l.v[0].text, "  one two ");
	assert_string_equal(l.v[1].text, "  three four");
	assert_string_equal(l.v[2].text, "  five");
	lines_done(&l);
	lines_wrap(&l, 0, 8, 0, "abcdefghijkl");
	assert_int_equal(l.n, 2);
	lines_fact(&l, "empty", 0, "%s", "");
	assert_int_equal(l.n, 2);
	lines_done(&l);
}

static void
type(struct lineedit *e, const char *text)
{
	for (; *text != '\0'; text++)
		lineedit_key(e, key_from_char((unsigned char)*text));
}

static void
test_lineedit(void **state)
{
	struct lineedit e = { .n = 0 };
	int i;

	assert_false(lineedit_key(&e, YK_BACKSPACE));
	type(&e, "ab c");
	assert_string_equal(e.text, "ab c");
	lineedit_key(&e, YK_LEFT);
	lineedit_key(&e, 0xe4);
	assert_string_equal(e.text, "ab \xc3\xa4" "c");
	lineedit_key(&e, YK_BACKSPACE);
	assert_string_equal(e.text, "ab c");
	lineedit_key(&e, YK_END);
	lineedit_key(&e, KEY_CTRL | 'w');
	assert_string_equal(e.text, "ab ");
	lineedit_key(&e, YK_HOME);
	lineedit_key(&e, YK_DELETE);
	assert_string_equal(e.text, "b ");
	lineedit_key(&e, KEY_CTRL | 'k');
	assert_string_equal(e.text, "");
	assert_false(lineedit_key(&e, YK_TAB));
	for (i = 0; i < LINEEDIT_MAX * 2; i++)
		lineedit_key(&e, 0x1f600);
	assert_true(e.n < LINEEDIT_MAX);
	lineedit_done(&e);
	assert_int_equal(e.text[0], 0);
}

static void
test_hidden_field(void **state)
{
	struct surface *s = surface_new(10, 1, true);
	struct lineedit e = { .hidden = true };

	type(&e, "pw1");
	lineedit_draw(&e, s, 0, 0, 10, plain, true);
	expect_row(s, 0, "***");
	assert_int_equal(s->cursor_x, 3);
	surface_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cuts),
		cmocka_unit_test(test_ascii),
		cmocka_unit_test(test_wide),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_lineedit),
		cmocka_unit_test(test_hidden_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
