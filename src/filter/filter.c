/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Filter expressions: a list of terms, each with a kind of comparison, over
 * one column or any.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/strvec.h"
#include "yardmaster/filter/filter.h"
#include "yardmaster/filter/pattern.h"

#define ANY_COLUMN SIZE_MAX

enum kind { KIND_TEXT, KIND_PATTERN, KIND_FUZZY };

struct term {
	enum kind kind;
	bool inverse;
	bool caseless;
	size_t column;		/* or ANY_COLUMN */
	char *text;		/* of text and fuzzy */
	struct pattern *pattern;	/* of pattern, and text beyond ASCII */
};

struct filter {
	struct strvec columns;
	struct term terms[FILTER_MAX_TERMS];
	size_t n_terms;
};

static char
fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool
same(char a, char b, bool caseless)
{
	return caseless ? fold(a) == fold(b) : a == b;
}

static bool
has_prefix(const char *s, const char *prefix, bool caseless)
{
	while (*prefix != '\0')
		if (!same(*s++, *prefix++, caseless))
			return false;	/* also at the end of s */
	return true;
}

static bool
match_text(const char *s, const char *needle, bool caseless)
{
	for (;; s++) {
		if (has_prefix(s, needle, caseless))
			return true;
		if (*s == '\0')
			return false;
	}
}

static bool
match_fuzzy(const char *s, const char *needle, bool caseless)
{
	for (; *needle != '\0'; needle++) {
		while (*s != '\0' && !same(*s, *needle, caseless))
			s++;
		if (*s++ == '\0')
			return false;
	}
	return true;
}

static bool
match_cell(const struct term *t, const char *s)
{
	if (s == NULL)
		s = "";
	if (t->pattern != NULL)
		return pattern_find(t->pattern, s, strlen(s), 0, NULL, NULL);
	if (t->kind == KIND_FUZZY)
		return match_fuzzy(s, t->text, t->caseless);
	return match_text(s, t->text, t->caseless);
}

static bool
match_any(const struct filter *f, const struct term *t, filter_cell_fn cell,
    void *arg)
{
	size_t i;

	if (t->column != ANY_COLUMN)
		return match_cell(t, cell(arg, t->column));
	for (i = 0; i < f->columns.n; i++)
		if (match_cell(t, cell(arg, i)))
			return true;
	return false;
}

bool
filter_match(const struct filter *f, filter_cell_fn cell, void *arg)
{
	size_t i;

	for (i = 0; i < f->n_terms; i++)
		if (match_any(f, &f->terms[i], cell, arg) ==
		    f->terms[i].inverse)
			return false;
	return true;
}

bool
filter_is_empty(const struct filter *f)
{
	return f->n_terms == 0;
}

/* ---- reading ---- */

static bool
is_ascii(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s >= 0x80)
			return false;
	return true;
}

static bool
has_capital(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s >= 'A' && *s <= 'Z')
			return true;
	return false;
}

/* "column:" at p: its index and the place behind the colon. */
static size_t
take_column(const struct filter *f, const char **p)
{
	size_t i, n;

	for (i = 0; i < f->columns.n; i++) {
		n = strlen(f->columns.v[i]);
		if (strncmp(*p, f->columns.v[i], n) != 0 || (*p)[n] != ':')
			continue;
		*p += n + 1;
		return i;
	}
	return ANY_COLUMN;
}

/* The text up to the closing mark, where a backslash keeps the mark. */
static int
take_until(const char **p, char mark, struct buf *out)
{
	const char *s = *p;

	for (; *s != mark; s++) {
		if (*s == '\0')
			return ERR_SYNTAX;
		if (*s == '\\' && s[1] == mark)
			s++;
		else if (*s == '\\' && s[1] != '\0')
			buf_putc(out, *s++);
		buf_putc(out, *s);
	}
	*p = s + 1;
	return 0;
}

static void
take_word(const char **p, struct buf *out)
{
	size_t n = strcspn(*p, " \t\n");

	buf_put(out, *p, n);
	*p += n;
}

/* The text of a term, after its marks. A '/' begins a pattern when another
 * one ends it; a path is plain text. */
static int
take_value(const char **p, struct term *t, struct buf *out)
{
	const char *s = *p + 1;

	if (**p == '"') {
		*p = s;
		return take_until(p, '"', out);
	}
	if (**p != '/' || t->kind == KIND_FUZZY) {
		take_word(p, out);
		return 0;
	}
	if (take_until(&s, '/', out) == 0 &&
	    (*s == '\0' || strchr(" \t\n", *s) != NULL)) {
		t->kind = KIND_PATTERN;
		*p = s;
		return 0;
	}
	buf_clear(out);
	take_word(p, out);
	return 0;
}

static int
compile(struct term *t, char **ret_error)
{
	unsigned flags = 0;

	t->caseless = !has_capital(t->text);
	if (t->caseless)
		flags |= PATTERN_CASELESS;
	if (t->kind == KIND_PATTERN)
		return pattern_new(t->text, flags, &t->pattern, ret_error);
	if (t->kind == KIND_TEXT && !is_ascii(t->text))
		return pattern_new(t->text, flags | PATTERN_LITERAL,
		    &t->pattern, ret_error);
	return 0;
}

static void
set_error(char **ret_error, const char *text)
{
	if (ret_error != NULL)
		*ret_error = str_dup(text);
}

static int
take_term(struct filter *f, const char **p, char **ret_error)
{
	struct term *t = &f->terms[f->n_terms];
	struct buf text = BUF_INIT;
	int r;

	if (f->n_terms == FILTER_MAX_TERMS) {
		set_error(ret_error, "too many terms");
		return ERR_TOO_LARGE;
	}
	if (**p == '!') {
		t->inverse = true;
		(*p)++;
	}
	t->column = take_column(f, p);
	if (**p == '~') {
		t->kind = KIND_FUZZY;
		(*p)++;
	}
	if ((r = take_value(p, t, &text)) < 0) {
		set_error(ret_error, "a quotation mark is not closed");
		buf_done(&text);
		return r;
	}
	t->text = buf_steal(&text);
	f->n_terms++;
	if (t->text[0] == '\0')
		t->inverse = false;	/* "!" half typed must not hide all */
	return compile(t, ret_error);
}

int
filter_new(const char *text, const char *const *columns, struct filter **ret,
    char **ret_error)
{
	struct filter *f;
	const char *p = text;
	int r = 0;

	if (strlen(text) > FILTER_MAX_BYTES) {
		set_error(ret_error, "the filter is too long");
		return ERR_TOO_LARGE;
	}
	f = mem_zalloc(sizeof(*f));
	for (; *columns != NULL; columns++)
		strvec_push(&f->columns, *columns);
	for (;;) {
		p += strspn(p, " \t\n");
		if (*p == '\0')
			break;
		if ((r = take_term(f, &p, ret_error)) < 0)
			goto out;
	}
	*ret = f;
	f = NULL;
out:
	filter_free(f);
	return r;
}

void
filter_free(struct filter *f)
{
	size_t i;

	if (f == NULL)
		return;
	for (i = 0; i < f->n_terms; i++) {
		free(f->terms[i].text);
		pattern_free(f->terms[i].pattern);
	}
	strvec_done(&f->columns);
	free(f);
}
