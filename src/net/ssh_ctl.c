/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The link program's end of the side channel: parameters, questions, and the
 * one reason why all ends. */
#include "config.h"

#include "net/ssh.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"

void
ssh_sayn(struct ssh *s, const char *word, const void *text, size_t n)
{
	struct buf b = BUF_INIT;
	ssize_t w;

	ctl_putn(&b, word, text, n);
	while (buf_len(&b) > 0) {
		w = write(SSH_CTL_FD, buf_data(&b), buf_len(&b));
		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			break;
		buf_consume(&b, (size_t)w);
	}
	buf_done(&b);
}

void
ssh_say(struct ssh *s, const char *word, const char *text)
{
	ssh_sayn(s, word, text, strlen(text));
}

/* Reads one line into s->line, byte by byte: lines are few, and nothing of an
 * answer is left behind elsewhere. 0 or a code. */
static int
read_line(struct ssh *s)
{
	size_t n = 0;
	ssize_t r;

	while (n < sizeof(s->line)) {
		r = read(SSH_CTL_FD, s->line + n, 1);
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return ERR_CLOSED;
		if (s->line[n] == '\n') {
			s->line[n] = '\0';
			return 0;
		}
		n++;
	}
	return ERR_PROTOCOL;
}

static const struct parameter {
	const char *word;
	size_t offset, size;
} parameters[] = {
	{ "name", offsetof(struct ssh, name), 256 },
	{ "host", offsetof(struct ssh, host), 256 },
	{ "user", offsetof(struct ssh, user), 256 },
	{ "agent_path", offsetof(struct ssh, agent_path), 1024 },
	{ "instance", offsetof(struct ssh, instance), 256 },
	{ "identity", offsetof(struct ssh, identity), 4096 },
	{ "known_hosts", offsetof(struct ssh, known_hosts), 4096 },
};

static int
take_parameter(struct ssh *s, const char *word, const char *text)
{
	size_t i;

	if (strcmp(word, "port") == 0) {
		s->port = (uint16_t)strtoul(text, NULL, 10);
		return 0;
	}
	if (strcmp(word, "headless") == 0) {
		s->headless = true;
		return 0;
	}
	if (strcmp(word, "shell") == 0) {
		s->shell = true;
		return 0;
	}
	for (i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++) {
		if (strcmp(word, parameters[i].word) != 0)
			continue;
		if (strlen(text) >= parameters[i].size)
			return ERR_TOO_LARGE;
		strcpy((char *)s + parameters[i].offset, text);
		return 0;
	}
	return ERR_PROTOCOL;
}

int
ssh_ctl_begin(struct ssh *s)
{
	char *word, *text;
	int r;

	for (;;) {
		if ((r = read_line(s)) < 0 ||
		    (r = ctl_split(s->line, &word, &text)) < 0)
			return r;
		if (strcmp(word, "go") == 0)
			return 0;
		if ((r = take_parameter(s, word, text)) < 0)
			return r;
	}
}

int
ssh_ask(struct ssh *s, const char *kind, const char *text,
    const char **ret_answer)
{
	char *word, *answer;
	int r;

	ssh_say(s, "question", text);
	ssh_say(s, "ask", kind);
	if ((r = read_line(s)) < 0 ||
	    (r = ctl_split(s->line, &word, &answer)) < 0)
		return ERR_CLOSED;
	if (strcmp(word, "answer") != 0)
		return ERR_REFUSED;
	*ret_answer = answer;
	return 0;
}

void
ssh_forget(struct ssh *s)
{
	mem_wipe(s->line, sizeof(s->line));
}

static int
fail(struct ssh *s, int code, char *text)
{
	if (s->code == 0) {
		s->code = code;
		s->reason = text;
	} else {
		free(text);
	}
	return code;
}

int
ssh_fail(struct ssh *s, int code, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = str_vfmt(fmt, ap);
	va_end(ap);
	return fail(s, code, text);
}

int
ssh_fail_library(struct ssh *s, int code, const char *fmt, ...)
{
	char *text, *whole, *words = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = str_vfmt(fmt, ap);
	va_end(ap);
	libssh2_session_last_error(s->session, &words, NULL, 0);
	whole = str_fmt("%s (%s)", text, words != NULL && *words != '\0' ?
	    words : "no words from libssh2");
	free(text);
	return fail(s, code, whole);
}
