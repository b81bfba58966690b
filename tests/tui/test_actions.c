/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What keys do: edits, confirmations, marks, filters, questions. */
#include "tests/lib/check.h"

#include <stdio.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"
#include "tui/table.h"
#include "tui/targets.h"
#include "drive.h"

/* Whatever "why" names as a cure is in the action menu of what waits. */
static void
test_all_cures_are_actions(void **state)
{
	const struct reason_info *info;
	uint32_t cures = 0, bit;
	size_t i;
	int r;

	for (i = 0; i < n_actions; i++)
		if (actions[i].letter != 0 && (actions[i].on & ON_EXEC))
			cures |= action_cures(&actions[i]);
	for (r = 0; r < REASONS; r++) {
		info = reason_info((enum reason)r);
		for (bit = 1; bit != 0; bit <<= 1)
			if (info->cures & bit & ~cures)
				fail_msg("%s: no action is to %s", info->name,
				    cure_name((enum cure)bit));
	}
}

static void
open_agents(struct drive *d, unsigned n)
{
	struct engine *e = fake_new();
	char name[16];
	unsigned i;

	drive_open(d, e, 80, 24);
	for (i = 1; i <= n; i++) {
		snprintf(name, sizeof(name), "a-%u", i);
		fake_agent(e, name, 4, 4, i == 1 ? 3 : 0);
	}
	fake_changed(e);
	drive_wait(d, US_PER_S);
	drive_keys(d, "2");
}

static void
test_bulk_edit(void **state)
{
	struct drive d;

	open_agents(&d, 12);
	drive_keys(&d, "f");
	drive_type(&d, "a-1");
	drive_keys(&d, "Enter");
	drive_expect(&d, "Agents 12, 4 shown");
	drive_keys(&d, "* m");
	drive_type(&d, "-50%");
	assert_int_equal(fake_ops(d.engine), 0);
	drive_keys(&d, "Enter");
	assert_non_null(strstr(drive_expect(&d, "max 4 -> 2"), "3 run now"));
	assert_int_equal(fake_ops(d.engine), 0);
	drive_keys(&d, "y");
	assert_int_equal(fake_ops(d.engine), 4);
	assert_int_equal(fake_op(d.engine, 0)->kind, OP_SET);
	assert_string_equal(fake_op(d.engine, 0)->agent, "a-1");
	assert_int_equal(fake_op(d.engine, 0)->max_workers, 2);
	assert_int_equal(fake_op(d.engine, 0)->expect_max, 4);
	assert_false(fake_op(d.engine, 0)->set_threshold);
	drive_expect(&d, "4 targets: max workers set");
	drive_close(&d);
}

static void
test_undo(void **state)
{
	struct drive d;

	open_agents(&d, 2);
	drive_keys(&d, "* t - 1 Enter y");
	assert_int_equal(fake_ops(d.engine), 2);
	assert_int_equal(fake_op(d.engine, 0)->threshold.kind,
	    THRESHOLD_SPARE);
	/* Somebody else changed one of them meanwhile. */
	fake_agent_at(d.engine, 1)->facts.threshold.n = 3;
	drive_keys(&d, "U");
	drive_expect(&d, "threshold -1 -> max");
	drive_expect(&d, "no longer has our value");
	drive_keys(&d, "y");
	assert_int_equal(fake_ops(d.engine), 3);
	assert_int_equal(fake_op(d.engine, 2)->threshold.kind,
	    THRESHOLD_UNSET);
	assert_int_equal(fake_op(d.engine, 2)->expect_threshold.n, 1);
	drive_keys(&d, "U");
	drive_expect(&d, "nothing to undo");
	drive_close(&d);
}

/* Only failures stay marked, and their text is shown. */
static void
test_failed_edit(void **state)
{
	struct drive d;

	open_agents(&d, 3);
	fake_refuse(d.engine, "a-2", "now 9, not 4");
	drive_keys(&d, "* m 3 Enter y");
	drive_expect(&d, "FAILED now 9, not 4");
	assert_int_equal(fake_ops(d.engine), 3);
	drive_keys(&d, "Esc");
	drive_expect(&d, "Agents 3, 1 marked");
	drive_expect(&d, "> a-1");
	drive_expect(&d, " *a-2");
	drive_close(&d);
}

