/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Themes. Levels are read from the oldest parent down, so that a child only
 * says what differs; the palette is read before the roles that use it.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"
#include "yardmaster/model/live.h"
#include "tui/theme.h"

#define LEVELS_MAX 4
#define PALETTE_MAX 64
#define PAIRS_MAX 60		/* of the 64 a terminal of 8 colours has */

static const char *const role_names[ROLES + 1] = {
	"normal", "strong", "dim", "good", "warn", "bad", "info", "accent",
	"stale", "header", "header-warn", "header-bad", "title", "filter",
	"heading", "heading-sort", "status", "status-good", "status-warn",
	"status-bad", "key", "key-label", "key-off", "cursor", "mark",
	"match", "dialog", "dialog-frame", "dialog-title", "field",
	"field-focus", "button", "button-focus", "old", "new", "gauge-used",
	"gauge-free", "gap", "out-black", "out-red", "out-green",
	"out-yellow", "out-blue", "out-magenta", "out-cyan", "out-white",
	NULL
};

static const char *const kind_names[LOOK_KINDS + 1] = {
	"agent", "execution", "run", "link", "worker", "event", "severity",
	NULL
};

static const char *const event_names[] = { "info", "edit", "result", "link",
	"warning", "error" };
static const char *const severity_names[] = { "info", "warn", "bad" };

static const struct {
	const char *name;
	uint8_t bit;
} attrs[] = { { "bold", ATTR_BOLD }, { "dim", ATTR_DIM },
	{ "underline", ATTR_UNDERLINE }, { "reverse", ATTR_REVERSE },
	{ "plain", 0 } };
#define N_ATTRS (sizeof(attrs) / sizeof(attrs[0]))

struct palette_entry {
	char name[32];
	struct color color;
};

struct reader {
	struct theme *theme;
	const struct ini *ini;
	struct diags *ds;
	struct palette_entry palette[PALETTE_MAX];
	size_t n_palette;
	bool seen_role[ROLES];
	bool seen_state[LOOK_KINDS][LOOK_STATES_MAX];
};

const char *
role_name(enum role r)
{
	return role_names[r];
}

const char *
look_kind_name(enum look_kind k)
{
	return kind_names[k];
}

const char *
look_state_name(enum look_kind k, unsigned state)
{
	static const unsigned counts[LOOK_KINDS] = { AGENT_STATES, EXEC_STATES,
		RUN_STATES, LINK_STALE + 1, WORKER_KINDS, EVENT_ERROR + 1,
		SEVERITY_BAD + 1 };

	if (state >= counts[k])
		return NULL;
	switch (k) {
	case LOOK_AGENT:
		return agent_state_name((enum agent_state)state);
	case LOOK_EXEC:
		return exec_state_name((enum exec_state)state);
	case LOOK_RUN:
		return run_state_name((enum run_state)state);
	case LOOK_LINK:
		return link_state_name((enum link_state)state);
	case LOOK_WORKER:
		return worker_kind_name((enum worker_kind)state);
	case LOOK_EVENT:
		return event_names[state];
	default:
		return severity_names[state];
	}
}



/* Copies the next blank-parted word of *p; false at the end. */
static bool
next_word(const char **p, char *out, size_t size)
{
	size_t n;

	*p += strspn(*p, " \t");
	n = strcspn(*p, " \t");
	if (n == 0)
		return false;
	snprintf(out, size, "%.*s", (int)n, *p);
	*p += n;
	return true;
}

static struct diag *
fault(struct reader *rd, const struct ini_entry *e, const char *text,
    const char *word)
{
	return diag_add(rd->ds, DIAG_ERROR, rd->ini->file, e->line, e->key,
	    "%s '%s'", text, word);
}

static const struct color own_color = { -1, -1, -1 };

