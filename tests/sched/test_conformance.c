/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The worked examples of parallel execution, simulated. */
#include "config.h"

#include "kit.h"
#include "yardmaster/base/buf.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sched/sim.h"

#define STEP_US (60 * US_PER_S)

struct plan {
	struct spec spec;
	int64_t step_us[4 * KIT_MAX];
	uint32_t first_step[KIT_MAX + 1];
	struct buf text[KIT_MAX];	/* "T1[1]@chrome T2@chrome" */
};

static void
add_step(struct plan *p, const char *test, int64_t row, const char *target)
{
	uint32_t n = p->spec.run.n_execs - 1;
	uint32_t at = p->first_step[n + 1]++;

	p->step_us[at] = STEP_US;
	buf_putf(&p->text[n], "%s", test);
	if (row > 0)
		buf_putf(&p->text[n], "[%d]", (int)row);
	buf_putf(&p->text[n], "@%s ", target);
}

static void
add_exec(struct plan *p)
{
	spec_execs(&p->spec, 1)->estimate_us = STEP_US;
	p->first_step[p->spec.run.n_execs] =
	    p->first_step[p->spec.run.n_execs - 1];
}

/* The rows of a test, or one that is none. */
static void
add_rows(struct plan *p, const struct jval *test, const char *target,
    bool own)
{
	size_t i, n = jval_count(jval_get(jval_get(test, "data"), "rows"));

	for (i = 0; i < (n > 0 ? n : 1); i++) {
		if (own)
			add_exec(p);
		add_step(p, jval_get_str(test, "name", NULL),
		    n > 0 ? (int64_t)i + 1 : 0, target);
	}
}

static void
expand_targets(struct plan *p, const struct jval *tests,
    const struct jval *targets)
{
	size_t i, j;

	for (i = 0; i < jval_count(targets); i++) {
		add_exec(p);
		for (j = 0; j < jval_count(tests); j++)
			add_rows(p, jval_at(tests, j),
			    jval_str(jval_at(targets, i), NULL), false);
	}
}

/* Tests outermost, then rows, then targets. */
static void
expand_tests(struct plan *p, const struct jval *tests,
    const struct jval *targets)
{
	const struct jval *test;
	size_t i, j, k, n;

	for (i = 0; i < jval_count(tests); i++) {
		test = jval_at(tests, i);
		n = jval_count(jval_get(jval_get(test, "data"), "rows"));
		for (j = 0; j < (n > 0 ? n : 1); j++)
			for (k = 0; k < jval_count(targets); k++) {
				add_exec(p);
				add_step(p, jval_get_str(test, "name", NULL),
				    n > 0 ? (int64_t)j + 1 : 0,
				    jval_str(jval_at(targets, k), NULL));
			}
	}
}

static void
expand(struct plan *p, const struct jval *plan)
{
	const struct jval *tests = jval_get(jval_at(jval_get(plan, "suites"),
	    0), "tests");
	const struct jval *targets = jval_get(plan, "targets");

	memset(p, 0, sizeof(*p));
	spec_init(&p->spec);
	spec_terms(&p->spec);
	if (strcmp(jval_get_str(plan, "parallel", ""), "targets") == 0)
		expand_targets(p, tests, targets);
	else
		expand_tests(p, tests, targets);
}

static void
check_row(const struct plan *p, const struct sim_row *row,
    const struct jval *want, const char *id)
{
	const struct jval *steps = jval_get(want, "steps"), *step;
	struct buf b = BUF_INIT;
	size_t i;

	for (i = 0; i < jval_count(steps); i++) {
		step = jval_at(steps, i);
		buf_puts(&b, jval_get_str(step, "test", ""));
		if (jval_get_int(step, "row", 0) > 0)
			buf_putf(&b, "[%d]", (int)jval_get_int(step, "row",
			    0));
		buf_putf(&b, "@%s ", jval_get_str(want, "target", ""));
	}
	print_message("# %s: %s at %d on worker %u\n", id,
	    buf_str(&p->text[row->exec - 1]),
	    (int)(row->start_us / US_PER_S), row->worker);
	assert_string_equal(buf_str(&p->text[row->exec - 1]), buf_str(&b));
	assert_int_equal(row->start_us, jval_get_int(want, "start_s", -1) *
	    US_PER_S);
	assert_int_equal(row->worker, jval_get_int(want, "worker", -1));
	buf_done(&b);
}

