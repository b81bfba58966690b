/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The writing side of the terminal. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "tui/outlet.h"

#define DRAIN_MS 500		/* without any byte taken */

static void
on_writable(void *arg, unsigned events)
{
	struct outlet *o = arg;

	outlet_flush(o);
	if (buf_len(&o->pending) == 0)
		o->ready(o->arg);
}

/* Where the terminal cannot be opened anew, a copy that blocks. */
static int
open_terminal(void)
{
	int fd = open("/proc/self/fd/1", O_WRONLY | O_NOCTTY | O_NONBLOCK |
	    O_CLOEXEC);
	const char *name = fd < 0 ? ttyname(STDOUT_FILENO) : NULL;

	if (name != NULL)
		fd = open(name, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	return fd >= 0 ? fd : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
}

int
outlet_open(struct outlet *o, struct loop *loop, void (*ready)(void *arg),
    void *arg)
{
	int r;

	memset(o, 0, sizeof(*o));
	o->ready = ready;
	o->arg = arg;
	if ((o->fd = open_terminal()) < 0)
		return -errno;
	r = watch_new(loop, o->fd, 0, on_writable, o, &o->writable);
	if (r < 0)
		close(o->fd);
	return r;
}

void
outlet_close(struct outlet *o)
{
	watch_free(o->writable);
	buf_done(&o->pending);
	close(o->fd);
}

static void
write_some(struct outlet *o)
{
	ssize_t n = 0;

	while (buf_len(&o->pending) > 0 && (n >= 0 || errno == EINTR)) {
		n = write(o->fd, buf_data(&o->pending),
		    buf_len(&o->pending));
		if (n > 0)
			buf_consume(&o->pending, (size_t)n);
	}
	o->gone |= n < 0 && errno != EAGAIN;
	if (o->gone)
		buf_clear(&o->pending);
}

void
outlet_flush(struct outlet *o)
{
	write_some(o);
	watch_set(o->writable, buf_len(&o->pending) > 0 ? WATCH_WRITE : 0);
}

bool
outlet_drain(struct outlet *o)
{
	struct pollfd p = { o->fd, POLLOUT, 0 };

	while (!o->gone && poll(&p, 1, DRAIN_MS) > 0) {
		write_some(o);
		if (buf_len(&o->pending) == 0 && !o->gone)
			return true;
	}
	buf_clear(&o->pending);
	return false;
}
