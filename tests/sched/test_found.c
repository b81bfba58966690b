/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What random simulation found, each as small as it gets. After every turn a
 * second look at the same instant has to decide nothing.
 */
#include "config.h"

#include "kit.h"

static void
turn(struct kit *k)
{
	struct sched_decisions again = { NULL };

	kit_decide(k);
	sched_decide(k->s, k->now_us, &again);
	assert_int_equal(again.n, 0);
	sched_decisions_done(&again);
}

/* n executions that may be queued one deep, by plan. */
static uint32_t
some(struct kit *k, struct spec *p, uint32_t n)
{
	uint32_t run;

	spec_execs(p, n);
	p->run.ahead = 1;
	run = kit_run(k, p);
	turn(k);
	return run;
}

static int
asked_for(const struct kit *k, uint32_t run, uint32_t exec)
{
	const struct sched_decision *d = kit_find(k, SCHED_TAKE_BACK, run,
	    exec);

	return d != NULL ? (int)d->other : -1;
}

/* C waits for an item of A, which goes silent: it takes that of B at once. */
static void
test_another_when_one_does_not_come(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run, i;

	kit_init(&k);
	for (i = 0; i < 3; i++)
		kit_agent(&k, i, i == 0 ? "A" : i == 1 ? "B" : "C", 1);
	spec_init(&p);
	spec_terms(&p);
	run = some(&k, &p, 5);
	assert_int_equal(kit_sent(&k, run, 4), 0);
	assert_int_equal(kit_sent(&k, run, 5), 1);
	for (i = 1; i <= 3; i++)
		kit_started(&k, run, i);
	kit_ended(&k, run, 3, OUTCOME_PASSED);
	turn(&k);
	assert_int_equal(asked_for(&k, run, 4), 2);
	kit_link(&k, 0, "A", 1, false);
	turn(&k);
	assert_int_equal(asked_for(&k, run, 5), 2);
	kit_done(&k);
}

/* What A has no worker for any more moves to B, which idles. */
static void
test_workers_taken_away(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	kit_agent(&k, 0, "A", 2);
	kit_agent(&k, 1, "B", 1);
	spec_init(&p);
	spec_terms(&p);
	run = some(&k, &p, 3);
	assert_int_equal(kit_sent(&k, run, 3), 0);
	kit_ended(&k, run, 2, OUTCOME_PASSED);
	turn(&k);
	kit_agent(&k, 0, "A", 1);
	turn(&k);
	assert_int_equal(asked_for(&k, run, 3), 1);
	kit_done(&k);
}

/* The same of one that has the only instance: it may move with it. */
static void
test_moves_with_its_instance(void **state)
{
	static char name[] = "e1", *names[] = { name };
	const struct strvec one = { names, 1, 1 };
	uint32_t target = 0, run;
	struct spec p;
	struct kit k;

	kit_init(&k);
	kit_agent(&k, 0, "A", 2);
	kit_agent(&k, 1, "B", 1);
	spec_init(&p);
	p.targets[0] = (struct sched_target){ "pixel", 0, 0, &one };
	p.run.n_targets = 1;
	spec_terms(&p)->targets = &target;
	p.terms[0].n_targets = 1;
	run = some(&k, &p, 1);
	assert_int_equal(kit_sent(&k, run, 1), 0);
	kit_agent(&k, 0, "A", 0);
	turn(&k);
	assert_int_equal(asked_for(&k, run, 1), 1);
	sched_returned(k.s, kit_id(&k, run, 1), false, k.now_us);
	turn(&k);
	assert_int_equal(kit_sent(&k, run, 1), 1);
	assert_string_equal(sched_instance(k.s, run, 1, "pixel"), "e1");
	kit_done(&k);
}

/* Nothing starts on an agent past a guard: what it has moves. */
static void
test_moves_from_a_guard(void **state)
{
	struct sched_agent a = kit_facts("A", 2);
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	kit_agent(&k, 0, "A", 2);
	kit_agent(&k, 1, "B", 1);
	spec_init(&p);
	spec_terms(&p);
	run = some(&k, &p, 1);
	sched_accepted(k.s, kit_id(&k, run, 1), k.now_us);
	a.guard = "load";
	sched_agent_set(k.s, 0, &a, k.now_us);
	turn(&k);
	assert_int_equal(asked_for(&k, run, 1), 1);
	kit_done(&k);
}

/* One execution that needs a target, of which that much may run. */
static uint32_t
on_safari(struct kit *k, struct spec *p, uint64_t key, uint32_t per_agent)
{
	static uint32_t target = 0;

	spec_init(p);
	p->targets[0] = (struct sched_target){ .name = "safari",
		.max_per_agent = per_agent };
	p->run.n_targets = 1;
	spec_terms(p)->targets = &target;
	p->terms[0].n_targets = 1;
	p->terms[0].lost_after_us = US_PER_S;
	p->terms[0].retry_delay_us = 0;
	spec_execs(p, 1);
	p->keys[0] = key;
	return kit_run(k, p);
}

