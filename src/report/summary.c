/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a person reads at the end of a run. All of it is escaped: names and
 * output come from tests. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "report/markup.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"

#define SLOWEST 5
#define SHOWN 20		/* rows that did not pass */
#define TAIL_LINES 10
#define LINE_BYTES 400		/* of a line of output */

static void
put_safe(struct buf *out, const char *s)
{
	text_escape(out, s, strlen(s));
}

static int
slowest_first(const void *a, const void *b)
{
	const struct report_step *x = *(const struct report_step *const *)a;
	const struct report_step *y = *(const struct report_step *const *)b;
	int64_t tx = row_elapsed(x), ty = row_elapsed(y);

	if (tx != ty)
		return tx > ty ? -1 : 1;
	return x < y ? -1 : x > y;
}

static void
put_slowest(struct buf *out, const struct report_run *r)
{
	const struct report_step **rows;
	char took[DURATION_TEXT];
	uint32_t i, n = 0;

	rows = mem_calloc(r->n_steps, sizeof(*rows));
	for (i = 0; i < r->n_steps; i++)
		if (row_elapsed(&r->steps[i]) > 0)
			rows[n++] = &r->steps[i];
	qsort(rows, n, sizeof(*rows), slowest_first);
	if (n > 1)
		buf_puts(out, "Slowest:\n");
	for (i = 0; n > 1 && i < n && i < SLOWEST; i++) {
		buf_putf(out, "  %7s  ", duration_format(row_elapsed(rows[i]),
		    took));
		put_safe(out, rows[i]->label);
		if (row_agent(rows[i]) != NULL) {
			buf_puts(out, " on ");
			put_safe(out, row_agent(rows[i]));
		}
		buf_putc(out, '\n');
	}
	free(rows);
}

/* A line of output; the end of a very long one is left out. */
static void
put_line(struct buf *out, const char *p, size_t n)
{
	size_t shown = n < LINE_BYTES ? n : LINE_BYTES;

	while (shown < n && shown > 0 && (p[shown] & 0xc0) == 0x80)
		shown--;	/* not within a character */
	buf_puts(out, "      | ");
	text_escape(out, p, shown);
	buf_puts(out, shown < n ? " ...\n" : "\n");
}

static void
put_tail(struct buf *out, const struct report_exec *e)
{
	struct buf clean = BUF_INIT;
	const char *p, *end, *nl;

	output_clean(&clean, e->tail, e->tail_len);
	p = buf_str(&clean);
	end = p + buf_len(&clean);
	p += output_last_lines(p, buf_len(&clean), TAIL_LINES);
	for (; p < end; p = nl + 1) {
		if ((nl = memchr(p, '\n', (size_t)(end - p))) == NULL)
			nl = end;
		put_line(out, p, (size_t)(nl - p));
	}
	buf_done(&clean);
}

static void
put_bad(struct buf *out, const struct report_run *r,
    const struct report_step *s)
{
	const struct report_exec *e = row_output(r, s);
	struct buf how = BUF_INIT;
	char id[IDENT_TEXT];

	buf_putf(out, "  %-9s ", exec_state_name(s->state));
	put_safe(out, s->label);
	buf_putf(out, " (%s", row_id(r, s, id));
	if (s->last != NULL)
		buf_putf(out, "/%u", s->last->attempt);
	if (row_agent(s) != NULL) {
		buf_puts(out, " on ");
		put_safe(out, row_agent(s));
	}
	put_how(&how, s->last);
	buf_putf(out, "%s%s)", buf_len(&how) > 0 ? ", " : "", buf_str(&how));
	if (s->text != NULL) {
		buf_puts(out, ": ");
		text_first_line(out, s->text);
	}
	buf_putc(out, '\n');
	if (e != NULL)
		put_tail(out, e);
	buf_done(&how);
}

static void
put_all_bad(struct buf *out, const struct report_run *r)
{
	uint32_t i, n = 0;

	for (i = 0; i < r->n_steps; i++) {
		if (!row_bad(&r->steps[i]))
			continue;
		if (n++ == 0)
			buf_puts(out, "Did not pass:\n");
		if (n <= SHOWN)
			put_bad(out, r, &r->steps[i]);
	}
	if (n > SHOWN)
		buf_putf(out, "  and %u more\n", n - SHOWN);
}

/* What attempts left that did not come. */
static void
put_missing(struct buf *out, const struct report_run *r)
{
	uint32_t i, k, here = 0, left_out = 0, missing = 0;
	const struct report_exec *e;

	for (i = 0; i < r->n_execs; i++) {
		e = &r->execs[i];
		left_out += e->left_out;
		for (k = 0; k < e->n_artifacts; k++) {
			if (e->artifacts[k].state == ARTIFACT_HERE) {
				here++;
				continue;
			}
			if (missing++ >= SHOWN)
				continue;
			buf_putf(out, "  missing   artifact %u/", e->no);
			put_safe(out, e->artifacts[k].name);
			if (e->artifacts[k].text != NULL) {
				buf_puts(out, ": ");
				put_safe(out, e->artifacts[k].text);
			}
			buf_putc(out, '\n');
		}
	}
	if (here + left_out + missing == 0)
		return;
	buf_putf(out, "%u artifacts came", here);
	if (missing > 0)
		buf_putf(out, ", %u did not", missing);
	if (left_out > 0)
		buf_putf(out, ", %u were left out, over a limit", left_out);
	buf_putc(out, '\n');
}

void
report_summary(const struct report_run *r, struct buf *out)
{
	char took[DURATION_TEXT];

	put_slowest(out, r);
	put_all_bad(out, r);
	put_missing(out, r);
	buf_putf(out, "%s ", r->id);
	put_safe(out, r->plan);
	buf_putf(out, " %s", run_state_name(r->state));
	if (r->ended_wall_us > r->started_wall_us)
		buf_putf(out, " in %s", duration_format(
		    r->ended_wall_us - r->started_wall_us, took));
	buf_putf(out, ": %u execution%s", counts_total(&r->counts),
	    counts_total(&r->counts) == 1 ? "" : "s");
	if (counts_total(&r->counts) > 0)
		buf_puts(out, ": ");
	put_counts(out, &r->counts);
	if (r->n_steps != counts_total(&r->counts)) {
		buf_putf(out, " (%u steps: ", r->n_steps);
		put_counts(out, &r->steps_by_state);
		buf_putc(out, ')');
	}
	buf_putc(out, '\n');
}
