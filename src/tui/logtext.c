/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A byte machine that turns output into lines of a ring. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/mem.h"
#include "tui/logtext.h"
#include "tui/theme.h"

#define ESCAPE_MAX 48
#define SPANS_MAX 512
#define PARAMS_MAX 16
#define TAB 8

enum state { TEXT, ESCAPE, CSI };

struct logtext {
	struct log_line *ring;	/* number no is ring[no % LOG_MAX_LINES] */
	uint64_t first, end;
	size_t bytes;
	/* the line that grows; it is not in the ring yet */
	struct log_line current;
	struct buf text;
	struct log_span spans[SPANS_MAX];
	struct style style;
	enum state state;
	char escape[ESCAPE_MAX];
	size_t n_escape;
	bool open;		/* current has begun */
	bool returned;		/* a carriage return came last */
};

struct logtext *
logtext_new(void)
{
	struct logtext *lt = mem_zalloc(sizeof(*lt));

	lt->ring = mem_calloc(LOG_MAX_LINES, sizeof(*lt->ring));
	return lt;
}

static void
drop_first(struct logtext *lt)
{
	struct log_line *l = &lt->ring[lt->first++ % LOG_MAX_LINES];

	lt->bytes -= l->n;
	free(l->text);
	free(l->spans);
	memset(l, 0, sizeof(*l));
}

void
logtext_free(struct logtext *lt)
{
	if (lt == NULL)
		return;
	while (lt->first < lt->end)
		drop_first(lt);
	free(lt->ring);
	buf_done(&lt->text);
	free(lt);
}

static bool
has(const char *text, size_t n, const char *word)
{
	return memmem(text, n, word, strlen(word)) != NULL;
}

/* Words by which test tools mark what went wrong. */
static bool
looks_failed(const char *text, size_t n)
{
	static const char *const words[] = { "FAIL", "ERROR", "Error:",
		"error:", "Traceback", "AssertionError", "panic:", "fatal:",
		"not ok", "Segmentation fault" };
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (has(text, n, words[i]))
			return true;
	return false;
}

/* Makes current agree with what was gathered, without copies. */
static void
refresh_current(struct logtext *lt)
{
	lt->current.text = (char *)(uintptr_t)buf_data(&lt->text);
	lt->current.n = (uint32_t)buf_len(&lt->text);
	lt->current.spans = lt->spans;
}

static void
push(struct logtext *lt, const struct log_line *line)
{
	while (lt->first < lt->end && (lt->bytes + line->n > LOG_MAX_BYTES ||
	    lt->end - lt->first >= LOG_MAX_LINES))
		drop_first(lt);
	lt->ring[lt->end++ % LOG_MAX_LINES] = *line;
	lt->bytes += line->n;
}

static void
begin(struct logtext *lt, int64_t wall_us)
{
	memset(&lt->current, 0, sizeof(lt->current));
	buf_clear(&lt->text);
	lt->current.wall_us = wall_us;
	lt->current.n_spans = 1;
	lt->spans[0].from = 0;
	lt->spans[0].style = lt->style;
	lt->open = true;
	lt->returned = false;
}

static void
end_line(struct logtext *lt)
{
	struct log_line line;

	refresh_current(lt);
	line = lt->current;
	line.text = mem_dup(line.text, line.n);
	line.spans = mem_dup(lt->spans, line.n_spans * sizeof(*lt->spans));
	line.failure = looks_failed(line.text, line.n);
	push(lt, &line);
	lt->open = false;
	lt->returned = false;
}

static void
set_style(struct logtext *lt, struct style style)
{
	struct log_line *l = &lt->current;
	struct log_span *last = &lt->spans[l->n_spans - 1];

	lt->style = style;
	if (last->from == buf_len(&lt->text)) {
		last->style = style;
	} else if (l->n_spans < SPANS_MAX) {
		last[1].from = (uint32_t)buf_len(&lt->text);
		last[1].style = style;
		l->n_spans++;
	}
}

/* Codes that set or clear one attribute. */
static const struct {
	uint8_t code, set, clear;
} sgr_attrs[] = { { 1, ATTR_BOLD, 0 }, { 2, ATTR_DIM, 0 },
	{ 4, ATTR_UNDERLINE, 0 }, { 7, ATTR_REVERSE, 0 },
	{ 22, 0, ATTR_BOLD | ATTR_DIM }, { 24, 0, ATTR_UNDERLINE },
	{ 27, 0, ATTR_REVERSE } };

static void
apply_sgr(struct style *style, int code)
{
	size_t i;

	if (code == 0)
		*style = (struct style){ ROLE_NORMAL, 0 };
	else if (code >= 30 && code <= 37)
		style->role = (uint8_t)(ROLE_OUT_BLACK + code - 30);
	else if (code >= 90 && code <= 97) {
		style->role = (uint8_t)(ROLE_OUT_BLACK + code - 90);
		style->attr |= ATTR_BOLD;
	} else if (code == 39)
		style->role = ROLE_NORMAL;
	for (i = 0; i < sizeof(sgr_attrs) / sizeof(sgr_attrs[0]); i++)
		if (sgr_attrs[i].code == code)
			style->attr = (uint8_t)((style->attr |
			    sgr_attrs[i].set) & ~sgr_attrs[i].clear);
}

