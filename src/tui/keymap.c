/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Key maps. Files are read from the child up: what a child says of an action
 * or of a key hides what its parents say.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "tui/action.h"
#include "tui/keymap.h"

#define LEVELS_MAX 4

/* The views there are; no key may mean two things in one of them. */
static const unsigned listeners[] = { LISTEN_TABLE, LISTEN_LOG,
	LISTEN_DIALOG };
#define N_LISTENERS (sizeof(listeners) / sizeof(listeners[0]))

struct reader {
	struct keymap *map;
	const struct ini *ini;
	struct diags *ds;
	bool *said;		/* actions a lower level spoke of */
	unsigned level;
};

void
keymap_done(struct keymap *m)
{
	free(m->v);
	memset(m, 0, sizeof(*m));
}

static bool
together(int a, int b)
{
	size_t i;
	unsigned bits = 1u << actions[a].context | 1u << actions[b].context;

	for (i = 0; i < N_LISTENERS; i++)
		if ((listeners[i] & bits) == bits)
			return true;
	return false;
}

static bool
clash(const struct keyseq *a, const struct keyseq *b)
{
	return keyseq_equal(a, b) || keyseq_prefix(a, b) ||
	    keyseq_prefix(b, a);
}

static void
say_clash(struct reader *rd, const struct binding *old, int action,
    const struct keyseq *seq, unsigned line)
{
	char a[KEYSEQ_TEXT], b[KEYSEQ_TEXT];
	struct diag *d;

	d = diag_add(rd->ds, DIAG_ERROR, rd->ini->file, line,
	    actions[action].name, "%s %s %s of %s", keyseq_format(seq, a),
	    keyseq_equal(&old->seq, seq) ? "is" :
	    keyseq_prefix(seq, &old->seq) ? "begins" : "begins with",
	    keyseq_format(&old->seq, b), actions[old->action].name);
	diag_set_hint(d, "line %u; bind one of them to \"none\"", old->line);
}

/* A child's key hides the parent's; in one file it is a fault. */
static void
add_binding(struct reader *rd, int action, const struct keyseq *seq,
    unsigned line)
{
	struct keymap *m = rd->map;
	const struct binding *old;
	struct binding *b;
	size_t i;

	for (i = 0; i < m->n; i++) {
		old = &m->v[i];
		if (!clash(&old->seq, seq) || !together(old->action, action) ||
		    (old->action == action && keyseq_equal(&old->seq, seq)))
			continue;
		if (old->level == rd->level)
			say_clash(rd, old, action, seq, line);
		return;
	}
	m->v = mem_grow(m->v, &m->cap, m->n + 1, sizeof(*m->v));
	b = &m->v[m->n++];
	b->seq = *seq;
	b->action = action;
	b->line = line;
	b->level = rd->level;
}

static void
read_sequences(struct reader *rd, const struct ini_entry *e, int action)
{
	const char *p = e->value, *end;
	struct keyseq seq;
	struct diag *d;

	for (;; p = end + 1) {
		end = p + strcspn(p, ",");
		if (keyseq_parse(p, (size_t)(end - p), &seq) == 0) {
			add_binding(rd, action, &seq, e->line);
		} else {
			d = diag_add(rd->ds, DIAG_ERROR, rd->ini->file,
			    e->line, e->key, "'%.*s' is no key",
			    (int)(end - p), p);
			diag_set_hint(d, "keys are a, C-x, M-x, Enter, Esc, "
			    "Tab, Space, Comma, Backspace, Up, PgUp, Home, "
			    "F1; at most %d in a row", KEYSEQ_MAX);
		}
		if (*end == '\0')
			return;
	}
}

static void
unknown_action(struct reader *rd, const struct ini_entry *e)
{
	const char *near = action_nearest(e->key);
	struct diag *d;

	d = diag_add(rd->ds, DIAG_ERROR, rd->ini->file, e->line, e->section,
	    "unknown action '%s'", e->key);
	if (near != NULL)
		diag_set_hint(d, "did you mean '%s'?", near);
}

