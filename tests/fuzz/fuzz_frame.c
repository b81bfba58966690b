/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames of a stranger, in pieces of any size. The first byte of an input
 * says how large the pieces are. */
#include "fuzz.h"

#include "yardmaster/proto/frame.h"
#include "yardmaster/proto/msg.h"

const struct fuzz_seed fuzz_seeds[] = {
	FUZZ_SEED("\x03motd\nyardmaster protocol 1\n\0\2\1\0{}\0\7\2\0{\"n\":1}"),
	FUZZ_SEED("\xffyardmaster protocol 1\n\0\6\1\1\0\0\0\4{}\0\2\1\0  "),
	FUZZ_SEED("\1yardmaster protocol 1\n\0\15\32\0\0\0\0\1\0\0\0\0\0\0\0\0x"),
	FUZZ_SEED("\7yardmaster protocol 1\n\0\6\1\1\xff\xff\xff\xff{}"),
	{ NULL, 0 },
};

/* Takes what is whole. False when the link would end. */
static int
take(struct frame_reader *r)
{
	const uint8_t *body, *bytes;
	unsigned number;
	uint64_t offset;
	uint32_t tag;
	size_t n;
	int got;

	while ((got = frame_next(r, &number, &body, &n)) > 0) {
		FUZZ_CHECK(n <= MESSAGE_MAX);
		msg_check(number, FROM_AGENT, PHASE_OPEN);
		if (number == MSG_OUTPUT)
			msg_output_get(body, n, &tag, &offset, &bytes, &n);
	}
	return got;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct frame_reader r;
	size_t piece, at;

	if (n < 1 || p[0] == 0)
		return 0;
	frame_reader_init(&r);
	for (at = 1; at < n; at += piece) {
		piece = n - at < p[0] ? n - at : p[0];
		frame_feed(&r, p + at, piece);
		if (take(&r) < 0)
			break;
	}
	frame_noise(&r);
	frame_reader_done(&r);
	return 0;
}
