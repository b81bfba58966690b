/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A fleet against agents that are scripts (tests/lib/fake_agent.py) behind
 * real links of transport command: what it says, what it makes of what it
 * hears, and how it goes on when a link breaks.
 */
#include "config.h"

#include "../lib/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fleet/fleet_int.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"

#define AGENTS_MAX 40
#define PATIENCE_US (20 * US_PER_S)
#define RUN "r0123456789"

/* What the engine was told. */
struct seen {
	unsigned up, down, reports, ended, synced, returned;
	bool last_returned;
	char why[200], event[400];
	struct ident id;
	uint32_t epoch;
};

struct lab {
	struct loop *loop;
	struct fleet *fleet;
	struct fleet_spec spec;
	struct agent_spec agents[AGENTS_MAX];
	struct seen seen[AGENTS_MAX];
	char events[8192];
	char dir[64], log[80], once[80];
	/* of answers */
	unsigned answers;
	int code;
	char text[200];
	/* of tails */
	struct buf output;
	uint64_t next_offset;
	unsigned tail_ends;
	int tail_code;
};

/* ---- what the fleet calls ---- */

static void
on_changed(void *arg, size_t agent)
{
}

static void
on_up(void *arg, size_t agent)
{
	((struct lab *)arg)->seen[agent].up++;
}

static void
on_down(void *arg, size_t agent)
{
	((struct lab *)arg)->seen[agent].down++;
}

static void
on_report(void *arg, size_t agent, const struct report *r)
{
	struct seen *s = &((struct lab *)arg)->seen[agent];

	s->reports++;
	s->ended += r->state == ATTEMPT_ENDED;
	s->id = r->id;
	s->epoch = r->epoch;
}

static void
on_synced(void *arg, size_t agent, const char *run, uint32_t epoch)
{
	struct seen *s = &((struct lab *)arg)->seen[agent];

	assert_string_equal(run, RUN);
	s->synced++;
	s->epoch = epoch;
}

static void
on_returned(void *arg, size_t agent, const struct ident *id, bool returned,
    const char *why)
{
	struct seen *s = &((struct lab *)arg)->seen[agent];

	s->returned++;
	s->last_returned = returned;
	s->id = *id;
	snprintf(s->why, sizeof(s->why), "%s", why);
}

static void
on_event(void *arg, enum event_kind kind, const char *agent, const char *text)
{
	struct lab *lab = arg;
	size_t n = strlen(lab->events);

	snprintf(lab->events + n, sizeof(lab->events) - n, "%s: %s\n", agent,
	    text);
}

static const struct fleet_ops ops = { .changed = on_changed, .up = on_up,
	.down = on_down, .report = on_report, .synced = on_synced,
	.returned = on_returned, .event = on_event };

static void
on_done(void *arg, int code, const char *text)
{
	struct lab *lab = arg;

	lab->answers++;
	lab->code = code;
	snprintf(lab->text, sizeof(lab->text), "%s", text);
}

/* ---- a fleet of scripts ---- */

static struct lab *
lab_new(void)
{
	struct lab *lab = mem_zalloc(sizeof(*lab));

	strcpy(lab->dir, "/tmp/ym-fleet.XXXXXX");
	assert_non_null(mkdtemp(lab->dir));
	snprintf(lab->log, sizeof(lab->log), "%s/log", lab->dir);
	snprintf(lab->once, sizeof(lab->once), "%s/once", lab->dir);
	lab->spec.agents = lab->agents;
	lab->spec.name = (char *)"lab";
	assert_int_equal(loop_new(&lab->loop), 0);
	return lab;
}

/* Adds an agent of these words; options are key=value of fake_agent.py. */
static struct agent_spec *
add(struct lab *lab, const char *const *options)
{
	struct agent_spec *a = &lab->agents[lab->spec.n_agents++];
	const char *top = getenv("YM_SRCDIR");

	a->name = str_fmt("lab-%zu", lab->spec.n_agents);
	a->transport = TRANSPORT_COMMAND;
	strvec_push(&a->command, "python3");
	strvec_push(&a->command, "-B");
	strvec_pushf(&a->command, "%s/tests/lib/fake_agent.py",
	    top != NULL ? top : ".");
	strvec_pushf(&a->command, "log=%s", lab->log);
	strvec_pushf(&a->command, "once=%s", lab->once);
	for (; options != NULL && *options != NULL; options++)
		strvec_push(&a->command, *options);
	return a;
}

