/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Following a run: one line for each execution that ends, a word when all
 * that is left waits for something, and what signals ask for.
 */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"

#include "cli/follow.h"

#define PACKING_SAID_US US_PER_S

static const struct run *
the_run(const struct follow *f)
{
	return engine_run_find(f->s->engine, f->run);
}

static void
put_safe(struct buf *out, const char *s)
{
	if (s != NULL)
		text_escape(out, s, strlen(s));
}

/* "suite/test[row]@target" */
static void
put_label(struct buf *out, const struct execution *x)
{
	put_safe(out, x->suite);
	if (x->test != NULL && strcmp(x->test, x->suite) != 0) {
		buf_putc(out, '/');
		put_safe(out, x->test);
	}
	if (x->row != NULL) {
		buf_putc(out, '[');
		put_safe(out, x->row);
		buf_putc(out, ']');
	}
	if (x->target != NULL) {
		buf_putc(out, '@');
		put_safe(out, x->target);
	}
}

static void
say_end(struct follow *f, const struct execution *x)
{
	struct buf line = BUF_INIT;
	char took[DURATION_TEXT];

	buf_putf(&line, "[%u/%u] %-9s ", f->ended, x->run->n,
	    exec_state_name(x->state));
	put_label(&line, x);
	if (x->agent >= 0)
		buf_putf(&line, "  %s", engine_agent(f->s->engine,
		    (size_t)x->agent)->name);
	if (x->agent >= 0 && x->worker != 0)
		buf_putf(&line, "#%u", x->worker);
	if (x->elapsed_us > 0)
		buf_putf(&line, "  %s", duration_format(x->elapsed_us, took));
	if (x->tries > 1)
		buf_putf(&line, "  %u tries", x->tries);
	if (x->text != NULL) {
		buf_puts(&line, "  ");
		text_first_line(&line, x->text);
	}
	puts(buf_str(&line));
	fflush(stdout);
	buf_done(&line);
}

static void
say_ends(struct follow *f, const struct run *run)
{
	uint32_t i;

	if (counts_final(&run->counts) == f->ended)
		return;
	for (i = 0; i < run->n; i++) {
		if (f->told[i] || !exec_state_final(run->executions[i].state))
			continue;
		f->told[i] = true;
		f->ended++;
		if (!f->quiet)
			say_end(f, &run->executions[i]);
	}
}

const struct execution *
follow_stuck(const struct run *run)
{
	const struct execution *x, *found = NULL;
	uint32_t i;

	if (run->counts.n[EXEC_RUNNING] + run->counts.n[EXEC_ASSIGNED] > 0)
		return NULL;
	for (i = 0; i < run->n; i++) {
		x = &run->executions[i];
		if (x->state != EXEC_WAITING)
			continue;
		if (x->reason != REASON_NO_AGENT &&
		    x->reason != REASON_AGENTS_OFFLINE)
			return NULL;
		if (found == NULL)
			found = x;
	}
	return found;
}

static void
say_stuck(struct follow *f, const struct execution *x)
{
	char *text = str_fmt("waiting: %s: %s", reason_name(x->reason),
	    x->reason_text != NULL ? x->reason_text : "");

	if (f->last_wait == NULL || strcmp(f->last_wait, text) != 0)
		cli_fail(f->c, 0, "%s", text);
	free(f->last_wait);
	f->last_wait = text;
}

/* Says what a run waits for that can only wait, and gives it up in time. */
static void
watch_stuck(struct follow *f, const struct run *run)
{
	const struct execution *x = follow_stuck(run);
	struct op op = { .kind = OP_GIVE_UP };

	if (x == NULL) {
		f->hopeless_us = 0;
		return;
	}
	if (f->hopeless_us == 0)
		f->hopeless_us = clock_mono_us();
	if (clock_mono_us() - f->hopeless_us > 2 * US_PER_S)
		say_stuck(f, x);
	if (f->give_up_us == 0 || f->gave_up ||
	    clock_mono_us() - f->hopeless_us < f->give_up_us)
		return;
	cli_fail(f->c, 0, "giving up: nothing can start");
	f->gave_up = true;
	memcpy(op.id.run, f->run, sizeof op.id.run);
	engine_op(f->s->engine, &op, NULL, NULL);
}

/* Says once that nothing new can start, and once that it can again. */
static void
watch_pause(struct follow *f)
{
	const char *why = engine_paused(f->s->engine);

	if (why != NULL && !f->paused)
		cli_fail(f->c, 0, "paused: console-paused: %s", why);
	else if (why == NULL && f->paused)
		cli_fail(f->c, 0, "goes on: run files can be written again");
	f->paused = why != NULL;
}

/* Says how far the packing of a large workspace is. */
static void
watch_packing(struct follow *f)
{
	const char *text = engine_packing(f->s->engine, f->run);
	int64_t now = clock_mono_us();

	if (f->packing_us == 0)
		f->packing_us = now;
	if (text == NULL || now - f->packing_us < PACKING_SAID_US)
		return;
	f->packing_us = now;
	cli_fail(f->c, 0, "%s", text);
}

static bool
progressed(void *arg)
{
	struct follow *f = arg;
	const struct run *run = the_run(f);

	say_ends(f, run);
	watch_stuck(f, run);
	watch_pause(f);
	watch_packing(f);
	return (f->watch == NULL || f->watch(f->watch_arg, run)) &&
	    run->state == RUN_ENDED;
}

/* A signal came: true when the run shall be left. */
static bool
interrupted(struct follow *f)
{
	struct op op = { .kind = OP_CANCEL };

	if (f->s->last_signal == SIGHUP || f->s->interrupts > 1)
		return true;
	cli_fail(f->c, 0, "cancelling %s; once more leaves it going", f->run);
	memcpy(op.id.run, f->run, sizeof op.id.run);
	engine_op(f->s->engine, &op, NULL, NULL);
	return false;
}

static bool
is_packed(void *arg)
{
	struct follow *f = arg;

	watch_packing(f);
	return engine_packing(f->s->engine, f->run) == NULL;
}

bool
follow_packing(struct follow *f)
{
	if (!session_wait(f->s, is_packed, f, 0) && interrupted(f))
		return true;
	return engine_packing(f->s->engine, f->run) == NULL &&
	    !exec_state_final(the_run(f)->executions[0].state);
}

int
follow_run(struct follow *f)
{
	const struct run *run = the_run(f);
	int code = -1;

	f->told = mem_calloc(run->n, sizeof *f->told);
	while (!session_wait(f->s, progressed, f, 0))
		if (interrupted(f))
			goto out;
	run = the_run(f);
	code = counts_exit_code(&run->counts);
out:
	if (f->unwatch != NULL)
		f->unwatch(f->watch_arg);
	free(f->told);
	free(f->last_wait);
	f->told = NULL;
	f->last_wait = NULL;
	return code;
}
