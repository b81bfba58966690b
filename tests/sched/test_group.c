/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What runs together: placed whole or not at all, started by one go. */
#include "kit.h"

#include "yardmaster/base/strvec.h"
#include "yardmaster/sched/forecast.h"

/* One group of n parts, then singles. */
static void
spec_group(struct spec *p, uint32_t n, uint32_t singles)
{
	struct sched_terms *t;
	struct sched_exec *x;
	uint32_t i;

	spec_init(p);
	t = spec_terms(p);
	t->together = true;
	t->retries = 1;
	x = spec_execs(p, n);
	for (i = 0; i < n; i++)
		x[i].group = 1;
	if (singles == 0)
		return;
	spec_terms(p);
	spec_execs(p, singles);
}

static void
start(struct kit *k, uint32_t run, uint32_t exec)
{
	sched_started(k->s, kit_id(k, run, exec), 1, k->now_us);
	kit_check(k);
}

static void
end(struct kit *k, uint32_t run, uint32_t exec, enum outcome outcome)
{
	sched_ended(k->s, kit_id(k, run, exec), outcome, US_PER_S,
	    k->now_us);
	kit_check(k);
}

static void
goes_when_all_are_prepared(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	kit_agent(&k, 0, "a", 2);
	kit_agent(&k, 1, "b", 2);
	spec_group(&p, 2, 0);
	run = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 2);
	assert_int_not_equal(kit_sent(&k, run, 1), kit_sent(&k, run, 2));
	kit_prepared(&k, run, 1);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_GO), 0);
	kit_prepared(&k, run, 2);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_GO), 2);
	/* Heard again after a link broke: the go is said again. */
	kit_prepared(&k, run, 2);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_GO), 1);
	start(&k, run, 1);
	start(&k, run, 2);
	end(&k, run, 1, OUTCOME_PASSED);
	end(&k, run, 2, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_RUN_ENDED), 1);
	kit_done(&k);
}

/* Nothing is sent while a part has no agent; the reason says how many. */
static void
all_or_none(void **state)
{
	struct spec p;
	struct kit k;
	struct why why;
	uint32_t run;

	kit_init(&k);
	kit_agent(&k, 0, "a", 4);
	spec_group(&p, 3, 0);
	run = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(k.out.n, 0);
	assert_int_equal(sched_headline(k.s, run, 1, NULL), REASON_TOGETHER);
	sched_why(k.s, run, 2, k.now_us, &why);
	assert_string_equal(why.v[0].text,
	    "3 parts start together: 2 workers are missing");
	why_done(&why);
	kit_agent(&k, 1, "b", 1);
	kit_decide(&k);
	assert_int_equal(k.out.n, 0);
	kit_agent(&k, 2, "c", 1);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 3);
	kit_done(&k);
}

static void
parts_may_share_an_agent(void **state)
{
	struct spec p;
	struct kit k;

	kit_init(&k);
	kit_agent(&k, 0, "a", 2);
	spec_group(&p, 3, 0);
	p.terms[0].same_agent = true;
	kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(k.out.n, 0);
	kit_agent(&k, 0, "a", 3);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 3);
	kit_done(&k);
}

/* Who may run anywhere leaves the only agent of another to it. */
static void
parts_are_matched(void **state)
{
	struct strvec only = STRVEC_INIT;
	const struct strvec *list = &only;
	struct spec p;
	struct kit k;
	uint32_t run;

	strvec_push(&only, "a");
	kit_init(&k);
	kit_agent(&k, 0, "a", 1);
	kit_agent(&k, 1, "b", 1);
	spec_group(&p, 2, 0);
	*spec_terms(&p) = p.terms[0];
	p.terms[1].agents = &list;
	p.terms[1].n_agents = 1;
	p.execs[1].terms = 1;
	run = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), 1);
	assert_int_equal(kit_sent(&k, run, 2), 0);
	kit_done(&k);
	strvec_done(&only);
}

