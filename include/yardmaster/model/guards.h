/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Guards: what a host must have for anything new to start on it. Plain data,
 * copied by assignment, with its text (for people) and its JSON form (fleet
 * values, SET, facts, the agent's journal).
 */
#ifndef YARDMASTER_MODEL_GUARDS_H
#define YARDMASTER_MODEL_GUARDS_H

#include <stdbool.h>
#include <stdint.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/strvec.h"

#define GUARD_HEALTH_SIZE 512
#define GUARD_LOAD_MAX 10000
#define GUARD_FREE_DISK (64u << 20)	/* the only one that is on by default */

enum guard { GUARD_LOAD, GUARD_MEMORY, GUARD_DISK, GUARD_HEALTH, GUARDS };
#define GUARD_BIT(g) (1u << (g))

struct guards {
	unsigned given;		/* bits: what of the following is said */
	double load_per_cpu;	/* at most; 0: off */
	uint64_t free_memory, free_disk;	/* bytes, at least; 0: off */
	char health[GUARD_HEALTH_SIZE];	/* argv as a JSON list; "": off */
};

/* "load_per_cpu": its key in files and messages. */
const char *guard_name(enum guard g);
/* The reverse; -1: no guard has that name. */
int guard_parse(const char *name);

/* Sets one by what a person wrote: a number, a size ("2G"), a command (words,
 * or a JSON list), "off", or "default" (no longer given). 0, ERR_SYNTAX,
 * ERR_RANGE or ERR_TOO_LARGE; then *to is unchanged. */
int guard_set(struct guards *to, enum guard g, const char *text);
/* Appends its value as guard_set() reads it: "1.5", "2G", "off". */
void guard_put(struct buf *out, const struct guards *from, enum guard g);
/* Takes over one guard, be it given or not. */
void guard_copy(struct guards *to, const struct guards *from, enum guard g);
/* Of each that named (bits) names: both are given and equal, or neither is. */
bool guards_equal(const struct guards *a, const struct guards *b,
    unsigned named);
/* Appends "free_disk off -> 2G, ..." of those that named names. */
void guards_put_change(struct buf *out, const struct guards *from,
    const struct guards *to, unsigned named);

/* Appends the command of health to argv (none when it is off). */
void guards_health(const struct guards *g, struct strvec *argv);
/* Sets health to a command; 0 or ERR_TOO_LARGE. */
int guards_set_health(struct guards *g, const struct strvec *argv);

/* One JSON object of what named (bits) names; null is not given. */
void guards_write(struct jw *w, const struct guards *g, unsigned named);
/* Reads one, or null (nothing is named). 0, ERR_SYNTAX, ERR_RANGE or
 * ERR_TOO_LARGE. Unknown keys are ignored (a newer peer). ret_named may be
 * NULL. */
int guards_read(const struct jval *v, struct guards *ret,
    unsigned *ret_named);

#endif
