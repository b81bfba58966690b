/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading when something is to happen. */
#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/strvec.h"
#include "yardmaster/base/when.h"

#define BLANKS " \t"

static const char *const month_names[] = { "jan", "feb", "mar", "apr", "may",
	"jun", "jul", "aug", "sep", "oct", "nov", "dec", NULL };
static const char *const day_names[] = { "sun", "mon", "tue", "wed", "thu",
	"fri", "sat", NULL };

/* The five fields, in order. */
static const struct field {
	const char *name;
	unsigned min, max;
	const char *const *names;	/* of the values from min, or NULL */
} fields[] = {
	{ "minute", 0, 59, NULL },
	{ "hour", 0, 23, NULL },
	{ "day of the month", 1, 31, NULL },
	{ "month", 1, 12, month_names },
	{ "day of the week", 0, 7, day_names },
};

#define FIELDS (sizeof(fields) / sizeof(fields[0]))
enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY };

static bool
read_number(const char **p, unsigned *ret)
{
	unsigned n = 0;
	int digits = 0;

	for (; isdigit((unsigned char)**p) && digits < 4; (*p)++, digits++)
		n = n * 10 + (unsigned)(**p - '0');
	*ret = n;
	return digits > 0;
}

static bool
read_value(const struct field *f, const char **p, unsigned *ret)
{
	unsigned i;

	if (read_number(p, ret))
		return *ret >= f->min && *ret <= f->max;
	for (i = 0; f->names != NULL && f->names[i] != NULL; i++)
		if (strncasecmp(*p, f->names[i], 3) == 0) {
			*p += 3;
			*ret = f->min + i;
			return true;
		}
	return false;
}

/* "*", "4", "1-5", each but the second with a step, "/2". */
static bool
read_range(const struct field *f, const char **p, uint64_t *bits)
{
	unsigned from = f->min, to = f->max, step = 1, i;
	bool range = true;

	if (**p == '*') {
		(*p)++;
	} else {
		if (!read_value(f, p, &from))
			return false;
		to = from;
		range = **p == '-';
		if (range && (++*p, !read_value(f, p, &to)))
			return false;
	}
	if (**p == '/' && range && (++*p, !read_number(p, &step)))
		return false;
	if (from > to || step == 0)
		return false;
	for (i = from; i <= to; i += step)
		*bits |= UINT64_C(1) << i;
	return true;
}

static bool
read_field(const struct field *f, const char *text, uint64_t *ret)
{
	const char *p = text;

	*ret = 0;
	while (read_range(f, &p, ret)) {
		if (*p == '\0')
			return true;
		if (*p++ != ',')
			break;
	}
	return false;
}

static char *
field_error(const struct field *f, const char *text)
{
	return str_fmt("\"%s\" is no %s: %u to %u%s%s, with lists, ranges and "
	    "steps, as \"*\", \"%u,%u\", \"%u-%u\", \"*/2\"", text, f->name,
	    f->min, f->max, f->names != NULL ? " or " : "",
	    f->names == NULL ? "" : f->names == month_names ? "jan to dec" :
	    "sun to sat", f->min, f->min + 2, f->min, f->min + 4);
}

/* False for the 30th of February and its like. */
static bool
day_comes(const struct when *w)
{
	static const unsigned longest[] = { 0, 31, 29, 31, 30, 31, 30, 31, 31,
		30, 31, 30, 31 };
	unsigned m;

	for (m = 1; m <= 12; m++)
		if ((w->months & 1u << m) != 0 && (w->either ||
		    (w->days & ((UINT64_C(2) << longest[m]) - 1)) != 0))
			return true;
	return false;
}

static int
parse_cron(const struct strvec *words, struct when *ret, char **ret_error)
{
	struct when w = { .kind = WHEN_CRON };
	uint64_t bits[FIELDS];
	size_t i;

	for (i = 0; i < FIELDS; i++)
		if (!read_field(&fields[i], words->v[i], &bits[i])) {
			*ret_error = field_error(&fields[i], words->v[i]);
			return ERR_SYNTAX;
		}
	w.minutes = bits[MINUTE];
	w.hours = (uint32_t)bits[HOUR];
	w.days = (uint32_t)bits[DAY];
	w.months = (uint32_t)bits[MONTH];
	/* Sunday is 7 as well as 0. */
	w.weekdays = (uint32_t)((bits[WEEKDAY] | bits[WEEKDAY] >> 7) & 0x7f);
	w.either = words->v[DAY][0] != '*' && words->v[WEEKDAY][0] != '*';
	if (!day_comes(&w)) {
		*ret_error = str_dup("no month has such a day: it would never "
		    "come");
		return ERR_NOT_FOUND;
	}
	*ret = w;
	return 0;
}

static void
split(const char *text, struct strvec *out)
{
	size_t n;

	for (text += strspn(text, BLANKS); *text != '\0';
	    text += n, text += strspn(text, BLANKS)) {
		n = strcspn(text, BLANKS);
		strvec_push_owned(out, str_ndup(text, n));
	}
}

static bool
is_digits(const char *s, size_t n)
{
	while (n-- > 0)
		if (!isdigit((unsigned char)*s++))
			return false;
	return true;
}

static int
parse_after(const char *text, struct when *ret, char **ret_error)
{
	int64_t us;
	int r = duration_parse(text + 1, &us);

	if (r < 0) {
		*ret_error = str_fmt("\"%s\" is no duration, as \"+90s\", "
		    "\"+30m\", \"+1h30m\"", text);
		return r;
	}
	*ret = (struct when){ .kind = WHEN_AFTER, .us = us };
	return 0;
}

static int
parse_daily(const char *text, struct when *ret, char **ret_error)
{
	int h = (text[0] - '0') * 10 + text[1] - '0';
	int m = (text[3] - '0') * 10 + text[4] - '0';

	if (h > 23 || m > 59) {
		*ret_error = str_fmt("\"%s\" is no time of day: 00:00 to "
		    "23:59", text);
		return ERR_RANGE;
	}
	*ret = (struct when){ .kind = WHEN_DAILY,
		.us = (h * 60 + m) * 60 * US_PER_S };
	return 0;
}

static int
parse_other(const char *text, struct when *ret, char **ret_error)
{
	struct strvec words = STRVEC_INIT;
	int r = ERR_SYNTAX;

	split(text, &words);
	if (is_digits(text, 4) && text[4] == '-')
		*ret_error = str_fmt("\"%s\" is no instant with its offset "
		    "from UTC, as \"2026-12-02T02:30:00+01:00\"", text);
	else if (words.n == FIELDS)
		r = parse_cron(&words, ret, ret_error);
	else if (words.n > 1)
		*ret_error = str_fmt("\"%s\" has %zu fields; cron has five: "
		    "minute, hour, day of the month, month, day of the week",
		    text, words.n);
	else
		*ret_error = str_fmt("\"%s\" says no time", text);
	strvec_done(&words);
	return r;
}

int
when_parse(const char *text, struct when *ret, char **ret_error)
{
	int64_t us;

	if (clock_parse(text, &us) == 0) {
		*ret = (struct when){ .kind = WHEN_INSTANT, .us = us };
		return 0;
	}
	if (text[0] == '+')
		return parse_after(text, ret, ret_error);
	if (strlen(text) == 5 && is_digits(text, 2) && text[2] == ':' &&
	    is_digits(text + 3, 2))
		return parse_daily(text, ret, ret_error);
	return parse_other(text, ret, ret_error);
}
