/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sha256.h against the vectors of FIPS 180-4 and its examples. */
#include "../lib/check.h"

#include <string.h>

#include "yardmaster/base/sha256.h"

static void
check(const char *text, size_t times, size_t piece, const char *want)
{
	struct sha256 s;
	char got[SHA256_TEXT];
	size_t i, at, n = strlen(text);

	sha256_init(&s);
	for (i = 0; i < times; i++)
		for (at = 0; at < n; at += piece)
			sha256_put(&s, text + at, n - at < piece ? n - at :
			    piece);
	sha256_text(&s, got);
	assert_string_equal(got, want);
}

static const char long_text[] =
    "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

static void
test_vectors(void **state)
{
	check("", 1, 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca4959"
	    "91b7852b855");
	check("abc", 1, 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb4"
	    "10ff61f20015ad");
	check(long_text, 1, 100, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2"
	    "167f6ecedd419db06c1");
	check("a", 1000000, 1, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a49720"
	    "0e046d39ccc7112cd0");
}

/* However it is cut, and whatever length it ends at. */
static void
test_pieces(void **state)
{
	char text[200], one[SHA256_TEXT], other[SHA256_TEXT];
	struct sha256 s;
	size_t n, cut;

	memset(text, 'x', sizeof text);
	for (n = 0; n < sizeof text; n++) {
		sha256_init(&s);
		sha256_put(&s, text, n);
		sha256_text(&s, one);
		cut = n / 3;
		sha256_init(&s);
		sha256_put(&s, text, cut);
		sha256_put(&s, text, n - cut);
		sha256_text(&s, other);
		assert_string_equal(one, other);
		assert_true(sha256_is_text(one));
	}
}

static void
test_text(void **state)
{
	char text[SHA256_TEXT + 1];

	memset(text, 'a', sizeof text);
	text[SHA256_TEXT] = '\0';
	assert_false(sha256_is_text(text));
	text[SHA256_TEXT - 1] = '\0';
	assert_true(sha256_is_text(text));
	text[5] = 'A';
	assert_false(sha256_is_text(text));
	text[5] = '/';
	assert_false(sha256_is_text(text));
	assert_false(sha256_is_text(""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
