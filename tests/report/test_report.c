/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run with every kind of end, loaded from its file, in every format. */
#include "config.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/report/junit_read.h"
#include "yardmaster/report/report.h"
#include "yardmaster/store/run_file.h"
#include "yardmaster/sys/fs.h"

#define RUN "r0000000001"
#define EVIL "<&\"'>\n\x01\x1b[31m=\xff#"

/* The executions of the run; steps are called t1, t2, ... */
static const struct {
	const char *suite, *row, *target;
	uint32_t n_steps;
} planned[] = {
	{ "smoke", NULL, "chrome", 1 },		/* 1: passed */
	{ "api/users", "eva, x", NULL, 3 },	/* 2: failed at t2 */
	{ "smoke", NULL, "safari", 1 },		/* 3: healed */
	{ "smoke", EVIL, NULL, 1 },		/* 4: timeout */
	{ "api/users", NULL, NULL, 2 },		/* 5: error, lost */
	{ "", NULL, NULL, 1 },			/* 6: skipped */
	{ "late", NULL, NULL, 1 },		/* 7: running */
};
#define N_EXECS (sizeof(planned) / sizeof(planned[0]))

static void
fill_exec(void *arg, uint32_t no, struct run_exec *ret)
{
	ret->suite = planned[no - 1].suite;
	ret->test = "t1";
	ret->row = planned[no - 1].row;
	ret->target = planned[no - 1].target;
	ret->n_steps = planned[no - 1].n_steps;
}

static void
fill_step(void *arg, uint32_t no, uint32_t step, struct run_step *ret)
{
	static const char *const tests[] = { "t1", "t2", "t3" };

	ret->test = tests[step];
	ret->row = planned[no - 1].row;
	ret->target = planned[no - 1].target;
}

static void
put_attempt(struct run_file *f, uint32_t exec, uint32_t attempt,
    const uint32_t *steps, uint32_t n)
{
	struct run_attempt a = { .exec = exec, .attempt = attempt,
		.agent = attempt == 1 ? "lab-1" : "lab-2",
		.state = ATTEMPT_SENT, .steps = steps, .n_steps = n };

	assert_int_equal(run_file_put_attempt(f, &a), 0);
}

/* Puts an ended attempt with these outcomes, ended by OUTCOMES. */
static void
put_result(struct run_file *f, uint32_t exec, uint32_t attempt, bool late,
    const enum outcome *o, const char *text)
{
	struct report r = {
		.id = { .run = RUN, .execution = exec, .attempt = attempt },
		.state = ATTEMPT_ENDED, .worker = 1,
		.started_wall_us = 3000000, .steps = mem_calloc(4,
		    sizeof(*r.steps))
	};
	bool fresh = false;

	for (; o[r.n_steps] != OUTCOMES; r.n_steps++)
		r.steps[r.n_steps] = (struct step_result){
			.outcome = o[r.n_steps],
			.exit_code = o[r.n_steps] == OUTCOME_FAILED ? 3 :
			    o[r.n_steps] == OUTCOME_TIMEOUT ? -1 : 0,
			.signo = o[r.n_steps] == OUTCOME_TIMEOUT ? 9 : 0,
			.started_wall_us = 3000000,
			.elapsed_us = 1000000 * exec + 250000 * attempt,
			.text = str_dup(text)
		};
	r.outcome = steps_outcome(r.steps, r.n_steps);
	assert_int_equal(run_file_put_result(f, &r, late, &fresh), 0);
	assert_true(fresh);
	report_done(&r);
}

static void
put_exec(struct run_file *f, uint32_t no, enum exec_state s,
    uint32_t attempt, const char *text)
{
	struct run_exec e = { .no = no, .state = s, .attempt = attempt,
		.agent = attempt > 0 ? "lab-1" : NULL, .text = text };

	assert_int_equal(run_file_put_exec(f, &e), 0);
}

#define RESULT(f, exec, attempt, late, text, ...)                             \
	put_result(f, exec, attempt, late,                                    \
	    (const enum outcome[]){ __VA_ARGS__, OUTCOMES }, text)

