/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each reason, its headline and its facts; never none. */
#include "config.h"

#include "kit.h"
#include "yardmaster/base/err.h"

static uint32_t
begin(struct kit *k, uint32_t n)
{
	struct spec p;

	kit_init(k);
	spec_init(&p);
	spec_terms(&p);
	spec_execs(&p, n);
	return kit_run(k, &p);
}

static void
test_no_agent_names_the_nearest(void **state)
{
	struct strvec gpu, linux, labels;
	const struct strvec *lists[2] = { &gpu, &linux };
	struct sched_agent a = kit_facts("lab-1", 4);
	struct spec p;
	struct kit k;
	uint32_t run;

	strvec_init(&gpu);
	strvec_push(&gpu, "@gpu");
	strvec_init(&linux);
	strvec_push(&linux, "@linux");
	strvec_init(&labels);
	strvec_push(&labels, "linux");
	kit_init(&k);
	spec_init(&p);
	spec_terms(&p)->agents = lists;
	p.terms[0].n_agents = 2;
	spec_execs(&p, 1);
	run = kit_run(&k, &p);
	kit_decide(&k);
	assert_string_equal(kit_why(&k, run, 1), "no-agent");
	kit_agent(&k, 0, "mac-1", 4);
	a.labels = &labels;
	sched_agent_set(k.s, 1, &a, k.now_us);
	kit_decide(&k);
	assert_string_equal(kit_why(&k, run, 1), "no-agent");
	assert_true(kit_says(&k, run, 1, "no-agent",
	    "nearest is lab-1, which lacks @gpu"));
	strvec_push(&labels, "gpu");
	sched_agent_set(k.s, 1, &a, k.now_us);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), 1);
	kit_done(&k);
	strvec_done(&gpu);
	strvec_done(&linux);
	strvec_done(&labels);
}

static void
test_states_of_agents(void **state)
{
	struct sched_agent a = kit_facts("A", 1);
	struct kit k;
	uint32_t run = begin(&k, 3);

	a.up = false;
	a.offline_text = "connection refused";
	sched_agent_set(k.s, 0, &a, k.now_us);
	kit_decide(&k);
	assert_string_equal(kit_why(&k, run, 1), "agents-offline");
	assert_true(kit_says(&k, run, 1, "agents-offline",
	    "A (connection refused)"));
	a.up = true;
	a.benched = true;
	a.benched_text = "4 errors";
	sched_agent_set(k.s, 0, &a, k.now_us);
	assert_string_equal(kit_why(&k, run, 1), "agents-benched");
	a.benched = false;
	a.held = true;
	sched_agent_set(k.s, 0, &a, k.now_us);
	assert_string_equal(kit_why(&k, run, 1), "agents-held");
	a.held = false;
	a.guard = "free disk 12 MB below 64 MB";
	sched_agent_set(k.s, 0, &a, k.now_us);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 0);
	assert_string_equal(kit_why(&k, run, 1), "guard");
	assert_true(kit_says(&k, run, 1, "guard", "free disk 12 MB"));
	a.guard = NULL;
	a.rtt_us = 1;
	sched_agent_set(k.s, 0, &a, k.now_us);
	kit_decide(&k);
	assert_string_equal(kit_why(&k, run, 1), "sent");
	assert_int_equal(sched_accepted(k.s, kit_id(&k, run, 2), k.now_us),
	    SCHED_TAKEN);
	assert_string_equal(kit_why(&k, run, 2), "queued");
	assert_true(kit_says(&k, run, 2, "queued", "A, place 2"));
	assert_string_equal(kit_why(&k, run, 3), "workers-busy");
	kit_started(&k, run, 1);
	assert_string_equal(kit_why(&k, run, 1), "none");
	kit_done(&k);
}

/* Counts of all stages in one line; the last one removed speaks. */
static void
test_summary(void **state)
{
	struct sched_agent a = kit_facts("x", 1);
	struct strvec sel;
	const struct strvec *list = &sel;
	struct spec p;
	struct kit k;
	uint32_t run;

	strvec_init(&sel);
	strvec_push(&sel, "/^lab/");
	kit_init(&k);
	kit_agent(&k, 0, "mac-1", 1);
	kit_agent(&k, 1, "lab-1", 1);
	a.name = "lab-2";
	a.draining = true;
	sched_agent_set(k.s, 2, &a, k.now_us);
	spec_init(&p);
	spec_terms(&p)->agents = &list;
	p.terms[0].n_agents = 1;
	spec_execs(&p, 2);
	run = kit_run(&k, &p);
	kit_decide(&k);
	assert_string_equal(kit_why(&k, run, 2), "workers-busy");
	assert_true(kit_says(&k, run, 2, "workers-busy",
	    "3 agents: 1 not /^lab/, 1 drained, 1 full"));
	assert_true(kit_says(&k, run, 2, "agents-draining", "lab-2"));
	kit_done(&k);
	strvec_done(&sel);
}

