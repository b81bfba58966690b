/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Byte streams on the loop. Invariants:
 *  1. what is queued is written at the end of the turn, in one go, or at once
 *     when it is a lot; the writing side is polled only while the kernel
 *     takes no more;
 *  2. a broken writing side is not reported by itself: what the other side
 *     said before it went is read first, and its end is the report. Only a
 *     stream without reading side reports the broken write;
 *  3. after stream_free() the memory stays until libuv has closed the polls;
 *  4. secrets pass through: nothing of what was written or read stays behind.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/loop_priv.h"
#include "yardmaster/base/buf.h"
#include "yardmaster/base/mem.h"

#define WRITE_AT_ONCE (256u << 10)
#define READS_A_TURN 4		/* so that one talker does not starve others */
#define KEEP_CAPACITY (1u << 20)

struct side {
	uv_poll_t uv;
	int fd;			/* -1: none, or closed */
	bool polled;		/* uv is initialised and not closed */
	int mask;		/* what uv polls for; a change is two syscalls */
};

struct stream {
	struct loop *l;
	const struct stream_ops *ops;
	void *arg;
	struct side r, w;	/* a socket uses r's poll for both */
	bool same_fd;
	bool paused, ended, broken, shut, freed;
	bool undrained;		/* a write was not followed by drained() yet */
	bool is_dirty;
	unsigned closing;	/* polls that libuv has not closed yet */
	struct buf out;
	TAILQ_ENTRY(stream) entry;
};

static void on_ready(uv_poll_t *h, int status, int events);

static bool
wants_write(const struct stream *s)
{
	return s->w.fd >= 0 && buf_len(&s->out) > 0;
}

static void
set_poll(struct side *side, int mask)
{
	if (!side->polled || side->mask == mask)
		return;
	side->mask = mask;
	if (mask != 0)
		uv_poll_start(&side->uv, mask, on_ready);
	else
		uv_poll_stop(&side->uv);
}

/* Polls for what is wanted now. */
static void
update_polls(struct stream *s)
{
	bool reads = s->r.fd >= 0 && !s->paused && !s->ended;
	int r_mask = reads ? UV_READABLE : 0;
	int w_mask = wants_write(s) ? UV_WRITABLE : 0;

	if (s->same_fd) {
		r_mask |= w_mask;
		w_mask = 0;
	}
	set_poll(&s->r, r_mask);
	set_poll(&s->w, w_mask);
}

static void
mark_dirty(struct stream *s)
{
	if (s->is_dirty)
		return;
	s->is_dirty = true;
	TAILQ_INSERT_TAIL(&s->l->dirty, s, entry);
	s->l->n_dirty++;
}

static void
unmark_dirty(struct stream *s)
{
	if (!s->is_dirty)
		return;
	s->is_dirty = false;
	TAILQ_REMOVE(&s->l->dirty, s, entry);
	s->l->n_dirty--;
}

static void
on_closed(uv_handle_t *h)
{
	struct stream *s = h->data;

	if (--s->closing == 0 && s->freed)
		free(s);
}

static void
close_poll(struct stream *s, struct side *side)
{
	if (!side->polled)
		return;
	side->polled = false;
	s->closing++;
	uv_close((uv_handle_t *)&side->uv, on_closed);
}

static int
open_side(struct stream *s, struct side *side, int fd)
{
	int r;

	if (fd < 0)
		return 0;
	if ((r = uv_poll_init(&s->l->uv, &side->uv, fd)) < 0)
		return r;
	side->uv.data = s;
	side->polled = true;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return 0;
}

int
stream_new(struct loop *l, int rfd, int wfd, const struct stream_ops *ops,
    void *arg, struct stream **ret)
{
	struct stream *s = mem_zalloc(sizeof(*s));
	int r;

	s->l = l;
	s->ops = ops;
	s->arg = arg;
	s->same_fd = rfd == wfd;
	buf_secret(&s->out);
	r = open_side(s, &s->r, rfd);
	if (r == 0 && !s->same_fd)
		r = open_side(s, &s->w, wfd);
	if (r < 0) {		/* a regular file, or not open at all */
		s->freed = true;
		close_poll(s, &s->r);
		if (s->closing == 0)
			free(s);
		return r;
	}
	s->r.fd = rfd;
	s->w.fd = wfd;
	update_polls(s);
	*ret = s;
	return 0;
}

static void
tell_end(struct stream *s, int error)
{
	if (s->ended)
		return;
	s->ended = true;
	update_polls(s);
	s->ops->end(s->arg, error);
}

