/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Expansion: the worked examples, nesting, selection, terms. */
#include "plan_help.h"

#include "yardmaster/base/jval.h"

/* ---- the worked examples ---- */

static void
check_step(const struct plan *p, const struct plan_step *s,
    const struct jval *want, const char *target)
{
	const struct jval *row = jval_get(want, "row");

	assert_string_equal(p->tests[s->test].name,
	    jval_get_str(want, "test", NULL));
	if (row == NULL)
		assert_int_equal(s->row, PLAN_NONE);
	else
		assert_int_equal(s->row + 1, jval_int(row, 0));
	assert_string_equal(p->targets[s->target].name, target);
}

static void
check_case(const struct jval *v)
{
	const struct jval *expected = jval_get(v, "expected"), *steps;
	struct buf text = BUF_INIT;
	struct plan *p;
	uint32_t i, k;

	jval_print(jval_get(v, "plan"), &text);
	p = expand_good(buf_str(&text), NULL);
	assert_int_equal(p->n_execs, jval_get_int(v, "executions_total", 0));
	assert_int_equal(p->n_execs, jval_count(expected));
	for (i = 0; i < p->n_execs; i++) {
		steps = jval_get(jval_at(expected, i), "steps");
		assert_int_equal(p->execs[i].n_steps, jval_count(steps));
		for (k = 0; k < p->execs[i].n_steps; k++)
			check_step(p, &p->steps[p->execs[i].first_step + k],
			    jval_at(steps, k), jval_get_str(
			    jval_at(expected, i), "target", NULL));
		assert_int_equal(p->terms[p->execs[i].terms].estimate_us,
		    60000000 * (int64_t)p->execs[i].n_steps);
	}
	plan_free(p);
	buf_done(&text);
}

static void
test_conformance(void **state)
{
	struct diags ds = DIAGS_INIT;
	const struct jval *cases;
	struct jdoc doc;
	char path[4096];
	size_t i;

	snprintf(path, sizeof(path), "%s/tests/data/conformance/"
	    "parallel-execution.json", getenv("YM_SRCDIR"));
	assert_int_equal(jdoc_load(&doc, path, 0, &ds), 0);
	cases = jval_get(doc.root, "cases");
	assert_int_equal(jval_count(cases), 8);
	for (i = 0; i < jval_count(cases); i++)
		check_case(jval_at(cases, i));
	jdoc_done(&doc);
	diags_done(&ds);
}

/* ---- modes ---- */

#define COMMAND "\"command\": [\"true\"]"

static void
test_modes(void **state)
{
	static const struct {
		const char *parallel, *mode, *labels;
	} rows[] = {
		{ "none", "free", "s/a[1]@x s/a[2]@x s/b@x "
		    "s/a[1]@y s/a[2]@y s/b@y" },
		{ "targets", "free", "s/a[1]@x s/a[2]@x s/b@x; "
		    "s/a[1]@y s/a[2]@y s/b@y" },
		{ "tests", "free", "s/a[1]@x; s/a[1]@y; s/a[2]@x; s/a[2]@y; "
		    "s/b@x; s/b@y" },
		{ "none", "sequential", "s/a[1]@x s/a[2]@x s/b@x; "
		    "s/a[1]@y s/a[2]@y s/b@y" },
		{ "tests", "sequential", "s/a[1]@x s/a[2]@x s/b@x; "
		    "s/a[1]@y s/a[2]@y s/b@y" },
	};
	char text[1024];
	struct plan *p;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "{\"parallel\": \"%s\", "
		    "\"targets\": [\"x\", \"y\"], " COMMAND ", \"suites\": [{"
		    "\"name\": \"s\", \"mode\": \"%s\", \"tests\": [{\"name\": "
		    "\"a\", \"data\": {\"rows\": [{}, {}]}}, \"b\"]}]}",
		    rows[i].parallel, rows[i].mode);
		p = expand_good(text, NULL);
		check_labels(p, rows[i].labels);
		plan_free(p);
	}
}

/* ---- nesting ---- */

