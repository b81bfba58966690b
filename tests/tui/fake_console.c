/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The real screen over the fake engine, for tests that look at a terminal and
 * for people. fake_console [--theme T] [--keymap K] [--rows N] [PLAN...]:
 * N more executions wait. Prints the ops that were asked for at the end.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/tui/tui.h"
#include "fake_engine.h"

int
main(int argc, char **argv)
{
	struct strvec plans = STRVEC_INIT;
	struct tui_opts opts = { .plans = &plans,
		.state_dir = getenv("FAKE_STATE"), .log_dir = ".",
		.program = getenv("FAKE_PROGRAM"),
		.protected_fleet = getenv("FAKE_PROTECTED") != NULL };
	struct diags ds = DIAGS_INIT;
	struct engine *e = fake_new();
	struct loop *loop;
	int i, r;

	fake_populate(e);
	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--theme") == 0 && i + 1 < argc)
			opts.theme = argv[++i];
		else if (strcmp(argv[i], "--keymap") == 0 && i + 1 < argc)
			opts.keymap = argv[++i];
		else if (strcmp(argv[i], "--rows") == 0 && i + 1 < argc)
			fake_run(e, "r1dq3k00ac3", "large",
			    (uint32_t)atoi(argv[++i]));
		else
			strvec_push(&plans, argv[i]);
	}
	if ((r = loop_new(&loop)) < 0)
		return 2;
	r = tui_run(loop, e, &opts, &ds);
	if (r < 0)
		fprintf(stderr, "fake_console: %s\n", err_text(r));
	diags_print(&ds, 2);
	for (i = 0; (size_t)i < fake_ops(e); i++)
		printf("op %d %s %s/%u\n", fake_op(e, (size_t)i)->kind,
		    fake_op(e, (size_t)i)->agent,
		    fake_op(e, (size_t)i)->id.run,
		    fake_op(e, (size_t)i)->id.execution);
	diags_done(&ds);
	strvec_done(&plans);
	engine_free(e);
	loop_free(loop);
	return r < 0 ? 1 : 0;
}
