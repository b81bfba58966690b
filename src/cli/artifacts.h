/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Artifacts of a run beyond the state folder: copied to where somebody wants
 * them, and asked for again where they did not come. */
#ifndef YARDMASTER_CLI_ARTIFACTS_H
#define YARDMASTER_CLI_ARTIFACTS_H

#include "cli/session.h"

struct copying;

/* Copies the artifacts of the run to DIR of --artifacts, as
 * EXECUTION/ATTEMPT/NAME: those that are here, and, with a session, those
 * that come, a little each turn. NULL without the option. */
struct copying *copies_new(struct session *s, const struct cli *c,
    const char *run);
/* Copies the rest, frees. NULL is fine. 0, or EXIT_ERRORS after messages when
 * one could not be copied. */
int copies_free(struct copying *c);

/* The relative path from the folder of file ("-": this one) to dir (NULL: to
 * what the state folder has of the run); NULL when there is none. The caller
 * frees. */
char *artifacts_from(const struct cli *c, const char *run, const char *dir,
    const char *file);

/* The run has ended: asks agents for artifacts that did not come, as long as
 * something moves. Says what it does; what still misses is in the report. */
void fetch_missing(const struct cli *c, const char *run);

#endif