static void
put_ends(struct run_file *f)
{
	static const uint32_t second[] = { 1 };

	put_attempt(f, 1, 1, NULL, 0);
	RESULT(f, 1, 1, false, NULL, OUTCOME_PASSED);
	put_exec(f, 1, EXEC_PASSED, 1, NULL);
	put_attempt(f, 2, 1, NULL, 0);
	RESULT(f, 2, 1, false, "first", OUTCOME_PASSED, OUTCOME_FAILED,
	    OUTCOME_NONE);
	put_attempt(f, 2, 2, second, 1);
	RESULT(f, 2, 2, false, "again", OUTCOME_FAILED);
	put_exec(f, 2, EXEC_FAILED, 2, NULL);
	put_attempt(f, 3, 1, NULL, 0);
	RESULT(f, 3, 1, false, NULL, OUTCOME_FAILED);
	put_attempt(f, 3, 2, NULL, 0);
	RESULT(f, 3, 2, false, NULL, OUTCOME_PASSED);
	put_exec(f, 3, EXEC_HEALED, 2, NULL);
	put_attempt(f, 4, 1, NULL, 0);
	RESULT(f, 4, 1, false, EVIL, OUTCOME_TIMEOUT);
	put_exec(f, 4, EXEC_TIMEOUT, 1, NULL);
	put_attempt(f, 5, 1, NULL, 0);
	RESULT(f, 5, 1, true, NULL, OUTCOME_PASSED, OUTCOME_PASSED);
	put_exec(f, 5, EXEC_ERROR, 1, "agent lab-1 was lost");
	put_exec(f, 6, EXEC_SKIPPED, 0, "needs smoke");
	put_exec(f, 7, EXEC_RUNNING, 1, NULL);
}

static int
setup(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char *dir = str_fmt("%s/ym-report-XXXXXX", tmp != NULL ? tmp :
	    "/tmp");
	struct run_head ended = { .state = RUN_ENDED, .exit_code = 3,
		.ended_wall_us = 63500000 };
	struct run_create c = {
		.head = { .id = RUN, .plan = "a <plan>", .who = "ann@c",
		    .state = RUN_RUNNING, .started_wall_us = 1000000 },
		.n = N_EXECS, .exec = fill_exec, .step = fill_step
	};
	struct run_file *f = NULL;

	assert_non_null(mkdtemp(dir));
	assert_int_equal(run_file_create(dir, &c, &f), 0);
	put_ends(f);
	assert_int_equal(run_file_put_head(f, &ended), 0);
	assert_int_equal(run_file_commit(f), 0);
	run_file_close(f);
	*state = dir;
	return 0;
}

static int
teardown(void **state)
{
	fs_remove_tree(*state);
	free(*state);
	return 0;
}

static struct report_run
load(void **state)
{
	struct report_run r;

	assert_int_equal(report_load(*state, RUN, &r), 0);
	report_set_tail(&r, 4, "line 1\nab\rcd\x1b[1m!\x1b[0m\r\n" EVIL, 38);
	report_set_tail(&r, 2, "out of two\n", 11);
	report_set_tail(&r, 99, "x", 1);
	return r;
}

/* What a writer makes of the run. */
static char *
written(void **state, report_fn write)
{
	struct report_run r = load(state);
	struct buf b = BUF_INIT;

	write(&r, &b);
	report_run_done(&r);
	return buf_steal(&b);
}

