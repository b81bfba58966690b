/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The result file of a worker: the end of its last attempt, written before
 * the daemon is told, so that it outlives both. One record,
 * "LENGTH SUM\nID REPORT", overwritten by the next; the daemon starts nothing
 * on a worker before its last result is in the journal. The first 64 KB are
 * allocated ahead, so that a result fits on a full disk.
 */
#ifndef AGENT_RESULT_FILE_H
#define AGENT_RESULT_FILE_H

#include <stddef.h>

#include "yardmaster/base/buf.h"

/* Opens or makes it; keeps what is in it. 0 and a descriptor, or -errno. */
int result_file_open(const char *path, int *ret_fd);
/* Replaces the record. 0 or -errno. */
int result_file_write(int fd, const void *record, size_t n);
/* Appends the record to out. 0, ERR_NOT_FOUND when there is none whole, or
 * -errno. */
int result_file_read(const char *path, struct buf *out);

#endif
