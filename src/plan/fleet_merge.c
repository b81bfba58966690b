/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The edits of a fleet put over its file. Each agent is one JSON text; an edit
 * replaces it, or one member of it.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "plan/fleet_merge.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/mem.h"

struct merged {
	char *name;
	char *text;		/* the agent's object; NULL: removed */
};

struct merge {
	struct merged *v;
	size_t n, cap;
};

static struct merged *
find(struct merge *m, const char *name)
{
	size_t i;

	for (i = 0; i < m->n; i++)
		if (m->v[i].text != NULL && strcmp(m->v[i].name, name) == 0)
			return &m->v[i];
	return NULL;
}

/* text is owned from then on. */
static void
add(struct merge *m, const char *name, char *text)
{
	m->v = mem_grow(m->v, &m->cap, m->n + 1, sizeof *m->v);
	m->v[m->n++] = (struct merged){ str_dup(name), text };
}

/* The object with one member replaced, added, or left out (value NULL). */
static char *
with_member(const char *text, const char *key, const char *value)
{
	struct buf b = BUF_INIT;
	struct jval *obj = NULL;
	struct jw w;
	size_t i;

	jw_init(&w, &b);
	jw_object(&w);
	if (jval_parse(&obj, text, strlen(text)) == 0)
		for (i = 0; i < jval_count(obj); i++) {
			struct buf one = BUF_INIT;

			if (strcmp(jval_key_at(obj, i), key) == 0)
				continue;
			jval_print(jval_value_at(obj, i), &one);
			jw_key(&w, jval_key_at(obj, i));
			jw_raw(&w, buf_str(&one), buf_len(&one));
			buf_done(&one);
		}
	if (value != NULL) {
		jw_key(&w, key);
		jw_raw(&w, value, strlen(value));
	}
	jw_object_end(&w);
	jval_free(obj);
	return buf_steal(&b);
}

/* False when it has no place any more. */
static bool
apply(struct merge *m, const struct fleet_edit *e)
{
	struct merged *at = find(m, e->agent);
	char *text;

	if (e->key == NULL && e->was == NULL) {
		if (at != NULL)
			return false;
		add(m, e->agent, str_dup(e->now));
		return true;
	}
	if (at == NULL)
		return false;
	text = e->key != NULL ? with_member(at->text, e->key, e->now) : NULL;
	free(at->text);
	at->text = text;
	return true;
}

/* Which count: what was taken back does not, as if it had never been; nor
 * does what took it back, unless that was taken back in turn. */
static bool *
that_count(const struct fleet_edits *e)
{
	bool *counts = mem_calloc(e->n + 1, sizeof *counts);
	size_t i;

	for (i = 0; i < e->n; i++)
		counts[i] = true;
	for (i = e->n; i-- > 0;) {
		if (e->v[i].undoes == 0)
			continue;
		if (counts[i])
			counts[e->v[i].undoes - 1] = false;
		counts[i] = false;
	}
	return counts;
}

static void
write_agents(const struct merge *m, struct jw *w)
{
	size_t i;

	jw_key(w, "agents");
	jw_array(w);
	for (i = 0; i < m->n; i++)
		if (m->v[i].text != NULL)
			jw_raw(w, m->v[i].text, strlen(m->v[i].text));
	jw_array_end(w);
}

static void
write_fleet(const struct jval *root, const struct merge *m, struct buf *out)
{
	struct buf one = BUF_INIT;
	struct jw w;
	size_t i;

	jw_init(&w, out);
	jw_object(&w);
	for (i = 0; i < jval_count(root); i++) {
		if (strcmp(jval_key_at(root, i), "agents") == 0)
			continue;
		buf_clear(&one);
		jval_print(jval_value_at(root, i), &one);
		jw_key(&w, jval_key_at(root, i));
		jw_raw(&w, buf_str(&one), buf_len(&one));
	}
	write_agents(m, &w);
	jw_object_end(&w);
	buf_done(&one);
}

void
fleet_merge(const struct jval *root, const struct fleet_edits *e,
    struct diags *ds, struct buf *out)
{
	const struct jval *agents = jval_get(root, "agents"), *a;
	struct merge m = { .v = NULL };
	struct buf one = BUF_INIT;
	bool *counts;
	size_t i;

	for (i = 0; i < jval_count(agents); i++) {
		a = jval_at(agents, i);
		buf_clear(&one);
		jval_print(a, &one);
		add(&m, jval_get_str(a, "name", "?"), str_dup(buf_str(&one)));
	}
	buf_done(&one);
	counts = that_count(e);
	for (i = 0; i < e->n; i++)
		if (counts[i] && !apply(&m, &e->v[i]))
			diag_add(ds, DIAG_WARNING, NULL, 0, NULL, "edit %llu "
			    "of the fleet no longer counts: the file %s %s",
			    (unsigned long long)e->v[i].number,
			    find(&m, e->v[i].agent) != NULL ? "itself has" :
			    "has no", e->v[i].agent);
	free(counts);
	write_fleet(root, &m, out);
	for (i = 0; i < m.n; i++) {
		free(m.v[i].name);
		free(m.v[i].text);
	}
	free(m.v);
}
