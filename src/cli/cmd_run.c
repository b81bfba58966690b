/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Launching plans and following runs: run, resume, adopt, report. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/report/report.h"
#include "yardmaster/store/run_file.h"

#include "cli/artifacts.h"
#include "cli/ask.h"
#include "cli/attach.h"
#include "cli/dry_run.h"
#include "cli/handoff.h"
#include "cli/launch.h"
#include "cli/owner_client.h"
#include "cli/plan_args.h"
#include "cli/rerun.h"

#define GIVE_UP_US (600 * US_PER_S)
#define RESUME_TRIES 10

int
launch_plan(struct session *s, const struct cli *c, struct plan *p,
    bool now, char *ret_run)
{
	struct launch l = { .plan = p, .now = now };
	struct diags ds = DIAGS_INIT;
	int r;

	if (plan_check_agents(p, s->fleet, &ds) > 0) {
		plan_free(p);
		return cli_diags(&ds, EXIT_USAGE);
	}
	if ((r = engine_launch(s->engine, &l, &ds, ret_run)) < 0) {
		plan_free(p);
		if (ds.n == 0)
			cli_fail(c, 0, "%s", err_text(r));
		return cli_diags(&ds, EXIT_ERRORS);
	}
	return cli_diags(&ds, EXIT_OK);
}

/* The run is followed to its end and reported, or left to go on by itself. */
static int
follow_and_report(struct session *s, const struct cli *c, struct follow *f)
{
	struct copying *copies = copies_new(s, c, f->run);
	char *fleet;
	int code = follow_run(f), r, bad;

	bad = copies_free(copies);
	if (code >= 0) {
		r = launch_report(s, c, f->run, f->terse ? 0 :
		    REPORT_TAILS | REPORT_SUMMARY);
		session_close(s);
		return r != 0 ? r : bad != 0 ? bad : code;
	}
	fleet = str_dup(s->fleet->file);
	handoff_begin(s->engine);
	session_close(s);
	handoff_start(c, f->run, fleet);
	free(fleet);
	return EXIT_CANCELLED;
}

/* Everything is recorded; another process drives the run. */
static int
detach(struct session *s, const struct cli *c, const char *run)
{
	char *fleet = str_dup(s->fleet->file);
	int r;

	handoff_begin(s->engine);
	session_close(s);
	r = handoff_start(c, run, fleet);
	printf("%s\n", run);
	free(fleet);
	return r < 0 ? EXIT_ERRORS : EXIT_OK;
}

int
launch_give_up(const struct cli *c, int64_t *ret_us)
{
	const char *text = cli_get(c, "give-up");

	*ret_us = GIVE_UP_US;
	if (text != NULL && duration_parse(text, ret_us) < 0)
		return cli_fail(c, EXIT_USAGE, "--give-up %s: a duration such "
		    "as 10m", text);
	return 0;
}

/* The plan is faulty: what is wrong with the fleet is said as well. */
static int
check_fleet_too(const struct cli *c, int code)
{
	struct fleet_spec *fleet = NULL;
	struct diags ds = DIAGS_INIT;

	(void)fleet_open(cli_get(c, "fleet"), &ds, &fleet);
	fleet_spec_free(fleet);
	return cli_diags(&ds, code);
}

static void
say_run(const struct session *s, const struct cli *c, const char *id)
{
	const struct run *run = engine_run_find(s->engine, id);
	size_t agents = engine_agent_count(s->engine);
	uint32_t i, no = 0, n = 0;

	cli_fail(c, 0, "run %s, %u execution%s on %zu agent%s", id, run->n,
	    run->n == 1 ? "" : "s", agents, agents == 1 ? "" : "s");
	for (i = run->n; i > 0; i--)
		if (run->executions[i - 1].reason == REASON_SCHEDULE) {
			n++;
			no = i;
		}
	if (n > 0)
		cli_fail(c, 0, "%u of them wait for their schedule; "
		    "yardmaster why %s/%u says until when", n, id, no);
}

int
launch_and_follow(struct cli *c, struct plan *p, struct follow *f)
{
	struct session s;
	int r;

	if ((r = launch_give_up(c, &f->give_up_us)) == 0 &&
	    cli_has(c, "detach") && cli_has(c, "artifacts"))
		r = cli_fail(c, EXIT_USAGE, "--artifacts: nobody copies after "
		    "--detach; resume RUN --artifacts does");
	if (r != 0) {
		plan_free(p);
		return r;
	}
	if ((r = session_open(&s, c, cli_get(c, "fleet"))) != 0) {
		plan_free(p);
		session_close(&s);
		return r;
	}
	f->s = &s;
	if (cli_has(c, "dry-run")) {
		r = dry_run(&s, c, p);
		plan_free(p);
		session_close(&s);
		return r;
	}
	if ((r = launch_plan(&s, c, p, f->now, f->run)) != 0) {
		session_close(&s);
		return r;
	}
	if (cli_has(c, "detach") && follow_packing(f))
		return detach(&s, c, f->run);
	say_run(&s, c, f->run);
	return follow_and_report(&s, c, f);
}

static int
run_plan(struct cli *c, struct plan *p)
{
	struct follow f = { .c = c, .quiet = cli_has(c, "quiet") ||
	    cli_has(c, "json"), .now = cli_has(c, "now") };

	return launch_and_follow(c, p, &f);
}

static int
cmd_run(struct cli *c)
{
	struct plan *p = NULL;
	int r;

	if ((r = plan_args_load(c, c->args.v[0], &p)) != 0)
		return check_fleet_too(c, r);
	return run_plan(c, p);
}

