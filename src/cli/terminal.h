/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the terminal of standard output can show. */
#ifndef YARDMASTER_CLI_TERMINAL_H
#define YARDMASTER_CLI_TERMINAL_H

#include "yardmaster/engine/simulate.h"

/* Room for a chart: the terminal's width and what its height leaves, or 80
 * cells and 40 lines where standard output is none. */
void terminal_look(struct chart_look *ret);

#endif