/* Closes the writing side, as the other side sees it. */
static void
close_writing(struct stream *s)
{
	if (s->w.fd < 0)
		return;
	if (s->same_fd) {
		shutdown(s->w.fd, SHUT_WR);
	} else {
		close_poll(s, &s->w);
		close(s->w.fd);
	}
	s->w.fd = -1;
}

/* Writes as much as the kernel takes. 0 or -errno of a broken stream. */
static int
write_out(struct stream *s)
{
	ssize_t n;

	while (wants_write(s)) {
		n = write(s->w.fd, buf_data(&s->out), buf_len(&s->out));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0)
			return -errno;
		buf_consume(&s->out, (size_t)n);
	}
	if (s->out.cap > KEEP_CAPACITY)
		buf_done(&s->out);
	return 0;
}

/* Writes, and says what came of it. */
static void
flush(struct stream *s)
{
	int r = write_out(s);

	if (r < 0) {
		s->broken = true;
		buf_done(&s->out);
	}
	if (buf_len(&s->out) == 0 && s->shut)
		close_writing(s);
	update_polls(s);
	if (r < 0) {
		if (s->r.fd < 0)
			tell_end(s, r);
		return;
	}
	if (!s->undrained || buf_len(&s->out) > 0)
		return;
	s->undrained = false;
	if (s->ops->drained != NULL && !s->broken && !s->ended)
		s->ops->drained(s->arg);
}

void
loop_flush_streams(struct loop *l)
{
	size_t n = l->n_dirty;	/* what callbacks add waits for the next */
	struct stream *s;

	for (; n > 0 && (s = TAILQ_FIRST(&l->dirty)) != NULL; n--) {
		unmark_dirty(s);
		flush(s);
	}
}

/* Reads what is there and gives it on. */
static void
read_in(struct stream *s)
{
	struct loop *l = s->l;
	ssize_t n;
	int i;

	for (i = 0; i < READS_A_TURN; i++) {
		if (s->freed || s->paused || s->ended || s->r.fd < 0)
			return;
		n = read(s->r.fd, l->scratch, LOOP_SCRATCH);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			tell_end(s, n < 0 ? -errno : 0);
			return;
		}
		s->ops->data(s->arg, l->scratch, (size_t)n);
		mem_wipe(l->scratch, (size_t)n);
		if ((size_t)n < LOOP_SCRATCH)
			return;	/* that was all, most likely */
	}
}

static void
on_ready(uv_poll_t *h, int status, int events)
{
	struct stream *s = h->data;
	bool reads = h == &s->r.uv && s->r.fd >= 0;
	bool writes = h == &s->w.uv || s->same_fd;

	s->closing++;		/* keeps s until the end of this function */
	if (status < 0)		/* libuv stopped it; below it starts again */
		*(h == &s->r.uv ? &s->r.mask : &s->w.mask) = 0;
	if (reads && (status < 0 || (events & ~UV_WRITABLE) != 0))
		read_in(s);
	if (!s->freed && writes && (status < 0 || (events & UV_WRITABLE) != 0))
		flush(s);
	if (!s->freed && status < 0)
		update_polls(s);
	if (--s->closing == 0 && s->freed)
		free(s);
}

void
stream_write(struct stream *s, const void *p, size_t n)
{
	if (n == 0 || s->ended || s->broken || s->shut || s->w.fd < 0)
		return;
	buf_put(&s->out, p, n);
	s->undrained = true;
	mark_dirty(s);
	if (buf_len(&s->out) > WRITE_AT_ONCE)
		write_out(s);	/* a fault shows again at the end of the turn */
}

size_t
stream_pending(const struct stream *s)
{
	return buf_len(&s->out);
}

void
stream_pause(struct stream *s)
{
	s->paused = true;
	update_polls(s);
}

void
stream_resume(struct stream *s)
{
	s->paused = false;
	update_polls(s);
}

void
stream_shutdown(struct stream *s)
{
	s->shut = true;
	mark_dirty(s);
}

void
stream_free(struct stream *s)
{
	if (s == NULL)
		return;
	if (!s->broken)
		write_out(s);
	unmark_dirty(s);
	buf_done(&s->out);
	s->freed = true;
	close_poll(s, &s->r);
	close_poll(s, &s->w);
	if (s->w.fd >= 0 && !s->same_fd)
		close(s->w.fd);
	if (s->r.fd >= 0)
		close(s->r.fd);
	s->r.fd = s->w.fd = -1;
	if (s->closing == 0)
		free(s);
}
