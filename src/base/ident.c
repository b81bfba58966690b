/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Ids and names. A run id is "r", six base-32 digits of seconds since 2020
 * (good until 2054) and four of chance, so ids sort by the time of launch.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/ident.h"

#define EPOCH_2020_S INT64_C(1577836800)
#define TIME_DIGITS 6
#define CHANCE_DIGITS 4

static const char base32[] = "0123456789abcdefghijklmnopqrstuv";
/* What an agent name is made of. */
#define NAME_CHARS \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

void
random_bytes(void *out, unsigned n)
{
	uint8_t *p = out;
	ssize_t got;

	while (n > 0) {
		got = getrandom(p, n, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			abort();	/* no chance, no safe ids */
		p += got;
		n -= (unsigned)got;
	}
}

static void
put_base32(char *out, unsigned n, uint64_t value)
{
	for (; n > 0; n--, value >>= 5)
		out[n - 1] = base32[value & 31];
}

void
ident_new_run(char out[RUN_ID_SIZE])
{
	uint64_t s = (uint64_t)(clock_wall_us() / US_PER_S - EPOCH_2020_S);
	uint32_t chance;

	random_bytes(&chance, sizeof(chance));
	out[0] = 'r';
	put_base32(out + 1, TIME_DIGITS, s);
	put_base32(out + 1 + TIME_DIGITS, CHANCE_DIGITS, chance);
	out[RUN_ID_SIZE - 1] = '\0';
}

/* Reads "/N", N from 1 without leading zero. */
static int
parse_number(const char **p, uint32_t *ret)
{
	uint64_t value = 0;
	const char *s = *p;

	if (*s++ != '/' || *s < '1' || *s > '9')
		return ERR_SYNTAX;
	for (; *s >= '0' && *s <= '9'; s++) {
		value = value * 10 + (uint64_t)(*s - '0');
		if (value > UINT32_MAX)
			return ERR_SYNTAX;
	}
	*p = s;
	*ret = (uint32_t)value;
	return 0;
}

int
ident_parse(const char *text, struct ident *ret)
{
	struct ident id = { .execution = 0 };
	const char *p = text;
	int r;

	if (*p != 'r' || strspn(p + 1, base32) < RUN_ID_SIZE - 2)
		return ERR_SYNTAX;
	memcpy(id.run, p, RUN_ID_SIZE - 1);
	p += RUN_ID_SIZE - 1;
	if (*p != '\0' && (r = parse_number(&p, &id.execution)) < 0)
		return r;
	if (*p != '\0' && (r = parse_number(&p, &id.attempt)) < 0)
		return r;
	if (*p != '\0')
		return ERR_SYNTAX;
	*ret = id;
	return 0;
}

char *
ident_format(const struct ident *id, char *out)
{
	if (id->execution == 0)
		snprintf(out, IDENT_TEXT, "%s", id->run);
	else if (id->attempt == 0)
		snprintf(out, IDENT_TEXT, "%s/%u", id->run, id->execution);
	else
		snprintf(out, IDENT_TEXT, "%s/%u/%u", id->run, id->execution,
		    id->attempt);
	return out;
}

bool
ident_equal(const struct ident *a, const struct ident *b)
{
	return a->attempt == b->attempt && a->execution == b->execution &&
	    strcmp(a->run, b->run) == 0;
}

bool
ident_is_agent_name(const char *s)
{
	size_t n = strspn(s, NAME_CHARS);

	if (strcmp(s, ".") == 0 || strcmp(s, "..") == 0)
		return false;	/* names become folders */
	return n >= 1 && n < AGENT_NAME_SIZE && s[n] == '\0';
}

bool
ident_is_host(const char *s)
{
	size_t n = strspn(s, NAME_CHARS ":");

	return n >= 1 && n <= 255 && s[n] == '\0' && *s != '-';
}

bool
ident_is_far_command(const char *s)
{
	size_t n;

	for (;;) {
		n = strspn(s, NAME_CHARS "/");
		if (n == 0)
			return false;
		s += n;
		if (*s == '\0')
			return true;
		if (*s++ != ' ')
			return false;
	}
}
