/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Amendments of a plan: each key, the value it gives back, what is refused. */
#include "plan_help.h"

#include <stdio.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/jval.h"

static const char plan_text[] =
    "{\"name\": \"p\", \"parallel\": \"tests\", \"command\": [\"x\"],"
    " \"targets\": [{\"name\": \"web\", \"max\": 2}],"
    " \"locks\": {\"db\": 1}, \"exclusive\": [[\"a/t1\", \"b\"]],"
    " \"agents\": [\"lab-1\"], \"max_failures\": 3, \"suites\": ["
    " {\"name\": \"a\", \"tests\": [{\"name\": \"t1\", \"locks\": [\"db\"]},"
    "  \"t2\"]},"
    " {\"name\": \"b\", \"parallel\": \"none\", \"tests\": [\"t2\", \"t3\"]}]}";

/* Amends; the old value must be was, and back it goes where undo is asked. */
static void
amend(struct plan *p, const char *key, const char *value, const char *was,
    bool undo)
{
	char *old = NULL, *error = NULL;

	if (plan_amend(p, key, value, &old, &error) < 0)
		fail_msg("%s=%s: %s", key, value, error);
	assert_string_equal(old, was);
	free(old);
	if (undo)
		amend(p, key, was, value, false);
}

static void
refused(struct plan *p, const char *key, const char *value, int code,
    const char *part)
{
	char *old = NULL, *error = NULL;

	assert_int_equal(plan_amend(p, key, value, &old, &error), code);
	assert_non_null(strstr(error, part));
	free(error);
}

/* The selectors that execution no asks for, lists parted by "; ". */
static void
check_agents(const struct plan *p, uint32_t no, const char *expected)
{
	const struct plan_terms *t = &p->terms[p->execs[no - 1].terms];
	const struct strvec *v;
	struct buf b = BUF_INIT;
	uint32_t i;
	size_t k;

	for (i = 0; i < t->n_agents; i++) {
		v = &p->agents[t->agents[i]].terms;
		for (k = 0; k < v->n; k++)
			buf_putf(&b, "%s%s", k > 0 ? "," : i > 0 ? "; " : "",
			    v->v[k]);
	}
	assert_string_equal(buf_str(&b), expected);
	buf_done(&b);
}

static void
values_change_and_change_back(void **state)
{
	struct plan *p = expand_good(plan_text, NULL);

	amend(p, "max_parallel", "4", "0", true);
	amend(p, "max_failures", "0", "3", true);
	amend(p, "deadline", "20m", "0", false);
	amend(p, "deadline", "90.5s", "20m00s", false);
	amend(p, "deadline", "0", "90500ms", true);
	assert_int_equal(p->deadline_us, 90500 * US_PER_MS);
	refused(p, "deadline", "soon", ERR_INVALID, "20m");
	refused(p, "deadline:a", "20m", ERR_INVALID, "not a key");
	amend(p, "max_parallel:b", "1", "0", true);
	amend(p, "max:web", "0", "2", true);
	amend(p, "max_per_agent:web", "1", "0", true);
	amend(p, "lock:db", "0", "1", true);
	amend(p, "exclusive:a/t1,b", "off", "on", true);
	amend(p, "exclusive:b,t1", "off", "on", false);
	assert_true(p->pairs[0].off);
	amend(p, "max_parallel", "4", "0", false);
	assert_int_equal(p->max_parallel, 4);
	check_labels(p, "a/t1@web; a/t2@web; b/t2@web b/t3@web");
	plan_free(p);
}

/* The latest that covers a test counts; taken out, the one before does. */
static void
agents_of_suites_and_tests(void **state)
{
	struct plan *p = expand_good(plan_text, NULL);

	check_agents(p, 1, "lab-1");
	amend(p, "agents:a", "lab-2,@linux", "", false);
	check_agents(p, 1, "lab-2,@linux");
	check_agents(p, 2, "lab-2,@linux");
	check_agents(p, 3, "lab-1");
	amend(p, "agents:t1", "lab-3", "", false);
	check_agents(p, 1, "lab-3");
	check_agents(p, 2, "lab-2,@linux");
	amend(p, "agents:a", "", "lab-2,@linux", false);
	check_agents(p, 1, "lab-3");
	check_agents(p, 2, "lab-1");
	amend(p, "agents:a/t1", "", "lab-3", false);
	check_agents(p, 1, "lab-1");
	/* Steps that share an execution: all of them must be met. */
	amend(p, "agents:b/t3", "lab-9", "", false);
	check_agents(p, 3, "lab-1; lab-9");
	plan_free(p);
}

