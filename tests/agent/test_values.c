/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where max workers and threshold come from: the cases PW1 to PW9 of the
 * worked examples, over a journal that outlives each start. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/values.h"
#include "../lib/check.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/sys/host.h"

struct fixture {
	char dir[64], path[96];
	struct journal *journal;
	struct values v;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct buf why = BUF_INIT;

	strcpy(f->dir, "/tmp/ym-values-XXXXXX");
	if (mkdtemp(f->dir) == NULL)
		return -1;
	snprintf(f->path, sizeof f->path, "%s/journal.db", f->dir);
	*state = f;
	return journal_open(f->path, &f->journal, &why);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	char wal[128];

	values_done(&f->v);
	journal_close(f->journal);
	unlink(f->path);
	snprintf(wal, sizeof wal, "%s-wal", f->path);
	unlink(wal);
	rmdir(f->dir);
	free(f);
	return 0;
}

static void
keep(struct fixture *f)
{
	assert_int_equal(journal_begin(f->journal), 0);
	assert_int_equal(values_store(&f->v, f->journal), 0);
	assert_int_equal(journal_commit(f->journal), 0);
}

/* A start of the daemon; with file (0: none) and env it is a full one. */
static void
start_again(struct fixture *f, bool full, uint32_t file, const char *env)
{
	struct agent_file settings = { .max_workers = file };
	uint32_t advised = f->v.max.advised;

	keep(f);
	values_done(&f->v);
	memset(&f->v, 0, sizeof f->v);
	f->v.max.advised = advised;
	values_load(&f->v, f->journal);
	if (full)
		assert_int_equal(values_full_start(&f->v, &settings, env), 0);
}

static void
check(const struct fixture *f, uint32_t n, enum value_source source)
{
	assert_int_equal(f->v.max_workers, n);
	assert_string_equal(value_source_name(f->v.max_source),
	    value_source_name(source));
}

static void
nothing_is_advised(void **state)
{
	struct fixture *f = *state;

	f->v.max.advised = 4;
	start_again(f, true, 0, NULL);
	check(f, 4, SOURCE_ADVISED);
}

static void
pw1_console_stays_for_good(void **state)
{
	struct fixture *f = *state;

	values_set_max(&f->v, 3);
	check(f, 3, SOURCE_CONSOLE);
	start_again(f, true, 0, NULL);
	check(f, 3, SOURCE_CONSOLE);
}

static void
pw2_pw3_local_values_prevail(void **state)
{
	struct fixture *f = *state;

	values_set_max(&f->v, 3);
	start_again(f, true, 5, NULL);
	check(f, 5, SOURCE_FILE);
	start_again(f, true, 5, "2");
	check(f, 2, SOURCE_ENVIRONMENT);
}

static void
pw4_console_until_restart(void **state)
{
	struct fixture *f = *state;

	start_again(f, true, 5, "2");
	values_set_max(&f->v, 6);
	check(f, 6, SOURCE_CONSOLE_UNTIL_RESTART);
	start_again(f, false, 0, NULL);
	check(f, 2, SOURCE_ENVIRONMENT);
}

static void
pw5_file_is_read_at_full_starts(void **state)
{
	struct fixture *f = *state;

	values_set_max(&f->v, 3);
	start_again(f, true, 5, NULL);
	start_again(f, false, 0, NULL);
	check(f, 5, SOURCE_FILE);
	start_again(f, true, 7, NULL);
	check(f, 7, SOURCE_FILE);
}

static void
pw7_virtual_is_one(void **state)
{
	struct fixture *f = *state;
	struct agent_file settings = { .max_workers = 9, .virtual = true };

	values_set_max(&f->v, 3);
	assert_int_equal(values_full_start(&f->v, &settings, "8"), 0);
	check(f, 1, SOURCE_VIRTUAL);
	start_again(f, false, 0, NULL);
	check(f, 1, SOURCE_VIRTUAL);
}

static void
pw8_advised(void **state)
{
	assert_int_equal(host_advised_workers(8, UINT64_C(64) << 30), 4);
}

static void
pw9_environment_of_the_last_full_start(void **state)
{
	struct fixture *f = *state;

	values_set_max(&f->v, 3);
	start_again(f, true, 0, "2");
	start_again(f, false, 0, NULL);
	check(f, 2, SOURCE_ENVIRONMENT);
}

static void
bad_environment(void **state)
{
	static const char *const bad[] = { "0", "1025", "-1", "4x", "x",
	    "99999999999999999999" };
	struct agent_file settings = { .max_workers = 0 };
	struct values v = { .max.advised = 2 };
	size_t i;

	for (i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_true(values_full_start(&v, &settings, bad[i]) < 0);
	assert_int_equal(values_full_start(&v, &settings, ""), 0);
	assert_int_equal(v.max_workers, 2);
}

static void
threshold_follows_the_same_rule(void **state)
{
	struct fixture *f = *state;
	struct threshold two = { THRESHOLD_NUMBER, 2 };
	struct agent_file settings = { .has_threshold = true,
	    .threshold = { THRESHOLD_SPARE, 1 } };

	values_set_threshold(&f->v, &two);
	start_again(f, true, 0, NULL);
	assert_true(threshold_equal(&f->v.threshold, &two));
	assert_int_equal(values_full_start(&f->v, &settings, NULL), 0);
	assert_true(threshold_equal(&f->v.threshold, &settings.threshold));
	values_set_threshold(&f->v, &two);
	assert_true(threshold_equal(&f->v.threshold, &two));
	start_again(f, false, 0, NULL);
	assert_true(threshold_equal(&f->v.threshold, &settings.threshold));
}

static void
drain_outlives_a_start_and_expires(void **state)
{
	struct fixture *f = *state;
	int64_t next;

	stop_note_set(&f->v.draining, "ann", "disk", 1000, 5000);
	stop_note_set(&f->v.held, "bob", NULL, 1000, 0);
	start_again(f, true, 0, NULL);
	assert_true(f->v.draining.on);
	assert_string_equal(f->v.draining.who, "ann");
	assert_true(f->v.held.on);
	assert_false(values_expire(&f->v, 4999, &next));
	assert_int_equal(next, 5000);
	assert_true(values_expire(&f->v, 5000, &next));
	assert_true(next == CLOCK_NEVER);
	assert_false(f->v.draining.on);
	assert_true(f->v.held.on);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(nothing_is_advised),
		CASE(pw1_console_stays_for_good),
		CASE(pw2_pw3_local_values_prevail),
		CASE(pw4_console_until_restart),
		CASE(pw5_file_is_read_at_full_starts),
		CASE(pw7_virtual_is_one),
		cmocka_unit_test(pw8_advised),
		CASE(pw9_environment_of_the_last_full_start),
		cmocka_unit_test(bad_environment),
		CASE(threshold_follows_the_same_rule),
		CASE(drain_outlives_a_start_and_expires),
	};

	return cmocka_run_group_tests_name("values", tests, NULL, NULL);
}
