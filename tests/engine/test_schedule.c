/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The wall clock is set while something waits for it: tests of a run, and
 * plans that are launched by themselves. */
#include "../lib/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/engine/engine.h"
#include "yardmaster/store/schedules.h"
#include "yardmaster/sys/fs.h"

#define HOUR (3600 * US_PER_S)
#define HALF_PAST INT64_C(1796128200000000)	/* 2026-12-01T12:30:00Z */
#define PATIENCE_US (20 * US_PER_S)

static const char fleet_text[] = "{\"name\": \"lab\", \"agents\": [{\"name\": "
    "\"a\", \"transport\": \"command\", \"command\": [\"false\"]}]}";

static int64_t set_us;		/* how far the wall clock is ahead */

static int64_t
wall_us(void)
{
	return clock_mono_us() + set_us;
}

static void
set_clock(int64_t now_us)
{
	set_us = now_us - clock_mono_us();
}

struct world {
	char *dir;
	struct loop *loop;
	struct fleet_spec *fleet;
	struct engine *engine;
	struct registry *registry;	/* as another process has it */
	size_t markers;
};

static void
world_open(struct world *w)
{
	struct engine_opts opts = { .who = "ann@c" };
	struct diags ds = DIAGS_INIT;

	memset(w, 0, sizeof *w);
	setenv("TZ", "UTC", 1);
	set_clock(HALF_PAST);
	clock_set_source(NULL, wall_us);
	w->dir = str_dup("/tmp/ym-schedule-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	assert_int_equal(fleet_load_text(NULL, fleet_text, strlen(fleet_text),
	    &ds, &w->fleet), 0);
	assert_int_equal(loop_new(&w->loop), 0);
	opts.fleet = w->fleet;
	opts.state_dir = w->dir;
	assert_int_equal(engine_new(w->loop, &opts, &ds, &w->engine), 0);
	assert_int_equal(registry_open(w->dir, &w->registry), 0);
}

static void
world_close(struct world *w)
{
	registry_close(w->registry);
	engine_free(w->engine);
	loop_free(w->loop);
	fleet_spec_free(w->fleet);
	fs_remove_tree(w->dir);
	free(w->dir);
	clock_set_source(NULL, NULL);
}

/* Turns the loop until true(w); fails when it never becomes so. */
static void
until(struct world *w, bool (*is)(struct world *w))
{
	int64_t end = clock_mono_us() + PATIENCE_US;

	while (!is(w)) {
		if (clock_mono_us() > end)
			fail_msg("it never came");
		loop_turn(w->loop, 50);
	}
}

/* ---- tests of a run ---------------------------------------------------------- */

static const struct execution *
launch(struct world *w, const char *when)
{
	char *text = str_fmt("{\"command\": [\"x\"], \"schedule\": \"%s\", "
	    "\"suites\": [{\"name\": \"s\", \"tests\": [\"t\"]}]}", when);
	struct diags ds = DIAGS_INIT;
	struct launch l = { .plan = NULL };
	char id[RUN_ID_SIZE];

	assert_int_equal(plan_load_text("p.json", NULL, text, strlen(text),
	    &ds, &l.plan), 0);
	assert_int_equal(plan_expand(l.plan, NULL, &ds), 0);
	assert_int_equal(engine_launch(w->engine, &l, &ds, id), 0);
	assert_int_equal(ds.n, 0);
	free(text);
	return &engine_run_find(w->engine, id)->executions[0];
}

static const struct execution *
first(struct world *w)
{
	return &engine_run(w->engine, 0)->executions[0];
}

static bool
waits_long(struct world *w)
{
	return first(w)->reason == REASON_SCHEDULE &&
	    first(w)->next_us > clock_mono_us() + 3000 * US_PER_S;
}

static bool
waits_no_longer(struct world *w)
{
	return first(w)->reason != REASON_SCHEDULE;
}

static void
test_run(void **state)
{
	const struct execution *x;
	struct world w;

	world_open(&w);
	x = launch(&w, "14:00");
	assert_int_equal(x->reason, REASON_SCHEDULE);
	until(&w, waits_long);
	assert_non_null(strstr(x->reason_text, "2026-12-01 14:00 UTC, due in "
	    "1h"));
	/* Forward: it is due. */
	set_clock(HALF_PAST + 2 * HOUR);
	until(&w, waits_no_longer);
	/* Back: what was due in a moment is due in an hour. */
	x = launch(&w, "+30s");
	assert_int_equal(x->reason, REASON_SCHEDULE);
	set_clock(HALF_PAST + HOUR);
	until(&w, waits_long);
	world_close(&w);
}

/* ---- plans that are launched --------------------------------------------------- */

static void
add(struct world *w, const char *name, const char *fleet, int64_t next_us)
{
	struct schedule s = { .name = name, .plan = "/none.json",
		.fleet = fleet, .when = "0 * * * *", .options = "[]",
		.who = "ann@c", .added_us = 1, .next_us = next_us };

	assert_int_equal(registry_schedule_add(w->registry, &s), 0);
}

static bool
sees_markers(struct world *w)
{
	return engine_schedule_count(w->engine) == 1 + w->markers;
}

/* Has it look at the schedules as they are now, and act on that. */
static void
look(struct world *w)
{
	char name[24];

	snprintf(name, sizeof name, "z-%zu", ++w->markers);
	add(w, name, "/other.json", 1);
	until(w, sees_markers);
}

static int
keep_first(void *arg, const struct schedule *s)
{
	*(struct schedule *)arg = *s;
	return 1;
}

static void
check(struct world *w, int64_t next_us, enum schedule_note note,
    int64_t missed)
{
	struct schedule s;

	assert_int_equal(registry_schedule_each(w->registry, keep_first, &s),
	    1);
	assert_int_equal(s.note, note);
	assert_int_equal(s.missed, missed);
	assert_true(s.next_us == next_us);
	assert_true(s.run_us == 0);
}

static void
test_entry(void **state)
{
	const int64_t hour = HALF_PAST + HOUR / 2;
	struct world w;

	world_open(&w);
	add(&w, "hourly", "", hour);
	assert_int_equal(engine_serve(w.engine, true), 0);
	look(&w);
	check(&w, hour, NOTE_NONE, 0);
	/* Three hours forward: three were missed, and that is all. */
	set_clock(HALF_PAST + 3 * HOUR);
	look(&w);
	check(&w, hour + 3 * HOUR, NOTE_MISSED, 3);
	assert_non_null(strstr(engine_schedule(w.engine, 0)->trouble,
	    "missed at 2026-12-01 15:00 UTC"));
	/* Back and forth: none of them comes again. */
	set_clock(HALF_PAST);
	look(&w);
	set_clock(HALF_PAST + 2 * HOUR);
	look(&w);
	check(&w, hour + 3 * HOUR, NOTE_MISSED, 3);
	set_clock(HALF_PAST + 4 * HOUR);
	look(&w);
	check(&w, hour + 4 * HOUR, NOTE_MISSED, 4);
	world_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
