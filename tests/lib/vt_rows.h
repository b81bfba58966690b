/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of the cells of libvterm as text. */
#ifndef TESTS_LIB_VT_ROWS_H
#define TESTS_LIB_VT_ROWS_H

#include <vterm.h>

#include "yardmaster/base/buf.h"

/* The text of a row without blanks at its end, in b. Returns buf_str(b). */
const char *vt_row_text(VTermScreen *screen, int row, int cols,
    struct buf *b);

/* A letter for each cell (see vt.c), in b. Returns buf_str(b). */
const char *vt_row_attrs(VTermScreen *screen, int row, int cols,
    struct buf *b);

#endif
