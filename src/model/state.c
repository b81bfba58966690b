/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tables behind state.h: names, allowed next states, the worst-of order.
 *
 *	execution: waiting -> assigned -> running -> a final state
 *	           assigned -> waiting (taken back), running -> waiting (retry)
 *	           failed, timeout, error, cancelled, skipped -> waiting (an
 *	           operator asks for it again); passed and healed stay
 *	attempt:   sent -> queued -> running -> ending -> ended, each step may
 *	           be left out; sent, queued -> returned
 *	           any of them -> lost -> whatever it is found to be
 */
#include "config.h"

#include <string.h>

#include "model/names.h"
#include "yardmaster/model/state.h"

#define BIT(s) (1u << (s))
#define EXEC_ENDS                                                             \
	(BIT(EXEC_PASSED) | BIT(EXEC_HEALED) | BIT(EXEC_FAILED) |             \
	    BIT(EXEC_TIMEOUT) | BIT(EXEC_ERROR) | BIT(EXEC_CANCELLED) |       \
	    BIT(EXEC_SKIPPED))

static const char *const exec_states[EXEC_STATES] = {
	[EXEC_WAITING] = "waiting", [EXEC_ASSIGNED] = "assigned",
	[EXEC_RUNNING] = "running", [EXEC_PASSED] = "passed",
	[EXEC_HEALED] = "healed", [EXEC_FAILED] = "failed",
	[EXEC_TIMEOUT] = "timeout", [EXEC_ERROR] = "error",
	[EXEC_CANCELLED] = "cancelled", [EXEC_SKIPPED] = "skipped",
};

static const uint32_t exec_next[EXEC_STATES] = {
	[EXEC_WAITING] = BIT(EXEC_ASSIGNED) | BIT(EXEC_RUNNING) |
	    BIT(EXEC_ERROR) | BIT(EXEC_CANCELLED) | BIT(EXEC_SKIPPED),
	[EXEC_ASSIGNED] = BIT(EXEC_WAITING) | BIT(EXEC_RUNNING) | EXEC_ENDS,
	[EXEC_RUNNING] = BIT(EXEC_WAITING) | EXEC_ENDS,
	[EXEC_FAILED] = BIT(EXEC_WAITING),
	[EXEC_TIMEOUT] = BIT(EXEC_WAITING),
	[EXEC_ERROR] = BIT(EXEC_WAITING),
	[EXEC_CANCELLED] = BIT(EXEC_WAITING),
	[EXEC_SKIPPED] = BIT(EXEC_WAITING),
};

static const char *const attempt_states[ATTEMPT_STATES] = {
	[ATTEMPT_SENT] = "sent", [ATTEMPT_QUEUED] = "queued",
	[ATTEMPT_RUNNING] = "running", [ATTEMPT_ENDING] = "ending",
	[ATTEMPT_ENDED] = "ended", [ATTEMPT_LOST] = "lost",
	[ATTEMPT_RETURNED] = "returned",
};

static const uint32_t attempt_next[ATTEMPT_STATES] = {
	[ATTEMPT_SENT] = BIT(ATTEMPT_QUEUED) | BIT(ATTEMPT_RUNNING) |
	    BIT(ATTEMPT_ENDING) | BIT(ATTEMPT_ENDED) | BIT(ATTEMPT_LOST) |
	    BIT(ATTEMPT_RETURNED),
	[ATTEMPT_QUEUED] = BIT(ATTEMPT_RUNNING) | BIT(ATTEMPT_ENDING) |
	    BIT(ATTEMPT_ENDED) | BIT(ATTEMPT_LOST) | BIT(ATTEMPT_RETURNED),
	[ATTEMPT_RUNNING] = BIT(ATTEMPT_ENDING) | BIT(ATTEMPT_ENDED) |
	    BIT(ATTEMPT_LOST),
	[ATTEMPT_ENDING] = BIT(ATTEMPT_ENDED) | BIT(ATTEMPT_LOST),
	[ATTEMPT_LOST] = BIT(ATTEMPT_QUEUED) | BIT(ATTEMPT_RUNNING) |
	    BIT(ATTEMPT_ENDING) | BIT(ATTEMPT_ENDED) | BIT(ATTEMPT_RETURNED),
};

static const char *const run_states[RUN_STATES] = {
	[RUN_STARTING] = "starting", [RUN_RUNNING] = "running",
	[RUN_HELD] = "held", [RUN_ENDING] = "ending", [RUN_ENDED] = "ended",
	[RUN_ORPHANED] = "orphaned",
};

static const char *const agent_states[AGENT_STATES] = {
	[AGENT_LOST] = "lost", [AGENT_OFFLINE] = "offline",
	[AGENT_CONNECTING] = "connecting", [AGENT_STALE] = "stale",
	[AGENT_HELD] = "held", [AGENT_DRAINING] = "draining",
	[AGENT_BENCHED] = "benched", [AGENT_IDLE] = "idle",
	[AGENT_BUSY] = "busy", [AGENT_FULL] = "full",
};

static const char *const outcomes[OUTCOMES] = {
	[OUTCOME_NONE] = "none", [OUTCOME_PASSED] = "passed",
	[OUTCOME_SKIPPED] = "skipped", [OUTCOME_CANCELLED] = "cancelled",
	[OUTCOME_FAILED] = "failed", [OUTCOME_TIMEOUT] = "timeout",
	[OUTCOME_ERROR] = "error",
};

static const enum exec_state outcome_states[OUTCOMES] = {
	[OUTCOME_NONE] = EXEC_ERROR, [OUTCOME_PASSED] = EXEC_PASSED,
	[OUTCOME_SKIPPED] = EXEC_SKIPPED, [OUTCOME_CANCELLED] = EXEC_CANCELLED,
	[OUTCOME_FAILED] = EXEC_FAILED, [OUTCOME_TIMEOUT] = EXEC_TIMEOUT,
	[OUTCOME_ERROR] = EXEC_ERROR,
};

