/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "plan split": a static split of a plan's tests, for comparison and for CI
 * matrices that cannot pull. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"
#include "yardmaster/engine/lengths.h"
#include "yardmaster/sched/split.h"

#include "cli/plan_args.h"
#include "cli/session.h"

struct splitting {
	uint32_t groups;	/* N */
	uint32_t group;		/* I, from 1; 0: all */
	enum split_rule rule;
	struct jdoc durations;
	bool has_durations;
	struct plan *p;
	struct split_test *tests;	/* in the order of the plan */
	uint32_t n;
	struct strvec names;	/* of the tests, what --test takes */
	/* Group G (from 0) is by_group[first[G]] to by_group[first[G + 1] -
	 * 1]. */
	uint32_t *by_group, *first;
};

/* A whole number from 1 to max. */
static int
read_count(const struct cli *c, const char *what, const char *text,
    uint32_t max, uint32_t *ret)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || n < 1 || n > max)
		return cli_fail(c, EXIT_USAGE, "%s %s: a number from 1 to %u",
		    what, text, max);
	*ret = (uint32_t)n;
	return 0;
}

static int
read_split_args(const struct cli *c, struct splitting *s)
{
	const char *rule = cli_get(c, "algorithm");
	struct diags ds = DIAGS_INIT;
	int r;

	if ((r = read_count(c, "N", c->args.v[0], SPLIT_GROUPS_MAX,
	    &s->groups)) != 0)
		return r;
	if (cli_get(c, "group") != NULL && (r = read_count(c, "--group",
	    cli_get(c, "group"), s->groups, &s->group)) != 0)
		return r;
	if (rule != NULL && split_rule_parse(rule) < 0)
		return cli_fail(c, EXIT_USAGE, "--algorithm %s: chunks or "
		    "least", rule);
	s->rule = rule != NULL ? (enum split_rule)split_rule_parse(rule) :
	    SPLIT_CHUNKS;
	if (cli_get(c, "durations") == NULL)
		return 0;
	if (lengths_load(&s->durations, cli_get(c, "durations"), &ds) < 0)
		return cli_diags(&ds, EXIT_USAGE);
	s->has_durations = true;
	return cli_diags(&ds, 0);
}

/* "test", or "suite/test" where several have that name. */
static void
name_test(struct splitting *s, uint32_t test)
{
	const struct plan *p = s->p;
	struct plan_ref ref = { .is_test = true, .index = test }, found;
	struct buf name = BUF_INIT;

	if (plan_find(p, p->tests[test].name, &found) == 0 &&
	    found.is_test && found.index == test)
		buf_puts(&name, p->tests[test].name);
	else
		plan_ref_format(p, &ref, &name);
	strvec_push_owned(&s->names, buf_steal(&name));
}

/* Adds a step's seconds to its test's; one that is unknown makes all so. */
static void
add_length(struct splitting *s, const struct plan_step *step, double *seconds)
{
	int64_t us = lengths_of(s->p, step, s->has_durations ?
	    s->durations.root : NULL);

	if (us < 0 && s->p->tests[step->test].props->estimate_us > 0)
		us = s->p->tests[step->test].props->estimate_us;
	if (us < 0 || *seconds < 0)
		*seconds = -1;
	else
		*seconds += (double)us / (double)US_PER_S;
}

/* The tests that have a step in the expansion, with their lengths. */
static void
gather(struct splitting *s)
{
	const struct plan *p = s->p;
	double *by_test = mem_calloc(p->n_tests, sizeof *by_test);
	bool *has = mem_calloc(p->n_tests, sizeof *has);
	double *seconds = mem_calloc(p->n_tests, sizeof *seconds);
	uint32_t i;

	for (i = 0; i < p->n_steps; i++) {
		has[p->steps[i].test] = true;
		add_length(s, &p->steps[i], &by_test[p->steps[i].test]);
	}
	for (i = 0; i < p->n_tests; i++)
		if (has[i]) {
			name_test(s, i);
			seconds[s->n++] = by_test[i];
		}
	split_fill_unknown(seconds, s->n);
	s->tests = mem_calloc(s->n, sizeof *s->tests);
	for (i = 0; i < s->n; i++) {
		s->tests[i].name = s->names.v[i];
		s->tests[i].seconds = seconds[i];
	}
	free(by_test);
	free(has);
	free(seconds);
}

