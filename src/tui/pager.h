/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A page of lines that scrolls: help, reasons, diagnostics. */
#ifndef YARDMASTER_TUI_PAGER_H
#define YARDMASTER_TUI_PAGER_H

#include "tui/console.h"
#include "tui/lines.h"

/* Fills the lines again whenever the model changed; arg is a copy of what
 * was given. cells is the width there is. */
typedef void (*pager_fill_fn)(struct tui *t, const void *arg, int cells,
    struct lines *out);

/* Shows a page; arg (n bytes, may be 0) is copied. */
void pager_open(struct tui *t, const char *title, pager_fill_fn fill,
    const void *arg, size_t n);

#endif
