/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The console on the screen, the demo, and the console without a screen. */
#include "config.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/when.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/paths.h"
#include "yardmaster/tui/tui.h"

#include "cli/demo.h"
#include "cli/follow.h"
#include "cli/handoff.h"
#include "cli/launch.h"
#include "cli/owner_client.h"
#include "cli/session.h"

/* The plan files of the Plans pane: of the current folder and, with the
 * demo's fleet, the shipped examples. */
static void
find_plans(struct strvec *plans, const char *examples)
{
	static const char *const here[] = { "*.plan.json", "plans/*.json" };
	char *pattern;
	glob_t g;
	size_t i;

	memset(&g, 0, sizeof g);
	for (i = 0; i < sizeof here / sizeof *here; i++)
		glob(here[i], i > 0 ? GLOB_APPEND : 0, NULL, &g);
	if (examples != NULL) {
		pattern = path_join(examples, "*.json");
		glob(pattern, GLOB_APPEND, NULL, &g);
		free(pattern);
	}
	for (i = 0; i < g.gl_pathc; i++)
		strvec_push(plans, g.gl_pathv[i]);
	globfree(&g);
}

static int
color_mode(const char *word)
{
	if (word == NULL || strcmp(word, "auto") == 0)
		return TUI_COLOR_AUTO;
	if (strcmp(word, "always") == 0)
		return TUI_COLOR_ALWAYS;
	return strcmp(word, "never") == 0 ? TUI_COLOR_NEVER : -1;
}

/* Opens the screen over a session; launch may be NULL. */
static int
open_screen(struct session *s, struct cli *c, const char *launch)
{
	struct strvec plans = STRVEC_INIT;
	struct diags ds = DIAGS_INIT;
	char *state = NULL, *config = NULL, *examples = paths_data("examples");
	struct tui_opts opts = {
		.theme = cli_get(c, "theme"),
		.keymap = cli_get(c, "keymap"),
		.launch = launch,
		.plans = &plans,
		.protected_fleet = s->fleet->protected,
	};
	int r = color_mode(cli_get(c, "color"));

	if (r < 0) {
		r = cli_fail(c, EXIT_USAGE, "--color auto, always or never");
		goto out;
	}
	opts.color = (enum tui_color)r;
	if (opts.theme == NULL)
		opts.theme = s->fleet->theme;
	if (paths_state(&state) == 0)
		opts.state_dir = state;
	if (paths_config(&config) == 0)
		opts.config_dir = config;
	find_plans(&plans, examples);
	r = tui_run(s->loop, s->engine, &opts, &ds);
	if (r == ERR_UNSUPPORTED)
		r = cli_fail(c, EXIT_USAGE, "the console needs a terminal; "
		    "yardmaster --help lists what works without one");
	else if (r < 0)
		r = cli_fail(c, EXIT_ERRORS, "%s", err_text(r));
	cli_diags(&ds, 0);
out:
	strvec_done(&plans);
	free(state);
	free(config);
	free(examples);
	return r;
}

/* Closes the session; the runs that go on get a process of their own. */
static int
leave(struct session *s, struct cli *c, int code)
{
	struct strvec runs = STRVEC_INIT;
	char *fleet = s->fleet != NULL ? str_dup(s->fleet->file) : NULL;
	size_t i;

	handoff_collect(s->engine, &runs);
	if (runs.n > 0)
		handoff_begin(s->engine);
	session_close(s);
	for (i = 0; i < runs.n; i++)
		handoff_start(c, runs.v[i], fleet);
	strvec_done(&runs);
	free(fleet);
	return code;
}

static int
cmd_console(struct cli *c)
{
	struct session s;
	int r;

	if ((r = session_open(&s, c, cli_get(c, "fleet"))) == 0) {
		/* What is wrong with that is an event of the console. */
		(void)engine_serve(s.engine, false);
		r = open_screen(&s, c, cli_get(c, "launch"));
	}
	return leave(&s, c, r);
}