static void
steps_come_to_what_they_should(void **state)
{
	static const struct {
		const char *label;
		enum exec_state state;
		uint32_t tries;
	} want[] = {
		{ "smoke/t1@chrome", EXEC_PASSED, 1 },
		{ "api/users/t1[eva, x]", EXEC_PASSED, 1 },
		{ "api/users/t2[eva, x]", EXEC_FAILED, 2 },
		{ "api/users/t3[eva, x]", EXEC_SKIPPED, 0 },
		{ "smoke/t1@safari", EXEC_HEALED, 2 },
		{ "smoke/t1[" EVIL "]", EXEC_TIMEOUT, 1 },
		{ "api/users/t1", EXEC_ERROR, 1 },
		{ "api/users/t2", EXEC_ERROR, 1 },
		{ "t1", EXEC_SKIPPED, 0 },
		{ "late/t1", EXEC_RUNNING, 0 },
	};
	struct report_run r = load(state);
	size_t i, n = sizeof(want) / sizeof(want[0]);

	assert_int_equal(r.n_steps, n);
	for (i = 0; i < n; i++) {
		assert_string_equal(r.steps[i].label, want[i].label);
		assert_int_equal(r.steps[i].state, want[i].state);
		assert_int_equal(r.steps[i].n_tries, want[i].tries);
	}
	assert_int_equal(r.n_suites, 4);
	assert_int_equal(r.n_execs, N_EXECS);
	assert_int_equal(counts_total(&r.counts), N_EXECS);
	assert_int_equal(counts_total(&r.steps_by_state), n);
	assert_int_equal(r.steps[2].last->attempt, 2);
	assert_string_equal(r.steps[2].last->agent, "lab-2");
	assert_string_equal(r.steps[2].text, "again");
	assert_true(r.steps[6].tries[0].late);
	assert_null(r.steps[6].last);
	assert_string_equal(r.steps[6].text, "agent lab-1 was lost");
	assert_int_equal(r.exit_code, 3);
	assert_string_equal(r.plan, "a <plan>");
	assert_int_equal(r.state, RUN_ENDED);
	report_run_done(&r);
}

static void
an_execution_hides_no_failure(void **state)
{
	struct run_file *f = NULL;
	struct report_run r;
	struct run_head head = { .state = RUN_RUNNING };

	/* All that counts passed, and yet it came to an error. */
	assert_int_equal(report_load(*state, RUN, &r), 0);
	report_run_done(&r);
	run_remove(*state, RUN);
	assert_int_equal(run_file_create(*state, &(struct run_create){
	    .head = { .id = RUN }, .n = 1, .exec = fill_exec,
	    .step = fill_step }, &f), 0);
	put_attempt(f, 1, 1, NULL, 0);
	RESULT(f, 1, 1, false, NULL, OUTCOME_PASSED);
	put_exec(f, 1, EXEC_ERROR, 1, "workspace");
	assert_int_equal(run_file_put_head(f, &head), 0);
	assert_int_equal(run_file_commit(f), 0);
	assert_int_equal(report_load(*state, RUN, &r), 0);
	assert_int_equal(r.steps[0].state, EXEC_ERROR);
	assert_string_equal(r.steps[0].text, "workspace");
	assert_int_equal(r.state, RUN_RUNNING);
	assert_non_null(r.owner);
	report_run_done(&r);
	run_file_close(f);
	assert_int_equal(report_load(*state, RUN, &r), 0);
	assert_int_equal(r.state, RUN_ORPHANED);
	report_run_done(&r);
	assert_int_equal(report_load(*state, "r0000000009", &r),
	    ERR_NOT_FOUND);
}

static void
junit_reads_back(void **state)
{
	static const struct {
		const char *suite, *classname, *name;
		enum outcome outcome;
	} want[] = {
		{ "smoke", "smoke", "t1@chrome", OUTCOME_PASSED },
		{ "smoke", "smoke", "t1@safari", OUTCOME_PASSED },
		{ "smoke", "smoke", "t1[<&\"'>\n[31m=\xef\xbf\xbd#]",
		    OUTCOME_FAILED },
		{ "api/users", "api.users", "t1[eva, x]", OUTCOME_PASSED },
		{ "api/users", "api.users", "t2[eva, x]", OUTCOME_FAILED },
		{ "api/users", "api.users", "t3[eva, x]", OUTCOME_SKIPPED },
		{ "api/users", "api.users", "t1", OUTCOME_ERROR },
		{ "api/users", "api.users", "t2", OUTCOME_ERROR },
		{ "", "", "t1", OUTCOME_SKIPPED },
		{ "late", "late", "t1", OUTCOME_SKIPPED },
	};
	char *xml = written(state, report_junit);
	struct junit_results r;
	size_t i, n = sizeof(want) / sizeof(want[0]);

	assert_int_equal(junit_read("x", xml, strlen(xml), &r, NULL), 0);
	assert_int_equal(r.n, n);
	for (i = 0; i < n; i++) {
		assert_string_equal(r.v[i].suite, want[i].suite);
		assert_string_equal(r.v[i].classname, want[i].classname);
		assert_string_equal(r.v[i].name, want[i].name);
		assert_int_equal(r.v[i].outcome, want[i].outcome);
	}
	assert_int_equal(r.v[1].elapsed_us, 3500000);
	assert_string_equal(r.v[4].text, "again");
	junit_results_done(&r);
	assert_non_null(strstr(xml, "<testsuites name=\"a &lt;plan&gt;\""
	    " tests=\"10\" failures=\"2\" errors=\"2\" skipped=\"3\""
	    " time=\"62.500000\">"));
	assert_non_null(strstr(xml, "<testsuite name=\"smoke\" tests=\"3\""
	    " failures=\"1\" errors=\"0\" skipped=\"0\""));
	assert_non_null(strstr(xml, "timestamp=\"1970-01-01T00:00:01\""));
	assert_non_null(strstr(xml, "<flakyFailure message=\"exit code 3\""
	    " type=\"failed\"/>"));
	assert_non_null(strstr(xml, "<rerunFailure message=\"first\""));
	assert_non_null(strstr(xml, "<system-out>line 1\ncd!\n"));
	assert_null(strchr(xml, '\x1b'));
	assert_null(strchr(xml, '\x01'));
	free(xml);
}

