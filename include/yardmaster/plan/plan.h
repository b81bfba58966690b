/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A plan: loaded, checked, everything inherited resolved, then expanded into
 * executions of steps. The order of use is plan_load(), plan_discover() when
 * plan_discovers(), plan_expand(); after that a plan does not change. All
 * that is reached through a plan is owned by it. Nothing here knows agents
 * but by selector.
 */
#ifndef YARDMASTER_PLAN_PLAN_H
#define YARDMASTER_PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/diag.h"
#include "yardmaster/base/strvec.h"
#include "yardmaster/base/when.h"
#include "yardmaster/filter/selector.h"
#include "yardmaster/model/state.h"
#include "yardmaster/model/work.h"
#include "yardmaster/plan/fleet_file.h"

#define PLAN_NONE UINT32_MAX	/* no such index */
#define PLAN_MAX_TESTS 1000000
#define PLAN_MAX_SHARDS 100000	/* of a suite */
#define PLAN_MAX_PARTS 256	/* of a suite that runs together */
#define PLAN_MAX_STEPS 4000000	/* of a whole plan */

/* How many attempts an agent holds beyond its workers: a number, or */
#define PLAN_AHEAD_AUTO UINT32_MAX
#define PLAN_AHEAD_ALL (UINT32_MAX - 1)

enum on_failure {
	ON_FAILURE_CONTINUE,
	ON_FAILURE_NEXT_TARGET,	/* ends this execution */
	ON_FAILURE_STOP,	/* ends the run */
	ON_FAILURES
};
/* The name in the plan. */
const char *on_failure_name(enum on_failure f);

enum suite_mode { MODE_FREE, MODE_SEQUENTIAL, SUITE_MODES };
/* The name in the plan. */
const char *suite_mode_name(enum suite_mode m);

struct plan_target {
	char *name;		/* unique in the plan */
	uint32_t max_per_agent;	/* 0: no limit */
	uint32_t max;		/* over the fleet; 0: no limit */
	struct strvec instances;	/* fleet-wide; empty: none named here */
	struct strvec env;	/* "KEY=VALUE" */
	struct strvec axes;	/* "AXIS=VALUE" in a matrix; else empty */
};

struct plan_lock {
	char *name;
	uint32_t capacity;	/* from 1; 0: amended away, nobody takes it */
};

/* A variable of steps whose value is read when it is sent. */
struct plan_secret {
	char *name;
	char *file;		/* whose content it is, or NULL */
	struct strvec command;	/* whose output it is, or empty */
	char *value;		/* once plan_read_secrets() read it; locked */
};

/* What of a lock is taken. */
struct plan_hold {
	uint32_t lock;		/* index in plan locks */
	uint32_t count;		/* from 1, at most the capacity */
	bool shared;		/* "read:": beside other shared holders only */
};

/* A suite (with all that is nested in it) or one test. */
struct plan_ref {
	bool is_test;
	uint32_t index;		/* in plan suites or tests */
};

/* These two never run at the same time. Both may name one test: then its own
 * rows and targets keep apart. */
struct plan_pair {
	struct plan_ref a, b;
	bool off;		/* amended away */
};

struct plan_exit {
	uint8_t code;
	enum outcome outcome;
};

struct jdoc;

/* A distinct list of agent selectors. */
struct plan_agents {
	struct strvec terms;	/* empty: every agent */
	struct selector *selector;
	char *path;		/* where a file says so first, or NULL */
	const struct jdoc *doc;	/* that file, or NULL */
};

/* Rows of data. A cell is cells[row * columns.n + column]; NULL: absent. */
struct plan_data {
	char *source;		/* path as written, or NULL for inline rows */
	char *path;		/* of that file from anywhere, or NULL */
	bool *secret;		/* by column: kept nowhere */
	bool unread;		/* the cells of these are still to be read */
	struct strvec columns;
	char **cells;
	uint32_t n_rows;	/* from 1; a row's number is its index + 1 */
	uint32_t *lines;	/* of each row in the file; NULL when inline */
	long name_column;	/* "_name", or -1 */
	long expect_column;	/* "_expect_fail", or -1 */
};

/* A time that steps wait for. */
struct plan_schedule {
	char *text;		/* as written */
	struct when when;
	int64_t at_us;		/* wall time, fixed at the launch; 0: not yet */
	char *path;		/* where a file says so first, or NULL */
	const struct jdoc *doc;	/* that file, or NULL */
};

