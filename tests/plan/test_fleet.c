/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fleet files, and telling files apart. */
#include "plan_help.h"

#include <sys/stat.h>

#include "yardmaster/base/mem.h"

static struct fleet_spec *
load_fleet(const char *text)
{
	struct diags ds = DIAGS_INIT;
	struct fleet_spec *f = NULL;

	if (fleet_load_text("f.json", text, strlen(text), &ds, &f) != 0)
		fail_msg("%s", say_all(&ds));
	diags_done(&ds);
	return f;
}

static void
check_where(const struct agent_spec *a, const char *expected)
{
	struct buf b = BUF_INIT;

	agent_spec_where(a, &b);
	assert_string_equal(buf_str(&b), expected);
	buf_done(&b);
}

static void
test_full(void **state)
{
	struct fleet_spec *f = load_fleet("// lab\n{\"name\": \"lab\", "
	    "\"theme\": \"dark\", \"read_only\": true, \"protected\": true, "
	    "\"agents\": [{\"name\": \"a\", \"host\": \"h.example\", "
	    "\"port\": 2222, \"user\": \"ci\", \"transport\": \"openssh\", "
	    "\"identity\": \"~/.ssh/id\", \"known_hosts\": \"/kh\", "
	    "\"agent_path\": \"bin/yardmaster-agent\", \"instance\": \"two\", "
	    "\"labels\": [\"linux\", \"gpu\"], \"targets\": [\"x\"], "
	    "\"instances\": {\"x\": [\"e1\", \"e2\"]}, \"max_workers\": 4, "
	    "\"threshold\": \"-1\", \"guards\": {\"load_per_cpu\": 1.5, "
	    "\"free_memory\": \"1.5G\", \"free_disk\": 1000, \"health\": "
	    "[\"ok\"]}, \"cost_per_hour\": 0.5, \"env\": {\"A\": 1}, "
	    "\"speed\": 2}, {\"name\": \"b\", \"kind\": \"virtual\", "
	    "\"threshold\": 0}, {\"name\": \"c\", \"transport\": \"command\", "
	    "\"command\": [\"docker\", \"exec\"]}, {\"name\": \"d\", "
	    "\"transport\": \"local\"}]}");
	const struct agent_spec *a = &f->agents[0], *b = &f->agents[1];

	assert_string_equal(f->name, "lab");
	assert_string_equal(f->file, "f.json");
	assert_string_equal(f->theme, "dark");
	assert_true(f->read_only && f->protected);
	assert_int_equal(f->n_agents, 4);
	assert_int_equal(a->port, 2222);
	assert_int_equal(a->transport, TRANSPORT_OPENSSH);
	assert_string_equal(a->identity, "~/.ssh/id");
	assert_string_equal(a->instance, "two");
	assert_int_equal(a->labels.n, 2);
	assert_true(agent_spec_offers(a, "x"));
	assert_false(agent_spec_offers(a, "y"));
	assert_true(agent_spec_offers(a, NULL));
	assert_int_equal(agent_spec_instances(a, "x")->n, 2);
	assert_null(agent_spec_instances(a, "y"));
	assert_null(agent_spec_instances(a, NULL));
	assert_int_equal(a->max_workers, 4);
	assert_int_equal(a->threshold.kind, THRESHOLD_SPARE);
	assert_int_equal(a->threshold.n, 1);
	assert_int_equal(a->guards.given, GUARD_BIT(GUARDS) - 1);
	assert_true(a->guards.load_per_cpu == 1.5);
	assert_int_equal(a->guards.free_memory, INT64_C(3) << 29);
	assert_int_equal(a->guards.free_disk, 1000);
	assert_string_equal(a->guards.health, "[\"ok\"]");
	assert_true(a->speed == 2.0 && a->cost_per_hour == 0.5);
	assert_string_equal(a->env.v[0], "A=1");
	assert_true(b->virtual);
	assert_string_equal(b->host, "b");
	assert_int_equal(b->threshold.kind, THRESHOLD_NUMBER);
	assert_int_equal(b->guards.given, 0);
	assert_true(b->speed == 1.0);
	assert_true(agent_spec_offers(b, "y"));
	assert_int_equal(fleet_find(f, "c"), 2);
	assert_int_equal(fleet_find(f, "z"), -1);
	check_where(a, "ci@h.example:2222");
	check_where(b, "b");
	check_where(&f->agents[2], "docker exec");
	check_where(&f->agents[3], "local");
	fleet_spec_free(f);
}

#define AGENT(members) "{\"agents\": [{\"name\": \"a\", " members "}]}"

