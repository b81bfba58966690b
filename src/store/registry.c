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

/* Tables that files of older programs do not have. leases: a row for each
 * limit that an attempt holds; its column grp
 * came later still; benched: by fleet and agent; paces: what a test
 * (its most specific key) last took on an agent; schedules: what is
 * launched by itself, next 0 when that is over. */
#define LATER_TABLES "('leases','benched','paces','schedules')"
#define N_LATER 4
static const char later_schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS leases(run TEXT NOT NULL,"
    " exec INTEGER NOT NULL, attempt INTEGER NOT NULL, kind TEXT NOT NULL,"
    " name TEXT NOT NULL, other TEXT NOT NULL, n INTEGER NOT NULL,"
    " shared INTEGER NOT NULL, capacity INTEGER NOT NULL, leased TEXT,"
    " owner TEXT, agent TEXT, host TEXT, instance TEXT, since INTEGER,"
    " grp INTEGER NOT NULL DEFAULT 0,"
    " PRIMARY KEY(run, exec, attempt, kind, name, other));"
    "CREATE TABLE IF NOT EXISTS benched(fleet TEXT, agent TEXT, text TEXT,"
    " since INTEGER, PRIMARY KEY(fleet, agent)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS paces(key TEXT, agent TEXT, us INTEGER,"
    " at INTEGER, PRIMARY KEY(key, agent)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS paces_at ON paces(at);"
    "CREATE TABLE IF NOT EXISTS schedules(name TEXT PRIMARY KEY, plan TEXT,"
    " fleet TEXT, time TEXT, options TEXT, who TEXT, catch_up TEXT,"
    " added INTEGER, next INTEGER, run TEXT, run_at INTEGER, note TEXT,"
    " note_at INTEGER, text TEXT, claimed_by TEXT,"
    " missed INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"
    "COMMIT";

static const char *const sql[REG_STMTS] = {
	[REG_HISTORY_GET] =
	    "SELECT durations, outcomes FROM history WHERE key=?",
	[REG_HISTORY_PUT] = "INSERT OR REPLACE INTO history VALUES(?,?,?)",
	[REG_HISTORY_ALL] =
	    "SELECT key, durations, outcomes FROM history"
	    " WHERE substr(key, 1, 1)<>char(1) ORDER BY key",
	[REG_BENCH_PUT] = "INSERT OR REPLACE INTO benched VALUES(?,?,?,?)",
	[REG_BENCH_DROP] = "DELETE FROM benched WHERE fleet=? AND agent=?",
	[REG_BENCH_ALL] = "SELECT agent, text, since FROM benched"
	    " WHERE fleet=? ORDER BY agent",
	[REG_SCHEDULE_ADD] = "INSERT OR IGNORE INTO schedules(name, plan,"
	    " fleet, time, options, who, catch_up, added, next)"
	    " VALUES(?,?,?,?,?,?,?,?,?)",
	[REG_SCHEDULE_DROP] = "DELETE FROM schedules WHERE name=?",
	[REG_SCHEDULE_ALL] = "SELECT name, plan, fleet, time, options, who,"
	    " catch_up, added, next, run, run_at, note, note_at, text,"
	    " claimed_by, missed FROM schedules ORDER BY name",
	[REG_SCHEDULE_CLAIM] = "UPDATE schedules SET next=?1,"
	    " run=coalesce(?2, run), run_at=iif(?2 IS NULL, run_at, ?3),"
	    " note=?4, note_at=?5, text=?6, claimed_by=?7,"
	    " missed=missed+?8 WHERE name=?9 AND added=?10 AND next=?11",
	[REG_SCHEDULE_NOTE] = "UPDATE schedules SET note=?, text=?"
	    " WHERE name=? AND run=? AND note='starting'",
	[REG_PACE_PUT] = "INSERT OR REPLACE INTO paces VALUES(?,?,?,?)",
	[REG_PACE_TRIM] = "DELETE FROM paces WHERE key=? AND agent IN"
	    " (SELECT agent FROM paces WHERE key=? ORDER BY at DESC"
	    " LIMIT -1 OFFSET ?)",
	[REG_PACE_ALL] = "SELECT key, agent, us FROM (SELECT * FROM paces"
	    " ORDER BY at DESC LIMIT ?) ORDER BY key, agent",
	[REG_LEASE_PUT] =
	    "INSERT OR REPLACE INTO leases VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	[REG_LEASE_DROP] =
	    "DELETE FROM leases WHERE run=? AND exec=? AND attempt=?",
	[REG_LEASE_ALL] = "SELECT run, exec, attempt, kind, name, other, n,"
	    " shared, capacity, leased, owner, agent, host, instance, since,"
	    " grp"
	    " FROM leases ORDER BY rowid",
};

/* Creates the tables of an empty file; checks one that is not. */
static int
prepare(struct registry *reg)
{
	int r = db_is_ours(&reg->db, REGISTRY_VERSION);
	int64_t known = 0, columns = 0;

	if (r == ERR_NOT_FOUND) {
		if ((r = db_journal(&reg->db, "delete")) < 0 ||
		    (r = db_exec(&reg->db, schema)) < 0)
			return r;
	} else if (r < 0 || (r = db_check(&reg->db, NULL)) < 0) {
		return r;
	}
	r = db_int(&reg->db, "SELECT count(*) FROM sqlite_master"
	    " WHERE type='table' AND name IN " LATER_TABLES, 0, &known);
	if (r == 0 && known < N_LATER)
		r = db_exec(&reg->db, later_schema);
	if (r == 0)
		r = db_int(&reg->db, "SELECT count(*) FROM"
		    " pragma_table_info('leases') WHERE name='grp'", 0,
		    &columns);
	return r < 0 || columns > 0 ? r : db_exec(&reg->db, "ALTER TABLE"
	    " leases ADD COLUMN grp INTEGER NOT NULL DEFAULT 0");
}

int
registry_open(const char *state_dir, struct registry **ret)
{
	struct registry *reg = mem_zalloc(sizeof(*reg));
	int r;

	reg->path = path_join(state_dir, "registry.db");
	if ((r = fs_mkdirs(state_dir)) < 0 ||
	    (r = fs_private_dir(state_dir)) < 0 ||
	    (r = db_open(&reg->db, reg->path, DB_CREATE, sql, REG_STMTS)) < 0 ||
	    (r = prepare(reg)) < 0)
		goto out;
	*ret = reg;
out:
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
	free(reg->path);
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
