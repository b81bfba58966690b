/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "exec": ad-hoc work, as a run that is made from the command line. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/plan/adhoc.h"

#include "cli/exec_out.h"
#include "cli/launch.h"

#define SEPARATOR ":::"
#define INPUT_MAX (64u << 20)
#define TIMEOUT_MAX_US (366 * 86400 * US_PER_S)

/* What the command line says, beside the options. */
struct jobs {
	struct adhoc a;
	struct strvec command, args, agents;
	bool has_args;
};

static void
split_words(const struct cli *c, struct jobs *j)
{
	size_t i;

	for (i = 0; i < c->args.n; i++) {
		if (!j->has_args && strcmp(c->args.v[i], SEPARATOR) == 0)
			j->has_args = true;
		else
			strvec_push(j->has_args ? &j->args : &j->command,
			    c->args.v[i]);
	}
}

/* Whether somebody means standard input to be read: a pipe, a file, a socket.
 * A terminal or /dev/null says nothing. */
static bool
has_input(void)
{
	struct stat st;

	return fstat(STDIN_FILENO, &st) == 0 && (S_ISFIFO(st.st_mode) ||
	    S_ISREG(st.st_mode) || S_ISSOCK(st.st_mode));
}

/* Every line (with --null: every text that ends with NUL) but empty ones. */
static int
read_input(const struct cli *c, struct strvec *args)
{
	int end = cli_has(c, "null") ? '\0' : '\n', r = 0;
	size_t cap = 0, all = 0;
	char *line = NULL;
	ssize_t n;

	while (r == 0 && (n = getdelim(&line, &cap, end, stdin)) > 0) {
		all += (size_t)n;
		if (line[n - 1] == end)
			line[--n] = '\0';
		if (all > INPUT_MAX)
			r = cli_fail(c, EXIT_USAGE, "standard input is longer "
			    "than 64 MB");
		else if (strlen(line) != (size_t)n)
			r = cli_fail(c, EXIT_USAGE, "standard input has a NUL "
			    "byte; see --null");
		else if (n > 0)
			strvec_push(args, line);
	}
	if (r == 0 && ferror(stdin))
		r = cli_fail(c, EXIT_ERRORS, "standard input: %s",
		    err_text(-errno));
	free(line);
	return r;
}

/* The terms of all --on, which may be lists with commas. */
static void
read_terms(const struct cli *c, struct strvec *terms)
{
	const struct strvec *on = cli_all(c, "on");
	char *copy, *p, *term;
	size_t i;

	for (i = 0; i < on->n; i++) {
		/* A pattern may hold commas. */
		if (strchr(on->v[i], '/') != NULL) {
			strvec_push(terms, on->v[i]);
			continue;
		}
		copy = p = str_dup(on->v[i]);
		while ((term = strsep(&p, ",")) != NULL)
			strvec_push(terms, term);
		free(copy);
	}
}

/* The agents of the fleet that are meant. */
static int
choose_agents(const struct cli *c, const struct strvec *terms,
    struct strvec *names)
{
	const char *target = cli_get(c, "target");
	struct fleet_spec *fleet = NULL;
	struct selector *sel = NULL;
	struct diags ds = DIAGS_INIT;
	const struct agent_spec *a;
	char *error = NULL;
	size_t i;
	int r;

	if (fleet_open(cli_get(c, "fleet"), &ds, &fleet) < 0)
		return cli_diags(&ds, EXIT_USAGE);
	diags_done(&ds);
	r = selector_new(terms, &sel, &error, NULL) < 0 ?
	    cli_fail(c, EXIT_USAGE, "--on: %s", error) : 0;
	for (i = 0; r == 0 && i < fleet->n_agents; i++) {
		a = &fleet->agents[i];
		if (selector_match(sel, a->name, &a->labels) &&
		    (target == NULL || agent_spec_offers(a, target)))
			strvec_push(names, a->name);
	}
	if (r == 0 && names->n == 0)
		r = cli_fail(c, EXIT_USAGE, "no agent of the fleet %s is "
		    "meant", fleet->name);
	selector_free(sel);
	free(error);
	fleet_spec_free(fleet);
	return r;
}