static void
assert_begins(const char *s, const char *with)
{
	if (strncmp(s, with, strlen(with)) != 0)
		fail_msg("%s", s);
}

static void
tap_has_one_line_per_step(void **state)
{
	char *tap = written(state, report_tap);

	assert_begins(tap, "TAP version 13\n1..10\n"
	    "ok 1 - smoke/t1@chrome\nok 2 - api/users/t1[eva, x]\n"
	    "not ok 3 - api/users/t2[eva, x]\n  ---\n"
	    "  state: \"failed\"\n  message: \"again\"\n"
	    "  ended: \"exit code 3\"\n"
	    "  execution: \"" RUN "/2\"\n  agent: \"lab-2\"\n"
	    "  tries: 2\n  duration_ms: 2500\n  ...\n"
	    "ok 4 - api/users/t3[eva, x] # SKIP \n");
	assert_non_null(strstr(tap, "\nnot ok 6 - smoke/t1[<&\"'>^J^A^[[31m="
	    "\\\\xFF\\#]\n"));
	assert_non_null(strstr(tap, "\nok 9 - t1 # SKIP needs smoke\n"));
	assert_non_null(strstr(tap, "\nnot ok 10 - late/t1\n"));
	free(tap);
}

static void
json_can_be_parsed(void **state)
{
	char *text = written(state, report_json);
	struct jdoc doc;
	const struct jval *execs, *step;

	assert_int_equal(jdoc_parse(&doc, NULL, text, strlen(text), 0, NULL),
	    0);
	assert_string_equal(jval_get_str(doc.root, "id", ""), RUN);
	assert_int_equal(jval_get_int(doc.root, "exit_code", 0), 3);
	assert_int_equal(jval_get_int(jval_get(doc.root, "counts"), "failed",
	    0), 1);
	execs = jval_get(doc.root, "executions");
	assert_int_equal(jval_count(execs), N_EXECS);
	assert_string_equal(jval_get_str(jval_at(execs, 1), "id", ""),
	    RUN "/2");
	step = jval_at(jval_get(jval_at(execs, 1), "steps"), 1);
	assert_string_equal(jval_get_str(step, "state", ""), "failed");
	assert_int_equal(jval_count(jval_get(step, "tries")), 2);
	jdoc_done(&doc);
	free(text);
}

