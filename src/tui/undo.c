/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Undo of edits: what was applied is remembered with the value it replaced,
 * and taken back by an edit that expects our value still to be there.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/mem.h"
#include "tui/console.h"
#include "tui/opform.h"

#define UNDO_MAX 20

struct undo_entry {
	enum form form;		/* that takes it back */
	struct target *targets;
	size_t n;
};

struct undo_list {
	struct undo_entry v[UNDO_MAX];
	size_t n;
};

/* FORMS where there is no way back. */
static const enum form inverse[FORMS] = {
	[FORM_MAX_WORKERS] = FORM_MAX_WORKERS,
	[FORM_THRESHOLD] = FORM_THRESHOLD, [FORM_SETTINGS] = FORM_SETTINGS,
	[FORM_GUARDS] = FORM_GUARDS,
	[FORM_DRAIN] = FORM_UNDRAIN, [FORM_UNDRAIN] = FORM_DRAIN,
	[FORM_HOLD] = FORM_RELEASE, [FORM_RELEASE] = FORM_HOLD,
	[FORM_CANCEL] = FORMS, [FORM_REQUEUE] = FORMS, [FORM_MOVE] = FORM_UNDO,
	[FORM_SKIP] = FORM_UNDO, [FORM_AMEND] = FORM_UNDO,
	[FORM_RUN_ANYWAY] = FORMS, [FORM_START_NOW] = FORMS,
	[FORM_OVERRIDE] = FORMS,
	[FORM_PAUSE] = FORM_GO_ON, [FORM_GO_ON] = FORM_PAUSE,
	[FORM_UNDO] = FORMS,
	[FORM_PRIORITY] = FORM_UNDO, [FORM_RECONNECT] = FORMS,
	[FORM_CLEAR] = FORMS, [FORM_PROBE] = FORMS, [FORM_DEAD] = FORMS,
	[FORM_LOST] = FORMS,
	[FORM_ADOPT] = FORMS,
	[FORM_AMEND_AGENT] = FORMS, [FORM_ADD_AGENT] = FORMS,
	[FORM_CANCEL_HOLDER] = FORMS,
};

struct undo_list *
undo_new(void)
{
	return mem_zalloc(sizeof(struct undo_list));
}

static void
entry_done(struct undo_entry *e)
{
	size_t i;

	for (i = 0; i < e->n; i++)
		target_done(&e->targets[i]);
	free(e->targets);
	memset(e, 0, sizeof(*e));
}

void
undo_free(struct undo_list *l)
{
	size_t i;

	for (i = 0; l != NULL && i < l->n; i++)
		entry_done(&l->v[i]);
	free(l);
}

/* What takes a target back, without its texts. */
static void
reverse(struct target *to, const struct target *from, enum form form)
{
	memset(to, 0, sizeof(*to));
	to->op = from->op;
	to->op.kind = form_info(form)->kind;
	to->op.note = to->op.key = to->op.value = NULL;
	to->op.number = form == FORM_UNDO ? from->amendment : 0;
	to->op.expires_wall_us = 0;
	to->op.max_workers = from->old_max;
	to->op.expect_max = from->new_max;
	to->op.threshold = from->old_threshold;
	to->op.expect_threshold = from->new_threshold;
	to->op.guards = from->old_guards;
	to->op.expect_guards = from->new_guards;
	to->old_guards = from->new_guards;
	to->new_guards = from->old_guards;
	to->old_max = from->new_max;
	to->new_max = from->old_max;
	to->old_threshold = from->new_threshold;
	to->new_threshold = from->old_threshold;
	to->name = str_dup(from->name);
}

void
undo_push(struct undo_list *l, const struct batch *b)
{
	struct undo_entry *e;
	size_t i;

	if (inverse[b->form] == FORMS)
		return;
	if (l->n == UNDO_MAX) {
		entry_done(&l->v[0]);
		memmove(&l->v[0], &l->v[1], sizeof(l->v[0]) * (UNDO_MAX - 1));
		l->n--;
	}
	e = &l->v[l->n++];
	e->form = inverse[b->form];
	e->n = 0;
	e->targets = mem_calloc(b->n, sizeof(*e->targets));
	for (i = 0; i < b->n; i++)
		if (b->targets[i].state == TARGET_OK)
			reverse(&e->targets[e->n++], &b->targets[i], e->form);
}

struct batch *
undo_pop(struct tui *t)
{
	struct undo_entry *e;
	struct batch *b;

	if (t->undo->n == 0)
		return NULL;
	e = &t->undo->v[--t->undo->n];
	b = batch_empty(t, e->form);
	b->targets = e->targets;
	b->n = b->cap = e->n;
	b->is_undo = true;
	memset(e, 0, sizeof(*e));
	return b;
}

void
act_undo(struct tui *t, int n, const char *arg)
{
	struct batch *b = undo_pop(t);

	if (b != NULL)
		form_open(t, b, NULL);
	else
		tui_status(t, ROLE_STATUS, "nothing to undo");
}
