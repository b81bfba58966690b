/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of the loader share. */
#ifndef PLAN_LOAD_H
#define PLAN_LOAD_H

#include "plan/plan_private.h"

/* A file that is being included. */
struct including {
	const struct including *outer;	/* NULL: by the plan itself */
	const char *real;	/* its path without links */
	unsigned depth;		/* from 1 */
};

struct loader {
	struct check c;
	struct plan *p;
	const char *dir;	/* folder of the file at hand, or NULL */
	char *real;		/* path of the plan without links, or NULL */
	const struct including *in;	/* NULL: in the plan itself */
	size_t n_included, included_bytes;	/* so far */
	/* Some of these were at fault: that there is none is no news. */
	bool bad_command;	/* or shell */
	bool bad_data;
	bool bad_targets;
	bool bad_shards;
	bool bad_results;
	uint64_t n_shards;	/* of all suites so far */
};

/* A suite beside others, and where it stands. */
struct sibling {
	const char *name;	/* borrowed */
	const struct jdoc *doc;
	char *path;
	size_t order;
};

/* The suites of one suite (or of the plan), over all files that list them. */
struct siblings {
	uint32_t parent;	/* PLAN_NONE: of the plan */
	const struct plan_props *base;
	struct sibling *v;
	size_t n, cap;
};

/* ---- load.c ---- */

/* Loads one element of "suites", at hand: a suite, or a file of some. */
void load_member(struct loader *l, const struct jval *v, struct siblings *s);
/* Loads all elements of a list that is at hand. */
void load_members(struct loader *l, const struct jval *v,
    struct siblings *s);

/* ---- load_include.c ---- */

/* Loads the suites of a file as siblings; its name is at hand. */
void load_included(struct loader *l, const char *name, struct siblings *s);

/* ---- load_props.c, runnable.c ---- */

/*
 * The values of obj (at the place at hand) over those of base: base itself
 * when obj sets none of them. The environment of a test is not merged; it is
 * given in ret_env (NULL for suites and plans).
 */
const struct plan_props *load_props(struct loader *l, const struct jval *obj,
    unsigned at, const struct plan_props *base,
    const struct strvec **ret_env);

/* Checks the placeholders of one argument, at hand, as far as no more than
 * the plan's parameters is needed for that. */
void load_argument(struct loader *l, const char *text);
/* True when there is a command or a shell, or one that was at fault. */
bool has_command(const struct loader *l, const struct plan_props *props);
/* Checks that the placeholders of the command have data and targets. */
void check_runnable(struct loader *l, const struct plan_props *props);

/* ---- load_targets.c ---- */

/* Sets the targets of props from the value of "targets". */
void load_targets(struct loader *l, const struct jval *v,
    struct plan_props *props);
/* The same for a matrix (load_matrix.c). */
void load_matrix(struct loader *l, const struct jval *v,
    struct plan_props *props);
/* Declares the locks of the plan's "locks". */
void load_lock_table(struct loader *l, const struct jval *v);
/* Adds the locks of a suite's or test's "locks" to those of props. */
void load_locks(struct loader *l, const struct jval *v,
    struct plan_props *props);
/* Sets the exit codes of props. */
void load_exits(struct loader *l, const struct jval *v,
    struct plan_props *props);

/* ---- load_prepare.c ---- */

/* The command of setup or teardown. */
const struct strvec *load_once(struct loader *l, const struct jval *v);
/* The index + 1 of a workspace, added when new; 0 after a fault. */
uint32_t load_workspace(struct loader *l, const struct jval *v);
const struct strvec *load_artifacts(struct loader *l, const struct jval *v);

/* ---- schedule.c ---- */

/* The index + 1 of a time, added when new; 0 after a fault. */
uint32_t load_schedule(struct loader *l, const struct jval *v);

/* ---- load_secrets.c ---- */

/* Adds the value of "secrets" to those of props; the nearest of a name wins. */
void load_secrets(struct loader *l, const struct jval *v,
    struct plan_props *props);
/* Marks the secret columns in the data of a test. */
void check_secret_columns(struct loader *l, const struct plan_props *props);

/* ---- load_shards.c ---- */

/* Makes the test of a suite (at the place at hand) with "shards". */
void load_shards(struct loader *l, const struct jval *obj, uint32_t suite,
    const struct plan_props *props);

/* Notes what contradicts that a suite (at the place at hand) makes its tests
 * by the key what. */
void check_stands_alone(struct loader *l, const struct jval *obj,
    uint32_t suite, const struct plan_props *props, const char *what);

/* ---- load_batch.c ---- */

/* Sets how results are read from the value of "results". */
void load_results(struct loader *l, const struct jval *v,
    struct plan_props *props);
/* Checks the command that members of a batch share. */
void check_batch(struct loader *l, const struct plan_props *props);
/* Checks that a suite (at the place at hand) can be a batch at all. */
void check_batch_suite(struct loader *l, uint32_t suite,
    const struct plan_props *props);

/* ---- load_together.c ---- */

/* Makes the tests of a suite (at the place at hand) with "together". */
void load_together(struct loader *l, const struct jval *obj, uint32_t suite,
    const struct plan_props *props);
/* Adds an error for each suite whose parts have too few agents. */
void plan_check_together(const struct plan *p, const struct fleet_spec *f,
    struct diags *ds);

/* ---- refs.c ---- */

/*
 * Resolves needs and exclusive of the whole plan (again: after discovery, and
 * after plan_drop_expansion(), which frees them) and looks for cycles. strict: names that mean nothing are faults although a suite
 * discovers. 0 or ERR_INVALID with diagnostics.
 */
int plan_resolve(struct plan *p, bool strict, struct diags *ds);

/* ---- discover.c ---- */

/* Reads "discover" of a suite (at the place at hand). */
void load_discover(struct loader *l, const struct jval *v, uint32_t suite);

#endif
