/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The newest things that happened, in a ring. */
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

void
engine_say(struct engine *e, enum event_kind kind, const char *who,
    const char *object, const char *fmt, ...)
{
	struct event *ev;
	va_list ap;

	if (e->events == NULL)
		e->events = mem_calloc(EVENTS_KEPT, sizeof *e->events);
	ev = &e->events[e->n_events++ % EVENTS_KEPT];
	event_done(ev);
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
