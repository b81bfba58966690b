/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Static splits: which of so many groups a test belongs to, decided once and
 * without a scheduler. Both rules are those of pytest-split, so that a group
 * here is the group there. Pure: the same input gives the same groups.
 */
#ifndef YARDMASTER_SCHED_SPLIT_H
#define YARDMASTER_SCHED_SPLIT_H

#include <stdbool.h>
#include <stdint.h>

#define SPLIT_GROUPS_MAX 100000

enum split_rule {
	SPLIT_CHUNKS,	/* neighbours stay together, in order */
	SPLIT_LEAST,	/* longest first, each to the group with the least */
	SPLIT_RULES
};
/* The name, and the rule of a name (-1: none has it). */
const char *split_rule_name(enum split_rule rule);
int split_rule_parse(const char *name);

/* Replaces what is negative (unknown) by the mean of what is known, or by 1
 * when nothing is. */
void split_fill_unknown(double *seconds, uint32_t n);

struct split_test {
	const char *name;	/* equal lengths go by name in SPLIT_LEAST */
	double seconds;		/* from 0, finite */
	uint32_t group;		/* from 0: written by split() */
};

/*
 * Gives each of n tests one of groups groups (1 to SPLIT_GROUPS_MAX). Chunks:
 * a group is full once it has reached its equal share of the whole; the last
 * one takes what is left. A group may stay empty.
 */
void split(enum split_rule rule, struct split_test *tests, uint32_t n,
    uint32_t groups);

/* True when every test is in one of the groups; with one group a test, that
 * is: the union is everything and nothing is twice. */
bool split_is_whole(const struct split_test *tests, uint32_t n,
    uint32_t groups);

#endif
