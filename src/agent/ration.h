/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Targets of which only so many attempts run here at once. Each run says how
 * many; the least that runs with an attempt here say holds for all of them,
 * also for those that say nothing. Pure, as queue.h.
 */
#ifndef AGENT_RATION_H
#define AGENT_RATION_H

#include "agent/queue.h"
#include "yardmaster/base/buf.h"
#include "yardmaster/model/facts.h"

/* An attempt that has not ended is of that target. */
struct ration_use {
	struct ration *ration;
	struct attempt *attempt;
	uint32_t max;		/* as its run said with it; 0: no limit */
	LIST_ENTRY(ration_use) entry;
};

struct ration {
	char *name;
	LIST_HEAD(, ration_use) uses;	/* the last one that came first */
	uint32_t n_limited;	/* uses with a limit; without one of them there
				 * is nothing to be counted */
	uint32_t max;		/* the least; 0: no limit */
	bool stale;		/* max is to be worked out anew */
	bool asked;		/* an attempt with a limit was refused */
	UT_hash_handle hh;
};

/* a is of these targets until rations_leave(), which may be said again. */
void rations_join(struct queue *q, struct attempt *a,
    const struct work_target *v, uint32_t n);
void rations_leave(struct queue *q, struct attempt *a);

/* How many may run; 0: no limit. */
uint32_t ration_max(struct queue *q, struct ration *r);
/* Whether there is a limit for some target of a. */
bool rations_limit(struct queue *q, const struct attempt *a);
/* Whether a counts against its limit: it has workers, or was sent as there
 * was room. */
bool ration_takes(const struct ration_use *u);
/* Whether work of that run would have to wait for others of its targets;
 * appends which, and who has it. */
bool rations_refuse(struct queue *q, const struct held_run *run,
    const struct work *work, struct buf *why);
/* Those that consoles should know of. */
void rations_facts(struct queue *q, struct facts *f);

#endif
