/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What surrounds the views: header, title, status line and key line. */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>

#include "yardmaster/base/text.h"
#include "tui/attention.h"
#include "tui/console.h"
#include "tui/table.h"
#include "tui/targets.h"

#define KEYS_FROM_ROWS 10	/* under it the key line goes, */
#define HEADER_FROM_ROWS 8	/* and then the header */
#define TABS_FROM_COLUMNS 120
#define OLD_DATA_US (10 * US_PER_S)
#define PART 64

void
tui_status(struct tui *t, enum role role, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(t->status, sizeof(t->status), fmt, ap);
	va_end(ap);
	t->status_role = role;
	t->dirty = true;
}

struct totals {
	size_t agents, up;
	int64_t heard_us;	/* the oldest last sign of a link that is up */
	uint32_t waiting, running, failed;
};

static void
sum_up(const struct tui *t, struct totals *ret)
{
	const struct agent *a;
	const struct counts *c;
	size_t i;

	memset(ret, 0, sizeof(*ret));
	ret->agents = engine_agent_count(t->engine);
	for (i = 0; i < ret->agents; i++) {
		a = engine_agent(t->engine, i);
		if (a->link != LINK_UP && a->link != LINK_STALE)
			continue;
		ret->up += a->link == LINK_UP;
		if (ret->heard_us == 0 || a->heard_us < ret->heard_us)
			ret->heard_us = a->heard_us;
	}
	for (i = 0; i < engine_run_count(t->engine); i++) {
		if (engine_run(t->engine, i)->state == RUN_ENDED)
			continue;
		c = &engine_run(t->engine, i)->counts;
		ret->waiting += c->n[EXEC_WAITING] + c->n[EXEC_ASSIGNED];
		ret->running += c->n[EXEC_RUNNING];
		ret->failed += c->n[EXEC_FAILED] + c->n[EXEC_TIMEOUT] +
		    c->n[EXEC_ERROR];
	}
}

