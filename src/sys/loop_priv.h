/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The inside of the loop, shared by the files that put things on it. Objects
 * with libuv handles are freed by the close callback, which comes later.
 * Private to sys.
 */
#ifndef SYS_LOOP_PRIV_H
#define SYS_LOOP_PRIV_H

#include <sys/queue.h>
#include <uv.h>

#include "yardmaster/sys/loop.h"

#define LOOP_SCRATCH (64u << 10)

TAILQ_HEAD(timer_list, timer);
TAILQ_HEAD(stream_list, stream);
TAILQ_HEAD(child_list, child);

struct hook {
	void (*fn)(void *arg);	/* NULL: removed */
	void *arg;
};

struct loop {
	uv_loop_t uv;
	uv_prepare_t prepare;	/* forgets the time of the turn before */
	uv_async_t keep;	/* never fires; a loop without handles spins */
	uv_idle_t idle;		/* active: this turn does not wait */
	uv_timer_t limit;	/* ends the wait of loop_turn() */
	uv_signal_t sigchld;	/* active while there are children */
	bool reaping;
	bool stopped;
	bool poked;
	bool fired;		/* a timer ran in this turn */
	int64_t now_us;		/* 0: not read in this turn yet */
	struct hook *hooks;
	size_t n_hooks, cap_hooks;
	struct timer_list due;	/* armed with a delay of 0 */
	struct stream_list dirty;	/* have something to write or say */
	size_t n_dirty;
	struct child_list children;	/* running */
	struct child_list ended;	/* ended, not told yet */
	uint8_t *scratch;	/* LOOP_SCRATCH bytes, for reads */
};

/* Writes what streams have queued (stream.c). */
void loop_flush_streams(struct loop *l);

/* Stops looking for ended children and forgets them (child.c). */
void loop_drop_children(struct loop *l);

#endif
