/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What "why" offers as cures, as targets of forms: there is no other list of
 * what cures what waits. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/mem.h"
#include "tui/attention.h"
#include "tui/console.h"
#include "tui/targets.h"

static bool
same_op(const struct op *a, const struct op *b)
{
	return memcmp(&a->id, &b->id, sizeof(a->id)) == 0 &&
	    strcmp(a->agent, b->agent) == 0 && a->worker == b->worker &&
	    strcmp(a->key != NULL ? a->key : "",
	    b->key != NULL ? b->key : "") == 0;
}

/* What the op of an offer changes, for people. */
static char *
offer_name(struct tui *t, const struct cure_offer *c)
{
	const struct execution *x = engine_execution_find(t->engine,
	    &c->op.id);
	struct buf name = BUF_INIT;
	char id[IDENT_TEXT];

	if (c->op.agent[0] != '\0' || c->op.kind == OP_ADD)
		return str_dup(c->op.agent[0] != '\0' ? c->op.agent :
		    "one more agent");
	ident_format(&c->op.id, id);
	if (x == NULL || c->op.kind == OP_AMEND)
		return str_dup(id);
	tui_exec_name(x, &name);
	buf_putf(&name, " (%s)", id);
	return buf_steal(&name);
}

static void
add_offer(struct batch *b, const struct cure_offer *c)
{
	char *name = offer_name(b->t, c);
	struct target *tg = target_add(b, name);

	free(name);
	tg->op = c->op;
	tg->key = str_dup(c->key);
	tg->value = str_dup(c->value);
	tg->op.key = tg->key;
	tg->op.value = tg->value;
}

static bool
has_offer(const struct batch *b, const struct cure_offer *c)
{
	size_t i;

	for (i = 0; i < b->n; i++)
		if (same_op(&b->targets[i].op, &c->op))
			return true;
	return false;
}

void
offers_add(struct batch *b, const struct execution *x)
{
	const struct form_info *info = form_info(b->form);
	struct ident id = { .execution = x->no };
	uint32_t cures = form_cures_of(b->form);
	struct cure_offer *v;
	size_t i, n;

	if (cures == 0)
		return;
	memcpy(id.run, x->run->id, sizeof(id.run));
	engine_cures(b->t->engine, &id, false, &v, &n);
	for (i = 0; i < n; i++) {
		if ((v[i].cure & cures) == 0 ||
		    v[i].op.kind != info->kind)
			continue;
		if (info->on_agents && info->kind == OP_SET &&
		    v[i].key == NULL)
			target_add_agent(b, engine_agent(b->t->engine, (size_t)
			    engine_agent_find(b->t->engine, v[i].op.agent)));
		else if (!has_offer(b, &v[i]))
			add_offer(b, &v[i]);
		if (!info->on_agents)
			break;
	}
	cure_offers_free(v, n);
}

/* The one that a row of Queue or Attention stands for: of a cause the first
 * that waits for it. */
static const struct execution *
one_of(struct tui *t, const struct object *o)
{
	const struct run *r;
	struct object real = *o;
	size_t i;
	uint32_t k;

	object_resolve(t, &real);
	if (real.kind == OBJ_EXEC)
		return real.exec;
	for (i = 0; real.kind == OBJ_CAUSE &&
	    i < engine_run_count(t->engine); i++) {
		r = engine_run(t->engine, i);
		for (k = 0; r->executions != NULL && k < r->n; k++)
			if (r->executions[k].reason == real.cause->reason)
				return &r->executions[k];
	}
	return NULL;
}

bool
cure_find(struct tui *t, const struct object *o, uint32_t cures,
    struct op *ret)
{
	const struct execution *x = one_of(t, o);
	struct cure_offer *v = NULL;
	struct ident id;
	size_t i = 0, n = 0;
	bool found;

	if (x != NULL) {
		id = (struct ident){ .execution = x->no };
		memcpy(id.run, x->run->id, sizeof(id.run));
		engine_cures(t->engine, &id, false, &v, &n);
	}
	while (i < n && (v[i].cure & cures) == 0)
		i++;
	found = i < n;
	if (found)
		*ret = v[i].op;
	cure_offers_free(v, n);
	return found;
}
