/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parsing JSON without giving json-c the strings that are to be wiped: it
 * frees what it copied as it is. */
#include "config.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/jcheck.h"
#include "base/jparse.h"
#include "base/jscan.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/mem.h"

void
apart_done(struct apart *a)
{
	size_t i;

	for (i = 0; i < a->n; i++) {
		mem_wipe(a->v[i], strlen(a->v[i]));
		free(a->v[i]);
	}
	free(a->v);
	*a = (struct apart){ NULL, 0, 0 };
}

/* Takes the string between the quotes at from and to. */
static void
take(struct apart *a, const char *from, const char *to)
{
	struct buf b = BUF_INIT;

	buf_secret(&b);
	jscan_decode(from + 1, (size_t)(to - from - 1), &b);
	a->v = mem_grow(a->v, &a->cap, a->n + 1, sizeof(*a->v));
	a->v[a->n++] = buf_steal(&b);
}

/* The string from .. s->p was a key of that name, and p is at its value, a
 * string too. */
static bool
is_wanted(struct jscan *s, const char *from, const char *key)
{
	size_t n = strlen(key);
	bool named = (size_t)(s->p - from) == n + 2 &&
	    memcmp(from + 1, key, n) == 0;

	jscan_space(s);
	if (!named || s->p == s->end || *s->p != ':')
		return false;
	s->p++;
	jscan_space(s);
	return s->p < s->end && *s->p == '"';
}

/* Copies checked text to out, numbers in place of what is taken. */
static void
split(const char *text, size_t len, const char *key, struct buf *out,
    struct apart *apart)
{
	const char *from, *kept = text;
	struct jscan s;

	jscan_init(&s, text, len, false);
	while (s.p < s.end) {
		if (*(from = s.p) != '"') {
			s.p++;
			continue;
		}
		if (jscan_string(&s) < 0)
			break;
		if (!is_wanted(&s, from, key))
			continue;
		from = s.p;
		if (jscan_string(&s) < 0)
			break;
		buf_put(out, kept, (size_t)(from - kept));
		buf_putf(out, "%zu", apart->n);
		take(apart, from, s.p - 1);
		kept = s.p;
	}
	buf_put(out, kept, (size_t)(text + len - kept));
}

int
jval_parse_apart(struct jval **ret, const void *text, size_t len,
    const char *key, struct apart *apart)
{
	struct buf rest = BUF_INIT;
	int r;

	if (len > JDOC_MAX_BYTES)
		return ERR_TOO_LARGE;
	if ((r = jcheck(text, len, false, NULL, NULL)) < 0)
		return r;
	split(text, len, key, &rest, apart);
	r = jval_parse_checked(ret, buf_str(&rest), buf_len(&rest));
	buf_done(&rest);
	if (r < 0)
		apart_done(apart);
	return r;
}
