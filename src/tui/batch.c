/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Changes of many targets: preview, apply in parallel, gather the answers.
 * A batch outlives its dialog and even the screen while answers are due.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "tui/console.h"
#include "tui/opform.h"
#include "tui/table.h"
#include "tui/targets.h"

static const char hint_max[] = "6, +2, -25% or =advised";
static const char hint_threshold[] = "4, -2 keeps two free, +2, -25%, =max";
static const char hint_size[] = "512M, 2G, off or default";
static const char hint_note[] = "why, for the others";
static const char hint_kind[] = "recording, development or hold";
static const char hint_for[] = "2h, 30m; empty: until it is ended";

static const struct form_info forms[FORMS] = {
	[FORM_MAX_WORKERS] = { "Max workers", "max workers set", OP_SET,
	    { "max workers" }, { hint_max }, true, false },
	[FORM_THRESHOLD] = { "Threshold", "threshold set", OP_SET,
	    { "threshold" }, { hint_threshold }, true, false },
	[FORM_SETTINGS] = { "Settings", "settings changed", OP_SET,
	    { "max workers", "threshold" }, { hint_max, hint_threshold },
	    true, false },
	[FORM_GUARDS] = { "Guards", "guards set", OP_SET,
	    { "load per CPU", "free memory", "free disk", "health" },
	    { "1.5, off or default", hint_size, hint_size,
	    "a command that must exit 0, off or default" }, true, false },
	[FORM_DRAIN] = { "Drain", "draining", OP_DRAIN,
	    { "note", "for" }, { hint_note, hint_for }, true, false },
	[FORM_UNDRAIN] = { "End the drain", "drain ended", OP_UNDRAIN,
	    { NULL }, { NULL }, true, false },
	[FORM_HOLD] = { "Hold", "held", OP_HOLD,
	    { "note", "for" }, { hint_note, hint_for }, false, false },
	[FORM_RELEASE] = { "Release", "released", OP_RELEASE,
	    { NULL }, { NULL }, false, false },
	[FORM_CANCEL] = { "Cancel", "cancelled", OP_CANCEL,
	    { NULL }, { NULL }, false, true },
	[FORM_REQUEUE] = { "Requeue", "requeued", OP_REQUEUE,
	    { NULL }, { NULL }, false, true },
	[FORM_MOVE] = { "Move", "moved", OP_MOVE,
	    { "agent" }, { "name of the agent" }, false, false },
	[FORM_PRIORITY] = { "Priority", "priority set", OP_PRIORITY,
	    { "priority" }, { "a number; higher goes first" }, false, false },
	[FORM_RECONNECT] = { "Reconnect", "being tried", OP_RECONNECT,
	    { NULL }, { NULL }, true, false },
	[FORM_SKIP] = { "Skip", "skipped", OP_SKIP,
	    { NULL }, { NULL }, false, true },
	[FORM_RUN_ANYWAY] = { "Run anyway", "to be run anyway", OP_RUN_ANYWAY,
	    { NULL }, { NULL }, false, false },
	[FORM_START_NOW] = { "Start now", "to be started now", OP_START_NOW,
	    { NULL }, { NULL }, false, false },
	[FORM_OVERRIDE] = { "Override", "let past what is reserved",
	    OP_OVERRIDE, { NULL }, { NULL }, false, false },
	[FORM_AMEND] = { "Amend the run", "amended", OP_AMEND,
	    { NULL }, { NULL }, false, false },
	[FORM_PAUSE] = { "Pause dispatch", "dispatch paused", OP_PAUSE,
	    { "note" }, { hint_note }, false, false },
	[FORM_GO_ON] = { "Go on", "dispatch goes on", OP_GO_ON,
	    { NULL }, { NULL }, false, false },
	[FORM_UNDO] = { "Undo", "undone", OP_UNDO,
	    { NULL }, { NULL }, false, false },
	[FORM_CLEAR] = { "Clear", "cleared", OP_CLEAR,
	    { NULL }, { NULL }, true, false },
	[FORM_PROBE] = { "Probe", "being probed", OP_PROBE,
	    { NULL }, { NULL }, true, false },
	[FORM_DEAD] = { "Declare dead", "declared dead", OP_DECLARE_DEAD,
	    { NULL }, { NULL }, true, true },
	[FORM_LOST] = { "Declare lost", "declared lost", OP_DECLARE_LOST,
	    { NULL }, { NULL }, false, true },
	[FORM_TAKE] = { "Take a worker", "taken", OP_TAKE,
	    { "note", "for", "kind" }, { hint_note, hint_for, hint_kind },
	    true, false },
	[FORM_GIVE_BACK] = { "Give back", "given back", OP_GIVE_BACK,
	    { NULL }, { NULL }, true, true },
	[FORM_AMEND_AGENT] = { "Edit in the fleet", "edited", OP_SET,
	    { NULL }, { NULL }, true, false },
	[FORM_ADD_AGENT] = { "Add an agent", "added", OP_ADD,
	    { "name", "values" }, { "of the agent, or its host",
	    "host=NAME labels=A,B port=22" }, false, false },
	[FORM_CANCEL_HOLDER] = { "Cancel the holder", "cancelled", OP_CANCEL,
	    { NULL }, { NULL }, false, true },
	[FORM_ADOPT] = { "Take over", "taken over", OP_KINDS,
	    { NULL }, { NULL }, false, false },
};

