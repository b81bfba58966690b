/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clock.h and ident.h. */
#include "../lib/check.h"

#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/ident.h"
#include "yardmaster/base/size.h"

static void
test_format(void **state)
{
	char out[CLOCK_TEXT];

	assert_string_equal(clock_format(0, out), "1970-01-01T00:00:00.000Z");
	assert_string_equal(clock_format(-1, out), "1969-12-31T23:59:59.999Z");
	assert_string_equal(clock_format(INT64_C(1769860800123456), out),
	    "2026-01-31T12:00:00.123Z");
	assert_string_equal(clock_format(INT64_MAX, out),
	    "9999-12-31T23:59:59.999Z");
	assert_int_equal(strlen(clock_format(INT64_MIN, out)), 24);
}

static void
test_parse(void **state)
{
	static const struct {
		const char *text;
		int64_t us;
	} good[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-01-31T12:00:00.123456789Z", INT64_C(1769860800123456) },
		{ "2026-01-31t14:30:00.5+02:30", INT64_C(1769860800500000) },
		{ "2024-02-29 00:00:00-00:30", INT64_C(1709166600000000) },
		{ "1969-12-31T23:59:59.999999Z", -1 },
		{ "0001-01-01T00:00:00Z", INT64_C(-62135596800000000) },
	};
	static const char *const bad[] = { "", "2026-01-31", "2026-13-01T00:00:00Z",
		"2025-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
		"2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z",
		"2026-01-31T12:00:00", "2026-01-31T12:00:00.Z",
		"2026-01-31T12:00:00Zx", "2026-01-31T12:00:00+2:00",
		"26-01-31T12:00:00Z", "2026-01-00T12:00:00Z" };
	char text[CLOCK_TEXT];
	int64_t us, again;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(clock_parse(good[i].text, &us), 0);
		assert_true(us == good[i].us);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(clock_parse(bad[i], &us), ERR_SYNTAX);
	for (us = -INT64_C(50000000000000000); us < INT64_C(9000000000000000);
	    us += INT64_C(987654321987000)) {
		clock_format(us, text);
		assert_int_equal(clock_parse(text, &again), 0);
		assert_true(again <= us && us - again < 1000);
	}
}

static void
test_duration_parse(void **state)
{
	static const struct {
		const char *text;
		int64_t us;
	} good[] = {
		{ "250ms", 250 * US_PER_MS }, { "5s", 5 * US_PER_S },
		{ "10m", 600 * US_PER_S }, { "2h", 7200 * US_PER_S },
		{ "1d", 86400 * US_PER_S }, { "1h30m", 5400 * US_PER_S },
		{ "1m500ms", 60500 * US_PER_MS }, { "90", 90 * US_PER_S },
		{ "1.5", 1500 * US_PER_MS }, { "0", 0 }, { "1.5h", 5400 * US_PER_S },
		{ "0.0000019", 1 }, { "3650d", INT64_C(315360000) * US_PER_S },
	};
	static const char *const bad[] = { "", "s", "5x", "5 s", "5ss", "m5",
		"30m1h", "1h30", "1.s", ".5", "1,5", "5s5s", "-", "-x", "+5",
		"1e3" };
	static const char *const far[] = { "-5s", "-1", "4000d",
		"99999999999999999999", "9999999999s", "3650d9999999h" };
	int64_t us;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(duration_parse(good[i].text, &us), 0);
		assert_true(us == good[i].us);
	}
	us = 77;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(duration_parse(bad[i], &us), ERR_SYNTAX);
	for (i = 0; i < sizeof(far) / sizeof(far[0]); i++)
		assert_int_equal(duration_parse(far[i], &us), ERR_RANGE);
	assert_true(us == 77);
}

static void
test_duration_format(void **state)
{
	static const struct {
		int64_t us;
		const char *fine, *coarse;
	} rows[] = {
		{ 0, "0.0s", "0s" }, { -5, "0.0s", "0s" },
		{ 300 * US_PER_MS, "0.3s", "0s" },
		{ 9999 * US_PER_MS, "9.9s", "9s" },
		{ 42 * US_PER_S, "42s", "42s" },
		{ 185 * US_PER_S, "3m05s", "3m" },
		{ 7800 * US_PER_S, "2h10m", "2h" },
		{ 86399 * US_PER_S, "23h59m", "23h" },
		{ (4 * 86400 + 3 * 3600) * US_PER_S, "4d03h", "4d" },
		{ INT64_C(86400) * 999 * US_PER_S, "999d00h", "999d" },
		{ CLOCK_NEVER, "9999d", "9999d" },
	};
	char out[DURATION_TEXT];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		duration_format(rows[i].us, out);
		assert_string_equal(out, rows[i].fine);
		assert_true(strlen(out) <= 7);
		duration_coarse(rows[i].us, out);
		assert_string_equal(out, rows[i].coarse);
	}
}

static int64_t
fake_mono(void)
{
	return 11;
}

static int64_t
fake_wall(void)
{
	return INT64_C(1769860800000000);
}

