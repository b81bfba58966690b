/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the panes show, as lists. Agents and workers are asked over links of
 * our own; queue, events and reasons come from the owners of runs.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"
#include "yardmaster/engine/owner.h"

#include "cli/owner_client.h"
#include "cli/session.h"
#include "cli/table.h"

static void
cell_limits(const struct jval *row, struct buf *out)
{
	if (jval_get(row, "max_workers") == NULL) {
		buf_putc(out, '-');
		return;
	}
	buf_putf(out, "%lld/%lld/%lld",
	    (long long)jval_get_int(row, "busy", 0),
	    (long long)jval_get_int(row, "effective_threshold", 0),
	    (long long)jval_get_int(row, "max_workers", 0));
}

static void
cell_memory(const struct jval *row, struct buf *out)
{
	if (jval_get(row, "memory_free_bytes") == NULL)
		buf_putc(out, '-');
	else
		buf_putf(out, "%.1fG", jval_get_real(row, "memory_free_bytes",
		    0) / (1 << 30));
}

static void
cell_link(const struct jval *row, struct buf *out)
{
	const char *error = jval_get_str(row, "error", NULL);
	const char *question = jval_get_str(row, "question", NULL);
	const char *guard = jval_get_str(row, "guard", NULL);

	buf_puts(out, jval_get_str(row, "link", "-"));
	if (error != NULL)
		buf_putf(out, ": %s", error);
	else if (question != NULL)
		buf_putf(out, " asks: %s", question);
	else if (guard != NULL)
		buf_putf(out, ", starts nothing: %s", guard);
}

static void
cell_elapsed(const struct jval *row, struct buf *out)
{
	table_seconds(jval_get(row, "elapsed_s"), out);
}

static void
cell_since(const struct jval *row, struct buf *out)
{
	table_seconds(jval_get(row, "since_s"), out);
}

/* "test[row]", or the suite for several steps. */
static void
cell_test(const struct jval *row, struct buf *out)
{
	const char *test = jval_get_str(row, "test", NULL);
	const char *name = jval_get_str(row, "row", NULL);

	buf_puts(out, jval_get_str(row, "suite", "-"));
	if (test != NULL)
		buf_putf(out, "/%s", test);
	if (name != NULL)
		buf_putf(out, "[%s]", name);
}

static const struct column agent_columns[] = {
	{ .title = "AGENT", .key = "name" },
	{ .title = "STATE", .key = "state" },
	{ .title = "BUSY/THR/MAX", .cell = cell_limits },
	{ .title = "QUEUED", .key = "queued" },
	{ .title = "LOAD", .key = "load" },
	{ .title = "FREE", .cell = cell_memory },
	{ .title = "MAX FROM", .key = "max_workers_source" },
	{ .title = "VERSION", .key = "version" },
	{ .title = "HOST", .key = "host" },
	{ .title = "LINK", .cell = cell_link },
	{ NULL }
};
static const struct column worker_columns[] = {
	{ .title = "AGENT", .key = "agent" },
	{ .title = "WORKER", .key = "worker" },
	{ .title = "STATE", .key = "state" },
	{ .title = "KIND", .key = "kind" },
	{ .title = "ELAPSED", .cell = cell_elapsed },
	{ .title = "WHAT", .key = "what" },
	{ .title = "PROGRESS", .key = "progress", .max = 40 },
	{ .title = "ATTEMPT", .key = "attempt" },
	{ .title = "OWNER", .key = "owner" },
	{ NULL }
};
static const struct column queue_columns[] = {
	{ .title = "REASON", .key = "reason" },
	{ .title = "TEST", .cell = cell_test, .max = 40 },
	{ .title = "SINCE", .cell = cell_since },
	{ .title = "TARGET", .key = "target" },
	{ .title = "AGENT", .key = "agent" },
	{ .title = "ID", .key = "id" },
	{ .title = "FACTS", .key = "reason_text" },
	{ NULL }
};
static const struct column event_columns[] = {
	{ .title = "TIME", .key = "time" },
	{ .title = "KIND", .key = "kind" },
	{ .title = "WHO", .key = "who" },
	{ .title = "OBJECT", .key = "object" },
	{ .title = "WHAT", .key = "text" },
	{ NULL }
};