const struct form_info *
form_info(enum form f)
{
	return &forms[f];
}

void
target_clear(struct target *tg)
{
	free(tg->effect);
	free(tg->warning);
	free(tg->text);
	tg->effect = tg->warning = tg->text = NULL;
	tg->state = TARGET_ASKED;
}

void
target_done(struct target *tg)
{
	target_clear(tg);
	free(tg->name);
	free(tg->key);
	free(tg->value);
}

void
batch_free(struct batch *b)
{
	struct batch **p;
	size_t i;

	for (p = b->t != NULL ? &b->t->batches : NULL; p != NULL && *p != NULL;
	    p = &(*p)->next) {
		if (*p == b) {
			*p = b->next;
			break;
		}
	}
	for (i = 0; i < b->n; i++)
		target_done(&b->targets[i]);
	free(b->targets);
	free(b->note);
	free(b);
}

struct batch *
batch_empty(struct tui *t, enum form form)
{
	struct batch *b = mem_zalloc(sizeof(*b));

	b->t = t;
	b->form = form;
	b->next = t->batches;
	t->batches = b;
	return b;
}

struct batch *
batch_new(struct tui *t, enum form form)
{
	struct batch *b = batch_empty(t, form);
	struct table *tb = tui_table(t);
	struct rowid *ids = NULL;
	size_t i, n = tb != NULL ? table_targets(tb, &ids) : 0;
	struct object o;

	for (i = 0; i < n; i++)
		if (object_find(t, ids[i], &o))
			targets_add(b, &o);
	free(ids);
	if (b->n == 0) {
		batch_free(b);
		return NULL;
	}
	return b;
}

/* One answer that is due. */
struct answer {
	struct batch *batch;
	size_t target;
};

/* Failures stay marked, the others do not. */
static void
leave_marks(struct batch *b)
{
	struct table *tb = tui_table(b->t);
	size_t i;
	int no;

	if (tb == NULL)
		return;
	table_unmark_all(tb);
	for (i = 0; i < b->n && forms[b->form].on_agents; i++) {
		no = engine_agent_find(b->t->engine, b->targets[i].op.agent);
		if (b->targets[i].state == TARGET_FAILED && no >= 0)
			table_mark(tb, rowid_agent((size_t)no), true);
	}
}

