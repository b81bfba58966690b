/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a plan file to a run: finding its tests, and the preview. */
#ifndef YARDMASTER_TUI_LAUNCH_H
#define YARDMASTER_TUI_LAUNCH_H

#include "tui/console.h"

/* Shows what the launch of a plan (discovered, expanded as it says; owned
 * from now on) would do, with choices; starts it on the confirming key. */
void launch_open(struct tui *t, struct plan *plan);
/* Has a process of its own find the tests of a plan file, then opens its
 * preview; until then a dialog says so, and in it what went wrong. */
void discovering_open(struct tui *t, const char *path);

#endif
