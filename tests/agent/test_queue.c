/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which attempt may start next: order, threshold (TH1 to TH3), wide ones. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/begun.h"
#include "agent/daemon.h"
#include "agent/queue.h"
#include "../lib/check.h"
#include "yardmaster/model/facts.h"

static struct attempt *
add(struct queue *q, uint32_t execution, enum attempt_class class,
    uint16_t workers)
{
	struct ident id = { .run = "r0000000000", .execution = execution,
	    .attempt = 1 };
	struct attempt *a = queue_add(q, &id);

	a->class = class;
	a->workers = workers;
	queue_enter(q, a);
	return a;
}

/* Starts what may start; returns how many. */
static unsigned
start_all(struct queue *q, struct queue_limits *l, uint32_t *order)
{
	struct attempt *a;
	unsigned n = 0;

	while ((a = queue_next(q, l)) != NULL) {
		queue_leave(q, a);
		a->state = ATTEMPT_RUNNING;
		l->busy += a->workers;
		if (a->class == CLASS_AUTO)
			l->auto_busy += a->workers;
		order[n++] = a->id.execution;
	}
	return n;
}

static void
first_come_first_served(void **state)
{
	struct queue_limits l = { .max_workers = 3, .threshold = 3 };
	uint32_t got[8], want[] = { 1, 2, 3 };
	struct queue q;
	uint32_t i;

	queue_init(&q);
	for (i = 1; i <= 5; i++)
		add(&q, i, i % 2 ? CLASS_AUTO : CLASS_PINNED, 1);
	assert_int_equal(start_all(&q, &l, got), 3);
	assert_memory_equal(got, want, sizeof want);
	queue_count_places(&q);
	assert_int_equal(q.n, 2);
	queue_done(&q);
}

static void
th1_threshold_keeps_workers_free(void **state)
{
	struct queue_limits l = { .max_workers = 4, .threshold = 2 };
	uint32_t got[16], want[] = { 1, 2, 7 };
	struct queue q;
	uint32_t i;

	queue_init(&q);
	for (i = 1; i <= 6; i++)
		add(&q, i, CLASS_AUTO, 1);
	add(&q, 7, CLASS_PINNED, 1);
	assert_int_equal(start_all(&q, &l, got), 3);
	assert_memory_equal(got, want, sizeof want);
	l.busy--;
	l.auto_busy--;
	assert_int_equal(start_all(&q, &l, got), 1);
	assert_int_equal(got[0], 3);
	queue_done(&q);
}

static void
th2_threshold_above_max(void **state)
{
	struct threshold nine = { THRESHOLD_NUMBER, 9 };

	assert_int_equal(threshold_effective(&nine, 4), 4);
}

static void
th3_zero_is_pinned_and_adhoc_only(void **state)
{
	struct queue_limits l = { .max_workers = 4, .threshold = 0 };
	uint32_t got[8], want[] = { 2, 3 };
	struct queue q;

	queue_init(&q);
	add(&q, 1, CLASS_AUTO, 1);
	add(&q, 2, CLASS_PINNED, 1);
	add(&q, 3, CLASS_ADHOC, 1);
	assert_int_equal(start_all(&q, &l, got), 2);
	assert_memory_equal(got, want, sizeof want);
	queue_done(&q);
}

static void
stopped_or_full_starts_none(void **state)
{
	struct queue_limits l = { .max_workers = 2, .threshold = 2,
	    .stopped = true };
	struct queue q;

	queue_init(&q);
	assert_null(queue_next(&q, &l));
	add(&q, 1, CLASS_AUTO, 1);
	assert_null(queue_next(&q, &l));
	l.stopped = false;
	l.busy = 3;	/* lowered below what runs */
	assert_null(queue_next(&q, &l));
	l.busy = 1;
	assert_non_null(queue_next(&q, &l));
	queue_done(&q);
}

