/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Faulty plans: every fault is one message with line, path and, where there
 * is one, the next step. */
#include "plan_help.h"

#define WITH(members) "{\"command\": [\"true\"],\n " members "}"
#define SUITES(suites) WITH("\"suites\": [" suites "]")
#define GOOD "{\"name\": \"s\", \"tests\": [\"t\"]}"
#define TEST(members) \
	SUITES("{\"name\": \"s\", \"tests\": [{\"name\": \"t\", " members "}]}")

#define RESULTS ", \"results\": {\"junit\": \"{results}\"}"
#define BATCH(command, results, members) \
	"{\"suites\": [{\"name\": \"s\", \"batch\": true, \"command\": [" \
	command "]" results ", \"tests\": [\"t\"]" members "}]}"

static const struct {
	const char *text, *said;
} rows[] = {
	/* what is no plan */
	{ "{\"suites\": [", "p.json:1: suites[0]: the text ends too early\n" },
	{ "[]", "p.json:1: an object is expected, not a list\n" },
	{ "{\"a\": 1,\n \"a\": 2}", "p.json:2: a: this key comes twice\n" },
	{ "{\"a\": 1,\n \"b\": {\"c\": 1, \"c\": 2},\n \"a\": 2}",
	    "p.json:2: b.c: this key comes twice\n"
	    "p.json:3: a: this key comes twice\n" },
	{ "{\"a\":", "p.json:1: a: the text ends too early\n" },
	{ "{\"a\": 1,", "p.json:1: a: the text ends too early\n" },
	{ "{}", "p.json:1: a plan needs suites\n" },
	{ WITH("\"suites\": []"), "p.json:2: suites: the list is empty\n" },
	{ WITH("\"suites\": 3"), "p.json:2: suites: a list is expected, not a "
	    "whole number\n" },
	{ SUITES("null"), "p.json:2: suites[0]: an object is expected, not "
	    "null\n" },
	{ SUITES("{\"tests\": [\"t\"]}"), "p.json:2: suites[0]: a suite needs "
	    "a name\n" },
	{ SUITES("{\"name\": \"s\"}"), "p.json:2: suites[0]: the suite is "
	    "empty: it needs tests, suites, include, discover, shards or together\n" },
	{ SUITES("{\"name\": \"s\", \"tests\": []}"),
	    "p.json:2: suites[0].tests: the list is empty\n" },
	{ SUITES("{\"name\": \"a/b\", \"tests\": [\"t\"]}"),
	    "p.json:2: suites[0].name: not a usable name: at most 255 bytes, "
	    "no /, no control characters\n" },
	{ "{\"suites\": [{\"name\": \"s\", \"tests\": [{\"name\": \"t\", "
	    "\"retries\": 1}, \"u\"]}]}", "p.json:1: suites[0]: test \"t\" "
	    "has no command and no shell, here or above\n" },

	/* keys */
	{ SUITES("\n {\"name\": \"s\", \"tset\": [\"t\"]}"),
	    "p.json:3: suites[0].tset: unknown key \"tset\" (did you mean "
	    "\"tests\"?)\n" },
	{ WITH("\"zzzzzz\": 1, \"suites\": [" GOOD "]"),
	    "p.json:2: zzzzzz: unknown key \"zzzzzz\"\n" },
	{ TEST("\"mode\": \"free\""), "p.json:2: suites[0].tests[0].mode: "
	    "\"mode\" may not stand on a test (it may stand on a suite)\n" },
	{ TEST("\"suites\": []"), "p.json:2: suites[0].tests[0].suites: "
	    "\"suites\" may not stand on a test (it may stand on a plan, a "
	    "suite)\n" },
	{ WITH("\"deadline\": \"soon\", \"schedule\": \"x\", \"suites\": ["
	    GOOD "]"), "p.json:2: deadline: \"soon\" is not a duration (as "
	    "\"500ms\", \"90s\", \"10m\", \"1h30m\")\n"
	    "p.json:2: schedule: \"x\" says no time (" WHEN_FORMS ")\n" },
	{ SUITES("{\"name\": \"s\", \"nice\": 20, \"keep\": \"no\", "
	    "\"limits\": {\"files\": 2, \"cpus\": 1, \"memory\": \"x\"}, "
	    "\"tests\": [\"t\"]}"),
	    "p.json:2: suites[0].nice: 20 is not between 0 and 19\n"
	    "p.json:2: suites[0].keep: \"no\" is not one of never, failed or "
	    "always\n"
	    "p.json:2: suites[0].limits.files: 2 is not between 3 and "
	    "4294967295\n"
	    "p.json:2: suites[0].limits.cpus: unknown key \"cpus\" (did you "
	    "mean \"cpu\"?)\n"
	    "p.json:2: suites[0].limits.memory: not a size (as \"64M\", "
	    "\"1.5G\" or bytes)\n" },

	/* what is misspelt is not missing, too */
	{ WITH("\"suits\": [" GOOD "]"), "p.json:2: suits: unknown key "
	    "\"suits\" (did you mean \"suites\"?)\n" },
	{ "{\"comand\": [\"x\"], \"suites\": [" GOOD "]}", "p.json:1: "
	    "comand: unknown key \"comand\" (did you mean \"command\"?)\n" },
	{ TEST("\"dta\": \"x.csv\", \"command\": [\"{row.a}\"]"),
	    "p.json:2: suites[0].tests[0].dta: unknown key \"dta\" (did you "
	    "mean \"data\"?)\n" },
	{ TEST("\"data\": {\"rows\": []}, \"command\": [\"{row.a}\"]"),
	    "p.json:2: suites[0].tests[0].data.rows: no data: the list is "
	    "empty\n" },
	{ TEST("\"target\": [\"x\"], \"command\": [\"{target}\"]"),
	    "p.json:2: suites[0].tests[0].target: unknown key \"target\" (did "
	    "you mean \"targets\"?)\n" },

	/* values, all faults at once */
	{ TEST("\"retries\": \"2\", \"timeout\": \"10x\", \"workers\": 0, "
	    "\"enabled\": 1, \"estimate\": -1, \"on_failure\": \"stpo\", "
	    "\"name\": \"\""),
	    "p.json:2: suites[0].tests[0].name: this key comes twice\n" },
	{ TEST("\"retries\": \"2\", \"timeout\": \"10x\", \"workers\": 0, "
	    "\"enabled\": 1, \"estimate\": -1, \"on_failure\": \"stpo\""),
	    "p.json:2: suites[0].tests[0].retries: a whole number is expected, "
	    "not a string\n"
	    "p.json:2: suites[0].tests[0].timeout: \"10x\" is not a duration "
	    "(as \"500ms\", \"90s\", \"10m\", \"1h30m\")\n"
	    "p.json:2: suites[0].tests[0].workers: 0 is not between 1 and "
	    "1024\n"
	    "p.json:2: suites[0].tests[0].enabled: true or false is expected, "
	    "not a whole number\n"
	    "p.json:2: suites[0].tests[0].estimate: -1 is not a duration (as "
	    "\"500ms\", \"90s\", \"10m\", \"1h30m\")\n"
	    "p.json:2: suites[0].tests[0].on_failure: \"stpo\" is not one of "
	    "continue, next-target or stop (did you mean \"stop\"?)\n" },
	{ "{\"command\": [], \"suites\": [" GOOD "]}",
	    "p.json:1: command: no program: the first string names it\n" },
	{ TEST("\"command\": [\"x\", 3]"), "p.json:2: "
	    "suites[0].tests[0].command[1]: a string is expected, not a whole "
	    "number\n" },
	{ TEST("\"command\": [\"x\"], \"shell\": \"y\""),
	    "p.json:2: suites[0].tests[0]: command and shell at once; give "
	    "one\n" },
	{ TEST("\"env\": {\"A=B\": \"x\", \"YARDMASTER_X\": \"1\", \"C\": []}"),
	    "p.json:2: suites[0].tests[0].env[\"A=B\"]: \"A=B\" is not a name "
	    "of a variable (letters, digits and _)\n"
	    "p.json:2: suites[0].tests[0].env.YARDMASTER_X: names that begin "
	    "with YARDMASTER_ are set by yardmaster\n"
	    "p.json:2: suites[0].tests[0].env.C: a string is expected, not a "
	    "list\n" },
	{ TEST("\"exit_codes\": {\"300\": \"passed\", \"1\": \"fine\"}"),
	    "p.json:2: suites[0].tests[0].exit_codes[\"300\"]: \"300\" is not "
	    "an exit code from 0 to 255\n"
	    "p.json:2: suites[0].tests[0].exit_codes[\"1\"]: an exit code "
	    "means \"passed\", \"failed\", \"skipped\" or \"error\"\n" },
	{ TEST("\"agents\": [\"ok\", \"a b\"]"),
	    "p.json:2: suites[0].tests[0].agents[1]: \"a b\" is not a "
	    "selector: an agent name is made of letters, digits, and . _ -; "
	    "else write @label or /pattern/\n" },

	/* names */
	{ SUITES("{\"name\": \"s\", \"tests\": [\"t\", 1, {}, {\"name\": 2}, "
	    "\"\", \"t\"]}, " GOOD),
	    "p.json:2: suites[0].tests[1]: a name or an object is expected, "
	    "not a whole number\n"
	    "p.json:2: suites[0].tests[2]: a test needs a name\n"
	    "p.json:2: suites[0].tests[3].name: a string is expected, not a "
	    "whole number\n"
	    "p.json:2: suites[0].tests[4]: not a usable name of a test\n"
	    "p.json:2: suites[0].tests[5]: a test named \"t\" was there "
	    "before\n"
	    "p.json:2: suites[1]: a suite named \"s\" was there before\n" },

	/* references */
	{ SUITES("{\"name\": \"smoke\", \"tests\": [\"t\"]},\n {\"name\": "
	    "\"b\", \"needs\": [\"smok\", \"t\", \"zzzzz\"], \"tests\": "
	    "[\"t\"]}"),
	    "p.json:3: suites[1].needs[0]: no suite or test is named \"smok\" "
	    "(did you mean \"smoke\"?)\n"
	    "p.json:3: suites[1].needs[1]: several suites or tests are named "
	    "\"t\" (write suite/test)\n"
	    "p.json:3: suites[1].needs[2]: no suite or test is named "
	    "\"zzzzz\"\n" },
	{ WITH("\"exclusive\": [[\"s\"], [\"s\", \"nope\"]], \"suites\": ["
	    GOOD "]"),
	    "p.json:2: exclusive[0]: a pair of names is expected, as "
	    "[\"one\", \"other\"]\n"
	    "p.json:2: exclusive[1]: no suite or test is named \"nope\"\n" },

	/* pairs against what may run beside itself */
	{ "{\"command\": [\"x\"],\n \"exclusive\": [[\"s/t\", \"s/u\"],\n "
	    "[\"t\", \"s/t\"]], \"suites\": [{\"name\": \"s\", \"tests\": "
	    "[{\"name\": \"t\", \"beside_itself\": true}, \"u\"]}]}",
	    "p.json:3: exclusive[1]: the pair keeps test \"t\" apart from "
	    "itself, and its \"beside_itself\" does not (take one of the two "
	    "away)\n" },

	/* cycles */
	{ SUITES("{\"name\": \"a\", \"needs\": [\"b\"], \"tests\": [\"t\"]}, "
	    "{\"name\": \"b\", \"needs\": [\"c/t\"], \"tests\": [\"t\"]}, "
	    "{\"name\": \"c\", \"needs\": [\"a\"], \"tests\": [\"t\"]}"),
	    "p.json:2: suites[0].needs[0]: a cycle: a -> b -> c/t -> c -> "
	    "a\n" },
	{ SUITES("{\"name\": \"a\", \"needs\": [\"a\"], \"tests\": [\"t\"]}"),
	    "p.json:2: suites[0].needs[0]: a cycle: a -> a\n" },
	{ TEST("\"needs\": [\"t\"]"), "p.json:2: suites[0].tests[0].needs[0]: "
	    "a cycle: s/t -> s/t\n" },
	{ SUITES("{\"name\": \"a\", \"parallel\": \"tests\", \"tests\": "
	    "[{\"name\": \"t\", \"needs\": [\"a\"]}]}"),
	    "p.json:2: suites[0].tests[0].needs[0]: a cycle: a/t -> a -> "
	    "a/t\n" },
	{ SUITES("{\"name\": \"o\", \"needs\": [\"i\"], \"suites\": "
	    "[{\"name\": \"i\", \"tests\": [\"t\"]}]}"),
	    "p.json:2: suites[0].needs[0]: a cycle: o -> o/i -> o\n" },
	/* of executions only: two tests of each suite share one */
	{ SUITES("{\"name\": \"a\", \"tests\": [{\"name\": \"t\", \"needs\": "
	    "[\"b/u\"]}, \"u\"]}, {\"name\": \"b\", \"tests\": [{\"name\": "
	    "\"t\", \"needs\": [\"a/u\"]}, \"u\"]}"),
	    "p.json:2: suites[0].tests[0].needs[0]: a cycle: a/t -> b/u -> "
	    "b/t -> a/u -> a/t\n" },

	/* placeholders */
	{ "{\"command\": [\"x\", \"{tset}\", \"{row.a}\", \"{target}\", "
	    "\"{param.X}\", \"{test.x}\", \"{worker}\", \"{shard.index}\", "
	    "\"{tests}\", \"{other}\", \"{{test}}\", \"{param}\", \"{Test}\", "
	    "\"{}\", \"{test\"], \"params\": {\"Y\": 1}, \"suites\": [" GOOD
	    "]}",
	    "p.json:1: command[1]: unknown placeholder {tset} (did you mean "
	    "{test}?)\n"
	    "p.json:1: command[4]: no parameter \"X\" in params (did you mean "
	    "\"Y\"?)\n"
	    "p.json:1: command[5]: {test.x}: {test} has no parts\n"
	    "p.json:1: command[6]: {worker} is not supported in commands "
	    "(YARDMASTER_WORKER is in the environment)\n"
	    "p.json:1: command[11]: {param} needs a name, as {param.NAME}\n"
	    "p.json:1: suites[0]: {row.a} needs data, and there is none\n"
	    "p.json:1: suites[0]: {target} needs targets, and there are "
	    "none\n"
	    "p.json:1: suites[0]: {shard.index} needs shards, and there are "
	    "none\n"
	    "p.json:1: suites[0]: {tests} needs a batch\n" },
	{ "{\"command\": [\"{shard}\", \"{shard.indx}\"], \"suites\": ["
	    "{\"name\": \"s\", \"shards\": 2}]}",
	    "p.json:1: command[0]: {shard}: there are {shard.index} and "
	    "{shard.total}\n"
	    "p.json:1: command[1]: {shard.indx}: there are {shard.index} and "
	    "{shard.total}\n" },

	/* ahead */
	{ WITH("\"ahead\": \"lots\", \"suites\": [" GOOD "]"),
	    "p.json:2: ahead: auto, all or a whole number is expected\n" },
	{ WITH("\"ahead\": -1, \"suites\": [" GOOD "]"),
	    "p.json:2: ahead: -1 is not between 0 and 1000000\n" },

	/* batches */
	{ BATCH("\"x\", \"{results}\", \"a{tests}\"", RESULTS, ""),
	    "p.json:1: suites[0]: {tests} is an argument for each, not part "
	    "of one\n" },
	{ BATCH("\"x\", \"{test}\", \"{row}\", \"{tests}\", \"{tests}\"",
	    RESULTS, ", \"data\": {\"rows\": [{}]}"),
	    "p.json:1: suites[0]: {test} in a batch, whose tests share one "
	    "command ({tests} are their names)\n"
	    "p.json:1: suites[0]: {row} in a batch, whose tests share one "
	    "command ({tests} are their names)\n"
	    "p.json:1: suites[0]: the command of a batch has {tests} once, "
	    "not 2 times\n"
	    "p.json:1: suites[0]: the command of a batch says where results "
	    "go, as --junitxml={results}\n" },
	{ BATCH("\"x\", \"{results}\", \"{tests}\"", "", ""),
	    "p.json:1: suites[0]: a batch needs results, as {\"junit\": "
	    "\"{results}\"}\n" },
	{ BATCH("\"x\", \"{results}\", \"{tests}\"",
	    ", \"results\": {\"name\": \"{nam}{x.y}\"}",
	    ", \"mode\": \"sequential\""),
	    "p.json:1: suites[0].results: junit is missing: "
	    "\"{results}\"\n"
	    "p.json:1: suites[0].results.name: {nam} is not said of a test "
	    "case (classname, name, file and suite are) (did you mean "
	    "\"name\"?)\n"
	    "p.json:1: suites[0].results.name: {x.y} is not said of a test "
	    "case (classname, name, file and suite are)\n"
	    "p.json:1: suites[0].mode: tests of a batch are executions of "
	    "their own, never sequential\n" },
	{ BATCH("\"x\", \"{results}\", \"{tests}\"",
	    ", \"results\": {\"junit\": \"/etc/passwd\", \"name\": \"t\"}",
	    ""),
	    "p.json:1: suites[0].results.junit: the file is where the agent "
	    "says: \"{results}\"\n"
	    "p.json:1: suites[0].results.name: every test would have the same "
	    "name; use {classname} and {name}\n" },
	{ "{\"batch\": true" RESULTS ", \"suites\": [{\"name\": \"s\", "
	    "\"shell\": \"x\", \"tests\": [\"t\"]}, {\"name\": \"u\", "
	    "\"shards\": 2, \"command\": [\"{results}\", \"{tests}\"]}]}",
	    "p.json:1: suites[0]: a batch needs a command with {tests}, not a "
	    "shell\n"
	    "p.json:1: suites[1].shards: a suite has shards or is a batch, not "
	    "both\n" },
	{ SUITES("{\"name\": \"s\", \"tests\": [\"t\"], \"command\": "
	    "[\"x\", \"{tests}\", \"{results}\"]}"),
	    "p.json:2: suites[0]: {tests} needs a batch\n"
	    "p.json:2: suites[0]: {results} needs a batch\n" },
	{ TEST("\"batch\": true"), "p.json:2: suites[0].tests[0].batch: "
	    "\"batch\" may not stand on a test (it may stand on a plan, a "
	    "suite)\n" },

	/* shards */
	{ SUITES("{\"name\": \"s\", \"shards\": 0, \"command\": ["
	    "\"{shard.index}\"]},\n {\"name\": \"u\", \"shards\": 100001}"),
	    "p.json:2: suites[0].shards: 0 is not between 1 and 100000\n"
	    "p.json:3: suites[1].shards: 100001 is not between 1 and "
	    "100000\n" },
	{ SUITES("{\"name\": \"s\", \"shards\": 2, \"tests\": [\"t\"], "
	    "\"discover\": {}, \"suites\": [" GOOD "], \"data\": {\"rows\": "
	    "[{}]}, \"mode\": \"sequential\"}"),
	    "p.json:2: suites[0].tests: tests and shards at once; give one\n"
	    "p.json:2: suites[0].suites: suites and shards at once; give "
	    "one\n"
	    "p.json:2: suites[0].discover: discover and shards at once; give "
	    "one\n"
	    "p.json:2: suites[0].data: data and shards at once; give one\n"
	    "p.json:2: suites[0].mode: with shards each is an execution of its own, "
	    "never sequential\n" },
	{ SUITES("{\"name\": \"o\", \"data\": {\"rows\": [{}]}, \"suites\": "
	    "[{\"name\": \"s\", \"shards\": 2}]}"),
	    "p.json:2: suites[0].suites[0].shards: a suite with shards has no "
	    "data, and there is some above\n" },
	{ "{\"suites\": [{\"name\": \"s\", \"shards\": 2}]}",
	    "p.json:1: suites[0]: no command and no shell, here or above\n" },
	{ SUITES("{\"name\": \"s\", \"shards\": 2, \"command\": "
	    "[\"{row}\"]}"), "p.json:2: suites[0]: {row} needs data, and there "
	    "is none\n" },
	{ TEST("\"shards\": 2"), "p.json:2: suites[0].tests[0].shards: "
	    "\"shards\" may not stand on a test (it may stand on a suite)\n" },
	{ TEST("\"command\": [\"x\", \"{row.usr}\"], \"data\": {\"rows\": "
	    "[{\"user\": 1}]}"),
	    "p.json:2: suites[0].tests[0]: {row.usr}: the data has no column "
	    "\"usr\" (did you mean \"user\"?)\n" },
	{ TEST("\"command\": [\"x\", \"{row.b}\"], \"data\": {\"rows\": "
	    "[{\"a\": 1, \"b\": 2},\n {\"a\": 2}]}"),
	    "p.json:3: suites[0].tests[0].data.rows[1]: the row has no \"b\", "
	    "which {row.b} needs\n" },

	/* data */
	{ TEST("\"data\": {\"rows\": []}"), "p.json:2: "
	    "suites[0].tests[0].data.rows: no data: the list is empty\n" },
	{ TEST("\"data\": {}"), "p.json:2: suites[0].tests[0].data: no data: "
	    "\"rows\" is missing\n" },
	{ TEST("\"data\": 3"), "p.json:2: suites[0].tests[0].data: a string "
	    "or an object is expected, not a whole number\n" },
	{ TEST("\"data\": {\"rows\": [1, {\"a\": []}]}"),
	    "p.json:2: suites[0].tests[0].data.rows[0]: an object is "
	    "expected, not a whole number\n"
	    "p.json:2: suites[0].tests[0].data.rows[1].a: a string, a number "
	    "or a boolean is expected, not a list\n" },
	{ TEST("\"data\": {\"rows\": [{\"_name\": \"q\"},\n {\"_name\": "
	    "\"q\"}, {\"_nam\": 1, \"_expect_fail\": \"maybe\"}]}"),
	    "p.json:2: suites[0].tests[0].data.rows: unknown column \"_nam\"; "
	    "names with _ are reserved (did you mean \"_name\"?)\n"
	    "p.json:3: suites[0].tests[0].data.rows[1]: a row named \"q\" was "
	    "there before\n"
	    "p.json:3: suites[0].tests[0].data.rows[2]: _expect_fail is "
	    "\"maybe\", not true or false\n" },

	{ WITH("\"targets\": [{\"name\": \"a\", \"max\": 0},\n {\"name\": "
	    "\"b\", \"max_per_agent\": 0}], \"suites\": [" GOOD "]"),
	    "p.json:2: targets[0].max: 0 is not between 1 and 4294967295\n"
	    "p.json:3: targets[1].max_per_agent: 0 is not between 1 and "
	    "4294967295\n" },
	{ WITH("\"targets\": [\"a\", \"a\", {\"name\": \"b\", \"max\": -1}, "
	    "{\"max\": 1}, {\"name\": \"b\"}, 3, {\"name\": \"c\", "
	    "\"instances\": []}, {\"name\": \"d\", \"instances\": [\"x\", "
	    "\"x\"]}], \"suites\": [" GOOD "]"),
	    "p.json:2: targets[1]: target \"a\" is there twice\n"
	    "p.json:2: targets[2].max: -1 is not between 1 and 4294967295\n"
	    "p.json:2: targets[3]: a target needs a name\n"
	    "p.json:2: targets[4]: target \"b\" is defined twice\n"
	    "p.json:2: targets[5]: a name or an object is expected, not a "
	    "whole number\n"
	    "p.json:2: targets[6].instances: the list is empty\n"
	    "p.json:2: targets[7].instances[1]: instance \"x\" is there "
	    "twice\n" },
	{ WITH("\"targets\": {\"matrix\": {}}, \"suites\": [" GOOD "]"),
	    "p.json:2: targets.matrix: the matrix has no axis\n" },
	{ WITH("\"targets\": {\"exclude\": []}, \"suites\": [" GOOD "]"),
	    "p.json:2: targets: no targets: \"matrix\" is missing\n" },
	{ WITH("\"targets\": {\"matrx\": {\"a\": [1]}}, \"suites\": ["
	    "{\"name\": \"s\", \"command\": [\"{target.a}\"], "
	    "\"tests\": [\"t\"]}]"),
	    "p.json:2: targets.matrx: unknown key \"matrx\" (did you mean "
	    "\"matrix\"?)\n" },
	{ WITH("\"targets\": {\"matrix\": {\"os\": [], \"a b\": [1], "
	    "\"OS\": [1, \"1\", null, \"\"], \"c\": 3}}, \"suites\": ["
	    GOOD "]"),
	    "p.json:2: targets.matrix.os: the list is empty\n"
	    "p.json:2: targets.matrix[\"a b\"]: not a usable name of an axis "
	    "(letters, digits and _)\n"
	    "p.json:2: targets.matrix.OS: differs from axis \"os\" in "
	    "capitals only\n"
	    "p.json:2: targets.matrix.OS[1]: \"1\" is there twice\n"
	    "p.json:2: targets.matrix.OS[2]: a string, a number or a boolean "
	    "is expected, not null\n"
	    "p.json:2: targets.matrix.OS[3]: not a usable value of an axis\n"
	    "p.json:2: targets.matrix.c: a list is expected, not a whole "
	    "number\n" },
	{ WITH("\"targets\": {\"matrix\": {\"os\": [\"mac\"]}, "
	    "\"exclude\": [{}, {\"so\": 1}, {\"os\": \"mak\"}, 3]}, "
	    "\"suites\": [" GOOD "]"),
	    "p.json:2: targets.exclude[0]: names no axis\n"
	    "p.json:2: targets.exclude[1].so: the matrix has no axis \"so\" "
	    "(did you mean \"os\"?)\n"
	    "p.json:2: targets.exclude[2].os: not a value of axis \"os\" "
	    "(did you mean \"mac\"?)\n"
	    "p.json:2: targets.exclude[3]: an object is expected, not a whole "
	    "number\n" },
	{ WITH("\"targets\": {\"matrix\": {\"os\": [\"mac\"]}, "
	    "\"exclude\": [{\"os\": \"mac\"}]}, \"suites\": [" GOOD "]"),
	    "p.json:2: targets: every combination is excluded\n" },
	{ WITH("\"targets\": {\"matrix\": {\"a\": [\"x\", \"x-y\"], "
	    "\"b\": [\"y-z\", \"z\"]}}, \"suites\": [" GOOD "]"),
	    "p.json:2: targets: two combinations are named \"x-y-z\"\n" },
	{ WITH("\"targets\": {\"matrix\": {\"os\": [\"mac\"]}}, "
	    "\"suites\": [{\"name\": \"s\", \"command\": [\"{target.so}\","
	    " \"{target.os}\"], \"tests\": [\"t\"]}, {\"name\": \"n\", "
	    "\"command\": [\"{target.os}\"], \"targets\": [\"x\"], "
	    "\"tests\": [\"t\"]}]"),
	    "p.json:2: suites[0]: {target.so}: target \"mac\" has no axis "
	    "\"so\" (did you mean \"os\"?)\n"
	    "p.json:2: suites[1]: {target.os}: target \"x\" has no axis "
	    "\"os\"\n" },
	{ WITH("\"locks\": {\"db\": 0, \"a b\": 1, \"c\": \"x\"}, "
	    "\"suites\": [" GOOD "]"),
	    "p.json:2: locks.db: 0 is not between 1 and 1000000\n"
	    "p.json:2: locks[\"a b\"]: not a usable name of a lock\n"
	    "p.json:2: locks.c: a whole number is expected, not a string\n" },
	{ WITH("\"locks\": {\"database\": 2}, \"suites\": [{\"name\": \"s\", "
	    "\"locks\": [\"databas\", \"x:2\", \"database:3\", \"read:\", "
	    "\"q:0\", \"read:x:2\"], \"tests\": [\"t\"]}]"),
	    "p.json:2: warning: suites[0].locks[0]: lock \"databas\" is not "
	    "declared (did you mean \"database\"?)\n"
	    "p.json:2: suites[0].locks[1]: takes 2 of lock \"x\", of which "
	    "there is 1 (declare it: \"locks\": {\"x\": 2})\n"
	    "p.json:2: suites[0].locks[2]: takes 3 of lock \"database\", of "
	    "which there is 2\n"
	    "p.json:2: suites[0].locks[3]: \"read:\" is not a lock (as name, "
	    "name:2 or read:name)\n"
	    "p.json:2: suites[0].locks[4]: \"q:0\" is not a lock (as name, "
	    "name:2 or read:name)\n"
	    "p.json:2: suites[0].locks[5]: \"read:x:2\" is not a lock (as "
	    "name, name:2 or read:name)\n" },

	/* discovery */
	{ SUITES("{\"name\": \"s\", \"discover\": {\"pattern\": \"(\", "
	    "\"timout\": 3}}"),
	    "p.json:2: suites[0].discover.timout: unknown key \"timout\" (did "
	    "you mean \"timeout\"?)\n"
	    "p.json:2: suites[0].discover: discover needs a command\n"
	    "p.json:2: suites[0].discover.pattern: missing closing parenthesis "
	    "at character 2\n" },
	{ SUITES("{\"name\": \"s\", \"discover\": {\"command\": [\"x\"], "
	    "\"pattern\": \"^(.*)$\"}}"),
	    "p.json:2: suites[0].discover.pattern: the pattern has no group "
	    "named test (as \"^(?<test>\\\\S+)$\")\n" },
};

