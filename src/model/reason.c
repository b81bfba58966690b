/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of reasons: what clears each code and which cures are offered. */
#include "config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/mem.h"
#include "yardmaster/model/reason.h"

static const struct reason_info reasons[REASONS] = {
	{ REASON_NONE, "none", CLEARS_ITSELF, 0, "nothing is in its way" },
	{ REASON_NO_OWNER, "no-owner", CLEARS_OPERATOR, CURE_RESUME,
	    "no process drives this run" },
	{ REASON_CONSOLE_PAUSED, "console-paused", CLEARS_OPERATOR, CURE_GO_ON,
	    "dispatch is paused, or the store cannot be written" },
	{ REASON_HELD, "held", CLEARS_OPERATOR, CURE_RELEASE,
	    "somebody holds the execution" },
	{ REASON_RUN_HELD, "run-held", CLEARS_OPERATOR, CURE_RELEASE,
	    "somebody holds the run" },
	{ REASON_NEEDS_FAILED, "needs-failed", CLEARS_OPERATOR,
	    CURE_RUN_ANYWAY, "what it needs has failed" },
	{ REASON_HALTED, "halted", CLEARS_OPERATOR,
	    CURE_RUN_ANYWAY | CURE_RAISE_LIMIT,
	    "the run was stopped by a failure limit" },
	{ REASON_NO_AGENT, "no-agent", CLEARS_OPERATOR,
	    CURE_AMEND | CURE_AMEND_AGENT | CURE_ADD_AGENT | CURE_RAISE_MAX |
	    CURE_SKIP,
	    "no agent of the fleet meets its requirement" },
	{ REASON_SCHEDULE, "schedule", CLEARS_ITSELF, CURE_START_NOW,
	    "it is due at a later time" },
	{ REASON_RETRY_DELAY, "retry-delay", CLEARS_ITSELF, CURE_START_NOW,
	    "the delay before its retry has not passed" },
	{ REASON_NEEDS, "needs", CLEARS_ITSELF,
	    CURE_SHOW_HOLDER | CURE_RUN_ANYWAY, "it waits for others to end" },
	{ REASON_TARGET_LIMIT, "target-limit", CLEARS_ITSELF,
	    CURE_RAISE_LIMIT | CURE_SHOW_HOLDER | CURE_CANCEL_HOLDER,
	    "the limit of its target is reached" },
	{ REASON_LOCK, "lock", CLEARS_ITSELF,
	    CURE_SHOW_HOLDER | CURE_CANCEL_HOLDER | CURE_DECLARE_DEAD |
	    CURE_AMEND, "a lock it needs is taken" },
	{ REASON_EXCLUSION, "exclusion", CLEARS_ITSELF,
	    CURE_SHOW_HOLDER | CURE_CANCEL_HOLDER | CURE_DECLARE_DEAD |
	    CURE_AMEND, "something that excludes it is running" },
	{ REASON_SEQUENCE, "sequence", CLEARS_ITSELF, CURE_CANCEL,
	    "the step before it has not ended" },
	{ REASON_TOGETHER, "together", CLEARS_ITSELF, CURE_CANCEL,
	    "there are not enough workers for all of its parts" },
	{ REASON_PLAN_LIMIT, "plan-limit", CLEARS_ITSELF, CURE_RAISE_LIMIT,
	    "a limit of the plan is reached" },
	{ REASON_RESERVED, "reserved", CLEARS_ITSELF, CURE_OVERRIDE,
	    "workers are kept for an older, larger or wider item" },
	{ REASON_AGENTS_OFFLINE, "agents-offline", CLEARS_EITHER,
	    CURE_RECONNECT | CURE_SHOW_LOG, "the agents it may use are offline" },
	{ REASON_AGENTS_DRAINING, "agents-draining", CLEARS_OPERATOR,
	    CURE_UNDRAIN, "the agents it may use are draining" },
	{ REASON_AGENTS_HELD, "agents-held", CLEARS_OPERATOR, CURE_RELEASE,
	    "the agents it may use are held" },
	{ REASON_AGENTS_BENCHED, "agents-benched", CLEARS_OPERATOR,
	    CURE_CLEAR | CURE_PROBE,
	    "the agents it may use are benched for errors" },
	{ REASON_GUARD, "guard", CLEARS_ITSELF, CURE_EDIT_GUARD,
	    "an agent is past one of its guards" },
	{ REASON_THRESHOLD, "threshold", CLEARS_ITSELF,
	    CURE_EDIT_THRESHOLD | CURE_PIN,
	    "the free workers are kept by the threshold" },
	{ REASON_WORKERS_BUSY, "workers-busy", CLEARS_ITSELF,
	    CURE_RAISE_MAX | CURE_PRIORITY | CURE_CANCEL_HOLDER |
	    CURE_REQUEUE | CURE_RELEASE, "every worker is busy" },
	{ REASON_QUEUED, "queued", CLEARS_ITSELF, CURE_MOVE | CURE_PRIORITY,
	    "it waits in the queue of an agent" },
	{ REASON_SENT, "sent", CLEARS_ITSELF, CURE_TAKE_BACK | CURE_MOVE,
	    "it was sent and the agent has not answered" },
	{ REASON_SETUP, "setup", CLEARS_ITSELF, CURE_TAKE_BACK | CURE_MOVE,
	    "its agent is being set up" },
	{ REASON_LOST_GRACE, "lost-grace", CLEARS_ITSELF,
	    CURE_DECLARE_LOST | CURE_DECLARE_DEAD,
	    "its agent is silent and it is not yet given up" },
};

