/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Frames out of bytes. What a peer says is refused at the first byte that
 * cannot be right, and no length of his is believed before its cap.
 *
 * Phases of a reader: banner -> frames; either -> failed (a negative code),
 * for good.
 */
#include "config.h"

#include <stdbool.h>
#include <string.h>

#include "yardmaster/base/err.h"
#include "yardmaster/proto/frame.h"

#define BODY_MAX (FRAME_MAX - FRAME_HEADER)
#define FLAG_MORE 1u
#define WHOLE_SIZE 4u
#define NUMBER_MAX 255u
/* "yardmaster protocol ", the number behind it, and the newline. */
#define BANNER_START "yardmaster protocol "
#define BANNER_START_LEN (sizeof(BANNER_START) - 1)
#define BANNER_DIGITS 5u

enum phase { PHASE_BANNER, PHASE_FRAMES };

static void
put_header(struct buf *out, size_t n, unsigned number, unsigned flags)
{
	uint8_t *p = buf_reserve(out, FRAME_HEADER);

	p[0] = (uint8_t)(n >> 8);
	p[1] = (uint8_t)n;
	p[2] = (uint8_t)number;
	p[3] = (uint8_t)flags;
	buf_commit(out, FRAME_HEADER);
}

static uint32_t
get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

static void
put_u32(struct buf *out, uint32_t v)
{
	uint8_t *p = buf_reserve(out, WHOLE_SIZE);

	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
	buf_commit(out, WHOLE_SIZE);
}

int
frame_put(struct buf *out, unsigned number, const void *body, size_t n)
{
	const uint8_t *p = body;
	size_t take = BODY_MAX - WHOLE_SIZE;

	if (number == 0 || number > NUMBER_MAX || n > MESSAGE_MAX)
		return ERR_TOO_LARGE;
	if (n <= BODY_MAX) {
		put_header(out, n, number, 0);
		buf_put(out, p, n);
		return 0;
	}
	put_header(out, take + WHOLE_SIZE, number, FLAG_MORE);
	put_u32(out, (uint32_t)n);
	while (take < n) {
		buf_put(out, p, take);
		p += take;
		n -= take;
		take = n < BODY_MAX ? n : BODY_MAX;
		put_header(out, take, number, take < n ? FLAG_MORE : 0);
	}
	buf_put(out, p, n);
	return 0;
}

void
frame_reader_init(struct frame_reader *r)
{
	*r = (struct frame_reader){ .phase = PHASE_BANNER };
	buf_init(&r->in);
	buf_init(&r->parts);
	buf_init(&r->said);
	/* Secrets come in messages; what was taken is not kept. */
	buf_secret(&r->in);
	buf_secret(&r->parts);
}

void
frame_reader_done(struct frame_reader *r)
{
	buf_done(&r->in);
	buf_done(&r->parts);
	buf_done(&r->said);
}

void
frame_feed(struct frame_reader *r, const void *p, size_t n)
{
	buf_consume(&r->in, r->taken);
	r->taken = 0;
	if (r->phase >= 0)
		buf_put(&r->in, p, n);
}

/* Ends the reader with that error. */
static int
fail(struct frame_reader *r, int err)
{
	r->phase = err;
	return err;
}

/* Moves n bytes that are no banner out of the way. */
static void
skip_noise(struct frame_reader *r, size_t n)
{
	buf_put(&r->said, buf_data(&r->in), n);
	buf_consume(&r->in, n);
	r->noise += n;
}

/* How much of the n bytes at p cannot be the start of a banner. */
static size_t
noise_length(const uint8_t *p, size_t n)
{
	const uint8_t *at = memmem(p, n, BANNER_START, BANNER_START_LEN);
	size_t tail = n < BANNER_START_LEN ? n : BANNER_START_LEN - 1;

	if (at != NULL)
		return (size_t)(at - p);
	while (tail > 0 && memcmp(p + n - tail, BANNER_START, tail) != 0)
		tail--;
	return n - tail;
}

/* The input begins like a banner: 1 when it is ours (and was taken), 0 when
 * more is needed, ERR_VERSION, or ERR_NOT_FOUND when it is none. */
