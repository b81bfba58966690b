/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading a run file. A name that is not known (from a newer program, or a
 * damaged row) reads as the first of its table. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "store/run.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"

static int
known(int value)
{
	return value < 0 ? 0 : value;
}

int
run_file_begin_read(struct run_file *f)
{
	return db_exec(&f->db, "BEGIN");
}

void
run_file_end_read(struct run_file *f)
{
	if (!sqlite3_get_autocommit(f->db.h))
		db_exec(&f->db, "COMMIT");
}

/* One row of a statement: 1 and the statement, or 0 without a row. */
static int
one_row(struct run_file *f, enum run_stmt i, sqlite3_stmt **ret)
{
	int r;

	if (f->db.h == NULL)
		return ERR_STORE;
	*ret = db_use(&f->db, i, &r, "");
	return *ret == NULL ? r : db_step(*ret);
}

/* Keeps a copy of a column until the next head is read. */
static const char *
keep(struct run_file *f, int slot, const char *text)
{
	free(f->head[slot]);
	f->head[slot] = str_dup(text);
	return f->head[slot];
}

int
run_file_head(struct run_file *f, struct run_head *ret)
{
	struct run_head h = { .plan = NULL };
	sqlite3_stmt *st;
	int r;

	if ((r = one_row(f, RUN_GET_HEAD, &st)) <= 0)
		return r < 0 ? r : ERR_STORE;
	strcpy(h.id, f->id);
	h.plan = keep(f, 0, db_col_text(st, 1));
	h.who = keep(f, 1, db_col_text(st, 2));
	h.options = keep(f, 2, db_col_text(st, 3));
	h.state = (enum run_state)known(run_state_parse(db_col_text(st, 4)));
	h.started_wall_us = db_col_int(st, 5);
	h.ended_wall_us = db_col_int(st, 6);
	h.epoch = (uint32_t)db_col_int(st, 7);
	h.exit_code = (int)db_col_int(st, 8);
	db_reset(st);
	*ret = h;
	return 0;
}

int
run_file_snapshot(struct run_file *f, char **ret)
{
	sqlite3_stmt *st;
	const char *text;
	int r;

	if ((r = one_row(f, RUN_GET_SNAPSHOT, &st)) <= 0)
		return r < 0 ? r : ERR_STORE;
	text = db_col_text(st, 0);
	*ret = str_dup(text != NULL ? text : "");
	db_reset(st);
	return 0;
}

int
run_file_counts(struct run_file *f, struct counts *ret)
{
	sqlite3_stmt *st;
	int r;

	if (f->writer) {
		*ret = f->counts;
		return 0;
	}
	if ((r = one_row(f, RUN_GET_COUNTS, &st)) <= 0)
		return r < 0 ? r : ERR_STORE;
	r = counts_parse(db_col_text(st, 0), ret) ? 0 : ERR_STORE;
	db_reset(st);
	return r;
}

/* Binds the range of executions of a statement; NULL and the code on
 * failure. */
static sqlite3_stmt *
use(struct run_file *f, enum run_stmt i, uint32_t exec, int *ret_err)
{
	if (f->db.h == NULL) {
		*ret_err = ERR_STORE;
		return NULL;
	}
	return db_use(&f->db, i, ret_err, "ii", (int64_t)exec,
	    exec == 0 ? (int64_t)UINT32_MAX : (int64_t)exec);
}

static sqlite3_stmt *
use_all(struct run_file *f, enum run_stmt i, int *ret_err)
{
	if (f->db.h == NULL) {
		*ret_err = ERR_STORE;
		return NULL;
	}
	return db_use(&f->db, i, ret_err, "");
}

/* Ends a walk: r is what the last step or callback gave. */
static int
walked(sqlite3_stmt *st, int r)
{
	if (st != NULL)
		db_reset(st);
	return r;
}

