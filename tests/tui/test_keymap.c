/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys, key maps, and that every action can be reached. */
#include "tests/lib/check.h"

#include <stdio.h>
#include <unistd.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/tui/tui.h"
#include "tui/action.h"
#include "tui/command.h"
#include "tui/keymap.h"

static void
test_names(void **state)
{
	static const char *const names[] = { "a", "Enter", "C-x", "M-<",
		"PgUp", "F12", "C-Space", "Comma", "S-Tab", "-", "\xc3\xa4" };
	static const char *const bad[] = { "", "ab", "C-", "X-a", "Entr" };
	uint32_t key;
	char text[KEY_TEXT];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(key_parse(names[i], strlen(names[i]), &key),
		    0);
		assert_string_equal(key_format(key, text), names[i]);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(key_parse(bad[i], strlen(bad[i]), &key),
		    ERR_SYNTAX);
}

static void
test_terminal_keys(void **state)
{
	assert_int_equal(key_from_char(1), KEY_CTRL | 'a');
	assert_int_equal(key_from_char(13), YK_ENTER);
	assert_int_equal(key_from_char(127), YK_BACKSPACE);
	assert_int_equal(key_from_char(31), KEY_CTRL | '/');
	assert_int_equal(key_from_csi("5", 1, '~'), YK_PGUP);
	assert_int_equal(key_from_csi("", 0, 'A'), YK_UP);
	assert_int_equal(key_from_csi("1;5", 3, 'C'), YK_RIGHT);
	assert_int_equal(key_from_csi("?2026;2$", 8, 'y'), YK_NONE);
	assert_int_equal(key_from_csi("99", 2, '~'), YK_NONE);
}

/* Writes a map and loads it; the text of the first fault, or NULL. */
static char *
load(const char *text, struct keymap *map)
{
	char path[] = "/tmp/ym-test-XXXXXX.keymap";
	struct tui_files files = { NULL };
	struct diags ds = DIAGS_INIT;
	char *fault = NULL;
	int fd = mkstemps(path, 7), r;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	r = keymap_load(map, &files, path, &ds);
	assert_int_equal(r < 0, ds.errors > 0);
	if (ds.n > 0) {
		fault = str_fmt("%u: %s (%s)", ds.v[0].line, ds.v[0].text,
		    ds.v[0].hint != NULL ? ds.v[0].hint : "");
	}
	diags_done(&ds);
	unlink(path);
	return fault;
}

static void
expect_fault(const char *text, const char *want)
{
	struct keymap map = { .n = 0 };
	char *fault = load(text, &map);

	assert_non_null(fault);
	if (strstr(fault, want) == NULL)
		fail_msg("'%s' is not in '%s'", want, fault);
	assert_int_equal(map.n, 0);
	free(fault);
}

static void
test_faults(void **state)
{
	expect_fault("[keys]\nopn = Enter\n", "2: unknown action 'opn' "
	    "(did you mean 'open'?)");
	expect_fault("[keys]\nopen = Entr\n", "2: 'Entr' is no key");
	expect_fault("[keys]\nopen = g\nwhy = g g\n",
	    "3: g g begins with g of open");
	expect_fault("[keys]\nopen = g\nwhy = g\n", "3: g is g of open");
	expect_fault("[kys]\nopen = g\n", "unknown section 'kys'");
	expect_fault("[keymap]\nnam = x\n", "did you mean 'name'?");
	expect_fault("[keymap]\ninherit = nowhere\n", "no nowhere.keymap");
	expect_fault("[keys]\nopen\n", "2: expected key = value");
	expect_fault("[keys\n", "1: expected [section]");
	expect_fault("[keys]\nopen = \xff\n", "not UTF-8");
	expect_fault("[keys]\nopen = a b c d e\n", "at most 4 in a row");
}

static int
resolve(const struct keymap *m, const char *keys)
{
	struct keyseq seq;
	int action;

	assert_int_equal(keyseq_parse(keys, strlen(keys), &seq), 0);
	action = keymap_resolve(m, LISTEN_TABLE, &seq);
	return action;
}

static void
expect_action(const struct keymap *m, const char *keys, const char *name)
{
	int action = resolve(m, keys);

	if (name == NULL)
		assert_int_equal(action, KEYMAP_NONE);
	else
		assert_string_equal(actions[action].name, name);
}

static void
test_inherit(void **state)
{
	struct keymap m = { .n = 0 };
	char *fault;

	fault = load("[keymap]\ninherit = default\n[keys]\nundo = u\n"
	    "quit = none\nwhy = k\n", &m);
	assert_null(fault);
	expect_action(&m, "u", "undo");
	expect_action(&m, "U", NULL);
	expect_action(&m, "q", NULL);
	expect_action(&m, "k", "why");	/* taken from "up" */
	expect_action(&m, "Up", "up");
	expect_action(&m, "Enter", "open");
	keymap_done(&m);
}

