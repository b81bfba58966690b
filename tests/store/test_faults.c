/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every write may fail: the first, the second, ... of a turn. What was
 * committed stays, what was put and not committed is there after recovery,
 * once, and work goes on. */
#include "../lib/check.h"

#include <errno.h>
#include <stdio.h>
#include <sqlite3.h>

#include "fault_vfs.h"
#include "fixture.h"
#include "yardmaster/base/err.h"

#define TURNS 12
#define NEVER 1000
#define STEP_SLOW 7		/* under Valgrind not every write fails */

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

/* The file holds done turns, each whole, and the counts are those of the
 * executions. */
static void
check(struct run_file *f, int done)
{
	struct counts want = { { 0 } }, have;
	int attempts = 0, i;

	assert_int_equal(run_file_each_attempt(f, 0, expect_whole,
	    &attempts), 0);
	assert_int_equal(attempts, done);
	assert_int_equal(fix_count_results(f), 2 * attempts);
	assert_int_equal(run_file_counts(f, &have), 0);
	assert_int_equal(run_file_each_exec(f, count_states, &want), 0);
	for (i = 0; i < EXEC_STATES; i++)
		assert_int_equal(have.n[i], want.n[i]);
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
	/* Until recovered; a result that comes then comes again. */
	assert_int_equal(turn(f, (uint32_t)done + 1), code);
	assert_true(run_file_error(f)[0] != '\0');
	fault_vfs_fail(0, 0);
	assert_int_equal(run_file_recover(f), 0);
	assert_int_equal(turn(f, (uint32_t)++done), 0);
	for (check(f, done); done < TURNS; done++)
		assert_int_equal(turn(f, (uint32_t)done + 1), 0);
	check(f, TURNS);
	run_file_close(f);
	return true;
}

static long
step(void)
{
	return under_valgrind() ? STEP_SLOW : 1;
}

static void
every_write_may_fail(void **state, int rc)
{
	long nth;

	for (nth = 1; nth < NEVER; nth += step()) {
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

/* ---- what is put again --------------------------------------------------- */

/* One row of each kind. */
static int
put_each(struct run_file *f, uint32_t n)
{
	char who[] = "ann", did[] = "did";
	const struct run_exec x = { .no = 1, .state = EXEC_ASSIGNED,
	    .attempt = n, .agent = "lab-1", .text = "why" };
	const struct run_artifact art = { .exec = 1, .attempt = n, .no = 0,
	    .name = "a", .bytes = 3, .sha256 = "00", .n = 1,
	    .state = ARTIFACT_MISSING, .text = "no" };
	const struct run_member m = { 1, n, 1, n };
	const struct run_leased l = { 1, n, "emu-1" };
	const struct run_tries t = { .exec = n, .failures = n };
	const struct run_amendment am = { .who = "ann", .kind = "hold" };
	const struct run_shared s = { .group = 1, .round = n, .kind = "put",
	    .name = "k", .value = "v" };
	const struct event ev = { .who = who, .text = did };
	const struct run_head h = { .state = RUN_HELD };
	int codes[] = {
		fix_send(f, 1, n),
		run_file_put_exec(f, &x),
		run_file_put_artifact(f, &art),
		run_file_put_member(f, &m),
		run_file_put_leased(f, &l),
		run_file_put_tries(f, &t),
		run_file_put_amendment(f, &am),
		run_file_put_shared(f, &s),
		run_file_put_event(f, &ev),
		run_file_put_head(f, &h),
	};
	size_t i;

	for (i = 0; i < sizeof codes / sizeof codes[0]; i++)
		if (codes[i] < 0)
			return codes[i];
	return run_file_commit(f);
}

#define COUNT(name, type)                                                     \
	static int                                                            \
	count_##name(void *arg, const struct type *row)                       \
	{                                                                     \
		return row != NULL ? (++*(int *)arg, 0) : ERR_STORE;          \
	}
COUNT(attempt, run_attempt)
COUNT(artifact, run_artifact)
COUNT(member, run_member)
COUNT(leased, run_leased)
COUNT(tries, run_tries)
COUNT(amendment, run_amendment)
COUNT(shared, run_shared)
COUNT(event, event)

/* Each kind is there n times, and execution 1 is as last put. */
static void
expect_each(struct run_file *f, int n)
{
	int got[8] = { 0 };
	struct counts states = { { 0 } }, have;
	struct run_head h;
	size_t i;

	run_file_each_attempt(f, 0, count_attempt, &got[0]);
	run_file_each_artifact(f, 0, count_artifact, &got[1]);
	run_file_each_member(f, 0, count_member, &got[2]);
	run_file_each_amendment(f, count_amendment, &got[3]);
	run_file_each_shared(f, count_shared, &got[4]);
	run_file_each_event(f, 0, count_event, &got[5]);
	run_file_each_leased(f, 0, count_leased, &got[6]);
	run_file_each_tries(f, count_tries, &got[7]);
	for (i = 0; i < sizeof got / sizeof got[0]; i++)
		assert_int_equal(got[i], n);
	assert_int_equal(run_file_each_exec(f, count_states, &states), 0);
	assert_int_equal(states.n[EXEC_ASSIGNED], 1);
	assert_int_equal(run_file_counts(f, &have), 0);
	assert_int_equal(have.n[EXEC_ASSIGNED], 1);
	assert_int_equal(run_file_head(f, &h), 0);
	assert_int_equal(h.state, RUN_HELD);
}

/* Rows of the turn that failed and of those after it; the process then ends,
 * and another takes over. */
static bool
put_with_fault(const char *dir, long nth, int rc)
{
	struct run_file *f = NULL;
	int code, n = 1;

	assert_int_equal(fix_create(dir, &f), 0);
	fault_vfs_fail(nth, rc);
	while ((code = put_each(f, (uint32_t)n)) == 0 && n < TURNS)
		n++;
	if (code < 0) {
		assert_int_equal(put_each(f, (uint32_t)++n), code);
		assert_int_equal(put_each(f, (uint32_t)++n), code);
		assert_true(run_file_recover(f) < 0);
		assert_true(put_each(f, (uint32_t)++n) < 0);
	}
	fault_vfs_fail(0, 0);
	if (code < 0)
		assert_int_equal(run_file_recover(f), 0);
	expect_each(f, n);
	run_file_close(f);
	f = NULL;
	assert_int_equal(run_file_adopt(dir, FIX_RUN, "bob", &f, NULL), 0);
	assert_int_equal(put_each(f, (uint32_t)n + 1), 0);
	expect_each(f, n + 1);
	run_file_close(f);
	assert_int_equal(run_remove(dir, FIX_RUN), 0);
	return code < 0;
}

static void
what_was_put_is_put_again_once(void **state)
{
	static const int faults[] = { SQLITE_FULL, SQLITE_IOERR_WRITE,
		SQLITE_IOERR_FSYNC };
	size_t i;
	long nth;

	for (i = 0; i < sizeof faults / sizeof faults[0]; i++) {
		for (nth = 1; nth < NEVER; nth += step())
			if (!put_with_fault(*state, nth, faults[i]))
				break;
		assert_in_range(nth, TURNS, NEVER - 1);
	}
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
	assert_int_equal(turn(f, 2), 0);
	check(f, 2);
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
		T(what_was_put_is_put_again_once),
		T(creation_is_whole_or_nothing),
		T(recovery_may_fail_as_well),
	};

	fault_vfs_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
