/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Guards of a host: one table says how each is read, written and shown. */
#include "config.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/size.h"
#include "yardmaster/model/guards.h"

enum form { FORM_LOAD, FORM_BYTES, FORM_ARGV };

static const struct info {
	const char *name;
	enum form form;
	size_t offset, size;
} table[GUARDS] = {
#define MEMBER(m) offsetof(struct guards, m), sizeof(((struct guards *)0)->m)
	[GUARD_LOAD] = { "load_per_cpu", FORM_LOAD, MEMBER(load_per_cpu) },
	[GUARD_MEMORY] = { "free_memory", FORM_BYTES, MEMBER(free_memory) },
	[GUARD_DISK] = { "free_disk", FORM_BYTES, MEMBER(free_disk) },
	[GUARD_HEALTH] = { "health", FORM_ARGV, MEMBER(health) },
};

static void *
member(struct guards *g, enum guard which)
{
	return (char *)g + table[which].offset;
}

static const void *
member_of(const struct guards *g, enum guard which)
{
	return (const char *)g + table[which].offset;
}

const char *
guard_name(enum guard g)
{
	return table[g].name;
}

int
guard_parse(const char *name)
{
	int g;

	for (g = 0; g < GUARDS; g++)
		if (strcmp(table[g].name, name) == 0)
			return g;
	return -1;
}

static bool
is_off(const struct guards *g, enum guard which)
{
	switch (table[which].form) {
	case FORM_LOAD:
		return !(*(const double *)member_of(g, which) > 0);
	case FORM_BYTES:
		return *(const uint64_t *)member_of(g, which) == 0;
	case FORM_ARGV:
		break;
	}
	return *(const char *)member_of(g, which) == '\0';
}

void
guard_copy(struct guards *to, const struct guards *from, enum guard g)
{
	memcpy(member(to, g), member_of(from, g), table[g].size);
	to->given = (to->given & ~GUARD_BIT(g)) | (from->given & GUARD_BIT(g));
}

static bool
is_equal(const struct guards *a, const struct guards *b, enum guard g)
{
	struct buf x = BUF_INIT, y = BUF_INIT;
	bool same = (a->given & GUARD_BIT(g)) == (b->given & GUARD_BIT(g));

	guard_put(&x, a, g);
	guard_put(&y, b, g);
	if ((a->given & b->given & GUARD_BIT(g)) != 0)
		same = strcmp(buf_str(&x), buf_str(&y)) == 0;
	buf_done(&x);
	buf_done(&y);
	return same;
}

bool
guards_equal(const struct guards *a, const struct guards *b, unsigned named)
{
	int g;

	for (g = 0; g < GUARDS; g++)
		if ((named & GUARD_BIT(g)) != 0 &&
		    !is_equal(a, b, (enum guard)g))
			return false;
	return true;
}

static void
put_given(struct buf *out, const struct guards *g, enum guard which)
{
	if ((g->given & GUARD_BIT(which)) != 0)
		guard_put(out, g, which);
	else
		buf_puts(out, "default");
}

void
guards_put_change(struct buf *out, const struct guards *from,
    const struct guards *to, unsigned named)
{
	const char *sep = "";
	int g;

	for (g = 0; g < GUARDS; g++) {
		if ((named & GUARD_BIT(g)) == 0)
			continue;
		buf_putf(out, "%s%s ", sep, table[g].name);
		put_given(out, from, (enum guard)g);
		buf_puts(out, " -> ");
		put_given(out, to, (enum guard)g);
		sep = ", ";
	}
}

/* A list with a command at its head, as compact text. */
static int
set_argv(char *to, const struct jval *v)
{
	struct buf b = BUF_INIT;
	size_t i, n = jval_count(v);
	int r = jval_type(v) == JVAL_ARRAY ? 0 : ERR_SYNTAX;

	for (i = 0; r == 0 && i < n; i++)
		if (jval_str(jval_at(v, i), NULL) == NULL ||
		    (i == 0 && *jval_str(jval_at(v, i), "") == '\0'))
			r = ERR_SYNTAX;
	if (r == 0 && n > 0)
		jval_print(v, &b);
	if (r == 0 && buf_len(&b) >= GUARD_HEALTH_SIZE)
		r = ERR_TOO_LARGE;
	if (r == 0)
		memcpy(to, buf_str(&b), buf_len(&b) + 1);
	buf_done(&b);
	return r;
}

int
guards_set_health(struct guards *g, const struct strvec *argv)
{
	struct buf b = BUF_INIT;
	struct jval *v = NULL;
	struct jw w;
	size_t i;
	int r;

	jw_init(&w, &b);
	jw_array(&w);
	for (i = 0; i < argv->n; i++)
		jw_str(&w, argv->v[i]);
	jw_array_end(&w);
	if ((r = jval_parse(&v, buf_data(&b), buf_len(&b))) == 0 &&
	    (r = set_argv(g->health, v)) == 0)
		g->given |= GUARD_BIT(GUARD_HEALTH);
	jval_free(v);
	buf_done(&b);
	return r;
}

