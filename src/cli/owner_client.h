/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Asking the owner of a run, over its socket in the state folder. */
#ifndef YARDMASTER_CLI_OWNER_CLIENT_H
#define YARDMASTER_CLI_OWNER_CLIENT_H

#include <stdbool.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/engine/engine.h"

#include "cli/cli_private.h"

/* True when the state folder has a run of that id. */
bool owner_exists(const char *run);

/*
 * Sends one request (a JSON object without tag) to the owner of a run and
 * waits at most 10 s for the reply, which is parsed into *ret (free with
 * jval_free()). 0; ERR_NOT_FOUND (no such run); ERR_CLOSED (no process drives
 * it); another code.
 */
int owner_ask(const char *run, const struct buf *request, struct jval **ret);

/* Sends an op to the owner of op->id.run, prints what came of it and gives
 * the exit code. */
int owner_op(const struct cli *c, const struct op *op);

#endif
