/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Amendments of a run: what somebody changed while it ran, numbered from 1 and
 * kept in its file. The plan's own are put over the snapshot before a run that
 * is taken over starts; the rest is done again afterwards. An amendment is
 * taken back by another one, which names it.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/mem.h"

#include "engine/engine_private.h"

/* ---- values ----------------------------------------------------------------------- */

/* The value that an op sets. */
static char *
value_set(const struct op *op)
{
	switch (op->kind) {
	case OP_AMEND:
		return str_dup(op->value);
	case OP_MOVE:
	case OP_DECLARE_DEAD:
		return str_dup(op->agent);
	case OP_PRIORITY:
		return str_fmt("%d", (int)op->priority);
	default:
		return str_dup(op->note);
	}
}

static char *
value_of_exec(struct engine *e, const struct erun *r, const struct op *op)
{
	struct sched_view v;

	if (sched_exec_view(e->sched, r->handle, op->id.execution, &v) < 0)
		return NULL;
	if (op->kind == OP_PRIORITY)
		return str_fmt("%d", (int)v.priority);
	if (op->kind == OP_MOVE)
		return str_dup(v.pin != SCHED_NONE ?
		    fleet_agent(e->fleet, v.pin)->name : "");
	return op->kind == OP_HOLD || op->kind == OP_RELEASE ?
	    str_dup(v.held) : NULL;
}

char *
amend_value(struct engine *e, const struct erun *r, const struct op *op)
{
	struct sched_run_view v;

	if (op->kind == OP_AMEND)
		return NULL;
	if (op->kind == OP_PAUSE || op->kind == OP_GO_ON)
		return str_dup(e->stopped);
	if (op->id.execution > 0)
		return value_of_exec(e, r, op);
	if (sched_run_view(e->sched, r->handle, &v) < 0)
		return NULL;
	if (op->kind == OP_PRIORITY)
		return str_fmt("%d", (int)v.priority);
	return op->kind == OP_HOLD || op->kind == OP_RELEASE ?
	    str_dup(v.held) : NULL;
}

/* ---- the plan ---------------------------------------------------------------------- */

struct amending {
	struct sched *s;
	struct erun *r;
};

static int
amend_spec(void *arg, const struct sched_run *spec)
{
	struct amending *a = arg;
	int64_t now_us = clock_mono_us();
	int rc;

	rc = sched_run_amend(a->s, a->r->handle, spec, now_us);
	if (rc == 0)
		rc = sched_run_deadline(a->s, a->r->handle,
		    spec->deadline_us, now_us);
	if (rc == 0)
		rc = sched_run_limits(a->s, a->r->handle,
		    spec->max_parallel, spec->max_failures, now_us);
	return rc;
}

/* Tells a scheduler what the plan of a run is now. */
static int
tell(struct erun *r, struct sched *to)
{
	struct amending a = { .s = to, .r = r };
	struct feed_state st = { .execs = NULL };
	int64_t *unknown = mem_calloc(r->live.n, sizeof *unknown);
	uint32_t i;
	int rc;

	for (i = 0; i < r->live.n; i++)
		unknown[i] = -1;
	st.estimates_us = unknown;
	st.deadline_us = feed_deadline_us(r);
	rc = feed_plan(r->plan, r->live.id, &st, amend_spec, &a);
	free(unknown);
	return rc;
}

void
amend_try(struct engine *e, const struct op *ops, size_t n, struct sched *to)
{
	char **old = mem_calloc(n, sizeof *old), *text = NULL;
	struct erun *r;
	size_t i;

	for (i = 0; i < n; i++) {
		r = erun_find(e, ops[i].id.run);
		if (ops[i].kind != OP_AMEND || r == NULL || r->file == NULL)
			continue;
		if (plan_amend(r->plan, ops[i].key, ops[i].value, &old[i],
		    &text) == 0)
			(void)tell(r, to);
	}
	for (; i-- > 0; free(old[i])) {
		free(text);
		text = NULL;
		r = erun_find(e, ops[i].id.run);
		if (old[i] != NULL)
			(void)plan_amend(r->plan, ops[i].key, old[i], &text,
			    &text);
	}
	free(text);
	free(old);
}

