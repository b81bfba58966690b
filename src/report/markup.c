/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the formats share. All text here may come from a test: none of it
 * reaches a file or a terminal as it is. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "report/markup.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/text.h"

#define ESC '\033'

/* The length of a terminal sequence at p: ESC [ ... final, else ESC alone. */
static size_t
sequence_length(const char *p, size_t n)
{
	size_t i;

	if (n < 2 || p[1] != '[')
		return 1;
	for (i = 2; i < n; i++)
		if (p[i] >= 0x40 && p[i] <= 0x7e)
			return i + 1;
	return n;
}

/* Appends one line (without its newline) as a terminal would leave it. */
static void
clean_line(struct buf *out, const char *p, size_t n)
{
	const char *cr;
	size_t i, take;

	while (n > 0 && p[n - 1] == '\r')
		n--;
	if ((cr = memrchr(p, '\r', n)) != NULL) {
		n -= (size_t)(cr + 1 - p);
		p = cr + 1;
	}
	for (i = 0; i < n; i += take) {
		take = 1;
		if (p[i] == ESC)
			take = sequence_length(p + i, n - i);
		else
			buf_putc(out, p[i]);
	}
}

void
output_clean(struct buf *out, const char *p, size_t n)
{
	const char *end = p + n, *nl;

	while (p < end) {
		nl = memchr(p, '\n', (size_t)(end - p));
		clean_line(out, p, (size_t)((nl != NULL ? nl : end) - p));
		if (nl == NULL)
			return;
		buf_putc(out, '\n');
		p = nl + 1;
	}
}

size_t
output_last_lines(const char *p, size_t len, unsigned n)
{
	const char *nl;

	if (len > 0 && p[len - 1] == '\n')
		len--;
	for (; n > 0; n--) {
		if ((nl = memrchr(p, '\n', len)) == NULL)
			return 0;
		len = (size_t)(nl - p);
	}
	return len + 1;
}

/* Bytes of the UTF-8 character at p, 0 when it is none. */
static size_t
utf8_length(const char *p, size_t n)
{
	uint8_t lead = (uint8_t)*p;
	size_t want = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

	return want <= n && text_is_utf8(p, want) ? want : 0;
}

/* The entity of a character that must be one; "" when XML forbids it. */
static const char *
entity_of(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	case '\r':
		return "&#13;";
	default:
		return (uint8_t)c < 0x20 && c != '\n' && c != '\t' ? "" : NULL;
	}
}

void
xml_put(struct buf *out, const char *p, size_t n)
{
	const char *entity;
	size_t len;

	for (; n > 0; p += len, n -= len) {
		len = utf8_length(p, n);
		if (len == 0) {
			buf_puts(out, "\xef\xbf\xbd");
			len = 1;
		} else if (len == 1 && (entity = entity_of(*p)) != NULL) {
			buf_puts(out, entity);
		} else if (len != 3 || (memcmp(p, "\xef\xbf\xbe", 3) != 0 &&
		    memcmp(p, "\xef\xbf\xbf", 3) != 0)) {
			buf_put(out, p, len);
		}
	}
}

void
xml_puts(struct buf *out, const char *s)
{
	xml_put(out, s, strlen(s));
}

void
xml_attr(struct buf *out, const char *name, const char *value)
{
	const char *line;
	size_t n;

	buf_putf(out, " %s=\"", name);
	for (;; value = line + 1) {	/* a bare newline would become a space */
		n = strcspn(value, "\n");
		line = value + n;
		xml_put(out, value, n);
		if (*line == '\0')
			break;
		buf_puts(out, "&#10;");
	}
	buf_putc(out, '"');
}

void
put_seconds(struct buf *out, int64_t us)
{
	if (us < 0)
		us = 0;
	buf_putf(out, "%lld.%06lld", (long long)(us / US_PER_S),
	    (long long)(us % US_PER_S));
}

void
put_how(struct buf *out, const struct report_try *t)
{
	if (t == NULL)
		return;
	if (t->signo > 0)
		buf_putf(out, "signal %d", t->signo);
	else if (t->exit_code > 0)
		buf_putf(out, "exit code %d", t->exit_code);
}

char *
row_id(const struct report_run *r, const struct report_step *s, char *out)
{
	struct ident id = { .execution = s->exec };

	memcpy(id.run, r->id, sizeof(id.run));
	return ident_format(&id, out);
}

const char *
row_agent(const struct report_step *s)
{
	return s->last != NULL ? s->last->agent : NULL;
}

int64_t
row_elapsed(const struct report_step *s)
{
	return s->last != NULL ? s->last->elapsed_us : 0;
}

bool
row_bad(const struct report_step *s)
{
	return s->state >= EXEC_FAILED && s->state <= EXEC_CANCELLED;
}

const struct report_exec *
row_output(const struct report_run *r, const struct report_step *s)
{
	const struct report_exec *e = &r->execs[s->exec - 1];
	uint32_t i, owner = e->n_steps - 1;

	if (e->tail == NULL)
		return NULL;
	for (i = 0; i < e->n_steps; i++)
		if (row_bad(&r->steps[e->first_step + i]))
			owner = i;
	return s->step == owner ? e : NULL;
}

void
put_counts(struct buf *out, const struct counts *c)
{
	static const enum exec_state order[] = { EXEC_PASSED, EXEC_HEALED,
		EXEC_FAILED, EXEC_TIMEOUT, EXEC_ERROR, EXEC_CANCELLED,
		EXEC_SKIPPED, EXEC_RUNNING, EXEC_ASSIGNED, EXEC_WAITING };
	const char *comma = "";
	size_t i;

	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (c->n[order[i]] == 0)
			continue;
		buf_putf(out, "%s%u %s", comma, c->n[order[i]],
		    exec_state_name(order[i]));
		comma = ", ";
	}
}