/* Values that are inherited: nearest wins (env merges, locks add). */
struct plan_props {
	enum parallel parallel;	/* of the file; a launch may override both: */
	uint32_t agents;	/* index in plan agents (see terms) */
	const struct strvec *command;	/* or NULL */
	const char *shell;	/* or NULL; at most one of the two */
	const char *results_name;	/* what a case of a result file is
					 * called, or NULL */
	const struct strvec *env;	/* merged: plan and suites; may be NULL */
	const struct plan_hold *locks;
	uint32_t n_locks;
	const uint32_t *secrets;	/* indices in plan secrets */
	uint32_t n_secrets;
	const struct strvec *secret_columns;	/* of the file; or NULL */
	const uint32_t *targets;	/* indices in plan targets */
	uint32_t n_targets;	/* 0: one unnamed target */
	const struct plan_data *data;	/* or NULL */
	const struct plan_exit *exits;
	uint32_t n_exits;
	struct manner manner;
	uint32_t workspace;	/* index in plan workspaces + 1; 0: none */
	uint32_t schedule;	/* index in plan schedules + 1; 0: none */
	const struct strvec *setup, *teardown;	/* argv; NULL: none */
	const struct strvec *artifacts;	/* patterns; NULL: none */
	int64_t artifacts_max;	/* bytes */
	enum on_failure on_failure;
	int64_t timeout_us;	/* per step; 0: none */
	int64_t estimate_us;	/* per step; 0: unknown */
	int64_t retry_delay_us;
	int64_t lost_after_us;
	int64_t start_timeout_us;
	uint32_t retries;
	uint32_t error_retries;
	uint32_t workers;	/* from 1 */
	uint32_t shards;	/* a row of data each; 0: the suite has none */
	uint32_t together;	/* parts: its tests; 0: not such a suite */
	int32_t priority;	/* higher first */
	bool pinned;
	bool repeatable;
	bool beside_itself;
	bool needs_any_result;
	bool same_agent;	/* parts may share an agent */
	bool enabled;
	bool batch;		/* executions may share a process */
};

/* A folder that is brought to agents. */
struct plan_workspace {
	char *path;		/* absolute when the plan has a folder */
	struct strvec exclude;	/* patterns */
	char hash[SHA256_TEXT];	/* of the packed tree; "": not packed yet */
	uint64_t bytes;		/* packed */
};

struct plan_suite {
	char *name;
	char *path;		/* "outer/inner" */
	uint32_t parent;	/* PLAN_NONE: top */
	uint32_t end;		/* suites index+1 .. end-1 are nested in it */
	uint32_t first_test;	/* its own tests, in order */
	uint32_t n_tests;
	enum suite_mode mode;
	uint32_t max_parallel;	/* executions of it and nested; 0: no limit */
	const struct plan_props *props;
	const struct plan_ref *needs;	/* its own */
	uint32_t n_needs;
	bool discovers;
};

struct plan_test {
	char *name;
	uint32_t suite;
	const struct plan_props *props;	/* shared where equal to the suite's */
	const struct strvec *env;	/* its own only, or NULL */
	const struct plan_ref *needs;	/* its own */
	uint32_t n_needs;
};

struct plan_step {
	uint32_t test;
	uint32_t row;		/* index in the test's data, or PLAN_NONE */
	uint32_t target;	/* index in plan targets, or PLAN_NONE */
};

/* What the scheduler must know of an execution: the union over its steps.
 * Shared by executions for which it is equal (rows of a test). */
struct plan_terms {
	const uint32_t *agents;	/* indices in plan agents: each must admit */
	uint32_t n_agents;	/* from 1 */
	const uint32_t *targets;	/* the agent must offer each */
	uint32_t n_targets;	/* 0: unnamed */
	const struct plan_hold *locks;	/* one entry per lock, by index */
	uint32_t n_locks;
	const struct plan_ref *needs;	/* own and those of its suites, without
					 * those inside the same execution */
	uint32_t n_needs;
	bool needs_any_result;
	bool pinned, repeatable, beside_itself;
	enum on_failure on_failure;	/* the strictest */
	uint32_t retries, error_retries;
	uint32_t workers;	/* at once on one agent, from 1 */
	int32_t priority;
	int64_t retry_delay_us, lost_after_us, start_timeout_us;
	int64_t estimate_us;	/* sum; 0 when one of them is unknown */
};

