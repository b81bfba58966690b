/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The console's end of a nest. Its process is started with the first link and
 * again when it died; links that were in it are told that theirs ended.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/link_int.h"
#include "net/nest.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"

struct link_nest {
	struct loop *loop;
	struct child *child;	/* NULL: not running */
	struct watch *watch;
	int fd;			/* to the process, or -1 */
	uint32_t next_id;
	struct link *links;	/* hash by nest_id */
};

int
link_nest_new(struct loop *loop, struct link_nest **ret)
{
	struct link_nest *nest = mem_zalloc(sizeof(*nest));

	nest->loop = loop;
	nest->fd = -1;
	*ret = nest;
	return 0;
}

static void
stop(struct link_nest *nest)
{
	watch_free(nest->watch);
	child_free(nest->child);
	if (nest->fd >= 0)
		close(nest->fd);
	nest->watch = NULL;
	nest->child = NULL;
	nest->fd = -1;
}

void
link_nest_free(struct link_nest *nest)
{
	if (nest == NULL)
		return;
	stop(nest);
	free(nest);
}

/* ---- what the process says ---- */

static void
take_report(struct link_nest *nest, const struct nest_report *r)
{
	struct link *l;

	HASH_FIND(hh, nest->links, &r->id, sizeof(r->id), l);
	if (l == NULL)
		return;
	if (r->news == NEST_STARTED && r->value > 0) {
		l->nest_pid = r->value;
	} else {
		nest_forget(l);
		if (r->news == NEST_STARTED) {
			l->reason = str_fmt("%s: no process for its link: %s",
			    l->name, err_text(r->value));
			link_exited(l, 70, 0);
		} else if (WIFSIGNALED(r->value)) {
			link_exited(l, -1, WTERMSIG(r->value));
		} else {
			link_exited(l, WEXITSTATUS(r->value), 0);
		}
	}
}

/* The process is gone, and so, for us, are its links. */
static void
died(struct link_nest *nest)
{
	uint32_t last = nest->next_id;
	struct link *l;

	stop(nest);
	/* New ones, begun from within an end(), come behind the old ones. */
	while ((l = nest->links) != NULL && l->nest_id <= last) {
		nest_forget(l);
		link_exited(l, -1, SIGKILL);
	}
}

static void
on_ready(void *arg, unsigned events)
{
	struct link_nest *nest = arg;
	struct nest_report r;
	ssize_t n;

	n = recv(nest->fd, &r, sizeof(r), MSG_DONTWAIT);
	if (n == sizeof(r))
		take_report(nest, &r);
	else if (n >= 0 || (errno != EAGAIN && errno != EINTR))
		died(nest);
}

/* Its socket ends with it, and is what we look at. */
static void
on_exit_of_nest(void *arg, int code, int signo)
{
}

/* ---- what it is told ---- */

static int
start_process(struct link_nest *nest, const char *program)
{
	char *const argv[] = { (char *)program, (char *)"--nest", NULL };
	struct strvec env = STRVEC_INIT;
	int side[2], unused[3], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, side) < 0)
		return -errno;
	link_environment(&env);
	r = child_start(nest->loop, &(struct child_spec){ .file = program,
	    .argv = argv, .envp = strvec_argv(&env), .in = CHILD_NULL,
	    .out = CHILD_NULL, .err = CHILD_NULL, .fd3 = side[1],
	    .session = true }, on_exit_of_nest, nest, &nest->child, unused);
	strvec_done(&env);
	close(side[1]);
	nest->fd = side[0];
	if (r == 0)
		r = watch_new(nest->loop, nest->fd, WATCH_READ, on_ready,
		    nest, &nest->watch);
	if (r < 0)
		stop(nest);
	return r;
}

static int
send_order(struct link_nest *nest, const struct nest_order *order,
    const int *fds, size_t n)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(2 * sizeof(int))];
	} control = { .room = { 0 } };
	struct iovec iov = { (void *)order, sizeof(*order) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n > 0) {
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(n * sizeof(int));
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(&control.head), fds, n * sizeof(int));
	}
	return sendmsg(nest->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ?
	    -errno : 0;
}

int
nest_start(struct link *l, int bytes, int side)
{
	struct link_nest *nest = l->nest;
	const int fds[2] = { bytes, side };
	struct nest_order order = { .op = NEST_START };
	int r = 0;

	if (nest->fd < 0)
		r = start_process(nest, l->argv.v[0]);
	if (r < 0)
		return r;
	order.id = l->nest_id = ++nest->next_id;
	if ((r = send_order(nest, &order, fds, 2)) < 0)
		return r;
	l->in_nest = true;
	HASH_ADD(hh, nest->links, nest_id, sizeof(l->nest_id), l);
	return 0;
}

void
nest_signal(struct link *l, int signo)
{
	struct nest_order order = { .op = NEST_SIGNAL, .id = l->nest_id,
		.value = signo };

	if (l->in_nest)
		(void)send_order(l->nest, &order, NULL, 0);
}

void
nest_forget(struct link *l)
{
	if (!l->in_nest)
		return;
	l->in_nest = false;
	HASH_DEL(l->nest->links, l);
}
