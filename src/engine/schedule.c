/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Scheduled launches: which are due, and whose they are.
 *
 * What always holds:
 *  1. An occurrence is launched by the process whose claim is in the registry,
 *     after that claim was on the disk; nobody else does anything for it.
 *  2. What is due is decided by wall time as it is now. The timer only says
 *     when to look again, at the latest after LOOK_EVERY_US: a clock that was
 *     set neither launches twice nor is waited for.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"

#include "engine/schedule.h"

#define LOOK_EVERY_US (10 * US_PER_S)
#define SOON_US (250 * US_PER_MS)	/* after the registry changed */
#define AGAIN_US (100 * US_PER_MS)	/* another process is writing it */
#define LATE_US (120 * US_PER_S)	/* later than that it was missed */
#define COUNT_MAX 1000000		/* occurrences that are gone through */

/* ---- reading ---------------------------------------------------------------- */

static const char *
keep(struct entry *en, const char *text)
{
	if (text == NULL)
		return NULL;
	strvec_push(&en->texts, text);
	return en->texts.v[en->texts.n - 1];
}

static void
entries_clear(struct schedules *s)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		strvec_done(&s->v[i].texts);
		free(s->v[i].trouble);
	}
	s->n = 0;
}

static int
add_entry(void *arg, const struct schedule *row)
{
	struct schedules *s = arg;
	struct entry *en;
	char *error = NULL;

	s->v = mem_grow(s->v, &s->cap, s->n + 1, sizeof *s->v);
	en = &s->v[s->n++];
	*en = (struct entry){ .row = *row, .texts = STRVEC_INIT };
	en->row.name = keep(en, row->name);
	en->row.plan = keep(en, row->plan);
	en->row.fleet = keep(en, row->fleet);
	en->row.when = keep(en, row->when);
	en->row.options = keep(en, row->options);
	en->row.who = keep(en, row->who);
	en->row.run = keep(en, row->run);
	en->row.text = keep(en, row->text);
	en->row.by = keep(en, row->by);
	/* Nobody but a stranger writes what cannot be read. */
	if (when_parse(row->when, &en->when, &error) < 0)
		en->row.next_us = 0;
	free(error);
	return 0;
}

/* What became of the last occurrence, where a person should know. */
static char *
trouble_of(const struct schedules *s, const struct schedule *row)
{
	enum run_state state;
	char at[WHEN_TEXT];
	int code;

	when_format(row->note_us, at);
	if (row->note == NOTE_NONE || row->note_us < row->run_us)
		return NULL;
	if (row->note == NOTE_MISSED)
		return str_fmt("missed at %s: nobody was there", at);
	if (row->note != NOTE_STARTING)
		return str_fmt("not launched at %s: %s", at,
		    row->text != NULL ? row->text : "?");
	if (row->run == NULL || (row->by != NULL &&
	    serving_lives(s->e->state_dir, row->by)) ||
	    run_state_read(s->e->state_dir, row->run, &state, &code) !=
	    ERR_NOT_FOUND)
		return NULL;
	return str_fmt("not launched at %s: the process that had it ended", at);
}

static void
show_entry(const struct schedules *s, struct entry *en)
{
	en->trouble = trouble_of(s, &en->row);
	en->shown = (struct scheduled){
		.name = en->row.name, .plan = en->row.plan,
		.when = en->row.when, .next_wall_us = en->row.next_us,
		.run = en->row.run, .trouble = en->trouble,
		.trouble_wall_us = en->row.note_us,
		.ours = strcmp(en->row.fleet, s->fleet) == 0,
	};
}

/* ---- what is due ------------------------------------------------------------ */

struct due {
	int64_t at_us;		/* the latest occurrence that is due */
	int64_t next_us;	/* the one after it; 0 none */
	int64_t before;		/* how many were due before it */
};

static struct due
due_of(const struct entry *en, int64_t now_us)
{
	struct due d = { .at_us = en->row.next_us };
	int64_t next_us;

	while ((next_us = when_next(&en->when, d.at_us)) <= now_us &&
	    d.before < COUNT_MAX) {
		d.at_us = next_us;
		d.before++;
	}
	d.next_us = next_us == CLOCK_NEVER ? 0 : next_us;
	return d;
}

