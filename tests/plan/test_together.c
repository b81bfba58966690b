/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Suites whose parts run at the same moment. */
#include "plan_help.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"

static const char text[] =
    "{\"targets\": [\"x\", \"y\"], \"env\": {\"A\": \"1\"}, \"suites\": ["
    " {\"name\": \"chat\", \"shell\": \"main\", \"together\": ["
    "  {\"role\": \"server\", \"agents\": [\"@big\"], \"timeout\": \"5s\","
    "   \"command\": [\"serve\", \"{target}\"], \"env\": {\"A\": \"2\"}},"
    "  {\"role\": \"web-ui\", \"targets\": [\"z\"]}, {\"role\": \"c\"}]},"
    " {\"name\": \"after\", \"needs\": [\"chat/c\"], \"shell\": \"x\","
    "  \"parallel\": \"tests\", \"tests\": [\"t\"]}]}";

#define LABELS \
	"chat/server@x; chat/web-ui@z; chat/c@x; " \
	"chat/server@y; chat/web-ui@z; chat/c@y; after/t@x; after/t@y"

static void
test_expansion(void **state)
{
	struct plan_select select = PLAN_SELECT_INIT;
	struct plan *p = expand_good(text, NULL);
	struct diags ds = DIAGS_INIT;
	struct buf out = BUF_INIT;

	check_labels(p, LABELS);
	assert_int_equal(p->execs[0].group, 1);
	assert_int_equal(p->execs[2].group, 1);
	assert_int_equal(p->execs[3].group, 2);
	assert_int_equal(p->execs[6].group, 0);
	plan_show_text(p, &out);
	assert_non_null(strstr(buf_str(&out), "chat (together)\n"));
	/* Who wants one part gets all of its group. */
	strvec_push(&select.tests, "chat/c");
	strvec_push(&select.targets, "y");
	assert_int_equal(plan_expand(p, &select, &ds), 0);
	check_labels(p, "chat/server@y; chat/web-ui@z; chat/c@y");
	assert_int_equal(p->execs[0].group, 1);
	plan_select_done(&select);
	buf_done(&out);
	diags_done(&ds);
	plan_free(p);
}

static const char *
env(const struct strvec *list, const char *key)
{
	size_t i, n = strlen(key);

	for (i = 0; i < list->n; i++)
		if (strncmp(list->v[i], key, n) == 0 && list->v[i][n] == '=')
			return list->v[i] + n + 1;
	return NULL;
}

/* What a part is given, also after a snapshot. */
static void
test_work_and_snapshot(void **state)
{
	static const char *const hosts[] = { "h1", "h2", "h3" };
	struct plan *p = expand_good(text, NULL), *again;
	struct plan_place place = { .id = { "r0123456789", 1, 1 },
		.agent = "lab", .hosts = hosts };
	struct buf b = BUF_INIT;
	struct work w;
	int round;

	for (round = 0; round < 2; round++) {
		check_labels(p, LABELS);
		plan_work(p, &place, &w);
		assert_true(w.together);
		assert_string_equal(w.steps[0].argv.v[1], "x");
		assert_string_equal(env(&w.steps[0].env, "A"), "2");
		assert_int_equal(w.steps[0].timeout_us, 5000000);
		assert_string_equal(env(&w.env, "YARDMASTER_ROLE"), "server");
		assert_string_equal(env(&w.env, "YARDMASTER_ROLES"),
		    "server web-ui c");
		assert_string_equal(env(&w.env, "YARDMASTER_HOST_WEB_UI"),
		    "h2");
		work_done(&w);
		plan_snapshot(p, &b);
		assert_int_equal(plan_from_snapshot(buf_str(&b), buf_len(&b),
		    &again), 0);
		plan_free(p);
		p = again;
		buf_clear(&b);
	}
	buf_done(&b);
	plan_free(p);
}

#define BAD(suites) \
	"{\"command\": [\"true\"],\n \"suites\": [" suites "]}"

