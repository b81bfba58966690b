/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A dialog that says what will happen and does it on the confirming key. */
#ifndef YARDMASTER_TUI_CONFIRM_H
#define YARDMASTER_TUI_CONFIRM_H

#include "tui/console.h"
#include "tui/lines.h"

struct confirm_ops {
	/* Runs on the confirming key, after the dialog closed. */
	void (*yes)(struct tui *t, void *arg);
	/* Frees arg; runs once, whatever was chosen. May be NULL. */
	void (*done)(void *arg);
};

/* Shows lines (which it takes over). label says what the key does. */
void confirm_open(struct tui *t, const char *title, const char *label,
    struct lines *lines, const struct confirm_ops *ops, void *arg);

#endif
