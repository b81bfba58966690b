/* SPDX-License-Identifier: GPL-3.0-or-later */
/* jval.h and jw.h. */
#include "../lib/check.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/jw.h"

static const char plan[] =
    "\xef\xbb\xbf{ // head \"not\" a key\n"
    "  \"name\": \"a//b\", /* two\n"
    "  lines */ \"n\": 42,\n"
    "  \"list\": [1, 2.5, {\"x\": true}, \"s\", null],\n"
    "  \"odd key\": {\"\\u0041b\": [[7]]},\n"
    "  \"\xc3\xa9\": 1, \"last\": -9223372036854775808\n"
    "}\n// end";

static void
test_values(void **state)
{
	struct jval *list;
	struct jdoc doc;

	assert_int_equal(jdoc_parse(&doc, "p", plan, sizeof(plan) - 1,
	    JDOC_COMMENTS, NULL), 0);
	assert_string_equal(jval_get_str(doc.root, "name", ""), "a//b");
	assert_int_equal(jval_get_int(doc.root, "n", 0), 42);
	assert_true(jval_get_int(doc.root, "last", 0) == INT64_MIN);
	list = jval_get(doc.root, "list");
	assert_int_equal(jval_count(list), 5);
	assert_int_equal(jval_type(jval_at(list, 1)), JVAL_REAL);
	assert_true(jval_real(jval_at(list, 1), 0) == 2.5);
	assert_true(jval_real(jval_at(list, 0), 0) == 1.0);
	assert_int_equal(jval_int(jval_at(list, 1), -1), -1);
	assert_true(jval_get_bool(jval_at(list, 2), "x", false));
	assert_int_equal(jval_type(jval_at(list, 4)), JVAL_NULL);
	assert_null(jval_at(list, 5));
	assert_int_equal(jval_count(doc.root), 6);
	assert_string_equal(jval_key_at(doc.root, 0), "name");
	assert_string_equal(jval_key_at(doc.root, 5), "last");
	assert_ptr_equal(jval_value_at(doc.root, 2), list);
	assert_null(jval_key_at(doc.root, 6));
	assert_null(jval_key_at(list, 0));
	assert_string_equal(doc.text, plan);
	jdoc_done(&doc);
}

static void
test_absent(void **state)
{
	assert_int_equal(jval_type(NULL), JVAL_NULL);
	assert_null(jval_get(NULL, "x"));
	assert_int_equal(jval_count(NULL), 0);
	assert_string_equal(jval_get_str(NULL, "x", "def"), "def");
	assert_int_equal(jval_get_int(NULL, "x", -3), -3);
	assert_true(jval_get_bool(NULL, "x", true));
	assert_string_equal(jval_type_name(JVAL_STRING), "a string");
}

static void
test_locate(void **state)
{
	static const struct {
		const char *path;
		unsigned line, column;
	} rows[] = {
		{ "", 1, 2 }, { "name", 2, 11 }, { "n", 3, 17 },
		{ "list", 4, 11 }, { "list[2]", 4, 20 }, { "list[2].x", 4, 26 },
		{ "list[4]", 4, 38 }, { "[\"odd key\"]", 5, 14 },
		{ "[\"odd key\"].Ab[0][0]", 5, 28 }, { "[\"\xc3\xa9\"]", 6, 8 },
		{ "last", 6, 19 }, { "nope", 0, 0 }, { "list[5]", 0, 0 },
		{ "name.x", 0, 0 }, { "list[", 0, 0 }, { "list[x]", 0, 0 },
		{ "list[\"0\"]", 0, 0 },
	};
	unsigned line, column;
	struct jdoc doc;
	size_t i;

	assert_int_equal(jdoc_parse(&doc, NULL, plan, sizeof(plan) - 1,
	    JDOC_COMMENTS, NULL), 0);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		jdoc_locate(&doc, rows[i].path, &line, &column);
		assert_int_equal(line, rows[i].line);
		assert_int_equal(column, rows[i].column);
	}
	jdoc_done(&doc);
}

