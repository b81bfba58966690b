/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Attention and Events panes: what wants a person, what happened. */
#include "config.h"

#include <time.h>

#include "yardmaster/base/buf.h"
#include "tui/attention.h"
#include "tui/cells.h"
#include "tui/opform.h"

static void
text_severity(const struct tui *t, const struct object *o,
    struct cellout *out)
{
	const struct attention *a = o->attention;

	if (a->acked) {
		out->style.role = ROLE_DIM;
		buf_puts(out->b, "seen");
	} else {
		cell_state(t, out, LOOK_SEVERITY, a->severity);
	}
}

static struct sortkey
key_severity(const struct tui *t, const struct object *o)
{
	return (struct sortkey){
		o->attention->acked * 10 - (int64_t)o->attention->severity,
		NULL };
}

static void
text_what(const struct tui *t, const struct object *o, struct cellout *out)
{
	if (o->attention->acked)
		out->style.role = ROLE_DIM;
	buf_puts(out->b, o->attention->what);
}

static void
text_for(const struct tui *t, const struct object *o, struct cellout *out)
{
	char age[DURATION_TEXT];

	buf_puts(out->b, tui_age(t, o->attention->since_us, age));
}

static struct sortkey
key_for(const struct tui *t, const struct object *o)
{
	return (struct sortkey){ o->attention->since_us, NULL };
}

static void
text_detail(const struct tui *t, const struct object *o,
    struct cellout *out)
{
	const struct attention *a = o->attention;

	if (a->acked)
		out->style.role = ROLE_DIM;
	if (a->acked)
		buf_putf(out->b, "(%s) ", a->ack_who);
	if (a->detail != NULL)
		buf_puts(out->b, a->detail);
}

static const struct column attention_columns[] = {
	{ "level", "LEVEL", 6, 7, 0, false, text_severity, key_severity },
	{ "what", "WHAT", 20, 50, 1, false, text_what, NULL },
	{ "for", "FOR", 5, 5, 2, true, text_for, key_for },
	{ "detail", "DETAIL", 10, 0, 3, false, text_detail, NULL },
	{ NULL }
};

static void
build_attention(struct tui *t, struct table *tb)
{
	struct object o = { .kind = OBJ_ATTENTION };
	size_t i;

	for (i = 0; i < attention_total(t); i++) {
		o.attention = attention_at(t, i);
		o.id = rowid_plain(OBJ_ATTENTION, o.attention->key);
		table_add(tb, &o);
	}
}

static void
open_scope(struct tui *t, const struct pane *pane, enum scope_kind kind)
{
	struct scope scope = { .kind = kind };

	tui_push(t, table_view_new(t, pane, &scope));
}

/* The object a row is about, as its own pane opens it. */
static void
open_object(struct tui *t, const struct attention *a)
{
	static const struct pane *const panes[] = {
		[OBJ_AGENT] = &pane_agents, [OBJ_WORKER] = &pane_workers,
		[OBJ_EXEC] = &pane_execs, [OBJ_RUN] = &pane_runs };
	struct object o;

	if (object_find(t, a->object, &o) && o.kind <= OBJ_RUN)
		panes[o.kind]->open(t, &o);
	else
		tui_status(t, ROLE_STATUS_WARN, "it is gone");
}

static void
open_attention(struct tui *t, const struct object *o)
{
	switch (o->attention->kind) {
	case ATTENTION_ASK:
		act_answer(t, 0, NULL);
		break;
	case ATTENTION_STUCK:
		open_scope(t, &pane_causes, SCOPE_ALL);
		break;
	case ATTENTION_LINKS:
		open_scope(t, &pane_agents, SCOPE_LOST);
		break;
	case ATTENTION_SCHEDULE:
		tui_go(t, 5);
		break;
	case ATTENTION_EDIT:
		batch_reopen(t);
		break;
	case ATTENTION_FILES:
		act_diagnostics(t, 0, NULL);
		break;
	default:
		open_object(t, o->attention);
		break;
	}
}

