/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The forms of values: one checker for each in a table, and the readers for
 * what passed.
 */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "plan/forms.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/size.h"
#include "yardmaster/base/text.h"

#define ENV_NAME_MAX 255

#define T(type) (1u << (type))
#define NUMBERS (T(JVAL_INT) | T(JVAL_REAL))

/* Reports only where there is somebody to tell. */
#define FAULT(c, ...) ((c) != NULL ? check_fault(c, __VA_ARGS__) : NULL)

static void
hint(struct diag *d, const char *text)
{
	if (d != NULL)
		diag_set_hint(d, "%s", text);
}

static bool
check_string(struct check *c, const struct key *k, const struct jval *v)
{
	if (jval_str(v, "")[0] != '\0')
		return true;
	FAULT(c, "an empty string");
	return false;
}

static bool
in_range(struct check *c, const struct key *k, double n)
{
	if (n >= (double)k->min && n <= (double)k->max)
		return true;
	FAULT(c, "%.15g is not between %" PRId64 " and %" PRId64, n, k->min,
	    k->max);
	return false;
}

static bool
check_number(struct check *c, const struct key *k, const struct jval *v)
{
	return in_range(c, k, jval_real(v, 0));
}

static bool
check_int_or_string(struct check *c, const struct key *k,
    const struct jval *v)
{
	return jval_type(v) == JVAL_STRING ? check_string(c, k, v) :
	    check_number(c, k, v);
}

static int
read_duration(const struct jval *v, int64_t *ret_us)
{
	double s = jval_real(v, -1);

	if (jval_type(v) == JVAL_STRING)
		return duration_parse(jval_str(v, ""), ret_us);
	if (!(s >= 0 && s <= 1e9))
		return -1;
	*ret_us = (int64_t)(s * (double)US_PER_S);
	return 0;
}

static bool
check_duration(struct check *c, const struct key *k, const struct jval *v)
{
	struct diag *d;
	int64_t us;

	if (read_duration(v, &us) < 0) {
		if (jval_type(v) == JVAL_STRING)
			d = FAULT(c, "\"%s\" is not a duration",
			    jval_str(v, ""));
		else
			d = FAULT(c, "%g is not a duration",
			    jval_real(v, 0));
		hint(d, "as \"500ms\", \"90s\", \"10m\", \"1h30m\"");
		return false;
	}
	return in_range(c, k, (double)us / (double)US_PER_S);
}

/* "64M", "1.5G", "2TiB" or bytes. */
static int
read_size(const struct jval *v, int64_t *ret)
{
	double n = jval_real(v, -1);
	uint64_t bytes;
	int r;

	if (jval_type(v) == JVAL_STRING) {
		if ((r = size_parse(jval_str(v, ""), &bytes)) < 0)
			return r;
		*ret = (int64_t)bytes;
		return 0;
	}
	if (!(n >= 0 && n < 1e18))
		return ERR_RANGE;
	*ret = (int64_t)n;
	return 0;
}

static bool
check_size(struct check *c, const struct key *k, const struct jval *v)
{
	int64_t n;

	if (read_size(v, &n) == 0)
		return true;
	hint(FAULT(c, "not a size"), "as \"64M\", \"1.5G\" or bytes");
	return false;
}

static int
find_choice(const char *s, const char *const *choices)
{
	int i;

	for (i = 0; choices[i] != NULL; i++)
		if (strcmp(choices[i], s) == 0)
			return i;
	return -1;
}

static bool
check_choice(struct check *c, const struct key *k, const struct jval *v)
{
	const char *s = jval_str(v, ""), *near;
	struct buf b = BUF_INIT;
	struct diag *d;
	size_t i;

	if (find_choice(s, k->choices) >= 0)
		return true;
	if (c == NULL)
		return false;
	for (i = 0; k->choices[i] != NULL; i++)
		buf_putf(&b, "%s%s", i == 0 ? "" :
		    k->choices[i + 1] == NULL ? " or " : ", ", k->choices[i]);
	d = check_fault(c, "\"%s\" is not one of %s", s, buf_str(&b));
	near = text_nearest(s, k->choices, 2);
	check_did_you_mean(d, near);
	buf_done(&b);
	return false;
}

static bool
check_strings(struct check *c, const struct key *k, const struct jval *v)
{
	size_t i, mark = 0, n = jval_count(v);
	bool ok = true;

	for (i = 0; i < n; i++) {
		if (jval_type(jval_at(v, i)) == JVAL_STRING)
			continue;
		ok = false;
		if (c == NULL)
			break;
		mark = check_index(c, i);
		check_fault(c, "a string is expected, not %s",
		    jval_type_name(jval_type(jval_at(v, i))));
		check_back(c, mark);
	}
	return ok;
}