/* What views and the file have of the targets of an execution. */
static void
show_targets(struct erun *r, uint32_t no, bool put)
{
	const struct plan *p = r->plan;
	const struct plan_exec *x = &p->execs[no - 1];
	uint32_t i, t;

	for (i = 0; i < x->n_steps; i++) {
		t = p->steps[x->first_step + i].target;
		if (i == 0)
			r->live.executions[no - 1].target =
			    t != PLAN_NONE ? p->targets[t].name : NULL;
		if (put && t != PLAN_NONE)
			erun_put(r, run_file_put_target(r->file, no, i,
			    p->targets[t].name));
	}
}

/* One execution; nothing of it was sent yet. */
static int
amend_target(struct erun *r, const char *key, const char *value,
    char **ret_text)
{
	uint32_t no = (uint32_t)strtoul(key + 7, NULL, 10);
	const struct execution *x;
	int rc;

	if (no >= 1 && no <= r->live.n) {
		x = &r->live.executions[no - 1];
		if (x->state != EXEC_WAITING || x->attempt > 0) {
			*ret_text = str_fmt("%s/%u was sent already",
			    r->live.id, no);
			return ERR_STATE;
		}
	}
	if ((rc = plan_amend(r->plan, key, value, ret_text, ret_text)) == 0)
		show_targets(r, no, true);
	return rc;
}

/* Not of one execution by its number. */
bool
amend_is_wide(const struct op *op)
{
	const char *name = op->key != NULL ? op->key : "";
	size_t n;

	if (op->value == NULL || strncmp(name, "target:", 7) != 0)
		return false;
	n = strspn(name + 7, "0123456789");
	return n == 0 || (name[7 + n] != '\0' && name[7 + n] != ',');
}

/* Of a suite or test, OLD named: each execution that can is an amendment of
 * its own. *ret_text says how many. */
int
amend_targets(struct engine *e, struct erun *r, const struct op *op,
    const char *who, char **ret_text)
{
	const char *comma = strrchr(op->key, ',');
	struct plan_ref ref;
	struct op one = *op;
	char *name, *was;
	uint32_t no, n = 0, left = 0;
	int rc;

	name = comma != NULL ? str_ndup(op->key + 7,
	    (size_t)(comma - op->key) - 7) : str_dup("");
	rc = plan_find(r->plan, name, &ref);
	if (rc < 0)
		*ret_text = str_fmt("%s: target:SUITE,OLD=NEW or "
		    "target:SUITE/TEST,OLD=NEW is expected", op->key);
	free(name);
	for (no = 1; rc == 0 && no <= r->live.n; no++) {
		if (!plan_ref_covers(r->plan, &ref, no))
			continue;
		one.key = name = str_fmt("target:%u%s", no, comma);
		was = NULL;
		if (amend_target(r, name, op->value, &was) == 0) {
			(void)amend_record(r, &one, who, was);
			n++;
		} else {
			free(was);
			left++;
		}
		free(name);
	}
	if (rc < 0)
		return rc;
	*ret_text = str_fmt("%s: %u execution%s, %u left as %s%s", op->key, n,
	    n == 1 ? "" : "s", left, left == 1 ? "it is" : "they are",
	    n > 0 ? "; amendments list them" : "");
	if (n == 0)
		return ERR_STATE;
	engine_say(e, EVENT_EDIT, who, r->live.id, "amend %s: %s, %u "
	    "executions", op->key, op->value, n);
	engine_hurry(e);
	return tell(r, e->sched);
}

/* *ret_text becomes the old value, or what was wrong. */
int
amend_plan(struct engine *e, struct erun *r, const struct op *op,
    char **ret_text)
{
	int rc;

	if (op->key == NULL || op->value == NULL)
		return ERR_INVALID;
	if (sched_run_ended(e->sched, r->handle))
		return ERR_STATE;
	rc = strncmp(op->key, "target:", 7) == 0 ?
	    amend_target(r, op->key, op->value, ret_text) :
	    plan_amend(r->plan, op->key, op->value, ret_text, ret_text);
	return rc < 0 ? rc : tell(r, e->sched);
}

/* ---- recording ---------------------------------------------------------------------- */

static void
add(struct erun *r, const struct amendment *am)
{
	uint64_t n = am->undoes;

	r->amendments = mem_grow(r->amendments, &r->cap_amendments,
	    r->n_amendments + 1, sizeof *r->amendments);
	r->amendments[r->n_amendments++] = *am;
	if (n >= 1 && n < r->n_amendments)
		r->amendments[n - 1].undone = true;
}

