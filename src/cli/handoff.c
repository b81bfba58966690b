/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Giving runs to processes of their own sessions. */
#include "config.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/store/run_file.h"
#include "yardmaster/sys/paths.h"
#include "yardmaster/sys/proc.h"

#include "cli/handoff.h"

#define TAKEN_WAIT_MS 10000
#define TAKEN_LOOK_MS 20

extern char **environ;

void
handoff_begin(struct engine *e)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	engine_export_secrets(e);
}

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

/* True when a process drives the run, or has driven it to its end. */
static bool
is_taken(const char *state, const char *run)
{
	struct run_file *file = NULL;
	struct run_owner owner;
	struct run_head head;
	bool ended;

	memset(&owner, 0, sizeof owner);
	if (run_owner_read(state, run, &owner) == 0) {
		run_owner_done(&owner);
		return true;
	}
	if (run_file_open(state, run, &file) < 0)
		return false;
	ended = run_file_head(file, &head) == 0 && head.state == RUN_ENDED;
	run_file_close(file);
	return ended;
}

/* Who says that the run goes on has seen that it does. */
static int
wait_taken(const char *state, const char *run)
{
	int i;

	for (i = 0; i < TAKEN_WAIT_MS / TAKEN_LOOK_MS; i++) {
		if (is_taken(state, run))
			return 0;
		poll(NULL, 0, TAKEN_LOOK_MS);
	}
	return ERR_TIMEOUT;
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
	if ((r = paths_state(&state)) < 0)
		goto out;
	log = str_fmt("%s/runs/%s.log", state, run);
	r = proc_daemonize(strvec_argv(&argv), environ, log);
	if (r == 0)
		r = wait_taken(state, run);
out:
	if (r < 0)
		cli_fail(c, 0, "%s: could not be handed over (%s; see %s); "
		    "yardmaster resume %s goes on with it", run, err_text(r),
		    log != NULL ? log : "its log", run);
	else
		cli_fail(c, 0, "%s goes on without this console; "
		    "yardmaster resume %s follows it", run, run);
	strvec_done(&argv);
	free(full);
	free(state);
	free(log);
	return r;
}