static int
read_banner(struct frame_reader *r)
{
	const char *p = buf_str(&r->in);
	size_t digits, len;

	digits = strspn(p + BANNER_START_LEN, "0123456789");
	len = BANNER_START_LEN + digits;
	if (digits > BANNER_DIGITS)
		return ERR_NOT_FOUND;
	if (len >= buf_len(&r->in))
		return 0;
	if (digits == 0 || p[len] != '\n')
		return ERR_NOT_FOUND;
	if (len + 1 != strlen(PROTO_BANNER) ||
	    memcmp(p, PROTO_BANNER, len + 1) != 0)
		return ERR_VERSION;
	buf_consume(&r->in, len + 1);
	return 1;
}

static int
find_banner(struct frame_reader *r)
{
	int got;

	for (;;) {
		skip_noise(r, noise_length(buf_data(&r->in),
		    buf_len(&r->in)));
		if (r->noise > BANNER_NOISE_MAX)
			return fail(r, ERR_PROTOCOL);
		if (buf_len(&r->in) < BANNER_START_LEN)
			return 0;
		got = read_banner(r);
		if (got == 0)
			return 0;
		if (got == ERR_VERSION)
			return fail(r, got);
		if (got == ERR_NOT_FOUND) {
			skip_noise(r, BANNER_START_LEN);
			continue;
		}
		r->phase = PHASE_FRAMES;
		return 1;
	}
}

/* Takes one part of a message of several: 1 when it was the last. */
static int
take_part(struct frame_reader *r, unsigned number, bool more,
    const uint8_t *body, size_t n)
{
	bool first = r->whole == 0;

	if (first) {
		if (n <= WHOLE_SIZE)
			return fail(r, ERR_PROTOCOL);
		r->whole = get_u32(body);
		r->number = number;
		body += WHOLE_SIZE;
		n -= WHOLE_SIZE;
	}
	if (r->whole > MESSAGE_MAX)
		return fail(r, ERR_TOO_LARGE);
	if (number != r->number || n == 0 ||
	    n > r->whole - buf_len(&r->parts))
		return fail(r, ERR_PROTOCOL);
	buf_put(&r->parts, body, n);
	if (more == (buf_len(&r->parts) == r->whole))
		return fail(r, ERR_PROTOCOL);
	return more ? 0 : 1;
}

/* Takes the next frame out of the input: 1 and the whole message, 0 when
 * that was a part (*ret_n 1) or bytes are missing (*ret_n 0). */
static int
take_frame(struct frame_reader *r, unsigned *ret_number,
    const uint8_t **ret_body, size_t *ret_n)
{
	const uint8_t *p = buf_data(&r->in);
	size_t have = buf_len(&r->in), n;
	int got;

	*ret_n = 0;
	if (have < FRAME_HEADER)
		return 0;
	n = (size_t)p[0] << 8 | p[1];
	if (n > BODY_MAX)
		return fail(r, ERR_TOO_LARGE);
	if (p[2] == 0 || (p[3] & ~FLAG_MORE) != 0)
		return fail(r, ERR_PROTOCOL);
	if (have < FRAME_HEADER + n)
		return 0;
	r->taken = FRAME_HEADER + n;
	*ret_number = p[2];
	*ret_body = p + FRAME_HEADER;
	*ret_n = n;
	if (r->whole == 0 && (p[3] & FLAG_MORE) == 0)
		return 1;
	got = take_part(r, p[2], (p[3] & FLAG_MORE) != 0, *ret_body, n);
	if (got == 1) {
		*ret_body = buf_data(&r->parts);
		*ret_n = r->whole;
		r->whole = 0;
	}
	return got;
}

int
frame_next(struct frame_reader *r, unsigned *ret_number,
    const uint8_t **ret_body, size_t *ret_n)
{
	const uint8_t *body = NULL;
	unsigned number = 0;
	size_t n = 0;
	int got;

	if (r->phase < 0)
		return r->phase;
	if (r->whole == 0)
		buf_done(&r->parts);	/* may be 4 MB, a thousand times */
	do {
		buf_consume(&r->in, r->taken);
		r->taken = 0;
		if (r->phase == PHASE_BANNER && (got = find_banner(r)) <= 0)
			return got;
		got = take_frame(r, &number, &body, &n);
	} while (got == 0 && n > 0);
	if (got == 1) {
		*ret_number = number;
		*ret_body = body;
		*ret_n = n;
	}
	return got;
}

const char *
frame_noise(const struct frame_reader *r)
{
	return buf_str(r->phase == PHASE_BANNER && r->noise == 0 ? &r->in :
	    &r->said);
}
