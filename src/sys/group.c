/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Control groups of our own, through the files of the kernel. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/group.h"

#define PROC_FILE_MAX (1u << 20)

/* Where the hierarchy is mounted: the fifth word of the line whose type, after
 * a lone "-", is cgroup2. */
static char *
find_mount(void)
{
	struct buf b = BUF_INIT;
	char *line, *next, *type, *found = NULL;
	char where[512];

	(void)fs_read("/proc/self/mountinfo", PROC_FILE_MAX, &b);
	line = (char *)(uintptr_t)buf_str(&b);
	for (; found == NULL && *line != '\0'; line = next) {
		next = line + strcspn(line, "\n");
		if (*next != '\0')
			*next++ = '\0';
		type = strstr(line, " - ");
		if (type != NULL && strncmp(type, " - cgroup2 ", 11) == 0 &&
		    sscanf(line, "%*s %*s %*s %*s %511s", where) == 1)
			found = str_dup(where);
	}
	buf_done(&b);
	return found;
}

/* The path of our own group, or NULL. */
static char *
own_group(void)
{
	struct buf b = BUF_INIT;
	char *mount = find_mount(), *path = NULL;
	const char *at;

	(void)fs_read("/proc/self/cgroup", PROC_FILE_MAX, &b);
	at = strncmp(buf_str(&b), "0::/", 4) == 0 ? buf_str(&b) + 3 :
	    strstr(buf_str(&b), "\n0::/");
	if (at != NULL && *at == '\n')
		at += 4;
	if (mount != NULL && at != NULL)
		path = str_fmt("%s%.*s", mount,
		    at[1] == '\n' ? 0 : (int)strcspn(at, "\n"), at);
	buf_done(&b);
	free(mount);
	return path;
}

/* Writes text into a file of the group. */
static int
put(const char *path, const char *file, const char *text)
{
	char *name = str_fmt("%s/%s", path, file);
	int fd = open(name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW), r;

	free(name);
	if (fd == -1)
		return errno == ENOENT ? ERR_NOT_FOUND : -errno;
	r = fd_write_all(fd, text, strlen(text));
	close(fd);
	return r;
}

/* Nothing but a group of that name is ever touched. */
static bool
is_ours(const char *path, const char *name)
{
	char *mount = find_mount();
	const char *last = strrchr(path, '/');
	bool ours = mount != NULL && last != NULL &&
	    strcmp(last + 1, name) == 0 && strstr(path, "/../") == NULL &&
	    strncmp(path, mount, strlen(mount)) == 0 &&
	    path[strlen(mount)] == '/';

	free(mount);
	return ours;
}

static bool
is_in(const char *path)
{
	char *own = own_group();
	bool in = own != NULL && strcmp(own, path) == 0;

	free(own);
	return in;
}

int
group_kill(const char *path, const char *name)
{
	return is_ours(path, name) ? put(path, "cgroup.kill", "1") : ERR_RANGE;
}

void
group_remove(const char *path, const char *name)
{
	char *around;

	if (!is_ours(path, name) || rmdir(path) == 0 || errno != EBUSY)
		return;
	around = str_ndup(path, (size_t)(strrchr(path, '/') - path));
	if (is_in(path) && put(around, "cgroup.procs", "0") == 0)
		(void)rmdir(path);
	free(around);
}

int
group_enter(const char *name, char **ret_path)
{
	char *own = own_group(), *path;
	int r;

	if (own == NULL)
		return ERR_UNSUPPORTED;
	path = str_fmt("%s/%s", own, name);
	free(own);
	r = mkdir(path, 0755) == -1 && errno != EEXIST ? -errno : 0;
	/* No file to kill by: the kernel is older than that. */
	if (r == 0 && (r = group_kill(path, name)) == ERR_NOT_FOUND)
		r = ERR_UNSUPPORTED;
	if (r == 0)
		r = put(path, "cgroup.procs", "0");
	if (r < 0) {
		(void)rmdir(path);
		free(path);
		return r;
	}
	*ret_path = path;
	return 0;
}
