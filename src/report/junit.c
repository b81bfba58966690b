/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JUnit XML, in the dialect that Jenkins, GitLab and Surefire's readers
 * share. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "report/markup.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"

/* The element that says what a row came to; NULL: none needed. */
static const char *const elements[EXEC_STATES] = {
	[EXEC_FAILED] = "failure", [EXEC_TIMEOUT] = "failure",
	[EXEC_ERROR] = "error", [EXEC_CANCELLED] = "skipped",
	[EXEC_SKIPPED] = "skipped", [EXEC_WAITING] = "skipped",
	[EXEC_ASSIGNED] = "skipped", [EXEC_RUNNING] = "skipped",
};

struct sums {
	uint32_t tests, failures, errors, skipped;
	int64_t elapsed_us;
};

static void
sum_row(struct sums *sums, const struct report_step *s)
{
	const char *e = elements[s->state];

	sums->tests++;
	sums->elapsed_us += row_elapsed(s);
	if (e != NULL) {
		sums->failures += strcmp(e, "failure") == 0;
		sums->errors += strcmp(e, "error") == 0;
		sums->skipped += strcmp(e, "skipped") == 0;
	}
}

static void
put_sums(struct buf *out, const struct sums *sums, int64_t elapsed_us)
{
	buf_putf(out, " tests=\"%u\" failures=\"%u\" errors=\"%u\""
	    " skipped=\"%u\" time=\"", sums->tests, sums->failures,
	    sums->errors, sums->skipped);
	put_seconds(out, elapsed_us);
	buf_putc(out, '"');
}

static void
put_property(struct buf *out, const char *name, const char *value)
{
	buf_puts(out, "<property");
	xml_attr(out, "name", name);
	xml_attr(out, "value", value);
	buf_puts(out, "/>");
}

static void
put_properties(struct buf *out, const struct report_run *r,
    const struct report_step *s)
{
	char id[IDENT_TEXT];

	buf_puts(out, "<properties>");
	put_property(out, "execution", row_id(r, s, id));
	if (row_agent(s) != NULL)
		put_property(out, "agent", row_agent(s));
	buf_puts(out, "</properties>\n");
}

/* An element with message and type; the message is why, else how. */
static void
put_element(struct buf *out, const char *element, const char *type,
    const char *text, const struct report_try *t)
{
	struct buf how = BUF_INIT;

	put_how(&how, t);
	if (text == NULL)
		text = buf_len(&how) > 0 ? buf_str(&how) : type;
	buf_putf(out, "<%s", element);
	xml_attr(out, "message", text);
	xml_attr(out, "type", type);
	buf_puts(out, "/>\n");
	buf_done(&how);
}

static void
put_tries(struct buf *out, const struct report_step *s)
{
	bool flaky = s->state == EXEC_HEALED || s->state == EXEC_PASSED;
	const struct report_try *t;
	uint32_t i;
	bool error;

	for (i = 0; i < s->n_tries; i++) {
		t = &s->tries[i];
		if (t == s->last || t->outcome == OUTCOME_PASSED)
			continue;
		error = t->outcome == OUTCOME_ERROR;
		put_element(out, flaky ?
		    (error ? "flakyError" : "flakyFailure") :
		    (error ? "rerunError" : "rerunFailure"),
		    outcome_name(t->outcome), t->text, t);
	}
}

static void
put_output(struct buf *out, const struct report_exec *e)
{
	struct buf clean = BUF_INIT;

	output_clean(&clean, e->tail, e->tail_len);
	buf_puts(out, "<system-out>");
	xml_put(out, buf_str(&clean), buf_len(&clean));
	buf_puts(out, "</system-out>\n");
	buf_done(&clean);
}

static void
put_case(struct buf *out, const struct report_run *r,
    const struct report_step *s)
{
	const struct report_exec *e = row_output(r, s);
	char *classname = str_dup(s->suite), *p;

	for (p = classname; (p = strchr(p, '/')) != NULL; )
		*p = '.';	/* readers take dots for nesting */
	buf_puts(out, "<testcase");
	xml_attr(out, "classname", classname);
	xml_attr(out, "name", s->label + (s->suite[0] != '\0' ?
	    strlen(s->suite) + 1 : 0));
	buf_puts(out, " time=\"");
	put_seconds(out, row_elapsed(s));
	buf_puts(out, "\">\n");
	put_properties(out, r, s);
	if (elements[s->state] != NULL)
		put_element(out, elements[s->state],
		    exec_state_name(s->state), s->text, s->last);
	put_tries(out, s);
	if (e != NULL)
		put_output(out, e);
	buf_puts(out, "</testcase>\n");
	free(classname);
}

static int
by_suite(const void *a, const void *b)
{
	const struct report_step *x = *(const struct report_step *const *)a;
	const struct report_step *y = *(const struct report_step *const *)b;

	if (x->suite_no != y->suite_no)
		return x->suite_no < y->suite_no ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* One suite: n rows of it. */
static void
put_suite(struct buf *out, const struct report_run *r,
    const struct report_step *const *rows, uint32_t n)
{
	struct sums sums = { .tests = 0 };
	char stamp[CLOCK_TEXT];
	uint32_t i;

	for (i = 0; i < n; i++)
		sum_row(&sums, rows[i]);
	clock_format(r->started_wall_us, stamp);
	stamp[strcspn(stamp, ".Z")] = '\0';
	buf_puts(out, "<testsuite");
	xml_attr(out, "name", rows[0]->suite);
	put_sums(out, &sums, sums.elapsed_us);
	xml_attr(out, "timestamp", stamp);
	buf_puts(out, ">\n<properties>");
	put_property(out, "run", r->id);
	buf_puts(out, "</properties>\n");
	for (i = 0; i < n; i++)
		put_case(out, r, rows[i]);
	buf_puts(out, "</testsuite>\n");
}

void
report_junit(const struct report_run *r, struct buf *out)
{
	const struct report_step **rows;
	struct sums sums = { .tests = 0 };
	uint32_t i, from;

	rows = mem_calloc(r->n_steps, sizeof(*rows));
	for (i = 0; i < r->n_steps; i++) {
		rows[i] = &r->steps[i];
		sum_row(&sums, rows[i]);
	}
	qsort(rows, r->n_steps, sizeof(*rows), by_suite);
	buf_puts(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<testsuites");
	xml_attr(out, "name", r->plan);
	put_sums(out, &sums, r->ended_wall_us > r->started_wall_us ?
	    r->ended_wall_us - r->started_wall_us : 0);
	buf_puts(out, ">\n");
	for (from = 0; from < r->n_steps; from = i) {
		for (i = from; i < r->n_steps &&
		     rows[i]->suite_no == rows[from]->suite_no; i++)
			;
		put_suite(out, r, rows + from, i - from);
	}
	buf_puts(out, "</testsuites>\n");
	free(rows);
}