static void
test_vi(void **state)
{
	struct tui_files files = { NULL };
	struct diags ds = DIAGS_INIT;
	struct keymap m = { .n = 0 };

	assert_int_equal(keymap_load(&m, &files, "vi", &ds), 0);
	assert_int_equal(resolve(&m, "g"), KEYMAP_PREFIX);
	expect_action(&m, "g g", "first");
	expect_action(&m, "g t", "next-pane");
	expect_action(&m, "g l", "timeline");
	expect_action(&m, "u", "undo");
	keymap_done(&m);
}

static bool
has_safe_key(const struct keymap *m, int action)
{
	size_t i;
	unsigned k;

	for (i = 0; i < m->n; i++) {
		if (m->v[i].action != action)
			continue;
		for (k = 0; k < m->v[i].seq.n; k++)
			if (!key_is_safe(m->v[i].seq.k[k]))
				break;
		if (k == m->v[i].seq.n)
			return true;
	}
	return false;
}

/* In each shipped map, each action has a key that no terminal or multiplexer
 * eats, or a command of its name. */
static void
test_reachable(void **state)
{
	static const char *const maps[] = { "default", "vi", "emacs" };
	struct tui_files files = { NULL };
	struct diags ds = DIAGS_INIT;
	struct keymap m = { .n = 0 };
	size_t i, a;

	for (i = 0; i < 3; i++) {
		assert_int_equal(keymap_load(&m, &files, maps[i], &ds), 0);
		assert_int_equal(ds.n, 0);
		for (a = 0; a < n_actions; a++) {
			assert_int_equal(command_find(actions[a].name), a);
			/* Dialogs and movement have no command line. */
			if (actions[a].context == CTX_DIALOG ||
			    actions[a].context == CTX_MOVE)
				assert_true(has_safe_key(&m, (int)a));
		}
	}
	keymap_done(&m);
}

static void
test_table(void **state)
{
	size_t i, k;

	for (i = 0; i < n_actions; i++) {
		assert_non_null(actions[i].fn);
		assert_true(strlen(actions[i].help) < 60);
		for (k = 0; k < i; k++) {
			assert_string_not_equal(actions[i].name,
			    actions[k].name);
			if (actions[i].letter != 0)
				assert_int_not_equal(actions[i].letter,
				    actions[k].letter);
		}
		/* The key that confirms is never the key that asks. */
		assert_int_not_equal(actions[i].letter, 'y');
		if (actions[i].letter != 0)
			assert_int_not_equal(actions[i].on, 0);
	}
}

static void
test_commands(void **state)
{
	struct lineedit line = { .n = 0 };
	char hint[80];

	assert_string_equal(actions[command_find("q")].name, "quit");
	assert_string_equal(actions[command_find("run x")].name, "launch");
	assert_string_equal(actions[command_find("thr")].name, "threshold");
	assert_int_equal(command_find("xyzzy"), -1);
	assert_int_equal(command_find("re"), -2);
	lineedit_set(&line, "max");
	command_complete(&line, hint, sizeof(hint));
	assert_string_equal(line.text, "max-workers ");
	assert_non_null(strstr(hint, "VALUE"));
	lineedit_set(&line, "search-");
	command_complete(&line, hint, sizeof(hint));
	assert_string_equal(line.text, "search-");
	assert_non_null(strstr(hint, "search-previous"));
}

static void
test_dump(void **state)
{
	struct buf b = BUF_INIT;
	struct diags ds = DIAGS_INIT;
	struct keymap m = { .n = 0 };
	char *fault;

	assert_int_equal(tui_keymap_dump("emacs", &b, &ds), 0);
	fault = load(buf_str(&b), &m);
	assert_null(fault);
	expect_action(&m, "M-x", "command");
	expect_action(&m, "C-n", "down");
	keymap_done(&m);
	buf_clear(&b);
	tui_help_text(&b);
	assert_non_null(strstr(buf_str(&b), "max-workers"));
	buf_done(&b);
}

static void
test_check_file(void **state)
{
	struct diags ds = DIAGS_INIT;
	char *path = str_fmt("%s/keymaps/vi.keymap", getenv("YM_SRCDIR"));

	assert_int_equal(tui_check_file(path, &ds), 0);
	assert_int_equal(tui_check_file("x.json", &ds), ERR_UNSUPPORTED);
	assert_true(tui_check_file("/nowhere/x.keymap", &ds) < 0);
	assert_int_equal(ds.errors, 1);
	diags_done(&ds);
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_terminal_keys),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_inherit),
		cmocka_unit_test(test_vi),
		cmocka_unit_test(test_reachable),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_dump),
		cmocka_unit_test(test_check_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
