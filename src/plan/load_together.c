/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Suites whose parts run at the same moment (part of load.h). Each part is a
 * test with the name of its role; the expansion ties their executions.
 */
#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "plan/load.h"
#include "yardmaster/base/mem.h"

#define ROLE_MAX_BYTES 32

/* A role is part of the name of a variable. */
static bool
is_good_role(const char *role)
{
	size_t i, n = strlen(role);

	for (i = 0; i < n; i++)
		if (!isalnum((unsigned char)role[i]) && role[i] != '_' &&
		    role[i] != '-')
			return false;
	return n > 0 && n <= ROLE_MAX_BYTES;
}

/* Roles are told apart as variables are: without case, - as _. */
static bool
same_role(const char *a, const char *b)
{
	for (; *a != '\0' && *b != '\0'; a++, b++)
		if (toupper((unsigned char)*a) != toupper((unsigned char)*b) &&
		    (isalnum((unsigned char)*a) || isalnum((unsigned char)*b)))
			return false;
	return *a == *b;
}

static bool
role_was_there(const struct plan *p, uint32_t suite, const char *role)
{
	uint32_t i;

	for (i = p->suites[suite].first_test; i < p->n_tests; i++)
		if (same_role(p->tests[i].name, role))
			return true;
	return false;
}

static const char *
load_role(struct loader *l, const struct jval *v, uint32_t suite)
{
	const char *role = jval_str(check_get(v, "role", AT_PART), NULL);

	if (role == NULL) {
		if (jval_get(v, "role") == NULL)
			check_fault(&l->c, "a part needs a role");
		return NULL;
	}
	if (!is_good_role(role))
		check_fault_at(&l->c, "role", "not a usable role: letters, "
		    "digits, - and _, at most 32");
	else if (role_was_there(l->p, suite, role))
		check_fault_at(&l->c, "role", "a part with this role was "
		    "there before");
	else
		return role;
	return NULL;
}

static void
load_part(struct loader *l, const struct jval *v, uint32_t suite,
    const struct plan_props *base)
{
	const struct plan_props *props;
	const struct strvec *env = NULL;
	const char *role;
	uint32_t index;

	if (!check_is_object(&l->c, v, "an object"))
		return;
	check_object(&l->c, v, AT_PART);
	role = load_role(l, v, suite);
	props = load_props(l, v, AT_PART, base, &env);
	check_runnable(l, props);
	if (!has_command(l, props))
		check_fault(&l->c, "no command and no shell, here or above");
	if (check_get(v, "targets", AT_PART) != NULL && props->n_targets != 1)
		check_fault_at(&l->c, "targets", "a part has one target");
	if (role == NULL || l->p->n_tests == PLAN_MAX_TESTS)
		return;
	index = plan_add_test(l->p);
	l->p->tests[index].name = str_dup(role);
	l->p->tests[index].suite = suite;
	l->p->tests[index].props = props;
	l->p->tests[index].env = env;
}

void
load_together(struct loader *l, const struct jval *obj, uint32_t suite,
    const struct plan_props *props)
{
	const struct jval *parts = check_get(obj, "together", AT_SUITE);
	struct plan *p = l->p;
	struct plan_props *own = plan_own_props(p, props);
	size_t i, inner, mark, n = jval_count(parts);

	check_stands_alone(l, obj, suite, props, "together");
	if (props->batch && jval_get(obj, "batch") != NULL)
		check_fault_at(&l->c, "batch", "parts that run together are "
		    "no batch");
	own->batch = false;	/* what stands above is not meant */
	mark = check_key(&l->c, "together");
	if (n < 2 || n > PLAN_MAX_PARTS)
		check_fault(&l->c, "2 to %d parts are expected, not %zu",
		    PLAN_MAX_PARTS, n);
	else if (p->max_parallel > 0 && n > p->max_parallel)
		check_fault(&l->c, "%zu parts can never run under a "
		    "max_parallel of %u", n, p->max_parallel);
	own->together = (uint32_t)n;
	p->suites[suite].props = own;
	for (i = 0; i < n && n <= PLAN_MAX_PARTS; i++) {
		inner = check_index(&l->c, i);
		load_part(l, jval_at(parts, i), suite, own);
		check_back(&l->c, inner);
	}
	check_back(&l->c, mark);
	p->suites[suite].n_tests = p->n_tests - p->suites[suite].first_test;
}

/* ---- against a fleet ---- */

struct matching {
	const struct plan *p;
	const struct fleet_spec *f;
	uint32_t first;		/* execution of the first part */
	size_t *part_of;	/* by agent: part + 1; 0 none */
	bool *seen;		/* by agent */
};

static bool
may_run(const struct matching *m, uint32_t part, size_t agent)
{
	const struct plan *p = m->p;
	const struct plan_terms *t = &p->terms[p->execs[m->first +
	    part].terms];
	const struct agent_spec *a = &m->f->agents[agent];
	uint32_t i;

	for (i = 0; i < t->n_agents; i++)
		if (!selector_match(p->agents[t->agents[i]].selector, a->name,
		    &a->labels))
			return false;
	for (i = 0; i < t->n_targets; i++)
		if (!agent_spec_offers(a, p->targets[t->targets[i]].name))
			return false;
	return true;
}

/* Finds an agent for a part, moving others where that helps. */
static bool
match(struct matching *m, uint32_t part)
{
	size_t i;

	for (i = 0; i < m->f->n_agents; i++) {
		if (m->seen[i] || !may_run(m, part, i))
			continue;
		m->seen[i] = true;
		if (m->part_of[i] != 0 &&
		    !match(m, (uint32_t)m->part_of[i] - 1))
			continue;
		m->part_of[i] = (size_t)part + 1;
		return true;
	}
	return false;
}

/* A suite whose parts cannot all have an agent of their own. */
static void
check_group(const struct plan *p, uint32_t first, const struct fleet_spec *f,
    struct diags *ds)
{
	struct matching m = { .p = p, .f = f, .first = first };
	struct plan_ref ref = { .index = p->execs[first].suite };
	const struct plan_suite *s = &p->suites[ref.index];
	uint32_t i, found = 0, n = s->props->together;

	m.part_of = mem_calloc(f->n_agents, sizeof(*m.part_of));
	m.seen = mem_calloc(f->n_agents, sizeof(*m.seen));
	for (i = 0; i < n; i++) {
		memset(m.seen, 0, f->n_agents * sizeof(*m.seen));
		found += match(&m, i);
	}
	if (found < n)
		diag_set_hint(plan_say_at(p, &ref, "together", DIAG_ERROR, ds,
		    str_fmt("suite %s: its %u parts run on different agents, "
		    "and the fleet %s has agents for %u of them only",
		    s->path, n, f->name, found)),
		    "\"same_agent\": true lets them share");
	free(m.part_of);
	free(m.seen);
}

void
plan_check_together(const struct plan *p, const struct fleet_spec *f,
    struct diags *ds)
{
	uint32_t i, suite = PLAN_NONE;

	for (i = 0; i < p->n_execs; i++) {
		if (p->execs[i].group == 0 || p->execs[i].suite == suite ||
		    p->suites[p->execs[i].suite].props->same_agent)
			continue;
		suite = p->execs[i].suite;
		check_group(p, i, f, ds);
	}
}
