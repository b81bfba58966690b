/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Guards: their text, their JSON, what is given and what is not. */
#include "config.h"

#include <string.h>

#include "../lib/check.h"
#include "yardmaster/base/err.h"
#include "yardmaster/model/guards.h"

static const struct {
	enum guard g;
	const char *in;
	int code;
	const char *out;
} texts[] = {
	{ GUARD_LOAD, "1.5", 0, "1.5" },
	{ GUARD_LOAD, "0", 0, "off" },
	{ GUARD_LOAD, "off", 0, "off" },
	{ GUARD_LOAD, "10001", ERR_RANGE, NULL },
	{ GUARD_LOAD, "nan", ERR_RANGE, NULL },
	{ GUARD_LOAD, "-1", ERR_RANGE, NULL },
	{ GUARD_LOAD, "1x", ERR_SYNTAX, NULL },
	{ GUARD_LOAD, "", ERR_SYNTAX, NULL },
	{ GUARD_MEMORY, "2G", 0, "2G" },
	{ GUARD_MEMORY, "2000", 0, "2000" },
	{ GUARD_DISK, "much", ERR_SYNTAX, NULL },
	{ GUARD_HEALTH, "check  -q now", 0, "[\"check\",\"-q\",\"now\"]" },
	{ GUARD_HEALTH, "[\"a b\", \"\"]", 0, "[\"a b\",\"\"]" },
	{ GUARD_HEALTH, "[]", 0, "off" },
	{ GUARD_HEALTH, "[\"\"]", ERR_SYNTAX, NULL },
	{ GUARD_HEALTH, "[1]", ERR_SYNTAX, NULL },
	{ GUARD_HEALTH, "[", ERR_SYNTAX, NULL },
	{ GUARD_HEALTH, " ", ERR_SYNTAX, NULL },
};

static void
texts_are_read_and_shown(void **state)
{
	struct guards g, before;
	struct buf b = BUF_INIT;
	size_t i;

	for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		memset(&g, 0, sizeof g);
		before = g;
		if (guard_set(&g, texts[i].g, texts[i].in) != texts[i].code)
			fail_msg("\"%s\"", texts[i].in);
		if (texts[i].code < 0) {
			assert_memory_equal(&g, &before, sizeof g);
			continue;
		}
		assert_int_equal(g.given, GUARD_BIT(texts[i].g));
		buf_clear(&b);
		guard_put(&b, &g, texts[i].g);
		assert_string_equal(buf_str(&b), texts[i].out);
		assert_int_equal(guard_set(&g, texts[i].g, "default"), 0);
		assert_int_equal(g.given, 0);
	}
	buf_done(&b);
}

static void
a_long_command_is_refused(void **state)
{
	struct guards g = { .given = 0 };
	struct strvec argv = STRVEC_INIT;
	char word[GUARD_HEALTH_SIZE - 4];

	memset(word, 'x', sizeof word);
	word[sizeof word - 1] = '\0';
	strvec_push(&argv, word);
	assert_int_equal(guards_set_health(&g, &argv), 0);
	assert_int_equal(strlen(g.health), GUARD_HEALTH_SIZE - 1);
	strvec_done(&argv);
	guards_health(&g, &argv);
	assert_int_equal(argv.n, 1);
	assert_string_equal(argv.v[0], word);
	strvec_push(&argv, "");
	assert_int_equal(guards_set_health(&g, &argv), ERR_TOO_LARGE);
	assert_int_equal(strlen(g.health), GUARD_HEALTH_SIZE - 1);
	strvec_done(&argv);
}

static void
json_says_what_is_named(void **state)
{
	struct guards g = { .given = 0 }, back;
	struct buf b = BUF_INIT;
	struct jval *v = NULL;
	unsigned named = 0;
	struct jw w;

	guard_set(&g, GUARD_LOAD, "0.5");
	guard_set(&g, GUARD_DISK, "off");
	guard_set(&g, GUARD_HEALTH, "off");
	jw_init(&w, &b);
	guards_write(&w, &g, GUARD_BIT(GUARDS) - 1);
	assert_string_equal(buf_str(&b), "{\"load_per_cpu\":0.5,"
	    "\"free_memory\":null,\"free_disk\":0,\"health\":[]}");
	assert_int_equal(jval_parse(&v, buf_data(&b), buf_len(&b)), 0);
	assert_int_equal(guards_read(v, &back, &named), 0);
	assert_int_equal(named, GUARD_BIT(GUARDS) - 1);
	assert_int_equal(back.given, g.given);
	assert_true(guards_equal(&g, &back, GUARD_BIT(GUARDS) - 1));
	guard_set(&back, GUARD_DISK, "1");
	assert_true(guards_equal(&g, &back, ~GUARD_BIT(GUARD_DISK)));
	assert_false(guards_equal(&g, &back, GUARD_BIT(GUARD_DISK)));
	guard_set(&g, GUARD_DISK, "default");
	assert_false(guards_equal(&g, &back, GUARD_BIT(GUARD_DISK)));
	buf_clear(&b);
	guards_put_change(&b, &g, &back, GUARD_BIT(GUARD_LOAD) |
	    GUARD_BIT(GUARD_DISK));
	assert_string_equal(buf_str(&b),
	    "load_per_cpu 0.5 -> 0.5, free_disk default -> 1");
	jval_free(v);
	buf_done(&b);
}

static void
bad_json_is_refused(void **state)
{
	static const char *const bad[] = {
		"[]", "1", "{\"free_disk\":-1}", "{\"free_memory\":\"1G\"}",
		"{\"load_per_cpu\":-1}", "{\"load_per_cpu\":10001}",
		"{\"health\":\"x\"}", "{\"health\":[\"\"]}",
		"{\"health\":[[]]}",
	};
	struct guards g;
	struct jval *v;
	size_t i;

	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		v = NULL;
		assert_int_equal(jval_parse(&v, bad[i], strlen(bad[i])), 0);
		if (guards_read(v, &g, NULL) == 0)
			fail_msg("%s", bad[i]);
		jval_free(v);
	}
	assert_int_equal(guards_read(NULL, &g, NULL), 0);
	assert_int_equal(g.given, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_read_and_shown),
		cmocka_unit_test(a_long_command_is_refused),
		cmocka_unit_test(json_says_what_is_named),
		cmocka_unit_test(bad_json_is_refused),
	};

	return cmocka_run_group_tests_name("guards", tests, NULL, NULL);
}
