/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The key table and what is looked up in it. */
#include "config.h"

#include <string.h>

#include "plan/keys.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"
#include "yardmaster/plan/plan.h"

#define P AT_PLAN
#define S AT_SUITE
#define T AT_TEST
#define PST (AT_PLAN | AT_SUITE | AT_TEST)
#define PART AT_PART
#define ANYWHERE \
	(PST | AT_TARGET | AT_FLEET | AT_AGENT | AT_SECRET)

#define YEAR_S (366 * 86400)
#define PROP(member) offsetof(struct plan_props, member)
#define NONE KEY_NO_OFFSET

static const char *const parallels[] = { "none", "targets", "tests", NULL };
static const char *const orders[] = { "auto", "plan", "longest", "failed",
	NULL };
static const char *const on_failures[] = { "continue", "next-target", "stop",
	NULL };
static const char *const modes[] = { "free", "sequential", NULL };
static const char *const keeps[] = { "never", "failed", "always", NULL };
static const char *const homes[] = { "shared", "own", NULL };
static const char *const scopes[] = { "all", "run", NULL };
static const char *const transports[] = { "auto", "libssh2", "openssh",
	"local", "command", NULL };
static const char *const kinds[] = { "standard", "virtual", NULL };

const struct key plan_keys[] = {
	/* plan, suite, test */
	{ "$schema", P | S | AT_FLEET, FORM_STRING, 0, 0, NULL, NONE, false, NULL,
	    "for editors; not used" },
	{ "name", ANYWHERE, FORM_STRING, 0, 0, NULL, NONE, false, NULL,
	    "what it is called" },
	{ "parallel", P | S, FORM_CHOICE, 0, 0, parallels, PROP(parallel),
	    false, "none", "what of a suite may run at the same time" },
	{ "targets", PST | PART, FORM_ARRAY_OR_OBJECT, 0, 0, NULL, NONE, false,
	    "one unnamed target", "what the tests run against" },
	{ "agents", PST | PART, FORM_STRINGS, 0, 0, NULL, NONE, false, "every agent",
	    "selectors of the agents that may run it" },
	{ "command", PST | PART, FORM_ARGV, 0, 0, NULL, NONE, false, NULL,
	    "program and arguments of a test" },
	{ "shell", PST | PART, FORM_STRING, 0, 0, NULL, NONE, false, NULL,
	    "text for /bin/sh instead of command" },
	{ "env", PST | PART | AT_TARGET | AT_AGENT, FORM_ENV, 0, 0, NULL, NONE,
	    false, NULL, "environment of the commands" },
	{ "secrets", PST | PART, FORM_ARRAY, 0, 0, NULL, NONE, false, NULL,
	    "environment read at send time and masked in logs" },
	{ "secret_columns", S | T, FORM_STRINGS, 0, 0, NULL, NONE, false, NULL,
	    "columns of data that are masked in logs" },
	{ "params", P, FORM_ENV, 0, 0, NULL, NONE, false, NULL,
	    "values a launch may set" },
	{ "timeout", PST | PART, FORM_DURATION, 0, YEAR_S, NULL, PROP(timeout_us),
	    false, "none", "the longest a step may take" },
	{ "retries", PST, FORM_INT, 0, 100, NULL, PROP(retries), false, "0",
	    "how often a failed execution is tried again" },
	{ "error_retries", PST, FORM_INT, 0, 100, NULL, PROP(error_retries),
	    false, "2", "how often after an error that is not the test's" },
	{ "retry_delay", PST, FORM_DURATION, 0, 86400, NULL,
	    PROP(retry_delay_us), false, "1s", "pause before a retry" },
	{ "max_failures", P, FORM_INT, 0, UINT32_MAX, NULL, NONE, false,
	    "0 (no limit)", "failed executions after which the run stops" },
	{ "on_failure", PST, FORM_CHOICE, 0, 0, on_failures, PROP(on_failure),
	    false, "continue", "what a failed step ends" },
	{ "max_parallel", P | S, FORM_INT, 0, UINT32_MAX, NULL, NONE, false,
	    "0 (no limit)", "executions that may run at the same time" },
	{ "order", P, FORM_CHOICE, 0, 0, orders, NONE, false, "auto",
	    "in which order executions start" },
	{ "priority", PST, FORM_INT, -1000000, 1000000, NULL, PROP(priority),
	    false, "0", "higher starts first" },
	{ "deadline", P, FORM_DURATION, 0, YEAR_S, NULL, NONE, false,
	    "0 (none)", "use the fewest workers that still meet it" },
	{ "locks", P, FORM_OBJECT, 0, 0, NULL, NONE, false, NULL,
	    "names and capacities of locks" },
	{ "locks", S | T, FORM_STRINGS, 0, 0, NULL, NONE, false, NULL,
	    "locks taken while it runs: name, name:N, read:name" },
	{ "scope", P, FORM_CHOICE, 0, 0, scopes, NONE, false, "all",
	    "whether locks hold over all runs" },
	{ "exclusive", P, FORM_ARRAY, 0, 0, NULL, NONE, false, NULL,
	    "pairs that never run at the same time" },
	{ "setup", P | S, FORM_ARGV, 0, 0, NULL, NONE, false, NULL,
	    "command run on an agent before the first execution" },
	{ "teardown", P | S, FORM_ARGV, 0, 0, NULL, NONE, false, NULL,
	    "command run on an agent after the last execution" },
	{ "workspace", P | S, FORM_STRING_OR_OBJECT, 0, 0, NULL, NONE, false,
	    NULL,
	    "files brought to the agents" },
	{ "artifacts", PST, FORM_STRINGS, 0, 0, NULL, NONE, false, NULL,
	    "files brought back from the agents" },
	{ "artifacts_max", PST, FORM_SIZE, 0, 0, NULL, NONE, false, "64M",
	    "the most bytes of them from one attempt" },
	{ "suites", P | S, FORM_ARRAY, 0, 0, NULL, NONE, false, NULL,
	    "suites, in order; they nest" },
	{ "include", S, FORM_STRING, 0, 0, NULL, NONE, false, NULL,
	    "file to read suites from" },
	{ "tests", S, FORM_ARRAY, 0, 0, NULL, NONE, false, NULL,
	    "tests, in order: names or objects" },
	{ "mode", S, FORM_CHOICE, 0, 0, modes, NONE, false, "free",
	    "sequential makes one execution per target" },
	{ "needs", S | T, FORM_STRINGS, 0, 0, NULL, NONE, false, NULL,
	    "suites and tests that must have passed before" },
	{ "needs_any_result", PST, FORM_BOOL, 0, 0, NULL,
	    PROP(needs_any_result), false, "false",
	    "run although one of needs failed" },
	{ "data", S | T, FORM_STRING_OR_OBJECT, 0, 0, NULL, NONE, false, NULL,
	    "a CSV file or rows; one iteration each" },
	{ "estimate", PST | PART, FORM_DURATION, 0, YEAR_S, NULL, PROP(estimate_us),
	    false, "unknown", "how long a step is expected to take" },
	{ "workers", PST | PART, FORM_INT, 1, WORK_MAX_WORKERS, NULL, PROP(workers),
	    false, "1", "workers of one agent that it occupies" },
	{ "discover", S, FORM_OBJECT, 0, 0, NULL, NONE, false, NULL,
	    "command that lists the tests" },
	{ "batch", P | S, FORM_BOOL, 0, 0, NULL, PROP(batch), false, "false",
	    "group executions into one process" },
	{ "results", P | S, FORM_OBJECT, 0, 0, NULL, NONE, false, NULL,
	    "where a batch writes its results" },
	{ "shards", S, FORM_INT, 1, PLAN_MAX_SHARDS, NULL, PROP(shards), false,
	    NULL,
	    "split a suite by a tool's own option" },
	{ "together", S, FORM_ARRAY, 0, 0, NULL, NONE, false, NULL,
	    "parts that start at the same moment" },
	{ "same_agent", S, FORM_BOOL, 0, 0, NULL, PROP(same_agent), false,
	    "false",
	    "allow parts of together on one agent" },
	{ "schedule", PST, FORM_STRING, 0, 0, NULL, NONE, false, "at once",
	    "when it may start, counted from the launch" },
	{ "ahead", P, FORM_INT_OR_STRING, 0, 1000000, NULL, NONE, false, "auto",
	    "how much an agent holds beyond its workers" },
	{ "exit_codes", PST | PART, FORM_OBJECT, 0, 0, NULL, NONE, false, NULL,
	    "what exit codes mean" },
	{ "pinned", PST | PART, FORM_BOOL, 0, 0, NULL, PROP(pinned), false, "false",
	    "run beyond the threshold of agents" },
	{ "repeatable", PST, FORM_BOOL, 0, 0, NULL, PROP(repeatable), false,
	    "true", "may be tried again after it was lost" },
	{ "beside_itself", PST, FORM_BOOL, 0, 0, NULL, PROP(beside_itself),
	    false, "false", "the same step may run twice on an agent" },
	{ "lost_after", PST, FORM_DURATION, 0, YEAR_S, NULL,
	    PROP(lost_after_us), false, "2m",
	    "silence of an agent after which an attempt is lost" },
	{ "start_timeout", PST, FORM_DURATION, 0, YEAR_S, NULL,
	    PROP(start_timeout_us), false, "1m",
	    "how long an agent may take to start it" },
	{ "enabled", S | T, FORM_BOOL, 0, 0, NULL, PROP(enabled), false,
	    "true", "false leaves it out" },
	{ "silence", PST, FORM_DURATION, 0, YEAR_S, NULL,
	    PROP(manner.silence_us), false, "none",
	    "a step that writes nothing for so long is ended: timeout" },
	{ "nice", PST, FORM_INT, 0, NICE_MAX, NULL, PROP(manner.nice), false,
	    "0", "niceness of the commands" },
	{ "limits", PST, FORM_OBJECT, 0, 0, NULL, NONE, false, NULL,
	    "resource limits of each process of the commands" },
	{ "keep", PST, FORM_CHOICE, 0, 0, keeps, PROP(manner.keep), false,
	    "failed", "when the folders of an execution are kept" },
	{ "home", PST, FORM_CHOICE, 0, 0, homes, PROP(manner.home), false,
	    "shared", "the home and temporary folder of the commands" },

	/* inside together, limits, targets, discover, data */
	{ "role", AT_PART, FORM_STRING, 0, 0, NULL, NONE, false, NULL,
	    "what the part is called" },
	{ "cpu", AT_LIMITS, FORM_DURATION, 0, YEAR_S, NULL, NONE, false, NULL,
	    "time of a CPU, in whole seconds" },
	{ "memory", AT_LIMITS, FORM_SIZE, 0, 0, NULL, NONE, false, NULL,
	    "address space" },
	{ "file_size", AT_LIMITS, FORM_SIZE, 0, 0, NULL, NONE, false, NULL,
	    "largest file it may write" },
	{ "stack", AT_LIMITS, FORM_SIZE, 0, 0, NULL, NONE, false, NULL,
	    "stack of its main thread" },
	{ "core", AT_LIMITS, FORM_SIZE, 0, 0, NULL, NONE, false, NULL,
	    "largest core file" },
	{ "files", AT_LIMITS, FORM_INT, 3, UINT32_MAX, NULL, NONE, false, NULL,
	    "open files" },
	{ "processes", AT_LIMITS, FORM_INT, 1, UINT32_MAX, NULL, NONE, false,
	    NULL, "processes of the user on that host" },
	{ "max_per_agent", AT_TARGET, FORM_INT, 1, UINT32_MAX, NULL, NONE,
	    false, "no limit", "executions at once on one agent, whichever consoles "
	    "send them" },
	{ "max", AT_TARGET, FORM_INT, 1, UINT32_MAX, NULL, NONE, false,
	    "no limit", "executions at once over the fleet" },
	{ "instances", AT_TARGET, FORM_STRINGS, 0, 0, NULL, NONE, false, NULL,
	    "names of which each execution gets one to itself" },
	{ "matrix", AT_MATRIX, FORM_OBJECT, 0, 0, NULL, NONE, false, NULL,
	    "axes and their values; every combination is a target" },
	{ "exclude", AT_MATRIX, FORM_ARRAY, 0, 0, NULL, NONE, false, NULL,
	    "combinations that are left out" },
	{ "command", AT_DISCOVER, FORM_ARGV, 0, 0, NULL, NONE, false, NULL,
	    "program and arguments that list the tests" },
	{ "pattern", AT_DISCOVER, FORM_STRING, 0, 0, NULL, NONE, false,
	    "^(?<test>\\S+)$", "PCRE2 with a group named test, per line" },
	{ "timeout", AT_DISCOVER, FORM_DURATION, 0, 86400, NULL, NONE, false,
	    "2m", "the longest discovery may take" },
	{ "file", AT_SECRET, FORM_STRING, 0, 0, NULL, NONE, false, NULL,
	    "file whose content is the value, but for a last newline" },
	{ "command", AT_SECRET, FORM_ARGV, 0, 0, NULL, NONE, false, NULL,
	    "program and arguments that print the value" },
	{ "from", AT_WORKSPACE, FORM_STRING, 0, 0, NULL, NONE, false, NULL,
	    "the folder, relative to the file of the plan" },
	{ "exclude", AT_WORKSPACE, FORM_STRINGS, 0, 0, NULL, NONE, false,
	    NULL, "patterns of what is left out" },
	{ "rows", AT_DATA, FORM_ARRAY, 0, 0, NULL, NONE, false, NULL,
	    "objects of column and value" },

	{ "junit", AT_RESULTS, FORM_STRING, 0, 0, NULL, NONE, false, NULL,
	    "the JUnit file: \"{results}\"" },
	{ "name", AT_RESULTS, FORM_STRING, 0, 0, NULL, NONE, false,
	    "{classname}::{name}", "what a test is called, from its case" },

	/* fleet file */
	{ "theme", AT_FLEET, FORM_STRING, 0, 0, NULL, NONE, false, NULL,
	    "theme of the console for this fleet" },
	{ "read_only", AT_FLEET, FORM_BOOL, 0, 0, NULL, NONE, false, "false",
	    "the console may look and not touch" },
	{ "protected", AT_FLEET, FORM_BOOL, 0, 0, NULL, NONE, false, "false",
	    "ask for the number of targets of a destroying action" },
	{ "agents", AT_FLEET, FORM_ARRAY, 0, 0, NULL, NONE, false, NULL,
	    "the agents, in order" },
	{ "host", AT_AGENT, FORM_STRING, 0, 0, NULL, NONE, false,
	    "the name", "host to connect to" },
	{ "port", AT_AGENT, FORM_INT, 1, 65535, NULL, NONE, false,
	    "of ssh", "port of the SSH server" },
	{ "user", AT_AGENT, FORM_STRING, 0, 0, NULL, NONE, false, "of ssh",
	    "account on the host" },
	{ "transport", AT_AGENT, FORM_CHOICE, 0, 0, transports, NONE, false,
	    "auto", "how the agent is reached" },
	{ "command", AT_AGENT, FORM_ARGV, 0, 0, NULL, NONE, false, NULL,
	    "program and arguments of transport command" },
	{ "identity", AT_AGENT, FORM_STRING, 0, 0, NULL, NONE, false,
	    "of ssh", "file of the private key" },
	{ "known_hosts", AT_AGENT, FORM_STRING, 0, 0, NULL, NONE, false,
	    "of ssh", "file of known host keys" },
	{ "agent_path", AT_AGENT, FORM_STRING, 0, 0, NULL, NONE, false,
	    "yardmaster-agent", "program on the host" },
	{ "instance", AT_AGENT, FORM_STRING, 0, 0, NULL, NONE, false,
	    "default", "which agent of the account" },
	{ "labels", AT_AGENT, FORM_STRINGS, 0, 0, NULL, NONE, false, NULL,
	    "words that @label selectors look for" },
	{ "targets", AT_AGENT, FORM_STRINGS, 0, 0, NULL, NONE, false,
	    "all targets", "targets the agent offers" },
	{ "instances", AT_AGENT, FORM_OBJECT, 0, 0, NULL, NONE, false, NULL,
	    "instances of targets on this agent" },
	{ "max_workers", AT_AGENT, FORM_INT, 1, 65535, NULL, NONE, false,
	    "advised by the agent", "the most workers busy at once" },
	{ "threshold", AT_AGENT, FORM_INT_OR_STRING, 0, 65535, NULL, NONE,
	    false, "max_workers", "the most of them that runs may use" },
	{ "guards", AT_AGENT, FORM_OBJECT, 0, 0, NULL, NONE, false, NULL,
	    "limits of the host past which nothing starts" },
	{ "kind", AT_AGENT, FORM_CHOICE, 0, 0, kinds, NONE, false,
	    "standard", "virtual: always one worker" },
	{ "cost_per_hour", AT_AGENT, FORM_REAL, 0, 1000000, NULL, NONE, false,
	    "0", "shown in previews" },
	{ "speed", AT_AGENT, FORM_REAL, 0, 1000, NULL, NONE, false, "1",
	    "relative speed; simulation only" },
	{ "load_per_cpu", AT_GUARDS, FORM_REAL, 0, 10000, NULL, NONE, false,
	    NULL, "highest load average per CPU" },
	{ "free_memory", AT_GUARDS, FORM_SIZE, 0, 0, NULL, NONE, false, NULL,
	    "least memory available" },
	{ "free_disk", AT_GUARDS, FORM_SIZE, 0, 0, NULL, NONE, false, "64M",
	    "least space free for output" },
	{ "health", AT_GUARDS, FORM_ARGV, 0, 0, NULL, NONE, false, NULL,
	    "command that must exit 0" },
};

