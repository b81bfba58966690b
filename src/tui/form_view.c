/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The dialog of a form. It goes from its fields (where there are any) to the
 * preview of every target, and by the key that confirms, or a number that is
 * typed, to the results. Until then nothing has changed.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/mem.h"
#include "tui/console.h"
#include "tui/dialog.h"
#include "tui/lineedit.h"
#include "tui/opform.h"

#define WIDTH 92
#define TYPED_FROM 10		/* more targets than this ask for a number */

enum stage { STAGE_FIELDS, STAGE_PREVIEW, STAGE_RESULT };

struct form_view {
	struct view v;
	struct batch *batch;
	enum stage stage;
	struct lineedit fields[FORM_FIELDS];
	struct lineedit typed;	/* the number of targets, where it is asked */
	int focus;
	size_t first;		/* target shown first */
	bool leaving;		/* Esc was pressed once on edited fields */
	char *error;
};

static int
field_count(const struct form_view *fv)
{
	const struct form_info *info = form_info(fv->batch->form);
	int n = 0;

	while (n < FORM_FIELDS && info->fields[n] != NULL)
		n++;
	return fv->batch->is_undo ? 0 : n;
}

static size_t
asked_count(const struct batch *b)
{
	size_t i, n = 0;

	for (i = 0; i < b->n; i++)
		n += b->targets[i].state == TARGET_ASKED;
	return n;
}

/* Destroying many, or anything in a protected fleet, wants a number. */
static bool
wants_number(const struct form_view *fv)
{
	const struct batch *b = fv->batch;

	return form_info(b->form)->destroys &&
	    (asked_count(b) > TYPED_FROM || b->t->opts->protected_fleet);
}

static void
set_error(struct form_view *fv, char *text)
{
	free(fv->error);
	fv->error = text;
}

static void
preview(struct form_view *fv)
{
	const char *fields[FORM_FIELDS];
	char *error = NULL;
	int i;

	for (i = 0; i < FORM_FIELDS; i++)
		fields[i] = fv->fields[i].text;
	if (!batch_preview(fv->batch, fields, &error)) {
		set_error(fv, error);
		return;
	}
	set_error(fv, NULL);
	fv->stage = STAGE_PREVIEW;
	fv->first = 0;
	lineedit_set(&fv->typed, "");
}

/* True when what a target showed at the preview is no longer so. */
static bool
changed_since(const struct batch *b)
{
	const struct target *tg;
	const struct facts *f;
	size_t i;
	int no;

	for (i = 0; i < b->n; i++) {
		tg = &b->targets[i];
		no = engine_agent_find(b->t->engine, tg->op.agent);
		if (tg->op.kind != OP_SET || tg->key != NULL ||
		    tg->state != TARGET_ASKED || no < 0)
			continue;
		f = &engine_agent(b->t->engine, (size_t)no)->facts;
		if (!guards_equal(&f->guards, &tg->old_guards,
		    tg->op.set_guards) ||
		    f->max_workers != tg->old_max ||
		    !threshold_equal(&f->threshold, &tg->old_threshold))
			return true;
	}
	return false;
}

static void
confirm(struct form_view *fv)
{
	char *want;
	bool right;

	if (asked_count(fv->batch) == 0) {
		set_error(fv, str_dup("nothing is left to do"));
		return;
	}
	if (wants_number(fv)) {
		want = str_fmt("%zu", asked_count(fv->batch));
		right = strcmp(fv->typed.text, want) == 0;
		if (!right)
			set_error(fv, str_fmt("type %s and press Enter",
			    want));
		free(want);
		if (!right)
			return;
	}
	if (!fv->batch->is_undo && changed_since(fv->batch)) {
		preview(fv);
		set_error(fv, str_dup("a value changed meanwhile; this is the "
		    "new preview"));
		return;
	}
	set_error(fv, NULL);
	fv->stage = STAGE_RESULT;
	batch_apply(fv->batch);		/* may free fv */
}

/* Esc: one step back; edited fields are not dropped by a single key. */
static void
back(struct form_view *fv)
{
	bool edited = false;
	int i;

	if (fv->stage == STAGE_PREVIEW && field_count(fv) > 0) {
		fv->stage = STAGE_FIELDS;
		set_error(fv, NULL);
		return;
	}
	for (i = 0; i < field_count(fv); i++)
		edited |= fv->fields[i].changed && fv->fields[i].n > 0;
	if (fv->stage == STAGE_FIELDS && edited && !fv->leaving) {
		fv->leaving = true;
		set_error(fv, str_dup("Esc again leaves without a change"));
		return;
	}
	tui_close(fv->v.t, &fv->v);
}

