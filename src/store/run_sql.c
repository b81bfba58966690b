/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables of a run file and every statement on them. */
#include "config.h"

#include "store/run.h"

/* Files of version 1 may have the one without the other, or none. */
#define LATER                                                                 \
	"CREATE TABLE IF NOT EXISTS members(exec INTEGER, attempt INTEGER,"   \
	" lead_exec INTEGER, lead_attempt INTEGER,"                           \
	" PRIMARY KEY(exec, attempt)) WITHOUT ROWID;"                         \
	"CREATE TABLE IF NOT EXISTS shared(seq INTEGER PRIMARY KEY,"          \
	" grp INTEGER, round INTEGER, kind TEXT, name TEXT, value TEXT);"     \
	"CREATE TABLE IF NOT EXISTS artifacts(exec INTEGER,"                  \
	" attempt INTEGER, no INTEGER, name TEXT, bytes INTEGER,"             \
	" sha256 TEXT, n INTEGER, state TEXT NOT NULL, text TEXT,"            \
	" PRIMARY KEY(exec, attempt, no)) WITHOUT ROWID;"                     \
	"CREATE TABLE IF NOT EXISTS leased(exec INTEGER, attempt INTEGER,"    \
	" instance TEXT, PRIMARY KEY(exec, attempt)) WITHOUT ROWID;"          \
	"CREATE TABLE IF NOT EXISTS tries(exec INTEGER PRIMARY KEY,"          \
	" failures INTEGER, errors INTEGER, avoid TEXT, due INTEGER);"        \
	"PRAGMA user_version=5;"

/* What was counted, by the attempts of a file that does not say it. */
#define COUNT_TRIES                                                           \
	"INSERT OR IGNORE INTO tries SELECT exec,"                            \
	" sum(outcome IN ('failed', 'timeout')), sum(outcome='error'),"       \
	" NULL, 0 FROM attempts WHERE state IN ('ended', 'lost') AND"         \
	" outcome IN ('failed', 'timeout', 'error') AND late=0 GROUP BY exec;"

/*
 * Times are microseconds since 1970 or lengths in microseconds; states,
 * outcomes and classes are their names. results.step counts in the
 * execution, attempts.steps holds which of them were sent (u32, host order;
 * NULL: all).
 */
const char run_schema[] =
    "PRAGMA application_id=2036429412;"
    "CREATE TABLE head(one INTEGER PRIMARY KEY CHECK(one=1), id TEXT,"
    " plan TEXT, who TEXT, options TEXT, state TEXT NOT NULL,"
    " started INTEGER, ended INTEGER, epoch INTEGER NOT NULL,"
    " exit_code INTEGER, counts TEXT);"
    "CREATE TABLE snapshot(one INTEGER PRIMARY KEY CHECK(one=1), text TEXT);"
    "CREATE TABLE executions(no INTEGER PRIMARY KEY, suite TEXT, test TEXT,"
    " row TEXT, target TEXT, n_steps INTEGER, estimate INTEGER,"
    " state TEXT NOT NULL, attempt INTEGER NOT NULL DEFAULT 0, agent TEXT,"
    " tier TEXT, since INTEGER, text TEXT);"
    "CREATE TABLE steps(exec INTEGER, step INTEGER, test TEXT, row TEXT,"
    " target TEXT, PRIMARY KEY(exec, step)) WITHOUT ROWID;"
    "CREATE TABLE attempts(exec INTEGER, attempt INTEGER, agent TEXT,"
    " class TEXT, tier TEXT, state TEXT NOT NULL, outcome TEXT,"
    " late INTEGER, worker INTEGER, sent INTEGER, started INTEGER,"
    " ended INTEGER, elapsed INTEGER, out_bytes INTEGER,"
    " out_dropped INTEGER, text TEXT, steps BLOB,"
    " PRIMARY KEY(exec, attempt)) WITHOUT ROWID;"
    "CREATE TABLE results(exec INTEGER, attempt INTEGER, step INTEGER,"
    " outcome TEXT, exit_code INTEGER, signal INTEGER, started INTEGER,"
    " elapsed INTEGER, out_from INTEGER, out_to INTEGER, text TEXT,"
    " PRIMARY KEY(exec, attempt, step)) WITHOUT ROWID;"
    "CREATE TABLE amendments(seq INTEGER PRIMARY KEY, wall INTEGER, who TEXT,"
    " kind TEXT, object TEXT, what TEXT);"
    "CREATE TABLE events(seq INTEGER PRIMARY KEY, wall INTEGER, who TEXT,"
    " kind INTEGER, text TEXT, object TEXT);"
    LATER;

