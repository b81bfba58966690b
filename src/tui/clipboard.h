/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sequence that puts text on the clipboard of a terminal. */
#ifndef YARDMASTER_TUI_CLIPBOARD_H
#define YARDMASTER_TUI_CLIPBOARD_H

#include <stddef.h>

#include "yardmaster/base/buf.h"

/* Appends OSC 52 with n bytes of text, cut at 64 kB, in base 64. */
void clipboard_put(struct buf *out, const char *text, size_t n);

#endif
