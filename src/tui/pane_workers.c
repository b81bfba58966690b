/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Workers pane: what each worker of each agent does. */
#include "config.h"

#include "yardmaster/base/buf.h"
#include "yardmaster/base/clock.h"
#include "tui/cells.h"

static void
text_name(const struct tui *t, const struct object *o, struct cellout *out)
{
	if (o->agent->link != LINK_UP)
		out->style.role = ROLE_STALE;
	buf_putf(out->b, "%s/%u", o->agent->name, o->worker->no);
}

static struct sortkey
key_name(const struct tui *t, const struct object *o)
{
	return (struct sortkey){ 0, o->agent->name };
}

static void
text_kind(const struct tui *t, const struct object *o, struct cellout *out)
{
	if (o->worker->busy)
		cell_state(t, out, LOOK_WORKER, o->worker->kind);
}

static struct sortkey
key_kind(const struct tui *t, const struct object *o)
{
	return (struct sortkey){
		o->worker->busy ? (int64_t)o->worker->kind : INT64_MAX,
		NULL };
}

static void
text_state(const struct tui *t, const struct object *o, struct cellout *out)
{
	bool known = o->agent->link == LINK_UP;

	if (!known) {
		out->style.role = ROLE_STALE;
		buf_puts(out->b, o->worker->busy ? "busy?" : "idle?");
	} else {
		cell_state(t, out, LOOK_AGENT,
		    o->worker->busy ? AGENT_BUSY : AGENT_IDLE);
	}
}

static struct sortkey
key_state(const struct tui *t, const struct object *o)
{
	return (struct sortkey){ !o->worker->busy, NULL };
}

static void
text_label(const struct tui *t, const struct object *o, struct cellout *out)
{
	if (o->worker->label != NULL)
		buf_puts(out->b, o->worker->label);
	if (o->worker->progress != NULL)
		buf_putf(out->b, ": %s", o->worker->progress);
}

static struct sortkey
key_label(const struct tui *t, const struct object *o)
{
	return (struct sortkey){ 0, o->worker->label };
}

static void
text_elapsed(const struct tui *t, const struct object *o,
    struct cellout *out)
{
	char usual[DURATION_TEXT];
	int64_t us = worker_elapsed_us(t, o);

	if (us <= 0)
		return;
	cell_duration(out, us);
	if (o->worker->usual_us <= 0)
		return;
	buf_putf(out->b, "/%s", duration_coarse(o->worker->usual_us, usual));
	if (us > 3 * o->worker->usual_us)
		out->style.role = ROLE_WARN;
}

static struct sortkey
key_elapsed(const struct tui *t, const struct object *o)
{
	return (struct sortkey){ worker_elapsed_us(t, o), NULL };
}

static void
text_silent(const struct tui *t, const struct object *o,
    struct cellout *out)
{
	int64_t us = worker_silent_us(t, o);

	if (!o->worker->busy)
		return;
	if (us < 0)
		buf_puts(out->b, "none");
	else
		cell_duration(out, us > 0 ? us : 1);
}

static struct sortkey
key_silent(const struct tui *t, const struct object *o)
{
	return (struct sortkey){ worker_silent_us(t, o), NULL };
}

static void
text_owner(const struct tui *t, const struct object *o, struct cellout *out)
{
	if (o->worker->owner != NULL)
		buf_puts(out->b, o->worker->owner);
}

static const struct column columns[] = {
	{ "worker", "WORKER", 8, 18, 0, false, text_name, key_name },
	{ "kind", "KIND", 6, 13, 4, false, text_kind, key_kind },
	{ "state", "STATE", 6, 7, 1, false, text_state, key_state },
	{ "runs", "RUNS", 12, 0, 2, false, text_label, key_label },
	{ "elapsed", "ELAPSED", 7, 9, 3, true, text_elapsed, key_elapsed },
	{ "output", "OUTPUT", 6, 6, 5, true, text_silent, key_silent },
	{ "owner", "OWNER", 8, 24, 6, false, text_owner, NULL },
	{ NULL }
};

static void
build(struct tui *t, struct table *tb)
{
	size_t i, n = engine_agent_count(t->engine);
	struct object o;
	uint32_t k;

	for (i = 0; i < n; i++) {
		object_agent(t, i, &o);
		if (tb->scope.kind == SCOPE_AGENT && tb->scope.agent != i)
			continue;
		o.kind = OBJ_WORKER;
		for (k = 0; k < o.agent->facts.n_workers; k++) {
			o.worker = &o.agent->facts.workers[k];
			o.id = rowid_worker(i, o.worker->no);
			table_add(tb, &o);
		}
	}
}

static void
open_worker(struct tui *t, const struct object *o)
{
	struct ident id;

	if (object_ident(o, &id))
		log_open(t, &id, o->worker->label, false);
	else
		tui_status(t, ROLE_STATUS, "%s/%u runs nothing with output",
		    o->agent->name, o->worker->no);
}

static void
detail(struct tui *t, const struct object *o, struct lines *out)
{
	const struct worker *w = o->worker;
	char text[IDENT_TEXT], until[CLOCK_TEXT];

	lines_add(out, ROLE_STRONG, "%s/%u", o->agent->name, w->no);
	lines_fact(out, "kind", ROLE_NORMAL, "%s",
	    w->busy ? worker_kind_name(w->kind) : "idle");
	if (w->pid > 0)
		lines_fact(out, "process", ROLE_NORMAL, "%d", (int)w->pid);
	if (w->attempt.run[0] != '\0')
		lines_fact(out, "attempt", ROLE_NORMAL, "%s",
		    ident_format(&w->attempt, text));
	lines_fact(out, "runs", ROLE_NORMAL, "%s",
	    w->label != NULL ? w->label : "");
	if (w->progress != NULL)
		lines_fact(out, "progress", ROLE_NORMAL, "%s", w->progress);
	lines_fact(out, "owner", ROLE_NORMAL, "%s",
	    w->owner != NULL ? w->owner : "");
	if (w->memory_bytes > 0)
		lines_fact(out, "uses", ROLE_NORMAL, "%.1f CPUs, %llu MB",
		    w->cpu, (unsigned long long)(w->memory_bytes >> 20));
	if (w->taken.on && w->taken.expires_wall_us > 0)
		lines_fact(out, "taken", ROLE_NORMAL, "until %s",
		    clock_format(w->taken.expires_wall_us, until));
	else if (w->taken.on)
		lines_fact(out, "taken", ROLE_NORMAL, "until it is given back");
	lines_add(out, ROLE_NORMAL, "%s", "");
	detail_agent(t, o, out);
}

const struct pane pane_workers = { "workers", "Workers",
	"no worker is known yet", columns, -1, false, build, open_worker,
	detail };
