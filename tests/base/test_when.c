/* SPDX-License-Identifier: GPL-3.0-or-later */
/* when.h: what may be written, and which instants come of it. */
#include "../lib/check.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/when.h"

#define CET "CET-1CEST,M3.5.0,M10.5.0/3"
#define HOWE "LHST-10:30LHDT-11,M10.1.0,M4.1.0"
#define BRASIL "BRT3BRST,M10.3.0/0,M2.3.0/0"
#define NEXT_MAX 7

static void
set_zone(const char *tz)
{
	setenv("TZ", tz, 1);
	tzset();
}

static int64_t
at(const char *text)
{
	int64_t us;

	assert_int_equal(clock_parse(text, &us), 0);
	return us;
}

static void
parse(const char *text, struct when *w)
{
	char *error = NULL;

	if (when_parse(text, w, &error) < 0)
		fail_msg("%s: %s", text, error);
}

/* The first from an instant on, then those that follow. */
static const struct {
	const char *tz, *text, *from, *next[NEXT_MAX];
} rows[] = {
	{ "UTC", "30 2 * * *", "2026-12-01T02:30:00Z", {
	    "2026-12-01T02:30:00Z", "2026-12-02T02:30:00Z" } },
	{ "UTC", "30 2 * * *", "2026-12-01T02:30:00.000001Z", {
	    "2026-12-02T02:30:00Z" } },
	{ "UTC", "*/20 8-9,23 * * *", "2026-12-01T08:21:00Z", {
	    "2026-12-01T08:40:00Z", "2026-12-01T09:00:00Z",
	    "2026-12-01T09:20:00Z", "2026-12-01T09:40:00Z",
	    "2026-12-01T23:00:00Z", "2026-12-01T23:20:00Z" } },
	{ "UTC", "0,59 * 31 * *", "2026-11-30T00:00:00Z", {
	    "2026-12-31T00:00:00Z", "2026-12-31T00:59:00Z",
	    "2026-12-31T01:00:00Z" } },
	/* both days restricted: either will do; with a "*" both must */
	{ "UTC", "0 12 13 * fri", "2026-11-28T00:00:00Z", {
	    "2026-12-04T12:00:00Z", "2026-12-11T12:00:00Z",
	    "2026-12-13T12:00:00Z", "2026-12-18T12:00:00Z" } },
	{ "UTC", "0 12 */2 * MON", "2026-11-01T00:00:00Z", {
	    "2026-11-09T12:00:00Z", "2026-11-23T12:00:00Z",
	    "2026-12-07T12:00:00Z", "2026-12-21T12:00:00Z" } },
	{ "UTC", "0 0 1 jan,Jul *", "2026-12-01T00:00:00Z", {
	    "2027-01-01T00:00:00Z", "2027-07-01T00:00:00Z" } },
	{ "UTC", "0 0 * * 6-7", "2026-12-01T00:00:00Z", {
	    "2026-12-05T00:00:00Z", "2026-12-06T00:00:00Z",
	    "2026-12-12T00:00:00Z" } },
	{ "UTC", "0 0 * * sun", "2026-12-01T00:00:00Z", {
	    "2026-12-06T00:00:00Z", "2026-12-13T00:00:00Z" } },
	/* leap days, also over a century without one */
	{ "UTC", "0 0 29 2 *", "2026-12-01T00:00:00Z", {
	    "2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z" } },
	{ "UTC", "0 0 29 feb *", "2096-03-01T00:00:00Z", {
	    "2104-02-29T00:00:00Z" } },
	/* on a weekday as well */
	{ "UTC", "0 0 29 2 */7", "2088-03-01T00:00:00Z", {
	    "2128-02-29T00:00:00Z" } },
	{ "UTC", "30 * * * *", "1969-12-31T23:45:00Z", {
	    "1970-01-01T00:30:00Z" } },
	/* a gap from 2 to 3, then the hour from 2 to 3 twice */
	{ CET, "30 2 * * *", "2026-03-28T00:00:00Z", {
	    "2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00",
	    "2026-03-30T02:30:00+02:00" } },
	{ CET, "*/30 1-3 * * *", "2026-03-29T00:30:00+01:00", {
	    "2026-03-29T01:00:00+01:00", "2026-03-29T01:30:00+01:00",
	    "2026-03-29T03:00:00+02:00", "2026-03-29T03:30:00+02:00",
	    "2026-03-30T01:00:00+02:00" } },
	{ CET, "02:30", "2026-10-24T00:00:00Z", {
	    "2026-10-24T02:30:00+02:00", "2026-10-25T02:30:00+02:00",
	    "2026-10-26T02:30:00+01:00" } },
	/* from within the second time: it has been */
	{ CET, "02:30", "2026-10-25T02:10:00+01:00", {
	    "2026-10-26T02:30:00+01:00" } },
	/* every hour is every real hour */
	{ CET, "30 * * * *", "2026-10-25T00:00:00Z", {
	    "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00",
	    "2026-10-25T03:30:00+01:00" } },
	{ CET, "30 * * * *", "2026-03-29T01:00:00+01:00", {
	    "2026-03-29T01:30:00+01:00", "2026-03-29T03:30:00+02:00" } },
	{ HOWE, "15 2 4 10 *", "2026-06-01T00:00:00Z", {
	    "2026-10-04T02:30:00+11:00", "2027-10-04T02:15:00+11:00" } },
	{ HOWE, "45 1 5 4 *", "2026-01-01T00:00:00Z", {
	    "2026-04-05T01:45:00+11:00", "2027-04-05T01:45:00+10:30" } },
	{ BRASIL, "00:00", "2026-10-17T12:00:00Z", {
	    "2026-10-18T01:00:00-02:00", "2026-10-19T00:00:00-02:00" } },
};