/* Lists the tests of each group, in the order of the plan. */
static void
list_groups(struct splitting *s)
{
	uint32_t *next = mem_calloc(s->groups, sizeof *next);
	uint32_t i, group;

	s->first = mem_calloc((size_t)s->groups + 1, sizeof *s->first);
	s->by_group = mem_calloc(s->n, sizeof *s->by_group);
	for (i = 0; i < s->n; i++)
		s->first[s->tests[i].group + 1]++;
	for (i = 0; i < s->groups; i++) {
		s->first[i + 1] += s->first[i];
		next[i] = s->first[i];
	}
	for (i = 0; i < s->n; i++) {
		group = s->tests[i].group;
		s->by_group[next[group]++] = i;
	}
	free(next);
}

static int64_t
group_us(const struct splitting *s, uint32_t group)
{
	double sum = 0;
	uint32_t i;

	for (i = s->first[group]; i < s->first[group + 1]; i++)
		sum += s->tests[s->by_group[i]].seconds;
	return (int64_t)(sum * (double)US_PER_S + 0.5);
}

static void
text_group(const struct splitting *s, uint32_t group)
{
	char took[DURATION_TEXT], *safe;
	const char *name;
	uint32_t i;

	if (s->group == 0)
		printf("# group %u of %u: %u tests, %s\n", group + 1,
		    s->groups, s->first[group + 1] - s->first[group],
		    duration_format(group_us(s, group), took));
	for (i = s->first[group]; i < s->first[group + 1]; i++) {
		name = s->names.v[s->by_group[i]];
		safe = isatty(STDOUT_FILENO) ? text_safe(name) : NULL;
		puts(safe != NULL ? safe : name);
		free(safe);
	}
}

static void
json_group(const struct splitting *s, uint32_t group, struct jw *w)
{
	uint32_t i;

	jw_object(w);
	jw_kv_int(w, "group", group + 1);
	jw_kv_seconds(w, "duration_s", group_us(s, group));
	jw_key(w, "tests");
	jw_array(w);
	for (i = s->first[group]; i < s->first[group + 1]; i++)
		jw_str(w, s->names.v[s->by_group[i]]);
	jw_array_end(w);
	jw_object_end(w);
}

static void
print_json(const struct splitting *s)
{
	uint32_t from = s->group > 0 ? s->group - 1 : 0, i;
	uint32_t to = s->group > 0 ? s->group : s->groups;
	struct buf out = BUF_INIT;
	struct jw w;

	jw_init(&w, &out);
	jw_object(&w);
	jw_kv_int(&w, "splits", s->groups);
	jw_kv_str(&w, "algorithm", split_rule_name(s->rule));
	jw_key(&w, "groups");
	jw_array(&w);
	for (i = from; i < to; i++)
		json_group(s, i, &w);
	jw_array_end(&w);
	jw_object_end(&w);
	puts(buf_str(&out));
	buf_done(&out);
}

static void
print_text(const struct splitting *s)
{
	uint32_t from = s->group > 0 ? s->group - 1 : 0, i;
	uint32_t to = s->group > 0 ? s->group : s->groups;

	for (i = from; i < to; i++)
		text_group(s, i);
}

static int
cmd_split(struct cli *c)
{
	struct splitting s = { .groups = 0 };
	int r;

	if ((r = read_split_args(c, &s)) != 0 ||
	    (r = plan_args_load(c, c->args.v[1], &s.p)) != 0)
		goto out;
	gather(&s);
	split(s.rule, s.tests, s.n, s.groups);
	if (!split_is_whole(s.tests, s.n, s.groups)) {
		r = cli_fail(c, EXIT_ERRORS, "the groups are not all of the "
		    "plan: nothing is printed");
		goto out;
	}
	list_groups(&s);
	if (cli_has(c, "json"))
		print_json(&s);
	else
		print_text(&s);
out:
	strvec_done(&s.names);
	free(s.tests);
	free(s.by_group);
	free(s.first);
	plan_free(s.p);
	if (s.has_durations)
		jdoc_done(&s.durations);
	return r;
}

static const struct cli_opt split_opts[] = {
	SELECT_OPTS, JSON_OPT,
	{ "group", 'g', "I", "only group I, from 1 to N" },
	{ "algorithm", 0, "NAME", "chunks (default) or least",
	    "chunks least" },
	{ "durations", 0, "FILE", "seconds by test: .test_durations, a "
	    "knapsack report, or ours" },
	{ NULL }
};

const struct cli_command cli_split_commands[] = {
	{ "plan split", "N PLAN", "a static split of a plan's tests into N "
	    "groups",
	    "The names of the tests, one per line; without --group a line "
	    "that begins with #\nstands before each group. The rules are "
	    "those of pytest-split: chunks keeps the\norder and fills one "
	    "group after the other; least gives the longest that is left\nto "
	    "the group with the least. A test that is not in the file counts "
	    "by its\nestimate, else as the mean of the known, else as one "
	    "second.\n",
	    split_opts, 2, 2, cmd_split },
	{ NULL }
};