/* What was out before anything limited the target counts. */
static void
test_begins_to_limit(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t a, b;

	kit_init(&k);
	kit_agent(&k, 0, "A", 4);
	a = on_safari(&k, &p, 1, 0);
	turn(&k);
	assert_int_equal(kit_sent(&k, a, 1), 0);
	b = on_safari(&k, &p, 2, 1);
	turn(&k);
	assert_int_equal(kit_sent(&k, b, 1), -1);
	assert_string_equal(kit_why(&k, b, 1), "target-limit");
	kit_ended(&k, a, 1, OUTCOME_PASSED);
	turn(&k);
	assert_int_equal(kit_sent(&k, b, 1), 0);
	kit_done(&k);
}

/* And what was given up, was followed, and runs there after all. */
static void
test_found_counts_on_its_target(void **state)
{
	struct sched_id first;
	struct spec p;
	struct kit k;
	uint32_t a, b;

	kit_init(&k);
	kit_agent(&k, 0, "A", 4);
	a = on_safari(&k, &p, 1, 1);
	turn(&k);
	kit_started(&k, a, 1);
	first = kit_id(&k, a, 1);
	kit_agent(&k, 1, "B", 1);
	kit_link(&k, 0, "A", 4, false);
	turn(&k);
	k.now_us += US_PER_S;
	turn(&k);
	assert_int_equal(kit_sent(&k, a, 1), 1);
	kit_agent(&k, 0, "A", 4);
	assert_int_equal(sched_started(k.s, first, 1, k.now_us), SCHED_LATE);
	b = on_safari(&k, &p, 2, 1);
	turn(&k);
	assert_non_null(kit_find(&k, SCHED_CANCEL, a, 1));
	assert_int_equal(kit_sent(&k, b, 1), -1);
	sched_ended(k.s, first, OUTCOME_CANCELLED, 1, k.now_us);
	turn(&k);
	assert_int_equal(kit_sent(&k, b, 1), 0);
	kit_done(&k);
}

static uint32_t
on_pixel(struct kit *k, struct spec *p, uint64_t key,
    const struct strvec *names, uint32_t n)
{
	uint32_t run = on_safari(k, p, key, 0);

	sched_run_remove(k->s, run);
	p->targets[0] = (struct sched_target){ .name = "pixel",
		.instances = names };
	p->run.n_execs = n;
	return kit_run(k, p);
}

/* The run that names an instance is forgotten while another has it: a third
 * one that names it again does not get it before. */
static void
test_instance_outlives_its_name(void **state)
{
	static char name[] = "e1", *names[] = { name };
	const struct strvec one = { names, 1, 1 };
	struct spec p;
	struct kit k;
	uint32_t a, b, c;

	kit_init(&k);
	kit_agent(&k, 0, "A", 4);
	a = on_pixel(&k, &p, 1, &one, 0);
	b = on_pixel(&k, &p, 2, NULL, 1);
	turn(&k);
	assert_int_equal(kit_sent(&k, b, 1), 0);
	assert_string_equal(sched_instance(k.s, b, 1, "pixel"), "e1");
	sched_run_remove(k.s, a);
	turn(&k);
	assert_string_equal(sched_instance(k.s, b, 1, "pixel"), "e1");
	c = on_pixel(&k, &p, 3, &one, 1);
	turn(&k);
	assert_int_equal(kit_sent(&k, c, 1), -1);
	assert_string_equal(kit_why(&k, c, 1), "target-limit");
	kit_ended(&k, b, 1, OUTCOME_PASSED);
	turn(&k);
	assert_string_equal(sched_instance(k.s, c, 1, "pixel"), "e1");
	kit_done(&k);
}

/* Three locks that others take in turn are never free at once: after so many
 * passes they are kept for the one that needs all. */
static void
test_many_locks_are_reserved(void **state)
{
	static const char *const names[] = { "a", "b", "c" };
	struct sched_hold holds[] = { { 0, 1, false }, { 1, 1, false },
		{ 2, 1, false } };
	struct spec p;
	struct kit k;
	uint32_t run, i, n;

	kit_init(&k);
	kit_agent(&k, 0, "A", 8);
	spec_init(&p);
	p.run.n_locks = 3;
	for (i = 0; i < 4; i++) {
		spec_terms(&p)->holds = &holds[i % 3];
		p.terms[i].n_holds = i < 3 ? 1 : 3;
		p.terms[i].retries = UINT16_MAX;
		p.terms[i].retry_delay_us = 0;
		p.locks[i % 3].name = names[i % 3];
		spec_execs(&p, 1);
	}
	run = kit_run(&k, &p);
	turn(&k);
	for (i = 0; i < 400 && kit_state(&k, run, 4) == EXEC_WAITING; i++) {
		n = 1 + i % 3;
		if (kit_state(&k, run, n) == EXEC_ASSIGNED)
			kit_ended(&k, run, n, OUTCOME_FAILED);
		turn(&k);
	}
	assert_in_range(i, 60, 80);
	kit_done(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_another_when_one_does_not_come),
		cmocka_unit_test(test_workers_taken_away),
		cmocka_unit_test(test_moves_with_its_instance),
		cmocka_unit_test(test_moves_from_a_guard),
		cmocka_unit_test(test_begins_to_limit),
		cmocka_unit_test(test_found_counts_on_its_target),
		cmocka_unit_test(test_instance_outlives_its_name),
		cmocka_unit_test(test_many_locks_are_reserved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
