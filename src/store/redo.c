/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * In memory: for each statement its number, for each value its letter and
 * eight bytes (an integer, or the length of what follows, -1 for NULL), and a
 * zero byte.
 */
#include "config.h"

#include <string.h>

#include "store/redo.h"

static void
put_bytes(struct buf *b, const void *p, size_t n)
{
	int64_t len = p != NULL ? (int64_t)n : -1;

	buf_put(b, &len, sizeof len);
	if (p != NULL)
		buf_put(b, p, n);
}

void
redo_add(struct buf *redo, unsigned i, const char *fmt, va_list ap)
{
	const void *p;
	int64_t value;

	buf_put(redo, &i, sizeof i);
	for (; *fmt != '\0'; fmt++) {
		buf_putc(redo, *fmt);
		if (*fmt == 'i') {
			value = va_arg(ap, int64_t);
			buf_put(redo, &value, sizeof value);
		} else if (*fmt == 't') {
			p = va_arg(ap, const char *);
			put_bytes(redo, p, p != NULL ? strlen(p) : 0);
		} else {
			p = va_arg(ap, const void *);
			put_bytes(redo, p, va_arg(ap, size_t));
		}
	}
	buf_putc(redo, '\0');
}

/* Binds one value; returns what follows it. */
static const uint8_t *
bind(sqlite3_stmt *st, int i, const uint8_t *p, int *rc)
{
	char letter = (char)*p++;
	int64_t value;

	memcpy(&value, p, sizeof value);
	p += sizeof value;
	if (letter == 'i')
		*rc = sqlite3_bind_int64(st, i, value);
	else if (value < 0)
		*rc = sqlite3_bind_null(st, i);
	else if (letter == 't')
		*rc = sqlite3_bind_text64(st, i, (const char *)p,
		    (uint64_t)value, SQLITE_STATIC, SQLITE_UTF8);
	else
		*rc = sqlite3_bind_blob64(st, i, p, (uint64_t)value,
		    SQLITE_STATIC);
	return letter == 'i' || value < 0 ? p : p + value;
}

int
redo_run(struct db *db, const struct buf *redo)
{
	const uint8_t *p = buf_data(redo), *end = p + buf_len(redo);
	sqlite3_stmt *st;
	unsigned i;
	int param, r, rc;

	while (p < end) {
		memcpy(&i, p, sizeof i);
		p += sizeof i;
		if ((st = db_use(db, i, &r, "")) == NULL)
			return r;
		rc = SQLITE_OK;
		for (param = 1; *p != '\0' && rc == SQLITE_OK; param++)
			p = bind(st, param, p, &rc);
		p++;
		r = rc == SQLITE_OK ? db_step(st) : db_code(rc);
		db_reset(st);
		if (r < 0)
			return r;
	}
	return 0;
}
