/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Work and reports: there and back, and everything a peer may get wrong. */
#include "config.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/model/work.h"

static int
read_work(const char *text, struct work *ret)
{
	struct jval *v = NULL;
	int r;

	assert_int_equal(jval_parse(&v, text, strlen(text)), 0);
	r = work_read(v, ret);
	jval_free(v);
	return r;
}

static int
read_report(const char *text, struct report *ret)
{
	struct jval *v = NULL;
	int r;

	assert_int_equal(jval_parse(&v, text, strlen(text)), 0);
	r = report_read(v, ret);
	jval_free(v);
	return r;
}

static char *
work_text(const struct work *work)
{
	struct buf b = BUF_INIT;
	struct jw w;

	jw_init(&w, &b);
	work_write(&w, work);
	return buf_steal(&b);
}

static char *
report_text(const struct report *r)
{
	struct buf b = BUF_INIT;
	struct jw w;

	jw_init(&w, &b);
	report_write(&w, r);
	return buf_steal(&b);
}

static const char full_work[] =
    "{\"id\":\"r0000000001/2/3\",\"epoch\":7,\"class\":\"pinned\","
    "\"workers\":2,\"label\":\"s/t\",\"owner\":\"ann@c\",\"cwd\":\"/w\","
    "\"instance\":\"emu-1\",\"stop_at_failure\":true,"
    "\"beside_itself\":true,\"together\":true,\"holds\":[{\"kind\":\"lock\",\"name\":\"db\","
    "\"n\":1}],\"targets\":[{\"name\":\"safari\",\"max_per_agent\":2},"
    "{\"name\":\"x\"}],\"usual_s\":1.5,"
    "\"env\":[\"A=1\",\"B=\"],\"steps\":[{\"label\":\"s/t[1]@x\","
    "\"argv\":[\"sh\",\"\",\"-c\"],\"env\":[\"C=x=y\"],\"timeout_s\":60,"
    "\"expect_fail\":true,\"exits\":{\"77\":\"skipped\"},"
    "\"results_at\":[[0,2],[2,0]]},"
    "{\"shell\":\"exit 0\"}]}";

static void
work_goes_there_and_back(void **state)
{
	struct work w;
	char *text;

	assert_int_equal(read_work(full_work, &w), 0);
	assert_string_equal(w.id.run, "r0000000001");
	assert_int_equal(w.id.execution, 2);
	assert_int_equal(w.id.attempt, 3);
	assert_int_equal(w.class, CLASS_PINNED);
	assert_int_equal(w.usual_us, 1500000);
	assert_int_equal(w.n_steps, 2);
	assert_int_equal(w.steps[0].argv.n, 3);
	assert_string_equal(w.steps[0].argv.v[1], "");
	assert_int_equal(w.steps[0].timeout_us, 60000000);
	assert_null(w.steps[0].shell);
	assert_int_equal(w.steps[0].n_exits, 1);
	assert_int_equal(w.steps[0].exits[0].code, 77);
	assert_int_equal(w.steps[0].exits[0].outcome, OUTCOME_SKIPPED);
	assert_int_equal(w.steps[0].n_results, 2);
	assert_int_equal(w.steps[0].results_at[0].at, 2);
	assert_int_equal(w.steps[0].results_at[1].arg, 2);
	assert_string_equal(w.steps[1].shell, "exit 0");
	text = work_text(&w);
	assert_string_equal(text, full_work);
	free(text);
	work_done(&w);
	assert_int_equal(w.n_steps, 0);
	work_done(&w);
}

#define ID "\"id\":\"r0000000001/1/1\""
#define STEP "\"steps\":[{\"shell\":\"x\"}]"

static void
least_work_has_defaults(void **state)
{
	struct work w;

	assert_int_equal(read_work("{" ID "," STEP ",\"later\":[1]}", &w), 0);
	assert_int_equal(w.workers, 1);
	assert_int_equal(w.class, CLASS_AUTO);
	assert_int_equal(w.epoch, 0);
	assert_null(w.cwd);
	assert_false(w.stop_at_failure);
	work_done(&w);
}

