/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The threshold as people write it, and what it comes to. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "yardmaster/base/err.h"
#include "yardmaster/model/facts.h"

/* Workers are numbered by 16 bits. */
#define THRESHOLD_MAX 65535
#define THRESHOLD_TEXT 16

int
threshold_parse(const char *text, struct threshold *ret)
{
	struct threshold t = { .kind = THRESHOLD_NUMBER };
	const char *p = text;

	if (*p == '\0' || strcmp(p, "max") == 0) {
		*ret = (struct threshold){ .kind = THRESHOLD_UNSET };
		return 0;
	}
	if (*p == '-') {
		t.kind = THRESHOLD_SPARE;
		p++;
	}
	if (*p == '\0' || p[strspn(p, "0123456789")] != '\0')
		return ERR_SYNTAX;
	for (; *p != '\0'; p++) {
		t.n = t.n * 10 + (uint32_t)(*p - '0');
		if (t.n > THRESHOLD_MAX)
			return ERR_RANGE;
	}
	if (t.kind == THRESHOLD_SPARE && t.n == 0)
		return ERR_RANGE;
	*ret = t;
	return 0;
}

char *
threshold_format(const struct threshold *t, char *out)
{
	if (t->kind == THRESHOLD_UNSET)
		snprintf(out, THRESHOLD_TEXT, "max");
	else
		snprintf(out, THRESHOLD_TEXT, "%s%u",
		    t->kind == THRESHOLD_SPARE ? "-" : "", t->n);
	return out;
}

bool
threshold_equal(const struct threshold *a, const struct threshold *b)
{
	return a->kind == b->kind &&
	    (a->kind == THRESHOLD_UNSET || a->n == b->n);
}

uint32_t
threshold_effective(const struct threshold *t, uint32_t max_workers)
{
	uint32_t n = max_workers;

	if (t->kind == THRESHOLD_NUMBER)
		n = t->n;
	else if (t->kind == THRESHOLD_SPARE)
		n = max_workers > t->n ? max_workers - t->n : 1;
	return n < max_workers ? n : max_workers;
}

void
threshold_write(struct jw *w, const struct threshold *t)
{
	char text[THRESHOLD_TEXT];

	if (t->kind == THRESHOLD_NUMBER)
		jw_int(w, t->n);
	else if (t->kind == THRESHOLD_SPARE)
		jw_str(w, threshold_format(t, text));
	else
		jw_null(w);
}

int
threshold_read(const struct jval *v, struct threshold *ret)
{
	int64_t n;

	switch (jval_type(v)) {
	case JVAL_NULL:
		return threshold_parse("", ret);
	case JVAL_STRING:
		return threshold_parse(jval_str(v, ""), ret);
	case JVAL_INT:
		n = jval_int(v, -1);
		if (n < 0 || n > THRESHOLD_MAX)
			return ERR_RANGE;
		*ret = (struct threshold){ THRESHOLD_NUMBER, (uint32_t)n };
		return 0;
	default:
		return ERR_SYNTAX;
	}
}
