/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plans without a launch: what they expand to, and how they would run. */
#include "config.h"

#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/when.h"
#include "yardmaster/engine/lengths.h"
#include "yardmaster/engine/simulate.h"

#include "cli/plan_args.h"
#include "cli/session.h"
#include "cli/terminal.h"

static int
cmd_show(struct cli *c)
{
	struct buf out = BUF_INIT;
	struct plan *p = NULL;
	int r;

	if ((r = plan_args_load(c, c->args.v[0], &p)) != 0)
		return r;
	if (cli_has(c, "json"))
		plan_show_json(p, &out);
	else
		plan_show_text(p, &out);
	fputs(buf_str(&out), stdout);
	if (cli_has(c, "json"))
		putchar('\n');
	buf_done(&out);
	plan_free(p);
	return EXIT_OK;
}

/* False once who asked has closed the other end of standard input. */
static bool
is_wanted(void *arg, const char *suite, uint32_t tests, int64_t elapsed_us)
{
	struct pollfd in = { .fd = STDIN_FILENO };

	return poll(&in, 1, 0) <= 0 || (in.revents & POLLHUP) == 0;
}

/* "plan discover PLAN": runs the discovery for a console, which must not wait
 * itself, and prints the whole plan as a snapshot. */
static int
cmd_discover(struct cli *c)
{
	struct plan_progress progress = { .found = is_wanted };
	struct plan_select select = PLAN_SELECT_INIT;
	struct diags ds = DIAGS_INIT;
	struct buf out = BUF_INIT;
	struct plan *p = NULL;
	int r;

	if ((r = plan_args_select(c, &select)) != 0)
		goto out;
	r = plan_load(c->args.v[0], &ds, &p);
	if (r == 0 && plan_discovers(p))
		r = plan_discover(p, &progress, &ds);
	if (r == 0)
		r = plan_expand(p, &select, &ds);
	if (r == 0) {
		plan_snapshot(p, &out);
		fwrite(buf_data(&out), 1, buf_len(&out), stdout);
	} else if (ds.n == 0) {
		cli_fail(c, 0, "%s: %s", c->args.v[0], err_text(r));
	}
	buf_done(&out);
	plan_free(p);
	r = cli_diags(&ds, r < 0 ? EXIT_USAGE : EXIT_OK);
out:
	plan_select_done(&select);
	return r;
}

/* The values of "plan simulate" and "plan order", as they were given. */
struct sim_args {
	struct simulate_opts opts;
	struct jdoc history, actual, fails;
	struct fleet_spec *fleet;
	int64_t rtt_us;
};

static int
load_lengths(const struct cli *c, const char *opt, struct jdoc *doc,
    const struct jval **ret)
{
	struct diags ds = DIAGS_INIT;

	if (cli_get(c, opt) == NULL)
		return 0;
	if (lengths_load(doc, cli_get(c, opt), &ds) < 0)
		return cli_diags(&ds, EXIT_USAGE);
	diags_done(&ds);
	*ret = doc->root;
	return 0;
}

static int
load_fleet(const struct cli *c, struct sim_args *a)
{
	struct diags ds = DIAGS_INIT;
	int r = fleet_open(cli_get(c, "fleet"), &ds, &a->fleet);

	return cli_diags(&ds, r < 0 ? EXIT_USAGE : 0);
}

static void
sim_args_done(struct sim_args *a)
{
	fleet_spec_free(a->fleet);
	if (a->opts.history != NULL)
		jdoc_done(&a->history);
	if (a->opts.actual != NULL)
		jdoc_done(&a->actual);
	if (a->opts.fails != NULL)
		jdoc_done(&a->fails);
}

static int
read_number(const struct cli *c, const char *opt, double max, double *ret)
{
	const char *text = cli_get(c, opt);
	char *end;

	if (text == NULL)
		return 0;
	*ret = strtod(text, &end);
	if (end == text || *end != '\0' || !isfinite(*ret) || *ret < 0 ||
	    *ret > max)
		return cli_fail(c, EXIT_USAGE, "--%s %s: a number from 0 to "
		    "%g", opt, text, max);
	return 0;
}

/* When it is launched. */
static int
read_begin(const struct cli *c, int64_t *ret_us)
{
	int64_t now = clock_wall_us();
	char *error = NULL;
	struct when w;

	*ret_us = now;
	if (cli_get(c, "at") == NULL)
		return 0;
	if (when_parse(cli_get(c, "at"), &w, &error) < 0) {
		cli_fail(c, 0, "--at %s: %s", cli_get(c, "at"), error);
		free(error);
		return EXIT_USAGE;
	}
	*ret_us = when_first(&w, now);
	return 0;
}

static int
read_sim_args(const struct cli *c, struct sim_args *a)
{
	double rtt_ms = 0, seed = 1;
	int r;

	if (cli_get(c, "startup") != NULL && duration_parse(
	    cli_get(c, "startup"), &a->opts.startup_us) < 0)
		return cli_fail(c, EXIT_USAGE, "--startup %s: a duration such "
		    "as 2s", cli_get(c, "startup"));
	if ((r = read_number(c, "rtt", 1e6, &rtt_ms)) != 0 ||
	    (r = read_number(c, "fail", 1, &a->opts.fail)) != 0 ||
	    (r = read_number(c, "seed", 9e15, &seed)) != 0 ||
	    (r = load_lengths(c, "history", &a->history,
	    &a->opts.history)) != 0 ||
	    (r = load_lengths(c, "actual", &a->actual, &a->opts.actual)) != 0)
		return r;
	if ((r = read_begin(c, &a->opts.at_wall_us)) != 0)
		return r;
	a->rtt_us = (int64_t)(rtt_ms * 1000);
	a->opts.seed = (uint64_t)seed;
	return load_fleet(c, a);
}

