/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which instants come of a time as it was written. Civil seconds are a date
 * and a time of day counted as if there were no zones; the zone is asked for
 * its offset only, at instants, so that both sides of a change are told apart
 * whatever mktime() would choose.
 */
#include "config.h"

#include <stddef.h>
#include <stdio.h>
#include <time.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/when.h"

#define MINUTE_S INT64_C(60)
#define HOUR_S INT64_C(3600)
#define DAY_S INT64_C(86400)
/* February 29 on a given weekday may be so far away, over a year 2100. */
#define DAYS_MAX (40 * 366)
/* No zone is put back further at once. */
#define SHIFT_MAX_S (3 * HOUR_S)

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int64_t
floor_mod(int64_t a, int64_t b)
{
	return a - floor_div(a, b) * b;
}

/* Seconds that local time is ahead of UTC at an instant. */
static int64_t
offset_at(int64_t s)
{
	time_t t = (time_t)s;
	struct tm tm;

	return localtime_r(&t, &tm) != NULL ? tm.tm_gmtoff : 0;
}

static int64_t
civil_at(int64_t s)
{
	return s + offset_at(s);
}

/* The first instant at which clocks show civil, or the end of the gap that it
 * is in: no zone changes twice within these two days. */
static int64_t
instant_of(int64_t civil)
{
	int64_t lo = civil - DAY_S, hi = civil + DAY_S, mid;
	int64_t before = offset_at(lo), after = offset_at(hi);

	if (offset_at(civil - before) == before)
		return civil - before;
	if (offset_at(civil - after) == after)
		return civil - after;
	while (hi - lo > 1) {
		mid = lo + (hi - lo) / 2;
		if (offset_at(mid) == before)
			lo = mid;
		else
			hi = mid;
	}
	return hi;
}

static bool
has(uint64_t bits, int64_t i)
{
	return (bits >> i & 1) != 0;
}

static bool
day_matches(const struct when *w, int64_t day)
{
	time_t t = (time_t)(day * DAY_S);
	bool month_day, weekday;
	struct tm tm;

	if (w->kind == WHEN_DAILY)
		return true;
	if (gmtime_r(&t, &tm) == NULL || !has(w->months, tm.tm_mon + 1))
		return false;
	month_day = has(w->days, tm.tm_mday);
	weekday = has(w->weekdays, tm.tm_wday);
	return w->either ? month_day || weekday : month_day && weekday;
}

static bool
minute_matches(const struct when *w, int64_t minute)
{
	if (w->kind == WHEN_DAILY)
		return minute == w->us / US_PER_S / MINUTE_S;
	return has(w->hours, minute / 60) && has(w->minutes, minute % 60);
}

/* The first of a day after an instant; CLOCK_NEVER when there is none. */
static int64_t
next_of_day(const struct when *w, int64_t day, int64_t after)
{
	int64_t least = civil_at(after) - SHIFT_MAX_S, civil, m, s;

	for (m = 0; m < DAY_S / MINUTE_S; m++) {
		civil = day * DAY_S + m * MINUTE_S;
		if (civil < least || !minute_matches(w, m))
			continue;
		if ((s = instant_of(civil)) > after)
			return s;
	}
	return CLOCK_NEVER;
}

/* By what clocks show. */
static int64_t
next_shown(const struct when *w, int64_t after)
{
	int64_t first = floor_div(civil_at(after), DAY_S), i;
	int64_t s = CLOCK_NEVER;

	for (i = 0; i <= DAYS_MAX && s == CLOCK_NEVER; i++)
		if (day_matches(w, first + i))
			s = next_of_day(w, first + i, after);
	return s;
}

/* By real hours: every minute that matches, however often it is shown. */
static int64_t
next_real(const struct when *w, int64_t after)
{
	int64_t s = after + MINUTE_S - floor_mod(civil_at(after), MINUTE_S);
	int64_t civil, begin;
	int i;

	for (i = 0; i <= DAYS_MAX * 2; i++) {
		civil = civil_at(s);
		if (!day_matches(w, floor_div(civil, DAY_S))) {
			begin = instant_of((floor_div(civil, DAY_S) + 1) *
			    DAY_S);
			s = begin > s ? begin : s + HOUR_S;
			continue;
		}
		do {
			if (has(w->minutes, floor_mod(floor_div(civil,
			    MINUTE_S), 60)))
				return s;
			s += MINUTE_S;
			civil = civil_at(s);
		} while (floor_mod(civil, HOUR_S) >= MINUTE_S);
	}
	return CLOCK_NEVER;
}

int64_t
when_next(const struct when *w, int64_t after_us)
{
	int64_t after = floor_div(after_us, US_PER_S), s;

	if (w->kind == WHEN_INSTANT || w->kind == WHEN_AFTER)
		return CLOCK_NEVER;
	tzset();
	s = w->kind == WHEN_CRON && w->hours == 0xffffff ?
	    next_real(w, after) : next_shown(w, after);
	return s == CLOCK_NEVER ? s : s * US_PER_S;
}

int64_t
when_first(const struct when *w, int64_t from_us)
{
	if (w->kind == WHEN_INSTANT)
		return w->us;
	return w->kind == WHEN_AFTER ? from_us + w->us :
	    when_next(w, from_us - 1);
}

char *
when_format(int64_t wall_us, char *out)
{
	time_t t = (time_t)floor_div(wall_us, US_PER_S);
	char zone[16] = "";
	struct tm tm;

	tzset();
	if (localtime_r(&t, &tm) == NULL || tm.tm_year > 9999 - 1900)
		return clock_format(wall_us, out);
	strftime(out, WHEN_TEXT, tm.tm_sec == 0 ? "%Y-%m-%d %H:%M " :
	    "%Y-%m-%d %H:%M:%S ", &tm);
	if (strftime(zone, sizeof zone, "%Z", &tm) > 0)
		snprintf(out + 17 + (tm.tm_sec != 0 ? 3 : 0), sizeof zone,
		    "%s", zone);
	return out;
}