/* The last answer came: say how it went. */
static void
finish(struct batch *b)
{
	struct tui *t = b->t;
	size_t i, ok = 0;

	for (i = 0; i < b->n; i++)
		ok += b->targets[i].state == TARGET_OK;
	leave_marks(b);
	if (ok > 0 && !b->is_undo)
		undo_push(t->undo, b);
	if (b->failed > 0)
		tui_status(t, ROLE_STATUS_BAD, "%s: %zu done, %zu failed",
		    forms[b->form].title, ok, b->failed);
	else if (ok == 1)
		tui_status(t, ROLE_STATUS_GOOD, "%s: %s", b->targets[0].name,
		    b->is_undo ? "undone" : forms[b->form].done);
	else
		tui_status(t, ROLE_STATUS_GOOD, "%zu targets: %s", ok,
		    b->is_undo ? "undone" : forms[b->form].done);
}

/* Nothing is open any more: a dialog that has nothing to show closes, a batch
 * that nobody has to look at goes. */
static void
settle(struct batch *b)
{
	if (b->t != NULL)
		finish(b);
	if (b->t != NULL && b->failed > 0)
		return;
	if (b->view != NULL)
		tui_close(b->t, b->view);
	else
		batch_free(b);
}

static void
answered(void *arg, int code, const char *text)
{
	struct answer *a = arg;
	struct batch *b = a->batch;
	struct target *tg = &b->targets[a->target];
	const char *number;

	free(a);
	tg->state = code < 0 ? TARGET_FAILED : TARGET_OK;
	b->failed += code < 0;
	if (code == 0 && text != NULL &&
	    (number = strstr(text, "(amendment ")) != NULL)
		tg->amendment = strtoull(number + 11, NULL, 10);
	if (code < 0)
		tg->text = str_dup(text != NULL && *text != '\0' ? text
		    : err_text(code));
	if (--b->open == 0)
		settle(b);
}

static void
adopt(struct batch *b, size_t i)
{
	struct answer *a = mem_zalloc(sizeof(*a));
	struct diags ds = DIAGS_INIT;
	int r;

	a->batch = b;
	a->target = i;
	r = engine_adopt(b->t->engine, b->targets[i].op.id.run, &ds);
	answered(a, r, ds.n > 0 ? ds.v[0].text : NULL);
	diags_done(&ds);
}

static void
send_target(struct batch *b, size_t i)
{
	struct answer *a;

	if (b->form == FORM_ADOPT) {
		adopt(b, i);
		return;
	}
	a = mem_zalloc(sizeof(*a));
	a->batch = b;
	a->target = i;
	engine_op(b->t->engine, &b->targets[i].op, answered, a);
}

void
batch_apply(struct batch *b)
{
	size_t i;

	b->applied = true;
	b->open = 1;		/* ours, so that it lives until all are sent */
	for (i = 0; i < b->n; i++) {
		if (b->targets[i].state != TARGET_ASKED)
			continue;
		b->targets[i].state = TARGET_SENT;
		b->open++;
		send_target(b, i);
	}
	if (--b->open == 0)
		settle(b);
}

void
batch_hide(struct batch *b)
{
	b->view = NULL;
	if (b->open == 0)
		batch_free(b);
}

void
batches_done(struct tui *t)
{
	struct batch *b;

	while ((b = t->batches) != NULL) {
		t->batches = b->next;
		b->t = NULL;
		b->view = NULL;
		if (b->open == 0)
			batch_free(b);
	}
}

uint32_t
batch_failures(const struct tui *t)
{
	const struct batch *b;
	uint32_t n = 0;

	for (b = t->batches; b != NULL; b = b->next)
		if (b->view == NULL && b->open == 0)
			n += (uint32_t)b->failed;
	return n;
}

void
batch_reopen(struct tui *t)
{
	struct batch *b;

	for (b = t->batches; b != NULL; b = b->next) {
		if (b->view != NULL || b->failed == 0)
			continue;
		form_open(t, b, NULL);
		return;
	}
}
