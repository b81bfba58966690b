/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * linkcat SPEC: opens the link that a JSON object describes (keys of struct
 * link_spec, "via" by name, "nest" false for a process of its own, "answers", given to questions in turn, null
 * refuses; without one left a question stays open). Standard input goes to
 * the far end, what it says to standard output; what happens is written to
 * standard error as JSON lines. End of input closes the link.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "yardmaster/base/jval.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/strvec.h"
#include "yardmaster/net/link.h"
#include "yardmaster/sys/fs.h"

struct cat {
	struct loop *loop;
	struct stream *in;
	struct link *link;
	struct link_nest *nest;
	const struct jval *answers;
	size_t answered;
	struct strvec command;
};

static void
say(const char *key, const char *value, int code, const char *text)
{
	struct buf b = BUF_INIT;
	struct jw w;

	jw_init(&w, &b);
	jw_object(&w);
	jw_kv_str(&w, "event", key);
	jw_kv_str(&w, "value", value);
	jw_kv_int(&w, "code", code);
	jw_kv_str(&w, "text", text);
	jw_object_end(&w);
	buf_putc(&b, '\n');
	fd_write_all(STDERR_FILENO, buf_data(&b), buf_len(&b));
	buf_done(&b);
}

static void
on_data(void *arg, const uint8_t *p, size_t n)
{
	fd_write_all(STDOUT_FILENO, p, n);
}

static void
on_phase(void *arg, enum link_phase phase)
{
	struct cat *c = arg;
	char pid[16];

	snprintf(pid, sizeof(pid), "%ld", (long)link_pid(c->link));
	say("phase", link_phase_name(phase), 0, pid);
}

static void
on_question(void *arg, enum link_question kind, const char *text)
{
	static const char *const kinds[] = { "host-key", "passphrase",
		"secret", "text" };
	struct cat *c = arg;
	const struct jval *answer;

	say("question", kinds[kind], 0, text);
	if (c->answered >= jval_count(c->answers))
		return;
	answer = jval_at(c->answers, c->answered++);
	link_answer(c->link, jval_str(answer, NULL));
}

static void
on_end(void *arg, int code, const char *text)
{
	struct cat *c = arg;

	say("end", NULL, code, text);
	link_close(c->link);
	c->link = NULL;
	loop_stop(c->loop);
}

static const struct link_ops ops = { .data = on_data, .phase = on_phase,
	.question = on_question, .end = on_end };

static void
in_data(void *arg, const uint8_t *p, size_t n)
{
	struct cat *c = arg;

	if (c->link == NULL)
		return;
	link_write(c->link, p, n);
	if (link_pending(c->link) > (1u << 20))
		stream_pause(c->in);
}

static void
in_end(void *arg, int error)
{
	struct cat *c = arg;

	if (c->link == NULL)
		return;
	say("closing", NULL, 0, NULL);
	link_close(c->link);
	c->link = NULL;
	loop_stop(c->loop);
}

static const struct stream_ops in_ops = { .data = in_data, .end = in_end };

/* Reads on once the link took most of what was held back. */
static void
each_turn(void *arg)
{
	struct cat *c = arg;

	if (c->link != NULL && link_pending(c->link) < (1u << 19))
		stream_resume(c->in);
}

static enum link_via
via_of(const char *name)
{
	static const char *const names[] = { "auto", "libssh2", "openssh",
		"local", "command" };
	int i;

	for (i = 0; i < 5; i++)
		if (strcmp(name, names[i]) == 0)
			return (enum link_via)i;
	return LINK_VIA_AUTO;
}

static int
open_link(struct cat *c, const struct jval *v)
{
	const struct jval *command = jval_get(v, "command");
	size_t i;

	for (i = 0; i < jval_count(command); i++)
		strvec_push(&c->command, jval_str(jval_at(command, i), ""));
	return link_open(c->loop, &(struct link_spec){
	    .name = jval_get_str(v, "name", "lab-1"),
	    .via = via_of(jval_get_str(v, "via", "auto")),
	    .host = jval_get_str(v, "host", NULL),
	    .port = (uint16_t)jval_get_int(v, "port", 0),
	    .user = jval_get_str(v, "user", NULL),
	    .identity = jval_get_str(v, "identity", NULL),
	    .known_hosts = jval_get_str(v, "known_hosts", NULL),
	    .agent_path = jval_get_str(v, "agent_path", NULL),
	    .instance = jval_get_str(v, "instance", NULL),
	    .command = strvec_argv(&c->command),
	    .headless = jval_get_bool(v, "headless", false),
	    .nest = jval_get_bool(v, "nest", true) ? c->nest : NULL,
	}, &ops, c, &c->link);
}

int
main(int argc, char **argv)
{
	struct cat c = { .command = STRVEC_INIT };
	struct jval *v = NULL;
	int r;

	if (argc != 2 || jval_parse(&v, argv[1], strlen(argv[1])) < 0)
		return 64;
	c.answers = jval_get(v, "answers");
	if (loop_new(&c.loop) < 0 || link_nest_new(c.loop, &c.nest) < 0)
		return 70;
	loop_hook(c.loop, each_turn, &c);
	if ((r = open_link(&c, v)) < 0)
		say("refused", NULL, r, NULL);
	else if (stream_new(c.loop, STDIN_FILENO, -1, &in_ops, &c, &c.in) == 0)
		loop_run(c.loop);
	link_close(c.link);
	link_nest_free(c.nest);
	stream_free(c.in);
	loop_unhook(c.loop, each_turn, &c);
	loop_free(c.loop);
	strvec_done(&c.command);
	jval_free(v);
	return 0;
}
