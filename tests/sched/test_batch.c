/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Batches: shares, members with results of their own, limits, the simulator. */
#include "config.h"

#include "kit.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sched/sim.h"

/* n executions of a second each that may share a process. */
static void
batch_spec(struct spec *p, uint32_t n)
{
	uint32_t i;

	spec_init(p);
	p->run.order = ORDER_LONGEST;
	p->run.start_cost_us = US_PER_S;
	spec_terms(p)->batch = 1;
	p->terms[0].retries = 1;
	p->terms[0].retry_delay_us = 0;
	spec_execs(p, n);
	for (i = 0; i < n; i++)
		p->execs[i].estimate_us = US_PER_S;
}

static uint32_t
members_of(const struct kit *k, size_t i)
{
	return k->out.v[i].kind == SCHED_SEND ? k->out.v[i].n_members : 0;
}

static void
test_large_early_small_late(void **state)
{
	uint32_t run, i, now, last = UINT32_MAX, seen = 0;
	struct sched_id id;
	struct spec p;
	struct kit k;

	kit_init(&k);
	kit_agent(&k, 0, "A", 1);
	batch_spec(&p, 60);
	run = kit_run(&k, &p);
	for (kit_decide(&k); kit_find(&k, SCHED_SEND, run, 0) != NULL;
	    kit_decide(&k)) {
		id = kit_find(&k, SCHED_SEND, run, 0)->id;
		now = kit_find(&k, SCHED_SEND, run, 0)->n_members;
		assert_true(now <= last);
		assert_true(now >= 2 || seen + now == 60);
		last = now;
		sched_started(k.s, id, 1, k.now_us);
		for (i = 0; i < now; i++) {
			id.exec = k.out.members[i].exec;
			assert_int_equal(k.out.members[i].attempt, 1);
			assert_int_equal(kit_state(&k, run, id.exec),
			    EXEC_RUNNING);
			assert_int_equal(sched_ended(k.s, id, OUTCOME_PASSED,
			    US_PER_S, k.now_us), SCHED_TAKEN);
		}
		seen += now;
	}
	assert_int_equal(seen, 60);
	assert_int_equal(sched_counts(k.s, run).n[EXEC_PASSED], 60);
	assert_int_equal(kit_count(&k, SCHED_RUN_ENDED), 1);
	kit_done(&k);
}

/* Only members that did not pass are tried again; the worker stays busy until
 * the last one has ended. */
static void
test_members_end_alone(void **state)
{
	uint32_t run;
	struct spec p;
	struct kit k;

	kit_init(&k);
	kit_agent(&k, 0, "A", 1);
	batch_spec(&p, 3);
	p.run.start_cost_us = 10 * US_PER_S;
	run = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(k.out.n, 1);
	assert_int_equal(members_of(&k, 0), 3);
	kit_ended(&k, run, 1, OUTCOME_PASSED);
	kit_ended(&k, run, 2, OUTCOME_FAILED);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_SEND), 0);
	assert_int_equal(kit_state(&k, run, 2), EXEC_WAITING);
	kit_ended(&k, run, 3, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 2), 0);
	assert_int_equal(kit_find(&k, SCHED_SEND, run, 2)->n_members, 1);
	kit_ended(&k, run, 2, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_state(&k, run, 2), EXEC_HEALED);
	kit_done(&k);
}

static void
test_lost_and_returned_whole(void **state)
{
	struct sched_agent a = kit_facts("A", 1);
	struct sched_id id;
	uint32_t run;
	struct spec p;
	struct kit k;

	kit_init(&k);
	sched_agent_set(k.s, 0, &a, k.now_us);
	batch_spec(&p, 4);
	p.run.start_cost_us = 10 * US_PER_S;
	p.run.max_parallel = 1;		/* a batch is one */
	run = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(members_of(&k, 0), 4);
	id = k.out.v[0].id;
	assert_int_equal(sched_returned(k.s, id, false, k.now_us),
	    SCHED_TAKEN);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_WAIT), 4);
	assert_int_equal(kit_count(&k, SCHED_SEND), 1);
	id = kit_id(&k, run, 1);
	assert_int_equal(id.attempt, 2);
	sched_started(k.s, id, 1, k.now_us);
	a.up = false;
	sched_agent_set(k.s, 0, &a, k.now_us);
	kit_decide(&k);
	k.now_us += 120 * US_PER_S;
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_LOST), 1);
	assert_int_equal(sched_counts(k.s, run).n[EXEC_WAITING], 4);
	a.up = true;		/* found: all of it is current again */
	sched_agent_set(k.s, 0, &a, k.now_us);
	assert_int_equal(sched_started(k.s, id, 1, k.now_us), SCHED_TAKEN);
	assert_int_equal(sched_counts(k.s, run).n[EXEC_RUNNING], 4);
	kit_done(&k);
}

