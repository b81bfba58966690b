/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The demo without a screen. Its plan says by the names of its tests what has
 * to come: "fails..." fails, "heals..." passes on a later attempt, all others
 * pass at once.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "yardmaster/base/err.h"

#include "cli/demo.h"
#include "cli/launch.h"

static enum exec_state
foreseen(const struct execution *x)
{
	if (strncmp(x->test, "fails", 5) == 0)
		return EXEC_FAILED;
	if (strncmp(x->test, "heals", 5) == 0)
		return EXEC_HEALED;
	return EXEC_PASSED;
}

/* Says every result that was not foreseen; how many. */
static unsigned
count_surprises(const struct cli *c, const struct run *run)
{
	const struct execution *x;
	unsigned n = 0;
	uint32_t i;

	for (i = 0; i < run->n; i++) {
		x = &run->executions[i];
		if (x->state == foreseen(x))
			continue;
		n++;
		cli_fail(c, 0, "%s/%s: %s, but %s was foreseen", x->suite,
		    x->test, exec_state_name(x->state),
		    exec_state_name(foreseen(x)));
	}
	return n;
}

static int
load_plan(const struct cli *c, const char *file, struct plan **ret)
{
	struct diags ds = DIAGS_INIT;
	int r;

	r = plan_load(file, &ds, ret);
	if (r == 0 && (r = plan_expand(*ret, NULL, &ds)) < 0)
		plan_free(*ret);
	return cli_diags(&ds, r < 0 ? EXIT_ERRORS : 0);
}

int
demo_headless(struct session *s, struct cli *c, const char *file)
{
	struct follow f = { .s = s, .c = c };
	struct plan *plan = NULL;
	const struct run *run;
	int r;

	if ((r = load_plan(c, file, &plan)) != 0)
		return r;
	if ((r = launch_plan(s, c, plan, false, f.run)) != 0)
		return r;
	if ((r = follow_run(&f)) < 0)
		return EXIT_CANCELLED;
	launch_report(s, c, f.run, REPORT_TAILS | REPORT_SUMMARY);
	run = engine_run_find(s->engine, f.run);
	if (r == EXIT_CANCELLED || count_surprises(c, run) > 0)
		return r == EXIT_OK ? EXIT_FAILED : r;
	printf("\nThe foreseen results came: the plan has one test that fails "
	    "and one that heals.\n");
	return EXIT_OK;
}