static void
test_source(void **state)
{
	int64_t before = clock_mono_us();

	clock_set_source(fake_mono, fake_wall);
	assert_int_equal(clock_mono_us(), 11);
	assert_true(clock_wall_us() == fake_wall());
	clock_set_source(NULL, NULL);
	assert_true(clock_mono_us() >= before);
}

static void
test_run_ids(void **state)
{
	char a[RUN_ID_SIZE], b[RUN_ID_SIZE];
	struct ident id;
	int i, equal = 0;

	clock_set_source(NULL, fake_wall);
	ident_new_run(a);
	clock_set_source(NULL, NULL);
	ident_new_run(b);
	assert_int_equal(strlen(a), 11);
	assert_int_equal(strspn(a + 1, "0123456789abcdefghijklmnopqrstuv"), 10);
	assert_memory_not_equal(a, b, 7);
	for (i = 0; i < 20; i++) {
		ident_new_run(a);
		equal += strcmp(a, b) == 0;
		memcpy(b, a, sizeof(b));
	}
	assert_true(equal < 2);
	assert_int_equal(ident_parse(a, &id), 0);
	assert_string_equal(id.run, a);
}

static void
test_ident(void **state)
{
	static const char *const good[] = { "r0123456789", "rabcdefghij/17",
		"rvvvvvvvvvv/4294967295/2" };
	static const char *const bad[] = { "", "r", "r012345678", "r0123456789/",
		"r0123456789/0", "r0123456789/01", "r0123456789/1/",
		"r0123456789/4294967296", "r0123456789/1/2/3", "rABCDEFGHIJ",
		"x0123456789", "r0123456789w", "r0123456789 ", "r012345678w",
		"r0123456789/-1", "r0123456789/1x" };
	struct ident id, other;
	char out[IDENT_TEXT];
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(ident_parse(good[i], &id), 0);
		assert_string_equal(ident_format(&id, out), good[i]);
		assert_true(ident_equal(&id, &id));
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(ident_parse(bad[i], &other), ERR_SYNTAX);
	other = id;
	other.attempt++;
	assert_false(ident_equal(&id, &other));
}

static void
test_names(void **state)
{
	char longest[66];

	memset(longest, 'a', 65);
	longest[65] = '\0';
	assert_false(ident_is_agent_name(longest));
	longest[64] = '\0';
	assert_true(ident_is_agent_name(longest));
	assert_true(ident_is_agent_name("lab-1.x_Y"));
	assert_false(ident_is_agent_name(""));
	assert_false(ident_is_agent_name("a b"));
	assert_false(ident_is_agent_name("a/b"));
	assert_false(ident_is_agent_name("."));
	assert_false(ident_is_agent_name(".."));
	assert_true(ident_is_agent_name("..."));
	assert_true(ident_is_host("fe80::1"));
	assert_false(ident_is_host("-oProxyCommand"));
	assert_false(ident_is_host("a@b"));
	assert_false(ident_is_host(""));
	assert_true(ident_is_far_command(".local/bin/yardmaster-agent connect"));
	assert_false(ident_is_far_command("a  b"));
	assert_false(ident_is_far_command(" a"));
	assert_false(ident_is_far_command("a "));
	assert_false(ident_is_far_command("a;b"));
	assert_false(ident_is_far_command(""));
}

static void
test_sizes(void **state)
{
	static const struct {
		const char *in;
		int code;
		uint64_t bytes;
		const char *out;
	} rows[] = {
		{ "0", 0, 0, "0" },
		{ "1000000", 0, 1000000, "1000000" },
		{ "64M", 0, 64u << 20, "64M" },
		{ "512k", 0, 512u << 10, "512K" },
		{ "1.5G", 0, 1536u << 20, "1536M" },
		{ "2TiB", 0, UINT64_C(2) << 40, "2T" },
		{ "3KB", 0, 3072, "3K" },
		{ "7B", 0, 7, "7" },
		{ "1048575T", 0, UINT64_C(1048575) << 40, "1048575T" },
		{ "1048576T", ERR_RANGE, 0, NULL },
		{ "", ERR_SYNTAX, 0, NULL },
		{ "-1", ERR_SYNTAX, 0, NULL },
		{ " 1", ERR_SYNTAX, 0, NULL },
		{ "M", ERR_SYNTAX, 0, NULL },
		{ "1 M", ERR_SYNTAX, 0, NULL },
		{ "1Mb", ERR_SYNTAX, 0, NULL },
		{ "0x10", ERR_SYNTAX, 0, NULL },
		{ "inf", ERR_SYNTAX, 0, NULL },
	};
	struct buf b = BUF_INIT;
	uint64_t bytes;
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		bytes = 0;
		assert_int_equal(size_parse(rows[i].in, &bytes), rows[i].code);
		assert_true(bytes == rows[i].bytes);
		if (rows[i].code < 0)
			continue;
		buf_clear(&b);
		size_put(&b, bytes);
		assert_string_equal(buf_str(&b), rows[i].out);
	}
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_duration_parse),
		cmocka_unit_test(test_duration_format),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_source),
		cmocka_unit_test(test_run_ids),
		cmocka_unit_test(test_ident),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