static void
put(struct erun *r, const struct amendment *am)
{
	struct run_amendment row = {
		.wall_us = am->wall_us,
		.who = am->who,
		.kind = op_name(am->kind),
	};
	struct buf what = BUF_INIT;
	char id[IDENT_TEXT];
	struct jw w;

	row.object = ident_format(&am->id, id);
	jw_init(&w, &what);
	jw_object(&w);
	jw_kv_str(&w, "key", am->key);
	jw_kv_str(&w, "old", am->was);
	jw_kv_str(&w, "new", am->now);
	if (am->undoes > 0)
		jw_kv_int(&w, "undoes", (int64_t)am->undoes);
	if (am->expires_wall_us > 0)
		jw_kv_int(&w, "expires", am->expires_wall_us);
	jw_object_end(&w);
	row.what = buf_str(&what);
	erun_put(r, run_file_put_amendment(r->file, &row));
	buf_done(&what);
}

const struct amendment *
amend_record(struct erun *r, const struct op *op, const char *who, char *was)
{
	struct amendment am = {
		.number = r->n_amendments + 1,
		.wall_us = clock_wall_us(),
		.kind = op->kind,
		.id = op->id,
		.who = str_dup(who),
		.key = op->kind == OP_AMEND ? str_dup(op->key) : NULL,
		.now = value_set(op),
		.was = was,
		.undoes = op->number,
		.expires_wall_us = op->kind == OP_HOLD ?
		    op->expires_wall_us : 0,
	};

	put(r, &am);
	add(r, &am);
	return &r->amendments[r->n_amendments - 1];
}

void
amend_console(struct engine *e, const struct op *op, const struct erun *but)
{
	struct op todo = *op;
	struct erun *r;

	todo.number = 0;
	TAILQ_FOREACH(r, &e->runs, entry) {
		if (r->file == NULL || r->recorded || r == but)
			continue;
		memset(&todo.id, 0, sizeof todo.id);
		memcpy(todo.id.run, r->live.id, sizeof todo.id.run);
		(void)amend_record(r, &todo, op->who != NULL ? op->who :
		    e->who, amend_value(e, r, &todo));
	}
}

void
amend_dead(struct engine *e, size_t agent, const char *who)
{
	struct op op = { .kind = OP_DECLARE_DEAD };
	struct erun *r;

	strcpy(op.agent, fleet_agent(e->fleet, agent)->name);
	TAILQ_FOREACH(r, &e->runs, entry) {
		if (r->file == NULL || r->recorded ||
		    !sched_agent_has(e->sched, (uint32_t)agent, r->handle))
			continue;
		memcpy(op.id.run, r->live.id, sizeof op.id.run);
		(void)amend_record(r, &op, who, NULL);
	}
}

void
amend_begun_paused(struct engine *e, struct erun *r)
{
	struct op op = { .kind = OP_PAUSE, .note = e->stop.note };

	memcpy(op.id.run, r->live.id, sizeof op.id.run);
	if (e->stop.on)
		(void)amend_record(r, &op, e->stop.who, NULL);
}

void
amendments_free(struct erun *r)
{
	size_t i;

	for (i = 0; i < r->n_amendments; i++) {
		free(r->amendments[i].who);
		free(r->amendments[i].key);
		free(r->amendments[i].now);
		free(r->amendments[i].was);
	}
	free(r->amendments);
}

/* ---- doing one (again) ----------------------------------------------------------------- */

void
amend_op(const struct amendment *am, const char *value, struct op *ret)
{
	*ret = (struct op){ .kind = am->kind, .id = am->id, .who = am->who,
		.key = am->key };
	if (am->kind == OP_AMEND)
		ret->value = value;
	else if (am->kind == OP_MOVE && value != NULL)
		snprintf(ret->agent, sizeof ret->agent, "%s", value);
	else if (am->kind == OP_PRIORITY && value != NULL)
		ret->priority = (int32_t)strtol(value, NULL, 10);
	else
		ret->note = value;
}

