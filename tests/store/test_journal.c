/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The journal of an agent: what a commit took is there after a new opening,
 * what it did not is not; damage and newer versions are refused. */
#include "config.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/check.h"
#include "yardmaster/base/err.h"
#include "yardmaster/store/journal.h"

struct fixture {
	char dir[64], path[96];
	struct journal *j;
	struct buf seen;	/* what a walk gave */
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct buf why = BUF_INIT;

	strcpy(f->dir, "/tmp/ym-journal-XXXXXX");
	if (mkdtemp(f->dir) == NULL)
		return -1;
	snprintf(f->path, sizeof f->path, "%s/journal.db", f->dir);
	*state = f;
	return journal_open(f->path, &f->j, &why);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	char wal[128];

	journal_close(f->j);
	unlink(f->path);
	snprintf(wal, sizeof wal, "%s-wal", f->path);
	unlink(wal);
	rmdir(f->dir);
	buf_done(&f->seen);
	free(f);
	return 0;
}

static void
open_again(struct fixture *f)
{
	struct buf why = BUF_INIT;

	journal_close(f->j);
	f->j = NULL;
	assert_int_equal(journal_open(f->path, &f->j, &why), 0);
}

static int
see_attempt(void *arg, const struct journal_attempt *a)
{
	struct fixture *f = arg;
	char id[IDENT_TEXT];

	buf_putf(&f->seen, "%s e%u %s w%u b%s %.*s|%.*s\n",
	    ident_format(&a->id, id), a->epoch, attempt_state_name(a->state),
	    a->worker, a->boot, (int)a->work_len,
	    a->work != NULL ? a->work : "", (int)a->result_len,
	    a->result != NULL ? a->result : "");
	return 0;
}

static int
see_run(void *arg, const char *run, uint32_t epoch, const char *owner)
{
	struct fixture *f = arg;

	buf_putf(&f->seen, "%s e%u %s\n", run, epoch,
	    owner != NULL ? owner : "-");
	return 0;
}

static void
check_attempts(struct fixture *f, const char *want)
{
	buf_clear(&f->seen);
	assert_int_equal(journal_each_attempt(f->j, see_attempt, f), 0);
	assert_string_equal(buf_str(&f->seen), want);
}

static struct journal_attempt
attempt(uint32_t execution, uint64_t seq)
{
	return (struct journal_attempt){
		.id = { .run = "r0000000000", .execution = execution,
		    .attempt = 1 },
		.epoch = 3, .state = ATTEMPT_QUEUED, .seq = seq,
		.boot = "", .work = "{}", .work_len = 2,
	};
}

static void
an_attempt_through_its_life(void **state)
{
	struct fixture *f = *state;
	struct journal_attempt a = attempt(1, 9), b = attempt(2, 8);

	assert_int_equal(journal_begin(f->j), 0);
	assert_int_equal(journal_add_attempt(f->j, &a), 0);
	assert_int_equal(journal_add_attempt(f->j, &b), 0);
	assert_int_equal(journal_commit(f->j), 0);
	open_again(f);
	check_attempts(f, "r0000000000/2/1 e3 queued w0 b {}|\n"
	    "r0000000000/1/1 e3 queued w0 b {}|\n");

	a.state = ATTEMPT_RUNNING;
	a.worker = 4;
	a.boot = "x";
	assert_int_equal(journal_begin(f->j), 0);
	assert_int_equal(journal_set_attempt(f->j, &a), 0);
	assert_int_equal(journal_drop_attempt(f->j, &b.id), 0);
	assert_int_equal(journal_commit(f->j), 0);
	open_again(f);
	check_attempts(f, "r0000000000/1/1 e3 running w4 bx {}|\n");

	a.state = ATTEMPT_ENDED;
	a.result = "[1]";
	a.result_len = 3;
	assert_int_equal(journal_begin(f->j), 0);
	assert_int_equal(journal_set_attempt(f->j, &a), 0);
	assert_int_equal(journal_commit(f->j), 0);
	open_again(f);
	check_attempts(f, "r0000000000/1/1 e3 ended w4 bx |[1]\n");
}

