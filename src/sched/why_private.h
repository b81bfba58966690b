/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A question why an execution is not running, while it is answered. */
#ifndef SCHED_WHY_PRIVATE_H
#define SCHED_WHY_PRIVATE_H

#include "sched/sched_private.h"

/* Which execution, and what was found. */
struct ask {
	const struct sched *s;
	const struct run *r;
	const struct exec *x;
	const struct terms *t;
	int64_t now_us;
	struct why *why;
	enum reason first;	/* of those found so far, or NONE */
	enum reason stops;	/* first that only an operator clears */
	int64_t since_us[2];	/* of the two */
	bool brief;		/* no texts */
	bool of_agents;		/* before: the first of the table counts, of
				 * agents the first that is found */
};


/* Adds a blocker; text is owned (brief: NULL). */
void why_found(struct ask *q, enum reason code, int64_t since_us, char *text);
/* Whether a parcel holds a part of that limit. */
bool why_holds(const struct sched *s, const struct parcel *p, uint32_t limit);
/* Never NULL. */
const char *agent_name(const struct sched *s, uint32_t idx);
/* no-agent; then all that keeps agents from taking it. */
void why_no_agent(struct ask *q);
void why_agents(struct ask *q);

#endif
