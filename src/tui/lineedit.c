/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Editing one line, by characters of UTF-8. */
#include "config.h"

#include <string.h>

#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"
#include "tui/key.h"
#include "tui/lineedit.h"

void
lineedit_set(struct lineedit *e, const char *text)
{
	size_t n = strlen(text);

	if (n >= sizeof(e->text))
		n = sizeof(e->text) - 1;
	memmove(e->text, text, n);
	e->text[n] = '\0';
	e->n = e->at = n;
	e->changed = false;
}

void
lineedit_done(struct lineedit *e)
{
	mem_wipe(e->text, sizeof(e->text));
	e->n = e->at = 0;
}

static bool
continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t
before(const struct lineedit *e, size_t at)
{
	while (at > 0 && continues(e->text[--at]))
		continue;
	return at;
}

static size_t
after(const struct lineedit *e, size_t at)
{
	if (at < e->n)
		at++;
	while (at < e->n && continues(e->text[at]))
		at++;
	return at;
}

/* Removes the bytes from a to b. */
static void
cut(struct lineedit *e, size_t a, size_t b)
{
	memmove(e->text + a, e->text + b, e->n - b + 1);
	e->n -= b - a;
	e->at = a;
	e->changed = true;
}

static size_t
word_start(const struct lineedit *e)
{
	size_t at = e->at;

	while (at > 0 && e->text[at - 1] == ' ')
		at--;
	while (at > 0 && e->text[at - 1] != ' ')
		at--;
	return at;
}

static bool
insert(struct lineedit *e, uint32_t key)
{
	char bytes[8];
	size_t n = key_utf8(key, bytes);

	if (e->n + n >= sizeof(e->text))
		return true;
	memmove(e->text + e->at + n, e->text + e->at, e->n - e->at + 1);
	memcpy(e->text + e->at, bytes, n);
	e->n += n;
	e->at += n;
	e->changed = true;
	return true;
}

bool
lineedit_key(struct lineedit *e, uint32_t key)
{
	switch (key) {
	case YK_LEFT:
		e->at = before(e, e->at);
		return true;
	case YK_RIGHT:
		e->at = after(e, e->at);
		return true;
	case YK_HOME:
	case KEY_CTRL | 'a':
		e->at = 0;
		return true;
	case YK_END:
	case KEY_CTRL | 'e':
		e->at = e->n;
		return true;
	case YK_BACKSPACE:
		if (e->n == 0)
			return false;
		cut(e, before(e, e->at), e->at);
		return true;
	case YK_DELETE:
		cut(e, e->at, after(e, e->at));
		return true;
	case KEY_CTRL | 'u':
		cut(e, 0, e->at);
		return true;
	case KEY_CTRL | 'k':
		cut(e, e->at, e->n);
		return true;
	case KEY_CTRL | 'w':
		cut(e, word_start(e), e->at);
		return true;
	default:
		return key_is_text(key) && insert(e, key);
	}
}

void
lineedit_draw(const struct lineedit *e, struct surface *s, int x, int y,
    int cells, struct style style, bool focus)
{
	char dots[LINEEDIT_MAX];
	const char *text = e->text;
	size_t from = 0, at = e->at, n = e->n;

	if (e->hidden) {
		memset(dots, '*', n);
		text = dots;
	}
	while (from < at &&
	    (int)text_width(text + from, at - from) >= cells)
		from = e->hidden ? from + 1 : after(e, from);
	surface_fill(s, (struct rect){ x, y, cells, 1 }, style);
	surface_textn(s, x, y, cells, style, text + from, n - from);
	if (focus)
		surface_cursor(s, x + (int)text_width(text + from, at - from),
		    y);
}
