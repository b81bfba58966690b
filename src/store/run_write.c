/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an owner puts into its run, one transaction a turn (the rules are at
 * the head of run_file.c). */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/redo.h"
#include "store/run.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"

int
run_fail(struct run_file *f, int code)
{
	if (f->failed == 0) {
		f->failed = code;
		free(f->error);
		f->error = str_dup(code == ERR_STALE ? err_text(code) :
		    db_text(&f->db));
	}
	if (!sqlite3_get_autocommit(f->db.h))
		db_run(&f->db, RUN_ROLLBACK, "");
	f->begun = f->dirty = false;
	/* Another owner drives the run: what we would say is over. */
	if (f->failed == ERR_STALE)
		buf_clear(&f->redo);
	return f->failed;
}

int
run_begin(struct run_file *f)
{
	sqlite3_stmt *st;
	int r;

	if (!f->writer)
		return ERR_STATE;
	if (f->failed < 0)
		return f->failed;
	if (f->begun)
		return 0;
	if ((r = db_run(&f->db, RUN_BEGIN, "")) < 0)
		return run_fail(f, r);
	f->begun = true;
	st = db_use(&f->db, RUN_EPOCH, &r, "");
	if (st == NULL || (r = db_step(st)) < 0)
		return run_fail(f, r);
	r = r == 1 && db_col_int(st, 0) == f->epoch ? 0 : ERR_STALE;
	db_reset(st);
	return r < 0 ? run_fail(f, r) : 0;
}

/* One row; what cannot be written is put again by run_file_recover(). */
static int
put(struct run_file *f, enum run_stmt i, const char *fmt, ...)
{
	va_list ap;
	int r;

	if (!f->writer)
		return ERR_STATE;
	if (f->failed != ERR_STALE) {
		va_start(ap, fmt);
		redo_add(&f->redo, i, fmt, ap);
		va_end(ap);
	}
	if ((r = run_begin(f)) < 0)
		return r;
	va_start(ap, fmt);
	r = db_vrun(&f->db, i, fmt, ap);
	va_end(ap);
	if (r < 0)
		return run_fail(f, r);
	f->dirty = true;
	return 0;
}

bool
run_file_dirty(const struct run_file *f)
{
	return f->dirty;
}

int
run_file_put_head(struct run_file *f, const struct run_head *head)
{
	return put(f, RUN_PUT_HEAD, "tii",
	    run_state_name(head->state), head->ended_wall_us,
	    (int64_t)head->exit_code);
}

int
run_file_put_snapshot(struct run_file *f, const char *text)
{
	return put(f, RUN_PUT_SNAPSHOT, "t", text);
}

static void
count_state(struct run_file *f, uint32_t no, enum exec_state to)
{
	uint8_t *state = &f->states[no - 1];

	if (*state == to)
		return;
	f->counts.n[*state]--;
	f->counts.n[to]++;
	*state = (uint8_t)to;
	f->counted = true;
}

int
run_file_put_exec(struct run_file *f, const struct run_exec *e)
{
	int r;

	if (e->no == 0 || e->no > f->n || (unsigned)e->state >= EXEC_STATES)
		return ERR_NOT_FOUND;
	r = put(f, RUN_PUT_EXEC, "tittiti", exec_state_name(e->state),
	    (int64_t)e->attempt, e->agent, tier_name(e->tier),
	    e->since_wall_us, e->text, (int64_t)e->no);
	if (r == 0)
		count_state(f, e->no, e->state);
	return r;
}

int
run_file_put_attempt(struct run_file *f, const struct run_attempt *a)
{
	if (a->exec == 0 || a->exec > f->n || a->attempt == 0)
		return ERR_NOT_FOUND;
	return put(f, RUN_PUT_ATTEMPT, "iitttttiiiiiiiitb",
	    (int64_t)a->exec, (int64_t)a->attempt,
	    a->agent, attempt_class_name(a->class), tier_name(a->tier),
	    attempt_state_name(a->state), outcome_name(a->outcome),
	    (int64_t)a->late, (int64_t)a->worker, a->sent_wall_us,
	    a->started_wall_us, a->ended_wall_us, a->elapsed_us,
	    (int64_t)a->out_bytes, (int64_t)a->out_dropped, a->text,
	    a->steps, a->steps == NULL ? (size_t)0 :
	    a->n_steps * sizeof(*a->steps));
}