static const struct {
	const char *text, *said;
} bad[] = {
	{ "{", "f.json:1: the text ends too early\n" },
	{ "{}", "f.json:1: a fleet needs agents\n" },
	{ "{\"agents\": []}", "f.json:1: agents: the list is empty\n" },
	{ "{\"agents\": [1, {}]}",
	    "f.json:1: agents[0]: an object is expected, not a whole number\n"
	    "f.json:1: agents[1]: an agent needs a name\n" },
	{ "{\"agents\": [{\"name\": \"a\"},\n {\"name\": \"a\"}, {\"name\": "
	    "\"a b\"}, {\"name\": \"..\"}]}",
	    "f.json:2: agents[1]: an agent named \"a\" was there before\n"
	    "f.json:2: agents[2].name: not a name of an agent: letters, "
	    "digits and . _ -, at most 64\n"
	    "f.json:2: agents[3].name: not a name of an agent: letters, "
	    "digits and . _ -, at most 64\n" },
	{ AGENT("\"max_worker\": 3, \"protected\": true"),
	    "f.json:1: agents[0].max_worker: unknown key \"max_worker\" (did "
	    "you mean \"max_workers\"?)\n"
	    "f.json:1: agents[0].protected: \"protected\" may not stand on an "
	    "agent (it may stand on a fleet)\n" },
	{ AGENT("\"host\": \"-oProxyCommand=x\", \"user\": \"a b\", "
	    "\"agent_path\": \"x; rm\", \"instance\": \"../x\""),
	    "f.json:1: agents[0].host: not a host: letters, digits and . _ : "
	    "-, not beginning with -\n"
	    "f.json:1: agents[0].user: not an account: letters, digits and . "
	    "_ : -, not beginning with -\n"
	    "f.json:1: agents[0].agent_path: words of letters, digits and . _ "
	    "/ - with single spaces are expected\n"
	    "f.json:1: agents[0].instance: letters, digits and . _ - are "
	    "expected, at most 64\n" },
	{ "{\"agents\": [{\"name\": \"-a\"}]}", "f.json:1: "
	    "agents[0].name: cannot be the host too: give a host\n" },
	{ AGENT("\"transport\": \"ssh\""), "f.json:1: agents[0].transport: "
	    "\"ssh\" is not one of auto, libssh2, openssh, local or "
	    "command\n" },
	{ AGENT("\"transport\": \"command\""), "f.json:1: agents[0]: "
	    "transport command needs a command\n" },
	{ AGENT("\"command\": [\"x\"]"), "f.json:1: agents[0].command: a "
	    "command is for transport command only (set \"transport\": "
	    "\"command\")\n" },
	{ AGENT("\"transport\": \"local\", \"host\": \"h\""),
	    "f.json:1: agents[0].host: a local agent has no host\n" },
	{ AGENT("\"kind\": \"virtual\", \"max_workers\": 2"),
	    "f.json:1: agents[0].max_workers: a virtual agent always has one "
	    "worker\n" },
	{ AGENT("\"threshold\": \"few\", \"port\": 0, \"speed\": 0, "
	    "\"labels\": [\"a b\"], \"instances\": {\"x\": []}, \"guards\": "
	    "{\"free_disk\": \"10Q\", \"free_disc\": 1}"),
	    "f.json:1: agents[0].port: 0 is not between 1 and 65535\n"
	    "f.json:1: agents[0].instances.x: a list of strings is expected, "
	    "not an empty one\n"
	    "f.json:1: agents[0].labels[0]: \"a b\" is not a label: letters, "
	    "digits and . _ -, at most 64\n"
	    "f.json:1: agents[0].threshold: \"few\" is not a threshold (a "
	    "number, or \"-N\" to keep N workers free)\n"
	    "f.json:1: agents[0].guards.free_disk: not a size (as \"64M\", "
	    "\"1.5G\" or bytes)\n"
	    "f.json:1: agents[0].guards.free_disc: unknown key \"free_disc\" "
	    "(did you mean \"free_disk\"?)\n"
	    "f.json:1: agents[0].speed: more than 0 is expected\n" },
};

static void
test_faults(void **state)
{
	struct diags ds = DIAGS_INIT;
	struct fleet_spec *f;
	char *said;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(fleet_load_text("f.json", bad[i].text,
		    strlen(bad[i].text), &ds, &f), ERR_INVALID);
		said = say_all(&ds);
		if (strcmp(said, bad[i].said) != 0)
			fail_msg("%s\ngave\n%sbut expected\n%s", bad[i].text,
			    said, bad[i].said);
		free(said);
		diags_done(&ds);
	}
}