static void
csv_is_safe_to_open(void **state)
{
	struct report_run r = load(state);
	struct buf b = BUF_INIT;
	const char *p;

	free(r.steps[0].test);
	r.steps[0].test = str_dup("=HYPERLINK(\"x\")");
	free(r.steps[4].test);
	r.steps[4].test = str_dup("@SUM");
	report_csv(&r, &b);
	p = buf_str(&b);
	assert_begins(p, "execution,suite,test,row,target,state,"
	    "attempt,agent,started,elapsed_s,exit_code,signal,text\r\n"
	    RUN "/1,smoke,\"'=HYPERLINK(\"\"x\"\")\",,chrome,passed,1,lab-1,"
	    "1970-01-01T00:00:03.000Z,1.250000,0,,\r\n"
	    RUN "/2,api/users,t1,\"eva, x\",,passed,");
	assert_non_null(strstr(p, ",\"'@SUM\",,safari,healed,2,lab-2,"));
	assert_non_null(strstr(p, ",,timeout,1,lab-1,"
	    "1970-01-01T00:00:03.000Z,4.250000,,9,"));
	assert_non_null(strstr(p, RUN "/6,,t1,,,skipped,0,,,0.000000,,,"
	    "needs smoke\r\n"));
	buf_done(&b);
	report_run_done(&r);
}

static void
html_holds_no_markup_of_tests(void **state)
{
	char *html = written(state, report_html);

	assert_non_null(strstr(html, "<title>a &lt;plan&gt; " RUN));
	assert_null(strstr(html, "<plan>"));
	assert_null(strstr(html, "t1[<"));
	assert_non_null(strstr(html, "Did not pass"));
	assert_non_null(strstr(html, "<pre>line 1\ncd!\n"));
	assert_null(strstr(html, "<script"));
	free(html);
}

static void
durations_are_those_of_passes(void **state)
{
	char *text = written(state, report_durations);

	/* Over both targets: 1.25 s and, healed, 3.5 s. */
	assert_string_equal(text, "{\"smoke/t1\":2.375,"
	    "\"api/users/t1[eva, x]\":2.25}\n");
	free(text);
}

static void
the_summary_ends_with_the_counts(void **state)
{
	char *text = written(state, report_summary);

	assert_begins(text, "Slowest:\n");
	assert_non_null(strstr(text, "Did not pass:\n"
	    "  failed    api/users/t2[eva, x] (" RUN "/2/2 on lab-2, exit "
	    "code 3): again\n      | out of two\n"));
	assert_non_null(strstr(text, "      | line 1\n      | cd!\n"));
	assert_non_null(strstr(text, "on lab-1, signal 9): <&\"'> ...\n"));
	assert_non_null(strstr(text, "\n" RUN " a <plan> ended in 1m02s: 7 "
	    "executions: 1 passed, 1 healed, 1 failed, 1 timeout, 1 error, "
	    "1 skipped, 1 running (10 steps: 2 passed, 1 healed, 1 failed, "
	    "1 timeout, 2 error, 2 skipped, 1 running)\n"));
	assert_null(strchr(text, '\x1b'));
	free(text);
}

static void
formats_have_names(void **state)
{
	const char *const *name;
	size_t n = 0;

	for (name = report_formats(); *name != NULL; name++, n++)
		assert_non_null(report_format(*name));
	assert_int_equal(n, 6);
	assert_ptr_equal(report_format("tap"), report_tap);
	assert_ptr_equal(report_format("durations"), report_durations);
	assert_null(report_format("yaml"));
}

static void
a_run_of_nothing_is_written(void **state)
{
	struct report_run r = { .id = RUN };
	struct buf b = BUF_INIT;
	struct junit_results back;

	r.plan = str_dup("p");
	report_junit(&r, &b);
	assert_int_equal(junit_read("x", buf_data(&b), buf_len(&b), &back,
	    NULL), 0);
	assert_int_equal(back.n, 0);
	buf_clear(&b);
	report_summary(&r, &b);
	assert_string_equal(buf_str(&b), RUN " p starting: 0 executions\n");
	report_html(&r, &b);
	report_csv(&r, &b);
	report_tap(&r, &b);
	report_durations(&r, &b);
	buf_done(&b);
	report_run_done(&r);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(steps_come_to_what_they_should),
		T(an_execution_hides_no_failure),
		T(junit_reads_back),
		T(tap_has_one_line_per_step),
		T(json_can_be_parsed),
		T(csv_is_safe_to_open),
		T(html_holds_no_markup_of_tests),
		T(durations_are_those_of_passes),
		T(the_summary_ends_with_the_counts),
		cmocka_unit_test(formats_have_names),
		cmocka_unit_test(a_run_of_nothing_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
