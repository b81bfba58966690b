/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Checking the objects of a file against the key table, with a path that
 * follows the place in the document. Faults are noted and checking goes on:
 * a value that is at fault then reads as absent.
 */
#ifndef PLAN_CHECK_H
#define PLAN_CHECK_H

#include "plan/keys.h"
#include "yardmaster/base/buf.h"
#include "yardmaster/base/diag.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/strvec.h"

struct check {
	const struct jdoc *doc;	/* borrowed */
	struct diags *ds;	/* borrowed */
	struct buf path;	/* of the value at hand */
};

void check_init(struct check *c, const struct jdoc *doc, struct diags *ds);
void check_done(struct check *c);

/* Steps into a member or element; check_back() with the value returned. */
size_t check_key(struct check *c, const char *key);
size_t check_index(struct check *c, size_t i);
void check_back(struct check *c, size_t mark);

/* Adds an error (a warning) at the place at hand. */
struct diag *check_fault(struct check *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
struct diag *check_warn(struct check *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The same one member further in; text is fixed. */
struct diag *check_fault_at(struct check *c, const char *key,
    const char *text);

/* Sets the hint to: did you mean "NEAR"? Nothing when near is NULL. */
void check_did_you_mean(struct diag *d, const char *near);

/* True when v is an object; else notes a fault. */
bool check_is_object(struct check *c, const struct jval *v,
    const char *what);

/*
 * Checks every member of an object: unknown keys, keys at the wrong place,
 * values of the wrong form or out of range, keys not supported yet.
 */
void check_object(struct check *c, const struct jval *obj, unsigned at);

/* The member when it is there and of the form the table says, else NULL. */
const struct jval *check_get(const struct jval *obj, const char *key,
    unsigned at);
/* True when obj has an unknown key that is nearest to key. */
bool check_misspelt(const struct jval *obj, const char *key, unsigned at);

/* Readers for values that check_get() let through. */
int64_t value_duration_us(const struct jval *v);
int64_t value_size(const struct jval *v);
int value_choice(const struct jval *v, const struct key *k);
void value_strings(const struct jval *v, struct strvec *out);
/* Sets each member as KEY=VALUE. */
void value_env(const struct jval *v, struct strvec *out);
/* A string, number or boolean as text; NULL for anything else. The caller
 * frees. */
char *value_text(const struct jval *v);

/* True when s may name a plan, suite, test or target: 1 to 255 bytes of
 * UTF-8 without control characters. */
bool is_good_name(const char *s);

#endif
