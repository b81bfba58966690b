/* SPDX-License-Identifier: GPL-3.0-or-later */
/* History: keys from the most specific, medians of passes, both ways. */
#include "config.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "yardmaster/base/err.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/paths.h"
#include "yardmaster/store/registry.h"

static void
keys_are_most_specific_first(void **state)
{
	static const struct {
		struct history_item item;
		const char *keys;
	} cases[] = {
		{ { "s", "t", NULL, NULL }, "s/t t " },
		{ { NULL, "t", NULL, NULL }, "t " },
		{ { "s", "t", "1", NULL }, "s/t[1] t[1] s/t t " },
		{ { "s", "t", NULL, "x" }, "s/t@x t@x s/t t " },
		{ { "s", "t", "1", "x" }, "s/t[1]@x t[1]@x s/t[1] t[1] "
		    "s/t@x t@x s/t t " },
	};
	struct buf b = BUF_INIT;
	size_t i, k;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct strvec keys = STRVEC_INIT;

		history_keys(&cases[i].item, &keys);
		for (k = 0; k < keys.n; k++)
			buf_putf(&b, "%s ", keys.v[k]);
		assert_string_equal(buf_str(&b), cases[i].keys);
		buf_clear(&b);
		strvec_done(&keys);
	}
	buf_done(&b);
}

static void
add(struct registry *r, const char *target, enum outcome o, int64_t us)
{
	struct history_sample s = {
		.item = { "s", "t", NULL, target }, .outcome = o,
		.elapsed_us = us
	};

	assert_int_equal(history_add(r, &s, 1), 0);
}

static int64_t
usual(struct registry *r, const char *target)
{
	struct history_item item = { "s", "t", NULL, target };
	struct history_estimate e;

	assert_int_equal(history_estimate(r, &item, &e), 0);
	return e.usual_us;
}

static void
the_median_of_the_newest_counts(void **state)
{
	static const int64_t taken[] = { 900, 10, 30, 20, 50, 40 };
	struct history_item item = { "s", "t", NULL, "x" };
	struct registry *r = fix_registry(*state);
	struct history_estimate e;
	size_t i;

	assert_int_equal(history_estimate(r, &item, &e), ERR_NOT_FOUND);
	add(r, "x", OUTCOME_PASSED, 900);
	assert_int_equal(usual(r, "x"), 900);
	add(r, "x", OUTCOME_PASSED, 100);
	assert_int_equal(usual(r, "x"), 500);	/* the mean of two */
	for (i = 1; i < sizeof(taken) / sizeof(taken[0]); i++)
		add(r, "x", OUTCOME_PASSED, taken[i]);
	assert_int_equal(usual(r, "x"), 30);
	add(r, "x", OUTCOME_FAILED, 7777);
	add(r, "x", OUTCOME_TIMEOUT, 7777);
	add(r, "x", OUTCOME_ERROR, 7777);
	add(r, "x", OUTCOME_CANCELLED, 7777);
	assert_int_equal(history_estimate(r, &item, &e), 0);
	assert_int_equal(e.usual_us, 30);
	assert_int_equal(e.passes, 7);
	assert_int_equal(e.outcomes, 9);
	assert_int_equal(e.failures, 2);
	for (i = 0; i < 20; i++)
		add(r, "x", OUTCOME_PASSED, 1000 + (int64_t)i);
	assert_int_equal(history_estimate(r, &item, &e), 0);
	assert_int_equal(e.passes, HISTORY_KEPT);
	assert_int_equal(e.outcomes, HISTORY_KEPT);
	assert_int_equal(e.failures, 0);
	assert_int_equal(e.usual_us, 1017);
	registry_close(r);
}

static void
other_targets_serve_where_one_is_new(void **state)
{
	struct history_item other = { "elsewhere", "t", "3", "y" };
	struct history_item fresh = { "s", "unknown", NULL, NULL };
	struct registry *r = fix_registry(*state);
	struct history_estimate e;

	add(r, "x", OUTCOME_PASSED, 100);
	add(r, "y", OUTCOME_FAILED, 100);
	assert_int_equal(usual(r, "x"), 100);
	assert_int_equal(usual(r, "z"), 100);
	assert_int_equal(history_estimate(r, &other, &e), 0);
	assert_int_equal(e.usual_us, 100);
	assert_int_equal(history_estimate(r, &fresh, &e), ERR_NOT_FOUND);
	/* Failed on y: its own outcomes, the duration of the others. */
	other = (struct history_item){ "s", "t", NULL, "y" };
	assert_int_equal(history_estimate(r, &other, &e), 0);
	assert_int_equal(e.usual_us, 100);
	assert_int_equal(e.outcomes, 1);
	assert_int_equal(e.failures, 1);
	registry_close(r);
}

