/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The stack of views, and the way of a key through it. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/mem.h"
#include "tui/attention.h"
#include "tui/cells.h"
#include "tui/console.h"
#include "tui/opform.h"

#define HOLD_US (5 * US_PER_S)
#define UPDATE_EVERY_US (100 * US_PER_MS)
#define COST_SHARE 10		/* rows are built a tenth of the time at most */
#define DEAR_US (4 * US_PER_MS)
#define KEYS_PAUSE_US (500 * US_PER_MS)

static const struct pane *const pane_tables[PANES] = {
	[0] = &pane_attention, [2] = &pane_agents, [3] = &pane_queue,
	[4] = &pane_workers, [5] = &pane_plans, [6] = &pane_runs,
	[8] = &pane_events,
};
#define PANE_ATTENTION 0
#define PANE_OVERVIEW 1
#define PANE_LOG 7
#define PANE_EVENTS 8

static struct view *
make_pane(struct tui *t, int pane)
{
	if (pane == PANE_OVERVIEW)
		return overview_new(t);
	if (pane == PANE_LOG)
		return log_view_new(t);
	return table_view_new(t, pane_tables[pane], NULL);
}

static void
load_files(struct tui *t)
{
	const struct tui_opts *o = t->opts;

	if (theme_load(&t->theme, &t->files, o->theme, &t->diags) < 0)
		theme_load(&t->theme, &t->files, "default", &t->diags);
	if (keymap_load(&t->keymap, &t->files, o->keymap, &t->diags) < 0)
		keymap_load(&t->keymap, &t->files, "default", &t->diags);
}

void
console_init(struct tui *t, struct loop *loop, struct engine *engine,
    const struct tui_opts *opts, int w, int h, bool utf8)
{
	memset(t, 0, sizeof(*t));
	t->loop = loop;
	t->engine = engine;
	t->opts = opts;
	t->files.config_dir = opts->config_dir;
	t->surface = surface_new(w, h, utf8);
	t->attention = attention_new();
	t->undo = undo_new();
	t->now_us = clock_mono_us();
	t->now_wall_us = clock_wall_us();
	t->key_us = t->now_us - HOLD_US;
	load_files(t);
	if (t->diags.n > 0)
		tui_status(t, ROLE_STATUS_WARN,
		    "%s; :diagnostics shows all", t->diags.v[0].text);
	attention_update(t);
	t->pane = PANE_OVERVIEW;
	t->panes[t->pane] = make_pane(t, t->pane);
	t->views[0] = t->panes[t->pane];
	t->n_views = 1;
	console_update(t, true);
}

void
console_done(struct tui *t)
{
	int i;

	while (t->n_views > 1)
		tui_pop(t);
	for (i = 0; i < PANES; i++)
		if (t->panes[i] != NULL)
			t->panes[i]->ops->free(t->panes[i]);
	batches_done(t);
	undo_free(t->undo);
	plan_cache_free(t->plans);
	attention_free(t->attention);
	keymap_done(&t->keymap);
	diags_done(&t->diags);
	surface_free(t->surface);
}

struct view *
tui_top(const struct tui *t)
{
	return t->views[t->n_views - 1];
}

struct view *
tui_page(const struct tui *t)
{
	int i = t->n_views - 1;

	while (i > 0 && t->views[i]->ops->overlay)
		i--;
	return t->views[i];
}

static void
update_page(struct tui *t)
{
	struct view *v = tui_page(t);

	if (v->ops->update != NULL)
		v->ops->update(v);
	t->dirty = true;
}

void
tui_push(struct tui *t, struct view *v)
{
	if (t->n_views == VIEWS_MAX) {
		v->ops->free(v);
		tui_status(t, ROLE_STATUS_WARN, "too many pages; go back");
		return;
	}
	t->views[t->n_views++] = v;
	if (!v->ops->overlay)
		update_page(t);
	t->dirty = true;
}

void
tui_pop(struct tui *t)
{
	struct view *v;

	if (t->n_views == 1)
		return;
	v = t->views[--t->n_views];
	t->views[t->n_views] = NULL;
	if (!v->ops->overlay)
		update_page(t);
	v->ops->free(v);
	t->dirty = true;
}

void
tui_close(struct tui *t, struct view *v)
{
	int i;

	for (i = t->n_views - 1; i > 0; i--)
		if (t->views[i] == v)
			break;
	while (i > 0 && t->n_views > i)
		tui_pop(t);
}

void
tui_go(struct tui *t, int pane)
{
	while (t->n_views > 1)
		tui_pop(t);
	if (t->pane == PANE_EVENTS && pane != PANE_EVENTS &&
	    engine_event_count(t->engine) > 0)
		t->events_seen = engine_event(t->engine,
		    engine_event_count(t->engine) - 1)->seq;
	if (t->panes[pane] == NULL)
		t->panes[pane] = make_pane(t, pane);
	t->pane = pane;
	t->views[0] = t->panes[pane];
	update_page(t);
}

struct table *
tui_table(const struct tui *t)
{
	struct view *v = tui_page(t);

	return v->ops->table != NULL ? v->ops->table(v) : NULL;
}

struct finder *
tui_finder(const struct tui *t)
{
	struct view *v = tui_page(t);

	return v->ops->finder != NULL ? v->ops->finder(v) : NULL;
}

bool
tui_object(const struct tui *t, struct object *ret)
{
	struct table *tb = tui_table(t);

	memset(ret, 0, sizeof(*ret));
	return tb != NULL && table_object(tb, ret);
}

bool
tui_is_read_only(const struct tui *t)
{
	return t->read_only || engine_read_only(t->engine);
}