static const struct {
	const char *text;
	int code;
} bad_work[] = {
	{ "[]", ERR_SYNTAX },
	{ "{" STEP "}", ERR_SYNTAX },
	{ "{\"id\":\"r0000000001/1\"," STEP "}", ERR_SYNTAX },
	{ "{\"id\":\"r0000000001\"," STEP "}", ERR_SYNTAX },
	{ "{\"id\":7," STEP "}", ERR_SYNTAX },
	{ "{" ID "}", ERR_RANGE },
	{ "{" ID ",\"steps\":[]}", ERR_RANGE },
	{ "{" ID ",\"steps\":{}}", ERR_SYNTAX },
	{ "{" ID ",\"steps\":[1]}", ERR_SYNTAX },
	{ "{" ID ",\"steps\":[{}]}", ERR_SYNTAX },
	{ "{" ID ",\"steps\":[{\"argv\":[]}]}", ERR_SYNTAX },
	{ "{" ID ",\"steps\":[{\"argv\":[\"a\"],\"shell\":\"b\"}]}",
	    ERR_SYNTAX },
	{ "{" ID ",\"steps\":[{\"argv\":[1]}]}", ERR_SYNTAX },
	{ "{" ID ",\"steps\":[{\"shell\":\"x\",\"timeout_s\":-1}]}",
	    ERR_RANGE },
	{ "{" ID ",\"steps\":[{\"shell\":\"x\",\"timeout_s\":1e300}]}",
	    ERR_RANGE },
	{ "{" ID ",\"steps\":[{\"shell\":\"x\",\"env\":[\"A\"]}]}",
	    ERR_SYNTAX },
	{ "{" ID ",\"steps\":[{\"shell\":\"x\",\"exits\":{\"x\":"
	    "\"passed\"}}]}", ERR_SYNTAX },
	{ "{" ID ",\"steps\":[{\"shell\":\"x\",\"exits\":{\"256\":"
	    "\"passed\"}}]}", ERR_SYNTAX },
	{ "{" ID ",\"steps\":[{\"shell\":\"x\",\"exits\":{\"7\":"
	    "\"fine\"}}]}", ERR_SYNTAX },
	{ "{" ID ",\"steps\":[{\"shell\":\"x\",\"results_at\":[[0,0]]}]}",
	    ERR_RANGE },
	{ "{" ID ",\"steps\":[{\"argv\":[\"a\"],\"results_at\":[[0,2]]}]}",
	    ERR_RANGE },
	{ "{" ID ",\"steps\":[{\"argv\":[\"a\"],\"results_at\":[[0,1],"
	    "[0,0]]}]}", ERR_RANGE },
	{ "{" ID ",\"steps\":[{\"argv\":[\"a\"],\"results_at\":[0]}]}",
	    ERR_RANGE },
	{ "{" ID "," STEP ",\"workers\":0}", ERR_RANGE },
	{ "{" ID "," STEP ",\"workers\":1025}", ERR_RANGE },
	{ "{" ID "," STEP ",\"workers\":1.5}", ERR_SYNTAX },
	{ "{" ID "," STEP ",\"epoch\":-1}", ERR_RANGE },
	{ "{" ID "," STEP ",\"epoch\":4294967296}", ERR_RANGE },
	{ "{" ID "," STEP ",\"class\":\"any\"}", ERR_SYNTAX },
	{ "{" ID "," STEP ",\"env\":[\"=x\"]}", ERR_SYNTAX },
	{ "{" ID "," STEP ",\"env\":\"A=1\"}", ERR_SYNTAX },
	{ "{" ID "," STEP ",\"stop_at_failure\":1}", ERR_SYNTAX },
	{ "{" ID "," STEP ",\"cwd\":[\"/\"]}", ERR_SYNTAX },
};

static void
wrong_work_is_refused(void **state)
{
	struct work w;
	size_t i;

	for (i = 0; i < sizeof(bad_work) / sizeof(bad_work[0]); i++)
		if (read_work(bad_work[i].text, &w) != bad_work[i].code)
			fail_msg("%s", bad_work[i].text);
}