static void
it_is_there_when_opened_again(void **state)
{
	struct registry *r = fix_registry(*state), *other = fix_registry(*state);

	add(r, "x", OUTCOME_PASSED, 100);
	add(other, "x", OUTCOME_PASSED, 300);
	registry_close(r);
	registry_close(other);
	r = fix_registry(*state);
	assert_int_equal(registry_begin_read(r), 0);
	assert_int_equal(usual(r, "x"), 200);
	registry_end_read(r);
	assert_int_equal(history_add(r, NULL, 0), 0);
	registry_close(r);
	registry_close(NULL);
}

static int
import(struct registry *r, const char *text, size_t *n)
{
	struct jval *v = NULL;
	int code;

	assert_int_equal(jval_parse(&v, text, strlen(text)), 0);
	code = history_import(r, v, n);
	jval_free(v);
	return code;
}

static void
durations_go_out_and_in(void **state)
{
	struct registry *r = fix_registry(*state);
	struct buf b = BUF_INIT;
	struct jw w;
	size_t n = 0;

	assert_int_equal(import(r, "{\"a\": 1.5, \"s/b\": 2}", &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(import(r, "{\"c\": 1, \"d\": \"x\"}", &n),
	    ERR_SYNTAX);
	assert_int_equal(import(r, "{\"c\": 1, \"d\": -1}", &n), ERR_RANGE);
	assert_int_equal(import(r, "{\"c\": 1, \"d\": 1e300}", &n),
	    ERR_RANGE);
	assert_int_equal(import(r, "[]", &n), ERR_SYNTAX);
	assert_int_equal(import(r, "{}", &n), 0);
	assert_int_equal(n, 0);
	jw_init(&w, &b);
	assert_int_equal(history_export(r, &w), 0);
	assert_string_equal(buf_str(&b), "{\"a\":1.5,\"s/b\":2}");
	buf_done(&b);
	registry_close(r);
}

/* What a console of its own does; 0 when all went well. */
static int
add_three(const char *dir)
{
	struct history_sample s = {
		.item = { "s", "t", NULL, NULL }, .outcome = OUTCOME_PASSED,
		.elapsed_us = 5
	};
	struct registry *r = NULL;
	int k, code;

	code = registry_open(dir, &r);
	for (k = 0; k < 3 && code == 0; k++)
		code = history_add(r, &s, 1);
	registry_close(r);
	return code;
}

/* Many processes add at once: nothing is lost. */
static void
consoles_share_it(void **state)
{
	struct registry *r = fix_registry(*state);
	struct history_item item = { "s", "t", NULL, NULL };
	struct history_estimate e;
	pid_t pids[3];
	int i, status;

	registry_close(r);
	for (i = 0; i < 3; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0)
			_exit(add_three(*state) == 0 ? 0 : 1);
	}
	for (i = 0; i < 3; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	r = fix_registry(*state);
	assert_int_equal(history_estimate(r, &item, &e), 0);
	assert_int_equal(e.passes, 9);
	registry_close(r);
}

static const struct ident holder = { "r0000000001", 2, 1 };

static int
put_lock(struct registry *reg, const struct ident *id, const char *name)
{
	struct lease l = {
		.id = *id, .owner = "ann@c pid 7", .agent = "lab-1",
		.host = "h", .instance = "default", .since_wall_us = 5,
		.hold = { .kind = HOLD_LOCK, .name = (char *)name, .n = 2,
		    .group = 7, .capacity = 3, .instance = (char *)"emu-1" },
	};

	return registry_lease_put(reg, &l);
}

static int
count_lease(void *arg, const struct lease *l)
{
	assert_string_equal(l->id.run, holder.run);
	assert_int_equal(l->id.execution, 2);
	assert_int_equal(l->hold.kind, HOLD_LOCK);
	assert_int_equal(l->hold.n, 2);
	assert_int_equal(l->hold.capacity, 3);
	assert_int_equal(l->hold.group, 7);
	assert_null(l->hold.other);
	assert_string_equal(l->hold.instance, "emu-1");
	assert_string_equal(l->owner, "ann@c pid 7");
	assert_string_equal(l->instance, "default");
	++*(int *)arg;
	return 0;
}

static int
leases(struct registry *reg)
{
	int n = 0;

	assert_int_equal(registry_lease_each(reg, count_lease, &n), 0);
	return n;
}

static bool
changed(struct registry *reg)
{
	bool is = false;

	assert_int_equal(registry_changed(reg, &is), 0);
	return is;
}

/* Two consoles: who begins first decides, and the other sees what came of
 * it before it begins. */
static void
leases_are_taken_by_one_at_a_time(void **state)
{
	struct registry *a = fix_registry(*state), *b = fix_registry(*state);

	assert_true(changed(a));
	assert_true(changed(b));
	assert_false(changed(b));
	assert_int_equal(registry_lease_begin(a), 0);
	assert_int_equal(registry_lease_begin(b), ERR_TIMEOUT);
	assert_int_equal(put_lock(a, &holder, "db"), 0);
	assert_int_equal(put_lock(a, &holder, "licence"), 0);
	assert_int_equal(leases(b), 0);
	assert_int_equal(registry_lease_end(a, true), 0);
	assert_true(changed(b));
	assert_false(changed(a));
	assert_int_equal(registry_lease_begin(b), 0);
	assert_int_equal(leases(b), 2);
	assert_int_equal(registry_lease_drop(b, &holder), 0);
	assert_int_equal(leases(b), 0);
	assert_int_equal(registry_lease_end(b, false), 0);
	assert_int_equal(leases(a), 2);
	assert_int_equal(registry_lease_begin(b), 0);
	assert_int_equal(registry_lease_drop(b, &holder), 0);
	assert_int_equal(registry_lease_end(b, true), 0);
	assert_true(changed(a));
	assert_int_equal(leases(a), 0);
	registry_close(a);
	registry_close(b);
}

static void
leases_outlast_their_owner(void **state)
{
	struct registry *a = fix_registry(*state);

	assert_int_equal(registry_lease_begin(a), 0);
	assert_int_equal(put_lock(a, &holder, "db"), 0);
	assert_int_equal(put_lock(a, &holder, "db"), 0);
	assert_int_equal(registry_lease_end(a, true), 0);
	assert_int_equal(registry_lease_begin(a), 0);
	assert_int_equal(registry_lease_drop(a, &holder), 0);
	registry_close(a);	/* with the transaction open */
	a = fix_registry(*state);
	assert_int_equal(leases(a), 1);
	registry_close(a);
}

static int
note_benched(void *arg, const struct registry_benched *b)
{
	strvec_pushf(arg, "%s %s %d", b->agent, b->text, (int)b->wall_us);
	return 0;
}

static int
note_pace(void *arg, const char *key, const char *agent, int64_t elapsed_us)
{
	strvec_pushf(arg, "%s %s %d", key, agent, (int)elapsed_us);
	return 0;
}

static void
benched_agents_are_kept(void **state)
{
	struct registry_benched b = { "lab", "a", "3 errors", 7 };
	struct registry *r = fix_registry(*state);
	struct strvec seen = STRVEC_INIT;

	assert_int_equal(registry_bench(r, &b), 0);
	b.fleet = "other";
	assert_int_equal(registry_bench(r, &b), 0);
	b.text = NULL;
	b.agent = "none";
	assert_int_equal(registry_bench(r, &b), 0);
	registry_close(r);
	r = fix_registry(*state);
	assert_int_equal(registry_each_benched(r, "lab", note_benched, &seen),
	    0);
	assert_int_equal(seen.n, 1);
	assert_string_equal(seen.v[0], "a 3 errors 7");
	b.fleet = "lab";
	b.agent = "a";
	assert_int_equal(registry_bench(r, &b), 0);
	assert_int_equal(registry_each_benched(r, "lab", note_benched, &seen),
	    0);
	assert_int_equal(seen.n, 1);
	strvec_done(&seen);
	registry_close(r);
}

/* Lengths as measured by agent, the newest agents only; history has those of
 * an agent of speed 1. */
static void
lengths_are_kept_by_agent(void **state)
{
	struct history_sample s = { .item = { "s", "t", NULL, "x" },
		.outcome = OUTCOME_PASSED, .elapsed_us = 4000000,
		.speed = 500 };
	struct registry *r = fix_registry(*state);
	struct strvec seen = STRVEC_INIT;
	struct history_estimate e;
	char name[8];
	int i;

	for (i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "a%d", i);
		s.agent = name;
		assert_int_equal(history_add(r, &s, 1), 0);
	}
	s.outcome = OUTCOME_FAILED;
	s.agent = "failed";
	assert_int_equal(history_add(r, &s, 1), 0);
	assert_int_equal(history_each_pace(r, note_pace, &seen), 0);
	assert_int_equal(seen.n, 8);
	assert_string_equal(seen.v[7], "s/t@x a9 4000000");
	assert_int_equal(history_estimate(r, &s.item, &e), 0);
	assert_int_equal(e.usual_us, 2000000);
	strvec_done(&seen);
	registry_close(r);
}

/* What fails more is likelier to fail; what never ran stands between. */
static void
likelihood_of_failing(void **state)
{
	struct history_sample s = { .item = { "s", "t", NULL, NULL },
		.outcome = OUTCOME_FAILED };
	struct registry *r = fix_registry(*state);
	struct buf out = BUF_INIT;
	struct jw w;

	assert_true(history_likelihood(10, 9) > history_likelihood(1, 1));
	assert_true(history_likelihood(1, 1) > history_likelihood(0, 0));
	assert_true(history_likelihood(0, 0) > history_likelihood(1, 0));
	assert_true(history_likelihood(1, 0) > history_likelihood(10, 0));
	assert_int_equal(history_add(r, &s, 1), 0);
	jw_init(&w, &out);
	assert_int_equal(history_export_fails(r, &w), 0);
	assert_string_equal(buf_str(&out), "{\"s/t\":750,\"t\":750}");
	buf_done(&out);
	registry_close(r);
}

/* A file of a program that knew only history. */
static void
older_files_get_the_tables(void **state)
{
	char *path = path_join(*state, "registry.db");
	struct registry_benched b = { "lab", "a", "3 errors", 7 };
	struct registry *r = fix_registry(*state);
	sqlite3 *h;

	registry_close(r);
	assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, "DROP TABLE benched; DROP TABLE "
	    "paces; DROP TABLE leases", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(h);
	r = fix_registry(*state);
	assert_int_equal(registry_bench(r, &b), 0);
	registry_close(r);
	/* Leases that knew of no groups. */
	assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, "ALTER TABLE leases DROP COLUMN grp",
	    NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(h);
	r = fix_registry(*state);
	assert_int_equal(put_lock(r, &holder, "db"), 0);
	assert_int_equal(leases(r), 1);
	registry_close(r);
	free(path);
}

static void
damage_is_refused(void **state)
{
	char *path = path_join(*state, "registry.db");
	struct registry *r = NULL;
	char junk[8192];

	memset(junk, 'x', sizeof(junk));
	assert_int_equal(fs_replace(path, junk, sizeof(junk), 0600), 0);
	assert_int_equal(registry_open(*state, &r), ERR_STORE);
	assert_null(r);
	free(path);
}

/* What processes take to start is of no test, and goes out with none. */
static void
starts_are_kept_apart(void **state)
{
	struct history_item item = { NULL, "start unit", NULL, NULL };
	struct history_estimate e;
	struct buf b = BUF_INIT;
	struct registry *r = fix_registry(*state);
	int64_t us = 7;
	struct jw w;

	assert_int_equal(history_start(r, "unit", &us), ERR_NOT_FOUND);
	assert_int_equal(us, 7);
	assert_int_equal(history_start_add(r, "unit", 900000), 0);
	assert_int_equal(history_start_add(r, "unit", 100000), 0);
	assert_int_equal(history_start_add(r, "unit", 500000), 0);
	assert_int_equal(history_start(r, "unit", &us), 0);
	assert_int_equal(us, 500000);
	assert_int_equal(history_start(r, "uni", &us), ERR_NOT_FOUND);
	assert_int_equal(history_estimate(r, &item, &e), ERR_NOT_FOUND);
	jw_init(&w, &b);
	assert_int_equal(history_export(r, &w), 0);
	assert_string_equal(buf_str(&b), "{}");
	buf_done(&b);
	registry_close(r);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fix_setup, fix_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_most_specific_first),
		T(the_median_of_the_newest_counts),
		T(other_targets_serve_where_one_is_new),
		T(it_is_there_when_opened_again),
		T(durations_go_out_and_in),
		T(starts_are_kept_apart),
		T(consoles_share_it),
		T(leases_are_taken_by_one_at_a_time),
		T(leases_outlast_their_owner),
		T(benched_agents_are_kept),
		T(lengths_are_kept_by_agent),
		T(likelihood_of_failing),
		T(older_files_get_the_tables),
		T(damage_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
