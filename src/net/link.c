/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A link in the console: it moves bytes between its child and its owner and
 * reads the side channel of a link process. The child is not trusted: what it
 * says is checked and capped.
 *
 * Life: link_open -> (callbacks) -> end, given once when the child has ended
 * and all it wrote was read -> link_close. An owner may close at any time,
 * from within a callback too; the memory then lives until that returns.
 */
#include "config.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/link_int.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"

/* How long the pipes of an ended child, or a child whose output ended, are
 * waited for: somebody else may hold them. */
#define LINGER_US (200 * INT64_C(1000))

static void link_start(struct link *l);

static const char *const phase_names[] = {
	[LINK_PHASE_CONNECTING] = "connecting",
	[LINK_PHASE_CONNECTED] = "connected",
	[LINK_PHASE_AUTHENTICATED] = "authenticated",
	[LINK_PHASE_OPEN] = "open",
};

const char *
link_phase_name(enum link_phase p)
{
	return phase_names[p];
}

/* ---- memory ---- */

static void
release_child(struct link *l)
{
	stream_free(l->io);
	stream_free(l->err);
	stream_free(l->ctl);
	child_free(l->child);
	nest_forget(l);
	l->io = l->err = l->ctl = NULL;
	l->child = NULL;
	l->ctl_fd = -1;
}

static void
link_free(struct link *l)
{
	timer_free(l->timer);
	strvec_done(&l->argv);
	buf_done(&l->parameters);
	buf_done(&l->hold);
	buf_done(&l->ctl_in);
	buf_done(&l->err_text);
	free(l->second_command);
	free(l->question);
	free(l->reason);
	free(l->name);
	free(l->host);
	free(l);
}

/* Every callback of the loop is bracketed by these two. */
static void
enter(struct link *l)
{
	l->depth++;
}

static void
leave(struct link *l)
{
	if (--l->depth == 0 && l->closed)
		link_free(l);
}

static void
signal_process(struct link *l, int signo)
{
	if (l->exited)
		return;
	if (l->child != NULL)
		child_signal(l->child, signo);
	else
		nest_signal(l, signo);
}

/* ---- the end ---- */

static void
finish(struct link *l)
{
	char *text;
	int code;

	if (l->closed || l->ended)
		return;
	if (link_not_found(l) && l->second_command != NULL) {
		free(l->argv.v[l->argv.n - 1]);
		l->argv.v[l->argv.n - 1] = l->second_command;
		l->second_command = NULL;
		release_child(l);
		buf_clear(&l->err_text);
		link_start(l);
		return;
	}
	code = link_verdict(l, &text);
	l->ended = true;
	signal_process(l, SIGKILL);
	release_child(l);
	timer_stop(l->timer);
	l->ops->end(l->arg, code, text);
	free(text);
}

/* Ends the link once all that can come has come. */
static void
check_end(struct link *l)
{
	if (l->closed || l->ended)
		return;
	if (l->exited && l->io_end && l->err_end && l->ctl_end)
		finish(l);
	else if ((l->exited || l->io_end) && !timer_armed(l->timer))
		timer_start(l->timer, LINGER_US);
}

static void
on_timer(void *arg)
{
	struct link *l = arg;

	enter(l);
	finish(l);
	leave(l);
}

void
link_exited(struct link *l, int code, int signo)
{
	enter(l);
	l->exited = true;
	l->exit_code = code;
	l->exit_signo = signo;
	check_end(l);
	leave(l);
}

static void
on_exit_of_child(void *arg, int code, int signo)
{
	link_exited(arg, code, signo);
}

/* ---- the protocol's bytes ---- */

static void
set_phase(struct link *l, enum link_phase phase)
{
	if (phase <= l->phase)
		return;
	l->phase = phase;
	l->ops->phase(l->arg, phase);
}

static void
on_data(void *arg, const uint8_t *p, size_t n)
{
	struct link *l = arg;
	bool seen = l->banner.seen;

	enter(l);
	if (banner_feed(&l->banner, p, n) && !seen) {
		stream_write(l->io, buf_data(&l->hold), buf_len(&l->hold));
		buf_done(&l->hold);
		set_phase(l, LINK_PHASE_OPEN);
	}
	if (!l->closed)
		l->ops->data(l->arg, p, n);
	leave(l);
}

