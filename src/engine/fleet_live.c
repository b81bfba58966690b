/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The fleet while it is used. The folder of its file is watched; when somebody
 * has edited the fleet, it is loaded again: agents keep their indices, new
 * ones come last, and of a removed one the link stays until all that it has of
 * ours has ended.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/plan/fleet_edits.h"

#include "engine/engine_private.h"
#include "engine/leases.h"

/* True when the edits are others than when it was last asked. */
static bool
are_others(struct engine *e)
{
	char *path = fleet_edits_path(e->spec->file);
	struct stat st;
	int64_t ns = 0;
	uint64_t ino = 0;
	bool others;

	if (stat(path, &st) == 0) {
		ns = (int64_t)st.st_mtim.tv_sec * 1000000000 +
		    st.st_mtim.tv_nsec;
		ino = st.st_ino;
	}
	others = ns != e->edits_ns || ino != e->edits_ino;
	e->edits_ns = ns;
	e->edits_ino = ino;
	free(path);
	return others;
}

static void
say_edit(struct engine *e, const struct fleet_edit *ed)
{
	engine_say(e, EVENT_EDIT, ed->who, ed->agent, "%s%s%s: %s -> %s",
	    ed->agent, ed->key != NULL ? " " : "",
	    ed->key != NULL ? ed->key : "",
	    ed->was == NULL ? "none" : ed->key != NULL ? ed->was : "there",
	    ed->now == NULL ? "none" : ed->key != NULL ? ed->now : "there");
}

/* Who did what, of the edits that were not told yet. */
static void
say_edits(struct engine *e)
{
	struct diags quiet = DIAGS_INIT;
	struct fleet_edits edits;
	size_t i;

	if (fleet_edits_load(e->spec->file, &edits, &quiet) == 0) {
		if (edits.n == e->n_edits)
			engine_say(e, EVENT_INFO, NULL, NULL,
			    "the fleet file was read again");
		for (i = e->n_edits; i < edits.n; i++)
			say_edit(e, &edits.v[i]);
		e->n_edits = edits.n;
		fleet_edits_done(&edits);
	}
	diags_done(&quiet);
}

/* All that has a place for each agent gets more. */
static void
grow(struct engine *e, size_t n_old, size_t n)
{
	size_t cap = n_old;
	struct erun *r;

	e->syncing = mem_grow(e->syncing, &cap, n, sizeof *e->syncing);
	cap = n_old;
	e->facts_us = mem_grow(e->facts_us, &cap, n, sizeof *e->facts_us);
	TAILQ_FOREACH(r, &e->runs, entry) {
		cap = n_old;
		r->awaits = mem_grow(r->awaits, &cap, n, sizeof *r->awaits);
		cap = n_old;
		r->repeats = mem_grow(r->repeats, &cap, n,
		    sizeof *r->repeats);
	}
	bench_grow(e->bench, (uint32_t)n);
	leases_grow(e->leases, n_old, n);
	lates_grow(e->lates, n_old, n);
}

static void
renew(struct engine *e, struct fleet_spec *next)
{
	size_t n = e->spec->n_agents, i;
	bool *relink = mem_calloc(n, sizeof *relink);
	const struct agent_spec *a;
	long at;

	for (i = 0; i < n; i++) {
		a = &e->spec->agents[i];
		at = fleet_find(next, a->name);
		relink[i] = at >= 0 &&
		    !agent_spec_same_link(a, &next->agents[at]);
	}
	fleet_spec_renew(e->spec, next);
	grow(e, n, e->spec->n_agents);
	fleet_renew(e->fleet, e->spec, relink);
	for (i = 0; i < e->spec->n_agents; i++)
		feed_agent(e, i);
	free(relink);
	engine_learn_speeds(e);
	engine_hurry(e);
}

/* Something in the folder is another one. */
static void
look(void *arg)
{
	struct engine *e = arg;
	struct diags ds = DIAGS_INIT;
	struct fleet_spec *next = NULL;
	size_t i;

	if (!are_others(e))
		return;
	if (fleet_load(e->spec->file, &ds, &next) == 0) {
		renew(e, next);
		say_edits(e);
	}
	for (i = 0; next == NULL && i < ds.n; i++)
		if (ds.v[i].level == DIAG_ERROR)
			engine_say(e, EVENT_WARNING, NULL, NULL, "the fleet "
			    "stays as it was: %s", ds.v[i].text);
	diags_done(&ds);
}

static char *
absolute(const char *path)
{
	return path != NULL ? realpath(path, NULL) : NULL;
}

/* As a shell takes it. */
static void
quote(struct buf *b, const char *s)
{
	for (buf_putc(b, '\''); *s != '\0'; s++)
		if (*s == '\'')
			buf_puts(b, "'\\''");
		else
			buf_putc(b, *s);
	buf_putc(b, '\'');
}

static char *
option_of(const char *file)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/+,:@";
	char *usual = fleet_path(NULL), *a = absolute(file);
	char *b = absolute(usual);
	struct buf text = BUF_INIT;

	if (a != NULL && (b == NULL || strcmp(a, b) != 0)) {
		buf_puts(&text, " --fleet ");
		if (a[strspn(a, plain)] == '\0')
			buf_puts(&text, a);
		else
			quote(&text, a);
	}
	free(usual);
	free(a);
	free(b);
	return buf_steal(&text);
}

void
fleet_live_open(struct engine *e)
{
	struct diags quiet = DIAGS_INIT;
	struct fleet_edits edits;
	const char *slash;
	char *folder;

	e->fleet_option = option_of(e->spec->file);
	if (e->spec->file == NULL)
		return;
	slash = strrchr(e->spec->file, '/');
	folder = slash == NULL ? str_dup(".") :
	    str_ndup(e->spec->file, (size_t)(slash - e->spec->file) + 1);
	/* Where nothing can be watched it stays as it was at the start. */
	(void)filewatch_new(e->loop, folder, look, e, &e->edits);
	free(folder);
	(void)are_others(e);
	if (fleet_edits_load(e->spec->file, &edits, &quiet) == 0) {
		e->n_edits = edits.n;
		fleet_edits_done(&edits);
	}
	diags_done(&quiet);
}

void
fleet_live_retire(struct engine *e)
{
	uint32_t busy, queued;
	size_t i;

	for (i = 0; i < e->spec->n_agents; i++) {
		if (!e->spec->agents[i].removed)
			continue;
		sched_agent_load(e->sched, (uint32_t)i, &busy, &queued);
		if (busy == 0 && queued == 0)
			fleet_retire(e->fleet, i);
	}
}

int
fleet_live_set(struct engine *e, const struct op *op, const char *who,
    char **ret_text)
{
	struct strvec values = STRVEC_INIT;
	struct fleet_change c = { .agent = op->agent, .who = who };
	struct diags ds = DIAGS_INIT;
	const char *at;
	size_t n;
	int r;

	if (e->spec->file == NULL) {
		*ret_text = str_dup("the built-in fleet has no file");
		return ERR_STATE;
	}
	for (at = op->key; *at != '\0'; at += n + (at[n] == ' ')) {
		n = strcspn(at, " ");
		if (n > 0)
			strvec_push_owned(&values, str_ndup(at, n));
	}
	c.add = op->kind == OP_ADD;
	c.values = (const char *const *)values.v;
	c.n = values.n;
	r = fleet_change(e->spec->file, &c, &ds, ret_text);
	if (r < 0 && ds.n > 0)
		*ret_text = str_dup(ds.v[0].text);
	if (r == 0)
		look(e);
	strvec_done(&values);
	diags_done(&ds);
	return r;
}
