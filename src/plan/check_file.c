/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What "check" does for plans and fleets, and plans against fleets. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "plan/load.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"

/* A list of objects under "agents" or something near it. */
static bool
lists_agents(const struct jval *root)
{
	const char *near;
	size_t i;

	for (i = 0; i < jval_count(root); i++) {
		near = key_nearest(jval_key_at(root, i), AT_FLEET);
		if (near != NULL && strcmp(near, "agents") == 0 &&
		    jval_type(jval_at(jval_value_at(root, i), 0)) ==
		    JVAL_OBJECT)
			return true;
	}
	return false;
}

/* What the file was meant to be, also when its main key is misspelt. */
static enum file_kind
kind_of(const struct jval *root)
{
	size_t i, n = jval_count(root);
	int plan = 0;

	if (jval_type(root) != JVAL_OBJECT)
		return FILE_UNKNOWN;
	if (jval_get(root, "suites") != NULL)
		return FILE_PLAN;
	if (lists_agents(root))
		return FILE_FLEET;
	for (i = 0; i < n; i++) {
		plan += key_nearest(jval_key_at(root, i), AT_PLAN) != NULL;
		plan -= key_nearest(jval_key_at(root, i), AT_FLEET) != NULL;
	}
	if (plan != 0)
		return plan > 0 ? FILE_PLAN : FILE_FLEET;
	return jval_get(root, "agents") != NULL ? FILE_FLEET : FILE_UNKNOWN;
}

static int
check_plan(const char *path, const struct fleet_spec *fleet, int64_t now_us,
    struct diags *ds)
{
	struct plan *p;
	int r;

	if ((r = plan_load(path, ds, &p)) < 0)
		return r;
	if (!plan_discovers(p))
		r = plan_expand(p, NULL, ds);
	if (r == 0)
		plan_lint(p, fleet, now_us, ds);
	if (r == 0 && fleet != NULL && plan_check_agents(p, fleet, ds) > 0)
		r = ERR_INVALID;
	plan_free(p);
	return r;
}

static int
check_fleet(const char *path, struct diags *ds)
{
	struct fleet_spec *f;
	int r;

	if ((r = fleet_load(path, ds, &f)) == 0)
		fleet_spec_free(f);
	return r;
}

int
check_file(const char *path, const struct fleet_spec *fleet, int64_t now_us,
    struct diags *ds, enum file_kind *ret_kind)
{
	enum file_kind kind;
	struct jdoc doc;
	int r;

	if (ret_kind != NULL)
		*ret_kind = FILE_UNKNOWN;
	if ((r = jdoc_load(&doc, path, JDOC_COMMENTS, ds)) < 0)
		return r == ERR_SYNTAX ? ERR_INVALID : r;
	kind = kind_of(doc.root);
	jdoc_done(&doc);
	if (ret_kind != NULL)
		*ret_kind = kind;
	if (kind == FILE_PLAN)
		return check_plan(path, fleet, now_us, ds);
	if (kind == FILE_FLEET)
		return check_fleet(path, ds);
	diag_add(ds, DIAG_ERROR, path, 0, NULL, "neither a plan, which has "
	    "\"suites\", nor a fleet, which has \"agents\"");
	return ERR_INVALID;
}

/* ---- a plan against a fleet ---- */

static bool
some_agent(const struct selector *s, const struct fleet_spec *f)
{
	size_t i;

	for (i = 0; i < f->n_agents; i++)
		if (selector_match(s, f->agents[i].name,
		    &f->agents[i].labels))
			return true;
	return false;
}

static bool
some_agent_of_term(const struct selector *s, size_t term,
    const struct fleet_spec *f)
{
	size_t i;

	for (i = 0; i < f->n_agents; i++)
		if (selector_term_match(s, term, f->agents[i].name,
		    &f->agents[i].labels))
			return true;
	return false;
}

/* The agent whose name is nearest to a selector that is a name. */
static const char *
nearest_agent(const char *term, const struct fleet_spec *f)
{
	const char *near = NULL;
	unsigned d, best = 3;
	size_t i;

	for (i = 0; i < f->n_agents; i++) {
		d = text_distance(term, f->agents[i].name);
		if (d < best) {
			best = d;
			near = f->agents[i].name;
		}
	}
	return near;
}

/* A message at term (or, with -1, at all) of the agents. */
static struct diag *
say_at(const struct plan *p, const struct plan_agents *a, long term,
    enum diag_level level, struct diags *ds, const char *text)
{
	struct buf path = BUF_INIT;
	struct diag *d;

	buf_puts(&path, a->path != NULL ? a->path : "agents");
	if (term >= 0)
		jdoc_path_index(&path, (size_t)term);
	d = plan_fault(p, a->doc, ds, level, buf_str(&path), text);
	buf_done(&path);
	return d;
}

static void
check_list(const struct plan *p, const struct plan_agents *a,
    const struct fleet_spec *f, struct diags *ds)
{
	const struct selector *s = a->selector;
	bool none = !some_agent(s, f);
	struct buf list = BUF_INIT;
	char *text;
	size_t i;

	selector_format(s, &list);
	if (none) {
		text = str_fmt("no agent of the fleet %s meets %s",
		    f->name, buf_str(&list));
		check_did_you_mean(say_at(p, a, -1, DIAG_ERROR, ds, text),
		    nearest_agent(selector_term(s, 0), f));
		free(text);
	}
	for (i = 0; i < selector_count(s) && !none; i++) {
		if (some_agent_of_term(s, i, f))
			continue;
		text = str_fmt("no agent of the fleet %s meets %s",
		    f->name, selector_term(s, i));
		check_did_you_mean(say_at(p, a, (long)i, DIAG_WARNING, ds,
		    text), nearest_agent(selector_term(s, i), f));
		free(text);
	}
	buf_done(&list);
}

static void
check_target(const struct plan *p, uint32_t target,
    const struct fleet_spec *f, struct diags *ds)
{
	struct plan_ref ref = { .is_test = true };
	uint32_t k;
	size_t i;

	for (i = 0; i < f->n_agents; i++)
		if (agent_spec_offers(&f->agents[i], p->targets[target].name))
			return;
	for (k = 0; k < p->n_steps; k++)
		if (p->steps[k].target == target) {
			ref.index = p->steps[k].test;
			break;
		}
	plan_say_at(p, &ref, "targets", DIAG_WARNING, ds, str_fmt("target %s: "
	    "no agent of the fleet %s offers it", p->targets[target].name,
	    f->name));
}

size_t
plan_check_agents(const struct plan *p, const struct fleet_spec *f,
    struct diags *ds)
{
	size_t errors = ds->errors;
	bool *used, *wanted;
	uint32_t i, k;

	used = mem_calloc(p->n_agents, sizeof(*used));
	wanted = mem_calloc(p->n_targets, sizeof(*wanted));
	for (i = 0; i < p->n_terms; i++) {
		for (k = 0; k < p->terms[i].n_agents; k++)
			used[p->terms[i].agents[k]] = true;
		for (k = 0; k < p->terms[i].n_targets; k++)
			wanted[p->terms[i].targets[k]] = true;
	}
	for (i = 0; i < p->n_agents; i++)
		if (used[i] && p->agents[i].terms.n > 0)
			check_list(p, &p->agents[i], f, ds);
	for (i = 0; i < p->n_targets; i++)
		if (wanted[i])
			check_target(p, i, f, ds);
	if (ds->errors == errors)
		plan_check_together(p, f, ds);
	free(used);
	free(wanted);
	return ds->errors - errors;
}