static const struct column *
columns_of(const char *list)
{
	static const struct {
		const char *list;
		const struct column *columns;
	} table[] = {
		{ "agents", agent_columns }, { "workers", worker_columns },
		{ "queue", queue_columns }, { "events", event_columns },
		{ NULL, NULL }
	};
	int i;

	for (i = 0; table[i].list != NULL; i++)
		if (strcmp(table[i].list, list) == 0)
			break;
	return table[i].columns;
}

/* Prints {"LIST": [...]} as it is, or its rows as a table. */
static int
print_list(struct cli *c, const char *list, const struct buf *json)
{
	struct jval *v = NULL;
	int r;

	if (cli_has(c, "json")) {
		printf("%s\n", buf_str(json));
		return EXIT_OK;
	}
	if ((r = jval_parse(&v, buf_data(json), buf_len(json))) < 0)
		return cli_fail(c, EXIT_ERRORS, "%s", err_text(r));
	table_print(columns_of(list), jval_get(v, list));
	jval_free(v);
	return EXIT_OK;
}

/* Lists that agents answer: links of our own are opened for them. */
static int
list_of_fleet(struct cli *c)
{
	struct buf out = BUF_INIT;
	struct session s;
	int r;

	if ((r = session_open(&s, c, cli_get(c, "fleet"))) == 0) {
		session_wait_links(&s, NULL, 0);
		engine_query(s.engine, c->command->name, NULL, &out);
		r = print_list(c, c->command->name, &out);
	}
	session_close(&s);
	buf_done(&out);
	return r;
}

/* Appends the rows that one owner answers. */
static void
append_rows(struct jw *w, const char *run, const char *list, int64_t since)
{
	struct buf request = BUF_INIT, row = BUF_INIT;
	const struct jval *rows;
	struct jval *reply = NULL;
	struct jw q;
	size_t i;

	jw_init(&q, &request);
	jw_object(&q);
	jw_kv_int(&q, "tag", 1);
	jw_kv_str(&q, "query", list);
	jw_kv_int(&q, "since", since);
	jw_kv_str(&q, "run", run);
	jw_object_end(&q);
	if (owner_ask(run, &request, &reply) == 0) {
		rows = jval_get(jval_get(reply, "data"), list);
		for (i = 0; i < jval_count(rows); i++) {
			buf_clear(&row);
			jval_print(jval_at(rows, i), &row);
			jw_raw(w, buf_str(&row), buf_len(&row));
		}
	}
	jval_free(reply);
	buf_done(&request);
	buf_done(&row);
}

/* Lists that the owners of live runs answer. */
static int
list_of_owners(struct cli *c)
{
	const char *list = c->command->name;
	struct strvec runs = STRVEC_INIT;
	struct buf out = BUF_INIT;
	struct jw w;
	size_t i;
	int r;

	if ((r = owner_live_runs(&runs)) < 0)
		return cli_fail(c, EXIT_ERRORS, "%s", err_text(r));
	jw_init(&w, &out);
	jw_object(&w);
	jw_key(&w, list);
	jw_array(&w);
	for (i = 0; i < runs.n; i++)
		append_rows(&w, runs.v[i], list, 0);
	jw_array_end(&w);
	jw_object_end(&w);
	r = print_list(c, list, &out);
	strvec_done(&runs);
	buf_done(&out);
	return r;
}

