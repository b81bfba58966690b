/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scheduled launches: rows, claims of which one wins, and who is there. */
#include "config.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/store/schedules.h"
#include "yardmaster/sys/paths.h"

#define CLAIMERS 8

static const struct schedule nightly = {
	.name = "nightly", .plan = "/p.json", .fleet = "/f.json",
	.when = "02:30", .options = "[\"--only\",\"a b\"]", .who = "ann@c",
	.catch_up = true, .added_us = 5, .next_us = 100,
};

/* What the only row says of its last occurrence. */
struct said {
	int64_t next_us, run_us, note_us, missed;
	enum schedule_note note;
	char run[16], text[64], by[16];
	unsigned rows;
};

static int
keep(void *arg, const struct schedule *s)
{
	struct said *k = arg;

	assert_string_equal(s->plan, "/p.json");
	assert_string_equal(s->fleet, "/f.json");
	assert_string_equal(s->when, "02:30");
	assert_string_equal(s->options, "[\"--only\",\"a b\"]");
	assert_string_equal(s->who, "ann@c");
	assert_true(s->catch_up);
	assert_int_equal(s->added_us, 5);
	k->rows++;
	k->next_us = s->next_us;
	k->run_us = s->run_us;
	k->note_us = s->note_us;
	k->missed = s->missed;
	k->note = s->note;
	strcpy(k->run, s->run != NULL ? s->run : "-");
	strcpy(k->text, s->text != NULL ? s->text : "-");
	strcpy(k->by, s->by != NULL ? s->by : "-");
	return 0;
}

static struct said
look(struct registry *r)
{
	struct said k = { .rows = 0 };

	assert_int_equal(registry_schedule_each(r, keep, &k), 0);
	return k;
}

static void
rows_come_and_go(void **state)
{
	struct registry *r = fix_registry(*state);
	struct said k;

	assert_int_equal(registry_schedule_remove(r, "nightly"),
	    ERR_NOT_FOUND);
	assert_int_equal(registry_schedule_add(r, &nightly), 0);
	assert_int_equal(registry_schedule_add(r, &nightly), ERR_EXISTS);
	k = look(r);
	assert_int_equal(k.rows, 1);
	assert_int_equal(k.next_us, 100);
	assert_int_equal(k.note, NOTE_NONE);
	assert_string_equal(k.run, "-");
	registry_close(r);
	r = fix_registry(*state);
	assert_int_equal(look(r).rows, 1);
	assert_int_equal(registry_schedule_remove(r, "nightly"), 0);
	assert_int_equal(look(r).rows, 0);
	registry_close(r);
}

static void
one_claim_wins(void **state)
{
	struct registry *r = fix_registry(*state), *other = fix_registry(*state);
	struct schedule_claim c = { .next_us = 200, .run = FIX_RUN,
		.at_us = 100, .note = NOTE_STARTING, .by = "7" };
	struct schedule s = nightly;
	struct said k;

	assert_int_equal(registry_schedule_add(r, &nightly), 0);
	assert_int_equal(registry_schedule_claim(r, &s, &c), 0);
	assert_int_equal(registry_schedule_claim(r, &s, &c), ERR_STALE);
	assert_int_equal(registry_schedule_claim(other, &s, &c), ERR_STALE);
	k = look(other);
	assert_int_equal(k.next_us, 200);
	assert_int_equal(k.run_us, 100);
	assert_int_equal(k.note, NOTE_STARTING);
	assert_string_equal(k.run, FIX_RUN);
	assert_string_equal(k.by, "7");
	/* Of another run nothing is noted, of this one once. */
	assert_int_equal(registry_schedule_note(r, "nightly", "r0000000002",
	    NOTE_NONE, NULL), 0);
	assert_int_equal(look(r).note, NOTE_STARTING);
	assert_int_equal(registry_schedule_note(r, "nightly", FIX_RUN,
	    NOTE_ERROR, "no such file"), 0);
	assert_int_equal(registry_schedule_note(r, "nightly", FIX_RUN,
	    NOTE_NONE, NULL), 0);
	k = look(r);
	assert_int_equal(k.note, NOTE_ERROR);
	assert_string_equal(k.text, "no such file");
	/* What is not launched leaves the run before it. */
	s.next_us = 200;
	c = (struct schedule_claim){ .next_us = 0, .at_us = 300,
		.note = NOTE_MISSED, .by = "8", .missed = 3 };
	assert_int_equal(registry_schedule_claim(r, &s, &c), 0);
	k = look(r);
	assert_int_equal(k.next_us, 0);
	assert_int_equal(k.run_us, 100);
	assert_int_equal(k.note, NOTE_MISSED);
	assert_int_equal(k.note_us, 300);
	assert_int_equal(k.missed, 3);
	assert_string_equal(k.run, FIX_RUN);
	registry_close(r);
	registry_close(other);
}

