/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Attempts that share a process: one work is sent for all, one report comes,
 * and each gets a result of its own from the file that the process wrote. To
 * the agent all of them are the attempt that leads.
 */
#ifndef YARDMASTER_ENGINE_BATCH_H
#define YARDMASTER_ENGINE_BATCH_H

#include <uthash.h>

#include "engine/engine_private.h"

struct batch_id {
	uint32_t exec, attempt;
};

struct batch {
	UT_hash_handle hh;
	struct batch_id lead;	/* the key */
	struct engine *e;
	struct erun *run;
	struct sched_member *members;	/* the leading one among them */
	uint32_t n;
	char *label;		/* for people; NULL when there is one only */
	/* While its results are brought: */
	struct fleet_tail *fetch;	/* NULL: they are not */
	size_t agent;
	struct report report;
	struct buf file;
	bool too_large;
};

/* What the processes of a suite took to start, in this run. */
struct batch_start {
	int64_t sum_us;
	uint32_t n;
};

/* ---- batch.c */
/* Remembers (and puts into the run file) what is sent as one. */
void batch_sent(struct engine *e, struct erun *r,
    const struct sched_decision *d);
/* Makes the batches of a run that is taken over known, and says of each
 * execution which one leads it, in v. 0 or a code of the store. */
int batch_restore(struct engine *e, struct erun *r, struct feed_exec *v);
/* The batch that an attempt leads, or NULL. */
struct batch *batch_led_by(const struct erun *r, const struct ident *id);
/* The attempts that share the process of an attempt that leads: one is used
 * for one that is alone. Borrowed. */
const struct sched_member *batch_members(const struct erun *r,
    const struct ident *id, struct sched_member *one, uint32_t *ret_n);
/* Whom the scheduler knows a report of id by: a member of its batch that is
 * still out. */
struct sched_id batch_voice(struct engine *e, const struct erun *r,
    const struct ident *id);
/* Whom the agent knows an attempt by: the one that leads its batch. */
struct ident batch_lead(const struct erun *r, struct sched_id id);
void batches_free(struct erun *r);

/* ---- batch_end.c */
/* The process ended: brings its results, then gives each member its own and
 * acknowledges. Said again meanwhile it changes nothing. */
void batch_ended(struct batch *b, size_t agent, const struct report *rep);
/* What a process of the plan's batches takes to start, as measured (starts,
 * by suite, may be NULL) or as earlier runs had it; 0 unknown. */
int64_t batch_start_us(const struct engine *e, const struct plan *p,
    const struct batch_start *starts);
/* Keeps for later runs what was measured in this one. */
void batch_keep_history(struct engine *e, struct erun *r);

/* ---- reports.c */
/* Records the end of one attempt; shared: with others in its process, so that
 * an error says nothing about its test. False when it could not be put. */
bool report_record(struct engine *e, size_t agent, struct erun *r,
    const struct report *rep, bool shared);

#endif
