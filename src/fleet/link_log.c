/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the link of a peer went through last, for people: how far it came, all
 * that its process or ssh wrote, and why it ended. What strangers wrote is
 * escaped. */
#include "config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "fleet/fleet_int.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"

#define LINE_MAX_BYTES 500

static void
put(struct link_log *log, char *text)
{
	if (log->n == LINK_LOG_LINES) {
		free(log->v[0].text);
		memmove(&log->v[0], &log->v[1],
		    (LINK_LOG_LINES - 1) * sizeof(log->v[0]));
		log->n--;
	}
	log->v[log->n++] = (struct link_line){ clock_wall_us(), text };
}

void
link_log(struct peer *p, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = str_vfmt(fmt, ap);
	va_end(ap);
	put(&p->agent.log, text_safe(text));
	free(text);
}

void
link_log_said(struct peer *p)
{
	const char *at = p->link != NULL ? link_said(p->link) : "";
	size_t n;

	for (; *at != '\0'; at += n + (at[n] != '\0')) {
		n = strcspn(at, "\r\n");
		if (n > 0)
			link_log(p, "said: %.*s", (int)(n < LINE_MAX_BYTES ?
			    n : LINE_MAX_BYTES), at);
	}
}

void
link_log_done(struct peer *p)
{
	struct link_log *log = &p->agent.log;

	while (log->n > 0)
		free(log->v[--log->n].text);
}
