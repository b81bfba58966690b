/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The screen: panes over the live model, actions on it. It runs on the loop
 * it is given and reads the engine; it never blocks and owns neither.
 */
#ifndef YARDMASTER_TUI_TUI_H
#define YARDMASTER_TUI_TUI_H

#include <stdbool.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/diag.h"
#include "yardmaster/base/strvec.h"
#include "yardmaster/engine/engine.h"
#include "yardmaster/sys/loop.h"

enum tui_color { TUI_COLOR_AUTO, TUI_COLOR_ALWAYS, TUI_COLOR_NEVER };

/* All strings are borrowed until tui_run() returns; NULL is "not given". */
struct tui_opts {
	const char *theme;	/* name or path; NULL: "default" */
	const char *keymap;	/* name or path; NULL: "default" */
	enum tui_color color;	/* auto obeys NO_COLOR */
	const char *state_dir;	/* where the last view is kept; NULL: not */
	const char *config_dir;	/* its themes/ and keymaps/ come first */
	const char *log_dir;	/* where outputs are saved; NULL: "." */
	const struct strvec *plans;	/* plan files of the Plans pane */
	const char *program;	/* that has "plan discover"; NULL: this one */
	const char *launch;	/* plan file whose launch is asked at once */
	bool protected_fleet;	/* destroying asks for a number to be typed */
};

/*
 * Opens the terminal of standard input and output, runs the loop until the
 * operator quits or the terminal goes away, and restores the terminal. 0; or
 * ERR_UNSUPPORTED when there is no terminal, -errno. ds gets what was wrong
 * with theme and key map (the screen then runs with the built-in ones). It
 * calls engine_on_change() and takes it back before it returns. A loop_stop()
 * by others ends it too.
 */
int tui_run(struct loop *loop, struct engine *engine,
    const struct tui_opts *opts, struct diags *ds);

/*
 * Validates a theme (*.theme) or key map (*.keymap) as the screen would load
 * it, parents included. 0 or ERR_INVALID with diagnostics, -errno,
 * ERR_UNSUPPORTED for another kind of file.
 */
int tui_check_file(const char *path, struct diags *ds);

/* Appends the help of every action with its keys in the default key map, as
 * plain text of 80 columns. */
void tui_help_text(struct buf *out);

/* Appends a key map (name or path; NULL: default) as a file that would load
 * again: every action of every context with its help as a comment. 0 or a
 * code with diagnostics. */
int tui_keymap_dump(const char *keymap, struct buf *out, struct diags *ds);

#endif
