/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A list of heap strings that is an argv at any time. */
#include "config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/mem.h"
#include "yardmaster/base/strvec.h"

void
strvec_init(struct strvec *sv)
{
	*sv = (struct strvec)STRVEC_INIT;
}

void
strvec_done(struct strvec *sv)
{
	size_t i;

	for (i = 0; i < sv->n; i++)
		free(sv->v[i]);
	free(sv->v);
	strvec_init(sv);
}

void
strvec_push_owned(struct strvec *sv, char *s)
{
	sv->v = mem_grow(sv->v, &sv->cap, sv->n + 2, sizeof(*sv->v));
	sv->v[sv->n++] = s;
	sv->v[sv->n] = NULL;
}

void
strvec_push(struct strvec *sv, const char *s)
{
	strvec_push_owned(sv, str_dup(s));
}

void
strvec_pushf(struct strvec *sv, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strvec_push_owned(sv, str_vfmt(fmt, ap));
	va_end(ap);
}

void
strvec_push_all(struct strvec *sv, const struct strvec *other)
{
	size_t i, n = other->n;

	for (i = 0; i < n; i++)
		strvec_push(sv, other->v[i]);
}

long
strvec_find(const struct strvec *sv, const char *s)
{
	size_t i;

	for (i = 0; i < sv->n; i++)
		if (strcmp(sv->v[i], s) == 0)
			return (long)i;
	return -1;
}

void
strvec_setenv(struct strvec *sv, const char *key, const char *value)
{
	size_t i, n = strlen(key);

	for (i = 0; i < sv->n; i++) {
		if (strncmp(sv->v[i], key, n) != 0 || sv->v[i][n] != '=')
			continue;
		free(sv->v[i]);
		sv->v[i] = str_fmt("%s=%s", key, value);
		return;
	}
	strvec_pushf(sv, "%s=%s", key, value);
}

char *const *
strvec_argv(const struct strvec *sv)
{
	static char *const empty[] = { NULL };

	return sv->v != NULL ? sv->v : empty;
}

void
strvec_push_list(struct strvec *sv, const char *text)
{
	size_t n;

	for (; *text != '\0'; text += n + (text[n] == ',')) {
		n = strcspn(text, ",");
		if (n > 0)
			strvec_push_owned(sv, str_ndup(text, n));
	}
}

bool
strvec_equal(const struct strvec *a, const struct strvec *b)
{
	size_t i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++)
		if (strcmp(a->v[i], b->v[i]) != 0)
			return false;
	return true;
}
