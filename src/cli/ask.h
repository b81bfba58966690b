/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Questions on the terminal of a command without a screen. */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include "yardmaster/engine/engine.h"

/* Where there is a terminal, secrets that are missing are asked for there. */
void ask_for_secrets(struct engine *e);

#endif
