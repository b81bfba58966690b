/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Waiting for the tests of a plan. Finding them runs commands of the plan, so
 * it is done by "yardmaster plan discover" as a child, and the screen goes
 * on. The child ends when its standard input is closed: on Esc, when the
 * console ends, and when it dies.
 */
#include "config.h"

#include <stdlib.h>
#include <unistd.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/loop.h"
#include "tui/dialog.h"
#include "tui/launch.h"
#include "tui/lines.h"

#define WIDTH 72
#define PLAN_MAX_BYTES (256u << 20)
#define SAID_MAX_BYTES (32u << 10)

struct discovering {
	struct view v;
	char *path;
	struct child *child;
	int in_fd;		/* open as long as it is wanted, or -1 */
	struct stream *out, *err;
	struct buf plan, said;
	int open;		/* streams that did not end */
	bool ended;		/* the child did */
	int code;
	int64_t started_us;
	bool failed;		/* lines say why */
	struct lines lines;
	size_t first;
};

static void
let_go(struct discovering *d)
{
	child_free(d->child);
	stream_free(d->out);
	stream_free(d->err);
	if (d->in_fd >= 0)
		close(d->in_fd);
	d->child = NULL;
	d->out = d->err = NULL;
	d->in_fd = -1;
}

static void
fail(struct discovering *d, const char *why)
{
	lines_wrap(&d->lines, ROLE_BAD, WIDTH, 0,
	    buf_len(&d->said) > 0 ? buf_str(&d->said) : why);
	d->failed = true;
	d->v.t->dirty = true;
	let_go(d);
}

/* All has come: on to the preview, or what is wrong. */
static void
check_over(struct discovering *d)
{
	struct tui *t = d->v.t;
	struct plan *p = NULL;
	int r;

	if (d->open > 0 || !d->ended || d->failed)
		return;
	if (d->code != 0) {
		fail(d, "the discovery ended without a word");
		return;
	}
	r = plan_from_snapshot(buf_str(&d->plan), buf_len(&d->plan), &p);
	if (r < 0) {
		fail(d, err_text(r));
		return;
	}
	tui_close(t, &d->v);
	launch_open(t, p);
}

static void
on_plan(void *arg, const uint8_t *p, size_t n)
{
	struct discovering *d = arg;

	if (buf_len(&d->plan) + n > PLAN_MAX_BYTES)
		fail(d, "the plan is too large");
	else
		buf_put(&d->plan, p, n);
}

static void
on_said(void *arg, const uint8_t *p, size_t n)
{
	struct discovering *d = arg;

	if (buf_len(&d->said) + n <= SAID_MAX_BYTES)
		buf_put(&d->said, p, n);
}

static void
on_stream_end(void *arg, int error)
{
	struct discovering *d = arg;

	d->open--;
	check_over(d);
}

static void
on_exit_code(void *arg, int code, int signo)
{
	struct discovering *d = arg;

	d->ended = true;
	d->code = code;
	check_over(d);
}

static const struct stream_ops plan_ops = { .data = on_plan,
	.end = on_stream_end };
static const struct stream_ops said_ops = { .data = on_said,
	.end = on_stream_end };

static int
start(struct discovering *d)
{
	const char *program = d->v.t->opts->program;
	const char *words[] = { program != NULL ? program : "/proc/self/exe",
		"plan", "discover", "--", d->path };
	struct child_spec spec = { .in = CHILD_PIPE, .out = CHILD_PIPE,
		.err = CHILD_PIPE, .fd3 = -1, .session = true };
	struct strvec argv = STRVEC_INIT;
	struct loop *loop = d->v.t->loop;
	int r, fds[3];
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		strvec_push(&argv, words[i]);
	spec.file = words[0];
	spec.argv = strvec_argv(&argv);
	r = child_start(loop, &spec, on_exit_code, d, &d->child, fds);
	strvec_done(&argv);
	if (r < 0)
		return r;
	d->in_fd = fds[0];
	r = stream_new(loop, fds[1], -1, &plan_ops, d, &d->out);
	if (r < 0)
		close(fds[1]);
	else
		d->open++;
	if (r == 0)
		r = stream_new(loop, fds[2], -1, &said_ops, d, &d->err);
	if (d->err == NULL)
		close(fds[2]);
	else
		d->open++;
	return r;
}

static bool
act(struct view *v, enum action_id id)
{
	struct discovering *d = (struct discovering *)v;
	struct tui *t = v->t;

	if (id == ACT_BACK || (id == ACT_OPEN && d->failed)) {
		if (!d->failed)
			tui_status(t, ROLE_STATUS, "discovery given up");
		tui_close(t, v);
	} else if (id == ACT_DOWN) {
		d->first += d->first + 1 < d->lines.n;
	} else if (id == ACT_UP) {
		d->first -= d->first > 0;
	}
	return true;
}

static void
draw(struct view *v, struct surface *s, struct rect body)
{
	struct discovering *d = (struct discovering *)v;
	struct style plain = { ROLE_DIALOG, 0 };
	char age[DURATION_TEXT];
	struct rect r;

	r = dialog_frame(s, body, WIDTH, d->failed ? (int)d->lines.n + 2 : 2,
	    d->failed ? "The tests were not found" : "Launch");
	if (r.h < 1)
		return;
	if (d->failed) {
		surface_text(s, r.x, r.y + r.h - 1, r.w, plain, "Esc closes");
		r.h--;
		lines_draw(&d->lines, d->first, s, r);
		return;
	}
	surface_printf(s, r.x, r.y, r.w, plain,
	    "discovering the tests, %s; Esc gives up",
	    tui_age(v->t, d->started_us, age));
	if (r.h > 1)
		surface_text(s, r.x, r.y + 1, r.w,
		    (struct style){ ROLE_DIM, 0 }, d->path);
}

static void
view_free(struct view *v)
{
	struct discovering *d = (struct discovering *)v;

	let_go(d);
	buf_done(&d->plan);
	buf_done(&d->said);
	lines_done(&d->lines);
	free(d->path);
	free(d);
}

static const struct view_ops discovering_ops = {
	.listens = LISTEN_DIALOG, .overlay = true, .draw = draw, .act = act,
	.free = view_free,
};

void
discovering_open(struct tui *t, const char *path)
{
	struct discovering *d = mem_zalloc(sizeof(*d));
	int r;

	d->v.ops = &discovering_ops;
	d->v.t = t;
	d->path = str_dup(path);
	d->in_fd = -1;
	d->started_us = t->now_us;
	tui_push(t, &d->v);
	if ((r = start(d)) < 0)
		fail(d, err_text(r));
}