const size_t n_plan_keys = sizeof(plan_keys) / sizeof(plan_keys[0]);

static const struct {
	const char *name;
	const char *word;
} forms[FORMS] = {
	[FORM_STRING] = { "a string", "string" },
	[FORM_BOOL] = { "true or false", "boolean" },
	[FORM_INT] = { "a whole number", "integer" },
	[FORM_REAL] = { "a number", "number" },
	[FORM_DURATION] = { "a duration", "duration" },
	[FORM_SIZE] = { "a size", "size" },
	[FORM_CHOICE] = { "a string", "choice" },
	[FORM_STRINGS] = { "a list of strings", "strings" },
	[FORM_ARGV] = { "a list of strings", "argv" },
	[FORM_ENV] = { "an object of strings", "env" },
	[FORM_ARRAY] = { "a list", "array" },
	[FORM_OBJECT] = { "an object", "object" },
	[FORM_STRING_OR_OBJECT] = { "a string or an object",
	    "string or object" },
	[FORM_ARRAY_OR_OBJECT] = { "a list or an object",
	    "array or object" },
	[FORM_INT_OR_STRING] = { "a whole number or a string",
	    "integer or string" },
};

static const char *const places[] = { "a plan", "a suite", "a test",
	"a target", "discover", "data", "a fleet", "an agent", "guards",
	"a matrix", "results", "limits", "a workspace", "a part",
	"a secret" };

const struct key *
key_find(const char *name, unsigned at)
{
	size_t i;

	for (i = 0; i < n_plan_keys; i++)
		if ((plan_keys[i].at & at) != 0 &&
		    strcmp(plan_keys[i].name, name) == 0)
			return &plan_keys[i];
	return NULL;
}

unsigned
key_places(const char *name)
{
	unsigned at = 0;
	size_t i;

	for (i = 0; i < n_plan_keys; i++)
		if (strcmp(plan_keys[i].name, name) == 0)
			at |= plan_keys[i].at;
	return at;
}

const char *
key_nearest(const char *name, unsigned at)
{
	const char *names[sizeof(plan_keys) / sizeof(plan_keys[0]) + 1];
	size_t i, n = 0;

	for (i = 0; i < n_plan_keys; i++)
		if ((plan_keys[i].at & at) != 0)
			names[n++] = plan_keys[i].name;
	names[n] = NULL;
	return text_nearest(name, names, 2);
}

const char *
place_name(unsigned at)
{
	size_t i = 0;

	while ((at >>= 1) != 0)
		i++;
	return places[i];
}

const char *
form_name(enum form f)
{
	return forms[f].name;
}

const char *
form_word(enum form f)
{
	return forms[f].word;
}
