/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers for what may share a process, while a spec is built. */
#ifndef YARDMASTER_ENGINE_FEED_BATCH_H
#define YARDMASTER_ENGINE_FEED_BATCH_H

#include "yardmaster/plan/plan.h"

struct batch_key_entry;

/* All zero at first. */
struct feed_batches {
	struct batch_key_entry *by_key;
	uint32_t n;
	/* Of the last one asked for: most are like the one before. */
	const struct plan_props *props;
	const struct strvec *env;
	uint32_t suite, last;
};

/* The number of the group of execution no, from 1; 0: it shares none. */
uint32_t feed_batch_of(struct feed_batches *b, const struct plan *p,
    uint32_t no);
/* How many bytes its name takes in the arguments. */
uint32_t feed_batch_size(const struct plan *p, uint32_t no);
void feed_batches_done(struct feed_batches *b);

#endif
