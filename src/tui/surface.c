/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cells in memory: text goes in cut, escaped and with a known width. */
#include "config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"
#include "tui/surface.h"

struct surface *
surface_new(int w, int h, bool utf8)
{
	struct surface *s = mem_zalloc(sizeof(*s));

	s->utf8 = utf8;
	surface_resize(s, w, h);
	return s;
}

void
surface_free(struct surface *s)
{
	if (s == NULL)
		return;
	free(s->cells);
	free(s);
}

void
surface_resize(struct surface *s, int w, int h)
{
	free(s->cells);
	s->w = w < 1 ? 1 : w;
	s->h = h < 1 ? 1 : h;
	s->cells = mem_calloc((size_t)s->w * (size_t)s->h,
	    sizeof(*s->cells));
	surface_clear(s);
}

static void
blank(struct cell *c, struct style style)
{
	memset(c, 0, sizeof(*c));
	c->bytes[0] = ' ';
	c->len = c->width = 1;
	c->style = style;
}

void
surface_clear(struct surface *s)
{
	struct style plain = { 0, 0 };
	size_t i, n = (size_t)s->w * (size_t)s->h;

	for (i = 0; i < n; i++)
		blank(&s->cells[i], plain);
	s->cursor = false;
	s->cursor_x = s->cursor_y = 0;
}

struct cell *
surface_at(const struct surface *s, int x, int y)
{
	return &s->cells[(size_t)y * (size_t)s->w + (size_t)x];
}

/* A wide glyph that loses one half becomes a blank. */
static void
split_wide(struct surface *s, int x, int y)
{
	struct cell *c = surface_at(s, x, y);

	if (c->width == 0 && x > 0)
		blank(surface_at(s, x - 1, y), c->style);
	if (c->width == 2 && x + 1 < s->w)
		blank(surface_at(s, x + 1, y), c->style);
}

static void
put_glyph(struct surface *s, int x, int y, struct style style,
    const char *bytes, size_t len, int width)
{
	struct cell *c;

	if (y < 0 || y >= s->h || x < 0 || x + width > s->w)
		return;
	split_wide(s, x, y);
	if (width == 2)
		split_wide(s, x + 1, y);
	c = surface_at(s, x, y);
	blank(c, style);
	c->len = (uint8_t)(len > sizeof(c->bytes) ? 1 : len);
	memcpy(c->bytes, len > sizeof(c->bytes) ? "?" : bytes, c->len);
	c->width = (uint8_t)width;
	if (width == 2) {
		c = surface_at(s, x + 1, y);
		blank(c, style);
		c->len = c->width = 0;
	}
}

/* An escape is plain ASCII of several cells, in reverse. */
static void
put_escape(struct surface *s, int x, int y, struct style style,
    const struct text_glyph *g)
{
	size_t i;

	style.attr ^= ATTR_REVERSE;
	for (i = 0; i < g->len; i++)
		put_glyph(s, x + (int)i, y, style, g->bytes + i, 1, 1);
}

static void
put(struct surface *s, int x, int y, struct style style,
    const struct text_glyph *g)
{
	int i;

	if (g->escaped) {
		put_escape(s, x, y, style, g);
	} else if (!s->utf8 && (unsigned char)g->bytes[0] >= 0x80) {
		for (i = 0; i < g->width; i++)
			put_glyph(s, x + i, y, style, "?", 1, 1);
	} else if (g->width > 0) {
		put_glyph(s, x, y, style, g->bytes, g->len, g->width);
	}
}

/* True when the text that is left (n bytes) needs more than cells cells. */
static bool
is_longer(const char *text, size_t n, int cells)
{
	struct text_glyph g;
	size_t used;
	int width = 0;

	while (width <= cells && (used = text_next(text, n, &g)) > 0) {
		width += g.width;
		text += used;
		n -= used;
	}
	return width > cells;
}

int
surface_textn(struct surface *s, int x, int y, int cells, struct style style,
    const char *text, size_t n)
{
	struct text_glyph g;
	size_t used;
	int at = 0, room = cells;
	bool cut;

	if (x + room > s->w)
		room = s->w - x;
	if (room <= 0)
		return 0;
	cut = is_longer(text, n, room);
	while ((used = text_next(text, n, &g)) > 0) {
		if (at + g.width > room - (cut ? 1 : 0))
			break;
		put(s, x + at, y, style, &g);
		at += g.width;
		text += used;
		n -= used;
	}
	if (!cut)
		return at;
	if (s->utf8)
		put_glyph(s, x + at, y, style, "\xe2\x80\xa6", 3, 1);
	else
		put_glyph(s, x + at, y, style, "~", 1, 1);
	return at + 1;
}