static void
not_prepared_in_time_all_go_back(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	kit_agent(&k, 0, "a", 1);
	kit_agent(&k, 1, "b", 1);
	spec_group(&p, 2, 0);
	run = kit_run(&k, &p);
	kit_decide(&k);
	kit_prepared(&k, run, 1);
	sched_accepted(k.s, kit_id(&k, run, 2), k.now_us);
	assert_int_equal(sched_next_us(k.s), k.now_us + 10 * US_PER_S);
	k.now_us += 10 * US_PER_S;
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_TAKE_BACK), 2);
	/* Too late: it stays asked back. */
	kit_prepared(&k, run, 2);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_GO), 0);
	sched_returned(k.s, kit_id(&k, run, 1), false, k.now_us);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 0);
	assert_int_equal(sched_headline(k.s, run, 1, NULL), REASON_TOGETHER);
	sched_returned(k.s, kit_id(&k, run, 2), false, k.now_us);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 2);
	kit_done(&k);
}

/* One that its agent would not have takes the others back with it. */
static void
refused_takes_all_back(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	kit_agent(&k, 0, "a", 1);
	kit_agent(&k, 1, "b", 1);
	spec_group(&p, 2, 0);
	run = kit_run(&k, &p);
	kit_decide(&k);
	kit_prepared(&k, run, 1);
	sched_returned(k.s, kit_id(&k, run, 2), true, k.now_us);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_TAKE_BACK), 1);
	sched_returned(k.s, kit_id(&k, run, 1), false, k.now_us);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 0);
	k.now_us += 2 * US_PER_S;
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 2);
	kit_done(&k);
}

static uint32_t
running_pair(struct kit *k, struct spec *p)
{
	uint32_t run;

	kit_init(k);
	kit_agent(k, 0, "a", 1);
	kit_agent(k, 1, "b", 1);
	run = kit_run(k, p);
	kit_decide(k);
	kit_prepared(k, run, 1);
	kit_prepared(k, run, 2);
	kit_decide(k);
	assert_int_equal(kit_count(k, SCHED_GO), 2);
	start(k, run, 1);
	start(k, run, 2);
	return run;
}

/* A failed part makes all run again, also one that passed. */
static void
retry_reruns_all(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run;

	spec_group(&p, 2, 0);
	run = running_pair(&k, &p);
	end(&k, run, 1, OUTCOME_PASSED);
	assert_int_equal(sched_counts(k.s, run).n[EXEC_PASSED], 1);
	end(&k, run, 2, OUTCOME_FAILED);
	assert_int_equal(sched_counts(k.s, run).n[EXEC_WAITING], 2);
	k.now_us += 2 * US_PER_S;
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 2);
	assert_int_equal(kit_count(&k, SCHED_RUN_ENDED), 0);
	kit_prepared(&k, run, 1);
	kit_prepared(&k, run, 2);
	start(&k, run, 1);
	start(&k, run, 2);
	end(&k, run, 2, OUTCOME_FAILED);
	end(&k, run, 1, OUTCOME_FAILED);
	kit_decide(&k);
	/* The second has none left, so the first does not run alone. */
	assert_int_equal(sched_counts(k.s, run).n[EXEC_FAILED], 2);
	assert_int_equal(kit_count(&k, SCHED_RUN_ENDED), 1);
	kit_done(&k);
}

/* Locks are taken once for all, and kept until the last part has ended. */
static void
locks_are_of_all(void **state)
{
	struct sched_hold hold = { .lock = 0, .count = 1 };
	struct spec p;
	struct kit k;
	uint32_t run, i;

	spec_group(&p, 2, 1);
	p.locks[0] = (struct sched_lock){ .name = "db", .capacity = 1 };
	p.run.n_locks = 1;
	for (i = 0; i < 2; i++) {
		p.terms[i].holds = &hold;
		p.terms[i].n_holds = 1;
	}
	run = running_pair(&k, &p);
	end(&k, run, 1, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 3), -1);
	assert_int_equal(sched_headline(k.s, run, 3, NULL), REASON_LOCK);
	end(&k, run, 2, OUTCOME_PASSED);
	kit_decide(&k);
	assert_true(kit_sent(&k, run, 3) >= 0);
	kit_done(&k);
}

