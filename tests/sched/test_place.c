/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where an attempt goes: tiers, thresholds, pins, prefetch, reassigning. */
#include "config.h"

#include "kit.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/model/facts.h"

static const struct jval *
rules(struct jdoc *doc)
{
	char *path = str_fmt("%s/tests/data/conformance/rules.json",
	    getenv("YM_SRCDIR") != NULL ? getenv("YM_SRCDIR") : ".");

	assert_int_equal(jdoc_load(doc, path, 0, NULL), 0);
	free(path);
	return doc->root;
}

/* The round trip is such that 16 may be queued. */
static void
rule_agent(struct kit *k, uint32_t idx, const struct jval *v)
{
	uint32_t max = (uint32_t)jval_get_int(v, "max_workers", 0);
	struct sched_agent a = kit_facts(jval_get_str(v, "name", ""), max);

	a.up = jval_get(v, "state") == NULL;
	a.threshold = (uint32_t)jval_get_int(v, "threshold", max);
	a.other_busy = (uint32_t)jval_get_int(v, "running", 0);
	a.other_queued = (uint32_t)jval_get_int(v, "queued", 0);
	a.rtt_us = 1000 * US_PER_S;
	sched_agent_set(k->s, idx, &a, k->now_us);
}

static void
check_placement(const struct jval *c)
{
	const struct jval *agents = jval_get(c, "agents");
	const struct sched_decision *d;
	struct spec p;
	struct kit k;
	uint32_t i, run;

	kit_init(&k);
	for (i = 0; i < jval_count(agents); i++)
		rule_agent(&k, i, jval_at(agents, i));
	spec_init(&p);
	spec_terms(&p);
	spec_execs(&p, 1);
	run = kit_run(&k, &p);
	kit_decide(&k);
	d = kit_find(&k, SCHED_SEND, run, 1);
	assert_non_null(d);
	assert_string_equal(jval_get_str(jval_at(agents, d->agent), "name",
	    ""), jval_get_str(c, "expect", NULL));
	assert_string_equal(tier_name(d->tier), jval_get_str(c, "tier",
	    tier_name(d->tier)));
	kit_done(&k);
}

static void
test_tiers(void **state)
{
	struct jdoc doc;
	const struct jval *v = jval_get(rules(&doc), "placement");
	size_t i;

	assert_true(jval_count(v) >= 4);
	for (i = 0; i < jval_count(v); i++)
		check_placement(jval_at(v, i));
	jdoc_done(&doc);
}

static void
test_fastest_then_freest_then_first(void **state)
{
	struct sched_agent a[4] = { kit_facts("a", 2), kit_facts("b", 4),
		kit_facts("c", 4), kit_facts("d", 1) };
	struct spec p;
	struct kit k;
	uint32_t i, run;

	kit_init(&k);
	a[3].speed = 1500;
	for (i = 0; i < 4; i++)
		sched_agent_set(k.s, i, &a[i], k.now_us);
	spec_init(&p);
	spec_terms(&p);
	spec_execs(&p, 5);
	run = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), 3);	/* the fastest */
	assert_int_equal(kit_sent(&k, run, 2), 1);	/* 4 free, first */
	assert_int_equal(kit_sent(&k, run, 3), 2);	/* idle comes first */
	assert_int_equal(kit_sent(&k, run, 4), 0);
	assert_int_equal(kit_sent(&k, run, 5), 1);
	kit_done(&k);
}

