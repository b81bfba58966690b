/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From options and a file name to an expanded plan. */
#include "config.h"

#include <stdio.h>
#include <unistd.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"

#include "cli/plan_args.h"

#define DEADLINE_MAX_US (366 * 86400 * US_PER_S)	/* that of the key */

static int
read_mode(const struct cli *c, const char *opt, int (*parse)(const char *),
    int *ret)
{
	const char *value = cli_get(c, opt);

	if (value == NULL)
		return 0;
	if ((*ret = parse(value)) < 0)
		return cli_fail(c, EXIT_USAGE, "--%s %s: see yardmaster %s "
		    "--help", opt, value, c->command->name);
	return 0;
}

int
plan_args_select(const struct cli *c, struct plan_select *s)
{
	int r;

	strvec_push_all(&s->only, cli_all(c, "only"));
	strvec_push_all(&s->not, cli_all(c, "not"));
	strvec_push_all(&s->tests, cli_all(c, "test"));
	strvec_push_all(&s->targets, cli_all(c, "target"));
	strvec_push_all(&s->agents, cli_all(c, "agents"));
	strvec_push_all(&s->params, cli_all(c, "set"));
	if ((r = read_mode(c, "parallel", parallel_parse, &s->parallel)) != 0)
		return r;
	if ((r = read_mode(c, "order", order_parse, &s->order)) != 0)
		return r;
	if (cli_get(c, "deadline") != NULL &&
	    (duration_parse(cli_get(c, "deadline"), &s->deadline_us) < 0 ||
	    s->deadline_us > DEADLINE_MAX_US))
		return cli_fail(c, EXIT_USAGE, "--deadline %s: a duration such "
		    "as 15m", cli_get(c, "deadline"));
	return 0;
}

/* One line that is written over; nothing when nobody watches. */
static bool
show_found(void *arg, const char *suite, uint32_t tests, int64_t elapsed_us)
{
	char text[DURATION_TEXT];

	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\rdiscovering %s: %u tests, %s ", suite,
		    tests, duration_format(elapsed_us, text));
	return true;
}

static int
discover(struct plan *p, struct diags *ds)
{
	struct plan_progress progress = { .found = show_found };
	int r;

	if (!plan_discovers(p))
		return 0;
	r = plan_discover(p, &progress, ds);
	if (isatty(STDERR_FILENO))
		fputc('\n', stderr);
	return r;
}

int
plan_args_load(const struct cli *c, const char *path, struct plan **ret)
{
	struct plan_select select = PLAN_SELECT_INIT;
	struct diags ds = DIAGS_INIT;
	struct plan *p = NULL;
	int r;

	if ((r = plan_args_select(c, &select)) != 0)
		goto out;
	r = plan_load(path, &ds, &p);
	if (r == 0)
		r = discover(p, &ds);
	if (r == 0)
		r = plan_expand(p, &select, &ds);
	if (r < 0) {
		plan_free(p);
		if (ds.n == 0)
			cli_fail(c, 0, "%s: %s", path, err_text(r));
		r = EXIT_USAGE;
	} else {
		*ret = p;
	}
	cli_diags(&ds, 0);
out:
	plan_select_done(&select);
	return r;
}
