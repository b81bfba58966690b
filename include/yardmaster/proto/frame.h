/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Frames: how bytes become messages. The sender of each direction first
 * writes a banner line; what a login shell printed before it is skipped (at
 * most 64 KB). Then frames of at most 16,000 bytes:
 *
 *	u16 length of the body, u8 message number, u8 flags, body
 *
 * in network order. Flag 1: more parts of this message follow; the first part
 * of several begins with a u32 of the whole length (at most 4 MB). Pure: no
 * I/O here. Contract of the wire: man 7 yardmaster-protocol.
 */
#ifndef YARDMASTER_PROTO_FRAME_H
#define YARDMASTER_PROTO_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "yardmaster/base/buf.h"

#define PROTO_BANNER "yardmaster protocol 1\n"
#define PROTO_VERSION 1
#define FRAME_MAX 16000
#define FRAME_HEADER 4
#define MESSAGE_MAX (4u << 20)
#define BANNER_NOISE_MAX (64u << 10)

/* Appends one message as one or more frames. 0 or ERR_TOO_LARGE. */
int frame_put(struct buf *out, unsigned number, const void *body, size_t n);

struct frame_reader {
	struct buf in;		/* private */
	struct buf parts;	/* private: a message in the making */
	size_t whole;		/* private */
	unsigned number;	/* private */
	struct buf said;	/* private: what came before the banner */
	size_t noise;		/* how much that was */
	size_t taken;		/* private: of the message given last */
	int phase;		/* private */
};

/* A reader that waits for the banner; frees what it holds. */
void frame_reader_init(struct frame_reader *r);
void frame_reader_done(struct frame_reader *r);
/* Gives it n bytes that came. */
void frame_feed(struct frame_reader *r, const void *p, size_t n);
/*
 * Takes the next whole message: 1 and its number and body (valid until the
 * next call on r), 0 when more bytes are needed, or ERR_PROTOCOL (also: no
 * banner within the noise allowed), ERR_VERSION (the banner of another
 * version), ERR_TOO_LARGE: then the link must end.
 */
int frame_next(struct frame_reader *r, unsigned *ret_number,
    const uint8_t **ret_body, size_t *ret_n);
/* Text that came before the banner (for "noisy login files"); borrowed. */
const char *frame_noise(const struct frame_reader *r);

#endif
