/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files about cures share: the offers as they are gathered. */
#ifndef ENGINE_CURES_H
#define ENGINE_CURES_H

#include "engine/engine_private.h"

struct offering {
	struct engine *e;
	struct erun *r;
	const struct ident *id;
	const struct blocker *b;
	struct cure_offer *v;
	size_t n, cap;
};

/* One more, of the blocker b; its op and command are the caller's to fill. */
struct cure_offer *cure_offer(struct offering *o, enum cure cure,
    enum op_kind kind);
/* One for each of the first agents that the execution may use and that the
 * op may free for it. */
void cure_offer_agents(struct offering *o, enum cure cure,
    enum op_kind kind);
/* cure_fleet.c: labels and targets for the agent that lacks least, or one
 * more agent; nothing where the fleet has no file. */
void cure_amend_agent(struct offering *o);
void cure_add_agent(struct offering *o);
/* cure_busy.c: what is done to those who keep workers busy for too long. */
void cure_busy(struct offering *o, enum cure cure);

#endif