static const struct color *
find_color(struct reader *rd, const struct ini_entry *e, const char *name)
{
	const char *known[PALETTE_MAX + 2], *near;
	struct diag *d;
	size_t i;

	if (strcmp(name, "default") == 0)
		return &own_color;
	for (i = 0; i < rd->n_palette; i++) {
		if (strcmp(rd->palette[i].name, name) == 0)
			return &rd->palette[i].color;
		known[i] = rd->palette[i].name;
	}
	known[i] = "default";
	known[i + 1] = NULL;
	d = fault(rd, e, "no colour of the palette:", name);
	near = text_nearest(name, known, 2);
	if (near != NULL)
		diag_set_hint(d, "did you mean '%s'?", near);
	return NULL;
}

static bool
find_attr(struct reader *rd, const struct ini_entry *e, const char *word,
    uint8_t *bits)
{
	size_t i;

	for (i = 0; i < N_ATTRS; i++) {
		if (strcmp(attrs[i].name, word) == 0) {
			*bits |= attrs[i].bit;
			return true;
		}
	}
	diag_set_hint(fault(rd, e, "no attribute:", word),
	    "attributes are bold, dim, underline, reverse, plain");
	return false;
}



/* A number 0 to max, or "default" as -1. */
static bool
read_index(const char *word, int max, int16_t *ret)
{
	char *end;
	long v;

	if (strcmp(word, "default") == 0) {
		*ret = -1;
		return true;
	}
	v = strtol(word, &end, 10);
	if (*word == '\0' || *end != '\0' || v < 0 || v > max)
		return false;
	*ret = (int16_t)v;
	return true;
}

static bool
read_rgb(const char *word, int32_t *ret)
{
	char *end;
	unsigned long v;

	if (strcmp(word, "default") == 0) {
		*ret = -1;
		return true;
	}
	if (*word != '#' || strlen(word) != 7)
		return false;
	v = strtoul(word + 1, &end, 16);
	*ret = (int32_t)v;
	return *end == '\0';
}

static void
read_palette(struct reader *rd, const struct ini_entry *e)
{
	struct palette_entry *slot = NULL;
	char a[32] = "", b[32] = "", c[32] = "", more[8];
	const char *p = e->value;
	struct color color;
	size_t i;

	next_word(&p, a, sizeof(a));
	next_word(&p, b, sizeof(b));
	next_word(&p, c, sizeof(c));
	if (next_word(&p, more, sizeof(more)) || !read_rgb(a, &color.rgb) ||
	    !read_index(b, 255, &color.c256) ||
	    !read_index(c, 15, &color.c16)) {
		diag_set_hint(fault(rd, e, "not a colour:", e->value),
		    "#RRGGBB, a number to 255, a number to 15");
		return;
	}
	for (i = 0; i < rd->n_palette; i++)
		if (strcmp(rd->palette[i].name, e->key) == 0)
			slot = &rd->palette[i];
	if (slot == NULL && rd->n_palette == PALETTE_MAX) {
		fault(rd, e, "too many colours:", e->key);
		return;
	}
	if (slot == NULL)
		slot = &rd->palette[rd->n_palette++];
	snprintf(slot->name, sizeof(slot->name), "%s", e->key);
	slot->color = color;
}

/* "ROLE = FG BG [ATTRIBUTE...]" */
static void
read_role(struct reader *rd, const struct ini_entry *e)
{
	char word[32] = "";
	const struct color *fg, *bg;
	struct role_look look = { .attr = 0 };
	const char *p = e->value;
	unsigned i;

	for (i = 0; i < ROLES && strcmp(role_names[i], e->key) != 0; i++)
		continue;
	if (i == ROLES) {
		ini_unknown(rd->ini, e, rd->ds, "role", e->key, role_names);
		return;
	}
	next_word(&p, word, sizeof(word));
	fg = find_color(rd, e, word);
	word[0] = '\0';
	next_word(&p, word, sizeof(word));
	bg = find_color(rd, e, word);
	if (fg == NULL || bg == NULL)
		return;
	look.fg = *fg;
	look.bg = *bg;
	while (next_word(&p, word, sizeof(word)))
		if (!find_attr(rd, e, word, &look.attr))
			return;
	rd->theme->roles[i] = look;
	rd->seen_role[i] = true;
}