#define OPTIONS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* Short times; a dead link is noticed within a second. */
static const struct fleet_timing quick = {
	.tick_us = 20 * US_PER_MS, .ping_us = 100 * US_PER_MS,
	.stale_pings = 2, .dead_pings = 6, .connect_us = 10 * US_PER_S,
	.welcome_us = US_PER_S, .slot_us = 500 * US_PER_MS,
	.retry_us = 20 * US_PER_MS, .retry_max_us = 200 * US_PER_MS,
	.lost_us = 1500 * US_PER_MS,
};

static void
start_with(struct lab *lab, bool read_only, const struct fleet_timing *timing)
{
	assert_int_equal(fleet_new_timed(lab->loop, &lab->spec, "ann@desk",
	    read_only, &ops, lab, timing, &lab->fleet), 0);
}

static void
start(struct lab *lab)
{
	start_with(lab, false, &quick);
}

static void
lab_free(struct lab *lab)
{
	size_t i;

	fleet_free(lab->fleet);
	loop_free(lab->loop);
	for (i = 0; i < lab->spec.n_agents; i++) {
		free(lab->agents[i].name);
		free(lab->agents[i].host);
		strvec_done(&lab->agents[i].command);
		strvec_done(&lab->agents[i].labels);
	}
	buf_done(&lab->output);
	fs_remove_tree(lab->dir);
	free(lab);
}

#define UNTIL(lab, condition) do { \
	int64_t until_ = clock_mono_us() + PATIENCE_US; \
	while (!(condition) && clock_mono_us() < until_) \
		loop_turn((lab)->loop, 50); \
	if (!(condition)) \
		fail_msg("never: %s\n%s", #condition, (lab)->events); \
} while (0)

static const struct agent *
agent(const struct lab *lab, size_t i)
{
	return fleet_agent(lab->fleet, i);
}

/* How many messages of that name the scripts were sent. */
static unsigned
logged(const struct lab *lab, const char *words)
{
	struct buf b = BUF_INIT;
	const char *p;
	unsigned n = 0;

	(void)fs_read(lab->log, 1u << 20, &b);
	for (p = buf_str(&b); (p = strstr(p, words)) != NULL; p++)
		n++;
	buf_done(&b);
	return n;
}

static struct work
some_work(uint32_t execution)
{
	struct work w = { .epoch = 3, .class = CLASS_AUTO, .workers = 1,
		.n_steps = 1 };

	strcpy(w.id.run, RUN);
	w.id.execution = execution;
	w.id.attempt = 1;
	w.steps = mem_zalloc(sizeof(*w.steps));
	w.steps[0].label = str_dup("t");
	strvec_push(&w.steps[0].argv, "true");
	return w;
}

static void
start_work(struct lab *lab, size_t i, uint32_t execution)
{
	struct work w = some_work(execution);

	fleet_start(lab->fleet, i, &w);
	work_done(&w);
}

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
		{ "garbage=00001e00", "message 30 out of turn" },
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
	assert_non_null(strstr(agent(lab, n + 1)->error, "cannot start"));
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
	struct lab *lab = lab_new();

	add(lab, OPTIONS("mute=pong"));
	start(lab);
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
	UNTIL(lab, lab->seen[0].ended == 100);
	assert_int_equal(agent(lab, 0)->sent, 0);
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
	lab_free(lab);
}

static void
test_modes(void **state)
{
	struct lab *lab = lab_new();

	add(lab, NULL);
	start(lab);
	UNTIL(lab, lab->seen[0].up == 1);
	fleet_bench(lab->fleet, 0, true);
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
	fleet_bench(lab->fleet, 0, false);
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
	UNTIL(lab, lab->seen[0].up == 1 && lab->seen[1].up == 1);
	UNTIL(lab, agent(lab, 0)->facts.max_workers == 7);
	assert_int_equal(agent(lab, 0)->facts.threshold.kind, THRESHOLD_SPARE);
	UNTIL(lab, agent(lab, 1)->rtt_us > 0);
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
		cmocka_unit_test(test_up),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_hanging),
		cmocka_unit_test(test_silent),
		cmocka_unit_test(test_reconnect),
		cmocka_unit_test(test_lost),
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
