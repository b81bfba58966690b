/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Base64 (RFC 4648) as keys and hashed names are written in. */
#ifndef NET_BASE64_H
#define NET_BASE64_H

#include <stddef.h>
#include <stdint.h>

#include "yardmaster/base/buf.h"

/* Appends the bytes that n characters stand for; white space is skipped.
 * 0, or ERR_SYNTAX (out then holds a part). */
int base64_get(struct buf *out, const char *s, size_t n);
/* Appends the characters, with padding. */
void base64_put(struct buf *out, const void *p, size_t n);

#endif
