/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What all runs of a state folder share: STATE/registry.db, written by every
 * console in short transactions: history of tests, and leases.
 */
#ifndef YARDMASTER_STORE_REGISTRY_H
#define YARDMASTER_STORE_REGISTRY_H

#include <stddef.h>
#include <stdint.h>

#include <stdbool.h>

#include "yardmaster/base/ident.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/strvec.h"
#include "yardmaster/model/hold.h"
#include "yardmaster/model/state.h"

#define HISTORY_KEPT 10		/* durations and outcomes kept per key */
#define HISTORY_MEDIAN 5	/* newest durations an estimate looks at */

struct registry;

/* Opens it, creating it where absent. 0, ERR_UNSUPPORTED (network file
 * system), ERR_VERSION, ERR_STORE (damaged), or a code of the disk. */
int registry_open(const char *state_dir, struct registry **ret);
void registry_close(struct registry *r);	/* NULL is fine */

/* Brackets many reads, so that the file is locked once; other consoles wait
 * meanwhile when they want to write. */
int registry_begin_read(struct registry *r);
void registry_end_read(struct registry *r);

/* What history is about; row and target may be NULL. */
struct history_item {
	const char *suite, *test, *row, *target;
};
/*
 * Its keys, most specific first: "suite/test[row]@target", "test[row]@target",
 * then both without "@target", both without "[row]", and both bare.
 */
void history_keys(const struct history_item *item, struct strvec *out);

/*
 * Durations in history are those on an agent of speed 1: what was measured
 * times the speed factor that was known of its agent then. What was measured
 * itself is kept by agent, for the newest agents of each test: speed factors
 * are learned from it.
 */
struct history_sample {
	struct history_item item;
	enum outcome outcome;
	int64_t elapsed_us;	/* as measured; used of a pass only */
	const char *agent;	/* it ran on; NULL: not known */
	uint32_t speed;		/* its factor, in thousandths; 0: 1000 */
};
/* Adds all to every key of each, in one transaction: outcomes of passes and
 * failures (incl. timeouts), durations of passes. Others are left out. */
int history_add(struct registry *r, const struct history_sample *v, size_t n);

struct history_estimate {
	int64_t usual_us;	/* median of the newest passes; 0: none passed */
	uint32_t passes;	/* durations it rests on, to HISTORY_KEPT */
	uint32_t outcomes;	/* how many are known, to HISTORY_KEPT */
	uint32_t failures;	/* of those */
};
/* By the most specific key that has a duration (outcomes: that is known).
 * ERR_NOT_FOUND when there is nothing. */
int history_estimate(struct registry *r, const struct history_item *item,
    struct history_estimate *ret);

/* Likelihood to fail in thousandths, by what is known of that many outcomes;
 * what was never run may as well fail as pass. */
int32_t history_likelihood(uint32_t outcomes, uint32_t failures);
/* Writes {"key": thousandths, ...}: the likelihood of every key. */
int history_export_fails(struct registry *r, struct jw *w);

/* What the newest passes took as measured, ordered by the most specific key
 * of the test, then by agent: fn returns non-zero to end it, which is given. */
int history_each_pace(struct registry *r,
    int (*fn)(void *arg, const char *key, const char *agent,
    int64_t elapsed_us), void *arg);

/* ---- benched agents ------------------------------------------------------------ */

struct registry_benched {
	const char *fleet, *agent;
	const char *text;	/* the evidence */
	int64_t wall_us;	/* since when */
};
/* Notes that it is benched; without a text: no longer. */
int registry_bench(struct registry *r, const struct registry_benched *b);
/* Those of a fleet; fn as above. */
int registry_each_benched(struct registry *r, const char *fleet,
    int (*fn)(void *arg, const struct registry_benched *b), void *arg);
/* What a process of a suite's batches took to start, beyond its tests: adds
 * one measure; gives the median of the newest, ERR_NOT_FOUND without any. */
int history_start_add(struct registry *r, const char *suite,
    int64_t start_us);
int history_start(struct registry *r, const char *suite,
    int64_t *ret_start_us);

/* Writes {"key": seconds, ...}: the estimate of every key with a duration. */
int history_export(struct registry *r, struct jw *w);
/* Adds the durations of such an object as passes; *ret_n says how many.
 * ERR_SYNTAX, ERR_RANGE for a value that is no length: nothing is added. */
int history_import(struct registry *r, const struct jval *v, size_t *ret_n);

/* ---- leases ------------------------------------------------------------------ */

/*
 * What an attempt holds of a limit that is known by name over all runs of the
 * folder. It is there from before its work is sent until it is known to have
 * ended, whoever lives. Texts are borrowed for the call.
 */
struct lease {
	struct ident id;	/* the attempt */
	struct hold hold;
	const char *owner;	/* who drove its run then, for people */
	const char *agent;	/* its name in the fleet of that owner */
	const char *host, *instance;	/* what that agent says it is, or "" */
	int64_t since_wall_us;
};

/*
 * One transaction: begin, then looks, puts and drops, then end. Nobody else
 * changes a lease in between. 0, ERR_TIMEOUT at once when another process is
 * writing, or a code of the disk or store.
 */
int registry_lease_begin(struct registry *reg);
/* keep: commits what was put and dropped, on the disk when it returns 0; else
 * forgets it. Without a change it costs no write. */
int registry_lease_end(struct registry *reg, bool keep);
/* In the place of the same hold of the same attempt. */
int registry_lease_put(struct registry *reg, const struct lease *l);
/* All of one attempt; harmless when there is none. */
int registry_lease_drop(struct registry *reg, const struct ident *id);
/* All of them, oldest first. A non-zero value of fn ends it and is given. */
int registry_lease_each(struct registry *reg,
    int (*fn)(void *arg, const struct lease *l), void *arg);
/* Whether another connection wrote the registry since the last call (the
 * first says true). Also outside of a transaction. */
int registry_changed(struct registry *reg, bool *ret);
/* The file, for those who watch it. */
const char *registry_path(const struct registry *reg);

#endif