static int
cmd_demo(struct cli *c)
{
	char *plan = paths_data("examples/demo.json");
	struct session s;
	int r;

	if (plan == NULL)
		return cli_fail(c, EXIT_ERRORS, "the sample plan demo.json is "
		    "not where it was installed");
	if ((r = session_open_fleet(&s, c, fleet_embedded())) != 0)
		r = leave(&s, c, r);
	else if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) &&
	    !cli_has(c, "headless"))
		r = leave(&s, c, open_screen(&s, c, plan));
	else
		r = leave(&s, c, demo_headless(&s, c, plan));
	free(plan);
	return r;
}

/* A run of which nothing can start. */
struct stuck {
	char run[RUN_ID_SIZE];
	int64_t since_us;
	bool given_up;
};

struct serve {
	struct session s;
	const struct cli *c;
	uint64_t told;		/* events so far */
	int64_t give_up_us;
	struct stuck *stuck;
	size_t n_stuck, cap_stuck;
};

/* Ends as error what cannot start for so long: no person looks, and the next
 * launch of its schedule waits for its end. */
static void
watch_run(struct serve *v, const struct run *run)
{
	struct op op = { .kind = OP_GIVE_UP };
	bool stuck = run->state != RUN_ENDED && follow_stuck(run) != NULL;
	struct stuck *at;
	size_t i = 0;

	while (i < v->n_stuck && strcmp(v->stuck[i].run, run->id) != 0)
		i++;
	if (i < v->n_stuck && !stuck)
		v->stuck[i] = v->stuck[--v->n_stuck];
	if (!stuck)
		return;
	if (i == v->n_stuck) {
		v->stuck = mem_grow(v->stuck, &v->cap_stuck, i + 1,
		    sizeof *v->stuck);
		v->stuck[v->n_stuck++] = (struct stuck){
			.since_us = clock_mono_us() };
		memcpy(v->stuck[i].run, run->id, sizeof run->id);
	}
	at = &v->stuck[i];
	if (at->given_up || clock_mono_us() - at->since_us < v->give_up_us)
		return;
	at->given_up = true;
	cli_fail(v->c, 0, "%s: giving up: nothing can start", run->id);
	memcpy(op.id.run, run->id, sizeof op.id.run);
	engine_op(v->s.engine, &op, NULL, NULL);
}

static void
watch_runs(struct serve *v)
{
	const struct run *run;
	size_t i;

	for (i = 0; i < engine_run_count(v->s.engine); i++) {
		run = engine_run(v->s.engine, i);
		if (run->ours)
			watch_run(v, run);
	}
}

static void
tell_events(struct serve *v)
{
	size_t n = engine_event_count(v->s.engine), i = n;
	const struct event *ev;
	char at[WHEN_TEXT];

	while (i > 0 && engine_event(v->s.engine, i - 1)->seq > v->told)
		i--;
	for (; i < n; i++) {
		ev = engine_event(v->s.engine, i);
		v->told = ev->seq;
		cli_fail(v->c, 0, "%s: %s%s%s", when_format(ev->wall_us, at),
		    ev->object != NULL ? ev->object : "",
		    ev->object != NULL ? ": " : "", ev->text);
	}
}

/* There is always more to wait for. */
static bool
serve_turn(void *arg)
{
	watch_runs(arg);
	tell_events(arg);
	return false;
}

/* A console without a screen: launches what is scheduled, until a signal. */
static int
serve_schedules(struct cli *c)
{
	struct serve v = { .c = c };
	int r;

	if ((r = launch_give_up(c, &v.give_up_us)) != 0)
		return r;
	if ((r = session_open(&v.s, c, cli_get(c, "fleet"))) != 0)
		goto out;
	if (engine_read_only(v.s.engine)) {
		r = cli_fail(c, EXIT_USAGE, "the fleet %s is read-only: "
		    "nothing would be launched",
		    engine_fleet_name(v.s.engine));
		goto out;
	}
	if (engine_serve(v.s.engine, true) < 0) {
		tell_events(&v);
		r = EXIT_ERRORS;
		goto out;
	}
	cli_fail(c, 0, "launches what is scheduled for the fleet %s",
	    engine_fleet_name(v.s.engine));
	session_wait(&v.s, serve_turn, &v, 0);
	r = EXIT_OK;
out:
	free(v.stuck);
	return leave(&v.s, c, r);
}

