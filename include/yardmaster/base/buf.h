/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A growable byte buffer that is also a queue: bytes are put at the end and
 * taken from the front. The bytes held are always followed by a NUL.
 */
#ifndef YARDMASTER_BASE_BUF_H
#define YARDMASTER_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t *mem;	/* private */
	size_t off;	/* private: first byte held */
	size_t len;	/* private: bytes held */
	size_t cap;	/* private */
	bool secret;	/* private */
};

#define BUF_INIT { NULL, 0, 0, 0, false }

/* Sets b empty without freeing; for members of larger structs. */
void buf_init(struct buf *b);

/* From now on memory that b no longer uses is overwritten before it is freed
 * or used again, and what is taken or dropped at once; also after buf_done(). */
void buf_secret(struct buf *b);

/* Frees what b holds and sets it empty. */
void buf_done(struct buf *b);

/* The same, and overwrites the memory first: it held a secret. */
void buf_wipe(struct buf *b);

/* Drops all bytes, keeps the memory. */
void buf_clear(struct buf *b);

/* The bytes held (never NULL, NUL behind them) and how many. Valid until the
 * next call that changes b. */
const uint8_t *buf_data(const struct buf *b);
const char *buf_str(const struct buf *b);
size_t buf_len(const struct buf *b);

/* Appends n bytes, a string, one byte, formatted text. */
void buf_put(struct buf *b, const void *p, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, int c);
void buf_putf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void buf_vputf(struct buf *b, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/* Room for n more bytes; write there, then buf_commit() what was written. */
uint8_t *buf_reserve(struct buf *b, size_t n);
void buf_commit(struct buf *b, size_t n);

/* Takes n bytes (at most buf_len) from the front. */
void buf_consume(struct buf *b, size_t n);

/* Cuts to the first n bytes (at most buf_len). */
void buf_truncate(struct buf *b, size_t n);

/* Gives the bytes to the caller as a heap string and sets b empty; the
 * caller frees. Never NULL. */
char *buf_steal(struct buf *b);

#endif
