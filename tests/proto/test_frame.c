/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames: parts, noise before the banner, caps, and every way to cut. */
#include "config.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/proto/frame.h"

#define BODY_MAX (FRAME_MAX - FRAME_HEADER)

/* A small generator of our own, so that a failure is the same everywhere. */
static uint32_t
chance(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static uint8_t
pattern(size_t i, unsigned number)
{
	return (uint8_t)(i * 31 + number);
}

static uint8_t *
body_new(size_t n, unsigned number)
{
	uint8_t *p = mem_zalloc(n);
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = pattern(i, number);
	return p;
}

static void
put_pattern(struct buf *out, unsigned number, size_t n)
{
	uint8_t *p = body_new(n, number);

	assert_int_equal(frame_put(out, number, p, n), 0);
	free(p);
}

/* The next message of r must be the pattern of that number and length. */
static void
expect(struct frame_reader *r, unsigned number, size_t n)
{
	uint8_t *want = body_new(n, number);
	const uint8_t *body;
	unsigned got;
	size_t len;

	assert_int_equal(frame_next(r, &got, &body, &len), 1);
	assert_int_equal(got, number);
	assert_int_equal(len, n);
	assert_memory_equal(body, want, n);
	free(want);
}

static int
next_code(struct frame_reader *r)
{
	const uint8_t *body;
	unsigned number;
	size_t n;

	return frame_next(r, &number, &body, &n);
}

static const size_t sizes[] = { 0, 1, 5, BODY_MAX - 4, BODY_MAX - 3,
	BODY_MAX - 1, BODY_MAX, BODY_MAX + 1, 2 * BODY_MAX - 4,
	2 * BODY_MAX - 3, 100000 };
#define N_SIZES (sizeof(sizes) / sizeof(sizes[0]))

static void
all_sizes_arrive(void **state)
{
	struct frame_reader r;
	struct buf b = BUF_INIT;
	size_t i;

	frame_reader_init(&r);
	buf_puts(&b, PROTO_BANNER);
	for (i = 0; i < N_SIZES; i++)
		put_pattern(&b, (unsigned)i + 1, sizes[i]);
	put_pattern(&b, 255, MESSAGE_MAX);
	frame_feed(&r, buf_data(&b), buf_len(&b));
	for (i = 0; i < N_SIZES; i++)
		expect(&r, (unsigned)i + 1, sizes[i]);
	expect(&r, 255, MESSAGE_MAX);
	assert_int_equal(next_code(&r), 0);
	assert_string_equal(frame_noise(&r), "");
	frame_reader_done(&r);
	buf_done(&b);
}

static void
frames_stay_under_the_cap(void **state)
{
	struct buf b = BUF_INIT;
	const uint8_t *p;
	size_t n, left;

	put_pattern(&b, 7, 50000);
	p = buf_data(&b);
	for (left = buf_len(&b); left > 0; left -= n, p += n) {
		n = ((size_t)p[0] << 8 | p[1]) + FRAME_HEADER;
		assert_true(n <= FRAME_MAX && n <= left);
		assert_int_equal(p[2], 7);
		assert_int_equal(p[3], n < left ? 1 : 0);
	}
	buf_clear(&b);
	assert_int_equal(frame_put(&b, 7, NULL, (size_t)MESSAGE_MAX + 1),
	    ERR_TOO_LARGE);
	assert_int_equal(frame_put(&b, 0, "", 0), ERR_TOO_LARGE);
	assert_int_equal(frame_put(&b, 256, "", 0), ERR_TOO_LARGE);
	assert_int_equal(buf_len(&b), 0);
	buf_done(&b);
}

/* Feeds b in pieces of random length and takes what comes at once. */
static void
feed_in_pieces(const struct buf *b, uint32_t seed, size_t longest)
{
	struct frame_reader r;
	const uint8_t *p = buf_data(b), *body;
	size_t left = buf_len(b), n, len, i = 0, k;
	unsigned number;

	frame_reader_init(&r);
	while (left > 0) {
		n = chance(&seed) % longest + 1;
		n = n < left ? n : left;
		frame_feed(&r, p, n);
		p += n;
		left -= n;
		while (frame_next(&r, &number, &body, &len) == 1) {
			assert_true(i < N_SIZES);
			assert_int_equal(number, i + 1);
			assert_int_equal(len, sizes[i]);
			for (k = 0; k < len; k++)
				if (body[k] != pattern(k, number))
					fail_msg("byte %zu differs", k);
			i++;
		}
	}
	assert_int_equal(i, N_SIZES);
	frame_reader_done(&r);
}

static void
any_split_gives_the_same(void **state)
{
	struct buf b = BUF_INIT;
	uint32_t seed;
	size_t i;

	buf_puts(&b, "Last login: yard yardmaster proto\nyardmaster "
	    "protocol is fun\n");
	buf_puts(&b, PROTO_BANNER);
	for (i = 0; i < N_SIZES; i++)
		put_pattern(&b, (unsigned)i + 1, sizes[i]);
	feed_in_pieces(&b, 1, 1);
	for (seed = 1; seed <= 20; seed++)
		feed_in_pieces(&b, seed, (size_t)seed * seed * 40);
	buf_done(&b);
}

static void
noise_is_skipped_and_kept(void **state)
{
	struct frame_reader r;

	frame_reader_init(&r);
	frame_feed(&r, "Welcome!\n", 9);
	assert_int_equal(next_code(&r), 0);
	assert_string_equal(frame_noise(&r), "Welcome!\n");
	frame_feed(&r, "stty: no tty" PROTO_BANNER, 12 +
	    strlen(PROTO_BANNER));
	assert_int_equal(next_code(&r), 0);
	assert_string_equal(frame_noise(&r), "Welcome!\nstty: no tty");
	frame_feed(&r, "\0\0\2\0", 4);
	expect(&r, 2, 0);
	frame_reader_done(&r);
}

static void
noise_has_a_cap(void **state)
{
	struct frame_reader r;
	char line[1024];
	int i;

	memset(line, 'x', sizeof(line));
	frame_reader_init(&r);
	for (i = 0; i < 64; i++) {
		frame_feed(&r, line, sizeof(line));
		assert_int_equal(next_code(&r), 0);
	}
	frame_feed(&r, PROTO_BANNER, strlen(PROTO_BANNER));
	frame_feed(&r, "\0\0\2\0", 4);
	expect(&r, 2, 0);
	frame_reader_done(&r);

	frame_reader_init(&r);
	for (i = 0; i < 64; i++)
		frame_feed(&r, line, sizeof(line));
	frame_feed(&r, "!" PROTO_BANNER, 1 + strlen(PROTO_BANNER));
	assert_int_equal(next_code(&r), ERR_PROTOCOL);
	assert_int_equal(frame_noise(&r)[0], 'x');
	assert_int_equal(next_code(&r), ERR_PROTOCOL);
	frame_reader_done(&r);
}

static void
another_version_is_said(void **state)
{
	static const char *const banners[] = { "yardmaster protocol 2\n",
		"yardmaster protocol 10\n", "motd\nyardmaster protocol 0\n" };
	struct frame_reader r;
	size_t i;

	for (i = 0; i < sizeof(banners) / sizeof(banners[0]); i++) {
		frame_reader_init(&r);
		frame_feed(&r, banners[i], strlen(banners[i]));
		assert_int_equal(next_code(&r), ERR_VERSION);
		frame_reader_done(&r);
	}
}

/* What comes after the banner, and the error it must give at once. */
static const struct {
	const char *bytes;
	size_t n;
	int code;
} bad[] = {
	{ "\x3e\x7d\2\0", 4, ERR_TOO_LARGE },	/* 15,997 */
	{ "\xff\xff\2\0", 4, ERR_TOO_LARGE },
	{ "\0\1\0\0", 4, ERR_PROTOCOL },	/* number 0 */
	{ "\0\1\2\2", 4, ERR_PROTOCOL },	/* unknown flag */
	{ "\0\4\2\1\0\0\0\1", 8, ERR_PROTOCOL },	/* nothing but length */
	{ "\0\0\2\1", 4, ERR_PROTOCOL },
	{ "\0\5\2\1\0\x40\0\1x", 9, ERR_TOO_LARGE },	/* 4 MB and one */
	{ "\0\5\2\1\xff\xff\xff\xffx", 9, ERR_TOO_LARGE },
	{ "\0\5\2\1\0\0\0\0x", 9, ERR_PROTOCOL },	/* more than said */
	{ "\0\5\2\1\0\0\0\1x", 9, ERR_PROTOCOL },	/* whole, yet more */
	{ "\0\5\2\1\0\0\0\3x\0\1\3\0y", 14, ERR_PROTOCOL },	/* other one */
	{ "\0\5\2\1\0\0\0\3x\0\1\2\0y", 14, ERR_PROTOCOL },	/* too short */
	{ "\0\5\2\1\0\0\0\3x\0\0\2\1", 13, ERR_PROTOCOL },	/* no progress */
	{ "\0\5\2\1\0\0\0\3x\0\3\2\0yyy", 16, ERR_PROTOCOL },
};

static void
what_cannot_be_right_is_refused(void **state)
{
	struct frame_reader r;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		frame_reader_init(&r);
		frame_feed(&r, PROTO_BANNER, strlen(PROTO_BANNER));
		frame_feed(&r, bad[i].bytes, bad[i].n);
		if (next_code(&r) != bad[i].code)
			fail_msg("case %zu", i);
		frame_feed(&r, "\0\0\2\0", 4);
		assert_int_equal(next_code(&r), bad[i].code);
		frame_reader_done(&r);
	}
}

