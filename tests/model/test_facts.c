/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Facts of an agent, thresholds, notes of drains and holds. */
#include "config.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/model/facts.h"

static const struct {
	const char *text;
	int code;
	const char *back;
} thresholds[] = {
	{ "", 0, "max" }, { "max", 0, "max" }, { "4", 0, "4" },
	{ "0", 0, "0" }, { "-2", 0, "-2" }, { "65535", 0, "65535" },
	{ "007", 0, "7" }, { "-0", ERR_RANGE, NULL },
	{ "65536", ERR_RANGE, NULL },
	{ "99999999999999999999", ERR_RANGE, NULL },
	{ "-", ERR_SYNTAX, NULL }, { "--2", ERR_SYNTAX, NULL },
	{ "4x", ERR_SYNTAX, NULL }, { " 4", ERR_SYNTAX, NULL },
	{ "+4", ERR_SYNTAX, NULL }, { "1.5", ERR_SYNTAX, NULL },
	{ "MAX", ERR_SYNTAX, NULL },
};

static void
thresholds_are_read_and_shown(void **state)
{
	struct threshold t;
	char out[16];
	size_t i;

	for (i = 0; i < sizeof(thresholds) / sizeof(thresholds[0]); i++) {
		if (threshold_parse(thresholds[i].text, &t) !=
		    thresholds[i].code)
			fail_msg("\"%s\"", thresholds[i].text);
		if (thresholds[i].code == 0)
			assert_string_equal(threshold_format(&t, out),
			    thresholds[i].back);
	}
}

static uint32_t
effective(const char *text, uint32_t max)
{
	struct threshold t;

	assert_int_equal(threshold_parse(text, &t), 0);
	return threshold_effective(&t, max);
}

static void
the_effective_threshold(void **state)
{
	static const uint32_t max[] = { 1, 2, 3, 4, 8, 16 };
	static const uint32_t spare_two[] = { 1, 1, 1, 2, 6, 14 };
	size_t i;

	for (i = 0; i < sizeof(max) / sizeof(max[0]); i++)
		assert_int_equal(effective("-2", max[i]), spare_two[i]);
	assert_int_equal(effective("", 4), 4);
	assert_int_equal(effective("2", 4), 2);
	assert_int_equal(effective("9", 4), 4);
	assert_int_equal(effective("0", 4), 0);
	assert_int_equal(effective("-1", 0), 0);
}

static void
thresholds_compare(void **state)
{
	struct threshold a = { THRESHOLD_NUMBER, 2 };
	struct threshold b = { THRESHOLD_SPARE, 2 };
	struct threshold c = { THRESHOLD_UNSET, 2 };
	struct threshold d = { THRESHOLD_UNSET, 3 };

	assert_true(threshold_equal(&a, &a));
	assert_false(threshold_equal(&a, &b));
	assert_false(threshold_equal(&a, &c));
	assert_true(threshold_equal(&c, &d));
}

static void
notes_are_set_and_cleared(void **state)
{
	struct stop_note s = { .on = false }, copy;

	stop_note_set(&s, "ann@c", NULL, 5, 0);
	assert_true(s.on);
	assert_null(s.note);
	stop_note_set(&s, s.who, "reboot", 6, 7);
	assert_string_equal(s.who, "ann@c");
	assert_string_equal(s.note, "reboot");
	stop_note_copy(&copy, &s);
	stop_note_set(&s, NULL, NULL, 0, 0);
	assert_false(s.on);
	assert_null(s.who);
	assert_string_equal(copy.note, "reboot");
	assert_int_equal(copy.expires_wall_us, 7);
	stop_note_done(&copy);
	stop_note_done(&s);
}

