/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The words of the program as enums: states with their allowed next states,
 * outcomes in worst-of order, tiers, classes, kinds. Each has one table; the
 * names are those shown and stored.
 */
#ifndef YARDMASTER_MODEL_STATE_H
#define YARDMASTER_MODEL_STATE_H

#include <stdbool.h>
#include <stdint.h>

enum exec_state {
	EXEC_WAITING, EXEC_ASSIGNED, EXEC_RUNNING,
	EXEC_PASSED, EXEC_HEALED, EXEC_FAILED, EXEC_TIMEOUT, EXEC_ERROR,
	EXEC_CANCELLED, EXEC_SKIPPED,
	EXEC_STATES
};

enum attempt_state {
	ATTEMPT_SENT, ATTEMPT_QUEUED, ATTEMPT_RUNNING, ATTEMPT_ENDING,
	ATTEMPT_ENDED, ATTEMPT_LOST,
	ATTEMPT_RETURNED,	/* given back without having been started */
	ATTEMPT_STATES
};

enum run_state {
	RUN_STARTING, RUN_RUNNING, RUN_HELD, RUN_ENDING, RUN_ENDED,
	RUN_ORPHANED,
	RUN_STATES
};

/* In order: the first that applies is shown. */
enum agent_state {
	AGENT_LOST, AGENT_OFFLINE, AGENT_CONNECTING, AGENT_STALE, AGENT_HELD,
	AGENT_DRAINING, AGENT_BENCHED, AGENT_IDLE, AGENT_BUSY, AGENT_FULL,
	AGENT_STATES
};

/* What a step, an attempt or an execution came to; a larger value is worse. */
enum outcome {
	OUTCOME_NONE, OUTCOME_PASSED, OUTCOME_SKIPPED, OUTCOME_CANCELLED,
	OUTCOME_FAILED, OUTCOME_TIMEOUT, OUTCOME_ERROR,
	OUTCOMES
};

enum attempt_class { CLASS_AUTO, CLASS_PINNED, CLASS_ADHOC, CLASSES };

enum tier {
	TIER_NONE, TIER_IDLE, TIER_BELOW_THRESHOLD, TIER_FEWEST_QUEUED,
	TIER_REASSIGNED, TIER_PINNED,
	TIERS
};

/* Of a file that an attempt left. */
enum artifact_state {
	ARTIFACT_AWAITED, ARTIFACT_HERE,
	ARTIFACT_MISSING,	/* its agent may still have it */
	ARTIFACT_LEFT_OUT,	/* over a limit: its agent does not keep it */
	ARTIFACT_STATES
};

enum worker_kind {
	WORKER_EXECUTION, WORKER_JOB, WORKER_RECORDING, WORKER_DEVELOPMENT,
	WORKER_HOLD,
	WORKER_KINDS
};

enum value_source {
	SOURCE_ADVISED, SOURCE_CONSOLE, SOURCE_FILE, SOURCE_ENVIRONMENT,
	SOURCE_CONSOLE_UNTIL_RESTART, SOURCE_VIRTUAL,
	VALUE_SOURCES
};

enum parallel { PARALLEL_NONE, PARALLEL_TARGETS, PARALLEL_TESTS, PARALLELS };

enum order { ORDER_AUTO, ORDER_PLAN, ORDER_LONGEST, ORDER_FAILED, ORDERS };

/* Names ("waiting", "below-threshold", ...). Never NULL. Borrowed. */
const char *exec_state_name(enum exec_state s);
const char *attempt_state_name(enum attempt_state s);
const char *run_state_name(enum run_state s);
const char *agent_state_name(enum agent_state s);
const char *outcome_name(enum outcome o);
const char *attempt_class_name(enum attempt_class c);
const char *tier_name(enum tier t);
const char *artifact_state_name(enum artifact_state s);
const char *worker_kind_name(enum worker_kind k);
const char *value_source_name(enum value_source s);
const char *parallel_name(enum parallel p);
const char *order_name(enum order o);

/* The reverse: the value, or -1 for an unknown name. */
int exec_state_parse(const char *name);
int attempt_state_parse(const char *name);
int run_state_parse(const char *name);
int agent_state_parse(const char *name);
int outcome_parse(const char *name);
int artifact_state_parse(const char *name);
int attempt_class_parse(const char *name);
int tier_parse(const char *name);
int worker_kind_parse(const char *name);
int value_source_parse(const char *name);
int parallel_parse(const char *name);
int order_parse(const char *name);

/* True when the state machine allows from -> to. */
bool exec_state_may(enum exec_state from, enum exec_state to);
bool attempt_state_may(enum attempt_state from, enum attempt_state to);
/* True for the seven final states of an execution. */
bool exec_state_final(enum exec_state s);
/* True while an attempt of it is out: assigned or running. */
bool exec_state_out(enum exec_state s);

/* The worse of two. */
enum outcome outcome_worst(enum outcome a, enum outcome b);
/* The final state of an execution whose last attempt, of that number, came
 * to o: a pass after the first attempt is "healed". */
enum exec_state outcome_exec_state(enum outcome o, uint32_t attempt);

/* How many executions are in each state; their sum is what was planned. */
struct counts {
	uint32_t n[EXEC_STATES];
};
uint32_t counts_total(const struct counts *c);
uint32_t counts_final(const struct counts *c);
/* The exit code of run and resume: 0 all passed, 1 some failed or timed out,
 * 2 errors or all skipped, 3 both, 4 nothing planned, 5 cancelled or not ended
 * (some, none worse). */
int counts_exit_code(const struct counts *c);

#endif
