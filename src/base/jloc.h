/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Places in JSON text that jcheck() has passed. Private to base. */
#ifndef BASE_JLOC_H
#define BASE_JLOC_H

#include <stdbool.h>
#include <stddef.h>

/* The offset of the value at path, comments allowed. False when absent. */
bool jloc_find(const char *text, size_t n, const char *path,
    size_t *ret_offset);

/* Line and column (in characters) of an offset, both from 1. */
void jloc_place(const char *text, size_t offset, unsigned *ret_line,
    unsigned *ret_column);

/* Writes spaces over comments and a byte-order mark, so that all offsets
 * stay. */
void jloc_blank_comments(char *text, size_t n);

#endif