static void
test_messages(void **state)
{
	struct diags ds = DIAGS_INIT;
	struct plan *p;
	char *said;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(plan_load_text("p.json", NULL, rows[i].text,
		    strlen(rows[i].text), &ds, &p), ERR_INVALID);
		said = say_all(&ds);
		if (strcmp(said, rows[i].said) != 0)
			fail_msg("%s\ngave\n%sbut expected\n%s", rows[i].text,
			    said, rows[i].said);
		free(said);
		diags_done(&ds);
	}
}

static void
test_warnings_pass(void **state)
{
	static const char text[] = SUITES("{\"name\": \"s\", \"shell\": "
	    "\"echo {test} ${test}\", \"tests\": [\"t\"]}");
	struct diags ds = DIAGS_INIT;
	struct plan *p;
	char *said;

	assert_int_equal(plan_load_text("p.json", NULL, text, strlen(text),
	    &ds, &p), 0);
	said = say_all(&ds);
	assert_string_equal(said, "p.json:2: warning: suites[0].shell: {test} "
	    "is not replaced in shell (values are in the environment, as "
	    "$YARDMASTER_TEST)\n");
	free(said);
	diags_done(&ds);
	plan_free(p);
}

static void
test_no_file(void **state)
{
	struct diags ds = DIAGS_INIT;
	enum file_kind kind = FILE_PLAN;
	struct plan *p;

	assert_true(plan_load("/nonexistent/p.json", &ds, &p) < 0);
	assert_int_equal(ds.errors, 1);
	assert_true(check_file("/nonexistent/p.json", NULL, 0, &ds, &kind) < 0);
	assert_int_equal(kind, FILE_UNKNOWN);
	assert_int_equal(ds.errors, 2);
	diags_done(&ds);
}

