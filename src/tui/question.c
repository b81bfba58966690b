/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What links ask: host keys (with their fingerprint) and passphrases. It is
 * never shown unasked; one answer leads to the next question.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/mem.h"
#include "tui/cells.h"
#include "tui/dialog.h"
#include "tui/lineedit.h"
#include "tui/targets.h"

#define WIDTH 76

struct question {
	struct view v;
	size_t agent;
	char *text;		/* as it was shown: the answer is for it */
	bool secret;
	struct lineedit line;
};

static bool question_open(struct tui *t, size_t from);

/* The question as it stands now; NULL when it is over or another one. */
static const struct agent *
still_asks(const struct question *q)
{
	const struct agent *a = engine_agent(q->v.t->engine, q->agent);

	return a->question != NULL && strcmp(a->question, q->text) == 0 ? a
	    : NULL;
}

static void
answer(struct question *q, const char *text)
{
	const struct agent *a = still_asks(q);
	struct tui *t = q->v.t;
	size_t agent = q->agent;

	if (a == NULL) {
		tui_status(t, ROLE_STATUS_WARN,
		    "it no longer asks that; nothing was sent");
	} else {
		engine_answer(t->engine, a->name, text);
		tui_status(t, ROLE_STATUS, "%s: answered", a->name);
	}
	tui_close(t, &q->v);
	question_open(t, agent + 1);
}

static bool
key(struct view *v, uint32_t k)
{
	struct question *q = (struct question *)v;

	if (k == YK_ESC)
		tui_close(v->t, v);
	else if (q->secret && k == YK_ENTER)
		answer(q, q->line.text);
	else if (q->secret)
		lineedit_key(&q->line, k);
	else if (k == 'n')
		answer(q, "no");
	else
		return false;
	return true;
}

static bool
act(struct view *v, enum action_id id)
{
	struct question *q = (struct question *)v;

	if (id == ACT_CONFIRM && !q->secret)
		answer(q, "yes");
	else if (id == ACT_BACK || id == ACT_OPEN)
		tui_close(v->t, v);
	return true;
}

static void
draw(struct view *v, struct surface *s, struct rect body)
{
	struct question *q = (struct question *)v;
	const struct agent *a = engine_agent(v->t->engine, q->agent);
	struct style plain = { ROLE_DIALOG, 0 };
	struct style field = { ROLE_FIELD_FOCUS, 0 };
	struct lines lines = { .n = 0 };
	struct rect r;
	int x, y;

	lines_fact(&lines, "agent", ROLE_STRONG, "%s", a->name);
	lines_fact(&lines, "at", ROLE_DIALOG, "%s",
	    a->host != NULL ? a->host : "");
	lines_add(&lines, ROLE_DIALOG, "%s", "");
	lines_wrap(&lines, ROLE_DIALOG, WIDTH < body.w - 4 ? WIDTH
	    : body.w - 4, 0, q->text);
	r = dialog_frame(s, body, WIDTH, (int)lines.n + 2, "A host asks");
	lines_draw(&lines, 0, s, (struct rect){ r.x, r.y, r.w, r.h - 2 });
	lines_done(&lines);
	y = r.y + r.h - 1;
	if (q->secret) {
		x = r.x + surface_text(s, r.x, y, r.w, plain,
		    "Enter sends, Esc later: ");
		lineedit_draw(&q->line, s, x, y, r.x + r.w - x, field, true);
		return;
	}
	x = dialog_button(s, r.x, y, "Later", true);
	surface_text(s, x, y, r.x + r.w - x, plain,
	    "y: yes, trust it    n: no, refuse it");
}

static void
view_free(struct view *v)
{
	struct question *q = (struct question *)v;

	lineedit_done(&q->line);
	free(q->text);
	free(q);
}

static const struct view_ops question_ops = {
	.listens = LISTEN_DIALOG, .overlay = true, .draw = draw, .act = act,
	.key = key, .free = view_free,
};

/* A question of yes or no names a fingerprint or says so; anything else is a
 * secret and must not be seen. */
static bool
is_yes_no(const char *text)
{
	return strcasestr(text, "fingerprint") != NULL ||
	    strcasestr(text, "yes/no") != NULL ||
	    strcasestr(text, "host key") != NULL;
}

/* Opens the first question at or after an agent, round the end. */
static bool
question_open(struct tui *t, size_t from)
{
	size_t i, n = engine_agent_count(t->engine);
	const struct agent *a;
	struct question *q;

	for (i = 0; i < n; i++) {
		a = engine_agent(t->engine, (from + i) % n);
		if (a->question == NULL)
			continue;
		q = mem_zalloc(sizeof(*q));
		q->v.ops = &question_ops;
		q->v.t = t;
		q->agent = (from + i) % n;
		q->text = str_dup(a->question);
		q->secret = !is_yes_no(a->question);
		q->line.hidden = true;
		tui_push(t, &q->v);
		return true;
	}
	return false;
}

void
act_answer(struct tui *t, int n, const char *arg)
{
	struct object o;
	size_t from = 0;

	if (tui_is_read_only(t)) {
		tui_status(t, ROLE_STATUS_WARN, "read-only: not answered");
		return;
	}
	if (tui_object(t, &o)) {
		object_resolve(t, &o);
		if (o.kind == OBJ_AGENT)
			from = o.agent_no;
	}
	if (!question_open(t, from))
		tui_status(t, ROLE_STATUS, "no host asks anything");
}
