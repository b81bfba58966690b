/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The grammar of JSON, the limit on depth and the ban of equal keys, in one
 * pass. The keys of all open objects are on one stack; when an object closes,
 * its own are compared and taken off.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/jcheck.h"
#include "base/jscan.h"
#include "yardmaster/base/buf.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/mem.h"

#define FEW_KEYS 16	/* up to here each is compared with each */
#define TWINS_SAID 100	/* more are not told */

struct key {
	const char *p;		/* in the text, or decoded */
	size_t n;
	size_t offset;		/* of its quote in the text */
	uint32_t hash;
	char *decoded;		/* owned; NULL when p is in the text */
};

struct frame {
	bool object;
	size_t first_key;	/* of an object: index of its first key */
	size_t index;		/* of an array: the element being read */
};

struct check {
	struct jscan s;
	struct frame frames[JSON_DEPTH];
	unsigned depth;
	struct key *keys;
	size_t n_keys, cap_keys;
	size_t twins;		/* keys that came twice */
	void (*tell)(void *arg, const struct jfault *fault);
	void *arg;
};

static int check_value(struct check *c);

static int
fail(struct check *c, int code, const char *text)
{
	c->s.fault = text;
	return code;
}

static uint32_t
hash(const char *p, size_t n)
{
	uint32_t h = 2166136261u;

	for (; n > 0; n--, p++)
		h = (h ^ (unsigned char)*p) * 16777619u;
	return h;
}

/* Puts the key whose quotes are at from and to on the stack. */
static void
push_key(struct check *c, const char *from, const char *to)
{
	struct buf b = BUF_INIT;
	struct key *k;

	c->keys = mem_grow(c->keys, &c->cap_keys, c->n_keys + 1,
	    sizeof(*c->keys));
	k = &c->keys[c->n_keys++];
	*k = (struct key){ .p = from + 1, .n = (size_t)(to - from - 1),
		.offset = (size_t)(from - c->s.start) };
	if (memchr(k->p, '\\', k->n) != NULL) {
		jscan_decode(k->p, k->n, &b);
		k->n = buf_len(&b);
		k->p = k->decoded = buf_steal(&b);
	}
	k->hash = hash(k->p, k->n);
}

static void
pop_keys(struct check *c, size_t n)
{
	while (c->n_keys > n)
		free(c->keys[--c->n_keys].decoded);
}

static bool
same_key(const struct key *a, const struct key *b)
{
	return a->hash == b->hash && a->n == b->n &&
	    memcmp(a->p, b->p, a->n) == 0;
}

/* Any total order that puts equal keys side by side. */
static int
by_key(const void *pa, const void *pb)
{
	const struct key *a = pa, *b = pb;
	int r;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	if (a->n != b->n)
		return a->n < b->n ? -1 : 1;
	r = memcmp(a->p, b->p, a->n);
	return r != 0 ? r : (a->offset > b->offset) - (a->offset < b->offset);
}

/* The path of the value being read, from the open containers. */
static char *
current_path(const struct check *c)
{
	struct buf path = BUF_INIT;
	const struct frame *f;
	size_t key_end;
	unsigned i;
	char *key;

	for (i = 0; i < c->depth; i++) {
		f = &c->frames[i];
		if (!f->object) {
			jdoc_path_index(&path, f->index);
			continue;
		}
		key_end = i + 1 < c->depth ? c->frames[i + 1].first_key :
		    c->n_keys;
		if (key_end == f->first_key)
			continue;	/* before its first key */
		key = str_ndup(c->keys[key_end - 1].p, c->keys[key_end - 1].n);
		jdoc_path_key(&path, key);
		free(key);
	}
	return buf_steal(&path);
}

static void
tell(const struct check *c, size_t offset, const char *text)
{
	struct jfault f = { .offset = offset, .text = text };
	char *path;

	if (c->tell == NULL)
		return;
	f.path = path = current_path(c);
	c->tell(c->arg, &f);
	free(path);
}

/* Says that the key at i came before. */
static void
tell_twin(struct check *c, size_t i)
{
	struct key *last = &c->keys[c->n_keys - 1], was = *last;

	if (c->twins++ >= TWINS_SAID)
		return;
	/* The path names the last on the stack. */
	*last = c->keys[i];
	tell(c, last->offset, "this key comes twice");
	*last = was;
}