/* Which steps of the execution an attempt was sent; steps NULL: all n. */
struct sent {
	bool ended;		/* the result is there already */
	uint32_t *steps;	/* owned */
	uint32_t n;
};

/* Reads what was sent; ERR_NOT_FOUND for an execution that is not there. */
static int
sent_read(struct run_file *f, const struct ident *id, struct sent *ret)
{
	sqlite3_stmt *st;
	const char *state;
	const void *blob;
	size_t n = 0;
	int r;

	st = db_use(&f->db, RUN_SENT_STEPS, &r, "ii", (int64_t)id->execution,
	    (int64_t)id->attempt);
	if (st == NULL || (r = db_step(st)) < 0)
		return r;
	if (r == 0) {
		db_reset(st);
		return ERR_NOT_FOUND;
	}
	state = db_col_text(st, 0);
	blob = db_col_blob(st, 1, &n);
	*ret = (struct sent){
		.ended = state != NULL && strcmp(state, "ended") == 0,
		.n = (uint32_t)db_col_int(st, 2)
	};
	if (blob != NULL) {
		ret->steps = mem_dup(blob, n);
		ret->n = (uint32_t)(n / sizeof(*ret->steps));
	}
	db_reset(st);
	return 0;
}

static int
put_steps(struct run_file *f, const struct report *r, const struct sent *sent)
{
	const struct step_result *s;
	uint32_t i;
	int err = 0;

	for (i = 0; i < r->n_steps && i < sent->n && err == 0; i++) {
		s = &r->steps[i];
		if (s->outcome == OUTCOME_NONE)
			continue;
		err = put(f, RUN_PUT_RESULT, "iiitiiiiiit",
		    (int64_t)r->id.execution, (int64_t)r->id.attempt,
		    (int64_t)(sent->steps != NULL ? sent->steps[i] : i),
		    outcome_name(s->outcome), (int64_t)s->exit_code,
		    (int64_t)s->signo, s->started_wall_us, s->elapsed_us,
		    (int64_t)s->out_from, (int64_t)s->out_to, s->text);
	}
	return err;
}

static int
put_ended(struct run_file *f, const struct report *r, bool late)
{
	return put(f, RUN_PUT_ENDED, "iitiiiiiiit",
	    (int64_t)r->id.execution, (int64_t)r->id.attempt,
	    outcome_name(r->outcome), (int64_t)late, (int64_t)r->worker,
	    r->started_wall_us, r->ended_wall_us, r->elapsed_us,
	    (int64_t)r->out_bytes, (int64_t)r->out_dropped, r->text);
}

int
run_file_put_result(struct run_file *f, const struct report *r, bool late,
    bool *ret_new)
{
	struct sent sent = { .steps = NULL };
	size_t before = buf_len(&f->redo);
	int err;

	if (r->state != ATTEMPT_ENDED)
		return ERR_RANGE;
	if (strcmp(r->id.run, f->id) != 0 || r->id.attempt == 0)
		return ERR_NOT_FOUND;
	if ((err = run_begin(f)) < 0)
		return err;
	err = sent_read(f, &r->id, &sent);
	if (err == ERR_NOT_FOUND)
		return err;
	if (err < 0)
		return run_fail(f, err);
	if (!sent.ended && (err = put_ended(f, r, late)) == 0)
		err = put_steps(f, r, &sent);
	if (err == 0)
		*ret_new = !sent.ended;
	else if (buf_len(&f->redo) > before)
		buf_truncate(&f->redo, before);	/* all of it, or none */
	free(sent.steps);
	return err;
}

