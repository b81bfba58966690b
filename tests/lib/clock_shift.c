/* SPDX-License-Identifier: GPL-3.0-or-later */
/* To be preloaded: the wall clock of a process is off by the seconds that
 * stand, as an int64_t, in the file $YM_CLOCK_SHIFT; the others are right. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *shift;

__attribute__((constructor)) static void
open_shift(void)
{
	const char *path = getenv("YM_CLOCK_SHIFT");
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *p;

	if (fd < 0)
		return;
	p = mmap(NULL, sizeof *shift, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (p != MAP_FAILED)
		shift = p;
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	long r = syscall(SYS_clock_gettime, id, ts);

	if (r == 0 && id == CLOCK_REALTIME && shift != NULL)
		ts->tv_sec += *shift;
	return (int)r;
}
