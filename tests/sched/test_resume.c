/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A scheduler that is told what another one left: what is lost, leased, moved
 * or halted stays so. And what is amended holds for what waits, not for what
 * is out.
 */
#include "kit.h"

#include "yardmaster/base/strvec.h"

/* Two executions with one lock; the first was lost on a, which is away. */
static void
spec_lost(struct spec *p, struct sched_lost *lost)
{
	static const struct sched_hold hold = { .lock = 0, .count = 1 };
	struct sched_terms *t;

	spec_init(p);
	t = spec_terms(p);
	p->locks[0] = (struct sched_lock){ .name = "db", .capacity = 1 };
	p->run.n_locks = 1;
	t->holds = &hold;
	t->n_holds = 1;
	spec_execs(p, 2);
	p->execs[0].attempt = p->execs[0].errors = 1;
	*lost = (struct sched_lost){ .exec = 1, .attempt = 1, .instance = "" };
	p->run.lost = lost;
	p->run.n_lost = 1;
}

static void
what_is_lost_keeps_its_locks(void **state)
{
	struct sched_lost lost;
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	kit_link(&k, 0, "a", 1, false);
	kit_agent(&k, 1, "b", 2);
	spec_lost(&p, &lost);
	run = kit_run(&k, &p);
	kit_check(&k);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 0);
	assert_string_equal(kit_why(&k, run, 2), "lock");
	kit_agent(&k, 0, "a", 1);
	sched_agent_synced(k.s, 0, run, k.now_us);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 1);
	kit_done(&k);
}

/* It is found, and nothing followed it: it goes on, and was no error. */
static void
what_is_lost_may_be_found(void **state)
{
	struct sched_lost lost;
	struct sched_view v;
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	kit_link(&k, 0, "a", 1, false);
	spec_lost(&p, &lost);
	run = kit_run(&k, &p);
	kit_agent(&k, 0, "a", 1);
	assert_int_equal(sched_started(k.s, (struct sched_id){ run, 1, 1 }, 1,
	    k.now_us), SCHED_TAKEN);
	kit_check(&k);
	assert_int_equal(kit_state(&k, run, 1), EXEC_RUNNING);
	assert_int_equal(sched_exec_view(k.s, run, 1, &v), 0);
	assert_int_equal(v.errors, 0);
	kit_ended(&k, run, 1, OUTCOME_PASSED);
	assert_int_equal(kit_state(&k, run, 1), EXEC_PASSED);
	kit_done(&k);
}

/* Another attempt followed: what is found is ended. */
static void
what_is_lost_and_superseded_is_cancelled(void **state)
{
	struct sched_lost lost;
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	kit_link(&k, 0, "a", 1, false);
	spec_lost(&p, &lost);
	p.execs[0].state = EXEC_PASSED;
	p.execs[0].attempt = 2;
	run = kit_run(&k, &p);
	kit_agent(&k, 0, "a", 1);
	assert_int_equal(sched_started(k.s, (struct sched_id){ run, 1, 1 }, 1,
	    k.now_us), SCHED_LATE);
	kit_decide(&k);
	assert_non_null(kit_find(&k, SCHED_CANCEL, run, 1));
	kit_done(&k);
}

/* The second is known to have the first name; a third gets neither. */
static void
instances_stay_with_who_has_them(void **state)
{
	static const uint32_t target[1];
	struct strvec names = STRVEC_INIT;
	struct spec p;
	struct kit k;
	uint32_t run, i;

	strvec_push(&names, "i1");
	strvec_push(&names, "i2");
	kit_init(&k);
	kit_agent(&k, 0, "a", 3);
	spec_init(&p);
	p.targets[0] = (struct sched_target){ "t", 0, 0, &names };
	p.run.n_targets = 1;
	spec_terms(&p)->targets = target;
	p.terms[0].n_targets = 1;
	spec_execs(&p, 3);
	for (i = 0; i < 2; i++) {
		p.execs[i].state = EXEC_RUNNING;
		p.execs[i].attempt = 1;
	}
	p.execs[1].instance = "i1";
	run = kit_run(&k, &p);
	kit_check(&k);
	assert_string_equal(sched_instance(k.s, run, 2, "t"), "i1");
	assert_string_equal(sched_instance(k.s, run, 1, "t"), "i2");
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 0);
	assert_string_equal(kit_why(&k, run, 3), "target-limit");
	kit_done(&k);
	strvec_done(&names);
}

