/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run file: what is put comes back, twice is once, readers see commits. */
#include "config.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "store/run.h"

static int
text_step(void *arg, const struct run_step *s)
{
	buf_putf(arg, "%u.%u %s %s %s\n", s->exec, s->step, s->test,
	    s->row != NULL ? s->row : "-",
	    s->target != NULL ? s->target : "-");
	return 0;
}

static int
text_exec(void *arg, const struct run_exec *e)
{
	buf_putf(arg, "%u %s/%s %u %s %u %s %s\n", e->no, e->suite, e->test,
	    e->n_steps, exec_state_name(e->state), e->attempt,
	    e->agent != NULL ? e->agent : "-",
	    e->text != NULL ? e->text : "-");
	return 0;
}

static int
text_attempt(void *arg, const struct run_attempt *a)
{
	uint32_t i;

	buf_putf(arg, "%u/%u %s %s %s %s w%u late=%d %s", a->exec, a->attempt,
	    a->agent != NULL ? a->agent : "-", tier_name(a->tier),
	    attempt_state_name(a->state), outcome_name(a->outcome), a->worker,
	    a->late, a->text != NULL ? a->text : "-");
	for (i = 0; i < a->n_steps; i++)
		buf_putf(arg, " #%u", a->steps[i]);
	buf_putc(arg, '\n');
	return 0;
}

static int
text_result(void *arg, const struct run_result *r)
{
	buf_putf(arg, "%u/%u.%u %s %d %d %s\n", r->exec, r->attempt, r->step,
	    outcome_name(r->r.outcome), r->r.exit_code, r->r.signo,
	    r->r.text != NULL ? r->r.text : "-");
	return 0;
}

static int
text_amendment(void *arg, const struct run_amendment *a)
{
	buf_putf(arg, "%d %s %s %s %s\n", (int)a->seq, a->who, a->kind,
	    a->object, a->what);
	return 0;
}

static int
text_event(void *arg, const struct event *e)
{
	buf_putf(arg, "%d %s %d %s %s\n", (int)e->seq, e->who, e->kind,
	    e->text, e->object != NULL ? e->object : "-");
	return 0;
}

static void
expect(struct buf *b, const char *text)
{
	assert_string_equal(buf_str(b), text);
	buf_done(b);
}

