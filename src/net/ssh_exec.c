/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The far command and its bytes. The rule of the library that shapes this
 * file: a call that said EAGAIN while it had something to send must be
 * repeated with the same pointer and length before any other call on the
 * session. So there is one buffer for each direction, filled only when it is
 * empty, and at most one unfinished call ("busy"). A write is begun only when
 * the far window is open: then it ends without our reading.
 */
#include "config.h"

#include "net/ssh.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/banner.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"

#define WINDOW_BYTES (128 * 1024)
#define PIECE 16000
#define UNREAD_MS 2

enum busy { BUSY_NONE, BUSY_WRITE, BUSY_READ, BUSY_READ_ERR };

struct pump {
	struct ssh *s;
	enum busy busy;
	int64_t busy_since_us;
	size_t busy_n;		/* length of an unfinished write */
	bool moved;		/* something happened in this round */
	bool in_end;		/* the console writes no more */
	int64_t leave_us;	/* when leaving: until when, else 0 */
	struct banner banner;
	size_t in_off, in_len, out_off, out_len, err_total;
	struct buf err;		/* what the far side complained of */
	char in[PIECE], out[PIECE], err_piece[512];
};

static void
set_busy(struct pump *p, enum busy busy)
{
	if (p->busy != busy)
		p->busy_since_us = clock_mono_us();
	p->busy = busy;
}

static int
stream_failed(struct pump *p, long r)
{
	if (r == LIBSSH2_ERROR_SOCKET_DISCONNECT ||
	    r == LIBSSH2_ERROR_SOCKET_RECV || r == LIBSSH2_ERROR_SOCKET_SEND)
		return ssh_fail(p->s, ERR_CLOSED, "%s: connection lost (%s)",
		    p->s->name, p->s->address);
	return ssh_fail_library(p->s, ERR_CLOSED, "%s: the session broke",
	    p->s->name);
}

/* Console to far side. */
static int
pump_write(struct pump *p)
{
	LIBSSH2_CHANNEL *c = p->s->channel;
	size_t window;
	ssize_t r;

	if (p->in_off == p->in_len ||
	    (p->busy != BUSY_NONE && p->busy != BUSY_WRITE))
		return 0;
	if (p->busy == BUSY_NONE) {
		window = libssh2_channel_window_write_ex(c, NULL);
		if (window == 0)
			return 0;
		p->busy_n = p->in_len - p->in_off;
		if (p->busy_n > window)
			p->busy_n = window;
	}
	r = libssh2_channel_write_ex(c, 0, p->in + p->in_off, p->busy_n);
	if (r == LIBSSH2_ERROR_EAGAIN) {
		set_busy(p, BUSY_WRITE);
		return 0;
	}
	set_busy(p, BUSY_NONE);
	if (r < 0)
		return stream_failed(p, r);
	/* Secrets pass through here. */
	mem_wipe(p->in + p->in_off, (size_t)r);
	p->in_off += (size_t)r;
	p->moved |= r > 0;
	return 0;
}

/* One read of the library with its rule; *ret_n is 0 when nothing came. */
static int
read_stream(struct pump *p, enum busy as, int stream, char *to, size_t size,
    size_t *ret_n)
{
	ssize_t r;

	*ret_n = 0;
	if (p->busy != BUSY_NONE && p->busy != as)
		return 0;
	r = libssh2_channel_read_ex(p->s->channel, stream, to, size);
	if (r == LIBSSH2_ERROR_EAGAIN) {
		/* Waiting for bytes leaves nothing unfinished. */
		set_busy(p, (libssh2_session_block_directions(p->s->session) &
		    LIBSSH2_SESSION_BLOCK_OUTBOUND) != 0 ? as : BUSY_NONE);
		return 0;
	}
	set_busy(p, BUSY_NONE);
	if (r < 0)
		return stream_failed(p, r);
	*ret_n = (size_t)r;
	p->moved |= r > 0;
	return 0;
}

static int
pump_read(struct pump *p)
{
	size_t n;
	int r;

	if (p->out_off == p->out_len) {
		r = read_stream(p, BUSY_READ, 0, p->out, sizeof(p->out), &n);
		if (r < 0)
			return r;
		p->out_off = 0;
		p->out_len = n;
		banner_feed(&p->banner, (const uint8_t *)p->out, n);
	}
	r = read_stream(p, BUSY_READ_ERR, SSH_EXTENDED_DATA_STDERR,
	    p->err_piece, sizeof(p->err_piece), &n);
	if (r < 0 || n == 0)
		return r;
	p->err_total += n;
	if (p->err_total <= CTL_STDERR_MAX) {
		ssh_sayn(p->s, "stderr", p->err_piece, n);
		buf_put(&p->err, p->err_piece, n);
	}
	return 0;
}