static int
read_limits(const struct cli *c, struct adhoc *a)
{
	const char *timeout = cli_get(c, "timeout"), *jobs = cli_get(c, "jobs");
	char *end;
	long n;

	if (timeout != NULL && (duration_parse(timeout, &a->timeout_us) < 0 ||
	    a->timeout_us <= 0 || a->timeout_us > TIMEOUT_MAX_US))
		return cli_fail(c, EXIT_USAGE, "--timeout %s: a duration such "
		    "as 10m", timeout);
	if (jobs == NULL)
		return 0;
	n = strtol(jobs, &end, 10);
	if (end == jobs || *end != '\0' || n < 1 || n > UINT32_MAX)
		return cli_fail(c, EXIT_USAGE, "--jobs %s: a number from 1",
		    jobs);
	a->jobs = (uint32_t)n;
	return 0;
}

/* All that is to be known before anything is launched. */
static int
read_jobs(const struct cli *c, struct jobs *j)
{
	struct strvec terms = STRVEC_INIT;
	int r;

	split_words(c, j);
	if (j->command.n == 0)
		return cli_fail(c, EXIT_USAGE, "a command is wanted before "
		    SEPARATOR);
	if (cli_has(c, "group") && cli_has(c, "line"))
		return cli_fail(c, EXIT_USAGE, "--group or --line, not both");
	if ((r = read_limits(c, &j->a)) != 0)
		return r;
	if (!j->has_args && !cli_has(c, "per-agent") && has_input()) {
		j->has_args = true;
		if ((r = read_input(c, &j->args)) != 0)
			return r;
	}
	if (j->has_args && j->args.n == 0)
		return cli_fail(c, EXIT_USAGE, "nothing to run: no arguments");
	read_terms(c, &terms);
	r = choose_agents(c, &terms, &j->agents);
	if (r == 0 && j->has_args) {
		strvec_done(&j->agents);
		strvec_push_all(&j->agents, &terms);
	}
	strvec_done(&terms);
	j->a.command = &j->command;
	j->a.args = j->has_args ? &j->args : NULL;
	j->a.agents = &j->agents;
	j->a.target = cli_get(c, "target");
	return r;
}

static int
launch_jobs(struct cli *c, struct jobs *j)
{
	struct follow f = { .c = c, .quiet = true, .terse = true };
	struct outputs o = {
		.f = &f, .names = j->has_args ? &j->args : &j->agents,
		.tty = isatty(STDOUT_FILENO),
	};
	struct diags ds = DIAGS_INIT;
	struct plan *p = NULL;

	o.group = cli_has(c, "group") || (!o.tty && !cli_has(c, "line"));
	if (!cli_has(c, "json") && !cli_has(c, "quiet")) {
		f.watch = outputs_watch;
		f.unwatch = outputs_done;
		f.watch_arg = &o;
	}
	if (plan_adhoc(&j->a, &ds, &p) < 0)
		return cli_diags(&ds, EXIT_USAGE);
	cli_diags(&ds, 0);
	return launch_and_follow(c, p, &f);
}

static int
cmd_exec(struct cli *c)
{
	struct jobs j = { .has_args = false };
	int r;

	if ((r = read_jobs(c, &j)) == 0)
		r = launch_jobs(c, &j);
	strvec_done(&j.command);
	strvec_done(&j.args);
	strvec_done(&j.agents);
	return r;
}

static const struct cli_opt exec_opts[] = {
	{ "on", 0, "SEL", "only these agents: names, @labels, /patterns/, "
	    "each with ! before it to leave out (repeatable)" },
	{ "target", 0, "NAME", "on agents that offer it, within its limits" },
	{ "jobs", 'J', "N", "at most so many at once" },
	{ "timeout", 't', "TIME", "end a job that takes longer" },
	{ "per-agent", 'P', NULL, "one job for each agent; standard input is "
	    "not read" },
	{ "null", '0', NULL, "arguments of standard input end with NUL, not "
	    "with the line" },
	{ "group", 'g', NULL, "the output of each job in one piece, at its "
	    "end" },
	{ "line", 'l', NULL, "output line by line, each with the name of its "
	    "job" },
	LAUNCH_OPTS, { NULL }
};

const struct cli_command cli_exec_commands[] = {
	{ "exec", "[--] COMMAND [WORD...] [::: ARGUMENT...]",
	    "run a command on agents now, once for each agent or argument",
	    "With ::: there is one job for each argument, on whichever agent "
	    "is free; so there\nis for each line of standard input when that "
	    "is a pipe or a file. Else there is\none for each agent. {} in a "
	    "word of the command is replaced by the argument;\nwithout it "
	    "the argument comes last. No shell is involved. Jobs may use all "
	    "workers\nof an agent, beyond its threshold. Exit codes are those "
	    "of run.\n",
	    exec_opts, 1, -1, cmd_exec, .raw = true },
	{ NULL }
};
