/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The folder of runs: names, owners, the list, copies, damage. */
#include "config.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"

static void
expect(struct buf *b, const char *text)
{
	assert_string_equal(buf_str(b), text);
	buf_done(b);
}

static int
text_attempt(void *arg, const struct run_attempt *a)
{
	buf_putf(arg, "%u/%u %s", a->exec, a->attempt,
	    attempt_state_name(a->state));
	return 0;
}

static void
names_do_not_leave_the_folder(void **state)
{
	static const char *const bad[] = { "", "../../etc", "r1",
		"r0000000001/1", "r000000000/" };
	struct run_file *f = NULL;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(run_file_open(*state, bad[i], &f),
		    ERR_NOT_FOUND);
		assert_int_equal(run_file_adopt(*state, bad[i], "x", &f,
		    NULL), ERR_NOT_FOUND);
		assert_int_equal(run_remove(*state, bad[i]), ERR_NOT_FOUND);
	}
	assert_int_equal(run_file_open(*state, FIX_RUN, &f), ERR_NOT_FOUND);
	assert_int_equal(run_file_adopt(*state, FIX_RUN, "x", &f, NULL),
	    ERR_NOT_FOUND);
}

static void
a_run_is_created_once(void **state)
{
	struct run_file *f = NULL, *again = NULL;

	assert_int_equal(fix_create(*state, &f), 0);
	assert_int_equal(fix_create(*state, &again), ERR_LOCKED);
	run_file_close(f);
	assert_int_equal(fix_create(*state, &again), ERR_EXISTS);
	assert_int_equal(run_file_adopt(*state, FIX_RUN, "x", &f, NULL), 0);
	run_file_close(f);
}

static void
an_ended_run_is_not_adopted(void **state)
{
	struct run_head head = { .state = RUN_ENDED, .ended_wall_us = 9,
		.exit_code = 1 };
	struct run_file *f = NULL;

	assert_int_equal(fix_create(*state, &f), 0);
	assert_int_equal(run_file_put_head(f, &head), 0);
	assert_int_equal(run_file_commit(f), 0);
	run_file_close(f);
	assert_int_equal(run_file_adopt(*state, FIX_RUN, "x", &f, NULL),
	    ERR_STATE);
	assert_int_equal(run_file_open(*state, FIX_RUN, &f), 0);
	assert_int_equal(run_file_head(f, &head), 0);
	assert_int_equal(head.epoch, 1);
	assert_int_equal(head.state, RUN_ENDED);
	assert_int_equal(head.exit_code, 1);
	assert_int_equal(head.ended_wall_us, 9);
	run_file_close(f);
}

/* Overwrites a part of the database. */
static void
scribble(const char *dir, long at, const char *bytes, size_t n)
{
	char *path = run_path(dir, FIX_RUN, ".db");
	FILE *file = fopen(path, "r+b");

	assert_non_null(file);
	assert_int_equal(fseek(file, at, SEEK_SET), 0);
	assert_int_equal(fwrite(bytes, 1, n, file), n);
	assert_int_equal(fclose(file), 0);
	free(path);
}

static void
damage_and_the_future_are_refused(void **state)
{
	struct run_file *f = NULL;
	char junk[4096];
	char *text = NULL;

	assert_int_equal(fix_create(*state, &f), 0);
	run_file_close(f);
	assert_int_equal(run_check(*state, FIX_RUN, &text), 0);
	assert_null(text);
	scribble(*state, 60, "\0\0\0\x63", 4);	/* user version 99 */
	assert_int_equal(run_file_open(*state, FIX_RUN, &f), ERR_VERSION);
	assert_int_equal(run_file_adopt(*state, FIX_RUN, "x", &f, NULL),
	    ERR_VERSION);
	scribble(*state, 60, "\0\0\0\1", 4);
	memset(junk, 0x5a, sizeof(junk));
	scribble(*state, 3 * 4096, junk, sizeof(junk));
	assert_int_equal(run_file_adopt(*state, FIX_RUN, "x", &f, NULL),
	    ERR_STORE);
	assert_int_equal(run_check(*state, FIX_RUN, &text), ERR_STORE);
	assert_non_null(text);
	free(text);
	scribble(*state, 0, junk, 100);
	assert_int_equal(run_file_open(*state, FIX_RUN, &f), ERR_STORE);
}

