/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The demo without a screen. */
#ifndef YARDMASTER_CLI_DEMO_H
#define YARDMASTER_CLI_DEMO_H

#include "cli/session.h"

/* Runs the sample plan without the screen; 0 when the foreseen results
 * came. */
int demo_headless(struct session *s, struct cli *c, const char *plan);

#endif
