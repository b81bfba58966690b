/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pages about the console itself and about reasons: help, why, faults. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"
#include "tui/cells.h"
#include "tui/pager.h"
#include "tui/table.h"
#include "tui/targets.h"

#define KEYS_WIDTH 22

/* The contexts in the order of the help page, those of the view first. */
static void
fill_context(struct tui *t, enum context c, struct lines *out)
{
	struct buf keys = BUF_INIT;
	size_t i, pad;

	lines_add(out, ROLE_STRONG, "%s", context_name(c));
	for (i = 0; i < n_actions; i++) {
		if (actions[i].context != c)
			continue;
		buf_clear(&keys);
		keymap_all(&t->keymap, (int)i, &keys);
		if (buf_len(&keys) == 0)
			buf_putf(&keys, ":%s", actions[i].name);
		pad = text_width(buf_str(&keys), buf_len(&keys));
		for (; pad < KEYS_WIDTH; pad++)
			buf_putc(&keys, ' ');
		lines_add(out, actions[i].class != ACTION_VIEW &&
		    tui_is_read_only(t) ? ROLE_KEY_OFF : ROLE_NORMAL,
		    "  %s %s", buf_str(&keys), actions[i].help);
	}
	lines_add(out, ROLE_NORMAL, "%s", "");
	buf_done(&keys);
}

static const char syntax[] =
    "text is a substring (a capital letter makes it exact), /re/ a pattern, "
    "~text fuzzy, !term inverts, column:term looks in one column, terms "
    "separated by blanks must all hold.";

static void
fill_help(struct tui *t, const void *arg, int cells, struct lines *out)
{
	enum context own = *(const enum context *)arg;
	static const enum context order[] = { CTX_MOVE, CTX_GLOBAL,
		CTX_TABLE, CTX_LOG, CTX_DIALOG };
	size_t i;

	fill_context(t, own, out);
	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (order[i] != own)
			fill_context(t, order[i], out);
	lines_add(out, ROLE_STRONG, "filter and search");
	lines_wrap(out, ROLE_NORMAL, cells, 2, syntax);
	lines_add(out, ROLE_NORMAL, "%s", "");
	lines_add(out, ROLE_DIM, "key map %s, theme %s; every name above is "
	    "also a : command", t->keymap.name, t->theme.name);
}

void
act_help(struct tui *t, int n, const char *arg)
{
	enum context own = tui_page(t)->ops->listens & 1u << CTX_LOG ? CTX_LOG
	    : tui_page(t)->ops->listens & 1u << CTX_TABLE ? CTX_TABLE
	    : CTX_MOVE;

	pager_open(t, "Help", fill_help, &own, sizeof(own));
}

static void
fill_diagnostics(struct tui *t, const void *arg, int cells,
    struct lines *out)
{
	struct buf b = BUF_INIT;
	size_t i;

	for (i = 0; i < t->diags.n; i++) {
		buf_clear(&b);
		diag_format(&t->diags.v[i], &b);
		lines_wrap(out, t->diags.v[i].level == DIAG_ERROR ? ROLE_BAD
		    : ROLE_WARN, cells, 0, buf_str(&b));
	}
	buf_done(&b);
	lines_add(out, ROLE_NORMAL, "%s", "");
	lines_add(out, ROLE_NORMAL, t->diags.n == 0 ? "no fault"
	    : "What was valid before is still in force.");
}

void
act_diagnostics(struct tui *t, int n, const char *arg)
{
	pager_open(t, "Faults in files", fill_diagnostics, NULL, 0);
}

static void
fill_link_log(struct tui *t, const void *arg, int cells, struct lines *out)
{
	const struct agent *a = engine_agent(t->engine, *(const size_t *)arg);
	char time[CLOCK_TEXT], *line;
	unsigned i;

	lines_add(out, ROLE_STRONG, "%s, link %s", a->host,
	    link_state_name(a->link));
	for (i = 0; i < a->log.n; i++) {
		line = str_fmt("%s  %s", clock_format(a->log.v[i].wall_us,
		    time), a->log.v[i].text);
		lines_wrap(out, ROLE_NORMAL, cells, 2, line);
		free(line);
	}
	if (a->log.n == 0)
		lines_add(out, ROLE_DIM, "no link was tried yet");
}

void
act_link_log(struct tui *t, int n, const char *arg)
{
	struct object o;
	struct op op;
	size_t agent;
	char *title;
	int found = -1;

	if (!tui_object(t, &o)) {
		tui_status(t, ROLE_STATUS, "no row");
		return;
	}
	if (cure_find(t, &o, CURE_SHOW_LOG, &op))
		found = engine_agent_find(t->engine, op.agent);
	object_resolve(t, &o);
	if (found < 0 && o.agent == NULL) {
		tui_status(t, ROLE_STATUS, "no agent belongs to this row");
		return;
	}
	agent = found >= 0 ? (size_t)found : o.agent_no;
	title = str_fmt("Link of %s", engine_agent(t->engine, agent)->name);
	pager_open(t, title, fill_link_log, &agent, sizeof(agent));
	free(title);
}