/* "serve --run RUN": drives a run that was handed over, without a screen. */
static int
cmd_serve(struct cli *c)
{
	struct follow f = { .c = c, .quiet = true };
	struct diags ds = DIAGS_INIT;
	const char *run = cli_get(c, "run");
	struct session s;
	int r;

	if (run == NULL)
		return serve_schedules(c);
	if (!owner_exists(run))
		return cli_fail(c, EXIT_USAGE, "%s: no such run here; "
		    "yardmaster runs lists them", run);
	/* Who handed it over may come back, unless it is said otherwise. */
	if (cli_has(c, "give-up") &&
	    (r = launch_give_up(c, &f.give_up_us)) != 0)
		return r;
	if ((r = session_open(&s, c, cli_get(c, "fleet"))) != 0)
		goto out;
	if ((r = engine_adopt(s.engine, run, &ds)) < 0) {
		if (ds.n == 0)
			cli_fail(c, 0, "%s: %s", run, err_text(r));
		r = cli_diags(&ds, EXIT_ERRORS);
		goto out;
	}
	f.s = &s;
	snprintf(f.run, sizeof f.run, "%s", run);
	r = follow_run(&f);
out:
	session_close(&s);
	return r < 0 ? EXIT_CANCELLED : r;
}

static int
cmd_keymap(struct cli *c)
{
	struct diags ds = DIAGS_INIT;
	struct buf out = BUF_INIT;
	int r;

	r = tui_keymap_dump(c->args.n > 0 ? c->args.v[0] : NULL, &out, &ds);
	fputs(buf_str(&out), stdout);
	buf_done(&out);
	return cli_diags(&ds, r < 0 ? EXIT_USAGE : EXIT_OK);
}

#define SCREEN_OPTS \
	{ "theme", 0, "NAME", "a theme by name or file" }, \
	{ "keymap", 0, "NAME", "a key map by name or file" }, \
	{ "color", 0, "WHEN", "auto (obeys NO_COLOR), always or never", \
	    "auto always never" }

static const struct cli_opt console_opts[] = {
	FLEET_OPT, SCREEN_OPTS,
	{ "launch", 'l', "PLAN", "open with the launch of this plan" },
	{ NULL }
};
static const struct cli_opt demo_opts[] = {
	SCREEN_OPTS,
	{ "headless", 0, NULL, "without the screen, also on a terminal" },
	{ NULL }
};
static const struct cli_opt serve_opts[] = {
	FLEET_OPT,
	{ "run", 'r', "RUN", "drive that run to its end and nothing else" },
	{ "give-up", 0, "TIME", "end as error what cannot start for so long "
	    "(default 10m)" },
	{ NULL }
};

const struct cli_command cli_console_commands[] = {
	{ "console", "", "open the console (the default)", NULL,
	    console_opts, 0, 0, cmd_console },
	{ "demo", "", "the console on three local agents and a sample plan",
	    "Without a terminal the sample plan runs headless; the exit code "
	    "is 0 when the\nforeseen results came.\n",
	    demo_opts, 0, 0, cmd_demo },
	{ "serve", "", "a console without a screen: launches what is "
	    "scheduled",
	    "It stays until INT, TERM or HUP, says on standard error what "
	    "happens, and hands its\nruns over when it leaves.\n",
	    serve_opts, 0, 0, cmd_serve },
	{ "keymap dump", "[NAME]", "print a key map, every action with its "
	    "help", NULL, NULL, 0, 1, cmd_keymap },
	{ NULL }
};