const char run_later_schema[] = "BEGIN IMMEDIATE;" LATER COUNT_TRIES
    "COMMIT";

const char *const run_sql[RUN_STMTS] = {
	[RUN_BEGIN] = "BEGIN IMMEDIATE",
	[RUN_COMMIT] = "COMMIT",
	[RUN_ROLLBACK] = "ROLLBACK",
	[RUN_EPOCH] = "SELECT epoch FROM head",
	[RUN_PUT_HEAD] = "UPDATE head SET state=?, ended=?, exit_code=?",
	[RUN_PUT_SNAPSHOT] = "UPDATE snapshot SET text=?",
	[RUN_PUT_COUNTS] = "UPDATE head SET counts=?",
	[RUN_PUT_EXEC] = "UPDATE executions SET state=?, attempt=?, agent=?,"
	    " tier=?, since=?, text=? WHERE no=?",
	/* All that is put may be put twice, after a commit that said it had
	 * failed; what a change leaves zero, empty or none stays as it was. */
	[RUN_PUT_ATTEMPT] = "INSERT INTO attempts VALUES"
	    " (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
	    " ON CONFLICT(exec, attempt) DO UPDATE SET"
	    " state=excluded.state,"
	    " agent=coalesce(excluded.agent, agent),"
	    " tier=iif(excluded.tier='none', tier, excluded.tier),"
	    " outcome=iif(excluded.outcome='none', outcome,"
	    "  excluded.outcome),"
	    " late=excluded.late OR late,"
	    " worker=iif(excluded.worker=0, worker, excluded.worker),"
	    " sent=iif(excluded.sent=0, sent, excluded.sent),"
	    " started=iif(excluded.started=0, started, excluded.started),"
	    " ended=iif(excluded.ended=0, ended, excluded.ended),"
	    " elapsed=max(excluded.elapsed, elapsed),"
	    " out_bytes=max(excluded.out_bytes, out_bytes),"
	    " out_dropped=max(excluded.out_dropped, out_dropped),"
	    " text=coalesce(excluded.text, text)"
	    " WHERE state<>'ended'",
	[RUN_SENT_STEPS] = "SELECT a.state, a.steps, e.n_steps"
	    " FROM executions e LEFT JOIN attempts a"
	    " ON a.exec=e.no AND a.attempt=?2 WHERE e.no=?1",
	[RUN_PUT_ENDED] = "INSERT INTO attempts(exec, attempt, class, tier,"
	    " state, outcome, late, worker, sent, started, ended, elapsed,"
	    " out_bytes, out_dropped, text)"
	    " VALUES(?1,?2,'auto','none','ended',?3,?4,?5,0,?6,?7,?8,?9,?10,"
	    "?11) ON CONFLICT(exec, attempt) DO UPDATE SET state='ended',"
	    " outcome=?3, late=?4, worker=?5, started=?6, ended=?7,"
	    " elapsed=?8, out_bytes=?9, out_dropped=?10, text=?11",
	[RUN_PUT_RESULT] = "INSERT OR REPLACE INTO results VALUES"
	    " (?,?,?,?,?,?,?,?,?,?,?)",
	[RUN_PUT_AMENDMENT] = "INSERT OR REPLACE INTO amendments(wall, who,"
	    " kind, object, what, seq) VALUES(?,?,?,?,?,?)",
	[RUN_PUT_SHARED] = "INSERT OR REPLACE INTO shared(grp, round, kind,"
	    " name, value, seq) VALUES(?,?,?,?,?,?)",
	[RUN_PUT_EVENT] = "INSERT OR REPLACE INTO events(wall, who, kind,"
	    " text, object, seq) VALUES(?,?,?,?,?,?)",
	[RUN_PUT_TARGET] = "UPDATE executions SET target=? WHERE no=?",
	[RUN_PUT_STEP_TARGET] = "UPDATE steps SET target=? WHERE exec=?"
	    " AND step=?",
	[RUN_PUT_MEMBER] = "INSERT OR REPLACE INTO members VALUES(?,?,?,?)",
	[RUN_PUT_LEASED] = "INSERT OR REPLACE INTO leased VALUES(?,?,?)",
	[RUN_PUT_TRIES] = "INSERT OR REPLACE INTO tries VALUES(?,?,?,?,?)",
	/* What came is not awaited again. */
	[RUN_PUT_ARTIFACT] = "INSERT INTO artifacts VALUES"
	    " (?,?,?,?,?,?,?,?,?) ON CONFLICT(exec, attempt, no) DO UPDATE"
	    " SET state=excluded.state, text=excluded.text"
	    " WHERE state<>'here'",
	[RUN_NEW_HEAD] = "INSERT INTO head VALUES(1,?,?,?,?,?,?,0,1,-1,?)",
	[RUN_NEW_SNAPSHOT] = "INSERT INTO snapshot VALUES(1,?)",
	[RUN_NEW_EXEC] = "INSERT INTO executions(no, suite, test, row, target,"
	    " n_steps, estimate, state, since)"
	    " VALUES(?,?,?,?,?,?,?,'waiting',?)",
	[RUN_NEW_STEP] = "INSERT INTO steps VALUES(?,?,?,?,?)",
	[RUN_GET_HEAD] = "SELECT id, plan, who, options, state, started, ended,"
	    " epoch, exit_code FROM head",
	[RUN_GET_SNAPSHOT] = "SELECT text FROM snapshot",
	[RUN_GET_COUNTS] = "SELECT counts FROM head",
	[RUN_EACH_EXEC] = "SELECT no, suite, test, row, target, n_steps,"
	    " estimate, state, attempt, agent, tier, since, text"
	    " FROM executions ORDER BY no",
	[RUN_EACH_STEP] = "SELECT e.no, coalesce(s.step, 0),"
	    " coalesce(s.test, e.test), iif(s.exec IS NULL, e.row, s.row),"
	    " iif(s.exec IS NULL, e.target, s.target)"
	    " FROM executions e LEFT JOIN steps s ON s.exec=e.no"
	    " WHERE e.no BETWEEN ? AND ? ORDER BY e.no, s.step",
	[RUN_EACH_ATTEMPT] = "SELECT exec, attempt, agent, class, tier, state,"
	    " outcome, late, worker, sent, started, ended, elapsed, out_bytes,"
	    " out_dropped, text, steps FROM attempts"
	    " WHERE exec BETWEEN ? AND ? ORDER BY exec, attempt",
	[RUN_EACH_RESULT] = "SELECT r.exec, r.attempt, r.step, r.outcome,"
	    " r.exit_code, r.signal, r.started, r.elapsed, r.out_from,"
	    " r.out_to, r.text, a.agent, a.late"
	    " FROM results r JOIN attempts a USING(exec, attempt)"
	    " WHERE r.exec BETWEEN ? AND ?"
	    " ORDER BY r.exec, r.attempt, r.step",
	[RUN_EACH_AMENDMENT] = "SELECT seq, wall, who, kind, object, what"
	    " FROM amendments ORDER BY seq",
	[RUN_EACH_MEMBER] = "SELECT exec, attempt, lead_exec, lead_attempt"
	    " FROM members WHERE exec BETWEEN ? AND ? ORDER BY exec, attempt",
	[RUN_EACH_LEASED] = "SELECT exec, attempt, instance FROM leased"
	    " WHERE exec BETWEEN ? AND ? ORDER BY exec, attempt",
	[RUN_EACH_TRIES] = "SELECT exec, failures, errors, avoid, due"
	    " FROM tries ORDER BY exec",
	[RUN_EACH_ARTIFACT] = "SELECT r.exec, r.attempt, r.no, r.name,"
	    " r.bytes, r.sha256, r.n, r.state, r.text, a.agent"
	    " FROM artifacts r LEFT JOIN attempts a USING(exec, attempt)"
	    " WHERE r.exec BETWEEN ? AND ? ORDER BY 1, 2, 3",
	[RUN_EACH_SHARED] = "SELECT grp, round, kind, name, value FROM shared"
	    " ORDER BY seq",
	[RUN_EACH_EVENT] = "SELECT seq, wall, who, kind, text, object"
	    " FROM events WHERE seq>? ORDER BY seq",
};
