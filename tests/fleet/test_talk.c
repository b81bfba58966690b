/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a fleet says to scripts and hears of them: work, values, output. */
#include "lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/mem.h"

/* ---- work ---- */

static void
test_work(void **state)
{
	struct ident id = { .run = RUN, .execution = 1, .attempt = 1 };
	struct lab *lab = lab_new();
	uint32_t i;

	add(lab, OPTIONS("end=1"));
	start(lab);
	UNTIL(lab, lab->seen[0].up == 1);
	fleet_sync(lab->fleet, 0, RUN, 3);
	for (i = 1; i <= 100; i++)
		start_work(lab, 0, i);
	assert_int_equal(agent(lab, 0)->sent, 100);
	assert_int_equal(agent(lab, 0)->answer_us, 0);
	UNTIL(lab, lab->seen[0].ended == 100);
	assert_int_equal(agent(lab, 0)->sent, 0);
	assert_true(agent(lab, 0)->answer_us > 0);
	/* One message for all, after the sync. */
	assert_int_equal(logged(lab, "\"START\""), 1);
	for (i = 1; i <= 100; i++) {
		id.execution = i;
		fleet_ack(lab->fleet, 0, &id, 3);
	}
	fleet_take_back(lab->fleet, 0, &id, 3);
	UNTIL(lab, lab->seen[0].returned == 1);
	assert_int_equal(logged(lab, "\"ACK\""), 1);
	assert_true(lab->seen[0].last_returned);
	assert_int_equal(lab->seen[0].id.execution, 100);
	fleet_cancel(lab->fleet, 0, &id, 3, 5 * US_PER_S);
	UNTIL(lab, lab->seen[0].ended == 101);
	assert_int_equal(logged(lab, "\"grace_s\": 5"), 1);
	lab_free(lab);
}

static void
test_large(void **state)
{
	struct work w = some_work(1);
	struct lab *lab = lab_new();
	size_t n = 5u << 20;
	char *big = mem_zalloc(n + 1);

	memset(big, 'x', n);
	strvec_push_owned(&w.steps[0].argv, big);
	add(lab, OPTIONS("end=1"));
	start(lab);
	UNTIL(lab, lab->seen[0].up == 1);
	fleet_start(lab->fleet, 0, &w);
	assert_int_equal(lab->seen[0].returned, 0);
	UNTIL(lab, lab->seen[0].returned == 1);
	assert_non_null(strstr(lab->seen[0].why, "too long"));
	/* Two of 3 MB are two messages. */
	w.steps[0].argv.v[1][3u << 20] = '\0';
	fleet_start(lab->fleet, 0, &w);
	w.id.execution = 2;
	fleet_start(lab->fleet, 0, &w);
	UNTIL(lab, lab->seen[0].ended == 2);
	work_done(&w);
	lab_free(lab);
}

static void
test_read_only(void **state)
{
	struct ident id = { .run = RUN, .execution = 1, .attempt = 1 };
	struct lab *lab = lab_new();

	add(lab, OPTIONS("readonly=1"));
	start(lab);
	UNTIL(lab, lab->seen[0].up == 1);
	start_work(lab, 0, 1);
	fleet_ack(lab->fleet, 0, &id, 1);
	UNTIL(lab, lab->seen[0].returned == 1);
	assert_non_null(strstr(lab->seen[0].why, "only look"));
	fleet_set_mode(lab->fleet, 0, "drain", NULL, NULL, 0, on_done, lab);
	assert_int_equal(lab->answers, 1);
	assert_int_equal(lab->code, ERR_REFUSED);
	fleet_sync(lab->fleet, 0, RUN, 3);
	UNTIL(lab, lab->seen[0].synced == 1);
	assert_int_equal(logged(lab, "\"ACK\""), 0);
	assert_int_equal(logged(lab, "\"START\""), 0);
	lab_free(lab);
}

/* ---- values and modes ---- */