static const char nested[] =
    "{\"command\": [\"x\"], \"parallel\": \"tests\", \"agents\": [\"a\"],"
    " \"env\": {\"A\": 1, \"B\": 1}, \"locks\": {\"l\": 3}, \"retries\": 1,"
    " \"suites\": [{\"name\": \"o\", \"needs\": [\"z\"], \"locks\": [\"l\"],"
    "  \"env\": {\"B\": 2}, \"agents\": [\"b\"], \"tests\": [\"t\","
    "   {\"name\": \"u\", \"locks\": [\"l:2\", \"read:m\"], \"agents\": [],"
    "    \"needs\": [\"o/t\"], \"retries\": 0, \"priority\": -2}],"
    "  \"suites\": [{\"name\": \"i\", \"needs\": [\"o/t\"], \"tests\": [\"t\"],"
    "   \"suites\": [{\"name\": \"d\", \"enabled\": false, \"tests\": ["
    "    {\"name\": \"off\", \"enabled\": true}]}]},"
    "   {\"name\": \"j\", \"tests\": [\"t\", {\"name\": \"off\","
    "    \"enabled\": false}]}]},"
    " {\"name\": \"z\", \"tests\": [\"t\"]}]}";

static void
check_refs(const struct plan *p, const struct plan_terms *t,
    const char *expected)
{
	struct buf b = BUF_INIT;
	uint32_t i;

	for (i = 0; i < t->n_needs; i++) {
		if (i > 0)
			buf_putc(&b, ' ');
		plan_ref_format(p, &t->needs[i], &b);
	}
	assert_string_equal(buf_str(&b), expected);
	buf_done(&b);
}

static void
test_nesting(void **state)
{
	struct plan *p = expand_good(nested, NULL);
	const struct plan_terms *t, *u, *i;
	struct plan_ref ref;

	check_labels(p, "o/t; o/u; o/i/t; o/j/t; z/t");
	t = &p->terms[p->execs[0].terms];
	u = &p->terms[p->execs[1].terms];
	i = &p->terms[p->execs[2].terms];
	assert_string_equal(p->agents[t->agents[0]].terms.v[0], "b");
	assert_int_equal(p->agents[u->agents[0]].terms.n, 0);
	assert_int_equal(t->retries, 1);
	assert_int_equal(u->retries, 0);
	assert_int_equal(u->priority, -2);
	assert_int_equal(t->n_locks, 1);
	assert_int_equal(t->locks[0].count, 1);
	assert_int_equal(u->n_locks, 2);
	assert_int_equal(u->locks[0].count, 2);
	assert_true(u->locks[1].shared);
	check_refs(p, t, "z");
	check_refs(p, u, "z o/t");
	check_refs(p, i, "o/t z");
	assert_string_equal(p->tests[0].props->env->v[0], "A=1");
	assert_string_equal(p->tests[0].props->env->v[1], "B=2");
	/* A suite covers what is nested in it. */
	assert_int_equal(plan_find(p, "o", &ref), 0);
	assert_true(plan_ref_covers(p, &ref, 3));
	assert_false(plan_ref_covers(p, &ref, 5));
	assert_int_equal(plan_find(p, "i", &ref), 0);
	assert_string_equal(p->suites[ref.index].path, "o/i");
	assert_int_equal(plan_find(p, "u", &ref), 0);
	assert_true(ref.is_test);
	assert_true(plan_ref_covers(p, &ref, 2));
	assert_false(plan_ref_covers(p, &ref, 1));
	assert_int_equal(plan_find(p, "t", &ref), ERR_EXISTS);
	assert_int_equal(plan_find(p, "nope", &ref), ERR_NOT_FOUND);
	plan_free(p);
}

