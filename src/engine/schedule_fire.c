/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From an occurrence that is ours to a run. Loading a plan may run commands
 * that find its tests, so "yardmaster plan discover" does it as a child, and
 * the loop goes on; it ends when its standard input is closed.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"

#include "engine/schedule.h"

#define PLAN_MAX_BYTES (256u << 20)
#define SAID_MAX_BYTES (4u << 10)

struct firing {
	TAILQ_ENTRY(firing) entry;
	struct schedules *s;
	char *name, *when, *plan;	/* of the schedule */
	char run[RUN_ID_SIZE];
	int64_t at_us;
	struct child *child;
	int in_fd;		/* open as long as it is wanted, or -1 */
	struct stream *out, *err;
	struct buf text, said;	/* the plan; what is wrong with it */
	int open;		/* streams that did not end */
	bool ended;		/* the child did */
	int code;
};

static void
firing_free(struct firing *f)
{
	TAILQ_REMOVE(&f->s->firings, f, entry);
	child_free(f->child);
	stream_free(f->out);
	stream_free(f->err);
	if (f->in_fd >= 0)
		close(f->in_fd);
	buf_done(&f->text);
	buf_done(&f->said);
	free(f->name);
	free(f->when);
	free(f->plan);
	free(f);
}

static void
note(const struct firing *f, enum schedule_note n, const char *text)
{
	int r = registry_schedule_note(f->s->e->registry, f->name, f->run, n,
	    text);

	if (r < 0)
		engine_say(f->s->e, EVENT_WARNING, NULL, NULL, "schedule %s: "
		    "what became of %s was not recorded: %s", f->name, f->run,
		    err_text(r));
}

static void
fail(struct firing *f, const char *why)
{
	struct buf line = BUF_INIT;

	text_first_line(&line, why);
	note(f, NOTE_ERROR, buf_str(&line));
	engine_say(f->s->e, EVENT_ERROR, NULL, NULL, "schedule %s: %s was not "
	    "launched: %s", f->name, f->plan, buf_str(&line));
	buf_done(&line);
	firing_free(f);
}

static void
fail_diags(struct firing *f, const struct diags *ds, int code)
{
	struct buf text = BUF_INIT;
	size_t i = 0;

	while (i < ds->n && ds->v[i].level != DIAG_ERROR)
		i++;
	if (i < ds->n)
		diag_format(&ds->v[i], &text);
	else
		buf_puts(&text, err_text(code));
	fail(f, buf_str(&text));
	buf_done(&text);
}

static void
launch(struct firing *f, struct plan *p)
{
	struct engine *e = f->s->e;
	struct launch l = { .plan = p, .id = f->run, .at_wall_us = f->at_us,
		.when = f->when, .schedule = f->name };
	struct diags ds = DIAGS_INIT;
	char id[RUN_ID_SIZE];
	int r = plan_check_agents(p, e->spec, &ds) > 0 ? ERR_INVALID : 0;

	if (r == 0)
		r = engine_launch(e, &l, &ds, id);
	if (r < 0) {
		plan_free(p);
		fail_diags(f, &ds, r);
	} else {
		note(f, NOTE_NONE, NULL);
		firing_free(f);
	}
	diags_done(&ds);
}

/* All has come: on to the launch, or what is wrong. */
static void
check_over(struct firing *f)
{
	struct plan *p = NULL;
	int r;

	if (f->open > 0 || !f->ended)
		return;
	if (f->code != 0)
		fail(f, buf_len(&f->said) > 0 ? buf_str(&f->said) :
		    "loading the plan ended without a word");
	else if ((r = plan_from_snapshot(buf_str(&f->text), buf_len(&f->text),
	    &p)) < 0)
		fail(f, err_text(r));
	else
		launch(f, p);
}

static void
on_plan(void *arg, const uint8_t *p, size_t n)
{
	struct firing *f = arg;

	/* Cut off, it is no plan. */
	if (buf_len(&f->text) + n <= PLAN_MAX_BYTES)
		buf_put(&f->text, p, n);
}

static void
on_said(void *arg, const uint8_t *p, size_t n)
{
	struct firing *f = arg;

	if (buf_len(&f->said) + n <= SAID_MAX_BYTES)
		buf_put(&f->said, p, n);
}

static void
on_stream_end(void *arg, int error)
{
	struct firing *f = arg;

	f->open--;
	check_over(f);
}

static void
on_exit_code(void *arg, int code, int signo)
{
	struct firing *f = arg;

	f->ended = true;
	f->code = code;
	check_over(f);
}

static const struct stream_ops plan_ops = { .data = on_plan,
	.end = on_stream_end };
static const struct stream_ops said_ops = { .data = on_said,
	.end = on_stream_end };

static int
make_argv(const struct schedule *row, struct strvec *argv)
{
	struct jval *v = NULL;
	size_t i;
	int r;

	strvec_push(argv, "/proc/self/exe");
	strvec_push(argv, "plan");
	strvec_push(argv, "discover");
	if ((r = jval_parse(&v, row->options, strlen(row->options))) < 0)
		return r;
	for (i = 0; i < jval_count(v); i++)
		strvec_push(argv, jval_str(jval_at(v, i), ""));
	jval_free(v);
	strvec_push(argv, "--");
	strvec_push(argv, row->plan);
	return 0;
}

static int
start(struct firing *f, const struct strvec *argv)
{
	struct child_spec spec = { .in = CHILD_PIPE, .out = CHILD_PIPE,
		.err = CHILD_PIPE, .fd3 = -1, .session = true };
	struct loop *loop = f->s->e->loop;
	int r, fds[3];

	spec.file = argv->v[0];
	spec.argv = strvec_argv(argv);
	r = child_start(loop, &spec, on_exit_code, f, &f->child, fds);
	if (r < 0)
		return r;
	f->in_fd = fds[0];
	if ((r = stream_new(loop, fds[1], -1, &plan_ops, f, &f->out)) < 0) {
		close(fds[1]);
		close(fds[2]);
		return r;
	}
	if ((r = stream_new(loop, fds[2], -1, &said_ops, f, &f->err)) < 0)
		close(fds[2]);
	f->open = 2;
	return r;
}

void
schedule_fire(struct schedules *s, const struct entry *en, const char *run,
    int64_t at_us)
{
	struct firing *f = mem_zalloc(sizeof *f);
	struct strvec argv = STRVEC_INIT;
	int r;

	f->s = s;
	f->name = str_dup(en->row.name);
	f->when = str_dup(en->row.when);
	f->plan = str_dup(en->row.plan);
	memcpy(f->run, run, sizeof f->run);
	f->at_us = at_us;
	f->in_fd = -1;
	TAILQ_INSERT_TAIL(&s->firings, f, entry);
	if ((r = make_argv(&en->row, &argv)) < 0 ||
	    (r = start(f, &argv)) < 0)
		fail(f, err_text(r));
	strvec_done(&argv);
}

bool
schedule_is_firing(const struct schedules *s, const char *name)
{
	const struct firing *f;

	TAILQ_FOREACH(f, &s->firings, entry)
		if (strcmp(f->name, name) == 0)
			return true;
	return false;
}

void
schedule_give_up(struct schedules *s)
{
	struct firing *f;

	while ((f = TAILQ_FIRST(&s->firings)) != NULL)
		fail(f, "the console ended while the plan was being loaded");
}
