/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Links to scripts: how they come up, what ends them, how they come back. */
#include "lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/mem.h"

/* ---- connecting ---- */

static void
test_up(void **state)
{
	struct lab *lab = lab_new();
	struct agent_spec *a = add(lab, OPTIONS("max=6", "source=file"));

	strvec_push(&a->labels, "linux");
	start(lab);
	assert_int_equal(agent(lab, 0)->state, AGENT_CONNECTING);
	assert_int_equal(lab->seen[0].up, 0);
	UNTIL(lab, lab->seen[0].up == 1);
	assert_int_equal(agent(lab, 0)->state, AGENT_IDLE);
	assert_int_equal(agent(lab, 0)->link, LINK_UP);
	assert_true(agent(lab, 0)->known);
	assert_int_equal(agent(lab, 0)->facts.max_workers, 6);
	assert_null(agent(lab, 0)->error);
	assert_int_equal(strvec_find(&agent(lab, 0)->labels, "linux"), 0);
	assert_non_null(agent(lab, 0)->host);
	UNTIL(lab, agent(lab, 0)->rtt_us > 0);
	assert_int_equal(fleet_count(lab->fleet), 1);
	assert_int_equal(fleet_index(lab->fleet, "lab-1"), 0);
	assert_int_equal(fleet_index(lab->fleet, "lab-2"), -1);
	assert_int_equal(logged(lab, "\"who\": \"ann@desk\""), 1);
	lab_free(lab);
}

static void
test_noise(void **state)
{
	struct lab *lab = lab_new();

	add(lab, OPTIONS("noise=Welcome to the lab\n"));
	start(lab);
	UNTIL(lab, lab->seen[0].up == 1);
	assert_non_null(strstr(lab->events, "Welcome to the lab"));
	lab_free(lab);
}

/* One of each fault; each is said in words, none holds up the good one. */
static void
test_faults(void **state)
{
	static const struct {
		const char *option;
		const char *words;
	} faults[] = {
		{ "banner=yardmaster protocol 2", "speaks another protocol" },
		{ "protocol=7", "speaks protocol 7, this console 1" },
		{ "mute=welcome", "did not say welcome" },
		{ "garbage=00002700", "message 39 out of turn" },
		{ "garbage=ffff1500", "keep to the protocol" },
		{ "garbage=0002150078", "cannot be read" },
		{ "garbage=000215007b7d", "report that cannot be read" },
		{ "garbage=00031a00000000", "bad output message" },
		{ "garbage=000214007b7d", "out of turn" },
	};
	size_t n = sizeof(faults) / sizeof(faults[0]), i;
	struct lab *lab = lab_new();

	for (i = 0; i < n; i++)
		add(lab, OPTIONS(faults[i].option));
	strvec_done(&lab->agents[n].command);
	add(lab, NULL);
	lab->agents[lab->spec.n_agents].name = str_dup("gone");
	lab->agents[lab->spec.n_agents].transport = TRANSPORT_COMMAND;
	strvec_push(&lab->agents[lab->spec.n_agents++].command,
	    "/nonexistent/agent");
	start(lab);
	for (i = 0; i < n; i++)
		UNTIL(lab, agent(lab, i)->error != NULL &&
		    strstr(agent(lab, i)->error, faults[i].words) != NULL);
	UNTIL(lab, lab->seen[n].up == 1);
	UNTIL(lab, agent(lab, n + 1)->error != NULL);
	assert_int_equal(agent(lab, n + 1)->state, AGENT_OFFLINE);
	/* Valgrind's posix_spawn() does not tell that exec failed. */
	assert_true(strstr(agent(lab, n + 1)->error, "cannot start") != NULL ||
	    strstr(agent(lab, n + 1)->error, "exit status 127") != NULL);
	assert_int_equal(lab->seen[n].down, 0);
	lab_free(lab);
}

