/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One request to the owner of a run, and its reply. */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/proto/frame.h"
#include "yardmaster/proto/msg.h"
#include "yardmaster/engine/owner.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/loop.h"
#include "yardmaster/store/run_file.h"
#include "yardmaster/sys/paths.h"

#include "cli/owner_client.h"

#define REPLY_WAIT_US (10 * US_PER_S)

/* The path of one of a run's files; the caller frees. NULL without a state
 * folder. */
static char *
file_of(const char *run, const char *suffix)
{
	char *state = NULL, *path;

	if (paths_state(&state) < 0)
		return NULL;
	path = run_path(state, run, suffix);
	free(state);
	return path;
}

char *
owner_state_dir(const struct cli *c)
{
	char *state = NULL;

	if (paths_state(&state) < 0)
		cli_fail(c, 0, "there is no state folder: set HOME");
	return state;
}

bool
owner_exists(const char *run)
{
	struct ident id;
	char *path;
	bool yes;

	if (ident_parse(run, &id) < 0 || id.execution != 0)
		return false;
	path = file_of(run, ".db");
	yes = path != NULL && fs_exists(path);
	free(path);
	return yes;
}

static int
add_live(void *arg, const struct run_summary *s)
{
	if (s->owner != NULL && s->head->state != RUN_ENDED)
		strvec_push(arg, s->head->id);
	return 0;
}

int
owner_live_runs(struct strvec *ret)
{
	char *state = NULL;
	int r;

	if ((r = paths_state(&state)) < 0)
		return r;
	r = run_list(state, add_live, ret);
	free(state);
	return r;
}

struct found {
	uint32_t no;
	enum exec_state state;
	bool seen;
};

static int
find_exec(void *arg, const struct run_exec *x)
{
	struct found *f = arg;

	if (x->no != f->no)
		return 0;
	f->state = x->state;
	f->seen = true;
	return 1;
}

int
owner_why_offline(const struct cli *c, const struct ident *id)
{
	struct found found = { .no = id->execution };
	struct run_file *file = NULL;
	char *state = owner_state_dir(c);
	char text[IDENT_TEXT];
	int r;

	ident_format(id, text);
	if (state == NULL)
		return EXIT_ERRORS;
	r = run_file_open(state, id->run, &file);
	if (r == 0)
		r = run_file_each_exec(file, find_exec, &found);
	run_file_close(file);
	free(state);
	if (r < 0)
		return cli_fail(c, EXIT_ERRORS, "%s: %s", text, err_text(r));
	if (!found.seen)
		return cli_fail(c, EXIT_USAGE, "%s: no such execution", text);
	printf("%s  %s\n", text, exec_state_name(found.state));
	if (!exec_state_final(found.state))
		printf("* no-owner: no process drives this run; clears: "
		    "operator; cures: resume (yardmaster resume %s)\n",
		    id->run);
	return EXIT_OK;
}

/* Reads until the first reply came; others are events of no interest. */
static int
read_reply(int fd, struct frame_reader *reader, struct jval **ret)
{
	int64_t end = clock_mono_us() + REPLY_WAIT_US, left;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	const uint8_t *body;
	uint8_t in[16384];
	unsigned number;
	ssize_t got;
	size_t n;
	int r;

	for (;;) {
		while ((r = frame_next(reader, &number, &body, &n)) > 0)
			if (number == MSG_REPLY)
				return jval_parse(ret, body, n);
		if (r < 0)
			return r;
		left = end - clock_mono_us();
		r = left <= 0 ? 0 : poll(&p, 1, (int)(left / US_PER_MS) + 1);
		if (r == 0)
			return ERR_TIMEOUT;
		if (r < 0 && errno != EINTR)
			return -errno;
		if (r < 0)
			continue;
		got = read(fd, in, sizeof in);
		if (got <= 0)
			return ERR_CLOSED;
		frame_feed(reader, in, (size_t)got);
	}
}

int
owner_ask(const char *run, const struct buf *request, struct jval **ret)
{
	struct frame_reader reader;
	struct buf out = BUF_INIT;
	char *path = file_of(run, ".sock");
	int fd = -1, r;

	frame_reader_init(&reader);
	if (!owner_exists(run)) {
		r = ERR_NOT_FOUND;
		goto out;
	}
	if (usock_connect(path, &fd) < 0) {
		r = ERR_CLOSED;
		goto out;
	}
	buf_puts(&out, PROTO_BANNER);
	r = frame_put(&out, MSG_REQUEST, buf_data(request), buf_len(request));
	if (r == 0)
		r = fd_write_all(fd, buf_data(&out), buf_len(&out));
	if (r == 0)
		r = read_reply(fd, &reader, ret);
out:
	if (fd >= 0)
		close(fd);
	frame_reader_done(&reader);
	buf_done(&out);
	free(path);
	return r;
}

int
owner_op(const struct cli *c, const struct op *op)
{
	struct buf request = BUF_INIT;
	struct jval *reply = NULL;
	char id[IDENT_TEXT];
	int r, code = EXIT_OK;

	ident_format(&op->id, id);
	owner_op_write(&request, op);
	r = owner_ask(op->id.run, &request, &reply);
	buf_done(&request);
	if (r == ERR_NOT_FOUND)
		return cli_fail(c, EXIT_USAGE, "%s: no such run here; "
		    "yardmaster runs lists them", id);
	if (r == ERR_CLOSED)
		return cli_fail(c, EXIT_ERRORS, "%s: no process drives this "
		    "run; yardmaster resume %s takes it over", id, op->id.run);
	if (r < 0)
		return cli_fail(c, EXIT_ERRORS, "%s: %s", id, err_text(r));
	if (jval_get_bool(reply, "ok", false))
		printf("%s: %s\n", id, jval_get_str(reply, "text", "done"));
	else
		code = cli_fail(c, EXIT_ERRORS, "%s: %s", id,
		    jval_get_str(reply, "text", "refused"));
	jval_free(reply);
	return code;
}

/* The answer of one owner, as a line; 0, or a negative code. */
static int
agent_op(const char *run, const struct op *op, struct buf *ret_text)
{
	struct buf request = BUF_INIT;
	struct jval *reply = NULL;
	int r;

	owner_op_write(&request, op);
	r = owner_ask(run, &request, &reply);
	buf_done(&request);
	if (r == 0 && !jval_get_bool(reply, "ok", false))
		r = ERR_REFUSED;
	buf_clear(ret_text);
	buf_puts(ret_text, jval_get_str(reply, "text", r < 0 ? err_text(r) :
	    "done"));
	jval_free(reply);
	return r;
}

int
owners_op(const struct cli *c, const struct strvec *runs, const struct op *op)
{
	struct buf text = BUF_INIT;
	size_t i, done = 0;
	int code = EXIT_OK;

	for (i = 0; i < runs->n; i++)
		if (agent_op(runs->v[i], op, &text) == 0) {
			printf("%s: %s\n", op->agent, buf_str(&text));
			done++;
		}
	if (done == 0)
		code = cli_fail(c, EXIT_ERRORS, "%s: %s", op->agent,
		    buf_str(&text));
	buf_done(&text);
	return code;
}
