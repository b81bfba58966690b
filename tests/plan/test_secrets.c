/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Secrets of a plan: who has which, where they come from, and that a snapshot
 * has none of them. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/check.h"
#include "tests/plan/plan_help.h"
#include "yardmaster/plan/plan.h"

static const char text[] =
    "{\"name\": \"p\", \"parallel\": \"none\", \"secrets\": [\"YT_A\","
    " {\"name\": \"YT_B\", \"command\": [\"sh\", \"-c\", \"echo from-b\"]}],"
    " \"suites\": [{\"name\": \"s\", \"command\": [\"x\"], \"tests\": ["
    "  {\"name\": \"t\", \"data\": \"rows.csv\","
    "   \"secret_columns\": [\"pin\"]},"
    "  {\"name\": \"u\", \"secrets\": ["
    "   {\"name\": \"YT_B\", \"file\": \"token\"}]}]}]}";

static void
put(const char *dir, const char *name, const char *content)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(content, f);
	fclose(f);
}

static struct plan *
load(const char *dir)
{
	struct diags ds = DIAGS_INIT;
	struct plan *p = NULL;

	assert_int_equal(plan_load_text(NULL, dir, text, strlen(text), &ds,
	    &p), 0);
	assert_int_equal(plan_expand(p, NULL, &ds), 0);
	diags_done(&ds);
	return p;
}

static void
expect(const struct secret *s, const char *name, const char *value,
    uint32_t from, uint32_t to)
{
	assert_string_equal(s->name, name);
	assert_string_equal(s->value, value);
	assert_int_equal(s->from, from);
	assert_int_equal(s->to, to);
}

/* One execution of three steps: two rows of t, then u. */
static void
check_work(const struct plan *p)
{
	struct plan_place place = { .agent = "a" };
	struct buf b = BUF_INIT;
	struct work w;
	struct jw j;

	strcpy(place.id.run, "r0001abcdef");
	place.id.execution = place.id.attempt = 1;
	plan_work(p, &place, &w);
	assert_int_equal(w.secrets.n, 5);
	expect(&w.secrets.v[0], "YT_A", "value-of-a", 0, 3);
	expect(&w.secrets.v[1], "YT_B", "from-b", 0, 2);
	expect(&w.secrets.v[2], "YARDMASTER_ROW_PIN", "pin-of-1", 0, 1);
	expect(&w.secrets.v[3], "YARDMASTER_ROW_PIN", "pin-of-2", 1, 2);
	expect(&w.secrets.v[4], "YT_B", "from-file", 2, 3);
	jw_init(&j, &b);
	work_write(&j, &w);
	assert_non_null(strstr(buf_str(&b), "\"secret\":true"));
	assert_non_null(strstr(buf_str(&b), "YARDMASTER_ROW_USER=ann"));
	assert_null(strstr(buf_str(&b), "value-of"));
	assert_null(strstr(buf_str(&b), "pin-of"));
	assert_null(strstr(buf_str(&b), "from-"));
	buf_done(&b);
	work_done(&w);
}

static void
check_again(const struct plan *p, struct secrets *known, const char *dir)
{
	struct diags ds = DIAGS_INIT;
	struct buf b = BUF_INIT;
	struct plan *again = NULL;

	plan_snapshot(p, &b);
	assert_null(strstr(buf_str(&b), "value-of"));
	assert_null(strstr(buf_str(&b), "pin-of"));
	assert_null(strstr(buf_str(&b), "from-file"));
	assert_int_equal(plan_from_snapshot(buf_str(&b), buf_len(&b), &again),
	    0);
	assert_true(plan_has_secrets(again));
	assert_int_equal(plan_read_secrets(again, known, NULL, &ds), 0);
	check_work(again);
	plan_free(again);
	put(dir, "rows.csv", "user,pin\nann,pin-of-1\n");
	assert_int_equal(plan_from_snapshot(buf_str(&b), buf_len(&b), &again),
	    0);
	assert_true(plan_read_secrets(again, known, NULL, &ds) < 0);
	assert_non_null(strstr(ds.v[0].text, "others than"));
	plan_free(again);
	diags_done(&ds);
	buf_done(&b);
}

static void
test_values(void **state)
{
	char dir[] = "/tmp/ym-secrets-XXXXXX", value[] = "value-of-a";
	struct secrets known = { .v = NULL };
	struct diags ds = DIAGS_INIT;
	struct plan *p;

	assert_non_null(mkdtemp(dir));
	put(dir, "token", "from-file\n");
	put(dir, "rows.csv", "user,pin\nann,pin-of-1\nbob,pin-of-2\n");
	p = load(dir);
	unsetenv("YT_A");
	assert_true(plan_read_secrets(p, &known, NULL, &ds) < 0);
	assert_int_equal(ds.errors, 1);
	assert_non_null(strstr(ds.v[0].text, "YT_A, which s/t[1] needs"));
	diags_done(&ds);
	setenv("YT_A", value, 1);
	assert_int_equal(plan_read_secrets(p, &known, NULL, &ds), 0);
	assert_null(getenv("YT_A"));
	check_work(p);
	check_again(p, &known, dir);
	plan_free(p);
	secrets_done(&known);
	diags_done(&ds);
	assert_int_equal(chdir(dir), 0);
	unlink("token");
	unlink("rows.csv");
	rmdir(dir);
}

static char *
ask(void *arg, const char *name)
{
	++*(int *)arg;
	return strcmp(name, "YT_A") == 0 ? secret_dup("asked") : NULL;
}

static void
test_ask(void **state)
{
	static const char one[] = "{\"name\": \"p\", \"secrets\": [\"YT_A\"],"
	    " \"suites\": [{\"name\": \"s\", \"command\": [\"x\"],"
	    " \"tests\": [\"t\", \"u\"]}]}";
	struct secrets known = { .v = NULL };
	struct diags ds = DIAGS_INIT;
	struct plan *p = NULL;
	int asked = 0;
	const struct plan_ask person = { ask, &asked };

	unsetenv("YT_A");
	assert_int_equal(plan_load_text(NULL, NULL, one, strlen(one), &ds,
	    &p), 0);
	assert_int_equal(plan_expand(p, NULL, &ds), 0);
	assert_int_equal(plan_read_secrets(p, &known, &person, &ds), 0);
	assert_int_equal(asked, 1);
	assert_string_equal(p->secrets[0].value, "asked");
	assert_int_equal(plan_read_secrets(p, &known, &person, &ds), 0);
	assert_int_equal(asked, 1);
	assert_string_equal(known.v[0].value, "asked");
	plan_free(p);
	secrets_done(&known);
	diags_done(&ds);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_ask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
