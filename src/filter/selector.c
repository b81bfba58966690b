/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Agent selectors: which agents may do a piece of work. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/ident.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/filter/pattern.h"
#include "yardmaster/filter/selector.h"

enum kind { KIND_NAME, KIND_LABEL, KIND_PATTERN };

struct term {
	enum kind kind;
	bool exclude;
	char *text;		/* as written */
	const char *value;	/* in text: a name or a label */
	struct pattern *pattern;
};

struct selector {
	struct term *terms;
	size_t n;
};

static int
compile_pattern(struct term *t, char **ret_error)
{
	size_t n = strlen(t->value);
	char *inner;
	int r;

	if (n < 3 || t->value[n - 1] != '/') {
		*ret_error = str_dup("a pattern ends with /");
		return ERR_SYNTAX;
	}
	inner = str_ndup(t->value + 1, n - 2);
	r = pattern_new(inner, 0, &t->pattern, ret_error);
	free(inner);
	return r;
}

static int
compile(struct term *t, const char *text, char **ret_error)
{
	t->text = str_dup(text);
	t->exclude = text[0] == '!';
	t->value = t->text + t->exclude;
	if (t->value[0] == '/') {
		t->kind = KIND_PATTERN;
		return compile_pattern(t, ret_error);
	}
	if (t->value[0] == '@') {
		t->kind = KIND_LABEL;
		t->value++;
	}
	if (ident_is_agent_name(t->value))
		return 0;
	*ret_error = str_dup(t->kind == KIND_LABEL ?
	    "a label is made of letters, digits, and . _ -" :
	    "an agent name is made of letters, digits, and . _ -; "
	    "else write @label or /pattern/");
	return ERR_SYNTAX;
}

int
selector_new(const struct strvec *terms, struct selector **ret,
    char **ret_error, size_t *ret_bad)
{
	struct selector *s = mem_zalloc(sizeof(*s));
	char *error = NULL;
	size_t i;
	int r = 0;

	if (terms->n > SELECTOR_MAX) {
		error = str_fmt("more than %d selectors", SELECTOR_MAX);
		i = SELECTOR_MAX;
		r = ERR_TOO_LARGE;
		goto out;
	}
	s->terms = mem_calloc(terms->n, sizeof(*s->terms));
	for (i = 0; i < terms->n && r == 0; i++) {
		s->n++;
		r = compile(&s->terms[i], terms->v[i], &error);
	}
	if (r < 0) {
		i--;
		goto out;
	}
	*ret = s;
	return 0;
out:
	if (ret_bad != NULL)
		*ret_bad = i;
	if (ret_error != NULL)
		*ret_error = error;
	else
		free(error);
	selector_free(s);
	return r;
}

void
selector_free(struct selector *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < s->n; i++) {
		free(s->terms[i].text);
		pattern_free(s->terms[i].pattern);
	}
	free(s->terms);
	free(s);
}

bool
selector_term_match(const struct selector *s, size_t i, const char *name,
    const struct strvec *labels)
{
	const struct term *t = &s->terms[i];

	if (t->kind == KIND_PATTERN)
		return pattern_find(t->pattern, name, strlen(name), 0, NULL,
		    NULL);
	if (t->kind == KIND_LABEL)
		return strvec_find(labels, t->value) >= 0;
	return strcmp(t->value, name) == 0;
}

bool
selector_match(const struct selector *s, const char *name,
    const struct strvec *labels)
{
	bool wanted = false, any = false;
	size_t i;

	for (i = 0; i < s->n; i++) {
		if (!s->terms[i].exclude)
			any = true;
		if (!selector_term_match(s, i, name, labels))
			continue;
		if (s->terms[i].exclude)
			return false;
		wanted = true;
	}
	return wanted || !any;
}

size_t
selector_count(const struct selector *s)
{
	return s->n;
}

const char *
selector_term(const struct selector *s, size_t i)
{
	return s->terms[i].text;
}

void
selector_format(const struct selector *s, struct buf *out)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		buf_putf(out, "%s%s", i > 0 ? ", " : "", s->terms[i].text);
}