/* Added again under its name it is another one. */
static void
a_new_one_is_not_the_old(void **state)
{
	struct schedule_claim c = { .next_us = 200, .run = FIX_RUN,
		.at_us = 100, .note = NOTE_STARTING };
	struct registry *r = fix_registry(*state);
	struct schedule old = nightly;

	old.added_us = 4;
	assert_int_equal(registry_schedule_add(r, &nightly), 0);
	assert_int_equal(registry_schedule_claim(r, &old, &c), ERR_STALE);
	registry_close(r);
}

/* 0 when this process has it, 1 when another. */
static int
claim_until_settled(const char *dir)
{
	struct schedule_claim c = { .next_us = 200, .run = FIX_RUN,
		.at_us = 100, .note = NOTE_STARTING };
	struct registry *r = NULL;
	int code;

	if (registry_open(dir, &r) < 0)
		return 2;
	do
		code = registry_schedule_claim(r, &nightly, &c);
	while (code == ERR_TIMEOUT);
	registry_close(r);
	return code == 0 ? 0 : code == ERR_STALE ? 1 : 2;
}

static void
one_process_wins(void **state)
{
	struct registry *r = fix_registry(*state);
	int i, status, won = 0;
	pid_t pids[CLAIMERS];

	assert_int_equal(registry_schedule_add(r, &nightly), 0);
	registry_close(r);
	for (i = 0; i < CLAIMERS; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0)
			_exit(claim_until_settled(*state));
	}
	for (i = 0; i < CLAIMERS; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
		won += WEXITSTATUS(status) == 0;
	}
	assert_int_equal(won, 1);
}

static void
older_files_get_the_table(void **state)
{
	char *path = path_join(*state, "registry.db");
	struct registry *r = fix_registry(*state);
	sqlite3 *h;

	registry_close(r);
	assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, "DROP TABLE schedules", NULL, NULL,
	    NULL), SQLITE_OK);
	sqlite3_close(h);
	r = fix_registry(*state);
	assert_int_equal(registry_schedule_add(r, &nightly), 0);
	registry_close(r);
	free(path);
}

static int
see(void *arg, const char *who, const char *fleet)
{
	char *text = str_fmt("ann@c pid %ld", (long)*(pid_t *)arg);

	assert_string_equal(who, text);
	assert_string_equal(fleet, "/f.json");
	free(text);
	return 1;
}

/* Serves until it is killed, and says on out when it does. */
static void
serve(const char *dir, int out)
{
	struct serving *s = NULL;

	if (serving_open(dir, "ann@c", "/f.json", &s) < 0 ||
	    write(out, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void
who_serves_is_seen(void **state)
{
	struct serving *s = NULL;
	pid_t self = getpid(), pid;
	int fds[2], status;
	char name[24], c;

	assert_int_equal(serving_each(*state, see, &self), 0);
	assert_int_equal(serving_open(*state, "ann@c", "/f.json", &s), 0);
	assert_true(serving_lives(*state, serving_name(s)));
	assert_int_equal(serving_each(*state, see, &self), 1);
	serving_close(s);
	assert_int_equal(serving_each(*state, see, &self), 0);
	assert_int_equal(pipe(fds), 0);
	if ((pid = fork()) == 0)
		serve(*state, fds[1]);
	assert_int_equal(read(fds[0], &c, 1), 1);
	snprintf(name, sizeof name, "%ld", (long)pid);
	assert_true(serving_lives(*state, name));
	assert_int_equal(serving_each(*state, see, &pid), 1);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_false(serving_lives(*state, name));
	assert_int_equal(serving_each(*state, see, &pid), 0);
	assert_false(serving_lives(*state, "../registry.db"));
	close(fds[0]);
	close(fds[1]);
}

static void
state_of_one_run(void **state)
{
	struct run_file *f = NULL;
	struct run_head head = { .state = RUN_ENDED, .exit_code = 1,
		.ended_wall_us = 9 };
	enum run_state st;
	int code;

	assert_int_equal(run_state_read(*state, FIX_RUN, &st, &code),
	    ERR_NOT_FOUND);
	assert_int_equal(fix_create(*state, &f), 0);
	assert_int_equal(run_state_read(*state, FIX_RUN, &st, &code), 0);
	assert_int_equal(st, RUN_STARTING);
	run_file_close(f);
	assert_int_equal(run_state_read(*state, FIX_RUN, &st, &code), 0);
	assert_int_equal(st, RUN_ORPHANED);
	assert_int_equal(run_file_adopt(*state, FIX_RUN, "bob@c", &f, NULL),
	    0);
	assert_int_equal(run_file_put_head(f, &head), 0);
	assert_int_equal(run_file_commit(f), 0);
	assert_int_equal(run_state_read(*state, FIX_RUN, &st, &code), 0);
	assert_int_equal(st, RUN_ENDED);
	assert_int_equal(code, 1);
	run_file_close(f);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fix_setup, fix_teardown)
	const struct CMUnitTest tests[] = {
		T(rows_come_and_go),
		T(one_claim_wins),
		T(a_new_one_is_not_the_old),
		T(one_process_wins),
		T(older_files_get_the_table),
		T(who_serves_is_seen),
		T(state_of_one_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