/* TH1, TH2, TH3: never more than the threshold; pinned ones beside. */
static void
test_threshold(void **state)
{
	struct sched_agent a = kit_facts("a", 4);
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	a.threshold = 2;
	sched_agent_set(k.s, 0, &a, k.now_us);
	spec_init(&p);
	spec_terms(&p);
	spec_execs(&p, 6);
	spec_terms(&p)->pinned = true;
	spec_execs(&p, 3);
	run = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 4);
	assert_int_equal(kit_sent(&k, run, 2), 0);
	assert_int_equal(kit_sent(&k, run, 3), -1);
	assert_int_equal(kit_sent(&k, run, 8), 0);
	assert_int_equal(kit_find(&k, SCHED_SEND, run, 8)->class,
	    CLASS_PINNED);
	assert_int_equal(kit_find(&k, SCHED_SEND, run, 8)->tier, TIER_PINNED);
	assert_string_equal(kit_why(&k, run, 3), "workers-busy");
	kit_ended(&k, run, 7, OUTCOME_PASSED);
	kit_ended(&k, run, 8, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 9), 0);
	assert_int_equal(kit_count(&k, SCHED_SEND), 1);
	assert_string_equal(kit_why(&k, run, 3), "threshold");
	a.threshold = 9;	/* never above max workers */
	sched_agent_set(k.s, 0, &a, k.now_us);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 1);
	kit_done(&k);
}

static void
test_threshold_zero_is_pinned_only(void **state)
{
	struct sched_agent a = kit_facts("a", 4);
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	a.threshold = 0;
	a.rtt_us = US_PER_S;
	sched_agent_set(k.s, 0, &a, k.now_us);
	spec_init(&p);
	spec_terms(&p);
	spec_execs(&p, 2);
	run = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(k.out.n, 0);
	assert_string_equal(kit_why(&k, run, 1), "threshold");
	assert_int_equal(sched_exec_move(k.s, run, 2, 0, k.now_us), 0);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 2), 0);
	kit_done(&k);
}

/* SN1: "-2" keeps two workers free, but one may always run. */
static void
test_reserve(void **state)
{
	struct jdoc doc;
	const struct jval *v = jval_get(rules(&doc), "reserve");
	struct threshold t;
	size_t i;

	assert_int_equal(threshold_parse("-2", &t), 0);
	for (i = 0; i < jval_count(jval_get(v, "max_workers")); i++)
		assert_int_equal(threshold_effective(&t, (uint32_t)jval_int(
		    jval_at(jval_get(v, "max_workers"), i), 0)),
		    jval_int(jval_at(jval_get(v, "threshold"), i), -1));
	jdoc_done(&doc);
}

/* KA4: A queue 2, B queue 1, both busy. A takes its own queue first, then
 * what B has queued. */
static void
test_reassign(void **state)
{
	const struct sched_decision *d;
	struct sched_id id;
	struct spec p;
	struct kit k;
	uint32_t run, i, b_queued = 0;

	kit_init(&k);
	kit_agent(&k, 0, "A", 1);
	kit_agent(&k, 1, "B", 1);
	spec_init(&p);
	p.run.ahead = 2;
	spec_terms(&p);
	spec_execs(&p, 5);
	p.execs[4].terms = 0;
	run = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 5);
	kit_started(&k, run, 1);
	kit_started(&k, run, 2);
	for (i = 3; i <= 5; i++)
		if (kit_sent(&k, run, i) == 1)
			b_queued = i;
	assert_int_equal(b_queued, 4);
	kit_ended(&k, run, 1, OUTCOME_PASSED);
	kit_started(&k, run, 3);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_TAKE_BACK), 0);
	kit_ended(&k, run, 3, OUTCOME_PASSED);
	kit_started(&k, run, 5);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_TAKE_BACK), 0);
	kit_ended(&k, run, 5, OUTCOME_PASSED);
	kit_decide(&k);
	d = kit_find(&k, SCHED_TAKE_BACK, run, 4);
	assert_non_null(d);
	assert_int_equal(d->agent, 1);
	assert_int_equal(d->other, 0);
	id = kit_id(&k, run, 4);
	assert_int_equal(sched_returned(k.s, id, false, k.now_us),
	    SCHED_TAKEN);
	/* An end of what was given back is late, also before it goes on. */
	assert_int_equal(sched_ended(k.s, id, OUTCOME_FAILED, US_PER_S,
	    k.now_us), SCHED_LATE);
	kit_decide(&k);
	assert_int_equal(sched_ended(k.s, id, OUTCOME_FAILED, US_PER_S,
	    k.now_us), SCHED_LATE);
	d = kit_find(&k, SCHED_SEND, run, 4);
	assert_non_null(d);
	assert_int_equal(d->agent, 0);
	assert_int_equal(d->tier, TIER_REASSIGNED);
	assert_int_equal(d->id.attempt, id.attempt + 1);
	kit_done(&k);
}

