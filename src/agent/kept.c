/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files of attempts, found by name in a folder of their own each. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/kept.h"
#include "agent/output.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/paths.h"

int
kept_make(const struct ident *id)
{
	char name[OUTPUT_NAME_SIZE];

	if (mkdir(output_kept_name(id, name), 0700) == -1 && errno != EEXIST)
		return -errno;
	return 0;
}

char *
kept_path(const struct ident *id, const char *file)
{
	char name[OUTPUT_NAME_SIZE];

	return path_join(output_kept_name(id, name), file);
}

/* One part, and none that starts with a dot. */
static bool
name_ok(const char *file)
{
	size_t n = strspn(file, "abcdefghijklmnopqrstuvwxyz0123456789.-");

	return n > 0 && n <= KEPT_NAME_MAX && file[n] == '\0' &&
	    file[0] != '.';
}

/* A command may leave anything there: what is no file of bytes is none. */
static int
open_regular(const char *path)
{
	struct stat st;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd == -1)
		return errno == ENOENT || errno == ELOOP || errno == ENOTDIR ?
		    ERR_NOT_FOUND : -errno;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	return ERR_NOT_FOUND;
}

int
kept_open(const struct ident *id, const char *file)
{
	char *path;
	int fd;

	if (!name_ok(file))
		return ERR_SYNTAX;
	path = kept_path(id, file);
	fd = open_regular(path);
	free(path);
	return fd;
}

void
kept_flush(const struct ident *id, const char *file)
{
	int fd = kept_open(id, file);

	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

void
kept_drop(const struct ident *id)
{
	char name[OUTPUT_NAME_SIZE];

	output_kept_name(id, name);
	if (fs_exists(name))
		(void)fs_remove_tree(name);
}
