/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owners that die, owners that live, disks that are full: real processes, no
 * database is open over a fork. */
#include "config.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"

#define SKIP 77

/* A child that does work(dir), says so by one byte, and waits to be killed. */
static pid_t
start(const char *dir, int (*work)(const char *dir))
{
	int said[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(said), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(said[0]);
		if (work(dir) != 0 || write(said[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(said[1]);
	if (read(said[0], &byte, 1) != 1)
		fail_msg("the child failed");
	close(said[0]);
	return pid;
}

static void
end(pid_t pid)
{
	int status;

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

/* Commits three ended attempts one by one; a fourth is put, not committed. */
static int
work_in_mid_run(const char *dir)
{
	struct run_file *f = NULL;
	struct report r;
	bool fresh;
	uint32_t i;

	if (fix_create(dir, &f) < 0)
		return -1;
	for (i = 1; i <= 4; i++) {
		r = fix_report(i, 1, i);
		if (fix_send(f, i, 1) < 0 || run_file_commit(f) < 0 ||
		    run_file_put_result(f, &r, false, &fresh) < 0 || !fresh)
			return -1;
		if (i < 4 && run_file_commit(f) < 0)
			return -1;
		report_done(&r);
	}
	return 0;
}

static int
text_attempt(void *arg, const struct run_attempt *a)
{
	buf_putf(arg, "%u/%u %s\n", a->exec, a->attempt,
	    attempt_state_name(a->state));
	return 0;
}

static void
after_kill_nothing_committed_is_missing(void **state)
{
	struct report r = fix_report(4, 1, 4), again = fix_report(3, 1, 3);
	struct run_file *f = NULL;
	struct buf b = BUF_INIT;
	bool fresh = false;
	struct stat before, after;
	char *wal = run_path(*state, FIX_RUN, ".db-wal");

	end(start(*state, work_in_mid_run));
	/* A reader of a dead owner's file leaves its log alone. */
	assert_int_equal(stat(wal, &before), 0);
	assert_int_equal(run_file_open(*state, FIX_RUN, &f), 0);
	assert_int_equal(fix_count_results(f), 1 + 2 + 3);
	run_file_close(f);
	assert_int_equal(stat(wal, &after), 0);
	assert_true(after.st_size > 0 && after.st_size == before.st_size);
	free(wal);
	assert_int_equal(run_file_adopt(*state, FIX_RUN, "bob@b", &f, NULL),
	    0);
	assert_int_equal(run_file_epoch(f), 2);
	run_file_each_attempt(f, 0, text_attempt, &b);
	assert_string_equal(buf_str(&b),
	    "1/1 ended\n2/1 ended\n3/1 ended\n4/1 sent\n");
	assert_int_equal(fix_count_results(f), 1 + 2 + 3);
	/* The agent says them again: one is new, one is known. */
	assert_int_equal(run_file_put_result(f, &r, false, &fresh), 0);
	assert_true(fresh);
	assert_int_equal(run_file_put_result(f, &again, false, &fresh), 0);
	assert_false(fresh);
	assert_int_equal(run_file_commit(f), 0);
	assert_int_equal(fix_count_results(f), 1 + 2 + 3 + 4);
	run_file_close(f);
	buf_done(&b);
	report_done(&r);
	report_done(&again);
}

static int
take_over(const char *dir)
{
	struct run_file *f = NULL;

	return run_file_adopt(dir, FIX_RUN, "carl@c", &f, NULL);
}

static int
owner_of(void *arg, const struct run_summary *s)
{
	buf_putf(arg, "%s %s", run_state_name(s->head->state),
	    s->owner != NULL ? s->owner : "-");
	return 0;
}

static void
a_living_owner_is_not_replaced(void **state)
{
	struct run_file *f = NULL;
	struct buf b = BUF_INIT;
	char *owner = NULL, *want;
	struct run_head head;
	pid_t pid;

	assert_int_equal(fix_create(*state, &f), 0);
	run_file_close(f);
	f = NULL;
	pid = start(*state, take_over);
	want = str_fmt("carl@c pid %ld", (long)pid);
	assert_int_equal(run_file_adopt(*state, FIX_RUN, "bob@b", &f, &owner),
	    ERR_LOCKED);
	assert_null(f);
	assert_string_equal(owner, want);
	assert_int_equal(run_list(*state, owner_of, &b), 0);
	assert_non_null(strstr(buf_str(&b), want));
	buf_clear(&b);
	free(owner);
	free(want);
	/* The refused one changed nothing. */
	assert_int_equal(run_file_open(*state, FIX_RUN, &f), 0);
	assert_int_equal(run_file_head(f, &head), 0);
	assert_int_equal(head.epoch, 2);
	run_file_close(f);
	end(pid);
	assert_int_equal(run_list(*state, owner_of, &b), 0);
	assert_string_equal(buf_str(&b), "orphaned -");
	buf_done(&b);
	assert_int_equal(run_file_adopt(*state, FIX_RUN, "bob@b", &f, NULL),
	    0);
	assert_int_equal(run_file_epoch(f), 3);
	run_file_close(f);
}

/* Killed while it creates: there is a run, or there is none. */
static int
create_only(const char *dir)
{
	struct run_file *f = NULL;

	return fix_create(dir, &f);
}

static void
an_empty_file_is_no_run(void **state)
{
	struct run_file *f = NULL;
	struct buf b = BUF_INIT;
	char *path = run_path(*state, FIX_RUN, ".db");

	end(start(*state, create_only));
	assert_int_equal(truncate(path, 0), 0);
	free(path);
	path = run_path(*state, FIX_RUN, ".db-wal");
	assert_int_equal(unlink(path), 0);
	free(path);
	assert_int_equal(run_list(*state, owner_of, &b), 0);
	assert_string_equal(buf_str(&b), "");
	assert_int_equal(run_file_adopt(*state, FIX_RUN, "b", &f, NULL),
	    ERR_NOT_FOUND);
	buf_done(&b);
}

/* Writes until the disk is full, frees space, goes on. 0, SKIP, or the line
 * that found a fault. */
static int
fill_a_disk(const char *dir)
{
	struct run_file *f = NULL;
	char *ballast = str_fmt("%s/ballast", dir), text[2000];
	char *runs = str_fmt("%s/state", dir);
	struct event e = { .kind = EVENT_INFO, .text = text };
	struct report r = fix_report(4, 1, 4);
	int i, code = 0, fd;
	bool fresh;

	if (unshare(CLONE_NEWNS) < 0 &&
	    unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return SKIP;
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", dir, "tmpfs", 0, "size=1m,mode=700") < 0)
		return SKIP;
	fd = open(ballast, O_CREAT | O_WRONLY, 0600);
	if (fd < 0 || posix_fallocate(fd, 0, 400 << 10) != 0 ||
	    fix_create(runs, &f) < 0)
		return __LINE__;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	if (fix_send(f, 4, 1) < 0 || run_file_commit(f) < 0)
		return __LINE__;
	for (i = 0; i < 10000 && code == 0; i++)
		if ((code = run_file_put_event(f, &e)) == 0)
			code = run_file_commit(f);
	if (code != -ENOSPC || run_file_error(f)[0] == '\0')
		return __LINE__;
	if (run_file_put_result(f, &r, false, &fresh) != -ENOSPC ||
	    run_file_commit(f) != -ENOSPC)
		return __LINE__;
	if (unlink(ballast) < 0 || close(fd) < 0)
		return __LINE__;
	if (run_file_recover(f) < 0 || run_file_error(f)[0] != '\0')
		return __LINE__;
	if (run_file_put_result(f, &r, false, &fresh) < 0 || !fresh ||
	    run_file_commit(f) < 0 || fix_count_results(f) != 4)
		return __LINE__;
	run_file_close(f);
	report_done(&r);
	free(ballast);
	free(runs);
	return 0;
}

static void
a_full_disk_loses_nothing(void **state)
{
	int status, said[2], line = -1;
	pid_t pid;

	assert_int_equal(pipe(said), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		line = fill_a_disk(*state);
		_exit(write(said[1], &line, sizeof(line)) ==
		    sizeof(line) ? 0 : 1);
	}
	close(said[1]);
	assert_int_equal(read(said[0], &line, sizeof(line)), sizeof(line));
	close(said[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (line == SKIP) {
		print_message("# skipped: a tmpfs cannot be mounted here\n");
		skip();
	}
	if (line != 0)
		fail_msg("line %d", line);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fix_setup, fix_teardown)
	const struct CMUnitTest tests[] = {
		T(after_kill_nothing_committed_is_missing),
		T(a_living_owner_is_not_replaced),
		T(an_empty_file_is_no_run),
		T(a_full_disk_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
