/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Everything an operator can do, as one table: key maps, help, key line,
 * menus, ":" completion and the manual derive from it.
 */
#ifndef YARDMASTER_TUI_ACTION_H
#define YARDMASTER_TUI_ACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tui;

/* Where an action may be used; each action has one of them. */
enum context {
	CTX_GLOBAL,		/* everywhere */
	CTX_MOVE,		/* in everything that scrolls */
	CTX_TABLE, CTX_LOG,
	CTX_DIALOG,		/* while something is asked */
	CONTEXTS
};

/* The contexts a view listens in, as bits 1 << context. */
#define LISTEN_TABLE (1u << CTX_TABLE | 1u << CTX_MOVE | 1u << CTX_GLOBAL)
#define LISTEN_LOG (1u << CTX_LOG | 1u << CTX_MOVE | 1u << CTX_GLOBAL)
#define LISTEN_PAGER (1u << CTX_MOVE | 1u << CTX_GLOBAL)
#define LISTEN_DIALOG (1u << CTX_DIALOG | 1u << CTX_MOVE)

/* Change and destroy are refused and greyed while read-only. */
enum action_class { ACTION_VIEW, ACTION_CHANGE, ACTION_DESTROY };

/* What an entry of the action menu applies to. */
#define ON_AGENT (1u << 0)	/* an agent, or a worker's agent */
#define ON_EXEC (1u << 1)	/* an execution */
#define ON_RUN (1u << 2)
#define ON_CAUSE (1u << 3)	/* a group of waiting executions */
#define ON_WAITING (ON_CAUSE | ON_EXEC)	/* where a cure may apply */
#define ON_ATTENTION (1u << 4)
#define ON_PLAN (1u << 5)
#define ON_WORKER (1u << 7)	/* a worker that runs an attempt */
#define ON_ASKING (1u << 6)	/* an agent whose link asks something */

/* The ids that code refers to; all others are only in the table. */
enum action_id {
	ACT_NONE,
	ACT_UP, ACT_DOWN, ACT_PAGE_UP, ACT_PAGE_DOWN, ACT_HALF_UP,
	ACT_HALF_DOWN, ACT_FIRST, ACT_LAST, ACT_LEFT, ACT_RIGHT,
	ACT_OPEN, ACT_BACK, ACT_CONFIRM, ACT_NEXT_FIELD, ACT_PREVIOUS_FIELD,
	ACT_FILTER, ACT_SEARCH, ACT_SEARCH_NEXT, ACT_SEARCH_PREVIOUS,
	ACT_FOLLOW, ACT_WRAP, ACT_STAMPS, ACT_NEXT_FAILURE, ACT_SAVE,
	ACT_NEXT_PANE, ACT_PREVIOUS_PANE,
	ACT_OTHER
};

struct action {
	const char *name;	/* in key maps and after ":" */
	const char *help;	/* one line */
	const char *label;	/* in the key line; NULL: not there */
	enum context context;
	enum action_class class;
	enum action_id id;
	/* What it does; n is .n, arg what followed it after ":" or NULL. */
	void (*fn)(struct tui *t, int n, const char *arg);
	int n;
	char letter;		/* in the action menu, or 0 */
	uint32_t on;		/* ON_ bits of the menu */
	uint32_t cures;		/* CURE_ bits that it is; forms have their own */
	const char *argument;	/* what ":" takes after the name, or NULL */
};

extern const struct action actions[];
extern const size_t n_actions;

/* Index of an action by name, or -1. */
int action_find(const char *name);
/* The name nearest to a word, or NULL. */
const char *action_nearest(const char *word);
const char *context_name(enum context c);

/* ---- what the table points to -------------------------------------------- */
/* Hands the action's id to the top view. */
void act_view(struct tui *t, int n, const char *arg);
void act_pane(struct tui *t, int n, const char *arg);
void act_cycle_pane(struct tui *t, int n, const char *arg);
void act_quit(struct tui *t, int n, const char *arg);
void act_help(struct tui *t, int n, const char *arg);
void act_command(struct tui *t, int n, const char *arg);
void act_read_only(struct tui *t, int n, const char *arg);
void act_freeze(struct tui *t, int n, const char *arg);
void act_reload(struct tui *t, int n, const char *arg);
void act_redraw(struct tui *t, int n, const char *arg);
void act_suspend(struct tui *t, int n, const char *arg);
void act_theme(struct tui *t, int n, const char *arg);
void act_keymap(struct tui *t, int n, const char *arg);
void act_diagnostics(struct tui *t, int n, const char *arg);
void act_filter(struct tui *t, int n, const char *arg);
void act_search(struct tui *t, int n, const char *arg);
void act_sort(struct tui *t, int n, const char *arg);
void act_sort_reverse(struct tui *t, int n, const char *arg);
void act_columns(struct tui *t, int n, const char *arg);
void act_mark(struct tui *t, int n, const char *arg);
void act_menu(struct tui *t, int n, const char *arg);
void act_why(struct tui *t, int n, const char *arg);
void act_link_log(struct tui *t, int n, const char *arg);
void act_holder(struct tui *t, int n, const char *arg);
void act_log(struct tui *t, int n, const char *arg);
void act_copy(struct tui *t, int n, const char *arg);
/* n is the form (opform.h). */
void act_form(struct tui *t, int n, const char *arg);
void act_undo(struct tui *t, int n, const char *arg);
void act_acknowledge(struct tui *t, int n, const char *arg);
void act_answer(struct tui *t, int n, const char *arg);
void act_launch(struct tui *t, int n, const char *arg);
void act_timeline(struct tui *t, int n, const char *arg);
void act_exec(struct tui *t, int n, const char *arg);

#endif