typedef void (*write_fn)(const struct simulation *s, struct buf *out);

static void
put_simulated(const struct simulation *s, struct buf *out)
{
	char makespan[DURATION_TEXT], bound[DURATION_TEXT];
	struct chart_look look;
	struct simulated sum;

	terminal_look(&look);
	simulation_sum(s, &sum);
	simulate_chart(s, &look, out);
	buf_putf(out, "%u executions, %u attempts; makespan %s, lower bound "
	    "%s", sum.executions, sum.attempts,
	    duration_format(sum.makespan_us, makespan),
	    duration_format(sum.bound_us, bound));
	if (sum.bound_us > 0)
		buf_putf(out, ", ratio %.3f", (double)sum.makespan_us /
		    (double)sum.bound_us);
	buf_putc(out, '\n');
	simulate_reasons(s, out);
	if (sum.never > 0)
		buf_putf(out, "%u executions never start on this fleet\n",
		    sum.never);
}

/* What is printed of a simulation. */
struct sim_print {
	write_fn text, json;
	bool explain;
};

/* Loads the plan, simulates it and prints that of it. */
static int
simulate_and_print(struct cli *c, const struct sim_args *a,
    const struct sim_print *how)
{
	struct diags ds = DIAGS_INIT;
	struct simulation *s = NULL;
	struct buf out = BUF_INIT;
	struct plan *p = NULL;
	int r;

	if ((r = plan_args_load(c, c->args.v[0], &p)) != 0)
		return r;
	plan_fix_schedules(p, a->opts.at_wall_us, NULL, &ds);
	cli_diags(&ds, 0);
	r = simulate_fleet(p, a->fleet, a->rtt_us, &a->opts, &s);
	if (r == 0 && how->explain)
		r = simulation_explain(s);
	if (r < 0) {
		r = cli_fail(c, EXIT_USAGE, "%s", err_text(r));
		goto out;
	}
	(cli_has(c, "json") ? how->json : how->text)(s, &out);
	fputs(buf_str(&out), stdout);
	if (cli_has(c, "json"))
		putchar('\n');
out:
	simulation_free(s);
	buf_done(&out);
	plan_free(p);
	return r;
}

static int
cmd_simulate(struct cli *c)
{
	static const struct sim_print how = {
		put_simulated, simulate_json, true
	};
	struct sim_args a = { .fleet = NULL };
	int r;

	if ((r = read_sim_args(c, &a)) == 0)
		r = simulate_and_print(c, &a, &how);
	sim_args_done(&a);
	return r;
}

static int
cmd_order(struct cli *c)
{
	static const struct sim_print how = {
		simulate_order_text, simulate_order_json, false
	};
	struct sim_args a = { .fleet = NULL };
	int r;

	a.opts.at_wall_us = clock_wall_us();
	if ((r = load_lengths(c, "history", &a.history,
	    &a.opts.history)) != 0 || (r = load_fleet(c, &a)) != 0)
		goto out;
	/* As a launch would: what was recorded, unless a file says. */
	if (a.opts.history == NULL && lengths_recorded(&a.history) == 0)
		a.opts.history = a.history.root;
	if (lengths_recorded_fails(&a.fails) == 0)
		a.opts.fails = a.fails.root;
	r = simulate_and_print(c, &a, &how);
out:
	sim_args_done(&a);
	return r;
}

static const struct cli_opt discover_opts[] = { SELECT_OPTS, { NULL } };
static const struct cli_opt show_opts[] = {
	SELECT_OPTS, JSON_OPT, { NULL }
};
static const struct cli_opt simulate_opts[] = {
	SELECT_OPTS, FLEET_OPT, JSON_OPT,
	{ "history", 0, "FILE", "seconds by test: what the scheduler "
	    "believes" },
	{ "actual", 0, "FILE", "seconds by test: what happens" },
	{ "startup", 0, "TIME", "the cost of starting each process" },
	{ "at", 0, "WHEN", "as if it were launched then, not now" },
	{ "rtt", 0, "MS", "round trip to every agent, in milliseconds" },
	{ "fail", 0, "RATE", "chance of a step to fail, 0 to 1" },
	{ "seed", 0, "N", "of the random numbers" },
	{ NULL }
};
static const struct cli_opt order_opts[] = {
	SELECT_OPTS, FLEET_OPT, JSON_OPT,
	{ "history", 0, "FILE", "seconds by test, instead of what was "
	    "recorded" },
	{ NULL }
};

const struct cli_command cli_plan_commands[] = {
	{ "plan show", "PLAN", "the executions a plan expands to", NULL,
	    show_opts, 1, 1, cmd_show },
	{ "plan discover", "PLAN", "a plan with the tests it discovers, as a "
	    "snapshot", NULL, discover_opts, 1, 1, cmd_discover,
	    .hidden = true },
	{ "plan simulate", "PLAN", "a plan on a fleet in made-up time",
	    "The real scheduler runs the plan with a made-up clock. Without "
	    "an actual length\na test takes what history says, else its "
	    "estimate, else 60 s. Shown are a chart\nof the workers, the "
	    "lower bound, and what made it longer, in seconds.\n",
	    simulate_opts, 1, 1, cmd_simulate },
	{ "plan order", "PLAN", "in which order the executions would start",
	    "Predicted by the real scheduler on the agents of the fleet file, "
	    "from the history\nthat earlier runs recorded. What has no "
	    "length at all counts as 60 s.\n",
	    order_opts, 1, 1, cmd_order },
	{ NULL }
};