int
surface_text(struct surface *s, int x, int y, int cells, struct style style,
    const char *text)
{
	return text == NULL ? 0
	    : surface_textn(s, x, y, cells, style, text, strlen(text));
}

int
surface_printf(struct surface *s, int x, int y, int cells,
    struct style style, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;
	int used;

	va_start(ap, fmt);
	buf_vputf(&b, fmt, ap);
	va_end(ap);
	used = surface_textn(s, x, y, cells, style, buf_str(&b), buf_len(&b));
	buf_done(&b);
	return used;
}

static struct rect
clip(const struct surface *s, struct rect r)
{
	if (r.x < 0) {
		r.w += r.x;
		r.x = 0;
	}
	if (r.y < 0) {
		r.h += r.y;
		r.y = 0;
	}
	if (r.x + r.w > s->w)
		r.w = s->w - r.x;
	if (r.y + r.h > s->h)
		r.h = s->h - r.y;
	return r;
}

void
surface_fill(struct surface *s, struct rect r, struct style style)
{
	int x, y;

	r = clip(s, r);
	for (y = r.y; y < r.y + r.h; y++)
		for (x = r.x; x < r.x + r.w; x++)
			put_glyph(s, x, y, style, " ", 1, 1);
}

void
surface_over(struct surface *s, struct rect r, uint8_t role)
{
	int x, y;

	r = clip(s, r);
	for (y = r.y; y < r.y + r.h; y++)
		for (x = r.x; x < r.x + r.w; x++)
			surface_at(s, x, y)->over = role;
}

/* Frame pieces: top left, top right, bottom left, bottom right, -, |. */
static const char *const frame_utf8[] = { "\xe2\x94\x8c", "\xe2\x94\x90",
	"\xe2\x94\x94", "\xe2\x94\x98", "\xe2\x94\x80", "\xe2\x94\x82" };
static const char *const frame_ascii[] = { "+", "+", "+", "+", "-", "|" };

static void
piece(struct surface *s, int x, int y, struct style style, int i)
{
	const char *const *set = s->utf8 ? frame_utf8 : frame_ascii;

	put_glyph(s, x, y, style, set[i], strlen(set[i]), 1);
}

void
surface_box(struct surface *s, struct rect r, struct style style)
{
	int i, right = r.x + r.w - 1, bottom = r.y + r.h - 1;

	surface_fill(s, r, style);
	for (i = r.x + 1; i < right; i++) {
		piece(s, i, r.y, style, 4);
		piece(s, i, bottom, style, 4);
	}
	for (i = r.y + 1; i < bottom; i++) {
		piece(s, r.x, i, style, 5);
		piece(s, right, i, style, 5);
	}
	piece(s, r.x, r.y, style, 0);
	piece(s, right, r.y, style, 1);
	piece(s, r.x, bottom, style, 2);
	piece(s, right, bottom, style, 3);
}

void
surface_cursor(struct surface *s, int x, int y)
{
	s->cursor = x >= 0 && y >= 0 && x < s->w && y < s->h;
	s->cursor_x = x;
	s->cursor_y = y;
}

bool
surface_equal(const struct surface *a, const struct surface *b)
{
	return a->w == b->w && a->h == b->h && a->cursor == b->cursor &&
	    a->cursor_x == b->cursor_x && a->cursor_y == b->cursor_y &&
	    memcmp(a->cells, b->cells,
		(size_t)a->w * (size_t)a->h * sizeof(*a->cells)) == 0;
}

void
surface_copy(struct surface *to, const struct surface *from)
{
	if (to->w != from->w || to->h != from->h)
		surface_resize(to, from->w, from->h);
	memcpy(to->cells, from->cells,
	    (size_t)to->w * (size_t)to->h * sizeof(*to->cells));
	to->cursor = from->cursor;
	to->cursor_x = from->cursor_x;
	to->cursor_y = from->cursor_y;
}

void
surface_row_text(const struct surface *s, int y, struct buf *out)
{
	size_t keep = buf_len(out);
	const struct cell *c;
	int x;

	for (x = 0; x < s->w; x++) {
		c = surface_at(s, x, y);
		buf_put(out, c->bytes, c->len);
		if (c->len > 0 && !(c->len == 1 && c->bytes[0] == ' '))
			keep = buf_len(out);
	}
	buf_truncate(out, keep);
}
