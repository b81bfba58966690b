/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Live edits of a fleet: what they make of it, and what they leave alone. */
#include "plan_help.h"

#include <unistd.h>

#include "yardmaster/base/mem.h"
#include "yardmaster/plan/fleet_edits.h"

#define FLEET "{ // mine\n \"name\": \"lab\", \"agents\": [\n" \
	"  {\"name\": \"a\", \"labels\": [\"linux\"], \"port\": 22},\n" \
	"  {\"name\": \"b\"}]}\n"

struct place {
	char dir[40], file[64];
};

static int
setup(void **state)
{
	struct place *p = mem_zalloc(sizeof *p);

	strcpy(p->dir, "/tmp/yardmaster-test-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->file, sizeof p->file, "%s/f.json", p->dir);
	write_file(p->dir, "f.json", FLEET);
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	static const char *const names[] = { "f.json", "f.json.edits",
		"f.json.edits.lock", NULL };
	struct place *p = *state;

	remove_all(p->dir, names);
	free(p);
	return 0;
}

static int
try(const struct place *p, const struct fleet_change *c, struct diags *ds)
{
	char *text = NULL;
	int r = fleet_change(p->file, c, ds, &text);

	free(text);
	return r;
}

static void
edit(const struct place *p, const char *agent, const char *value)
{
	struct fleet_change c = { .agent = agent, .values = &value, .n = 1,
		.who = "ann" };
	struct diags ds = DIAGS_INIT;

	if (try(p, &c, &ds) != 0)
		fail_msg("%s", say_all(&ds));
	diags_done(&ds);
}

static void
undo(const struct place *p, uint64_t number)
{
	struct diags ds = DIAGS_INIT;
	char *text = NULL;

	if (fleet_undo(p->file, number, "bob", &ds, &text) != 0)
		fail_msg("%s", say_all(&ds));
	free(text);
	diags_done(&ds);
}

static struct fleet_spec *
load(const struct place *p)
{
	struct diags ds = DIAGS_INIT;
	struct fleet_spec *f = NULL;

	if (fleet_load(p->file, &ds, &f) != 0)
		fail_msg("%s", say_all(&ds));
	diags_done(&ds);
	return f;
}

/* The labels of the first agent, with blanks. */
static void
check_first(const struct place *p, const char *expected)
{
	struct fleet_spec *f = load(p);
	struct buf b = BUF_INIT;
	size_t i;

	for (i = 0; i < f->agents[0].labels.n; i++)
		buf_putf(&b, "%s%s", i > 0 ? " " : "",
		    f->agents[0].labels.v[i]);
	assert_string_equal(buf_str(&b), expected);
	buf_done(&b);
	fleet_spec_free(f);
}

static void
test_labels(void **state)
{
	const struct place *p = *state;
	struct diags ds = DIAGS_INIT;
	struct fleet_edits e;

	edit(p, "a", "labels+=gpu,big");
	check_first(p, "linux gpu big");
	edit(p, "a", "labels-=linux,none");
	check_first(p, "gpu big");
	edit(p, "a", "labels=");
	check_first(p, "");
	assert_int_equal(fleet_edits_load(p->file, &e, &ds), 0);
	assert_int_equal(e.n, 3);
	assert_string_equal(e.v[1].who, "ann");
	assert_true(e.v[1].wall_us > 0);
	assert_string_equal(e.v[1].was, "[\"linux\",\"gpu\",\"big\"]");
	assert_string_equal(e.v[1].now, "[\"gpu\",\"big\"]");
	assert_null(e.v[2].now);
	fleet_edits_done(&e);
	diags_done(&ds);
}

/* An undone edit is as if it had never been: the file counts again. */
static void
test_undo(void **state)
{
	const struct place *p = *state;
	struct diags ds = DIAGS_INIT;
	char *text = NULL;

	edit(p, "a", "labels+=gpu");
	edit(p, "a", "labels+=big");
	assert_int_equal(fleet_undo(p->file, 1, "bob", &ds, &text),
	    ERR_STATE);
	assert_int_equal(fleet_undo(p->file, 9, "bob", &ds, &text),
	    ERR_NOT_FOUND);
	undo(p, 2);
	check_first(p, "linux gpu");
	undo(p, 1);
	check_first(p, "linux");
	write_file(p->dir, "f.json", "{\"agents\": [{\"name\": \"a\", "
	    "\"labels\": [\"new\"]}]}");
	check_first(p, "new");
	edit(p, "a", "labels+=x");
	undo(p, 5);
	undo(p, 6);
	check_first(p, "new x");
	diags_done(&ds);
}

static void
test_agents(void **state)
{
	const struct place *p = *state;
	const char *values[] = { "host=h.example", "port=2222", "user=22" };
	struct fleet_change add = { .agent = "c", .values = values, .n = 3,
		.add = true, .who = "ann" };
	struct fleet_change gone = { .agent = "a", .remove = true,
		.who = "ann" };
	struct diags ds = DIAGS_INIT;
	struct fleet_spec *f, *now;

	f = load(p);
	assert_int_equal(try(p, &add, &ds), 0);
	assert_int_equal(try(p, &add, &ds), ERR_EXISTS);
	assert_int_equal(try(p, &gone, &ds), 0);
	assert_int_equal(try(p, &gone, &ds), ERR_NOT_FOUND);
	now = load(p);
	assert_int_equal(now->n_agents, 2);
	assert_string_equal(now->agents[1].host, "h.example");
	assert_string_equal(now->agents[1].user, "22");
	fleet_spec_renew(f, now);
	assert_int_equal(f->n_agents, 3);
	assert_true(f->agents[0].removed);
	assert_false(f->agents[1].removed || f->agents[2].removed);
	assert_string_equal(f->agents[2].name, "c");
	undo(p, 2);
	fleet_spec_renew(f, load(p));
	assert_int_equal(f->n_agents, 3);
	assert_false(f->agents[0].removed);
	fleet_spec_free(f);
	diags_done(&ds);
}

static void
refused(const struct place *p, const char *agent, const char *value,
    const char *text)
{
	struct fleet_change c = { .agent = agent, .values = &value, .n = 1,
		.who = "ann" };
	struct diags ds = DIAGS_INIT;
	char *said;

	assert_true(try(p, &c, &ds) < 0);
	said = say_all(&ds);
	if (strstr(said, text) == NULL)
		fail_msg("%s: %s", value, said);
	free(said);
	diags_done(&ds);
}

static void
test_refused(void **state)
{
	const struct place *p = *state;
	char path[96];

	refused(p, "a", "lables=x", "did you mean \"labels\"");
	refused(p, "a", "name=x", "keeps its name");
	refused(p, "a", "port+=1", "KEY+=A,B and KEY-=A,B of a list");
	refused(p, "a", "port=0", "port");
	refused(p, "a", "labels+=a b", "is not a label");
	refused(p, "z", "port=1", "is not in the fleet");
	snprintf(path, sizeof path, "%s.edits", p->file);
	assert_int_equal(access(path, F_OK), -1);
}

/* What stands in the overlay may be anything. */
static void
test_damaged(void **state)
{
	static const char *const bad[] = { "", "{", "{\"edits\": 1}",
		"{\"edits\": [1]}", "{\"edits\": [{\"agent\": \"../x\", "
		"\"new\": {}}]}", "{\"edits\": [{\"agent\": \"a\"}]}",
		"{\"edits\": [{\"agent\": \"a\", \"key\": \"port\", "
		"\"new\": 7, \"undoes\": 3}]}",
		"{\"edits\": [{\"agent\": \"c\", \"new\": 7}]}" };
	const struct place *p = *state;
	struct fleet_spec *f;
	struct diags ds;
	size_t i;

	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		ds = (struct diags)DIAGS_INIT;
		write_file(p->dir, "f.json.edits", bad[i]);
		if (fleet_load(p->file, &ds, &f) >= 0)
			fail_msg("%s", bad[i]);
		assert_true(ds.errors > 0);
		diags_done(&ds);
	}
}

/* The file was changed since: what has no place is warned of. */
static void
test_without_place(void **state)
{
	const struct place *p = *state;
	struct diags ds = DIAGS_INIT;
	struct fleet_spec *f;
	char *said;

	edit(p, "b", "port=2222");
	write_file(p->dir, "f.json", "{\"agents\": [{\"name\": \"a\"}]}");
	assert_int_equal(fleet_load(p->file, &ds, &f), 0);
	said = say_all(&ds);
	assert_non_null(strstr(said, "edit 1 of the fleet no longer counts: "
	    "the file has no b"));
	free(said);
	fleet_spec_free(f);
	diags_done(&ds);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_labels, setup, teardown),
		cmocka_unit_test_setup_teardown(test_undo, setup, teardown),
		cmocka_unit_test_setup_teardown(test_agents, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_place, setup,
		    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
