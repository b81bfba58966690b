/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One run on disk: STATE/runs/RUN.db, written only by the process that holds
 * the lock RUN.lock, read by anyone. Writers put rows and commit once per
 * loop turn; a row counts only after run_file_commit() has returned 0. No
 * process may fork while it has a run file open. Times with "wall" are this
 * console's wall clock unless an agent gave them.
 */
#ifndef YARDMASTER_STORE_RUN_FILE_H
#define YARDMASTER_STORE_RUN_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "yardmaster/base/ident.h"
#include "yardmaster/model/live.h"
#include "yardmaster/model/state.h"
#include "yardmaster/model/work.h"
#include "yardmaster/sys/proc.h"

struct run_file;

/* ---- what is kept ---------------------------------------------------------
 * In what is given to a function, strings are borrowed for the call. In what
 * a callback gets, they live during the callback. */

struct run_head {
	char id[RUN_ID_SIZE];
	const char *plan;	/* its name */
	const char *who;	/* who launched it: login@host */
	const char *options;	/* of the launch, JSON text of the engine; or NULL */
	enum run_state state;	/* never RUN_ORPHANED */
	int64_t started_wall_us;
	int64_t ended_wall_us;	/* 0 until ended */
	uint32_t epoch;		/* set by create and adopt only */
	int exit_code;		/* -1 until ended */
};

/* One step of an execution, as planned. */
struct run_step {
	uint32_t exec;		/* number of the execution */
	uint32_t step;		/* from 0 in the execution */
	const char *test;
	const char *row;	/* name or number; NULL without data */
	const char *target;	/* NULL: unnamed */
};

struct run_exec {
	/* fixed at creation */
	uint32_t no;		/* from 1, without gaps */
	const char *suite;
	const char *test;	/* the first step's, or the suite's name */
	const char *row, *target;	/* or NULL */
	uint32_t n_steps;
	int64_t estimate_us;	/* 0 unknown */
	/* changed by run_file_put_exec() */
	enum exec_state state;
	uint32_t attempt;	/* number of the current or last one, 0 none */
	const char *agent;	/* or NULL */
	enum tier tier;
	int64_t since_wall_us;	/* when state took its value */
	const char *text;	/* why it is or ended so, or NULL */
};

struct run_attempt {
	uint32_t exec, attempt;	/* both from 1 */
	const char *agent;
	enum attempt_class class;
	enum tier tier;
	enum attempt_state state;
	enum outcome outcome;	/* once ended or lost */
	bool late;		/* the result came when it no longer counted */
	uint16_t worker;	/* 0 none */
	int64_t sent_wall_us;
	int64_t started_wall_us, ended_wall_us;	/* the agent's clock; 0 unknown */
	int64_t elapsed_us;
	uint64_t out_bytes, out_dropped;
	const char *text;	/* or NULL */
	/* Which steps of the execution were sent, ascending; NULL: all. */
	const uint32_t *steps;
	uint32_t n_steps;
};

/* What a step came to in an attempt. */
struct run_result {
	uint32_t exec, attempt;
	uint32_t step;		/* from 0 in the execution */
	const char *agent;	/* of the attempt, or NULL */
	bool late;		/* the attempt ended when it no longer counted */
	struct step_result r;	/* r.text is borrowed */
};

/* An attempt that shares the process, and the output, of the one that leads
 * its batch. */
struct run_member {
	uint32_t exec, attempt;
	uint32_t lead_exec, lead_attempt;	/* itself, for that one */
};

/* The instance of its target that an attempt was sent with. */
struct run_leased {
	uint32_t exec, attempt;
	const char *instance;
};

/* What the tries of an execution came to that count against its budgets. */
struct run_tries {
	uint32_t exec;
	uint32_t failures, errors;
	const char *avoid;	/* the agent not to use for the next, or NULL */
	int64_t due_wall_us;	/* the next one waits for that; 0 it does not */
};

/* A file that an attempt left; or, of state ARTIFACT_LEFT_OUT, those of it
 * that a limit of the agent left out. */
struct run_artifact {
	uint32_t exec, attempt;
	uint32_t no;		/* in what its agent said, from 0 */
	const char *agent;	/* read only; or NULL */
	const char *name;	/* as prepare_name_ok() wants it; left out: "" */
	uint64_t bytes;
	const char *sha256;
	uint32_t n;		/* files it stands for */
	enum artifact_state state;
	const char *text;	/* why it is missing, or NULL */
};

/* What somebody changed of a run while it ran: kinds are words of the engine
 * ("hold", "release", "move", "priority", ...). */
struct run_amendment {
	uint64_t seq;		/* from 1, given by the store */
	int64_t wall_us;
	const char *who, *kind;
	const char *object;	/* id or name, or NULL */
	const char *what;	/* text or JSON of the engine, or NULL */
};

/* What parts of a group gave each other in a round. */
struct run_shared {
	uint32_t group, round;
	const char *kind;	/* "put", or "met" */
	const char *name;	/* of a value; what asked at a barrier */
	const char *value;	/* it; the name of the barrier */
};

