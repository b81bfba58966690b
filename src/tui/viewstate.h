/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The last view (pane, orders, columns, key line), kept beside the state and
 * apart from the configuration. Faults are ignored: it is a convenience. */
#ifndef YARDMASTER_TUI_VIEWSTATE_H
#define YARDMASTER_TUI_VIEWSTATE_H

#include "tui/console.h"

void viewstate_load(struct tui *t);
/* Replaces the file atomically. */
void viewstate_save(struct tui *t);

#endif
