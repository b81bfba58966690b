/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands after ":": any action by name, an unambiguous beginning of it, or
 * a short form, with an argument. */
#ifndef YARDMASTER_TUI_COMMAND_H
#define YARDMASTER_TUI_COMMAND_H

#include <stddef.h>

#include "tui/console.h"
#include "tui/lineedit.h"

/* Runs text; the status says when it is no command. */
void command_run(struct tui *t, const char *text);
/* The action that the first word of text means: its index, -1 for none, -2
 * for several. */
int command_find(const char *text);
/* What the words typed so far may become, or the help of the command. */
void command_hint(const char *text, char *out, size_t size);
/* Completes the first word as far as it is certain. */
void command_complete(struct lineedit *line, char *hint, size_t size);

#endif
