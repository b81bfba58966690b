/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Forms: whatever changes something is asked, previewed with its effect,
 * confirmed and applied with a state per target, in one kind of dialog. The
 * table of forms says what is asked and which op it becomes.
 */
#ifndef YARDMASTER_TUI_OPFORM_H
#define YARDMASTER_TUI_OPFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "yardmaster/engine/engine.h"
#include "tui/lines.h"

struct object;
struct tui;
struct view;

enum form {
	FORM_MAX_WORKERS, FORM_THRESHOLD, FORM_SETTINGS, FORM_GUARDS,
	FORM_DRAIN,
	FORM_UNDRAIN, FORM_HOLD, FORM_RELEASE, FORM_CANCEL, FORM_REQUEUE,
	FORM_MOVE, FORM_PRIORITY, FORM_RECONNECT, FORM_ADOPT,
	FORM_SKIP, FORM_RUN_ANYWAY, FORM_START_NOW, FORM_OVERRIDE,
	FORM_AMEND, FORM_PAUSE,
	FORM_GO_ON, FORM_UNDO,
	FORM_CLEAR, FORM_PROBE, FORM_DEAD, FORM_LOST,
	FORM_TAKE, FORM_GIVE_BACK,
	FORM_AMEND_AGENT, FORM_ADD_AGENT, FORM_CANCEL_HOLDER,
	FORMS
};

#define FORM_FIELDS 4

struct form_info {
	const char *title;	/* "Max workers" */
	const char *done;	/* "max workers set", said with a count */
	enum op_kind kind;
	const char *fields[FORM_FIELDS];	/* labels; NULL: no more */
	const char *hints[FORM_FIELDS];
	bool on_agents;		/* targets are agents, else runs, executions */
	bool destroys;
};
const struct form_info *form_info(enum form f);

enum target_state { TARGET_ASKED, TARGET_SKIPPED, TARGET_SENT, TARGET_OK,
	TARGET_FAILED };

/* One thing to be changed, as it was when the key was pressed. */
struct target {
	struct op op;
	char *name;		/* "lab-1", "r123.../4 suite/test" */
	char *effect;		/* "4 -> 6", with what follows from it */
	char *warning;		/* or NULL */
	enum target_state state;
	char *text;		/* why it failed or is skipped */
	char *key, *value;	/* those of op, where it amends */
	uint64_t amendment;	/* as what it was recorded; 0: not */
	uint32_t old_max, new_max;
	struct threshold old_threshold, new_threshold;
	struct guards old_guards, new_guards;
};

/* A change of many targets; lives until all are answered and it is closed. */
struct batch {
	struct tui *t;		/* NULL once the screen is gone */
	enum form form;
	struct target *targets;
	size_t n, cap;
	size_t open;		/* sent and not yet answered */
	size_t failed;
	bool applied, is_undo;
	struct view *view;	/* its dialog, while it is on the screen */
	char *note;		/* of drains and holds, for the ops */
	struct batch *next;	/* of tui.batches */
};

/* An empty batch, kept in t->batches. */
struct batch *batch_empty(struct tui *t, enum form form);
/* A batch of what the form changes on the rows that the table means (marked
 * ones, else the cursor's); NULL when there is nothing. */
struct batch *batch_new(struct tui *t, enum form form);
/* Frees it; nothing may be open. */
void batch_free(struct batch *b);
/* Frees all it holds. */
void target_done(struct target *tg);
/* Forgets effect, warning and state. */
void target_clear(struct target *tg);
/* Works out effect and warnings from the fields. False with *ret_error (a
 * heap text) when a field is wrong. */
bool batch_preview(struct batch *b, const char *const *fields,
    char **ret_error);
/* What the ops of all targets would come to; false when that is not known. */
bool batch_effect(struct batch *b, struct op_effect *ret);
/* Sends all that is not skipped. When all is answered without a failure the
 * dialog closes and b is freed, perhaps before this returns. */
void batch_apply(struct batch *b);
/* Its dialog is gone; frees it when nothing is open. */
void batch_hide(struct batch *b);
/* All of them, when the screen ends. */
void batches_done(struct tui *t);
/* Failures nobody has looked at; shows the first such batch. */
uint32_t batch_failures(const struct tui *t);
void batch_reopen(struct tui *t);
/* Shows the dialog of a batch: its fields (arg fills the first one), or its
 * preview when there are none; the results of one that was applied. */
void form_open(struct tui *t, struct batch *b, const char *arg);

struct undo_list;
struct undo_list *undo_new(void);
void undo_free(struct undo_list *l);
/* Remembers what was applied. */
void undo_push(struct undo_list *l, const struct batch *b);
/* The batch that takes back the last one, or NULL. */
struct batch *undo_pop(struct tui *t);

#endif
