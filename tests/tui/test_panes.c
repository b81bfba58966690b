/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the panes show, at four sizes, from a fleet with some of everything. */
#include "tests/lib/check.h"

#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"
#include "drive.h"

static void
open_fleet(struct drive *d, int w, int h)
{
	struct engine *e = fake_new();

	drive_open(d, e, w, h);	/* sets the clock the fleet is made by */
	fake_populate(e);
	fake_changed(e);
	drive_wait(d, US_PER_S);
}

static void
test_overview(void **state)
{
	struct drive d;

	open_fleet(&d, 80, 24);
	assert_string_equal(drive_row(&d, 0),
	    " lab RW links 5/7 data live !6                               "
	    "  yardmaster 0.1.0");
	assert_string_equal(drive_row(&d, 1), "1 Overview");
	/* 4 + 4 + 9 rows of data */
	assert_non_null(strstr(drive_row(&d, 2), "> Agents 7"));
	assert_string_equal(drive_row(&d, 3),
	    "> lab-1          r busy              3/3/4 ######|.        "
	    "ok          1.5  6.0G");
	assert_non_null(strstr(drive_row(&d, 7), "  Workers 23"));
	assert_non_null(strstr(drive_row(&d, 12), "  Queue 48"));
	assert_non_null(strstr(drive_row(&d, 13), "> workers-busy"));
	assert_non_null(strstr(drive_row(&d, 21), "no-agent: needs label"));
	assert_string_equal(drive_row(&d, 22),
	    "4 running, 48 waiting 1 failed");
	assert_non_null(strstr(drive_row(&d, 23), "? help  Enter open"));
	drive_close(&d);
}

static void
test_overview_sections(void **state)
{
	struct drive d;

	open_fleet(&d, 80, 24);
	drive_keys(&d, "Down");
	/* The cursor of the workers follows the agent. */
	drive_expect(&d, "> lab-2/1");
	drive_keys(&d, "Tab Tab");
	drive_expect(&d, "> Queue 48");
	drive_keys(&d, "Enter");
	drive_expect(&d, "3 Queue 48");
	drive_close(&d);
}

static void
test_attention(void **state)
{
	struct drive d;

	open_fleet(&d, 80, 24);
	drive_keys(&d, "!");
	assert_non_null(strstr(drive_expect(&d, "1 host asks"), "X bad"));
	drive_expect(&d, "queue stuck: 10 no-agent");
	drive_expect(&d, "1 link lost: connection refused");
	drive_expect(&d, "mac-1/1 overdue: 11m");
	drive_expect(&d, "checkout): 1 failed");
	drive_keys(&d, "A");
	assert_non_null(strstr(drive_expect(&d, "1 host asks"), "seen"));
	drive_expect(&d, "!5");
	/* It worsens: it is back. */
	fake_agent_at(d.engine, 0)->question = str_dup("fingerprint?");
	fake_changed(d.engine);
	drive_wait(&d, US_PER_S);
	assert_non_null(strstr(drive_expect(&d, "2 hosts ask"), "X bad"));
	drive_close(&d);
}

/* From the stuck queue to its causes, their rows and their reasons. */
static void
test_triage(void **state)
{
	struct drive d;

	open_fleet(&d, 80, 24);
	drive_keys(&d, "! Down Enter");
	drive_expect(&d, "0 > Causes 3");
	assert_non_null(strstr(drive_row(&d, 3), "> no-agent"));
	drive_expect(&d, "operator");
	drive_keys(&d, "Enter");
	drive_expect(&d, "Queue 10 for no-agent");
	drive_keys(&d, "w");
	drive_expect(&d, "1. no-agent for 31s (an operator must clear it)");
	drive_expect(&d, "2. threshold");
	drive_keys(&d, "Esc Esc Down");
	drive_expect(&d, "> agents-draining");
	drive_keys(&d, "a");
	drive_expect(&d, "u   undrain        win-1; 4 wait for it");
	drive_refuse(&d, "max-workers");
	drive_keys(&d, "u y");
	assert_int_equal(fake_ops(d.engine), 1);
	assert_int_equal(fake_op(d.engine, 0)->kind, OP_UNDRAIN);
	drive_expect(&d, "win-1: drain ended");
	drive_close(&d);
}