/* What an execution of several steps asks for is the union. */
static void
test_union(void **state)
{
	struct plan *p = expand_good("{\"command\": [\"x\"], \"locks\": "
	    "{\"l\": 9}, \"targets\": [\"x\", \"y\"], \"suites\": [{\"name\": "
	    "\"s\", \"tests\": [{\"name\": \"a\", \"locks\": [\"l:2\", "
	    "\"read:m\"], \"estimate\": 1, \"workers\": 2, \"retries\": 3}, "
	    "{\"name\": \"b\", \"locks\": [\"m\", \"l\"], \"estimate\": 2, "
	    "\"agents\": [\"q\"], \"needs\": [\"a\", \"z\"], \"targets\": "
	    "[\"y\"], \"repeatable\": false, \"on_failure\": \"stop\"}]}, "
	    "{\"name\": \"z\", \"tests\": [{\"name\": \"t\", \"targets\": "
	    "[]}]}]}", NULL);
	const struct plan_terms *t = &p->terms[p->execs[0].terms];

	check_labels(p, "s/a@x s/a@y s/b@y; z/t");
	assert_int_equal(t->n_agents, 2);
	assert_int_equal(t->n_targets, 2);
	assert_int_equal(t->n_locks, 2);
	assert_int_equal(t->locks[0].count, 2);
	assert_int_equal(t->locks[1].count, 1);
	assert_false(t->locks[1].shared);
	assert_int_equal(t->estimate_us, 4000000);
	assert_int_equal(t->workers, 2);
	assert_int_equal(t->retries, 3);
	assert_false(t->repeatable);
	assert_int_equal(t->on_failure, ON_FAILURE_STOP);
	check_refs(p, t, "z");
	t = &p->terms[p->execs[1].terms];
	assert_int_equal(t->estimate_us, 0);
	assert_int_equal(t->n_targets, 0);
	plan_free(p);
}

static void
test_defaults(void **state)
{
	struct plan *p = expand_good("{\"suites\": [{\"name\": \"s\", "
	    "\"shell\": \"x\", \"tests\": [\"t\"]}]}", NULL);
	const struct plan_terms *t = &p->terms[0];

	assert_string_equal(p->name, "p");
	assert_int_equal(p->order, ORDER_AUTO);
	assert_int_equal(t->retries, 0);
	assert_int_equal(t->error_retries, 2);
	assert_int_equal(t->retry_delay_us, 1000000);
	assert_int_equal(t->lost_after_us, 120000000);
	assert_int_equal(t->start_timeout_us, 60000000);
	assert_int_equal(t->workers, 1);
	assert_true(t->repeatable);
	assert_false(t->pinned);
	assert_false(t->beside_itself);
	assert_int_equal(t->on_failure, ON_FAILURE_CONTINUE);
	assert_int_equal(p->tests[0].props->timeout_us, 0);
	plan_free(p);
}

/* Tests and rows that ask for the same share their terms. */
static void
test_sharing(void **state)
{
	struct plan *p = expand_good("{\"shell\": \"x\", \"parallel\": "
	    "\"tests\", \"targets\": [\"x\", \"y\"], \"suites\": [{\"name\": "
	    "\"s\", \"data\": {\"rows\": [{}, {}, {}]}, \"tests\": [\"a\", "
	    "\"b\", {\"name\": \"c\", \"env\": {\"A\": 1}}, {\"name\": \"d\", "
	    "\"workers\": 2}]}]}", NULL);

	assert_int_equal(p->n_execs, 24);
	assert_true(p->n_terms <= 6);
	assert_int_equal(p->execs[0].terms, p->execs[2].terms);
	assert_int_not_equal(p->execs[0].terms, p->execs[1].terms);
	assert_int_equal(p->execs[0].terms, p->execs[6].terms);
	assert_int_equal(p->terms[p->execs[23].terms].workers, 2);
	plan_free(p);
}

static void
test_pairs(void **state)
{
	struct plan *p = expand_good("{\"shell\": \"x\", \"exclusive\": "
	    "[[\"s\", \"u/t\"], [\"u/t\", \"u/t\"]], \"suites\": [{\"name\": "
	    "\"s\", \"tests\": [\"t\"]}, {\"name\": \"u\", \"tests\": "
	    "[\"t\"]}]}", NULL);

	assert_int_equal(p->n_pairs, 2);
	assert_false(p->pairs[0].a.is_test);
	assert_true(p->pairs[0].b.is_test);
	assert_int_equal(p->pairs[0].b.index, 1);
	assert_int_equal(p->pairs[1].a.index, p->pairs[1].b.index);
	plan_free(p);
}