/* Too late: it started, and nothing is sent twice. */
static void
test_reassign_too_late(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	kit_agent(&k, 0, "A", 1);
	kit_agent(&k, 1, "B", 1);
	spec_init(&p);
	p.run.ahead = 1;
	spec_terms(&p);
	spec_execs(&p, 4);
	run = kit_run(&k, &p);
	kit_decide(&k);
	kit_started(&k, run, 1);
	kit_started(&k, run, 2);
	kit_ended(&k, run, 1, OUTCOME_PASSED);
	kit_started(&k, run, 3);
	kit_ended(&k, run, 3, OUTCOME_PASSED);
	kit_decide(&k);
	assert_non_null(kit_find(&k, SCHED_TAKE_BACK, run, 4));
	assert_int_equal(sched_kept(k.s, kit_id(&k, run, 4), k.now_us),
	    SCHED_TAKEN);
	kit_ended(&k, run, 2, OUTCOME_PASSED);
	kit_started(&k, run, 4);
	kit_decide(&k);
	assert_int_equal(k.out.n, 1);
	assert_non_null(kit_find(&k, SCHED_FINAL, run, 2));
	kit_ended(&k, run, 4, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_RUN_ENDED), 1);
	kit_done(&k);
}

/* Terms of what may go to the agents of one list. */
static void
spec_listed(struct spec *p, const struct strvec *const *list)
{
	*spec_terms(p) = (struct sched_terms){ .repeatable = true,
		.workers = 1, .agents = list, .n_agents = 1 };
}

/* Moved to an agent that its plan does not name, and kept where it was: it is
 * asked back until it goes there. */
static void
test_moved_is_asked_back(void **state)
{
	struct strvec only = STRVEC_INIT;
	const struct strvec *lists[] = { &only };
	const struct sched_decision *d;
	struct spec p;
	struct kit k;
	uint32_t run;

	strvec_push(&only, "A");
	kit_init(&k);
	kit_agent(&k, 0, "A", 1);
	kit_agent(&k, 1, "B", 1);
	spec_init(&p);
	p.run.ahead = 1;
	spec_listed(&p, lists);
	spec_execs(&p, 2);
	run = kit_run(&k, &p);
	kit_decide(&k);
	kit_started(&k, run, 1);
	assert_int_equal(sched_exec_move(k.s, run, 2, 1, k.now_us), 0);
	kit_decide(&k);
	assert_non_null(kit_find(&k, SCHED_TAKE_BACK, run, 2));
	sched_kept(k.s, kit_id(&k, run, 2), k.now_us);
	kit_decide(&k);
	d = kit_find(&k, SCHED_TAKE_BACK, run, 2);
	assert_non_null(d);
	assert_int_equal(d->other, 1);
	sched_returned(k.s, kit_id(&k, run, 2), false, k.now_us);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 2), 1);
	kit_done(&k);
	strvec_done(&only);
}