/* The two pipes of the console. */
static void
pump_pipes(struct pump *p)
{
	ssize_t r;

	if (p->out_off < p->out_len) {
		r = write(STDOUT_FILENO, p->out + p->out_off,
		    p->out_len - p->out_off);
		if (r < 0 && errno != EAGAIN && errno != EINTR)
			r = (ssize_t)(p->out_len - p->out_off);	/* for nobody */
		if (r > 0) {
			p->out_off += (size_t)r;
			p->moved = true;
		}
	}
	if (p->in_off < p->in_len || p->in_end)
		return;
	r = read(STDIN_FILENO, p->in, sizeof(p->in));
	if (r == 0 || (r < 0 && errno != EAGAIN && errno != EINTR))
		p->in_end = true;
	p->in_off = 0;
	p->in_len = r > 0 ? (size_t)r : 0;
	p->moved |= r > 0;
}

/* The library may have taken bytes off the socket in a call that was about
 * something else; the socket will not tell of them again. */
static bool
has_unread(const struct pump *p)
{
	unsigned long n = 0;

	libssh2_channel_window_read_ex(p->s->channel, &n, NULL);
	return n > 0 && p->busy != BUSY_WRITE && p->out_off == p->out_len;
}

/* Sets what to wait for on the session's socket; returns the longest wait. */
static int
socket_events(struct pump *p, struct pollfd *f)
{
	int directions = libssh2_session_block_directions(p->s->session);

	if (p->out_off == p->out_len)
		f->events |= POLLIN;
	if (p->busy != BUSY_NONE) {
		if (directions == 0 ||
		    (directions & LIBSSH2_SESSION_BLOCK_INBOUND) != 0)
			f->events |= POLLIN;
		if ((directions & LIBSSH2_SESSION_BLOCK_OUTBOUND) != 0)
			f->events |= POLLOUT;
	}
	/* A dead socket that is not wanted now must not wake us for ever. */
	if (f->events == 0)
		f->fd = -1;
	if (has_unread(p))
		return UNREAD_MS;
	if (p->leave_us != 0)
		return 100;
	return p->busy == BUSY_NONE ? -1 : directions == 0 ? 100 : 1000;
}

static int
pump_deadlines(struct pump *p)
{
	int64_t now = clock_mono_us();

	if (p->busy != BUSY_NONE &&
	    now - p->busy_since_us > SSH_STALL_S * US_PER_S)
		return ssh_fail(p->s, ERR_TIMEOUT, "%s: no answer for %d s "
		    "(sending)", p->s->name, SSH_STALL_S);
	if (p->leave_us != 0 && now > p->leave_us)
		return ssh_fail(p->s, ERR_CLOSED, "the console is gone");
	return 0;
}

static int
pump_wait(struct pump *p)
{
	struct pollfd f[4] = { { .fd = p->s->sock }, { .fd = -1 },
		{ .fd = -1, .events = POLLIN },
		{ .fd = -1, .events = POLLOUT } };
	int timeout = socket_events(p, &f[0]);

	if (p->leave_us == 0)
		f[1].fd = SSH_CTL_FD;
	if (p->in_off == p->in_len && !p->in_end)
		f[2].fd = STDIN_FILENO;
	if (p->out_off < p->out_len)
		f[3].fd = STDOUT_FILENO;
	if (poll(f, 4, timeout) < 0 && errno != EINTR)
		return ssh_fail(p->s, -errno, "poll: %s", err_text(-errno));
	if (p->leave_us == 0 && (p->in_end ||
	    (f[1].revents & (POLLHUP | POLLERR)) != 0))
		p->leave_us = clock_mono_us() + SSH_LEAVE_S * US_PER_S;
	return pump_deadlines(p);
}

static bool
pump_over(const struct pump *p)
{
	if (p->busy != BUSY_NONE || p->out_off < p->out_len)
		return false;
	return libssh2_channel_eof(p->s->channel) != 0 ||
	    (p->leave_us != 0 && p->in_end && p->in_off == p->in_len);
}

