/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The loop itself. One turn is one uv_run(UV_RUN_ONCE), then the hooks, then
 * the writes that were queued in the turn; timers of delay 0 are kept on a
 * list of our own, because libuv would run one that arms itself for ever.
 */
#include "config.h"

#include <signal.h>
#include <stdlib.h>

#include "sys/loop_priv.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/log.h"
#include "yardmaster/base/mem.h"

#define CLOSE_TURNS 16	/* more than any handle needs to close */

struct timer {
	uv_timer_t uv;
	struct loop *l;
	void (*fn)(void *arg);
	void *arg;
	bool is_due;		/* on the list of the loop */
	TAILQ_ENTRY(timer) entry;
};

static void
on_idle(uv_idle_t *h)
{
	(void)h;		/* an active one keeps libuv from waiting */
}

/* libuv has run the timers and is about to wait. After a timer it must not:
 * the turn has done something, and the hooks are due. */
static void
on_prepare(uv_prepare_t *h)
{
	struct loop *l = h->data;

	l->now_us = 0;
	if (l->fired)
		uv_idle_start(&l->idle, on_idle);
}

static void
on_nothing(uv_async_t *h)
{
	(void)h;
}

static void
on_limit(uv_timer_t *h)
{
	struct loop *l = h->data;

	l->fired = true;
}

const char *
loop_library_version(void)
{
	return uv_version_string();
}

int
loop_new(struct loop **ret)
{
	struct loop *l = mem_zalloc(sizeof(*l));
	int r;

	if ((r = uv_loop_init(&l->uv)) < 0) {
		free(l);
		return r;
	}
	if ((r = uv_async_init(&l->uv, &l->keep, on_nothing)) < 0) {
		uv_loop_close(&l->uv);
		free(l);
		return r;
	}
	uv_prepare_init(&l->uv, &l->prepare);
	uv_prepare_start(&l->prepare, on_prepare);
	uv_idle_init(&l->uv, &l->idle);
	uv_timer_init(&l->uv, &l->limit);
	uv_signal_init(&l->uv, &l->sigchld);
	l->prepare.data = l->limit.data = l->sigchld.data = l;
	TAILQ_INIT(&l->due);
	TAILQ_INIT(&l->dirty);
	TAILQ_INIT(&l->children);
	TAILQ_INIT(&l->ended);
	l->scratch = mem_calloc(1, LOOP_SCRATCH);
	signal(SIGPIPE, SIG_IGN);
	*ret = l;
	return 0;
}

void
loop_free(struct loop *l)
{
	int i;

	if (l == NULL)
		return;
	loop_drop_children(l);
	uv_close((uv_handle_t *)&l->prepare, NULL);
	uv_close((uv_handle_t *)&l->keep, NULL);
	uv_close((uv_handle_t *)&l->idle, NULL);
	uv_close((uv_handle_t *)&l->limit, NULL);
	uv_close((uv_handle_t *)&l->sigchld, NULL);
	for (i = 0; i < CLOSE_TURNS && uv_loop_alive(&l->uv); i++)
		uv_run(&l->uv, UV_RUN_NOWAIT);
	free(l->hooks);
	free(l->scratch);
	if (uv_loop_close(&l->uv) < 0) {
		log_error("a loop was freed before what is on it");
		return;		/* its memory is still referred to */
	}
	free(l);
}

int64_t
loop_now_us(const struct loop *l)
{
	struct loop *cache = (struct loop *)(uintptr_t)l;

	if (l->now_us == 0)
		cache->now_us = clock_mono_us();
	return l->now_us;
}

void
loop_hook(struct loop *l, void (*fn)(void *arg), void *arg)
{
	l->hooks = mem_grow(l->hooks, &l->cap_hooks, l->n_hooks + 1,
	    sizeof(*l->hooks));
	l->hooks[l->n_hooks++] = (struct hook){ .fn = fn, .arg = arg };
}

void
loop_unhook(struct loop *l, void (*fn)(void *arg), void *arg)
{
	size_t i;

	for (i = 0; i < l->n_hooks; i++)
		if (l->hooks[i].fn == fn && l->hooks[i].arg == arg) {
			l->hooks[i].fn = NULL;
			return;
		}
}

