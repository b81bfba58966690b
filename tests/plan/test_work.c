/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an agent is sent for an execution. */
#include "plan_help.h"

#include "plan/subst.h"

static void
find_kind(void *arg, const struct piece *piece, struct buf *out)
{
	buf_putf(out, "<%d", (int)piece->kind);
	if (piece->part != NULL)
		buf_putf(out, ".%.*s", (int)piece->part_len, piece->part);
	buf_putc(out, '>');
}

/* The grammar, with what is literal left as it is. */
static void
test_grammar(void **state)
{
	static const struct {
		const char *text, *result;
	} rows[] = {
		{ "", "" }, { "{test}", "<0>" }, { "a{test}b{row}", "a<0>b<4>" },
		{ "{row.a b}", "<4.a b>" }, { "{row.}", "{row.}" },
		{ "{param.X_1-y.z}", "<5.X_1-y.z>" },
		{ "{other}", "{other}" }, { "{Test}", "{Test}" },
		{ "{test", "{test" }, { "test}", "test}" }, { "{}", "{}" },
		{ "{{test}}", "{{test}}" }, { "{{{test}}}", "{{<0>}}" },
		{ "{test1}", "{test1}" }, { "{ test}", "{ test}" },
		{ "{{", "{{" }, { "{", "{" }, { "{a{test}", "{a<0>" },
		{ "{row.{test}", "{row.<0>" }, { "{test}{test}", "<0><0>" },
	};
	struct buf out = BUF_INIT;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_clear(&out);
		subst_text(rows[i].text, find_kind, NULL, &out);
		assert_string_equal(buf_str(&out), rows[i].result);
	}
	buf_done(&out);
}

static const char plan_text[] =
    "{\"name\": \"p\", \"parallel\": \"tests\", \"timeout\": \"90s\","
    " \"params\": {\"URL\": \"http://{test}\", \"n\": 3},"
    " \"env\": {\"A\": \"plan\", \"B\": \"plan\", \"C\": \"plan\", \"D\": 1},"
    " \"targets\": [{\"name\": \"x\", \"env\": {\"B\": \"target\", "
    " \"C\": \"target\"}}],"
    " \"exit_codes\": {\"77\": \"skipped\"},"
    " \"suites\": [{\"name\": \"s\", \"env\": {\"A\": \"suite\"},"
    " \"tests\": [{\"name\": \"t\", \"env\": {\"C\": \"test\"},"
    " \"command\": [\"run\", \"{test}\", \"{row}:{row.user name}\","
    "  \"{param.URL}\", \"{target}/{instance}@{agent}\", \"{x} {{test}}\","
    "  \"\"],"
    " \"data\": {\"rows\": [{\"user name\": \"{test} $HOME\", \"_name\": "
    "  \"r1\"}, {\"user name\": \"b\", \"_expect_fail\": true}]}}]}]}";

static const char *
env(const struct strvec *list, const char *key)
{
	size_t i, n = strlen(key);

	for (i = 0; i < list->n; i++)
		if (strncmp(list->v[i], key, n) == 0 && list->v[i][n] == '=')
			return list->v[i] + n + 1;
	return NULL;
}

/* Step environment over that of the work, as the agent has it. */
static const char *
both(const struct work *w, const char *key)
{
	const char *value = env(&w->steps[0].env, key);

	return value != NULL ? value : env(&w->env, key);
}

static void
fill(const struct plan *p, uint32_t no, struct work *ret)
{
	struct strvec fleet = STRVEC_INIT;
	struct plan_place place = { .agent = "lab-1", .instance = "emu",
		.fleet_env = &fleet };

	strvec_push(&fleet, "A=fleet");
	strvec_push(&fleet, "F=fleet");
	assert_int_equal(ident_parse("r0000000001", &place.id), 0);
	place.id.execution = no;
	place.id.attempt = 2;
	plan_work(p, &place, ret);
	strvec_done(&fleet);
}