int
run_file_each_exec(struct run_file *f,
    int (*fn)(void *arg, const struct run_exec *e), void *arg)
{
	sqlite3_stmt *st;
	struct run_exec e;
	int r;

	st = use_all(f, RUN_EACH_EXEC, &r);
	while (st != NULL && (r = db_step(st)) == 1) {
		e = (struct run_exec){
			.no = (uint32_t)db_col_int(st, 0),
			.suite = db_col_text(st, 1),
			.test = db_col_text(st, 2),
			.row = db_col_text(st, 3),
			.target = db_col_text(st, 4),
			.n_steps = (uint32_t)db_col_int(st, 5),
			.estimate_us = db_col_int(st, 6),
			.state = (enum exec_state)known(exec_state_parse(
			    db_col_text(st, 7))),
			.attempt = (uint32_t)db_col_int(st, 8),
			.agent = db_col_text(st, 9),
			.tier = (enum tier)known(tier_parse(
			    db_col_text(st, 10))),
			.since_wall_us = db_col_int(st, 11),
			.text = db_col_text(st, 12)
		};
		if ((r = fn(arg, &e)) != 0)
			break;
	}
	return walked(st, r);
}

int
run_file_each_step(struct run_file *f, uint32_t exec,
    int (*fn)(void *arg, const struct run_step *s), void *arg)
{
	sqlite3_stmt *st;
	struct run_step s;
	int r;

	st = use(f, RUN_EACH_STEP, exec, &r);
	while (st != NULL && (r = db_step(st)) == 1) {
		s = (struct run_step){
			.exec = (uint32_t)db_col_int(st, 0),
			.step = (uint32_t)db_col_int(st, 1),
			.test = db_col_text(st, 2),
			.row = db_col_text(st, 3),
			.target = db_col_text(st, 4)
		};
		if ((r = fn(arg, &s)) != 0)
			break;
	}
	return walked(st, r);
}

/* The attempt of a row; steps, owned by the caller, are a copy because the
 * blob of a page has no alignment. */
static struct run_attempt
attempt_row(sqlite3_stmt *st, uint32_t **ret_steps)
{
	struct run_attempt a = {
		.exec = (uint32_t)db_col_int(st, 0),
		.attempt = (uint32_t)db_col_int(st, 1),
		.agent = db_col_text(st, 2),
		.class = (enum attempt_class)known(attempt_class_parse(
		    db_col_text(st, 3))),
		.tier = (enum tier)known(tier_parse(db_col_text(st, 4))),
		.state = (enum attempt_state)known(attempt_state_parse(
		    db_col_text(st, 5))),
		.outcome = (enum outcome)known(outcome_parse(
		    db_col_text(st, 6))),
		.late = db_col_int(st, 7) != 0,
		.worker = (uint16_t)db_col_int(st, 8),
		.sent_wall_us = db_col_int(st, 9),
		.started_wall_us = db_col_int(st, 10),
		.ended_wall_us = db_col_int(st, 11),
		.elapsed_us = db_col_int(st, 12),
		.out_bytes = (uint64_t)db_col_int(st, 13),
		.out_dropped = (uint64_t)db_col_int(st, 14),
		.text = db_col_text(st, 15)
	};
	const void *blob;
	size_t n;

	blob = db_col_blob(st, 16, &n);
	*ret_steps = blob != NULL ? mem_dup(blob, n) : NULL;
	a.steps = *ret_steps;
	a.n_steps = (uint32_t)(n / sizeof(*a.steps));
	return a;
}

int
run_file_each_attempt(struct run_file *f, uint32_t exec,
    int (*fn)(void *arg, const struct run_attempt *a), void *arg)
{
	sqlite3_stmt *st;
	struct run_attempt a;
	uint32_t *steps;
	int r;

	st = use(f, RUN_EACH_ATTEMPT, exec, &r);
	while (st != NULL && (r = db_step(st)) == 1) {
		a = attempt_row(st, &steps);
		r = fn(arg, &a);
		free(steps);
		if (r != 0)
			break;
	}
	return walked(st, r);
}

/* A file of an older program has no such table. */
static bool
has_table(struct run_file *f, const char *name)
{
	char *sql = str_fmt("SELECT count(*) FROM sqlite_master WHERE "
	    "name='%s'", name);
	int64_t n = 0;
	bool has = f->db.h != NULL && db_int(&f->db, sql, 0, &n) == 0 && n > 0;

	free(sql);
	return has;
}

