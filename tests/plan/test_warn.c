/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbered warnings: where each is said, and where it is not. */
#include "plan_help.h"

#include <stdlib.h>

#include "yardmaster/base/clock.h"

static struct fleet_spec *
load_fleet(const char *text, struct diags *ds)
{
	struct fleet_spec *f = NULL;

	assert_int_equal(fleet_load_text("f.json", text, strlen(text), ds,
	    &f), 0);
	return f;
}

static void
check_said(const char *text, const struct fleet_spec *f,
    const char *expected)
{
	struct plan *p = expand_good(text, NULL);
	struct diags ds = DIAGS_INIT;
	char *said;

	plan_lint(p, f, 1700000000 * US_PER_S, &ds);
	assert_int_equal(ds.errors, 0);
	said = say_all(&ds);
	if (strcmp(said, expected) != 0)
		fail_msg("%s\ngave\n%sbut expected\n%s", text, said, expected);
	free(said);
	diags_done(&ds);
	plan_free(p);
}

static void
test_agents(void **state)
{
	static const char text[] = "{\"shell\": \"x\", \"suites\": [{\"name\": "
	    "\"a\", \"agents\": [\"l1\"], \"tests\": [\"t\"]}, \n{\"name\": "
	    "\"b\", \"agents\": [\"@mac\"], \"tests\": [\"t\"]}, {\"name\": "
	    "\"c\", \"agents\": [\"l1\", \"l2\"], \"tests\": [\"t\"]}, "
	    "{\"name\": \"d\", \"agents\": [\"l2\"], \"tests\": [\"t\"]}, "
	    "{\"name\": \"e\", \"agents\": [\"nobody\"], \"tests\": [\"t\"]}, "
	    "\n{\"name\": \"f\", \"targets\": [\"y\"], \"tests\": [\"t\"]}]}";
	struct diags ds = DIAGS_INIT;
	struct fleet_spec *f;

	f = load_fleet("{\"name\": \"f\", \"agents\": [{\"name\": \"l1\", "
	    "\"targets\": [\"x\"]}, {\"name\": \"l2\", \"targets\": [\"x\"]}, "
	    "{\"name\": \"m\", \"labels\": [\"mac\"], \"targets\": [\"x\"]}, "
	    "{\"name\": \"n\", \"targets\": [\"y\"]}]}", &ds);
	check_said(text, f, "p.json:2: warning: suites[1].agents: "
	    "W01: suites a and b share no "
	    "eligible agent of the fleet f (idle workers of one cannot help "
	    "the other)\n"
	    "p.json:3: warning: suites[5]: "
	    "W01: suites a and f share no eligible agent of "
	    "the fleet f (idle workers of one cannot help the other)\n");
	check_said(text, NULL, "");
	fleet_spec_free(f);
	diags_done(&ds);
}

static void
test_wide(void **state)
{
	static const char text[] = "{\"shell\": \"x\", \"parallel\": "
	    "\"tests\", \"suites\": [{\"name\": \"a\", \"agents\": "
	    "[\"l1\"], \"tests\": [\n{\"name\": \"t\", \"workers\": 3}, "
	    "{\"name\": \"u\", \"workers\": 2}]}, {\"name\": \"b\",\n"
	    "\"workers\": 9, \"tests\": [\"v\"]}]}";
	struct diags ds = DIAGS_INIT;
	struct fleet_spec *f;

	f = load_fleet("{\"name\": \"f\", \"agents\": [{\"name\": \"l1\", "
	    "\"max_workers\": 2}, {\"name\": \"l2\", \"max_workers\": "
	    "4}]}", &ds);
	check_said(text, f, "p.json:2: warning: suites[0].tests[0].workers: "
	    "W05: a/t takes 3 workers at "
	    "once, and no agent of the fleet f has as many (the most has l1: "
	    "2)\n"
	    "p.json:3: warning: suites[1].workers: "
	    "W05: b/v takes 9 workers at once, and no agent "
	    "of the fleet f has as many (the most has l2: 4)\n");
	fleet_spec_free(f);
	f = load_fleet("{\"name\": \"f\", \"agents\": [{\"name\": \"l1\"}, "
	    "{\"name\": \"l2\", \"max_workers\": 9}]}", &ds);
	check_said(text, f, "");	/* l1 does not say */
	fleet_spec_free(f);
	diags_done(&ds);
}

static void
test_past(void **state)
{
	static const char text[] = "{\"shell\": \"x\", \"suites\": [{"
	    "\"name\": \"a\", \"tests\": [\n{\"name\": \"t\", "
	    "\"schedule\": \"2023-11-14T22:13:19Z\"}, {\"name\": \"u\", "
	    "\"schedule\": \"2023-11-14T22:13:21Z\"}, {\"name\": \"v\", "
	    "\"schedule\": \"02:30\"}]}, {\"name\": \"b\",\n"
	    "\"schedule\": \"2020-01-01T00:00:00Z\", \"tests\": "
	    "[\"t\"]}]}";

	setenv("TZ", "UTC", 1);
	check_said(text, NULL,
	    "p.json:2: warning: suites[0].tests[0].schedule: W06: this "
	    "instant has passed: nothing waits for it (it was 2023-11-14 "
	    "22:13:19 UTC)\n"
	    "p.json:3: warning: suites[1].schedule: W06: this instant has "
	    "passed: nothing waits for it (it was 2020-01-01 00:00 UTC)\n");
}