static void
test_truncated(void **state)
{
	static const char text[] = "{\"agents\": [{\"name\": \"a\", "
	    "\"transport\": \"command\", \"command\": [\"x\"], \"guards\": "
	    "{\"health\": [\"y\"]}, \"instances\": {\"x\": [\"e\"]}}]}";
	struct diags ds = DIAGS_INIT;
	struct fleet_spec *f;
	size_t n;

	for (n = 0; n + 1 < sizeof(text); n++) {
		assert_int_equal(fleet_load_text("f.json", text, n, &ds, &f),
		    ERR_INVALID);
		assert_true(ds.errors > 0);
		diags_done(&ds);
	}
}

static void
test_embedded(void **state)
{
	struct fleet_spec *f = fleet_embedded();

	assert_int_equal(f->n_agents, 3);
	assert_string_equal(f->agents[0].name, "demo-1");
	assert_int_equal(f->agents[2].transport, TRANSPORT_LOCAL);
	assert_int_equal(f->agents[2].max_workers, 2);
	assert_null(f->file);
	fleet_spec_free(f);
}

/* ---- which file is used, and what a file is ---- */

static void
check_kind(const char *dir, const char *name, int code, enum file_kind want)
{
	struct diags ds = DIAGS_INIT;
	enum file_kind kind;
	char *path = str_fmt("%s/%s", dir, name);

	assert_int_equal(check_file(path, NULL, 0, &ds, &kind), code);
	assert_int_equal(kind, want);
	assert_int_equal(ds.errors > 0, code != 0);
	diags_done(&ds);
	free(path);
}

static void
test_check_file(void **state)
{
	static const char *const names[] = { "plan", "badplan", "fleet",
		"badfleet", "none", "junk", NULL };
	char dir[] = "/tmp/yardmaster-test-XXXXXX";

	assert_non_null(mkdtemp(dir));
	write_file(dir, "plan", "{\"shell\": \"x\", \"suites\": [{\"name\": "
	    "\"s\", \"tests\": [\"t\"]}]}");
	write_file(dir, "badplan", "{\"suites\": []}");
	write_file(dir, "fleet", "{\"agents\": [{\"name\": \"a\"}]}");
	write_file(dir, "badfleet", "{\"agents\": [{}]}");
	write_file(dir, "none", "{}");
	write_file(dir, "junk", "{");
	check_kind(dir, "plan", 0, FILE_PLAN);
	check_kind(dir, "badplan", ERR_INVALID, FILE_PLAN);
	check_kind(dir, "fleet", 0, FILE_FLEET);
	check_kind(dir, "badfleet", ERR_INVALID, FILE_FLEET);
	check_kind(dir, "none", ERR_INVALID, FILE_UNKNOWN);
	check_kind(dir, "junk", ERR_INVALID, FILE_UNKNOWN);
	remove_all(dir, names);
}

static void
test_examples(void **state)
{
	static const char *const names[] = { "demo.json", "checkout.json",
		"cpython.json", "nightly.json" };
	struct diags ds = DIAGS_INIT;
	enum file_kind kind;
	char path[4096];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/examples/%s",
		    getenv("YM_SRCDIR"), names[i]);
		if (check_file(path, NULL, 0, &ds, &kind) != 0)
			fail_msg("%s", say_all(&ds));
		assert_int_equal(kind, FILE_PLAN);
		assert_int_equal(ds.n, 0);
	}
}

static void
test_open(void **state)
{
	char dir[] = "/tmp/yardmaster-test-XXXXXX", sub[512];
	static const char *const names[] = { "yardmaster", NULL };
	static const char *const inner[] = { "fleet.json", NULL };
	struct diags ds = DIAGS_INIT;
	struct fleet_spec *f;

	assert_non_null(mkdtemp(dir));
	setenv("XDG_CONFIG_HOME", dir, 1);
	assert_int_equal(fleet_open(NULL, &ds, &f), 0);
	assert_string_equal(f->name, "demo");
	fleet_spec_free(f);
	snprintf(sub, sizeof(sub), "%s/yardmaster", dir);
	assert_int_equal(mkdir(sub, 0700), 0);
	write_file(sub, "fleet.json", "{\"name\": \"mine\", \"agents\": "
	    "[{\"name\": \"a\"}]}");
	assert_int_equal(fleet_open(NULL, &ds, &f), 0);
	assert_string_equal(f->name, "mine");
	fleet_spec_free(f);
	write_file(sub, "fleet.json", "{}");
	assert_int_equal(fleet_open(NULL, &ds, &f), ERR_INVALID);
	assert_true(fleet_open("/nonexistent", &ds, &f) < 0);
	assert_int_equal(ds.errors, 2);
	diags_done(&ds);
	remove_all(sub, inner);
	remove_all(dir, names);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_embedded),
		cmocka_unit_test(test_check_file),
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
