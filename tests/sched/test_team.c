/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What random simulation found of executions that run together, each as small
 * as it gets.
 */
#include "kit.h"

#include "yardmaster/base/strvec.h"

/* One group of n parts with terms of their own, then singles. */
static void
spec_team(struct spec *p, uint32_t n, uint32_t singles)
{
	struct sched_terms *t;
	uint32_t i;

	spec_init(p);
	for (i = 0; i < n; i++) {
		t = spec_terms(p);
		t->together = true;
		spec_execs(p, 1)->group = 1;
	}
	if (singles == 0)
		return;
	spec_terms(p);
	spec_execs(p, singles);
}

static void
agent_fast(struct kit *k, uint32_t idx, const char *name, uint32_t max,
    uint32_t speed)
{
	struct sched_agent a = kit_facts(name, max);

	a.speed = speed;
	sched_agent_set(k->s, idx, &a, k->now_us);
}

/* The third asks the first to leave b, which is too small for it, in vain;
 * the second may still go there, for the first may run on c. */
static void
a_way_over_an_agent_is_tried_for_each_part(void **state)
{
	struct strvec ab = STRVEC_INIT;
	const struct strvec *list = &ab;
	struct spec p;
	struct kit k;
	uint32_t run;

	strvec_push(&ab, "a");
	strvec_push(&ab, "b");
	kit_init(&k);
	agent_fast(&k, 0, "a", 2, 1000);
	agent_fast(&k, 1, "b", 1, 2000);
	agent_fast(&k, 2, "c", 1, 1000);
	spec_team(&p, 3, 0);
	p.terms[1].agents = &list;
	p.terms[1].n_agents = 1;
	p.terms[2].workers = 2;
	run = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), 2);
	assert_int_equal(kit_sent(&k, run, 2), 1);
	assert_int_equal(kit_sent(&k, run, 3), 0);
	kit_done(&k);
	strvec_done(&ab);
}

/* Two small parts leave the only agent that is wide enough. */
static void
parts_that_share_agents_are_packed(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run, i;

	kit_init(&k);
	kit_agent(&k, 0, "a", 2);
	kit_agent(&k, 1, "b", 1);
	kit_agent(&k, 2, "c", 1);
	spec_team(&p, 3, 0);
	for (i = 0; i < 3; i++)
		p.terms[i].same_agent = true;
	p.terms[2].workers = 2;
	run = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 3);
	assert_int_equal(kit_sent(&k, run, 3), 0);
	kit_done(&k);
}

static void
one_target(struct spec *p, uint32_t per_agent, uint32_t max)
{
	static const uint32_t first[1];
	uint32_t i;

	p->targets[0] = (struct sched_target){ "t", per_agent, max, NULL };
	p->run.n_targets = 1;
	for (i = 0; i < p->run.n_terms; i++) {
		p->terms[i].targets = first;
		p->terms[i].n_targets = 1;
	}
}

/* The agent never takes both parts: it is not kept from others for them. */
static void
what_never_fits_keeps_no_agents(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run, i;

	kit_init(&k);
	kit_agent(&k, 0, "a", 2);
	spec_team(&p, 2, 62);
	p.terms[0].same_agent = p.terms[1].same_agent = true;
	one_target(&p, 1, 0);
	p.terms[2].n_targets = 0;
	run = kit_run(&k, &p);
	kit_decide(&k);
	p.run.id = "r000000000b";
	kit_run(&k, &p);
	for (i = 0; i < 124; i++, kit_decide(&k)) {
		kit_started(&k, run + i / 62, 3 + i % 62);
		kit_ended(&k, run + i / 62, 3 + i % 62, OUTCOME_PASSED);
	}
	assert_int_equal(sched_counts(k.s, run + 1).n[EXEC_PASSED], 62);
	kit_done(&k);
}

