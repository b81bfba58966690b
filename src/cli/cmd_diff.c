/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "runs diff": what changed from one run to another. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/report/diff.h"

#include "cli/owner_client.h"
#include "cli/session.h"
#include "cli/table.h"

/* "passed 1.2s" of one side. */
static void
put_side(const struct jval *side, struct buf *out)
{
	if (side == NULL) {
		buf_putc(out, '-');
		return;
	}
	buf_putf(out, "%s ", jval_get_str(side, "state", "-"));
	table_seconds(jval_get(side, "elapsed_s"), out);
}

static void
cell_a(const struct jval *row, struct buf *out)
{
	put_side(jval_get(row, "a"), out);
}

static void
cell_b(const struct jval *row, struct buf *out)
{
	put_side(jval_get(row, "b"), out);
}

static const struct column columns[] = {
	{ .title = "CHANGE", .key = "change" },
	{ .title = "STEP", .key = "step" },
	{ .title = "FIRST", .cell = cell_a },
	{ .title = "SECOND", .cell = cell_b },
	{ NULL }
};

static void
print_text(const struct report_diff *d, const struct buf *json)
{
	struct jval *v = NULL;
	int i;

	if (d->n > 0 && jval_parse(&v, buf_data(json), buf_len(json)) == 0) {
		table_print(columns, jval_get(v, "steps"));
		putchar('\n');
	}
	jval_free(v);
	for (i = 0; i < CHANGES; i++)
		if (d->by_change[i] > 0)
			printf("%u %s, ", d->by_change[i],
			    change_name((enum change)i));
	printf("%u the same\n", d->same);
}

static int
load(const struct cli *c, const char *state, const char *run,
    struct report_run *ret)
{
	int r = report_load(state, run, ret);

	if (r < 0)
		return cli_fail(c, r == ERR_NOT_FOUND ? EXIT_USAGE :
		    EXIT_ERRORS, "%s: %s", run, r == ERR_NOT_FOUND ?
		    "no such run here; yardmaster runs lists them" :
		    err_text(r));
	return 0;
}

static int
cmd_diff(struct cli *c)
{
	char *state = owner_state_dir(c);
	struct report_run a, b;
	struct buf out = BUF_INIT;
	struct report_diff d;
	int r;

	if (state == NULL)
		return EXIT_ERRORS;
	if ((r = load(c, state, c->args.v[0], &a)) != 0)
		goto out;
	if ((r = load(c, state, c->args.v[1], &b)) != 0) {
		report_run_done(&a);
		goto out;
	}
	report_diff(&a, &b, &d);
	report_diff_json(&d, &a, &b, &out);
	if (cli_has(c, "json"))
		puts(buf_str(&out));
	else
		print_text(&d, &out);
	report_diff_done(&d);
	report_run_done(&a);
	report_run_done(&b);
out:
	buf_done(&out);
	free(state);
	return r;
}

static const struct cli_opt json_opts[] = { JSON_OPT, { NULL } };

const struct cli_command cli_diff_commands[] = {
	{ "runs diff", "RUN RUN", "what changed from one run to another, step "
	    "by step",
	    "Broken and fixed steps come first, then those in another state, "
	    "those that only\none run has, and those that passed in both but "
	    "took half as long again (or as\nlittle), and at least a second "
	    "more.\n",
	    json_opts, 2, 2, cmd_diff },
	{ NULL }
};
