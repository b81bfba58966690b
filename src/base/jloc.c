/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finding places in JSON text. json-c keeps no positions; walking the text
 * along a path is needed only when a fault is reported, so nothing is
 * indexed.
 */
#include "config.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/jloc.h"
#include "base/jscan.h"
#include "yardmaster/base/buf.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/jw.h"

/* One step of a path: a key, or (key empty and is_index) an index. */
struct step {
	bool is_index;
	size_t index;
	struct buf key;
};

static bool
is_word(const char *s, size_t n)
{
	size_t i;

	if (n == 0 || isdigit((unsigned char)s[0]))
		return false;
	for (i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '_')
			return false;
	return true;
}

void
jdoc_path_key(struct buf *path, const char *key)
{
	struct jw w;

	if (is_word(key, strlen(key))) {
		if (buf_len(path) > 0)
			buf_putc(path, '.');
		buf_puts(path, key);
		return;
	}
	buf_putc(path, '[');
	jw_init(&w, path);
	jw_str(&w, key);
	buf_putc(path, ']');
}

void
jdoc_path_index(struct buf *path, size_t i)
{
	buf_putf(path, "[%zu]", i);
}

/* Reads ["key"] behind its first bracket. */
static bool
quoted_step(const char **path, struct step *st)
{
	struct jscan s;

	jscan_init(&s, *path, strlen(*path), false);
	if (jscan_string(&s) < 0 || s.p == s.end || *s.p != ']')
		return false;
	jscan_decode(*path + 1, (size_t)(s.p - *path) - 2, &st->key);
	*path = s.p + 1;
	return true;
}

static bool
index_step(const char **path, struct step *st)
{
	char *end;

	if (!isdigit((unsigned char)**path))
		return false;
	st->is_index = true;
	st->index = strtoul(*path, &end, 10);
	if (*end != ']')
		return false;
	*path = end + 1;
	return true;
}

/* Takes the first step off *path. False at its end or when it is none. */
static bool
next_step(const char **path, struct step *st)
{
	size_t n;

	buf_clear(&st->key);
	st->is_index = false;
	if (**path == '[') {
		++*path;
		return **path == '"' ? quoted_step(path, st) :
		    index_step(path, st);
	}
	if (**path == '.')
		++*path;
	n = strcspn(*path, ".[");
	buf_put(&st->key, *path, n);
	*path += n;
	return n > 0;
}

/* From the '[' at p to the element of that index. */
static bool
enter_array(struct jscan *s, size_t index)
{
	for (s->p++;; s->p++) {
		if (jscan_space(s) < 0 || s->p == s->end || *s->p == ']')
			return false;
		if (index-- == 0)
			return true;
		jscan_skip_value(s);
		if (jscan_space(s) < 0 || s->p == s->end || *s->p != ',')
			return false;
	}
}

/* Reads the key at p and its colon into key. */
static bool
read_key(struct jscan *s, struct buf *key)
{
	const char *from;

	if (jscan_space(s) < 0)
		return false;
	from = s->p;
	if (jscan_string(s) < 0)
		return false;
	buf_clear(key);
	jscan_decode(from + 1, (size_t)(s->p - from) - 2, key);
	if (jscan_space(s) < 0 || s->p == s->end || *s->p != ':')
		return false;
	s->p++;
	return jscan_space(s) == 0;
}

/* From the '{' at p to the value of that key. */
static bool
enter_object(struct jscan *s, const struct buf *want)
{
	struct buf key = BUF_INIT;
	bool found = false;

	for (s->p++; read_key(s, &key); s->p++) {
		found = buf_len(&key) == buf_len(want) &&
		    memcmp(buf_data(&key), buf_data(want),
		    buf_len(want)) == 0;
		if (found)
			break;
		jscan_skip_value(s);
		if (jscan_space(s) < 0 || s->p == s->end || *s->p != ',')
			break;
	}
	buf_done(&key);
	return found;
}

bool
jloc_find(const char *text, size_t n, const char *path, size_t *ret_offset)
{
	struct step st = { .key = BUF_INIT };
	bool found;
	struct jscan s;

	jscan_init(&s, text, n, true);
	found = jscan_space(&s) == 0 && s.p < s.end;
	while (found && *path != '\0') {
		if (!next_step(&path, &st))
			found = false;
		else if (st.is_index)
			found = *s.p == '[' && enter_array(&s, st.index);
		else
			found = *s.p == '{' && enter_object(&s, &st.key);
	}
	buf_done(&st.key);
	if (found)
		*ret_offset = (size_t)(s.p - text);
	return found;
}

void
jloc_place(const char *text, size_t offset, unsigned *ret_line,
    unsigned *ret_column)
{
	unsigned line = 1, column = 1;
	size_t i;

	for (i = 0; i < offset; i++) {
		if (text[i] == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80) {
			column++;
		}
	}
	*ret_line = line;
	*ret_column = column;
}

void
jloc_blank_comments(char *text, size_t n)
{
	struct jscan s;
	size_t from, i;

	jscan_init(&s, text, n, true);
	memset(text, ' ', (size_t)(s.p - text));
	while (s.p < s.end) {
		if (*s.p == '"') {
			if (jscan_string(&s) < 0)
				return;
			continue;
		}
		from = (size_t)(s.p - text);
		if (*s.p == '/' && jscan_space(&s) < 0)
			return;
		for (i = from; text + i < s.p; i++)
			if (text[i] != '\n')
				text[i] = ' ';
		if (text + from == s.p)
			s.p++;
	}
}