static void
read_key(struct reader *rd, const struct ini_entry *e, bool *said)
{
	int action = action_find(e->key);

	if (action < 0) {
		unknown_action(rd, e);
		return;
	}
	if (rd->said[action])
		return;
	said[action] = true;
	if (strcmp(e->value, "none") != 0)
		read_sequences(rd, e, action);
}

static void
read_entry(struct reader *rd, const struct ini_entry *e, bool *said,
    char **inherit)
{
	static const char *const sections[] = { "keymap", "keys", NULL };
	static const char *const keys[] = { "name", "inherit", NULL };

	if (strcmp(e->section, "keys") == 0) {
		read_key(rd, e, said);
	} else if (strcmp(e->section, "keymap") != 0) {
		ini_unknown(rd->ini, e, rd->ds, "section", e->section,
		    sections);
	} else if (strcmp(e->key, "inherit") == 0) {
		free(*inherit);
		*inherit = str_dup(e->value);
	} else if (strcmp(e->key, "name") != 0) {
		ini_unknown(rd->ini, e, rd->ds, "key", e->key, keys);
	} else if (rd->level == 0) {
		snprintf(rd->map->name, sizeof(rd->map->name), "%s",
		    e->value);
	}
}

/* Reads one level; *inherit is replaced by its parent's name or NULL. */
static void
read_level(struct reader *rd, char **inherit)
{
	bool *said = mem_calloc(n_actions, sizeof(*said));
	size_t i;

	free(*inherit);
	*inherit = NULL;
	for (i = 0; i < rd->ini->n; i++)
		read_entry(rd, &rd->ini->v[i], said, inherit);
	for (i = 0; i < n_actions; i++)
		rd->said[i] |= said[i];
	free(said);
}

static int
load_levels(struct reader *rd, const struct tui_files *files, char **name)
{
	struct ini ini;
	int r;

	for (rd->level = 0; *name != NULL; rd->level++) {
		if (rd->level == LEVELS_MAX) {
			diag_add(rd->ds, DIAG_ERROR, NULL, 0, NULL,
			    "key maps inherit each other");
			return ERR_INVALID;
		}
		r = files_load(files, "keymaps", *name, ".keymap",
		    builtin_keymap, &ini, rd->ds);
		rd->ini = &ini;
		if (r == 0)
			read_level(rd, name);
		ini_done(&ini);
		if (r < 0)
			return r;
	}
	return 0;
}

int
keymap_load(struct keymap *ret, const struct tui_files *files,
    const char *name, struct diags *ds)
{
	struct keymap map = { .n = 0 };
	struct reader rd = { .map = &map, .ds = ds };
	char *next = str_dup(name != NULL ? name : "default");
	size_t errors = ds->errors;
	int r;

	snprintf(map.name, sizeof(map.name), "%s", next);
	rd.said = mem_calloc(n_actions, sizeof(*rd.said));
	r = load_levels(&rd, files, &next);
	if (r == 0 && ds->errors > errors)
		r = ERR_INVALID;
	if (r == 0) {
		keymap_done(ret);
		*ret = map;
	} else {
		keymap_done(&map);
	}
	free(rd.said);
	free(next);
	return r;
}

int
keymap_resolve(const struct keymap *m, unsigned listens,
    const struct keyseq *seq)
{
	const struct binding *b;
	size_t i;

	for (i = 0; i < m->n; i++) {
		b = &m->v[i];
		if ((listens & 1u << actions[b->action].context) == 0)
			continue;
		if (keyseq_equal(seq, &b->seq))
			return b->action;
		if (keyseq_prefix(seq, &b->seq))
			return KEYMAP_PREFIX;
	}
	return KEYMAP_NONE;
}

char *
keymap_first(const struct keymap *m, int action, char *out)
{
	size_t i;

	out[0] = '\0';
	for (i = 0; i < m->n; i++)
		if (m->v[i].action == action)
			return keyseq_format(&m->v[i].seq, out);
	return out;
}

void
keymap_all(const struct keymap *m, int action, struct buf *out)
{
	char text[KEYSEQ_TEXT];
	const char *comma = "";
	size_t i;

	for (i = 0; i < m->n; i++) {
		if (m->v[i].action != action)
			continue;
		buf_putf(out, "%s%s", comma, keyseq_format(&m->v[i].seq, text));
		comma = ", ";
	}
}
