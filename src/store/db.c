/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one place that talks to SQLite about opening, errors and statements. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/db.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"

/* Never let go of: what is committed is on the disk, and no page of a file
 * is looked at behind SQLite's back. */
#define PRAGMAS                                                               \
	"PRAGMA mmap_size=0; PRAGMA trusted_schema=0; "                       \
	"PRAGMA foreign_keys=0; PRAGMA synchronous=FULL;"

int
db_code(int rc)
{
	static const struct {
		int rc, code;
	} codes[] = {
		{ SQLITE_OK, 0 }, { SQLITE_ROW, 0 }, { SQLITE_DONE, 0 },
		{ SQLITE_FULL, -ENOSPC }, { SQLITE_IOERR, -EIO },
		{ SQLITE_READONLY, -EROFS }, { SQLITE_PERM, -EACCES },
		{ SQLITE_AUTH, -EACCES }, { SQLITE_BUSY, ERR_TIMEOUT },
		{ SQLITE_LOCKED, ERR_TIMEOUT }, { SQLITE_NOMEM, -ENOMEM },
		{ SQLITE_TOOBIG, ERR_TOO_LARGE },
	};
	size_t i;

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].rc == (rc & 0xff))
			return codes[i].code;
	return ERR_STORE;
}

const char *
db_text(const struct db *db)
{
	return db->h != NULL ? sqlite3_errmsg(db->h) : "not open";
}