static const struct {
	const char *text, *wanted;
} bad[] = {
	{ BAD("{\"name\": \"s\", \"together\": [{\"role\": \"a\"}]}"),
	    "p.json:2: suites[0].together: 2 to 256 parts are expected, not "
	    "1\n" },
	{ BAD("{\"name\": \"s\", \"tests\": [\"t\"], \"together\": "
	    "[{\"role\": \"a-b\"}, {\"role\": \"A_B\"}]}"),
	    "p.json:2: suites[0].tests: tests and together at once; give "
	    "one\n"
	    "p.json:2: suites[0].together[1].role: a part with this role was "
	    "there before\n" },
	{ BAD("{\"name\": \"s\", \"together\": [{\"role\": \"a/b\"}, "
	    "{\"retries\": 1}, 3]}"),
	    "p.json:2: suites[0].together[0].role: not a usable role: "
	    "letters, digits, - and _, at most 32\n"
	    "p.json:2: suites[0].together[1].retries: \"retries\" may not "
	    "stand on a part (it may stand on a plan, a suite, a test)\n"
	    "p.json:2: suites[0].together[1]: a part needs a role\n"
	    "p.json:2: suites[0].together[2]: an object is expected, not a "
	    "whole number\n" },
	{ "{\"max_parallel\": 1, \"suites\": [{\"name\": \"s\", "
	    "\"together\": [{\"role\": \"a\"}, {\"role\": \"b\", "
	    "\"shell\": \"x\"}]}]}", "p.json:1: suites[0].together: 2 parts "
	    "can never run under a max_parallel of 1\n"
	    "p.json:1: suites[0].together[0]: no command and no shell, here "
	    "or above\n" },
	{ BAD("{\"name\": \"s\", \"same_agent\": true, \"tests\": "
	    "[\"t\"]}"), "p.json:2: suites[0].same_agent: there is no "
	    "together\n" },
};

static void
test_bad_input(void **state)
{
	struct buf said = BUF_INIT;
	struct diags ds;
	struct plan *p;
	size_t i, k;

	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		ds = (struct diags)DIAGS_INIT;
		assert_int_equal(plan_load_text("p.json", NULL, bad[i].text,
		    strlen(bad[i].text), &ds, &p), ERR_INVALID);
		for (k = 0; k < ds.n; k++) {
			diag_format(&ds.v[k], &said);
			buf_putc(&said, '\n');
		}
		assert_string_equal(buf_str(&said), bad[i].wanted);
		buf_clear(&said);
		diags_done(&ds);
	}
	buf_done(&said);
}

#define FLEET \
	"{\"name\": \"lab\", \"agents\": [{\"name\": \"a\", " \
	"\"labels\": [\"big\"]}, {\"name\": \"b\"}]}"

/* More parts than agents are refused, unless they may share one; who may run
 * anywhere leaves the only agent of another to it. */
static void
check_on_fleet(const char *parts, const char *wanted)
{
	char *plan = str_fmt("{\"suites\": [{\"name\": \"s\", \"shell\": "
	    "\"x\", %s}]}", parts);
	struct plan *p = expand_good(plan, NULL);
	struct diags ds = DIAGS_INIT;
	struct fleet_spec *f;

	assert_int_equal(fleet_load_text("f.json", FLEET, strlen(FLEET),
	    &ds, &f), 0);
	assert_int_equal(plan_check_agents(p, f, &ds), wanted != NULL);
	if (wanted != NULL) {
		assert_string_equal(ds.v[0].text, wanted);
		assert_string_equal(ds.v[0].path, "suites[0].together");
		assert_int_equal(ds.v[0].line, 1);
	}
	fleet_spec_free(f);
	diags_done(&ds);
	plan_free(p);
	free(plan);
}

static void
test_fleet(void **state)
{
	check_on_fleet("\"together\": [{\"role\": \"x\"}, {\"role\": \"y\", "
	    "\"agents\": [\"@big\"]}]", NULL);
	check_on_fleet("\"together\": [{\"role\": \"x\", \"agents\": "
	    "[\"@big\"]}, {\"role\": \"y\", \"agents\": [\"a\"]}]",
	    "suite s: its 2 parts run on different agents, and the fleet lab "
	    "has agents for 1 of them only");
	check_on_fleet("\"together\": [{\"role\": \"x\"}, {\"role\": \"y\"}, "
	    "{\"role\": \"z\"}]", "suite s: its 3 parts run on different "
	    "agents, and the fleet lab has agents for 2 of them only");
	check_on_fleet("\"same_agent\": true, \"together\": [{\"role\": "
	    "\"x\"}, {\"role\": \"y\"}, {\"role\": \"z\"}]", NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expansion),
		cmocka_unit_test(test_work_and_snapshot),
		cmocka_unit_test(test_bad_input),
		cmocka_unit_test(test_fleet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
