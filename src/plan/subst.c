/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The scanner of placeholders. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "plan/subst.h"
#include "yardmaster/base/text.h"

static const char *const names[PLACEHOLDERS + 1] = {
	[PH_TEST] = "test", [PH_TESTS] = "tests", [PH_TARGET] = "target",
	[PH_INSTANCE] = "instance", [PH_ROW] = "row", [PH_PARAM] = "param",
	[PH_SHARD] = "shard", [PH_RESULTS] = "results",
	[PH_WORKSPACE] = "workspace", [PH_AGENT] = "agent",
	[PH_WORKER] = "worker",
};

#define LOWER "abcdefghijklmnopqrstuvwxyz"

/* The length of {name} or {name.part} at s, or 0. */
static size_t
measure(const char *s, struct piece *ret)
{
	size_t n, part;

	if (s[0] != '{' || s[1] < 'a' || s[1] > 'z')
		return 0;
	n = 1 + strspn(s + 1, LOWER "_");
	snprintf(ret->name, sizeof(ret->name), "%.*s", (int)(n - 1), s + 1);
	ret->part = NULL;
	ret->part_len = 0;
	if (s[n] == '.') {
		part = strcspn(s + n + 1, "{}");
		if (part == 0)
			return 0;
		ret->part = s + n + 1;
		ret->part_len = part;
		n += 1 + part;
	}
	return s[n] == '}' ? n + 1 : 0;
}

static enum placeholder
kind_of(const char *name)
{
	unsigned i;

	for (i = 0; i < PLACEHOLDERS; i++)
		if (strcmp(names[i], name) == 0)
			return (enum placeholder)i;
	return PH_UNKNOWN;
}

bool
subst_next(const char **p, struct piece *ret)
{
	const char *s = *p;
	size_t n;

	if (*s == '\0')
		return false;
	ret->text = s;
	ret->literal = false;
	if (strncmp(s, "{{", 2) != 0 && (n = measure(s, ret)) > 0) {
		ret->len = n;
		ret->kind = kind_of(ret->name);
		*p = s + n;
		return true;
	}
	ret->literal = true;
	n = strncmp(s, "{{", 2) == 0 ? 2 : 1;
	n += strcspn(s + n, "{");
	ret->len = n;
	*p = s + n;
	return true;
}

bool
piece_part_is(const struct piece *piece, const char *word)
{
	return piece->part != NULL && piece->part_len == strlen(word) &&
	    memcmp(piece->part, word, piece->part_len) == 0;
}

const char *
subst_near(const struct piece *piece)
{
	return text_nearest(piece->name, names, 1);
}

void
subst_text(const char *text,
    void (*value)(void *arg, const struct piece *piece, struct buf *out),
    void *arg, struct buf *out)
{
	struct piece piece;

	while (subst_next(&text, &piece)) {
		if (piece.literal || piece.kind == PH_UNKNOWN)
			buf_put(out, piece.text, piece.len);
		else
			value(arg, &piece, out);
	}
}
