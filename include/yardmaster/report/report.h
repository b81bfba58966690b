/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reports of a run: loaded once from its file into plain data, written in
 * any format. One row per step; their order is that of the plan. A run that
 * goes on may be reported as well.
 */
#ifndef YARDMASTER_REPORT_REPORT_H
#define YARDMASTER_REPORT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/ident.h"
#include "yardmaster/model/state.h"

/* What one attempt said of a step. */
struct report_try {
	uint32_t attempt;
	char *agent;		/* or NULL */
	enum outcome outcome;
	bool late;		/* came when it no longer counted */
	int16_t exit_code;	/* -1: did not exit */
	int16_t signo;		/* 0: no signal */
	int64_t started_wall_us;	/* the agent's clock; 0 unknown */
	int64_t elapsed_us;
	char *text;		/* why, or NULL */
};

struct report_step {
	uint32_t exec;		/* number of its execution */
	uint32_t step;		/* from 0 in it */
	uint32_t suite_no;	/* suites count from 0 by their first step */
	char *suite, *test;
	char *row, *target;	/* or NULL */
	char *label;		/* "suite/test[row]@target" */
	/* Of the last try that counts; of the execution, where it never ran.
	 * Healed: it passed after a try that did not. */
	enum exec_state state;
	const struct report_try *last;	/* that try, or NULL */
	struct report_try *tries;	/* all, by attempt; n_tries */
	uint32_t n_tries;
	const char *text;	/* why it is so, or NULL; borrowed */
};

/* A file that an attempt left. */
struct report_artifact {
	char *name;		/* "ATTEMPT/NAME", below the execution's folder */
	enum artifact_state state;	/* never ARTIFACT_LEFT_OUT */
	char *text;		/* why it is missing, or NULL */
};

struct report_exec {
	uint32_t no;		/* from 1 */
	enum exec_state state;
	uint32_t attempt;	/* number of the last one, 0 none */
	char *agent;		/* of it, or NULL */
	enum tier tier;
	char *text;		/* or NULL */
	char *tail;		/* last output, raw bytes; NULL unknown */
	size_t tail_len;
	struct report_artifact *artifacts;	/* by attempt; n_artifacts */
	uint32_t n_artifacts;
	uint32_t left_out;	/* files that a limit of its agents left out */
	uint32_t first_step, n_steps;	/* in steps of the run */
};

struct report_run {
	char id[RUN_ID_SIZE];
	char *plan;
	char *who;		/* or NULL */
	char *owner;		/* who drives it now, or NULL */
	enum run_state state;
	int64_t started_wall_us;
	int64_t ended_wall_us;	/* 0: not ended */
	int exit_code;		/* -1 until ended */
	struct counts counts;	/* of executions */
	struct counts steps_by_state;
	struct report_exec *execs;	/* by number; n_execs */
	uint32_t n_execs;
	struct report_step *steps;	/* n_steps */
	uint32_t n_steps;
	uint32_t n_suites;
	/* Path of the folder that has the artifacts, by EXECUTION/, from where
	 * the page will be; NULL: report_load() does not know. */
	char *artifacts_at;
};

/* Reads the run of that id, whoever drives it. 0, ERR_NOT_FOUND, ERR_VERSION,
 * ERR_STORE; nothing to free on failure. */
int report_load(const char *state_dir, const char *run,
    struct report_run *ret);
/* Frees what it holds and zeroes it. */
void report_run_done(struct report_run *r);
/* Adds the last output of execution no (copied, the end kept when it is over
 * REPORT_TAIL_MAX bytes; any bytes). An unknown number is ignored. */
#define REPORT_TAIL_MAX 65536
void report_set_tail(struct report_run *r, uint32_t no, const void *p,
    size_t n);

/* Each appends the whole report to out. */
/* JUnit XML: failures and timeouts are <failure>, errors <error>, what was
 * skipped, cancelled or has not ended <skipped>; earlier tries are
 * <rerunFailure>, <rerunError>, <flakyFailure> or <flakyError>. */
void report_junit(const struct report_run *r, struct buf *out);
/* TAP 13 with a YAML block for what did not pass. */
void report_tap(const struct report_run *r, struct buf *out);
/* One object: run, counts, executions with attempts and steps. */
void report_json(const struct report_run *r, struct buf *out);
/* RFC 4180 with a header; cells that a spreadsheet would compute begin with
 * an apostrophe. */
void report_csv(const struct report_run *r, struct buf *out);
/* One page without scripts or links to elsewhere. */
void report_html(const struct report_run *r, struct buf *out);
/* {"suite/test[row]": seconds}: the mean over targets of what passed. */
void report_durations(const struct report_run *r, struct buf *out);
/* For people at the end of a run: counts, slowest, what did not pass with its
 * last lines. Escaped for a terminal. */
void report_summary(const struct report_run *r, struct buf *out);

typedef void (*report_fn)(const struct report_run *r, struct buf *out);
/* The writer of that name ("junit", "tap", "json", "csv", "html",
 * "durations"), or NULL. */
report_fn report_format(const char *name);
/* The names, NULL-ended. */
const char *const *report_formats(void);

#endif
