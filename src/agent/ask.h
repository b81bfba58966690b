/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What steps ask of the daemon: barriers and values, which it carries to the
 * console that drives the run, and progress, which it keeps.
 */
#ifndef AGENT_ASK_H
#define AGENT_ASK_H

#include "agent/console.h"

/* Listens for helpers in the spool. 0 or a code. */
int asks_init(struct daemon *d);
void asks_free(struct daemon *d);
/* A link drives the run from now on (again): it is told what is asked. */
void asks_linked(struct link *l, const struct held_run *run);
/* No link drives it any more: clocks stand still. */
void asks_unlinked(struct daemon *d, const struct held_run *run);
/* TOLD: an answer. 0 or a code that ends the link. */
int asks_told(struct link *l, const struct jval *v);

#endif
