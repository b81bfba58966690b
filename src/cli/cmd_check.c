/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "check": plans, fleets, themes and key maps, all faults at once. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/plan/plan.h"
#include "yardmaster/tui/tui.h"

#include "cli/session.h"

static bool
ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);

	return n >= k && strcmp(s + n - k, end) == 0;
}

static int
check_one(const char *file, const struct fleet_spec *fleet, struct diags *ds)
{
	if (ends_with(file, ".theme") || ends_with(file, ".keymap"))
		return tui_check_file(file, ds);
	return check_file(file, fleet, clock_wall_us(), ds, NULL);
}

static void
write_diag(struct jw *w, const struct diag *d)
{
	jw_object(w);
	jw_kv_str(w, "level", d->level == DIAG_ERROR ? "error" : "warning");
	jw_kv_str(w, "file", d->file);
	jw_kv_int(w, "line", d->line);
	jw_kv_int(w, "column", d->column);
	jw_kv_str(w, "path", d->path);
	jw_kv_str(w, "text", d->text);
	jw_kv_str(w, "hint", d->hint);
	jw_object_end(w);
}

static void
print_json(const struct diags *ds)
{
	struct buf out = BUF_INIT;
	struct jw w;
	size_t i;

	jw_init(&w, &out);
	jw_object(&w);
	jw_key(&w, "diagnostics");
	jw_array(&w);
	for (i = 0; i < ds->n; i++)
		write_diag(&w, &ds->v[i]);
	jw_array_end(&w);
	jw_object_end(&w);
	printf("%s\n", buf_str(&out));
	buf_done(&out);
}

static int
cmd_check(struct cli *c)
{
	struct diags ds = DIAGS_INIT;
	struct fleet_spec *fleet = NULL;
	int code = EXIT_OK;
	size_t i;

	if (cli_get(c, "fleet") != NULL &&
	    fleet_open(cli_get(c, "fleet"), &ds, &fleet) < 0)
		code = EXIT_USAGE;
	for (i = 0; i < c->args.n; i++)
		if (check_one(c->args.v[i], fleet, &ds) < 0)
			code = EXIT_USAGE;
		else if (!cli_has(c, "json"))
			printf("%s: ok\n", c->args.v[i]);
	fleet_spec_free(fleet);
	if (cli_has(c, "json"))
		print_json(&ds);
	else
		return cli_diags(&ds, code);
	diags_done(&ds);
	return code;
}

static const struct cli_opt check_opts[] = {
	{ "fleet", 'f', "FILE", "check the plans against this fleet, too" },
	JSON_OPT,
	{ NULL }
};

const struct cli_command cli_check_commands[] = {
	{ "check", "FILE...", "validate plans, fleets, themes and key maps",
	    NULL, check_opts, 1, -1, cmd_check },
	{ NULL }
};