static void
on_data_end(void *arg, int error)
{
	struct link *l = arg;

	enter(l);
	l->io_end = true;
	check_end(l);
	leave(l);
}

/* ---- standard error ---- */

/* The last of it is kept. */
static void
complain(struct link *l, const void *p, size_t n)
{
	buf_put(&l->err_text, p, n);
	if (buf_len(&l->err_text) > CTL_STDERR_MAX)
		buf_consume(&l->err_text, buf_len(&l->err_text) -
		    CTL_STDERR_MAX);
}

static void
on_err(void *arg, const uint8_t *p, size_t n)
{
	complain(arg, p, n);
}

static void
on_err_end(void *arg, int error)
{
	struct link *l = arg;

	enter(l);
	l->err_end = true;
	check_end(l);
	leave(l);
}

/* ---- the side channel ---- */

static void
ctl_phase(struct link *l, const char *text)
{
	/* "open" is ours to see, by the banner. */
	if (strcmp(text, "connected") == 0)
		set_phase(l, LINK_PHASE_CONNECTED);
	else if (strcmp(text, "authenticated") == 0)
		set_phase(l, LINK_PHASE_AUTHENTICATED);
}

static void
ctl_question(struct link *l, const char *text)
{
	free(l->question);
	l->question = str_dup(text);
}

static void
ctl_ask(struct link *l, const char *text)
{
	static const char *const kinds[] = {
		[LINK_QUESTION_HOST_KEY] = "host-key",
		[LINK_QUESTION_PASSPHRASE] = "passphrase",
		[LINK_QUESTION_SECRET] = "secret",
		[LINK_QUESTION_TEXT] = "text",
	};
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(text, kinds[i]) != 0)
			continue;
		l->asking = true;
		l->ops->question(l->arg, (enum link_question)i,
		    l->question != NULL ? l->question : "");
		return;
	}
}

static void
ctl_reason(struct link *l, const char *text)
{
	free(l->reason);
	l->reason = str_dup(text);
}

static void
ctl_error(struct link *l, const char *text)
{
	long code = strtol(text, NULL, 10);

	l->code = code < 0 && code > -20000 ? (int)code : ERR_CLOSED;
}

static void
ctl_stderr(struct link *l, const char *text)
{
	complain(l, text, strlen(text));
}

static const struct ctl_word {
	const char *word;
	void (*take)(struct link *l, const char *text);
} ctl_words[] = {
	{ "phase", ctl_phase },
	{ "question", ctl_question },
	{ "ask", ctl_ask },
	{ "reason", ctl_reason },
	{ "error", ctl_error },
	{ "stderr", ctl_stderr },
};

static void
take_word(struct link *l, const char *word, const char *text)
{
	size_t i;

	for (i = 0; i < sizeof(ctl_words) / sizeof(ctl_words[0]); i++)
		if (strcmp(word, ctl_words[i].word) == 0)
			ctl_words[i].take(l, text);
}

static void
on_ctl(void *arg, const uint8_t *p, size_t n)
{
	struct link *l = arg;
	char line[CTL_LINE_MAX], *word, *text;
	int r = 0;

	enter(l);
	buf_put(&l->ctl_in, p, n);
	while (!l->closed && !l->ended &&
	    (r = ctl_take(&l->ctl_in, line, &word, &text)) == 1)
		take_word(l, word, text);
	/* A link process that talks nonsense is no longer ours. */
	if (r < 0)
		signal_process(l, SIGKILL);
	leave(l);
}

static void
on_ctl_end(void *arg, int error)
{
	struct link *l = arg;

	enter(l);
	l->ctl_end = true;
	l->ctl_fd = -1;
	check_end(l);
	leave(l);
}

static const struct stream_ops io_ops = { .data = on_data,
	.end = on_data_end };
static const struct stream_ops err_ops = { .data = on_err,
	.end = on_err_end };
static const struct stream_ops ctl_ops = { .data = on_ctl,
	.end = on_ctl_end };

/* ---- the owner's calls ---- */

