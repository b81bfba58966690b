/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading JUnit files with expat. A document type ends the reading at once:
 * without one there are no entities to expand and nothing to fetch.
 */
#include "config.h"

#include <expat.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/report/junit_read.h"
#include "yardmaster/sys/fs.h"

#define DEPTH_MAX 64
#define CHUNK (1u << 20)
#define SECONDS_MAX INT64_C(3200000000)	/* a century */
#define US_MAX (SECONDS_MAX * US_PER_S)

struct reading {
	XML_Parser parser;
	struct junit_results out;
	char *suites[DEPTH_MAX];	/* name by depth, NULL: no testsuite */
	unsigned depth;
	unsigned case_depth;	/* of the open testcase, 0 none */
	unsigned text_depth;	/* of the open failure or so, 0 none */
	struct buf text;
	bool fresh;		/* text holds nothing but the message */
	int err;
	const char *why;	/* of err */
};

static void
stop(struct reading *rd, int err, const char *why)
{
	if (rd->err != 0)
		return;
	rd->err = err;
	rd->why = why;
	XML_StopParser(rd->parser, XML_FALSE);
}

static const char *
attr(const char **attrs, const char *name, const char *def)
{
	for (; *attrs != NULL; attrs += 2)
		if (strcmp(attrs[0], name) == 0)
			return attrs[1];
	return def;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Seconds as test programs write them ("1.5", "1,234.5", "2.1e-05") in
 * microseconds, whatever the locale; 0 for anything else. */
static int64_t
parse_time(const char *s)
{
	int64_t us = 0, unit = US_PER_S;
	long exponent;

	for (; is_digit(*s) || *s == ','; s++)
		if (*s != ',' && us < SECONDS_MAX)
			us = us * 10 + (*s - '0');
	us = us < SECONDS_MAX ? us * US_PER_S : US_MAX;
	if (*s == '.')
		for (s++; is_digit(*s); s++)
			us += (*s - '0') * (unit /= 10);
	if (*s != 'e' && *s != 'E')
		return us;
	exponent = strtol(s + 1, NULL, 10);
	for (; exponent < 0 && us > 0; exponent++)
		us /= 10;
	for (; exponent > 0 && us > 0 && us < US_MAX; exponent--)
		us *= 10;
	return us;
}

static char *
cut(const char *s)
{
	return str_ndup(s, JUNIT_MAX_NAME);
}

static void
open_case(struct reading *rd, const char **attrs)
{
	struct junit_results *out = &rd->out;
	const char *suite = "";
	unsigned i;

	if (out->n == JUNIT_MAX_CASES) {
		stop(rd, ERR_TOO_LARGE, "too many test cases");
		return;
	}
	for (i = 0; i < rd->depth; i++)
		if (rd->suites[i] != NULL)
			suite = rd->suites[i];
	out->v = mem_grow(out->v, &out->cap, out->n + 1, sizeof(*out->v));
	out->v[out->n++] = (struct junit_case){
		.suite = str_dup(suite),
		.classname = cut(attr(attrs, "classname", "")),
		.name = cut(attr(attrs, "name", "")),
		.file = attr(attrs, "file", NULL) == NULL ? NULL :
		    cut(attr(attrs, "file", NULL)),
		.outcome = OUTCOME_PASSED,
		.elapsed_us = parse_time(attr(attrs, "time", ""))
	};
	rd->case_depth = rd->depth;
}

/* An element inside a test case that says what it came to. */
static void
open_verdict(struct reading *rd, const char *element, const char **attrs)
{
	static const struct {
		const char *element;
		enum outcome outcome;
	} verdicts[] = {
		{ "failure", OUTCOME_FAILED }, { "error", OUTCOME_ERROR },
		{ "skipped", OUTCOME_SKIPPED },
	};
	struct junit_case *c = &rd->out.v[rd->out.n - 1];
	size_t i;

	for (i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		if (strcmp(verdicts[i].element, element) != 0 ||
		    verdicts[i].outcome <= c->outcome)
			continue;
		c->outcome = verdicts[i].outcome;
		rd->text_depth = rd->depth;
		buf_clear(&rd->text);
		buf_puts(&rd->text, attr(attrs, "message", ""));
		rd->fresh = buf_len(&rd->text) > 0;
	}
}

static void
on_start(void *arg, const char *element, const char **attrs)
{
	struct reading *rd = arg;

	if (rd->depth + 1 >= DEPTH_MAX) {
		stop(rd, ERR_TOO_LARGE, "elements are nested too deeply");
		return;
	}
	rd->depth++;
	if (strcmp(element, "testsuite") == 0)
		rd->suites[rd->depth - 1] = cut(attr(attrs, "name", ""));
	else if (strcmp(element, "testcase") == 0 && rd->case_depth == 0)
		open_case(rd, attrs);
	else if (rd->case_depth != 0 && rd->depth == rd->case_depth + 1)
		open_verdict(rd, element, attrs);
}

static void
close_verdict(struct reading *rd)
{
	struct junit_case *c = &rd->out.v[rd->out.n - 1];

	free(c->text);
	c->text = buf_len(&rd->text) == 0 ? NULL :
	    str_ndup(buf_str(&rd->text), JUNIT_MAX_TEXT);
	rd->text_depth = 0;
}

static void
on_end(void *arg, const char *element)
{
	struct reading *rd = arg;

	if (rd->depth == rd->text_depth)
		close_verdict(rd);
	if (rd->depth == rd->case_depth)
		rd->case_depth = 0;
	rd->depth--;
	free(rd->suites[rd->depth]);
	rd->suites[rd->depth] = NULL;
}

static void
on_text(void *arg, const char *s, int n)
{
	struct reading *rd = arg;
	size_t have = buf_len(&rd->text), take = (size_t)n;

	if (rd->text_depth == 0 || have >= JUNIT_MAX_TEXT)
		return;
	if (take > JUNIT_MAX_TEXT - have)
		take = JUNIT_MAX_TEXT - have;
	if (rd->fresh && *s != '\n')
		buf_putc(&rd->text, '\n');
	rd->fresh = false;
	buf_put(&rd->text, s, take);
}

static void
on_doctype(void *arg, const char *name, const char *sysid, const char *pubid,
    int internal)
{
	stop(arg, ERR_SYNTAX, "a document type is not accepted");
}

static int
parse_all(struct reading *rd, const char *p, size_t n)
{
	size_t take;

	do {
		take = n < CHUNK ? n : CHUNK;
		if (XML_Parse(rd->parser, p, (int)take, take == n) !=
		    XML_STATUS_OK) {
			stop(rd, ERR_SYNTAX, XML_ErrorString(
			    XML_GetErrorCode(rd->parser)));
			return rd->err;
		}
		p += take;
		n -= take;
	} while (n > 0);
	return rd->err;
}

int
junit_read(const char *name, const void *p, size_t n,
    struct junit_results *ret, struct diags *ds)
{
	struct reading rd = { .err = 0 };
	unsigned line = 0;
	int r;

	rd.parser = XML_ParserCreate(NULL);
	if (n > JUNIT_MAX_BYTES || rd.parser == NULL) {
		r = ERR_TOO_LARGE;
		rd.why = "the file is too large";
		goto out;
	}
	XML_SetUserData(rd.parser, &rd);
	XML_SetElementHandler(rd.parser, on_start, on_end);
	XML_SetCharacterDataHandler(rd.parser, on_text);
	XML_SetStartDoctypeDeclHandler(rd.parser, on_doctype);
	r = parse_all(&rd, p, n);
	line = (unsigned)XML_GetCurrentLineNumber(rd.parser);
out:
	while (rd.depth > 0)
		free(rd.suites[--rd.depth]);
	buf_done(&rd.text);
	XML_ParserFree(rd.parser);
	if (r < 0) {
		junit_results_done(&rd.out);
		if (ds != NULL)
			diag_add(ds, DIAG_ERROR, name, line, NULL, "%s",
			    rd.why);
	} else {
		*ret = rd.out;
	}
	return r;
}

int
junit_read_file(const char *path, struct junit_results *ret,
    struct diags *ds)
{
	struct buf b = BUF_INIT;
	int r;

	r = fs_read(path, JUNIT_MAX_BYTES, &b);
	if (r < 0 && ds != NULL)
		diag_add(ds, DIAG_ERROR, path, 0, NULL, "%s", err_text(r));
	if (r == 0)
		r = junit_read(path, buf_data(&b), buf_len(&b), ret, ds);
	buf_done(&b);
	return r;
}

void
junit_results_done(struct junit_results *r)
{
	size_t i;

	for (i = 0; i < r->n; i++) {
		free(r->v[i].suite);
		free(r->v[i].classname);
		free(r->v[i].name);
		free(r->v[i].file);
		free(r->v[i].text);
	}
	free(r->v);
	*r = (struct junit_results){ .v = NULL };
}