/* Why another run of it cannot begin now, or NULL. */
static char *
goes_on(const struct schedules *s, const struct schedule *row)
{
	enum run_state state;
	int code, r;

	if (row->run == NULL)
		return NULL;
	r = run_state_read(s->e->state_dir, row->run, &state, &code);
	if (r == 0 && state != RUN_ENDED)
		return str_fmt(state == RUN_ORPHANED ? "%s before it has no "
		    "owner (yardmaster resume %s)" : "%s before it goes on",
		    row->run, row->run);
	if (schedule_is_firing(s, row->name) || (r == ERR_NOT_FOUND &&
	    row->note == NOTE_STARTING && row->by != NULL &&
	    serving_lives(s->e->state_dir, row->by)))
		return str_dup("the plan of the one before it is still being "
		    "loaded");
	return NULL;
}

static void
say_claim(struct engine *e, const struct schedule *row,
    const struct schedule_claim *c)
{
	char at[WHEN_TEXT];

	when_format(c->at_us, at);
	if (c->missed > 0)
		engine_say(e, EVENT_WARNING, NULL, NULL, "schedule %s: missed "
		    "%lld %s %s: nobody was there", row->name,
		    (long long)c->missed, c->note == NOTE_MISSED ?
		    "until" : "before", at);
	if (c->note == NOTE_SKIPPED)
		engine_say(e, EVENT_WARNING, NULL, NULL, "schedule %s: not "
		    "launched at %s: %s", row->name, at, c->text);
	else if (c->note == NOTE_STARTING)
		engine_say(e, EVENT_INFO, NULL, c->run, "schedule %s: due at "
		    "%s, loading %s as %s", row->name, at, row->plan, c->run);
}

/* Takes what is due of an entry. False when that has to be tried again soon:
 * another process is writing. */
static bool
take(struct schedules *s, const struct entry *en, int64_t now_us)
{
	const struct schedule *row = &en->row;
	struct due d = due_of(en, now_us);
	struct schedule_claim c = { .next_us = d.next_us, .at_us = d.at_us,
		.by = serving_name(s->serving), .missed = d.before };
	char id[RUN_ID_SIZE], *why = NULL;
	int r;

	if (now_us - d.at_us > LATE_US && !row->catch_up) {
		c.note = NOTE_MISSED;
		c.missed++;
	} else if ((why = goes_on(s, row)) != NULL) {
		c.note = NOTE_SKIPPED;
		c.text = why;
	} else {
		ident_new_run(id);
		c.note = NOTE_STARTING;
		c.run = id;
	}
	r = registry_schedule_claim(s->e->registry, row, &c);
	if (r == 0) {
		say_claim(s->e, row, &c);
		if (c.run != NULL)
			schedule_fire(s, en, id, d.at_us);
	} else if (r != ERR_STALE && r != ERR_TIMEOUT && !s->failed) {
		engine_say(s->e, EVENT_ERROR, NULL, NULL, "schedule %s: what "
		    "is due cannot be recorded, and is not launched: %s",
		    row->name, err_text(r));
	}
	if (r != ERR_TIMEOUT)
		s->failed = r < 0 && r != ERR_STALE;
	free(why);
	return r != ERR_TIMEOUT;
}

/* ---- runs that lost their owner ---------------------------------------------- */

static void
adopt(struct schedules *s, const char *run)
{
	struct diags ds = DIAGS_INIT;
	int r;

	if (strvec_find(&s->orphans, run) >= 0)
		return;
	r = engine_adopt(s->e, run, &ds);
	if (r < 0 && r != ERR_LOCKED && r != ERR_STATE) {
		strvec_push(&s->orphans, run);
		engine_say(s->e, EVENT_WARNING, NULL, run, "%s has no owner "
		    "and could not be taken over: %s", run,
		    ds.n > 0 ? ds.v[0].text : err_text(r));
	}
	diags_done(&ds);
}

