/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The console on a terminal and a loop. Keys are taken as they come; at the
 * end of a turn at most one frame is made. What changed by keys is drawn at
 * once, what changed by data a few times a second, and ages once a second.
 */
#include "config.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "tui/attention.h"
#include "tui/console.h"
#include "tui/screen.h"
#include "tui/viewstate.h"

#define DATA_FRAME_US (200 * US_PER_MS)
#define TICK_US US_PER_S

struct terminal {
	struct tui tui;
	struct watch *input;
	struct sigwatch *resize, *ends[3];
	bool resized;
};

static void
on_ready(void *arg)
{
	struct tui *t = arg;

	t->dirty = true;
}

static void
on_change(void *arg)
{
	struct tui *t = arg;

	t->touched = true;
}

/* All keys that have come, before anything is drawn. */
static void
on_input(void *arg, unsigned events)
{
	struct tui *t = arg;
	uint32_t key;

	t->now_us = clock_mono_us();
	t->now_wall_us = clock_wall_us();
	while (!t->quit && (key = screen_key(t->screen)) != YK_NONE)
		console_key(t, key);
	if (screen_gone(t->screen))
		loop_stop(t->loop);
}

static void
on_resize(void *arg, int signo)
{
	struct terminal *tm = arg;

	tm->resized = true;
	tm->tui.dirty = true;
}

static void
on_end(void *arg, int signo)
{
	struct terminal *tm = arg;

	loop_stop(tm->tui.loop);
}

static void
on_tick(void *arg)
{
	struct tui *t = arg;

	console_update(t, !t->frozen);
	t->dirty = true;
	timer_start(t->tick, TICK_US);
}

static void
on_later(void *arg)
{
	struct tui *t = arg;

	t->touched = true;
}

static void
apply_resize(struct terminal *tm)
{
	struct tui *t = &tm->tui;
	int w, h;

	tm->resized = false;
	screen_size(t->screen, &w, &h);
	if (w == t->surface->w && h == t->surface->h)
		return;
	surface_resize(t->surface, w, h);
	screen_forget(t->screen);
}

/* The end of a turn: draws now, or sees to it that it is done soon. */
static void
on_turn(void *arg)
{
	struct terminal *tm = arg;
	struct tui *t = &tm->tui;
	int64_t now;

	if (tm->resized)
		apply_resize(tm);
	if (t->touched && !t->frozen) {
		now = clock_mono_us();
		if (now - t->draw_us >= DATA_FRAME_US) {
			t->touched = false;
			console_update(t, false);
			t->dirty = true;
		} else if (!timer_armed(t->later)) {
			timer_start(t->later,
			    DATA_FRAME_US - (now - t->draw_us));
		}
	}
	if (!t->dirty || !screen_ready(t->screen))
		return;
	t->dirty = false;
	console_draw(t);
	screen_show(t->screen, t->surface, &t->theme);
}

static int
watch_all(struct terminal *tm)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP };
	struct loop *loop = tm->tui.loop;
	size_t i;
	int r;

	r = watch_new(loop, STDIN_FILENO, WATCH_READ, on_input, &tm->tui,
	    &tm->input);
	if (r == 0)
		r = sigwatch_new(loop, SIGWINCH, on_resize, tm, &tm->resize);
	for (i = 0; r == 0 && i < 3; i++)
		r = sigwatch_new(loop, ends[i], on_end, tm, &tm->ends[i]);
	tm->tui.tick = timer_new(loop, on_tick, &tm->tui);
	tm->tui.later = timer_new(loop, on_later, &tm->tui);
	loop_hook(loop, on_turn, tm);
	return r;
}

static void
unwatch_all(struct terminal *tm)
{
	size_t i;

	loop_unhook(tm->tui.loop, on_turn, tm);
	timer_free(tm->tui.tick);
	timer_free(tm->tui.later);
	watch_free(tm->input);
	sigwatch_free(tm->resize);
	for (i = 0; i < 3; i++)
		sigwatch_free(tm->ends[i]);
}

/* Fills ds with what the console found, for who reads it afterwards. */
static void
copy_diags(const struct tui *t, struct diags *ds)
{
	const struct diag *d;
	size_t i;

	for (i = 0; i < t->diags.n; i++) {
		d = &t->diags.v[i];
		diag_set_hint(diag_add(ds, DIAG_WARNING, d->file, d->line,
		    d->path, "%s", d->text), "%s",
		    d->hint != NULL ? d->hint : "");
	}
}

static int
run(struct terminal *tm, const char *note)
{
	struct tui *t = &tm->tui;
	int r;

	viewstate_load(t);
	if (*note != '\0')
		tui_status(t, ROLE_STATUS_WARN, "%s", note);
	if (t->opts->launch != NULL)
		tui_run_action(t, action_find("launch"), t->opts->launch);
	if ((r = watch_all(tm)) == 0) {
		engine_on_change(t->engine, on_change, t);
		engine_interactive(t->engine, true);
		timer_start(t->tick, TICK_US);
		console_draw(t);
		screen_show(t->screen, t->surface, &t->theme);
		r = loop_run(t->loop);
		engine_interactive(t->engine, false);
		engine_on_change(t->engine, NULL, NULL);
	}
	unwatch_all(tm);
	viewstate_save(t);
	return r;
}

int
tui_run(struct loop *loop, struct engine *engine,
    const struct tui_opts *opts, struct diags *ds)
{
	struct terminal *tm = mem_zalloc(sizeof(*tm));
	struct screen *screen;
	char note[120];
	int r, w, h;

	r = screen_open(loop, opts->color, on_ready, &tm->tui, note,
	    sizeof(note), &screen);
	if (r < 0) {
		free(tm);
		return r;
	}
	screen_size(screen, &w, &h);
	console_init(&tm->tui, loop, engine, opts, w, h,
	    screen_is_utf8(screen));
	tm->tui.screen = screen;
	r = run(tm, note);
	screen_close(screen);
	copy_diags(&tm->tui, ds);
	console_done(&tm->tui);
	free(tm);
	return r;
}
