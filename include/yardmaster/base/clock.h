/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Time. Instants and lengths are int64_t microseconds: "_us". Monotonic time
 * (CLOCK_BOOTTIME) is for deadlines, wall time (since 1970, UTC) for people.
 * Never subtract times of two hosts.
 */
#ifndef YARDMASTER_BASE_CLOCK_H
#define YARDMASTER_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define US_PER_MS INT64_C(1000)
#define US_PER_S INT64_C(1000000)
#define CLOCK_NEVER INT64_MAX

/* The time now by the monotonic and by the wall clock. */
int64_t clock_mono_us(void);
int64_t clock_wall_us(void);
/* What this thread has had of the processor: for what costs too much, however
 * busy the machine is. */
int64_t clock_cpu_us(void);

/* Replaces both clocks (tests); NULL restores the real one. */
void clock_set_source(int64_t (*mono_us)(void), int64_t (*wall_us)(void));

/* RFC 3339 UTC with milliseconds, "2026-01-31T12:00:00.000Z"; out has at
 * least CLOCK_TEXT bytes. Returns out. */
#define CLOCK_TEXT 32
char *clock_format(int64_t wall_us, char *out);

/* The reverse, with or without a fraction, Z or an offset. 0 or ERR_SYNTAX. */
int clock_parse(const char *text, int64_t *ret_wall_us);

/* A duration written by a person: "250ms", "5s", "10m", "2h", "1d", "1h30m",
 * or a plain number of seconds ("90", "1.5"). 0, ERR_SYNTAX or ERR_RANGE
 * (negative, or over 10 years). */
int duration_parse(const char *text, int64_t *ret_us);

/* A length for people, at most 7 cells: "0.3s", "42s", "3m05s", "2h10m",
 * "4d03h". out has at least DURATION_TEXT bytes. Returns out. */
#define DURATION_TEXT 16
char *duration_format(int64_t us, char *out);

/* A length for a table that must not change each second: seconds below one
 * minute, then whole minutes, hours, days ("42s", "3m", "2h", "4d"). */
char *duration_coarse(int64_t us, char *out);

#endif