static void
what_was_rolled_back_is_not_there(void **state)
{
	struct fixture *f = *state;
	struct journal_attempt a = attempt(1, 1);

	assert_int_equal(journal_begin(f->j), 0);
	assert_int_equal(journal_add_attempt(f->j, &a), 0);
	assert_int_equal(journal_add_attempt(f->j, &a), ERR_EXISTS);
	assert_true(strlen(journal_fault(f->j)) > 0);
	journal_rollback(f->j);
	check_attempts(f, "");
	assert_int_equal(journal_begin(f->j), 0);
	assert_int_equal(journal_add_attempt(f->j, &a), 0);
	open_again(f);	/* without a commit, as after a crash */
	check_attempts(f, "");
}

static void
runs_and_values(void **state)
{
	struct fixture *f = *state;
	struct journal_attempt a = attempt(1, 1);
	char *value;

	assert_int_equal(journal_begin(f->j), 0);
	assert_int_equal(journal_put_run(f->j, "r0000000000", 1, NULL), 0);
	assert_int_equal(journal_put_run(f->j, "r0000000000", 4000000000u,
	    "ann"), 0);
	assert_int_equal(journal_put_run(f->j, "r1111111111", 2, NULL), 0);
	assert_int_equal(journal_add_attempt(f->j, &a), 0);
	assert_int_equal(journal_put_value(f->j, "k", "one"), 0);
	assert_int_equal(journal_put_value(f->j, "k", "two"), 0);
	assert_int_equal(journal_put_value(f->j, "l", "x"), 0);
	assert_int_equal(journal_put_value(f->j, "l", NULL), 0);
	assert_int_equal(journal_add_edit(f->j, 1, "ann", "max workers 3"),
	    0);
	assert_int_equal(journal_commit(f->j), 0);
	open_again(f);
	value = journal_value(f->j, "k");
	assert_string_equal(value, "two");
	free(value);
	assert_null(journal_value(f->j, "l"));
	assert_int_equal(journal_each_run(f->j, see_run, f), 0);
	assert_string_equal(buf_str(&f->seen),
	    "r0000000000 e4000000000 ann\nr1111111111 e2 -\n");

	assert_int_equal(journal_drop_old_runs(f->j, INT64_MAX), 0);
	buf_clear(&f->seen);
	assert_int_equal(journal_each_run(f->j, see_run, f), 0);
	assert_string_equal(buf_str(&f->seen), "r0000000000 e4000000000 ann\n");
}

/* Runs one statement on the closed file. */
static void
meddle(struct fixture *f, const char *sql)
{
	sqlite3 *db;

	journal_close(f->j);
	f->j = NULL;
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void
a_newer_version_is_refused(void **state)
{
	struct fixture *f = *state;
	struct buf why = BUF_INIT;

	meddle(f, "PRAGMA user_version=99");
	assert_int_equal(journal_open(f->path, &f->j, &why), ERR_VERSION);
	assert_non_null(strstr(buf_str(&why), f->path));
	buf_done(&why);
}

static void
damage_is_refused(void **state)
{
	struct fixture *f = *state;
	struct buf why = BUF_INIT;
	int fd;

	journal_close(f->j);
	f->j = NULL;
	fd = open(f->path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "no database", 11, 0), 11);
	close(fd);
	assert_int_equal(journal_open(f->path, &f->j, &why), ERR_STORE);
	assert_true(buf_len(&why) > 0);
	buf_done(&why);
}

static void
a_state_that_is_none_is_refused(void **state)
{
	struct fixture *f = *state;
	struct journal_attempt a = attempt(1, 1);

	assert_int_equal(journal_add_attempt(f->j, &a), 0);
	meddle(f, "UPDATE attempts SET state=77");
	open_again(f);
	assert_int_equal(journal_each_attempt(f->j, see_attempt, f),
	    ERR_STORE);
}

static void
a_folder_that_is_none(void **state)
{
	struct journal *j = NULL;
	struct buf why = BUF_INIT;

	assert_true(journal_open("/dev/null/journal.db", &j, &why) < 0);
	assert_null(j);
	assert_true(buf_len(&why) > 0);
	buf_done(&why);
}

int
main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(an_attempt_through_its_life),
		CASE(what_was_rolled_back_is_not_there),
		CASE(runs_and_values),
		CASE(a_newer_version_is_refused),
		CASE(damage_is_refused),
		CASE(a_state_that_is_none_is_refused),
		cmocka_unit_test(a_folder_that_is_none),
	};

	return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
