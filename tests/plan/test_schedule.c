/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Times that tests wait for: inherited, fixed at the launch, kept. */
#include "plan_help.h"
#include "yardmaster/base/clock.h"

#define NOON INT64_C(1796126400000000)	/* 2026-12-01T12:00:00Z */
#define HOUR (3600 * US_PER_S)

static const char text[] =
    "{\"command\": [\"true\"], \"parallel\": \"tests\",\n"
    " \"schedule\": \"13:00\", \"suites\": [\n"
    " {\"name\": \"s\", \"tests\": [\"a\", {\"name\": \"b\", "
    "  \"schedule\": \"+30m\"}, {\"name\": \"now\", \"schedule\": \"+0s\"}]},\n"
    " {\"name\": \"night\", \"schedule\": \"30 2 * * *\", \"suites\": [\n"
    "  {\"name\": \"in\", \"tests\": [\"c\", \"d\"]}]},\n"
    " {\"name\": \"past\", \"tests\": [{\"name\": \"e\", \n"
    "  \"schedule\": \"2026-12-01T11:00:00Z\"}]},\n"
    " {\"name\": \"all\", \"parallel\": \"none\", \"tests\": [\"f\", "
    "  {\"name\": \"g\", \"schedule\": \"15:00\"}, \"h\"]}]}";

static struct plan *
load(void)
{
	setenv("TZ", "UTC", 1);
	return expand_good(text, NULL);
}

static void
check_at(const struct plan *p, uint32_t no, int64_t at_us)
{
	if (plan_exec_at(p, no) != at_us)
		fail_msg("execution %u: %lld, not %lld", no,
		    (long long)plan_exec_at(p, no), (long long)at_us);
}

static void
test_fixed(void **state)
{
	struct diags ds = DIAGS_INIT;
	struct buf said = BUF_INIT;
	struct plan *p = load();
	uint32_t no;

	assert_string_equal(p->schedules[p->schedule - 1].text, "13:00");
	for (no = 1; no <= p->n_execs; no++)
		check_at(p, no, 0);
	plan_fix_schedules(p, NOON, NULL, &ds);
	check_at(p, 1, NOON + HOUR);
	check_at(p, 2, NOON + HOUR / 2);
	check_at(p, 3, NOON);
	check_at(p, 4, NOON + 14 * HOUR + HOUR / 2);
	check_at(p, 5, NOON + 14 * HOUR + HOUR / 2);
	check_at(p, 6, NOON - HOUR);
	/* One execution of three tests: the latest of them. */
	check_at(p, 7, NOON + 3 * HOUR);
	assert_int_equal(ds.n, 1);
	assert_int_equal(ds.errors, 0);
	diag_format(&ds.v[0], &said);
	assert_string_equal(buf_str(&said), "p.json:7: warning: "
	    "suites[2].tests[0].schedule: this instant has passed: nothing "
	    "waits for it (it was 2026-12-01 11:00 UTC)");
	plan_unfix_schedules(p);
	check_at(p, 7, 0);
	diags_done(&ds);
	buf_done(&said);
	plan_free(p);
}

static void
test_bad(void **state)
{
	static const char faulty[] = "{\"command\": [\"true\"],\n"
	    "\"schedule\": \"0 2 31 feb *\", \"suites\": [{\"name\": \"s\",\n"
	    "\"schedule\": {\"at\": 1}, \"tests\": [{\"name\": \"t\",\n"
	    "\"schedule\": \"12:60\"}]}]}";
	struct diags ds = DIAGS_INIT;
	struct plan *p = NULL;
	char *said;

	assert_int_equal(plan_load_text("p.json", NULL, faulty,
	    strlen(faulty), &ds, &p), ERR_INVALID);
	said = say_all(&ds);
	assert_string_equal(said,
	    "p.json:2: schedule: no month has such a day: it would never "
	    "come (" WHEN_FORMS ")\n"
	    "p.json:3: suites[0].schedule: a string is expected, not an "
	    "object\n"
	    "p.json:4: suites[0].tests[0].schedule: \"12:60\" is no time of "
	    "day: 00:00 to 23:59 (" WHEN_FORMS ")\n");
	free(said);
	diags_done(&ds);
}

/* What had it launched is over; at that instant itself so is its equal. */
static void
test_launched_by(void **state)
{
	struct diags ds = DIAGS_INIT;
	struct plan *p = load();

	plan_fix_schedules(p, NOON, "+30m", &ds);
	check_at(p, 2, NOON);
	check_at(p, 1, NOON + HOUR);
	plan_fix_schedules(p, NOON + HOUR, "0 13 * * *", &ds);
	check_at(p, 1, NOON + HOUR);
	plan_fix_schedules(p, NOON + HOUR + 1, NULL, &ds);
	check_at(p, 1, NOON + 25 * HOUR);
	diags_done(&ds);
	plan_free(p);
}

static void
test_shown(void **state)
{
	struct plan *p = load();
	struct buf out = BUF_INIT;

	plan_show_text(p, &out);
	assert_non_null(strstr(buf_str(&out), "  waits for 13:00\n"));
	assert_non_null(strstr(buf_str(&out), "  3 steps  waits for 13:00; "
	    "15:00\n"));
	buf_clear(&out);
	plan_show_json(p, &out);
	assert_non_null(strstr(buf_str(&out),
	    "\"schedules\":[\"13:00\",\"15:00\"]"));
	buf_done(&out);
	plan_free(p);
}

static void
test_snapshot(void **state)
{
	struct buf out = BUF_INIT;
	struct plan *p = load(), *again = NULL;
	struct diags ds = DIAGS_INIT;
	char *a, *b, *at;
	uint32_t no;

	plan_fix_schedules(p, NOON, NULL, &ds);
	plan_snapshot(p, &out);
	a = buf_steal(&out);
	assert_int_equal(plan_from_snapshot(a, strlen(a), &again), 0);
	for (no = 1; no <= p->n_execs; no++)
		check_at(again, no, plan_exec_at(p, no));
	plan_snapshot(again, &out);
	b = buf_steal(&out);
	assert_string_equal(a, b);
	plan_free(again);
	/* A schedule that is not there, and one that is none. */
	assert_non_null(at = strstr(b, "\"schedule\":5"));
	at[11] = '9';
	assert_int_equal(plan_from_snapshot(b, strlen(b), &again), ERR_SYNTAX);
	assert_non_null(at = strstr(a, "13:00"));
	at[0] = '7';
	assert_int_equal(plan_from_snapshot(a, strlen(a), &again), ERR_SYNTAX);
	free(a);
	free(b);
	diags_done(&ds);
	plan_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fixed),
		cmocka_unit_test(test_launched_by),
		cmocka_unit_test(test_snapshot),
		cmocka_unit_test(test_shown),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