/* A value that moved between preview and confirmation is asked again. */
static void
test_changed_since(void **state)
{
	struct drive d;

	open_agents(&d, 1);
	drive_keys(&d, "m 3 Enter");
	fake_agent_at(d.engine, 0)->facts.max_workers = 8;
	drive_keys(&d, "y");
	assert_int_equal(fake_ops(d.engine), 0);
	drive_expect(&d, "max 8 -> 3");
	drive_expect(&d, "a value changed meanwhile");
	drive_keys(&d, "y");
	assert_int_equal(fake_op(d.engine, 0)->expect_max, 8);
	drive_close(&d);
}

static void
test_form_is_kept(void **state)
{
	struct drive d;

	open_agents(&d, 1);
	drive_keys(&d, "m 3 Esc");
	drive_expect(&d, "Esc again leaves");
	drive_keys(&d, "Enter");	/* it is still 3 */
	drive_expect(&d, "max 4 -> 3");
	drive_keys(&d, "Esc Esc Esc");
	drive_refuse(&d, "Max workers");
	drive_keys(&d, "m x Enter");
	drive_expect(&d, "a number, +2, -25% or =advised");
	assert_int_equal(fake_ops(d.engine), 0);
	drive_close(&d);
}

static void
test_left_out(void **state)
{
	struct drive d;
	struct agent *a;

	open_agents(&d, 3);
	a = fake_agent_at(d.engine, 0);
	a->facts.virtual = true;
	a->facts.max_workers = 1;
	fake_agent_at(d.engine, 1)->link = LINK_DOWN;
	drive_keys(&d, "* m 2 Enter");
	drive_expect(&d, "fixed at 1: a virtual agent");
	drive_expect(&d, "its link is down");
	drive_expect(&d, "do it on 1 target");
	drive_keys(&d, "y");
	assert_int_equal(fake_ops(d.engine), 1);
	drive_close(&d);
}

static void
open_run(struct drive *d, unsigned n)
{
	struct engine *e = fake_new();

	drive_open(d, e, 80, 24);
	fake_run(e, "r1dq3k00ab2", "checkout", n);
	fake_changed(e);
	drive_wait(d, US_PER_S);
	drive_keys(d, "3");
}

static void
test_cancel(void **state)
{
	struct drive d;

	open_run(&d, 20);
	drive_keys(&d, "a c");
	drive_expect(&d, "suite/test1 (r1dq3k00ab2/1)");
	drive_expect(&d, "waiting, will not run");
	drive_keys(&d, "c");		/* not the key that asked */
	assert_int_equal(fake_ops(d.engine), 0);
	drive_keys(&d, "Enter");	/* Cancel is the default */
	drive_refuse(&d, "will not run");
	assert_int_equal(fake_ops(d.engine), 0);
	drive_keys(&d, "a c y");
	assert_int_equal(fake_ops(d.engine), 1);
	assert_int_equal(fake_op(d.engine, 0)->id.execution, 1);
	drive_close(&d);
}

/* More than ten ask for their number. */
static void
test_many(void **state)
{
	struct drive d;

	open_run(&d, 20);
	drive_keys(&d, "* a c");
	drive_expect(&d, "type 20 and Enter");
	drive_keys(&d, "y Enter");
	assert_int_equal(fake_ops(d.engine), 0);
	drive_expect(&d, "type 20 and press Enter");
	drive_keys(&d, "Backspace 2 0 Enter");
	assert_int_equal(fake_ops(d.engine), 20);
	drive_close(&d);
}

static void
test_protected(void **state)
{
	struct drive d;

	open_run(&d, 2);
	d.opts.protected_fleet = true;
	drive_keys(&d, "a c");
	drive_expect(&d, "type 1 and Enter");
	drive_keys(&d, "1 Enter");
	assert_int_equal(fake_ops(d.engine), 1);
	drive_close(&d);
}