static bool
find_state(struct reader *rd, const struct ini_entry *e, unsigned *kind,
    unsigned *state)
{
	const char *names[LOOK_STATES_MAX + 1] = { NULL };
	size_t n = strcspn(e->key, ".");
	char word[32];

	for (*kind = 0; *kind < LOOK_KINDS; ++*kind)
		if (strlen(kind_names[*kind]) == n &&
		    strncmp(kind_names[*kind], e->key, n) == 0)
			break;
	if (*kind == LOOK_KINDS || e->key[n] == '\0') {
		snprintf(word, sizeof(word), "%.*s", (int)n, e->key);
		ini_unknown(rd->ini, e, rd->ds, "kind of state", word,
		    kind_names);
		return false;
	}
	for (*state = 0; *state < LOOK_STATES_MAX; ++*state) {
		names[*state] = look_state_name((enum look_kind)*kind, *state);
		if (names[*state] == NULL)
			break;
		if (strcmp(names[*state], e->key + n + 1) == 0)
			return true;
	}
	ini_unknown(rd->ini, e, rd->ds, "state", e->key + n + 1, names);
	return false;
}

/* "KIND.STATE = GLYPH LETTER ROLE [ATTRIBUTE...]" */
static void
read_state(struct reader *rd, const struct ini_entry *e)
{
	char glyph[8] = "", letter[8] = "", word[32] = "";
	struct state_look look = { .glyph = "" };
	const char *p = e->value;
	unsigned kind, state, role;

	if (!find_state(rd, e, &kind, &state))
		return;
	next_word(&p, glyph, sizeof(glyph));
	next_word(&p, letter, sizeof(letter));
	next_word(&p, word, sizeof(word));
	if (text_width(glyph, strlen(glyph)) != 1 || strlen(letter) != 1 ||
	    letter[0] < '!' || letter[0] > '~') {
		diag_set_hint(fault(rd, e, "not a look:", e->value),
		    "a glyph of one cell, an ASCII letter, a role, "
		    "attributes");
		return;
	}
	for (role = 0; role < ROLES; role++)
		if (strcmp(role_names[role], word) == 0)
			break;
	if (role == ROLES) {
		ini_unknown(rd->ini, e, rd->ds, "role", word, role_names);
		return;
	}
	snprintf(look.glyph, sizeof(look.glyph), "%s", glyph);
	look.letter[0] = letter[0];
	look.style.role = (uint8_t)role;
	while (next_word(&p, word, sizeof(word)))
		if (!find_attr(rd, e, word, &look.style.attr))
			return;
	rd->theme->states[kind][state] = look;
	rd->seen_state[kind][state] = true;
}

static void
read_general(struct reader *rd, const struct ini_entry *e)
{
	static const char *const keys[] = { "name", "inherit", "cursor",
		NULL };
	struct theme *th = rd->theme;

	if (strcmp(e->key, "name") == 0)
		snprintf(th->name, sizeof(th->name), "%s", e->value);
	else if (strcmp(e->key, "cursor") == 0 &&
	    (strcmp(e->value, "row") == 0 || strcmp(e->value, "mark") == 0))
		th->cursor_row = strcmp(e->value, "row") == 0;
	else if (strcmp(e->key, "cursor") == 0)
		diag_set_hint(fault(rd, e, "not a cursor:", e->value),
		    "row or mark");
	else if (strcmp(e->key, "inherit") != 0)
		ini_unknown(rd->ini, e, rd->ds, "key", e->key, keys);
}

static const struct {
	const char *name;
	void (*read)(struct reader *rd, const struct ini_entry *e);
} sections[] = { { "theme", read_general }, { "palette", read_palette },
	{ "roles", read_role }, { "states", read_state } };
#define N_SECTIONS (sizeof(sections) / sizeof(sections[0]))

static void
read_section(struct reader *rd, size_t s)
{
	size_t i;

	for (i = 0; i < rd->ini->n; i++)
		if (strcmp(rd->ini->v[i].section, sections[s].name) == 0)
			sections[s].read(rd, &rd->ini->v[i]);
}