static void
test_command(void **state)
{
	struct plan *p = expand_good(plan_text, NULL);
	struct work w;

	fill(p, 1, &w);
	assert_int_equal(w.n_steps, 1);
	assert_int_equal(w.steps[0].argv.n, 7);
	assert_string_equal(w.steps[0].argv.v[0], "run");
	assert_string_equal(w.steps[0].argv.v[1], "t");
	/* What was put in is not scanned again. */
	assert_string_equal(w.steps[0].argv.v[2], "r1:{test} $HOME");
	assert_string_equal(w.steps[0].argv.v[3], "http://{test}");
	assert_string_equal(w.steps[0].argv.v[4], "x/emu@lab-1");
	assert_string_equal(w.steps[0].argv.v[5], "{x} {{test}}");
	assert_string_equal(w.steps[0].argv.v[6], "");
	assert_null(w.steps[0].shell);
	assert_string_equal(w.label, "s/t[r1]@x");
	assert_string_equal(w.steps[0].label, "s/t[r1]@x");
	assert_string_equal(w.instance, "emu");
	assert_int_equal(w.workers, 1);
	assert_int_equal(w.steps[0].timeout_us, 90000000);
	assert_int_equal(w.steps[0].n_exits, 1);
	assert_int_equal(w.steps[0].exits[0].outcome, OUTCOME_SKIPPED);
	assert_false(w.steps[0].expect_fail);
	assert_false(w.stop_at_failure);
	work_done(&w);
	fill(p, 2, &w);
	assert_true(w.steps[0].expect_fail);
	assert_string_equal(w.label, "s/t[2]@x");
	work_done(&w);
	plan_free(p);
}

static void
test_manner(void **state)
{
	struct plan *p = expand_good("{\"name\": \"p\", \"parallel\": "
	    "\"tests\", \"command\": [\"x\"], \"nice\": 4, \"limits\": "
	    "{\"cpu\": \"1.2s\", \"memory\": \"1K\"}, \"suites\": [{"
	    "\"name\": \"s\", \"silence\": \"2m\", \"tests\": [\"plain\", "
	    "{\"name\": \"own\", \"keep\": \"always\", \"home\": "
	    "\"own\", \"nice\": 0, \"limits\": {\"memory\": 7, "
	    "\"core\": 0}}]}]}", NULL);
	const struct manner *m;
	struct work w;

	fill(p, 1, &w);
	m = &w.steps[0].manner;
	assert_int_equal(m->nice, 4);
	assert_int_equal(m->keep, KEEP_FAILED);
	assert_int_equal(m->home, HOME_SHARED);
	assert_int_equal(m->silence_us, INT64_C(120000000));
	assert_int_equal(m->limited, 1u << LIMIT_CPU | 1u << LIMIT_MEMORY);
	assert_int_equal(m->limit[LIMIT_CPU], 2);
	assert_int_equal(m->limit[LIMIT_MEMORY], 1024);
	work_done(&w);
	fill(p, 2, &w);
	m = &w.steps[0].manner;
	assert_int_equal(m->nice, 0);
	assert_int_equal(m->keep, KEEP_ALWAYS);
	assert_int_equal(m->home, HOME_OWN);
	assert_int_equal(m->limited, 1u << LIMIT_CPU | 1u << LIMIT_MEMORY |
	    1u << LIMIT_CORE);
	assert_int_equal(m->limit[LIMIT_MEMORY], 7);
	assert_int_equal(m->limit[LIMIT_CORE], 0);
	work_done(&w);
	plan_free(p);
}