static bool
act(struct view *v, enum action_id id)
{
	struct form_view *fv = (struct form_view *)v;
	int n = field_count(fv);

	switch (id) {
	case ACT_BACK:
		back(fv);
		return true;
	case ACT_OPEN:
		if (fv->stage == STAGE_FIELDS)
			preview(fv);
		else if (fv->stage == STAGE_PREVIEW && wants_number(fv) &&
		    fv->typed.n > 0)
			confirm(fv);
		else
			back(fv);	/* Cancel is what Enter means */
		return true;
	case ACT_CONFIRM:
		if (fv->stage == STAGE_PREVIEW)
			confirm(fv);
		return true;
	case ACT_NEXT_FIELD:
	case ACT_PREVIOUS_FIELD:
		if (n > 0)
			fv->focus = (fv->focus + 1) % n;
		return true;
	case ACT_UP:
		fv->first -= fv->first > 0;
		return true;
	case ACT_DOWN:
		fv->first += fv->first + 1 < fv->batch->n;
		return true;
	default:
		return true;
	}
}

/* Text goes into the field; Enter and Esc are not left to a key map that may
 * have given them away. */
static bool
key(struct view *v, uint32_t k)
{
	struct form_view *fv = (struct form_view *)v;
	struct lineedit *e = NULL;

	if (fv->stage == STAGE_FIELDS)
		e = &fv->fields[fv->focus];
	else if (fv->stage == STAGE_PREVIEW && wants_number(fv))
		e = &fv->typed;
	if (k != YK_ESC)
		fv->leaving = false;
	if (k == YK_ESC || k == YK_ENTER)
		return act(v, k == YK_ESC ? ACT_BACK : ACT_OPEN);
	if (e == NULL || !lineedit_key(e, k))
		return false;
	set_error(fv, NULL);
	return true;
}

static int
draw_fields(const struct form_view *fv, struct surface *s, struct rect r)
{
	const struct form_info *info = form_info(fv->batch->form);
	struct style label = { ROLE_DIALOG, 0 }, hint = { ROLE_DIM, 0 };
	struct style style = { ROLE_FIELD, 0 };
	int i, n = field_count(fv), w = 14;
	bool focus;

	for (i = 0; i < n; i++) {
		focus = fv->stage == STAGE_FIELDS && i == fv->focus;
		style.role = focus ? ROLE_FIELD_FOCUS : ROLE_FIELD;
		surface_text(s, r.x, r.y + i, w, label, info->fields[i]);
		lineedit_draw(&fv->fields[i], s, r.x + w, r.y + i, 20, style,
		    focus);
		surface_text(s, r.x + w + 22, r.y + i, r.w - w - 22, hint,
		    info->hints[i]);
	}
	return n;
}

static const struct {
	const char *word;
	uint8_t role;
} target_looks[] = {
	[TARGET_ASKED] = { "", ROLE_DIALOG },
	[TARGET_SKIPPED] = { "left out", ROLE_DIM },
	[TARGET_SENT] = { "...", ROLE_INFO },
	[TARGET_OK] = { "ok", ROLE_GOOD },
	[TARGET_FAILED] = { "FAILED", ROLE_BAD },
};

static void
draw_target(const struct form_view *fv, const struct target *tg,
    struct surface *s, struct rect r)
{
	struct style style = { target_looks[tg->state].role, 0 };
	struct style strong = { ROLE_NEW, 0 }, warn = { ROLE_WARN, 0 };
	int name = r.w > 60 ? 30 : r.w / 2, x = r.x;

	surface_text(s, x, r.y, name, style, tg->name);
	x += name + 1;
	if (fv->stage == STAGE_FIELDS) {
		if (form_info(fv->batch->form)->kind == OP_SET)
			surface_printf(s, x, r.y, r.x + r.w - x, style,
			    "max %u", tg->old_max);
		return;
	}
	if (tg->state == TARGET_ASKED || tg->state == TARGET_SENT ||
	    tg->state == TARGET_OK)
		x += surface_text(s, x, r.y, r.x + r.w - x,
		    tg->state == TARGET_ASKED ? strong : style,
		    tg->effect) + 1;
	x += surface_text(s, x, r.y, r.x + r.w - x, style,
	    target_looks[tg->state].word) + 1;
	if (tg->text != NULL)
		surface_text(s, x, r.y, r.x + r.w - x, style, tg->text);
	else if (tg->warning != NULL && tg->state == TARGET_ASKED)
		surface_printf(s, x, r.y, r.x + r.w - x, warn, "! %s",
		    tg->warning);
}

