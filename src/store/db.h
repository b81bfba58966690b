/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The little of SQLite that the room uses, with our errors: open with the
 * pragmas that durability needs, prepared statements kept by number, values
 * bound and read by one call.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sqlite3.h>

/* How long a statement waits for another process. */
#define DB_BUSY_MS 5000

enum db_mode {
	DB_READ,	/* mode=ro, query_only: never writes, never checkpoints */
	DB_WRITE,	/* must exist */
	DB_CREATE,	/* creates it when absent */
};

struct db {
	sqlite3 *h;		/* NULL when closed */
	sqlite3_stmt **stmts;	/* prepared on first use, n */
	const char *const *sql;	/* texts of the statements, n */
	unsigned n;
};

/*
 * Opens path. sql (n texts, for ever) are the statements of db_use(). 0,
 * ERR_NOT_FOUND, ERR_STORE or a code as db_code() gives. Nothing to close on
 * failure.
 */
int db_open(struct db *db, const char *path, enum db_mode mode,
    const char *const *sql, unsigned n);
/* Closes it; rolls back what is open. */
void db_close(struct db *db);

/* Our code for a result of SQLite (0 for success, row, done). */
int db_code(int rc);
/* What the database says of the last failure. */
const char *db_text(const struct db *db);

/* Sets the journal mode ("wal", "delete"); ERR_STORE when it does not take. */
int db_journal(struct db *db, const char *mode);
/* Runs statements without results. */
int db_exec(struct db *db, const char *sql);
/* The one integer a query gives; def when there is no row. */
int db_int(struct db *db, const char *sql, int64_t def, int64_t *ret);

/*
 * Statement number i, reset, its parameters bound by fmt: 'i' int64_t,
 * 't' const char * (NULL allowed), 'b' const void *, size_t. Strings are
 * borrowed until the next use. NULL on failure, code in *ret_err.
 */
sqlite3_stmt *db_use(struct db *db, unsigned i, int *ret_err,
    const char *fmt, ...);
/* One step: 1 a row, 0 done, or a negative code. */
int db_step(sqlite3_stmt *st);
/* db_use() and one step of a statement without rows. */
int db_run(struct db *db, unsigned i, const char *fmt, ...);
int db_vrun(struct db *db, unsigned i, const char *fmt, va_list ap);
/* Frees what the statement holds (locks, borrowed strings). */
void db_reset(sqlite3_stmt *st);

/* Columns. Text is NULL for SQL NULL and lives until the next step. */
int64_t db_col_int(sqlite3_stmt *st, int i);
const char *db_col_text(sqlite3_stmt *st, int i);
const void *db_col_blob(sqlite3_stmt *st, int i, size_t *ret_n);

/* Text found by PRAGMA quick_check; 0 when the file is whole, ERR_STORE and
 * a text (the caller frees) in *ret_text (may be NULL) when not. */
int db_check(struct db *db, char **ret_text);
/* 0 when application id and version are ours; ERR_NOT_FOUND when the file is
 * still empty, ERR_VERSION, ERR_STORE. */
int db_is_ours(struct db *db, int version);

#define DB_APPLICATION_ID 0x79617264	/* "yard" */

#endif
