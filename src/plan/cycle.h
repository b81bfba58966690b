/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looking for cycles in needs. */
#ifndef PLAN_CYCLE_H
#define PLAN_CYCLE_H

#include "yardmaster/base/diag.h"
#include "yardmaster/plan/plan.h"

/* Adds an error for each cycle found, with the names on its way. Needs must
 * be resolved. */
void plan_check_cycles(const struct plan *p, struct diags *ds);

#endif