/* What one execution runs on a target is for another one. */
static void
targets_of_executions(void **state)
{
	struct plan *p = expand_good("{\"parallel\": \"tests\", "
	    "\"shell\": \"x\", \"targets\": [\"web\", \"tv\"], "
	    "\"suites\": [{\"name\": \"a\", \"tests\": [\"t\", \"u\"]}, "
	    "{\"name\": \"b\", \"parallel\": \"none\", \"tests\": "
	    "[\"v\"]}]}", NULL);
	const struct plan_terms *t;

	check_labels(p, "a/t@web; a/t@tv; a/u@web; a/u@tv; b/v@web b/v@tv");
	amend(p, "target:1", "phone", "web", true);
	amend(p, "target:1,web", "phone", "web", false);
	check_labels(p, "a/t@phone; a/t@tv; a/u@web; a/u@tv; b/v@web b/v@tv");
	t = &p->terms[p->execs[0].terms];
	assert_int_equal(t->n_targets, 1);
	assert_string_equal(p->targets[t->targets[0]].name, "phone");
	amend(p, "target:5,tv", "phone", "tv", false);
	check_labels(p, "a/t@phone; a/t@tv; a/u@web; a/u@tv; "
	    "b/v@web b/v@phone");
	amend(p, "target:1", "web", "phone", false);
	refused(p, "target:1", "tv", ERR_INVALID, "runs it on tv already");
	refused(p, "target:5", "x", ERR_INVALID, "target:5,OLD");
	refused(p, "target:5,web", "phone", ERR_INVALID, "already");
	refused(p, "target:1,tv", "x", ERR_NOT_FOUND, "no such target");
	refused(p, "target:9", "x", ERR_NOT_FOUND, "no such execution");
	refused(p, "target:0", "x", ERR_NOT_FOUND, "no such execution");
	refused(p, "target:1", "", ERR_INVALID, "not a usable name");
	check_labels(p, "a/t@web; a/t@tv; a/u@web; a/u@tv; "
	    "b/v@web b/v@phone");
	plan_free(p);
}

/* What shares a process, and what runs together. */
static void
targets_of_batches_and_groups(void **state)
{
	struct plan *p = expand_good("{\"targets\": [\"web\", \"tv\"], "
	    "\"command\": [\"x\", \"{results}\", \"{tests}\"], "
	    "\"results\": {\"junit\": \"{results}\"}, "
	    "\"suites\": [{\"name\": \"b\", \"batch\": true, "
	    "\"tests\": [\"t\", \"u\"]}, "
	    "{\"name\": \"g\", \"together\": ["
	    "{\"role\": \"r\", \"command\": [\"x\"]}, "
	    "{\"role\": \"s\", \"command\": [\"x\"]}]}]}", NULL);
	struct buf key = BUF_INIT, other = BUF_INIT;

	check_labels(p, "b/t@web; b/t@tv; b/u@web; b/u@tv; "
	    "g/r@web; g/s@web; g/r@tv; g/s@tv");
	amend(p, "target:1", "phone", "web", true);
	amend(p, "target:1", "phone", "web", false);
	amend(p, "target:3", "phone", "web", false);
	amend(p, "target:5,web", "phone", "web", false);
	refused(p, "target:2", "phone", ERR_INVALID, "runs it on phone");
	refused(p, "target:7", "phone", ERR_INVALID, "already");
	check_labels(p, "b/t@phone; b/t@tv; b/u@phone; b/u@tv; "
	    "g/r@phone; g/s@web; g/r@tv; g/s@tv");
	assert_int_equal(p->execs[4].group, p->execs[5].group);
	assert_true(plan_is_batch(p, 1));
	plan_batch_key(p, 1, &key);
	plan_batch_key(p, 3, &other);
	assert_int_equal(buf_len(&key), buf_len(&other));
	buf_done(&key);
	buf_done(&other);
	plan_free(p);
}

