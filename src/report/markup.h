/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the formats share: cleaning output, XML text, rows and numbers. */
#ifndef REPORT_MARKUP_H
#define REPORT_MARKUP_H

#include "yardmaster/report/report.h"

/* Appends raw output as plain text: without terminal sequences; of a line
 * rewritten by carriage returns the last state. */
void output_clean(struct buf *out, const char *p, size_t n);
/* Where the last n lines of p begin. */
size_t output_last_lines(const char *p, size_t len, unsigned n);

/* Appends text for an XML or HTML element or attribute: what XML forbids is
 * dropped, bytes that are no UTF-8 become U+FFFD. */
void xml_put(struct buf *out, const char *p, size_t n);
void xml_puts(struct buf *out, const char *s);
/* ' NAME="VALUE"'. */
void xml_attr(struct buf *out, const char *name, const char *value);

/* Seconds with six decimals, whatever the locale. */
void put_seconds(struct buf *out, int64_t us);
/* "exit code 3", "signal 9", or nothing. */
void put_how(struct buf *out, const struct report_try *t);
/* RUN/EXECUTION of a row; out has IDENT_TEXT bytes. */
char *row_id(const struct report_run *r, const struct report_step *s,
    char *out);
/* The last try's, or NULL and 0. */
const char *row_agent(const struct report_step *s);
int64_t row_elapsed(const struct report_step *s);
/* True for failed, timeout, error, cancelled. */
bool row_bad(const struct report_step *s);
/* The execution whose output belongs to this row (the last that did not pass,
 * else the last), or NULL. */
const struct report_exec *row_output(const struct report_run *r,
    const struct report_step *s);
/* "3 passed, 1 failed": the states that occur. */
void put_counts(struct buf *out, const struct counts *c);

#endif
