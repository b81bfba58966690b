/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Why an execution is not running: codes, in table order, and blockers. */
#ifndef YARDMASTER_MODEL_REASON_H
#define YARDMASTER_MODEL_REASON_H

#include <stddef.h>
#include <stdint.h>

/* Run and execution first, then the codes that remove agents; this order
 * decides the headline. */
enum reason {
	REASON_NONE,
	REASON_NO_OWNER, REASON_CONSOLE_PAUSED, REASON_HELD, REASON_RUN_HELD,
	REASON_NEEDS_FAILED, REASON_HALTED, REASON_NO_AGENT, REASON_SCHEDULE,
	REASON_RETRY_DELAY, REASON_NEEDS, REASON_TARGET_LIMIT, REASON_LOCK,
	REASON_EXCLUSION, REASON_SEQUENCE, REASON_TOGETHER, REASON_PLAN_LIMIT,
	REASON_RESERVED, REASON_AGENTS_OFFLINE, REASON_AGENTS_DRAINING,
	REASON_AGENTS_HELD, REASON_AGENTS_BENCHED, REASON_GUARD,
	REASON_THRESHOLD, REASON_WORKERS_BUSY, REASON_QUEUED, REASON_SENT,
	REASON_SETUP, REASON_LOST_GRACE,
	REASONS
};

enum reason_clears { CLEARS_ITSELF, CLEARS_OPERATOR, CLEARS_EITHER };

/* Cures an operator may be offered; a bit each. */
enum cure {
	CURE_RESUME = 1 << 0, CURE_GO_ON = 1 << 1, CURE_RELEASE = 1 << 2,
	CURE_RUN_ANYWAY = 1 << 3, CURE_RAISE_LIMIT = 1 << 4,
	CURE_AMEND = 1 << 5, CURE_SKIP = 1 << 6, CURE_START_NOW = 1 << 7,
	CURE_SHOW_HOLDER = 1 << 8, CURE_CANCEL_HOLDER = 1 << 9,
	CURE_DECLARE_DEAD = 1 << 10, CURE_CANCEL = 1 << 11,
	CURE_OVERRIDE = 1 << 12, CURE_RECONNECT = 1 << 13,
	CURE_UNDRAIN = 1 << 14, CURE_CLEAR = 1 << 15, CURE_PROBE = 1 << 16,
	CURE_EDIT_GUARD = 1 << 17, CURE_EDIT_THRESHOLD = 1 << 18,
	CURE_PIN = 1 << 19, CURE_RAISE_MAX = 1 << 20, CURE_PRIORITY = 1 << 21,
	CURE_REQUEUE = 1 << 22, CURE_MOVE = 1 << 23, CURE_TAKE_BACK = 1 << 24,
	CURE_DECLARE_LOST = 1 << 25, CURE_ADD_AGENT = 1 << 26,
	CURE_AMEND_AGENT = 1 << 27, CURE_SHOW_LOG = 1 << 28,
};

struct reason_info {
	enum reason code;
	const char *name;	/* "workers-busy" */
	enum reason_clears clears;
	uint32_t cures;		/* enum cure bits */
	const char *help;	/* one line for people */
};

/* The row of the table; never NULL. */
const struct reason_info *reason_info(enum reason r);
const char *reason_name(enum reason r);
/* The value or -1. */
int reason_parse(const char *name);
/* The name of one cure bit ("raise max workers"); "" when unknown. */
const char *cure_name(enum cure c);

#define WHY_AGENTS 3	/* agents that one text names */

/* One thing that keeps an execution from running. */
struct blocker {
	enum reason code;
	char *text;		/* the facts, for people; owned */
	int64_t since_us;	/* monotonic; 0 unknown */
	char *key;		/* of the plan's value behind it, as it is
				 * amended ("lock:db"); NULL; owned */
	uint32_t limit;		/* that value, where it is a number */
	char *holder;		/* an execution's id, of a lost one with its
				 * attempt; NULL; owned */
	uint32_t agents[WHY_AGENTS];	/* n_agents that text names, as they
					 * are numbered in the fleet */
	unsigned n_agents;
};

/* All blockers of an execution; the first is the headline. */
struct why {
	struct blocker *v;
	size_t n;		/* 0 only for one that runs or has ended */
};
void why_done(struct why *w);
void why_add(struct why *w, enum reason code, int64_t since_us,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Adds to the last blocker what can be amended and who holds it; key and
 * holder (may be NULL) become its own. */
void why_about(struct why *w, char *key, uint32_t limit, char *holder);

#endif