static void
test_set(void **state)
{
	struct fleet_set set = { .who = "bob@desk", .set_max = true,
		.max_workers = 8, .expect_max = 4 };
	struct lab *lab = lab_new();

	add(lab, OPTIONS("source=file", "threshold=2"));
	start(lab);
	fleet_set_values(lab->fleet, 0, &set, on_done, lab);
	assert_int_equal(lab->code, ERR_CLOSED);
	UNTIL(lab, lab->seen[0].up == 1);
	fleet_set_values(lab->fleet, 0, &set, on_done, lab);
	UNTIL(lab, lab->answers == 2);
	assert_int_equal(lab->code, 0);
	assert_int_equal(agent(lab, 0)->facts.max_workers, 8);
	assert_int_equal(logged(lab, "\"who\": \"bob@desk\""), 1);
	/* Somebody else was faster. */
	fleet_set_values(lab->fleet, 0, &set, on_done, lab);
	UNTIL(lab, lab->answers == 3);
	assert_int_equal(lab->code, ERR_STALE);
	assert_string_equal(lab->text, "now 8, not 4");
	set = (struct fleet_set){ .set_threshold = true,
		.threshold = { THRESHOLD_SPARE, 1 },
		.expect_threshold = { THRESHOLD_NUMBER, 2 } };
	fleet_set_values(lab->fleet, 0, &set, on_done, lab);
	UNTIL(lab, lab->answers == 4);
	assert_int_equal(lab->code, 0);
	assert_int_equal(agent(lab, 0)->facts.threshold.kind, THRESHOLD_SPARE);
	set = (struct fleet_set){ .set_guards = GUARD_BIT(GUARD_MEMORY),
		.guards = { .given = GUARD_BIT(GUARD_MEMORY),
		    .free_memory = 5 } };
	fleet_set_values(lab->fleet, 0, &set, on_done, lab);
	UNTIL(lab, lab->answers == 5);
	assert_int_equal(lab->code, 0);
	assert_int_equal(agent(lab, 0)->facts.guards.free_memory, 5);
	fleet_set_values(lab->fleet, 0, &set, on_done, lab);
	UNTIL(lab, lab->answers == 6);
	assert_int_equal(lab->code, ERR_STALE);
	lab_free(lab);
}

static void
test_modes(void **state)
{
	struct lab *lab = lab_new();

	add(lab, NULL);
	start(lab);
	UNTIL(lab, lab->seen[0].up == 1);
	fleet_bench(lab->fleet, 0, true, NULL);
	assert_int_equal(agent(lab, 0)->state, AGENT_BENCHED);
	fleet_set_mode(lab->fleet, 0, "drain", "bob", "new disk", 0, on_done,
	    lab);
	UNTIL(lab, lab->answers == 1);
	assert_int_equal(agent(lab, 0)->state, AGENT_DRAINING);
	assert_string_equal(agent(lab, 0)->facts.draining.note, "new disk");
	fleet_set_mode(lab->fleet, 0, "hold", "bob", NULL, 0, on_done, lab);
	UNTIL(lab, lab->answers == 2);
	assert_int_equal(agent(lab, 0)->state, AGENT_HELD);
	fleet_set_mode(lab->fleet, 0, "release", "bob", NULL, 0, NULL, NULL);
	fleet_set_mode(lab->fleet, 0, "undrain", "bob", NULL, 0, on_done, lab);
	UNTIL(lab, lab->answers == 3);
	fleet_bench(lab->fleet, 0, false, NULL);
	assert_int_equal(agent(lab, 0)->state, AGENT_IDLE);
	lab_free(lab);
}

/* What waits for an answer hears of the end of the link. */
static void
test_dropped_answer(void **state)
{
	struct lab *lab = lab_new();

	add(lab, OPTIONS("die=MODE"));
	start(lab);
	UNTIL(lab, lab->seen[0].up == 1);
	fleet_set_mode(lab->fleet, 0, "hold", NULL, NULL, 0, on_done, lab);
	UNTIL(lab, lab->answers == 1);
	assert_int_equal(lab->code, ERR_CLOSED);
	lab_free(lab);
}