/* Looks for equal keys from first to the top of the stack. */
static void
find_twins(struct check *c, size_t first)
{
	struct key *keys = c->keys;
	size_t i, j;

	if (c->n_keys - first > FEW_KEYS) {
		qsort(keys + first, c->n_keys - first, sizeof(*keys), by_key);
		for (i = first + 1; i < c->n_keys; i++)
			if (same_key(&keys[i - 1], &keys[i]))
				tell_twin(c, i);
		return;
	}
	for (i = first + 1; i < c->n_keys; i++)
		for (j = first; j < i; j++)
			if (same_key(&keys[j], &keys[i])) {
				tell_twin(c, i);
				break;
			}
}

static int
check_member(struct check *c)
{
	const char *from = c->s.p;
	int r;

	if (from == c->s.end)
		return fail(c, ERR_SYNTAX, "the text ends too early");
	if (*from != '"')
		return fail(c, ERR_SYNTAX, "expected a key in double quotes");
	if ((r = jscan_string(&c->s)) < 0)
		return r;
	push_key(c, from, c->s.p - 1);
	if ((r = jscan_space(&c->s)) < 0)
		return r;
	if (c->s.p == c->s.end || *c->s.p != ':')
		return fail(c, ERR_SYNTAX, "expected ':' after the key");
	c->s.p++;
	return check_value(c);
}

/* What follows a member or element: true when the container goes on. */
static int
check_separator(struct check *c, char close, bool *ret_more)
{
	int r;

	if ((r = jscan_space(&c->s)) < 0)
		return r;
	if (c->s.p == c->s.end)
		return fail(c, ERR_SYNTAX, "the text ends too early");
	if (*c->s.p != ',' && *c->s.p != close)
		return fail(c, ERR_SYNTAX, close == '}' ?
		    "expected ',' or '}'" : "expected ',' or ']'");
	*ret_more = *c->s.p == ',';
	c->s.p++;
	return *ret_more ? jscan_space(&c->s) : 0;
}

static int
check_container(struct check *c, bool object)
{
	struct frame *f = &c->frames[c->depth];
	char close = object ? '}' : ']';
	bool more = true;
	int r;

	if (c->depth == JSON_DEPTH)
		return fail(c, ERR_TOO_LARGE, "nested too deep");
	*f = (struct frame){ .object = object, .first_key = c->n_keys };
	c->depth++;
	c->s.p++;
	if ((r = jscan_space(&c->s)) < 0)
		return r;
	if (c->s.p < c->s.end && *c->s.p == close) {
		c->s.p++;
		more = false;
	}
	for (; more; f->index++) {
		r = object ? check_member(c) : check_value(c);
		if (r < 0 || (r = check_separator(c, close, &more)) < 0)
			return r;
	}
	if (object) {
		find_twins(c, f->first_key);
		pop_keys(c, f->first_key);
	}
	c->depth--;
	return 0;
}

static int
check_value(struct check *c)
{
	int r;

	if ((r = jscan_space(&c->s)) < 0)
		return r;
	if (c->s.p == c->s.end)
		return fail(c, ERR_SYNTAX, "the text ends too early");
	switch (*c->s.p) {
	case '{':
		return check_container(c, true);
	case '[':
		return check_container(c, false);
	case '"':
		return jscan_string(&c->s);
	case 't':
	case 'f':
	case 'n':
		return jscan_literal(&c->s);
	default:
		return jscan_number(&c->s);
	}
}

int
jcheck(const char *text, size_t n, bool comments,
    void (*tell_fault)(void *arg, const struct jfault *fault), void *arg)
{
	struct check c = { .tell = tell_fault, .arg = arg };
	int r;

	jscan_init(&c.s, text, n, comments);
	r = check_value(&c);
	if (r == 0)
		r = jscan_space(&c.s);
	if (r == 0 && c.s.p != c.s.end)
		r = fail(&c, ERR_SYNTAX, "unexpected text after the value");
	if (r < 0)
		tell(&c, (size_t)(c.s.p - c.s.start), c.s.fault);
	else if (c.twins > 0)
		r = ERR_SYNTAX;
	pop_keys(&c, 0);
	free(c.keys);
	return r;
}
