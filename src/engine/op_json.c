/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The names of ops and their JSON form on RUN.sock. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/engine/owner.h"

#include "engine/owner_private.h"

static const char *const names[OP_KINDS] = {
	[OP_SET] = "set", [OP_ADD] = "add",
	[OP_DRAIN] = "drain", [OP_UNDRAIN] = "undrain",
	[OP_HOLD] = "hold", [OP_RELEASE] = "release", [OP_CANCEL] = "cancel",
	[OP_REQUEUE] = "requeue", [OP_MOVE] = "move",
	[OP_PRIORITY] = "priority", [OP_RECONNECT] = "reconnect",
	[OP_GIVE_UP] = "give-up", [OP_SKIP] = "skip",
	[OP_UNSKIP] = "unskip",
	[OP_RUN_ANYWAY] = "run-anyway", [OP_START_NOW] = "start-now",
	[OP_OVERRIDE] = "override",
	[OP_PAUSE] = "pause", [OP_GO_ON] = "go-on", [OP_AMEND] = "amend",
	[OP_UNDO] = "undo",
	[OP_CLEAR] = "clear", [OP_PROBE] = "probe",
	[OP_DECLARE_DEAD] = "declare-dead",
	[OP_TAKE] = "take", [OP_GIVE_BACK] = "give-back",
	[OP_DECLARE_LOST] = "declare-lost",
};

const char *
op_name(enum op_kind k)
{
	return names[k];
}

int
op_parse(const char *name)
{
	int k;

	for (k = 0; k < OP_KINDS; k++)
		if (strcmp(names[k], name) == 0)
			return k;
	return -1;
}

static void
write_values(struct jw *w, const struct op *op)
{
	char text[16];

	if (op->set_max) {
		jw_kv_int(w, "max_workers", op->max_workers);
		jw_kv_int(w, "expect_max_workers", op->expect_max);
	}
	if (op->set_threshold) {
		jw_kv_str(w, "threshold",
		    threshold_format(&op->threshold, text));
		jw_kv_str(w, "expect_threshold",
		    threshold_format(&op->expect_threshold, text));
	}
	if (op->set_guards != 0) {
		jw_key(w, "guards");
		guards_write(w, &op->guards, op->set_guards);
		jw_key(w, "expect_guards");
		guards_write(w, &op->expect_guards, op->set_guards);
	}
}

void
owner_op_write(struct buf *out, const struct op *op)
{
	char id[IDENT_TEXT];
	struct jw w;

	jw_init(&w, out);
	jw_object(&w);
	jw_kv_int(&w, "tag", 1);
	jw_kv_str(&w, "op", op_name(op->kind));
	if (op->id.run[0] != '\0')
		jw_kv_str(&w, "id", ident_format(&op->id, id));
	if (op->agent[0] != '\0')
		jw_kv_str(&w, "agent", op->agent);
	jw_kv_str(&w, "who", op->who);
	jw_kv_str(&w, "note", op->note);
	jw_kv_int(&w, "expires_us", op->expires_wall_us);
	jw_kv_str(&w, "taking", worker_kind_name(op->taking));
	jw_kv_int(&w, "worker", op->worker);
	jw_kv_int(&w, "priority", op->priority);
	jw_kv_str(&w, "key", op->key);
	jw_kv_str(&w, "value", op->value);
	jw_kv_int(&w, "number", (int64_t)op->number);
	write_values(&w, op);
	jw_object_end(&w);
}

static int
read_values(const struct jval *v, struct op *op)
{
	const char *text;

	op->set_max = jval_get(v, "max_workers") != NULL;
	op->max_workers = (uint32_t)jval_get_int(v, "max_workers", 0);
	op->expect_max = (uint32_t)jval_get_int(v, "expect_max_workers", 0);
	if (guards_read(jval_get(v, "guards"), &op->guards,
	    &op->set_guards) < 0 || guards_read(jval_get(v, "expect_guards"),
	    &op->expect_guards, NULL) < 0)
		return ERR_SYNTAX;
	if ((text = jval_get_str(v, "threshold", NULL)) == NULL)
		return 0;
	op->set_threshold = true;
	if (threshold_parse(text, &op->threshold) < 0)
		return ERR_SYNTAX;
	return threshold_parse(jval_get_str(v, "expect_threshold", ""),
	    &op->expect_threshold);
}

int
owner_op_read(const struct jval *v, struct op *ret)
{
	const char *id = jval_get_str(v, "id", NULL);
	const char *agent = jval_get_str(v, "agent", "");
	struct op op;
	int kind;

	memset(&op, 0, sizeof op);
	kind = op_parse(jval_get_str(v, "op", ""));
	if (kind < 0 || (id != NULL && ident_parse(id, &op.id) < 0))
		return ERR_SYNTAX;
	if (*agent != '\0' && !ident_is_agent_name(agent))
		return ERR_SYNTAX;
	op.kind = (enum op_kind)kind;
	snprintf(op.agent, sizeof op.agent, "%s", agent);
	op.who = jval_get_str(v, "who", NULL);
	op.note = jval_get_str(v, "note", NULL);
	op.expires_wall_us = jval_get_int(v, "expires_us", 0);
	if ((kind = worker_kind_parse(jval_get_str(v, "taking",
	    "execution"))) < 0)
		return ERR_SYNTAX;
	op.taking = (enum worker_kind)kind;
	op.worker = (uint16_t)jval_get_int(v, "worker", 0);
	op.priority = (int32_t)jval_get_int(v, "priority", 0);
	op.key = jval_get_str(v, "key", NULL);
	op.value = jval_get_str(v, "value", NULL);
	op.number = (uint64_t)jval_get_int(v, "number", 0);
	if (read_values(v, &op) < 0)
		return ERR_SYNTAX;
	*ret = op;
	return 0;
}
