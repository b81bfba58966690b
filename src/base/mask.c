/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Masking: a table of the bytes that texts begin with, then the texts, the
 * longest first. */
#include "config.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "yardmaster/base/mask.h"
#include "yardmaster/base/mem.h"

struct hidden {
	char *text;
	size_t n;
};

struct mask {
	struct hidden *v;	/* longest first */
	size_t n, cap;
	bool begins[256];	/* some text begins with that byte */
	struct buf kept;	/* not told yet */
};

struct mask *
mask_new(void)
{
	struct mask *m = mem_zalloc(sizeof(*m));

	buf_secret(&m->kept);
	return m;
}

void
mask_free(struct mask *m)
{
	size_t i;

	if (m == NULL)
		return;
	for (i = 0; i < m->n; i++) {
		mem_wipe(m->v[i].text, m->v[i].n);
		(void)munlock(m->v[i].text, m->v[i].n);
		free(m->v[i].text);
	}
	free(m->v);
	buf_wipe(&m->kept);
	free(m);
}

static void
add_text(struct mask *m, const char *p, size_t n)
{
	size_t i;

	if (n < MASK_MIN)
		return;
	for (i = 0; i < m->n && m->v[i].n >= n; i++)
		if (m->v[i].n == n && memcmp(m->v[i].text, p, n) == 0)
			return;
	m->v = mem_grow(m->v, &m->cap, m->n + 1, sizeof *m->v);
	memmove(m->v + i + 1, m->v + i, (m->n - i) * sizeof *m->v);
	m->v[i] = (struct hidden){ mem_dup(p, n), n };
	(void)mlock(m->v[i].text, n);
	m->n++;
	m->begins[(unsigned char)*p] = true;
}

/* As it stands in a file of XML. */
static void
add_xml(struct mask *m, const char *p)
{
	static const struct { char c; const char *text; } special[] = {
		{ '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" },
		{ '"', "&quot;" }, { '\'', "&apos;" },
	};
	const size_t n = sizeof special / sizeof *special;
	struct buf b = BUF_INIT;
	size_t i;

	buf_secret(&b);
	for (; *p != '\0'; p++) {
		for (i = 0; i < n && special[i].c != *p; i++)
			;
		if (i < n)
			buf_puts(&b, special[i].text);
		else
			buf_putc(&b, *p);
	}
	add_text(m, buf_str(&b), buf_len(&b));
	buf_wipe(&b);
}

void
mask_add(struct mask *m, const char *value)
{
	const char *line;
	size_t n;

	add_text(m, value, strlen(value));
	add_xml(m, value);
	for (line = value; *line != '\0'; line += n + (line[n] != '\0')) {
		n = strcspn(line, "\r\n");
		add_text(m, line, n);
	}
}

enum found { FOUND_NONE, FOUND_WHOLE, FOUND_PART };

/* What of a text is at p. A longer one that may still come goes before a
 * shorter one that is there. */
static enum found
look(const struct mask *m, const uint8_t *p, size_t n, bool end, size_t *ret)
{
	size_t i;

	for (i = 0; i < m->n; i++) {
		if (m->v[i].n <= n) {
			if (memcmp(p, m->v[i].text, m->v[i].n) != 0)
				continue;
			*ret = m->v[i].n;
			return FOUND_WHOLE;
		}
		if (!end && memcmp(p, m->v[i].text, n) == 0)
			return FOUND_PART;
	}
	return FOUND_NONE;
}

static void
tell(struct mask *m, bool end, struct buf *out)
{
	const uint8_t *p = buf_data(&m->kept);
	size_t n = buf_len(&m->kept), from = 0, at = 0, len = 0;
	enum found found;

	while (at < n) {
		found = m->begins[p[at]] ?
		    look(m, p + at, n - at, end, &len) : FOUND_NONE;
		if (found == FOUND_PART)
			break;
		if (found == FOUND_NONE) {
			at++;
			continue;
		}
		buf_put(out, p + from, at - from);
		buf_puts(out, MASK_TEXT);
		at += len;
		from = at;
	}
	buf_put(out, p + from, at - from);
	buf_consume(&m->kept, at);
}

void
mask_feed(struct mask *m, const void *p, size_t n, struct buf *out)
{
	buf_put(&m->kept, p, n);
	tell(m, false, out);
}

void
mask_flush(struct mask *m, struct buf *out)
{
	tell(m, true, out);
}

void
mask_string(struct mask *m, char **text)
{
	struct buf b = BUF_INIT;

	if (*text == NULL)
		return;
	mask_feed(m, *text, strlen(*text), &b);
	mask_flush(m, &b);
	mem_wipe(*text, strlen(*text));
	free(*text);
	*text = buf_steal(&b);
}
