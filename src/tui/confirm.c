/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Asking before something is done. */
#include "config.h"

#include <stdlib.h>

#include "yardmaster/base/mem.h"
#include "tui/confirm.h"
#include "tui/dialog.h"

#define WIDTH 72

struct confirm {
	struct view v;
	char *title, *label;
	struct lines lines;
	const struct confirm_ops *ops;
	void *arg;
};

static bool
act(struct view *v, enum action_id id)
{
	struct confirm *c = (struct confirm *)v;
	const struct confirm_ops *ops = c->ops;
	void *arg = c->arg;
	struct tui *t = v->t;

	if (id == ACT_CONFIRM) {
		c->arg = NULL;
		c->ops = NULL;
		tui_close(t, v);
		ops->yes(t, arg);
		if (ops->done != NULL)
			ops->done(arg);
	} else if (id == ACT_BACK || id == ACT_OPEN) {
		tui_close(t, v);
	}
	return true;
}

static void
draw(struct view *v, struct surface *s, struct rect body)
{
	struct confirm *c = (struct confirm *)v;
	struct style plain = { ROLE_DIALOG, 0 };
	char yes[KEYSEQ_TEXT];
	struct rect r, text;
	int x, y;

	r = dialog_frame(s, body, WIDTH, (int)c->lines.n + 2, c->title);
	text = r;
	text.h -= 2;
	lines_draw(&c->lines, 0, s, text);
	y = r.y + r.h - 1;
	keymap_first(&v->t->keymap, action_find("confirm"), yes);
	x = dialog_button(s, r.x, y, "Cancel", true);
	surface_printf(s, x, y, r.x + r.w - x, plain, "%s: %s", yes,
	    c->label);
}

static void
view_free(struct view *v)
{
	struct confirm *c = (struct confirm *)v;

	if (c->ops != NULL && c->ops->done != NULL)
		c->ops->done(c->arg);
	lines_done(&c->lines);
	free(c->title);
	free(c->label);
	free(c);
}

static const struct view_ops confirm_view_ops = {
	.listens = LISTEN_DIALOG, .overlay = true, .draw = draw, .act = act,
	.free = view_free,
};

void
confirm_open(struct tui *t, const char *title, const char *label,
    struct lines *lines, const struct confirm_ops *ops, void *arg)
{
	struct confirm *c = mem_zalloc(sizeof(*c));

	c->v.ops = &confirm_view_ops;
	c->v.t = t;
	c->title = str_dup(title);
	c->label = str_dup(label);
	c->lines = *lines;
	memset(lines, 0, sizeof(*lines));
	c->ops = ops;
	c->arg = arg;
	tui_push(t, &c->v);
}