/* ---- what a launch chooses ---- */

static const char choice[] =
    "{\"shell\": \"x\", \"parallel\": \"tests\", \"targets\": [\"x\", \"y\"],"
    " \"params\": {\"U\": \"file\"}, \"suites\": [{\"name\": \"s\","
    " \"tests\": [\"t\", {\"name\": \"u\", \"data\": {\"rows\": [{}, {}]}}]},"
    " {\"name\": \"n\", \"targets\": [], \"tests\": [\"t\"]}]}";

static void
test_select(void **state)
{
	static const struct {
		const char *only, *not, *test, *target, *labels;
	} rows[] = {
		{ "s", NULL, NULL, NULL,
		    "s/t@x; s/t@y; s/u[1]@x; s/u[1]@y; s/u[2]@x; s/u[2]@y" },
		{ "suite:n", NULL, NULL, NULL, "n/t" },
		{ "row:2 target:x", NULL, NULL, NULL, "s/u[2]@x" },
		{ NULL, "test:u", NULL, NULL, "s/t@x; s/t@y; n/t" },
		{ "test:/^t$/", "target:y", NULL, NULL, "s/t@x; n/t" },
		{ NULL, NULL, "s/t", NULL, "s/t@x; s/t@y" },
		{ NULL, NULL, "n", NULL, "n/t" },
		{ NULL, NULL, NULL, "y", "s/t@y; s/u[1]@y; s/u[2]@y" },
		{ "row:1", NULL, "u", "x", "s/u[1]@x" },
	};
	struct plan_select select = PLAN_SELECT_INIT;
	struct diags ds = DIAGS_INIT;
	struct plan *p = load_good(choice);
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].only != NULL)
			strvec_push(&select.only, rows[i].only);
		if (rows[i].not != NULL)
			strvec_push(&select.not, rows[i].not);
		if (rows[i].test != NULL)
			strvec_push(&select.tests, rows[i].test);
		if (rows[i].target != NULL)
			strvec_push(&select.targets, rows[i].target);
		assert_int_equal(plan_expand(p, &select, &ds), 0);
		check_labels(p, rows[i].labels);
		plan_select_done(&select);
	}
	/* Nothing of a choice stays. */
	assert_int_equal(plan_expand(p, NULL, &ds), 0);
	assert_int_equal(p->n_execs, 7);
	diags_done(&ds);
	plan_free(p);
}

static void
test_override(void **state)
{
	struct plan_select select = PLAN_SELECT_INIT;
	struct diags ds = DIAGS_INIT;
	struct plan *p = load_good(choice);
	const struct plan_terms *t;

	select.parallel = PARALLEL_TARGETS;
	select.order = ORDER_LONGEST;
	strvec_push(&select.params, "U=set=it");
	strvec_push(&select.agents, "s=lab-1,/a{1,2}b/,@x");
	strvec_push(&select.agents, "*=other");
	assert_int_equal(plan_expand(p, &select, &ds), 0);
	check_labels(p, "s/t@x s/u[1]@x s/u[2]@x; s/t@y s/u[1]@y s/u[2]@y; "
	    "n/t");
	assert_int_equal(p->order, ORDER_LONGEST);
	assert_string_equal(p->params.v[0], "U=set=it");
	t = &p->terms[p->execs[0].terms];
	assert_int_equal(t->n_agents, 1);
	assert_int_equal(p->agents[t->agents[0]].terms.n, 3);
	assert_string_equal(p->agents[t->agents[0]].terms.v[1], "/a{1,2}b/");
	t = &p->terms[p->execs[2].terms];
	assert_string_equal(p->agents[t->agents[0]].terms.v[0], "other");
	plan_select_done(&select);
	assert_int_equal(plan_expand(p, NULL, &ds), 0);
	assert_int_equal(p->n_execs, 7);
	assert_int_equal(p->order, ORDER_AUTO);
	assert_string_equal(p->params.v[0], "U=file");
	t = &p->terms[p->execs[6].terms];
	assert_int_equal(p->agents[t->agents[0]].terms.n, 0);
	diags_done(&ds);
	plan_free(p);
}

