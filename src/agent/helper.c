/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The other side of ask.c. Whoever restarts the daemon does not end it: it
 * connects again and repeats its question under the same name. Its clock runs
 * only while a console is linked, as the daemon says.
 */
#include "config.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/helper.h"
#include "agent/veil.h"
#include "yardmaster/base/buf.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/ident.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"
#include "yardmaster/proto/frame.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/loop.h"

#define EXIT_NEVER 1
#define EXIT_LATE 2
#define AGAIN_MS 200

struct question {
	const char *op, *name, *value, *attempt;
	char ask[HELPER_ASK_MAX + 1];
	int64_t left_us;	/* -1: for ever */
	bool runs;		/* the clock does */
	int fd;
	struct frame_reader reader;
	int code;		/* the exit code once it is told */
};

static int
fail(const struct question *q, const char *text, int code)
{
	char *safe = text_safe(text);

	fprintf(stderr, "yardmaster-agent: %s %s: %s\n", q->op, q->name, safe);
	free(safe);
	return code;
}

static int
ask(struct question *q)
{
	struct buf body = BUF_INIT, out = BUF_INIT;
	struct jw w;
	int r;

	jw_init(&w, &body);
	jw_object(&w);
	jw_kv_str(&w, "attempt", q->attempt);
	jw_kv_str(&w, "ask", q->ask);
	jw_kv_str(&w, "op", q->op);
	jw_kv_str(&w, "name", q->name);
	if (q->value != NULL)
		jw_kv_str(&w, "value", q->value);
	jw_object_end(&w);
	buf_puts(&out, PROTO_BANNER);
	if ((r = frame_put(&out, HELPER_ASK, buf_data(&body),
	    buf_len(&body))) == 0)
		r = fd_write_all(q->fd, buf_data(&out), buf_len(&out));
	buf_done(&body);
	buf_done(&out);
	return r;
}

static void
hang_up(struct question *q)
{
	if (q->fd < 0)
		return;
	close(q->fd);
	q->fd = -1;
	q->runs = false;
	frame_reader_done(&q->reader);
}

/* 0, or a code when the daemon is not there now. */
static int
call(struct question *q)
{
	int r;

	if ((r = usock_connect(HELPER_SOCKET, &q->fd)) < 0) {
		q->fd = -1;
		return r;
	}
	frame_reader_init(&q->reader);
	if ((r = ask(q)) < 0)
		hang_up(q);
	return r;
}

/* True once the answer came. */
static bool
take(struct question *q, unsigned number, const struct jval *v)
{
	const char *value = jval_get_str(v, "value", NULL);

	if (number == HELPER_CLOCK)
		q->runs = jval_get_bool(v, "runs", false);
	if (number != HELPER_TOLD)
		return false;
	if (!jval_get_bool(v, "ok", false))
		q->code = fail(q, jval_get_str(v, "text", "refused"),
		    EXIT_NEVER);
	else if (value != NULL)
		printf("%s\n", value);
	return true;
}

/* True once the answer came; a daemon that is gone is called again. */
static bool
hear(struct question *q)
{
	uint8_t piece[4096];
	const uint8_t *body;
	unsigned number;
	struct jval *v;
	bool told = false;
	ssize_t got;
	size_t n;
	int r = 0;

	got = read(q->fd, piece, sizeof piece);
	if (got > 0)
		frame_feed(&q->reader, piece, (size_t)got);
	while (got > 0 && !told && (r = frame_next(&q->reader, &number, &body,
	    &n)) > 0) {
		v = NULL;
		if (jval_parse(&v, body, n) == 0)
			told = take(q, number, v);
		jval_free(v);
	}
	if (!told && (got <= 0 || r < 0))
		hang_up(q);
	return told;
}

/* Waits for the daemon to say something, or to be there. True when the time
 * is over. */
static bool
wait_for(struct question *q)
{
	struct pollfd p = { .fd = q->fd, .events = POLLIN };
	int64_t before = clock_mono_us();
	bool runs = q->runs && q->left_us >= 0;
	int64_t ms = q->fd < 0 ? AGAIN_MS : runs ?
	    (q->left_us + US_PER_MS - 1) / US_PER_MS : -1;

	if (ms > INT32_MAX)
		ms = INT32_MAX;
	(void)poll(&p, q->fd < 0 ? 0 : 1, (int)ms);
	if (!runs)
		return false;
	q->left_us -= clock_mono_us() - before;
	if (q->left_us > 0)
		return false;
	q->left_us = 0;
	return (p.revents & POLLIN) == 0;
}

static int
converse(struct question *q)
{
	for (;;) {
		if (q->fd < 0 && call(q) < 0 && access(".", F_OK) != 0)
			return fail(q, "the agent's folder is gone",
			    EXIT_NEVER);
		if (wait_for(q))
			return fail(q, "timed out", EXIT_LATE);
		if (q->fd >= 0 && hear(q))
			return q->code;
	}
}

static int
ask_daemon(const char *op, const char *name, const char *value,
    int64_t timeout_us)
{
	const char *spool = getenv("YARDMASTER_SPOOL");
	struct question q = { .op = op, .name = name, .value = value,
		.attempt = getenv("YARDMASTER_ATTEMPT"),
		.left_us = timeout_us, .fd = -1 };
	char id[RUN_ID_SIZE];
	struct ident ident;
	int code;

	if (strlen(name) > HELPER_NAME_MAX || (value != NULL &&
	    strlen(value) > HELPER_VALUE_MAX))
		return fail(&q, "too long: a name has at most 255 bytes, a "
		    "value 65536", EXIT_NEVER);
	if (!text_is_utf8(name, strlen(name)) || (value != NULL &&
	    !text_is_utf8(value, strlen(value))))
		return fail(&q, "not UTF-8", EXIT_NEVER);
	if (spool == NULL || q.attempt == NULL ||
	    ident_parse(q.attempt, &ident) < 0 || ident.attempt == 0)
		return fail(&q, "this is not called by an execution: "
		    "YARDMASTER_SPOOL and YARDMASTER_ATTEMPT are not set",
		    EXIT_NEVER);
	if (chdir(spool) == -1)
		return fail(&q, "the agent's folder cannot be entered",
		    EXIT_NEVER);
	ident_new_run(id);
	snprintf(q.ask, sizeof q.ask, "%s-%ld", id, (long)getpid());
	code = converse(&q);
	hang_up(&q);
	return code;
}

int
helper_main(const char *op, const char *name, const char *value,
    int64_t timeout_us)
{
	char *shown = str_dup(name), *given = str_dup(value);
	int code;

	/* What is said is shown, and what is put is kept. */
	veil_own(&shown);
	veil_own(&given);
	code = ask_daemon(op, shown, given, timeout_us);
	free(shown);
	free(given);
	return code;
}
