/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TAP 13. What was skipped passes with a directive; what has not ended is
 * not ok. */
#include "config.h"

#include <string.h>

#include "report/markup.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/text.h"

static bool
is_ok(enum exec_state s)
{
	return s == EXEC_PASSED || s == EXEC_HEALED || s == EXEC_SKIPPED;
}

/* A description: no control characters, and no '#', which would begin a
 * directive. */
static void
put_description(struct buf *out, const char *s)
{
	struct buf safe = BUF_INIT;
	const char *p;

	text_escape(&safe, s, strlen(s));
	for (p = buf_str(&safe); *p != '\0'; p++) {
		if (*p == '#' || *p == '\\')
			buf_putc(out, '\\');
		buf_putc(out, *p);
	}
	buf_done(&safe);
}

/* "  KEY: VALUE", the value as a JSON string, which YAML reads. */
static void
put_yaml(struct buf *out, const char *key, const char *value)
{
	struct jw w;

	if (value == NULL)
		return;
	buf_putf(out, "  %s: ", key);
	jw_init(&w, out);
	jw_str(&w, value);
	buf_putc(out, '\n');
}

static void
put_block(struct buf *out, const struct report_run *r,
    const struct report_step *s)
{
	struct buf how = BUF_INIT;
	char id[IDENT_TEXT];

	buf_puts(out, "  ---\n");
	put_yaml(out, "state", exec_state_name(s->state));
	put_yaml(out, "message", s->text);
	put_how(&how, s->last);
	put_yaml(out, "ended", buf_len(&how) > 0 ? buf_str(&how) : NULL);
	put_yaml(out, "execution", row_id(r, s, id));
	put_yaml(out, "agent", row_agent(s));
	buf_putf(out, "  tries: %u\n  duration_ms: %lld\n  ...\n", s->n_tries,
	    (long long)(row_elapsed(s) / 1000));
	buf_done(&how);
}

void
report_tap(const struct report_run *r, struct buf *out)
{
	const struct report_step *s;
	uint32_t i;

	buf_putf(out, "TAP version 13\n1..%u\n", r->n_steps);
	for (i = 0; i < r->n_steps; i++) {
		s = &r->steps[i];
		buf_putf(out, "%s %u - ", is_ok(s->state) ? "ok" : "not ok",
		    i + 1);
		put_description(out, s->label);
		if (s->state == EXEC_SKIPPED) {
			buf_puts(out, " # SKIP ");
			put_description(out, s->text != NULL ? s->text : "");
		}
		buf_putc(out, '\n');
		if (!is_ok(s->state) || s->state == EXEC_HEALED)
			put_block(out, r, s);
	}
}