static int
open_flags(enum db_mode mode)
{
	static const int flags[] = {
		[DB_READ] = SQLITE_OPEN_READONLY,
		[DB_WRITE] = SQLITE_OPEN_READWRITE,
		[DB_CREATE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
	};

	return flags[mode] | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
}

/* Creates an absent file for nobody but us. An existing one is not opened:
 * closing it would free the locks that SQLite has on it in this process. */
static void
create_private(const char *path)
{
	int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
}

int
db_open(struct db *db, const char *path, enum db_mode mode,
    const char *const *sql, unsigned n)
{
	struct db d = { .sql = sql, .n = n };
	int rc, r;

	d.stmts = mem_calloc(n, sizeof(*d.stmts));
	if (mode == DB_CREATE)
		create_private(path);
	rc = sqlite3_open_v2(path, &d.h, open_flags(mode), NULL);
	if (rc != SQLITE_OK) {
		r = (rc & 0xff) == SQLITE_CANTOPEN && mode != DB_CREATE ?
		    ERR_NOT_FOUND : db_code(rc);
		goto out;
	}
	sqlite3_extended_result_codes(d.h, 1);
	sqlite3_busy_timeout(d.h, DB_BUSY_MS);
	r = db_exec(&d, PRAGMAS);
	if (r == 0 && mode == DB_READ)
		r = db_exec(&d, "PRAGMA query_only=1");
out:
	if (r < 0)
		db_close(&d);
	else
		*db = d;
	return r;
}

void
db_close(struct db *db)
{
	unsigned i;

	for (i = 0; db->stmts != NULL && i < db->n; i++)
		sqlite3_finalize(db->stmts[i]);
	free(db->stmts);
	sqlite3_close_v2(db->h);
	*db = (struct db){ .h = NULL };
}

int
db_exec(struct db *db, const char *sql)
{
	return db_code(sqlite3_exec(db->h, sql, NULL, NULL, NULL));
}

int
db_journal(struct db *db, const char *mode)
{
	sqlite3_stmt *st = NULL;
	char *sql = str_fmt("PRAGMA journal_mode=%s", mode);
	int r;

	r = db_code(sqlite3_prepare_v2(db->h, sql, -1, &st, NULL));
	if (r == 0 && (r = db_step(st)) == 1)
		r = strcmp(db_col_text(st, 0), mode) == 0 ? 0 : ERR_STORE;
	sqlite3_finalize(st);
	free(sql);
	return r;
}

int
db_int(struct db *db, const char *sql, int64_t def, int64_t *ret)
{
	sqlite3_stmt *st = NULL;
	int64_t value = def;
	int r;

	r = db_code(sqlite3_prepare_v2(db->h, sql, -1, &st, NULL));
	if (r == 0 && (r = db_step(st)) == 1) {
		value = db_col_int(st, 0);
		r = 0;
	}
	sqlite3_finalize(st);
	if (r == 0)
		*ret = value;
	return r;
}

static int
bind_all(sqlite3_stmt *st, const char *fmt, va_list ap)
{
	const void *p;
	int i, rc = SQLITE_OK;

	for (i = 1; *fmt != '\0' && rc == SQLITE_OK; i++, fmt++) {
		if (*fmt == 'i') {
			rc = sqlite3_bind_int64(st, i, va_arg(ap, int64_t));
		} else if (*fmt == 't') {
			rc = sqlite3_bind_text(st, i,
			    va_arg(ap, const char *), -1, SQLITE_STATIC);
		} else {
			p = va_arg(ap, const void *);
			rc = sqlite3_bind_blob64(st, i, p,
			    va_arg(ap, size_t), SQLITE_STATIC);
		}
	}
	return rc;
}

static sqlite3_stmt *
use(struct db *db, unsigned i, int *ret_err, const char *fmt, va_list ap)
{
	int rc = SQLITE_OK;

	if (db->stmts[i] == NULL)
		rc = sqlite3_prepare_v3(db->h, db->sql[i], -1,
		    SQLITE_PREPARE_PERSISTENT, &db->stmts[i], NULL);
	if (rc == SQLITE_OK) {
		sqlite3_reset(db->stmts[i]);
		rc = bind_all(db->stmts[i], fmt, ap);
	}
	*ret_err = db_code(rc);
	return rc == SQLITE_OK ? db->stmts[i] : NULL;
}

sqlite3_stmt *
db_use(struct db *db, unsigned i, int *ret_err, const char *fmt, ...)
{
	sqlite3_stmt *st;
	va_list ap;

	va_start(ap, fmt);
	st = use(db, i, ret_err, fmt, ap);
	va_end(ap);
	return st;
}

int
db_step(sqlite3_stmt *st)
{
	int rc = sqlite3_step(st);

	return rc == SQLITE_ROW ? 1 : db_code(rc);
}

void
db_reset(sqlite3_stmt *st)
{
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
}

int
db_run(struct db *db, unsigned i, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = db_vrun(db, i, fmt, ap);
	va_end(ap);
	return r;
}

int
db_vrun(struct db *db, unsigned i, const char *fmt, va_list ap)
{
	sqlite3_stmt *st;
	int r;

	st = use(db, i, &r, fmt, ap);
	if (st == NULL)
		return r;
	r = db_step(st);
	db_reset(st);
	return r < 0 ? r : 0;
}

int64_t
db_col_int(sqlite3_stmt *st, int i)
{
	return sqlite3_column_int64(st, i);
}

const char *
db_col_text(sqlite3_stmt *st, int i)
{
	return (const char *)sqlite3_column_text(st, i);
}

const void *
db_col_blob(sqlite3_stmt *st, int i, size_t *ret_n)
{
	const void *p = sqlite3_column_blob(st, i);

	*ret_n = (size_t)sqlite3_column_bytes(st, i);
	return p;
}

int
db_check(struct db *db, char **ret_text)
{
	sqlite3_stmt *st = NULL;
	const char *text;
	int r;

	r = db_code(sqlite3_prepare_v2(db->h, "PRAGMA quick_check(1)", -1,
	    &st, NULL));
	if (r == 0 && (r = db_step(st)) == 1) {
		text = db_col_text(st, 0);
		r = text != NULL && strcmp(text, "ok") == 0 ? 0 : ERR_STORE;
		if (r < 0 && ret_text != NULL)
			*ret_text = str_dup(text != NULL ? text : "damaged");
	} else if (r < 0 && ret_text != NULL) {
		*ret_text = str_dup(db_text(db));
	}
	sqlite3_finalize(st);
	return r;
}

int
db_is_ours(struct db *db, int version)
{
	int64_t id = 0, found = 0;
	int r;

	if ((r = db_int(db, "PRAGMA application_id", 0, &id)) < 0 ||
	    (r = db_int(db, "PRAGMA user_version", 0, &found)) < 0)
		return r;
	if (id == 0 && found == 0)
		return ERR_NOT_FOUND;	/* its creation was not committed */
	if (id != DB_APPLICATION_ID || found < 1)
		return ERR_STORE;
	return found > version ? ERR_VERSION : 0;
}