/* The name is said by a run that is added later. */
static void
a_name_may_be_given_later(void **state)
{
	static const uint32_t target[1];
	struct strvec names = STRVEC_INIT;
	struct spec p;
	struct kit k;
	uint32_t run;

	strvec_push(&names, "i1");
	kit_init(&k);
	kit_agent(&k, 0, "a", 3);
	spec_init(&p);
	p.targets[0] = (struct sched_target){ "t", 0, 0, NULL };
	p.run.n_targets = 1;
	spec_terms(&p)->targets = target;
	p.terms[0].n_targets = 1;
	spec_execs(&p, 1);
	p.execs[0].state = EXEC_RUNNING;
	p.execs[0].attempt = 1;
	p.execs[0].instance = "i1";
	run = kit_run(&k, &p);
	kit_check(&k);
	p.targets[0].instances = &names;
	p.execs[0] = (struct sched_exec){ .member = SCHED_NONE,
		.n_keys = 1 };
	p.run.id = "r000000000b";
	kit_run(&k, &p);
	assert_string_equal(sched_instance(k.s, run, 1, "t"), "i1");
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 0);
	kit_ended(&k, run, 1, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 1);
	kit_done(&k);
	strvec_done(&names);
}

/* Only one of its two instances is on record: it has some of the other. */
static void
of_each_target_it_has_one(void **state)
{
	static const uint32_t both[] = { 0, 1 };
	struct strvec one = STRVEC_INIT;
	struct sched_pool pool = { "u", &one };
	struct sched_agent a = kit_facts("a", 3);
	struct spec p;
	struct kit k;

	strvec_push(&one, "device");
	a.pools = &pool;
	a.n_pools = 1;
	kit_init(&k);
	sched_agent_set(k.s, 0, &a, k.now_us);
	spec_init(&p);
	p.targets[0] = (struct sched_target){ "t", 0, 0, NULL };
	p.targets[1] = (struct sched_target){ "u", 0, 0, NULL };
	p.run.n_targets = 2;
	spec_terms(&p)->targets = both;
	p.terms[0].n_targets = 2;
	spec_execs(&p, 2);
	p.execs[0].state = EXEC_RUNNING;
	p.execs[0].attempt = 1;
	p.execs[0].instance = "i1";
	kit_run(&k, &p);
	kit_check(&k);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 0);
	kit_done(&k);
	strvec_done(&one);
}

/* Nothing was skipped yet when the console died: it is halted all the same. */
static void
a_halted_run_stays_halted(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	kit_agent(&k, 0, "a", 1);
	spec_init(&p);
	spec_terms(&p);
	spec_execs(&p, 2);
	p.run.max_failures = 1;
	p.execs[0].state = EXEC_FAILED;
	p.execs[0].attempt = p.execs[1].attempt = 1;
	p.execs[1].state = EXEC_ASSIGNED;
	run = kit_run(&k, &p);
	sched_accepted(k.s, kit_id(&k, run, 2), k.now_us);
	sched_returned(k.s, kit_id(&k, run, 2), false, k.now_us);
	kit_decide(&k);
	assert_int_equal(kit_state(&k, run, 2), EXEC_SKIPPED);
	kit_done(&k);
}

/* As many have failed as may now fail: that counts at once, and after a
 * resume as before. */
