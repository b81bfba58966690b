/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Asking on the terminal for what must not be seen. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/model/secret.h"

#include "cli/ask.h"

/* Without the buffer of stdin, which nobody wipes. */
static void
read_line(struct buf *line)
{
	ssize_t n = 1;
	char c = '\0';

	buf_secret(line);
	while (n == 1 && buf_len(line) <= SECRET_VALUE_MAX) {
		n = read(STDIN_FILENO, &c, 1);
		if (n == -1 && errno == EINTR)
			n = 1;
		else if (n == 1 && c == '\n')
			n = 0;
		else if (n == 1)
			buf_putc(line, c);
	}
}

static char *
ask_hidden(void *arg, const char *name)
{
	struct termios before, hidden;
	struct buf line = BUF_INIT;
	char *value = NULL;

	if (tcgetattr(STDIN_FILENO, &before) == -1)
		return NULL;
	hidden = before;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	fprintf(stderr, "secret %s (not shown): ", name);
	read_line(&line);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	fputc('\n', stderr);
	if (buf_len(&line) > 0)
		value = secret_dup(buf_str(&line));
	buf_done(&line);
	return value;
}

void
ask_for_secrets(struct engine *e)
{
	const struct plan_ask ask = { .ask = ask_hidden };

	if (isatty(STDIN_FILENO) && isatty(STDERR_FILENO))
		engine_ask_secrets(e, &ask);
}
