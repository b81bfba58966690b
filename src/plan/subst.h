/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Placeholders of commands: the grammar in one scanner, used to check a
 * command and to fill it in. What is filled in is never scanned again.
 */
#ifndef PLAN_SUBST_H
#define PLAN_SUBST_H

#include <stdbool.h>
#include <stddef.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/strvec.h"

enum placeholder {
	PH_TEST, PH_TESTS, PH_TARGET, PH_INSTANCE, PH_ROW, PH_PARAM, PH_SHARD,
	PH_RESULTS, PH_WORKSPACE, PH_AGENT, PH_WORKER,
	PLACEHOLDERS,
	PH_UNKNOWN = PLACEHOLDERS
};

/* One piece of a text: literal, or a placeholder. */
struct piece {
	bool literal;
	const char *text;	/* literal text, or from "{" to "}" */
	size_t len;
	enum placeholder kind;
	char name[64];		/* before the dot, cut */
	const char *part;	/* behind the dot, or NULL; part_len bytes */
	size_t part_len;
};

/* Takes the next piece from *p. False at the end. A well-formed brace whose
 * name is not known is a piece of kind PH_UNKNOWN and stands for itself. */
bool subst_next(const char **p, struct piece *ret);

/* True when behind the dot of a placeholder is that word. */
bool piece_part_is(const struct piece *piece, const char *word);

/* The known name within one edit of a PH_UNKNOWN, or NULL. */
const char *subst_near(const struct piece *piece);

/* Appends text with placeholders replaced: value() appends what stands for
 * piece. */
void subst_text(const char *text,
    void (*value)(void *arg, const struct piece *piece, struct buf *out),
    void *arg, struct buf *out);

#endif