/* Twenty that hang do not delay the twenty behind them for long. */
static void
test_hanging(void **state)
{
	struct lab *lab = lab_new();
	size_t i, up;
	int64_t before;

	for (i = 0; i < 20; i++)
		add(lab, OPTIONS("mute=all"));
	for (i = 0; i < 4; i++)
		add(lab, NULL);
	start(lab);
	before = clock_mono_us();
	do {
		loop_turn(lab->loop, 50);
		for (up = 0, i = 20; i < 24; i++)
			up += lab->seen[i].up;
	} while (up < 4 && clock_mono_us() - before < PATIENCE_US);
	assert_int_equal(up, 4);
	/* Less than one deadline of those that hang. */
	assert_true(clock_mono_us() - before < quick.connect_us);
	lab_free(lab);
}

/* ---- staleness, loss, reconnecting ---- */

static void
test_silent(void **state)
{
	struct fleet_timing hasty = quick;
	struct lab *lab = lab_new();

	hasty.ping_us = 100 * US_PER_MS;
	add(lab, OPTIONS("mute=pong"));
	start_with(lab, false, &hasty);
	UNTIL(lab, lab->seen[0].up == 1);
	UNTIL(lab, agent(lab, 0)->state == AGENT_STALE);
	assert_int_equal(lab->seen[0].down, 0);
	UNTIL(lab, lab->seen[0].down == 1);
	assert_non_null(strstr(lab->events, "no answer for"));
	/* And it tries again. */
	UNTIL(lab, lab->seen[0].up == 2);
	lab_free(lab);
}

static void
test_reconnect(void **state)
{
	struct lab *lab = lab_new();

	add(lab, OPTIONS("die=START"));
	start(lab);
	UNTIL(lab, lab->seen[0].up == 1);
	fleet_sync(lab->fleet, 0, RUN, 3);
	UNTIL(lab, lab->seen[0].synced == 1);
	start_work(lab, 0, 1);
	assert_int_equal(agent(lab, 0)->sent, 1);
	UNTIL(lab, lab->seen[0].down == 1);
	assert_int_equal(agent(lab, 0)->sent, 0);
	assert_non_null(agent(lab, 0)->error);
	/* Nothing is said to an agent that is not there. */
	start_work(lab, 0, 2);
	assert_int_equal(agent(lab, 0)->sent, 0);
	UNTIL(lab, lab->seen[0].up == 2);
	assert_null(agent(lab, 0)->error);
	fleet_sync(lab->fleet, 0, RUN, 4);
	UNTIL(lab, lab->seen[0].synced == 2);
	assert_int_equal(lab->seen[0].epoch, 4);
	assert_int_equal(lab->seen[0].reports, 0);
	assert_int_equal(logged(lab, "\"START\""), 1);
	lab_free(lab);
}

static void
test_lost(void **state)
{
	struct fleet_timing slow = quick;
	struct lab *lab = lab_new();

	slow.retry_us = slow.retry_max_us = 10 * US_PER_S;
	add(lab, OPTIONS("die=SYNC"));
	start_with(lab, false, &slow);
	UNTIL(lab, lab->seen[0].up == 1);
	fleet_sync(lab->fleet, 0, RUN, 1);
	UNTIL(lab, lab->seen[0].down == 1);
	assert_int_equal(agent(lab, 0)->state, AGENT_OFFLINE);
	assert_true(agent(lab, 0)->next_try_us > 0);
	UNTIL(lab, agent(lab, 0)->state == AGENT_LOST);
	assert_true(agent(lab, 0)->known);
	/* A person need not wait. */
	fleet_reconnect(lab->fleet, 0);
	UNTIL(lab, lab->seen[0].up == 2);
	assert_int_equal(agent(lab, 0)->state, AGENT_IDLE);
	lab_free(lab);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_up),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_hanging),
		cmocka_unit_test(test_silent),
		cmocka_unit_test(test_reconnect),
		cmocka_unit_test(test_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
