/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The registry: opening and transactions.
 *
 * What always holds:
 *  1. It is in rollback-journal mode, so any number of consoles may write
 *     it; each writes in one short transaction that begins with the lock.
 *  2. A transaction is in the file as a whole, or not at all. After a failed
 *     one the caller may try again: nothing of it is kept in memory.
 */
#include "config.h"

#include <stdlib.h>

#include "store/registry_db.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/paths.h"

/* durations: int64 in microseconds, newest last; outcomes: a byte each. */
static const char schema[] =
    "BEGIN IMMEDIATE;"
    "PRAGMA application_id=2036429412; PRAGMA user_version=1;"
    "CREATE TABLE IF NOT EXISTS history(key TEXT PRIMARY KEY,"
    " durations BLOB, outcomes BLOB) WITHOUT ROWID;"
    "COMMIT";

static const char *const sql[REG_STMTS] = {
	[REG_HISTORY_GET] =
	    "SELECT durations, outcomes FROM history WHERE key=?",
	[REG_HISTORY_PUT] = "INSERT OR REPLACE INTO history VALUES(?,?,?)",
	[REG_HISTORY_ALL] = "SELECT key, durations FROM history ORDER BY key",
};

/* Creates the tables of an empty file; checks one that is not. */
static int
prepare(struct registry *reg)
{
	int r = db_is_ours(&reg->db, REGISTRY_VERSION);

	if (r == ERR_NOT_FOUND) {
		if ((r = db_journal(&reg->db, "delete")) < 0)
			return r;
		return db_exec(&reg->db, schema);
	}
	return r < 0 ? r : db_check(&reg->db, NULL);
}

int
registry_open(const char *state_dir, struct registry **ret)
{
	struct registry *reg = mem_zalloc(sizeof(*reg));
	char *path = path_join(state_dir, "registry.db");
	int r;

	if ((r = fs_mkdirs(state_dir)) < 0 ||
	    (r = fs_private_dir(state_dir)) < 0 ||
	    (r = db_open(&reg->db, path, DB_CREATE, sql, REG_STMTS)) < 0 ||
	    (r = prepare(reg)) < 0)
		goto out;
	*ret = reg;
out:
	free(path);
	if (r < 0)
		registry_close(reg);
	return r;
}

void
registry_close(struct registry *reg)
{
	if (reg == NULL)
		return;
	db_close(&reg->db);
	free(reg);
}

int
registry_begin_read(struct registry *reg)
{
	return db_exec(&reg->db, "BEGIN");
}

void
registry_end_read(struct registry *reg)
{
	if (!sqlite3_get_autocommit(reg->db.h))
		db_exec(&reg->db, "COMMIT");
}

int
registry_begin(struct registry *reg)
{
	return db_exec(&reg->db, "BEGIN IMMEDIATE");
}

int
registry_end(struct registry *reg, int r)
{
	if (r == 0)
		r = db_exec(&reg->db, "COMMIT");
	if (r < 0 && !sqlite3_get_autocommit(reg->db.h))
		db_exec(&reg->db, "ROLLBACK");
	return r;
}