/* ---- writing: one owner ---------------------------------------------------- */

struct run_create {
	struct run_head head;	/* id set; epoch and exit_code are ignored */
	const char *snapshot;	/* the plan as launched, any text */
	uint32_t n;		/* executions */
	/* Fills the fixed members of execution no (from 1). */
	void (*exec)(void *arg, uint32_t no, struct run_exec *ret);
	/* Fills test, row, target of a step; called only for executions of
	 * more than one step (that of a single one is in the execution). */
	void (*step)(void *arg, uint32_t no, uint32_t step,
	    struct run_step *ret);
	void *arg;
};

/*
 * Creates the run with epoch 1, takes its lock, commits. All executions are
 * waiting. 0, ERR_EXISTS, ERR_LOCKED, ERR_UNSUPPORTED (the folder is on a
 * network file system), or a code of the disk or of the store.
 */
int run_file_create(const char *state_dir, const struct run_create *c,
    struct run_file **ret);

/*
 * Takes over a run whose owner is dead: lock, check of the file, epoch + 1,
 * committed. who is shown as the owner. 0; ERR_LOCKED with the owner's text
 * in *ret_owner (may be NULL; the caller frees) when it lives; ERR_NOT_FOUND;
 * ERR_STATE when the run has ended; ERR_VERSION when a newer program wrote
 * it; ERR_STORE when it is damaged.
 */
int run_file_adopt(const char *state_dir, const char *run, const char *who,
    struct run_file **ret, char **ret_owner);

/*
 * Opens a run that has ended, so that late results can be kept: lock and epoch
 * as by run_file_adopt(). Its executions are not to be changed. 0; ERR_LOCKED;
 * ERR_NOT_FOUND; ERR_STATE when it has not ended; or as run_file_adopt().
 */
int run_file_reopen(const char *state_dir, const char *run, const char *who,
    struct run_file **ret);

/* Rolls back what was not committed, closes, frees the lock. NULL is fine. */
void run_file_close(struct run_file *f);

/* The id of the run (borrowed) and the epoch that was taken by opening. */
const char *run_file_id(const struct run_file *f);
uint32_t run_file_epoch(const struct run_file *f);

/*
 * Each puts one row into the transaction of this turn, which the first put
 * begins. 0 or a negative code; after a failure all puts and commits fail
 * with the same code until run_file_recover(), which puts the rows again.
 */
/* State, ended_wall_us and exit_code of the head. */
int run_file_put_head(struct run_file *f, const struct run_head *head);
/* Another snapshot: what was not known at the launch is in it. */
int run_file_put_snapshot(struct run_file *f, const char *text);
/* The members that change, of execution e->no. ERR_NOT_FOUND (harmless). */
int run_file_put_exec(struct run_file *f, const struct run_exec *e);
/* A new attempt, or a change of one: of that, members that are zero, NULL or
 * none leave what is there, and class and steps stay. One that has ended
 * stays as it is (0). A new one must be committed before its work is sent.
 * ERR_NOT_FOUND (harmless). */
int run_file_put_attempt(struct run_file *f, const struct run_attempt *a);
/*
 * The result of an ended attempt: the attempt and its steps. A second one for
 * the same attempt changes nothing and sets *ret_new false; one that comes
 * after a failure has to come again. late: it no longer
 * counts (a successor was sent). r->steps are those that were sent, in order;
 * what an agent says of more is left out. ERR_RANGE (harmless) when r is not
 * ended, ERR_NOT_FOUND (harmless) for an execution that is not of this run.
 */
int run_file_put_result(struct run_file *f, const struct report *r, bool late,
    bool *ret_new);
/* That an attempt is of a batch; goes with its run_file_put_attempt(). */
int run_file_put_member(struct run_file *f, const struct run_member *m);
/* Goes with its run_file_put_attempt() too. */
int run_file_put_leased(struct run_file *f, const struct run_leased *l);
/* Replaces those of that execution; goes with its run_file_put_exec(). */
int run_file_put_tries(struct run_file *f, const struct run_tries *t);
/* A new one, or its state and text; what is here stays so. */
int run_file_put_artifact(struct run_file *f, const struct run_artifact *a);
int run_file_put_amendment(struct run_file *f, const struct run_amendment *a);
/* The target of one step, from 0, of an execution is another one. */
int run_file_put_target(struct run_file *f, uint32_t exec, uint32_t step,
    const char *target);
int run_file_put_shared(struct run_file *f, const struct run_shared *s);
/* seq is given by the store. */
int run_file_put_event(struct run_file *f, const struct event *e);

/* Commits what was put since the last commit, durably; 0 when there was
 * nothing. On failure nothing of the turn is recorded yet: acknowledge
 * nothing, send nothing, run_file_recover() when the fault may be gone. */
int run_file_commit(struct run_file *f);
/* True when something was put and not committed. */
bool run_file_dirty(const struct run_file *f);
/* Closes and opens the database again under the same lock, checks it, and
 * puts again and commits what was put since the last commit. Results that
 * came after the failure are not among that: agents have them until they are
 * acknowledged. */
