/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Workspaces: packed once (packing.c) into STATE/trees/HASH, where they stay
 * for whoever takes the run over, offered to each agent that gets work of it,
 * and removed when no run used them for long.
 */
#include "config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/paths.h"

#include "engine/engine_private.h"

static char *
trees_path(const struct engine *e, const char *name)
{
	char *dir = path_join(e->state_dir, "trees"), *path;

	path = path_join(dir, name);
	free(dir);
	return path;
}

/* One of an earlier launch (a plan that is run again) is taken as it was. */
static bool
is_packed(struct engine *e, const struct plan_workspace *w)
{
	char *path = trees_path(e, w->hash);
	bool there = w->hash[0] != '\0' &&
	    utimensat(AT_FDCWD, path, NULL, 0) == 0;

	free(path);
	return there;
}

void
workspaces_look(struct engine *e, struct plan *plan)
{
	uint32_t i;

	for (i = 0; i < plan->n_workspaces; i++)
		if (!is_packed(e, &plan->workspaces[i]))
			plan->workspaces[i].hash[0] = '\0';
}

void
workspace_offer(struct engine *e, struct erun *r, size_t agent, uint32_t no)
{
	const struct plan *p = r->plan;
	uint32_t index = p->suites[p->execs[no - 1].suite].props->workspace;
	const struct plan_workspace *w;
	char *path;

	if (index == 0)
		return;
	w = &p->workspaces[index - 1];
	path = trees_path(e, w->hash);
	fleet_offer(e->fleet, agent, w->hash, w->bytes, path);
	free(path);
}

void
workspace_waits(struct erun *r, uint32_t no, const char *text)
{
	struct exec_texts *t = &r->texts[no - 1];

	if (t->setup == NULL && text != NULL)
		t->setup_us = clock_mono_us();
	free(t->setup);
	t->setup = str_dup(text);
}

bool
workspace_is_awaited(const struct erun *r, uint32_t no)
{
	return r->texts[no - 1].setup != NULL &&
	    r->live.executions[no - 1].state == EXEC_ASSIGNED;
}

void
workspace_why(const struct erun *r, uint32_t no, struct why *why)
{
	const struct exec_texts *t = &r->texts[no - 1];
	struct blocker was;

	if (!workspace_is_awaited(r, no))
		return;
	why_add(why, REASON_SETUP, t->setup_us, "%s", t->setup);
	was = why->v[0];
	why->v[0] = why->v[why->n - 1];
	why->v[why->n - 1] = was;
}

void
workspaces_over(struct engine *e, const struct erun *r)
{
	bool any = false;
	uint32_t i;
	size_t a;

	for (i = 0; i < r->plan->n_suites; i++)
		any |= plan_prepare_no(r->plan, i) > 0;
	for (a = 0; any && a < fleet_count(e->fleet); a++)
		fleet_over(e->fleet, a, r->live.id, r->epoch);
}
