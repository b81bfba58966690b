/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The preview of a launch: its numbers follow the agents and the choices. */
#include "tests/lib/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "yardmaster/base/mem.h"
#include "drive.h"

/* A plan file; the caller unlinks. */
static char *
write_plan(const char *text)
{
	char *path = str_dup("/tmp/ym-launch-XXXXXX.json");
	int fd = mkstemps(path, 5);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	return path;
}

static void
open_launch(struct drive *d, char **ret_path)
{
	struct engine *e = fake_new();

	drive_open(d, e, 80, 24);
	fake_agent(e, "a-1", 4, 4, 3);
	fake_agent(e, "a-2", 4, 4, 0);
	*ret_path = write_plan("{\"name\": \"p\", \"command\": [\"x\"], "
	    "\"targets\": [\"one\", \"two\"], "
	    "\"parallel\": \"tests\", \"suites\": ["
	    "{\"name\": \"s\", \"tests\": [\"ta\", \"tb\", \"ca\"]}]}");
	drive_keys(d, ":");
	drive_type(d, "launch ");
	drive_type(d, *ret_path);
	drive_keys(d, "Enter");
	drive_expect(d, "Launch p");
}

static void
close_launch(struct drive *d, char *path)
{
	drive_close(d);
	unlink(path);
	free(path);
}

/* The Plans pane says when a plan is launched by itself; that it was not is a
 * row of Attention until it was seen, for each time anew. */
static void
test_schedules(void **state)
{
	struct scheduled s = { .name = "nightly", .when = "02:30",
		.ours = true, .next_wall_us = INT64_C(1796178600000000) };
	struct drive d;
	char *path, *full;

	setenv("TZ", "UTC", 1);
	path = write_plan("{\"name\": \"p\", \"command\": [\"x\"], "
	    "\"suites\": [{\"name\": \"s\", \"tests\": [\"t\"]}]}");
	full = realpath(path, NULL);
	s.plan = full;
	drive_open(&d, fake_new(), 80, 24);
	strvec_push(&d.plans, path);
	fake_schedule(d.engine, &s);
	drive_keys(&d, "5");
	drive_expect(&d, "FILE");
	drive_expect(&d, "12-02 02:30");
	drive_keys(&d, "!");
	drive_refuse(&d, "nightly");
	s.name = "weekly";
	s.trouble = "missed at 2026-12-01 02:30 UTC: nobody was there";
	s.trouble_wall_us = 1;
	fake_schedule(d.engine, &s);
	s.name = "elsewhere";
	s.ours = false;
	fake_schedule(d.engine, &s);
	fake_changed(d.engine);
	drive_wait(&d, US_PER_S);
	drive_expect(&d, "schedule weekly: no run");
	drive_expect(&d, "missed at 2026");
	drive_refuse(&d, "elsewhere");
	drive_keys(&d, "Enter");
	drive_expect(&d, "NEXT START");
	drive_close(&d);
	unlink(path);
	free(path);
	free(full);
}

/* Links that come up while the preview is shown count in it. */
static void
test_launch_follows(void **state)
{
	struct drive d;
	struct agent *a;
	char *path;

	open_launch(&d, &path);
	a = fake_agent_at(d.engine, 1);
	drive_expect(&d, "2 of 2, 8 workers for distributed work, 5 free");
	drive_expect(&d, "takes 1m00s, no less than 1m00s");
	drive_expect(&d, "6.0 worker-minutes on 2 agents with 8 workers");
	drive_refuse(&d, "excluded");
	a->link = LINK_DOWN;
	fake_changed(d.engine);
	drive_expect(&d, "1 of 2, 4 workers for distributed work, 1 free");
	drive_expect(&d, "nothing is there to distribute over");
	drive_expect(&d, "takes 2m00s, no less than 2m00s");
	drive_expect(&d, "a-2: agents-offline, no route");
	fake_agent_at(d.engine, 0)->link = LINK_DOWN;
	fake_changed(d.engine);
	drive_expect(&d, "nothing could start on this fleet as it is now");
	fake_agent_at(d.engine, 0)->link = LINK_UP;
	a->link = LINK_UP;
	drive_expect(&d, "2 of 2, 8 workers");
	drive_expect(&d, "takes 1m00s");
	drive_refuse(&d, "nothing is there");
	drive_keys(&d, "y");
	drive_expect(&d, "run r0000000099 started");
	drive_expect(&d, "Runs 1");
	close_launch(&d, path);
}

