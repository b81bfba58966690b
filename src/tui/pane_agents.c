/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Agents pane: one row for each agent of the fleet. */
#include "config.h"

#include "yardmaster/base/buf.h"
#include "tui/cells.h"

#define GAUGE 8

static void
text_name(const struct tui *t, const struct object *o, struct cellout *out)
{
	buf_puts(out->b, o->agent->name);
	if (o->agent->link != LINK_UP)
		out->style.role = ROLE_STALE;
}

static struct sortkey
key_name(const struct tui *t, const struct object *o)
{
	return (struct sortkey){ 0, o->agent->name };
}

static void
text_state(const struct tui *t, const struct object *o, struct cellout *out)
{
	cell_state(t, out, LOOK_AGENT, o->agent->state);
}

static struct sortkey
key_state(const struct tui *t, const struct object *o)
{
	return (struct sortkey){ o->agent->state, NULL };
}

/* Values of an agent that is not up are old, and look old. */
static bool
known(const struct object *o, struct cellout *out)
{
	if (o->agent->known && o->agent->link != LINK_UP)
		out->style.role = ROLE_STALE;
	return o->agent->known;
}

static void
text_busy(const struct tui *t, const struct object *o, struct cellout *out)
{
	const struct facts *f = &o->agent->facts;

	if (known(o, out))
		buf_putf(out->b, "%u/%u/%u", f->busy, f->effective,
		    f->max_workers);
}

static struct sortkey
key_busy(const struct tui *t, const struct object *o)
{
	return (struct sortkey){ o->agent->facts.busy, NULL };
}

static void
text_gauge(const struct tui *t, const struct object *o, struct cellout *out)
{
	const struct facts *f = &o->agent->facts;

	if (known(o, out))
		cell_gauge(t, out, GAUGE, f->busy, f->effective,
		    f->max_workers);
}

static void
text_queued(const struct tui *t, const struct object *o,
    struct cellout *out)
{
	if (known(o, out) && o->agent->facts.queued > 0)
		buf_putf(out->b, "%u", o->agent->facts.queued);
}

static struct sortkey
key_queued(const struct tui *t, const struct object *o)
{
	return (struct sortkey){ o->agent->facts.queued, NULL };
}

static void
text_link(const struct tui *t, const struct object *o, struct cellout *out)
{
	if (o->agent->question != NULL) {
		out->style.role = ROLE_WARN;
		buf_puts(out->b, "asks: Enter");
	} else {
		cell_link(t, o->agent, out);
	}
}

static struct sortkey
key_link(const struct tui *t, const struct object *o)
{
	return (struct sortkey){ o->agent->link, NULL };
}

static void
text_load(const struct tui *t, const struct object *o, struct cellout *out)
{
	if (known(o, out))
		buf_putf(out->b, "%.1f", o->agent->facts.load1);
}

static struct sortkey
key_load(const struct tui *t, const struct object *o)
{
	return (struct sortkey){ (int64_t)(o->agent->facts.load1 * 100),
		NULL };
}

static void
text_memory(const struct tui *t, const struct object *o,
    struct cellout *out)
{
	if (known(o, out))
		cell_bytes(out->b, o->agent->facts.memory_free_bytes);
}

static struct sortkey
key_memory(const struct tui *t, const struct object *o)
{
	return (struct sortkey){
		(int64_t)(o->agent->facts.memory_free_bytes >> 10), NULL };
}

static void
text_source(const struct tui *t, const struct object *o,
    struct cellout *out)
{
	if (known(o, out))
		buf_puts(out->b,
		    value_source_name(o->agent->facts.max_source));
}

static void
text_version(const struct tui *t, const struct object *o,
    struct cellout *out)
{
	const struct facts *f = &o->agent->facts;

	if (known(o, out) && f->version != NULL)
		buf_putf(out->b, "%s%s", f->version, f->root ? " as root" :
		    "");
}

static const struct column columns[] = {
	{ "agent", "AGENT", 8, 20, 0, false, text_name, key_name },
	{ "state", "STATE", 8, 12, 1, false, text_state, key_state },
	{ "busy", "BUSY/THR/MAX", 8, 12, 2, true, text_busy, key_busy },
	{ "gauge", "", GAUGE, GAUGE, 6, false, text_gauge, NULL },
	{ "queued", "QUEUED", 6, 6, 3, true, text_queued, key_queued },
	{ "link", "LINK", 6, 22, 4, false, text_link, key_link },
	{ "load", "LOAD", 5, 5, 5, true, text_load, key_load },
	{ "free", "FREE", 5, 5, 7, true, text_memory, key_memory },
	{ "from", "MAX FROM", 8, 14, 8, false, text_source, NULL },
	{ "version", "VERSION", 7, 0, 9, false, text_version, NULL },
	{ NULL }
};

static bool
in_scope(const struct table *tb, const struct agent *a)
{
	return tb->scope.kind != SCOPE_LOST || a->state == AGENT_LOST ||
	    a->state == AGENT_OFFLINE || a->question != NULL;
}

static void
build(struct tui *t, struct table *tb)
{
	size_t i, n = engine_agent_count(t->engine);
	struct object o;

	for (i = 0; i < n; i++) {
		object_agent(t, i, &o);
		if (in_scope(tb, o.agent))
			table_add(tb, &o);
	}
}

/* Its workers; or the question that it waits with. */
static void
open_agent(struct tui *t, const struct object *o)
{
	struct scope scope = { .kind = SCOPE_AGENT, .agent = o->agent_no };

	if (o->agent->question != NULL)
		act_answer(t, 0, NULL);
	else
		tui_push(t, table_view_new(t, &pane_workers, &scope));
}

const struct pane pane_agents = { "agents", "Agents",
	"no agents in this fleet", columns, -1, false, build, open_agent,
	detail_agent };