/* One more may run, and both parts want to. */
static void
a_target_too_small_for_all_is_the_reason(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	kit_agent(&k, 0, "a", 3);
	kit_agent(&k, 1, "b", 3);
	spec_team(&p, 2, 1);
	one_target(&p, 0, 2);
	p.terms[2].priority = 1;
	p.terms[1].n_targets = 1;
	run = kit_run(&k, &p);
	p.execs[0].not_before_us = 0;
	kit_decide(&k);
	assert_true(kit_sent(&k, run, 3) >= 0);
	assert_int_equal(kit_sent(&k, run, 1), -1);
	assert_string_equal(kit_why(&k, run, 1), "target-limit");
	assert_true(kit_says(&k, run, 2, "target-limit", "t: 1 of 2"));
	kit_done(&k);
}

/* Also where it was moved to, its step does not run beside itself. */
static void
a_moved_part_waits_for_its_own_step(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	kit_agent(&k, 0, "a", 3);
	kit_agent(&k, 1, "b", 3);
	spec_team(&p, 2, 1);
	p.terms[2].priority = 1;
	p.keys[2] = p.keys[0];
	run = kit_run(&k, &p);
	assert_int_equal(sched_exec_move(k.s, run, 3, 0, k.now_us), 0);
	assert_int_equal(sched_exec_move(k.s, run, 1, 0, k.now_us), 0);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 3), 0);
	assert_int_equal(kit_sent(&k, run, 1), -1);
	kit_done(&k);
}

/* Nor is it sent there when it needs what that agent cannot take. */
static void
a_moved_part_needs_its_secrets(void **state)
{
	struct sched_agent old = kit_facts("b", 3);
	struct spec p;
	struct kit k;

	old.no_secrets = true;
	kit_init(&k);
	kit_agent(&k, 0, "a", 3);
	sched_agent_set(k.s, 1, &old, k.now_us);
	spec_team(&p, 2, 0);
	p.terms[1].secrets = true;
	sched_exec_move(k.s, kit_run(&k, &p), 2, 1, k.now_us);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 0);
	kit_done(&k);
}

/* The only instance of an agent is not given to two parts at once. */
static void
private_runs_share_no_instance(void **state)
{
	struct strvec one = STRVEC_INIT;
	struct sched_pool pool = { "t", &one };
	struct sched_agent a = kit_facts("a", 2);
	struct spec p;
	struct kit k;

	strvec_push(&one, "device");
	a.pools = &pool;
	a.n_pools = 1;
	kit_init(&k);
	sched_agent_set(k.s, 0, &a, k.now_us);
	spec_team(&p, 2, 0);
	p.terms[0].same_agent = p.terms[1].same_agent = true;
	one_target(&p, 0, 0);
	p.run.private = true;
	kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 0);
	kit_done(&k);
	strvec_done(&one);
}

/* It runs by itself: the others go, but it is not told to. */
static void
what_runs_is_not_told_to_go(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	kit_agent(&k, 0, "a", 1);
	kit_agent(&k, 1, "b", 1);
	spec_team(&p, 2, 0);
	run = kit_run(&k, &p);
	kit_decide(&k);
	kit_prepared(&k, run, 1);
	kit_started(&k, run, 1);
	kit_prepared(&k, run, 2);
	kit_decide(&k);
	assert_null(kit_find(&k, SCHED_GO, run, 1));
	assert_non_null(kit_find(&k, SCHED_GO, run, 2));
	kit_done(&k);
}

/* It was prepared before it was lost; found again it only waits there. */
static void
what_is_found_is_prepared_anew(void **state)
{
	struct sched_agent b = kit_facts("b", 1);
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	kit_agent(&k, 0, "a", 1);
	kit_agent(&k, 1, "b", 1);
	spec_team(&p, 2, 0);
	run = kit_run(&k, &p);
	assert_int_equal(sched_exec_move(k.s, run, 2, 1, k.now_us), 0);
	kit_decide(&k);
	kit_prepared(&k, run, 2);
	b.up = false;
	sched_agent_set(k.s, 1, &b, k.now_us);
	k.now_us += 121 * US_PER_S;
	kit_decide(&k);
	kit_agent(&k, 1, "b", 1);
	sched_accepted(k.s, (struct sched_id){ run, 2, 1 }, k.now_us);
	kit_started(&k, run, 1);
	kit_decide(&k);
	assert_null(kit_find(&k, SCHED_GO, run, 2));
	kit_prepared(&k, run, 2);
	kit_decide(&k);
	assert_non_null(kit_find(&k, SCHED_GO, run, 2));
	kit_done(&k);
}

