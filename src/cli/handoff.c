/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Giving runs to processes of their own sessions. */
#include "config.h"

#include <stdlib.h>
#include <unistd.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/paths.h"
#include "yardmaster/sys/proc.h"

#include "cli/handoff.h"

extern char **environ;

void
handoff_collect(const struct engine *e, struct strvec *runs)
{
	const struct run *run;
	size_t i;

	if (e == NULL)
		return;
	for (i = 0; i < engine_run_count(e); i++) {
		run = engine_run(e, i);
		if (run->ours && run->state != RUN_ENDED)
			strvec_push(runs, run->id);
	}
}

int
handoff_start(const struct cli *c, const char *run, const char *fleet)
{
	struct strvec argv = STRVEC_INIT;
	char *full = NULL, *state = NULL, *log = NULL;
	int r;

	strvec_push(&argv, "/proc/self/exe");
	strvec_push(&argv, "serve");
	strvec_push(&argv, "--run");
	strvec_push(&argv, run);
	/* The daemon's folder is "/". */
	if (fleet != NULL && (full = realpath(fleet, NULL)) != NULL) {
		strvec_push(&argv, "--fleet");
		strvec_push(&argv, full);
	}
	if (paths_state(&state) == 0)
		log = str_fmt("%s/runs/%s.log", state, run);
	r = proc_daemonize(strvec_argv(&argv), environ, log);
	if (r < 0)
		cli_fail(c, 0, "%s: could not be handed over (%s); "
		    "yardmaster resume %s goes on with it", run, err_text(r),
		    run);
	else
		cli_fail(c, 0, "%s goes on without this console; "
		    "yardmaster resume %s follows it", run, run);
	strvec_done(&argv);
	free(full);
	free(state);
	free(log);
	return r;
}
