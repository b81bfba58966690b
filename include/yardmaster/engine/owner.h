/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an owner answers on RUN.sock, and how a request is written. Queries
 * (what lists show, as JSON) are answered the same way inside the process.
 */
#ifndef YARDMASTER_ENGINE_OWNER_H
#define YARDMASTER_ENGINE_OWNER_H

#include "yardmaster/base/buf.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/engine/engine.h"

/* Appends the request of an op: {"op": NAME, ...}. */
void owner_op_write(struct buf *out, const struct op *op);

/*
 * Appends the answer to a query as one JSON object. Queries: "agents",
 * "workers", "queue", "runs", "events" {since}, "why" {id},
 * "link-log" {agent}. args may be NULL.
 * 0, ERR_NOT_FOUND (no such query, id, agent) or ERR_SYNTAX.
 */
int engine_query(struct engine *e, const char *query,
    const struct jval *args, struct buf *out);

#endif
