/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where themes and key maps are found, and the ones built in. */
#ifndef YARDMASTER_TUI_FILES_H
#define YARDMASTER_TUI_FILES_H

#include "yardmaster/base/diag.h"
#include "tui/ini.h"

struct tui_files {
	const char *config_dir;	/* its themes/ and keymaps/ come first; NULL */
};

/* Contents of themes/default.theme and keymaps/default.keymap. */
extern const char builtin_theme[];
extern const char builtin_keymap[];

/*
 * The path of a file kind/NAME.suffix ("themes", ".theme"): in the
 * configuration folder, else where paths_data() finds it. A name with '/' or
 * ending in suffix is a path already. NULL when there is none; the caller
 * frees.
 */
char *files_find(const struct tui_files *files, const char *kind,
    const char *name, const char *suffix);
/* Loads it, or the built-in text when name is "default" and there is none.
 * As ini_load(); ERR_NOT_FOUND with a diagnostic. */
int files_load(const struct tui_files *files, const char *kind,
    const char *name, const char *suffix, const char *builtin,
    struct ini *ret, struct diags *ds);

#endif
