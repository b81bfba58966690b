/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A value of an agent as a person types it. */
#ifndef PLAN_FLEET_VALUE_H
#define PLAN_FLEET_VALUE_H

#include "yardmaster/base/diag.h"
#include "yardmaster/base/jval.h"

/*
 * "KEY=VALUE", "KEY+=A,B" or "KEY-=A,B" for an agent (NULL: a new one): the
 * key, and the value it comes to as JSON (NULL: none), heap both. Whether that
 * may be is for the loader to say. 0, or ERR_INVALID with a diagnostic.
 */
int fleet_value(const char *typed, const struct jval *agent, struct diags *ds,
    char **ret_key, char **ret_json);

#endif
