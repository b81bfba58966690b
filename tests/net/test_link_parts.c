/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines of the side channel, heads of key files, the search for a banner. */
#include "config.h"

#include "../lib/check.h"

#include <stdlib.h>
#include <string.h>

#include "net/banner.h"
#include "net/ctl.h"
#include "net/keyfile.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"

static void
expect_line(struct buf *b, const char *word, const char *text)
{
	char line[CTL_LINE_MAX], *got_word, *got_text;

	assert_int_equal(ctl_take(b, line, &got_word, &got_text), 1);
	assert_string_equal(got_word, word);
	assert_string_equal(got_text, text);
}

static void
test_lines(void **state)
{
	char line[CTL_LINE_MAX], *word, *text;
	struct buf b = BUF_INIT;

	ctl_put(&b, "reason", "a\nb %41 \x1b[0m \xc3\xa4\x7f");
	ctl_put(&b, "go", "");
	ctl_putn(&b, "stderr", "a\0b", 3);
	assert_null(memchr(buf_data(&b), 0x1b, buf_len(&b)));
	expect_line(&b, "reason", "a\nb %41 \x1b[0m \xc3\xa4\x7f");
	expect_line(&b, "go", "");
	expect_line(&b, "stderr", "ab");
	assert_int_equal(ctl_take(&b, line, &word, &text), 0);
	buf_puts(&b, "half a li");
	assert_int_equal(ctl_take(&b, line, &word, &text), 0);
	buf_done(&b);
}

static void
test_bad_lines(void **state)
{
	static const char *const bad[] = { "word\n", "\n", "w %\n", "w %4\n",
		"w %zz\n", "w %4g\n", "w %00\n", "w %aa\n" };
	char line[CTL_LINE_MAX], *word, *text;
	struct buf b = BUF_INIT;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		buf_clear(&b);
		buf_puts(&b, bad[i]);
		assert_int_equal(ctl_take(&b, line, &word, &text),
		    ERR_PROTOCOL);
	}
	buf_clear(&b);
	buf_put(&b, "w a\0b\n", 6);
	assert_int_equal(ctl_take(&b, line, &word, &text), ERR_PROTOCOL);
	/* No end of line within the cap. */
	buf_clear(&b);
	memset(buf_reserve(&b, CTL_LINE_MAX), 'a', CTL_LINE_MAX);
	buf_commit(&b, CTL_LINE_MAX);
	assert_int_equal(ctl_take(&b, line, &word, &text), ERR_PROTOCOL);
	buf_done(&b);
}

/* The longest text that is written can be read. */
static void
test_cut(void **state)
{
	char line[CTL_LINE_MAX], *word, *text, *big = mem_zalloc(20001);
	struct buf b = BUF_INIT;
	int round;

	for (round = 0; round < 2; round++) {
		memset(big, round == 0 ? 'a' : '\n', 20000);
		buf_clear(&b);
		ctl_put(&b, "question", big);
		assert_true(buf_len(&b) <= CTL_LINE_MAX);
		assert_int_equal(ctl_take(&b, line, &word, &text), 1);
		assert_true(strlen(text) > 2000);
	}
	free(big);
	buf_done(&b);
}

static const char locked[] =
    "-----BEGIN OPENSSH PRIVATE KEY-----\n"
    "b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABAyPJg1VJ\n"
    "AxO0hlLIO3dCYMAAAAEAAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIOfC0WAWgid/79s9\n"
    "UpqMmV1XvHqXme0gAzYRGEg5jl6nAAAAkDFhrDzd0D1hjsh0NA5tK+fTRJf3x63wpbg6mxmm\n"
    "-----END OPENSSH PRIVATE KEY-----\n";

static void
test_keyfile(void **state)
{
	static const struct {
		const char *text;
		int r;
		const char *type;
		bool locked;
	} cases[] = {
		{ "", ERR_SYNTAX, "", false },
		{ "ssh-ed25519 AAAA me\n", ERR_SYNTAX, "", false },
		{ "-----BEGIN ", ERR_SYNTAX, "", false },
		{ "-----BEGIN CERTIFICATE-----\n", ERR_SYNTAX, "", false },
		{ "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n", ERR_SYNTAX,
		    "", false },
		{ "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"
		  "-----END OPENSSH PRIVATE KEY-----\n", ERR_SYNTAX, "",
		    false },
		{ "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n", 0, "ssh-rsa",
		    false },
		{ "-----BEGIN RSA PRIVATE KEY-----\n"
		  "Proc-Type: 4,ENCRYPTED\n", 0, "ssh-rsa", true },
		{ "-----BEGIN ENCRYPTED PRIVATE KEY-----\n", 0, "", true },
		{ locked, 0, "ssh-ed25519", true },
	};
	struct keyfile k;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(keyfile_parse(cases[i].text, &k), cases[i].r);
		if (cases[i].r < 0)
			continue;
		assert_string_equal(k.type, cases[i].type);
		assert_int_equal(k.locked, cases[i].locked);
		keyfile_done(&k);
	}
	assert_int_equal(keyfile_parse(locked, &k), 0);
	assert_int_equal(buf_len(&k.blob), 51);
	keyfile_done(&k);
	assert_true(keyfile_read("/nonexistent/key", &k) < 0);
}

/* Cut at every byte, and with each byte changed, it ends in some way. */
static void
test_keyfile_broken(void **state)
{
	char text[sizeof(locked)];
	struct keyfile k;
	size_t i;

	for (i = 0; i < sizeof(locked) - 1; i++) {
		memcpy(text, locked, sizeof(locked));
		text[i] = '\0';
		if (keyfile_parse(text, &k) == 0)
			keyfile_done(&k);
		memcpy(text, locked, sizeof(locked));
		text[i] ^= 0x55;
		if (keyfile_parse(text, &k) == 0)
			keyfile_done(&k);
	}
}

static void
test_banner(void **state)
{
	static const struct {
		const char *text;
		bool seen;
	} cases[] = {
		{ "", false },
		{ "yardmaster protocol 1\n", true },
		{ "yardmaster protocol 2\n", true },
		{ "Welcome to lab-1!\nyardmaster protocol 1\n", true },
		{ "yardyardmaster protocol 1\n", true },
		{ "yyardmaster protocol 1\n", true },
		{ "yardmaster protoyardmaster protocol 1\n", true },
		{ "yardmaster: command not found\n", false },
	};
	struct banner b;
	size_t i, k, n;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		n = strlen(cases[i].text);
		b = (struct banner)BANNER_INIT;
		assert_int_equal(banner_feed(&b,
		    (const uint8_t *)cases[i].text, n), cases[i].seen);
		b = (struct banner)BANNER_INIT;
		for (k = 0; k < n; k++)
			banner_feed(&b, (const uint8_t *)cases[i].text + k, 1);
		assert_int_equal(b.seen, cases[i].seen);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_bad_lines),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_keyfile),
		cmocka_unit_test(test_keyfile_broken),
		cmocka_unit_test(test_banner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
