/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Asking on the terminal for what must not be seen. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "yardmaster/base/mem.h"
#include "yardmaster/model/secret.h"

#include "cli/ask.h"

static char *
ask_hidden(void *arg, const char *name)
{
	struct termios before, hidden;
	char *line = NULL, *value = NULL;
	size_t cap = 0;
	ssize_t n;

	if (tcgetattr(STDIN_FILENO, &before) == -1)
		return NULL;
	hidden = before;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	fprintf(stderr, "secret %s (not shown): ", name);
	n = getline(&line, &cap, stdin);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	fputc('\n', stderr);
	if (n > 0 && line[n - 1] == '\n')
		line[--n] = '\0';
	if (n > 0)
		value = secret_dup(line);
	if (line != NULL)
		mem_wipe(line, cap);
	free(line);
	return value;
}

void
ask_for_secrets(struct engine *e)
{
	const struct plan_ask ask = { .ask = ask_hidden };

	if (isatty(STDIN_FILENO) && isatty(STDERR_FILENO))
		engine_ask_secrets(e, &ask);
}
