/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cases by name. A test is called tests/test_a.py::TestB::test_c where it is
 * chosen, and tests.test_a.TestB with test_c in the file of the same tool:
 * so names are compared as they are, then in a plain form of both.
 */
#include "config.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "yardmaster/base/mem.h"
#include "yardmaster/report/junit_match.h"

struct name_entry {
	UT_hash_handle hh;
	size_t index;
	bool shared;		/* several names have this plain form */
	char key[];
};

static const char *
part_of(const struct junit_case *c, const char *name, size_t n)
{
	const struct {
		const char *name, *value;
	} parts[] = {
		{ "classname", c->classname },
		{ "name", c->name },
		{ "file", c->file != NULL ? c->file : "" },
		{ "suite", c->suite },
	};
	size_t i;

	for (i = 0; i < sizeof parts / sizeof *parts; i++)
		if (strlen(parts[i].name) == n &&
		    memcmp(parts[i].name, name, n) == 0)
			return parts[i].value;
	return NULL;
}

void
junit_case_name(const struct junit_case *c, const char *pattern,
    struct buf *out)
{
	const char *value;
	size_t n;

	while (*pattern != '\0') {
		n = *pattern == '{' ? strcspn(pattern, "}") : 0;
		value = n > 0 && pattern[n] == '}' ?
		    part_of(c, pattern + 1, n - 1) : NULL;
		if (value != NULL) {
			buf_puts(out, value);
			pattern += n + 1;
			continue;
		}
		buf_putc(out, *pattern++);
	}
}

/* Where the extension of a file name begins in front of "::" at end; end when
 * there is none. */
static const char *
extension(const char *s, const char *end)
{
	const char *p = end;

	while (p > s && p[-1] != '.' && p[-1] != '/')
		p--;
	return p > s + 1 && p[-1] == '.' && p < end ? p - 1 : end;
}

/* Every separator a dot; file: without the extension before "::". What stands
 * in brackets is a value and stays. */
static void
plain_form(const char *s, bool file, struct buf *out)
{
	const char *colons = strstr(s, "::"), *cut = NULL, *p = s;
	size_t inner = strcspn(s, "[");

	if (file && colons != NULL && (size_t)(colons - s) < inner)
		cut = extension(s, colons);
	while (*p != '\0') {
		if (p == cut && cut != colons) {
			p = colons;
			cut = NULL;
		} else if ((size_t)(p - s) < inner && p[0] == ':' &&
		    p[1] == ':') {
			buf_putc(out, '.');
			p += 2;
		} else {
			buf_putc(out, (size_t)(p - s) < inner && *p == '/' ?
			    '.' : *p);
			p++;
		}
	}
}

static struct name_entry *
find(struct name_entry *by, const char *key)
{
	struct name_entry *e;

	HASH_FIND_STR(by, key, e);
	return e;
}

static void
add(struct name_entry **by, const char *key, size_t index)
{
	struct name_entry *e = find(*by, key);
	size_t n = strlen(key);

	if (e != NULL) {
		e->shared = true;
		return;
	}
	e = mem_zalloc(sizeof *e + n + 1);
	e->index = index;
	memcpy(e->key, key, n + 1);
	HASH_ADD_STR(*by, key, e);
}

static void
drop(struct name_entry *by)
{
	struct name_entry *e, *next;

	HASH_ITER(hh, by, e, next) {
		HASH_DEL(by, e);
		free(e);
	}
}

static void
take(const struct junit_case *c, struct junit_match *m)
{
	enum outcome worst = outcome_worst(m->outcome, c->outcome);

	if (worst != m->outcome || m->text == NULL)
		m->text = worst == c->outcome ? c->text : m->text;
	m->outcome = worst;
	m->elapsed_us += c->elapsed_us;
}

void
junit_match(const struct junit_results *r, const char *pattern,
    const char *const *names, size_t n, struct junit_match *ret)
{
	struct name_entry *exact = NULL, *plain = NULL, *e;
	struct buf name = BUF_INIT, form = BUF_INIT;
	size_t i;

	memset(ret, 0, n * sizeof *ret);
	for (i = 0; i < n; i++) {
		buf_clear(&form);
		plain_form(names[i], true, &form);
		add(&exact, names[i], i);
		add(&plain, buf_str(&form), i);
	}
	for (i = 0; i < r->n; i++) {
		buf_clear(&name);
		buf_clear(&form);
		junit_case_name(&r->v[i], pattern, &name);
		if ((e = find(exact, buf_str(&name))) == NULL) {
			plain_form(buf_str(&name), false, &form);
			e = find(plain, buf_str(&form));
		}
		if (e != NULL && !e->shared)
			take(&r->v[i], &ret[e->index]);
	}
	buf_done(&name);
	buf_done(&form);
	drop(exact);
	drop(plain);
}
