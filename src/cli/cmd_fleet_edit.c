/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Live edits of the fleet: added, edited and removed agents, listed and taken
 * back. The overlay beside the fleet file has them; processes that use the
 * fleet watch it.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/plan/fleet_edits.h"
#include "yardmaster/plan/fleet_file.h"

#include "cli/fleet_edit.h"
#include "cli/session.h"
#include "cli/table.h"

/* The file to edit, or NULL after saying why there is none. */
static char *
file_of(const struct cli *c)
{
	char *file = fleet_path(cli_get(c, "fleet"));

	if (file == NULL)
		cli_fail(c, 0, "the built-in fleet cannot be edited: write a "
		    "fleet file (man 5 yardmaster-fleet)");
	return file;
}

/* Says what came of it; text (owned) when it went well. */
static int
said(const char *agent, int r, char *text, struct diags *ds)
{
	if (r == 0)
		printf("%s%s%s\n", agent != NULL ? agent : "",
		    agent != NULL ? ": " : "", text);
	free(text);
	return cli_diags(ds, r == 0 ? EXIT_OK : r == ERR_LOCKED ||
	    r > ERR_SYNTAX ? EXIT_ERRORS : EXIT_USAGE);
}

static int
change(const struct cli *c, struct fleet_change *ch)
{
	struct diags ds = DIAGS_INIT;
	char *file = file_of(c), *who, *text = NULL;
	int r;

	if (file == NULL)
		return EXIT_USAGE;
	if (!ident_is_agent_name(ch->agent)) {
		free(file);
		return cli_fail(c, EXIT_USAGE, "%s: not an agent's name",
		    ch->agent);
	}
	ch->who = who = session_who();
	r = fleet_change(file, ch, &ds, &text);
	free(who);
	free(file);
	return said(ch->agent, r, text, &ds);
}

int
fleet_edit(const struct cli *c, const char *agent,
    const struct strvec *values)
{
	struct fleet_change ch = { .agent = agent,
		.values = (const char *const *)values->v, .n = values->n };

	return change(c, &ch);
}

static int
cmd_add(struct cli *c)
{
	struct fleet_change ch = { .agent = c->args.v[0], .add = true,
		.values = (const char *const *)c->args.v + 1,
		.n = c->args.n - 1 };

	return change(c, &ch);
}

static int
cmd_edit(struct cli *c)
{
	struct fleet_change ch = { .agent = c->args.v[0],
		.values = (const char *const *)c->args.v + 1,
		.n = c->args.n - 1 };

	return change(c, &ch);
}

static int
cmd_remove(struct cli *c)
{
	struct fleet_change ch = { .agent = c->args.v[0], .remove = true };

	return change(c, &ch);
}

static int
cmd_reload(struct cli *c)
{
	struct diags ds = DIAGS_INIT;
	char *file = file_of(c);
	int r;

	if (file == NULL)
		return EXIT_USAGE;
	r = fleet_touch(file, &ds);
	free(file);
	return said(NULL, r, str_dup("all that use it read it again"), &ds);
}

static int
cmd_undo(struct cli *c)
{
	struct diags ds = DIAGS_INIT;
	unsigned long long number;
	char *end, *file, *who, *text = NULL;
	int r;

	number = strtoull(c->args.v[0], &end, 10);
	if (c->args.v[0][0] < '0' || c->args.v[0][0] > '9' || *end != '\0')
		return cli_fail(c, EXIT_USAGE, "%s: the number of an edit",
		    c->args.v[0]);
	if ((file = file_of(c)) == NULL)
		return EXIT_USAGE;
	who = session_who();
	r = fleet_undo(file, number, who, &ds, &text);
	free(who);
	free(file);
	return said(NULL, r, text, &ds);
}

/* ---- the list ---- */

static void
write_edit(struct jw *w, const struct fleet_edit *e)
{
	jw_object(w);
	jw_kv_int(w, "number", (int64_t)e->number);
	jw_kv_time(w, "time", e->wall_us);
	jw_kv_str(w, "who", e->who);
	jw_kv_str(w, "agent", e->agent);
	jw_kv_str(w, "key", e->key);
	jw_kv_str(w, "old", e->was);
	jw_kv_str(w, "new", e->now);
	if (e->undoes > 0)
		jw_kv_int(w, "undoes", (int64_t)e->undoes);
	jw_object_end(w);
}

static const struct column columns[] = {
	{ .title = "N", .key = "number" },
	{ .title = "TIME", .key = "time" },
	{ .title = "WHO", .key = "who" },
	{ .title = "AGENT", .key = "agent" },
	{ .title = "KEY", .key = "key" },
	{ .title = "OLD", .key = "old" },
	{ .title = "NEW", .key = "new" },
	{ .title = "UNDOES", .key = "undoes" },
	{ NULL }
};

static void
print_edits(const struct cli *c, const struct fleet_edits *edits)
{
	struct buf out = BUF_INIT;
	struct jval *v = NULL;
	struct jw w;
	size_t i;

	jw_init(&w, &out);
	jw_object(&w);
	jw_key(&w, "edits");
	jw_array(&w);
	for (i = 0; i < edits->n; i++)
		write_edit(&w, &edits->v[i]);
	jw_array_end(&w);
	jw_object_end(&w);
	if (cli_has(c, "json"))
		printf("%s\n", buf_str(&out));
	else if (jval_parse(&v, buf_data(&out), buf_len(&out)) == 0)
		table_print(columns, jval_get(v, "edits"));
	jval_free(v);
	buf_done(&out);
}

static int
cmd_edits(struct cli *c)
{
	struct diags ds = DIAGS_INIT;
	struct fleet_edits edits;
	char *file = file_of(c);
	int r;

	if (file == NULL)
		return EXIT_USAGE;
	if ((r = fleet_edits_load(file, &edits, &ds)) == 0) {
		print_edits(c, &edits);
		fleet_edits_done(&edits);
	}
	free(file);
	return cli_diags(&ds, r < 0 ? EXIT_USAGE : EXIT_OK);
}

static const struct cli_opt fleet_opts[] = { FLEET_OPT, { NULL } };
static const struct cli_opt list_opts[] = { FLEET_OPT, JSON_OPT, { NULL } };

#define VALUES \
	"KEY is one of an agent in the fleet file: host, labels, targets, " \
	"transport and so\non. Lists are words with commas; KEY+=A,B and " \
	"KEY-=A,B change them; an empty\nVALUE takes the key away. "

const struct cli_command cli_fleet_edit_commands[] = {
	{ "fleet add", "AGENT [KEY=VALUE...]", "a new agent, in runs that go "
	    "on, too", VALUES "Consoles that use\nthe fleet connect to it at "
	    "once.\n", fleet_opts, 1, -1, cmd_add },
	{ "fleet edit", "AGENT KEY=VALUE...", "change what the fleet says of "
	    "an agent", VALUES "It counts at\nonce, in runs that go on, "
	    "too; the file itself stays as it is.\n", fleet_opts, 2, -1,
	    cmd_edit },
	{ "fleet remove", "AGENT", "take an agent out of the fleet",
	    "What runs there goes on; nothing more starts.\n", fleet_opts,
	    1, 1, cmd_remove },
	{ "fleet reload", "", "have consoles read the fleet file again", NULL,
	    fleet_opts, 0, 0, cmd_reload },
	{ "fleet edits", "", "what was edited, by whom and when", NULL,
	    list_opts, 0, 0, cmd_edits },
	{ "fleet undo", "N", "take back an edit that still holds", NULL,
	    fleet_opts, 1, 1, cmd_undo },
	{ NULL }
};