static void
what_cannot_be_amended_says_so(void **state)
{
	struct plan *p = expand_good(plan_text, NULL);

	refused(p, "timeout", "1", ERR_INVALID, "not a key");
	refused(p, "", "1", ERR_INVALID, "not a key");
	refused(p, "max_failures:a", "1", ERR_INVALID, "not a key");
	refused(p, "lock", "1", ERR_INVALID, "not a key");
	refused(p, "lock:", "1", ERR_INVALID, "not a key");
	refused(p, "lock:nosuch", "1", ERR_NOT_FOUND, "no such lock");
	refused(p, "max:phone", "1", ERR_NOT_FOUND, "no such target");
	refused(p, "max:web", "", ERR_INVALID, "a number");
	refused(p, "max:web", "-1", ERR_INVALID, "a number");
	refused(p, "max:web", "99999999999999999999", ERR_INVALID,
	    "a number");
	refused(p, "max:web", "1x", ERR_INVALID, "a number");
	refused(p, "max_parallel:a/t1", "1", ERR_INVALID, "only suites");
	refused(p, "agents:t2", "lab-1", ERR_INVALID, "several tests");
	refused(p, "agents:zz", "lab-1", ERR_NOT_FOUND, "no such suite");
	refused(p, "agents:a", "/[/", ERR_INVALID, "/[/");
	refused(p, "exclusive:a/t1", "off", ERR_NOT_FOUND, "no such pair");
	refused(p, "exclusive:a/t1,b", "no", ERR_INVALID, "on or off");
	check_agents(p, 1, "lab-1");
	plan_free(p);
}

static void
written(const char *text, const char *key, const char *value,
    const char *expected)
{
	struct buf out = BUF_INIT;
	char *error = NULL;
	struct jdoc doc;
	int r;

	assert_int_equal(jdoc_parse(&doc, "p.json", text, strlen(text),
	    JDOC_COMMENTS, NULL), 0);
	r = plan_write_back(&doc, key, value, &out, &error);
	if (expected == NULL) {
		assert_true(r < 0);
		assert_non_null(strstr(error, "cannot be written there"));
	} else {
		assert_int_equal(r, 0);
		assert_string_equal(buf_str(&out), expected);
	}
	free(error);
	buf_done(&out);
	jdoc_done(&doc);
}

/* Only the value changes; what has no place is refused. */
static void
values_are_written_back(void **state)
{
	static const char with[] = "{ // how many\n\t\"max_parallel\": %s, "
	    "\"command\": [\"x\"],\n \"locks\": {\"db\": %s},\n"
	    " \"suites\": [{%s\"name\": \"a\", \"tests\": [\"t1\", %s]}]}";
	char text[400], want[400];

	snprintf(text, sizeof(text), with, "3", "1", "", "\"t2\"");
	snprintf(want, sizeof(want), with, "8", "1", "", "\"t2\"");
	written(text, "max_parallel", "8", want);
	snprintf(want, sizeof(want), with, "3", "4", "", "\"t2\"");
	written(text, "lock:db", "4", want);
	snprintf(want, sizeof(want), with, "3", "1",
	    "\"agents\": [\"lab-1\",\"@x\"], ", "\"t2\"");
	written(text, "agents:a", "lab-1,@x", want);
	snprintf(want, sizeof(want), with, "3", "1", "",
	    "{\"name\": \"t2\", \"agents\": [\"lab-1\"]}");
	written(text, "agents:a/t2", "lab-1", want);
	written(text, "agents:t2", "lab-1", NULL);
	written(text, "agents:a", "", NULL);
	written(text, "lock:db", "0", NULL);
	written(text, "lock:other", "2", NULL);
	written(text, "exclusive:a,a", "off", NULL);
	written(text, "max:web", "1", NULL);
	written(text, "max_parallel", "-1", NULL);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_change_and_change_back),
		cmocka_unit_test(agents_of_suites_and_tests),
		cmocka_unit_test(targets_of_executions),
		cmocka_unit_test(targets_of_batches_and_groups),
		cmocka_unit_test(what_cannot_be_amended_says_so),
		cmocka_unit_test(values_are_written_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
