/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the manner of a step asks for, as this host understands it. */
#ifndef AGENT_BOUNDS_H
#define AGENT_BOUNDS_H

#include "yardmaster/model/manner.h"
#include "yardmaster/model/work.h"
#include "yardmaster/sys/proc.h"

/* Fills v; returns how many limits there are. */
unsigned bounds_limits(const struct manner *m, struct proc_limit v[LIMITS]);

/* Makes the own home of an attempt in the spool (the current folder), and its
 * "tmp"; again is fine. 0 with *ret relative to the spool (heap), or -errno. */
int bounds_make_home(const struct ident *id, char **ret);

/* Whether the folders of an attempt stay after that outcome: as the step says
 * that wants most. */
bool bounds_keep(const struct work *w, enum outcome outcome);

#endif
