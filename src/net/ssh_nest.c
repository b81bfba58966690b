/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The nest: forks a link process for each order of the console and tells of
 * their ends. It opens nothing and connects nowhere itself. When the console
 * goes, it goes; its links see the end of their side channels.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/nest.h"
#include "net/ssh.h"
#include "yardmaster/base/mem.h"

struct chick {
	uint32_t id;
	pid_t pid;
};

struct nest {
	int signals;		/* signalfd of SIGCHLD */
	struct chick *v;
	size_t n, cap;
};

static void
report(enum nest_news news, uint32_t id, int value)
{
	struct nest_report r = { news, id, value };

	while (send(SSH_CTL_FD, &r, sizeof(r), MSG_NOSIGNAL) < 0 &&
	    errno == EINTR)
		;
}

/* In the child: its two descriptors become 0, 1 and 3; nothing else is left
 * of the nest. */
static void
take_places(const struct nest *nest, int bytes, int side)
{
	sigset_t none;

	close(nest->signals);
	if (dup2(bytes, STDIN_FILENO) < 0 || dup2(bytes, STDOUT_FILENO) < 0 ||
	    dup2(side, SSH_CTL_FD) < 0)
		_exit(70);
	close(bytes);
	close(side);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void
start(struct nest *nest, uint32_t id, int bytes, int side)
{
	pid_t pid = fork();

	if (pid == 0) {
		take_places(nest, bytes, side);
		_exit(ssh_main());
	}
	close(bytes);
	close(side);
	report(NEST_STARTED, id, pid < 0 ? -errno : pid);
	if (pid < 0)
		return;
	nest->v = mem_grow(nest->v, &nest->cap, nest->n + 1,
	    sizeof(*nest->v));
	nest->v[nest->n++] = (struct chick){ id, pid };
}

static void
signal_one(const struct nest *nest, uint32_t id, int signo)
{
	size_t i;

	for (i = 0; i < nest->n; i++)
		if (nest->v[i].id == id)
			kill(nest->v[i].pid, signo);
}

static void
reap(struct nest *nest)
{
	struct signalfd_siginfo info;
	pid_t pid;
	int status;
	size_t i;

	(void)!read(nest->signals, &info, sizeof(info));
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (i = 0; i < nest->n; i++) {
			if (nest->v[i].pid != pid)
				continue;
			report(NEST_ENDED, nest->v[i].id, status);
			nest->v[i] = nest->v[--nest->n];
			break;
		}
}

/* Takes one order. False at the end of the console. */
static bool
take_order(struct nest *nest)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(2 * sizeof(int))];
	} control;
	struct nest_order order;
	struct iovec iov = { &order, sizeof(order) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	int fds[2];
	ssize_t n;

	n = recvmsg(SSH_CTL_FD, &m, MSG_CMSG_CLOEXEC);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	if (n != sizeof(order))
		return false;
	c = CMSG_FIRSTHDR(&m);
	if (order.op == NEST_SIGNAL) {
		signal_one(nest, order.id, order.value);
	} else if (order.op == NEST_START && c != NULL &&
	    c->cmsg_len == CMSG_LEN(sizeof(fds))) {
		memcpy(fds, CMSG_DATA(c), sizeof(fds));
		start(nest, order.id, fds[0], fds[1]);
	}
	return true;
}

int
ssh_nest(void)
{
	struct nest nest = { .signals = -1 };
	struct pollfd p[2] = { { .fd = SSH_CTL_FD, .events = POLLIN },
		{ .events = POLLIN } };
	sigset_t set;
	bool goes_on = true;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	nest.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (nest.signals < 0)
		return 70;
	p[1].fd = nest.signals;
	while (goes_on) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			break;
		if (p[1].revents != 0)
			reap(&nest);
		if (p[0].revents != 0)
			goes_on = take_order(&nest);
		p[0].revents = p[1].revents = 0;
	}
	free(nest.v);
	return 0;
}
