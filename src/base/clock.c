/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Time: the two clocks (replaceable, for tests) and wall time as text. */
#include "config.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"

#define DAY_S INT64_C(86400)

static struct {
	int64_t (*mono_us)(void);
	int64_t (*wall_us)(void);
} source;

static int64_t
read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

int64_t
clock_mono_us(void)
{
	return source.mono_us != NULL ? source.mono_us() :
	    read_clock(CLOCK_BOOTTIME);
}

int64_t
clock_wall_us(void)
{
	return source.wall_us != NULL ? source.wall_us() :
	    read_clock(CLOCK_REALTIME);
}

int64_t
clock_cpu_us(void)
{
	return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

void
clock_set_source(int64_t (*mono_us)(void), int64_t (*wall_us)(void))
{
	source.mono_us = mono_us;
	source.wall_us = wall_us;
}

char *
clock_format(int64_t wall_us, char *out)
{
	int64_t s = wall_us / US_PER_S, us = wall_us % US_PER_S;
	struct tm tm;
	time_t t;

	if (us < 0) {
		us += US_PER_S;
		s--;
	}
	t = (time_t)s;
	if (gmtime_r(&t, &tm) == NULL || tm.tm_year > 9999 - 1900 ||
	    tm.tm_year < -1900) {
		snprintf(out, CLOCK_TEXT, "%s", s < 0 ?
		    "0000-01-01T00:00:00.000Z" : "9999-12-31T23:59:59.999Z");
		return out;
	}
	snprintf(out, CLOCK_TEXT, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
	    (unsigned)(tm.tm_year + 1900) % 10000u,
	    (unsigned)(tm.tm_mon + 1) % 100u, (unsigned)tm.tm_mday % 100u,
	    (unsigned)tm.tm_hour % 100u, (unsigned)tm.tm_min % 100u,
	    (unsigned)tm.tm_sec % 100u, (unsigned)(us / 1000) % 1000u);
	return out;
}

/* Reads exactly n digits, moving *p behind them; -1 when there are fewer. */
static int
digits(const char **p, int n)
{
	int value = 0;

	for (; n > 0; n--, (*p)++) {
		if (**p < '0' || **p > '9')
			return -1;
		value = value * 10 + (**p - '0');
	}
	return value;
}

static bool
skip(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

/* Days from 1970-01-01 to the given day of the Gregorian calendar. */
static int64_t
days_of(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 +
	    day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 +
	    of_year - 719468;
}

static bool
day_exists(int year, int month, int day)
{
	static const int length[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
		30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	if (month < 1 || month > 12 || day < 1)
		return false;
	return day <= length[month - 1] + (month == 2 && leap);
}

static int
parse_date(const char **p, int64_t *ret_days)
{
	int year, month, day;

	year = digits(p, 4);
	if (year < 0 || !skip(p, '-'))
		return ERR_SYNTAX;
	month = digits(p, 2);
	if (month < 0 || !skip(p, '-'))
		return ERR_SYNTAX;
	day = digits(p, 2);
	if (!day_exists(year, month, day))
		return ERR_SYNTAX;
	*ret_days = days_of(year, month, day);
	return 0;
}

static int
parse_time(const char **p, int64_t *ret_us)
{
	int hour, minute, second;
	int64_t us = 0, unit = US_PER_S / 10;

	hour = digits(p, 2);
	if (hour < 0 || hour > 23 || !skip(p, ':'))
		return ERR_SYNTAX;
	minute = digits(p, 2);
	if (minute < 0 || minute > 59 || !skip(p, ':'))
		return ERR_SYNTAX;
	second = digits(p, 2);
	if (second < 0 || second > 60)	/* 60: a leap second */
		return ERR_SYNTAX;
	if (skip(p, '.')) {
		if (!isdigit((unsigned char)**p))
			return ERR_SYNTAX;
		for (; isdigit((unsigned char)**p); (*p)++, unit /= 10)
			us += (**p - '0') * unit;
	}
	*ret_us = ((int64_t)hour * 3600 + minute * 60 + second) * US_PER_S +
	    us;
	return 0;
}

static int
parse_zone(const char **p, int64_t *ret_us)
{
	int sign, hour, minute;

	if (skip(p, 'Z') || skip(p, 'z')) {
		*ret_us = 0;
		return 0;
	}
	sign = **p == '+' ? 1 : **p == '-' ? -1 : 0;
	if (sign == 0)
		return ERR_SYNTAX;
	(*p)++;
	hour = digits(p, 2);
	if (hour < 0 || hour > 23 || !skip(p, ':'))
		return ERR_SYNTAX;
	minute = digits(p, 2);
	if (minute < 0 || minute > 59)
		return ERR_SYNTAX;
	*ret_us = sign * ((int64_t)hour * 3600 + minute * 60) * US_PER_S;
	return 0;
}

int
clock_parse(const char *text, int64_t *ret_wall_us)
{
	const char *p = text;
	int64_t days, us, zone_us;
	int r;

	if ((r = parse_date(&p, &days)) < 0)
		return r;
	if (!skip(&p, 'T') && !skip(&p, 't') && !skip(&p, ' '))
		return ERR_SYNTAX;
	if ((r = parse_time(&p, &us)) < 0)
		return r;
	if ((r = parse_zone(&p, &zone_us)) < 0)
		return r;
	if (*p != '\0')
		return ERR_SYNTAX;
	*ret_wall_us = days * DAY_S * US_PER_S + us - zone_us;
	return 0;
}