int run_file_recover(struct run_file *f);
/* What the database said of the last failure; "" when none. */
const char *run_file_error(const struct run_file *f);

/* ---- reading ---------------------------------------------------------------- */

/* Opens a run to read, whoever owns it; never waits long. 0, ERR_NOT_FOUND,
 * ERR_VERSION, ERR_STORE. Close soon: an open read keeps the file growing. */
int run_file_open(const char *state_dir, const char *run,
    struct run_file **ret);

/* All reads between these two see one state. Only for files of
 * run_file_open(). */
int run_file_begin_read(struct run_file *f);
void run_file_end_read(struct run_file *f);

/* The head; its strings live until the next call of this on f, or close. */
int run_file_head(struct run_file *f, struct run_head *ret);
/* The snapshot; the caller frees. */
int run_file_snapshot(struct run_file *f, char **ret);
/* How many executions are in each state. */
int run_file_counts(struct run_file *f, struct counts *ret);

/*
 * Call fn for each row in order of its numbers; exec = 0: of all executions.
 * A non-zero value of fn ends it and is returned. Else 0 or a negative code.
 * fn may use f, but not the function that called it.
 */
int run_file_each_exec(struct run_file *f,
    int (*fn)(void *arg, const struct run_exec *e), void *arg);
/* Steps as planned; that of an execution of one step is given as well. */
int run_file_each_step(struct run_file *f, uint32_t exec,
    int (*fn)(void *arg, const struct run_step *s), void *arg);
int run_file_each_attempt(struct run_file *f, uint32_t exec,
    int (*fn)(void *arg, const struct run_attempt *a), void *arg);
int run_file_each_result(struct run_file *f, uint32_t exec,
    int (*fn)(void *arg, const struct run_result *r), void *arg);
/* Of batches only; an older program's file has none. */
int run_file_each_member(struct run_file *f, uint32_t exec,
    int (*fn)(void *arg, const struct run_member *m), void *arg);
/* Of those that have one; an older program's file has none. */
int run_file_each_leased(struct run_file *f, uint32_t exec,
    int (*fn)(void *arg, const struct run_leased *l), void *arg);
/* Of those that were put: all others have none. Only for files of
 * run_file_adopt(). */
int run_file_each_tries(struct run_file *f,
    int (*fn)(void *arg, const struct run_tries *t), void *arg);
/* An older program's file has none. */
int run_file_each_artifact(struct run_file *f, uint32_t exec,
    int (*fn)(void *arg, const struct run_artifact *a), void *arg);
int run_file_each_amendment(struct run_file *f,
    int (*fn)(void *arg, const struct run_amendment *a), void *arg);
/* In order of time. */
int run_file_each_shared(struct run_file *f,
    int (*fn)(void *arg, const struct run_shared *s), void *arg);
/* Events with a seq above after. */
int run_file_each_event(struct run_file *f, uint64_t after,
    int (*fn)(void *arg, const struct event *e), void *arg);

/* ---- owners and the folder ---------------------------------------------------- */

/* The process that holds the lock of a run. */
struct run_owner {
	struct proc_id process;
	char *who;		/* login@host */
};
void run_owner_done(struct run_owner *o);
/* 0, or ERR_NOT_FOUND when no live process holds the run. What the owner has
 * not written yet is zero or NULL. */
int run_owner_read(const char *state_dir, const char *run,
    struct run_owner *ret);
/* "login@host pid N"; the caller frees. */
char *run_owner_text(const struct run_owner *o);
/* Path of "RUN" + suffix (".db", ".lock", ".sock"); the caller frees. */
char *run_path(const char *state_dir, const char *run, const char *suffix);

struct run_summary {
	const struct run_head *head;	/* state RUN_ORPHANED: not ended, no owner */
	const char *owner;	/* NULL when nobody drives it */
	struct counts counts;
};
/*
 * Calls fn for each run of the folder, newest first. A file that cannot be
 * read is logged and left out. A non-zero value of fn ends it and is
 * returned. An absent folder holds no runs.
 */
int run_list(const char *state_dir,
    int (*fn)(void *arg, const struct run_summary *s), void *arg);

/* The state of one run, RUN_ORPHANED when it has not ended and nobody drives
 * it, and its exit code, -1 until it ended. 0, ERR_NOT_FOUND, ERR_VERSION,
 * ERR_STORE. */
int run_state_read(const char *state_dir, const char *run,
    enum run_state *ret, int *ret_exit_code);

/* Removes a run and all its files. ERR_LOCKED when somebody drives it,
 * ERR_NOT_FOUND. */
int run_remove(const char *state_dir, const char *run);
/* Writes a copy of the run, whole and consistent, to path (which must not
 * exist: ERR_EXISTS). */
int run_backup(const char *state_dir, const char *run, const char *path);
/* Reads the whole file for damage: 0, or ERR_STORE with text (the caller
 * frees) in *ret_text. */
int run_check(const char *state_dir, const char *run, char **ret_text);

#endif
