/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The action menu: of the action table, what applies to the rows it is opened
 * on, with what it would do there. And the choice of columns.
 */
#include "config.h"

#include <stdio.h>

#include "tui/attention.h"
#include "tui/console.h"
#include "tui/picker.h"
#include "tui/table.h"
#include "tui/targets.h"

/* The ON_ bit of an object. */
static uint32_t
bits_of(const struct object *o)
{
	static const uint32_t bits[] = { [OBJ_AGENT] = ON_AGENT,
		[OBJ_WORKER] = ON_AGENT, [OBJ_EXEC] = ON_EXEC,
		[OBJ_RUN] = ON_RUN, [OBJ_PLAN] = ON_PLAN,
		[OBJ_CAUSE] = ON_CAUSE, [OBJ_ATTENTION] = ON_ATTENTION };

	return o->kind < sizeof(bits) / sizeof(bits[0]) ? bits[o->kind] : 0;
}

/* Everything a menu on o may offer: the bits of the row itself and of what it
 * stands for. */
uint32_t
object_offers(struct tui *t, const struct object *o)
{
	struct object real = *o;
	uint32_t bits = bits_of(o);

	object_resolve(t, &real);
	bits |= bits_of(&real);
	if (real.kind == OBJ_WORKER && real.worker->attempt.run[0] != '\0')
		bits |= ON_WORKER;
	if (real.agent != NULL && real.agent->question != NULL)
		bits |= ON_ASKING;
	if (o->kind == OBJ_ATTENTION && real.kind == OBJ_ATTENTION)
		bits |= ON_AGENT;	/* links that are lost */
	return bits;
}

static bool
applies(struct tui *t, const struct action *a, const struct object *o,
    uint32_t bits)
{
	struct object real = *o;
	struct ident id;
	struct op op;

	if (a->letter == 0 || (a->on & bits) == 0)
		return false;
	if (a->fn == act_form)
		return targets_any(t, (enum form)a->n, o);
	if (a->cures != 0 && !(a->on & ON_AGENT & bits))
		return cure_find(t, o, a->cures, &op);
	if (a->fn == act_why && o->kind != OBJ_WORKER)
		return o->kind == OBJ_EXEC && o->exec->state <= EXEC_ASSIGNED;
	if (a->fn == act_why)
		return object_ident(o, &id) &&
		    engine_execution_find(t->engine, &id) != NULL;
	if (a->fn == act_log) {
		object_resolve(t, &real);
		return object_ident(&real, &id) &&
		    (real.kind != OBJ_EXEC || real.exec->attempt > 0);
	}
	return true;
}

static void
run_chosen(struct tui *t, int value)
{
	tui_run_action(t, value, NULL);
}

void
act_menu(struct tui *t, int n, const char *arg)
{
	struct table *tb = tui_table(t);
	size_t i, marked = tb != NULL ? table_mark_count(tb) : 0;
	struct buf effect = BUF_INIT;
	struct picker *p;
	struct object o;
	uint32_t bits;
	char title[64], text[32];

	if (!tui_object(t, &o)) {
		tui_status(t, ROLE_STATUS, "no row to act on");
		return;
	}
	snprintf(title, sizeof(title), "%s", "Actions");
	if (marked > 0)
		snprintf(title, sizeof(title), "Actions on %zu marked rows",
		    marked);
	p = picker_new(t, title, false, run_chosen);
	bits = object_offers(t, &o);
	for (i = 0; i < n_actions; i++) {
		if (!applies(t, &actions[i], &o, bits))
			continue;
		buf_clear(&effect);
		if (actions[i].fn == act_form && marked == 0)
			targets_effect(t, (enum form)actions[i].n, &o,
			    &effect);
		if (buf_len(&effect) == 0)
			buf_puts(&effect, actions[i].help);
		snprintf(text, sizeof(text), "%-13s", actions[i].name);
		picker_add(p, (int)i, actions[i].letter, text,
		    buf_str(&effect), actions[i].class != ACTION_VIEW &&
		    tui_is_read_only(t));
	}
	buf_done(&effect);
	if (!picker_show(p))
		tui_status(t, ROLE_STATUS, "nothing can be done here");
}

static void
column_text(const struct table *tb, size_t i, char *out, size_t size)
{
	snprintf(out, size, "[%c] %s", tb->hidden & 1u << i ? ' ' : 'x',
	    tb->pane->columns[i].name);
}

/* The picker stays: its entry is the top view while one is chosen. */
static void
toggle_column(struct tui *t, int value)
{
	struct table *tb = tui_table(t);
	char text[64];

	if (tb == NULL)
		return;
	tb->hidden ^= 1u << value;
	column_text(tb, (size_t)value, text, sizeof(text));
	picker_set((struct picker *)tui_top(t), value, text);
}

void
act_columns(struct tui *t, int n, const char *arg)
{
	struct table *tb = tui_table(t);
	struct picker *p;
	char text[64];
	size_t i;

	if (tb == NULL)
		return;
	p = picker_new(t, "Columns: Enter shows or hides, Esc closes", true,
	    toggle_column);
	for (i = 1; i < pane_column_count(tb->pane); i++) {
		column_text(tb, i, text, sizeof(text));
		picker_add(p, (int)i, 0, text, tb->pane->columns[i].title,
		    false);
	}
	picker_show(p);
}