static void
test_drain_moves_and_hold_keeps(void **state)
{
	struct sched_agent a = kit_facts("A", 1);
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	sched_agent_set(k.s, 0, &a, k.now_us);
	spec_init(&p);
	p.run.ahead = 2;
	spec_terms(&p);
	spec_execs(&p, 4);
	run = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 3);
	kit_started(&k, run, 1);
	a.held = true;
	sched_agent_set(k.s, 0, &a, k.now_us);
	kit_decide(&k);
	assert_int_equal(k.out.n, 0);
	assert_string_equal(kit_why(&k, run, 4), "agents-held");
	a.held = false;
	a.draining = true;
	a.draining_text = "by ann";
	sched_agent_set(k.s, 0, &a, k.now_us);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_TAKE_BACK), 2);
	assert_int_equal(sched_returned(k.s, kit_id(&k, run, 2), false,
	    k.now_us), SCHED_TAKEN);
	assert_int_equal(sched_returned(k.s, kit_id(&k, run, 3), false,
	    k.now_us), SCHED_TAKEN);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 0);
	assert_string_equal(kit_why(&k, run, 2), "agents-draining");
	assert_true(kit_says(&k, run, 2, "agents-draining", "A (by ann)"));
	a.draining = false;
	sched_agent_set(k.s, 0, &a, k.now_us);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 2), 0);
	kit_done(&k);
}

/* What an agent may no longer have is taken back, and starts there no more. */
static void
test_other_labels_and_gone(void **state)
{
	struct strvec linux = STRVEC_INIT, wanted = STRVEC_INIT;
	const struct strvec *lists[] = { &wanted };
	struct sched_agent a = kit_facts("A", 1);
	struct spec p;
	struct kit k;
	uint32_t run;

	strvec_push(&linux, "linux");
	strvec_push(&wanted, "@linux");
	a.labels = &linux;
	kit_init(&k);
	sched_agent_set(k.s, 0, &a, k.now_us);
	spec_init(&p);
	p.run.ahead = 1;
	spec_listed(&p, lists);
	spec_execs(&p, 2);
	run = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 2);
	kit_started(&k, run, 1);
	a.labels = NULL;
	sched_agent_set(k.s, 0, &a, k.now_us);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_TAKE_BACK), 1);
	assert_int_equal(sched_returned(k.s, kit_id(&k, run, 2), false,
	    k.now_us), SCHED_TAKEN);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 0);
	assert_string_equal(kit_why(&k, run, 2), "no-agent");
	assert_true(kit_says(&k, run, 2, "no-agent", "A, which lacks @linux"));
	a.labels = &linux;
	sched_agent_set(k.s, 0, &a, k.now_us);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 1);
	a.gone = true;
	sched_agent_set(k.s, 0, &a, k.now_us);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_TAKE_BACK), 1);
	assert_int_equal(sched_returned(k.s, kit_id(&k, run, 2), false,
	    k.now_us), SCHED_TAKEN);
	kit_decide(&k);
	assert_string_equal(kit_why(&k, run, 2), "no-agent");
	assert_false(kit_says(&k, run, 2, "no-agent", "nearest"));
	kit_done(&k);
	strvec_done(&linux);
	strvec_done(&wanted);
}

/* Lowering kills nothing, nothing starts until fewer run; raising starts. */
static void
test_lower_and_raise(void **state)
{
	struct sched_agent a = kit_facts("A", 3);
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	sched_agent_set(k.s, 0, &a, k.now_us);
	spec_init(&p);
	spec_terms(&p);
	spec_execs(&p, 6);
	run = kit_run(&k, &p);
	kit_decide(&k);
	kit_started(&k, run, 1);
	kit_started(&k, run, 2);
	kit_started(&k, run, 3);
	a.max_workers = a.threshold = 1;
	sched_agent_set(k.s, 0, &a, k.now_us);
	kit_ended(&k, run, 1, OUTCOME_PASSED);
	kit_ended(&k, run, 2, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 0);
	kit_ended(&k, run, 3, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 1);
	a.max_workers = a.threshold = 3;
	sched_agent_set(k.s, 0, &a, k.now_us);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 2);
	kit_done(&k);
}

/* Something that needs two workers is passed by a stream of narrow ones, two
 * at a time and never both over; but not for ever. */
