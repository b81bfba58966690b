/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The start of a banner line of any version, wherever noise left it. */
#include "config.h"

#include "net/banner.h"

/* Its first letter stands nowhere else in it, so a mismatch starts anew. */
static const char start[] = "yardmaster protocol ";

bool
banner_feed(struct banner *b, const uint8_t *p, size_t n)
{
	size_t i;

	for (i = 0; i < n && !b->seen; i++) {
		if (p[i] == (uint8_t)start[b->matched])
			b->matched++;
		else
			b->matched = p[i] == (uint8_t)start[0];
		b->seen = b->matched == sizeof(start) - 1;
	}
	return b->seen;
}