static void
check_sections(struct reader *rd)
{
	static const char *const known[] = { "theme", "palette", "roles",
		"states", NULL };
	const struct ini_entry *e;
	size_t i, s;

	for (i = 0; i < rd->ini->n; i++) {
		e = &rd->ini->v[i];
		for (s = 0; s < N_SECTIONS; s++)
			if (strcmp(e->section, sections[s].name) == 0)
				break;
		if (s == N_SECTIONS)
			ini_unknown(rd->ini, e, rd->ds, "section", e->section,
			    known);
	}
}

/* Section by section over all levels: a child's palette colours the roles of
 * its parents too. */
static void
read_levels(struct reader *rd, const struct ini *levels, int n)
{
	size_t s;
	int i;

	for (s = 0; s < N_SECTIONS; s++)
		for (i = n - 1; i >= 0; i--) {
			rd->ini = &levels[i];
			read_section(rd, s);
		}
	for (i = 0; i < n; i++) {
		rd->ini = &levels[i];
		check_sections(rd);
	}
}

/* Every role and every state must have a look somewhere. */
static void
check_complete(struct reader *rd, const char *file)
{
	const char *name;
	unsigned k, i;

	for (i = 0; i < ROLES; i++)
		if (!rd->seen_role[i])
			diag_add(rd->ds, DIAG_ERROR, file, 0, "roles",
			    "role '%s' is missing", role_names[i]);
	for (k = 0; k < LOOK_KINDS; k++)
		for (i = 0; i < LOOK_STATES_MAX; i++) {
			name = look_state_name((enum look_kind)k, i);
			if (name != NULL && !rd->seen_state[k][i])
				diag_add(rd->ds, DIAG_ERROR, file, 0,
				    "states", "state '%s.%s' is missing",
				    kind_names[k], name);
		}
}

/* Where a terminal has 64 pairs, no role may go without its colours. */
static void
check_pairs(const struct theme *th, const char *file, struct diags *ds)
{
	int i, j, n = 0;

	for (i = 0; i < ROLES; i++) {
		for (j = 0; j < i; j++)
			if (th->roles[j].fg.c16 == th->roles[i].fg.c16 &&
			    th->roles[j].bg.c16 == th->roles[i].bg.c16)
				break;
		n += j == i;
	}
	if (n > PAIRS_MAX)
		diag_add(ds, DIAG_ERROR, file, 0, "roles",
		    "%d pairs of colours at 16 colours, at most %d", n,
		    PAIRS_MAX);
}

int
theme_load(struct theme *ret, const struct tui_files *files,
    const char *name, struct diags *ds)
{
	struct ini levels[LEVELS_MAX];
	struct theme *theme = mem_zalloc(sizeof(*theme));
	struct reader *rd = mem_zalloc(sizeof(*rd));
	size_t errors = ds->errors;
	const char *next = name != NULL ? name : "default";
	int n = 0, i, r = 0;

	rd->theme = theme;
	rd->ds = ds;
	while (r == 0 && next != NULL && n < LEVELS_MAX) {
		r = files_load(files, "themes", next, ".theme",
		    builtin_theme, &levels[n++], ds);
		next = ini_get(&levels[n - 1], "theme", "inherit");
	}
	if (r == 0 && next != NULL)
		diag_add(ds, DIAG_ERROR, levels[0].file, 0, "theme.inherit",
		    "themes inherit each other");
	if (ds->errors == errors)
		read_levels(rd, levels, n);
	if (ds->errors == errors) {
		check_complete(rd, levels[0].file);
		check_pairs(theme, levels[0].file, ds);
	}
	if (r == 0 && ds->errors > errors)
		r = ERR_INVALID;
	if (r == 0)
		*ret = *theme;
	for (i = 0; i < n; i++)
		ini_done(&levels[i]);
	free(rd);
	free(theme);
	return r;
}

const struct state_look *
theme_state(const struct theme *th, enum look_kind kind, unsigned state)
{
	return &th->states[kind][state < LOOK_STATES_MAX ? state : 0];
}

const char *
theme_glyph(const struct theme *th, enum look_kind kind, unsigned state,
    bool utf8)
{
	const struct state_look *look = theme_state(th, kind, state);

	return utf8 ? look->glyph : look->letter;
}