static void
check_refused(struct plan *p, const struct plan_select *select,
    const char *expected)
{
	struct diags ds = DIAGS_INIT;
	char *said;

	assert_int_equal(plan_expand(p, select, &ds), ERR_INVALID);
	said = say_all(&ds);
	assert_string_equal(said, expected);
	free(said);
	diags_done(&ds);
}

static void
test_select_faults(void **state)
{
	struct plan_select select = PLAN_SELECT_INIT;
	struct plan *p = load_good(choice);

	strvec_push(&select.only, "zzz");
	check_refused(p, &select, "p.json: nothing to run\n");
	plan_select_done(&select);
	strvec_push(&select.only, "/(/");
	strvec_push(&select.tests, "nope");
	strvec_push(&select.tests, "t");
	strvec_push(&select.targets, "xx");
	check_refused(p, &select,
	    "--only: missing closing parenthesis at character 2\n"
	    "--test: no suite or test is named \"nope\"\n"
	    "--test: several suites or tests are named \"t\"; write "
	    "suite/test\n"
	    "--target: no target is named \"xx\" (did you mean \"x\"?)\n");
	plan_select_done(&select);
	strvec_push(&select.params, "u=1");
	strvec_push(&select.params, "U");
	strvec_push(&select.agents, "s");
	strvec_push(&select.agents, "q=x");
	strvec_push(&select.agents, "s=");
	strvec_push(&select.agents, "s=a b");
	check_refused(p, &select,
	    "--set: the plan has no parameter \"u\" (did you mean \"U\"?)\n"
	    "--set: NAME=VALUE is expected\n"
	    "--agents: SUITE=SELECTOR[,SELECTOR...] is expected\n"
	    "--agents: no suite is named \"q\" (* stands for all suites)\n"
	    "--agents: SUITE=SELECTOR[,SELECTOR...] is expected\n"
	    "--agents: an agent name is made of letters, digits, and . _ -; "
	    "else write @label or /pattern/\n");
	plan_select_done(&select);
	plan_free(p);
}

/* Only one instance is leased for an execution. */
static void
test_two_instances(void **state)
{
	static const char text[] = "{\"shell\": \"x\", \"targets\": "
	    "[{\"name\": \"x\", \"instances\": [\"1\"]}, {\"name\": \"y\", "
	    "\"instances\": [\"1\"]}], \"suites\": [{\"name\": \"s\", "
	    "\"tests\": [\"t\"]}]}";
	struct plan_select select = PLAN_SELECT_INIT;
	struct diags ds = DIAGS_INIT;
	struct plan *p = load_good(text);

	check_refused(p, NULL, "p.json: suite s: one execution would need "
	    "instances of both x and y (set parallel to targets or tests)\n");
	select.parallel = PARALLEL_TARGETS;
	assert_int_equal(plan_expand(p, &select, &ds), 0);
	assert_int_equal(p->n_execs, 2);
	plan_free(p);
	diags_done(&ds);
}

static void
test_disabled(void **state)
{
	struct plan *p = load_good("{\"shell\": \"x\", \"suites\": [{\"name\": "
	    "\"s\", \"enabled\": false, \"tests\": [\"t\"]}]}");

	check_refused(p, NULL, "p.json: nothing to run\n");
	plan_free(p);
}

/* ---- against a fleet ---- */