static int
text_summary(void *arg, const struct run_summary *s)
{
	buf_putf(arg, "%s %s %s %s %u\n", s->head->id, s->head->plan,
	    run_state_name(s->head->state),
	    s->owner != NULL ? "owned" : "-", counts_total(&s->counts));
	return 0;
}

static void
runs_are_listed_newest_first(void **state)
{
	struct run_head head = { .state = RUN_ENDED };
	struct run_file *a = NULL, *b = NULL, *c = NULL;
	struct run_owner owner;
	struct buf out = BUF_INIT;
	char *path, *text;

	assert_int_equal(run_list(*state, text_summary, &out), 0);
	expect(&out, "");
	assert_int_equal(fix_create_as(*state, "r0000000001", &a), 0);
	assert_int_equal(fix_create_as(*state, "r0000000002", &b), 0);
	assert_int_equal(fix_create_as(*state, "r0000000003", &c), 0);
	run_file_close(b);
	assert_int_equal(run_file_put_head(c, &head), 0);
	assert_int_equal(run_file_commit(c), 0);
	path = run_path(*state, "r0000000004", ".db");
	assert_int_equal(fs_replace(path, "", 0, 0600), 0);
	free(path);
	path = run_path(*state, "r0000000005", ".db");
	assert_int_equal(fs_replace(path, "no database, just some text that "
	    "is long enough to look at", 58, 0600), 0);
	free(path);
	assert_int_equal(run_list(*state, text_summary, &out), 0);
	expect(&out, "r0000000003 checkout ended - 4\n"
	    "r0000000002 checkout orphaned - 4\n"
	    "r0000000001 checkout starting owned 4\n");
	assert_int_equal(run_owner_read(*state, "r0000000001", &owner), 0);
	assert_int_equal(owner.process.pid, getpid());
	assert_true(proc_alive(&owner.process));
	text = run_owner_text(&owner);
	assert_non_null(strstr(text, "ann@console pid "));
	free(text);
	run_owner_done(&owner);
	assert_int_equal(run_owner_read(*state, "r0000000002", &owner),
	    ERR_NOT_FOUND);
	run_file_close(a);
	run_file_close(c);
}

static void
a_copy_is_a_whole_run(void **state)
{
	struct run_file *f = NULL;
	struct buf b = BUF_INIT;
	char *path = run_path(*state, "r0000000007", ".db");

	assert_int_equal(fix_create(*state, &f), 0);
	assert_int_equal(fix_send(f, 1, 1), 0);
	assert_int_equal(run_file_commit(f), 0);
	assert_int_equal(run_backup(*state, FIX_RUN, path), 0);
	assert_int_equal(run_backup(*state, FIX_RUN, path), ERR_EXISTS);
	assert_int_equal(run_remove(*state, FIX_RUN), ERR_LOCKED);
	run_file_close(f);
	assert_int_equal(run_remove(*state, FIX_RUN), 0);
	assert_int_equal(run_remove(*state, FIX_RUN), ERR_NOT_FOUND);
	assert_int_equal(run_file_open(*state, "r0000000007", &f), 0);
	run_file_each_attempt(f, 0, text_attempt, &b);
	expect(&b, "1/1 sent");
	run_file_close(f);
	free(path);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fix_setup, fix_teardown)
	const struct CMUnitTest tests[] = {
		T(names_do_not_leave_the_folder),
		T(a_run_is_created_once),
		T(an_ended_run_is_not_adopted),
		T(damage_and_the_future_are_refused),
		T(runs_are_listed_newest_first),
		T(a_copy_is_a_whole_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