static int
add_streams(struct link *l, int fds[4])
{
	int r;

	r = stream_new(l->loop, fds[1], fds[0], &io_ops, l, &l->io);
	if (r < 0)
		return r;
	fds[0] = fds[1] = -1;
	l->err_end = fds[2] < 0;
	if (fds[2] >= 0)
		r = stream_new(l->loop, fds[2], -1, &err_ops, l, &l->err);
	if (r < 0)
		return r;
	fds[2] = -1;
	l->ctl_end = fds[3] < 0;
	if (fds[3] < 0)
		return 0;
	r = stream_new(l->loop, fds[3], fds[3], &ctl_ops, l, &l->ctl);
	if (r < 0)
		return r;
	l->ctl_fd = fds[3];
	fds[3] = -1;
	return 0;
}

/* Starts the child; a failure becomes an end at the next turn. */
static void
link_start(struct link *l)
{
	int fds[4] = { -1, -1, -1, -1 }, i, r = l->code;

	l->exited = l->io_end = l->err_end = l->ctl_end = false;
	timer_stop(l->timer);
	if (r == 0)
		r = link_spawn(l, on_exit_of_child, fds);
	if (r == 0)
		r = add_streams(l, fds);
	if (r < 0) {
		if (fds[0] == fds[1])
			fds[0] = -1;
		for (i = 0; i < 4; i++)
			if (fds[i] >= 0)
				close(fds[i]);
		l->code = r;
		timer_start(l->timer, 0);
	} else if (l->paused) {
		stream_pause(l->io);
	}
}

int
link_open(struct loop *loop, const struct link_spec *spec,
    const struct link_ops *ops, void *arg, struct link **ret)
{
	struct link *l = mem_zalloc(sizeof(*l));
	int r;

	l->loop = loop;
	l->ops = ops;
	l->arg = arg;
	l->ctl_fd = -1;
	l->name = str_dup(spec->name);
	l->host = str_dup(spec->host != NULL ? spec->host : "this host");
	l->timer = timer_new(loop, on_timer, l);
	if ((r = link_prepare(l, spec)) < 0) {
		link_free(l);
		return r;
	}
	link_start(l);
	*ret = l;
	return 0;
}

void
link_write(struct link *l, const void *p, size_t n)
{
	if (l->ended || l->closed)
		return;
	if (l->banner.seen)
		stream_write(l->io, p, n);
	else if (buf_len(&l->hold) + n <= LINK_HOLD_MAX)
		buf_put(&l->hold, p, n);
}

size_t
link_pending(const struct link *l)
{
	return buf_len(&l->hold) + (l->io != NULL ? stream_pending(l->io) : 0);
}

void
link_pause(struct link *l)
{
	l->paused = true;
	if (l->io != NULL)
		stream_pause(l->io);
}

void
link_resume(struct link *l)
{
	l->paused = false;
	if (l->io != NULL)
		stream_resume(l->io);
}

/* Past the stream, which never writes: no copy of a secret stays behind. */
void
link_answer(struct link *l, const char *answer)
{
	struct buf b = BUF_INIT;

	if (!l->asking || l->ctl_fd < 0)
		return;
	l->asking = false;
	buf_reserve(&b, CTL_LINE_MAX + 64);
	ctl_put(&b, answer != NULL ? "answer" : "refuse",
	    answer != NULL ? answer : "");
	(void)!send(l->ctl_fd, buf_data(&b), buf_len(&b),
	    MSG_NOSIGNAL | MSG_DONTWAIT);
	mem_wipe((void *)buf_data(&b), buf_len(&b));
	buf_done(&b);
}

enum link_phase
link_phase(const struct link *l)
{
	return l->phase;
}

const char *
link_said(const struct link *l)
{
	return buf_str(&l->err_text);
}

pid_t
link_pid(const struct link *l)
{
	if (l->exited)
		return 0;
	return l->child != NULL ? child_pid(l->child) : l->nest_pid;
}

static void
close_with(struct link *l, int signo)
{
	if (signo != 0)
		signal_process(l, signo);
	release_child(l);
	timer_stop(l->timer);
	l->closed = true;
	if (l->depth == 0)
		link_free(l);
}

void
link_close(struct link *l)
{
	if (l == NULL)
		return;
	/* The end of its input is enough for one that talks to an agent, and
	 * lets it deliver what is under way. */
	close_with(l, l->phase == LINK_PHASE_OPEN ? 0 : SIGTERM);
}

void
link_kill(struct link *l)
{
	if (l != NULL)
		close_with(l, SIGKILL);
}
