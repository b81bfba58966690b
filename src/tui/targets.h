/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From rows to what an action changes: a row of Attention or a cause stands
 * for the agents or executions behind it.
 */
#ifndef YARDMASTER_TUI_TARGETS_H
#define YARDMASTER_TUI_TARGETS_H

#include <stdbool.h>

#include "tui/action.h"
#include "tui/object.h"
#include "tui/opform.h"

/* What an object of Attention is about; others stay as they are. */
void object_resolve(const struct tui *t, struct object *o);
/* The ON_ bits of o and of what it is about. */
uint32_t object_offers(struct tui *t, const struct object *o);
/* Adds to b what its form changes when used on o; nothing when it does not
 * apply. */
void targets_add(struct batch *b, const struct object *o);
/* One more target of that name; its op is the caller's to fill. The same of an
 * agent, unless b has it. */
struct target *target_add(struct batch *b, const char *name);
void target_add_agent(struct batch *b, const struct agent *a);
/* Adds what "why" offers for x as a cure that the form of b is, once: of agents
 * all that it names, else the first. */
void offers_add(struct batch *b, const struct execution *x);
/* True when the form would change something behind o. */
bool targets_any(struct tui *t, enum form form, const struct object *o);
/* The CURE_ bits that a form, an action is, of the reasons of what waits. */
uint32_t form_cures_of(enum form form);
uint32_t action_cures(const struct action *a);
/* The first op that is offered as one of these cures of what o stands for;
 * false when there is none. Its strings are not kept. */
bool cure_find(struct tui *t, const struct object *o, uint32_t cures,
    struct op *ret);
/* What the form would do there, in a few words, appended. */
void targets_effect(struct tui *t, enum form form, const struct object *o,
    struct buf *out);

#endif