static void
test_agents(void **state)
{
	static const char fleet[] = "{\"name\": \"f\", \"agents\": [{\"name\": "
	    "\"lab-1\", \"labels\": [\"gpu\"], \"targets\": [\"x\"]}]}";
	struct plan *p = expand_good("{\"shell\": \"x\", \"targets\": [\"x\", "
	    "\"y\"], \"suites\": [{\"name\": \"a\", \"agents\": [\"lab-2\"], "
	    "\"tests\": [\"t\"]}, {\"name\": \"b\", \"agents\": [\"@gpu\", "
	    "\"@cpu\"], \"tests\": [\"t\"]}, {\"name\": \"c\", \"tests\": "
	    "[\"t\"]}]}", NULL);
	struct diags ds = DIAGS_INIT;
	struct fleet_spec *f;
	char *said;

	assert_int_equal(fleet_load_text("f.json", fleet, strlen(fleet), &ds,
	    &f), 0);
	assert_int_equal(plan_check_agents(p, f, &ds), 1);
	said = say_all(&ds);
	assert_string_equal(said,
	    "p.json:1: suites[0].agents: no agent of the fleet f meets lab-2 "
	    "(did you mean \"lab-1\"?)\n"
	    "p.json:1: warning: suites[1].agents[1]: no agent of the fleet f "
	    "meets @cpu\n"
	    "p.json:1: warning: targets: target y: no agent of the fleet f "
	    "offers it\n");
	free(said);
	diags_done(&ds);
	fleet_spec_free(f);
	plan_free(p);
}

/* ---- for people ---- */

static void
test_show(void **state)
{
	struct plan *p = expand_good("{\"shell\": \"x\", \"targets\": [\"x\"],"
	    " \"suites\": [{\"name\": \"s\", \"mode\": \"sequential\", "
	    "\"tests\": [\"a\", \"b\\u202e\"]}, {\"name\": \"u\", \"parallel\":"
	    " \"tests\", \"needs\": [\"s\"], \"agents\": [\"@l\"], \"tests\": "
	    "[{\"name\": \"t\", \"locks\": [\"read:db\"], \"estimate\": "
	    "\"90s\", \"workers\": 2, \"pinned\": true}]}]}", NULL);
	struct buf out = BUF_INIT;
	struct jdoc doc;

	plan_show_text(p, &out);
	assert_string_equal(buf_str(&out),
	    "p: 2 executions, 3 steps, order auto\n"
	    "s (sequential)\n"
	    "      1  s@x                                               "
	    "2 steps\n"
	    "           s/a@x\n"
	    "           s/b<U+202E>@x\n"
	    "u (tests)\n"
	    "      2  u/t@x                                             "
	    "1m30s  2 workers  pinned  on @l  locks read:db  needs s\n");
	buf_clear(&out);
	plan_show_json(p, &out);
	assert_int_equal(jdoc_parse(&doc, NULL, buf_str(&out), buf_len(&out),
	    0, NULL), 0);
	assert_int_equal(jval_count(jval_get(doc.root, "executions")), 2);
	jdoc_done(&doc);
	buf_done(&out);
	plan_free(p);
}

/* ---- size ---- */

/* A long chain of needs and many tests end soon. */
static void
test_many(void **state)
{
	struct buf b = BUF_INIT;
	struct plan *p;
	int i, n = 3000;

	buf_puts(&b, "{\"shell\": \"x\", \"parallel\": \"tests\", \"suites\": "
	    "[{\"name\": \"s\", \"tests\": [\"t0\"");
	for (i = 1; i < n; i++)
		buf_putf(&b, ",{\"name\":\"t%d\",\"needs\":[\"s/t%d\"]}", i,
		    i - 1);
	buf_puts(&b, "]}]}");
	p = expand_good(buf_str(&b), NULL);
	assert_int_equal(p->n_execs, n);
	check_refs(p, &p->terms[p->execs[n - 1].terms], "s/t2998");
	plan_free(p);
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conformance),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_nesting),
		cmocka_unit_test(test_union),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_sharing),
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_select),
		cmocka_unit_test(test_override),
		cmocka_unit_test(test_select_faults),
		cmocka_unit_test(test_two_instances),
		cmocka_unit_test(test_disabled),
		cmocka_unit_test(test_agents),
		cmocka_unit_test(test_show),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
