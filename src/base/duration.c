/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lengths of time as people write and read them (part of clock.h). */
#include "config.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"

#define MINUTE_S 60
#define HOUR_S 3600
#define DAY_S 86400
#define DURATION_MAX_US (INT64_C(3660) * DAY_S * US_PER_S)

/* Longest first: parts of one duration have to come in this order. */
static const struct unit {
	const char *name;
	int64_t us;
} units[] = {
	{ "d", DAY_S * US_PER_S },
	{ "h", HOUR_S * US_PER_S },
	{ "ms", US_PER_MS },		/* before "m", which begins alike */
	{ "m", MINUTE_S * US_PER_S },
	{ "s", US_PER_S },
};

static const struct unit *
find_unit(const char *p)
{
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strncmp(p, units[i].name, strlen(units[i].name)) == 0)
			return &units[i];
	return NULL;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Reads "12" or "1.5" as whole and millionths. Decimals after the sixth are
 * dropped. */
static int
parse_number(const char **p, int64_t *ret_whole, int64_t *ret_millionths)
{
	int64_t whole = 0, part = 0, unit = 100000;
	const char *s = *p;

	if (!is_digit(*s))
		return ERR_SYNTAX;
	for (; is_digit(*s); s++) {
		whole = whole * 10 + (*s - '0');
		if (whole > DURATION_MAX_US / US_PER_MS)
			return ERR_RANGE;
	}
	if (*s == '.') {
		if (!is_digit(*++s))
			return ERR_SYNTAX;
		for (; is_digit(*s); s++, unit /= 10)
			part += (*s - '0') * unit;
	}
	*p = s;
	*ret_whole = whole;
	*ret_millionths = part;
	return 0;
}

static int
add_part(int64_t *total_us, int64_t unit_us, int64_t whole, int64_t millionths)
{
	if (whole > DURATION_MAX_US / unit_us)
		return ERR_RANGE;
	*total_us += whole * unit_us + millionths * (unit_us / 1000) / 1000;
	return *total_us > DURATION_MAX_US ? ERR_RANGE : 0;
}

int
duration_parse(const char *text, int64_t *ret_us)
{
	int64_t total_us = 0, last_us = INT64_MAX, whole, millionths;
	const struct unit *u;
	const char *p = text;
	int r;

	if (*p == '-' && is_digit(p[1]))
		return ERR_RANGE;
	do {
		if ((r = parse_number(&p, &whole, &millionths)) < 0)
			return r;
		if (*p == '\0' && last_us == INT64_MAX) {
			r = add_part(&total_us, US_PER_S, whole, millionths);
			break;
		}
		u = find_unit(p);
		if (u == NULL || u->us >= last_us)
			return ERR_SYNTAX;
		p += strlen(u->name);
		last_us = u->us;
		r = add_part(&total_us, u->us, whole, millionths);
	} while (r == 0 && *p != '\0');
	if (r < 0)
		return r;
	*ret_us = total_us;
	return 0;
}

/* Seconds that fit the formats below. */
static int64_t
clamp_s(int64_t us)
{
	int64_t s = us / US_PER_S;

	return s < 0 ? 0 : s > 9999 * (int64_t)DAY_S ? 9999 * (int64_t)DAY_S :
	    s;
}

char *
duration_format(int64_t us, char *out)
{
	int64_t s = clamp_s(us);

	if (s < 10)
		snprintf(out, DURATION_TEXT, "%d.%ds", (int)s,
		    us < 0 ? 0 : (int)(us % US_PER_S / (US_PER_S / 10)));
	else if (s < MINUTE_S)
		snprintf(out, DURATION_TEXT, "%ds", (int)s);
	else if (s < HOUR_S)
		snprintf(out, DURATION_TEXT, "%dm%02ds", (int)(s / MINUTE_S),
		    (int)(s % MINUTE_S));
	else if (s < DAY_S)
		snprintf(out, DURATION_TEXT, "%dh%02dm", (int)(s / HOUR_S),
		    (int)(s % HOUR_S / MINUTE_S));
	else if (s < 1000 * (int64_t)DAY_S)
		snprintf(out, DURATION_TEXT, "%dd%02dh", (int)(s / DAY_S),
		    (int)(s % DAY_S / HOUR_S));
	else
		snprintf(out, DURATION_TEXT, "%dd", (int)(s / DAY_S));
	return out;
}

char *
duration_coarse(int64_t us, char *out)
{
	static const struct {
		int64_t below_s;
		int64_t unit_s;
		char name;
	} steps[] = {
		{ MINUTE_S, 1, 's' },
		{ HOUR_S, MINUTE_S, 'm' },
		{ DAY_S, HOUR_S, 'h' },
		{ INT64_MAX, DAY_S, 'd' },
	};
	int64_t s = clamp_s(us);
	size_t i = 0;

	while (s >= steps[i].below_s)
		i++;
	snprintf(out, DURATION_TEXT, "%d%c", (int)(s / steps[i].unit_s),
	    steps[i].name);
	return out;
}
