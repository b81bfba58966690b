/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of all keys of plan and fleet files: where each may stand, what
 * its value looks like, its default and its help. Checking, nearest-match
 * hints and the storing of plain values derive from it; a test holds the
 * schemas and man pages against it.
 */
#ifndef PLAN_KEYS_H
#define PLAN_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a key stands; a bit each. */
enum place {
	AT_PLAN = 1 << 0,
	AT_SUITE = 1 << 1,
	AT_TEST = 1 << 2,
	AT_TARGET = 1 << 3,	/* an element of targets */
	AT_DISCOVER = 1 << 4,
	AT_DATA = 1 << 5,	/* data written as an object */
	AT_FLEET = 1 << 6,
	AT_AGENT = 1 << 7,
	AT_GUARDS = 1 << 8,
	AT_MATRIX = 1 << 9,	/* targets written as an object */
	AT_RESULTS = 1 << 10,	/* results of a batch */
	AT_LIMITS = 1 << 11,
	AT_WORKSPACE = 1 << 12,	/* a workspace written as an object */
	AT_PART = 1 << 13,	/* an element of together */
	AT_SECRET = 1 << 14,	/* a secret written as an object */
};

/* What a value looks like. */
enum form {
	FORM_STRING,		/* not empty */
	FORM_BOOL,
	FORM_INT,		/* min to max */
	FORM_REAL,		/* min to max */
	FORM_DURATION,		/* "5s" or seconds; min to max in seconds */
	FORM_SIZE,		/* "64M" or bytes */
	FORM_CHOICE,
	FORM_STRINGS,		/* a list, perhaps empty */
	FORM_ARGV,		/* a list with a command at its head */
	FORM_ENV,		/* an object of strings, numbers, booleans */
	FORM_ARRAY,
	FORM_OBJECT,
	FORM_STRING_OR_OBJECT,
	FORM_ARRAY_OR_OBJECT,
	FORM_INT_OR_STRING,
	FORMS
};

#define KEY_NO_OFFSET SIZE_MAX

struct key {
	const char *name;
	unsigned at;		/* enum place bits */
	enum form form;
	int64_t min, max;
	const char *const *choices;	/* NULL-ended; of FORM_CHOICE */
	size_t offset;		/* in struct plan_props, or KEY_NO_OFFSET */
	bool later;		/* known, but refused: not supported yet */
	const char *def;	/* default as text, or NULL */
	const char *help;	/* one line */
};

/* All rows; n of them. */
extern const struct key plan_keys[];
extern const size_t n_plan_keys;

/* The row of a key at one place, or NULL. */
const struct key *key_find(const char *name, unsigned at);
/* The places (bits) where a key of that name may stand; 0: unknown. */
unsigned key_places(const char *name);
/* The nearest key of a place, within two edits, or NULL. */
const char *key_nearest(const char *name, unsigned at);

/* "a suite", "a target"; one bit. */
const char *place_name(unsigned at);
/* "a duration", "a list of strings". */
const char *form_name(enum form f);
/* "duration", "strings": the word used in dumps. */
const char *form_word(enum form f);

#endif