static void
test_read_only(void **state)
{
	struct drive d;

	open_run(&d, 3);
	fake_read_only(d.engine, true);
	drive_expect(&d, " RO ");
	drive_keys(&d, "m");
	drive_expect(&d, "read-only: max-workers is refused");
	drive_keys(&d, "a c");
	drive_expect(&d, "refused: read-only");
	drive_keys(&d, "y Esc :");
	drive_type(&d, "cancel");
	drive_keys(&d, "Enter y");
	assert_int_equal(fake_ops(d.engine), 0);
	fake_read_only(d.engine, false);
	drive_keys(&d, ":");
	drive_type(&d, "read-only");
	drive_keys(&d, "Enter x");
	drive_expect(&d, "read-only: launch is refused");
	drive_close(&d);
}

/* Cursor and marks follow ids, not places. */
static void
test_ids(void **state)
{
	struct drive d;
	struct run *r;

	open_run(&d, 10);
	drive_keys(&d, "Down Down Space");
	r = (struct run *)(uintptr_t)engine_run(d.engine, 0);
	fake_state(r, 1, EXEC_RUNNING);
	fake_state(r, 2, EXEC_PASSED);
	fake_changed(d.engine);
	drive_wait(&d, US_PER_S);
	assert_int_equal('*', drive_expect(&d, "suite/test3 ")[1]);
	assert_int_equal('>', drive_expect(&d, "suite/test4 ")[0]);
	drive_keys(&d, "a h Enter y");
	assert_int_equal(fake_op(d.engine, 0)->id.execution, 3);
	drive_close(&d);
}

/* The order stays for five seconds after a key, then it is right again. */
static void
test_order_held(void **state)
{
	struct drive d;

	open_agents(&d, 3);
	drive_keys(&d, ":");
	drive_type(&d, "sort busy");
	drive_keys(&d, "Enter r");
	assert_non_null(strstr(drive_row(&d, 3), "a-1"));
	fake_agent_at(d.engine, 2)->facts.busy = 4;
	fake_changed(d.engine);
	drive_wait(&d, US_PER_S);
	assert_non_null(strstr(drive_row(&d, 3), "a-1"));
	drive_expect(&d, "order held");
	fake_changed(d.engine);
	drive_wait(&d, 6 * US_PER_S);
	assert_non_null(strstr(drive_row(&d, 3), "a-3"));
	drive_refuse(&d, "order held");
	drive_close(&d);
}

static void
test_search(void **state)
{
	struct drive d;

	open_agents(&d, 12);
	drive_keys(&d, "/");
	drive_type(&d, "a-1");
	drive_keys(&d, "Enter");
	assert_int_equal('>', drive_expect(&d, "a-10 ")[0]);
	drive_keys(&d, "n");
	assert_int_equal('>', drive_expect(&d, "a-11 ")[0]);
	drive_keys(&d, "N N");
	assert_int_equal('>', drive_expect(&d, "a-1 ")[0]);
	drive_expect(&d, "Agents 12");
	drive_close(&d);
}

static void
test_filter_fault(void **state)
{
	struct drive d;

	open_agents(&d, 3);
	drive_keys(&d, "f");
	drive_type(&d, "a-2");
	drive_expect(&d, "1 shown");	/* as it is typed */
	drive_keys(&d, "Esc");
	drive_refuse(&d, "shown");
	drive_keys(&d, "f");
	drive_type(&d, "/(/");
	drive_expect(&d, "filter: /(/");
	drive_keys(&d, "Enter");
	drive_expect(&d, "!");
	drive_close(&d);
}

static void
test_questions(void **state)
{
	struct drive d;
	struct agent *a;

	open_agents(&d, 3);
	a = fake_agent_at(d.engine, 1);
	a->question = str_dup("Host key unknown.\nfingerprint SHA256:abc");
	fake_agent_at(d.engine, 2)->question = str_dup("Passphrase of key:");
	fake_changed(d.engine);
	drive_wait(&d, US_PER_S);
	drive_refuse(&d, "A host asks");	/* never by itself */
	drive_expect(&d, "!1");
	drive_keys(&d, "! Enter");
	drive_expect(&d, "SHA256:abc");
	drive_keys(&d, "y");
	assert_string_equal(fake_answer(d.engine), "a-2=yes");
	drive_expect(&d, "Passphrase of key:");
	drive_type(&d, "secret");
	drive_refuse(&d, "secret");
	drive_expect(&d, "******");
	drive_keys(&d, "Enter");
	assert_string_equal(fake_answer(d.engine), "a-3=secret");
	drive_refuse(&d, "A host asks");
	drive_close(&d);
}

