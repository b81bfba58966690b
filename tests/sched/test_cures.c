/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What operators do about what keeps an execution waiting. */
#include "config.h"

#include "kit.h"
#include "yardmaster/base/err.h"

/* Who runs the same step is named, so that he can be shown or ended. */
static void
test_beside_names_the_holder(void **state)
{
	struct spec p;
	struct why w;
	struct kit k;
	uint32_t first, second;

	kit_init(&k);
	kit_agent(&k, 0, "A", 4);
	spec_init(&p);
	spec_terms(&p);
	spec_execs(&p, 2);
	first = kit_run(&k, &p);
	kit_decide(&k);
	kit_started(&k, first, 2);
	p.run.id = "r000000000b";
	p.run.n_execs = 1;
	p.keys[0] = p.keys[1];
	second = kit_run(&k, &p);
	kit_decide(&k);
	sched_why(k.s, second, 1, k.now_us, &w);
	assert_int_equal(w.v[0].code, REASON_EXCLUSION);
	assert_string_equal(w.v[w.n - 1].holder, "r000000000a/2");
	assert_null(w.v[w.n - 1].key);
	why_done(&w);
	kit_done(&k);
}

/* A step that was given another name before it was sent is that one. */
static void
test_beside_by_new_names(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t first, second;

	kit_init(&k);
	kit_agent(&k, 0, "A", 4);
	spec_init(&p);
	spec_terms(&p);
	spec_execs(&p, 1);
	p.keys[0] = 5;
	first = kit_run(&k, &p);
	kit_decide(&k);
	kit_started(&k, first, 1);
	second = kit_run(&k, &p);
	kit_decide(&k);
	assert_string_equal(kit_why(&k, second, 1), "exclusion");
	p.keys[0] = 6;
	assert_int_equal(sched_run_amend(k.s, second, &p.run, k.now_us), 0);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, second, 1), 0);
	/* The name that it had is free for others; its new one is not. */
	p.keys[0] = 6;
	second = kit_run(&k, &p);
	kit_decide(&k);
	assert_string_equal(kit_why(&k, second, 1), "exclusion");
	kit_ended(&k, first, 1, OUTCOME_PASSED);
	p.keys[0] = 5;
	first = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, first, 1), 0);
	kit_done(&k);
}

/* Two narrow ones, one after the other, pass something that needs both
 * workers, until the agent is kept for it; the narrow one that waits then. */
static uint32_t
kept(struct kit *k, bool together, uint32_t *ret_run, uint32_t *ret_wide)
{
	struct spec p;
	uint32_t i, n = 0;

	kit_init(k);
	kit_agent(k, 0, "A", 2);
	spec_init(&p);
	spec_terms(&p)->retries = UINT16_MAX;
	p.terms[0].retry_delay_us = 0;
	spec_execs(&p, 2);
	*ret_run = kit_run(k, &p);
	kit_decide(k);
	p.run.priority = 3;
	p.terms[0].workers = together ? 1 : 2;
	p.terms[0].same_agent = together;
	p.execs[0].group = p.execs[1].group = together;
	p.run.n_execs = together ? 2 : 1;
	p.keys[0] = 7;
	p.keys[1] = 8;
	*ret_wide = kit_run(k, &p);
	for (i = 0; i < 200 && kit_state(k, *ret_run, 1 + n) !=
	    EXEC_WAITING; i++) {
		n = i % 2;
		kit_ended(k, *ret_run, 1 + n, OUTCOME_FAILED);
		kit_decide(k);
	}
	assert_int_equal(kit_state(k, *ret_wide, 1), EXEC_WAITING);
	return 1 + n;
}

static void
test_let_past(void **state)
{
	uint32_t run, wide, x, other;
	struct kit k;
	int together;

	for (together = 0; together < 2; together++) {
		x = kept(&k, together == 1, &run, &wide);
		other = 3 - x;
		assert_string_equal(kit_why(&k, run, x), "reserved");
		assert_int_equal(sched_exec_override(k.s, run, other,
		    k.now_us), ERR_STATE);
		assert_int_equal(sched_exec_override(k.s, run, x, k.now_us),
		    0);
		kit_decide(&k);
		assert_int_equal(kit_count(&k, SCHED_SEND), 1);
		assert_int_equal(kit_sent(&k, run, x), 0);
		/* The other one is not, and the rest stays kept. */
		kit_ended(&k, run, other, OUTCOME_FAILED);
		kit_decide(&k);
		assert_string_equal(kit_why(&k, run, other), "reserved");
		kit_ended(&k, run, x, OUTCOME_FAILED);
		kit_decide(&k);
		assert_int_equal(kit_sent(&k, run, x), -1);
		assert_int_equal(kit_sent(&k, wide, 1), 0);
		kit_done(&k);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_beside_names_the_holder),
		cmocka_unit_test(test_beside_by_new_names),
		cmocka_unit_test(test_let_past),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