static void
wide_is_passed_then_reserves(void **state)
{
	struct queue_limits l = { .max_workers = 4, .threshold = 4,
	    .busy = 2, .auto_busy = 2 };
	struct attempt *a, *wide;
	struct queue q;
	uint32_t i;

	queue_init(&q);
	wide = add(&q, 1, CLASS_AUTO, 3);
	for (i = 2; i < 40; i++)
		add(&q, i, CLASS_AUTO, 1);
	for (i = 0; i < 16; i++) {
		a = queue_next(&q, &l);
		assert_non_null(a);
		assert_int_equal(a->id.execution, i + 2);
		queue_leave(&q, a);
		a->state = ATTEMPT_RUNNING;
	}
	assert_null(queue_next(&q, &l));
	l.busy = l.auto_busy = 1;
	assert_ptr_equal(queue_next(&q, &l), wide);
	queue_done(&q);
}

static void
wider_than_the_agent_runs_alone(void **state)
{
	struct queue_limits l = { .max_workers = 2, .threshold = 2,
	    .busy = 1 };
	struct attempt *wide;
	struct queue q;

	queue_init(&q);
	wide = add(&q, 1, CLASS_PINNED, 5);
	assert_null(queue_next(&q, &l));
	l.busy = 0;
	assert_ptr_equal(queue_next(&q, &l), wide);
	queue_done(&q);
}

static void
back_in_line_keeps_its_place(void **state)
{
	struct queue_limits l = { .max_workers = 1, .threshold = 1 };
	struct attempt *a, *b;
	struct queue q;

	queue_init(&q);
	a = add(&q, 1, CLASS_AUTO, 1);
	b = add(&q, 2, CLASS_AUTO, 1);
	queue_leave(&q, a);
	queue_enter(&q, a);
	assert_ptr_equal(queue_next(&q, &l), a);
	queue_count_places(&q);
	assert_int_equal(a->place, 1);
	assert_int_equal(b->place, 2);
	assert_ptr_equal(queue_find(&q, &b->id), b);
	queue_leave(&q, a);
	queue_drop(&q, a);
	assert_ptr_equal(queue_next(&q, &l), b);
	queue_done(&q);
}

static void
what_a_start_finds(void **state)
{
	static const struct {
		enum attempt_state state;
		bool same_boot, result, held, began;
		enum recovery want;
	} cases[] = {
		{ ATTEMPT_QUEUED, true, false, false, true, RECOVER_QUEUE },
		{ ATTEMPT_QUEUED, false, false, true, true, RECOVER_QUEUE },
		{ ATTEMPT_RUNNING, true, true, false, true, RECOVER_RESULT },
		{ ATTEMPT_RUNNING, true, true, true, true, RECOVER_RESULT },
		{ ATTEMPT_RUNNING, false, true, false, true, RECOVER_RESULT },
		{ ATTEMPT_RUNNING, true, false, true, true, RECOVER_ADOPT },
		{ ATTEMPT_ENDING, true, false, true, true, RECOVER_ADOPT },
		{ ATTEMPT_RUNNING, true, false, false, true, RECOVER_LOST },
		{ ATTEMPT_RUNNING, false, false, true, true, RECOVER_LOST },
		{ ATTEMPT_RUNNING, true, false, false, false, RECOVER_QUEUE },
		{ ATTEMPT_RUNNING, true, false, true, false, RECOVER_ADOPT },
		{ ATTEMPT_RUNNING, true, true, false, false, RECOVER_RESULT },
		{ ATTEMPT_RUNNING, false, false, false, false, RECOVER_LOST },
		{ ATTEMPT_ENDED, true, false, false, true, RECOVER_KEEP },
		{ ATTEMPT_LOST, false, true, true, true, RECOVER_KEEP },
	};
	size_t i;

	for (i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(recover_decide(cases[i].state,
		    cases[i].same_boot, cases[i].result, cases[i].held,
		    cases[i].began), cases[i].want);
}

/* A note says what was begun; an empty one, or one cut off, says nothing. */
static void
what_a_worker_began(void **state)
{
	const struct ident a = { "r0000000000", 1, 1 };
	const struct ident b = { "r0000000000", 11, 1 };
	char dir[] = "/tmp/ym-begun-XXXXXX";
	int fd;

	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	assert_false(begun(1, &a));
	fd = open("worker-1.lock", O_RDWR | O_CREAT, 0600);
	assert_true(begun(1, &a));
	assert_int_equal(begun_note(fd, NULL), 0);
	assert_false(begun(1, &a));
	assert_int_equal(begun_note(fd, &b), 0);
	assert_false(begun(1, &a));
	assert_true(begun(1, &b));
	assert_false(begun(2, &b));
	assert_int_equal(begun_note(fd, &a), 0);
	assert_true(begun(1, &a));
	assert_false(begun(1, &b));
	assert_int_equal(ftruncate(fd, 5), 0);
	assert_true(begun(1, &b));
	assert_int_equal(close(fd), 0);
	assert_int_equal(begun_note(fd, &a), -EBADF);
	assert_int_equal(unlink("worker-1.lock"), 0);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(dir), 0);
}