static void
too_much_work_is_refused(void **state)
{
	struct buf b = BUF_INIT;
	struct work w;
	size_t i;

	buf_puts(&b, "{" ID ",\"steps\":[{}");
	for (i = 0; i < WORK_MAX_STEPS; i++)
		buf_puts(&b, ",{}");
	buf_puts(&b, "]}");
	assert_int_equal(read_work(buf_str(&b), &w), ERR_TOO_LARGE);
	buf_clear(&b);
	buf_puts(&b, "{" ID ",\"steps\":[{\"argv\":[\"");
	for (i = 0; i <= 1 << 20; i++)
		buf_putc(&b, 'x');
	buf_puts(&b, "\"]}]}");
	assert_int_equal(read_work(buf_str(&b), &w), ERR_TOO_LARGE);
	buf_done(&b);
}

static const char full_report[] =
    "{\"id\":\"r0000000001/2/3\",\"epoch\":7,\"state\":\"ended\","
    "\"outcome\":\"timeout\",\"worker\":4,\"place\":2,"
    "\"queued\":\"2026-01-31T12:00:00.000Z\","
    "\"started\":\"2026-01-31T12:00:01.250Z\","
    "\"ended\":\"2026-01-31T12:00:03.000Z\",\"elapsed_s\":1.75,"
    "\"out_bytes\":1000,\"out_dropped\":10,\"text\":\"too long\","
    "\"owner\":\"ann@c\",\"label\":\"s/t\",\"steps\":["
    "{\"outcome\":\"passed\",\"exit_code\":0,"
    "\"started\":\"2026-01-31T12:00:01.250Z\",\"elapsed_s\":0.000001,"
    "\"out_to\":9},{\"outcome\":\"timeout\",\"signal\":9,\"out_from\":9,"
    "\"out_to\":1000,\"text\":\"after 1s\"},{\"outcome\":\"none\"}]}";

static void
reports_go_there_and_back(void **state)
{
	struct report r, copy;
	char *text;

	assert_int_equal(read_report(full_report, &r), 0);
	assert_int_equal(r.state, ATTEMPT_ENDED);
	assert_int_equal(r.outcome, OUTCOME_TIMEOUT);
	assert_int_equal(r.n_steps, 3);
	assert_int_equal(r.steps[0].exit_code, 0);
	assert_int_equal(r.steps[0].elapsed_us, 1);
	assert_int_equal(r.steps[1].exit_code, -1);
	assert_int_equal(r.steps[1].signo, 9);
	assert_int_equal(r.steps[2].outcome, OUTCOME_NONE);
	assert_int_equal(r.started_wall_us - r.queued_wall_us, 1250000);
	report_copy(&copy, &r);
	report_done(&r);
	text = report_text(&copy);
	assert_string_equal(text, full_report);
	free(text);
	report_done(&copy);
	report_done(&copy);
}

static void
a_copy_of_little_is_little(void **state)
{
	struct report r, copy;

	assert_int_equal(read_report("{" ID ",\"state\":\"queued\"}", &r), 0);
	report_copy(&copy, &r);
	assert_null(copy.steps);
	assert_null(copy.text);
	assert_int_equal(copy.state, ATTEMPT_QUEUED);
	report_done(&copy);
	report_done(&r);
}

static const struct {
	const char *text;
	int code;
} bad_reports[] = {
	{ "7", ERR_SYNTAX },
	{ "{\"state\":\"ended\"}", ERR_SYNTAX },
	{ "{" ID "}", ERR_SYNTAX },
	{ "{" ID ",\"state\":\"over\"}", ERR_SYNTAX },
	{ "{" ID ",\"state\":2}", ERR_SYNTAX },
	{ "{" ID ",\"state\":\"ended\",\"worker\":65536}", ERR_RANGE },
	{ "{" ID ",\"state\":\"ended\",\"elapsed_s\":-0.5}", ERR_RANGE },
	{ "{" ID ",\"state\":\"ended\",\"elapsed_s\":\"1\"}", ERR_SYNTAX },
	{ "{" ID ",\"state\":\"ended\",\"out_bytes\":-1}", ERR_RANGE },
	{ "{" ID ",\"state\":\"ended\",\"started\":\"noon\"}", ERR_SYNTAX },
	{ "{" ID ",\"state\":\"ended\",\"steps\":[{\"outcome\":\"ok\"}]}",
	    ERR_SYNTAX },
	{ "{" ID ",\"state\":\"ended\",\"steps\":[{\"exit_code\":256}]}",
	    ERR_RANGE },
	{ "{" ID ",\"state\":\"ended\",\"steps\":[{\"out_from\":2}]}",
	    ERR_RANGE },
	{ "{" ID ",\"state\":\"ended\",\"steps\":[{},null]}", ERR_SYNTAX },
};