/* Cancelled, or skipped: all of it. */
static void
parts_share_their_fate(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run;

	spec_group(&p, 2, 0);
	run = running_pair(&k, &p);
	assert_int_equal(sched_exec_cancel(k.s, run, 2, k.now_us), 0);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_CANCEL), 2);
	end(&k, run, 1, OUTCOME_CANCELLED);
	end(&k, run, 2, OUTCOME_CANCELLED);
	assert_int_equal(sched_counts(k.s, run).n[EXEC_CANCELLED], 2);
	kit_done(&k);

	kit_init(&k);
	run = kit_run(&k, &p);
	assert_int_equal(sched_exec_skip(k.s, run, 1, k.now_us), 0);
	assert_int_equal(sched_counts(k.s, run).n[EXEC_SKIPPED], 2);
	kit_done(&k);
}

/* Passed by enough singles, it gets all of its agents. */
static void
wide_ones_do_not_starve(void **state)
{
	uint32_t run, single[2] = { 0, 0 }, i, turn;
	struct spec p, q;
	struct kit k;

	kit_init(&k);
	kit_agent(&k, 0, "a", 1);
	kit_agent(&k, 1, "b", 1);
	spec_init(&q);
	spec_terms(&q);
	spec_execs(&q, 63);
	q.run.id = "r000000000b";
	q.run.priority = 1;
	spec_group(&p, 2, 0);
	run = kit_run(&k, &p);
	for (turn = 0; turn < 400; turn++) {
		if (turn % 50 == 0)
			kit_run(&k, &q);
		kit_decide(&k);
		if (kit_sent(&k, run, 1) >= 0)
			break;
		for (i = 0; i < k.out.n; i++)
			if (k.out.v[i].kind == SCHED_SEND)
				single[k.out.v[i].agent] = k.out.v[i].id.exec
				    | k.out.v[i].id.run << 16;
		i = turn % 2;
		if (single[i] == 0)
			continue;
		sched_started(k.s, (struct sched_id){ single[i] >> 16,
		    single[i] & 0xffff, 1 }, 1, k.now_us);
		sched_ended(k.s, (struct sched_id){ single[i] >> 16,
		    single[i] & 0xffff, 1 }, OUTCOME_PASSED, US_PER_S,
		    k.now_us);
		single[i] = 0;
		k.now_us += US_PER_S;
	}
	assert_in_range(turn, 60, 120);
	assert_int_equal(kit_count(&k, SCHED_SEND), 2);
	kit_done(&k);
}

/* A console is gone in mid-round: what runs says that the go was given. */
static void
goes_on_after_a_resume(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run, i;

	kit_init(&k);
	kit_agent(&k, 0, "a", 1);
	kit_agent(&k, 1, "b", 1);
	spec_group(&p, 2, 0);
	for (i = 0; i < 2; i++) {
		p.execs[i].state = EXEC_ASSIGNED;
		p.execs[i].attempt = 1;
		p.execs[i].agent = i;
	}
	run = kit_run(&k, &p);
	kit_check(&k);
	start(&k, run, 1);
	kit_prepared(&k, run, 2);
	kit_decide(&k);
	assert_non_null(kit_find(&k, SCHED_GO, run, 2));
	kit_done(&k);

	/* One has ended and was forgotten; the other one is still to start. */
	for (i = 0; i < 2; i++) {
		kit_init(&k);
		kit_agent(&k, 1, "b", 1);
		p.execs[0].state = i == 0 ? EXEC_PASSED : EXEC_SKIPPED;
		run = kit_run(&k, &p);
		kit_prepared(&k, run, 2);
		kit_decide(&k);
		assert_non_null(kit_find(&k, SCHED_GO, run, 2));
		kit_done(&k);
	}
}

