/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The scheduler's own containers: heaps of keys, lists of ids, and sets of
 * agents as bits. */
#ifndef SCHED_SETS_H
#define SCHED_SETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- a heap of keys, lazily kept (heap.c) ---------------------------------- */

struct heap_key {
	uint64_t a;
	uint32_t b;
	uint32_t id;
};

/* The smallest (a, b, id) first. Users check whether what comes up still
 * holds; nothing is ever removed from the middle. */
struct heap {
	struct heap_key *v;
	size_t n, cap;
};


struct ids {
	uint32_t *v;
	size_t n, cap;
};

/* ---- bits over agents ---------------------------------------------------------- */

static inline bool
bit_get(const uint64_t *bits, uint32_t i)
{
	return (bits[i / 64] >> (i % 64) & 1) != 0;
}

static inline void
bit_set(uint64_t *bits, uint32_t i, bool on)
{
	uint64_t mask = UINT64_C(1) << (i % 64);

	bits[i / 64] = on ? bits[i / 64] | mask : bits[i / 64] & ~mask;
}

/* The same where it is counted how many there are. */
static inline void
bit_count(uint64_t *bits, uint32_t *n, uint32_t i, bool on)
{
	*n += (uint32_t)on - (uint32_t)bit_get(bits, i);
	bit_set(bits, i, on);
}

#endif
