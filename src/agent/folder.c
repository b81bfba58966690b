/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Work folders, used again while nobody has touched them. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/folder.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"

int
folder_make(struct folders *f, const char *path)
{
	bool renamed = f->spare != NULL && rename(f->spare, path) == 0;

	free(f->spare);
	f->spare = NULL;
	if (!renamed && mkdir(path, 0700) == -1 && errno != EEXIST)
		return -errno;
	if (stat(path, &f->made) == -1)
		memset(&f->made, 0, sizeof f->made);
	return 0;
}

static bool
is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Reads the entries themselves: opendir() takes 32 kB of memory. */
static bool
is_empty(const char *path)
{
	_Alignas(struct dirent64) char entries[512];
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	const struct dirent64 *e;
	bool empty = fd >= 0;
	ssize_t n = 0, at;

	while (empty && (n = getdents64(fd, entries, sizeof entries)) > 0)
		for (at = 0; empty && at < n; at += e->d_reclen) {
			e = (const void *)(entries + at);
			empty = is_dots(e->d_name);
		}
	if (fd >= 0)
		close(fd);
	return empty && n == 0;
}

static bool
same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Nothing came, went or was changed in its rights. Times may be too coarse to
 * tell what came at once, so that one look inside is needed as well. */
static bool
untouched(const struct folders *f, const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) &&
	    st.st_ino == f->made.st_ino && st.st_mode == f->made.st_mode &&
	    st.st_uid == f->made.st_uid && st.st_gid == f->made.st_gid &&
	    same_time(&st.st_ctim, &f->made.st_ctim) &&
	    same_time(&st.st_mtim, &f->made.st_mtim) && is_empty(path);
}

void
folder_drop(struct folders *f, const char *path)
{
	if (untouched(f, path))
		f->spare = str_dup(path);
	else if (rmdir(path) == -1)
		(void)fs_remove_tree(path);
}

void
folders_done(struct folders *f)
{
	if (f->spare != NULL)
		(void)rmdir(f->spare);
	free(f->spare);
	f->spare = NULL;
}
