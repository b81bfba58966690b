/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What runs prepare on this agent, seen from the daemon: which attempts wait
 * for it, who prepares, when it is torn down. The work itself is done in
 * workers (setup.h); trees come through trees.h.
 */
#ifndef AGENT_PREPARE_H
#define AGENT_PREPARE_H

#include "agent/daemon.h"

struct prep;

/* True for an attempt of the agent's own. */
bool prep_is_own(const struct ident *id);

/* Reads what an earlier daemon left. Before the attempts are loaded. */
void preps_load(struct daemon *d);
void preps_free(struct daemon *d);

/* Notes that a needs what its work says, and has it wait in no line as long
 * as that is not ready. Nothing when the work needs nothing. 0 or a code: then
 * it cannot be recorded, and the work is not taken. Before queue_enter(). */
int prep_join(struct daemon *d, struct attempt *a, const struct work *work);
/* The run sends nothing more. 0 or a code: it could not be recorded. */
int preps_over(struct daemon *d, const char *run);
/* Its worker says that it is ready, or may have. */
void prep_changed(struct daemon *d, struct attempt *a);
/* A result came: of one that prepares, of a teardown. */
void prep_result(struct daemon *d, struct attempt *a);
/* The tree of that hash will not come: why, in words. */
void preps_refuse(struct daemon *d, const char *hash, const char *why);
/* True when something here needs that tree. */
bool preps_need(const struct daemon *d, const char *hash);

/* Lets go on what may, and tears down what is over. Before attempts are
 * dispatched. */
void preps_turn(struct daemon *d);
/* Looks for what nobody drives any more; every few seconds. */
void preps_tick(struct daemon *d);
/* Why a waits, or NULL; the caller frees. */
char *prep_text(const struct attempt *a);

#endif
