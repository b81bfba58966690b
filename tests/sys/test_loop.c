/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loop.h: turns, timers, hooks, watches, signals. */
#include "turns.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/sys/loop.h"

struct tick {
	struct loop *l;
	struct timer *t;
	int n, limit;
	int64_t delay_us, at_us;
};

static void
on_tick(void *arg)
{
	struct tick *k = arg;

	k->n++;
	k->at_us = clock_mono_us();
	if (k->n < k->limit)
		timer_start(k->t, k->delay_us);
}

static void
count(void *arg)
{
	++*(int *)arg;
}

/* A timer of delay 0 that arms itself runs once a turn, not for ever. */
static void
test_timer_zero(void **state)
{
	struct fixture *f = *state;
	struct tick k = { .l = f->l, .limit = 5 };
	int hooks = 0;

	loop_hook(f->l, count, &hooks);
	k.t = timer_new(f->l, on_tick, &k);
	assert_false(timer_armed(k.t));
	timer_start(k.t, 0);
	assert_true(timer_armed(k.t));
	assert_int_equal(k.n, 0);
	loop_turn(f->l, -1);
	assert_int_equal(k.n, 1);
	loop_turn(f->l, -1);
	assert_int_equal(k.n, 2);
	assert_int_equal(hooks, 2);
	timer_stop(k.t);
	assert_false(timer_armed(k.t));
	loop_turn(f->l, 0);
	assert_int_equal(k.n, 2);
	loop_unhook(f->l, count, &hooks);
	loop_turn(f->l, 0);
	assert_int_equal(hooks, 3);
	timer_free(k.t);
	timer_free(NULL);
}

static void
test_timer_not_early(void **state)
{
	struct fixture *f = *state;
	struct tick k = { .l = f->l, .limit = 1 };
	int64_t from;
	int i;

	k.t = timer_new(f->l, on_tick, &k);
	for (i = 0; i < 5; i++) {
		k.n = 0;
		from = clock_mono_us();
		timer_start(k.t, 1500 + i * 700);
		until(f->l, &k.n, 1);
		assert_true(k.at_us - from >= 1500 + i * 700);
	}
	timer_start(k.t, CLOCK_NEVER);
	loop_turn(f->l, 1);
	assert_int_equal(k.n, 1);
	timer_free(k.t);
}

/* A timer that is over before the turn begins to wait ends the turn: nobody
 * waits with its consequences for the next thing to happen. */
static void
test_timer_before_the_wait(void **state)
{
	struct fixture *f = *state;
	struct tick k = { .l = f->l, .limit = 1 };
	struct tick late = { .l = f->l, .limit = 1 };
	int64_t from = clock_mono_us();

	k.t = timer_new(f->l, on_tick, &k);
	late.t = timer_new(f->l, on_tick, &late);
	timer_start(k.t, 1);
	timer_start(late.t, 5 * US_PER_S);
	while (clock_mono_us() < from + 5 * US_PER_MS)
		;
	loop_turn(f->l, -1);
	assert_int_equal(k.n, 1);
	assert_int_equal(late.n, 0);
	timer_free(k.t);
	timer_free(late.t);
}

static void
free_itself(void *arg)
{
	struct tick *k = arg;

	k->n++;
	timer_free(k->t);
	loop_stop(k->l);
}

static void
test_timer_free_in_callback(void **state)
{
	struct fixture *f = *state;
	struct tick k = { .l = f->l };

	k.t = timer_new(f->l, free_itself, &k);
	timer_start(k.t, 0);
	assert_int_equal(loop_run(f->l), 0);
	k.t = timer_new(f->l, free_itself, &k);
	timer_start(k.t, 1000);
	assert_int_equal(loop_run(f->l), 0);
	assert_int_equal(k.n, 2);
}

struct hooker {
	struct loop *l;
	int n;
};

static void
hook_once(void *arg)
{
	struct hooker *h = arg;

	h->n++;
	loop_unhook(h->l, hook_once, h);
	loop_poke(h->l);
}

static void
test_hooks(void **state)
{
	struct fixture *f = *state;
	struct hooker h = { .l = f->l };
	int after = 0;

	loop_hook(f->l, hook_once, &h);
	loop_hook(f->l, count, &after);
	loop_poke(f->l);
	loop_turn(f->l, -1);	/* would wait for ever without the poke */
	loop_turn(f->l, -1);
	assert_int_equal(h.n, 1);
	assert_int_equal(after, 2);
	loop_unhook(f->l, count, &after);
}

