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
/* True when the form would change something behind o. */
bool targets_any(struct tui *t, enum form form, const struct object *o);
/* What the form would do there, in a few words, appended. */
void targets_effect(struct tui *t, enum form form, const struct object *o,
    struct buf *out);

#endif
