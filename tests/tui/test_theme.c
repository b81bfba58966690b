/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Themes: those shipped are whole, faults are named, the built-in one serves. */
#include "tests/lib/check.h"

#include <stdio.h>
#include <unistd.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "tui/theme.h"

static struct tui_files files;

static void
test_shipped(void **state)
{
	static const char *const names[] = { "default", "dark", "light",
		"high-contrast", "deuteranopia", "mono", "production" };
	struct theme *th = mem_zalloc(sizeof(*th));
	struct diags ds = DIAGS_INIT;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(theme_load(th, &files, names[i], &ds), 0);
		assert_int_equal(ds.n, 0);
		assert_string_equal(th->name, names[i]);
	}
	free(th);
}

/* Nothing is said by colour alone: of one kind, no two states have the same
 * letter, nor, with UTF-8, the same glyph and attribute. */
static void
test_told_apart(void **state)
{
	struct theme *th = mem_zalloc(sizeof(*th));
	struct diags ds = DIAGS_INIT;
	unsigned k, a, b;

	assert_int_equal(theme_load(th, &files, "mono", &ds), 0);
	for (k = 0; k < LOOK_KINDS; k++)
		for (a = 0; look_state_name(k, a) != NULL &&
		    a < LOOK_STATES_MAX; a++)
			for (b = 0; b < a; b++)
				assert_string_not_equal(
				    th->states[k][a].letter,
				    th->states[k][b].letter);
	free(th);
}

static void
expect_fault(const char *text, const char *want)
{
	char path[] = "/tmp/ym-test-XXXXXX.theme";
	struct theme *th = mem_zalloc(sizeof(*th));
	struct diags ds = DIAGS_INIT;
	struct buf b = BUF_INIT;
	int fd = mkstemps(path, 6);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	strcpy(th->name, "before");
	assert_true(theme_load(th, &files, path, &ds) < 0);
	assert_string_equal(th->name, "before");	/* stays in force */
	assert_true(ds.errors > 0);
	diag_format(&ds.v[0], &b);
	if (strstr(buf_str(&b), want) == NULL)
		fail_msg("'%s' is not in '%s'", want, buf_str(&b));
	buf_done(&b);
	diags_done(&ds);
	unlink(path);
	free(th);
}

static void
test_faults(void **state)
{
#define CHILD "[theme]\nname = x\ninherit = default\n"
	expect_fault(CHILD "[roles]\nnorml = red default\n",
	    ":5: roles: unknown role 'norml' (did you mean 'normal'?)");
	expect_fault(CHILD "[roles]\nnormal = rde default\n",
	    "did you mean 'red'?");
	expect_fault(CHILD "[roles]\nnormal = red default blink\n",
	    "attributes are bold");
	expect_fault(CHILD "[palette]\nred = red 1 1\n", "#RRGGBB");
	expect_fault(CHILD "[palette]\nred = #ff0000 300 1\n", "#RRGGBB");
	expect_fault(CHILD "[states]\nagent.lsot = x X bad\n",
	    "did you mean 'lost'?");
	expect_fault(CHILD "[states]\nagnt.lost = x X bad\n",
	    "did you mean 'agent'?");
	expect_fault(CHILD "[states]\nagent.lost = xx X bad\n", "one cell");
	expect_fault(CHILD "[states]\nagent.lost = x \xe2\x9c\x97 bad\n",
	    "ASCII letter");
	expect_fault(CHILD "[state]\na = b\n", "did you mean 'states'?");
	expect_fault(CHILD "cursor = blob\n", "row or mark");
	expect_fault("[theme]\nname = x\n", "role 'normal' is missing");
	expect_fault("[theme]\ninherit = nowhere\n", "no nowhere.theme");
}

static void
test_builtin(void **state)
{
	struct theme *th = mem_zalloc(sizeof(*th));
	struct diags ds = DIAGS_INIT;
	struct ini ini;

	assert_int_equal(ini_parse(&ini, "builtin", builtin_theme,
	    strlen(builtin_theme), &ds), 0);
	assert_string_equal(ini_get(&ini, "theme", "name"), "default");
	ini_done(&ini);
	assert_int_equal(ini_parse(&ini, "builtin", builtin_keymap,
	    strlen(builtin_keymap), &ds), 0);
	assert_string_equal(ini_get(&ini, "keys", "open"), "Enter");
	ini_done(&ini);
	assert_int_equal(ds.n, 0);
	free(th);
}

static void
test_palette_of_child(void **state)
{
	struct theme *a = mem_zalloc(sizeof(*a)), *b = mem_zalloc(sizeof(*b));
	struct diags ds = DIAGS_INIT;

	assert_int_equal(theme_load(a, &files, "default", &ds), 0);
	assert_int_equal(theme_load(b, &files, "deuteranopia", &ds), 0);
	assert_int_not_equal(a->roles[ROLE_GOOD].fg.rgb,
	    b->roles[ROLE_GOOD].fg.rgb);
	assert_int_equal(b->roles[ROLE_GOOD].fg.rgb, 0x0087ff);
	free(a);
	free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shipped),
		cmocka_unit_test(test_told_apart),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_builtin),
		cmocka_unit_test(test_palette_of_child),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
