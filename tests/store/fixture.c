/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A state folder of a test and a small run in it. */
#include "../lib/check.h"

#include "fixture.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"

char *
fix_dir(void)
{
	const char *tmp = getenv("TMPDIR");
	char *dir = str_fmt("%s/ym-store-XXXXXX", tmp != NULL ? tmp : "/tmp");

	if (mkdtemp(dir) == NULL)
		abort();
	return dir;
}

void
fix_dir_free(char *dir)
{
	fs_remove_tree(dir);
	free(dir);
}

int
fix_setup(void **state)
{
	*state = fix_dir();
	return 0;
}

int
fix_teardown(void **state)
{
	fix_dir_free(*state);
	return 0;
}

struct registry *
fix_registry(const char *dir)
{
	struct registry *r = NULL;

	assert_int_equal(registry_open(dir, &r), 0);
	return r;
}

static void
fill_exec(void *arg, uint32_t no, struct run_exec *ret)
{
	static const char *const tests[] = { "t1", "t1", "t1", "all" };

	ret->suite = "s";
	ret->test = tests[(no - 1) % 4];
	ret->row = no == 1 ? "a" : NULL;
	ret->target = no == 1 ? "x" : NULL;
	ret->n_steps = no;
	ret->estimate_us = no * 1000;
}

static void
fill_step(void *arg, uint32_t no, uint32_t step, struct run_step *ret)
{
	static const char *const tests[] = { "t1", "t2", "t3", "t4" };

	ret->test = tests[step];
	ret->row = step % 2 == 1 ? "b" : NULL;
	ret->target = step % 2 == 1 ? "y" : NULL;
}

int
fix_create_as(const char *dir, const char *run, struct run_file **ret)
{
	struct run_create c = {
		.head = { .plan = "checkout", .who = "ann@console",
		    .options = "{\"order\":\"plan\"}", .state = RUN_STARTING,
		    .started_wall_us = 1000000 },
		.snapshot = "{\"name\":\"checkout\"}", .n = FIX_EXECS,
		.exec = fill_exec, .step = fill_step
	};

	strcpy(c.head.id, run);
	return run_file_create(dir, &c, ret);
}

int
fix_create(const char *dir, struct run_file **ret)
{
	return fix_create_as(dir, FIX_RUN, ret);
}

int
fix_send(struct run_file *f, uint32_t exec, uint32_t attempt)
{
	struct run_attempt a = {
		.exec = exec, .attempt = attempt, .agent = "lab-1",
		.class = CLASS_AUTO, .tier = TIER_IDLE, .state = ATTEMPT_SENT,
		.sent_wall_us = 2000000
	};

	return run_file_put_attempt(f, &a);
}

struct report
fix_report(uint32_t exec, uint32_t attempt, uint32_t n)
{
	struct report r = {
		.id = { .run = FIX_RUN, .execution = exec,
		    .attempt = attempt },
		.epoch = 1, .state = ATTEMPT_ENDED,
		.outcome = OUTCOME_PASSED, .worker = 2,
		.started_wall_us = 3000000, .ended_wall_us = 4500000,
		.elapsed_us = 1500000, .out_bytes = 77,
		.steps = mem_calloc(n, sizeof(*r.steps)), .n_steps = n
	};
	uint32_t i;

	for (i = 0; i < n; i++)
		r.steps[i] = (struct step_result){
			.outcome = OUTCOME_PASSED, .exit_code = 0,
			.elapsed_us = 100 + i, .out_from = i, .out_to = i + 1
		};
	return r;
}

static int
count(void *arg, const struct run_result *r)
{
	++*(int *)arg;
	return 0;
}

int
fix_count_results(struct run_file *f)
{
	int n = 0, r;

	r = run_file_each_result(f, 0, count, &n);
	return r < 0 ? r : n;
}
