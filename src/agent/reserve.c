/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A file of allocated blocks that is removed when they are needed. */
#include "config.h"

#include <fcntl.h>
#include <unistd.h>

#include "agent/reserve.h"

#define RESERVE_NAME "reserve"
#define RESERVE_BYTES (1 << 20)

void
reserve_make(void)
{
	int fd;

	fd = open(RESERVE_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	if (fd == -1)
		return;
	if (posix_fallocate(fd, 0, RESERVE_BYTES) != 0)
		(void)unlink(RESERVE_NAME);
	close(fd);
}

bool
reserve_spend(void)
{
	return unlink(RESERVE_NAME) == 0;
}