/* Found where it will not be told to go, and kept there: it is asked for again
 * as long as it does not start. */
static void
what_is_found_is_asked_back_until_it_comes(void **state)
{
	struct sched_id id;
	struct spec p;
	struct kit k;
	uint32_t run, agent;

	kit_init(&k);
	kit_agent(&k, 0, "a", 1);
	kit_agent(&k, 1, "b", 1);
	spec_team(&p, 2, 0);
	run = kit_run(&k, &p);
	kit_decide(&k);
	agent = (uint32_t)kit_sent(&k, run, 1);
	id = kit_id(&k, run, 1);
	sched_returned(k.s, kit_id(&k, run, 2), false, k.now_us);
	kit_link(&k, agent, "a", 1, false);
	k.now_us += 121 * US_PER_S;
	kit_decide(&k);
	k.now_us += 20 * US_PER_S;
	kit_decide(&k);
	kit_link(&k, agent, "a", 1, true);
	sched_accepted(k.s, id, k.now_us);
	kit_decide(&k);
	assert_non_null(kit_find(&k, SCHED_TAKE_BACK, run, 1));
	sched_kept(k.s, id, k.now_us);
	k.now_us += 10 * US_PER_S;
	kit_decide(&k);
	assert_non_null(kit_find(&k, SCHED_TAKE_BACK, run, 1));
	kit_done(&k);
}

/* Cancelled as a whole, then its limit is raised: nothing comes back. */
static void
what_was_cancelled_is_not_brought_back(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	kit_agent(&k, 0, "a", 2);
	spec_team(&p, 2, 2);
	p.run.max_failures = 1;
	run = kit_run(&k, &p);
	kit_decide(&k);
	kit_started(&k, run, 3);
	kit_started(&k, run, 4);
	kit_ended(&k, run, 3, OUTCOME_FAILED);
	assert_int_equal(kit_state(&k, run, 1), EXEC_SKIPPED);
	assert_int_equal(sched_run_cancel(k.s, run, k.now_us), 0);
	assert_int_equal(sched_run_limits(k.s, run, 0, 0, k.now_us), 0);
	assert_int_equal(kit_state(&k, run, 1), EXEC_SKIPPED);
	kit_done(&k);
}

/* Both failed for good; the one asked for again brings the other with it, with
 * all its tries. */
static void
all_parts_are_tried_afresh(void **state)
{
	struct spec p;
	struct kit k;
	struct sched_view v;
	uint32_t run, i;

	kit_init(&k);
	kit_agent(&k, 0, "a", 2);
	kit_agent(&k, 1, "b", 1);
	spec_team(&p, 2, 1);
	p.terms[2].workers = 3;
	run = kit_run(&k, &p);
	kit_decide(&k);
	kit_prepared(&k, run, 1);
	kit_prepared(&k, run, 2);
	for (i = 1; i <= 2; i++) {
		kit_started(&k, run, i);
		kit_ended(&k, run, i, OUTCOME_FAILED);
	}
	kit_decide(&k);
	assert_int_equal(kit_state(&k, run, 2), EXEC_FAILED);
	assert_int_equal(sched_exec_requeue(k.s, run, 1, k.now_us), 0);
	assert_int_equal(sched_exec_view(k.s, run, 2, &v), 0);
	assert_int_equal(v.failures, 0);
	kit_done(&k);
}

/* A part of the first round is lost and keeps one lock; by then the group
 * takes another one as well, which the second round has. */
