/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The only place that talks to PCRE2. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/filter/pattern.h"

/* Steps of one match: some milliseconds. */
#define MATCH_LIMIT 200000
#define DEPTH_LIMIT 2000
#define HEAP_LIMIT_KB 4096

struct pattern {
	pcre2_code *code;
	pcre2_match_context *limits;
	pcre2_match_data *match;
};

static char *
error_text(int code, size_t at)
{
	PCRE2_UCHAR text[160];

	if (pcre2_get_error_message(code, text, sizeof(text)) < 0)
		return str_dup("bad pattern");
	return str_fmt("%s at character %zu", (const char *)text, at + 1);
}

static uint32_t
options_of(unsigned flags)
{
	uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF;

	if (flags & PATTERN_LITERAL)
		options |= PCRE2_LITERAL;
	else
		options |= PCRE2_NEVER_BACKSLASH_C;
	if (flags & PATTERN_CASELESS)
		options |= PCRE2_CASELESS;
	if (flags & PATTERN_MULTILINE)
		options |= PCRE2_MULTILINE;
	return options;
}

static void
set_limits(struct pattern *p)
{
	p->limits = pcre2_match_context_create(NULL);
	p->match = pcre2_match_data_create_from_pattern(p->code, NULL);
	if (p->limits == NULL || p->match == NULL)
		abort();	/* out of memory, as base/mem.h */
	pcre2_set_match_limit(p->limits, MATCH_LIMIT);
	pcre2_set_depth_limit(p->limits, DEPTH_LIMIT);
	pcre2_set_heap_limit(p->limits, HEAP_LIMIT_KB);
}

int
pattern_new(const char *text, unsigned flags, struct pattern **ret,
    char **ret_error)
{
	struct pattern *p;
	pcre2_code *code;
	PCRE2_SIZE at;
	int error;

	if (strlen(text) > PATTERN_MAX_BYTES) {
		if (ret_error != NULL)
			*ret_error = str_fmt("pattern longer than %d bytes",
			    PATTERN_MAX_BYTES);
		return ERR_TOO_LARGE;
	}
	code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
	    options_of(flags), &error, &at, NULL);
	if (code == NULL) {
		if (ret_error != NULL)
			*ret_error = error_text(error, at);
		return ERR_SYNTAX;
	}
	p = mem_zalloc(sizeof(*p));
	p->code = code;
	set_limits(p);
	*ret = p;
	return 0;
}

void
pattern_free(struct pattern *p)
{
	if (p == NULL)
		return;
	pcre2_match_data_free(p->match);
	pcre2_match_context_free(p->limits);
	pcre2_code_free(p->code);
	free(p);
}

bool
pattern_has_group(const struct pattern *p, const char *name)
{
	return pcre2_substring_number_from_name(p->code, (PCRE2_SPTR)name) > 0;
}

static bool
find(const struct pattern *p, const char *text, size_t n, size_t from)
{
	return from <= n && pcre2_match(p->code, (PCRE2_SPTR)text, n, from, 0,
	    p->match, p->limits) > 0;
}

bool
pattern_find(const struct pattern *p, const char *text, size_t n, size_t from,
    size_t *ret_start, size_t *ret_end)
{
	const PCRE2_SIZE *at;

	if (!find(p, text, n, from))
		return false;
	at = pcre2_get_ovector_pointer(p->match);
	if (ret_start != NULL)
		*ret_start = at[0];
	if (ret_end != NULL)
		*ret_end = at[1];
	return true;
}

bool
pattern_find_group(const struct pattern *p, const char *name,
    const char *text, size_t n, size_t from, size_t *ret_start,
    size_t *ret_end, size_t *ret_next)
{
	const PCRE2_SIZE *at;
	int group;

	group = pcre2_substring_number_from_name(p->code, (PCRE2_SPTR)name);
	if (group <= 0 || !find(p, text, n, from))
		return false;
	at = pcre2_get_ovector_pointer(p->match);
	*ret_start = *ret_end = at[0];
	if (at[2 * group] != PCRE2_UNSET) {
		*ret_start = at[2 * group];
		*ret_end = at[2 * group + 1];
	}
	/* An empty match must not be found again; \K may end before it began. */
	*ret_next = at[1] > from ? at[1] : from + 1;
	return true;
}
