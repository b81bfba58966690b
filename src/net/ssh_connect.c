/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Address look-up, TCP with deadlines, and the wait of all that follows. The
 * look-up blocks: this process has nothing else to do. */
#include "config.h"

#include "net/ssh.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"

#define USER_TIMEOUT_MS 30000

void
ssh_deadline(struct ssh *s, int seconds, const char *doing)
{
	s->limit_s = seconds;
	s->doing = doing;
	s->deadline_us = clock_mono_us() + seconds * US_PER_S;
}

/* Milliseconds to the deadline, at most cap; fails s when it has passed. */
static int
time_left(struct ssh *s, int cap)
{
	int64_t left = s->deadline_us - clock_mono_us();

	if (left <= 0) {
		ssh_fail(s, ERR_TIMEOUT, "%s: no answer for %d s (%s, %s)",
		    s->name, s->limit_s, s->doing, s->address);
		return 0;
	}
	left = left / US_PER_MS + 1;
	return left < cap ? (int)left : cap;
}

/* Waits for events on the socket; an end of the side channel is the end of
 * the console, and then of this process. */
static int
wait_socket(struct ssh *s, short events, int cap)
{
	struct pollfd p[2] = { { .fd = s->sock, .events = events },
		{ .fd = s->leaving ? -1 : SSH_CTL_FD } };
	int timeout = time_left(s, cap);

	if (s->code < 0)
		return s->code;
	if (poll(p, 2, timeout) < 0 && errno != EINTR)
		return ssh_fail(s, -errno, "%s: poll: %s", s->name,
		    err_text(-errno));
	if ((p[1].revents & (POLLHUP | POLLERR)) != 0)
		return ssh_fail(s, ERR_CLOSED, "the console is gone");
	return p[0].revents != 0;
}

bool
ssh_again(struct ssh *s, long r)
{
	int directions, cap = 60000;
	short events = 0;

	if (r != LIBSSH2_ERROR_EAGAIN)
		return false;
	directions = libssh2_session_block_directions(s->session);
	if ((directions & LIBSSH2_SESSION_BLOCK_INBOUND) != 0)
		events |= POLLIN;
	if ((directions & LIBSSH2_SESSION_BLOCK_OUTBOUND) != 0)
		events |= POLLOUT;
	if (events == 0) {
		/* Some versions say "no direction" and mean both. */
		events = POLLIN;
		cap = 100;
	}
	return wait_socket(s, events, cap) >= 0;
}

static void
set_address(struct ssh *s, const struct addrinfo *a)
{
	char host[64], port[8];

	if (getnameinfo(a->ai_addr, a->ai_addrlen, host, sizeof(host), port,
	    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		snprintf(s->address, sizeof(s->address), "?");
	else
		snprintf(s->address, sizeof(s->address),
		    a->ai_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host,
		    port);
}

static void
set_options(int fd)
{
	int on = 1, ms = USER_TIMEOUT_MS;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

/* Tries one address within the deadline. 0, or -errno with s->sock closed. */
static int
connect_one(struct ssh *s, const struct addrinfo *a)
{
	socklen_t len = sizeof(int);
	int error = 0, r;

	s->sock = socket(a->ai_family,
	    a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
	if (s->sock < 0)
		return -errno;
	set_options(s->sock);
	if (connect(s->sock, a->ai_addr, a->ai_addrlen) == 0)
		return 0;
	error = errno;
	if (error == EINPROGRESS) {
		do
			r = wait_socket(s, POLLOUT, 60000);
		while (r == 0);
		error = 0;
		if (r > 0)
			getsockopt(s->sock, SOL_SOCKET, SO_ERROR, &error, &len);
		if (r > 0 && error == 0)
			return 0;
	}
	close(s->sock);
	s->sock = -1;
	return -error;
}

static const char *
connect_text(int error)
{
	if (error == -ECONNREFUSED)
		return "connection refused";
	if (error == -EHOSTUNREACH)
		return "no route to the host";
	if (error == -ENETUNREACH)
		return "network unreachable";
	return err_text(error);
}

int
ssh_connect(struct ssh *s)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV };
	struct addrinfo *list = NULL, *a;
	char port[8];
	int r;

	snprintf(port, sizeof(port), "%u", s->port);
	alarm(SSH_BLOCKED_S);
	r = getaddrinfo(s->host, port, &hints, &list);
	alarm(0);
	if (r != 0)
		return ssh_fail(s, ERR_NOT_FOUND, "%s: no address for %s: %s",
		    s->name, s->host, gai_strerror(r));
	ssh_deadline(s, SSH_CONNECT_S, "connecting");
	r = -EADDRNOTAVAIL;
	for (a = list; a != NULL; a = a->ai_next) {
		set_address(s, a);
		if ((r = connect_one(s, a)) == 0 || s->code < 0)
			break;
	}
	freeaddrinfo(list);
	if (s->code < 0)
		return s->code;
	if (r < 0)
		return ssh_fail(s, r, "%s: %s (%s)", s->name, connect_text(r),
		    s->address);
	ssh_say(s, "phase", "connected");
	return 0;
}