static void
a_round_takes_what_the_last_one_did_not(void **state)
{
	struct sched_hold hold[2] = { { .lock = 1, .count = 1 },
		{ .lock = 0, .count = 1 } };
	struct sched_agent a = kit_facts("a", 1);
	struct spec p;
	struct kit k;
	uint32_t run, i;

	kit_init(&k);
	for (i = 0; i < 3; i++)
		kit_agent(&k, i, i == 0 ? "a" : i == 1 ? "b" : "c", 1);
	spec_team(&p, 2, 1);
	p.locks[0] = (struct sched_lock){ .name = "new", .capacity = 1 };
	p.locks[1] = (struct sched_lock){ .name = "old", .capacity = 2 };
	p.run.n_locks = 2;
	p.terms[0].holds = &hold[0];
	p.terms[0].n_holds = 1;
	p.terms[2].holds = &hold[1];
	run = kit_run(&k, &p);
	assert_int_equal(sched_exec_hold(k.s, run, 3, "x", k.now_us), 0);
	kit_decide(&k);
	a.up = false;
	i = (uint32_t)kit_sent(&k, run, 1);
	a.name = i == 0 ? "a" : i == 1 ? "b" : "c";
	sched_agent_set(k.s, i, &a, k.now_us);
	k.now_us += 121 * US_PER_S;
	kit_decide(&k);
	sched_returned(k.s, kit_id(&k, run, 2), false, k.now_us);
	p.terms[1].holds = &hold[1];
	p.terms[1].n_holds = p.terms[2].n_holds = 1;
	assert_int_equal(sched_run_amend(k.s, run, &p.run, k.now_us), 0);
	k.now_us += 2 * US_PER_S;
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 2);
	kit_agent(&k, 3, "d", 1);
	assert_int_equal(sched_exec_hold(k.s, run, 3, NULL, k.now_us), 0);
	kit_decide(&k);
	assert_string_equal(kit_why(&k, run, 3), "lock");
	kit_done(&k);
}

/* ---- another try ------------------------------------------------------------ */

/* The first part runs where it was sent, and comes to that; the second one
 * passes. */
static void
round_over(struct kit *k, uint32_t run, enum outcome first)
{
	kit_prepared(k, run, 1);
	kit_prepared(k, run, 2);
	kit_decide(k);
	kit_started(k, run, 1);
	kit_started(k, run, 2);
	kit_ended(k, run, 2, OUTCOME_PASSED);
	kit_ended(k, run, 1, first);
	k->now_us += 2 * US_PER_S;
	kit_decide(k);
}

/* What failed on the fastest agent leaves it to the other part. */
static void
what_failed_goes_elsewhere(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	agent_fast(&k, 0, "a", 1, 2000);
	agent_fast(&k, 1, "b", 1, 1000);
	spec_team(&p, 2, 0);
	p.terms[0].retries = 1;
	run = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), 0);
	round_over(&k, run, OUTCOME_FAILED);
	assert_int_equal(kit_sent(&k, run, 1), 1);
	assert_int_equal(kit_sent(&k, run, 2), 0);
	kit_done(&k);
}

/* It waits for the agent that is busy, not for one that is gone. */
static void
what_failed_waits_for_another_agent(void **state)
{
	struct sched_agent c = kit_facts("c", 1);
	struct spec p;
	struct kit k;
	uint32_t run;

	c.other_busy = 1;
	kit_init(&k);
	kit_agent(&k, 0, "a", 1);
	kit_agent(&k, 1, "b", 1);
	sched_agent_set(k.s, 2, &c, k.now_us);
	spec_team(&p, 2, 0);
	run = kit_run(&k, &p);
	assert_int_equal(sched_exec_move(k.s, run, 2, 1, k.now_us), 0);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), 0);
	round_over(&k, run, OUTCOME_ERROR);
	assert_int_equal(kit_count(&k, SCHED_SEND), 0);
	assert_string_equal(kit_why(&k, run, 1), "together");
	c.up = false;
	sched_agent_set(k.s, 2, &c, k.now_us);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), 0);
	kit_done(&k);
}