static void
down(struct kit *k, uint32_t idx, const char *name, uint32_t max)
{
	struct sched_agent a = kit_facts(name, max);

	a.up = false;
	sched_agent_set(k->s, idx, &a, k->now_us);
}

/* Each part says the lock of all, as held once, until it has ended itself. */
static void
each_part_says_the_locks_of_all(void **state)
{
	struct sched_hold hold = { .lock = 0, .count = 2 };
	struct hold v[4];
	struct spec p;
	struct kit k;
	uint32_t run;

	spec_group(&p, 2, 0);
	p.locks[0] = (struct sched_lock){ .name = "db", .capacity = 3 };
	p.run.n_locks = 1;
	p.terms[0].holds = &hold;
	p.terms[0].n_holds = 1;
	run = running_pair(&k, &p);
	assert_int_equal(sched_holds(k.s, kit_id(&k, run, 1), v, 4), 1);
	assert_string_equal(v[0].name, "db");
	assert_int_equal(v[0].n, 2);
	assert_int_equal(v[0].group, 1);
	assert_int_equal(sched_holds(k.s, kit_id(&k, run, 2), v, 4), 1);
	assert_int_equal(v[0].group, 1);
	end(&k, run, 1, OUTCOME_PASSED);
	assert_int_equal(sched_holds(k.s, kit_id(&k, run, 1), v, 4), 0);
	assert_int_equal(sched_holds(k.s, kit_id(&k, run, 2), v, 4), 1);
	/* Also while it is lost. */
	down(&k, 1, "b", 1);
	k.now_us += 121 * US_PER_S;
	kit_decide(&k);
	assert_int_equal(sched_holds(k.s, (struct sched_id){ run, 2, 1 }, v,
	    4), 1);
	sched_agent_dead(k.s, 1, k.now_us);
	assert_int_equal(sched_holds(k.s, (struct sched_id){ run, 2, 1 }, v,
	    4), 0);
	kit_done(&k);
}

/* A part that is lost keeps the locks of all: in a forecast too nobody else
 * gets them. */
static void
a_forecast_knows_what_lost_parts_keep(void **state)
{
	struct sched_hold hold = { .lock = 0, .count = 1 };
	struct forecast_opts o = { .max = 0 };
	struct forecast f;
	struct spec p;
	struct kit k;
	uint32_t run, i;

	spec_group(&p, 2, 1);
	p.locks[0] = (struct sched_lock){ .name = "db", .capacity = 1 };
	p.run.n_locks = 1;
	for (i = 0; i < 2; i++) {
		p.terms[i].holds = &hold;
		p.terms[i].n_holds = 1;
		p.terms[i].retries = p.terms[i].error_retries = 0;
	}
	run = running_pair(&k, &p);
	end(&k, run, 1, OUTCOME_PASSED);
	down(&k, 1, "b", 1);
	k.now_us += 121 * US_PER_S;
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 3), -1);
	assert_int_equal(sched_headline(k.s, run, 3, NULL), REASON_LOCK);
	o.now_us = k.now_us;
	assert_int_equal(sched_forecast(k.s, &o, &f), 0);
	assert_int_equal(f.plays[0].runs[run].never, 1);
	forecast_done(&f);
	kit_done(&k);
}

/* It came back before the go, after an earlier round had failed: the other
 * part is given back, not started alone. */
