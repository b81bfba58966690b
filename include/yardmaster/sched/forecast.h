/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What would come of a change: the scheduler's own view of all runs is copied,
 * changed, and played on by the real scheduler with a made-up clock: once with
 * lengths as predicted, and some times more with lengths that miss by as much
 * as predictions do, since a small change may shift all that follows. The
 * scheduler that is asked is not touched.
 */
#ifndef YARDMASTER_SCHED_FORECAST_H
#define YARDMASTER_SCHED_FORECAST_H

#include "yardmaster/sched/sched.h"

struct forecast_opts {
	int64_t now_us;
	uint32_t max;		/* open executions over all runs; more are
				 * refused. 0: 20000 */
	/* Changes the copy, in which all handles are the same; NULL: as is. */
	void (*change)(void *arg, struct sched *copy);
	void *change_arg;
	/* How long an execution takes from its start on: one play by these.
	 * NULL: as predicted (where nothing is known, as usual). */
	int64_t (*length_us)(void *arg, uint32_t run, uint32_t exec);
	void *length_arg;
	/* Asked now and then with how many plays are done; NULL: never. True
	 * ends it: with those, or with ERR_TIMEOUT when there is none. */
	bool (*enough)(void *arg, uint32_t plays);
	void *enough_arg;
};

struct forecast_start {
	uint32_t run, exec;
};

struct forecast_run {
	int64_t end_us;		/* of the last that ends */
	uint32_t never;		/* executions that then still wait */
};

/* One way in which it may go on. */
struct forecast_play {
	struct forecast_start *starts;	/* what begins within a second */
	size_t n_starts, cap_starts;
	struct forecast_run *runs;	/* by handle */
	size_t n_runs;
};

#define FORECAST_PLAYS 99

struct forecast {
	struct forecast_play plays[FORECAST_PLAYS];	/* 0: as predicted */
	uint32_t n_plays;
};

/* Plays it to the end, or until nothing can happen any more; the more often,
 * the fewer executions are open. Agents that are away stay away. 0 and a
 * forecast for forecast_done(); ERR_TOO_LARGE, ERR_TIMEOUT. Cost of a play:
 * all executions. */
int sched_forecast(const struct sched *s, const struct forecast_opts *opts,
    struct forecast *ret);
void forecast_done(struct forecast *f);

/* What a change does to one run. */
struct effect {
	uint32_t starts;	/* that begin at once only with it */
	struct forecast_start first[3];	/* the first of those */
	uint32_t never, never_without;
	int64_t end_us, end_without_us;
	int sign;		/* 1: better, 0: equal, -1: worse */
	bool sure;		/* nine in ten plays give that sign */
};
/* Compares (run SCHED_NONE: all together): numbers as predicted, the sign by
 * most plays, of which each has the same lengths with and without. An end
 * counts as equal within a fiftieth of what is left. */
void forecast_effect(const struct forecast *without,
    const struct forecast *with, uint32_t run, int64_t now_us,
    struct effect *ret);

#endif
