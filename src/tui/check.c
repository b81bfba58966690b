/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the command line asks of the screen: validation, help, key maps. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/tui/tui.h"
#include "tui/action.h"
#include "tui/keymap.h"
#include "tui/theme.h"

#define NAME_WIDTH 18
#define KEYS_WIDTH 20

static bool
ends_in(const char *path, const char *suffix)
{
	size_t n = strlen(path), m = strlen(suffix);

	return n > m && strcmp(path + n - m, suffix) == 0;
}

int
tui_check_file(const char *path, struct diags *ds)
{
	struct tui_files files = { NULL };
	struct keymap map = { .n = 0 };
	struct theme *theme;
	int r;

	if (ends_in(path, ".theme")) {
		theme = mem_zalloc(sizeof(*theme));
		r = theme_load(theme, &files, path, ds);
		free(theme);
		return r;
	}
	if (!ends_in(path, ".keymap"))
		return ERR_UNSUPPORTED;
	r = keymap_load(&map, &files, path, ds);
	keymap_done(&map);
	return r;
}

void
tui_help_text(struct buf *out)
{
	struct tui_files files = { NULL };
	struct keymap map = { .n = 0 };
	struct diags ds = DIAGS_INIT;
	struct buf keys = BUF_INIT;
	size_t i;
	int c;

	keymap_load(&map, &files, NULL, &ds);
	for (c = 0; c < CONTEXTS; c++) {
		buf_putf(out, "%s%s\n", c > 0 ? "\n" : "",
		    context_name((enum context)c));
		for (i = 0; i < n_actions; i++) {
			if (actions[i].context != (enum context)c)
				continue;
			buf_clear(&keys);
			keymap_all(&map, (int)i, &keys);
			buf_putf(out, "  %-*s %-*s %s\n", NAME_WIDTH,
			    actions[i].name, KEYS_WIDTH, buf_str(&keys),
			    actions[i].help);
		}
	}
	buf_done(&keys);
	diags_done(&ds);
	keymap_done(&map);
}

int
tui_keymap_dump(const char *keymap, struct buf *out, struct diags *ds)
{
	struct tui_files files = { NULL };
	struct keymap map = { .n = 0 };
	struct buf keys = BUF_INIT;
	size_t i;
	int c, r;

	if ((r = keymap_load(&map, &files, keymap, ds)) < 0)
		return r;
	buf_putf(out, "[keymap]\nname = %s\n\n[keys]\n", map.name);
	for (c = 0; c < CONTEXTS; c++) {
		buf_putf(out, "\n# %s:\n", context_name((enum context)c));
		for (i = 0; i < n_actions; i++) {
			if (actions[i].context != (enum context)c)
				continue;
			buf_clear(&keys);
			keymap_all(&map, (int)i, &keys);
			buf_putf(out, "# %s\n%s = %s\n", actions[i].help,
			    actions[i].name, buf_len(&keys) > 0
			    ? buf_str(&keys) : "none");
		}
	}
	buf_done(&keys);
	keymap_done(&map);
	return 0;
}