static void
a_lowered_limit_halts(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	kit_agent(&k, 0, "a", 1);
	spec_init(&p);
	spec_terms(&p);
	spec_execs(&p, 3);
	run = kit_run(&k, &p);
	kit_decide(&k);
	kit_started(&k, run, 1);
	kit_ended(&k, run, 1, OUTCOME_FAILED);
	assert_int_equal(sched_run_limits(k.s, run, 0, 1, k.now_us), 0);
	assert_int_equal(kit_state(&k, run, 3), EXEC_SKIPPED);
	assert_string_equal(kit_why(&k, run, 3), "halted");
	assert_int_equal(sched_run_limits(k.s, run, 0, 2, k.now_us), 0);
	assert_int_equal(kit_state(&k, run, 3), EXEC_WAITING);
	kit_done(&k);
}

/* It was moved where it runs, and is tried again there. */
static void
what_runs_where_it_was_moved_stays_moved(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	kit_agent(&k, 0, "a", 1);
	kit_agent(&k, 1, "b", 1);
	spec_init(&p);
	spec_terms(&p)->retries = 1;
	spec_execs(&p, 1);
	p.execs[0].state = EXEC_RUNNING;
	p.execs[0].attempt = p.execs[0].agent = 1;
	p.execs[0].pinned = true;
	run = kit_run(&k, &p);
	assert_true(sched_exec_move(k.s, run, 1, 0, k.now_us) < 0);
	assert_int_equal(sched_exec_move(k.s, run, 1, 1, k.now_us), 0);
	kit_ended(&k, run, 1, OUTCOME_FAILED);
	k.now_us += 2 * US_PER_S;
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), 1);
	kit_done(&k);
}

/* The delay before its next try is not over, and it goes elsewhere. */
static void
a_retry_waits_as_long_as_before(void **state)
{
	struct sched_view v;
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	kit_agent(&k, 0, "a", 1);
	kit_agent(&k, 1, "b", 1);
	spec_init(&p);
	spec_terms(&p)->retries = 1;
	spec_execs(&p, 1);
	p.execs[0].attempt = p.execs[0].failures = 1;
	p.execs[0].avoid = 1;
	p.execs[0].not_before_us = k.now_us + 100;
	run = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), -1);
	assert_string_equal(kit_why(&k, run, 1), "retry-delay");
	assert_int_equal(sched_exec_view(k.s, run, 1, &v), 0);
	assert_int_equal(v.ready_us, k.now_us + 100);
	assert_int_equal(v.avoid, 0);
	k.now_us += 100;
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), 1);
	kit_done(&k);
}

/* ---- where nothing may start any more --------------------------------------- */

static uint32_t
queued_on_a(struct kit *k, struct spec *p, const struct strvec **list)
{
	uint32_t run;

	kit_init(k);
	kit_agent(k, 0, "a", 2);
	spec_init(p);
	spec_terms(p)->agents = list;
	p->terms[0].n_agents = 1;
	spec_execs(p, 1);
	run = kit_run(k, p);
	kit_decide(k);
	assert_int_equal(kit_sent(k, run, 1), 0);
	sched_accepted(k->s, kit_id(k, run, 1), k->now_us);
	return run;
}

/* Amended while its agent was away. */
static void
what_became_a_stranger_in_silence_is_asked_back(void **state)
{
	struct strvec a = STRVEC_INIT, b = STRVEC_INIT;
	const struct strvec *list = &a, *other = &b;
	struct spec p;
	struct kit k;
	uint32_t run;

	strvec_push(&a, "a");
	strvec_push(&b, "b");
	run = queued_on_a(&k, &p, &list);
	kit_link(&k, 0, "a", 2, false);
	p.terms[0].agents = &other;
	assert_int_equal(sched_run_amend(k.s, run, &p.run, k.now_us), 0);
	kit_agent(&k, 0, "a", 2);
	sched_accepted(k.s, kit_id(&k, run, 1), k.now_us);
	kit_decide(&k);
	assert_non_null(kit_find(&k, SCHED_TAKE_BACK, run, 1));
	kit_done(&k);
	strvec_done(&a);
	strvec_done(&b);
}

