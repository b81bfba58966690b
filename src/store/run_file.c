/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The life of a run file.
 *
 * What always holds:
 *  1. Only the process that holds RUN.lock opens the database for writing;
 *     it takes the lock first and frees it last.
 *  2. The epoch in the file only grows, and grows before a new owner writes
 *     anything else. Each transaction begins by checking that it is ours.
 *  3. What was put in a turn is in the file as a whole, or not at all.
 *  4. An attempt that has ended does not change again; its results are
 *     written once, in the transaction in which it ends.
 *  5. In every committed state head.counts are the counts of executions.
 *  6. After a failure nothing is written until the file was read back; then
 *     all that was put since the last commit is put again, in its order,
 *     before anything else. Putting it twice is the same as once.
 *
 *	(none) --run_file_create, run_file_adopt--> clean
 *	clean --the first put: run_begin--> begun
 *	begun --run_file_commit--> clean
 *	clean, begun --any failure: run_fail--> failed
 *	failed --run_file_recover--> clean, or failed still
 *	any --run_file_close--> (none)
 *
 * A reader (run_file_open) knows none of these states.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/redo.h"
#include "store/run.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"

/* True for a bare run id: nothing else may become a part of a path. */
static bool
is_run_id(const char *run)
{
	struct ident id;

	return ident_parse(run, &id) == 0 && id.execution == 0;
}

static struct run_file *
file_new(const char *state_dir, const char *run)
{
	struct run_file *f = mem_zalloc(sizeof(*f));

	strcpy(f->id, run);
	f->path = run_path(state_dir, run, ".db");
	f->lock_fd = -1;
	return f;
}

void
run_file_close(struct run_file *f)
{
	size_t i;

	if (f == NULL)
		return;
	db_close(&f->db);
	if (f->lock_fd >= 0)
		close(f->lock_fd);
	for (i = 0; i < sizeof(f->head) / sizeof(f->head[0]); i++)
		free(f->head[i]);
	buf_done(&f->redo);
	free(f->states);
	free(f->error);
	free(f->path);
	free(f);
}

static int
new_steps(struct run_file *f, const struct run_create *c,
    const struct run_exec *e)
{
	struct run_step s;
	uint32_t i;
	int r = 0;

	for (i = 0; e->n_steps > 1 && i < e->n_steps && r == 0; i++) {
		s = (struct run_step){ .exec = e->no, .step = i };
		c->step(c->arg, e->no, i, &s);
		r = db_run(&f->db, RUN_NEW_STEP, "iittt", (int64_t)e->no,
		    (int64_t)i, s.test, s.row, s.target);
	}
	return r;
}

static int
new_exec(struct run_file *f, const struct run_create *c, uint32_t no)
{
	struct run_exec e = { .no = no, .n_steps = 1 };
	int r;

	c->exec(c->arg, no, &e);
	r = db_run(&f->db, RUN_NEW_EXEC, "ittttiii", (int64_t)no, e.suite,
	    e.test, e.row, e.target, (int64_t)e.n_steps, e.estimate_us,
	    c->head.started_wall_us);
	return r < 0 ? r : new_steps(f, c, &e);
}

static int
new_head(struct run_file *f, const struct run_create *c)
{
	const struct run_head *h = &c->head;
	char counts[COUNTS_TEXT];
	int r;

	f->counts = (struct counts){ { 0 } };
	f->counts.n[EXEC_WAITING] = c->n;
	r = db_run(&f->db, RUN_NEW_HEAD, "tttttit", h->id, h->plan, h->who,
	    h->options, run_state_name(h->state), h->started_wall_us,
	    counts_format(&f->counts, counts));
	if (r == 0)
		r = db_run(&f->db, RUN_NEW_SNAPSHOT, "t", c->snapshot);
	return r;
}

/* Everything of a new run, in one transaction. */
static int
fill(struct run_file *f, const struct run_create *c)
{
	uint32_t no;
	int r;

	if ((r = db_journal(&f->db, "wal")) < 0 ||
	    (r = db_run(&f->db, RUN_BEGIN, "")) < 0 ||
	    (r = db_exec(&f->db, run_schema)) < 0 ||
	    (r = new_head(f, c)) < 0)
		return r;
	for (no = 1; no <= c->n && r == 0; no++)
		r = new_exec(f, c, no);
	return r < 0 ? r : db_run(&f->db, RUN_COMMIT, "");
}