static void
test_runs_and_log(void **state)
{
	struct drive d;

	open_fleet(&d, 80, 24);
	drive_keys(&d, "6");
	drive_expect(&d, "> r1dq3k00ab2          8/1/60");
	drive_keys(&d, "Enter");
	/* Failures first. */
	assert_non_null(strstr(drive_row(&d, 3), "F failed"));
	drive_keys(&d, "L");
	drive_expect(&d, "FAILED test_two: ^[]0;title^G boom");
	drive_expect(&d, "after <U+202E> it");
	drive_expect(&d, "100%");
	drive_refuse(&d, "50%");
	drive_keys(&d, "f");
	drive_type(&d, "passed");
	drive_keys(&d, "Enter");
	drive_expect(&d, "filter: passed");
	drive_expect(&d, "PASSED test_one");
	drive_refuse(&d, "FAILED");
	drive_keys(&d, "Esc Esc");
	drive_expect(&d, "6 > Executions");
	drive_keys(&d, "g");
	drive_expect(&d, "Timeline of r1dq3k00ab2");
	drive_expect(&d, "lab-2/2");
	drive_keys(&d, "7");
	drive_expect(&d, "7 Log suite/test4 r1dq3k00ab2/4");
	drive_close(&d);
}

static void
test_other_panes(void **state)
{
	struct drive d;

	open_fleet(&d, 80, 24);
	drive_keys(&d, "4");
	drive_expect(&d, "lab-2/3");
	drive_keys(&d, "8");
	drive_expect(&d, "drained: new kernel");
	drive_keys(&d, "5");
	drive_expect(&d, "no plan file here");
	drive_keys(&d, "?");
	drive_expect(&d, "what can be done with the row");
	drive_keys(&d, "/");
	drive_type(&d, "emulator");
	drive_keys(&d, "Enter");
	drive_expect(&d, "no line matches");
	drive_close(&d);
}

static void
test_large(void **state)
{
	struct drive d;

	open_fleet(&d, 200, 50);
	drive_keys(&d, "2");
	/* All columns, the tabs, and the facts of the row on the right. */
	drive_expect(&d, "8 Events");
	drive_expect(&d, "VERSION");
	drive_expect(&d, "4, console; advised 4");
	drive_refuse(&d, "as root");
	fake_agent_at(d.engine, 0)->facts.root = true;
	fake_changed(d.engine);
	drive_wait(&d, US_PER_S);
	assert_non_null(strstr(drive_expect(&d, "> lab-1"), " as root"));
	drive_expect(&d, ", runs as root, up ");
	drive_keys(&d, "3");
	drive_expect(&d, "ROW/TARGET");
	drive_expect(&d, "r1dq3k00ab2/13");
	drive_close(&d);
}

static void
test_small(void **state)
{
	struct drive d;

	open_fleet(&d, 40, 10);
	drive_keys(&d, "2");
	drive_expect(&d, "> lab-1");
	drive_expect(&d, "3/3/4");
	assert_non_null(strstr(drive_row(&d, 0), "links 5/7"));
	drive_keys(&d, "3");
	drive_expect(&d, "REASON");
	drive_expect(&d, "suite/test13");
	drive_keys(&d, "m Esc a Esc");
	drive_close(&d);
	/* Under ten rows the key line goes, then the header. */
	open_fleet(&d, 40, 8);
	assert_non_null(strstr(drive_row(&d, 0), "links"));
	drive_refuse(&d, "? help");
	drive_close(&d);
	open_fleet(&d, 40, 5);
	drive_keys(&d, "2");
	drive_refuse(&d, "links");
	drive_expect(&d, "> lab-1");
	drive_close(&d);
}

static void
test_tiny(void **state)
{
	struct drive d;

	open_fleet(&d, 20, 4);
	assert_string_equal(drive_row(&d, 0), "!6 5/7 4r 48w 1f");
	drive_keys(&d, "2 m 5 Enter Esc Esc Esc ?");
	drive_row(&d, 3);
	drive_close(&d);
}

/* Every pane and dialog draws at every size without touching what is outside
 * its surface (the sanitizers look). */
static void
test_all_sizes(void **state)
{
	static const char *const keys[] = { "0", "1", "2", "2 m 4 Enter",
		"2 a", "3 w", "3 a c", "4", "6 Enter L", "6 g", "8", "?",
		"2 C", "0 Enter", "2 f" };
	struct drive d;
	size_t i;
	int w, h;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		open_fleet(&d, 80, 24);
		drive_keys(&d, keys[i]);
		for (w = 1; w < 140; w += 7) {
			for (h = 1; h < 50; h += 4) {
				surface_resize(d.tui.surface, w, h);
				console_draw(&d.tui);
			}
		}
		drive_close(&d);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overview),
		cmocka_unit_test(test_overview_sections),
		cmocka_unit_test(test_attention),
		cmocka_unit_test(test_triage),
		cmocka_unit_test(test_runs_and_log),
		cmocka_unit_test(test_other_panes),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_tiny),
		cmocka_unit_test(test_all_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