/* "38;5;N" takes a role where N is one of the first sixteen; "38;2;..." and
 * backgrounds change nothing. Returns the parameters used. */
static size_t
apply_extended(struct style *style, const int *v, size_t n)
{
	if (n < 2 || (v[1] != 5 && v[1] != 2))
		return 1;
	if (v[0] == 38 && v[1] == 5 && n > 2 && v[2] >= 0 && v[2] < 16)
		apply_sgr(style, v[2] < 8 ? 30 + v[2] : 82 + v[2]);
	return v[1] == 5 ? 3 : 5;
}

static void
run_sgr(struct logtext *lt)
{
	struct style style = lt->style;
	int v[PARAMS_MAX] = { 0 };
	size_t n = 1, i;
	char c;

	for (i = 0; i < lt->n_escape; i++) {
		c = lt->escape[i];
		if (c == ';' || c == ':') {
			if (n < PARAMS_MAX)
				n++;
		} else if (v[n - 1] < 1000) {
			v[n - 1] = v[n - 1] * 10 + (c - '0');
		}
	}
	for (i = 0; i < n;) {
		if (v[i] == 38 || v[i] == 48) {
			i += apply_extended(&style, v + i, n - i);
			continue;
		}
		apply_sgr(&style, v[i++]);
	}
	set_style(lt, style);
}

static void
put_byte(struct logtext *lt, char c)
{
	size_t pad;

	if (c == '\t') {
		pad = TAB - buf_len(&lt->text) % TAB;
		while (pad-- > 0)
			buf_putc(&lt->text, ' ');
	} else {
		buf_putc(&lt->text, c);
	}
}

/* A sequence that is none of ours: it stays, to be seen escaped. */
static void
give_back(struct logtext *lt)
{
	buf_putc(&lt->text, 0x1b);
	if (lt->state == CSI)
		buf_putc(&lt->text, '[');
	buf_put(&lt->text, lt->escape, lt->n_escape);
	lt->state = TEXT;
	lt->n_escape = 0;
}

/* One byte inside an escape sequence; false when it belongs to the text. */
static bool
escape_byte(struct logtext *lt, char c)
{
	if (lt->state == ESCAPE && c == '[') {
		lt->state = CSI;
		lt->n_escape = 0;
		return true;
	}
	if (lt->state == CSI && c == 'm') {
		run_sgr(lt);
		lt->state = TEXT;
		lt->n_escape = 0;
		return true;
	}
	if (lt->state == CSI && lt->n_escape < ESCAPE_MAX &&
	    ((c >= '0' && c <= '9') || c == ';' || c == ':')) {
		lt->escape[lt->n_escape++] = c;
		return true;
	}
	give_back(lt);
	return false;
}

static void
text_byte(struct logtext *lt, char c, int64_t wall_us)
{
	if (c == '\n') {
		end_line(lt);
		return;
	}
	if (c == '\r') {
		lt->returned = true;
		return;
	}
	if (lt->returned)
		begin(lt, wall_us);
	if (c == 0x1b)
		lt->state = ESCAPE;
	else
		put_byte(lt, c);
	if (buf_len(&lt->text) >= LOG_MAX_LINE)
		end_line(lt);
}

void
logtext_feed(struct logtext *lt, const uint8_t *p, size_t n, int64_t wall_us)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (!lt->open)
			begin(lt, wall_us);
		if (lt->state == TEXT || !escape_byte(lt, (char)p[i]))
			text_byte(lt, (char)p[i], wall_us);
	}
}

void
logtext_gap(struct logtext *lt, const char *text, int64_t wall_us)
{
	struct log_line line = { .gap = true, .wall_us = wall_us,
		.n = (uint32_t)strlen(text), .n_spans = 1 };
	struct log_span span = { 0, { ROLE_GAP, 0 } };

	if (lt->open)
		end_line(lt);
	lt->state = TEXT;
	line.text = mem_dup(text, line.n);
	line.spans = mem_dup(&span, sizeof(span));
	push(lt, &line);
}

uint64_t
logtext_first(const struct logtext *lt)
{
	return lt->first;
}

uint64_t
logtext_end(const struct logtext *lt)
{
	return lt->end + (lt->open && buf_len(&lt->text) > 0);
}

const struct log_line *
logtext_line(const struct logtext *lt, uint64_t no)
{
	if (no < lt->end)
		return &lt->ring[no % LOG_MAX_LINES];
	refresh_current((struct logtext *)(uintptr_t)lt);
	return &lt->current;
}
