/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The demo's files and its foreseen results. */
#ifndef YARDMASTER_CLI_DEMO_H
#define YARDMASTER_CLI_DEMO_H

#include "cli/session.h"

/* The folder of the shipped examples: $YARDMASTER_DATA/examples, beside the
 * source tree we were built in, or the installed one. NULL when there is
 * none; the caller frees. */
char *demo_examples(void);
/* The sample plan, or NULL; the caller frees. */
char *demo_plan_file(void);

/* Runs the sample plan without the screen; 0 when the foreseen results
 * came. */
int demo_headless(struct session *s, struct cli *c, const char *plan);

#endif