static const struct {
	enum cure cure;
	const char *name;
} cures[] = {
	{ CURE_RESUME, "resume" },
	{ CURE_GO_ON, "go on" },
	{ CURE_RELEASE, "release" },
	{ CURE_RUN_ANYWAY, "run anyway" },
	{ CURE_RAISE_LIMIT, "raise the limit" },
	{ CURE_AMEND, "amend the plan" },
	{ CURE_SKIP, "skip" },
	{ CURE_START_NOW, "start now" },
	{ CURE_SHOW_HOLDER, "show the holder" },
	{ CURE_CANCEL_HOLDER, "cancel the holder" },
	{ CURE_DECLARE_DEAD, "declare dead" },
	{ CURE_CANCEL, "cancel" },
	{ CURE_OVERRIDE, "override" },
	{ CURE_RECONNECT, "reconnect now" },
	{ CURE_UNDRAIN, "undrain" },
	{ CURE_CLEAR, "clear" },
	{ CURE_PROBE, "probe" },
	{ CURE_EDIT_GUARD, "edit the guard" },
	{ CURE_EDIT_THRESHOLD, "edit threshold" },
	{ CURE_PIN, "pin" },
	{ CURE_RAISE_MAX, "raise max workers" },
	{ CURE_PRIORITY, "raise priority" },
	{ CURE_REQUEUE, "requeue" },
	{ CURE_MOVE, "move" },
	{ CURE_TAKE_BACK, "take back" },
	{ CURE_DECLARE_LOST, "declare lost" },
	{ CURE_ADD_AGENT, "add an agent" },
	{ CURE_AMEND_AGENT, "amend an agent" },
	{ CURE_SHOW_LOG, "show the SSH log" },
};

const struct reason_info *
reason_info(enum reason r)
{
	return &reasons[(unsigned)r < REASONS ? r : REASON_NONE];
}

const char *
reason_name(enum reason r)
{
	return reason_info(r)->name;
}

int
reason_parse(const char *name)
{
	int i;

	for (i = 0; name != NULL && i < REASONS; i++)
		if (strcmp(reasons[i].name, name) == 0)
			return i;
	return -1;
}

const char *
cure_name(enum cure c)
{
	size_t i;

	for (i = 0; i < sizeof(cures) / sizeof(cures[0]); i++)
		if (cures[i].cure == c)
			return cures[i].name;
	return "";
}

void
why_done(struct why *w)
{
	size_t i;

	for (i = 0; i < w->n; i++) {
		free(w->v[i].text);
		free(w->v[i].key);
		free(w->v[i].holder);
	}
	free(w->v);
	*w = (struct why){ NULL, 0 };
}

void
why_add(struct why *w, enum reason code, int64_t since_us, const char *fmt,
    ...)
{
	va_list ap;

	w->v = mem_realloc(w->v, w->n + 1, sizeof(*w->v));
	va_start(ap, fmt);
	w->v[w->n++] = (struct blocker){
		.code = code, .text = str_vfmt(fmt, ap), .since_us = since_us
	};
	va_end(ap);
}

void
why_about(struct why *w, char *key, uint32_t limit, char *holder)
{
	struct blocker *b = &w->v[w->n - 1];

	b->key = key;
	b->limit = limit;
	b->holder = holder;
}