static void
test_quit(void **state)
{
	struct drive d;

	open_run(&d, 3);
	drive_keys(&d, "q");
	drive_expect(&d, "Leave the console?");
	drive_expect(&d, "r1dq3k00ab2 checkout: 0 running, 3 waiting");
	drive_expect(&d, "go on on the agents");
	drive_keys(&d, "Esc");
	assert_false(d.tui.quit);
	drive_close(&d);
}

/* A worker that is overdue: what it runs can be ended from its row. */
static void
test_worker(void **state)
{
	struct drive d;
	struct run *r;
	struct worker *w;

	open_agents(&d, 1);
	r = fake_run(d.engine, "r1dq3k00ab2", "checkout", 3);
	fake_state(r, 2, EXEC_RUNNING);
	w = fake_agent_at(d.engine, 0)->facts.workers;
	memcpy(w->attempt.run, r->id, sizeof(r->id));
	w->attempt.execution = 2;
	w->attempt.attempt = 1;
	w->elapsed_us = 900 * US_PER_S;
	fake_changed(d.engine);
	drive_wait(&d, US_PER_S);
	drive_keys(&d, "! a");
	drive_expect(&d, "log");
	drive_expect(&d, "requeue        suite/test2");
	drive_keys(&d, "c");
	drive_expect(&d, "which is lost");
	drive_keys(&d, "y");
	assert_int_equal(fake_op(d.engine, 0)->kind, OP_CANCEL);
	assert_int_equal(fake_op(d.engine, 0)->id.execution, 2);
	drive_close(&d);
}

/* Overdue is more than three times the usual, and more than a minute; the time
 * goes on between the facts. Silent is ten minutes without output. */
static void
test_overdue(void **state)
{
	struct drive d;
	struct worker *w;

	open_agents(&d, 1);
	w = fake_agent_at(d.engine, 0)->facts.workers;
	w[0].usual_us = 100 * US_PER_S;
	w[0].elapsed_us = 290 * US_PER_S;
	w[1].usual_us = 2 * US_PER_S;
	w[1].elapsed_us = 40 * US_PER_S;
	w[2].usual_us = 0;
	w[2].elapsed_us = 595 * US_PER_S;
	w[2].output_age_us = -1;
	fake_agent_at(d.engine, 0)->heard_us = clock_mono_us();
	drive_keys(&d, "0");
	drive_wait(&d, US_PER_S);
	drive_refuse(&d, "overdue");
	drive_refuse(&d, "silent");
	drive_wait(&d, 10 * US_PER_S);
	drive_expect(&d, "a-1/1 overdue: 5m");
	drive_expect(&d, "usual 1m");
	drive_refuse(&d, "a-1/2");
	drive_expect(&d, "a-1/3 silent for 10m");
	drive_keys(&d, "Enter");
	drive_expect(&d, "a-1/1 runs nothing with output");
	drive_close(&d);
}

/* The same from the Workers pane and from the rows of the Overview; a worker
 * of somebody else's run offers none of it. */