static void
look_at_run(struct schedules *s, const struct schedule *row)
{
	enum run_state state;
	int code;

	if (row->run != NULL && erun_find(s->e, row->run) == NULL &&
	    run_state_read(s->e->state_dir, row->run, &state, &code) == 0 &&
	    state == RUN_ORPHANED)
		adopt(s, row->run);
}

/* However often the registry changes. */
static void
look_at_runs(struct schedules *s)
{
	int64_t now_us = clock_mono_us();
	size_t i;

	if (!s->adopts || now_us < s->runs_us)
		return;
	s->runs_us = now_us + LOOK_EVERY_US;
	for (i = 0; i < s->n; i++)
		if (s->v[i].shown.ours)
			look_at_run(s, &s->v[i].row);
}

/* ---- looking ------------------------------------------------------------------ */

static void
reread(struct schedules *s)
{
	size_t i;

	entries_clear(s);
	if (registry_schedule_each(s->e->registry, add_entry, s) < 0)
		entries_clear(s);
	for (i = 0; i < s->n; i++)
		show_entry(s, &s->v[i]);
	engine_touch(s->e);
}

static bool
take_due(struct schedules *s, int64_t now_us)
{
	bool all = true;
	size_t i;

	for (i = 0; i < s->n; i++) {
		if (s->v[i].shown.ours && s->v[i].row.next_us > 0 &&
		    s->v[i].row.next_us <= now_us)
			all = take(s, &s->v[i], now_us) && all;
	}
	return all;
}

static void
look(void *arg)
{
	struct schedules *s = arg;
	int64_t now_us = clock_wall_us(), wait_us = LOOK_EVERY_US;
	size_t i;

	reread(s);
	if (s->serves) {
		look_at_runs(s);
		if (!take_due(s, now_us))
			wait_us = AGAIN_US;
		reread(s);
	}
	for (i = 0; i < s->n; i++)
		if (s->v[i].shown.ours && s->v[i].row.next_us > now_us &&
		    s->v[i].row.next_us - now_us < wait_us)
			wait_us = s->v[i].row.next_us - now_us;
	timer_start(s->timer, wait_us);
}

static void
registry_changed_now(void *arg)
{
	struct schedules *s = arg;

	if (!timer_armed(s->soon))
		timer_start(s->soon, SOON_US);
}

char *
engine_fleet_path(const struct fleet_spec *f)
{
	char *path;

	if (f->file == NULL)
		return str_dup("");
	path = realpath(f->file, NULL);
	return path != NULL ? path : str_dup(f->file);
}

int
engine_serve(struct engine *e, bool adopts)
{
	struct schedules *s = mem_zalloc(sizeof *s);
	int r = 0;

	s->e = e;
	s->fleet = engine_fleet_path(e->spec);
	s->adopts = adopts;
	s->timer = timer_new(e->loop, look, s);
	s->soon = timer_new(e->loop, look, s);
	TAILQ_INIT(&s->firings);
	e->schedules = s;
	if (!e->read_only) {
		r = serving_open(e->state_dir, e->who, s->fleet, &s->serving);
		s->serves = r == 0;
	}
	if (r < 0)
		engine_say(e, EVENT_ERROR, NULL, NULL, "nothing is launched by "
		    "schedules here: %s", err_text(r));
	/* Without the watch the timer still looks. */
	(void)filewatch_new(e->loop, registry_path(e->registry),
	    registry_changed_now, s, &s->watch);
	timer_start(s->timer, 0);
	return r;
}

void
schedules_free(struct schedules *s)
{
	if (s == NULL)
		return;
	schedule_give_up(s);
	entries_clear(s);
	free(s->v);
	strvec_done(&s->orphans);
	filewatch_free(s->watch);
	timer_free(s->timer);
	timer_free(s->soon);
	serving_close(s->serving);
	free(s->fleet);
	free(s);
}

size_t
engine_schedule_count(const struct engine *e)
{
	return e->schedules != NULL ? e->schedules->n : 0;
}

const struct scheduled *
engine_schedule(const struct engine *e, size_t i)
{
	return &e->schedules->v[i].shown;
}
