/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an agent says of itself: values and their sources, workers, queue,
 * host. Plain data with its JSON form (MSG_FACTS and MSG_WELCOME).
 */
#ifndef YARDMASTER_MODEL_FACTS_H
#define YARDMASTER_MODEL_FACTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/ident.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/strvec.h"
#include "yardmaster/model/hold.h"
#include "yardmaster/model/guards.h"
#include "yardmaster/model/state.h"

/* Threshold as given: a number, or "-N" (spare), or unset (= max workers). */
struct threshold {
	enum { THRESHOLD_UNSET, THRESHOLD_NUMBER, THRESHOLD_SPARE } kind;
	uint32_t n;
};
/* "4", "-2", or "" / "max" for unset. 0, ERR_SYNTAX or ERR_RANGE. */
int threshold_parse(const char *text, struct threshold *ret);
/* Writes it into out (16 bytes); returns out. */
char *threshold_format(const struct threshold *t, char *out);
bool threshold_equal(const struct threshold *a, const struct threshold *b);
/* min(threshold, max_workers); "-N" is max(1, max_workers - N). */
uint32_t threshold_effective(const struct threshold *t, uint32_t max_workers);
/* Its JSON form: a number, "-N", or null for unset (absent reads as unset). */
void threshold_write(struct jw *w, const struct threshold *t);
/* 0, ERR_SYNTAX or ERR_RANGE. */
int threshold_read(const struct jval *v, struct threshold *ret);

/* Why and by whom an agent, run or execution is drained or held. */
struct stop_note {
	bool on;
	char *who, *note;	/* NULL when unknown */
	int64_t since_wall_us;
	int64_t expires_wall_us;	/* 0: never */
};
void stop_note_done(struct stop_note *s);
/* Sets it (strings copied; NULL allowed), or clears it when who is NULL. */
void stop_note_set(struct stop_note *s, const char *who, const char *note,
    int64_t since_wall_us, int64_t expires_wall_us);
void stop_note_copy(struct stop_note *to, const struct stop_note *from);
void stop_note_write(struct jw *w, const struct stop_note *s);
int stop_note_read(const struct jval *v, struct stop_note *ret);

struct worker {
	uint16_t no;		/* from 1 */
	bool busy;
	enum worker_kind kind;
	pid_t pid;		/* of the worker process, 0 when not started */
	struct ident attempt;	/* run "" when none */
	char *label;		/* what runs, or NULL */
	char *owner;		/* whose, or NULL */
	char *progress;		/* what the step says of itself, or NULL */
	int64_t elapsed_us;	/* since it became busy, at the time of the facts */
	int64_t usual_us;	/* 0 unknown */
	int64_t output_age_us;	/* since the last output; -1 none yet */
	double cpu;		/* CPUs that what it runs used of late */
	uint64_t memory_bytes;	/* resident, of what it runs; 0 unknown */
	uint32_t take;		/* number of the taking, when a person has it */
	struct stop_note taken;	/* by whom, why, since and until when */
};

#define WORKER_SILENT_US (600 * US_PER_S)
#define WORKER_OVERDUE_US (60 * US_PER_S)	/* never before */
#define WORKER_OVERDUE_FACTOR 3
/* It runs far longer than usual, by that time since it became busy; it said
 * nothing for long, at that time after the facts. */
bool worker_overdue(const struct worker *w, int64_t elapsed_us);
bool worker_silent(const struct worker *w, int64_t age_us);

#define FACTS_HOLDERS_MAX 512	/* attempts and runs that facts name */
#define FACTS_RUNS_MAX 512
#define FACTS_TARGETS_MAX 256

/* An attempt on the agent, waiting or running, that holds limits by name. */
struct holder {
	struct ident id;
	char *owner;		/* who drives its run, or NULL */
	struct hold *holds;	/* n_holds */
	uint32_t n_holds;
};

/* An attempt that counts against the limit of a target. */
struct taker {
	struct ident id;
	char *owner;		/* who drives its run, or NULL */
	uint32_t max;		/* as its run said last; 0: it says none */
};

/* A target of which the agent runs only so many at once. */
struct limited {
	char *name;
	uint32_t max;		/* the least that runs of attempts there name; 0
				 * none does, but one that did was refused */
	struct taker *takers;	/* n_takers; of all targets at most
				 * FACTS_HOLDERS_MAX */
	uint32_t n_takers;
};

struct facts {
	char *host;		/* nodename */
	char *version;		/* of the agent */
	char *instance;
	char *boot;		/* boot id */
	uint32_t max_workers;
	enum value_source max_source;
	uint32_t advised;	/* advised max workers */
	struct threshold threshold;
	uint32_t effective;	/* effective threshold */
	struct stop_note draining, held;
	uint32_t busy;		/* workers busy, whatever they do */
	uint32_t auto_running;	/* auto attempts among them */
	uint32_t queued;	/* attempts waiting on the agent */
	bool root;		/* runs as root */
	bool virtual;
	char *guard;		/* the guard it is past, in words, or NULL */
	struct guards guards;	/* given: by the host's file or a console */
	unsigned guards_local;	/* bits: those of the host's file */
	char *warning;		/* what its owner should mend, or NULL */
	uint32_t cpus;
	double load1;
	uint64_t memory_bytes, memory_free_bytes;
	uint64_t disk_free_bytes;	/* of the spool */
	int64_t uptime_us;
	struct worker *workers;	/* n_workers, by no */
	uint32_t n_workers;
	struct holder *holders;	/* n_holders */
	uint32_t n_holders;
	bool all_holders;	/* there are no others */
	struct limited *targets;	/* n_targets */
	uint32_t n_targets;
	struct strvec runs;	/* of all attempts it has, ended ones too; the
				 * first FACTS_RUNS_MAX */
};

/* Frees what f holds; writes f as one JSON value. */
void facts_done(struct facts *f);
void facts_write(struct jw *w, const struct facts *f);
/* 0 or ERR_SYNTAX, ERR_RANGE; nothing to free on failure. */
int facts_read(const struct jval *v, struct facts *ret);

#endif
