/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Barriers and values of what runs together. */
#ifndef ENGINE_SHARE_H
#define ENGINE_SHARE_H

#include "engine/engine_private.h"

/* An agent asks for a part that it has. What follows is told at the end of the
 * turn, once it is recorded. */
void share_asked(struct engine *e, struct erun *r, size_t agent,
    const struct fleet_ask *q);
/* Nobody waits for the answer any more. */
void share_unasked(struct erun *r, const char *ask);
/* Asks that can never be met, as a part is over, are told so. */
void shares_look(struct engine *e, struct erun *r);
/* What was given before this process took the run over. 0 or a code. */
int shares_restore(struct erun *r);
void shares_free(struct erun *r);

#endif