/* The text of an example. */
static void
read_example(const char *name, struct buf *out)
{
	char path[4096], chunk[4096];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/examples/%s", getenv("YM_SRCDIR"),
	    name);
	f = fopen(path, "r");
	assert_non_null(f);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_put(out, chunk, n);
	fclose(f);
}

static void
try_text(const char *text, size_t n)
{
	struct diags ds = DIAGS_INIT;
	struct plan *p;
	int r;

	r = plan_load_text("p.json", "/nonexistent", text, n, &ds, &p);
	if (r == 0) {
		plan_expand(p, NULL, &ds);
		plan_free(p);
	} else
		assert_true(ds.errors > 0);
	diags_done(&ds);
}

/* Every prefix of a plan, and a plan with each byte spoilt, is loaded or
 * refused with a message; nothing else happens. */
static void
test_spoilt(void **state)
{
	struct buf text = BUF_INIT;
	char *copy, kept;
	size_t i, n;

	read_example("demo.json", &text);
	n = buf_len(&text);
	for (i = 0; i < n; i += 3)
		try_text(buf_str(&text), i);
	copy = buf_steal(&text);
	for (i = 0; i < n; i += 2) {
		kept = copy[i];
		copy[i] = "]}\"9:,x\x01"[i % 8];
		try_text(copy, n);
		copy[i] = kept;
	}
	free(copy);
}

