/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Work on a thread of its own: for what reads much and would block the loop,
 * and touches nothing that the loop uses. */
#include "config.h"

#include <signal.h>
#include <stdlib.h>

#include "sys/loop_priv.h"
#include "yardmaster/base/mem.h"

struct job {
	uv_thread_t thread;
	uv_async_t ended;
	void (*work)(void *arg);
	void (*done)(void *arg);
	void *arg;
};

static void
run(void *arg)
{
	struct job *j = arg;

	j->work(j->arg);
	uv_async_send(&j->ended);
}

static void
on_ended(uv_async_t *h)
{
	struct job *j = h->data;

	j->done(j->arg);
}

/* Signals are for the thread of the loop. */
static int
start_quietly(struct job *j)
{
	sigset_t all, old;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = uv_thread_create(&j->thread, run, j);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return r;
}

static void
free_job(uv_handle_t *h)
{
	free(h->data);
}

int
job_start(struct loop *l, void (*work)(void *arg), void (*done)(void *arg),
    void *arg, struct job **ret)
{
	struct job *j = mem_zalloc(sizeof *j);
	int r;

	j->work = work;
	j->done = done;
	j->arg = arg;
	j->ended.data = j;
	if ((r = uv_async_init(&l->uv, &j->ended, on_ended)) < 0) {
		free(j);
		return r;
	}
	if ((r = start_quietly(j)) < 0) {
		uv_close((uv_handle_t *)&j->ended, free_job);
		return r;
	}
	*ret = j;
	return 0;
}

void
job_free(struct job *j)
{
	if (j == NULL)
		return;
	uv_thread_join(&j->thread);
	uv_close((uv_handle_t *)&j->ended, free_job);
}
