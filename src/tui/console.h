/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The screen as a whole: a stack of views over one engine. The bottom view is
 * a pane; pages and dialogs lie above it. Keys go to the top view; nothing
 * ever waits inside a key.
 */
#ifndef YARDMASTER_TUI_CONSOLE_H
#define YARDMASTER_TUI_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/engine/engine.h"
#include "yardmaster/tui/tui.h"
#include "tui/action.h"
#include "tui/keymap.h"
#include "tui/object.h"
#include "tui/surface.h"
#include "tui/theme.h"

#define VIEWS_MAX 16
#define PANES 9
#define STATUS_TEXT 256

struct batch;
struct finder;
struct screen;
struct table;
struct view;

struct view_ops {
	unsigned listens;	/* LISTEN_ bits */
	bool overlay;		/* drawn over the view below, not instead */
	void (*draw)(struct view *v, struct surface *s, struct rect r);
	/* Appends the title line; NULL for overlays. */
	void (*title)(struct view *v, struct buf *out);
	/* Carries out an id; false when it means nothing here. */
	bool (*act)(struct view *v, enum action_id id);
	/* A key before the key map sees it; true when taken. May be NULL. */
	bool (*key)(struct view *v, uint32_t key);
	/* What is shown may have changed: build rows again. May be NULL. */
	void (*update)(struct view *v);
	/* The table that actions concern, or NULL. May be NULL. */
	struct table *(*table)(struct view *v);
	/* Filter and search of the view. May be NULL. */
	struct finder *(*finder)(struct view *v);
	void (*free)(struct view *v);
};

struct view {
	const struct view_ops *ops;
	struct tui *t;
};

struct undo_list;
struct attention_list;
struct plan_cache;

/* An output that was opened. */
struct log_target {
	struct ident id;
	char name[160];		/* for people */
	bool fail;		/* open it at the first failure */
};

struct tui {
	struct loop *loop;
	struct engine *engine;
	const struct tui_opts *opts;
	struct screen *screen;		/* NULL in tests */
	struct surface *surface;	/* what is to be shown */
	struct tui_files files;
	struct theme theme;
	struct keymap keymap;
	struct diags diags;		/* faults of files, shown on demand */

	struct view *views[VIEWS_MAX];	/* 0 is the pane */
	int n_views;
	struct view *panes[PANES];	/* each made once */
	int pane;

	struct keyseq pending;		/* keys of an unfinished sequence */
	char status[STATUS_TEXT];
	enum role status_role;
	bool read_only;			/* asked for here, beside the engine's */
	bool frozen;

	bool dirty;			/* something to draw */
	bool touched;			/* data came that a view draws itself */
	bool stale;			/* rows are older than the model */
	uint64_t generation;		/* of the model behind the rows */
	int64_t now_us;			/* of this turn */
	int64_t now_wall_us;
	int64_t key_us;		/* last key; order is held after */
	int64_t update_us;		/* last building of rows, */
	int64_t update_cost_us;		/* and its cost */
	int64_t draw_us;
	struct timer *tick, *later;

	struct attention_list *attention;
	struct undo_list *undo;
	struct batch *batches;		/* those not yet done with */
	struct log_target last_log;
	struct plan_cache *plans;
	uint64_t events_seen;		/* seq when Events was last left */
	bool quit;
};

/* ---- life (console.c) */
/* Sets up everything but a terminal. theme and key map faults go to t->diags;
 * the built-in ones serve then. */
void console_init(struct tui *t, struct loop *loop, struct engine *engine,
    const struct tui_opts *opts, int w, int h, bool utf8);
void console_done(struct tui *t);
/* Takes one key. */
void console_key(struct tui *t, uint32_t key);
/* Reads the clock and builds rows again when that is due. tick: a second went
 * by, so that what depends on time alone is looked at too. */
void console_update(struct tui *t, bool tick);
/* Draws everything into t->surface. */
void console_draw(struct tui *t);

/* ---- views (console.c) */
struct view *tui_top(const struct tui *t);
/* The topmost view that is no overlay. */
struct view *tui_page(const struct tui *t);
/* Puts v on top; the stack owns it. When the stack is full v is freed. */
void tui_push(struct tui *t, struct view *v);
/* Frees the top view; never the pane. */
void tui_pop(struct tui *t);
/* Frees v and all above it when it is on the stack and no pane. */
void tui_close(struct tui *t, struct view *v);
/* Goes to a pane, freeing what is above it. */
void tui_go(struct tui *t, int pane);
/* Table, finder of the topmost page, or NULL. */
struct table *tui_table(const struct tui *t);
struct finder *tui_finder(const struct tui *t);
/* The object under the cursor of the table of the page. */
bool tui_object(const struct tui *t, struct object *ret);
/* Runs an action as if its key had been pressed: refused in read-only. */
void tui_run_action(struct tui *t, int action, const char *arg);
/* True when changes are refused; why (for people) is said by the status. */
bool tui_is_read_only(const struct tui *t);

/* True while the order of rows must not change under the operator. */
bool tui_order_held(const struct tui *t);

/* ---- the status line (frame.c) */
void tui_status(struct tui *t, enum role role, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Draws header, title, status and key line; returns what is left. */
struct rect frame_draw(struct tui *t, struct surface *s);
/* One line of totals, for a terminal too small for anything else. */
void frame_draw_tiny(struct tui *t, struct surface *s);

/* What the Plans pane learnt of its files (launch.c); NULL is fine. */
void plan_cache_free(struct plan_cache *c);

/* ---- small helps */
/* Length since a monotonic time, coarse, "" for 0; out has DURATION_TEXT. */
char *tui_age(const struct tui *t, int64_t since_us, char *out);
/* "suite/test", for a message. Appended. */
void tui_exec_name(const struct execution *x, struct buf *out);
size_t tui_plan_count(const struct tui *t);
const char *tui_plan(const struct tui *t, size_t i);
/* "s" unless n is 1. */
const char *plural(uint64_t n);

#endif
