/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the terminal of standard output can show. */
#include "config.h"

#include <langinfo.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/terminal.h"

#define TEXT_LINES 12		/* under a chart */
#define LINES_MIN 8

void
terminal_look(struct chart_look *ret)
{
	struct winsize w;

	*ret = (struct chart_look){ .width = 80, .lines = 40,
		.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0 };
	if (!isatty(STDOUT_FILENO) ||
	    ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0 || w.ws_col == 0)
		return;
	ret->width = w.ws_col;
	ret->lines = w.ws_row > TEXT_LINES + LINES_MIN ?
	    (uint16_t)(w.ws_row - TEXT_LINES) : LINES_MIN;
}
