/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What console and nest say to each other on descriptor 3 of the nest, a
 * SOCK_SEQPACKET socket. A nest is a link program that has loaded its
 * libraries and waits; each link is a fork of it, which shares all that.
 */
#ifndef NET_NEST_H
#define NET_NEST_H

#include <stdint.h>

enum nest_op {
	NEST_START = 1,	/* with two descriptors: bytes, side channel */
	NEST_SIGNAL = 2,	/* value: the signal */
};

struct nest_order {
	uint32_t op;
	uint32_t id;		/* of the link, chosen by the console */
	int32_t value;
};

enum nest_news {
	NEST_STARTED = 1,	/* value: its pid, or -errno */
	NEST_ENDED = 2,		/* value: as from waitpid() */
};

struct nest_report {
	uint32_t news;
	uint32_t id;
	int32_t value;
};

#endif