/* Puts a word with a blank behind it; returns where the next one begins. */
static int
put(struct surface *s, int x, int y, enum role role, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

static int
put(struct surface *s, int x, int y, enum role role, const char *fmt, ...)
{
	struct style style = { (uint8_t)role, 0 };
	char text[PART * 2];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return x + surface_text(s, x, y, s->w - x, style, text) + 1;
}

static void
draw_tabs(const struct tui *t, struct surface *s, int x)
{
	static const char *const names[PANES] = { "Attention", "Overview",
		"Agents", "Queue", "Workers", "Plans", "Runs", "Log",
		"Events" };
	struct style style = { ROLE_HEADER, 0 };
	int i;

	for (i = 0; i < PANES; i++) {
		style.attr = i == t->pane ? ATTR_BOLD | ATTR_UNDERLINE : 0;
		x += surface_printf(s, x, 0, s->w - x, style, "%d %s", i,
		    names[i]) + 1;
	}
}

static void
draw_header(const struct tui *t, struct surface *s)
{
	static const enum role roles[] = { [SEVERITY_INFO] = ROLE_HEADER,
		[SEVERITY_WARN] = ROLE_HEADER_WARN,
		[SEVERITY_BAD] = ROLE_HEADER_BAD };
	struct style plain = { ROLE_HEADER, 0 };
	char age[DURATION_TEXT] = "live";
	enum severity worst;
	size_t open = attention_open(t, &worst);
	struct totals sum;
	int x = 1;
	bool old;

	sum_up(t, &sum);
	surface_fill(s, (struct rect){ 0, 0, s->w, 1 }, plain);
	x = put(s, x, 0, ROLE_HEADER, "%s", engine_fleet_name(t->engine));
	x = put(s, x, 0, tui_is_read_only(t) ? ROLE_HEADER_WARN : ROLE_HEADER,
	    "%s", tui_is_read_only(t) ? "RO" : "RW");
	x = put(s, x, 0, sum.up < sum.agents ? ROLE_HEADER_WARN : ROLE_HEADER,
	    "links %zu/%zu", sum.up, sum.agents);
	old = sum.heard_us > 0 && t->now_us - sum.heard_us > OLD_DATA_US;
	if (old || sum.up == 0)
		snprintf(age, sizeof(age), "%s", "stale");
	if (old)
		tui_age(t, sum.heard_us, age);
	x = put(s, x, 0, old || sum.up == 0 ? ROLE_HEADER_WARN : ROLE_HEADER,
	    "data %s", age);
	if (t->frozen)
		x = put(s, x, 0, ROLE_HEADER_WARN, "FROZEN");
	if (open > 0)
		x = put(s, x, 0, roles[worst], "!%zu", open);
	if (s->w >= TABS_FROM_COLUMNS)
		draw_tabs(t, s, x + 2);
	surface_printf(s, s->w - 18, 0, 17, plain, "%17s",
	    s->w >= 60 ? PACKAGE_NAME " " PACKAGE_VERSION : "");
}

/* "filter: text" so that nobody takes a part for the whole. */
static int
draw_filter(const struct tui *t, struct surface *s, int x, int y)
{
	const struct finder *f = tui_finder(t);

	if (f == NULL)
		return x;
	if (f->filter.text != NULL)
		x = put(s, x, y, f->filter.error != NULL ? ROLE_BAD
		    : ROLE_FILTER, "filter: %s%s%s", f->filter.text,
		    f->filter.error != NULL ? "  ! " : "",
		    f->filter.error != NULL ? f->filter.error : "");
	if (f->search.text != NULL)
		x = put(s, x, y, f->search.error != NULL ? ROLE_BAD
		    : ROLE_DIM, "search: %s", f->search.text);
	return x;
}

static void
draw_title(const struct tui *t, struct surface *s, int y)
{
	struct style style = { ROLE_TITLE, 0 };
	struct view *v = tui_page(t);
	struct buf b = BUF_INIT;
	int x;

	buf_putf(&b, "%d ", t->pane);
	if (v != t->views[0])
		buf_puts(&b, "> ");
	if (v->ops->title != NULL)
		v->ops->title(v, &b);
	x = surface_text(s, 0, y, s->w, style, buf_str(&b)) + 2;
	buf_done(&b);
	draw_filter(t, s, x, y);
}

/* One key of the key line; returns where the next one begins. */
static int
draw_key(const struct tui *t, struct surface *s, int x, int y, size_t i)
{
	const struct action *a = &actions[i];
	bool off = a->class != ACTION_VIEW && tui_is_read_only(t);
	struct style key = { off ? ROLE_KEY_OFF : ROLE_KEY, 0 };
	struct style label = { off ? ROLE_KEY_OFF : ROLE_KEY_LABEL, 0 };
	char text[KEYSEQ_TEXT];
	int need;

	keymap_first(&t->keymap, (int)i, text);
	need = (int)(text_width(text, strlen(text)) + strlen(a->label) + 3);
	if (text[0] == '\0' || x + need > s->w)
		return x;
	x += surface_text(s, x, y, s->w - x, key, text) + 1;
	x += surface_text(s, x, y, s->w - x, label, a->label) + 2;
	return x;
}

/* True when the key line has room for what would do something here. */
static bool
worth_showing(size_t i, enum context c, uint32_t bits)
{
	const struct action *a = &actions[i];

	return a->context == c && a->label != NULL && a->id != ACT_OPEN &&
	    (a->on == 0 || (a->on & bits) != 0) &&
	    strcmp(a->name, "help") != 0;
}

static void
draw_keys(struct tui *t, struct surface *s, int y)
{
	static const enum context order[] = { CTX_LOG, CTX_TABLE, CTX_MOVE,
		CTX_GLOBAL };
	unsigned listens = tui_top(t)->ops->listens;
	struct style plain = { ROLE_KEY_LABEL, 0 };
	struct object o;
	uint32_t bits;
	size_t i, c;
	int x = 0;

	/* A dialog says itself what its keys are. */
	if (tui_top(t)->ops->overlay)
		return;
	bits = tui_object(t, &o) ? object_offers(t, &o) : 0;
	surface_fill(s, (struct rect){ 0, y, s->w, 1 }, plain);
	if (listens & 1u << CTX_GLOBAL)
		x = draw_key(t, s, x, y, (size_t)action_find("help"));
	if (listens & 1u << CTX_TABLE)
		x = draw_key(t, s, x, y, (size_t)action_find("open"));
	for (c = 0; c < sizeof(order) / sizeof(order[0]); c++) {
		if ((listens & 1u << order[c]) == 0)
			continue;
		for (i = 0; i < n_actions; i++)
			if (worth_showing(i, order[c], bits))
				x = draw_key(t, s, x, y, i);
	}
}

static void
draw_status(const struct tui *t, struct surface *s, int y)
{
	struct style style = { (uint8_t)t->status_role, 0 };
	struct totals sum;
	int x = 0;

	if (t->status[0] != '\0') {
		surface_text(s, 0, y, s->w, style, t->status);
		return;
	}
	sum_up(t, &sum);
	x = put(s, x, y, ROLE_STATUS, "%u running, %u waiting", sum.running,
	    sum.waiting);
	if (sum.failed > 0)
		put(s, x, y, ROLE_STATUS_BAD, "%u failed", sum.failed);
}

struct rect
frame_draw(struct tui *t, struct surface *s)
{
	struct rect body = { 0, 0, s->w, s->h };

	if (s->h >= HEADER_FROM_ROWS) {
		draw_header(t, s);
		body.y++;
	}
	draw_title(t, s, body.y++);
	body.h -= body.y;
	if (s->h >= KEYS_FROM_ROWS)
		draw_keys(t, s, body.y + --body.h);
	draw_status(t, s, body.y + --body.h);
	return body;
}

void
frame_draw_tiny(struct tui *t, struct surface *s)
{
	enum severity worst;
	size_t open = attention_open(t, &worst);
	struct style style = { open > 0 ? ROLE_HEADER_BAD : ROLE_HEADER, 0 };
	struct totals sum;

	sum_up(t, &sum);
	surface_printf(s, 0, 0, s->w, style, "!%zu %zu/%zu %ur %uw %uf", open,
	    sum.up, sum.agents, sum.running, sum.waiting, sum.failed);
}