#define COMMAND(argv, more) \
	"{\"suites\": [{\"name\": \"s\",\n\"command\": [" argv "], " more \
	"\"tests\": [\"t\"]}]}"
#define SAID(n) "p.json:2: warning: suites[0].command: " \
	"W02: s: the command starts processes " \
	"(-n " n ") on 1 worker (set workers, or let yardmaster run the " \
	"tests in parallel)\n"

static void
test_processes(void **state)
{
	static const struct {
		const char *text, *said;
	} rows[] = {
		{ COMMAND("\"pytest\", \"-n\", \"4\"", ""), SAID("4") },
		{ COMMAND("\"/usr/bin/pytest-3\", \"-n2\"", ""), SAID("2") },
		{ COMMAND("\"python\", \"-m\", \"pytest\", "
		    "\"--numprocesses=logical\"", ""), SAID("logical") },
		{ COMMAND("\"./run\", \"-n\", \"auto\"", ""), SAID("auto") },
		{ COMMAND("\"pytest\", \"-n\", \"4\"", "\"workers\": 4, "),
		    "" },
		{ COMMAND("\"pytest\", \"-n\", \"1\"", ""), "" },
		{ COMMAND("\"pytest\", \"-n\"", ""), "" },
		{ COMMAND("\"head\", \"-n\", \"4\"", ""), "" },
		{ COMMAND("\"pytest\", \"-n\", \"4x\"", ""), "" },
		{ "{\"command\": [\"x\"], \"suites\": [{\"name\": \"o\", "
		    "\"tests\": [\"u\", \n{\"name\": \"t\", \"command\": "
		    "[\"pytest\", \"-nauto\"]}]}]}",
		    "p.json:2: warning: suites[0].tests[1].command: "
		    "W02: o/t: the command starts processes "
		    "(-n auto) on 1 worker (set workers, or let yardmaster "
		    "run the tests in parallel)\n" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_said(rows[i].text, NULL, rows[i].said);
}

static void
test_options(void **state)
{
	check_said("{\"parallel\": \"tests\", \"params\": {\"P\": \"-p\"}, "
	    "\"targets\": [\"-t\"], \"suites\": [{\"name\": \"s\", \"tests\": "
	    "[{\"name\": \"a\", \"command\": [\"x\", \"{row.v}\", "
	    "\"--v={row.v}\"], \"data\": {\"rows\": [{\"v\": \"1\"}, "
	    "{\"v\": \"-\"}, {\"v\": \"-1\"}, {\"v\": \"-2\"}]}}, "
	    "{\"name\": \"-b\", \"command\": [\"x\", \"--\", \"{test}\"]}, "
	    "\n{\"name\": \"c\", \"command\": [\"{param.P}\", \"{param.P}x\", "
	    "\"{target}\", \"a{target}\", \"{agent}\", \"{other}\"]}]}]}",
	    NULL,
	    "p.json:1: warning: suites[0].tests[0].command: "
	    "W03: s/a[3]@-t: {row.v} is \"-1\", which the "
	    "command may take for an option (put \"--\" before it)\n"
	    "p.json:2: warning: suites[0].tests[2].command: "
	    "W03: s/c@-t: {param.P} is \"-p\", which the "
	    "command may take for an option (put \"--\" before it)\n"
	    "p.json:2: warning: suites[0].tests[2].command: "
	    "W03: s/c@-t: {target} is \"-t\", which the "
	    "command may take for an option (put \"--\" before it)\n");
}

static void
test_threshold(void **state)
{
	struct diags ds = DIAGS_INIT;
	char *said;

	fleet_spec_free(load_fleet("{\"agents\": [\n{\"name\": \"a\", "
	    "\"max_workers\": 4, \"threshold\": \"-2\"},\n{\"name\": \"b\", "
	    "\"threshold\": \"-1\", \"max_workers\": 2},\n{\"name\": \"c\", "
	    "\"max_workers\": 1, \"threshold\": \"-9\"},\n{\"name\": \"d\", "
	    "\"max_workers\": 2, \"threshold\": 1},\n{\"name\": \"e\", "
	    "\"threshold\": \"-1\"}]}", &ds));
	said = say_all(&ds);
	assert_string_equal(said, "f.json:3: warning: agents[1].threshold: "
	    "W04: threshold \"-1\" of 2 workers leaves 1\n"
	    "f.json:4: warning: agents[2].threshold: W04: threshold \"-9\" of "
	    "1 worker leaves 1\n");
	free(said);
	diags_done(&ds);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agents),
		cmocka_unit_test(test_wide),
		cmocka_unit_test(test_past),
		cmocka_unit_test(test_processes),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_threshold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
