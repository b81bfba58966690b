/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SHA-1 (FIPS 180-4) and its HMAC (RFC 2104), small rather than fast: a few
 * hundred names are hashed when a link starts. */
#include "config.h"

#include "net/sha1.h"

#include <string.h>

#define SHA1_BLOCK 64

struct sha1 {
	uint32_t h[5];
	uint64_t len;
	uint8_t block[SHA1_BLOCK];
};

static uint32_t
rotate(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static uint32_t
mix(unsigned t, uint32_t b, uint32_t c, uint32_t d)
{
	if (t < 20)
		return ((b & c) | (~b & d)) + 0x5a827999;
	if (t < 40)
		return (b ^ c ^ d) + 0x6ed9eba1;
	if (t < 60)
		return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
	return (b ^ c ^ d) + 0xca62c1d6;
}

static void
sha1_block(struct sha1 *s)
{
	uint32_t w[80], v[5], next;
	unsigned t;

	for (t = 0; t < 16; t++)
		w[t] = (uint32_t)s->block[4 * t] << 24 |
		    (uint32_t)s->block[4 * t + 1] << 16 |
		    (uint32_t)s->block[4 * t + 2] << 8 | s->block[4 * t + 3];
	for (; t < 80; t++)
		w[t] = rotate(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
	memcpy(v, s->h, sizeof(v));
	for (t = 0; t < 80; t++) {
		next = rotate(v[0], 5) + mix(t, v[1], v[2], v[3]) + v[4] + w[t];
		v[4] = v[3];
		v[3] = v[2];
		v[2] = rotate(v[1], 30);
		v[1] = v[0];
		v[0] = next;
	}
	for (t = 0; t < 5; t++)
		s->h[t] += v[t];
}

static void
sha1_init(struct sha1 *s)
{
	*s = (struct sha1){ .h = { 0x67452301, 0xefcdab89, 0x98badcfe,
				0x10325476, 0xc3d2e1f0 } };
}

static void
sha1_add(struct sha1 *s, const void *p, size_t n)
{
	const uint8_t *b = p;
	size_t i;

	for (i = 0; i < n; i++) {
		s->block[s->len++ % SHA1_BLOCK] = b[i];
		if (s->len % SHA1_BLOCK == 0)
			sha1_block(s);
	}
}

static void
sha1_end(struct sha1 *s, uint8_t out[SHA1_SIZE])
{
	uint64_t bits = s->len * 8;
	uint8_t length[8];
	unsigned i;

	for (i = 0; i < 8; i++)
		length[i] = (uint8_t)(bits >> (56 - 8 * i));
	sha1_add(s, "\x80", 1);
	while (s->len % SHA1_BLOCK != SHA1_BLOCK - 8)
		sha1_add(s, "", 1);
	sha1_add(s, length, sizeof(length));
	for (i = 0; i < SHA1_SIZE; i++)
		out[i] = (uint8_t)(s->h[i / 4] >> (24 - 8 * (i % 4)));
}

static void
sha1_keyed(const uint8_t key[SHA1_BLOCK], uint8_t pad, const void *p,
    size_t n, uint8_t out[SHA1_SIZE])
{
	uint8_t block[SHA1_BLOCK];
	struct sha1 s;
	unsigned i;

	for (i = 0; i < SHA1_BLOCK; i++)
		block[i] = key[i] ^ pad;
	sha1_init(&s);
	sha1_add(&s, block, sizeof(block));
	sha1_add(&s, p, n);
	sha1_end(&s, out);
}

void
sha1_hmac(const uint8_t *key, size_t key_len, const void *text, size_t len,
    uint8_t out[SHA1_SIZE])
{
	uint8_t block[SHA1_BLOCK] = { 0 };
	uint8_t inner[SHA1_SIZE];
	struct sha1 s;

	if (key_len > SHA1_BLOCK) {
		sha1_init(&s);
		sha1_add(&s, key, key_len);
		sha1_end(&s, block);
	} else if (key_len > 0) {
		memcpy(block, key, key_len);
	}
	sha1_keyed(block, 0x36, text, len, inner);
	sha1_keyed(block, 0x5c, inner, sizeof(inner), out);
}
