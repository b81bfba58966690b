/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "run --dry-run": a forecast on the live agents, for people and as JSON. */
#include "config.h"

#include <stdio.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/engine/preview.h"

#include "cli/dry_run.h"
#include "cli/table.h"
#include "cli/terminal.h"

static void
cell_end(const struct jval *row, struct buf *out)
{
	table_seconds(jval_get(row, "end_s"), out);
}

static void
cell_cost(const struct jval *row, struct buf *out)
{
	if (jval_get(row, "cost") == NULL)
		buf_putc(out, '-');
	else
		buf_putf(out, "%.2f", jval_get_real(row, "cost", 0));
}

static const struct column agent_columns[] = {
	{ .title = "AGENT", .key = "name" },
	{ .title = "EXECUTIONS", .key = "executions" },
	{ .title = "MAX", .key = "max_workers" },
	{ .title = "THRESHOLD", .key = "threshold" },
	{ .title = "BUSY NOW", .key = "busy" },
	{ .title = "LAST END", .cell = cell_end },
	{ .title = "COST", .cell = cell_cost },
	{ NULL }
};
static const struct column excluded_columns[] = {
	{ .title = "EXCLUDED", .key = "name" },
	{ .title = "REASON", .key = "reason" },
	{ .title = "FACTS", .key = "text" },
	{ NULL }
};

static void
print_sum(const struct jval *v)
{
	char takes[DURATION_TEXT], bound[DURATION_TEXT];
	int64_t n;

	printf("\n%lld executions of %lld steps on %zu agents with %lld "
	    "workers, order %s\n",
	    (long long)jval_get_int(v, "executions", 0),
	    (long long)jval_get_int(v, "steps", 0),
	    jval_count(jval_get(v, "agents")),
	    (long long)jval_get_int(v, "workers", 0),
	    jval_get_str(v, "order", "-"));
	printf("would take %s, no less than %s, ratio %.3f; end %s; %.1f "
	    "worker-minutes",
	    duration_format((int64_t)(jval_get_real(v, "makespan_s", 0) *
	    US_PER_S), takes),
	    duration_format((int64_t)(jval_get_real(v, "lower_bound_s", 0) *
	    US_PER_S), bound),
	    jval_get_real(v, "ratio", 1),
	    jval_get_str(v, "end", "never"),
	    jval_get_real(v, "worker_minutes", 0));
	if (jval_get(v, "cost") != NULL)
		printf("; cost %.2f", jval_get_real(v, "cost", 0));
	putchar('\n');
	if ((n = jval_get_int(v, "unknown", 0)) > 0)
		printf("%lld executions have no known length: 60s a step was "
		    "assumed\n", (long long)n);
	if ((n = jval_get_int(v, "never", 0)) > 0)
		printf("%lld executions could not start on these agents\n",
		    (long long)n);
}

static void
print_text(const struct jval *v, const char *chart)
{
	table_print(agent_columns, jval_get(v, "agents"));
	if (jval_count(jval_get(v, "excluded")) > 0) {
		putchar('\n');
		table_print(excluded_columns, jval_get(v, "excluded"));
	}
	print_sum(v);
	if (*chart != '\0')
		printf("\n%s", chart);
}

int
dry_run(struct session *s, const struct cli *c, struct plan *p)
{
	struct diags ds = DIAGS_INIT;
	struct preview_out out = { .json = BUF_INIT, .text = BUF_INIT };
	struct jval *v = NULL;
	int r;

	if (plan_check_agents(p, s->fleet, &ds) > 0)
		return cli_diags(&ds, EXIT_USAGE);
	session_wait_links(s, NULL, 0);
	if (!cli_has(c, "now"))
		plan_fix_schedules(p, clock_wall_us(), NULL, &ds);
	cli_diags(&ds, 0);
	terminal_look(&out.look);
	if ((r = preview(s->engine, p, &out)) < 0) {
		return cli_fail(c, EXIT_USAGE, "%s", err_text(r));
	}
	if (cli_has(c, "json"))
		puts(buf_str(&out.json));
	else if (jval_parse(&v, buf_data(&out.json), buf_len(&out.json)) == 0)
		print_text(v, buf_str(&out.text));
	jval_free(v);
	buf_done(&out.json);
	buf_done(&out.text);
	return out.runs ? EXIT_OK : cli_fail(c, EXIT_USAGE, "nothing could start "
	    "on this fleet as it is now");
}