static int
cmd_rerun(struct cli *c)
{
	struct plan *p = NULL;
	int r;

	if ((r = rerun_load(c, &p)) != 0)
		return r;
	return run_plan(c, p);
}

/* Takes the run over and follows it to its end: the exit code in *ret. A
 * negative code, without a message, when another process was faster. */
static int
take_over(const struct cli *c, struct follow *f, int *ret)
{
	struct diags ds = DIAGS_INIT;
	struct session s;
	int r;

	if ((*ret = session_open(&s, c, cli_get(c, "fleet"))) != 0) {
		session_close(&s);
		return 0;
	}
	f->s = &s;
	ask_for_secrets(s.engine);
	if ((r = engine_adopt(s.engine, f->run, &ds)) == 0) {
		diags_done(&ds);
		cli_fail(c, 0, "took over %s", f->run);
		*ret = follow_and_report(&s, c, f);
		return 0;
	}
	session_close(&s);
	if (r == ERR_LOCKED || r == ERR_STATE) {
		diags_done(&ds);
		return r;
	}
	if (ds.n == 0)
		cli_fail(c, 0, "%s: %s", f->run, err_text(r));
	*ret = cli_diags(&ds, EXIT_ERRORS);
	return 0;
}

/* Follows a live owner, reports a run that has ended, takes over one that
 * nobody drives: what is true may change while we look. */
static int
resume(const struct cli *c, struct follow *f)
{
	int tries, r, code, bad;

	for (tries = 0; tries < RESUME_TRIES; tries++) {
		r = attach_follow(c, f->run, f->quiet, &code);
		if (r == 0) {
			fetch_missing(c, f->run);
			bad = copies_free(copies_new(NULL, c, f->run));
			r = launch_report(NULL, c, f->run, REPORT_SUMMARY);
			return r != 0 ? r : bad != 0 ? bad : code;
		}
		if (r == ERR_NOT_FOUND)
			return cli_fail(c, EXIT_USAGE, "%s: no such run here; "
			    "yardmaster runs lists them", f->run);
		if (r != ERR_CLOSED)
			break;
		if ((r = take_over(c, f, &code)) == 0)
			return code;
	}
	return cli_fail(c, EXIT_ERRORS, "%s: %s", f->run, err_text(r));
}

static int
cmd_resume(struct cli *c)
{
	struct follow f = { .c = c, .quiet = cli_has(c, "quiet") ||
	    cli_has(c, "json") };
	struct ident id;
	int r;

	if ((r = cli_run_id(c, &id)) != 0 ||
	    (r = launch_give_up(c, &f.give_up_us)) != 0)
		return r;
	memcpy(f.run, id.run, sizeof f.run);
	return resume(c, &f);
}

static int
cmd_report(struct cli *c)
{
	const char *name = cli_get(c, "format");
	char *state = owner_state_dir(c);
	struct buf out = BUF_INIT;
	struct report_run r;
	report_fn write = report_format(name != NULL ? name : "json");
	int rc;

	if (state == NULL)
		return EXIT_ERRORS;
	if (write == NULL) {
		free(state);
		return cli_fail(c, EXIT_USAGE, "--format %s: junit, tap, "
		    "json, csv, html or durations", name);
	}
	if (!owner_exists(c->args.v[0])) {
		free(state);
		return cli_fail(c, EXIT_USAGE, "%s: no such run here; "
		    "yardmaster runs lists them", c->args.v[0]);
	}
	rc = report_load(state, c->args.v[0], &r);
	free(state);
	if (rc < 0)
		return cli_fail(c, EXIT_ERRORS, "%s: %s", c->args.v[0],
		    err_text(rc));
	r.artifacts_at = artifacts_from(c, r.id, NULL, "-");
	write(&r, &out);
	fwrite(buf_data(&out), 1, buf_len(&out), stdout);
	report_run_done(&r);
	buf_done(&out);
	return EXIT_OK;
}

#define NOW_OPT \
	{ "now", 0, NULL, "do not wait for the schedule of the plan" }

static const struct cli_opt run_opts[] = {
	SELECT_OPTS, NOW_OPT, LAUNCH_OPTS, { NULL }
};
static const struct cli_opt rerun_opts[] = {
	{ "failed", 0, NULL, "only executions that failed, timed out or "
	    "erred" },
	{ "failed-rows", 0, NULL, "of those only the steps that did not "
	    "pass" },
	NOW_OPT, LAUNCH_OPTS, { NULL }
};
static const struct cli_opt resume_opts[] = {
	FLEET_OPT, REPORT_OPTS,
	{ "give-up", 0, "TIME", "as in run" },
	{ "quiet", 'q', NULL, "no line for each execution" },
	{ NULL }
};

static const struct cli_opt report_opts[] = {
	{ "format", 0, "NAME", "junit, tap, json (default), csv, html or "
	    "durations", "junit tap json csv html durations" },
	{ "json", 'j', NULL, "the same as --format json" },
	{ NULL }
};

const struct cli_command cli_run_commands[] = {
	{ "run", "PLAN", "launch a plan, follow it, report",
	    "Exit codes: 0 all passed, 1 some failed or timed out, 2 errors, "
	    "3 both,\n4 invalid use or nothing to run, 5 cancelled. The first "
	    "INT or TERM cancels,\na second leaves the run going.\n",
	    run_opts, 1, 1, cmd_run },
	{ "resume", "RUN", "follow a run, take it over when its owner died, "
	    "or report it", NULL, resume_opts, 1, 1, cmd_resume },
	{ "rerun", "RUN", "launch what a run was made of once more", NULL,
	    rerun_opts, 1, 1, cmd_rerun },
	{ "report", "RUN", "the report of a run", NULL, report_opts, 1, 1,
	    cmd_report },
	{ NULL }
};
