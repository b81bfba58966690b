/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One line of a fixed length, so that a note replaces the one before whole. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/begun.h"
#include "agent/wire.h"
#include "yardmaster/base/buf.h"
#include "yardmaster/sys/fs.h"

#define LINE_MAX_BYTES 128

/* An id, or "-"; blanks up to the newline. */
static void
make_line(const struct ident *id, char line[IDENT_TEXT + 1])
{
	char text[IDENT_TEXT];

	snprintf(line, IDENT_TEXT + 1, "%-*s\n", IDENT_TEXT - 1,
	    id != NULL ? ident_format(id, text) : "-");
}

int
begun_note(int lock_fd, const struct ident *id)
{
	char line[IDENT_TEXT + 1];
	ssize_t n;

	make_line(id, line);
	do
		n = pwrite(lock_fd, line, IDENT_TEXT, 0);
	while (n == -1 && errno == EINTR);
	return n == IDENT_TEXT ? 0 : n == -1 ? -errno : -ENOSPC;
}

bool
begun(unsigned worker, const struct ident *id)
{
	char name[WORKER_NAME_SIZE], line[IDENT_TEXT + 1];
	struct buf b = BUF_INIT;
	bool never;
	int r;

	snprintf(name, sizeof name, WORKER_LOCK, worker);
	make_line(id, line);
	r = fs_read(name, LINE_MAX_BYTES, &b);
	/* Without a file there was never a worker. */
	never = r == -ENOENT || (r == 0 && buf_len(&b) == IDENT_TEXT &&
	    memcmp(buf_str(&b), line, IDENT_TEXT) != 0);
	buf_done(&b);
	return !never;
}
