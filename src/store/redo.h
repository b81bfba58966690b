/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Statements with their values, kept in memory until they are committed, so
 * that they can be run again when that failed.
 */
#ifndef STORE_REDO_H
#define STORE_REDO_H

#include <stdarg.h>

#include "store/db.h"
#include "yardmaster/base/buf.h"

/* Appends statement i with values as db_use() has them, copied. */
void redo_add(struct buf *redo, unsigned i, const char *fmt, va_list ap);
/* Runs them all, in order. 0 or the code of the first that failed. */
int redo_run(struct db *db, const struct buf *redo);

#endif
