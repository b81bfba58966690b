/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Snapshots: the same plan comes back, and damage is refused. */
#include "plan_help.h"
#include "yardmaster/base/clock.h"

static const char full[] =
    "{\"name\": \"full\", \"parallel\": \"tests\", \"order\": \"longest\","
    " \"priority\": 3, \"max_parallel\": 7, \"max_failures\": 2,"
    " \"on_failure\": \"stop\", \"scope\": \"run\", \"deadline\": \"15m\", \"params\": {\"U\": \"x\"}, \"timeout\": 9,"
    " \"targets\": [\"x\", {\"name\": \"y\", \"max\": 2, \"max_per_agent\": 1,"
    " \"instances\": [\"e1\", \"e2\"], \"env\": {\"T\": 1}}],"
    " \"env\": {\"A\": 1}, \"locks\": {\"l\": 3}, \"exclusive\": [[\"s\", "
    " \"u/t\"]], \"exit_codes\": {\"77\": \"skipped\"}, \"nice\": 3,"
    " \"limits\": {\"cpu\": \"1.5s\", \"memory\": \"1G\"},"
    " \"command\": [\"run\", \"{test}\", \"{param.U}\", \"{target}\"],"
    " \"suites\": [{\"name\": \"s\", \"mode\": \"sequential\", \"tests\": "
    "  [\"a\", \"b\"], \"suites\": [{\"name\": \"i\", \"max_parallel\": 4,"
    "   \"tests\": [{\"name\": \"t\", \"estimate\": \"1.5s\","
    "   \"priority\": -1, \"repeatable\": false}]}]},"
    " {\"name\": \"u\", \"needs\": [\"s\"], \"agents\": [\"@l\", \"!q\"],"
    "  \"locks\": [\"l:2\"], \"tests\": [{\"name\": \"t\", \"needs\": "
    "  [\"i\"], \"data\": {\"rows\": [{\"a\": \"1\", \"_name\": \"one\"},"
    "  {\"b\": \"x\\ny\", \"_expect_fail\": true}, {}]}, \"env\": {\"Z\": 9}},"
    "  {\"name\": \"shell\", \"shell\": \"echo 'a b'\", \"pinned\": true,"
    "  \"home\": \"own\", \"keep\": \"never\", \"silence\": 2,"
    "  \"limits\": {\"files\": 9, \"memory\": 5},"
    "  \"targets\": [], \"workers\": 2}]}]}";

static struct plan *
restore(const struct plan *p)
{
	struct buf text = BUF_INIT;
	struct plan *again = NULL;

	plan_snapshot(p, &text);
	assert_int_equal(plan_from_snapshot(buf_str(&text), buf_len(&text),
	    &again), 0);
	buf_done(&text);
	return again;
}

static void
work_text(const struct plan *p, uint32_t no, struct buf *out)
{
	struct plan_place place = { .agent = "a", .instance = "i" };
	struct work w;
	struct jw jw;

	assert_int_equal(ident_parse("r0000000001/1/1", &place.id), 0);
	place.id.execution = no;
	plan_work(p, &place, &w);
	jw_init(&jw, out);
	work_write(&jw, &w);
	work_done(&w);
}

/* Everything that anybody reads of two plans is equal. */
static void
check_equal(const struct plan *a, const struct plan *b)
{
	struct buf ta = BUF_INIT, tb = BUF_INIT;
	uint32_t i;

	plan_show_json(a, &ta);
	plan_show_json(b, &tb);
	plan_snapshot(a, &ta);
	plan_snapshot(b, &tb);
	assert_int_equal(a->n_execs, b->n_execs);
	for (i = 1; i <= a->n_execs; i++) {
		work_text(a, i, &ta);
		work_text(b, i, &tb);
	}
	assert_string_equal(buf_str(&ta), buf_str(&tb));
	assert_int_equal(a->priority, b->priority);
	assert_int_equal(a->max_parallel, b->max_parallel);
	assert_int_equal(a->max_failures, b->max_failures);
	assert_int_equal(a->on_failure, b->on_failure);
	assert_int_equal(a->deadline_us, 900 * US_PER_S);
	assert_int_equal(b->deadline_us, 900 * US_PER_S);
	assert_true(a->private);
	assert_true(b->private);
	assert_int_equal(a->n_pairs, b->n_pairs);
	buf_done(&ta);
	buf_done(&tb);
}

static void
test_round_trip(void **state)
{
	struct plan *p = expand_good(full, NULL), *q = restore(p);

	assert_int_equal(p->n_execs, 2 + 2 + 6 + 1);
	check_equal(p, q);
	plan_free(p);
	plan_free(q);
}

