/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Foreign text made safe to draw: everything that reaches a terminal, a log
 * line or a message passes text_next(). Only this file decides what a glyph
 * is and how wide it is.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/text.h"

#define MARKS_MAX 4

/* Decodes one code point of strict UTF-8. Bytes used, or 0 when s does not
 * begin with one. */
static size_t
decode(const char *s, size_t n, utf8proc_int32_t *ret)
{
	utf8proc_ssize_t used;

	used = utf8proc_iterate((const utf8proc_uint8_t *)s,
	    n > 4 ? 4 : (utf8proc_ssize_t)n, ret);
	return used > 0 && *ret >= 0 ? (size_t)used : 0;
}

/* Code points that draw nothing of their own, turn the direction, or mean
 * something else in each font. */
static bool
is_unsafe(utf8proc_int32_t c)
{
	switch (utf8proc_category(c)) {
	case UTF8PROC_CATEGORY_CC:
	case UTF8PROC_CATEGORY_CF:
	case UTF8PROC_CATEGORY_ZL:
	case UTF8PROC_CATEGORY_ZP:
	case UTF8PROC_CATEGORY_CO:
	case UTF8PROC_CATEGORY_CN:
	case UTF8PROC_CATEGORY_CS:
		return true;
	default:
		return false;
	}
}

/* Variation selectors 15 and 16 change a width behind our back. */
static bool
is_selector(utf8proc_int32_t c)
{
	return c == 0xfe0e || c == 0xfe0f;
}

static bool
is_mark(utf8proc_int32_t c)
{
	return c >= 0x300 && !is_unsafe(c) && utf8proc_charwidth(c) == 0;
}

static void
set_escape(struct text_glyph *g, const char *escape)
{
	g->len = (uint8_t)snprintf(g->bytes, sizeof(g->bytes), "%s", escape);
	g->width = g->len;
	g->escaped = true;
}

static void
append(struct text_glyph *g, const char *s, size_t n)
{
	memcpy(g->bytes + g->len, s, n);
	g->len = (uint8_t)(g->len + n);
	g->bytes[g->len] = '\0';
}

/* Adds the marks that follow a base; returns the bytes of s they take. */
static size_t
take_marks(const char *s, size_t n, struct text_glyph *g)
{
	size_t at = 0, used;
	utf8proc_int32_t c;
	unsigned marks = 0;

	while (at < n && (unsigned char)s[at] >= 0x80) {
		used = decode(s + at, n - at, &c);
		if (used == 0 || !is_mark(c))
			break;
		if (!is_selector(c) && marks++ < MARKS_MAX)
			append(g, s + at, used);
		at += used;
	}
	return at;
}

static void
set_ascii(struct text_glyph *g, unsigned char c)
{
	char escape[3] = { '^', (char)(c ^ 0x40), '\0' };

	if (c < 0x20 || c == 0x7f) {
		set_escape(g, escape);
		return;
	}
	g->bytes[0] = (char)c;
	g->bytes[1] = '\0';
	g->len = g->width = 1;
}

size_t
text_next(const char *s, size_t n, struct text_glyph *ret)
{
	utf8proc_int32_t c;
	char escape[16];
	size_t used;

	ret->len = ret->width = 0;
	ret->escaped = false;
	ret->bytes[0] = '\0';
	if (n == 0)
		return 0;
	if ((unsigned char)*s < 0x80) {
		set_ascii(ret, (unsigned char)*s);
		return ret->escaped ? 1 : 1 + take_marks(s + 1, n - 1, ret);
	}
	used = decode(s, n, &c);
	if (used == 0) {
		snprintf(escape, sizeof(escape), "\\x%02X",
		    (unsigned)(unsigned char)*s);
		set_escape(ret, escape);
		return 1;
	}
	if (is_unsafe(c)) {
		snprintf(escape, sizeof(escape), "<U+%04X>", (unsigned)c);
		set_escape(ret, escape);
		return used;
	}
	if (is_mark(c)) {
		append(ret, " ", 1);
		ret->width = 1;
		return take_marks(s, n, ret);
	}
	append(ret, s, used);
	ret->width = (uint8_t)utf8proc_charwidth(c);
	return used + take_marks(s + used, n - used, ret);
}

size_t
text_width(const char *s, size_t n)
{
	struct text_glyph g;
	size_t used, width = 0;

	while ((used = text_next(s, n, &g)) > 0) {
		width += g.width;
		s += used;
		n -= used;
	}
	return width;
}

void
text_escape(struct buf *out, const char *s, size_t n)
{
	struct text_glyph g;
	size_t used;

	while ((used = text_next(s, n, &g)) > 0) {
		buf_put(out, g.bytes, g.len);
		s += used;
		n -= used;
	}
}

char *
text_safe(const char *s)
{
	struct buf b = BUF_INIT;

	text_escape(&b, s, strlen(s));
	return buf_steal(&b);
}

void
text_first_line(struct buf *out, const char *s)
{
	size_t n;

	s += strspn(s, " \t\r\n");
	n = strcspn(s, "\r\n");
	text_escape(out, s, n);
	if (s[n + strspn(s + n, " \t\r\n")] != '\0')
		buf_puts(out, " ...");
}

static void
pad_to(struct buf *out, size_t width, size_t cells)
{
	for (; width < cells; width++)
		buf_putc(out, ' ');
}

size_t
text_fit(struct buf *out, const char *s, size_t cells, bool utf8, bool pad)
{
	size_t n = strlen(s), used, width = 0, keep_width = 0;
	size_t keep = buf_len(out);	/* where a cut may be marked */
	struct text_glyph g;

	while ((used = text_next(s, n, &g)) > 0) {
		if (width + g.width > cells)
			break;
		buf_put(out, g.bytes, g.len);
		width += g.width;
		if (width < cells) {
			keep = buf_len(out);
			keep_width = width;
		}
		s += used;
		n -= used;
	}
	if (used > 0 && cells > 0) {
		buf_truncate(out, keep);
		buf_puts(out, utf8 ? "\xe2\x80\xa6" : "~");
		width = keep_width + 1;
	}
	if (!pad)
		return width;
	pad_to(out, width, cells);
	return cells;
}

bool
text_is_utf8(const char *s, size_t n)
{
	utf8proc_int32_t c;
	size_t at = 0, used;

	while (at < n) {
		if ((unsigned char)s[at] < 0x80) {
			at++;
			continue;
		}
		used = decode(s + at, n - at, &c);
		if (used == 0)
			return false;
		at += used;
	}
	return true;
}
