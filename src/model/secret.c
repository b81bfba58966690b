/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Secrets in memory, and on the wire. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/model/secret.h"
#include "yardmaster/model/work.h"

#define LOOK_BACK 64	/* entries that a step may go on with */

char *
secret_dup(const char *value)
{
	char *copy = str_dup(value);

	if (copy != NULL)
		(void)mlock(copy, strlen(copy) + 1);
	return copy;
}

void
secret_free(char *value)
{
	size_t n;

	if (value == NULL)
		return;
	n = strlen(value);
	mem_wipe(value, n);
	(void)munlock(value, n + 1);
	free(value);
}

void
secrets_done(struct secrets *s)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		free(s->v[i].name);
		secret_free(s->v[i].value);
	}
	free(s->v);
	*s = (struct secrets){ .v = NULL };
}

static void
add(struct secrets *s, const char *name, const char *value, uint32_t from,
    uint32_t to)
{
	s->v = mem_grow(s->v, &s->cap, s->n + 1, sizeof *s->v);
	s->v[s->n++] = (struct secret){ str_dup(name), secret_dup(value),
		from, to };
}

void
secrets_put(struct secrets *s, const char *name, const char *value,
    uint32_t step)
{
	struct secret *one;
	size_t i, least = s->n > LOOK_BACK ? s->n - LOOK_BACK : 0;

	for (i = s->n; i > least; i--) {
		one = &s->v[i - 1];
		if (one->to == step && strcmp(one->name, name) == 0 &&
		    strcmp(one->value, value) == 0) {
			one->to++;
			return;
		}
	}
	add(s, name, value, step, step + 1);
}

void
secrets_write(struct jw *w, const struct secrets *s)
{
	size_t i;

	jw_array(w);
	for (i = 0; i < s->n; i++) {
		jw_object(w);
		jw_kv_str(w, "name", s->v[i].name);
		jw_kv_str(w, SECRET_KEY, s->v[i].value);
		jw_kv_int(w, "from", s->v[i].from);
		jw_kv_int(w, "to", s->v[i].to);
		jw_object_end(w);
	}
	jw_array_end(w);
}

static int
read_one(const struct jval *v, const struct apart *apart,
    struct secrets *ret)
{
	const char *name = jval_get_str(v, "name", "");
	int64_t at = jval_get_int(v, SECRET_KEY, -1);
	const char *value = at >= 0 && (uint64_t)at < apart->n ?
	    apart->v[at] : NULL;
	int64_t from = jval_get_int(v, "from", -1);
	int64_t to = jval_get_int(v, "to", -1);

	if (*name == '\0' || strchr(name, '=') != NULL || value == NULL)
		return ERR_SYNTAX;
	if (strlen(name) > SECRET_NAME_MAX ||
	    strlen(value) > SECRET_VALUE_MAX)
		return ERR_TOO_LARGE;
	if (from < 0 || to <= from || to > WORK_MAX_STEPS)
		return ERR_RANGE;
	add(ret, name, value, (uint32_t)from, (uint32_t)to);
	return 0;
}

int
secrets_read(const struct jval *v, const struct apart *apart,
    struct secrets *ret)
{
	struct secrets s = { .v = NULL };
	size_t i, n = jval_type(v) == JVAL_ARRAY ? jval_count(v) : 0;
	int r = n > SECRETS_MAX ? ERR_TOO_LARGE : 0;

	for (i = 0; i < n && r == 0; i++)
		r = read_one(jval_at(v, i), apart, &s);
	if (r < 0)
		secrets_done(&s);
	*ret = s;
	return r;
}
