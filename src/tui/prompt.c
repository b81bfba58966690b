/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The line at the bottom where a filter, a search or a command is typed. A
 * filter works while it is typed; a command completes with Tab.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/mem.h"
#include "tui/cells.h"
#include "tui/command.h"
#include "tui/lineedit.h"

enum prompt_kind { PROMPT_FILTER, PROMPT_SEARCH, PROMPT_COMMAND };

struct prompt {
	struct view v;
	enum prompt_kind kind;
	struct lineedit line;
	char *before;		/* the filter that was, or NULL */
	char hint[160];		/* completions, or what is wrong */
};

static const char *const labels[] = { [PROMPT_FILTER] = "filter: ",
	[PROMPT_SEARCH] = "search: ", [PROMPT_COMMAND] = ":" };

static struct expression *
target(struct prompt *p, struct finder **ret)
{
	struct finder *f = tui_finder(p->v.t);

	*ret = f;
	if (f == NULL || p->kind == PROMPT_COMMAND)
		return NULL;
	return p->kind == PROMPT_FILTER ? &f->filter : &f->search;
}

/* Rows follow the filter at once, in their own order. */
static void
rebuild(struct tui *t)
{
	struct view *v = tui_page(t);

	if (v->ops->table != NULL)
		table_rebuild(v->ops->table(v), false);
	else if (v->ops->update != NULL)
		v->ops->update(v);
	t->dirty = true;
}

static void
changed(struct prompt *p)
{
	struct finder *f;
	struct expression *e = target(p, &f);

	p->hint[0] = '\0';
	if (e == NULL) {
		command_hint(p->line.text, p->hint, sizeof(p->hint));
		return;
	}
	finder_set(f, e, p->line.text);
	if (e->error != NULL)
		snprintf(p->hint, sizeof(p->hint), "%s", e->error);
	else if (p->kind == PROMPT_FILTER)
		rebuild(p->v.t);
}

static void
cancel(struct prompt *p)
{
	struct tui *t = p->v.t;
	struct finder *f;
	struct expression *e = target(p, &f);

	if (e != NULL) {
		finder_set(f, e, p->before);
		rebuild(t);
	}
	tui_close(t, &p->v);
}

static void
accept(struct prompt *p)
{
	struct tui *t = p->v.t;
	enum prompt_kind kind = p->kind;
	char *text = str_dup(p->line.text);
	struct view *page;

	tui_close(t, &p->v);
	page = tui_page(t);
	if (kind == PROMPT_COMMAND)
		command_run(t, text);
	else if (kind == PROMPT_SEARCH && page->ops->act != NULL)
		page->ops->act(page, ACT_SEARCH_NEXT);
	free(text);
}

static bool
key(struct view *v, uint32_t k)
{
	struct prompt *p = (struct prompt *)v;

	if (k == YK_ENTER) {
		accept(p);
	} else if (k == YK_ESC || (k == YK_BACKSPACE && p->line.n == 0)) {
		cancel(p);
	} else if (k == YK_TAB && p->kind == PROMPT_COMMAND) {
		command_complete(&p->line, p->hint, sizeof(p->hint));
	} else if (k == YK_UP || k == YK_DOWN) {
		return p->kind != PROMPT_FILTER;
	} else if (lineedit_key(&p->line, k)) {
		changed(p);
	}
	return true;
}

static bool
act(struct view *v, enum action_id id)
{
	struct view *page = tui_page(v->t);

	if (id == ACT_BACK)
		cancel((struct prompt *)v);
	else if (page->ops->act != NULL && (id == ACT_UP || id == ACT_DOWN))
		page->ops->act(page, id);
	return true;
}

static void
draw(struct view *v, struct surface *s, struct rect r)
{
	struct prompt *p = (struct prompt *)v;
	struct style style = { ROLE_FIELD_FOCUS, 0 };
	struct style label = { ROLE_STRONG, 0 }, dim = { ROLE_DIM, 0 };
	int y = r.y + r.h, x, hint = (int)strlen(p->hint), w;

	surface_fill(s, (struct rect){ 0, y, s->w, 1 }, dim);
	x = surface_text(s, 0, y, s->w, label, labels[p->kind]);
	if (hint > s->w / 2)
		hint = s->w / 2;
	w = s->w - x - hint - (hint > 0);
	lineedit_draw(&p->line, s, x, y, w, style, true);
	if (hint > 0)
		surface_text(s, x + w + 1, y, hint, dim, p->hint);
}

static void
view_free(struct view *v)
{
	struct prompt *p = (struct prompt *)v;

	lineedit_done(&p->line);
	free(p->before);
	free(p);
}

static const struct view_ops prompt_ops = {
	.listens = LISTEN_DIALOG, .overlay = true, .draw = draw, .act = act,
	.key = key, .free = view_free,
};

static void
open_prompt(struct tui *t, enum prompt_kind kind)
{
	struct prompt *p = mem_zalloc(sizeof(*p));
	struct expression *e;
	struct finder *f;

	p->v.ops = &prompt_ops;
	p->v.t = t;
	p->kind = kind;
	e = target(p, &f);
	if (kind != PROMPT_COMMAND && f == NULL) {
		view_free(&p->v);
		tui_status(t, ROLE_STATUS, "nothing to look through here");
		return;
	}
	p->before = e != NULL ? str_dup(e->text) : NULL;
	if (kind == PROMPT_FILTER && p->before != NULL)
		lineedit_set(&p->line, p->before);
	tui_push(t, &p->v);
}

static void
find(struct tui *t, enum prompt_kind kind, const char *arg)
{
	struct finder *f = tui_finder(t);
	struct view *top = tui_top(t);
	struct expression *e;

	/* The rows below a dialog are not what its keys are about. */
	if (arg == NULL && top->ops->overlay && top->ops->act != NULL &&
	    top->ops->act(top, kind == PROMPT_FILTER ? ACT_FILTER
	    : ACT_SEARCH))
		return;
	if (arg == NULL || f == NULL) {
		open_prompt(t, kind);
		return;
	}
	e = kind == PROMPT_FILTER ? &f->filter : &f->search;
	finder_set(f, e, arg);
	if (e->error != NULL)
		tui_status(t, ROLE_STATUS_BAD, "%s", e->error);
	rebuild(t);
}

void
act_filter(struct tui *t, int n, const char *arg)
{
	find(t, PROMPT_FILTER, arg);
}

void
act_search(struct tui *t, int n, const char *arg)
{
	find(t, PROMPT_SEARCH, arg);
	if (arg != NULL)
		act_view(t, ACT_SEARCH_NEXT, NULL);
}

void
act_command(struct tui *t, int n, const char *arg)
{
	if (arg != NULL)
		command_run(t, arg);
	else
		open_prompt(t, PROMPT_COMMAND);
}
