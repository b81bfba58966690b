/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which agents are benched: those on which errors (not failures of tests)
 * pile up. Pure: ends of attempts come in, news go out; the scheduler is told
 * by its user (benched and probe of struct sched_agent). Of the newest
 * BENCH_WINDOW attempts that ended on an agent, BENCH_ERRORS of different
 * executions and more than half of all must be errors. At most a third of the
 * fleet is benched at once. A test that errs on two agents is blamed itself:
 * its errors count against no agent, until it passes or fails somewhere.
 */
#ifndef YARDMASTER_SCHED_BENCH_H
#define YARDMASTER_SCHED_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "yardmaster/base/ident.h"
#include "yardmaster/model/state.h"

#define BENCH_WINDOW 10
#define BENCH_ERRORS 3
/* A benched agent is probed by itself after the first of these; each probe
 * that errs doubles it, up to the second. */
#define BENCH_PROBE_FIRST_US (INT64_C(120) * 1000000)
#define BENCH_PROBE_LAST_US (INT64_C(3600) * 1000000)

struct bench;

/* For a fleet of n agents, numbered from 0; frees it (NULL is fine). */
struct bench *bench_new(uint32_t n);
void bench_free(struct bench *b);
/* The fleet has n agents now, which is not less than before. */
void bench_grow(struct bench *b, uint32_t n);

/* An attempt that ended and counts. Texts are copied. */
struct bench_end {
	uint32_t agent;
	struct ident id;	/* the attempt */
	const char *test;	/* of its first step that erred, else its first:
				 * one name over all runs */
	enum outcome outcome;
	const char *text;	/* what an error said; may be NULL */
	int64_t wall_us;	/* for people */
};
void bench_ended(struct bench *b, const struct bench_end *end,
    int64_t now_us);

enum bench_state {
	BENCH_WELL,
	BENCH_BRAKED,		/* errors pile up, too many are benched */
	BENCH_ON,
	BENCH_PROBED,		/* benched; one execution may be sent to it */
	BENCH_STATES
};
/* How an agent stands; BENCH_WELL for one of which nothing was heard. */
enum bench_state bench_state(const struct bench *b, uint32_t agent);
/* Which executions, which errors, since when; of a braked one also why it is
 * not benched. NULL of a well one; borrowed until the next call that is not
 * const. */
const char *bench_text(const struct bench *b, uint32_t agent);
/* The two agents on which a blamed test erred; false when it is not blamed. */
bool bench_blamed(const struct bench *b, const char *test,
    uint32_t ret_agents[2]);

/* What an operator does. ERR_RANGE; ERR_STATE when it is not benched (clear:
 * nor braked). Clearing forgets its errors. */
int bench_clear(struct bench *b, uint32_t agent, int64_t now_us);
int bench_probe(struct bench *b, uint32_t agent);
/* It was benched before this process began, with that evidence; the brake
 * is not asked. */
void bench_restore(struct bench *b, uint32_t agent, const char *text,
    int64_t now_us);

/* Probes those whose time has come; when there is one next, or CLOCK_NEVER. */
int64_t bench_due(struct bench *b, int64_t now_us);

/* An agent whose state has changed since it was last given, or a test that
 * was newly blamed (test not NULL). */
struct bench_news {
	uint32_t agent;
	enum bench_state was, state;
	const char *test;	/* borrowed while b lives */
};
/* The next of them; false when there is none. */
bool bench_next(struct bench *b, struct bench_news *ret);

#endif
