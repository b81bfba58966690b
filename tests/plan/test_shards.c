/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Suites that their command splits. */
#include "plan_help.h"

static const char text[] =
    "{\"targets\": [\"x\", \"y\"], \"suites\": ["
    " {\"name\": \"o\", \"suites\": [{\"name\": \"split\", \"shards\": 3,"
    "  \"retries\": 1, \"max_parallel\": 2, \"command\": [\"run\","
    "  \"{shard.index}/{shard.total}\", \"{test}\", \"{target}\"]}]},"
    " {\"name\": \"after\", \"needs\": [\"split\"], \"targets\": [],"
    "  \"parallel\": \"tests\", \"shell\": \"x\", \"tests\": [\"t\"]}]}";

#define LABELS \
	"o/split/split[shard 1/3]@x; o/split/split[shard 1/3]@y; " \
	"o/split/split[shard 2/3]@x; o/split/split[shard 2/3]@y; " \
	"o/split/split[shard 3/3]@x; o/split/split[shard 3/3]@y; after/t"

static void
test_expansion(void **state)
{
	struct plan_select select = PLAN_SELECT_INIT;
	struct plan *p = expand_good(text, NULL);
	struct diags ds = DIAGS_INIT;
	struct buf out = BUF_INIT;
	struct plan_ref ref;

	check_labels(p, LABELS);
	assert_int_equal(p->terms[p->execs[0].terms].retries, 1);
	assert_int_equal(plan_find(p, "split", &ref), 0);
	assert_false(ref.is_test);
	assert_true(plan_ref_covers(p, &ref, 6));
	/* Shards stay apart, whatever a launch wants. */
	select.parallel = PARALLEL_NONE;
	strvec_push(&select.targets, "y");
	strvec_push(&select.not, "/^shard 2/");
	assert_int_equal(plan_expand(p, &select, &ds), 0);
	check_labels(p, "o/split/split[shard 1/3]@y; "
	    "o/split/split[shard 3/3]@y");
	plan_show_text(p, &out);
	assert_non_null(strstr(buf_str(&out), "o/split (shards)\n"));
	plan_select_done(&select);
	buf_done(&out);
	diags_done(&ds);
	plan_free(p);
}

static const char *
env(const struct work *w, const char *key)
{
	const struct strvec *list = &w->steps[0].env;
	size_t i, n = strlen(key);

	for (i = 0; i < list->n; i++)
		if (strncmp(list->v[i], key, n) == 0 && list->v[i][n] == '=')
			return list->v[i] + n + 1;
	return NULL;
}

/* What a shard is given, also after a snapshot. */
static void
test_work(void **state)
{
	struct plan *p = expand_good(text, NULL), *again;
	struct plan_place place = { .agent = "a" };
	struct buf snapshot = BUF_INIT;
	struct work w;

	plan_snapshot(p, &snapshot);
	plan_free(p);
	assert_int_equal(plan_from_snapshot(buf_str(&snapshot),
	    buf_len(&snapshot), &again), 0);
	check_labels(again, LABELS);
	assert_int_equal(ident_parse("r0000000001/4/1", &place.id), 0);
	plan_work(again, &place, &w);
	assert_int_equal(w.n_steps, 1);
	assert_string_equal(w.label, "o/split/split[shard 2/3]@y");
	assert_string_equal(w.steps[0].argv.v[1], "2/3");
	assert_string_equal(w.steps[0].argv.v[2], "split");
	assert_string_equal(w.steps[0].argv.v[3], "y");
	assert_string_equal(env(&w, "YARDMASTER_SHARD_INDEX"), "2");
	assert_string_equal(env(&w, "YARDMASTER_SHARD_TOTAL"), "3");
	assert_string_equal(env(&w, "YARDMASTER_TEST"), "split");
	assert_null(env(&w, "YARDMASTER_ROW"));
	work_done(&w);
	place.id.execution = 7;
	plan_work(again, &place, &w);
	assert_null(env(&w, "YARDMASTER_SHARD_INDEX"));
	work_done(&w);
	plan_free(again);
	buf_done(&snapshot);
}

/* Every shard once, as many as there may be. */
static void
test_union(void **state)
{
	struct plan *p = expand_good("{\"suites\": [{\"name\": \"s\", "
	    "\"shell\": \"x\", \"shards\": 100000}]}", NULL);
	uint32_t i;

	assert_int_equal(p->n_execs, PLAN_MAX_SHARDS);
	for (i = 0; i < p->n_execs; i++)
		assert_int_equal(p->steps[p->execs[i].first_step].row, i);
	plan_free(p);
}

/* A damaged snapshot in which number and rows differ. */
static void
test_damaged(void **state)
{
	struct plan *p = expand_good(text, NULL), *again;
	struct buf snapshot = BUF_INIT;
	char *copy, *at;

	plan_snapshot(p, &snapshot);
	copy = buf_steal(&snapshot);
	at = strstr(copy, "\"shards\":3");
	assert_non_null(at);
	at[9] = '4';
	assert_int_equal(plan_from_snapshot(copy, strlen(copy), &again),
	    ERR_SYNTAX);
	free(copy);
	plan_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expansion),
		cmocka_unit_test(test_work),
		cmocka_unit_test(test_union),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
