/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Launching an expanded plan in a session, and what is said at its end. */
#ifndef YARDMASTER_CLI_LAUNCH_H
#define YARDMASTER_CLI_LAUNCH_H

#include "cli/follow.h"
#include "cli/session.h"

#define REPORT_OPTS \
	{ "junit", 0, "FILE", "write a JUnit report" }, \
	{ "tap", 0, "FILE", "write a TAP report" }, \
	{ "html", 0, "FILE", "write a page" }, \
	{ "artifacts", 0, "DIR", "copy artifacts there as they come" }, \
	JSON_OPT

/* What launch_and_follow() looks at. */
#define LAUNCH_OPTS \
	FLEET_OPT, REPORT_OPTS, \
	{ "dry-run", 'n', NULL, "say what would come of it on the agents as " \
	    "they are" }, \
	{ "detach", 'd', NULL, "print the run's id and let it go on by " \
	    "itself" }, \
	{ "give-up", 0, "TIME", "end as error what cannot start for so long " \
	    "(default 10m)" }, \
	{ "quiet", 'q', NULL, "no line for each execution" }

/* The value of --give-up, 10 min without it. 0, or an exit code after a
 * message. */
int launch_give_up(const struct cli *c, int64_t *ret_us);

/* Launches the plan (owned from then on, also on failure); now: nothing waits
 * for its schedule. 0, or an exit code after messages. ret_run has RUN_ID_SIZE
 * bytes. */
int launch_plan(struct session *s, const struct cli *c, struct plan *p,
    bool now, char *ret_run);

/* Opens a session, launches the plan (owned from then on), follows it as f
 * says and reports; does what LAUNCH_OPTS ask for. An exit code. */
int launch_and_follow(struct cli *c, struct plan *p, struct follow *f);

#define REPORT_SUMMARY 1	/* unless --json: to standard output */
#define REPORT_TAILS 2		/* ask agents for the last lines of failures */
/*
 * After the end of a run: what of the above is wanted, JSON with --json, and
 * the files that --junit, --tap and --html name. 0 or an exit code after
 * messages.
 */
int launch_report(struct session *s, const struct cli *c, const char *run,
    unsigned what);

#endif
