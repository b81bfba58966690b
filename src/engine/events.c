/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The newest things that happened, in a ring; those of a run that is driven
 * here are in its file as well, for whoever takes it over. */
#include "config.h"

#include <stdarg.h>
#include <stdlib.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"

#include "engine/engine_private.h"

static void
event_done(struct event *ev)
{
	free(ev->who);
	free(ev->text);
	free(ev->object);
}

/* The slot of the next one, empty. */
static struct event *
next_event(struct engine *e)
{
	struct event *ev;

	if (e->events == NULL)
		e->events = mem_calloc(EVENTS_KEPT, sizeof *e->events);
	ev = &e->events[e->n_events++ % EVENTS_KEPT];
	event_done(ev);
	return ev;
}

void
engine_say(struct engine *e, enum event_kind kind, const char *who,
    const char *object, const char *fmt, ...)
{
	struct event *ev = next_event(e);
	struct erun *r = object != NULL ? erun_find(e, object) : NULL;
	va_list ap;

	va_start(ap, fmt);
	*ev = (struct event){
		.seq = e->n_events,
		.wall_us = clock_wall_us(),
		.kind = kind,
		.who = str_dup(who != NULL ? who : "scheduler"),
		.text = str_vfmt(fmt, ap),
		.object = str_dup(object),
	};
	va_end(ap);
	engine_touch(e);
	if (r == NULL || r->file == NULL)
		return;
	erun_put(r, run_file_put_event(r->file, ev));
	e->changed = true;
}

static int
restore(void *arg, const struct event *was)
{
	struct engine *e = arg;
	struct event *ev = next_event(e);

	*ev = (struct event){
		.seq = e->n_events,
		.wall_us = was->wall_us,
		.kind = was->kind <= EVENT_ERROR ? was->kind : EVENT_INFO,
		.who = str_dup(was->who != NULL ? was->who : "?"),
		.text = str_dup(was->text != NULL ? was->text : ""),
		.object = str_dup(was->object),
	};
	return 0;
}

int
events_restore(struct engine *e, struct erun *r)
{
	return run_file_each_event(r->file, 0, restore, e);
}

size_t
engine_event_count(const struct engine *e)
{
	return e->n_events < EVENTS_KEPT ? (size_t)e->n_events : EVENTS_KEPT;
}

const struct event *
engine_event(const struct engine *e, size_t i)
{
	uint64_t first = e->n_events - engine_event_count(e);

	return &e->events[(first + i) % EVENTS_KEPT];
}

void
engine_events_done(struct engine *e)
{
	size_t i, n = engine_event_count(e);

	for (i = 0; i < n; i++)
		event_done(&e->events[i]);
	free(e->events);
}
