/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing JSON. Numbers are written without the help of the locale. */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/text.h"

void
jw_init(struct jw *w, struct buf *out)
{
	w->out = out;
	w->comma = false;
}

/* What stands before a value or a key. */
static void
separate(struct jw *w)
{
	if (w->comma)
		buf_putc(w->out, ',');
	w->comma = true;
}

static void
begin(struct jw *w, char bracket)
{
	separate(w);
	buf_putc(w->out, bracket);
	w->comma = false;
}

static void
end(struct jw *w, char bracket)
{
	buf_putc(w->out, bracket);
	w->comma = true;
}

void
jw_object(struct jw *w)
{
	begin(w, '{');
}

void
jw_object_end(struct jw *w)
{
	end(w, '}');
}

void
jw_array(struct jw *w)
{
	begin(w, '[');
}

void
jw_array_end(struct jw *w)
{
	end(w, ']');
}

/* Bytes from the start of s that need no change. */
static size_t
plain_run(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
			break;
	}
	return i;
}

static void
put_control(struct buf *out, unsigned char c)
{
	static const char from[] = "\b\f\n\r\t\"\\", to[] = "bfnrt\"\\";
	const char *at = c != '\0' ? strchr(from, c) : NULL;

	if (at != NULL)
		buf_putf(out, "\\%c", to[at - from]);
	else
		buf_putf(out, "\\u%04x", c);
}

/* Length of the UTF-8 sequence at s; 0 when it is not one. */
static size_t
sequence(const char *s, size_t n)
{
	unsigned char c = (unsigned char)*s;
	size_t len = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;

	return len <= n && text_is_utf8(s, len) ? len : 0;
}

static void
put_quoted(struct buf *out, const char *s, size_t n)
{
	size_t used;

	buf_putc(out, '"');
	while (n > 0) {
		used = plain_run(s, n);
		if (used > 0) {
			buf_put(out, s, used);
		} else if ((unsigned char)*s < 0x80) {
			put_control(out, (unsigned char)*s);
			used = 1;
		} else if ((used = sequence(s, n)) > 0) {
			buf_put(out, s, used);
		} else {
			buf_puts(out, "\xef\xbf\xbd");
			used = 1;
		}
		s += used;
		n -= used;
	}
	buf_putc(out, '"');
}

void
jw_key(struct jw *w, const char *key)
{
	separate(w);
	put_quoted(w->out, key, strlen(key));
	buf_putc(w->out, ':');
	w->comma = false;
}

void
jw_strn(struct jw *w, const char *s, size_t n)
{
	separate(w);
	put_quoted(w->out, s, n);
}

void
jw_str(struct jw *w, const char *s)
{
	if (s == NULL)
		jw_null(w);
	else
		jw_strn(w, s, strlen(s));
}

void
jw_int(struct jw *w, int64_t n)
{
	separate(w);
	buf_putf(w->out, "%lld", (long long)n);
}

void
jw_real(struct jw *w, double n)
{
	char text[40];
	int digits;
	char *p;

	if (!isfinite(n)) {
		jw_null(w);
		return;
	}
	for (digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, n);
		if (strtod(text, NULL) == n)
			break;
	}
	for (p = text; *p != '\0'; p++)
		if (strchr("0123456789+-e", *p) == NULL)
			*p = '.';	/* whatever the locale uses */
	separate(w);
	buf_puts(w->out, text);
}

void
jw_bool(struct jw *w, bool b)
{
	separate(w);
	buf_puts(w->out, b ? "true" : "false");
}

void
jw_null(struct jw *w)
{
	separate(w);
	buf_puts(w->out, "null");
}

void
jw_raw(struct jw *w, const char *json, size_t n)
{
	separate(w);
	buf_put(w->out, json, n);
}

void
jw_kv_str(struct jw *w, const char *key, const char *s)
{
	jw_key(w, key);
	jw_str(w, s);
}

void
jw_kv_int(struct jw *w, const char *key, int64_t n)
{
	jw_key(w, key);
	jw_int(w, n);
}

void
jw_kv_real(struct jw *w, const char *key, double n)
{
	jw_key(w, key);
	jw_real(w, n);
}

void
jw_kv_bool(struct jw *w, const char *key, bool b)
{
	jw_key(w, key);
	jw_bool(w, b);
}

void
jw_kv_seconds(struct jw *w, const char *key, int64_t us)
{
	uint64_t n = us < 0 ? -(uint64_t)us : (uint64_t)us;
	char text[40];
	int len;

	len = snprintf(text, sizeof(text), "%s%llu.%06u", us < 0 ? "-" : "",
	    (unsigned long long)(n / 1000000), (unsigned)(n % 1000000));
	while (text[len - 1] == '0')
		len--;
	if (text[len - 1] == '.')
		len--;
	jw_key(w, key);
	jw_raw(w, text, (size_t)len);
}

void
jw_kv_time(struct jw *w, const char *key, int64_t wall_us)
{
	char text[CLOCK_TEXT];

	jw_kv_str(w, key, wall_us != 0 ? clock_format(wall_us, text) : NULL);
}