/* Removes the files of a run, the lock last. */
static int
unlink_all(const char *state_dir, const char *run)
{
	static const char *const suffixes[] = { ".db", ".db-wal", ".db-shm",
		".db-journal", ".sock", ".lock" };
	char *path;
	size_t i;
	int r = 0;

	for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		path = run_path(state_dir, run, suffixes[i]);
		if (unlink(path) < 0 && i == 0)
			r = ERR_NOT_FOUND;
		free(path);
	}
	path = run_path(state_dir, run, ".artifacts");
	if (fs_exists(path))
		(void)fs_remove_tree(path);
	free(path);
	return r;
}

int
run_file_create(const char *state_dir, const struct run_create *c,
    struct run_file **ret)
{
	struct run_file *f;
	int r;

	if (!is_run_id(c->head.id))
		return ERR_SYNTAX;
	if ((r = run_folder(state_dir)) < 0)
		return r;
	f = file_new(state_dir, c->head.id);
	if ((r = run_lock(state_dir, f->id, c->head.who, &f->lock_fd)) < 0)
		goto out;
	if (fs_exists(f->path)) {
		r = ERR_EXISTS;
		goto out;
	}
	r = db_open(&f->db, f->path, DB_CREATE, run_sql, RUN_STMTS);
	if (r == 0)
		r = fill(f, c);
	if (r < 0) {
		db_close(&f->db);
		unlink_all(state_dir, f->id);
		goto out;
	}
	f->writer = true;
	f->epoch = 1;
	f->n = c->n;
	f->states = mem_zalloc(c->n);	/* EXEC_WAITING */
	*ret = f;
out:
	if (r < 0)
		run_file_close(f);
	return r;
}

/* A file of an older program gets what it lacks; that one refuses it then. */
static int
bring_up(struct run_file *f)
{
	int64_t version = 0;
	int r = db_int(&f->db, "PRAGMA user_version", 0, &version);

	return r < 0 || version >= RUN_VERSION ? r :
	    db_exec(&f->db, run_later_schema);
}

/* What rows have been numbered so far. */
static int
load_seqs(struct run_file *f)
{
	static const char *const sql[RUN_SEQS] = {
		[SEQ_AMENDMENTS] = "SELECT max(seq) FROM amendments",
		[SEQ_SHARED] = "SELECT max(seq) FROM shared",
		[SEQ_EVENTS] = "SELECT max(seq) FROM events",
	};
	int i, r = 0;

	for (i = 0; i < RUN_SEQS && r == 0; i++)
		r = db_int(&f->db, sql[i], 0, &f->seqs[i]);
	return r;
}

/* Opens the database of an owner, checks it, reads back what it holds. */
static int
open_writer(struct run_file *f)
{
	int64_t epoch = 0;
	int r;

	r = db_open(&f->db, f->path, DB_WRITE, run_sql, RUN_STMTS);
	if (r < 0)
		return r;
	if ((r = db_is_ours(&f->db, RUN_VERSION)) < 0 ||
	    (r = db_check(&f->db, NULL)) < 0 ||
	    (r = db_int(&f->db, run_sql[RUN_EPOCH], 0, &epoch)) < 0)
		return r;
	if (epoch < 1 || epoch >= UINT32_MAX)
		return ERR_STORE;
	if (f->epoch != 0 && f->epoch != epoch)
		return ERR_STALE;
	f->epoch = (uint32_t)epoch;
	return (r = bring_up(f)) < 0 ? r : run_load_states(f);
}

static int
raise_epoch(struct run_file *f, bool ended)
{
	struct run_head head;
	int r;

	if ((r = run_file_head(f, &head)) < 0)
		return r;
	if ((head.state == RUN_ENDED) != ended)
		return ERR_STATE;
	r = db_exec(&f->db, "UPDATE head SET epoch=epoch+1");
	if (r == 0)
		f->epoch++;
	return r;
}

