/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * INI files of people (themes, key maps, the last view): sections, "key =
 * value", whole-line comments with '#' or ';'. Every fault is a diagnostic.
 */
#ifndef YARDMASTER_TUI_INI_H
#define YARDMASTER_TUI_INI_H

#include <stddef.h>

#include "yardmaster/base/diag.h"

struct ini_entry {
	char *section;		/* "" before the first one */
	char *key, *value;	/* trimmed; value may be "" */
	unsigned line;
};

struct ini {
	char *file;		/* for diagnostics */
	struct ini_entry *v;	/* in order of the file */
	size_t n, cap;
};

/* Parses text (n bytes). 0, or ERR_INVALID with diagnostics (lines that are
 * right are kept even then). ini_done() is due always. */
int ini_parse(struct ini *ini, const char *file, const char *text, size_t n,
    struct diags *ds);
/* The same for a file of at most 256 kB; also -errno and ERR_TOO_LARGE, with
 * a diagnostic. */
int ini_load(struct ini *ini, const char *file, struct diags *ds);
void ini_done(struct ini *ini);
/* The last value of key in section, or NULL. */
const char *ini_get(const struct ini *ini, const char *section,
    const char *key);
/* Adds "unknown WHAT 'word'" for an entry, with the nearest of a NULL-ended
 * list as hint. */
void ini_unknown(const struct ini *ini, const struct ini_entry *e,
    struct diags *ds, const char *what, const char *word,
    const char *const *known);

#endif