static void
test_worker_rows(void **state)
{
	static const char *const ways[] = { "4", "1 Tab" };
	struct drive d;
	struct run *r;
	struct worker *w;
	size_t i;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		open_agents(&d, 1);
		r = fake_run(d.engine, "r1dq3k00ab2", "checkout", 3);
		fake_state(r, 2, EXEC_RUNNING);
		w = fake_agent_at(d.engine, 0)->facts.workers;
		memcpy(w[0].attempt.run, r->id, sizeof(r->id));
		w[0].attempt.execution = 2;
		w[0].attempt.attempt = 1;
		memcpy(w[1].attempt.run, "r0000000001", sizeof(r->id));
		w[1].attempt.execution = 2;
		fake_changed(d.engine);
		drive_wait(&d, US_PER_S);
		drive_keys(&d, ways[i]);
		drive_keys(&d, "a");
		drive_expect(&d, "cancel         suite/test2");
		drive_expect(&d, "why");
		drive_expect(&d, "log");
		drive_expect(&d, "max-workers    a-1");
		drive_keys(&d, "q");
		drive_expect(&d, "suite/test2 (r1dq3k00ab2/2)");
		drive_keys(&d, "y");
		assert_int_equal(fake_op(d.engine, 0)->kind, OP_REQUEUE);
		assert_int_equal(fake_op(d.engine, 0)->id.execution, 2);
		drive_keys(&d, "w");
		drive_expect(&d, "nothing keeps it");
		drive_keys(&d, "Esc Down a");
		drive_refuse(&d, "cancel  ");
		drive_refuse(&d, "why  ");
		drive_close(&d);
	}
}

static void
test_hold(void **state)
{
	struct drive d;

	open_agents(&d, 2);
	drive_keys(&d, "a d");
	drive_type(&d, "disk swap");
	drive_keys(&d, "Tab");
	drive_type(&d, "soon");
	drive_keys(&d, "Enter");
	drive_expect(&d, "soon: a time such as 30m or 2h");
	drive_keys(&d, "C-u 2 h Enter");
	drive_expect(&d, "lets run, starts none, moves what is queued");
	drive_keys(&d, "y");
	assert_int_equal(fake_op(d.engine, 0)->kind, OP_DRAIN);
	assert_true(fake_op(d.engine, 0)->expires_wall_us >
	    clock_wall_us() + 7000 * US_PER_S);
	drive_close(&d);
}

static void
test_frozen(void **state)
{
	struct drive d;

	open_agents(&d, 2);
	drive_keys(&d, "p");
	drive_expect(&d, "FROZEN");
	fake_agent(d.engine, "late", 1, 1, 0);
	fake_changed(d.engine);
	drive_wait(&d, US_PER_S);
	drive_refuse(&d, "late");
	drive_keys(&d, "p");
	drive_expect(&d, "late");
	drive_close(&d);
}

static void
test_broken_theme(void **state)
{
	struct drive d;

	open_agents(&d, 1);
	drive_keys(&d, ":");
	drive_type(&d, "theme nowhere");
	drive_keys(&d, "Enter");
	drive_expect(&d, "theme kept as it was: themes: no nowhere.theme");
	assert_string_equal(d.tui.theme.name, "default");
	drive_keys(&d, "!");
	drive_expect(&d, "1 fault in files of the screen");
	drive_keys(&d, "Enter");
	drive_expect(&d, "no nowhere.theme");
	drive_close(&d);
}

static void
test_unbound(void **state)
{
	struct drive d;

	open_agents(&d, 1);
	drive_keys(&d, "z");
	drive_expect(&d, "z does nothing here; ? shows the keys");
	drive_keys(&d, ":");
	drive_type(&d, "thresold");
	drive_keys(&d, "Enter");
	drive_expect(&d, "no command thresold; did you mean threshold?");
	drive_close(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_cures_are_actions),
		cmocka_unit_test(test_bulk_edit),
		cmocka_unit_test(test_undo),
		cmocka_unit_test(test_failed_edit),
		cmocka_unit_test(test_changed_since),
		cmocka_unit_test(test_form_is_kept),
		cmocka_unit_test(test_left_out),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_protected),
		cmocka_unit_test(test_read_only),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_order_held),
		cmocka_unit_test(test_search),
		cmocka_unit_test(test_filter_fault),
		cmocka_unit_test(test_questions),
		cmocka_unit_test(test_quit),
		cmocka_unit_test(test_worker),
		cmocka_unit_test(test_worker_rows),
		cmocka_unit_test(test_overdue),
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_frozen),
		cmocka_unit_test(test_broken_theme),
		cmocka_unit_test(test_unbound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