static int
pump_run(struct pump *p)
{
	int r;

	while (!pump_over(p)) {
		p->moved = false;
		pump_pipes(p);
		/* Reading may open the far window, so it comes first. */
		if ((r = pump_read(p)) < 0 || (r = pump_write(p)) < 0)
			return r;
		if (p->moved || pump_over(p))
			continue;
		if ((r = pump_wait(p)) < 0)
			return r;
	}
	return 0;
}

/* ---- the channel ---- */

static int
open_channel(struct ssh *s, const char *program)
{
	char *command;
	int r;

	command = s->shell ? str_dup(program) :
	    str_fmt("%s connect%s%s", program,
	    s->instance[0] != '\0' ? " --instance " : "", s->instance);
	ssh_deadline(s, SSH_OPEN_S, "opening a channel");
	do {
		s->channel = libssh2_channel_open_ex(s->session, "session", 7,
		    WINDOW_BYTES, LIBSSH2_CHANNEL_PACKET_DEFAULT, NULL, 0);
		r = s->channel != NULL ? 0 :
		    libssh2_session_last_errno(s->session);
	} while (ssh_again(s, r));
	if (r == 0)
		do
			r = libssh2_channel_process_startup(s->channel, "exec",
			    4, command, (unsigned)strlen(command));
		while (ssh_again(s, r));
	if (r < 0)
		r = ssh_fail_library(s, ERR_REFUSED,
		    "%s: sshd would not run \"%s\"", s->name, command);
	free(command);
	return r;
}

/* Frees the channel and says how its command ended: 0-255, or -1. */
static int
close_channel(struct ssh *s)
{
	int r, status;

	ssh_deadline(s, SSH_OPEN_S, "closing a channel");
	do
		r = libssh2_channel_close(s->channel);
	while (ssh_again(s, r));
	status = r == 0 ? libssh2_channel_get_exit_status(s->channel) : -1;
	do
		r = libssh2_channel_free(s->channel);
	while (ssh_again(s, r));
	s->channel = NULL;
	return status;
}

/* The far program gets an end of input and a moment to take all in. */
static void
leave(struct pump *p)
{
	struct ssh *s = p->s;
	ssize_t r;

	s->leaving = true;
	ssh_deadline(s, SSH_LEAVE_S, "leaving");
	do
		r = libssh2_channel_send_eof(s->channel);
	while (ssh_again(s, r));
	while (s->code == 0 && !libssh2_channel_eof(s->channel)) {
		r = libssh2_channel_read_ex(s->channel, 0, p->out,
		    sizeof(p->out));
		if (r < 0 && !ssh_again(s, r))
			break;
	}
}

/* A shell that found no such program says 127, or (csh) only words. */
static bool
not_found(const struct pump *p, int status)
{
	return !p->banner.seen && (status == 127 || (status != 0 &&
	    (strstr(buf_str(&p->err), "not found") != NULL ||
	    strstr(buf_str(&p->err), "No such file") != NULL)));
}

/* Runs one far command to its end: 1 when there is no such program there. */
static int
run_program(struct ssh *s, const char *program)
{
	struct pump *p;
	int r, status = 0;

	if ((r = open_channel(s, program)) < 0)
		return r;
	p = mem_zalloc(sizeof(*p));
	p->s = s;
	p->banner.seen = s->shell;
	r = pump_run(p);
	if (r == 0 && p->leave_us != 0) {
		leave(p);
	} else if (r == 0) {
		status = close_channel(s);
		r = not_found(p, status) ? 1 : ssh_fail(s, ERR_CLOSED,
		    "%s: the agent ended the link (exit status %d)", s->name,
		    status);
	}
	buf_done(&p->err);
	free(p);
	return r;
}

int
ssh_run(struct ssh *s)
{
	static const char *const usual[] = { "yardmaster-agent",
		".local/bin/yardmaster-agent", NULL };
	const char *const given[] = { s->shell ? "sh" : s->agent_path, NULL };
	const char *const *program = given[0][0] != '\0' ? given : usual;
	int r = 1;

	/* Key exchange and authentication took most of what was ever used. */
	malloc_trim(0);
	fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
	fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK);
	for (; *program != NULL && r == 1; program++)
		r = run_program(s, *program);
	return r != 1 ? r : ssh_fail(s, ERR_NOT_FOUND, "no agent installed on "
	    "%s (%s): %s not found there; install it, or name it with "
	    "agent_path", s->name, s->host, s->agent_path[0] != '\0' ?
	    s->agent_path : "yardmaster-agent");
}
