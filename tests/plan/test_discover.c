/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Discovery by real commands. */
#include "plan_help.h"

/* A plan whose suite d runs a shell text; s comes after it. */
static struct plan *
make(const char *script, const char *more)
{
	char text[2048];

	snprintf(text, sizeof(text), "{\"shell\": \"x\", \"parallel\": "
	    "\"tests\", \"env\": {\"MINE\": \"here\"}, \"exclusive\": "
	    "[[\"d/t2\", \"s\"]], \"suites\": [{\"name\": \"d\", \"tests\": "
	    "[{\"name\": \"t1\", \"workers\": 2}], \"discover\": "
	    "{\"command\": [\"sh\", \"-c\", \"%s\"]%s}}, {\"name\": \"s\", "
	    "\"tests\": [{\"name\": \"z\", \"needs\": [\"d/t2\"]}]}]}", script,
	    more);
	return load_good(text);
}

static void
check_found(const char *script, const char *more, const char *expected)
{
	struct plan *p = make(script, more);
	struct diags ds = DIAGS_INIT;

	assert_true(plan_discovers(p));
	if (plan_discover(p, NULL, &ds) != 0)
		fail_msg("%s", say_all(&ds));
	assert_false(plan_discovers(p));
	assert_int_equal(plan_expand(p, NULL, &ds), 0);
	check_labels(p, expected);
	assert_int_equal(p->terms[p->execs[0].terms].workers, 2);
	plan_free(p);
	diags_done(&ds);
}

static void
test_found(void **state)
{
	check_found("echo t2; echo t3", "", "d/t1; d/t2; d/t3; s/z");
	/* What is listed stays as it is, once. */
	check_found("echo t2; echo t1; echo t2; echo 'no test'", "",
	    "d/t1; d/t2; s/z");
	check_found("printf 'x t2\\\\r\\\\ny t3'",
	    ", \"pattern\": \"^. (?<test>\\\\w+)$\"",
	    "d/t1; d/t2; d/t3; s/z");
	check_found("echo t2,t4", ", \"pattern\": \"(?<test>t\\\\d)\"",
	    "d/t1; d/t2; d/t4; s/z");
	check_found("echo t2; echo $MINE", "", "d/t1; d/t2; d/here; s/z");
}

/* A snapshot has the tests and needs no command. */
static void
test_snapshot(void **state)
{
	struct plan *p = make("echo t2", ""), *q;
	struct diags ds = DIAGS_INIT;
	struct buf text = BUF_INIT;

	assert_int_equal(plan_discover(p, NULL, &ds), 0);
	assert_int_equal(plan_expand(p, NULL, &ds), 0);
	plan_snapshot(p, &text);
	assert_int_equal(plan_from_snapshot(buf_str(&text), buf_len(&text),
	    &q), 0);
	assert_false(plan_discovers(q));
	check_labels(q, "d/t1; d/t2; s/z");
	assert_int_equal(q->n_pairs, 1);
	plan_free(p);
	plan_free(q);
	buf_done(&text);
	diags_done(&ds);
}

static void
check_refused(const char *script, const char *more, const char *expected)
{
	struct plan *p = make(script, more);
	struct diags ds = DIAGS_INIT;
	char *said;

	assert_int_equal(plan_discover(p, NULL, &ds), ERR_INVALID);
	said = say_all(&ds);
	assert_string_equal(said, expected);
	free(said);
	diags_done(&ds);
	plan_free(p);
}

static void
test_faults(void **state)
{
	check_refused("echo t2; echo 'why not' >&2; exit 3", "",
	    "p.json:1: suites[0].discover: discovery exited with 3 (why "
	    "not)\n");
	check_refused("kill -9 $$", "", "p.json:1: suites[0].discover: "
	    "discovery was ended by signal 9\n");
	check_refused("exec cat /dev/zero", "", "p.json:1: suites[0].discover: "
	    "discovery printed more than 16 MB\n");
	/* Waits for a thing that never comes. */
	check_refused("tail -f /dev/null; true", ", \"timeout\": \"100ms\"",
	    "p.json:1: suites[0].discover: discovery did not end in time\n");
	/* It is there, but what others need was not found. */
	check_refused("echo t3", "",
	    "p.json:1: suites[1].tests[0].needs[0]: no suite or test is named "
	    "\"d/t2\"\n"
	    "p.json:1: exclusive[0]: no suite or test is named \"d/t2\"\n");
}

static void
test_nothing(void **state)
{
	struct plan *p = load_good("{\"shell\": \"x\", \"suites\": [{\"name\": "
	    "\"d\", \"discover\": {\"command\": [\"true\"]}}]}");
	struct diags ds = DIAGS_INIT;
	char *said;

	assert_int_equal(plan_discover(p, NULL, &ds), ERR_INVALID);
	said = say_all(&ds);
	assert_string_equal(said, "p.json:1: suites[0].discover: discovery "
	    "found no test (look at its command and pattern)\n");
	free(said);
	diags_done(&ds);
	plan_free(p);
	p = load_good("{\"shell\": \"x\", \"suites\": [{\"name\": \"d\", "
	    "\"discover\": {\"command\": [\"no-such-program\"]}}]}");
	assert_int_equal(plan_discover(p, NULL, &ds), ERR_INVALID);
	assert_non_null(strstr(ds.v[0].text, "no-such-program: No such file"));
	diags_done(&ds);
	plan_free(p);
}

/* Before its discovery a plan cannot be expanded. */
static void
test_too_early(void **state)
{
	struct plan *p = make("echo t2", "");
	struct diags ds = DIAGS_INIT;

	assert_int_equal(plan_expand(p, NULL, &ds), ERR_INVALID);
	assert_non_null(strstr(ds.v[0].text, "not discovered yet"));
	diags_done(&ds);
	plan_free(p);
}

struct watch {
	char suite[16];
	int calls;
};

static bool
give_up(void *arg, const char *suite, uint32_t tests, int64_t elapsed_us)
{
	struct watch *w = arg;

	snprintf(w->suite, sizeof(w->suite), "%s", suite);
	w->calls++;
	assert_true(elapsed_us >= 0);
	return false;
}

static void
test_cancel(void **state)
{
	struct plan *p = make("exec tail -f /dev/null", "");
	struct watch w = { .calls = 0 };
	struct plan_progress progress = { .found = give_up, .arg = &w };
	struct diags ds = DIAGS_INIT;

	assert_int_equal(plan_discover(p, &progress, &ds), ERR_CANCELLED);
	assert_string_equal(w.suite, "d");
	assert_int_equal(w.calls, 1);
	diags_done(&ds);
	plan_free(p);
}

/* A suite that is disabled is not asked. */
static void
test_disabled(void **state)
{
	struct plan *p = load_good("{\"shell\": \"x\", \"suites\": [{\"name\": "
	    "\"d\", \"enabled\": false, \"discover\": {\"command\": "
	    "[\"false\"]}}, {\"name\": \"s\", \"tests\": [\"t\"]}]}");
	struct diags ds = DIAGS_INIT;

	assert_false(plan_discovers(p));
	assert_int_equal(plan_discover(p, NULL, &ds), 0);
	assert_int_equal(plan_expand(p, NULL, &ds), 0);
	check_labels(p, "s/t");
	diags_done(&ds);
	plan_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_snapshot),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_too_early),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_disabled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