static void
fill_cures(uint32_t cures, int cells, struct lines *out)
{
	struct buf b = BUF_INIT;
	unsigned bit;

	for (bit = 0; bit < 32; bit++)
		if (cures & UINT32_C(1) << bit)
			buf_putf(&b, "%s%s", buf_len(&b) > 0 ? ", " : "",
			    cure_name((enum cure)(UINT32_C(1) << bit)));
	if (buf_len(&b) > 0)
		lines_wrap(out, ROLE_INFO, cells, 4, buf_str(&b));
	buf_done(&b);
}

static void
fill_blocker(struct tui *t, const struct blocker *b, size_t i, int cells,
    struct lines *out)
{
	static const char *const clears[] = {
		[CLEARS_ITSELF] = "clears by itself",
		[CLEARS_OPERATOR] = "an operator must clear it",
		[CLEARS_EITHER] = "clears by itself or by an operator" };
	static const uint8_t roles[] = { [CLEARS_ITSELF] = ROLE_STRONG,
		[CLEARS_OPERATOR] = ROLE_BAD, [CLEARS_EITHER] = ROLE_WARN };
	const struct reason_info *info = reason_info(b->code);
	char age[DURATION_TEXT];

	tui_age(t, b->since_us, age);
	lines_add(out, roles[info->clears], "%zu. %s%s%s (%s)", i + 1,
	    info->name, *age != '\0' ? " for " : "", age,
	    clears[info->clears]);
	if (b->text != NULL)
		lines_wrap(out, ROLE_NORMAL, cells, 4, b->text);
	lines_wrap(out, ROLE_DIM, cells, 4, info->help);
	fill_cures(info->cures, cells, out);
}

/* Its reasons, where they are known here. */
static void
fill_reasons(struct tui *t, const struct execution *x,
    const struct ident *id, int cells, struct lines *out)
{
	bool waits = x->state <= EXEC_ASSIGNED, ours = x->run->ours;
	struct why why = { .n = 0 };
	size_t i;

	if (waits && !ours && x->run->owner != NULL) {
		lines_add(out, ROLE_WARN, "%s drives its run and knows:",
		    x->run->owner);
		lines_add(out, ROLE_INFO, "yardmaster why %s/%u", id->run,
		    id->execution);
		return;
	}
	if (waits || ours)
		engine_why(t->engine, id, &why);
	for (i = 0; i < why.n; i++)
		fill_blocker(t, &why.v[i], i, cells, out);
	if (why.n == 0)
		lines_add(out, ROLE_GOOD, "nothing keeps it: it %s",
		    exec_state_final(x->state) ? "has ended" : "runs");
	why_done(&why);
}

static void
fill_why(struct tui *t, const void *arg, int cells, struct lines *out)
{
	const struct ident *id = arg;
	const struct execution *x = tui_execution(t, id->run,
	    id->execution);
	struct buf name = BUF_INIT;

	if (x == NULL) {
		lines_add(out, ROLE_DIM, "it is gone");
		return;
	}
	tui_exec_name(x, &name);
	lines_add(out, ROLE_STRONG, "%s", buf_str(&name));
	lines_add(out, ROLE_NORMAL, "%s/%u, %s%s", id->run, id->execution,
	    exec_state_name(x->state), x->unknown ? "?" : "");
	buf_clear(&name);
	cell_next(t, x, &name);
	lines_fact(out, "next", ROLE_NORMAL, "%s", buf_str(&name));
	lines_add(out, ROLE_NORMAL, "%s", "");
	fill_reasons(t, x, id, cells, out);
	buf_done(&name);
}

void
act_holder(struct tui *t, int n, const char *arg)
{
	struct object o;
	struct op op;

	if (tui_object(t, &o) && cure_find(t, &o, CURE_SHOW_HOLDER, &op))
		pager_open(t, "What it waits for", fill_why, &op.id,
		    sizeof(op.id));
	else
		tui_status(t, ROLE_STATUS, "nobody has what it waits for");
}

void
why_open(struct tui *t, const struct object *o)
{
	struct ident id;

	if (object_ident(o, &id))
		pager_open(t, "Why it waits",
		    fill_why, &id, sizeof(id));
}

void
act_why(struct tui *t, int n, const char *arg)
{
	struct object o;
	struct ident id;

	if (tui_object(t, &o) && object_ident(&o, &id) &&
	    tui_execution(t, id.run, id.execution) != NULL)
		why_open(t, &o);
	else
		tui_status(t, ROLE_STATUS,
		    "only executions have reasons; 3 shows the queue");
}