struct running {
	const struct attempt *v[4];
	unsigned n;
};

static bool
meets_one(void *arg, const struct attempt *a)
{
	const struct running *r = arg;
	unsigned i;

	for (i = 0; i < r->n; i++)
		if (attempts_meet(a, r->v[i]))
			return true;
	return false;
}

/* An attempt with one step of each label. */
static struct attempt *
add_labelled(struct queue *q, const char *run, const char *one,
    const char *two, bool beside)
{
	struct work_step steps[2] = {
		{ .label = (char *)(uintptr_t)one },
		{ .label = (char *)(uintptr_t)two },
	};
	struct work work = { .steps = steps, .n_steps = two != NULL ? 2 : 1,
		.beside_itself = beside };
	struct ident id = { .execution = 1, .attempt = 1 };
	struct attempt *a;

	strcpy(id.run, run);
	a = queue_add(q, &id);
	attempt_describe(q, a, &work);
	queue_enter(q, a);
	return a;
}

static void
a_step_never_starts_beside_itself(void **state)
{
	struct running now = { .n = 0 };
	struct queue_limits l = { .max_workers = 8, .threshold = 8,
		.waits = meets_one, .arg = &now };
	struct attempt *a, *b, *c;
	struct queue q;

	queue_init(&q);
	a = add_labelled(&q, "r0000000001", "s/z", "s/t", false);
	b = add_labelled(&q, "r0000000002", "s/t", NULL, false);
	c = add_labelled(&q, "r0000000003", "s/t", NULL, true);
	assert_ptr_equal(queue_next(&q, &l), a);
	queue_leave(&q, a);
	now.v[now.n++] = a;
	/* The next run of the same step waits alone. */
	assert_ptr_equal(queue_next(&q, &l), c);
	queue_leave(&q, c);
	assert_null(queue_next(&q, &l));
	now.n = 0;
	assert_ptr_equal(queue_next(&q, &l), b);
	queue_done(&q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_come_first_served),
		cmocka_unit_test(th1_threshold_keeps_workers_free),
		cmocka_unit_test(th2_threshold_above_max),
		cmocka_unit_test(th3_zero_is_pinned_and_adhoc_only),
		cmocka_unit_test(stopped_or_full_starts_none),
		cmocka_unit_test(wide_is_passed_then_reserves),
		cmocka_unit_test(wider_than_the_agent_runs_alone),
		cmocka_unit_test(back_in_line_keeps_its_place),
		cmocka_unit_test(what_a_start_finds),
		cmocka_unit_test(what_a_worker_began),
		cmocka_unit_test(a_step_never_starts_beside_itself),
	};

	return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
