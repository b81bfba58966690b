/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Actions that work everywhere. */
#include "config.h"

#include <stdio.h>

#include "yardmaster/engine/engine.h"
#include "tui/attention.h"
#include "tui/cells.h"
#include "tui/confirm.h"
#include "tui/screen.h"
#include "tui/table.h"

void
act_pane(struct tui *t, int n, const char *arg)
{
	tui_go(t, n);
}

void
act_cycle_pane(struct tui *t, int n, const char *arg)
{
	enum action_id id = n > 0 ? ACT_NEXT_PANE : ACT_PREVIOUS_PANE;
	struct view *v = tui_top(t);

	if (v->ops->act != NULL && v->ops->act(v, id))
		return;
	tui_go(t, (t->pane + n + PANES) % PANES);
}

static void
leave(struct tui *t, void *arg)
{
	t->quit = true;
	loop_stop(t->loop);
}

/* What goes on without this console, so that nobody leaves unknowing. */
void
act_quit(struct tui *t, int n, const char *arg)
{
	static const struct confirm_ops ops = { .yes = leave };
	struct lines lines = { .n = 0 };
	const struct run *r;
	size_t i;

	for (i = 0; i < engine_run_count(t->engine); i++) {
		r = engine_run(t->engine, i);
		if (!r->ours || r->state == RUN_ENDED)
			continue;
		lines_add(&lines, ROLE_STRONG, "%s %s: %u running, %u waiting",
		    r->id, r->plan != NULL ? r->plan : "",
		    r->counts.n[EXEC_RUNNING], r->counts.n[EXEC_WAITING] +
		    r->counts.n[EXEC_ASSIGNED]);
	}
	if (lines.n == 0) {
		leave(t, NULL);
		return;
	}
	lines_add(&lines, ROLE_DIALOG, "%s", "");
	lines_add(&lines, ROLE_DIALOG,
	    "They go on on the agents, driven by a process of their own.");
	lines_add(&lines, ROLE_DIALOG,
	    "The console shows them again when it is opened.");
	confirm_open(t, "Leave the console?", "leave", &lines, &ops, NULL);
}

void
act_read_only(struct tui *t, int n, const char *arg)
{
	t->read_only = !t->read_only;
	tui_status(t, t->read_only ? ROLE_STATUS_WARN : ROLE_STATUS_GOOD,
	    t->read_only ? "read-only: changes are refused"
	    : engine_read_only(t->engine)
	    ? "still read-only: so is the fleet or the console"
	    : "changes are allowed");
}

void
act_freeze(struct tui *t, int n, const char *arg)
{
	t->frozen = !t->frozen;
	tui_status(t, t->frozen ? ROLE_STATUS_WARN : ROLE_STATUS,
	    t->frozen ? "frozen: what is shown gets older" : "going on");
	if (!t->frozen)
		console_update(t, true);
}

static bool
load_theme(struct tui *t, const char *name)
{
	return theme_load(&t->theme, &t->files, name, &t->diags) == 0;
}

static bool
load_keymap(struct tui *t, const char *name)
{
	return keymap_load(&t->keymap, &t->files, name, &t->diags) == 0;
}

static void
say_loaded(struct tui *t, const char *what, bool ok)
{
	attention_update(t);
	if (t->screen != NULL)
		screen_forget(t->screen);
	if (ok)
		tui_status(t, ROLE_STATUS_GOOD, "%s read", what);
	else
		tui_status(t, ROLE_STATUS_BAD, "%s kept as it was: %s; "
		    ":diagnostics shows all", what, t->diags.n > 0
		    ? t->diags.v[t->diags.n - 1].text : "cannot be read");
}

void
act_theme(struct tui *t, int n, const char *arg)
{
	diags_done(&t->diags);
	say_loaded(t, "theme", load_theme(t, arg != NULL ? arg
	    : t->opts->theme));
}

void
act_keymap(struct tui *t, int n, const char *arg)
{
	diags_done(&t->diags);
	say_loaded(t, "key map", load_keymap(t, arg != NULL ? arg
	    : t->opts->keymap));
}

void
act_reload(struct tui *t, int n, const char *arg)
{
	struct op op = { .kind = OP_RECONNECT };
	const struct agent *a;
	size_t i, tried = 0;
	bool ok;

	for (i = 0; i < engine_agent_count(t->engine); i++) {
		a = engine_agent(t->engine, i);
		if (a->link != LINK_DOWN)
			continue;
		snprintf(op.agent, sizeof(op.agent), "%s", a->name);
		engine_op(t->engine, &op, NULL, NULL);
		tried++;
	}
	diags_done(&t->diags);
	ok = load_theme(t, t->opts->theme);
	ok = load_keymap(t, t->opts->keymap) && ok;
	say_loaded(t, "theme and key map", ok);
	if (ok)
		tui_status(t, ROLE_STATUS, "%zu lost link%s tried again; "
		    "theme and key map read", tried, plural(tried));
	console_update(t, true);
}

void
act_redraw(struct tui *t, int n, const char *arg)
{
	if (t->screen != NULL)
		screen_forget(t->screen);
}

void
act_suspend(struct tui *t, int n, const char *arg)
{
	if (t->screen != NULL)
		screen_suspend(t->screen);
}
