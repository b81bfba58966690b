/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Upkeep of the state folder: check, backup, prune. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/store/run_file.h"

#include "cli/owner_client.h"

#define PRUNE_KEEPS 100

struct upkeep {
	const struct cli *c;
	const char *state_dir;
	struct strvec runs;	/* ids, newest first */
	bool ended_only;
};

static int
add_run(void *arg, const struct run_summary *s)
{
	struct upkeep *u = arg;

	if (!u->ended_only || s->head->state == RUN_ENDED)
		strvec_push(&u->runs, s->head->id);
	return 0;
}

static int
check_run(struct upkeep *u, const char *run)
{
	char *text = NULL;
	int r = run_check(u->state_dir, run, &text);

	if (r == 0)
		printf("%s: ok\n", run);
	else
		cli_fail(u->c, 0, "%s: %s", run, text != NULL ? text :
		    err_text(r));
	free(text);
	return r < 0 ? EXIT_ERRORS : EXIT_OK;
}

static int
do_check(struct upkeep *u)
{
	int code = EXIT_OK;
	size_t i;

	strvec_push_all(&u->runs, &u->c->args);
	if (u->runs.n == 0 && run_list(u->state_dir, add_run, u) < 0)
		return cli_fail(u->c, EXIT_ERRORS, "the runs cannot be listed");
	for (i = 0; i < u->runs.n; i++)
		if (check_run(u, u->runs.v[i]) != EXIT_OK)
			code = EXIT_ERRORS;
	return code;
}

static int
do_backup(struct upkeep *u)
{
	const char *run = u->c->args.v[0], *path = u->c->args.v[1];
	int r = run_backup(u->state_dir, run, path);

	if (r < 0)
		return cli_fail(u->c, r == ERR_NOT_FOUND ? EXIT_USAGE :
		    EXIT_ERRORS, "%s: %s", r == ERR_NOT_FOUND ? run : path,
		    err_text(r));
	return EXIT_OK;
}

static int
do_prune(struct upkeep *u)
{
	const char *text = cli_get(u->c, "keep");
	char *end = NULL;
	long keep = text != NULL ? strtol(text, &end, 10) : PRUNE_KEEPS;
	size_t i;

	if (text != NULL && (end == text || *end != '\0' || keep < 0))
		return cli_fail(u->c, EXIT_USAGE, "--keep %s: a number", text);
	u->ended_only = true;
	if (run_list(u->state_dir, add_run, u) < 0)
		return cli_fail(u->c, EXIT_ERRORS, "the runs cannot be listed");
	for (i = (size_t)keep; i < u->runs.n; i++)
		if (run_remove(u->state_dir, u->runs.v[i]) == 0)
			printf("%s: removed\n", u->runs.v[i]);
	return EXIT_OK;
}

static int
with_state(struct cli *c, int (*fn)(struct upkeep *))
{
	char *state = owner_state_dir(c);
	struct upkeep u = { .c = c, .state_dir = state };
	int r;

	if (state == NULL)
		return EXIT_ERRORS;
	r = fn(&u);
	strvec_done(&u.runs);
	free(state);
	return r;
}

static int
cmd_check(struct cli *c)
{
	return with_state(c, do_check);
}

static int
cmd_backup(struct cli *c)
{
	return with_state(c, do_backup);
}

static int
cmd_prune(struct cli *c)
{
	return with_state(c, do_prune);
}

static const struct cli_opt prune_opts[] = {
	{ "keep", 0, "N", "how many ended runs stay (default 100)" },
	{ NULL }
};

const struct cli_command cli_store_commands[] = {
	{ "store check", "[RUN...]", "read run files for damage", NULL, NULL,
	    0, -1, cmd_check },
	{ "store backup", "RUN FILE", "a whole, consistent copy of a run",
	    NULL, NULL, 2, 2, cmd_backup },
	{ "store prune", "", "remove the oldest ended runs", NULL, prune_opts,
	    0, 0, cmd_prune },
	{ NULL }
};