struct ready {
	int n;
	unsigned events;
	struct watch *w;
};

static void
on_fd(void *arg, unsigned events)
{
	struct ready *r = arg;

	r->n++;
	r->events = events;
	watch_set(r->w, 0);
}

static void
test_watch(void **state)
{
	struct fixture *f = *state;
	struct ready r = { .n = 0 };
	int fds[2], file;

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(watch_new(f->l, fds[0], WATCH_READ, on_fd, &r, &r.w),
	    0);
	assert_false(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
	loop_turn(f->l, 0);
	assert_int_equal(r.n, 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	until(f->l, &r.n, 1);
	assert_int_equal(r.events, WATCH_READ);
	loop_turn(f->l, 0);
	assert_int_equal(r.n, 1);
	close(fds[1]);
	watch_set(r.w, WATCH_READ);
	until(f->l, &r.n, 2);
	watch_free(r.w);
	watch_free(NULL);
	close(fds[0]);
	file = open(f->dir, O_RDONLY | O_TMPFILE | O_RDWR, 0600);
	if (file >= 0)
		assert_int_equal(watch_new(f->l, file, WATCH_READ, on_fd, &r,
		    &r.w), -EPERM);
	close(file);
	assert_int_equal(watch_new(f->l, 9999, WATCH_READ, on_fd, &r, &r.w),
	    -EBADF);
}

static void
on_signo(void *arg, int signo)
{
	*(int *)arg = signo;
}

static void
test_sigwatch(void **state)
{
	struct fixture *f = *state;
	struct sigwatch *s;
	int got = 0;

	assert_int_equal(sigwatch_new(f->l, SIGUSR2, on_signo, &got, &s), 0);
	raise(SIGUSR2);
	until(f->l, &got, SIGUSR2);
	sigwatch_free(s);
	sigwatch_free(NULL);
	assert_true(sigwatch_new(f->l, 0, on_signo, &got, &s) < 0);
	loop_turn(f->l, 0);
}

static int64_t
stepping(void)
{
	static int64_t now = 1000;

	return now++;
}

/* One time for all of a turn. */
static void
test_now(void **state)
{
	struct fixture *f = *state;
	int64_t a, b;

	clock_set_source(stepping, NULL);
	loop_turn(f->l, 0);
	a = loop_now_us(f->l);
	b = loop_now_us(f->l);
	loop_turn(f->l, 0);
	assert_true(a == b);
	assert_true(loop_now_us(f->l) > b);
	clock_set_source(NULL, NULL);
}

/* ---- jobs ---- */

struct work {
	int pipe[2];
	int worked, done;
	struct job *job;
};

static void
wait_for_word(void *arg)
{
	struct work *w = arg;
	char c;

	w->worked = (int)read(w->pipe[0], &c, 1);
}

static void
job_done(void *arg)
{
	struct work *w = arg;

	w->done++;
	job_free(w->job);
	w->job = NULL;
}

/* The loop turns while a job works, and hears of its end. */
static void
test_job(void **state)
{
	struct fixture *f = *state;
	struct work w = { .worked = -1 };
	struct tick k = { .l = f->l, .limit = 5 };

	assert_int_equal(pipe(w.pipe), 0);
	assert_int_equal(job_start(f->l, wait_for_word, job_done, &w,
	    &w.job), 0);
	k.t = timer_new(f->l, on_tick, &k);
	timer_start(k.t, 0);
	until(f->l, &k.n, 5);
	assert_int_equal(w.done, 0);
	assert_int_equal(write(w.pipe[1], "x", 1), 1);
	until(f->l, &w.done, 1);
	assert_int_equal(w.worked, 1);
	/* One that is freed is waited for, and its end is not told. */
	assert_int_equal(job_start(f->l, wait_for_word, job_done, &w,
	    &w.job), 0);
	w.worked = -1;
	assert_int_equal(write(w.pipe[1], "x", 1), 1);
	job_free(w.job);
	assert_int_equal(w.worked, 1);
	loop_turn(f->l, 0);
	assert_int_equal(w.done, 1);
	timer_free(k.t);
	close(w.pipe[0]);
	close(w.pipe[1]);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_timer_zero),
		T(test_timer_not_early),
		T(test_timer_before_the_wait),
		T(test_timer_free_in_callback),
		T(test_hooks),
		T(test_watch),
		T(test_sigwatch),
		T(test_now),
		T(test_job),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
