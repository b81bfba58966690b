/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside of a run file: the tables, the statements by number, and the state
 * that run_file.c, run_write.c and run_read.c share.
 */
#ifndef STORE_RUN_H
#define STORE_RUN_H

#include <stdbool.h>

#include "store/db.h"
#include "yardmaster/base/buf.h"
#include "yardmaster/store/run_file.h"

/* 1: without the tables of run_later_schema. */
#define RUN_VERSION 5

enum run_stmt {
	/* writing */
	RUN_BEGIN, RUN_COMMIT, RUN_ROLLBACK, RUN_EPOCH,
	RUN_PUT_HEAD, RUN_PUT_SNAPSHOT, RUN_PUT_COUNTS, RUN_PUT_EXEC, RUN_PUT_ATTEMPT,
	RUN_SENT_STEPS, RUN_PUT_ENDED, RUN_PUT_RESULT, RUN_PUT_AMENDMENT,
	RUN_PUT_TARGET, RUN_PUT_STEP_TARGET,
	RUN_PUT_SHARED, RUN_PUT_EVENT, RUN_PUT_MEMBER, RUN_PUT_ARTIFACT,
	RUN_PUT_LEASED, RUN_PUT_TRIES,
	/* creating */
	RUN_NEW_HEAD, RUN_NEW_SNAPSHOT, RUN_NEW_EXEC, RUN_NEW_STEP,
	/* reading */
	RUN_GET_HEAD, RUN_GET_SNAPSHOT, RUN_GET_COUNTS, RUN_EACH_EXEC,
	RUN_EACH_STEP, RUN_EACH_ATTEMPT, RUN_EACH_RESULT,
	RUN_EACH_AMENDMENT, RUN_EACH_EVENT, RUN_EACH_MEMBER,
	RUN_EACH_SHARED, RUN_EACH_ARTIFACT, RUN_EACH_LEASED, RUN_EACH_TRIES,
	RUN_STMTS
};
extern const char *const run_sql[RUN_STMTS];
/* The tables of version RUN_VERSION, with its two pragmas. */
extern const char run_schema[];
/* What a file of version 1 lacks, with the pragma of RUN_VERSION. */
extern const char run_later_schema[];

/* Tables whose rows the store numbers. */
enum run_seq { SEQ_AMENDMENTS, SEQ_SHARED, SEQ_EVENTS, RUN_SEQS };

struct run_file {
	struct db db;
	char id[RUN_ID_SIZE];
	char *path;		/* of the database */
	char *state_dir;
	bool writer;
	int lock_fd;		/* -1 for a reader */
	uint32_t epoch;		/* of a writer */
	bool begun;		/* a transaction is open */
	bool dirty;		/* with something in it */
	struct buf redo;	/* what was put since the last commit */
	int64_t seqs[RUN_SEQS];	/* the last that was given */
	int failed;		/* the code of the first failure, or 0 */
	char *error;		/* its text, or NULL */
	uint8_t *states;	/* enum exec_state by number - 1, of a writer */
	uint32_t n;		/* executions */
	struct counts counts;	/* of states */
	bool counted;		/* counts differ from the stored ones */
	char *head[3];		/* plan, who, options of run_file_head() */
};

/* Notes a failure with the text of the database and rolls back. Returns
 * code. */
int run_fail(struct run_file *f, int code);
/* Begins the transaction of this turn when none is open, and checks that
 * the epoch is still ours. */
int run_begin(struct run_file *f);
/* Loads states and counts from the file. */
int run_load_states(struct run_file *f);

/* Takes the lock of a run and writes into it who we are. 0, ERR_LOCKED,
 * -errno. */
int run_lock(const char *state_dir, const char *run, const char *who,
    int *ret_fd);
/* Creates STATE/runs where absent and checks that it is private. */
int run_folder(const char *state_dir);

/* Counts as ten numbers with spaces between, and back (false: not so). */
#define COUNTS_TEXT 128
char *counts_format(const struct counts *c, char *out);
bool counts_parse(const char *text, struct counts *ret);

#endif
