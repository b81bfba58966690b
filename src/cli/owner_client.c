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
#include "yardmaster/sys/paths.h"

#include "cli/owner_client.h"

#define REPLY_WAIT_US (10 * US_PER_S)

/* STATE/runs/RUN.SUFFIX; the caller frees. NULL without a state folder. */
static char *
run_path(const char *run, const char *suffix)
{
	char *state = NULL, *path;

	if (paths_state(&state) < 0)
		return NULL;
	path = str_fmt("%s/runs/%s.%s", state, run, suffix);
	free(state);
	return path;
}

bool
owner_exists(const char *run)
{
	char *path = run_path(run, "db");
	bool yes = path != NULL && fs_exists(path);

	free(path);
	return yes;
}

/* Reads until the first reply came; others are events of no interest. */
static int
read_reply(int fd, struct frame_reader *reader, struct jval **ret)
{
	int64_t end = clock_mono_us() + REPLY_WAIT_US;
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
		r = poll(&p, 1, (int)((end - clock_mono_us()) / US_PER_MS));
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
	char *path = run_path(run, "sock");
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
