/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The guards: what keeps an agent from taking more than its host bears. The
 * verdict is daemon.guard; load, memory and disk are looked at by the
 * daemon's tick, the health command runs beside it.
 */
#ifndef AGENT_GUARD_H
#define AGENT_GUARD_H

#include <stdbool.h>

struct daemon;
struct guardian;

/* Begins to look. The values are those of the daemon, as they are then. */
struct guardian *guardian_new(struct daemon *d);
/* Ends a health command that runs. NULL is fine. */
void guardian_free(struct guardian *g);
/* Looks at all but health anew; sets d->guard. */
void guard_check(struct daemon *d);
/* The same after an edit: a health command is run at once. */
void guard_changed(struct daemon *d);
/* Whether the spool has less room than its guard wants. */
bool guard_disk_low(const struct daemon *d);

#endif