static void
test_paths(void **state)
{
	struct buf b = BUF_INIT;

	jdoc_path_key(&b, "suites");
	jdoc_path_index(&b, 3);
	jdoc_path_key(&b, "name");
	assert_string_equal(buf_str(&b), "suites[3].name");
	jdoc_path_key(&b, "a\"b");
	jdoc_path_key(&b, "1x");
	jdoc_path_key(&b, "");
	assert_string_equal(buf_str(&b),
	    "suites[3].name[\"a\\\"b\"][\"1x\"][\"\"]");
	buf_done(&b);
}

static void
test_fault(void **state)
{
	struct diags ds = DIAGS_INIT;
	struct jdoc doc;
	struct diag *d;

	assert_int_equal(jdoc_parse(&doc, "p.json", plan, sizeof(plan) - 1,
	    JDOC_COMMENTS, &ds), 0);
	d = jdoc_fault(&doc, &ds, DIAG_ERROR, "list[2].x", "no %d", 1);
	assert_int_equal(d->line, 4);
	assert_int_equal(d->column, 26);
	assert_string_equal(d->text, "no 1");
	d = jdoc_fault(&doc, &ds, DIAG_ERROR, "list[2].missing.deep", "gone");
	assert_int_equal(d->line, 4);
	assert_int_equal(d->column, 20);
	assert_string_equal(d->path, "list[2].missing.deep");
	jdoc_done(&doc);
	diags_done(&ds);
}

/* Text, the line and column of its fault, and the path. */
static void
test_syntax(void **state)
{
	static const struct {
		const char *text, *path;
		unsigned line, column;
	} rows[] = {
		{ "", "", 1, 1 }, { "{", "", 1, 2 }, { "[1,]", "[1]", 1, 4 },
		{ "{\"a\":1,}", "a", 1, 8 }, { "{\"a\" 1}", "a", 1, 6 },
		{ "{\"a\":1 \"b\":2}", "a", 1, 8 }, { "{'a':1}", "", 1, 2 },
		{ "{\"a\":\n[1,\n {\"b\": tru}]}", "a[1].b", 3, 8 },
		{ "{\"a\":1,\n\"a\":2}", "a", 2, 1 },
		{ "{\"a\":1,\n\"\\u0061\":2, \"c\":3}", "a", 2, 1 },
		{ "[01]", "[0]", 1, 4 }, { "[1.]", "[0]", 1, 4 },
		{ "[1e]", "[0]", 1, 4 }, { "[-]", "[0]", 1, 3 },
		{ "[+1]", "[0]", 1, 2 }, { "[NaN]", "[0]", 1, 2 },
		{ "[Infinity]", "[0]", 1, 2 }, { "[1e999]", "[0]", 1, 7 },
		{ "[2e308]", "[0]", 1, 2 }, { "[9223372036854775808]", "[0]", 1, 2 },
		{ "[-9223372036854775809]", "[0]", 1, 2 },
		{ "[\"a\nb\"]", "[0]", 1, 2 }, { "[\"a", "[0]", 1, 2 },
		{ "[\"\\x\"]", "[0]", 1, 3 }, { "[\"\\u12\"]", "[0]", 1, 3 },
		{ "[\"\\u0000\"]", "[0]", 1, 3 }, { "[\"\t\"]", "[0]", 1, 3 },
		{ "[\"\xff\"]", "[0]", 1, 2 }, { "[1] 2", "", 1, 5 },
		{ "[1] // x", "", 1, 5 }, { "null", NULL, 1, 0 },
		{ "[1] /*", "", 1, 5 },
	};
	struct diags ds = DIAGS_INIT;
	struct jdoc doc;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(jdoc_parse(&doc, "f", rows[i].text,
		    strlen(rows[i].text), 0, &ds), ERR_SYNTAX);
		assert_int_equal(ds.n, 1);
		assert_int_equal(ds.v[0].line, rows[i].line);
		assert_int_equal(ds.v[0].column, rows[i].column);
		if (rows[i].path != NULL)
			assert_string_equal(ds.v[0].path, rows[i].path);
		diags_done(&ds);
	}
}

