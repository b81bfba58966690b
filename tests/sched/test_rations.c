/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Targets of which others, heard of by an agent's facts, have some there. */
#include "config.h"

#include "kit.h"
#include "sched/sched_private.h"

static void
hear(struct kit *k, uint32_t idx, const char *name, uint32_t max,
    uint32_t taken)
{
	struct sched_ration r = { .target = "safari", .max = max,
		.taken = taken, .holder = taken > 0 ? "r1/1/1 (bob)" : NULL };
	struct sched_agent a = kit_facts(name, 4);

	a.rations = &r;
	a.n_rations = 1;
	sched_agent_set(k->s, idx, &a, k->now_us);
}

/* n executions of safari, of which that much may run on an agent. */
static uint32_t
on_safari(struct kit *k, uint32_t n, uint32_t per_agent)
{
	static uint32_t target = 0;
	struct spec p;

	spec_init(&p);
	p.targets[0] = (struct sched_target){ .name = "safari",
		.max_per_agent = per_agent };
	p.run.n_targets = 1;
	spec_terms(&p)->targets = &target;
	p.terms[0].n_targets = 1;
	p.terms[0].beside_itself = true;
	spec_execs(&p, n);
	return kit_run(k, &p);
}

/* What a blocker says can be amended, and whether it names one of ours. */
static void
assert_cure(struct kit *k, uint32_t run, uint32_t exec, const char *key,
    bool holder)
{
	const struct blocker *b;
	struct why w;

	sched_why(k->s, run, exec, k->now_us, &w);
	assert_true(w.n > 1);
	b = &w.v[w.n - 1];
	assert_int_equal(b->code, REASON_TARGET_LIMIT);
	assert_int_equal(b->key != NULL, key != NULL);
	if (key != NULL)
		assert_string_equal(b->key, key);
	assert_int_equal(b->holder != NULL, holder);
	why_done(&w);
}

static void
test_others_count(void **state)
{
	struct kit k;
	uint32_t run;

	kit_init(&k);
	hear(&k, 0, "A", 1, 1);
	run = on_safari(&k, 2, 2);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), -1);
	assert_string_equal(kit_why(&k, run, 1), "target-limit");
	assert_true(kit_says(&k, run, 1, "target-limit", "A (safari: 1 of 1 in "
	    "use; held by r1/1/1 (bob))"));
	/* It is the other's limit. */
	assert_cure(&k, run, 1, NULL, false);
	hear(&k, 0, "A", 2, 1);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), 0);
	assert_int_equal(kit_sent(&k, run, 2), -1);
	assert_true(kit_says(&k, run, 2, "target-limit", "2 of 2 in use"));
	assert_cure(&k, run, 2, "max_per_agent:safari", true);
	/* The other has ended. */
	kit_agent(&k, 0, "A", 4);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 2), 0);
	kit_done(&k);
}

/* A run that names no limit itself keeps to what it hears of. */
static void
test_limit_of_others(void **state)
{
	struct kit k;
	uint32_t run, i, n;

	kit_init(&k);
	kit_agent(&k, 0, "A", 4);
	run = on_safari(&k, 3, 0);
	hear(&k, 0, "A", 2, 0);
	kit_decide(&k);
	for (i = 1, n = 0; i <= 3; i++)
		n += kit_sent(&k, run, i) == 0;
	assert_int_equal(n, 2);
	hear(&k, 0, "A", 0, 0);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 3), 0);
	kit_done(&k);
}

static void
test_goes_where_room_is(void **state)
{
	struct kit k;
	uint32_t run;

	kit_init(&k);
	hear(&k, 0, "A", 1, 1);
	hear(&k, 1, "B", 1, 0);
	run = on_safari(&k, 1, 1);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), 1);
	kit_done(&k);
}

/* Two consoles sent at once: the one that lost waits for what it hears, and
 * is not kept from that agent afterwards. */
static void
test_given_back_as_full(void **state)
{
	struct kit k;
	uint32_t run;

	kit_init(&k);
	kit_agent(&k, 0, "A", 4);
	kit_agent(&k, 1, "B", 0);
	run = on_safari(&k, 2, 1);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), 0);
	hear(&k, 0, "A", 1, 1);
	assert_int_equal(sched_full(k.s, kit_id(&k, run, 1), k.now_us),
	    SCHED_TAKEN);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), -1);
	assert_string_equal(kit_why(&k, run, 1), "target-limit");
	hear(&k, 0, "A", 1, 0);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), 0);
	kit_done(&k);
}

/* Should the agent say full, and its facts that there is room, it is not
 * asked again at once. */
static void
test_full_and_not_full(void **state)
{
	struct kit k;
	uint32_t run;

	kit_init(&k);
	kit_agent(&k, 0, "A", 4);
	run = on_safari(&k, 1, 1);
	kit_decide(&k);
	sched_full(k.s, kit_id(&k, run, 1), k.now_us);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), -1);
	k.now_us += US_PER_S;
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), 0);
	kit_done(&k);
}

/* A forecast knows of them. */
static void
test_copied(void **state)
{
	struct sched *to;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	hear(&k, 0, "A", 1, 1);
	run = on_safari(&k, 1, 1);
	kit_decide(&k);
	to = sched_copy(k.s, k.now_us);
	sched_free(k.s);
	k.s = to;
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), -1);
	assert_string_equal(kit_why(&k, run, 1), "target-limit");
	kit_done(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_others_count),
		cmocka_unit_test(test_limit_of_others),
		cmocka_unit_test(test_goes_where_room_is),
		cmocka_unit_test(test_given_back_as_full),
		cmocka_unit_test(test_full_and_not_full),
		cmocka_unit_test(test_copied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