struct plan_exec {
	uint32_t suite;
	uint32_t terms;		/* index in plan terms */
	uint32_t first_step;	/* in plan steps */
	uint32_t n_steps;	/* from 1 */
	uint32_t group;		/* number from 1 of what runs together: parts
				 * follow each other; 0: runs alone */
};

struct plan_private;

struct plan {
	char *name;
	char *file;		/* as given; NULL for text */
	char *dir;		/* folder of the file, absolute: relative paths */
	enum order order;
	int32_t priority;	/* of the run */
	uint32_t max_parallel;	/* 0: no limit */
	uint32_t max_failures;	/* 0: no limit */
	uint32_t ahead;		/* PLAN_AHEAD_* or a number */
	int64_t deadline_us;	/* from the launch; 0: none */
	bool adhoc;		/* its work is jobs, not executions of tests */
	bool private;		/* scope "run": locks, exclusions and limits of
				 * targets hold in its own run only */
	enum on_failure on_failure;
	struct strvec params;	/* "NAME=VALUE" */
	struct plan_agents *agents;
	uint32_t n_agents;
	struct plan_target *targets;
	uint32_t n_targets;
	struct plan_workspace *workspaces;	/* their hashes: the launch's */
	uint32_t n_workspaces;
	struct plan_schedule *schedules;
	uint32_t n_schedules;
	uint32_t schedule;	/* of the whole, of a file: index + 1; 0: none */
	struct plan_secret *secrets;
	uint32_t n_secrets;
	struct plan_lock *locks;
	uint32_t n_locks;
	struct plan_pair *pairs;	/* "exclusive" */
	uint32_t n_pairs;
	struct plan_suite *suites;	/* in file order, outer before inner */
	uint32_t n_suites;
	struct plan_test *tests;	/* by suite, in order */
	uint32_t n_tests;

	/* the expansion */
	struct plan_exec *execs;	/* number N is execs[N - 1] */
	uint32_t n_execs;
	struct plan_step *steps;
	uint32_t n_steps;
	struct plan_terms *terms;
	uint32_t n_terms;

	struct plan_private *priv;
};

/* ---- loading ----------------------------------------------------------------- */

/*
 * Loads and checks a plan and its data files. 0 and a plan (not expanded), or
 * ERR_INVALID (-errno when it cannot be read) with every fault in ds.
 * Warnings alone do not fail.
 */
int plan_load(const char *path, struct diags *ds, struct plan **ret);

/* The same for text; file names it in diagnostics, dir (NULL: the current
 * folder) is where data files and commands are. */
int plan_load_text(const char *file, const char *dir, const char *text,
    size_t len, struct diags *ds, struct plan **ret);

/* Frees it and all it holds. NULL is fine. */
void plan_free(struct plan *p);

/* True when some enabled suite finds its tests by a command, not run yet. */
bool plan_discovers(const struct plan *p);

struct plan_progress {
	/* Suite so-and-so: tests found so far, time used; may be NULL. Return
	 * false to give up. */
	bool (*found)(void *arg, const char *suite, uint32_t tests,
	    int64_t elapsed_us);
	void *arg;
};

/*
 * Runs the discover commands one after the other, in the plan's folder, and
 * adds the tests found. Waits for them: up to their time-out (2 min unless
 * the plan says otherwise). progress may be NULL. 0, or ERR_INVALID with
 * diagnostics, ERR_CANCELLED; the plan is then good for plan_free() only.
 */
int plan_discover(struct plan *p, const struct plan_progress *progress,
    struct diags *ds);

/* ---- expansion ----------------------------------------------------------------- */

/* What of a plan is launched, and with which values. All members may be
 * empty. */
struct plan_select {
	struct strvec only;	/* filters over suite, test, target, row: all */
	struct strvec not;	/* filters of what is left out */
	struct strvec tests;	/* "suite/test", unique "test", or a suite */
	struct strvec targets;	/* names */
	int parallel;		/* enum parallel, or -1: the plan's */
	int order;		/* enum order, or -1: the plan's */
	int64_t deadline_us;	/* from the launch, 0: none, or -1: the plan's */
	struct strvec agents;	/* "SUITE=SEL[,SEL...]"; SUITE may be "*" */
	struct strvec params;	/* "NAME=VALUE" of declared parameters */
};
#define PLAN_SELECT_INIT { .parallel = -1, .order = -1, .deadline_us = -1 }
void plan_select_done(struct plan_select *s);

