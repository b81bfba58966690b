/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Output of jobs. Line by line each job is followed from its start, and every
 * line begins with its name. In groups it is asked for at the end of a job,
 * of few at a time, so that only those are held in memory.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"

#include "cli/exec_out.h"

#define OPEN_MAX_GROUPS 8	/* groups that come at the same time */
#define LINE_BYTES (64u << 10)	/* a longer line is cut */
#define NAME_CELLS 60

struct job_out {
	struct outputs *o;
	uint32_t no;		/* of the execution */
	struct tail *tail;	/* NULL: not asked for yet, or all came */
	struct buf text;	/* not printed yet */
	uint64_t next;		/* offset expected */
	bool over;		/* all that can be had came */
	bool told;		/* its end was */
};

/* For a terminal everything but the ends of lines is escaped. */
static void
print(const struct outputs *o, const char *s, size_t n)
{
	struct buf safe = BUF_INIT;
	const char *nl;
	size_t k;

	if (!o->tty) {
		fwrite(s, 1, n, stdout);
		return;
	}
	for (; n > 0; s += k, n -= k) {
		nl = memchr(s, '\n', n);
		k = nl != NULL ? (size_t)(nl - s) : n;
		text_escape(&safe, s, k);
		if (nl != NULL) {
			buf_putc(&safe, '\n');
			k++;
		}
	}
	fwrite(buf_data(&safe), 1, buf_len(&safe), stdout);
	buf_done(&safe);
}

/* A name may be any argument: it stays on its line everywhere. */
static void
put_name(const struct job_out *j, struct buf *out)
{
	const char *name = j->o->names->v[j->no - 1];

	text_fit(out, name, NAME_CELLS, false, false);
}

/* Prints the whole lines of what came; all of it at the end. */
static void
print_lines(struct job_out *j, bool all)
{
	struct buf prefix = BUF_INIT;
	const char *s = buf_str(&j->text), *nl;
	size_t n = buf_len(&j->text), k;

	put_name(j, &prefix);
	buf_puts(&prefix, ": ");
	while (n > 0) {
		nl = memchr(s, '\n', n);
		if (nl == NULL && !all && n < LINE_BYTES)
			break;
		k = nl != NULL ? (size_t)(nl - s) : n;
		fwrite(buf_str(&prefix), 1, buf_len(&prefix), stdout);
		print(j->o, s, k);
		putchar('\n');
		k += nl != NULL;
		s += k;
		n -= k;
	}
	buf_consume(&j->text, buf_len(&j->text) - n);
	buf_done(&prefix);
}

static void
print_group(struct job_out *j)
{
	struct buf name = BUF_INIT;

	if (j->o->tty) {
		put_name(j, &name);
		printf("==> %s <==\n", buf_str(&name));
	}
	print(j->o, buf_str(&j->text), buf_len(&j->text));
	buf_done(&name);
}

static void
job_data(void *arg, uint64_t offset, const uint8_t *p, size_t n)
{
	struct job_out *j = arg;

	if (offset > j->next)
		buf_putf(&j->text, "[%llu bytes are missing here]\n",
		    (unsigned long long)(offset - j->next));
	j->next = offset + n;
	buf_put(&j->text, p, n);
	if (!j->o->group) {
		print_lines(j, false);
		fflush(stdout);
	}
}

/* Nothing of it comes any more. */
static void
job_over(struct job_out *j)
{
	if (j->over)
		return;
	j->over = true;
	j->o->n_open--;
	if (!j->o->group)
		print_lines(j, true);
	else if (buf_len(&j->text) > 0)
		print_group(j);
	fflush(stdout);
	buf_done(&j->text);
}

static void
job_end(void *arg, int code, const char *text)
{
	struct job_out *j = arg;

	/* One that wrote nothing has none to be had. */
	if (code < 0 && code != ERR_NOT_FOUND)
		cli_fail(j->o->f->c, 0, "%s: its output: %s",
		    j->o->names->v[j->no - 1], text != NULL ? text :
		    err_text(code));
	job_over(j);
}

static void
job_open(struct job_out *j, const struct execution *x)
{
	static const struct tail_ops ops = { .data = job_data,
		.end = job_end };
	struct ident id = { .execution = x->no, .attempt = x->attempt };

	memcpy(id.run, x->run->id, sizeof id.run);
	j->o->n_open++;
	if (engine_tail(j->o->f->s->engine, &id, 0, true, &ops, j,
	    &j->tail) < 0)
		job_over(j);
}

/* Says of a job that did not pass how it ended. */
static void
tell_end(struct job_out *j, const struct execution *x)
{
	j->told = true;
	if (x->state == EXEC_PASSED || x->state == EXEC_HEALED)
		return;
	fflush(stdout);
	cli_fail(j->o->f->c, 0, "%s: %s%s%s", j->o->names->v[j->no - 1],
	    exec_state_name(x->state), x->text != NULL ? ": " : "",
	    x->text != NULL ? x->text : "");
}

/* An agent that is away keeps what it has; the run has ended without it. */
static bool
unreachable(const struct job_out *j, const struct run *run)
{
	const struct engine *e = j->o->f->s->engine;

	return run->state == RUN_ENDED && j->tail != NULL &&
	    engine_agent(e, engine_tail_agent(j->tail))->link == LINK_DOWN;
}

/* Does what is due for one job; true when nothing is left to do. */
static bool
job_watch(struct job_out *j, const struct execution *x)
{
	bool final = exec_state_final(x->state);

	if (j->tail == NULL && !j->over && x->attempt > 0 &&
	    (j->o->group ? final && j->o->n_open < OPEN_MAX_GROUPS :
	    final || x->state == EXEC_RUNNING))
		job_open(j, x);
	if (unreachable(j, x->run))
		job_over(j);
	if (j->over && j->tail != NULL) {
		engine_untail(j->tail);
		j->tail = NULL;
	}
	if (!final || (x->attempt > 0 && !j->over))
		return false;
	if (!j->told)
		tell_end(j, x);
	return true;
}

bool
outputs_watch(void *arg, const struct run *run)
{
	struct outputs *o = arg;
	bool all = true;
	size_t i;

	if (o->jobs == NULL) {
		o->n = run->n;
		o->jobs = mem_calloc(run->n, sizeof *o->jobs);
	}
	for (i = 0; i < o->n; i++) {
		if (o->jobs[i] == NULL) {
			o->jobs[i] = mem_zalloc(sizeof **o->jobs);
			o->jobs[i]->o = o;
			o->jobs[i]->no = (uint32_t)i + 1;
		}
		all = job_watch(o->jobs[i], &run->executions[i]) && all;
	}
	return all;
}

void
outputs_done(void *arg)
{
	struct outputs *o = arg;
	size_t i;

	for (i = 0; i < o->n; i++) {
		if (o->jobs[i] == NULL)
			continue;
		engine_untail(o->jobs[i]->tail);
		buf_done(&o->jobs[i]->text);
		free(o->jobs[i]);
	}
	free(o->jobs);
	o->jobs = NULL;
	o->n = 0;
}