static void
a_new_run_can_be_read(void **state)
{
	struct run_file *f = NULL, *reader = NULL;
	struct buf b = BUF_INIT;
	struct run_head head;
	struct counts counts;
	struct stat st;
	char *snapshot = NULL, *path = run_path(*state, FIX_RUN, ".db");

	assert_int_equal(fix_create(*state, &f), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	free(path);
	assert_string_equal(run_file_id(f), FIX_RUN);
	assert_int_equal(run_file_epoch(f), 1);
	assert_int_equal(run_file_open(*state, FIX_RUN, &reader), 0);
	assert_int_equal(run_file_head(reader, &head), 0);
	assert_string_equal(head.id, FIX_RUN);
	assert_string_equal(head.plan, "checkout");
	assert_string_equal(head.who, "ann@console");
	assert_string_equal(head.options, "{\"order\":\"plan\"}");
	assert_int_equal(head.state, RUN_STARTING);
	assert_int_equal(head.started_wall_us, 1000000);
	assert_int_equal(head.ended_wall_us, 0);
	assert_int_equal(head.epoch, 1);
	assert_int_equal(head.exit_code, -1);
	assert_int_equal(run_file_counts(reader, &counts), 0);
	assert_int_equal(counts.n[EXEC_WAITING], FIX_EXECS);
	assert_int_equal(counts_total(&counts), FIX_EXECS);
	assert_int_equal(run_file_snapshot(reader, &snapshot), 0);
	assert_string_equal(snapshot, "{\"name\":\"checkout\"}");
	free(snapshot);
	assert_int_equal(run_file_each_exec(reader, text_exec, &b), 0);
	expect(&b, "1 s/t1 1 waiting 0 - -\n2 s/t1 2 waiting 0 - -\n"
	    "3 s/t1 3 waiting 0 - -\n4 s/all 4 waiting 0 - -\n");
	assert_int_equal(run_file_each_step(reader, 1, text_step, &b), 0);
	assert_int_equal(run_file_each_step(reader, 2, text_step, &b), 0);
	expect(&b, "1.0 t1 a x\n2.0 t1 - -\n2.1 t2 b y\n");
	run_file_close(reader);
	run_file_close(f);
}

static void
what_is_put_comes_back(void **state)
{
	static const uint32_t sent[] = { 1, 3 };
	struct run_attempt a = { .exec = 4, .attempt = 2, .agent = "lab-2",
		.class = CLASS_PINNED, .tier = TIER_PINNED,
		.state = ATTEMPT_SENT, .steps = sent, .n_steps = 2 };
	struct run_exec e = { .no = 4, .state = EXEC_ASSIGNED, .attempt = 2,
		.agent = "lab-2", .tier = TIER_PINNED, .text = "retry" };
	char who[] = "ann", did[] = "did";
	struct event ev = { .kind = EVENT_EDIT, .who = who, .text = did };
	struct run_amendment am = { .who = "ann", .kind = "hold",
		.object = FIX_RUN "/1", .what = "note" };
	struct report r = fix_report(4, 2, 2);
	struct buf b = BUF_INIT;
	struct run_file *f = NULL;
	bool fresh = false;

	assert_int_equal(fix_create(*state, &f), 0);
	assert_int_equal(fix_send(f, 4, 1), 0);
	assert_int_equal(run_file_put_attempt(f, &a), 0);
	assert_int_equal(run_file_put_exec(f, &e), 0);
	assert_int_equal(run_file_put_event(f, &ev), 0);
	assert_int_equal(run_file_put_amendment(f, &am), 0);
	assert_true(run_file_dirty(f));
	assert_int_equal(run_file_commit(f), 0);
	assert_false(run_file_dirty(f));
	assert_int_equal(run_file_commit(f), 0);
	r.steps[1].outcome = OUTCOME_FAILED;
	r.steps[1].exit_code = 3;
	r.steps[1].text = str_dup("no");
	r.outcome = OUTCOME_FAILED;
	assert_int_equal(run_file_put_result(f, &r, false, &fresh), 0);
	assert_true(fresh);
	assert_int_equal(run_file_commit(f), 0);
	run_file_each_attempt(f, 4, text_attempt, &b);
	run_file_each_result(f, 0, text_result, &b);
	run_file_each_amendment(f, text_amendment, &b);
	run_file_each_event(f, 0, text_event, &b);
	run_file_each_event(f, 1, text_event, &b);
	expect(&b, "4/1 lab-1 idle sent none w0 late=0 -\n"
	    "4/2 lab-2 pinned ended failed w2 late=0 - #1 #3\n"
	    "4/2.1 passed 0 0 -\n4/2.3 failed 3 0 no\n"
	    "1 ann hold " FIX_RUN "/1 note\n1 ann 1 did -\n");
	report_done(&r);
	run_file_close(f);
}

static void
counts_follow_the_executions(void **state)
{
	struct run_exec e = { .no = 2, .state = EXEC_PASSED };
	struct run_file *f = NULL, *reader = NULL;
	struct counts c;

	assert_int_equal(fix_create(*state, &f), 0);
	assert_int_equal(run_file_put_exec(f, &e), 0);
	e.no = 3;
	e.state = EXEC_FAILED;
	assert_int_equal(run_file_put_exec(f, &e), 0);
	assert_int_equal(run_file_put_exec(f, &e), 0);
	assert_int_equal(run_file_open(*state, FIX_RUN, &reader), 0);
	assert_int_equal(run_file_counts(reader, &c), 0);
	assert_int_equal(c.n[EXEC_WAITING], 4);	/* not committed */
	assert_int_equal(run_file_commit(f), 0);
	assert_int_equal(run_file_counts(reader, &c), 0);
	assert_int_equal(c.n[EXEC_WAITING], 2);
	assert_int_equal(c.n[EXEC_PASSED], 1);
	assert_int_equal(c.n[EXEC_FAILED], 1);
	e.no = FIX_EXECS + 1;
	assert_int_equal(run_file_put_exec(f, &e), ERR_NOT_FOUND);
	e.no = 0;
	assert_int_equal(run_file_put_exec(f, &e), ERR_NOT_FOUND);
	assert_int_equal(run_file_put_exec(reader, &e), ERR_NOT_FOUND);
	e.no = 1;
	assert_int_equal(run_file_commit(f), 0);
	run_file_close(reader);
	run_file_close(f);
}

static void
a_result_counts_once(void **state)
{
	struct report r = fix_report(3, 1, 3);
	struct buf b = BUF_INIT;
	struct run_file *f = NULL;
	bool fresh = false;

	assert_int_equal(fix_create(*state, &f), 0);
	assert_int_equal(fix_send(f, 3, 1), 0);
	assert_int_equal(run_file_commit(f), 0);
	assert_int_equal(run_file_put_result(f, &r, false, &fresh), 0);
	assert_true(fresh);
	/* Again in the same turn, in a later one, and with other contents. */
	assert_int_equal(run_file_put_result(f, &r, false, &fresh), 0);
	assert_false(fresh);
	assert_int_equal(run_file_commit(f), 0);
	r.outcome = r.steps[0].outcome = OUTCOME_FAILED;
	assert_int_equal(run_file_put_result(f, &r, true, &fresh), 0);
	assert_false(fresh);
	/* Nor does a late change of the attempt bring it back. */
	assert_int_equal(fix_send(f, 3, 1), 0);
	assert_int_equal(run_file_commit(f), 0);
	run_file_each_attempt(f, 0, text_attempt, &b);
	run_file_each_result(f, 0, text_result, &b);
	expect(&b, "3/1 lab-1 idle ended passed w2 late=0 -\n"
	    "3/1.0 passed 0 0 -\n3/1.1 passed 0 0 -\n3/1.2 passed 0 0 -\n");
	report_done(&r);
	run_file_close(f);
}

static void
a_lost_attempt_may_end_late(void **state)
{
	struct run_attempt a = { .exec = 1, .attempt = 1, .agent = "lab-1",
		.state = ATTEMPT_LOST, .outcome = OUTCOME_ERROR };
	struct report r = fix_report(1, 1, 1), odd = fix_report(2, 1, 2);
	struct buf b = BUF_INIT;
	struct run_file *f = NULL;
	bool fresh = false;

	assert_int_equal(fix_create(*state, &f), 0);
	assert_int_equal(run_file_put_attempt(f, &a), 0);
	assert_int_equal(run_file_put_result(f, &r, true, &fresh), 0);
	assert_true(fresh);
	/* One nobody knew of is kept as well. */
	odd.steps[1].outcome = OUTCOME_NONE;
	assert_int_equal(run_file_put_result(f, &odd, false, &fresh), 0);
	assert_true(fresh);
	assert_int_equal(run_file_commit(f), 0);
	run_file_each_attempt(f, 0, text_attempt, &b);
	run_file_each_result(f, 0, text_result, &b);
	expect(&b, "1/1 lab-1 none ended passed w2 late=1 -\n"
	    "2/1 - none ended passed w2 late=0 -\n"
	    "1/1.0 passed 0 0 -\n2/1.0 passed 0 0 -\n");
	report_done(&r);
	report_done(&odd);
	run_file_close(f);
}

static void
wrong_results_do_no_harm(void **state)
{
	struct report r = fix_report(1, 1, 2);
	struct run_file *f = NULL;
	bool fresh = true;

	assert_int_equal(fix_create(*state, &f), 0);
	r.state = ATTEMPT_RUNNING;
	assert_int_equal(run_file_put_result(f, &r, false, &fresh),
	    ERR_RANGE);
	r.state = ATTEMPT_ENDED;
	r.id.execution = 99;
	assert_int_equal(run_file_put_result(f, &r, false, &fresh),
	    ERR_NOT_FOUND);
	r.id.execution = 1;
	strcpy(r.id.run, "r0000000009");
	assert_int_equal(run_file_put_result(f, &r, false, &fresh),
	    ERR_NOT_FOUND);
	assert_int_equal(fix_count_results(f), 0);
	strcpy(r.id.run, FIX_RUN);
	/* It says two steps, and was sent one. */
	assert_int_equal(run_file_put_result(f, &r, false, &fresh), 0);
	assert_true(fresh);
	assert_int_equal(run_file_commit(f), 0);
	assert_int_equal(fix_count_results(f), 1);
	report_done(&r);
	run_file_close(f);
}

static void
a_change_keeps_what_it_does_not_say(void **state)
{
	static const uint32_t sent[] = { 2 };
	struct run_attempt a = { .exec = 3, .attempt = 1, .agent = "lab-1",
		.class = CLASS_PINNED, .tier = TIER_PINNED, .steps = sent,
		.n_steps = 1, .sent_wall_us = 5 };
	struct run_attempt b = { .exec = 3, .attempt = 1,
		.state = ATTEMPT_RUNNING, .worker = 3 };
	struct buf out = BUF_INIT;
	struct run_file *f = NULL;

	assert_int_equal(fix_create(*state, &f), 0);
	assert_int_equal(run_file_put_attempt(f, &a), 0);
	assert_int_equal(run_file_put_attempt(f, &b), 0);
	b.worker = 0;
	b.state = ATTEMPT_LOST;
	b.text = "gone";
	assert_int_equal(run_file_put_attempt(f, &b), 0);
	run_file_each_attempt(f, 3, text_attempt, &out);
	expect(&out, "3/1 lab-1 pinned lost none w3 late=0 gone #2\n");
	run_file_close(f);
}

static void
what_is_not_committed_is_gone(void **state)
{
	struct run_file *f = NULL;
	struct buf b = BUF_INIT;
	char *owner = NULL;

	assert_int_equal(fix_create(*state, &f), 0);
	assert_int_equal(fix_send(f, 1, 1), 0);
	assert_int_equal(run_file_commit(f), 0);
	assert_int_equal(fix_send(f, 2, 1), 0);
	run_file_close(f);
	assert_int_equal(run_file_adopt(*state, FIX_RUN, "bob@other", &f,
	    &owner), 0);
	assert_null(owner);
	assert_int_equal(run_file_epoch(f), 2);
	run_file_each_attempt(f, 0, text_attempt, &b);
	expect(&b, "1/1 lab-1 idle sent none w0 late=0 -\n");
	run_file_close(f);
}

static void
a_reader_sees_one_state(void **state)
{
	struct run_file *f = NULL, *reader = NULL;
	struct report r = fix_report(2, 1, 2);
	struct buf b = BUF_INIT;
	bool fresh;
	int i;

	assert_int_equal(fix_create(*state, &f), 0);
	assert_int_equal(run_file_open(*state, FIX_RUN, &reader), 0);
	assert_int_equal(run_file_begin_read(reader), 0);
	assert_int_equal(fix_count_results(reader), 0);
	assert_int_equal(fix_send(f, 2, 1), 0);
	assert_int_equal(run_file_put_result(f, &r, false, &fresh), 0);
	assert_int_equal(run_file_commit(f), 0);
	for (i = 2; i < 300; i++) {
		assert_int_equal(fix_send(f, 1, (uint32_t)i), 0);
		assert_int_equal(run_file_commit(f), 0);
	}
	assert_int_equal(fix_count_results(reader), 0);
	assert_int_equal(run_file_each_attempt(reader, 0, text_attempt, &b),
	    0);
	expect(&b, "");
	run_file_end_read(reader);
	assert_int_equal(fix_count_results(reader), 2);
	assert_true(fix_send(reader, 1, 1) < 0);
	run_file_close(reader);
	report_done(&r);
	run_file_close(f);
}

static int
stop_at_two(void *arg, const struct run_exec *e)
{
	*(uint32_t *)arg = e->no;
	return e->no == 2 ? 42 : 0;
}

static void
a_walk_may_be_ended(void **state)
{
	struct run_file *f = NULL;
	uint32_t last = 0;

	assert_int_equal(fix_create(*state, &f), 0);
	assert_int_equal(run_file_each_exec(f, stop_at_two, &last), 42);
	assert_int_equal(last, 2);
	run_file_close(f);
}

/* The tables as version 1 had them, with one run of one execution. */
static const char version_1[] =
    "PRAGMA application_id=2036429412; PRAGMA user_version=1;"
    "CREATE TABLE head(one INTEGER PRIMARY KEY CHECK(one=1), id TEXT,"
    " plan TEXT, who TEXT, options TEXT, state TEXT NOT NULL,"
    " started INTEGER, ended INTEGER, epoch INTEGER NOT NULL,"
    " exit_code INTEGER, counts TEXT);"
    "CREATE TABLE snapshot(one INTEGER PRIMARY KEY CHECK(one=1), text TEXT);"
    "CREATE TABLE executions(no INTEGER PRIMARY KEY, suite TEXT, test TEXT,"
    " row TEXT, target TEXT, n_steps INTEGER, estimate INTEGER,"
    " state TEXT NOT NULL, attempt INTEGER NOT NULL DEFAULT 0, agent TEXT,"
    " tier TEXT, since INTEGER, text TEXT);"
    "CREATE TABLE steps(exec INTEGER, step INTEGER, test TEXT, row TEXT,"
    " target TEXT, PRIMARY KEY(exec, step)) WITHOUT ROWID;"
    "CREATE TABLE attempts(exec INTEGER, attempt INTEGER, agent TEXT,"
    " class TEXT, tier TEXT, state TEXT NOT NULL, outcome TEXT,"
    " late INTEGER, worker INTEGER, sent INTEGER, started INTEGER,"
    " ended INTEGER, elapsed INTEGER, out_bytes INTEGER,"
    " out_dropped INTEGER, text TEXT, steps BLOB,"
    " PRIMARY KEY(exec, attempt)) WITHOUT ROWID;"
    "CREATE TABLE results(exec INTEGER, attempt INTEGER, step INTEGER,"
    " outcome TEXT, exit_code INTEGER, signal INTEGER, started INTEGER,"
    " elapsed INTEGER, out_from INTEGER, out_to INTEGER, text TEXT,"
    " PRIMARY KEY(exec, attempt, step)) WITHOUT ROWID;"
    "CREATE TABLE amendments(seq INTEGER PRIMARY KEY, wall INTEGER, who TEXT,"
    " kind TEXT, object TEXT, what TEXT);"
    "CREATE TABLE events(seq INTEGER PRIMARY KEY, wall INTEGER, who TEXT,"
    " kind INTEGER, text TEXT, object TEXT);"
    "INSERT INTO head VALUES(1, 'r0000000001', 'p', 'ann', '{}', 'running',"
    " 1, 0, 1, -1, '1,0,0,0,0,0,0,0,0,0');"
    "INSERT INTO executions(no, suite, test, n_steps, state, since)"
    " VALUES(1, 's', 't', 1, 'waiting', 1);"
    "INSERT INTO attempts(exec, attempt, agent, state, outcome, late)"
    " VALUES(1, 1, 'a', 'ended', 'failed', 0), (1, 2, 'a', 'lost', 'error',"
    " 0), (1, 3, 'a', 'ended', 'error', 0), (1, 4, 'a', 'ended', 'failed',"
    " 1), (1, 5, 'a', 'running', 'none', 0);";

static int
count_member(void *arg, const struct run_member *m)
{
	++*(int *)arg;
	return 0;
}

static int
count_shared(void *arg, const struct run_shared *s)
{
	++*(int *)arg;
	return 0;
}

static int
last_leased(void *arg, const struct run_leased *l)
{
	++*(int *)arg;
	assert_int_equal(l->attempt, 2);
	assert_string_equal(l->instance, "emu-1");
	return 0;
}

static int
last_tries(void *arg, const struct run_tries *t)
{
	++*(int *)arg;
	assert_int_equal(t->exec, 1);
	assert_int_equal(t->failures, 1);
	assert_int_equal(t->errors, 2);
	assert_null(t->avoid);
	return 0;
}

static int
last_artifact(void *arg, const struct run_artifact *a)
{
	++*(int *)arg;
	assert_string_equal(a->name, "f");
	assert_int_equal(a->state, ARTIFACT_HERE);
	return 0;
}

/* Read as it is; who takes it over adds what it lacks. */
static void
older_files_are_taken_over(void **state)
{
	struct run_shared row = { .group = 1, .round = 1, .kind = "put",
		.name = "k", .value = "v" };
	struct run_artifact file = { .exec = 1, .attempt = 1, .name = "f",
		.sha256 = "", .n = 1, .state = ARTIFACT_HERE };
	struct run_leased leased = { 1, 2, "emu-1" };
	char *path = run_path(*state, FIX_RUN, ".db");
	struct run_file *f = NULL;
	int n = 0;
	sqlite3 *h;

	assert_int_equal(run_folder(*state), 0);
	assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, version_1, NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(h);
	assert_int_equal(run_file_open(*state, FIX_RUN, &f), 0);
	assert_int_equal(run_file_each_member(f, 0, count_member, &n), 0);
	assert_int_equal(run_file_each_shared(f, count_shared, &n), 0);
	assert_int_equal(run_file_each_artifact(f, 0, last_artifact, &n), 0);
	assert_int_equal(run_file_each_leased(f, 0, last_leased, &n), 0);
	assert_int_equal(n, 0);
	run_file_close(f);
	assert_int_equal(run_file_adopt(*state, FIX_RUN, "bob", &f, NULL), 0);
	assert_int_equal(run_file_epoch(f), 2);
	/* It is counted from what its attempts came to. */
	assert_int_equal(run_file_each_tries(f, last_tries, &n), 0);
	assert_int_equal(n--, 1);
	assert_int_equal(run_file_put_shared(f, &row), 0);
	assert_int_equal(run_file_commit(f), 0);
	assert_int_equal(run_file_each_shared(f, count_shared, &n), 0);
	assert_int_equal(n, 1);
	/* What is here is not awaited again. */
	assert_int_equal(run_file_put_artifact(f, &file), 0);
	file.state = ARTIFACT_AWAITED;
	assert_int_equal(run_file_put_artifact(f, &file), 0);
	assert_int_equal(run_file_commit(f), 0);
	assert_int_equal(run_file_each_artifact(f, 1, last_artifact, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(run_file_put_leased(f, &leased), 0);
	assert_int_equal(run_file_commit(f), 0);
	assert_int_equal(run_file_each_leased(f, 1, last_leased, &n), 0);
	assert_int_equal(n, 3);
	run_file_close(f);
	/* A newer one is not touched. */
	assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, "PRAGMA user_version=99", NULL, NULL,
	    NULL), SQLITE_OK);
	sqlite3_close(h);
	assert_int_equal(run_file_adopt(*state, FIX_RUN, "bob", &f, NULL),
	    ERR_VERSION);
	free(path);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fix_setup, fix_teardown)
	const struct CMUnitTest tests[] = {
		T(a_new_run_can_be_read),
		T(what_is_put_comes_back),
		T(counts_follow_the_executions),
		T(a_result_counts_once),
		T(a_lost_attempt_may_end_late),
		T(wrong_results_do_no_harm),
		T(a_change_keeps_what_it_does_not_say),
		T(what_is_not_committed_is_gone),
		T(a_reader_sees_one_state),
		T(a_walk_may_be_ended),
		T(older_files_are_taken_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
