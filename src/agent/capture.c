/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Capped output. The file is [0, half) the head and [half, 2 * half) a ring
 * with the latest bytes, turned into order at the end; so what is kept is on
 * the disk at every moment, and nothing of it in memory.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/capture.h"
#include "yardmaster/base/mem.h"

#define PIECE (64 << 10)
#define READS_A_TURN 16		/* so that a loud step does not hold up all */

struct capture {
	int file_fd;
	int pipe[2];		/* -1 when steps write to the file */
	struct mask *mask;	/* or NULL */
	struct watch *watch;
	uint64_t half;
	uint64_t bytes;		/* taken so far */
	int error;
	uint8_t *piece;
};

static void on_readable(void *arg, unsigned events);

static bool
is_piped(const struct capture *c)
{
	return c->half > 0 || c->mask != NULL;
}

static int
open_pipe(struct loop *loop, struct capture *c)
{
	if (pipe2(c->pipe, O_CLOEXEC) == -1)
		return -errno;
	if (fcntl(c->pipe[0], F_SETFL, O_NONBLOCK) == -1)
		return -errno;
	c->piece = mem_zalloc(PIECE);
	return watch_new(loop, c->pipe[0], WATCH_READ, on_readable, c,
	    &c->watch);
}

static int
open_file(const char *path, bool append, int *ret_fd)
{
	struct stat st;
	int fd = open(path, O_CREAT | O_CLOEXEC | O_NOFOLLOW | (append ?
	    O_WRONLY | O_APPEND : O_RDWR), 0600);

	if (fd == -1)
		return -errno;
	*ret_fd = fd;
	if (fstat(fd, &st) == -1 ||
	    (st.st_size > 0 && ftruncate(fd, 0) == -1))
		return -errno;
	return 0;
}

int
capture_open(struct loop *loop, const char *path, uint64_t cap,
    struct mask *mask, struct capture **ret)
{
	struct capture *c = mem_zalloc(sizeof *c);
	int r;

	c->file_fd = c->pipe[0] = c->pipe[1] = -1;
	c->half = cap / 2;
	c->mask = mask;
	r = open_file(path, !is_piped(c), &c->file_fd);
	if (r == 0 && is_piped(c))
		r = open_pipe(loop, c);
	if (r < 0) {
		capture_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

int
capture_fd(const struct capture *c)
{
	return is_piped(c) ? c->pipe[1] : c->file_fd;
}

/* Where the next byte goes, and how many fit from there. */
static uint64_t
place(const struct capture *c, uint64_t *ret_room)
{
	uint64_t at;

	if (c->half == 0) {
		*ret_room = UINT64_MAX;
		return c->bytes;
	}
	if (c->bytes < c->half) {
		*ret_room = c->half - c->bytes;
		return c->bytes;
	}
	at = (c->bytes - c->half) % c->half;
	*ret_room = c->half - at;
	return c->half + at;
}

/* Bytes that cannot be written are counted all the same, so that the step
 * goes on and its end is seen. */
static void
take(struct capture *c, const uint8_t *p, size_t n)
{
	uint64_t at, room;
	size_t part;
	ssize_t wrote;

	while (n > 0) {
		at = place(c, &room);
		part = n < room ? n : (size_t)room;
		wrote = pwrite(c->file_fd, p, part, (off_t)at);
		if (wrote != (ssize_t)part && c->error == 0)
			c->error = wrote == -1 ? -errno : -ENOSPC;
		c->bytes += part;
		p += part;
		n -= part;
	}
}

/* The next n bytes of the piece; 0: what the mask kept. */
static void
take_masked(struct capture *c, size_t n)
{
	struct buf b = BUF_INIT;

	if (n > 0)
		mask_feed(c->mask, c->piece, n, &b);
	else
		mask_flush(c->mask, &b);
	take(c, buf_data(&b), buf_len(&b));
	buf_done(&b);
}

/* True when there may be more. */
static bool
read_piece(struct capture *c)
{
	ssize_t n = read(c->pipe[0], c->piece, PIECE);

	if (n > 0 && c->mask != NULL)
		take_masked(c, (size_t)n);
	else if (n > 0)
		take(c, c->piece, (size_t)n);
	return n > 0;
}

static void
on_readable(void *arg, unsigned events)
{
	struct capture *c = arg;
	int i;

	for (i = 0; i < READS_A_TURN; i++)
		if (!read_piece(c))
			return;
}

void
capture_drain(struct capture *c)
{
	while (is_piped(c) && read_piece(c))
		;
	if (c->mask != NULL)
		take_masked(c, 0);
}

uint64_t
capture_bytes(const struct capture *c)
{
	struct stat st;

	if (is_piped(c))
		return c->bytes;
	return fstat(c->file_fd, &st) == 0 ? (uint64_t)st.st_size : 0;
}

/* Reads the ring, the oldest byte first. */
static bool
read_ring(const struct capture *c, uint8_t *out)
{
	uint64_t room, at = place(c, &room);
	size_t last = (size_t)(c->half - room);

	return pread(c->file_fd, out, (size_t)room, (off_t)at) ==
	    (ssize_t)room && pread(c->file_fd, out + room, last,
	    (off_t)c->half) == (ssize_t)last;
}

uint64_t
capture_finish(struct capture *c)
{
	uint64_t dropped, kept = 2 * c->half;
	uint8_t *ring;
	char line[96];
	int n;

	if (c->half == 0 || c->bytes <= kept)
		return 0;
	dropped = c->bytes - kept;
	n = snprintf(line, sizeof line, "\n[yardmaster: %" PRIu64
	    " bytes of output were dropped here]\n", dropped);
	ring = mem_zalloc((size_t)c->half);
	if (read_ring(c, ring) &&
	    (pwrite(c->file_fd, line, (size_t)n, (off_t)c->half) != n ||
	    pwrite(c->file_fd, ring, (size_t)c->half, (off_t)c->half + n) !=
	    (ssize_t)c->half))
		c->error = -errno;
	free(ring);
	return dropped;
}

int
capture_error(const struct capture *c)
{
	return c->error;
}

void
capture_free(struct capture *c)
{
	if (c == NULL)
		return;
	watch_free(c->watch);
	if (c->file_fd >= 0)
		close(c->file_fd);
	if (c->pipe[0] >= 0)
		close(c->pipe[0]);
	if (c->pipe[1] >= 0)
		close(c->pipe[1]);
	if (c->piece != NULL)
		mem_wipe(c->piece, PIECE);
	free(c->piece);
	free(c);
}
