/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "history import": lengths that other programs measured. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "yardmaster/base/err.h"
#include "yardmaster/engine/lengths.h"
#include "yardmaster/store/registry.h"

#include "cli/owner_client.h"

static int
import(const struct cli *c, const struct jval *lengths)
{
	char *state = owner_state_dir(c);
	struct registry *reg = NULL;
	size_t n = 0;
	int r;

	if (state == NULL)
		return EXIT_ERRORS;
	if ((r = registry_open(state, &reg)) == 0)
		r = history_import(reg, lengths, &n);
	registry_close(reg);
	free(state);
	if (r < 0)
		return cli_fail(c, EXIT_ERRORS, "history: %s", err_text(r));
	printf("%zu lengths were taken\n", n);
	return EXIT_OK;
}

static int
cmd_import(struct cli *c)
{
	struct diags ds = DIAGS_INIT;
	struct jdoc doc;
	int r;

	if (lengths_load(&doc, c->args.v[0], &ds) < 0)
		return cli_diags(&ds, EXIT_USAGE);
	diags_done(&ds);
	r = import(c, doc.root);
	jdoc_done(&doc);
	return r;
}

const struct cli_command cli_history_commands[] = {
	{ "history import", "FILE", "take lengths of tests from a file",
	    "Each length counts as one pass of the test that its key names. "
	    "The file is what\nreport --format durations writes, the "
	    ".test_durations of pytest-split, or a\nknapsack report.\n",
	    NULL, 1, 1, cmd_import },
	{ NULL }
};
