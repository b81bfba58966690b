/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Suites whose executions share processes: "batch" and "results" (part of
 * load.h). */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "plan/load.h"
#include "plan/subst.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"

#define RESULTS_FILE "{results}"

static const char *const parts[] = { "classname", "name", "file", "suite",
	NULL };

static bool
is_part(const char *name)
{
	size_t i;

	for (i = 0; parts[i] != NULL; i++)
		if (strcmp(parts[i], name) == 0)
			return true;
	return false;
}

/* What a name is made of: at least one thing that the file says. */
static void
check_name(struct loader *l, const char *text)
{
	size_t mark = check_key(&l->c, "name"), said = 0;
	struct piece piece;
	struct diag *d;

	while (subst_next(&text, &piece)) {
		if (piece.literal)
			continue;
		said++;
		if (is_part(piece.name) && piece.part == NULL)
			continue;
		d = check_fault(&l->c, "%.*s is not said of a test case "
		    "(classname, name, file and suite are)", (int)piece.len,
		    piece.text);
		check_did_you_mean(d, text_nearest(piece.name, parts, 1));
	}
	if (said == 0)
		check_fault(&l->c, "every test would have the same name; use "
		    "{classname} and {name}");
	check_back(&l->c, mark);
}

void
load_results(struct loader *l, const struct jval *v, struct plan_props *props)
{
	size_t errors = l->c.ds->errors;
	const char *junit, *name;

	check_object(&l->c, v, AT_RESULTS);
	junit = jval_str(check_get(v, "junit", AT_RESULTS), NULL);
	name = jval_str(check_get(v, "name", AT_RESULTS),
	    "{classname}::{name}");
	if (junit == NULL && l->c.ds->errors == errors)
		check_fault(&l->c, "junit is missing: \"" RESULTS_FILE "\"");
	else if (junit != NULL && strcmp(junit, RESULTS_FILE) != 0)
		check_fault_at(&l->c, "junit", "the file is where the agent "
		    "says: \"" RESULTS_FILE "\"");
	check_name(l, name);
	l->bad_results |= l->c.ds->errors > errors;
	props->results_name = plan_own(l->p, str_dup(name), free);
}

struct uses {
	unsigned tests, results;
};

/* What differs from member to member has no place in what they share. */
static void
check_shared(struct loader *l, const struct piece *piece)
{
	if (piece->kind == PH_TEST || piece->kind == PH_ROW)
		diag_set_hint(check_fault(&l->c, "%.*s in a batch, whose tests "
		    "share one command", (int)piece->len, piece->text),
		    "{tests} are their names");
}

static void
count_uses(struct loader *l, const char *text, struct uses *ret)
{
	const char *whole = text;
	struct piece piece;

	while (subst_next(&text, &piece)) {
		if (piece.literal)
			continue;
		check_shared(l, &piece);
		ret->results += piece.kind == PH_RESULTS;
		if (piece.kind != PH_TESTS)
			continue;
		ret->tests++;
		if (strcmp(whole, "{tests}") != 0)
			check_fault(&l->c, "{tests} is an argument for each, "
			    "not part of one");
	}
}

void
check_batch(struct loader *l, const struct plan_props *props)
{
	struct uses n = { 0, 0 };
	size_t i;

	if (props->command == NULL) {
		if (!l->bad_command)
			check_fault(&l->c, "a batch needs a command with "
			    "{tests}, not a shell");
		return;
	}
	for (i = 0; i < props->command->n; i++)
		count_uses(l, props->command->v[i], &n);
	if (n.tests != 1)
		check_fault(&l->c, "the command of a batch has {tests} once, "
		    "not %u times", n.tests);
	if (n.results == 0 || n.results > WORK_MAX_HOLES)
		check_fault(&l->c, "the command of a batch says where results "
		    "go, as --junitxml={results}");
	if (props->results_name == NULL && !l->bad_results)
		check_fault(&l->c, "a batch needs results, as {\"junit\": "
		    "\"" RESULTS_FILE "\"}");
}

void
check_batch_suite(struct loader *l, uint32_t suite,
    const struct plan_props *props)
{
	if (!props->batch)
		return;
	if (l->p->suites[suite].mode == MODE_SEQUENTIAL)
		check_fault_at(&l->c, "mode", "tests of a batch are executions "
		    "of their own, never sequential");
	if (props->shards > 0)
		check_fault_at(&l->c, "shards", "a suite has shards or is a "
		    "batch, not both");
}