static void
draw_footer(const struct form_view *fv, struct surface *s, struct rect r)
{
	struct style bad = { ROLE_BAD, 0 }, plain = { ROLE_DIALOG, 0 };
	const struct batch *b = fv->batch;
	char yes[KEYSEQ_TEXT];
	struct style field = { ROLE_FIELD_FOCUS, 0 };
	int y = r.y + r.h - 1, x;

	if (fv->error != NULL)
		surface_text(s, r.x, y - 1, r.w, bad, fv->error);
	if (fv->stage == STAGE_FIELDS) {
		surface_text(s, r.x, y, r.w, plain,
		    "Enter previews, Esc leaves");
	} else if (fv->stage == STAGE_RESULT) {
		surface_printf(s, r.x, y, r.w, plain, b->open > 0
		    ? "%zu to be answered; Esc leaves it to itself"
		    : "done, %zu failed; Esc closes",
		    b->open > 0 ? b->open : b->failed);
	} else if (wants_number(fv)) {
		x = r.x + surface_printf(s, r.x, y, r.w, plain,
		    "type %zu and Enter to do it, Esc cancels: ",
		    asked_count(b));
		lineedit_draw(&fv->typed, s, x, y, 8, field, true);
	} else {
		keymap_first(&fv->v.t->keymap, action_find("confirm"), yes);
		x = dialog_button(s, r.x, y, "Cancel", true);
		surface_printf(s, x, y, r.x + r.w - x, plain,
		    "%s: do it on %zu target%s", yes, asked_count(b),
		    plural(asked_count(b)));
	}
}

static void
draw(struct view *v, struct surface *s, struct rect body)
{
	struct form_view *fv = (struct form_view *)v;
	const struct batch *b = fv->batch;
	struct style dim = { ROLE_DIM, 0 };
	struct rect r, row;
	size_t i;
	int fields = field_count(fv), h = (int)b->n;
	char *title;

	if (h > 12)
		h = 12;
	title = str_fmt("%s%s: %zu target%s", b->is_undo ? "Undo: " : "",
	    form_info(b->form)->title, b->n, plural(b->n));
	r = dialog_frame(s, body, WIDTH, fields + (fields > 0) + h + 3, title);
	free(title);
	row = r;
	row.y += draw_fields(fv, s, r) + (fields > 0);
	for (i = fv->first; i < b->n && row.y < r.y + r.h - 2; i++, row.y++)
		draw_target(fv, &b->targets[i], s, row);
	if (i < b->n)
		surface_printf(s, r.x + r.w - 16, r.y + r.h - 2, 16, dim,
		    "%zu more, Down", b->n - i);
	draw_footer(fv, s, r);
}

static void
view_free(struct view *v)
{
	struct form_view *fv = (struct form_view *)v;
	int i;

	batch_hide(fv->batch);
	for (i = 0; i < FORM_FIELDS; i++)
		lineedit_done(&fv->fields[i]);
	free(fv->error);
	free(fv);
}

static const struct view_ops form_ops = {
	.listens = LISTEN_DIALOG, .overlay = true, .draw = draw, .act = act,
	.key = key, .free = view_free,
};

void
form_open(struct tui *t, struct batch *b, const char *arg)
{
	struct form_view *fv = mem_zalloc(sizeof(*fv));

	fv->v.ops = &form_ops;
	fv->v.t = t;
	fv->batch = b;
	b->view = &fv->v;
	if (b->form == FORM_ADD_AGENT) {
		lineedit_set(&fv->fields[0], b->targets[0].op.agent);
		lineedit_set(&fv->fields[1], b->targets[0].key);
	}
	if (b->applied) {
		fv->stage = STAGE_RESULT;
	} else {
		if (arg != NULL)
			lineedit_set(&fv->fields[0], arg);
		if (field_count(fv) == 0 || arg != NULL)
			preview(fv);
	}
	tui_push(t, &fv->v);
}

void
act_form(struct tui *t, int n, const char *arg)
{
	struct batch *b = batch_new(t, (enum form)n);

	if (b == NULL)
		tui_status(t, ROLE_STATUS_WARN,
		    "%s: nothing here that it applies to",
		    form_info((enum form)n)->title);
	else
		form_open(t, b, arg);
}
