/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every write may fail: the first, the second, ... of a turn. What was
 * committed stays, what was not is gone as a whole, and work goes on after
 * recovery. */
#include "config.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sqlite3.h>

#include "fault_vfs.h"
#include "fixture.h"
#include "yardmaster/base/err.h"

#define TURNS 12
#define NEVER 1000

static int
setup(void **state)
{
	*state = fix_dir();
	return 0;
}

static int
teardown(void **state)
{
	fault_vfs_fail(0, 0);
	fix_dir_free(*state);
	return 0;
}

/* One turn: an attempt and its two results, committed. */
static int
turn(struct run_file *f, uint32_t attempt)
{
	struct report r = fix_report(2, attempt, 2);
	struct run_exec e = { .no = 2, .state = attempt % 2 == 0 ?
		EXEC_RUNNING : EXEC_WAITING, .attempt = attempt };
	bool fresh = false;
	int code;

	if ((code = fix_send(f, 2, attempt)) == 0 &&
	    (code = run_file_put_exec(f, &e)) == 0 &&
	    (code = run_file_put_result(f, &r, false, &fresh)) == 0)
		code = run_file_commit(f);
	report_done(&r);
	return code;
}

static int
expect_whole(void *arg, const struct run_attempt *a)
{
	++*(int *)arg;
	return a->state == ATTEMPT_ENDED ? 0 : ERR_STORE;
}

static int
count_states(void *arg, const struct run_exec *e)
{
	((struct counts *)arg)->n[e->state]++;
	return 0;
}

/* The file holds done turns or (the failed commit may have reached the disk)
 * one more; each is whole, and the counts are those of the executions. */
static int
check(struct run_file *f, int done)
{
	struct counts want = { { 0 } }, have;
	int attempts = 0, i;

	assert_int_equal(run_file_each_attempt(f, 0, expect_whole,
	    &attempts), 0);
	assert_in_range(attempts, done, done + 1);
	assert_int_equal(fix_count_results(f), 2 * attempts);
	assert_int_equal(run_file_counts(f, &have), 0);
	assert_int_equal(run_file_each_exec(f, count_states, &want), 0);
	for (i = 0; i < EXEC_STATES; i++)
		assert_int_equal(have.n[i], want.n[i]);
	return attempts;
}

/* Runs TURNS turns with the nth write failing by rc, then recovers and runs
 * the rest. False when no write failed. */
static bool
run_with_fault(const char *dir, long nth, int rc)
{
	struct run_file *f = NULL;
	int done = 0, code = 0;

	assert_int_equal(fix_create(dir, &f), 0);
	fault_vfs_fail(nth, rc);
	while (done < TURNS && (code = turn(f, (uint32_t)done + 1)) == 0)
		done++;
	if (code == 0) {
		fault_vfs_fail(0, 0);
		run_file_close(f);
		return false;
	}
	assert_true(code == -ENOSPC || code == -EIO);
	assert_int_equal(turn(f, 100), code);	/* until recovered */
	assert_true(run_file_error(f)[0] != '\0');
	fault_vfs_fail(0, 0);
	assert_int_equal(run_file_recover(f), 0);
	for (done = check(f, done); done < TURNS; done++)
		assert_int_equal(turn(f, (uint32_t)done + 1), 0);
	assert_int_equal(check(f, TURNS), TURNS);
	run_file_close(f);
	return true;
}

static void
every_write_may_fail(void **state, int rc)
{
	long nth;

	for (nth = 1; nth < NEVER; nth++) {
		if (!run_with_fault(*state, nth, rc))
			break;
		assert_int_equal(run_remove(*state, FIX_RUN), 0);
	}
	assert_in_range(nth, TURNS, NEVER - 1);
}

static void
a_full_disk_at_every_write(void **state)
{
	every_write_may_fail(state, SQLITE_FULL);
}

static void
a_broken_disk_at_every_write(void **state)
{
	every_write_may_fail(state, SQLITE_IOERR_WRITE);
}

static void
creation_is_whole_or_nothing(void **state)
{
	struct run_file *f = NULL;
	struct run_head head;
	int code = -1;
	long nth;

	for (nth = 1; nth < NEVER && code < 0; nth++) {
		fault_vfs_fail(nth, SQLITE_FULL);
		code = fix_create(*state, &f);
		fault_vfs_fail(0, 0);
		if (code < 0)
			assert_int_equal(run_file_open(*state, FIX_RUN, &f),
			    ERR_NOT_FOUND);
	}
	assert_int_equal(code, 0);
	assert_true(nth > 3);
	assert_int_equal(run_file_head(f, &head), 0);
	run_file_close(f);
}

static void
recovery_may_fail_as_well(void **state)
{
	struct run_file *f = NULL;
	struct run_head head;
	char *path = run_path(*state, FIX_RUN, ".db");
	char *away = run_path(*state, FIX_RUN, ".away");

	assert_int_equal(fix_create(*state, &f), 0);
	assert_int_equal(turn(f, 1), 0);
	fault_vfs_fail(1, SQLITE_IOERR_FSYNC);
	assert_int_equal(turn(f, 2), -EIO);
	assert_int_equal(rename(path, away), 0);
	assert_int_equal(run_file_recover(f), ERR_NOT_FOUND);
	assert_int_equal(run_file_head(f, &head), ERR_STORE);
	assert_int_equal(fix_count_results(f), ERR_STORE);
	assert_int_equal(turn(f, 2), ERR_NOT_FOUND);
	assert_int_equal(rename(away, path), 0);
	fault_vfs_fail(0, 0);
	assert_int_equal(run_file_recover(f), 0);
	assert_int_equal(turn(f, check(f, 1) + 1), 0);
	run_file_close(f);
	free(path);
	free(away);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_full_disk_at_every_write),
		T(a_broken_disk_at_every_write),
		T(creation_is_whole_or_nothing),
		T(recovery_may_fail_as_well),
	};

	fault_vfs_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