/*
 * Makes the executions: suites in file order, in each tests outermost, then
 * rows, then targets. select may be NULL. 0, or ERR_INVALID with diagnostics
 * ("nothing to run" among them); the plan is then not expanded. May be called
 * again with another choice: nothing of an earlier one stays.
 */
int plan_expand(struct plan *p, const struct plan_select *select,
    struct diags *ds);

/* Adds an error for each list of selectors that no agent of the fleet meets,
 * and a warning for each single selector and each target none offers. Returns
 * how many errors. */
size_t plan_check_agents(const struct plan *p, const struct fleet_spec *f,
    struct diags *ds);

/* Adds the numbered warnings, W01 and so on: what is allowed and seldom meant
 * (yardmaster-plan(5)). An expanded plan is looked at more closely; f may be
 * NULL; now_us is wall time, 0: that is not known. */
void plan_lint(const struct plan *p, const struct fleet_spec *f,
    int64_t now_us, struct diags *ds);

/*
 * Fixes the instants that executions wait for, counted from a launch. by (may
 * be NULL) is what had it launched just then, as it was written: what says
 * the same waits no longer. Adds a warning for an instant that has passed.
 */
void plan_fix_schedules(struct plan *p, int64_t launched_us, const char *by,
    struct diags *ds);
/* Takes them back: nothing waits. */
void plan_unfix_schedules(struct plan *p);
/* The instant that execution no waits for, the latest of its steps; 0: it
 * waits for none, or they are not fixed. */
int64_t plan_exec_at(const struct plan *p, uint32_t no);
/* What the steps of execution no wait for, as it was written: appended, each
 * once. */
void plan_exec_schedules(const struct plan *p, uint32_t no,
    struct strvec *out);

/* Asks a person for the value of a variable: a copy by secret_dup(), or NULL. */
struct plan_ask {
	char *(*ask)(void *arg, const char *name);
	void *arg;
};
/*
 * Reads the secrets that steps of the expansion need and that were not read
 * yet: from known, the environment (wiped there, and added to known), files,
 * commands (waits for them, up to 30 s each), secret columns from their files;
 * ask (may be NULL) for what is not in the environment. 0, or ERR_INVALID
 * with a diagnostic for each that is missing.
 */
int plan_read_secrets(struct plan *p, struct secrets *known,
    const struct plan_ask *ask, struct diags *ds);
/* Wipes what was read, for a plan of which nothing will be sent any more. */
void plan_forget_secrets(struct plan *p);
/* True when some test has a secret or a secret column. */
bool plan_has_secrets(const struct plan *p);
/* The same for a step of execution no. */
bool plan_exec_has_secrets(const struct plan *p, uint32_t no);

/* ---- reading -------------------------------------------------------------------- */

/* True when some step of execution no (from 1) belongs to what ref names. */
bool plan_ref_covers(const struct plan *p, const struct plan_ref *ref,
    uint32_t no);
/* The suite's path, or "suite/test": appended. */
void plan_ref_format(const struct plan *p, const struct plan_ref *ref,
    struct buf *out);
/* The suite or test that a name means. 0, ERR_NOT_FOUND, or ERR_EXISTS when
 * several tests have that name. */
int plan_find(const struct plan *p, const char *name, struct plan_ref *ret);

/* Name of a row: "_name", else its number. buf has 16 bytes or more; borrowed
 * from the plan or buf. NULL when the step has no row. */
const char *plan_row_name(const struct plan *p, const struct plan_step *s,
    char *buf);
/* "suite/test[row]@target", appended. */
void plan_step_label(const struct plan *p, const struct plan_step *s,
    struct buf *out);
/* What execution no is called: its step's label, or "suite@target" when it
 * has several. Appended. */
void plan_exec_label(const struct plan *p, uint32_t no, struct buf *out);

/* ---- work ------------------------------------------------------------------------ */

/* What is known only when an attempt is sent. */
struct plan_place {
	struct ident id;	/* all three parts; execution is its number */
	const char *agent;	/* name */
	const char *instance;	/* leased target instance, or NULL */
	const char *spool;	/* folder of the agent, or NULL */
	const struct strvec *fleet_env;	/* of the agent in the fleet, or NULL */
	const uint32_t *members;	/* executions that share the process,
				 * id's first; NULL: it alone */
	uint32_t n_members;
	int64_t start_us;	/* of a batch: what its process takes to start */
	const uint32_t *steps;	/* which steps (0 .. n_steps-1 of the execution,
				 * ascending), NULL: all */
	uint32_t n_steps;
	const char *const *hosts;	/* of the parts of its group, in order;
					 * NULL: it runs alone */
};

