/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A byte buffer and queue. Taking from the front only moves an offset; the
 * bytes are moved to the start when room is needed and at least half of the
 * memory is in front of them, so that a queue costs O(1) a byte.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/mem.h"

void
buf_init(struct buf *b)
{
	*b = (struct buf)BUF_INIT;
}

void
buf_secret(struct buf *b)
{
	b->secret = true;
}

/* Overwrites from .. to - 1 of its memory if somebody should not see it. */
static void
wipe(struct buf *b, size_t from, size_t to)
{
	if (b->secret && b->mem != NULL)
		mem_wipe(b->mem + from, to - from);
}

void
buf_done(struct buf *b)
{
	bool secret = b->secret;

	wipe(b, 0, b->cap);
	free(b->mem);
	buf_init(b);
	b->secret = secret;
}

void
buf_wipe(struct buf *b)
{
	if (b->mem != NULL)
		mem_wipe(b->mem, b->cap);
	buf_done(b);
}

void
buf_clear(struct buf *b)
{
	wipe(b, b->off, b->off + b->len);
	b->off = b->len = 0;
	if (b->mem != NULL)
		b->mem[0] = '\0';
}

const uint8_t *
buf_data(const struct buf *b)
{
	return b->mem != NULL ? b->mem + b->off : (const uint8_t *)"";
}

const char *
buf_str(const struct buf *b)
{
	return (const char *)buf_data(b);
}

size_t
buf_len(const struct buf *b)
{
	return b->len;
}

/* realloc() may leave a copy behind. */
static void
grow(struct buf *b, size_t cap)
{
	uint8_t *mem;

	if (!b->secret) {
		b->mem = mem_realloc(b->mem, cap, 1);
	} else {
		mem = mem_realloc(NULL, cap, 1);
		if (b->mem != NULL)
			memcpy(mem, b->mem, b->off + b->len + 1);
		wipe(b, 0, b->cap);
		free(b->mem);
		b->mem = mem;
	}
	b->cap = cap;
}

uint8_t *
buf_reserve(struct buf *b, size_t n)
{
	size_t want = b->len + n + 1;

	if (want <= n)		/* overflow: let the allocator refuse it */
		want = SIZE_MAX;
	if (b->off > 0 && b->off + want > b->cap && b->off >= b->cap / 2) {
		memmove(b->mem, b->mem + b->off, b->len + 1);
		wipe(b, b->len + 1 > b->off ? b->len + 1 : b->off,
		    b->off + b->len + 1);
		b->off = 0;
	}
	if (b->cap - b->off < want || b->mem == NULL) {
		size_t cap = b->cap < 64 ? 64 : b->cap;

		while (cap - b->off < want && cap <= SIZE_MAX / 2)
			cap *= 2;
		if (cap - b->off < want)
			cap = SIZE_MAX;
		grow(b, cap);
	}
	return b->mem + b->off + b->len;
}

void
buf_commit(struct buf *b, size_t n)
{
	b->len += n;
	b->mem[b->off + b->len] = '\0';
}

void
buf_put(struct buf *b, const void *p, size_t n)
{
	uint8_t *to = buf_reserve(b, n);

	if (n > 0)
		memcpy(to, p, n);
	buf_commit(b, n);
}

void
buf_puts(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void
buf_putc(struct buf *b, int c)
{
	*buf_reserve(b, 1) = (uint8_t)c;
	buf_commit(b, 1);
}

void
buf_vputf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	size_t room = 128;
	int n;

	va_copy(again, ap);
	n = vsnprintf((char *)buf_reserve(b, room), room + 1, fmt, ap);
	if (n > 0 && (size_t)n > room) {
		room = (size_t)n;
		n = vsnprintf((char *)buf_reserve(b, room), room + 1, fmt,
		    again);
	}
	va_end(again);
	buf_commit(b, n > 0 ? (size_t)n : 0);
}

void
buf_putf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vputf(b, fmt, ap);
	va_end(ap);
}

void
buf_consume(struct buf *b, size_t n)
{
	if (n >= b->len) {
		buf_clear(b);
		return;
	}
	wipe(b, b->off, b->off + n);
	b->off += n;
	b->len -= n;
}

void
buf_truncate(struct buf *b, size_t n)
{
	if (n >= b->len)
		return;
	wipe(b, b->off + n, b->off + b->len);
	b->len = n;
	b->mem[b->off + n] = '\0';
}

char *
buf_steal(struct buf *b)
{
	char *s;

	if (b->off > 0 || b->mem == NULL) {
		s = mem_dup(buf_data(b), b->len);
		buf_done(b);
	} else {
		s = (char *)b->mem;
		b->mem = NULL;
		b->off = b->len = b->cap = 0;
	}
	return s;
}