/* Depth 32 passes, 33 does not, and a very deep text costs nothing. */
static void
test_depth(void **state)
{
	char text[200001];
	struct jval *v;
	size_t n;

	for (n = 32; n <= 33; n++) {
		memset(text, '[', n);
		memset(text + n, ']', n);
		assert_int_equal(jval_parse(&v, text, 2 * n),
		    n == 32 ? 0 : ERR_TOO_LARGE);
		if (n == 32)
			jval_free(v);
	}
	memset(text, '[', 200000);
	assert_int_equal(jval_parse(&v, text, 200000), ERR_TOO_LARGE);
}

/* Many keys: found by order, and the one that comes twice is named. */
static void
test_many_keys(void **state)
{
	struct diags ds = DIAGS_INIT;
	struct buf b = BUF_INIT;
	struct jval *v;
	struct jdoc doc;
	char key[16];
	struct jw w;
	int i;

	jw_init(&w, &b);
	jw_object(&w);
	for (i = 0; i < 5000; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		jw_kv_int(&w, key, i);
	}
	jw_object_end(&w);
	assert_int_equal(jval_parse(&v, buf_data(&b), buf_len(&b)), 0);
	assert_int_equal(jval_count(v), 5000);
	for (i = 0; i < 5000; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		assert_string_equal(jval_key_at(v, (size_t)i), key);
		assert_int_equal(jval_int(jval_value_at(v, (size_t)i), -1), i);
	}
	jval_free(v);
	buf_truncate(&b, buf_len(&b) - 1);
	buf_puts(&b, ",\n\"k77\":1}");
	assert_int_equal(jdoc_parse(&doc, NULL, buf_str(&b), buf_len(&b), 0,
	    &ds), ERR_SYNTAX);
	assert_string_equal(ds.v[0].path, "k77");
	assert_int_equal(ds.v[0].line, 2);
	diags_done(&ds);
	buf_done(&b);
}

static void
test_messages(void **state)
{
	struct buf b = BUF_INIT;
	struct jval *v;

	assert_int_equal(jval_parse(&v, "12}", 2), 0);	/* not NUL-ended */
	assert_int_equal(jval_int(v, 0), 12);
	jval_free(v);
	assert_int_equal(jval_parse(&v, "\"\\ud83d\\ude00/\"", 15), 0);
	assert_string_equal(jval_str(v, ""), "\xf0\x9f\x98\x80/");
	jval_print(v, &b);
	assert_string_equal(buf_str(&b), "\"\xf0\x9f\x98\x80/\"");
	jval_free(v);
	assert_int_equal(jval_parse(&v, "{\"a\":1,\"a\":1}", 13), ERR_SYNTAX);
	assert_int_equal(jval_parse(&v, "null", 4), ERR_SYNTAX);
	assert_int_equal(jval_parse(&v, "{}//", 4), ERR_SYNTAX);
	assert_int_equal(jval_parse(&v, NULL, 0), ERR_SYNTAX);
	jval_free(NULL);
	buf_done(&b);
}

static void
test_load(void **state)
{
	struct diags ds = DIAGS_INIT;
	struct jdoc doc;

	assert_int_equal(jdoc_load(&doc, "/nonexistent/x", 0, &ds), -ENOENT);
	assert_int_equal(jdoc_load(&doc, "/", 0, &ds), -EISDIR);
	assert_int_equal(jdoc_load(&doc, "/dev/null", 0, &ds), ERR_SYNTAX);
	assert_int_equal(ds.n, 3);
	assert_string_equal(ds.v[0].file, "/nonexistent/x");
	diags_done(&ds);
}

