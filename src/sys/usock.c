/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Unix sockets for processes of one user. A path longer than an address holds
 * (108 bytes) is reached through its folder in /proc/self/fd.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "sys/loop_priv.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/paths.h"

#define BACKLOG 128
#define NO_FDS_WAIT_US (100 * US_PER_MS)

struct listener {
	struct loop *l;
	uv_poll_t uv;
	struct timer *again;	/* accepts again after running out of fds */
	int fd;
	char *path;
	bool freed;
	void (*accept)(void *arg, int fd);
	void *arg;
};

/* The address of path. *ret_dir has to stay open while it is used; -1 when
 * none is needed. */
static int
make_address(const char *path, struct sockaddr_un *ret, int *ret_dir)
{
	const char *base = strrchr(path, '/');
	size_t size = sizeof(ret->sun_path);
	char *dir;

	*ret_dir = -1;
	memset(ret, 0, sizeof(*ret));
	ret->sun_family = AF_UNIX;
	if (strlen(path) < size) {
		snprintf(ret->sun_path, size, "%s", path);
		return 0;
	}
	dir = path_dir(path);
	*ret_dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (*ret_dir < 0)
		return -errno;
	if ((size_t)snprintf(ret->sun_path, size, "/proc/self/fd/%d/%s",
	    *ret_dir, base != NULL ? base + 1 : path) < size)
		return 0;
	close(*ret_dir);
	*ret_dir = -1;
	return -ENAMETOOLONG;
}

static bool
peer_is_us(int fd)
{
	struct ucred cred;
	socklen_t n = sizeof(cred);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) == 0 &&
	    cred.uid == geteuid();
}

static int
connect_to(const char *path, int flags, int *ret_fd)
{
	struct sockaddr_un address;
	int dir, fd, r;

	if ((r = make_address(path, &address, &dir)) < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address,
	    sizeof(address)) < 0)
		r = -errno;
	else if (!peer_is_us(fd))
		r = -EPERM;
	if (dir >= 0)
		close(dir);
	if (r < 0) {
		if (fd >= 0)
			close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

int
usock_connect(const char *path, int *ret_fd)
{
	return connect_to(path, 0, ret_fd);
}

/* Removes a socket file that nobody listens on. 0, ERR_LOCKED or -errno. */
static int
clear_path(const char *path)
{
	struct stat st;
	int fd, r;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	r = connect_to(path, SOCK_NONBLOCK, &fd);
	if (r == 0)
		close(fd);
	if (r == 0 || r == -EAGAIN)	/* EAGAIN: alive, its backlog is full */
		return ERR_LOCKED;
	if (r != -ECONNREFUSED)
		return r;
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

static int
listen_at(const char *path, int *ret_fd)
{
	struct sockaddr_un address;
	int dir, fd, r;

	if ((r = clear_path(path)) < 0 ||
	    (r = make_address(path, &address, &dir)) < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* The mode is set before there is a file that could be opened. */
	if (fd < 0 || fchmod(fd, 0600) < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, BACKLOG) < 0)
		r = -errno;
	if (dir >= 0)
		close(dir);
	if (r < 0 && fd >= 0)
		close(fd);
	if (r == 0)
		*ret_fd = fd;
	return r;
}

static void
accept_all(struct listener *ls)
{
	int fd;

	while (!ls->freed) {
		fd = accept4(ls->fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0 && peer_is_us(fd)) {
			ls->accept(ls->arg, fd);
			continue;
		}
		if (fd >= 0) {
			close(fd);
			continue;
		}
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		if (errno != EAGAIN) {	/* no descriptors left */
			uv_poll_stop(&ls->uv);
			timer_start(ls->again, NO_FDS_WAIT_US);
		}
		return;
	}
}

static void
on_ready(uv_poll_t *h, int status, int events)
{
	struct listener *ls = h->data;

	(void)status;
	accept_all(ls);
}

static void
on_again(void *arg)
{
	struct listener *ls = arg;

	uv_poll_start(&ls->uv, UV_READABLE, on_ready);
}

int
listener_new(struct loop *l, const char *path,
    void (*accept)(void *arg, int fd), void *arg, struct listener **ret)
{
	struct listener *ls;
	int fd, r;

	if ((r = listen_at(path, &fd)) < 0)
		return r;
	ls = mem_zalloc(sizeof(*ls));
	if ((r = uv_poll_init(&l->uv, &ls->uv, fd)) < 0) {
		close(fd);
		unlink(path);
		free(ls);
		return r;
	}
	ls->l = l;
	ls->fd = fd;
	ls->path = str_dup(path);
	ls->accept = accept;
	ls->arg = arg;
	ls->uv.data = ls;
	ls->again = timer_new(l, on_again, ls);
	uv_poll_start(&ls->uv, UV_READABLE, on_ready);
	*ret = ls;
	return 0;
}

static void
free_listener(uv_handle_t *h)
{
	free(h->data);
}

void
listener_free(struct listener *ls)
{
	if (ls == NULL)
		return;
	ls->freed = true;
	timer_free(ls->again);
	uv_close((uv_handle_t *)&ls->uv, free_listener);
	close(ls->fd);
	unlink(ls->path);
	free(ls->path);
}
