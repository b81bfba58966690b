/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Child processes on the loop. Only children started here are waited for, so
 * that others in the program may wait for theirs.
 *
 * A child is on `children` until waitpid() has its status (reap), then on
 * `ended` until its callback ran (tell), then on no list until child_free().
 * A child that was forgotten goes from `children` to nothing.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/loop_priv.h"
#include "sys/spawn.h"
#include "yardmaster/base/mem.h"

enum child_state { RUNNING, ENDED, TOLD };

struct child {
	struct loop *l;
	pid_t pid;
	enum child_state state;
	int code, signo;
	void (*fn)(void *arg, int code, int signo);	/* NULL: forgotten */
	void *arg;
	TAILQ_ENTRY(child) entry;
};

static void
set_status(struct child *c, int status)
{
	bool known = status != -1;	/* else somebody else waited for it */

	c->code = known && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	c->signo = known && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* Moves the children that ended to the other list. */
static void
reap(struct loop *l)
{
	struct child *c, *next;
	int status;
	pid_t got;

	for (c = TAILQ_FIRST(&l->children); c != NULL; c = next) {
		next = TAILQ_NEXT(c, entry);
		status = 0;
		got = waitpid(c->pid, &status, WNOHANG);
		if (got == 0 || (got < 0 && errno == EINTR))
			continue;
		TAILQ_REMOVE(&l->children, c, entry);
		if (c->fn == NULL) {
			free(c);
			continue;
		}
		set_status(c, got == c->pid ? status : -1);
		c->state = ENDED;
		TAILQ_INSERT_TAIL(&l->ended, c, entry);
	}
}

static void
on_sigchld(uv_signal_t *h, int signo)
{
	struct loop *l = h->data;
	struct child *c;

	reap(l);
	while ((c = TAILQ_FIRST(&l->ended)) != NULL) {
		TAILQ_REMOVE(&l->ended, c, entry);
		c->state = TOLD;
		c->fn(c->arg, c->code, c->signo);
	}
	if (TAILQ_EMPTY(&l->children)) {
		uv_signal_stop(&l->sigchld);
		l->reaping = false;
	}
}

void
loop_drop_children(struct loop *l)
{
	struct child *c;

	reap(l);
	while ((c = TAILQ_FIRST(&l->children)) != NULL) {
		TAILQ_REMOVE(&l->children, c, entry);
		free(c);
	}
}

/* Opens what stands for stream i of the child: *ret_child is to be given to
 * it, *ret_ours is the other end of a pipe or -1. */
static int
open_stream(enum child_io io, int i, int *ret_child, int *ret_ours)
{
	int fds[2];

	switch (io) {
	case CHILD_INHERIT:
		*ret_child = i;
		return 0;
	case CHILD_NULL:
		*ret_child = open("/dev/null", (i == 0 ? O_RDONLY : O_WRONLY) |
		    O_CLOEXEC);
		return *ret_child < 0 ? -errno : 0;
	case CHILD_PIPE:
		break;
	}
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	*ret_child = fds[i == 0 ? 0 : 1];
	*ret_ours = fds[i == 0 ? 1 : 0];
	return 0;
}

static void
close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* Begins to look for ended children, before the first can end. */
static int
start_reaping(struct loop *l)
{
	int r;

	if (l->reaping)
		return 0;
	if ((r = uv_signal_start(&l->sigchld, on_sigchld, SIGCHLD)) < 0)
		return r;
	l->reaping = true;
	return 0;
}

int
child_start(struct loop *l, const struct child_spec *spec,
    void (*fn)(void *arg, int code, int signo), void *arg, struct child **ret,
    int ret_fds[3])
{
	const enum child_io io[3] = { spec->in, spec->out, spec->err };
	struct spawn_plan plan = { .file = spec->file, .argv = spec->argv,
		.envp = spec->envp, .cwd = spec->cwd,
		.fds = { -1, -1, -1, spec->fd3 }, .session = spec->session };
	int ours[3] = { -1, -1, -1 }, i, r = 0;
	pid_t pid = -1;
	struct child *c;

	for (i = 0; r == 0 && i < 3; i++)
		r = open_stream(io[i], i, &plan.fds[i], &ours[i]);
	if (r == 0)
		r = start_reaping(l);
	if (r == 0)
		r = spawn_start(&plan, &pid);
	for (i = 0; i < 3; i++) {
		if (io[i] != CHILD_INHERIT)
			close_fd(plan.fds[i]);
		if (r < 0)
			close_fd(ours[i]);
		else
			ret_fds[i] = ours[i];
	}
	if (r < 0)
		return r;
	c = mem_zalloc(sizeof(*c));
	c->l = l;
	c->pid = pid;
	c->fn = fn;
	c->arg = arg;
	TAILQ_INSERT_TAIL(&l->children, c, entry);
	*ret = c;
	return 0;
}

pid_t
child_pid(const struct child *c)
{
	return c->pid;
}

void
child_signal(struct child *c, int signo)
{
	if (c->state == RUNNING)	/* not reaped: the number is its own */
		kill(c->pid, signo);
}

void
child_free(struct child *c)
{
	if (c == NULL)
		return;
	if (c->state == RUNNING) {
		c->fn = NULL;
		return;
	}
	if (c->state == ENDED)
		TAILQ_REMOVE(&c->l->ended, c, entry);
	free(c);
}