/* What was left out at the launch stays out, and numbers stay. */
static void
test_selection(void **state)
{
	static const char *const not[] = { "row:2", "test:/^[at]$/ target:x",
		"suite:s", "test:b", "row:one" };
	struct plan_select select = PLAN_SELECT_INIT;
	struct diags ds = DIAGS_INIT;
	struct plan *p, *q;
	size_t i;

	for (i = 0; i < sizeof(not) / sizeof(not[0]); i++) {
		strvec_push(&select.not, not[i]);
		strvec_push(&select.agents, "u=other");
		strvec_push(&select.params, "U=set");
		select.order = ORDER_PLAN;
		p = expand_good(full, &select);
		q = restore(p);
		check_equal(p, q);
		plan_free(p);
		/* A snapshot may be narrowed further, from what it has. */
		plan_select_done(&select);
		strvec_push(&select.only, "target:y");
		assert_int_equal(plan_expand(q, &select, &ds), 0);
		p = restore(q);
		check_equal(q, p);
		plan_free(p);
		plan_free(q);
		plan_select_done(&select);
	}
	diags_done(&ds);
}

static void
test_parallel(void **state)
{
	struct plan_select select = PLAN_SELECT_INIT;
	struct plan *p, *q;

	select.parallel = PARALLEL_TARGETS;
	p = expand_good(full, &select);
	q = restore(p);
	check_equal(p, q);
	assert_true(p->n_execs < 11);
	plan_free(p);
	plan_free(q);
}

/* The second and the last step of a plan; and again from those. */
static void
test_keep(void **state)
{
	struct plan *p = expand_good(full, NULL), *q = restore(p), *again;
	bool keep[64] = { false };
	struct diags ds = DIAGS_INIT;
	struct buf want = BUF_INIT, got = BUF_INIT;

	assert_true(q->n_steps > 2 && q->n_steps <= 64);
	plan_step_label(q, &q->steps[q->n_steps - 1], &want);
	keep[1] = keep[q->n_steps - 1] = true;
	assert_int_equal(plan_keep(q, keep, &ds), 0);
	assert_int_equal(q->n_steps, 2);
	plan_step_label(q, &q->steps[1], &got);
	assert_string_equal(buf_str(&got), buf_str(&want));
	again = restore(q);
	check_equal(q, again);
	keep[0] = false;
	assert_int_equal(plan_keep(again, keep, &ds), 0);
	assert_int_equal(again->n_steps, 1);
	buf_clear(&got);
	plan_step_label(again, &again->steps[0], &got);
	assert_string_equal(buf_str(&got), buf_str(&want));
	assert_int_equal(plan_keep(again, (bool[]){ false }, &ds),
	    ERR_INVALID);
	assert_int_equal(ds.errors, 1);
	diags_done(&ds);
	buf_done(&want);
	buf_done(&got);
	plan_free(p);
	plan_free(q);
	plan_free(again);
}

static void
test_version(void **state)
{
	struct plan *p;

	assert_int_equal(plan_from_snapshot("{}", 2, &p), ERR_SYNTAX);
	assert_int_equal(plan_from_snapshot("{\"version\":2}", 13, &p),
	    ERR_VERSION);
	assert_int_equal(plan_from_snapshot("[1]", 3, &p), ERR_SYNTAX);
	assert_true(plan_from_snapshot("", 0, &p) < 0);
}

/* A damaged snapshot is refused, or is a plan that can be used. */
static void
try_text(const char *text, size_t n)
{
	struct buf out = BUF_INIT;
	struct plan *p;
	uint32_t i;

	if (plan_from_snapshot(text, n, &p) != 0)
		return;
	plan_show_json(p, &out);
	for (i = 1; i <= p->n_execs; i++)
		work_text(p, i, &out);
	buf_done(&out);
	plan_free(p);
}

static void
test_damaged(void **state)
{
	struct plan *p = expand_good(full, NULL);
	struct buf text = BUF_INIT;
	char *copy, kept;
	size_t i, n;

	plan_snapshot(p, &text);
	plan_free(p);
	n = buf_len(&text);
	copy = buf_steal(&text);
	for (i = 0; i < n; i += 5)
		try_text(copy, i);
	for (i = 0; i < n; i++) {
		kept = copy[i];
		copy[i] = kept >= '0' && kept <= '9' ? "9187-0"[i % 6] :
		    "]9\"x"[i % 4];
		try_text(copy, n);
		copy[i] = kept;
	}
	free(copy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_selection),
		cmocka_unit_test(test_parallel),
		cmocka_unit_test(test_keep),
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