/* The kind of op that takes it back; OP_KINDS: there is none. */
static enum op_kind
inverse(enum op_kind kind)
{
	switch (kind) {
	case OP_AMEND:
	case OP_MOVE:
	case OP_PRIORITY:
		return kind;
	case OP_HOLD:
		return OP_RELEASE;
	case OP_RELEASE:
		return OP_HOLD;
	case OP_PAUSE:
		return OP_GO_ON;
	case OP_GO_ON:
		return OP_PAUSE;
	case OP_SKIP:
		return OP_UNSKIP;
	default:
		return OP_KINDS;
	}
}

/* What was done to the same thing after it and still holds, or NULL. */
static const struct amendment *
later(const struct erun *r, const struct amendment *am)
{
	const struct amendment *o;
	size_t i;

	for (i = (size_t)am->number; i < r->n_amendments; i++) {
		o = &r->amendments[i];
		if ((o->kind == am->kind || o->kind == inverse(am->kind)) &&
		    !o->undone && o->undoes == 0 &&
		    o->id.execution == am->id.execution &&
		    (am->key == NULL || strcmp(am->key, o->key) == 0))
			return o;
	}
	return NULL;
}

int
amend_undo(struct engine *e, const struct erun *r, uint64_t number,
    struct op *ret, char **ret_text)
{
	const struct amendment *am, *since;

	if (number < 1 || number > r->n_amendments) {
		*ret_text = str_fmt("there is no amendment %llu; yardmaster "
		    "amendments %s lists them", (unsigned long long)number,
		    r->live.id);
		return ERR_NOT_FOUND;
	}
	am = &r->amendments[number - 1];
	if (am->undone || inverse(am->kind) == OP_KINDS) {
		*ret_text = am->undone ? str_dup("that was undone already") :
		    str_fmt("%s cannot be undone", op_name(am->kind));
		return ERR_STATE;
	}
	if ((since = later(r, am)) != NULL) {
		*ret_text = str_fmt("no longer has that value: amendment %llu "
		    "by %s came after it", (unsigned long long)since->number,
		    since->who);
		return ERR_STATE;
	}
	amend_op(am, am->was, ret);
	ret->kind = inverse(am->kind);
	ret->who = NULL;
	ret->expires_wall_us = ret->kind == OP_HOLD ? holds_before(r, am) : 0;
	return 0;
}

/* ---- taking over -------------------------------------------------------------------------- */

/* Older programs wrote the new value alone, as plain text. */
static void
read_what(const char *what, struct amendment *am)
{
	struct jval *v = NULL;

	if (what == NULL || jval_parse(&v, (const uint8_t *)what,
	    strlen(what)) < 0 || jval_type(v) != JVAL_OBJECT) {
		am->now = str_dup(what);
	} else {
		am->key = str_dup(jval_get_str(v, "key", NULL));
		am->was = str_dup(jval_get_str(v, "old", NULL));
		am->now = str_dup(jval_get_str(v, "new", NULL));
		am->undoes = (uint64_t)jval_get_int(v, "undoes", 0);
		am->expires_wall_us = jval_get_int(v, "expires", 0);
	}
	jval_free(v);
}

static int
read_one(void *arg, const struct run_amendment *row)
{
	struct erun *r = arg;
	struct amendment am = { .number = row->seq, .wall_us = row->wall_us };
	int kind = op_parse(row->kind != NULL ? row->kind : "");

	if (kind < 0 || row->object == NULL ||
	    row->seq != r->n_amendments + 1 ||
	    ident_parse(row->object, &am.id) < 0 ||
	    am.id.execution > r->live.n)
		return ERR_STORE;
	am.kind = (enum op_kind)kind;
	am.who = str_dup(row->who != NULL ? row->who : "?");
	read_what(row->what, &am);
	add(r, &am);
	return 0;
}

int
amend_restore_plan(struct erun *r)
{
	const struct amendment *am;
	char *text = NULL;
	uint32_t no;
	size_t i;
	int rc;

	if ((rc = run_file_each_amendment(r->file, read_one, r)) < 0)
		return rc;
	for (i = 0; i < r->n_amendments && rc == 0; i++) {
		am = &r->amendments[i];
		if (am->kind != OP_AMEND)
			continue;
		if (am->key == NULL || am->now == NULL)
			return ERR_STORE;
		rc = plan_amend(r->plan, am->key, am->now, &text, &text);
		free(text);
	}
	for (no = 1; rc == 0 && no <= r->live.n; no++)
		show_targets(r, no, false);
	return rc;
}
