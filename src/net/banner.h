/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looks for the protocol's banner in a stream: is there an agent, or only a
 * shell that found none? */
#ifndef NET_BANNER_H
#define NET_BANNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct banner {
	size_t matched;	/* private */
	bool seen;
};
#define BANNER_INIT { 0, false }

/* Gives it the next n bytes; returns seen. */
bool banner_feed(struct banner *b, const uint8_t *p, size_t n);

#endif