/* Runs the hooks that were there before, then drops the removed ones. */
static void
run_hooks(struct loop *l)
{
	size_t i, n = l->n_hooks, kept = 0;

	for (i = 0; i < n; i++)
		if (l->hooks[i].fn != NULL)
			l->hooks[i].fn(l->hooks[i].arg);
	for (i = 0; i < l->n_hooks; i++)
		if (l->hooks[i].fn != NULL)
			l->hooks[kept++] = l->hooks[i];
	l->n_hooks = kept;
}

/* Runs the timers that were due when the turn began; what they arm anew
 * waits for the next. */
static void
run_due(struct loop *l)
{
	struct timer *t, end = { .fn = NULL };

	TAILQ_INSERT_TAIL(&l->due, &end, entry);
	while ((t = TAILQ_FIRST(&l->due)) != &end) {
		TAILQ_REMOVE(&l->due, t, entry);
		t->is_due = false;
		t->fn(t->arg);
	}
	TAILQ_REMOVE(&l->due, &end, entry);
}

int
loop_turn(struct loop *l, int timeout_ms)
{
	bool busy;

	l->now_us = 0;
	loop_flush_streams(l);
	busy = timeout_ms == 0 || l->poked || !TAILQ_EMPTY(&l->due) ||
	    !TAILQ_EMPTY(&l->dirty) || !TAILQ_EMPTY(&l->ended);
	l->poked = false;
	l->fired = false;
	run_due(l);
	if (!busy && timeout_ms > 0) {
		uv_update_time(&l->uv);
		uv_timer_start(&l->limit, on_limit, (uint64_t)timeout_ms, 0);
	}
	uv_run(&l->uv, busy ? UV_RUN_NOWAIT : UV_RUN_ONCE);
	uv_timer_stop(&l->limit);
	uv_idle_stop(&l->idle);
	run_hooks(l);
	loop_flush_streams(l);
	return 0;
}

int
loop_run(struct loop *l)
{
	int r = 0;

	l->stopped = false;
	while (r == 0 && !l->stopped)
		r = loop_turn(l, -1);
	return r;
}

void
loop_stop(struct loop *l)
{
	l->stopped = true;
	l->poked = true;
}

void
loop_poke(struct loop *l)
{
	l->poked = true;
}

static void
on_timer(uv_timer_t *h)
{
	struct timer *t = h->data;

	t->l->fired = true;
	t->fn(t->arg);
}

struct timer *
timer_new(struct loop *l, void (*fn)(void *arg), void *arg)
{
	struct timer *t = mem_zalloc(sizeof(*t));

	t->l = l;
	t->fn = fn;
	t->arg = arg;
	uv_timer_init(&l->uv, &t->uv);
	t->uv.data = t;
	return t;
}

void
timer_start(struct timer *t, int64_t delay_us)
{
	timer_stop(t);
	if (delay_us <= 0) {
		TAILQ_INSERT_TAIL(&t->l->due, t, entry);
		t->is_due = true;
		return;
	}
	if (delay_us > INT64_MAX / 2)
		delay_us = INT64_MAX / 2;
	/* libuv counts whole milliseconds from a time it has rounded down;
	 * one more keeps the timer from being early. */
	uv_update_time(&t->l->uv);
	uv_timer_start(&t->uv, on_timer,
	    (uint64_t)((delay_us + US_PER_MS - 1) / US_PER_MS + 1), 0);
}

void
timer_stop(struct timer *t)
{
	uv_timer_stop(&t->uv);
	if (!t->is_due)
		return;
	TAILQ_REMOVE(&t->l->due, t, entry);
	t->is_due = false;
}

bool
timer_armed(const struct timer *t)
{
	return t->is_due || uv_is_active((const uv_handle_t *)&t->uv) != 0;
}

static void
free_timer(uv_handle_t *h)
{
	free(h->data);
}

void
timer_free(struct timer *t)
{
	if (t == NULL)
		return;
	timer_stop(t);
	uv_close((uv_handle_t *)&t->uv, free_timer);
}
