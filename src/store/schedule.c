/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Scheduled launches in the registry.
 *
 * What always holds:
 *  1. An occurrence is in "next" until one process has taken it, by an update
 *     that finds the row as it was read; only that process launches it.
 *  2. The run's id is recorded with that, before there is any run. A row that
 *     is "starting" without a run file and without the process that took it
 *     says of an occurrence that was lost.
 */
#include "config.h"

#include <string.h>

#include "store/registry_db.h"
#include "yardmaster/base/err.h"
#include "yardmaster/store/schedules.h"

static const char *const note_names[NOTES] = { [NOTE_NONE] = "launched",
	[NOTE_STARTING] = "starting", [NOTE_MISSED] = "missed",
	[NOTE_SKIPPED] = "skipped", [NOTE_ERROR] = "error" };

const char *
schedule_note_name(enum schedule_note n)
{
	return note_names[n];
}

static enum schedule_note
note_parse(const char *name)
{
	int n = NOTES - 1;

	while (n > 0 && (name == NULL || strcmp(note_names[n], name) != 0))
		n--;
	return (enum schedule_note)n;
}

int
registry_schedule_add(struct registry *reg, const struct schedule *s)
{
	int r = db_run(&reg->db, REG_SCHEDULE_ADD, "tttttttii", s->name,
	    s->plan, s->fleet, s->when, s->options, s->who,
	    s->catch_up ? "yes" : "no", s->added_us, s->next_us);

	if (r < 0)
		return r;
	return sqlite3_changes(reg->db.h) > 0 ? 0 : ERR_EXISTS;
}

int
registry_schedule_remove(struct registry *reg, const char *name)
{
	int r = db_run(&reg->db, REG_SCHEDULE_DROP, "t", name);

	if (r < 0)
		return r;
	return sqlite3_changes(reg->db.h) > 0 ? 0 : ERR_NOT_FOUND;
}

/* False for a row that no program of ours wrote. */
static bool
read_row(sqlite3_stmt *st, struct schedule *s)
{
	const char *catch_up = db_col_text(st, 6);

	*s = (struct schedule){
		.name = db_col_text(st, 0), .plan = db_col_text(st, 1),
		.fleet = db_col_text(st, 2), .when = db_col_text(st, 3),
		.options = db_col_text(st, 4), .who = db_col_text(st, 5),
		.catch_up = catch_up != NULL && strcmp(catch_up, "yes") == 0,
		.added_us = db_col_int(st, 7), .next_us = db_col_int(st, 8),
		.run = db_col_text(st, 9), .run_us = db_col_int(st, 10),
		.note = note_parse(db_col_text(st, 11)),
		.note_us = db_col_int(st, 12), .text = db_col_text(st, 13),
		.by = db_col_text(st, 14), .missed = db_col_int(st, 15),
	};
	return s->name != NULL && s->plan != NULL && s->fleet != NULL &&
	    s->when != NULL && s->options != NULL && s->who != NULL;
}

int
registry_schedule_each(struct registry *reg,
    int (*fn)(void *arg, const struct schedule *s), void *arg)
{
	struct schedule s;
	sqlite3_stmt *st;
	int r, got = 0;

	if ((st = db_use(&reg->db, REG_SCHEDULE_ALL, &r, "")) == NULL)
		return r;
	while (got == 0 && (r = db_step(st)) == 1)
		if (read_row(st, &s))
			got = fn(arg, &s);
	db_reset(st);
	return got != 0 ? got : r;
}

int
registry_schedule_claim(struct registry *reg, const struct schedule *s,
    const struct schedule_claim *c)
{
	int r;

	/* A turn of the loop does not stand still for another's write. */
	sqlite3_busy_timeout(reg->db.h, 0);
	r = db_run(&reg->db, REG_SCHEDULE_CLAIM, "ititittitii", c->next_us,
	    c->run, c->at_us, note_names[c->note], c->at_us, c->text, c->by,
	    c->missed, s->name, s->added_us, s->next_us);
	sqlite3_busy_timeout(reg->db.h, DB_BUSY_MS);
	if (r < 0)
		return r;
	return sqlite3_changes(reg->db.h) > 0 ? 0 : ERR_STALE;
}

int
registry_schedule_note(struct registry *reg, const char *name,
    const char *run, enum schedule_note note, const char *text)
{
	return db_run(&reg->db, REG_SCHEDULE_NOTE, "tttt", note_names[note],
	    text, name, run);
}
