/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which keys do what. A key map is an INI file: [keymap] with name and
 * inherit, [keys] with "action = key, key key" or "none". A map that loads
 * has no key for two actions of one view and no key that begins another.
 */
#ifndef YARDMASTER_TUI_KEYMAP_H
#define YARDMASTER_TUI_KEYMAP_H

#include <stdbool.h>
#include <stddef.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/diag.h"
#include "tui/files.h"
#include "tui/key.h"

struct binding {
	struct keyseq seq;
	int action;		/* index into actions */
	unsigned line;		/* in file, for diagnostics */
	unsigned level;		/* 0 of the file itself, 1 of its parent, ... */
};

struct keymap {
	char name[64];
	struct binding *v;
	size_t n, cap;
};

/*
 * Loads a map by name or path (NULL: "default"; the built-in one when there
 * is no such file). 0 and *ret replaced; or a code with diagnostics and *ret
 * as it was. keymap_done() is due for a map that was loaded.
 */
int keymap_load(struct keymap *ret, const struct tui_files *files,
    const char *name, struct diags *ds);
void keymap_done(struct keymap *m);

enum { KEYMAP_NONE = -1, KEYMAP_PREFIX = -2 };
/* The action of a sequence in a view that listens to those contexts; or
 * KEYMAP_PREFIX when more keys may come, or KEYMAP_NONE. */
int keymap_resolve(const struct keymap *m, unsigned listens,
    const struct keyseq *seq);
/* The first key of an action, into out (KEYSEQ_TEXT bytes), "" without one. */
char *keymap_first(const struct keymap *m, int action, char *out);
/* All keys of an action, with ", " between, appended. */
void keymap_all(const struct keymap *m, int action, struct buf *out);

#endif