static const char full_facts[] =
    "{\"host\":\"lab-1\",\"version\":\"0.1.0\",\"instance\":\"default\","
    "\"boot\":\"b\",\"max_workers\":4,\"max_source\":\"environment\","
    "\"advised\":2,\"threshold\":\"-1\",\"effective\":3,"
    "\"draining\":{\"who\":\"ann\",\"note\":null,"
    "\"since\":\"2026-01-31T12:00:00.000Z\",\"expires\":null},"
    "\"held\":null,\"busy\":2,\"auto_running\":1,\"queued\":5,"
    "\"root\":false,\"virtual\":false,\"guard\":\"load 9.1 above 4\",\"guards\":{\"load_per_cpu\":4},"
    "\"guards_local\":[\"load_per_cpu\"],\"warning\":\"mend\","
    "\"cpus\":8,\"load1\":0.5,\"memory_bytes\":1000,"
    "\"memory_free_bytes\":500,\"disk_free_bytes\":9,\"uptime_s\":3.5,"
    "\"workers\":[{\"no\":1,\"pid\":77,\"busy\":true,\"kind\":\"job\","
    "\"attempt\":\"r0000000001/1/1\",\"label\":\"make\",\"owner\":\"ann\","
    "\"elapsed_s\":2,\"usual_s\":1,\"output_age_s\":0},{\"no\":2},"
    "{\"no\":3,\"busy\":true,\"kind\":\"hold\",\"label\":null,"
    "\"owner\":null,\"elapsed_s\":1}],\"all_holders\":true,"
    "\"holders\":[{\"attempt\":\"r0000000001/1/1\",\"owner\":\"ann\","
    "\"holds\":[{\"kind\":\"lock\",\"name\":\"db\",\"n\":2,\"shared\":true,"
    "\"capacity\":5},{\"kind\":\"exclusion\",\"name\":\"s/a\","
    "\"other\":\"s/b\",\"n\":3},{\"kind\":\"target\",\"name\":\"pixel\","
    "\"n\":1,\"instance\":\"emu-1\"}]}],\"runs\":[\"r0000000001\"],"
    "\"targets\":[{\"name\":\"safari\",\"max\":2,\"taken\":[{\"attempt\":"
    "\"r0000000001/1/1\",\"owner\":\"ann\",\"max\":3}]},"
    "{\"name\":\"x\",\"taken\":[]}]}";

static int
read_facts(const char *text, struct facts *ret)
{
	struct jval *v = NULL;
	int r;

	assert_int_equal(jval_parse(&v, text, strlen(text)), 0);
	r = facts_read(v, ret);
	jval_free(v);
	return r;
}

static void
facts_go_there_and_back(void **state)
{
	struct buf b = BUF_INIT;
	struct facts f;
	struct jw w;

	assert_int_equal(read_facts(full_facts, &f), 0);
	assert_int_equal(f.max_source, SOURCE_ENVIRONMENT);
	assert_int_equal(f.threshold.kind, THRESHOLD_SPARE);
	assert_true(f.draining.on);
	assert_false(f.held.on);
	assert_int_equal(f.n_workers, 3);
	assert_int_equal(f.workers[0].kind, WORKER_JOB);
	assert_int_equal(f.workers[0].output_age_us, 0);
	assert_int_equal(f.workers[1].output_age_us, -1);
	assert_false(f.workers[1].busy);
	assert_int_equal(f.workers[2].output_age_us, -1);
	assert_int_equal(f.uptime_us, 3500000);
	assert_int_equal(f.n_holders, 1);
	assert_int_equal(f.holders[0].n_holds, 3);
	assert_int_equal(f.holders[0].holds[1].kind, HOLD_EXCLUSION);
	assert_string_equal(f.holders[0].holds[2].instance, "emu-1");
	assert_int_equal(f.n_targets, 2);
	assert_int_equal(f.targets[0].max, 2);
	assert_string_equal(f.targets[0].takers[0].owner, "ann");
	assert_int_equal(f.targets[0].takers[0].max, 3);
	assert_int_equal(f.targets[1].n_takers, 0);
	assert_int_equal(f.guards.given, GUARD_BIT(GUARD_LOAD));
	assert_int_equal(f.guards_local, GUARD_BIT(GUARD_LOAD));
	jw_init(&w, &b);
	facts_write(&w, &f);
	assert_string_equal(buf_str(&b), full_facts);
	buf_done(&b);
	facts_done(&f);
	assert_int_equal(f.n_workers, 0);
	facts_done(&f);
}

static void
little_is_enough(void **state)
{
	struct facts f;

	assert_int_equal(read_facts("{\"max_workers\":2,\"threshold\":1,"
	    "\"news\":{}}", &f), 0);
	assert_int_equal(f.max_workers, 2);
	assert_int_equal(f.threshold.kind, THRESHOLD_NUMBER);
	assert_null(f.host);
	assert_null(f.workers);
	assert_false(f.all_holders);
	facts_done(&f);
	assert_int_equal(read_facts("{}", &f), 0);
	assert_int_equal(f.threshold.kind, THRESHOLD_UNSET);
	facts_done(&f);
}

#define HOLDER(hold) "{\"holders\":[{\"attempt\":\"r0000000001/1/1\","      \
	"\"holds\":[" hold "]}]}"