static const char *const classes[CLASSES] = {
	[CLASS_AUTO] = "auto", [CLASS_PINNED] = "pinned",
	[CLASS_ADHOC] = "ad-hoc",
};

static const char *const artifact_states[ARTIFACT_STATES] = {
	[ARTIFACT_AWAITED] = "awaited", [ARTIFACT_HERE] = "here",
	[ARTIFACT_MISSING] = "missing", [ARTIFACT_LEFT_OUT] = "left-out",
};

static const char *const tiers[TIERS] = {
	[TIER_NONE] = "none", [TIER_IDLE] = "idle",
	[TIER_BELOW_THRESHOLD] = "below-threshold",
	[TIER_FEWEST_QUEUED] = "fewest-queued",
	[TIER_REASSIGNED] = "reassigned", [TIER_PINNED] = "pinned",
};

static const char *const worker_kinds[WORKER_KINDS] = {
	[WORKER_EXECUTION] = "execution", [WORKER_JOB] = "job",
	[WORKER_RECORDING] = "recording",
	[WORKER_DEVELOPMENT] = "development", [WORKER_HOLD] = "hold",
};

static const char *const sources[VALUE_SOURCES] = {
	[SOURCE_ADVISED] = "advised", [SOURCE_CONSOLE] = "console",
	[SOURCE_FILE] = "file", [SOURCE_ENVIRONMENT] = "environment",
	[SOURCE_CONSOLE_UNTIL_RESTART] = "console-until-restart",
	[SOURCE_VIRTUAL] = "virtual",
};

static const char *const parallels[PARALLELS] = {
	[PARALLEL_NONE] = "none", [PARALLEL_TARGETS] = "targets",
	[PARALLEL_TESTS] = "tests",
};

static const char *const orders[ORDERS] = {
	[ORDER_AUTO] = "auto", [ORDER_PLAN] = "plan",
	[ORDER_LONGEST] = "longest", [ORDER_FAILED] = "failed",
};

const char *
name_of(const char *const *names, unsigned n, unsigned i)
{
	return i < n ? names[i] : "";
}

int
name_find(const char *const *names, unsigned n, const char *name)
{
	unsigned i;

	for (i = 0; name != NULL && i < n; i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}

NAME_FUNCTIONS(exec_state, enum exec_state, exec_states, EXEC_STATES)
NAME_FUNCTIONS(attempt_state, enum attempt_state, attempt_states,
    ATTEMPT_STATES)
NAME_FUNCTIONS(run_state, enum run_state, run_states, RUN_STATES)
NAME_FUNCTIONS(agent_state, enum agent_state, agent_states, AGENT_STATES)
NAME_FUNCTIONS(outcome, enum outcome, outcomes, OUTCOMES)
NAME_FUNCTIONS(attempt_class, enum attempt_class, classes, CLASSES)
NAME_FUNCTIONS(tier, enum tier, tiers, TIERS)
NAME_FUNCTIONS(artifact_state, enum artifact_state, artifact_states,
    ARTIFACT_STATES)
NAME_FUNCTIONS(worker_kind, enum worker_kind, worker_kinds, WORKER_KINDS)
NAME_FUNCTIONS(value_source, enum value_source, sources, VALUE_SOURCES)
NAME_FUNCTIONS(parallel, enum parallel, parallels, PARALLELS)
NAME_FUNCTIONS(order, enum order, orders, ORDERS)

bool
exec_state_may(enum exec_state from, enum exec_state to)
{
	return (unsigned)from < EXEC_STATES && (unsigned)to < EXEC_STATES &&
	    (exec_next[from] & BIT(to)) != 0;
}

bool
attempt_state_may(enum attempt_state from, enum attempt_state to)
{
	return (unsigned)from < ATTEMPT_STATES &&
	    (unsigned)to < ATTEMPT_STATES &&
	    (attempt_next[from] & BIT(to)) != 0;
}

bool
exec_state_final(enum exec_state s)
{
	return (unsigned)s < EXEC_STATES && (EXEC_ENDS & BIT(s)) != 0;
}

bool
exec_state_out(enum exec_state s)
{
	return s == EXEC_ASSIGNED || s == EXEC_RUNNING;
}

enum outcome
outcome_worst(enum outcome a, enum outcome b)
{
	return a > b ? a : b;
}

enum exec_state
outcome_exec_state(enum outcome o, uint32_t attempt)
{
	if ((unsigned)o >= OUTCOMES)
		return EXEC_ERROR;
	if (o == OUTCOME_PASSED && attempt > 1)
		return EXEC_HEALED;
	return outcome_states[o];
}

uint32_t
counts_total(const struct counts *c)
{
	uint32_t i, sum = 0;

	for (i = 0; i < EXEC_STATES; i++)
		sum += c->n[i];
	return sum;
}

uint32_t
counts_final(const struct counts *c)
{
	return counts_total(c) - c->n[EXEC_WAITING] - c->n[EXEC_ASSIGNED] -
	    c->n[EXEC_RUNNING];
}

int
counts_exit_code(const struct counts *c)
{
	bool failed = c->n[EXEC_FAILED] + c->n[EXEC_TIMEOUT] > 0;
	bool error = c->n[EXEC_ERROR] > 0;

	if (failed || error)
		return (failed ? 1 : 0) + (error ? 2 : 0);
	if (c->n[EXEC_CANCELLED] > 0 || counts_final(c) < counts_total(c))
		return 5;
	if (c->n[EXEC_PASSED] + c->n[EXEC_HEALED] > 0)
		return 0;
	return counts_total(c) > 0 ? 2 : 4;
}