static void
a_body_lives_until_the_next_call(void **state)
{
	struct frame_reader r;
	struct buf b = BUF_INIT;
	const uint8_t *body;
	unsigned number;
	size_t n;

	frame_reader_init(&r);
	buf_puts(&b, PROTO_BANNER);
	put_pattern(&b, 9, 10);
	frame_feed(&r, buf_data(&b), buf_len(&b));
	assert_int_equal(frame_next(&r, &number, &body, &n), 1);
	assert_string_equal(frame_noise(&r), "");
	assert_int_equal(body[0], pattern(0, 9));
	assert_int_equal(body[9], pattern(9, 9));
	assert_int_equal(next_code(&r), 0);
	frame_reader_done(&r);
	buf_done(&b);
}

/* Anything at all: no message over the cap, no end that is not an end. */
static void
random_bytes_do_no_harm(void **state)
{
	struct frame_reader r;
	const uint8_t *body;
	uint8_t junk[64];
	uint32_t seed = 7;
	unsigned number;
	size_t i, k, n;
	int got;

	for (i = 0; i < 2000; i++) {
		frame_reader_init(&r);
		frame_feed(&r, PROTO_BANNER, strlen(PROTO_BANNER));
		for (k = 0; k < sizeof(junk); k++)
			junk[k] = chance(&seed) % 4 ? chance(&seed) % 6 :
			    (uint8_t)chance(&seed);
		frame_feed(&r, junk, sizeof(junk));
		while ((got = frame_next(&r, &number, &body, &n)) == 1)
			assert_true(n <= sizeof(junk) && number != 0);
		assert_true(got == 0 || got == ERR_PROTOCOL ||
		    got == ERR_TOO_LARGE);
		frame_reader_done(&r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_sizes_arrive),
		cmocka_unit_test(frames_stay_under_the_cap),
		cmocka_unit_test(any_split_gives_the_same),
		cmocka_unit_test(noise_is_skipped_and_kept),
		cmocka_unit_test(noise_has_a_cap),
		cmocka_unit_test(another_version_is_said),
		cmocka_unit_test(what_cannot_be_right_is_refused),
		cmocka_unit_test(a_body_lives_until_the_next_call),
		cmocka_unit_test(random_bytes_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
