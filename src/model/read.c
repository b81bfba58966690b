/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading the JSON objects of a peer with a check on every member. */
#include "config.h"

#include <math.h>
#include <string.h>

#include "model/read.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"

/* A century: no length that is meant is longer, and it fits an int64_t. */
#define SECONDS_MAX 3.2e9

void
read_init(struct reader *r, const struct jval *v)
{
	r->v = v;
	r->err = jval_type(v) == JVAL_OBJECT ? 0 : ERR_SYNTAX;
}

void
read_fail(struct reader *r, int err)
{
	if (r->err == 0)
		r->err = err;
}

/* A member that is neither absent nor null; NULL also after a fault. */
static const struct jval *
present(struct reader *r, const char *key)
{
	const struct jval *v;

	if (r->err != 0)
		return NULL;
	v = jval_get(r->v, key);
	return jval_type(v) == JVAL_NULL ? NULL : v;
}

const struct jval *
read_get(struct reader *r, const char *key, enum jval_type type)
{
	const struct jval *v = present(r, key);

	if (v != NULL && jval_type(v) != type) {
		read_fail(r, ERR_SYNTAX);
		return NULL;
	}
	return v;
}

int64_t
read_int(struct reader *r, const char *key, int64_t min, int64_t max,
    int64_t def)
{
	const struct jval *v = read_get(r, key, JVAL_INT);
	int64_t n;

	if (v == NULL)
		return def;
	n = jval_int(v, def);
	if (n < min || n > max) {
		read_fail(r, ERR_RANGE);
		return def;
	}
	return n;
}

bool
read_bool(struct reader *r, const char *key)
{
	return jval_bool(read_get(r, key, JVAL_BOOL), false);
}

double
read_real(struct reader *r, const char *key)
{
	const struct jval *v = present(r, key);

	if (v == NULL)
		return 0;
	if (jval_type(v) != JVAL_INT && jval_type(v) != JVAL_REAL) {
		read_fail(r, ERR_SYNTAX);
		return 0;
	}
	return jval_real(v, 0);
}

int64_t
read_seconds(struct reader *r, const char *key, int64_t def)
{
	double s;

	if (present(r, key) == NULL)
		return def;
	s = read_real(r, key);
	if (!(s >= 0 && s <= SECONDS_MAX)) {
		read_fail(r, ERR_RANGE);
		return def;
	}
	return (int64_t)llround(s * (double)US_PER_S);
}

int64_t
read_time(struct reader *r, const char *key)
{
	const struct jval *v = read_get(r, key, JVAL_STRING);
	int64_t us = 0;

	if (v != NULL && clock_parse(jval_str(v, ""), &us) < 0)
		read_fail(r, ERR_SYNTAX);
	return us;
}

int
read_name(struct reader *r, const char *key, int (*parse)(const char *),
    int def)
{
	const struct jval *v = read_get(r, key, JVAL_STRING);
	int n;

	if (v == NULL)
		return def;
	n = parse(jval_str(v, ""));
	if (n < 0) {
		read_fail(r, ERR_SYNTAX);
		return def;
	}
	return n;
}

char *
read_text(struct reader *r, const char *key, size_t max)
{
	const char *s = jval_str(read_get(r, key, JVAL_STRING), NULL);

	if (s == NULL)
		return NULL;
	if (strlen(s) > max) {
		read_fail(r, ERR_TOO_LARGE);
		return NULL;
	}
	return str_dup(s);
}

char *
read_note(struct reader *r, const char *key)
{
	const char *s = jval_str(read_get(r, key, JVAL_STRING), NULL);

	return s == NULL ? NULL : str_ndup(s, READ_TEXT_MAX);
}

void
read_strings(struct reader *r, const char *key, struct strvec *out)
{
	const struct jval *v = read_get(r, key, JVAL_ARRAY);
	const char *s;
	size_t i, n = jval_count(v);

	for (i = 0; i < n; i++) {
		s = jval_str(jval_at(v, i), NULL);
		if (s == NULL || strlen(s) > READ_ARG_MAX) {
			read_fail(r, s == NULL ? ERR_SYNTAX : ERR_TOO_LARGE);
			return;
		}
		strvec_push(out, s);
	}
}

void
read_ident(struct reader *r, const char *key, unsigned parts,
    struct ident *out)
{
	const char *s = jval_str(read_get(r, key, JVAL_STRING), NULL);
	struct ident id;

	if (s == NULL || ident_parse(s, &id) < 0 ||
	    (parts >= 2) != (id.execution != 0) ||
	    (parts >= 3) != (id.attempt != 0)) {
		read_fail(r, ERR_SYNTAX);
		return;
	}
	*out = id;
}