/* What only an operator clears comes first, also when it is not ripe. */
static void
test_operator_comes_first(void **state)
{
	struct sched_agent a = kit_facts("A", 1);
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	spec_init(&p);
	spec_terms(&p);
	spec_execs(&p, 1)->not_before_us = 100 * US_PER_S;
	run = kit_run(&k, &p);
	a.draining = true;
	sched_agent_set(k.s, 0, &a, k.now_us);
	kit_decide(&k);
	assert_string_equal(kit_why(&k, run, 1), "agents-draining");
	assert_true(kit_says(&k, run, 1, "schedule", "due in"));
	a.draining = false;
	sched_agent_set(k.s, 0, &a, k.now_us);
	kit_decide(&k);
	assert_string_equal(kit_why(&k, run, 1), "schedule");
	sched_pause(k.s, "the disk is full", k.now_us);
	k.now_us = 100 * US_PER_S;
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 0);
	assert_string_equal(kit_why(&k, run, 1), "console-paused");
	sched_pause(k.s, NULL, k.now_us);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), 0);
	kit_done(&k);
}

/* The clock that people read was set: what waits for it is due elsewhen. */
static void
test_schedule_moves(void **state)
{
	struct sched_agent a = kit_facts("A", 2);
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	spec_init(&p);
	spec_terms(&p);
	spec_execs(&p, 2)->not_before_us = 100 * US_PER_S;
	p.execs[1].not_before_us = 100 * US_PER_S;
	run = kit_run(&k, &p);
	sched_agent_set(k.s, 0, &a, k.now_us);
	assert_int_equal(sched_exec_not_before(k.s, run, 1, 300 * US_PER_S,
	    k.now_us), 0);
	assert_int_equal(sched_exec_not_before(k.s, run, 2, 50 * US_PER_S,
	    k.now_us), 0);
	assert_int_equal(sched_next_us(k.s), 50 * US_PER_S);
	k.now_us = 50 * US_PER_S;
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 2), 0);
	assert_int_equal(sched_exec_not_before(k.s, run, 2, 60 * US_PER_S,
	    k.now_us), ERR_STATE);
	k.now_us = 100 * US_PER_S;
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 0);
	assert_string_equal(kit_why(&k, run, 1), "schedule");
	assert_int_equal(sched_exec_start_now(k.s, run, 1, k.now_us), 0);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), 0);
	kit_done(&k);
}

static void
test_before_any_decision(void **state)
{
	struct kit k;
	uint32_t run = begin(&k, 1);

	kit_agent(&k, 0, "A", 1);
	assert_string_equal(kit_why(&k, run, 1), "workers-busy");
	kit_decide(&k);
	assert_string_equal(kit_why(&k, run, 1), "sent");
	kit_done(&k);
}

static void
test_predictions(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run, no;

	kit_init(&k);
	kit_agent(&k, 0, "A", 2);
	spec_init(&p);
	spec_terms(&p);
	spec_execs(&p, 10);
	for (run = 0; run < 10; run++)
		p.execs[run].estimate_us = 10 * US_PER_S;
	run = kit_run(&k, &p);
	kit_decide(&k);
	kit_started(&k, run, 1);
	kit_started(&k, run, 2);
	assert_int_equal(sched_predicted_end(k.s, run, k.now_us),
	    k.now_us + 50 * US_PER_S);
	assert_true(sched_next_start(k.s, run, 10, k.now_us) >
	    sched_next_start(k.s, run, 4, k.now_us));
	/* Both were half done when this was heard of them; the third waits,
	 * and what is said of it means nothing. */
	for (no = 1; no <= 3; no++)
		sched_ran(k.s, (struct sched_id){ run, no, 1 },
		    5 * US_PER_S, k.now_us);
	assert_int_equal(sched_predicted_end(k.s, run, k.now_us),
	    k.now_us + 45 * US_PER_S);
	assert_int_equal(sched_run_workers(k.s, run), 2);
	kit_done(&k);
}

/* An agent of an older version is sent no secrets, moved there or not. */
static void
test_secrets_need_a_version(void **state)
{
	struct sched_agent old = kit_facts("A", 4);
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	old.no_secrets = true;
	sched_agent_set(k.s, 0, &old, k.now_us);
	spec_init(&p);
	spec_terms(&p)->secrets = true;
	spec_terms(&p);
	spec_execs(&p, 3);
	p.execs[1].terms = 1;
	p.execs[0].terms = p.execs[2].terms = 0;
	run = kit_run(&k, &p);
	assert_int_equal(sched_exec_move(k.s, run, 3, 0, k.now_us), 0);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), -1);
	assert_int_equal(kit_sent(&k, run, 2), 0);
	assert_int_equal(kit_sent(&k, run, 3), -1);
	assert_string_equal(kit_why(&k, run, 1), "no-agent");
	assert_true(kit_says(&k, run, 1, "no-agent", "nearest is A, which "
	    "lacks a version that can take secrets (deploy a newer one)"));
	assert_true(kit_says(&k, run, 3, "no-agent", "the version of A cannot "
	    "take secrets"));
	kit_agent(&k, 0, "A", 4);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), 0);
	assert_int_equal(kit_sent(&k, run, 3), 0);
	kit_done(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_agent_names_the_nearest),
		cmocka_unit_test(test_states_of_agents),
		cmocka_unit_test(test_summary),
		cmocka_unit_test(test_operator_comes_first),
		cmocka_unit_test(test_schedule_moves),
		cmocka_unit_test(test_before_any_decision),
		cmocka_unit_test(test_predictions),
		cmocka_unit_test(test_secrets_need_a_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
