/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Suites from other files. */
#include "plan_help.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "yardmaster/base/mem.h"

/* Each test works in a folder of its own. */
struct place {
	char dir[64];
	char *back;
};

static int
enter(void **state)
{
	struct place *pl = mem_zalloc(sizeof(*pl));

	*state = pl;
	snprintf(pl->dir, sizeof(pl->dir), "/tmp/ym-test-XXXXXX");
	pl->back = getcwd(NULL, 0);
	return mkdtemp(pl->dir) != NULL && chdir(pl->dir) == 0 ? 0 : -1;
}

static int
leave(void **state)
{
	struct place *pl = *state;
	struct dirent *e;
	DIR *d;

	rmdir("sub");
	d = opendir(".");
	while (d != NULL && (e = readdir(d)) != NULL)
		unlink(e->d_name);
	closedir(d);
	if (chdir(pl->back) < 0 || rmdir(pl->dir) < 0)
		return -1;
	free(pl->back);
	free(pl);
	return 0;
}

static void
put(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void
check_refused(const char *name, const char *expected)
{
	struct diags ds = DIAGS_INIT;
	struct plan *p;
	char *said;

	assert_int_equal(plan_load(name, &ds, &p), ERR_INVALID);
	said = say_all(&ds);
	assert_string_equal(said, expected);
	free(said);
	diags_done(&ds);
}

static struct plan *
load_file(const char *name)
{
	struct diags ds = DIAGS_INIT;
	struct plan *p = NULL;

	if (plan_load(name, &ds, &p) != 0 || plan_expand(p, NULL, &ds) != 0)
		fail_msg("%s", say_all(&ds));
	diags_done(&ds);
	return p;
}

/* A list, a suite, and the suites of a suite; keys and limits come from the
 * outside, data from beside the file. */
static void
test_include(void **state)
{
	struct plan *p, *again;
	struct buf text = BUF_INIT;
	struct plan_ref ref;

	put("list.json", "{\"$schema\": \"x\", \"suites\": [{\"name\": \"a\", "
	    "\"tests\": [\"t\"]}, {\"include\": \"sub/one.json\"}]} // end");
	assert_int_equal(mkdir("sub", 0700), 0);
	put("sub/one.json", "{\"name\": \"b\", \"retries\": 2, \"needs\": "
	    "[\"a\"], \"tests\": [{\"name\": \"t\", \"data\": "
	    "\"rows.csv\"}]}");
	put("sub/rows.csv", "user\nx\ny\n");
	put("p.json", "{\"parallel\": \"tests\", \"shell\": \"x\", "
	    "\"suites\": [{\"name\": \"z\", \"tests\": [\"t\"]}, "
	    "{\"include\": \"list.json\"}, {\"name\": \"o\", "
	    "\"max_parallel\": 3, \"agents\": [\"@gpu\"], \"include\": "
	    "\"sub/one.json\"}]}");
	p = load_file("p.json");
	check_labels(p, "z/t; a/t; b/t[1]; b/t[2]; o/b/t[1]; o/b/t[2]");
	assert_int_equal(plan_find(p, "o", &ref), 0);
	assert_true(plan_ref_covers(p, &ref, 5));
	assert_false(plan_ref_covers(p, &ref, 3));
	assert_int_equal(p->suites[ref.index].max_parallel, 3);
	assert_int_equal(p->terms[p->execs[5].terms].retries, 2);
	assert_string_equal(p->agents[p->terms[p->execs[5].terms].agents[0]].
	    terms.v[0], "@gpu");
	/* A snapshot needs none of the files. */
	plan_snapshot(p, &text);
	plan_free(p);
	unlink("sub/one.json");
	unlink("sub/rows.csv");
	assert_int_equal(plan_from_snapshot(buf_str(&text), buf_len(&text),
	    &again), 0);
	check_labels(again, "z/t; a/t; b/t[1]; b/t[2]; o/b/t[1]; o/b/t[2]");
	plan_free(again);
	buf_done(&text);
}

#define PLAN(suites) "{\"shell\": \"x\",\n \"suites\": [" suites "]}"
#define GOOD "{\"name\": \"s\", \"tests\": [\"t\"]}"

static void
test_faults(void **state)
{
	put("p.json", PLAN("{\"include\": \"no.json\"}, {\"include\": \"\"}, "
	    "{\"include\": 3}, {\"include\": \"x\", \"retries\": 1, \"z\": 1}, "
	    "{\"name\": \"n\", \"include\": \"x\", \"suites\": []}"));
	put("x", "{\n\"suites\": 3,\n\"retries\": 1}");
	check_refused("p.json",
	    "p.json:2: suites[0].include: no.json: No such file or "
	    "directory\n"
	    "p.json:2: suites[1].include: an empty string\n"
	    "p.json:2: suites[2].include: a string is expected, not a whole "
	    "number\n"
	    "p.json:2: suites[3].z: unknown key \"z\"\n"
	    "p.json:2: suites[3].retries: an include without a name has "
	    "nothing beside it (give the suite a name)\n"
	    "x:3: retries: an included file without a name has only "
	    "\"suites\" (give it a name, and it is a suite)\n"
	    "x:2: suites: a list is expected, not a whole number\n"
	    "p.json:2: suites[4]: suites and include at once; give one\n");
}

/* Faults inside an included file have its name and its lines: at once, when
 * names are resolved, and against a fleet. */
static void
test_lines(void **state)
{
	static const char fleet[] = "{\"name\": \"f\", \"agents\": [{\"name\": "
	    "\"lab-1\"}]}";
	struct diags ds = DIAGS_INIT;
	struct fleet_spec *f;
	struct plan *p;
	char *said;

	put("p.json", PLAN(GOOD ", {\"include\": \"sub/i.json\"}"));
	assert_int_equal(mkdir("sub", 0700), 0);
	put("sub/i.json", "{\"name\": \"i\",\n\"retires\": 1,\n\"tests\": ["
	    "\"t\"]}");
	check_refused("p.json", "sub/i.json:2: retires: unknown key "
	    "\"retires\" (did you mean \"retries\"?)\n");
	put("sub/i.json", "{\"suites\": [\n\n{\"name\": \"s\", \"tests\": ["
	    "\"t\"]},\n{\"name\": \"u\",\n\"needs\": [\"nope\"], \"tests\": "
	    "[\"t\"]}]}");
	check_refused("p.json", "sub/i.json:3: suites[0]: a suite named \"s\" "
	    "was there before\n"
	    "sub/i.json:5: suites[1].needs[0]: no suite or test is named "
	    "\"nope\"\n");
	put("sub/i.json", "{\"name\": \"i\",\n \"needs\": [\"i\"], \"tests\": "
	    "[\"t\"]}");
	check_refused("p.json", "sub/i.json:2: needs[0]: a cycle: i -> i\n");
	put("sub/i.json", "{\"name\": \"i\",\n\n");
	check_refused("p.json", "sub/i.json:3: name: the text ends too early\n");
	put("sub/i.json", "[]");
	check_refused("p.json", "sub/i.json:1: an object is expected, not a "
	    "list\n");
	put("sub/i.json", "{\"name\": \"i\",\n\"tests\": [\"t\"],\n\"agents\": "
	    "[\"lab-2\"]}");
	p = load_file("p.json");
	unlink("sub/i.json");
	assert_int_equal(fleet_load_text("f.json", fleet, strlen(fleet), &ds,
	    &f), 0);
	assert_int_equal(plan_check_agents(p, f, &ds), 1);
	said = say_all(&ds);
	assert_string_equal(said, "sub/i.json:3: agents: no agent of the "
	    "fleet f meets lab-2 (did you mean \"lab-1\"?)\n");
	free(said);
	diags_done(&ds);
	fleet_spec_free(f);
	plan_free(p);
}

static void
test_cycle(void **state)
{
	put("p.json", PLAN("{\"include\": \"a.json\"}"));
	put("a.json", "{\"suites\": [" GOOD ",\n{\"include\": \"b.json\"}]}");
	put("b.json", "{\"include\": \"./a.json\"}");
	check_refused("p.json", "b.json:1: include: a cycle: ./a.json includes "
	    "itself\n");
	put("b.json", "{\"name\": \"b\", \"include\": \"p.json\"}");
	check_refused("p.json", "b.json:1: include: a cycle: p.json includes "
	    "itself\n");
	put("a.json", "{\"include\": \"a.json\"}");
	check_refused("p.json", "a.json:1: include: a cycle: a.json includes "
	    "itself\n");
}

static void
test_depth(void **state)
{
	char name[16], text[64];
	struct plan *p;
	int i;

	put("p.json", PLAN("{\"include\": \"1\"}"));
	for (i = 1; i < 8; i++) {
		snprintf(name, sizeof(name), "%d", i);
		snprintf(text, sizeof(text), "{\"include\": \"%d\"}", i + 1);
		put(name, text);
	}
	put("8", GOOD);
	p = load_file("p.json");
	check_labels(p, "s/t");
	plan_free(p);
	put("8", "{\"include\": \"9\"}");
	put("9", GOOD);
	check_refused("p.json", "8:1: include: files include each other more "
	    "than 8 deep\n");
}

/* Files that include files many times each do not multiply for ever. */
static void
test_many(void **state)
{
	struct diags ds = DIAGS_INIT;
	struct plan *p;
	char name[16];
	int i, k;
	FILE *f;

	for (i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "%d", i);
		f = fopen(name, "w");
		assert_non_null(f);
		fprintf(f, "{%s\"suites\": [", i == 0 ?
		    "\"shell\": \"x\", " : "");
		for (k = 0; k < 20; k++)
			fprintf(f, "%s{\"include\": \"%d\"}",
			    k > 0 ? "," : "", i + 1);
		fprintf(f, "]}");
		fclose(f);
	}
	put("4", GOOD);
	assert_int_equal(plan_load("0", &ds, &p), ERR_INVALID);
	assert_true(ds.n > 100);
	assert_string_equal(ds.v[0].text, "more than 1000 files are included");
	diags_done(&ds);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, enter, leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_include),
		TEST(test_faults),
		TEST(test_lines),
		TEST(test_cycle),
		TEST(test_depth),
		TEST(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
