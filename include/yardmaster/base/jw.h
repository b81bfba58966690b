/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writing JSON straight into a buffer: commas, quotes and escapes are right
 * by construction. Members are written as jw_key() then a value, or by the
 * jw_kv_ shorthands. Strings that are not UTF-8 have each bad byte replaced
 * by U+FFFD.
 */
#ifndef YARDMASTER_BASE_JW_H
#define YARDMASTER_BASE_JW_H

#include <stdbool.h>
#include <stdint.h>

#include "yardmaster/base/buf.h"

struct jw {
	struct buf *out;	/* borrowed */
	bool comma;		/* private */
};

/* Starts writing one value at the end of out. */
void jw_init(struct jw *w, struct buf *out);

/* Begin and end of an object and an array; the key of the member that comes
 * next. Each value, array and object may stand wherever JSON has a value. */
void jw_object(struct jw *w);
void jw_object_end(struct jw *w);
void jw_array(struct jw *w);
void jw_array_end(struct jw *w);
void jw_key(struct jw *w, const char *key);

/* Values. A NULL string is written as null; a real that is not finite too. */
void jw_str(struct jw *w, const char *s);
void jw_strn(struct jw *w, const char *s, size_t n);
void jw_int(struct jw *w, int64_t n);
void jw_real(struct jw *w, double n);
void jw_bool(struct jw *w, bool b);
void jw_null(struct jw *w);
/* A value that is JSON text already. */
void jw_raw(struct jw *w, const char *json, size_t n);

/* A key and its value in one. */
void jw_kv_str(struct jw *w, const char *key, const char *s);
void jw_kv_int(struct jw *w, const char *key, int64_t n);
void jw_kv_real(struct jw *w, const char *key, double n);
void jw_kv_bool(struct jw *w, const char *key, bool b);
/* Microseconds as seconds, with as many decimals as needed. */
void jw_kv_seconds(struct jw *w, const char *key, int64_t us);
/* A wall time as RFC 3339; 0 as null. */
void jw_kv_time(struct jw *w, const char *key, int64_t wall_us);

#endif