/* One that ended in error is found: in few, then alone. */
static void
test_errors_part_a_batch(void **state)
{
	static const uint32_t most[] = { 30, 8, 1 };
	const struct sched_member *m;
	uint32_t run, i, n, sends = 0;
	struct spec p;
	struct kit k;

	kit_init(&k);
	kit_agent(&k, 0, "A", 1);
	batch_spec(&p, 30);
	p.run.start_cost_us = 100 * US_PER_S;
	p.terms[0].error_retries = 2;
	run = kit_run(&k, &p);
	for (kit_decide(&k); kit_count(&k, SCHED_SEND) > 0; kit_decide(&k)) {
		for (i = 0; members_of(&k, i) == 0; i++)
			;
		n = members_of(&k, i);
		m = &k.out.members[k.out.v[i].first_member];
		sends++;
		for (i = 0; i < n; i++) {
			assert_true(n <= most[m[i].attempt - 1]);
			sched_ended(k.s, (struct sched_id){ run, m[i].exec,
			    m[i].attempt }, OUTCOME_ERROR, 0, k.now_us);
		}
	}
	assert_int_equal(sends, 1 + 4 + 30);
	assert_int_equal(sched_counts(k.s, run).n[EXEC_ERROR], 30);
	kit_done(&k);
}

/* The names of members fit in the arguments; one that does not goes alone. */
static void
test_names_fit(void **state)
{
	uint32_t run, i;
	struct spec p;
	struct kit k;

	kit_init(&k);
	kit_agent(&k, 0, "A", 1);
	batch_spec(&p, 5);
	p.run.order = ORDER_PLAN;
	p.run.start_cost_us = 100 * US_PER_S;
	p.terms[0].room = 10;
	for (i = 0; i < 5; i++)
		p.execs[i].size = i == 2 ? 11 : 5;
	run = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(members_of(&k, 0), 2);
	kit_ended(&k, run, 1, OUTCOME_PASSED);
	kit_ended(&k, run, 2, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_find(&k, SCHED_SEND, run, 3)->n_members, 1);
	kit_ended(&k, run, 3, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_find(&k, SCHED_SEND, run, 4)->n_members, 2);
	kit_done(&k);
}

/* Who is cancelled ends; who only shared the process is tried again. */
static void
test_one_is_cancelled(void **state)
{
	uint32_t run;
	struct spec p;
	struct kit k;

	kit_init(&k);
	kit_agent(&k, 0, "A", 1);
	batch_spec(&p, 3);
	p.run.start_cost_us = 100 * US_PER_S;
	run = kit_run(&k, &p);
	kit_decide(&k);
	sched_started(k.s, kit_id(&k, run, 1), 1, k.now_us);
	assert_int_equal(sched_exec_cancel(k.s, run, 2, k.now_us), 0);
	kit_decide(&k);
	assert_int_equal(kit_find(&k, SCHED_CANCEL, run, 1)->id.exec, 1);
	kit_ended(&k, run, 1, OUTCOME_PASSED);
	kit_ended(&k, run, 2, OUTCOME_CANCELLED);
	kit_ended(&k, run, 3, OUTCOME_CANCELLED);
	kit_decide(&k);
	assert_int_equal(kit_state(&k, run, 1), EXEC_PASSED);
	assert_int_equal(kit_state(&k, run, 2), EXEC_CANCELLED);
	assert_int_equal(kit_find(&k, SCHED_SEND, run, 3)->n_members, 1);
	kit_done(&k);
}

static void
test_resumed_batch(void **state)
{
	uint32_t run, i;
	struct spec p;
	struct kit k;

	kit_init(&k);
	kit_agent(&k, 0, "A", 1);
	batch_spec(&p, 3);
	for (i = 0; i < 3; i++) {
		p.execs[i].state = EXEC_RUNNING;
		p.execs[i].attempt = 1;
		p.execs[i].lead = 2;
	}
	run = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(sched_run_workers(k.s, run), 1);
	assert_int_equal(sched_started(k.s, kit_id(&k, run, 2), 1,
	    k.now_us), SCHED_SAID);
	for (i = 1; i <= 3; i++)
		kit_ended(&k, run, i, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_count(&k, SCHED_RUN_ENDED), 1);
	kit_done(&k);
}

/* The one that led it had ended when the console died: the others are one
 * attempt still, on one worker. */