int
run_file_each_member(struct run_file *f, uint32_t exec,
    int (*fn)(void *arg, const struct run_member *m), void *arg)
{
	sqlite3_stmt *st;
	struct run_member m;
	int r;

	if (!has_table(f, "members"))
		return f->db.h == NULL ? ERR_STORE : 0;
	st = use(f, RUN_EACH_MEMBER, exec, &r);
	while (st != NULL && (r = db_step(st)) == 1) {
		m = (struct run_member){
			.exec = (uint32_t)db_col_int(st, 0),
			.attempt = (uint32_t)db_col_int(st, 1),
			.lead_exec = (uint32_t)db_col_int(st, 2),
			.lead_attempt = (uint32_t)db_col_int(st, 3)
		};
		if ((r = fn(arg, &m)) != 0)
			break;
	}
	return walked(st, r);
}

int
run_file_each_leased(struct run_file *f, uint32_t exec,
    int (*fn)(void *arg, const struct run_leased *l), void *arg)
{
	sqlite3_stmt *st;
	struct run_leased l;
	int r;

	if (!has_table(f, "leased"))
		return f->db.h == NULL ? ERR_STORE : 0;
	st = use(f, RUN_EACH_LEASED, exec, &r);
	while (st != NULL && (r = db_step(st)) == 1) {
		l = (struct run_leased){
			.exec = (uint32_t)db_col_int(st, 0),
			.attempt = (uint32_t)db_col_int(st, 1),
			.instance = db_col_text(st, 2)
		};
		if ((r = fn(arg, &l)) != 0)
			break;
	}
	return walked(st, r);
}

int
run_file_each_tries(struct run_file *f,
    int (*fn)(void *arg, const struct run_tries *t), void *arg)
{
	sqlite3_stmt *st;
	struct run_tries t;
	int r;

	st = use_all(f, RUN_EACH_TRIES, &r);
	while (st != NULL && (r = db_step(st)) == 1) {
		t = (struct run_tries){
			.exec = (uint32_t)db_col_int(st, 0),
			.failures = (uint32_t)db_col_int(st, 1),
			.errors = (uint32_t)db_col_int(st, 2),
			.avoid = db_col_text(st, 3),
			.due_wall_us = db_col_int(st, 4)
		};
		if ((r = fn(arg, &t)) != 0)
			break;
	}
	return walked(st, r);
}

int
run_file_each_artifact(struct run_file *f, uint32_t exec,
    int (*fn)(void *arg, const struct run_artifact *a), void *arg)
{
	struct run_artifact a;
	sqlite3_stmt *st;
	int r;

	if (!has_table(f, "artifacts"))
		return f->db.h == NULL ? ERR_STORE : 0;
	st = use(f, RUN_EACH_ARTIFACT, exec, &r);
	while (st != NULL && (r = db_step(st)) == 1) {
		a = (struct run_artifact){
			.exec = (uint32_t)db_col_int(st, 0),
			.attempt = (uint32_t)db_col_int(st, 1),
			.no = (uint32_t)db_col_int(st, 2),
			.name = db_col_text(st, 3),
			.bytes = (uint64_t)db_col_int(st, 4),
			.sha256 = db_col_text(st, 5),
			.n = (uint32_t)db_col_int(st, 6),
			.state = (enum artifact_state)known(
			    artifact_state_parse(db_col_text(st, 7))),
			.text = db_col_text(st, 8),
			.agent = db_col_text(st, 9)
		};
		if ((r = fn(arg, &a)) != 0)
			break;
	}
	return walked(st, r);
}

static struct run_result
result_row(sqlite3_stmt *st)
{
	return (struct run_result){
		.exec = (uint32_t)db_col_int(st, 0),
		.attempt = (uint32_t)db_col_int(st, 1),
		.step = (uint32_t)db_col_int(st, 2),
		.agent = db_col_text(st, 11),
		.late = db_col_int(st, 12) != 0,
		.r = {
			.outcome = (enum outcome)known(outcome_parse(
			    db_col_text(st, 3))),
			.exit_code = (int16_t)db_col_int(st, 4),
			.signo = (int16_t)db_col_int(st, 5),
			.started_wall_us = db_col_int(st, 6),
			.elapsed_us = db_col_int(st, 7),
			.out_from = (uint64_t)db_col_int(st, 8),
			.out_to = (uint64_t)db_col_int(st, 9),
			.text = (char *)(uintptr_t)db_col_text(st, 10)
		}
	};
}

