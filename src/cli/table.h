/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table of JSON rows for people, and how cells are written. */
#ifndef YARDMASTER_CLI_TABLE_H
#define YARDMASTER_CLI_TABLE_H

#include "yardmaster/base/buf.h"
#include "yardmaster/base/jval.h"

struct column {
	const char *title;
	const char *key;	/* of the row, or NULL with cell */
	/* Appends the cell; NULL: the value of key as it is. */
	void (*cell)(const struct jval *row, struct buf *out);
	unsigned max;		/* cells at most; 0: all */
};

/* Prints rows (an array of objects) under the titles of columns (ended by a
 * NULL title) to standard output; everything is escaped. */
void table_print(const struct column *columns, const struct jval *rows);

/* Appends a value for people: strings as they are, numbers, "yes", "-". */
void table_value(const struct jval *v, struct buf *out);

/* Appends seconds (a number or null) as a length of time, or "-". */
void table_seconds(const struct jval *v, struct buf *out);

#endif