/* Held while it was lost. */
static void
what_is_found_where_it_may_not_start_is_asked_back(void **state)
{
	struct strvec a = STRVEC_INIT;
	const struct strvec *list = &a;
	struct spec p;
	struct kit k;
	uint32_t run;

	strvec_push(&a, "a");
	run = queued_on_a(&k, &p, &list);
	kit_link(&k, 0, "a", 2, false);
	k.now_us += 121 * US_PER_S;
	kit_decide(&k);
	assert_int_equal(sched_exec_hold(k.s, run, 1, "x", k.now_us), 0);
	kit_agent(&k, 0, "a", 2);
	sched_accepted(k.s, (struct sched_id){ run, 1, 1 }, k.now_us);
	kit_decide(&k);
	assert_non_null(kit_find(&k, SCHED_TAKE_BACK, run, 1));
	kit_done(&k);
	strvec_done(&a);
}

/* A lock it takes no more is free when it has ended, not before. */
static void
what_is_out_keeps_what_it_took(void **state)
{
	struct sched_hold hold = { .lock = 0, .count = 1 };
	struct spec p;
	struct kit k;
	uint32_t run, other;

	kit_init(&k);
	kit_agent(&k, 0, "a", 2);
	spec_init(&p);
	p.locks[0] = (struct sched_lock){ .name = "db", .capacity = 1 };
	p.run.n_locks = 1;
	spec_terms(&p)->holds = &hold;
	p.terms[0].n_holds = 1;
	spec_execs(&p, 1);
	run = kit_run(&k, &p);
	kit_decide(&k);
	kit_started(&k, run, 1);
	p.terms[0].n_holds = 0;
	assert_int_equal(sched_run_amend(k.s, run, &p.run, k.now_us), 0);
	kit_check(&k);
	p.terms[0].n_holds = 1;
	p.run.id = "r000000000b";
	other = kit_run(&k, &p);
	kit_decide(&k);
	assert_string_equal(kit_why(&k, other, 1), "lock");
	kit_ended(&k, run, 1, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, other, 1), 0);
	kit_done(&k);
}

/* Benched for whoever takes the run over: what it has stays there until it
 * drains as well. */
static void
test_drain_of_a_benched_one(void **state)
{
	struct sched_agent a = kit_facts("A", 1);
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	a.benched = true;
	sched_agent_set(k.s, 0, &a, k.now_us);
	spec_init(&p);
	spec_terms(&p);
	spec_execs(&p, 1);
	p.execs[0].state = EXEC_ASSIGNED;
	p.execs[0].attempt = 1;
	run = kit_run(&k, &p);
	sched_accepted(k.s, kit_id(&k, run, 1), k.now_us);
	kit_decide(&k);
	assert_int_equal(k.out.n, 0);
	a.draining = true;
	sched_agent_set(k.s, 0, &a, k.now_us);
	kit_decide(&k);
	assert_non_null(kit_find(&k, SCHED_TAKE_BACK, run, 1));
	kit_done(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_lost_keeps_its_locks),
		cmocka_unit_test(what_is_lost_may_be_found),
		cmocka_unit_test(what_is_lost_and_superseded_is_cancelled),
		cmocka_unit_test(instances_stay_with_who_has_them),
		cmocka_unit_test(a_name_may_be_given_later),
		cmocka_unit_test(of_each_target_it_has_one),
		cmocka_unit_test(a_halted_run_stays_halted),
		cmocka_unit_test(a_lowered_limit_halts),
		cmocka_unit_test(what_runs_where_it_was_moved_stays_moved),
		cmocka_unit_test(a_retry_waits_as_long_as_before),
		cmocka_unit_test(what_became_a_stranger_in_silence_is_asked_back),
		cmocka_unit_test(what_is_found_where_it_may_not_start_is_asked_back),
		cmocka_unit_test(what_is_out_keeps_what_it_took),
		cmocka_unit_test(test_drain_of_a_benched_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
