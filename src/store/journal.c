/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The agent's journal in SQLite.
 *
 * 1. One process has it open (the daemon, under agent.lock), with one
 *    connection in exclusive WAL mode; nothing else opens the file.
 * 2. What a commit accepted survives a crash of the process and of the host
 *    (synchronous FULL).
 * 3. A row of an attempt is there from before the agent answers for it until
 *    the console has recorded its end, or took it back.
 * 4. An attempt's state is "running" on disk before its worker is told.
 * 5. work is NULL exactly when result is not: an ended attempt cannot be
 *    started again from here.
 *
 *	      journal_add_attempt()            journal_set_attempt()
 *	(none) ----------------> queued ----------------> running
 *	   |                       |  journal_set_attempt()  |
 *	   | journal_add_attempt() |   with a result         | the same
 *	   +-----------------------|----------> running      v
 *	                           +--------------------> ended, lost
 *	                           |                         |
 *	(none) <-------------------+-------------------------+
 *	             journal_drop_attempt()
 */
#include "config.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/store/journal.h"

#define JOURNAL_VERSION 1

enum statement {
	S_BEGIN, S_COMMIT, S_ROLLBACK, S_ADD, S_SET, S_DROP, S_RUN,
	S_OLD_RUNS, S_VALUE, S_UNVALUE, S_EDIT, S_ATTEMPTS, S_RUNS, S_GET,
	STATEMENTS
};

static const char *const texts[STATEMENTS] = {
	[S_BEGIN] = "BEGIN IMMEDIATE",
	[S_COMMIT] = "COMMIT",
	[S_ROLLBACK] = "ROLLBACK",
	[S_ADD] = "INSERT INTO attempts VALUES "
	    "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)",
	[S_SET] = "UPDATE attempts SET epoch=?4, state=?5, worker=?6, "
	    "started=?9, ended=?10, boot=?11, "
	    "work=CASE WHEN ?13 IS NULL THEN work END, "
	    "result=coalesce(?13, result) "
	    "WHERE run=?1 AND execution=?2 AND attempt=?3",
	[S_DROP] = "DELETE FROM attempts "
	    "WHERE run=?1 AND execution=?2 AND attempt=?3",
	[S_RUN] = "INSERT INTO runs VALUES (?1,?2,?3,?4) "
	    "ON CONFLICT(run) DO UPDATE SET epoch=?2, owner=?3, written=?4",
	[S_OLD_RUNS] = "DELETE FROM runs WHERE written < ?1 AND "
	    "run NOT IN (SELECT run FROM attempts)",
	[S_VALUE] = "INSERT OR REPLACE INTO settings VALUES (?1,?2)",
	[S_UNVALUE] = "DELETE FROM settings WHERE key=?1",
	[S_EDIT] = "INSERT INTO edits VALUES (?1,?2,?3)",
	[S_ATTEMPTS] = "SELECT * FROM attempts ORDER BY seq",
	[S_RUNS] = "SELECT run, epoch, owner FROM runs",
	[S_GET] = "SELECT value FROM settings WHERE key=?1",
};

static const char schema[] =
    "CREATE TABLE attempts (run TEXT NOT NULL, execution INTEGER NOT NULL,"
    " attempt INTEGER NOT NULL, epoch INTEGER NOT NULL,"
    " state INTEGER NOT NULL, worker INTEGER NOT NULL,"
    " seq INTEGER NOT NULL, queued INTEGER, started INTEGER, ended INTEGER,"
    " boot TEXT, work TEXT, result TEXT,"
    " PRIMARY KEY (run, execution, attempt)) WITHOUT ROWID;"
    "CREATE TABLE runs (run TEXT PRIMARY KEY, epoch INTEGER NOT NULL,"
    " owner TEXT, written INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE edits (at INTEGER NOT NULL, who TEXT, what TEXT NOT NULL);";

struct journal {
	sqlite3 *db;
	sqlite3_stmt *st[STATEMENTS];
	bool open;		/* a transaction is */
	struct buf fault;
};

static int
code_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_CONSTRAINT:
		return ERR_EXISTS;
	case SQLITE_PERM:
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
		return -EACCES;
	default:
		return ERR_STORE;
	}
}

/* Keeps the words of a failure; a full disk is often said by IOERR. */
static int
fault(struct journal *j, int rc)
{
	int code = code_of(rc);

	if (code == 0)
		return 0;
	if ((rc & 0xff) == SQLITE_IOERR &&
	    sqlite3_system_errno(j->db) == ENOSPC)
		code = -ENOSPC;
	buf_clear(&j->fault);
	buf_puts(&j->fault, sqlite3_errmsg(j->db));
	return code;
}

static int
execute(struct journal *j, const char *sql)
{
	return fault(j, sqlite3_exec(j->db, sql, NULL, NULL, NULL));
}

/* Runs a statement that gives no rows and makes it ready for the next time. */
static int
step(struct journal *j, enum statement n)
{
	int code = fault(j, sqlite3_step(j->st[n]));

	sqlite3_reset(j->st[n]);
	sqlite3_clear_bindings(j->st[n]);
	return code;
}