static void
wrong_reports_are_refused(void **state)
{
	struct report r;
	size_t i;

	for (i = 0; i < sizeof(bad_reports) / sizeof(bad_reports[0]); i++)
		if (read_report(bad_reports[i].text, &r) !=
		    bad_reports[i].code)
			fail_msg("%s", bad_reports[i].text);
}

static void
long_words_are_cut_not_refused(void **state)
{
	struct buf b = BUF_INIT;
	struct report r;
	int i;

	buf_puts(&b, "{" ID ",\"state\":\"ended\",\"text\":\"");
	for (i = 0; i < 10000; i++)
		buf_putc(&b, 'w');
	buf_puts(&b, "\"}");
	assert_int_equal(read_report(buf_str(&b), &r), 0);
	assert_int_equal(strlen(r.text), 4096);
	report_done(&r);
	buf_done(&b);
}

static void
outcomes_of_steps(void **state)
{
	struct work_step plain = { .expect_fail = false };
	struct work_step inverted = { .expect_fail = true };
	struct work_exit exits[] = { { 77, OUTCOME_SKIPPED },
		{ 3, OUTCOME_PASSED } };
	struct step_result s[3] = { { .outcome = OUTCOME_NONE } };

	assert_int_equal(step_outcome(&plain, 0, 0), OUTCOME_PASSED);
	assert_int_equal(step_outcome(&plain, 1, 0), OUTCOME_FAILED);
	assert_int_equal(step_outcome(&plain, -1, 11), OUTCOME_FAILED);
	assert_int_equal(step_outcome(&inverted, 0, 0), OUTCOME_FAILED);
	assert_int_equal(step_outcome(&inverted, 2, 0), OUTCOME_PASSED);
	plain.exits = inverted.exits = exits;
	plain.n_exits = inverted.n_exits = 2;
	assert_int_equal(step_outcome(&plain, 77, 0), OUTCOME_SKIPPED);
	assert_int_equal(step_outcome(&plain, -1, 77), OUTCOME_FAILED);
	assert_int_equal(step_outcome(&plain, 3, 0), OUTCOME_PASSED);
	assert_int_equal(step_outcome(&inverted, 3, 0), OUTCOME_FAILED);
	assert_int_equal(step_outcome(&inverted, 77, 0), OUTCOME_SKIPPED);
	assert_int_equal(steps_outcome(NULL, 0), OUTCOME_ERROR);
	assert_int_equal(steps_outcome(s, 3), OUTCOME_ERROR);
	s[0].outcome = OUTCOME_PASSED;
	assert_int_equal(steps_outcome(s, 3), OUTCOME_PASSED);
	s[1].outcome = OUTCOME_FAILED;
	assert_int_equal(steps_outcome(s, 3), OUTCOME_FAILED);
	s[2].outcome = OUTCOME_TIMEOUT;
	assert_int_equal(steps_outcome(s, 3), OUTCOME_TIMEOUT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(work_goes_there_and_back),
		cmocka_unit_test(least_work_has_defaults),
		cmocka_unit_test(wrong_work_is_refused),
		cmocka_unit_test(too_much_work_is_refused),
		cmocka_unit_test(reports_go_there_and_back),
		cmocka_unit_test(a_copy_of_little_is_little),
		cmocka_unit_test(wrong_reports_are_refused),
		cmocka_unit_test(long_words_are_cut_not_refused),
		cmocka_unit_test(outcomes_of_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