static const struct {
	const char *text;
	int code;
} bad[] = {
	{ "{\"holders\":{}}", ERR_SYNTAX },
	{ HOLDER("{}"), ERR_SYNTAX },
	{ HOLDER("{\"name\":\"a\",\"kind\":\"moon\"}"), ERR_SYNTAX },
	{ HOLDER("{\"name\":\"a\",\"n\":0}"), ERR_RANGE },
	{ HOLDER("{\"name\":\"a\",\"kind\":\"exclusion\"}"), ERR_SYNTAX },
	{ HOLDER("{\"name\":\"a\",\"other\":\"b\"}"), ERR_SYNTAX },
	{ HOLDER("{\"name\":\"a\",\"kind\":\"exclusion\",\"other\":\"b\",\"n\":4}"), ERR_RANGE },
	{ "{\"targets\":[{\"max\":1}]}", ERR_SYNTAX },
	{ "{\"targets\":[{\"name\":\"a\",\"max\":-1}]}", ERR_RANGE },
	{ "{\"targets\":[{\"name\":\"a\",\"taken\":[{\"attempt\":"
	    "\"r0000000001/1\"}]}]}", ERR_SYNTAX },
	{ "{\"targets\":[{\"name\":\"a\",\"taken\":[{}]}]}", ERR_SYNTAX },
	{ "{\"runs\":[\"x\"]}", ERR_SYNTAX },
	{ "{\"runs\":[\"r0000000001/1\"]}", ERR_SYNTAX },
	{ "[]", ERR_SYNTAX },
	{ "{\"host\":1}", ERR_SYNTAX },
	{ "{\"max_workers\":-1}", ERR_RANGE },
	{ "{\"max_workers\":70000}", ERR_RANGE },
	{ "{\"max_source\":\"moon\"}", ERR_SYNTAX },
	{ "{\"threshold\":-1}", ERR_RANGE },
	{ "{\"threshold\":1.5}", ERR_SYNTAX },
	{ "{\"threshold\":\"some\"}", ERR_SYNTAX },
	{ "{\"held\":true}", ERR_SYNTAX },
	{ "{\"held\":{\"since\":\"x\"}}", ERR_SYNTAX },
	{ "{\"load1\":\"x\"}", ERR_SYNTAX },
	{ "{\"workers\":{}}", ERR_SYNTAX },
	{ "{\"workers\":[{}]}", ERR_SYNTAX },
	{ "{\"workers\":[{\"no\":0}]}", ERR_RANGE },
	{ "{\"workers\":[{\"no\":1,\"label\":\"l\"},{\"no\":2,\"kind\":1}]}",
	    ERR_SYNTAX },
	{ "{\"workers\":[{\"no\":1,\"attempt\":\"r0000000001/1\"}]}",
	    ERR_SYNTAX },
	{ "{\"uptime_s\":-1}", ERR_RANGE },
	{ "{\"disk_free_bytes\":-1}", ERR_RANGE },
};

static void
wrong_facts_are_refused(void **state)
{
	struct facts f;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (read_facts(bad[i].text, &f) != bad[i].code)
			fail_msg("%s", bad[i].text);
}

/* What attention and cures call too long. */
static void
workers_may_be_overdue_or_silent(void **state)
{
	struct worker w = { .usual_us = 30 * US_PER_S,
		.output_age_us = -1, .elapsed_us = 100 * US_PER_S };

	assert_false(worker_overdue(&w, 90 * US_PER_S));
	assert_true(worker_overdue(&w, 91 * US_PER_S));
	w.usual_us = US_PER_S;
	assert_false(worker_overdue(&w, 60 * US_PER_S));
	assert_true(worker_overdue(&w, 61 * US_PER_S));
	w.usual_us = 0;
	assert_false(worker_overdue(&w, INT64_MAX));
	/* Without any output since it began. */
	assert_false(worker_silent(&w, 499 * US_PER_S));
	assert_true(worker_silent(&w, 500 * US_PER_S));
	w.output_age_us = 0;
	assert_false(worker_silent(&w, 599 * US_PER_S));
	assert_true(worker_silent(&w, 600 * US_PER_S));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(thresholds_are_read_and_shown),
		cmocka_unit_test(the_effective_threshold),
		cmocka_unit_test(thresholds_compare),
		cmocka_unit_test(notes_are_set_and_cleared),
		cmocka_unit_test(facts_go_there_and_back),
		cmocka_unit_test(little_is_enough),
		cmocka_unit_test(wrong_facts_are_refused),
		cmocka_unit_test(workers_may_be_overdue_or_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