static void
check_case(const struct jval *c)
{
	const struct jval *want = jval_get(c, "expected");
	const struct jval *agent = jval_at(jval_get(jval_get(c, "fleet"),
	    "agents"), 0);
	struct sim_agent a = { .facts = kit_facts("agent-1",
	    (uint32_t)jval_get_int(agent, "max_workers", 0)) };
	struct plan p;
	struct sim_run run = { &p.spec.run, p.step_us, p.first_step };
	struct sim_opts opts = { .seed = 1 };
	struct sim_result res;
	size_t i;

	expand(&p, jval_get(c, "plan"));
	assert_int_equal(p.spec.run.n_execs, jval_get_int(c,
	    "executions_total", 0));
	assert_int_equal(sim_run(&a, 1, &run, 1, &opts, &res), 0);
	assert_int_equal(res.n_rows, jval_count(want));
	assert_int_equal(res.makespan_us, jval_get_int(c, "makespan_s", 0) *
	    US_PER_S);
	for (i = 0; i < res.n_rows; i++)
		check_row(&p, &res.rows[i], jval_at(want, i),
		    jval_get_str(c, "id", ""));
	sim_result_done(&res);
	for (i = 0; i < KIT_MAX; i++)
		buf_done(&p.text[i]);
}

static void
test_parallel_execution(void **state)
{
	char *path = str_fmt("%s/tests/data/conformance/"
	    "parallel-execution.json", getenv("YM_SRCDIR") != NULL ?
	    getenv("YM_SRCDIR") : ".");
	const struct jval *cases;
	struct jdoc doc;
	size_t i;

	assert_int_equal(jdoc_load(&doc, path, 0, NULL), 0);
	cases = jval_get(doc.root, "cases");
	assert_int_equal(jval_count(cases), 8);
	for (i = 0; i < jval_count(cases); i++)
		check_case(jval_at(cases, i));
	jdoc_done(&doc);
	free(path);
}

/* Lines of a wave are no barriers: what is free takes the next at once. */
static void
run_lengths(const int64_t *length_s, uint32_t n, uint32_t max,
    struct sim_result *res)
{
	struct sim_agent a = { .facts = kit_facts("agent-1", max) };
	struct plan p;
	struct sim_run run = { &p.spec.run, p.step_us, p.first_step };
	struct sim_opts opts = { .seed = 1 };
	uint32_t i;

	memset(&p, 0, sizeof(p));
	spec_init(&p.spec);
	spec_terms(&p.spec);
	spec_execs(&p.spec, n);
	for (i = 0; i < n; i++) {
		p.step_us[i] = length_s[i] * US_PER_S;
		p.first_step[i + 1] = i + 1;
	}
	assert_int_equal(sim_run(&a, 1, &run, 1, &opts, res), 0);
	assert_int_equal(res->counts.n[EXEC_PASSED], n);
}

static void
test_not_barriers(void **state)
{
	const int64_t targets[] = { 10, 6, 10 };	/* TT2 */
	const int64_t tests[] = { 3, 1, 3, 3, 3, 3 };	/* PT3 */
	struct sim_result res;

	run_lengths(targets, 3, 2, &res);
	assert_int_equal(res.rows[2].exec, 3);
	assert_int_equal(res.rows[2].start_us, 6 * US_PER_S);
	assert_int_equal(res.rows[2].worker, 2);
	sim_result_done(&res);
	run_lengths(tests, 6, 5, &res);
	assert_int_equal(res.rows[5].exec, 6);
	assert_int_equal(res.rows[5].start_us, 1 * US_PER_S);
	assert_int_equal(res.rows[5].worker, 2);
	sim_result_done(&res);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parallel_execution),
		cmocka_unit_test(test_not_barriers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