void
guards_health(const struct guards *g, struct strvec *argv)
{
	struct jval *v = NULL;
	size_t i;

	if (jval_parse(&v, g->health, strlen(g->health)) == 0)
		for (i = 0; i < jval_count(v); i++)
			strvec_push(argv, jval_str(jval_at(v, i), ""));
	jval_free(v);
}

static int
set_words(struct guards *to, const char *text)
{
	struct strvec argv = STRVEC_INIT;
	struct jval *v = NULL;
	int r;

	if (*text == '[') {
		if ((r = jval_parse(&v, text, strlen(text))) == 0 &&
		    (r = set_argv(to->health, v)) == 0)
			to->given |= GUARD_BIT(GUARD_HEALTH);
		jval_free(v);
		return r;
	}
	while (*(text += strspn(text, " \t")) != '\0') {
		size_t n = strcspn(text, " \t");

		strvec_pushf(&argv, "%.*s", (int)n, text);
		text += n;
	}
	r = argv.n > 0 ? guards_set_health(to, &argv) : ERR_SYNTAX;
	strvec_done(&argv);
	return r;
}

static int
set_load(double *to, double n)
{
	if (!(n >= 0 && n <= GUARD_LOAD_MAX))
		return ERR_RANGE;
	*to = n;
	return 0;
}

static int
set_load_text(double *to, const char *text)
{
	char *end;
	double n = strtod(text, &end);

	return end == text || *end != '\0' ? ERR_SYNTAX : set_load(to, n);
}

int
guard_set(struct guards *to, enum guard g, const char *text)
{
	struct guards none = { .given = GUARD_BIT(g) };
	int r = 0;

	if (strcmp(text, "default") == 0)
		none.given = 0;
	if (none.given == 0 || strcmp(text, "off") == 0) {
		guard_copy(to, &none, g);
		return 0;
	}
	switch (table[g].form) {
	case FORM_LOAD:
		r = set_load_text(member(to, g), text);
		break;
	case FORM_BYTES:
		r = size_parse(text, member(to, g));
		break;
	case FORM_ARGV:
		return set_words(to, text);
	}
	if (r == 0)
		to->given |= GUARD_BIT(g);
	return r;
}

void
guard_put(struct buf *out, const struct guards *from, enum guard g)
{
	if (is_off(from, g))
		buf_puts(out, "off");
	else if (table[g].form == FORM_LOAD)
		buf_putf(out, "%g", *(const double *)member_of(from, g));
	else if (table[g].form == FORM_BYTES)
		size_put(out, *(const uint64_t *)member_of(from, g));
	else
		buf_puts(out, member_of(from, g));
}

void
guards_write(struct jw *w, const struct guards *from, unsigned named)
{
	int g;

	jw_object(w);
	for (g = 0; g < GUARDS; g++) {
		if ((named & GUARD_BIT(g)) == 0)
			continue;
		jw_key(w, table[g].name);
		if ((from->given & GUARD_BIT(g)) == 0)
			jw_null(w);
		else if (table[g].form == FORM_LOAD)
			jw_real(w, *(const double *)member_of(from, g));
		else if (table[g].form == FORM_BYTES)
			jw_int(w, (int64_t)*(const uint64_t *)
			    member_of(from, g));
		else if (is_off(from, g))
			jw_raw(w, "[]", 2);
		else
			jw_raw(w, member_of(from, g),
			    strlen(member_of(from, g)));
	}
	jw_object_end(w);
}

static int
read_one(const struct jval *v, struct guards *to, enum guard g)
{
	switch (table[g].form) {
	case FORM_LOAD:
		return set_load(member(to, g), jval_real(v, -1));
	case FORM_BYTES:
		if (jval_int(v, -1) < 0)
			return ERR_RANGE;
		*(uint64_t *)member(to, g) = (uint64_t)jval_int(v, 0);
		return 0;
	case FORM_ARGV:
		break;
	}
	return set_argv(member(to, g), v);
}

int
guards_read(const struct jval *v, struct guards *ret, unsigned *ret_named)
{
	struct guards g = { .given = 0 };
	const struct jval *value;
	unsigned named = 0;
	size_t i;
	int r, which;

	if (jval_type(v) != JVAL_OBJECT && jval_type(v) != JVAL_NULL)
		return ERR_SYNTAX;
	for (i = 0; jval_type(v) == JVAL_OBJECT && i < jval_count(v); i++) {
		if ((which = guard_parse(jval_key_at(v, i))) < 0)
			continue;
		named |= GUARD_BIT(which);
		if ((value = jval_value_at(v, i)) == NULL)
			continue;
		if ((r = read_one(value, &g, (enum guard)which)) < 0)
			return r;
		g.given |= GUARD_BIT(which);
	}
	*ret = g;
	if (ret_named != NULL)
		*ret_named = named;
	return 0;
}