/* Each choice changes the numbers at once. */
static void
test_launch_choices(void **state)
{
	struct drive d;
	char *path;

	open_launch(&d, &path);
	drive_expect(&d, "executions 6");
	drive_expect(&d, "6, of 3 of 3 tests in 1 suite");
	drive_keys(&d, "Right");
	drive_expect(&d, "< none >");
	drive_expect(&d, "executions 1");
	drive_expect(&d, "1.0 worker-minutes");
	drive_keys(&d, "Space");
	drive_expect(&d, "< targets >");
	drive_expect(&d, "executions 2");
	drive_keys(&d, "Left Left");
	drive_expect(&d, "executions 6");
	drive_keys(&d, "Tab Right Right");
	drive_expect(&d, "< plan >");
	drive_keys(&d, "Tab");
	drive_type(&d, "test:t");	/* y is text here */
	drive_expect(&d, "executions 4");
	drive_expect(&d, "4, of 2 of 3 tests");
	drive_type(&d, "y");
	drive_expect(&d, "executions 0");
	drive_expect(&d, "nothing to run");
	drive_refuse(&d, "predicted");
	drive_keys(&d, "Enter y");
	drive_expect(&d, "nothing to run");
	drive_keys(&d, "f Backspace Enter y");
	drive_expect(&d, "run r0000000099 started");
	assert_int_equal(engine_run(d.engine, 0)->n, 4);
	close_launch(&d, path);
}

/* A plan for which keys would have to wait is predicted by the command. */
static void
test_launch_large(void **state)
{
	struct buf text = BUF_INIT;
	struct drive d;
	char *path;
	int i;

	buf_puts(&text, "{\"name\": \"p\", \"command\": [\"x\"], "
	    "\"parallel\": \"tests\", \"suites\": [{\"name\": \"s\", "
	    "\"tests\": [");
	for (i = 0; i < 10001; i++)
		buf_putf(&text, "%s\"t%d\"", i > 0 ? "," : "", i);
	buf_puts(&text, "]}]}");
	path = write_plan(buf_str(&text));
	buf_done(&text);
	drive_open(&d, fake_new(), 80, 24);
	fake_agent(d.engine, "a-1", 4, 4, 3);
	drive_keys(&d, ":");
	drive_type(&d, "launch ");
	drive_type(&d, path);
	drive_keys(&d, "Enter");
	drive_expect(&d, "executions 10001");
	drive_expect(&d, "by \"run --dry-run\", for a plan of this size");
	drive_refuse(&d, "worker-minutes");
	close_launch(&d, path);
}

/* Choices are not dropped by one key; without any, Enter cancels. */
static void
test_launch_left(void **state)
{
	struct drive d;
	char *path;

	open_launch(&d, &path);
	drive_keys(&d, "Right Esc");
	drive_expect(&d, "Esc again leaves");
	drive_keys(&d, "Left Enter");
	drive_refuse(&d, "Launch p");
	drive_keys(&d, ": Up");
	drive_keys(&d, "Esc :");
	drive_type(&d, "launch ");
	drive_type(&d, path);
	drive_keys(&d, "Enter & ( Esc");
	fake_read_only(d.engine, true);
	drive_keys(&d, "C-u Tab C-u");
	drive_keys(&d, "Enter f C-u Enter y");
	drive_expect(&d, "read-only: not launched");
	assert_int_equal(engine_run_count(d.engine), 0);
	close_launch(&d, path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_schedules),
		cmocka_unit_test(test_launch_follows),
		cmocka_unit_test(test_launch_choices),
		cmocka_unit_test(test_launch_large),
		cmocka_unit_test(test_launch_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