/* Which preparation of the plan the executions of a suite need, from 1;
 * suites with equal workspace, setup and teardown share one. 0: none. */
uint32_t plan_prepare_no(const struct plan *p, uint32_t suite);

/*
 * Fills the work of one attempt: commands with placeholders replaced, merged
 * environment, cwd, labels, limits, instance. Left to the caller: epoch,
 * class, owner, usual_us. *ret holds nothing before; free with work_done().
 */
void plan_work(const struct plan *p, const struct plan_place *place,
    struct work *ret);

#define PLAN_BATCH_ARGV 100000	/* bytes of the arguments of a batch */

/* True when execution no (from 1) shares processes with others that
 * plan_batch_key() calls alike. */
bool plan_is_batch(const struct plan *p, uint32_t no);
/* What must be equal for two executions to share a process, beyond what the
 * scheduler keeps apart: suite, command, environment, exit codes. Appended. */
void plan_batch_key(const struct plan *p, uint32_t no, struct buf *out);
/* What the member is called in {tests} and in the result file: the test, with
 * "[row]". Appended. */
void plan_batch_name(const struct plan *p, uint32_t no, struct buf *out);
/* True when a failure of the member passes, and a pass fails. */
bool plan_batch_inverted(const struct plan *p, uint32_t no);
/* How many bytes the names of members may take together, a byte more each. */
uint32_t plan_batch_room(const struct plan *p, uint32_t no);

/* ---- snapshot -------------------------------------------------------------------- */

/* Appends an expanded plan as self-contained JSON: rows, discovered tests and
 * the selection are in it. */
void plan_snapshot(const struct plan *p, struct buf *out);

/* The plan of a snapshot, expanded, with equal execution numbers. 0, or
 * ERR_SYNTAX, ERR_VERSION, ERR_TOO_LARGE. */
int plan_from_snapshot(const char *text, size_t len, struct plan **ret);

/*
 * Makes the executions of a plan that was read from a snapshot anew, of those
 * steps only for which keep (one for each of its n_steps) is true. The
 * values of its launch stay. 0, or ERR_INVALID with diagnostics ("nothing to
 * run" among them).
 */
int plan_keep(struct plan *p, const bool *keep, struct diags *ds);

/* ---- amendments ------------------------------------------------------------------ */

/*
 * Changes one value of an expanded plan; the executions stay, their terms are
 * made anew. Keys: max_parallel, max_failures; max_parallel:SUITE;
 * agents:SUITE or agents:TEST (selectors with commas; empty: as the plan
 * says); max:TARGET, max_per_agent:TARGET; lock:NAME (its capacity; 0: nobody
 * takes it); exclusive:A,B (on or off); target:N or target:N,OLD (what
 * execution N runs on target OLD by the plan). *ret_old is the value it had, in the
 * same form (the caller's). 0; ERR_NOT_FOUND or ERR_INVALID with a text for
 * people in *ret_error (the caller's).
 */
int plan_amend(struct plan *p, const char *key, const char *value,
    char **ret_old, char **ret_error);

/*
 * Appends to out (emptied first) the text of a plan file with an amendment
 * written into it: only that value changes, comments and layout stay. 0; or,
 * when it has no single place there or the result would be no plan,
 * ERR_UNSUPPORTED or ERR_INVALID with a text in *ret_error (the caller's).
 */
int plan_write_back(const struct jdoc *doc, const char *key,
    const char *value, struct buf *out, char **ret_error);

/* ---- for people -------------------------------------------------------------------- */

/* An expanded plan as text or as JSON ("plan show"). */
void plan_show_text(const struct plan *p, struct buf *out);
void plan_show_json(const struct plan *p, struct buf *out);

enum file_kind { FILE_UNKNOWN, FILE_PLAN, FILE_FLEET };

/*
 * Checks a plan or a fleet file, told apart by "suites" and "agents" at the
 * top (a plan has the former). Returns 0 when it has no error, else as
 * plan_load(); ret_kind (may be NULL) says what it was taken for; FILE_UNKNOWN
 * comes with a diagnostic. Discovery is not run. A plan is checked against
 * fleet, too, unless that is NULL; now_us as of plan_lint().
 */
int check_file(const char *path, const struct fleet_spec *fleet,
    int64_t now_us, struct diags *ds, enum file_kind *ret_kind);

#endif