static void
what_came_back_before_a_resume_was_not_started(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run, turn;

	for (turn = 0; turn < 2; turn++) {
		kit_init(&k);
		kit_agent(&k, 0, "a", 1);
		kit_agent(&k, 1, "b", 1);
		spec_group(&p, 2, 0);
		p.execs[0].state = EXEC_WAITING;
		p.execs[0].failures = 1;
		p.execs[0].attempt = p.execs[1].attempt = 2;
		p.execs[0].returned = turn == 0;
		p.execs[1].state = EXEC_ASSIGNED;
		p.execs[1].agent = 1;
		run = kit_run(&k, &p);
		kit_check(&k);
		kit_prepared(&k, run, 2);
		k.now_us += 10 * US_PER_S;
		kit_decide(&k);
		assert_int_equal(kit_count(&k, SCHED_GO), turn);
		assert_int_equal(kit_count(&k, SCHED_TAKE_BACK), 1 - turn);
		kit_done(&k);
	}
}

/* The best of a kind runs already as another attempt: the next one goes. Those
 * that find no worker say so, tried or not. */
static void
one_of_a_kind_that_may_not_go_is_passed(void **state)
{
	struct spec p;
	struct kit k;
	struct why why;
	uint32_t run, i;

	kit_init(&k);
	kit_agent(&k, 0, "a", 2);
	kit_agent(&k, 1, "b", 2);
	spec_group(&p, 6, 0);
	for (i = 0; i < 6; i++) {
		p.execs[i].group = 1 + i / 2;
		p.keys[i] = i < 4 ? 1 : 7 + i;
	}
	run = kit_run(&k, &p);
	kit_check(&k);
	kit_decide(&k);
	/* Equal steps: the second group of two has nowhere to go. */
	assert_true(kit_sent(&k, run, 1) >= 0);
	assert_int_equal(sched_exec_priority(k.s, run, 5, 3), 0);
	assert_true(kit_sent(&k, run, 5) >= 0);
	assert_true(kit_sent(&k, run, 6) >= 0);
	assert_int_equal(kit_sent(&k, run, 3), -1);
	sched_why(k.s, run, 3, k.now_us, &why);
	assert_true(why.n > 0);
	why_done(&why);
	kit_done(&k);
}

/* Lost while prepared, then skipped: nobody says go, so it is cancelled; and
 * again each time it is found. */
static void
what_is_found_too_late_does_not_wait_for_a_go(void **state)
{
	uint32_t run, turn;
	struct spec p;
	struct kit k;

	kit_init(&k);
	kit_agent(&k, 0, "a", 1);
	kit_agent(&k, 1, "b", 1);
	spec_group(&p, 2, 1);
	run = kit_run(&k, &p);
	kit_decide(&k);
	for (turn = 0; turn < 2; turn++) {
		down(&k, 0, "a", 1);
		down(&k, 1, "b", 1);
		k.now_us += 121 * US_PER_S;
		kit_decide(&k);
		if (turn == 0)
			assert_int_equal(sched_exec_skip(k.s, run, 1,
			    k.now_us), 0);
		kit_agent(&k, 0, "a", 1);
		sched_prepared(k.s, (struct sched_id){ run, 1, 1 }, k.now_us);
		kit_decide(&k);
		assert_non_null(kit_find(&k, SCHED_CANCEL, run, 1));
	}
	kit_done(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_when_all_are_prepared),
		cmocka_unit_test(all_or_none),
		cmocka_unit_test(parts_may_share_an_agent),
		cmocka_unit_test(parts_are_matched),
		cmocka_unit_test(not_prepared_in_time_all_go_back),
		cmocka_unit_test(refused_takes_all_back),
		cmocka_unit_test(retry_reruns_all),
		cmocka_unit_test(locks_are_of_all),
		cmocka_unit_test(parts_share_their_fate),
		cmocka_unit_test(wide_ones_do_not_starve),
		cmocka_unit_test(goes_on_after_a_resume),
		cmocka_unit_test(each_part_says_the_locks_of_all),
		cmocka_unit_test(a_forecast_knows_what_lost_parts_keep),
		cmocka_unit_test(what_came_back_before_a_resume_was_not_started),
		cmocka_unit_test(one_of_a_kind_that_may_not_go_is_passed),
		cmocka_unit_test(what_is_found_too_late_does_not_wait_for_a_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
