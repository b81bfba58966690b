/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What travels about one attempt: the work a console sends, and the report an
 * agent gives of it. Plain data, with its JSON form (the wire's and the
 * journal's).
 */
#ifndef YARDMASTER_MODEL_WORK_H
#define YARDMASTER_MODEL_WORK_H

#include <stdbool.h>
#include <stdint.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/ident.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/strvec.h"
#include "yardmaster/model/hold.h"
#include "yardmaster/model/manner.h"
#include "yardmaster/model/prepare.h"
#include "yardmaster/model/secret.h"
#include "yardmaster/model/state.h"

#define WORK_MAX_STEPS 100000
#define WORK_MAX_WORKERS 1024
#define WORK_MAX_HOLES 64
#define WORK_MAX_TARGETS 256

/* What one exit code means instead of passed or failed. */
struct work_exit {
	uint8_t code;
	enum outcome outcome;	/* passed, skipped, failed or error */
};

/* Where in the arguments a text of the agent belongs. */
struct work_hole {
	uint32_t arg;		/* index in argv */
	uint32_t at;		/* bytes of it that come before */
};

/* A target that some step is of: other work of it counts, whoever's. */
struct work_target {
	char *name;
	uint32_t max_per_agent;	/* as its run declares it; 0: no limit */
};

/* One step as the worker runs it: everything substituted. */
struct work_step {
	char *label;		/* "suite/test[row]@target", for people */
	struct strvec argv;	/* empty when shell is set */
	char *shell;		/* text for /bin/sh -c, or NULL */
	struct strvec env;	/* "KEY=VALUE", beyond the work's */
	int64_t timeout_us;	/* 0: none */
	struct manner manner;
	bool expect_fail;	/* a failure passes, a pass fails */
	struct work_exit *exits;	/* n_exits; NULL when none */
	uint32_t n_exits;	/* at most 256 */
	/* Where the path of its result file is put in, ascending; n_results 0:
	 * it writes none. */
	struct work_hole *results_at;
	uint32_t n_results;	/* at most WORK_MAX_HOLES */
};

struct work {
	struct ident id;	/* all three parts */
	uint32_t epoch;		/* of the run's owner */
	enum attempt_class class;
	uint16_t workers;	/* how many of the agent it occupies, from 1 */
	char *label;		/* for people */
	char *owner;		/* who drives the run, as claimed */
	char *cwd;		/* folder of the commands; NULL: a new one */
	char *instance;		/* leased target instance, or NULL */
	bool stop_at_failure;	/* later steps are skipped once one failed */
	bool beside_itself;	/* may run beside a step of the same label */
	bool together;		/* prepared first, started by a go */
	struct hold *holds;	/* of limits by name, n_holds; may be NULL */
	uint32_t n_holds;
	struct work_target *targets;	/* n_targets; may be NULL */
	uint32_t n_targets;	/* at most WORK_MAX_TARGETS */
	int64_t usual_us;	/* predicted length, 0 unknown (shown only) */
	struct strvec env;	/* of every step: "KEY=VALUE" */
	struct work_prepare prepare;	/* no 0: nothing to prepare */
	struct strvec artifacts;	/* patterns of files to bring back */
	uint64_t artifacts_max;	/* bytes of them in all */
	bool secret;		/* it has secrets, here or elsewhere */
	struct secrets secrets;	/* never in its JSON */
	struct work_step *steps;
	uint32_t n_steps;	/* from 1 */
};

struct step_result {
	enum outcome outcome;	/* OUTCOME_NONE: not reached */
	int16_t exit_code;	/* 0-255, or -1 when it did not exit */
	int16_t signo;		/* the signal that ended it, or 0 */
	int64_t started_wall_us;	/* the agent's clock; 0: never started */
	int64_t elapsed_us;
	uint64_t out_from, out_to;	/* bytes of the attempt's output */
	char *text;		/* why, for error and timeout; or NULL */
};

/* What an agent says of one attempt. */
struct report {
	struct ident id;
	uint32_t epoch;
	enum attempt_state state;	/* queued, running, ending, ended, lost */
	enum outcome outcome;	/* when ended or lost */
	uint16_t worker;	/* from 1 while running and after; 0 none */
	uint32_t place;		/* place in the agent's queue from 1; 0 none */
	bool prepared;		/* queued, with a worker kept for it until a go */
	int64_t queued_wall_us, started_wall_us, ended_wall_us;	/* agent's clock */
	int64_t elapsed_us;	/* so far, or whole */
	uint64_t out_bytes;	/* output so far, counted before any cap */
	uint64_t out_dropped;	/* bytes cut out of the middle by the cap */
	char *text;		/* why, for error and lost; or NULL */
	char *owner;		/* who drives the run */
	char *label;
	struct step_result *steps;	/* NULL unless ended */
	uint32_t n_steps;
	struct artifacts artifacts;	/* once ended */
};

/* Frees what it holds (not the struct) and zeroes it. */
void work_done(struct work *w);
void report_done(struct report *r);
/* Frees n targets and their array. */
void work_targets_free(struct work_target *v, uint32_t n);
/* A deep copy into *to (which holds nothing). */
void report_copy(struct report *to, const struct report *from);

/* Writes it as one JSON object. */
void work_write(struct jw *w, const struct work *work);
void report_write(struct jw *w, const struct report *r);

/* Reads and checks one. 0, or ERR_SYNTAX, ERR_RANGE, ERR_TOO_LARGE; nothing
 * to free on failure. Unknown keys are ignored (a newer peer). */
int work_read(const struct jval *v, struct work *ret);
int report_read(const struct jval *v, struct report *ret);

/* The outcome of a step by how its process ended: what exits says of the code,
 * else exit 0 passed, anything else failed; expect_fail inverts these two. */
enum outcome step_outcome(const struct work_step *step, int exit_code,
    int signo);
/* The outcome of an attempt: the worst of its steps (none reached: error). */
enum outcome steps_outcome(const struct step_result *steps, uint32_t n);

#endif