int
run_file_each_result(struct run_file *f, uint32_t exec,
    int (*fn)(void *arg, const struct run_result *r), void *arg)
{
	struct run_result res;
	sqlite3_stmt *st;
	int r;

	st = use(f, RUN_EACH_RESULT, exec, &r);
	while (st != NULL && (r = db_step(st)) == 1) {
		res = result_row(st);
		if ((r = fn(arg, &res)) != 0)
			break;
	}
	return walked(st, r);
}

int
run_file_each_amendment(struct run_file *f,
    int (*fn)(void *arg, const struct run_amendment *a), void *arg)
{
	struct run_amendment a;
	sqlite3_stmt *st;
	int r;

	st = use_all(f, RUN_EACH_AMENDMENT, &r);
	while (st != NULL && (r = db_step(st)) == 1) {
		a = (struct run_amendment){
			.seq = (uint64_t)db_col_int(st, 0),
			.wall_us = db_col_int(st, 1),
			.who = db_col_text(st, 2),
			.kind = db_col_text(st, 3),
			.object = db_col_text(st, 4),
			.what = db_col_text(st, 5)
		};
		if ((r = fn(arg, &a)) != 0)
			break;
	}
	return walked(st, r);
}

int
run_file_each_shared(struct run_file *f,
    int (*fn)(void *arg, const struct run_shared *s), void *arg)
{
	struct run_shared row;
	sqlite3_stmt *st;
	int r;

	if (!has_table(f, "shared"))
		return f->db.h == NULL ? ERR_STORE : 0;
	st = use_all(f, RUN_EACH_SHARED, &r);
	while (st != NULL && (r = db_step(st)) == 1) {
		row = (struct run_shared){
			.group = (uint32_t)db_col_int(st, 0),
			.round = (uint32_t)db_col_int(st, 1),
			.kind = db_col_text(st, 2),
			.name = db_col_text(st, 3),
			.value = db_col_text(st, 4)
		};
		if ((r = fn(arg, &row)) != 0)
			break;
	}
	return walked(st, r);
}

/* An event of a row; the model's strings are not const. */
static struct event
event_row(sqlite3_stmt *st)
{
	int64_t kind = db_col_int(st, 3);

	return (struct event){
		.seq = (uint64_t)db_col_int(st, 0),
		.wall_us = db_col_int(st, 1),
		.who = (char *)(uintptr_t)db_col_text(st, 2),
		.kind = kind >= EVENT_INFO && kind <= EVENT_ERROR ?
		    (enum event_kind)kind : EVENT_INFO,
		.text = (char *)(uintptr_t)db_col_text(st, 4),
		.object = (char *)(uintptr_t)db_col_text(st, 5)
	};
}

int
run_file_each_event(struct run_file *f, uint64_t after,
    int (*fn)(void *arg, const struct event *e), void *arg)
{
	sqlite3_stmt *st = NULL;
	struct event e;
	int r = ERR_STORE;

	if (f->db.h != NULL)
		st = db_use(&f->db, RUN_EACH_EVENT, &r, "i", (int64_t)after);
	while (st != NULL && (r = db_step(st)) == 1) {
		e = event_row(st);
		if ((r = fn(arg, &e)) != 0)
			break;
	}
	return walked(st, r);
}

static int
load_state(void *arg, const struct run_exec *e)
{
	struct run_file *f = arg;

	if (e->no == 0 || e->no > f->n)
		return ERR_STORE;
	f->states[e->no - 1] = (uint8_t)e->state;
	f->counts.n[e->state]++;
	return 0;
}

int
run_load_states(struct run_file *f)
{
	int64_t n = 0;
	int r;

	r = db_int(&f->db, "SELECT count(*) FROM executions", 0, &n);
	if (r < 0)
		return r;
	free(f->states);
	f->n = (uint32_t)n;
	f->states = mem_zalloc(f->n);
	f->counts = (struct counts){ { 0 } };
	f->counted = false;
	return run_file_each_exec(f, load_state, f);
}
