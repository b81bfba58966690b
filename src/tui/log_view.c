/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The output of one attempt: follows, wraps, filters and searches. As a page
 * it shows one execution; as the Log pane, the one opened last.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"
#include "yardmaster/sys/fs.h"
#include "tui/cells.h"
#include "tui/log_draw.h"

#define TAIL_BYTES (4 << 20)
#define SIDE_STEP 16

static const char *const columns[] = { "line", NULL };

static void
untail(struct log_view *lv)
{
	engine_untail(lv->tail);
	lv->tail = NULL;
}

static void
tail_data(void *arg, uint64_t offset, const uint8_t *p, size_t n)
{
	struct log_view *lv = arg;
	char text[80];

	if (lv->seen && offset > lv->offset) {
		snprintf(text, sizeof(text), "--- %llu bytes are missing ---",
		    (unsigned long long)(offset - lv->offset));
		logtext_gap(lv->text, text, lv->v.t->now_wall_us);
	} else if (!lv->seen && offset > 0) {
		snprintf(text, sizeof(text), "--- %llu bytes before ---",
		    (unsigned long long)offset);
		logtext_gap(lv->text, text, lv->v.t->now_wall_us);
	}
	logtext_feed(lv->text, p, n, lv->v.t->now_wall_us);
	lv->seen = true;
	lv->offset = offset + n;
	lv->v.t->touched = true;
}

static void
tail_end(void *arg, int code, const char *text)
{
	struct log_view *lv = arg;
	char line[200];

	lv->ended = true;
	if (code < 0) {
		snprintf(line, sizeof(line), "--- %s ---",
		    text != NULL && *text != '\0' ? text : err_text(code));
		logtext_gap(lv->text, line, lv->v.t->now_wall_us);
	}
	lv->v.t->touched = true;
}

static const struct tail_ops tail_ops = { tail_data, tail_end };

/* Starts again with the output of id. */
static void
retarget(struct log_view *lv, const struct log_target *target)
{
	int r;

	untail(lv);
	logtext_free(lv->text);
	lv->text = logtext_new();
	lv->target = *target;
	lv->seen = lv->ended = false;
	lv->offset = 0;
	lv->top = 0;
	lv->follow = !target->fail;
	lv->want_failure = target->fail;
	log_view_filter(lv);
	r = engine_tail(lv->v.t->engine, &target->id, -TAIL_BYTES, true,
	    &tail_ops, lv, &lv->tail);
	if (r < 0) {
		lv->tail = NULL;
		tail_end(lv, r, NULL);
	}
}

static void
title(struct view *v, struct buf *out)
{
	struct log_view *lv = (struct log_view *)v;
	char id[IDENT_TEXT];

	buf_puts(out, "Log");
	if (lv->target.id.run[0] == '\0')
		return;
	buf_putf(out, " %s %s", lv->target.name,
	    ident_format(&lv->target.id, id));
	buf_putf(out, ", %llu lines", (unsigned long long)lv->n_shown);
	buf_puts(out, lv->ended ? ", ended" : lv->follow ? ", following"
	    : ", stopped");
	if (lv->wrap)
		buf_puts(out, ", wrapped");
}

/* To the next line that looks like a failure, round the end. */
static bool
next_failure(struct log_view *lv)
{
	size_t i, at = lv->top;

	for (i = 0; i < lv->n_shown; i++) {
		at = (at + 1) % lv->n_shown;
		if (!logtext_line(lv->text, lv->shown[at])->failure)
			continue;
		lv->follow = false;
		lv->top = at;
		return true;
	}
	return false;
}

static void
search(struct log_view *lv, int step)
{
	size_t i, at = lv->top;

	for (i = 0; i < lv->n_shown; i++) {
		at = (at + lv->n_shown + (size_t)(step + (int)lv->n_shown)) %
		    lv->n_shown;
		if (!log_line_matches(lv, &lv->find.search, lv->shown[at]))
			continue;
		lv->follow = false;
		lv->top = at;
		return;
	}
	tui_status(lv->v.t, ROLE_STATUS_WARN, "no line matches");
}

/* As text, without colours; bytes stay as they came. */
static void
save(struct log_view *lv)
{
	const char *dir = lv->v.t->opts->log_dir;
	const struct log_line *l;
	struct buf b = BUF_INIT;
	char id[IDENT_TEXT], *path, *p;
	uint64_t i;
	int r;

	for (p = ident_format(&lv->target.id, id); *p != '\0'; p++)
		if (*p == '/')
			*p = '-';
	path = str_fmt("%s/%s.log", dir != NULL ? dir : ".", id);
	for (i = logtext_first(lv->text); i < logtext_end(lv->text); i++) {
		l = logtext_line(lv->text, i);
		buf_put(&b, l->text, l->n);
		buf_putc(&b, '\n');
	}
	r = fs_replace(path, buf_data(&b), buf_len(&b), 0600);
	if (r < 0)
		tui_status(lv->v.t, ROLE_STATUS_BAD, "%s: %s", path,
		    err_text(r));
	else
		tui_status(lv->v.t, ROLE_STATUS_GOOD, "saved %s, %zu bytes",
		    path, buf_len(&b));
	buf_done(&b);
	free(path);
}