static void
test_next(void **state)
{
	char got[CLOCK_TEXT], want[CLOCK_TEXT];
	struct when w;
	int64_t us;
	size_t i, k;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		set_zone(rows[i].tz);
		parse(rows[i].text, &w);
		us = when_first(&w, at(rows[i].from));
		for (k = 0; k < NEXT_MAX && rows[i].next[k] != NULL; k++) {
			clock_format(us, got);
			clock_format(at(rows[i].next[k]), want);
			if (strcmp(got, want) != 0)
				fail_msg("%s in %s: %s, not %s", rows[i].text,
				    rows[i].tz, got, want);
			us = when_next(&w, us);
		}
	}
}

/* However it is asked, instants only go on, and each is asked for alike. */
static void
test_order(void **state)
{
	static const char *const texts[] = { "*/7 * * * *", "*/7 0-22 * * *",
		"0 0 * * *", "59 1-3 * mar,oct sun", "02:30" };
	int64_t us, next, from;
	struct when w;
	size_t i;
	int k;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		set_zone(CET);
		parse(texts[i], &w);
		us = when_first(&w, at("2026-03-20T00:00:00Z"));
		for (k = 0; k < 1500; k++) {
			next = when_next(&w, us);
			assert_true(next > us);
			from = us + (next - us) / 3 + 1;
			assert_true(when_first(&w, from) == next);
			us = next;
		}
	}
}

static void
test_once(void **state)
{
	int64_t now = at("2026-12-01T12:00:00Z");
	struct when w;

	parse("2026-12-02T02:30:00+01:00", &w);
	assert_int_equal(w.kind, WHEN_INSTANT);
	assert_true(when_first(&w, now) == at("2026-12-02T01:30:00Z"));
	assert_true(when_first(&w, now + w.us) == w.us);
	assert_true(when_next(&w, now) == CLOCK_NEVER);
	parse("+1h30m", &w);
	assert_true(when_first(&w, now) == at("2026-12-01T13:30:00Z"));
	assert_true(when_next(&w, now) == CLOCK_NEVER);
}

static void
test_bad(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *says;
	} bad[] = {
		{ "", ERR_SYNTAX, "says no time" },
		{ "soon", ERR_SYNTAX, "\"soon\" says no time" },
		{ "2:30", ERR_SYNTAX, "says no time" },
		{ "24:00", ERR_RANGE, "00:00 to 23:59" },
		{ "12:60", ERR_RANGE, "00:00 to 23:59" },
		{ "+", ERR_SYNTAX, "is no duration" },
		{ "+5 minutes", ERR_SYNTAX, "is no duration" },
		{ "+20000d", ERR_RANGE, "is no duration" },
		{ "2026-12-02T02:30:00", ERR_SYNTAX, "offset from UTC" },
		{ "2026-02-30T00:00:00Z", ERR_SYNTAX, "is no instant" },
		{ "* * * *", ERR_SYNTAX, "has 4 fields; cron has five" },
		{ "60 * * * *", ERR_SYNTAX, "\"60\" is no minute: 0 to 59" },
		{ "* 24 * * *", ERR_SYNTAX, "is no hour" },
		{ "* * 0 * *", ERR_SYNTAX, "is no day of the month" },
		{ "* * * 13 *", ERR_SYNTAX, "is no month: 1 to 12 or jan to "
		    "dec" },
		{ "* * * * 8", ERR_SYNTAX, "is no day of the week" },
		{ "* * * * fri-mon", ERR_SYNTAX, "is no day of the week" },
		{ "*/0 * * * *", ERR_SYNTAX, "is no minute" },
		{ "5/2 * * * *", ERR_SYNTAX, "is no minute" },
		{ "1,,2 * * * *", ERR_SYNTAX, "is no minute" },
		{ "1- * * * *", ERR_SYNTAX, "is no minute" },
		{ "99999999999 * * * *", ERR_SYNTAX, "is no minute" },
		{ "0 0 30 2 *", ERR_NOT_FOUND, "would never come" },
		{ "0 0 31 4,6,sep,11 *", ERR_NOT_FOUND, "would never come" },
	};
	struct when w;
	char *error;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		error = NULL;
		assert_int_equal(when_parse(bad[i].text, &w, &error),
		    bad[i].code);
		if (strstr(error, bad[i].says) == NULL)
			fail_msg("%s: %s", bad[i].text, error);
		free(error);
	}
	/* With a weekday the 30th of February is no condition. */
	parse("0 0 30 2 mon", &w);
}

static void
test_text(void **state)
{
	char out[WHEN_TEXT];

	set_zone(CET);
	assert_string_equal(when_format(at("2026-12-02T01:30:00.9Z"), out),
	    "2026-12-02 02:30 CET");
	assert_string_equal(when_format(at("2026-07-02T01:30:09Z"), out),
	    "2026-07-02 03:30:09 CEST");
	assert_string_equal(when_format(CLOCK_NEVER, out),
	    "9999-12-31T23:59:59.999Z");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
