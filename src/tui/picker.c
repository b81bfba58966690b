/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Choosing one of a list. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/mem.h"
#include "tui/console.h"
#include "tui/dialog.h"
#include "tui/picker.h"

#define WIDTH 72

struct pick {
	int value;
	char letter;
	char *text, *effect;
	bool off;
};

struct picker {
	struct view v;
	char *title;
	bool stay;
	void (*chosen)(struct tui *t, int value);
	struct pick *v_picks;
	size_t n, cap, at;
};

static void
view_free(struct view *v)
{
	struct picker *p = (struct picker *)v;
	size_t i;

	for (i = 0; i < p->n; i++) {
		free(p->v_picks[i].text);
		free(p->v_picks[i].effect);
	}
	free(p->v_picks);
	free(p->title);
	free(p);
}

static void
choose(struct picker *p, size_t i)
{
	void (*chosen)(struct tui *t, int value) = p->chosen;
	struct tui *t = p->v.t;
	int value = p->v_picks[i].value;

	if (p->v_picks[i].off) {
		tui_status(t, ROLE_STATUS_WARN, "refused: read-only");
		return;
	}
	p->at = i;
	if (!p->stay)
		tui_close(t, &p->v);
	chosen(t, value);
}

static bool
key(struct view *v, uint32_t k)
{
	struct picker *p = (struct picker *)v;
	size_t i;

	if (k == YK_UP || k == YK_DOWN || k == YK_ENTER || k == YK_ESC)
		return false;
	for (i = 0; i < p->n; i++) {
		if (p->v_picks[i].letter == 0 ||
		    (uint32_t)p->v_picks[i].letter != k)
			continue;
		choose(p, i);
		return true;
	}
	return false;
}

static bool
act(struct view *v, enum action_id id)
{
	struct picker *p = (struct picker *)v;

	if (id == ACT_BACK)
		tui_close(v->t, v);
	else if (id == ACT_UP)
		p->at -= p->at > 0;
	else if (id == ACT_DOWN)
		p->at += p->at + 1 < p->n;
	else if (id == ACT_OPEN)
		choose(p, p->at);
	return true;
}

static void
draw_pick(const struct picker *p, struct surface *s, struct rect r, size_t i)
{
	const struct pick *k = &p->v_picks[i];
	struct style key_style = { k->off ? ROLE_KEY_OFF : ROLE_KEY, 0 };
	struct style text = { k->off ? ROLE_KEY_OFF : ROLE_DIALOG, 0 };
	struct style dim = { ROLE_DIM, 0 };
	int x = r.x + 6;

	if (i == p->at) {
		surface_text(s, r.x, r.y, 1, (struct style){ ROLE_CURSOR, 0 },
		    ">");
		surface_cursor(s, r.x, r.y);
	}
	if (k->letter != 0)
		surface_textn(s, r.x + 2, r.y, 1, key_style, &k->letter, 1);
	x += surface_text(s, x, r.y, r.x + r.w - x, text, k->text) + 2;
	surface_text(s, x, r.y, r.x + r.w - x, dim, k->effect);
}

static void
draw(struct view *v, struct surface *s, struct rect body)
{
	struct picker *p = (struct picker *)v;
	struct rect r, row;
	size_t i, first = 0;

	r = dialog_frame(s, body, WIDTH, (int)p->n, p->title);
	if (p->at >= (size_t)r.h)
		first = p->at - (size_t)r.h + 1;
	row = r;
	for (i = first; i < p->n && row.y < r.y + r.h; i++, row.y++)
		draw_pick(p, s, row, i);
}

static const struct view_ops picker_ops = {
	.listens = LISTEN_DIALOG, .overlay = true, .draw = draw, .act = act,
	.key = key, .free = view_free,
};

struct picker *
picker_new(struct tui *t, const char *title, bool stay,
    void (*chosen)(struct tui *t, int value))
{
	struct picker *p = mem_zalloc(sizeof(*p));

	p->v.ops = &picker_ops;
	p->v.t = t;
	p->title = str_dup(title);
	p->stay = stay;
	p->chosen = chosen;
	return p;
}

void
picker_add(struct picker *p, int value, char letter, const char *text,
    const char *effect, bool off)
{
	struct pick *k;

	p->v_picks = mem_grow(p->v_picks, &p->cap, p->n + 1,
	    sizeof(*p->v_picks));
	k = &p->v_picks[p->n++];
	k->value = value;
	k->letter = letter;
	k->text = str_dup(text);
	k->effect = str_dup(effect);
	k->off = off;
}

void
picker_set(struct picker *p, int value, const char *text)
{
	size_t i;

	for (i = 0; i < p->n; i++) {
		if (p->v_picks[i].value != value)
			continue;
		free(p->v_picks[i].text);
		p->v_picks[i].text = str_dup(text);
	}
}

bool
picker_show(struct picker *p)
{
	if (p->n == 0) {
		view_free(&p->v);
		return false;
	}
	tui_push(p->v.t, &p->v);
	return true;
}
