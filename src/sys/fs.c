/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files, folders and kernel locks. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/paths.h"

#define LOCK_TRIES 5
#define LOCK_WAIT_MS 2

static int
make_dir(const char *path)
{
	struct stat st;

	if (mkdir(path, 0700) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (stat(path, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int
fs_mkdirs(const char *path)
{
	char *copy, *p;
	int r = 0;

	if (*path == '\0')
		return -ENOENT;
	copy = str_dup(path);
	for (p = copy + 1; r == 0 && *p != '\0'; p++) {
		if (*p != '/' || p[-1] == '/')
			continue;
		*p = '\0';
		r = make_dir(copy);
		*p = '/';
	}
	if (r == 0)
		r = make_dir(copy);
	free(copy);
	return r;
}

/* File systems on which a lock of one host means nothing to another. */
static bool
is_network(const struct statfs *sf)
{
	static const unsigned long types[] = { NFS_SUPER_MAGIC,
		SMB_SUPER_MAGIC, CIFS_SUPER_MAGIC, SMB2_SUPER_MAGIC,
		AFS_SUPER_MAGIC, CODA_SUPER_MAGIC, CEPH_SUPER_MAGIC };
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if ((unsigned long)sf->f_type == types[i])
			return true;
	return false;
}

int
fs_private_dir(const char *path)
{
	struct statfs sf;
	struct stat st;
	int fd, r = 0;

	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || fstatfs(fd, &sf) < 0)
		r = -errno;
	else if (st.st_uid != geteuid())
		r = -EPERM;
	else if (is_network(&sf))
		r = ERR_UNSUPPORTED;
	else if ((st.st_mode & 07777) != 0700 && fchmod(fd, 0700) < 0)
		r = -errno;
	close(fd);
	return r;
}

int
fs_read(const char *path, size_t max, struct buf *out)
{
	size_t start = buf_len(out);
	ssize_t n;
	int fd, r = 0;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -errno;
	for (;;) {
		n = read(fd, buf_reserve(out, 16384), 16384);
		buf_commit(out, n > 0 ? (size_t)n : 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if (buf_len(out) - start > max)
			break;
	}
	if (n < 0)
		r = -errno;
	else if (buf_len(out) - start > max)
		r = ERR_TOO_LARGE;
	if (r < 0)
		buf_truncate(out, start);
	close(fd);
	return r;
}

/* Makes a rename in path's folder survive a power cut. */
static int
sync_folder(const char *path)
{
	char *dir = path_dir(path);
	int fd, r = 0;

	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		r = -errno;
	if (fd >= 0)
		close(fd);
	free(dir);
	return r;
}

int
fs_replace(const char *path, const void *p, size_t n, unsigned mode)
{
	char *tmp = str_fmt("%s.XXXXXX", path);
	int fd, r;

	fd = mkostemp(tmp, O_CLOEXEC);
	if (fd < 0) {
		r = -errno;
		free(tmp);
		return r;
	}
	r = fd_write_all(fd, p, n);
	if (r == 0 && (fchmod(fd, (mode_t)mode) < 0 || fsync(fd) < 0))
		r = -errno;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r == 0 && rename(tmp, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(tmp);
	else
		r = sync_folder(path);
	free(tmp);
	return r;
}

static int remove_inside(int dirfd, dev_t dev);

/* Removes the folder name in dirfd, given that it is on device dev. */
static int
remove_folder(int dirfd, const char *name, dev_t dev)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	struct stat st;
	int fd, r;

	fd = openat(dirfd, name, flags);
	if (fd < 0 && errno == EACCES && fchmodat(dirfd, name, 0700, 0) == 0)
		fd = openat(dirfd, name, flags);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || st.st_dev != dev) {
		close(fd);
		return -EXDEV;
	}
	if ((st.st_mode & 0700) != 0700)
		fchmod(fd, 0700);
	r = remove_inside(fd, dev);	/* closes fd */
	if (r == 0 && unlinkat(dirfd, name, AT_REMOVEDIR) < 0)
		r = -errno;
	return r;
}

/* Removes what is in the folder fd, and closes it. The first error counts;
 * the rest is removed all the same. */
static int
remove_inside(int fd, dev_t dev)
{
	struct dirent *e;
	int r = 0, one;
	DIR *d;

	d = fdopendir(fd);
	if (d == NULL) {
		r = -errno;
		close(fd);
		return r;
	}
	while ((e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		one = unlinkat(fd, e->d_name, 0) == 0 ? 0 : -errno;
		if (one == -EISDIR || one == -EPERM)
			one = remove_folder(fd, e->d_name, dev);
		if (one < 0 && r == 0)
			r = one;
	}
	closedir(d);
	return r;
}

int
fs_remove_tree(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISDIR(st.st_mode))
		return unlink(path) < 0 ? -errno : 0;
	return remove_folder(AT_FDCWD, path, st.st_dev);
}

bool
fs_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

int
fs_free(const char *path, uint64_t *ret_bytes, uint64_t *ret_inodes)
{
	struct statvfs v;

	if (statvfs(path, &v) < 0)
		return -errno;
	*ret_bytes = (uint64_t)v.f_bavail * v.f_frsize;
	/* Some file systems have no fixed number of inodes and say 0 of 0. */
	*ret_inodes = v.f_files == 0 ? UINT64_MAX : v.f_favail;
	return 0;
}

int
fd_write_all(int fd, const void *p, size_t n)
{
	const char *from = p;
	ssize_t done;

	while (n > 0) {
		done = write(fd, from, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		from += done;
		n -= (size_t)done;
	}
	return 0;
}

int
fd_read_all(int fd, void *p, size_t n)
{
	char *to = p;
	ssize_t done;

	while (n > 0) {
		done = read(fd, to, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		if (done == 0)
			return ERR_CLOSED;
		to += done;
		n -= (size_t)done;
	}
	return 0;
}

/* True when path still names the file that fd has open. */
static bool
still_there(const char *path, int fd)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat(path, &b) == 0 &&
	    a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

/* Locks without waiting, but outlasts the moment that file_lock_held() of
 * another process holds it. */
static int
try_lock(int fd)
{
	int i;

	for (i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		poll(NULL, 0, LOCK_WAIT_MS);
	}
	return ERR_LOCKED;
}

int
file_lock(const char *path, int *ret_fd)
{
	int fd, r;

	for (;;) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		    0600);
		if (fd < 0)
			return -errno;
		if ((r = try_lock(fd)) < 0) {
			close(fd);
			return r;
		}
		if (still_there(path, fd))
			break;
		close(fd);	/* removed in between: lock the new one */
	}
	*ret_fd = fd;
	return 0;
}

bool
file_lock_held(const char *path)
{
	bool held;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	held = flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
	close(fd);
	return held;
}
