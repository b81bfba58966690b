/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Silence of a step. Its output goes past this process straight into a file,
 * so that the size is looked at now and then.
 */
#include "config.h"

#include <stdlib.h>

#include "agent/quiet.h"
#include "yardmaster/base/mem.h"

#define LOOKS 8		/* in the time that it may be silent */

struct quiet {
	const struct capture *out;
	struct timer *timer;
	int64_t every_us;
	uint64_t bytes;		/* at the last look */
	unsigned same;		/* how many looks in a row saw that */
	void (*fn)(void *arg);
	void *arg;
};

static void
look(void *arg)
{
	struct quiet *q = arg;
	uint64_t bytes = capture_bytes(q->out);

	q->same = bytes == q->bytes ? q->same + 1 : 0;
	q->bytes = bytes;
	if (q->same < LOOKS)
		timer_start(q->timer, q->every_us);
	else
		q->fn(q->arg);
}

struct quiet *
quiet_new(struct loop *loop, const struct capture *out, int64_t silence_us,
    void (*fn)(void *arg), void *arg)
{
	struct quiet *q = mem_zalloc(sizeof *q);

	q->out = out;
	q->every_us = silence_us / LOOKS + 1;
	q->bytes = capture_bytes(out);
	q->fn = fn;
	q->arg = arg;
	q->timer = timer_new(loop, look, q);
	timer_start(q->timer, q->every_us);
	return q;
}

void
quiet_free(struct quiet *q)
{
	if (q == NULL)
		return;
	timer_free(q->timer);
	free(q);
}
