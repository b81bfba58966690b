/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "runs" and "logs": what the state folder and the agents keep. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/text.h"
#include "yardmaster/store/run_file.h"

#include "cli/owner_client.h"
#include "cli/session.h"
#include "cli/table.h"

static void
write_counts(struct jw *w, const struct counts *counts)
{
	int s;

	jw_key(w, "counts");
	jw_object(w);
	for (s = 0; s < EXEC_STATES; s++)
		jw_kv_int(w, exec_state_name((enum exec_state)s),
		    counts->n[s]);
	jw_object_end(w);
}

static int
write_run(void *arg, const struct run_summary *s)
{
	struct jw *w = arg;

	jw_object(w);
	jw_kv_str(w, "id", s->head->id);
	jw_kv_str(w, "plan", s->head->plan);
	jw_kv_str(w, "state", run_state_name(s->head->state));
	jw_kv_str(w, "owner", s->owner);
	jw_kv_time(w, "started", s->head->started_wall_us);
	jw_kv_time(w, "ended", s->head->ended_wall_us);
	write_counts(w, &s->counts);
	jw_object_end(w);
	return 0;
}

/* "37 passed, 1 failed, 2 waiting" */
static void
cell_counts(const struct jval *row, struct buf *out)
{
	const struct jval *counts = jval_get(row, "counts");
	const char *sep = "";
	int64_t n;
	int s;

	for (s = EXEC_STATES - 1; s >= 0; s--) {
		n = jval_get_int(counts, exec_state_name((enum exec_state)s),
		    0);
		if (n == 0)
			continue;
		buf_putf(out, "%s%lld %s", sep, (long long)n,
		    exec_state_name((enum exec_state)s));
		sep = ", ";
	}
}

static const struct column run_columns[] = {
	{ .title = "RUN", .key = "id" },
	{ .title = "PLAN", .key = "plan" },
	{ .title = "STATE", .key = "state" },
	{ .title = "STARTED", .key = "started" },
	{ .title = "EXECUTIONS", .cell = cell_counts },
	{ .title = "OWNER", .key = "owner" },
	{ NULL }
};

static int
cmd_runs(struct cli *c)
{
	char *state = owner_state_dir(c);
	struct buf out = BUF_INIT;
	struct jval *v = NULL;
	struct jw w;
	int r;

	if (state == NULL)
		return EXIT_ERRORS;
	jw_init(&w, &out);
	jw_object(&w);
	jw_key(&w, "runs");
	jw_array(&w);
	r = run_list(state, write_run, &w);
	jw_array_end(&w);
	jw_object_end(&w);
	free(state);
	if (r < 0)
		r = cli_fail(c, EXIT_ERRORS, "%s", err_text(r));
	else if (cli_has(c, "json"))
		printf("%s\n", buf_str(&out));
	else if (jval_parse(&v, buf_data(&out), buf_len(&out)) == 0)
		table_print(run_columns, jval_get(v, "runs"));
	jval_free(v);
	buf_done(&out);
	return r;
}

/* ---- logs --------------------------------------------------------------------- */

struct log_out {
	const struct cli *c;
	uint64_t next;		/* offset expected */
	bool begun, ended, tty, follow;
	int code;
	const struct agent *agent;	/* where it is */
};

static void
log_data(void *arg, uint64_t offset, const uint8_t *p, size_t n)
{
	struct log_out *l = arg;
	struct buf safe = BUF_INIT;
	const char *s = (const char *)p, *nl;
	size_t left = n, k;

	if (offset > l->next && l->next > 0)
		cli_fail(l->c, 0, "%llu bytes are missing here",
		    (unsigned long long)(offset - l->next));
	l->next = offset + n;
	l->begun = true;
	if (!l->tty) {
		fwrite(p, 1, n, stdout);
		return;
	}
	/* On a terminal output is text of a stranger: line by line. */
	while (left > 0) {
		nl = memchr(s, '\n', left);
		k = nl != NULL ? (size_t)(nl - s) : left;
		text_escape(&safe, s, k);
		if (nl != NULL) {
			buf_putc(&safe, '\n');
			k++;
		}
		s += k;
		left -= k;
	}
	fwrite(buf_data(&safe), 1, buf_len(&safe), stdout);
	fflush(stdout);
	buf_done(&safe);
}

static void
log_end(void *arg, int code, const char *text)
{
	struct log_out *l = arg;

	l->ended = true;
	l->code = code == 0 ? EXIT_OK : cli_fail(l->c, EXIT_ERRORS, "%s",
	    text != NULL ? text : err_text(code));
}

/* A link that failed may come back; only who follows waits for that. */
static bool
log_ended(void *arg)
{
	const struct log_out *l = arg;

	return l->ended || (l->agent->link == LINK_DOWN &&
	    l->agent->error != NULL && !(l->follow && l->begun));
}

static int
cmd_logs(struct cli *c)
{
	static const struct tail_ops ops = {
		.data = log_data, .end = log_end,
	};
	struct log_out l = { .c = c, .tty = isatty(STDOUT_FILENO) };
	struct tail *tail = NULL;
	struct session s;
	struct ident id;
	int r;

	if ((r = cli_execution_id(c, &id)) != 0)
		return r;
	if ((r = session_open(&s, c, cli_get(c, "fleet"))) != 0)
		goto out;
	r = cli_has(c, "teardown") ?
	    engine_tail_teardown(s.engine, &id, &ops, &l, &tail) :
	    engine_tail(s.engine, &id, 0, cli_has(c, "follow"), &ops, &l,
	    &tail);
	if (r == ERR_NOT_FOUND) {
		r = cli_fail(c, EXIT_USAGE, "%s: no attempt of it was ever "
		    "sent to an agent of this fleet%s", c->args.v[0],
		    cli_has(c, "teardown") ? ", or it has no teardown" : "");
		goto out;
	}
	if (r < 0) {
		r = cli_fail(c, EXIT_ERRORS, "%s", err_text(r));
		goto out;
	}
	l.agent = engine_agent(s.engine, engine_tail_agent(tail));
	l.follow = cli_has(c, "follow");
	if (session_wait(&s, log_ended, &l, 0))
		r = l.ended ? l.code : cli_fail(c, EXIT_ERRORS,
		    "%s has the output: %s", l.agent->name, l.agent->error);
	engine_untail(tail);
out:
	session_close(&s);
	return r;
}

static const struct cli_opt json_opts[] = { JSON_OPT, { NULL } };
static const struct cli_opt log_opts[] = {
	FLEET_OPT,
	{ "follow", 'F', NULL, "wait for more until it ends" },
	{ "teardown", 0, NULL, "the output of the teardown on its agent" },
	{ NULL }
};

const struct cli_command cli_runs_commands[] = {
	{ "runs", "", "the runs of the state folder, newest first", NULL,
	    json_opts, 0, 0, cmd_runs },
	{ "logs", "EXECUTION", "the output of an execution's last attempt "
	    "(or of RUN/N/ATTEMPT)", NULL, log_opts, 1, 1, cmd_logs },
	{ NULL }
};