void
tui_run_action(struct tui *t, int action, const char *arg)
{
	const struct action *a = &actions[action];

	if (a->class != ACTION_VIEW && tui_is_read_only(t)) {
		tui_status(t, ROLE_STATUS_WARN, "read-only: %s is refused%s",
		    a->name, t->read_only ? "; :read-only allows it again"
		    : "");
		return;
	}
	a->fn(t, a->n, arg);
	t->dirty = true;
}

/* What every page does that its view does not do itself. */
static void
page_back(struct tui *t)
{
	struct finder *f = tui_finder(t);
	struct view *v = tui_top(t);

	if (!v->ops->overlay && f != NULL && f->filter.text != NULL) {
		finder_set(f, &f->filter, NULL);
		update_page(t);
	} else if (t->n_views > 1) {
		tui_pop(t);
	}
}

void
act_view(struct tui *t, int n, const char *arg)
{
	struct view *v = tui_top(t);

	if (v->ops->act != NULL && v->ops->act(v, (enum action_id)n))
		return;
	if (n == ACT_BACK)
		page_back(t);
}

static void
unbound(struct tui *t)
{
	char text[KEYSEQ_TEXT], help[KEYSEQ_TEXT];

	keymap_first(&t->keymap, action_find("help"), help);
	tui_status(t, ROLE_STATUS, "%s does nothing here; %s shows the keys",
	    keyseq_format(&t->pending, text), help);
}

/* Follows a sequence of keys through the key map. */
static void
mapped_key(struct tui *t, uint32_t key)
{
	char text[KEYSEQ_TEXT];
	int action;

	if (key == YK_ESC && t->pending.n > 0) {
		t->pending.n = 0;
		tui_status(t, ROLE_STATUS, "%s", "");
		return;
	}
	t->pending.k[t->pending.n++] = key;
	action = keymap_resolve(&t->keymap, tui_top(t)->ops->listens,
	    &t->pending);
	if (action == KEYMAP_PREFIX && t->pending.n < KEYSEQ_MAX) {
		tui_status(t, ROLE_STATUS, "%s ...",
		    keyseq_format(&t->pending, text));
		return;
	}
	if (action < 0)
		unbound(t);
	t->pending.n = 0;
	if (action >= 0)
		tui_run_action(t, action, NULL);
}

void
console_key(struct tui *t, uint32_t key)
{
	struct view *v = tui_top(t);

	t->key_us = t->now_us;
	t->dirty = true;
	if (t->pending.n == 0) {
		t->status[0] = '\0';
		if (v->ops->key != NULL && v->ops->key(v, key))
			return;
	}
	mapped_key(t, key);
}

bool
tui_order_held(const struct tui *t)
{
	const struct table *tb = tui_table(t);

	return t->now_us - t->key_us < HOLD_US || tui_top(t)->ops->overlay ||
	    (tb != NULL && table_mark_count(tb) > 0);
}

/* Rows are built again when the model changed, but not so often that it costs
 * more than a share of the time, and, where it costs much, not while keys come
 * in: what rows show is read when they are drawn, only which there are gets
 * older. */
static bool
rows_are_due(const struct tui *t)
{
	int64_t age = t->now_us - t->update_us;
	int64_t wait = t->update_cost_us * COST_SHARE;

	if (t->update_us == 0)
		return true;
	if (wait < UPDATE_EVERY_US)
		wait = UPDATE_EVERY_US;
	if (t->update_cost_us > DEAR_US && age < HOLD_US &&
	    t->now_us - t->key_us < KEYS_PAUSE_US)
		return false;
	return t->stale && age >= wait;
}

void
console_update(struct tui *t, bool tick)
{
	uint64_t generation = engine_generation(t->engine);
	bool rows;

	t->now_us = clock_mono_us();
	t->now_wall_us = clock_wall_us();
	t->stale = generation != t->generation;
	if (t->frozen)
		return;
	rows = rows_are_due(t);
	if (rows || tick)
		attention_update(t);
	if (rows || (tick && t->pane == PANE_ATTENTION))
		update_page(t);
	if (!rows)
		return;
	t->generation = generation;
	t->stale = false;
	t->update_us = clock_mono_us();
	t->update_cost_us = t->update_us - t->now_us;
}

void
console_draw(struct tui *t)
{
	struct surface *s = t->surface;
	struct rect body;
	int i;

	surface_clear(s);
	if (s->w < 30 || s->h < 5) {
		frame_draw_tiny(t, s);
		return;
	}
	body = frame_draw(t, s);
	for (i = t->n_views - 1; i > 0 && t->views[i]->ops->overlay; i--)
		continue;
	for (; i < t->n_views; i++)
		t->views[i]->ops->draw(t->views[i], s, body);
	t->draw_us = t->now_us;
}

char *
tui_age(const struct tui *t, int64_t since_us, char *out)
{
	out[0] = '\0';
	if (since_us > 0)
		duration_coarse(t->now_us > since_us ? t->now_us - since_us
		    : 0, out);
	return out;
}

void
tui_exec_name(const struct execution *x, struct buf *out)
{
	if (x->suite != NULL && x->suite != x->test) {
		buf_puts(out, x->suite);
		buf_putc(out, '/');
	}
	buf_puts(out, x->test != NULL ? x->test : "?");
}

size_t
tui_plan_count(const struct tui *t)
{
	return t->opts->plans != NULL ? t->opts->plans->n : 0;
}

const char *
tui_plan(const struct tui *t, size_t i)
{
	return t->opts->plans->v[i];
}

const char *
plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}
