/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Styled lines, and how they are drawn and wrapped. */
#include "config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"
#include "tui/lines.h"
#include "tui/theme.h"

#define LABEL_MAX 18

void
lines_done(struct lines *l)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		free(l->v[i].label);
		free(l->v[i].text);
	}
	free(l->v);
	memset(l, 0, sizeof(*l));
}

static void
add(struct lines *l, const char *label, uint8_t role, char *text)
{
	struct line *line;

	l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof(*l->v));
	line = &l->v[l->n++];
	line->label = str_dup(label);
	line->text = text;
	line->style.role = role;
	line->style.attr = 0;
}

void
lines_add(struct lines *l, uint8_t role, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(l, NULL, role, str_vfmt(fmt, ap));
	va_end(ap);
}

void
lines_fact(struct lines *l, const char *label, uint8_t role,
    const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = str_vfmt(fmt, ap);
	va_end(ap);
	if (*text == '\0')
		free(text);
	else
		add(l, label, role, text);
}

/* Bytes of the next piece of s that fits on cells cells, cut at a blank where
 * there is one. */
static size_t
piece(const char *s, size_t n, int cells)
{
	struct text_glyph g;
	size_t at = 0, used, blank = 0;
	int width = 0;

	while (at < n) {
		used = text_next(s + at, n - at, &g);
		if (width + g.width > cells)
			return blank > 0 ? blank : at > 0 ? at : used;
		width += g.width;
		at += used;
		if (s[at - 1] == ' ')
			blank = at;
	}
	return n;
}

void
lines_wrap(struct lines *l, uint8_t role, int cells, int indent,
    const char *text)
{
	size_t n = strlen(text), take, line;

	cells = cells - indent < 8 ? 8 : cells - indent;
	while (n > 0) {
		line = strcspn(text, "\n");
		take = piece(text, line, cells);
		lines_add(l, role, "%*s%.*s", indent, "", (int)take, text);
		if (take == line && take < n)
			take++;		/* the newline */
		text += take;
		n -= take;
	}
}

static int
label_width(const struct lines *l)
{
	int w, width = 0;
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (l->v[i].label == NULL)
			continue;
		w = (int)text_width(l->v[i].label, strlen(l->v[i].label));
		if (w > width)
			width = w;
	}
	return width > LABEL_MAX ? LABEL_MAX : width;
}

void
lines_draw(const struct lines *l, size_t first, struct surface *s,
    struct rect r)
{
	struct style dim = { ROLE_DIM, 0 };
	int width = label_width(l), y, shift;
	const struct line *line;

	for (y = 0; y < r.h && first + (size_t)y < l->n; y++) {
		line = &l->v[first + (size_t)y];
		shift = line->label != NULL ? width + 1 : 0;
		surface_text(s, r.x, r.y + y, width, dim, line->label);
		surface_text(s, r.x + shift, r.y + y, r.w - shift,
		    line->style, line->text);
	}
}
