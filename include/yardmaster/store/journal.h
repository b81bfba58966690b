/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The journal of an agent: what it accepted, started and saw end, the epochs
 * of runs, and its values. One process opens it. Rows are written inside a
 * transaction; what a commit refused was not written.
 */
#ifndef YARDMASTER_STORE_JOURNAL_H
#define YARDMASTER_STORE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/ident.h"
#include "yardmaster/model/state.h"

struct journal;

/* One attempt as stored. Strings and blobs are borrowed for the call. */
struct journal_attempt {
	struct ident id;	/* all three parts */
	uint32_t epoch;
	enum attempt_state state;
	uint16_t worker;	/* from 1; 0 none */
	uint64_t seq;		/* order of arrival */
	int64_t queued_wall_us, started_wall_us, ended_wall_us;
	const char *boot;	/* boot id under which it was started, or "" */
	const char *work;	/* JSON, or NULL once ended */
	size_t work_len;
	const char *result;	/* JSON of the report, or NULL */
	size_t result_len;
};

/*
 * Opens or makes the journal at path and checks it. 0; ERR_VERSION when a
 * newer program wrote it; ERR_STORE or -errno with words in why.
 */
int journal_open(const char *path, struct journal **ret, struct buf *why);
/* Checkpoints and closes; an open transaction is rolled back. NULL is fine. */
void journal_close(struct journal *j);

/*
 * One transaction: begin, then puts and drops, then commit. After a failure
 * of any of them the transaction must be rolled back. -ENOSPC when the disk
 * is full, else ERR_STORE or -errno.
 */
int journal_begin(struct journal *j);
int journal_commit(struct journal *j);
void journal_rollback(struct journal *j);
/* The words of the last failure; borrowed until the next call on j. */
const char *journal_fault(const struct journal *j);

/* Writes a new attempt. ERR_EXISTS when there is one of this id. */
int journal_add_attempt(struct journal *j, const struct journal_attempt *a);
/* Writes state, worker, times and boot of a known one; the result too when it
 * is given, and then the work is dropped. */
int journal_set_attempt(struct journal *j, const struct journal_attempt *a);
int journal_drop_attempt(struct journal *j, const struct ident *id);
/* Writes epoch and owner (may be NULL) of a run, new or known. */
int journal_put_run(struct journal *j, const char *run, uint32_t epoch,
    const char *owner);
/* Forgets runs without attempts that were not written since wall_us. */
int journal_drop_old_runs(struct journal *j, int64_t wall_us);
/* Writes a value; NULL removes it. */
int journal_put_value(struct journal *j, const char *key, const char *text);
/* Notes who changed what. */
int journal_add_edit(struct journal *j, int64_t wall_us, const char *who,
    const char *what);

/* Gives every attempt, in order of arrival; every run. A fn that returns a
 * negative code ends the walk with it. */
int journal_each_attempt(struct journal *j,
    int (*fn)(void *arg, const struct journal_attempt *a), void *arg);
int journal_each_run(struct journal *j,
    int (*fn)(void *arg, const char *run, uint32_t epoch, const char *owner),
    void *arg);
/* A heap copy of a value, or NULL. */
char *journal_value(struct journal *j, const char *key);

#endif
