/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the agent holds: attempts, the runs they are of, and the queue of
 * those that wait. Pure: no clock, no I/O; which attempt may start next is
 * decided here from the limits given.
 */
#ifndef AGENT_QUEUE_H
#define AGENT_QUEUE_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

#include "yardmaster/base/ident.h"
#include "yardmaster/model/state.h"
#include "yardmaster/model/work.h"

struct link;
struct ration;
struct ration_use;

/* A run of which something was heard. */
struct held_run {
	char id[RUN_ID_SIZE];
	uint32_t epoch;		/* the highest seen */
	char *owner;		/* as claimed, or NULL */
	uint64_t driver;	/* serial of the link that drives it, 0 none */
	struct link **watchers;	/* links that hear of its attempts */
	size_t n_watchers, cap_watchers;
	bool dirty;		/* differs from the journal */
	uint64_t mark;		/* of a count: it was seen, */
	uint32_t said;		/* and its limit of that target was this */
	uint32_t n_attempts;	/* of it here */
	UT_hash_handle hh;
};

/* What is due for an attempt at the end of the turn. */
#define DUE_STORE 1
#define DUE_REPORT 2

struct attempt {
	struct ident id;
	struct held_run *run;
	enum attempt_class class;
	uint16_t workers;	/* how many it occupies */
	uint32_t epoch;
	enum attempt_state state;
	uint16_t worker;	/* the slot that runs it, 0 none */
	uint64_t seq;		/* order of arrival */
	uint32_t place;		/* in the queue, when last counted */
	unsigned passes;	/* how often a later one went before it */
	int64_t queued_wall_us, started_wall_us, started_us;
	int64_t usual_us;
	char *label, *owner;	/* may be NULL */
	char *work;		/* JSON for the worker, NULL once ended */
	size_t work_len;
	char *result;		/* JSON of the report once ended or lost */
	size_t result_len;
	unsigned due;		/* DUE_ bits */
	bool listed;		/* in the list of the turn */
	bool stored;		/* a row is in the journal */
	bool gone;		/* to be forgotten once that is committed */
	bool unsent;		/* its worker has not been told yet */
	bool together;		/* is prepared, then waits for a go */
	bool go;		/* which came */
	bool prepared;		/* has slots, waits for the go in no line */
	bool in_line;
	char *progress;		/* what its step says of itself, or NULL */
	bool again;		/* was put back, as its worker died before */
	struct hold *holds;	/* of limits by name, n_holds */
	uint32_t n_holds;
	struct ration_use *uses;	/* its targets (ration.h), n_uses */
	uint32_t n_uses;
	uint64_t *keys;		/* of its steps, ascending; NULL: it may run
				 * beside anything */
	uint32_t n_keys;
	bool secret;		/* it needs secrets: */
	struct secrets secrets;	/* none: they are gone */
	struct prep *prep;	/* what it needs prepared, or NULL */
	bool parked;		/* waits for that, in no line */
	LIST_ENTRY(attempt) in_holders;	/* when it has holds */
	TAILQ_ENTRY(attempt) in_queue;
	TAILQ_ENTRY(attempt) in_turn;
	UT_hash_handle hh;
};
TAILQ_HEAD(attempts, attempt);

struct queue {
	struct attempt *all;	/* hash by id */
	struct held_run *runs;	/* hash by id */
	struct attempts autos, others;	/* waiting, each in order of seq */
	struct attempts parked;	/* waiting too, but may not start yet */
	LIST_HEAD(holders, attempt) holders;	/* those with holds */
	struct ration *rations;	/* hash by name */
	uint64_t mark;		/* of the last count */
	uint32_t n;		/* waiting */
	uint64_t next_seq;
};

struct queue_limits {
	uint32_t max_workers;
	uint32_t threshold;	/* effective */
	uint32_t busy;		/* workers */
	uint32_t auto_busy;	/* workers busy with auto attempts */
	bool stopped;		/* drained, held or past a guard: only teardowns
				 * of what is over run */
	/* Whether one of the same steps runs (attempts_meet()), or as many of
	 * its targets as may; NULL: no. */
	bool (*waits)(void *arg, const struct attempt *a);
	void *arg;
};

void queue_init(struct queue *q);
/* Frees all attempts and runs. */
void queue_done(struct queue *q);

/* The run of that id, made when new. */
struct held_run *queue_run(struct queue *q, const char *id);
/* The attempt of that id, or NULL. */
struct attempt *queue_find(const struct queue *q, const struct ident *id);
/* Makes an attempt in state queued, known but not yet in line. */
struct attempt *queue_add(struct queue *q, const struct ident *id);
/* Takes what the agent itself needs to know from a work, its holds and
 * secrets too. */
void attempt_describe(struct queue *q, struct attempt *a, struct work *work);
/* Whether a step of one is a step of the other. */
bool attempts_meet(const struct attempt *a, const struct attempt *b);
/* Forgets and frees it; it must be in no line and no list. */
void queue_drop(struct queue *q, struct attempt *a);

/* Puts it in line by its seq (0: a new one, at the end). */
void queue_enter(struct queue *q, struct attempt *a);
/* Nothing when it is in none. */
void queue_leave(struct queue *q, struct attempt *a);
bool attempt_waits(const struct attempt *a);
/* It must not start: what it needs was in the memory of an earlier daemon. */
bool attempt_lacks(const struct attempt *a);
/* Counts the places anew. */
void queue_count_places(struct queue *q);

/*
 * The attempt that may start now, or NULL: the oldest of those that the
 * threshold allows and that need not wait for what runs, of whichever run. One
 * that wants more workers than are free is passed by later ones, at most 16
 * times; then the free workers are kept for it.
 */
struct attempt *queue_next(struct queue *q, const struct queue_limits *l);

#endif
