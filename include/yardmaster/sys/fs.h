/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files and folders, safely: close-on-exec, no following where it matters,
 * atomic replacement. */
#ifndef YARDMASTER_SYS_FS_H
#define YARDMASTER_SYS_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "yardmaster/base/buf.h"

/* Creates path and its parents, each new one 0700. 0 or -errno. */
int fs_mkdirs(const char *path);
/* Checks that path is a folder of ours with mode 0700 (mends the mode when it
 * is ours), and not on a network file system (ERR_UNSUPPORTED). */
int fs_private_dir(const char *path);
/* Appends a whole file of at most max bytes. 0, -errno, ERR_TOO_LARGE. */
int fs_read(const char *path, size_t max, struct buf *out);
/* Replaces path by n bytes: temporary file, fsync, rename, fsync of the
 * folder. 0 or -errno; path keeps its old contents on failure. */
int fs_replace(const char *path, const void *p, size_t n, unsigned mode);
/* Removes a tree (no following of links, stays on one file system). */
int fs_remove_tree(const char *path);
bool fs_exists(const char *path);
/* Free bytes and inodes for us on path's file system. 0 or -errno. */
int fs_free(const char *path, uint64_t *ret_bytes, uint64_t *ret_inodes);
/* Writes all n bytes to a blocking fd, through EINTR. 0 or -errno. */
int fd_write_all(int fd, const void *p, size_t n);
/* Reads exactly n bytes. 0, -errno, or ERR_CLOSED at an early end. */
int fd_read_all(int fd, void *p, size_t n);

/*
 * A lock that the kernel frees when the last holder of the descriptor is
 * gone (flock). file_lock() creates path (0600), locks without waiting and
 * returns the descriptor, or -errno, or ERR_LOCKED. Closing frees it.
 */
int file_lock(const char *path, int *ret_fd);
/* True when some live process holds it. A missing file is not held. */
bool file_lock_held(const char *path);

#endif