static void
scroll(struct log_view *lv, long by)
{
	long at = (long)lv->top + by, last = (long)lv->n_shown - 1;

	if (by < 0)
		lv->follow = false;
	if (at > last)
		at = last;
	lv->top = at > 0 ? (size_t)at : 0;
	if (by > 0 && lv->top + (size_t)lv->page >= lv->n_shown)
		lv->follow = true;
}

static bool
toggle(struct log_view *lv, enum action_id id)
{
	if (id == ACT_FOLLOW)
		lv->follow = !lv->follow;
	else if (id == ACT_WRAP)
		lv->wrap = !lv->wrap;
	else if (id == ACT_STAMPS)
		lv->stamps = !lv->stamps;
	else if (id == ACT_LEFT)
		lv->left -= lv->left < SIDE_STEP ? lv->left : SIDE_STEP;
	else if (id == ACT_RIGHT)
		lv->left += SIDE_STEP;
	else
		return false;
	return true;
}

static bool
act(struct view *v, enum action_id id)
{
	struct log_view *lv = (struct log_view *)v;
	long page = lv->page > 1 ? lv->page - 1 : 1;
	static const struct {
		enum action_id id;
		int lines, pages;
	} moves[] = { { ACT_UP, -1, 0 }, { ACT_DOWN, 1, 0 },
		{ ACT_HALF_UP, -8, 0 }, { ACT_HALF_DOWN, 8, 0 },
		{ ACT_PAGE_UP, 0, -1 }, { ACT_PAGE_DOWN, 0, 1 },
		{ ACT_FIRST, -10000000, 0 }, { ACT_LAST, 10000000, 0 } };
	size_t i;

	if (toggle(lv, id))
		return true;
	if (lv->text == NULL)
		return false;
	if (id == ACT_SEARCH_NEXT || id == ACT_SEARCH_PREVIOUS)
		search(lv, id == ACT_SEARCH_NEXT ? 1 : -1);
	else if (id == ACT_NEXT_FAILURE && !next_failure(lv))
		tui_status(v->t, ROLE_STATUS, "no line looks like a failure");
	else if (id == ACT_SAVE)
		save(lv);
	for (i = 0; i < sizeof(moves) / sizeof(moves[0]); i++)
		if (moves[i].id == id)
			scroll(lv, moves[i].lines + moves[i].pages * page);
	return id != ACT_BACK;
}

static void
update(struct view *v)
{
	struct log_view *lv = (struct log_view *)v;

	/* The pane follows what was opened last. */
	if (lv->is_pane && v->t->last_log.id.run[0] != '\0' &&
	    (!ident_equal(&lv->target.id, &v->t->last_log.id)))
		retarget(lv, &v->t->last_log);
	log_view_filter(lv);
}

static void
draw(struct view *v, struct surface *s, struct rect r)
{
	struct log_view *lv = (struct log_view *)v;
	struct style dim = { ROLE_DIM, 0 };

	if (lv->text == NULL) {
		surface_text(s, r.x + 2, r.y, r.w - 2, dim,
		    "no output opened yet: L on an execution opens it");
		return;
	}
	log_view_extend(lv);
	if (lv->want_failure && lv->n_shown > 0 && next_failure(lv))
		lv->want_failure = lv->ended;
	if (lv->ended)
		lv->want_failure = false;
	log_view_draw(lv, s, r);
}

static struct finder *
view_finder(struct view *v)
{
	return &((struct log_view *)v)->find;
}

static void
view_free(struct view *v)
{
	struct log_view *lv = (struct log_view *)v;

	untail(lv);
	logtext_free(lv->text);
	finder_done(&lv->find);
	free(lv->shown);
	free(lv);
}

static const struct view_ops log_ops = {
	.listens = LISTEN_LOG, .draw = draw, .title = title, .act = act,
	.update = update, .finder = view_finder, .free = view_free,
};

static struct log_view *
make(struct tui *t)
{
	struct log_view *lv = mem_zalloc(sizeof(*lv));

	lv->v.ops = &log_ops;
	lv->v.t = t;
	lv->follow = true;
	finder_init(&lv->find, columns);
	return lv;
}

struct view *
log_view_new(struct tui *t)
{
	struct log_view *lv = make(t);

	lv->is_pane = true;
	return &lv->v;
}

void
log_open(struct tui *t, const struct ident *id, const char *name, bool fail)
{
	struct log_view *lv = make(t);

	memset(&t->last_log, 0, sizeof(t->last_log));
	t->last_log.id = *id;
	t->last_log.fail = fail;
	snprintf(t->last_log.name, sizeof(t->last_log.name), "%s",
	    name != NULL ? name : "");
	retarget(lv, &t->last_log);
	tui_push(t, &lv->v);
}