/* A member at the plan, the suite or the test of a small plan. */
static void
try_member(size_t at, const char *key, const char *value)
{
	struct buf b = BUF_INIT;
	char member[3][128] = { "", "", "" };

	snprintf(member[at], sizeof(member[at]), ", \"%s\": %s", key, value);
	buf_putf(&b, "{\"$schema\": \"x\"%s, \"suites\": [{\"name\": \"s\"%s, "
	    "\"tests\": [{\"name\": \"t\", \"shell\": \"x\"%s}]}]}", member[0],
	    member[1], member[2]);
	try_text(buf_str(&b), buf_len(&b));
	buf_done(&b);
}

/* Keys with values of all types are taken or refused with a message. */
static void
test_types(void **state)
{
	static const char *const values[] = { "null", "true", "-1", "1.5",
		"99999999999999999999", "\"\"", "\"x\"", "[]", "[[]]",
		"[null]", "{}", "{\"a\": {}}" };
	static const char *const keys[] = { "parallel", "targets", "agents",
		"command", "env", "params", "timeout", "retries", "locks",
		"exclusive", "order", "data", "needs", "discover",
		"exit_codes", "mode", "workers", "priority", "estimate",
		"enabled", "include", "shards", "ahead", "batch",
		"results" };
	size_t i, k, at;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		for (k = 0; k < sizeof(values) / sizeof(values[0]); k++)
			for (at = 0; at < 3; at++)
				try_member(at, keys[i], values[k]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_warnings_pass),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_spoilt),
		cmocka_unit_test(test_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