static void
test_resumed_without_its_lead(void **state)
{
	uint32_t run, i;
	struct spec p;
	struct kit k;

	kit_init(&k);
	kit_agent(&k, 0, "A", 2);
	batch_spec(&p, 4);
	p.run.max_parallel = 2;
	for (i = 0; i < 3; i++) {
		p.execs[i].state = i == 1 ? EXEC_PASSED : EXEC_RUNNING;
		p.execs[i].attempt = 1;
		p.execs[i].lead = 2;
	}
	run = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(sched_run_workers(k.s, run), 1);
	assert_int_equal(kit_sent(&k, run, 4), 0);
	kit_ended(&k, run, 1, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(sched_run_workers(k.s, run), 1);
	kit_ended(&k, run, 3, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(sched_run_workers(k.s, run), 0);
	kit_done(&k);
}

/* What failed in it waits for the end of that process: no step of it goes
 * where its first attempt may still be. */
static void
test_resumed_beside_itself(void **state)
{
	uint32_t run, i;
	struct spec p;
	struct kit k;

	kit_init(&k);
	kit_agent(&k, 0, "A", 4);
	batch_spec(&p, 2);
	p.terms[0].retries = 1;
	for (i = 0; i < 2; i++) {
		p.execs[i].state = i == 0 ? EXEC_WAITING : EXEC_RUNNING;
		p.execs[i].attempt = 1;
		p.execs[i].failures = i == 0;
		p.execs[i].lead = 1;
	}
	run = kit_run(&k, &p);
	kit_decide(&k);
	assert_int_equal(k.out.n, 0);
	kit_ended(&k, run, 2, OUTCOME_PASSED);
	kit_decide(&k);
	assert_int_equal(kit_sent(&k, run, 1), 0);
	kit_done(&k);
}

/* One row with its members as steps, one start for all of them. */
static void
test_simulated(void **state)
{
	struct sim_agent a = { .facts = kit_facts("A", 1) };
	struct sim_opts opts = { .startup_us = 2 * US_PER_S };
	int64_t step_us[] = { US_PER_S, US_PER_S, US_PER_S };
	uint32_t first[] = { 0, 1, 2, 3 };
	struct sim_result res;
	struct sim_run run;
	struct spec p;

	batch_spec(&p, 3);
	p.run.start_cost_us = 10 * US_PER_S;
	run = (struct sim_run){ &p.run, step_us, first };
	assert_int_equal(sim_run(&a, 1, &run, 1, &opts, &res), 0);
	assert_int_equal(res.n_rows, 1);
	assert_int_equal(res.rows[0].n_steps, 3);
	assert_int_equal(res.steps[0].start_us, 2 * US_PER_S);
	assert_int_equal(res.steps[2].exec, 3);
	assert_int_equal(res.makespan_us, 5 * US_PER_S);
	assert_int_equal(res.bound_us, 5 * US_PER_S);
	assert_int_equal(res.counts.n[EXEC_PASSED], 3);
	sim_result_done(&res);
}

/* Real agents, round trips, failures: the same seed gives the same rows. */
static void
test_simulation_is_repeatable(void **state)
{
	struct sim_agent a[3] = { { .facts = kit_facts("A", 2) },
		{ .facts = kit_facts("B", 3) }, { .facts = kit_facts("C", 1),
		.speed = 500 } };
	struct sim_opts opts = { .startup_us = 1000, .fail_ppm = 200000,
		.seed = 7 };
	int64_t step_us[40];
	uint32_t first[41], i;
	struct sim_result one, two;
	struct sim_run run;
	struct spec p;

	spec_init(&p);
	p.run.order = ORDER_LONGEST;
	spec_terms(&p)->retries = 2;
	spec_execs(&p, 40);
	for (i = 0; i < 40; i++) {
		step_us[i] = (1 + i % 7) * US_PER_S;
		p.execs[i].estimate_us = step_us[i];
		first[i] = i;
	}
	first[40] = 40;
	a[0].facts.rtt_us = a[1].facts.rtt_us = 100000;
	run = (struct sim_run){ &p.run, step_us, first };
	assert_int_equal(sim_run(a, 3, &run, 1, &opts, &one), 0);
	assert_int_equal(sim_run(a, 3, &run, 1, &opts, &two), 0);
	assert_int_equal(counts_final(&one.counts), 40);
	assert_true(one.counts.n[EXEC_HEALED] > 0);
	assert_true(one.n_rows > 40);
	assert_int_equal(one.n_rows, two.n_rows);
	for (i = 0; i < one.n_rows; i++) {
		assert_int_equal(one.rows[i].exec, two.rows[i].exec);
		assert_int_equal(one.rows[i].agent, two.rows[i].agent);
		assert_int_equal(one.rows[i].start_us, two.rows[i].start_us);
		assert_int_equal(one.rows[i].end_us, two.rows[i].end_us);
	}
	assert_true(one.makespan_us >= one.bound_us);
	sim_result_done(&one);
	sim_result_done(&two);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_large_early_small_late),
		cmocka_unit_test(test_members_end_alone),
		cmocka_unit_test(test_lost_and_returned_whole),
		cmocka_unit_test(test_errors_part_a_batch),
		cmocka_unit_test(test_names_fit),
		cmocka_unit_test(test_one_is_cancelled),
		cmocka_unit_test(test_resumed_batch),
		cmocka_unit_test(test_resumed_without_its_lead),
		cmocka_unit_test(test_resumed_beside_itself),
		cmocka_unit_test(test_simulated),
		cmocka_unit_test(test_simulation_is_repeatable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
