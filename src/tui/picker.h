/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A dialog with a list of which one is chosen, by letter or by cursor. */
#ifndef YARDMASTER_TUI_PICKER_H
#define YARDMASTER_TUI_PICKER_H

#include <stdbool.h>

struct tui;
struct picker;

/* chosen runs when an entry is chosen, after the dialog closed; value is that
 * of picker_add(). stay keeps the dialog open. */
struct picker *picker_new(struct tui *t, const char *title, bool stay,
    void (*chosen)(struct tui *t, int value));
/* Adds an entry; letter 0: none of its own. off greys it and refuses. Texts
 * are copied; effect may be NULL. */
void picker_add(struct picker *p, int value, char letter, const char *text,
    const char *effect, bool off);
/* The text of an entry that stays may change. */
void picker_set(struct picker *p, int value, const char *text);
/* Shows it; with no entry, frees it and returns false. */
bool picker_show(struct picker *p);

#endif
