/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Edit expressions: read once, applied to each agent. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/err.h"
#include "yardmaster/model/work.h"
#include "tui/editexpr.h"

#define EDIT_MAX WORK_MAX_WORKERS

static const char allowed_max[] = "a number, +2, -25% or =advised";
static const char allowed_threshold[] =
    "a number, -2 (keep two free), +2, -25%, =advised or =max";

static int
parse_word(const char *text, bool threshold, struct edit *ret)
{
	if (strcmp(text, "=advised") == 0)
		ret->kind = EDIT_ADVISED;
	else if (threshold && (strcmp(text, "=max") == 0 ||
	    strcmp(text, "max") == 0))
		ret->kind = EDIT_UNSET;
	else
		return ERR_SYNTAX;
	return 0;
}

static int
parse_number(const char *text, bool threshold, struct edit *ret)
{
	bool sign = *text == '+' || *text == '-';
	char *end;
	long n;

	if (text[sign] < '0' || text[sign] > '9')
		return ERR_SYNTAX;
	errno = 0;
	n = strtol(text, &end, 10);
	if (errno != 0 || n > EDIT_MAX || n < -EDIT_MAX)
		return ERR_RANGE;
	ret->n = (int32_t)n;
	if (strcmp(end, "%") == 0 && sign)
		ret->kind = EDIT_PERCENT;
	else if (*end != '\0')
		return ERR_SYNTAX;
	else if (!sign)
		ret->kind = EDIT_NUMBER;
	else if (threshold && n < 0)
		ret->kind = EDIT_SPARE;
	else
		ret->kind = EDIT_ADD;
	if (ret->kind == EDIT_PERCENT && n < -100)
		return ERR_RANGE;
	return !threshold && ret->kind == EDIT_NUMBER && n == 0 ? ERR_RANGE
	    : 0;
}

int
edit_parse(const char *text, bool threshold, struct edit *ret,
    const char **ret_error)
{
	struct edit e = { .n = 0 };
	char word[32];
	size_t n;
	int r;

	text += strspn(text, " ");
	n = strcspn(text, " ");
	if (n >= sizeof(word) || text[n + strspn(text + n, " ")] != '\0')
		n = 0;
	memcpy(word, text, n);
	word[n] = '\0';
	r = *word == '=' || *word == 'm' ? parse_word(word, threshold, &e)
	    : parse_number(word, threshold, &e);
	if (r == 0)
		*ret = e;
	else if (r == ERR_RANGE)
		*ret_error = threshold ? "0 to 1024" : "1 to 1024";
	else
		*ret_error = threshold ? allowed_threshold : allowed_max;
	return r;
}

static uint32_t
clamp(int64_t v, uint32_t least)
{
	if (v < (int64_t)least)
		return least;
	return v > EDIT_MAX ? EDIT_MAX : (uint32_t)v;
}

/* The number an expression makes of old; percents round to the nearest, but
 * always change something. */
static int64_t
apply(const struct edit *e, uint32_t old, uint32_t advised)
{
	int64_t v;

	switch (e->kind) {
	case EDIT_NUMBER:
		return e->n;
	case EDIT_ADD:
		return (int64_t)old + e->n;
	case EDIT_PERCENT:
		v = ((int64_t)old * (100 + e->n) + 50) / 100;
		if (v == (int64_t)old && e->n != 0)
			v += e->n < 0 ? -1 : 1;
		return v;
	case EDIT_ADVISED:
		return advised;
	default:
		return old;
	}
}

uint32_t
edit_max(const struct edit *e, uint32_t old, uint32_t advised)
{
	return clamp(apply(e, old, advised), 1);
}

struct threshold
edit_threshold(const struct edit *e, uint32_t effective, uint32_t advised)
{
	struct threshold th = { .kind = THRESHOLD_NUMBER };

	if (e->kind == EDIT_UNSET) {
		th.kind = THRESHOLD_UNSET;
	} else if (e->kind == EDIT_SPARE) {
		th.kind = THRESHOLD_SPARE;
		th.n = (uint32_t)-e->n;
	} else {
		th.n = clamp(apply(e, effective, advised), 0);
	}
	return th;
}
