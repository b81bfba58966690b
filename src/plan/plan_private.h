/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of this room share: the private half of a plan, its tables
 * and how they grow.
 */
#ifndef PLAN_PRIVATE_H
#define PLAN_PRIVATE_H

#include <uthash.h>

#include "plan/check.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/filter/pattern.h"
#include "yardmaster/model/secret.h"
#include "yardmaster/plan/plan.h"

/* A name written in needs or exclusive, and where. */
struct raw_ref {
	char *text;
	const struct jdoc *doc;	/* the plan's, or of an included file */
	char *path;
};

struct raw_refs {
	struct raw_ref *v;
	size_t n, cap;
};

/* Where a suite stands. */
struct origin {
	const struct jdoc *doc;	/* NULL: it is of no file */
	const struct jval *obj;	/* in doc */
	char *path;
};

/* What is needed to find tests by a command. */
struct discovery {
	uint32_t suite;
	const struct strvec *command;
	struct pattern *pattern;
	int64_t timeout_us;
	const struct jdoc *doc;
	char *path;		/* of "discover" in the document */
	bool done;
};

/* Which steps are kept, by their place in the whole expansion: how many are
 * left out, how many kept, how many left out, ... Empty: all are kept. */
struct runs {
	uint32_t *v;
	size_t n, cap;
};

struct owned {
	void *p;
	void (*free)(void *);
};

/* The place of a target in the table, by name. */
struct target_entry {
	UT_hash_handle hh;	/* key: its name in the table */
	uint32_t index;
};

/* The agents of a suite or test as amended. */
struct amended {
	struct plan_ref ref;
	uint32_t agents;
};

struct plan_private {
	struct jdoc doc;	/* text NULL: none */
	struct owned *owned;
	size_t n_owned, cap_owned;
	size_t cap_secrets, cap_workspaces, cap_schedules, cap_agents, cap_targets, cap_locks, cap_suites, cap_tests;
	size_t cap_execs, cap_steps, cap_terms;
	struct target_entry *by_target;
	bool *target_defined;	/* by target: an object has defined it */
	bool *lock_declared;	/* by lock */
	size_t cap_target_defined, cap_lock_declared;
	struct raw_refs *suite_needs, *test_needs;	/* by index */
	size_t cap_suite_needs, cap_test_needs;
	struct raw_refs pairs;	/* two by two */
	struct origin *origins;	/* by suite */
	size_t cap_origins;
	struct discovery *discoveries;
	size_t n_discoveries, cap_discoveries;
	struct owned *expanded;	/* arrays of the expansion */
	size_t n_expanded, cap_expanded;

	/* values of the file that a launch may replace */
	enum order file_order;
	int file_parallel;	/* of a snapshot; else -1 */
	int64_t file_deadline_us;
	struct strvec file_params;

	/* the launch */
	int parallel;		/* enum parallel, or -1: as the file says */
	uint32_t *suite_agents;	/* by suite; PLAN_NONE: as the file says */
	struct amended *amended;	/* agents, the latest last */
	size_t n_amended, cap_amended;
	uint32_t *planned;	/* by step: its target before it was amended;
				 * NULL: none was */
	bool moved, joined;	/* one target became another; several did */
	uint32_t moved_from, moved_to;
	struct runs kept;	/* which steps the expansion has */

	/* a plan that was read from a snapshot */
	bool restored;		/* needs and pairs are resolved for good */
	struct runs base;	/* which steps there are to choose from */
};

/* An empty plan. */
struct plan *plan_new(void);

/* ---- amend.c ---- */

/* From now on these are its agents, unless a later one says otherwise. */
void plan_amended_add(struct plan *p, const struct amended *a);
/* The targets of all steps as they are; the caller frees. */
uint32_t *plan_step_targets(const struct plan *p);
/* Gives all steps these; what the expansion gave them stays known. */
void plan_retarget(struct plan *p, const uint32_t *targets);

/* Makes the plan own p. Returns p. */
void *plan_own(struct plan *p, void *mem, void (*free_fn)(void *));
/* A copy of n * size bytes owned by the plan; NULL when n is 0. */
void *plan_own_copy(struct plan *p, const void *from, size_t n, size_t size);
/* An empty list owned by the plan. */
struct strvec *plan_own_list(struct plan *p);
/* A copy of base that can be changed, owned by the plan. */
struct plan_props *plan_own_props(struct plan *p,
    const struct plan_props *base);
/* The same as plan_own() for what goes with the next expansion. */
void *plan_own_expanded(struct plan *p, void *mem);
/* Frees all of the expansion. */
void plan_drop_expansion(struct plan *p);

/* What every plan starts from. */
extern const struct plan_props plan_default_props;

/* The index of a list of selectors, added when new; terms are copied. 0, or
 * ERR_* as selector_new(). */
int plan_agents_index(struct plan *p, const struct strvec *terms,
    uint32_t *ret, char **ret_error, size_t *ret_bad);
/* The index of the lock or target of that name, added when new. */
uint32_t plan_lock_index(struct plan *p, const char *name);
uint32_t plan_target_index(struct plan *p, const char *name);
/* The index of a target, or PLAN_NONE. */
uint32_t plan_target_find(const struct plan *p, const char *name);
/* Appends an empty secret; wipes and frees what one holds. */
struct plan_secret *plan_add_secret(struct plan *p);
void plan_secret_done(struct plan_secret *s);
/* Appends an empty workspace. */
struct plan_workspace *plan_add_workspace(struct plan *p);
/* Frees the schedules. */
void plan_schedules_done(struct plan *p);
/* Appends an empty suite, or a test (at the end of all tests). */
uint32_t plan_add_suite(struct plan *p);
uint32_t plan_add_test(struct plan *p);

/* The suite is obj, at the place at hand of c. */
void plan_origin_add(struct plan *p, uint32_t suite, const struct check *c,
    const struct jval *obj);
/* Adds a diagnostic where the key of a suite or test stands, its own or
 * inherited; where none has it, at the suite or test itself. Frees text. */
struct diag *plan_say_at(const struct plan *p, const struct plan_ref *ref,
    const char *key, enum diag_level level, struct diags *ds, char *text);

/* Adds a diagnostic at path of doc; without the document (NULL) at path of
 * the plan. */
struct diag *plan_fault(const struct plan *p, const struct jdoc *doc,
    struct diags *ds, enum diag_level level, const char *path,
    const char *text);

/* Adds a name that stands at the place at hand. */
void raw_refs_add(struct raw_refs *r, const char *text,
    const struct check *c);
void raw_refs_done(struct raw_refs *r);
void plan_data_free(void *data);

/* The command that a discovery of a suite waits for, or NULL. */
struct discovery *plan_discovery(const struct plan *p, uint32_t suite);

/* How the executions of a suite are formed, the launch considered. */
enum parallel plan_parallel(const struct plan *p, uint32_t suite);
/* True when several tests of the suite share an execution. */
bool plan_groups(const struct plan *p, uint32_t suite);
/* The agents of a test, the launch considered. */
uint32_t plan_test_agents(const struct plan *p, uint32_t test);

#endif