static void
print_blockers(const struct jval *data)
{
	const struct jval *x = jval_get(data, "execution");
	const struct jval *blockers = jval_get(data, "blockers"), *b, *cures;
	const struct jval *offers;
	struct buf line = BUF_INIT, safe = BUF_INIT;
	size_t i, k;

	cell_test(x, &line);
	buf_putf(&line, "  %s", jval_get_str(x, "state", "?"));
	if (jval_get_str(x, "batch", NULL) != NULL)
		buf_putf(&line, " in one process for %s",
		    jval_get_str(x, "batch", ""));
	for (i = 0; i < jval_count(blockers); i++) {
		b = jval_at(blockers, i);
		text_escape(&safe, buf_str(&line), buf_len(&line));
		printf("%s\n", buf_str(&safe));
		buf_clear(&line);
		buf_clear(&safe);
		buf_putf(&line, "%s %s: %s", i == 0 ? "*" : " ",
		    jval_get_str(b, "code", "?"), jval_get_str(b, "text", ""));
		if (jval_get(b, "since_s") != NULL) {
			buf_puts(&line, " (for ");
			cell_since(b, &line);
			buf_puts(&line, ")");
		}
		buf_putf(&line, "; clears: %s; cures: ",
		    jval_get_str(b, "clears", "?"));
		cures = jval_get(b, "cures");
		for (k = 0; k < jval_count(cures); k++)
			buf_putf(&line, "%s%s", k > 0 ? ", " : "",
			    jval_str(jval_at(cures, k), ""));
	}
	text_escape(&safe, buf_str(&line), buf_len(&line));
	printf("%s\n", buf_str(&safe));
	offers = jval_get(data, "effects");
	for (i = 0; i < jval_count(offers); i++) {
		b = jval_at(offers, i);
		buf_clear(&line);
		buf_clear(&safe);
		buf_putf(&line, "  > %s: %s", jval_get_str(b, "command", "?"),
		    jval_get_str(b, "effect", ""));
		text_escape(&safe, buf_str(&line), buf_len(&line));
		printf("%s\n", buf_str(&safe));
	}
	buf_done(&line);
	buf_done(&safe);
}

static int
cmd_why(struct cli *c)
{
	struct buf request = BUF_INIT, out = BUF_INIT;
	struct jval *reply = NULL;
	struct ident id;
	struct jw w;
	int r;

	if ((r = cli_execution_id(c, &id)) != 0)
		return r;
	jw_init(&w, &request);
	jw_object(&w);
	jw_kv_int(&w, "tag", 1);
	jw_kv_str(&w, "query", "why");
	jw_kv_str(&w, "id", c->args.v[0]);
	jw_object_end(&w);
	r = owner_ask(id.run, &request, &reply);
	buf_done(&request);
	if (r == ERR_CLOSED)
		return owner_why_offline(c, &id);
	if (r == ERR_NOT_FOUND)
		return cli_fail(c, EXIT_USAGE, "%s: no such run here; "
		    "yardmaster runs lists them", c->args.v[0]);
	if (r < 0)
		return cli_fail(c, EXIT_ERRORS, "%s: %s", c->args.v[0],
		    err_text(r));
	if (!jval_get_bool(reply, "ok", false)) {
		r = cli_fail(c, EXIT_USAGE, "%s: %s", c->args.v[0],
		    jval_get_str(reply, "text", "no such execution"));
	} else if (cli_has(c, "json")) {
		jval_print(jval_get(reply, "data"), &out);
		printf("%s\n", buf_str(&out));
	} else {
		print_blockers(jval_get(reply, "data"));
	}
	jval_free(reply);
	buf_done(&out);
	return r;
}

static const struct cli_opt list_opts[] = { FLEET_OPT, JSON_OPT, { NULL } };
static const struct cli_opt json_opts[] = { JSON_OPT, { NULL } };

const struct cli_command cli_list_commands[] = {
	{ "agents", "", "the agents of the fleet: state, workers, load", NULL,
	    list_opts, 0, 0, list_of_fleet },
	{ "workers", "", "the workers of the fleet and what they do", NULL,
	    list_opts, 0, 0, list_of_fleet },
	{ "queue", "", "what waits in live runs, and why", NULL,
	    json_opts, 0, 0, list_of_owners },
	{ "events", "", "what happened in live runs", NULL,
	    json_opts, 0, 0, list_of_owners },
	{ "why", "EXECUTION", "every reason why an execution is not running",
	    NULL, json_opts, 1, 1, cmd_why },
	{ NULL }
};
