/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One page for a browser: what did not pass first, with its output. No
 * scripts, nothing fetched from anywhere. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "report/markup.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/model/prepare.h"

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\""
    " content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
    "<style>body{font:15px/1.4 sans-serif;margin:2em;max-width:75em}"
    "table{border-collapse:collapse;width:100%}"
    "td,th{text-align:left;padding:.2em .6em;border-bottom:1px solid #ccc;"
    "vertical-align:top}td.n{text-align:right}"
    "pre{background:#f4f4f4;padding:.6em;overflow:auto;"
    "white-space:pre-wrap}"
    ".failed,.timeout,.error{color:#a00000;font-weight:bold}"
    ".healed,.cancelled{color:#8a5a00}.passed{color:#006400}"
    "</style>\n";

static void
put_row(struct buf *out, const struct report_run *r,
    const struct report_step *s)
{
	char id[IDENT_TEXT], took[DURATION_TEXT];
	const char *state = exec_state_name(s->state);

	buf_putf(out, "<tr><td class=\"%s\">%s</td><td>", state, state);
	xml_puts(out, s->label);
	if (s->text != NULL) {
		buf_puts(out, "<br><small>");
		xml_puts(out, s->text);
		buf_puts(out, "</small>");
	}
	buf_putf(out, "</td><td class=\"n\">%s</td><td>",
	    s->last != NULL ? duration_format(row_elapsed(s), took) : "");
	xml_puts(out, row_agent(s) != NULL ? row_agent(s) : "");
	buf_putf(out, "</td><td class=\"n\">%u</td><td>%s</td></tr>\n",
	    s->n_tries, row_id(r, s, id));
}

/* Rows of one kind as a table; nothing when there are none. */
static void
put_table(struct buf *out, const struct report_run *r, const char *title,
    bool bad)
{
	uint32_t i, n = 0;

	for (i = 0; i < r->n_steps; i++) {
		if (row_bad(&r->steps[i]) != bad)
			continue;
		if (n++ == 0)
			buf_putf(out, "<h2>%s</h2>\n<table><tr><th>State</th>"
			    "<th>Step</th><th>Took</th><th>Agent</th>"
			    "<th>Tries</th><th>Execution</th></tr>\n", title);
		put_row(out, r, &r->steps[i]);
	}
	if (n > 0)
		buf_puts(out, "</table>\n");
}

static void
put_outputs(struct buf *out, const struct report_run *r)
{
	struct buf clean = BUF_INIT;
	const struct report_exec *e;
	const struct report_step *s;
	uint32_t i;

	for (i = 0; i < r->n_steps; i++) {
		s = &r->steps[i];
		if (!row_bad(s) || (e = row_output(r, s)) == NULL)
			continue;
		buf_puts(out, "<h3>");
		xml_puts(out, s->label);
		buf_puts(out, "</h3>\n<pre>");
		output_clean(&clean, e->tail, e->tail_len);
		xml_put(out, buf_str(&clean), buf_len(&clean));
		buf_clear(&clean);
		buf_puts(out, "</pre>\n");
	}
	buf_done(&clean);
}

/* A relative link: each byte that is not plain is escaped. */
static void
put_link(struct buf *out, const char *path)
{
	const char *p;

	buf_puts(out, " href=\"");
	for (p = path; *p != '\0'; p++)
		if (strchr("/._-", *p) != NULL || (*p >= '0' && *p <= '9') ||
		    (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z'))
			buf_putc(out, *p);
		else
			buf_putf(out, "%%%02X", (unsigned char)*p);
	buf_putc(out, '"');
}

static void
put_artifact(struct buf *out, const struct report_run *r,
    const struct report_exec *e, const struct report_artifact *a)
{
	char *file = artifact_file_name(a->name), *path;

	buf_puts(out, "<li><a");
	if (a->state == ARTIFACT_HERE && r->artifacts_at != NULL) {
		path = str_fmt("%s/%u/%s", r->artifacts_at, e->no, file);
		put_link(out, path);
		free(path);
	}
	buf_putf(out, ">%u/", e->no);
	xml_puts(out, a->name);
	buf_puts(out, "</a>");
	if (a->state != ARTIFACT_HERE) {
		buf_puts(out, " <span class=\"error\">missing</span> ");
		xml_puts(out, a->text != NULL ? a->text : "");
	}
	buf_puts(out, "</li>\n");
	free(file);
}

static void
put_artifacts(struct buf *out, const struct report_run *r)
{
	uint32_t i, k, n = 0, left_out = 0;

	for (i = 0; i < r->n_execs; i++) {
		left_out += r->execs[i].left_out;
		for (k = 0; k < r->execs[i].n_artifacts; k++) {
			if (n++ == 0)
				buf_puts(out, "<h2>Artifacts</h2>\n<ul>\n");
			put_artifact(out, r, &r->execs[i],
			    &r->execs[i].artifacts[k]);
		}
	}
	if (n > 0)
		buf_puts(out, "</ul>\n");
	if (left_out > 0)
		buf_putf(out, "<p>%u artifacts were left out, over a "
		    "limit.</p>\n", left_out);
}

void
report_html(const struct report_run *r, struct buf *out)
{
	char stamp[CLOCK_TEXT], took[DURATION_TEXT];

	buf_puts(out, head);
	buf_puts(out, "<title>");
	xml_puts(out, r->plan);
	buf_putf(out, " %s</title></head><body>\n<h1>", r->id);
	xml_puts(out, r->plan);
	buf_putf(out, "</h1>\n<p>Run %s, %s, started %s", r->id,
	    run_state_name(r->state), clock_format(r->started_wall_us,
	    stamp));
	if (r->ended_wall_us > r->started_wall_us)
		buf_putf(out, ", took %s", duration_format(
		    r->ended_wall_us - r->started_wall_us, took));
	if (r->who != NULL) {
		buf_puts(out, ", launched by ");
		xml_puts(out, r->who);
	}
	buf_putf(out, ".</p>\n<p>%u executions: ", counts_total(&r->counts));
	put_counts(out, &r->counts);
	buf_puts(out, ".</p>\n");
	put_table(out, r, "Did not pass", true);
	put_outputs(out, r);
	put_table(out, r, "All others", false);
	put_artifacts(out, r);
	buf_puts(out, "</body></html>\n");
}