/* Values of the fleet file are for an agent that has none yet. */
static void
test_fleet_values(void **state)
{
	struct lab *lab = lab_new();
	struct agent_spec *a;

	a = add(lab, OPTIONS("source=advised"));
	a->max_workers = 7;
	a->threshold = (struct threshold){ THRESHOLD_SPARE, 2 };
	a = add(lab, OPTIONS("source=console", "max=3", "threshold=1"));
	a->max_workers = 7;
	a->threshold = (struct threshold){ THRESHOLD_NUMBER, 2 };
	start(lab);
	UNTIL(lab, lab->seen[0].up == 1);
	assert_int_equal(agent(lab, 0)->facts.max_workers, 7);
	UNTIL(lab, lab->seen[1].up == 1);
	UNTIL(lab, agent(lab, 0)->facts.max_source == SOURCE_CONSOLE);
	assert_int_equal(agent(lab, 0)->facts.max_workers, 7);
	assert_int_equal(agent(lab, 0)->facts.threshold.kind, THRESHOLD_SPARE);
	fleet_sync(lab->fleet, 1, RUN, 1);
	UNTIL(lab, lab->seen[1].synced == 1);
	assert_int_equal(agent(lab, 1)->facts.max_workers, 3);
	assert_int_equal(agent(lab, 1)->facts.threshold.n, 1);
	assert_int_equal(logged(lab, "\"SET\""), 1);
	lab_free(lab);
}

/* ---- output ---- */

static void
tail_data(void *arg, uint64_t offset, const uint8_t *p, size_t n)
{
	struct lab *lab = arg;

	assert_int_equal(offset, lab->next_offset);
	lab->next_offset = offset + n;
	buf_put(&lab->output, p, n);
}

static void
tail_end(void *arg, int code, const char *text)
{
	struct lab *lab = arg;

	lab->tail_ends++;
	lab->tail_code = code;
}

static const struct fleet_tail_ops tail_ops = { .data = tail_data,
	.end = tail_end };

/* The link breaks in the middle: the output is whole and not doubled. */
static void
test_tail(void **state)
{
	struct ident id = { .run = RUN, .execution = 1, .attempt = 1 };
	struct fleet_tail *t, *none;
	struct lab *lab = lab_new();

	add(lab, OPTIONS("die=TAIL"));
	start(lab);
	assert_int_equal(fleet_tail(lab->fleet, 0, &id, 0, true, &tail_ops,
	    lab, &t), 0);
	UNTIL(lab, lab->tail_ends == 1);
	assert_int_equal(lab->tail_code, 0);
	assert_int_equal(lab->seen[0].down, 1);
	assert_int_equal(buf_len(&lab->output), 792);
	assert_int_equal(strncmp(buf_str(&lab->output), "line 1\nline 2\n", 14),
	    0);
	assert_string_equal(buf_str(&lab->output) + 792 - 9, "line 100\n");
	assert_true(logged(lab, "\"offset\": 100") == 1);
	fleet_untail(t);

	/* From the end. */
	lab->next_offset = 792 - 9;
	buf_clear(&lab->output);
	fleet_tail(lab->fleet, 0, &id, -9, false, &tail_ops, lab, &t);
	UNTIL(lab, lab->tail_ends == 2);
	assert_string_equal(buf_str(&lab->output), "line 100\n");
	/* One that there is not. */
	id.attempt = 9;
	fleet_tail(lab->fleet, 0, &id, 0, false, &tail_ops, lab, &none);
	UNTIL(lab, lab->tail_ends == 3);
	assert_int_equal(lab->tail_code, ERR_NOT_FOUND);
	fleet_untail(none);
	fleet_untail(NULL);
	/* A tail may outlive its fleet. */
	fleet_free(lab->fleet);
	lab->fleet = NULL;
	fleet_untail(t);
	lab_free(lab);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_work),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_read_only),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_dropped_answer),
		cmocka_unit_test(test_fleet_values),
		cmocka_unit_test(test_tail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
