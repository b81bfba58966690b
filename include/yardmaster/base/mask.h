/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A filter that replaces texts in a stream of bytes by "***", also where one
 * comes in pieces. The leftmost is replaced, and of those that begin there
 * the longest.
 */
#ifndef YARDMASTER_BASE_MASK_H
#define YARDMASTER_BASE_MASK_H

#include <stddef.h>

#include "yardmaster/base/buf.h"

#define MASK_TEXT "***"
#define MASK_MIN 4	/* shorter texts would be everywhere */

struct mask;

/* One that lets everything through. */
struct mask *mask_new(void);
/* Wipes and frees. NULL is fine. */
void mask_free(struct mask *m);
/* From now on replaces value (copied, locked in memory): the whole, its form
 * in XML, and each of its lines. Nothing that is shorter than MASK_MIN. */
void mask_add(struct mask *m, const char *value);
/* Takes n bytes and appends to out what can be told; what may be the
 * beginning of a text is kept for the next call. */
void mask_feed(struct mask *m, const void *p, size_t n, struct buf *out);
/* The end of the stream: appends what was kept. */
void mask_flush(struct mask *m, struct buf *out);
/* A heap string, replaced by a masked one when something is in it. NULL
 * stays. Nothing may be kept from the stream. */
void mask_string(struct mask *m, char **text);

#endif
