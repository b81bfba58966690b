/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The daemon: one loop, one journal, the attempts it holds, a worker process
 * per slot, and the links of consoles. Its parts are slot.c (workers),
 * console.c and handle.c (links and their messages), tail.c (output), turn.c
 * (what is due at the end of each turn), recover.c (what an earlier daemon
 * left), facts.c, daemon.c (start and end).
 */
#ifndef AGENT_DAEMON_H
#define AGENT_DAEMON_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/agent_file.h"
#include "agent/queue.h"
#include "agent/values.h"
#include "yardmaster/base/buf.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/model/facts.h"
#include "yardmaster/proto/frame.h"
#include "yardmaster/store/journal.h"
#include "yardmaster/sys/loop.h"

/* Features that HELLO and WELCOME name. */
#define AGENT_FEATURES { "tail", "targets", "secrets" }

struct take;

struct daemon_options {
	const char *instance;
	bool local;		/* an agent of the console's own host */
	int64_t idle_us;	/* ends after so long with nothing to do; 0 never */
	const char *ready;	/* FIFO that hears how the start went, or NULL */
};

#define DAEMON_SIGNALS 3

struct slot {
	struct daemon *d;
	uint16_t no;		/* from 1 */
	struct attempt *attempt;	/* what keeps it busy, or NULL */
	const struct take *take;	/* a person does, or NULL */
	pid_t pid;		/* of the worker process, 0 none or not said */
	struct child *child;	/* when started by this daemon */
	struct stream *stream;	/* to the worker; NULL: there is none */
	struct frame_reader reader;
	struct usage {		/* of what it runs, at the last tick */
		struct ident of;	/* the attempt; else it is of another */
		int64_t at_us, cpu_us;
		double cpu;	/* CPUs used since the tick before */
		uint64_t memory_bytes;
	} usage;
	bool greeted;		/* WIRE_HELLO came */
	bool adopted;		/* found at the start */
};

struct daemon {
	const struct daemon_options *opt;
	struct loop *loop;
	struct journal *journal;
	struct agent_file file;
	struct strvec worker_env;
	char *spool, *program;	/* absolute */
	int lock_fd;
	dev_t spool_dev;
	ino_t spool_ino;
	struct values values;
	struct queue queue;
	LIST_HEAD(, prep) preps;	/* prepare.c */
	struct trees *trees;	/* trees.c */
	struct takes *takes;	/* takes.c */
	struct slot **slots;	/* n_slots, by no */
	uint32_t n_slots;
	uint32_t busy, auto_busy;	/* workers */
	struct attempts due;	/* touched in this turn */
	struct strvec edits;	/* "who\twhat", for the journal */
	bool runs_dirty;
	bool store_failing;	/* nothing new is accepted */
	char *guard;		/* why nothing new starts, or NULL */
	struct guardian *guardian;	/* guard.c */
	char *warning;		/* what the host's owner should mend, or NULL */
	struct console *consoles;	/* console.c */
	uint64_t last_serial;
	struct listener *listener, *look_listener;
	struct tails *tails;	/* tail.c */
	struct asks *asks;	/* ask.c */
	struct timer *tick;	/* 5 s: facts, guards, times, spool */
	struct timer *commit_timer;	/* when the next commit may be made */
	int64_t committed_us;	/* when the last one was begun */
	struct timer *report_timer;	/* when reports may be told */
	int64_t reported_us;	/* when the last one was */
	struct timer *facts_timer, *retry_timer, *expire_timer, *sweep_timer;
	struct sigwatch *sigs[DAEMON_SIGNALS];
	bool facts_due;
	int64_t facts_said_us;
	bool was_busy;		/* there was something to do a turn ago */
	int64_t busy_us;	/* when there last was */
	bool keep;		/* the next start is not a full one */
};

/* daemon.c: `serve`. Returns the exit code. */
int daemon_serve(const struct daemon_options *opt);
/* Ends the daemon at the end of this turn. keep: the next start keeps values. */
void daemon_stop(struct daemon *d, bool keep, const char *why);

/* turn.c */
/* Notes what is due for a at the end of the turn (DUE_ bits). */
void turn_touch(struct daemon *d, struct attempt *a, unsigned due);
/* The go of a part came. */
void turn_go(struct daemon *d, struct attempt *a);
/* It gives its slots back, if it has some already, and is in no line. */
void turn_unprepare(struct daemon *d, struct attempt *a);
/* To be forgotten: dropped once the journal has forgotten it. */
void turn_forget(struct daemon *d, struct attempt *a);
/* Facts are due: at once, or with the next 200 ms. */
void turn_facts(struct daemon *d, bool at_once);
/* The hook: starts, commits, tells. */
void turn_end(void *arg);
/* An attempt ended: its report as JSON (copied). */
void turn_result(struct daemon *d, struct attempt *a,
    enum attempt_state state, const char *json, size_t n);
/* The same for one that has no report of a worker. */
void turn_fail(struct daemon *d, struct attempt *a, enum attempt_state state,
    enum outcome outcome, const char *text);
/* Appends the report of a as it is now. */
void turn_report(const struct attempt *a, struct buf *out);

/* slot.c */
/* Makes slots 1 to n at least. */
void slots_reserve(struct daemon *d, uint32_t n);
void slots_free(struct daemon *d);
/* Gives a the free slots it wants; the lowest runs it. */
void slots_take(struct daemon *d, struct attempt *a);
/* Takes that slot for a, as it was before a crash. */
void slots_take_one(struct daemon *d, struct attempt *a, uint16_t no);
void slots_release(struct daemon *d, struct attempt *a);
/* Neither an attempt nor a person has it. */
bool slot_is_free(const struct slot *s);
/* Takes slot no, or the next one when that is not free, for a person. */
void slots_take_for(struct daemon *d, const struct take *k, uint16_t no);
void slots_give_back(struct daemon *d, const struct take *k);
/* Tells the worker of a to start it, making the worker when there is none. */
void slot_send(struct daemon *d, struct attempt *a);
void slot_cancel(struct daemon *d, struct attempt *a, double grace_s);
/* Connects to a worker that an earlier daemon started. 0 or a code. */
int slot_adopt(struct daemon *d, uint16_t no);
/* What was never begun, and never will be by the worker it was for, goes back
 * in line; it ends instead when it was to be cancelled. */
void slot_put_back(struct daemon *d, struct attempt *a);
/* The record of a result: "ID REPORT". */
void slot_record(struct daemon *d, const char *record, size_t n);

/* Looks what busy workers use; reads nothing where none is. */
void slots_tick(struct daemon *d);

/* recover.c */
enum recovery { RECOVER_QUEUE, RECOVER_KEEP, RECOVER_RESULT, RECOVER_ADOPT,
	RECOVER_LOST };
/* What becomes of an attempt of the journal, in that state there; began as
 * begun() says. */
enum recovery recover_decide(enum attempt_state state, bool same_boot,
    bool result_there, bool lock_held, bool began);
/* Loads the journal and finds workers. 0 or a code. */
int recover(struct daemon *d);

/* facts.c */
void facts_make(struct daemon *d, struct facts *ret);
/* Writes the member "facts". */
void facts_put(struct daemon *d, struct jw *w);

#endif