static void
test_wide_reserves(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run, wide, i, n;

	kit_init(&k);
	kit_agent(&k, 0, "A", 2);
	spec_init(&p);
	spec_terms(&p);
	spec_execs(&p, 2);
	p.terms[0].retries = UINT16_MAX;
	p.terms[0].retry_delay_us = 0;
	run = kit_run(&k, &p);
	kit_decide(&k);
	spec_init(&p);
	p.run.priority = 1;
	spec_terms(&p)->workers = 2;
	p.keys[0] = 77;
	spec_execs(&p, 1)->first_key = 1;
	p.keys[1] = 78;
	wide = kit_run(&k, &p);
	for (i = 0; i < 400; i++) {
		n = 1 + i % 2;
		if (kit_state(&k, run, n) == EXEC_ASSIGNED)
			kit_ended(&k, run, n, OUTCOME_FAILED);
		kit_decide(&k);
		if (kit_state(&k, wide, 1) != EXEC_WAITING)
			break;
		if (kit_state(&k, run, n) == EXEC_WAITING)
			assert_string_equal(kit_why(&k, run, n), "reserved");
		assert_string_equal(kit_why(&k, wide, 1), "workers-busy");
	}
	assert_true(i > 60 && i < 70);
	assert_int_equal(kit_sent(&k, wide, 1), 0);
	kit_done(&k);
}

static void
test_priority_of_runs(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t low, high, later;

	kit_init(&k);
	kit_agent(&k, 0, "A", 1);
	spec_init(&p);
	spec_terms(&p)->beside_itself = true;
	spec_execs(&p, 2);
	low = kit_run(&k, &p);
	later = kit_run(&k, &p);
	p.run.priority = 5;
	high = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, high, 1), 0);
	assert_int_equal(sched_run_priority(k.s, high, -5), 0);
	kit_ended(&k, high, 1, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, low, 1), 0);
	assert_int_equal(sched_exec_priority(k.s, later, 2, 7), 0);
	kit_ended(&k, low, 1, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, later, 2), 0);
	kit_done(&k);
}

static void
test_orders(void **state)
{
	struct spec p;
	struct kit k;
	uint32_t run;

	kit_init(&k);
	kit_agent(&k, 0, "A", 2);
	spec_init(&p);
	p.run.order = ORDER_LONGEST;
	spec_terms(&p);
	spec_execs(&p, 4);
	p.execs[0].estimate_us = 10;
	p.execs[1].estimate_us = 30;
	p.execs[3].estimate_us = 20;
	run = kit_run(&k, &p);
	kit_decide(&k);		/* the unknown one first, then the longest */
	assert_int_equal(k.out.v[0].id.exec, 3);
	assert_int_equal(k.out.v[1].id.exec, 2);
	sched_run_remove(k.s, run);
	p.run.order = ORDER_FAILED;
	p.execs[0].fails = 900;
	kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(k.out.v[0].id.exec, 1);
	assert_int_equal(sched_pick_order(ORDER_AUTO, 10, 5), ORDER_LONGEST);
	assert_int_equal(sched_pick_order(ORDER_AUTO, 10, 4), ORDER_PLAN);
	assert_int_equal(sched_pick_order(ORDER_AUTO, 0, 0), ORDER_PLAN);
	assert_int_equal(sched_pick_order(ORDER_FAILED, 0, 0), ORDER_FAILED);
	kit_done(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tiers),
		cmocka_unit_test(test_fastest_then_freest_then_first),
		cmocka_unit_test(test_threshold),
		cmocka_unit_test(test_threshold_zero_is_pinned_only),
		cmocka_unit_test(test_reserve),
		cmocka_unit_test(test_reassign),
		cmocka_unit_test(test_reassign_too_late),
		cmocka_unit_test(test_moved_is_asked_back),
		cmocka_unit_test(test_drain_moves_and_hold_keeps),
		cmocka_unit_test(test_other_labels_and_gone),
		cmocka_unit_test(test_lower_and_raise),
		cmocka_unit_test(test_wide_reserves),
		cmocka_unit_test(test_priority_of_runs),
		cmocka_unit_test(test_orders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
