/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether a value has the form its key asks for. */
#ifndef PLAN_FORMS_H
#define PLAN_FORMS_H

#include "plan/check.h"

/* True when v fits; else notes why at the place at hand (c NULL: says
 * nothing). */
bool form_check(struct check *c, const struct key *k, const struct jval *v);

#endif
