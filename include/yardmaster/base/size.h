/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers of bytes as people write and read them. */
#ifndef YARDMASTER_BASE_SIZE_H
#define YARDMASTER_BASE_SIZE_H

#include <stdint.h>

#include "yardmaster/base/buf.h"

/* "1000000", "64M", "1.5G", "2TiB", "512kB": units of 1024. 0, ERR_SYNTAX,
 * or ERR_RANGE (2^60 or more). */
int size_parse(const char *text, uint64_t *ret);

/* Appends it as size_parse() reads it back to the same number: "64M". */
void size_put(struct buf *out, uint64_t bytes);

#endif