static void
test_env(void **state)
{
	struct plan *p = expand_good(plan_text, NULL);
	struct work w;

	fill(p, 1, &w);
	assert_string_equal(both(&w, "A"), "suite");
	assert_string_equal(both(&w, "B"), "target");
	assert_string_equal(both(&w, "C"), "test");
	assert_string_equal(both(&w, "D"), "1");
	assert_string_equal(both(&w, "F"), "fleet");
	assert_string_equal(both(&w, "YARDMASTER_RUN"), "r0000000001");
	assert_string_equal(both(&w, "YARDMASTER_EXECUTION"),
	    "r0000000001/1");
	assert_string_equal(both(&w, "YARDMASTER_ATTEMPT"),
	    "r0000000001/1/2");
	assert_string_equal(both(&w, "YARDMASTER_AGENT"), "lab-1");
	assert_string_equal(both(&w, "YARDMASTER_TEST"), "t");
	assert_string_equal(both(&w, "YARDMASTER_TARGET"), "x");
	assert_string_equal(both(&w, "YARDMASTER_INSTANCE"), "emu");
	assert_string_equal(both(&w, "YARDMASTER_ROW"), "r1");
	assert_string_equal(both(&w, "YARDMASTER_ROW_USER_NAME"),
	    "{test} $HOME");
	assert_string_equal(both(&w, "YARDMASTER_PARAM_URL"),
	    "http://{test}");
	assert_string_equal(both(&w, "YARDMASTER_PARAM_N"), "3");
	assert_null(both(&w, "YARDMASTER_ROW__NAME"));
	work_done(&w);
	fill(p, 2, &w);
	assert_string_equal(both(&w, "YARDMASTER_ROW"), "2");
	work_done(&w);
	plan_free(p);
}

/* The axes of a target, also after a snapshot. */
static void
test_axes(void **state)
{
	struct plan *p = expand_good("{\"parallel\": \"tests\", \"targets\": "
	    "{\"matrix\": {\"browser\": [\"chrome\"], \"Os\": [\"mac\", "
	    "\"a=b\"]}}, \"suites\": [{\"name\": \"s\", \"command\": "
	    "[\"x\", \"{target}:{target.browser}:{target.Os}\"], \"tests\": "
	    "[\"t\"]}]}", NULL), *again;
	struct buf text = BUF_INIT;
	struct work w;

	plan_snapshot(p, &text);
	assert_int_equal(plan_from_snapshot(buf_str(&text), buf_len(&text),
	    &again), 0);
	plan_free(p);
	fill(again, 2, &w);
	assert_string_equal(w.steps[0].argv.v[1], "chrome-a=b:chrome:a=b");
	assert_string_equal(both(&w, "YARDMASTER_TARGET"), "chrome-a=b");
	assert_string_equal(both(&w, "YARDMASTER_TARGET_BROWSER"), "chrome");
	assert_string_equal(both(&w, "YARDMASTER_TARGET_OS"), "a=b");
	work_done(&w);
	plan_free(again);
	buf_done(&text);
}

/* A retry sends the steps that did not pass. */
static void
test_some_steps(void **state)
{
	static const uint32_t some[] = { 1, 3 };
	struct plan_place place = { .steps = some, .n_steps = 2 };
	struct plan *p;
	struct work w;

	p = expand_good("{\"shell\": \"echo {test\", \"on_failure\": "
	    "\"next-target\", \"suites\": [{\"name\": \"s\", \"tests\": "
	    "[\"a\", \"b\", \"c\", {\"name\": \"d\", \"workers\": 3}]}]}",
	    NULL);
	assert_int_equal(p->n_execs, 1);
	assert_int_equal(ident_parse("r0000000001/1/1", &place.id), 0);
	plan_work(p, &place, &w);
	assert_int_equal(w.n_steps, 2);
	assert_string_equal(w.label, "s");
	assert_string_equal(w.steps[0].label, "s/b");
	assert_string_equal(w.steps[1].label, "s/d");
	assert_string_equal(w.steps[1].shell, "echo {test");
	assert_int_equal(w.steps[1].argv.n, 0);
	assert_int_equal(w.workers, 3);
	assert_true(w.stop_at_failure);
	assert_null(w.instance);
	assert_null(both(&w, "YARDMASTER_TARGET"));
	assert_null(both(&w, "YARDMASTER_ROW"));
	work_done(&w);
	plan_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grammar),
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_manner),
		cmocka_unit_test(test_env),
		cmocka_unit_test(test_axes),
		cmocka_unit_test(test_some_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
