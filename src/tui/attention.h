/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What wants a person: derived from the model, grouped by common cause, worst
 * first. Nothing is stored but who acknowledged what; an acknowledged row
 * returns when it worsens.
 */
#ifndef YARDMASTER_TUI_ATTENTION_H
#define YARDMASTER_TUI_ATTENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tui/object.h"
#include "tui/theme.h"

enum attention_kind {
	ATTENTION_ASK,		/* links ask something */
	ATTENTION_STUCK,	/* executions wait for what will not come */
	ATTENTION_ORPHAN,	/* a run whose owner is gone */
	ATTENTION_BENCH,	/* an agent is benched, or should be */
	ATTENTION_LINKS,	/* links lost, by their error */
	ATTENTION_WORKER,	/* silent or overdue */
	ATTENTION_RUN,		/* failures in a run that goes on */
	ATTENTION_SCHEDULE,	/* a plan was not launched in its time */
	ATTENTION_GUARD,	/* an agent past a guard */
	ATTENTION_SETTINGS,	/* an agent whose settings file is wrong */
	ATTENTION_THRESHOLD,	/* more distributed work than allowed */
	ATTENTION_EDIT,		/* edits that failed */
	ATTENTION_FILES,	/* faults of theme, key map, ... */
};

struct attention {
	uint64_t key;		/* kind and cause; stays the same */
	enum attention_kind kind;
	enum severity severity;
	uint32_t count;		/* what it is about: rows, links, ... */
	char *what;		/* "2 hosts ask" */
	char *detail;
	int64_t since_us;	/* 0 unknown */
	struct rowid object;	/* what Enter opens, when it is one thing */
	enum reason reason;	/* of ATTENTION_STUCK */
	bool acked;
	const char *ack_who;	/* and the note, when acked */
};

/* Executions that wait for one reason. */
struct cause {
	enum reason reason;
	uint32_t n, stuck;
	int64_t oldest_us;	/* since when the oldest waits; 0 unknown */
	struct rowid first;	/* the oldest */
	char text[160];		/* its facts */
};

struct attention_list;

struct attention_list *attention_new(void);
void attention_free(struct attention_list *l);
/* Derives everything again. */
void attention_update(struct tui *t);
size_t attention_total(const struct tui *t);
const struct attention *attention_at(const struct tui *t, size_t i);
/* By key; NULL when it is over. */
const struct attention *attention_find(const struct tui *t, uint64_t key);
/* Rows not acknowledged; the worst of them. */
size_t attention_open(const struct tui *t, enum severity *ret_worst);
/* The cause of that reason; NULL when nothing waits for it. */
const struct cause *attention_cause(const struct tui *t, enum reason r);
/* Acknowledges, or takes it back. note may be NULL. */
void attention_ack(struct tui *t, const struct attention *a,
    const char *note);

#endif