static void
test_write(void **state)
{
	struct buf b = BUF_INIT;
	struct jw w;

	jw_init(&w, &b);
	jw_object(&w);
	jw_kv_str(&w, "s", "q\"\\\n\x01/\xc3\xa9\xff");
	jw_kv_str(&w, "null", NULL);
	jw_kv_int(&w, "i", INT64_MIN);
	jw_kv_real(&w, "r", 0.1);
	jw_kv_real(&w, "inf", HUGE_VAL);
	jw_kv_bool(&w, "b", true);
	jw_kv_seconds(&w, "s1", 1500000);
	jw_kv_seconds(&w, "s2", -60000000);
	jw_kv_seconds(&w, "s3", 1);
	jw_kv_time(&w, "t", 0);
	jw_key(&w, "a");
	jw_array(&w);
	jw_array(&w);
	jw_array_end(&w);
	jw_object(&w);
	jw_object_end(&w);
	jw_raw(&w, "7", 1);
	jw_strn(&w, "a\0b", 3);
	jw_array_end(&w);
	jw_object_end(&w);
	assert_string_equal(buf_str(&b), "{\"s\":\"q\\\"\\\\\\n\\u0001/\xc3\xa9"
	    "\xef\xbf\xbd\",\"null\":null,\"i\":-9223372036854775808,"
	    "\"r\":0.1,\"inf\":null,\"b\":true,\"s1\":1.5,\"s2\":-60,"
	    "\"s3\":0.000001,\"t\":null,\"a\":[[],{},7,\"a\\u0000b\"]}");
	buf_done(&b);
}

/* What was written is read back the same. */
static void
test_round_trip(void **state)
{
	static const double reals[] = { 0.1, 1.0 / 3, 1e-300, 123456789.125,
		-0.0, 1e21,
		1.7976931348623157e308, 5e-324 };
	struct buf b = BUF_INIT;
	struct jval *v;
	struct jw w;
	size_t i;

	for (i = 0; i < sizeof(reals) / sizeof(reals[0]); i++) {
		buf_clear(&b);
		jw_init(&w, &b);
		jw_array(&w);
		jw_real(&w, reals[i]);
		jw_strn(&w, "\xf0\x9f\x98\x80\t\x7f", 6);
		jw_array_end(&w);
		assert_int_equal(jval_parse(&v, buf_data(&b), buf_len(&b)), 0);
		assert_true(jval_real(jval_at(v, 0), 9) == reals[i]);
		assert_string_equal(jval_str(jval_at(v, 1), ""),
		    "\xf0\x9f\x98\x80\t\x7f");
		jval_free(v);
	}
	buf_done(&b);
}

static void
test_apart(void **state)
{
	static const char text[] = "{\"value\" : \"a\\\"b\\u00e9\", \"v\": [{"
	    "\"value\":7}, \"value\", {\"value\":\"\"}], \"x\":\"value\","
	    "\"y\":\"\\\"value\\\":\\\"no\\\"\"}";
	struct apart a = { NULL, 0, 0 };
	struct buf b = BUF_INIT;
	struct jval *v;

	assert_int_equal(jval_parse_apart(&v, text, strlen(text), "value",
	    &a), 0);
	assert_int_equal(a.n, 2);
	assert_string_equal(a.v[0], "a\"b\xc3\xa9");
	assert_string_equal(a.v[1], "");
	jval_print(v, &b);
	assert_string_equal(buf_str(&b), "{\"value\":0,\"v\":[{\"value\":7},"
	    "\"value\",{\"value\":1}],\"x\":\"value\","
	    "\"y\":\"\\\"value\\\":\\\"no\\\"\"}");
	buf_done(&b);
	jval_free(v);
	apart_done(&a);
	assert_int_equal(jval_parse_apart(&v, "{\"value\":\"a\"", 12, "value",
	    &a), ERR_SYNTAX);
	assert_int_equal(a.n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_locate),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_fault),
		cmocka_unit_test(test_syntax),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_many_keys),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
