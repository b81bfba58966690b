/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bridge knows nothing of messages. sshd does not end a command whose
 * client died, so it must end by itself: at the end of input, when output
 * cannot be written, when the daemon goes, or when the console is silent.
 */
#include "config.h"

#include <stdio.h>
#include <unistd.h>

#include "agent/bridge.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/log.h"
#include "yardmaster/sys/loop.h"
#include "yardmaster/sys/proc.h"

#define SILENCE_US (60 * US_PER_S)
#define PENDING_MAX (256u << 10)

struct bridge {
	struct loop *loop;
	struct stream *console, *daemon;
	struct timer *silence;
	int code;
};

static void
finish(struct bridge *b, int code)
{
	b->code = code;
	loop_stop(b->loop);
}

static void
console_data(void *arg, const uint8_t *p, size_t n)
{
	struct bridge *b = arg;

	timer_start(b->silence, SILENCE_US);
	stream_write(b->daemon, p, n);
	if (stream_pending(b->daemon) > PENDING_MAX)
		stream_pause(b->console);
}

static void
daemon_data(void *arg, const uint8_t *p, size_t n)
{
	struct bridge *b = arg;

	stream_write(b->console, p, n);
	if (stream_pending(b->console) > PENDING_MAX)
		stream_pause(b->daemon);
}

static void
console_drained(void *arg)
{
	stream_resume(((struct bridge *)arg)->daemon);
}

static void
daemon_drained(void *arg)
{
	stream_resume(((struct bridge *)arg)->console);
}

static void
ended(void *arg, int error)
{
	finish(arg, 0);
}

static void
silent(void *arg)
{
	log_warn("nothing came from the console for 60 s");
	finish(arg, 1);
}

static const struct stream_ops console_ops = {
	.data = console_data, .end = ended, .drained = console_drained
};
static const struct stream_ops daemon_ops = {
	.data = daemon_data, .end = ended, .drained = daemon_drained
};

static int
pump(struct bridge *b, int fd)
{
	int r;

	if ((r = loop_new(&b->loop)) < 0) {
		close(fd);
		return r;
	}
	b->silence = timer_new(b->loop, silent, b);
	if ((r = stream_new(b->loop, fd, fd, &daemon_ops, b,
	    &b->daemon)) < 0)
		close(fd);
	else
		r = stream_new(b->loop, STDIN_FILENO, STDOUT_FILENO,
		    &console_ops, b, &b->console);
	timer_start(b->silence, SILENCE_US);
	if (r == 0)
		r = loop_run(b->loop);
	stream_free(b->console);
	stream_free(b->daemon);
	timer_free(b->silence);
	loop_free(b->loop);
	return r;
}

int
bridge_main(const struct start_options *o)
{
	struct bridge b = { .code = 0 };
	struct buf why = BUF_INIT;
	int fd = -1, r;

	r = agent_reach(o, &fd, &why);
	if (r < 0) {
		fprintf(stderr, "yardmaster-agent: %s\n", buf_str(&why));
		buf_done(&why);
		return 1;
	}
	/* Secrets pass through here. */
	proc_dumpable(false);
	r = pump(&b, fd);
	proc_dumpable(true);
	if (r < 0)
		fprintf(stderr, "yardmaster-agent: %s\n", err_text(r));
	return r < 0 ? 1 : b.code;
}
