/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is said at the end of a run: the summary and the report files. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/report/report.h"
#include "yardmaster/sys/fs.h"

#include "cli/artifacts.h"
#include "cli/launch.h"
#include "cli/owner_client.h"

#define TAILS_MAX 50		/* executions whose output is asked for */
#define TAIL_BYTES 4000
#define TAILS_WAIT_US (10 * US_PER_S)

/* ---- the last lines of what failed ------------------------------------------- */

struct one_tail {
	struct tail *tail;
	const struct agent *agent;	/* that has it */
	struct buf bytes;
	uint32_t no;
	bool ended;
};

struct tails {
	struct one_tail v[TAILS_MAX];
	size_t n;
};

static void
tail_data(void *arg, uint64_t offset, const uint8_t *p, size_t n)
{
	struct one_tail *t = arg;

	size_t room = TAIL_BYTES - buf_len(&t->bytes);

	/* An agent may send more than it was asked for. */
	buf_put(&t->bytes, p, n < room ? n : room);
}

static void
tail_end(void *arg, int code, const char *text)
{
	((struct one_tail *)arg)->ended = true;
}

static bool
tails_ended(void *arg)
{
	const struct tails *t = arg;
	size_t i;

	for (i = 0; i < t->n; i++)
		if (!t->v[i].ended && t->v[i].agent->error == NULL)
			return false;
	return true;
}

static bool
wants_tail(const struct report_exec *x)
{
	return x->agent != NULL && (x->state == EXEC_FAILED ||
	    x->state == EXEC_TIMEOUT || x->state == EXEC_ERROR);
}

static void
ask_tails(struct session *s, struct report_run *r, struct tails *t)
{
	static const struct tail_ops ops = {
		.data = tail_data, .end = tail_end,
	};
	struct one_tail *one;
	struct ident id;
	uint32_t i;

	memset(&id, 0, sizeof id);
	memcpy(id.run, r->id, sizeof id.run);
	for (i = 0; i < r->n_execs && t->n < TAILS_MAX; i++) {
		if (!wants_tail(&r->execs[i]))
			continue;
		one = &t->v[t->n];
		memset(one, 0, sizeof *one);
		one->no = r->execs[i].no;
		id.execution = one->no;
		id.attempt = r->execs[i].attempt;
		if (engine_tail(s->engine, &id, -TAIL_BYTES, false, &ops, one,
		    &one->tail) < 0)
			continue;
		one->agent = engine_agent(s->engine,
		    engine_tail_agent(one->tail));
		t->n++;
	}
}

static void
fetch_tails(struct session *s, struct report_run *r)
{
	struct tails *t = mem_zalloc(sizeof *t);
	size_t i;

	ask_tails(s, r, t);
	session_wait(s, tails_ended, t, TAILS_WAIT_US);
	for (i = 0; i < t->n; i++) {
		report_set_tail(r, t->v[i].no, buf_data(&t->v[i].bytes),
		    buf_len(&t->v[i].bytes));
		engine_untail(t->v[i].tail);
		buf_done(&t->v[i].bytes);
	}
	free(t);
}

/* ---- writing -------------------------------------------------------------------- */

static int
write_file(const struct cli *c, struct report_run *r, const char *format)
{
	const char *path = cli_get(c, format);
	struct buf out = BUF_INIT;
	int rc;

	if (path == NULL)
		return 0;
	free(r->artifacts_at);
	r->artifacts_at = artifacts_from(c, r->id, cli_get(c, "artifacts"),
	    path);
	report_format(format)(r, &out);
	rc = fs_replace(path, buf_data(&out), buf_len(&out), 0644);
	buf_done(&out);
	if (rc < 0)
		return cli_fail(c, EXIT_ERRORS, "%s: %s", path, err_text(rc));
	return 0;
}

static bool
has_option(const struct cli *c, const char *name)
{
	const struct cli_opt *o = c->command->opts;

	for (; o != NULL && o->name != NULL; o++)
		if (strcmp(o->name, name) == 0)
			return true;
	return false;
}

/* Every report that a file was named for; the worst code. */
static int
write_files(const struct cli *c, struct report_run *r)
{
	static const char *const formats[] = { "junit", "tap", "html" };
	int code = 0, rc;
	size_t i;

	for (i = 0; i < sizeof formats / sizeof *formats; i++) {
		if (!has_option(c, formats[i]))
			continue;
		rc = write_file(c, r, formats[i]);
		if (rc != 0)
			code = rc;
	}
	return code;
}

int
launch_report(struct session *s, const struct cli *c, const char *run,
    unsigned what)
{
	char *state = owner_state_dir(c);
	struct buf out = BUF_INIT;
	struct report_run r;
	int rc;

	if (state == NULL)
		return EXIT_ERRORS;
	rc = report_load(state, run, &r);
	free(state);
	if (rc < 0)
		return cli_fail(c, EXIT_ERRORS, "%s: no report: %s", run,
		    err_text(rc));
	if ((what & REPORT_TAILS) != 0)
		fetch_tails(s, &r);
	if (has_option(c, "json") && cli_has(c, "json")) {
		report_json(&r, &out);
		buf_putc(&out, '\n');
	} else if ((what & REPORT_SUMMARY) != 0) {
		report_summary(&r, &out);
	}
	fwrite(buf_data(&out), 1, buf_len(&out), stdout);
	rc = write_files(c, &r);
	report_run_done(&r);
	buf_done(&out);
	return rc;
}
