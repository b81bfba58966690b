/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ":exec": a command on the marked agents, or on all, as a run of jobs. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/plan/adhoc.h"
#include "tui/confirm.h"
#include "tui/console.h"
#include "tui/table.h"

/* Words are separated by blanks; quotes keep blanks in one. */
static void
split(const char *text, struct strvec *words)
{
	struct buf word = BUF_INIT;
	char quote = '\0';
	bool any = false;

	for (; *text != '\0'; text++) {
		if (quote != '\0' ? *text == quote :
		    *text == '"' || *text == '\'') {
			quote = quote != '\0' ? '\0' : *text;
			any = true;
		} else if (quote == '\0' && *text == ' ') {
			if (any)
				strvec_push(words, buf_str(&word));
			buf_clear(&word);
			any = false;
		} else {
			buf_putc(&word, *text);
			any = true;
		}
	}
	if (any)
		strvec_push(words, buf_str(&word));
	buf_done(&word);
}

static void
choose_agents(struct tui *t, struct strvec *names)
{
	struct table *tb = tui_table(t);
	struct rowid *ids = NULL;
	size_t i, n = tb != NULL && table_mark_count(tb) > 0 ?
	    table_targets(tb, &ids) : 0;
	struct object o;

	for (i = 0; i < n; i++)
		if (object_find(t, ids[i], &o) && o.agent != NULL &&
		    strvec_find(names, o.agent->name) < 0)
			strvec_push(names, o.agent->name);
	free(ids);
	for (i = 0; n == 0 &&
	    i < engine_agent_count(t->engine); i++)
		strvec_push(names, engine_agent(t->engine, i)->name);
}

static void
start(struct tui *t, void *arg)
{
	struct plan **plan = arg;
	struct launch launch = { .plan = *plan };
	struct diags ds = DIAGS_INIT;
	char id[RUN_ID_SIZE];
	int r;

	r = engine_launch(t->engine, &launch, &ds, id);
	if (r == 0)
		*plan = NULL;
	if (r < 0)
		tui_status(t, ROLE_STATUS_BAD, "not launched: %s",
		    ds.n > 0 ? ds.v[0].text : err_text(r));
	else
		tui_status(t, ROLE_STATUS_GOOD, "run %s started", id);
	diags_done(&ds);
}

static void
forget(void *arg)
{
	struct plan **plan = arg;

	plan_free(*plan);
	free(plan);
}

void
act_exec(struct tui *t, int n, const char *arg)
{
	static const struct confirm_ops ops = { .yes = start, .done = forget };
	struct strvec words = STRVEC_INIT, agents = STRVEC_INIT;
	struct adhoc a = { .command = &words, .agents = &agents };
	struct plan **plan = mem_zalloc(sizeof(*plan));
	struct diags ds = DIAGS_INIT;
	struct lines lines = { .n = 0 };
	size_t i;

	split(arg != NULL ? arg : "", &words);
	choose_agents(t, &agents);
	if (words.n == 0 || agents.n == 0) {
		tui_status(t, ROLE_STATUS_WARN, words.n == 0 ?
		    "exec wants a command" : "no agent is marked");
		free(plan);
	} else if (plan_adhoc(&a, &ds, plan) < 0) {
		tui_status(t, ROLE_STATUS_BAD, "%s", ds.n > 0 ?
		    ds.v[0].text : "it cannot be run");
		free(plan);
	} else {
		lines_add(&lines, ROLE_STRONG, "%s", arg);
		for (i = 0; i < agents.n && i < 8; i++)
			lines_add(&lines, ROLE_DIALOG, "on %s", agents.v[i]);
		if (agents.n > i)
			lines_add(&lines, ROLE_DIALOG, "and %zu more",
			    agents.n - i);
		confirm_open(t, "Run on these agents?", "run", &lines, &ops,
		    plan);
	}
	diags_done(&ds);
	strvec_done(&words);
	strvec_done(&agents);
}