static void
tell_owner(const char *state_dir, const char *run, char **ret_owner)
{
	struct run_owner o = { .who = NULL };

	if (ret_owner == NULL)
		return;
	run_owner_read(state_dir, run, &o);
	*ret_owner = run_owner_text(&o);
	run_owner_done(&o);
}

static int
take_over(const char *state_dir, const char *run, const char *who, bool ended,
    struct run_file **ret)
{
	struct run_file *f;
	int r;

	if (!is_run_id(run))
		return ERR_NOT_FOUND;
	f = file_new(state_dir, run);
	f->writer = true;
	if (!fs_exists(f->path)) {
		r = ERR_NOT_FOUND;
		goto out;
	}
	if ((r = run_folder(state_dir)) < 0 ||
	    (r = run_lock(state_dir, run, who, &f->lock_fd)) < 0 ||
	    (r = open_writer(f)) < 0 || (r = load_seqs(f)) < 0 ||
	    (r = raise_epoch(f, ended)) < 0)
		goto out;
	*ret = f;
out:
	if (r < 0)
		run_file_close(f);
	return r;
}

/* Somebody may have an ended run open for late results. */
static bool
has_ended(const char *state_dir, const char *run)
{
	struct run_file *f = NULL;
	struct run_head head;
	bool ended;

	ended = run_file_open(state_dir, run, &f) == 0 &&
	    run_file_head(f, &head) == 0 && head.state == RUN_ENDED;
	run_file_close(f);
	return ended;
}

int
run_file_adopt(const char *state_dir, const char *run, const char *who,
    struct run_file **ret, char **ret_owner)
{
	int r = take_over(state_dir, run, who, false, ret);

	if (r != ERR_LOCKED)
		return r;
	if (has_ended(state_dir, run))
		return ERR_STATE;
	tell_owner(state_dir, run, ret_owner);
	return r;
}

int
run_file_reopen(const char *state_dir, const char *run, const char *who,
    struct run_file **ret)
{
	return has_ended(state_dir, run) ?
	    take_over(state_dir, run, who, true, ret) : ERR_STATE;
}

/* What was put since the last commit, as one transaction. */
static int
put_again(struct run_file *f)
{
	int r;

	f->failed = 0;
	if (buf_len(&f->redo) == 0)
		return 0;
	if ((r = run_begin(f)) < 0)
		return r;
	if ((r = redo_run(&f->db, &f->redo)) < 0 ||
	    (r = run_load_states(f)) < 0)
		return run_fail(f, r);
	f->dirty = f->counted = true;
	return run_file_commit(f);
}

int
run_file_recover(struct run_file *f)
{
	int r;

	db_close(&f->db);
	f->begun = f->dirty = false;
	if ((r = open_writer(f)) < 0 || (r = put_again(f)) < 0) {
		free(f->error);
		f->error = str_dup(f->db.h != NULL && r != ERR_STALE ?
		    db_text(&f->db) : err_text(r));
		db_close(&f->db);
		f->failed = r;
		return r;
	}
	free(f->error);
	f->error = NULL;
	return 0;
}

int
run_file_open(const char *state_dir, const char *run, struct run_file **ret)
{
	struct run_file *f;
	int r;

	if (!is_run_id(run))
		return ERR_NOT_FOUND;
	f = file_new(state_dir, run);
	r = db_open(&f->db, f->path, DB_READ, run_sql, RUN_STMTS);
	if (r == 0)
		r = db_is_ours(&f->db, RUN_VERSION);
	if (r < 0)
		run_file_close(f);
	else
		*ret = f;
	return r;
}

const char *
run_file_id(const struct run_file *f)
{
	return f->id;
}

uint32_t
run_file_epoch(const struct run_file *f)
{
	return f->epoch;
}

const char *
run_file_error(const struct run_file *f)
{
	return f->error != NULL ? f->error : "";
}

int
run_remove(const char *state_dir, const char *run)
{
	char *path;
	int fd = -1, r;

	if (!is_run_id(run))
		return ERR_NOT_FOUND;
	path = run_path(state_dir, run, ".db");
	r = fs_exists(path) ? 0 : ERR_NOT_FOUND;
	free(path);
	if (r < 0 || (r = run_lock(state_dir, run, NULL, &fd)) < 0)
		return r;
	r = unlink_all(state_dir, run);
	close(fd);
	return r;
}