static bool
check_argv(struct check *c, const struct key *k, const struct jval *v)
{
	if (!check_strings(c, k, v))
		return false;
	if (jval_str(jval_at(v, 0), "")[0] != '\0')
		return true;
	FAULT(c, "no program: the first string names it");
	return false;
}

static bool
is_env_name(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789_");

	return n >= 1 && n <= ENV_NAME_MAX && s[n] == '\0' &&
	    !(*s >= '0' && *s <= '9');
}

static bool
check_env_member(struct check *c, const char *name, const struct jval *v)
{
	char *text = value_text(v);
	bool scalar = text != NULL;

	free(text);
	if (!is_env_name(name))
		hint(FAULT(c, "\"%s\" is not a name of a variable", name),
		    "letters, digits and _");
	else if (strncmp(name, "YARDMASTER_", 11) == 0)
		FAULT(c, "names that begin with YARDMASTER_ are set by "
		    "yardmaster");
	else if (!scalar)
		FAULT(c, "a string is expected, not %s",
		    jval_type_name(jval_type(v)));
	else
		return true;
	return false;
}

static bool
check_env(struct check *c, const struct key *k, const struct jval *v)
{
	size_t i, mark = 0, n = jval_count(v);
	bool ok = true;

	for (i = 0; i < n; i++) {
		if (c != NULL)
			mark = check_key(c, jval_key_at(v, i));
		ok &= check_env_member(c, jval_key_at(v, i),
		    jval_value_at(v, i));
		if (c != NULL)
			check_back(c, mark);
	}
	return ok;
}

static const struct {
	unsigned types;		/* of JSON that are taken */
	bool (*check)(struct check *c, const struct key *k,
	    const struct jval *v);
} forms[FORMS] = {
	[FORM_STRING] = { T(JVAL_STRING), check_string },
	[FORM_BOOL] = { T(JVAL_BOOL), NULL },
	[FORM_INT] = { T(JVAL_INT), check_number },
	[FORM_REAL] = { NUMBERS, check_number },
	[FORM_DURATION] = { T(JVAL_STRING) | NUMBERS, check_duration },
	[FORM_SIZE] = { T(JVAL_STRING) | NUMBERS, check_size },
	[FORM_CHOICE] = { T(JVAL_STRING), check_choice },
	[FORM_STRINGS] = { T(JVAL_ARRAY), check_strings },
	[FORM_ARGV] = { T(JVAL_ARRAY), check_argv },
	[FORM_ENV] = { T(JVAL_OBJECT), check_env },
	[FORM_ARRAY] = { T(JVAL_ARRAY), NULL },
	[FORM_OBJECT] = { T(JVAL_OBJECT), NULL },
	[FORM_STRING_OR_OBJECT] = { T(JVAL_STRING) | T(JVAL_OBJECT), NULL },
	[FORM_ARRAY_OR_OBJECT] = { T(JVAL_ARRAY) | T(JVAL_OBJECT), NULL },
	[FORM_INT_OR_STRING] = { T(JVAL_INT) | T(JVAL_STRING),
	    check_int_or_string },
};

bool
form_check(struct check *c, const struct key *k, const struct jval *v)
{
	if ((forms[k->form].types & T(jval_type(v))) == 0) {
		FAULT(c, "%s is expected, not %s", form_name(k->form),
		    jval_type_name(jval_type(v)));
		return false;
	}
	return forms[k->form].check == NULL || forms[k->form].check(c, k, v);
}

int64_t
value_duration_us(const struct jval *v)
{
	int64_t us = 0;

	read_duration(v, &us);
	return us;
}

int64_t
value_size(const struct jval *v)
{
	int64_t n = 0;

	read_size(v, &n);
	return n;
}

int
value_choice(const struct jval *v, const struct key *k)
{
	return find_choice(jval_str(v, ""), k->choices);
}

void
value_strings(const struct jval *v, struct strvec *out)
{
	size_t i, n = jval_count(v);

	for (i = 0; i < n; i++)
		strvec_push(out, jval_str(jval_at(v, i), ""));
}

void
value_env(const struct jval *v, struct strvec *out)
{
	size_t i, n = jval_count(v);
	char *text;

	for (i = 0; i < n; i++) {
		text = value_text(jval_value_at(v, i));
		strvec_setenv(out, jval_key_at(v, i), text);
		free(text);
	}
}

char *
value_text(const struct jval *v)
{
	struct buf b = BUF_INIT;

	switch (jval_type(v)) {
	case JVAL_STRING:
		return str_dup(jval_str(v, ""));
	case JVAL_INT:
	case JVAL_REAL:
	case JVAL_BOOL:
		jval_print(v, &b);
		return buf_steal(&b);
	default:
		return NULL;
	}
}
