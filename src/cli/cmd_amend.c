/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Amendments of a run: made, listed and taken back. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/ident.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/plan/plan.h"
#include "yardmaster/store/run_file.h"
#include "yardmaster/sys/fs.h"

#include "cli/op.h"
#include "cli/owner_client.h"
#include "cli/session.h"
#include "cli/table.h"

/* Writes what was amended into a plan file, that value only. */
static int
write_back(const struct cli *c, const char *file, const char *key,
    const char *value)
{
	struct diags ds = DIAGS_INIT;
	struct buf out = BUF_INIT;
	char *error = NULL;
	struct jdoc doc;
	struct stat st;
	int r;

	if ((r = jdoc_load(&doc, file, JDOC_COMMENTS, &ds)) < 0) {
		diags_done(&ds);
		return cli_fail(c, EXIT_ERRORS, "%s: %s", file, err_text(r));
	}
	r = plan_write_back(&doc, key, value, &out, &error);
	if (r < 0)
		r = cli_fail(c, EXIT_ERRORS, "%s: %s (the run is amended)",
		    file, error);
	else if (stat(file, &st) < 0 || fs_replace(file, buf_str(&out),
	    buf_len(&out), st.st_mode & 0777) < 0)
		r = cli_fail(c, EXIT_ERRORS, "%s: cannot be written", file);
	else
		printf("%s: %s=%s written\n", file, key, value);
	free(error);
	buf_done(&out);
	jdoc_done(&doc);
	diags_done(&ds);
	return r;
}

/* Each KEY=VALUE in turn, until one is refused. */
static int
cmd_amend(struct cli *c)
{
	struct op op = { .kind = OP_AMEND };
	const char *equal;
	char *key;
	size_t i;
	int r = 0;

	for (i = 1; i < c->args.n; i++)
		if (strchr(c->args.v[i], '=') == NULL)
			return cli_fail(c, EXIT_USAGE, "%s: KEY=VALUE is "
			    "expected, as in max_parallel=8", c->args.v[i]);
	for (i = 1; i < c->args.n && r == 0; i++) {
		equal = strchr(c->args.v[i], '=');
		key = str_ndup(c->args.v[i], (size_t)(equal - c->args.v[i]));
		op.key = key;
		op.value = equal + 1;
		r = op_on_id(c, &op);
		if (r == 0 && cli_has(c, "write"))
			r = write_back(c, cli_get(c, "write"), key, equal + 1);
		free(key);
	}
	return r;
}

static int
cmd_undo(struct cli *c)
{
	struct op op = { .kind = OP_UNDO };
	char *end;

	op.number = strtoull(c->args.v[1], &end, 10);
	if (c->args.v[1][0] < '0' || c->args.v[1][0] > '9' || *end != '\0')
		return cli_fail(c, EXIT_USAGE, "%s: the number of an "
		    "amendment", c->args.v[1]);
	return op_on_id(c, &op);
}

/* ---- the list ----------------------------------------------------------------- */

/* {"number", "time", "who", "kind", "object", "key", "old", "new", "undoes",
 * "expires"} */
static int
write_amendment(void *arg, const struct run_amendment *a)
{
	struct jval *v = NULL;
	struct jw *w = arg;

	if (a->what == NULL || jval_parse(&v, (const uint8_t *)a->what,
	    strlen(a->what)) < 0)
		return ERR_STORE;
	jw_object(w);
	jw_kv_int(w, "number", (int64_t)a->seq);
	jw_kv_time(w, "time", a->wall_us);
	jw_kv_str(w, "who", a->who);
	jw_kv_str(w, "kind", a->kind);
	jw_kv_str(w, "object", a->object);
	jw_kv_str(w, "key", jval_get_str(v, "key", NULL));
	jw_kv_str(w, "old", jval_get_str(v, "old", NULL));
	jw_kv_str(w, "new", jval_get_str(v, "new", NULL));
	if (jval_get(v, "undoes") != NULL)
		jw_kv_int(w, "undoes", jval_get_int(v, "undoes", 0));
	if (jval_get(v, "expires") != NULL)
		jw_kv_time(w, "expires", jval_get_int(v, "expires", 0));
	jw_object_end(w);
	jval_free(v);
	return 0;
}

static const struct column columns[] = {
	{ .title = "N", .key = "number" },
	{ .title = "TIME", .key = "time" },
	{ .title = "WHO", .key = "who" },
	{ .title = "WHAT", .key = "kind" },
	{ .title = "OBJECT", .key = "object" },
	{ .title = "KEY", .key = "key" },
	{ .title = "OLD", .key = "old" },
	{ .title = "NEW", .key = "new" },
	{ .title = "UNDOES", .key = "undoes" },
	{ .title = "UNTIL", .key = "expires" },
	{ NULL }
};

static int
cmd_amendments(struct cli *c)
{
	char *state = owner_state_dir(c);
	struct run_file *file = NULL;
	struct buf out = BUF_INIT;
	struct jval *v = NULL;
	struct ident id;
	struct jw w;
	int r;

	if (state == NULL)
		return EXIT_ERRORS;
	jw_init(&w, &out);
	jw_object(&w);
	jw_key(&w, "amendments");
	jw_array(&w);
	r = ident_parse(c->args.v[0], &id);
	if (r == 0)
		r = run_file_open(state, id.run, &file);
	if (r == 0)
		r = run_file_each_amendment(file, write_amendment, &w);
	jw_array_end(&w);
	jw_object_end(&w);
	run_file_close(file);
	free(state);
	if (r < 0)
		r = cli_fail(c, r == ERR_STORE ? EXIT_ERRORS : EXIT_USAGE,
		    "%s: %s", c->args.v[0], err_text(r));
	else if (cli_has(c, "json"))
		printf("%s\n", buf_str(&out));
	else if (jval_parse(&v, buf_data(&out), buf_len(&out)) == 0)
		table_print(columns, jval_get(v, "amendments"));
	jval_free(v);
	buf_done(&out);
	return r;
}

static const struct cli_opt amend_opts[] = {
	{ "write", 'w', "PLAN", "write the values into this plan file, too" },
	{ NULL }
};
static const struct cli_opt list_opts[] = {
	JSON_OPT,
	{ NULL }
};

const struct cli_command cli_amend_commands[] = {
	{ "amend", "RUN KEY=VALUE...", "change the plan of a run that goes on",
	    "KEY is max_parallel, max_failures, deadline (from the launch), "
	    "max_parallel:SUITE,\n"
	    "agents:SUITE or agents:TEST (selectors with commas; empty: as "
	    "the plan says),\nmax:TARGET, max_per_agent:TARGET, lock:NAME "
	    "(its capacity; 0: nobody takes it),\nexclusive:A,B (on or "
	    "off) or target:SUITE,OLD or target:SUITE/TEST,OLD (another\n"
	    "target for what was not sent). 0 is no limit. What runs goes "
	    "on.\n", amend_opts, 2, -1,
	    cmd_amend },
	{ "undo", "RUN N", "take back an amendment that still holds", NULL,
	    NULL, 2, 2, cmd_undo },
	{ "amendments", "RUN", "what was changed of a run, by whom and when",
	    NULL, list_opts, 1, 1, cmd_amendments },
	{ NULL }
};
