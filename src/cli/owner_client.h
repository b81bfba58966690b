/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Asking the owner of a run, over its socket in the state folder. */
#ifndef YARDMASTER_CLI_OWNER_CLIENT_H
#define YARDMASTER_CLI_OWNER_CLIENT_H

#include <stdbool.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/strvec.h"
#include "yardmaster/engine/engine.h"

#include "cli/cli_private.h"

/* True when the state folder has a run of that id. */
bool owner_exists(const char *run);

/* Appends the ids of the runs that some live process drives, newest first.
 * 0 or a negative code. */
int owner_live_runs(struct strvec *ret);

/* The state folder; the caller frees. NULL, after a message, without one. */
char *owner_state_dir(const struct cli *c);

/* Says why an execution of a run without owner does not go on, and gives the
 * exit code. */
int owner_why_offline(const struct cli *c, const struct ident *id);

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
/* Has each owner of these runs do what concerns an agent; it is enough that
 * one of them could. Says so, and returns the exit code. */
int owners_op(const struct cli *c, const struct strvec *runs,
    const struct op *op);

#endif