/* ---- after a resume -------------------------------------------------------- */

/* The one was lost before the go, so the other one does not start alone. */
static void
what_was_lost_unstarted_says_nothing_of_a_go(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	kit_agent(&k, 0, "a", 1);
	kit_agent(&k, 1, "b", 1);
	spec_team(&p, 2, 0);
	p.execs[0].attempt = p.execs[1].attempt = 1;
	p.execs[0].errors = 1;
	p.execs[0].unstarted = true;
	p.execs[1].state = EXEC_ASSIGNED;
	p.execs[1].agent = 1;
	run = kit_run(&k, &p);
	kit_prepared(&k, run, 2);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_GO), 0);
	assert_non_null(kit_find(&k, SCHED_TAKE_BACK, run, 2));
	kit_done(&k);
}

/* Each that is sent has passed. */
static void
pass_all(struct kit *k)
{
	struct sched_decision d;
	size_t i;

	for (i = 0; i < k->out.n; i++) {
		d = k->out.v[i];
		if (d.kind != SCHED_SEND)
			continue;
		sched_started(k->s, d.id, 1, k->now_us);
		sched_ended(k->s, d.id, OUTCOME_PASSED, US_PER_S, k->now_us);
		kit_check(k);
	}
	k->now_us += US_PER_S;
}

/* One that is let past what is reserved keeps no agent that another keeps. */
static void
who_may_pass_takes_nothing_over(void **state)
{
	uint32_t first, wide, run, turn, i;
	struct spec p, q, w;
	struct kit k;

	kit_init(&k);
	kit_agent(&k, 0, "a", 2);
	spec_init(&w);
	spec_terms(&w);
	spec_execs(&w, 1);
	first = kit_run(&k, &w);
	kit_decide(&k);
	kit_started(&k, first, 1);
	kit_agent(&k, 1, "b", 1);
	w.terms[0].workers = 2;
	w.run.id = "r000000000b";
	wide = kit_run(&k, &w);
	spec_team(&p, 3, 0);
	for (i = 0; i < 3; i++)
		p.terms[i].same_agent = true;
	p.run.id = "r000000000c";
	run = kit_run(&k, &p);
	sched_exec_override(k.s, run, 1, k.now_us);
	spec_init(&q);
	spec_terms(&q);
	spec_execs(&q, 63);
	q.run.id = "r000000000d";
	for (turn = 0; turn < 150; turn++) {
		if (turn % 50 == 0)
			kit_run(&k, &q);
		kit_decide(&k);
		pass_all(&k);
	}
	kit_ended(&k, first, 1, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, wide, 1), 0);
	kit_started(&k, wide, 1);
	kit_ended(&k, wide, 1, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), 0);
	kit_done(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_way_over_an_agent_is_tried_for_each_part),
		cmocka_unit_test(parts_that_share_agents_are_packed),
		cmocka_unit_test(what_never_fits_keeps_no_agents),
		cmocka_unit_test(a_target_too_small_for_all_is_the_reason),
		cmocka_unit_test(a_moved_part_waits_for_its_own_step),
		cmocka_unit_test(a_moved_part_needs_its_secrets),
		cmocka_unit_test(private_runs_share_no_instance),
		cmocka_unit_test(what_runs_is_not_told_to_go),
		cmocka_unit_test(what_is_found_is_prepared_anew),
		cmocka_unit_test(what_is_found_is_asked_back_until_it_comes),
		cmocka_unit_test(what_was_cancelled_is_not_brought_back),
		cmocka_unit_test(all_parts_are_tried_afresh),
		cmocka_unit_test(a_round_takes_what_the_last_one_did_not),
		cmocka_unit_test(what_failed_goes_elsewhere),
		cmocka_unit_test(what_failed_waits_for_another_agent),
		cmocka_unit_test(what_was_lost_unstarted_says_nothing_of_a_go),
		cmocka_unit_test(who_may_pass_takes_nothing_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
