/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The filter over streams: whole, in pieces of every size, and its edges. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/check.h"
#include "yardmaster/base/mask.h"
#include "yardmaster/base/mem.h"

/* Feeds text in pieces of n bytes. */
static void
expect(struct mask *m, const char *text, const char *want)
{
	size_t len = strlen(text), n, at;
	struct buf out = BUF_INIT;

	for (n = 1; n <= len; n++) {
		for (at = 0; at < len; at += n)
			mask_feed(m, text + at, len - at < n ? len - at : n,
			    &out);
		mask_flush(m, &out);
		assert_string_equal(buf_str(&out), want);
		buf_clear(&out);
	}
	buf_done(&out);
}

static void
test_pieces(void **state)
{
	struct mask *m = mask_new();

	mask_add(m, "secret");
	expect(m, "a secret, secretsecret: secre", "a ***, ******: secre");
	expect(m, "ssecret sesecret secsecret", "s*** se*** sec***");
	expect(m, "nothing", "nothing");
	mask_free(m);
}

static void
test_longest(void **state)
{
	struct mask *m = mask_new();

	mask_add(m, "abcd");
	mask_add(m, "abcdefgh");
	mask_add(m, "fghi");
	expect(m, "abcdefgh abcdef abcdefghi", "*** ***ef ***i");
	expect(m, "xabcdefg", "x***efg");
	mask_free(m);
}

static void
test_forms(void **state)
{
	struct mask *m = mask_new();

	mask_add(m, "a<b>&\"c'");
	mask_add(m, "line one\nline two\r\nxy\n");
	expect(m, "a<b>&\"c' a&lt;b&gt;&amp;&quot;c&apos;", "*** ***");
	expect(m, "line one\nline two\r\nxy\n", "***");
	expect(m, "line two\n", "***\n");
	expect(m, "xy", "xy");
	mask_free(m);
}

static void
test_short(void **state)
{
	struct mask *m = mask_new();
	char *text = str_dup("abc abcd"), *none = NULL;

	mask_add(m, "abc");
	mask_add(m, "");
	expect(m, "abc abcd", "abc abcd");
	mask_string(m, &text);
	assert_string_equal(text, "abc abcd");
	mask_string(m, &none);
	assert_null(none);
	free(text);
	mask_free(m);
	mask_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