int
run_file_put_member(struct run_file *f, const struct run_member *m)
{
	return put(f, RUN_PUT_MEMBER, "iiii",
	    (int64_t)m->exec, (int64_t)m->attempt, (int64_t)m->lead_exec,
	    (int64_t)m->lead_attempt);
}

int
run_file_put_leased(struct run_file *f, const struct run_leased *l)
{
	return put(f, RUN_PUT_LEASED, "iit",
	    (int64_t)l->exec, (int64_t)l->attempt, l->instance);
}

int
run_file_put_tries(struct run_file *f, const struct run_tries *t)
{
	return put(f, RUN_PUT_TRIES, "iiiti", (int64_t)t->exec,
	    (int64_t)t->failures, (int64_t)t->errors, t->avoid,
	    t->due_wall_us);
}

int
run_file_put_artifact(struct run_file *f, const struct run_artifact *a)
{
	return put(f, RUN_PUT_ARTIFACT, "iiitititt",
	    (int64_t)a->exec, (int64_t)a->attempt, (int64_t)a->no, a->name,
	    (int64_t)a->bytes, a->sha256, (int64_t)a->n,
	    artifact_state_name(a->state), a->text);
}

int
run_file_put_amendment(struct run_file *f, const struct run_amendment *a)
{
	return put(f, RUN_PUT_AMENDMENT, "itttti",
	    a->wall_us, a->who, a->kind, a->object, a->what,
	    ++f->seqs[SEQ_AMENDMENTS]);
}

int
run_file_put_target(struct run_file *f, uint32_t exec, uint32_t step,
    const char *target)
{
	int r = step > 0 ? 0 : put(f, RUN_PUT_TARGET, "ti", target,
	    (int64_t)exec);
	int rs = put(f, RUN_PUT_STEP_TARGET, "tii", target, (int64_t)exec,
	    (int64_t)step);

	return r < 0 ? r : rs;
}

int
run_file_put_shared(struct run_file *f, const struct run_shared *s)
{
	return put(f, RUN_PUT_SHARED, "iittti", (int64_t)s->group,
	    (int64_t)s->round, s->kind, s->name, s->value,
	    ++f->seqs[SEQ_SHARED]);
}

int
run_file_put_event(struct run_file *f, const struct event *e)
{
	return put(f, RUN_PUT_EVENT, "ititti", e->wall_us, e->who,
	    (int64_t)e->kind, e->text, e->object, ++f->seqs[SEQ_EVENTS]);
}

char *
counts_format(const struct counts *c, char *out)
{
	size_t at = 0;
	int i;

	for (i = 0; i < EXEC_STATES; i++)
		at += (size_t)snprintf(out + at, COUNTS_TEXT - at, "%s%u",
		    i > 0 ? " " : "", c->n[i]);
	return out;
}

bool
counts_parse(const char *text, struct counts *ret)
{
	struct counts c;
	char *end;
	int i;

	for (i = 0; text != NULL && i < EXEC_STATES; i++, text = end) {
		c.n[i] = (uint32_t)strtoul(text, &end, 10);
		if (end == text)
			return false;
	}
	if (text != NULL)
		*ret = c;
	return text != NULL;
}

int
run_file_commit(struct run_file *f)
{
	char counts[COUNTS_TEXT];
	int r = 0;

	if (f->failed < 0)
		return f->failed;
	if (!f->begun)
		return 0;
	if (!f->dirty) {	/* only looked at */
		r = db_run(&f->db, RUN_ROLLBACK, "");
		f->begun = false;
		return r < 0 ? run_fail(f, r) : 0;
	}
	if (f->counted)
		r = db_run(&f->db, RUN_PUT_COUNTS, "t",
		    counts_format(&f->counts, counts));
	if (r == 0)
		r = db_run(&f->db, RUN_COMMIT, "");
	if (r < 0)
		return run_fail(f, r);
	f->begun = f->dirty = f->counted = false;
	buf_clear(&f->redo);
	return 0;
}