static void
detail_attention(struct tui *t, const struct object *o, struct lines *out)
{
	const struct attention *a = o->attention;
	char age[DURATION_TEXT];

	lines_wrap(out, ROLE_STRONG, 38, 0, a->what);
	lines_fact(out, "for", ROLE_NORMAL, "%s",
	    tui_age(t, a->since_us, age));
	if (a->acked)
		lines_fact(out, "seen", ROLE_NORMAL, "%s", a->ack_who);
	if (a->detail != NULL)
		lines_wrap(out, ROLE_NORMAL, 38, 0, a->detail);
	if (a->kind == ATTENTION_STUCK)
		lines_wrap(out, ROLE_DIM, 38, 0, reason_info(a->reason)->help);
}

const struct pane pane_attention = { "attention", "Attention",
	"nothing wants you", attention_columns, 0, false, build_attention,
	open_attention, detail_attention };

/* Events. */

static void
text_time(const struct tui *t, const struct object *o, struct cellout *out)
{
	time_t s = (time_t)(o->event->wall_us / US_PER_S);
	struct tm tm;
	char text[16];

	if (o->event->seq > t->events_seen)
		out->style.attr = ATTR_BOLD;
	if (localtime_r(&s, &tm) != NULL &&
	    strftime(text, sizeof(text), "%H:%M:%S", &tm) > 0)
		buf_puts(out->b, text);
}

static struct sortkey
key_time(const struct tui *t, const struct object *o)
{
	return (struct sortkey){ (int64_t)o->event->seq, NULL };
}

static void
text_kind(const struct tui *t, const struct object *o, struct cellout *out)
{
	cell_state(t, out, LOOK_EVENT, o->event->kind);
}

static struct sortkey
key_kind(const struct tui *t, const struct object *o)
{
	return (struct sortkey){ o->event->kind, NULL };
}

static void
text_event(const struct tui *t, const struct object *o, struct cellout *out)
{
	if (o->event->text != NULL)
		buf_puts(out->b, o->event->text);
}

static void
text_who(const struct tui *t, const struct object *o, struct cellout *out)
{
	if (o->event->who != NULL)
		buf_puts(out->b, o->event->who);
}

static struct sortkey
key_who(const struct tui *t, const struct object *o)
{
	return (struct sortkey){ 0, o->event->who };
}

static void
text_object(const struct tui *t, const struct object *o,
    struct cellout *out)
{
	if (o->event->object != NULL)
		buf_puts(out->b, o->event->object);
}

static const struct column event_columns[] = {
	{ "time", "TIME", 8, 8, 0, false, text_time, key_time },
	{ "kind", "KIND", 9, 9, 2, false, text_kind, key_kind },
	{ "event", "EVENT", 20, 0, 1, false, text_event, NULL },
	{ "object", "OBJECT", 12, 18, 4, false, text_object, NULL },
	{ "who", "WHO", 10, 20, 3, false, text_who, key_who },
	{ NULL }
};

static void
build_events(struct tui *t, struct table *tb)
{
	size_t i, n = engine_event_count(t->engine);
	struct object o = { .kind = OBJ_EVENT };

	for (i = n; i-- > 0;) {
		o.event = engine_event(t->engine, i);
		o.id = rowid_plain(OBJ_EVENT, o.event->seq);
		table_add(tb, &o);
	}
}

static void
open_event(struct tui *t, const struct object *o)
{
	const char *name = o->event->object;
	struct ident id;
	int agent;

	if (name == NULL)
		return;
	agent = engine_agent_find(t->engine, name);
	if (agent >= 0) {
		tui_go(t, 2);
		table_seek(tui_table(t), rowid_agent((size_t)agent));
	} else if (ident_parse(name, &id) == 0 && id.execution > 0) {
		log_open(t, &id, name, false);
	} else if (ident_parse(name, &id) == 0) {
		tui_go(t, 6);
		table_seek(tui_table(t), rowid_run(id.run));
	}
}

static void
detail_event(struct tui *t, const struct object *o, struct lines *out)
{
	char text[CLOCK_TEXT];

	lines_fact(out, "at", ROLE_NORMAL, "%s",
	    clock_format(o->event->wall_us, text));
	lines_fact(out, "who", ROLE_NORMAL, "%s",
	    o->event->who != NULL ? o->event->who : "");
	lines_fact(out, "object", ROLE_NORMAL, "%s",
	    o->event->object != NULL ? o->event->object : "");
	lines_wrap(out, ROLE_STRONG, 38, 0,
	    o->event->text != NULL ? o->event->text : "");
}

const struct pane pane_events = { "events", "Events", "nothing happened yet",
	event_columns, -1, false, build_events, open_event, detail_event };
