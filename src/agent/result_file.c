/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The record that carries a result over the death of worker and daemon. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "agent/result_file.h"
#include "yardmaster/base/err.h"
#include "yardmaster/proto/frame.h"
#include "yardmaster/sys/fs.h"

#define HEADER 18		/* two numbers of 8 digits, blank, newline */
#define RESERVE (64 << 10)

int
result_file_open(const char *path, int *ret_fd)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd == -1)
		return -errno;
	/* Without it a result may not fit later; that is no reason to stop. */
	(void)posix_fallocate(fd, 0, RESERVE);
	*ret_fd = fd;
	return 0;
}

/* FNV-1a: tells a record that was cut off by a kill. */
static uint32_t
sum(const uint8_t *p, size_t n)
{
	uint32_t h = 2166136261u;

	while (n-- > 0)
		h = (h ^ *p++) * 16777619u;
	return h;
}

int
result_file_write(int fd, const void *record, size_t n)
{
	char header[HEADER + 1];
	struct iovec v[2] = {
		{ header, HEADER }, { (void *)(uintptr_t)record, n }
	};
	ssize_t wrote;

	snprintf(header, sizeof header, "%08" PRIx32 " %08" PRIx32 "\n",
	    (uint32_t)n, sum(record, n));
	do
		wrote = pwritev(fd, v, 2, 0);
	while (wrote == -1 && errno == EINTR);
	if (wrote == -1)
		return -errno;
	return (size_t)wrote == HEADER + n ? 0 : -ENOSPC;
}

int
result_file_read(const char *path, struct buf *out)
{
	struct buf b = BUF_INIT;
	unsigned long n = 0, want = 0;
	int r;

	r = fs_read(path, MESSAGE_MAX + RESERVE, &b);
	if (r == 0 && (buf_len(&b) < HEADER ||
	    sscanf(buf_str(&b), "%8lx %8lx\n", &n, &want) != 2 ||
	    n == 0 || n > buf_len(&b) - HEADER ||
	    sum(buf_data(&b) + HEADER, n) != want))
		r = ERR_NOT_FOUND;
	if (r == 0)
		buf_put(out, buf_data(&b) + HEADER, n);
	buf_done(&b);
	return r == -ENOENT ? ERR_NOT_FOUND : r;
}
