/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When something is to happen, as a person writes it, and the instants that
 * come of it in the local time zone. A local time that does not exist counts
 * as the first instant after the gap; one that exists twice counts once, the
 * first time. Cron lines whose hour is "*" go by real hours instead: they
 * leave a gap out and run in both hours of one that is repeated.
 */
#ifndef YARDMASTER_BASE_WHEN_H
#define YARDMASTER_BASE_WHEN_H

#include <stdbool.h>
#include <stdint.h>

enum when_kind {
	WHEN_INSTANT,		/* "2026-12-02T02:30:00+01:00", RFC 3339 */
	WHEN_AFTER,		/* "+30m" */
	WHEN_DAILY,		/* "02:30" */
	WHEN_CRON,		/* "30 2 * * mon-fri" */
};

struct when {
	enum when_kind kind;
	int64_t us;		/* the instant; how long after; of the day */
	uint64_t minutes;	/* of WHEN_CRON, a bit each: from 0 */
	uint32_t hours;		/* from 0 */
	uint32_t days;		/* of the month, from 1 */
	uint32_t months;	/* from 1 */
	uint32_t weekdays;	/* from 0, a Sunday */
	bool either;		/* day or weekday; else both must match */
};

/* What may be written, for people. */
#define WHEN_FORMS "as \"2026-12-02T02:30:00+01:00\", \"02:30\", \"+30m\" " \
	"or five fields of cron, \"30 2 * * mon-fri\""

/*
 * Reads text. 0; ERR_SYNTAX, ERR_RANGE, or ERR_NOT_FOUND for a day that never
 * comes (February 30), with a text for people in *ret_error (the caller's).
 */
int when_parse(const char *text, struct when *ret, char **ret_error);

/* The first instant that is not before from_us; of WHEN_AFTER counted from
 * there, of WHEN_INSTANT itself, also when it has passed. Wall time. */
int64_t when_first(const struct when *w, int64_t from_us);

/* The instant that follows the one at after_us; CLOCK_NEVER: none does. */
int64_t when_next(const struct when *w, int64_t after_us);

/* Local time with its zone for people, "2026-12-02 02:30 CET", with seconds
 * where there are some. out has WHEN_TEXT bytes. Returns out. */
#define WHEN_TEXT 64
char *when_format(int64_t wall_us, char *out);

#endif
