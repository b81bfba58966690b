/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CSV as RFC 4180 has it, safe to open in a spreadsheet. */
#include "config.h"

#include <string.h>

#include "report/markup.h"
#include "yardmaster/base/clock.h"

/* A cell, quoted where it must be; one that would be computed begins with an
 * apostrophe. */
static void
put_cell(struct buf *out, const char *s)
{
	if (s == NULL || s[0] == '\0')
		return;
	if (s[strcspn(s, ",\"\r\n")] == '\0' &&
	    strchr("=+-@\t", s[0]) == NULL) {
		buf_puts(out, s);
		return;
	}
	buf_putc(out, '"');
	if (strchr("=+-@\t\r", s[0]) != NULL)
		buf_putc(out, '\'');
	for (; *s != '\0'; s++) {
		if (*s == '"')
			buf_putc(out, '"');
		buf_putc(out, *s);
	}
	buf_putc(out, '"');
}

static void
put_text_cell(struct buf *out, const char *s)
{
	put_cell(out, s);
	buf_putc(out, ',');
}

static void
put_row(struct buf *out, const struct report_run *r,
    const struct report_step *s)
{
	const struct report_try *t = s->last;
	char id[IDENT_TEXT], stamp[CLOCK_TEXT];

	put_text_cell(out, row_id(r, s, id));
	put_text_cell(out, s->suite);
	put_text_cell(out, s->test);
	put_text_cell(out, s->row);
	put_text_cell(out, s->target);
	put_text_cell(out, exec_state_name(s->state));
	buf_putf(out, "%u,", t != NULL ? t->attempt : 0);
	put_text_cell(out, row_agent(s));
	put_text_cell(out, t != NULL && t->started_wall_us > 0 ?
	    clock_format(t->started_wall_us, stamp) : NULL);
	put_seconds(out, row_elapsed(s));
	buf_putc(out, ',');
	if (t != NULL && t->exit_code >= 0)
		buf_putf(out, "%d", t->exit_code);
	buf_putc(out, ',');
	if (t != NULL && t->signo > 0)
		buf_putf(out, "%d", t->signo);
	buf_putc(out, ',');
	put_cell(out, s->text);
	buf_puts(out, "\r\n");
}

void
report_csv(const struct report_run *r, struct buf *out)
{
	uint32_t i;

	buf_puts(out, "execution,suite,test,row,target,state,attempt,agent,"
	    "started,elapsed_s,exit_code,signal,text\r\n");
	for (i = 0; i < r->n_steps; i++)
		put_row(out, r, &r->steps[i]);
}