/* The first value of the first row of sql, or -1. */
static int64_t
ask_int(struct journal *j, const char *sql)
{
	sqlite3_stmt *st = NULL;
	int64_t n = -1;

	if (sqlite3_prepare_v2(j->db, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return n;
}

static int
check_sound(struct journal *j)
{
	sqlite3_stmt *st = NULL;
	const char *said = NULL;
	int r;

	r = fault(j, sqlite3_prepare_v2(j->db, "PRAGMA quick_check(1)", -1,
	    &st, NULL));
	if (r == 0 && sqlite3_step(st) == SQLITE_ROW)
		said = (const char *)sqlite3_column_text(st, 0);
	if (r == 0 && (said == NULL || strcmp(said, "ok") != 0)) {
		buf_clear(&j->fault);
		buf_puts(&j->fault, said != NULL ? said : "cannot be read");
		r = ERR_STORE;
	}
	sqlite3_finalize(st);
	return r;
}

static int
make_schema(struct journal *j)
{
	int64_t version = ask_int(j, "PRAGMA user_version");
	int r;

	if (version == JOURNAL_VERSION)
		return 0;
	if (version > JOURNAL_VERSION) {
		buf_puts(&j->fault, "written by a newer version; "
		    "install that one again, or remove the folder and what "
		    "it holds (yardmaster-agent remove --force)");
		return ERR_VERSION;
	}
	if ((r = execute(j, "BEGIN IMMEDIATE")) == 0 &&
	    (r = execute(j, schema)) == 0 &&
	    (r = execute(j, "PRAGMA user_version=1")) == 0)
		r = execute(j, "COMMIT");
	return r;
}

static int
prepare_all(struct journal *j)
{
	int i, r = 0;

	for (i = 0; i < STATEMENTS && r == 0; i++)
		r = fault(j, sqlite3_prepare_v3(j->db, texts[i], -1,
		    SQLITE_PREPARE_PERSISTENT, &j->st[i], NULL));
	return r;
}

int
journal_open(const char *path, struct journal **ret, struct buf *why)
{
	struct journal *j = mem_zalloc(sizeof *j);
	int r;

	r = fault(j, sqlite3_open_v2(path, &j->db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL));
	if (r == 0)
		r = execute(j, "PRAGMA locking_mode=EXCLUSIVE;"
		    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
		    "PRAGMA mmap_size=0; PRAGMA cache_size=-512;"
		    /* A log that is written over needs no new blocks and no
		     * new size: each sync is cheaper by a third. */
		    "PRAGMA wal_autocheckpoint=256;"
		    "PRAGMA trusted_schema=0;");
	if (r == 0)
		r = check_sound(j);
	if (r == 0)
		r = make_schema(j);
	if (r == 0)
		r = prepare_all(j);
	if (r < 0) {
		buf_putf(why, "%s: %s", path, buf_str(&j->fault));
		journal_close(j);
		return r;
	}
	*ret = j;
	return 0;
}

void
journal_close(struct journal *j)
{
	int i;

	if (j == NULL)
		return;
	if (j->open)
		journal_rollback(j);
	for (i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(j->st[i]);
	sqlite3_close(j->db);
	buf_done(&j->fault);
	free(j);
}

int
journal_begin(struct journal *j)
{
	int r = step(j, S_BEGIN);

	j->open = r == 0;
	return r;
}

int
journal_commit(struct journal *j)
{
	int r = step(j, S_COMMIT);

	if (r == 0)
		j->open = false;
	return r;
}

void
journal_rollback(struct journal *j)
{
	/* SQLite may have rolled back by itself; then there is nothing open. */
	if (j->open && !sqlite3_get_autocommit(j->db))
		(void)step(j, S_ROLLBACK);
	j->open = false;
}

const char *
journal_fault(const struct journal *j)
{
	return buf_str(&j->fault);
}

static void
bind_text(sqlite3_stmt *st, int at, const char *s)
{
	if (s != NULL)
		sqlite3_bind_text(st, at, s, -1, SQLITE_STATIC);
}

static void
bind_ident(sqlite3_stmt *st, const struct ident *id)
{
	bind_text(st, 1, id->run);
	sqlite3_bind_int64(st, 2, id->execution);
	sqlite3_bind_int64(st, 3, id->attempt);
}

static void
bind_attempt(sqlite3_stmt *st, const struct journal_attempt *a)
{
	bind_ident(st, &a->id);
	sqlite3_bind_int64(st, 4, a->epoch);
	sqlite3_bind_int(st, 5, (int)a->state);
	sqlite3_bind_int(st, 6, a->worker);
	sqlite3_bind_int64(st, 9, a->started_wall_us);
	sqlite3_bind_int64(st, 10, a->ended_wall_us);
	bind_text(st, 11, a->boot);
	if (a->result != NULL)
		sqlite3_bind_text64(st, 13, a->result, a->result_len,
		    SQLITE_STATIC, SQLITE_UTF8);
}

int
journal_add_attempt(struct journal *j, const struct journal_attempt *a)
{
	sqlite3_stmt *st = j->st[S_ADD];

	bind_attempt(st, a);
	sqlite3_bind_int64(st, 7, (int64_t)a->seq);
	sqlite3_bind_int64(st, 8, a->queued_wall_us);
	if (a->work != NULL && a->result == NULL)
		sqlite3_bind_text64(st, 12, a->work, a->work_len,
		    SQLITE_STATIC, SQLITE_UTF8);
	return step(j, S_ADD);
}

int
journal_set_attempt(struct journal *j, const struct journal_attempt *a)
{
	bind_attempt(j->st[S_SET], a);
	return step(j, S_SET);
}

int
journal_drop_attempt(struct journal *j, const struct ident *id)
{
	bind_ident(j->st[S_DROP], id);
	return step(j, S_DROP);
}

int
journal_put_run(struct journal *j, const char *run, uint32_t epoch,
    const char *owner)
{
	sqlite3_stmt *st = j->st[S_RUN];

	bind_text(st, 1, run);
	sqlite3_bind_int64(st, 2, epoch);
	bind_text(st, 3, owner);
	sqlite3_bind_int64(st, 4, clock_wall_us());
	return step(j, S_RUN);
}

int
journal_drop_old_runs(struct journal *j, int64_t wall_us)
{
	sqlite3_bind_int64(j->st[S_OLD_RUNS], 1, wall_us);
	return step(j, S_OLD_RUNS);
}

int
journal_put_value(struct journal *j, const char *key, const char *text)
{
	enum statement n = text != NULL ? S_VALUE : S_UNVALUE;

	bind_text(j->st[n], 1, key);
	if (text != NULL)
		bind_text(j->st[n], 2, text);
	return step(j, n);
}

int
journal_add_edit(struct journal *j, int64_t wall_us, const char *who,
    const char *what)
{
	sqlite3_stmt *st = j->st[S_EDIT];

	sqlite3_bind_int64(st, 1, wall_us);
	bind_text(st, 2, who);
	bind_text(st, 3, what);
	return step(j, S_EDIT);
}

static const char *
column_text(sqlite3_stmt *st, int i, size_t *ret_len)
{
	const char *s = (const char *)sqlite3_column_text(st, i);

	if (ret_len != NULL)
		*ret_len = (size_t)sqlite3_column_bytes(st, i);
	return s;
}

/* Reads a row of attempts. False for one that no version of ours wrote. */
static bool
read_row(sqlite3_stmt *st, struct journal_attempt *a)
{
	size_t n;
	const char *run = column_text(st, 0, &n);
	int state = sqlite3_column_int(st, 4);

	if (run == NULL || n >= sizeof a->id.run || state < 0 ||
	    state >= ATTEMPT_STATES)
		return false;
	*a = (struct journal_attempt){
		.id.execution = (uint32_t)sqlite3_column_int64(st, 1),
		.id.attempt = (uint32_t)sqlite3_column_int64(st, 2),
		.epoch = (uint32_t)sqlite3_column_int64(st, 3),
		.state = (enum attempt_state)state,
		.worker = (uint16_t)sqlite3_column_int(st, 5),
		.seq = (uint64_t)sqlite3_column_int64(st, 6),
		.queued_wall_us = sqlite3_column_int64(st, 7),
		.started_wall_us = sqlite3_column_int64(st, 8),
		.ended_wall_us = sqlite3_column_int64(st, 9),
		.boot = column_text(st, 10, NULL),
	};
	memcpy(a->id.run, run, n);
	a->work = column_text(st, 11, &a->work_len);
	a->result = column_text(st, 12, &a->result_len);
	if (a->boot == NULL)
		a->boot = "";
	return true;
}

int
journal_each_attempt(struct journal *j,
    int (*fn)(void *arg, const struct journal_attempt *a), void *arg)
{
	sqlite3_stmt *st = j->st[S_ATTEMPTS];
	struct journal_attempt a;
	int rc, r = 0;

	while (r == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW)
		r = read_row(st, &a) ? fn(arg, &a) : ERR_STORE;
	if (r == 0)
		r = fault(j, rc);
	sqlite3_reset(st);
	return r;
}

int
journal_each_run(struct journal *j,
    int (*fn)(void *arg, const char *run, uint32_t epoch, const char *owner),
    void *arg)
{
	sqlite3_stmt *st = j->st[S_RUNS];
	int rc, r = 0;

	while (r == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW)
		r = fn(arg, column_text(st, 0, NULL),
		    (uint32_t)sqlite3_column_int64(st, 1),
		    column_text(st, 2, NULL));
	if (r == 0)
		r = fault(j, rc);
	sqlite3_reset(st);
	return r;
}

char *
journal_value(struct journal *j, const char *key)
{
	sqlite3_stmt *st = j->st[S_GET];
	char *value = NULL;

	bind_text(st, 1, key);
	if (sqlite3_step(st) == SQLITE_ROW)
		value = str_dup(column_text(st, 0, NULL));
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return value;
}
