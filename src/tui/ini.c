/* SPDX-License-Identifier: GPL-3.0-or-later */
/* INI files, line by line; a bad line is said and left out. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"
#include "yardmaster/sys/fs.h"
#include "tui/ini.h"

#define INI_MAX_BYTES (256u << 10)
#define INI_MAX_ENTRIES 4096

/* Trims blanks at both ends; returns the new start and length. */
static const char *
trim(const char *s, size_t *n)
{
	while (*n > 0 && (*s == ' ' || *s == '\t')) {
		s++;
		--*n;
	}
	while (*n > 0 && strchr(" \t\r", s[*n - 1]) != NULL)
		--*n;
	return s;
}

static void
add_entry(struct ini *ini, const char *section, const char *key, size_t nkey,
    const char *value, size_t nvalue)
{
	struct ini_entry *e;

	ini->v = mem_grow(ini->v, &ini->cap, ini->n + 1, sizeof(*ini->v));
	e = &ini->v[ini->n++];
	e->section = str_dup(section);
	e->key = str_ndup(key, nkey);
	e->value = str_ndup(value, nvalue);
}

static void
parse_pair(struct ini *ini, const char *section, const char *s, size_t n,
    unsigned line, struct diags *ds)
{
	const char *eq = memchr(s, '=', n), *value;
	size_t nkey, nvalue;

	/* A binding of the key '=' itself has it after the first one. */
	if (eq == NULL || eq == s || ini->n >= INI_MAX_ENTRIES) {
		diag_add(ds, DIAG_ERROR, ini->file, line, NULL, "%s",
		    eq == NULL ? "expected key = value" :
		    eq == s ? "expected a key before =" : "too many entries");
		return;
	}
	nkey = (size_t)(eq - s);
	s = trim(s, &nkey);
	nvalue = n - (size_t)(eq + 1 - s);
	value = trim(eq + 1, &nvalue);
	add_entry(ini, section, s, nkey, value, nvalue);
	ini->v[ini->n - 1].line = line;
}

static void
parse_line(struct ini *ini, char **section, const char *s, size_t n,
    unsigned line, struct diags *ds)
{
	s = trim(s, &n);
	if (n == 0 || *s == '#' || *s == ';')
		return;
	if (*s != '[') {
		parse_pair(ini, *section, s, n, line, ds);
		return;
	}
	if (n < 3 || s[n - 1] != ']') {
		diag_add(ds, DIAG_ERROR, ini->file, line, NULL,
		    "expected [section]");
		return;
	}
	free(*section);
	*section = str_ndup(s + 1, n - 2);
}

int
ini_parse(struct ini *ini, const char *file, const char *text, size_t n,
    struct diags *ds)
{
	size_t errors = ds->errors, len;
	char *section = str_dup("");
	const char *end;
	unsigned line;

	memset(ini, 0, sizeof(*ini));
	ini->file = str_dup(file);
	if (!text_is_utf8(text, n) || memchr(text, '\0', n) != NULL)
		diag_add(ds, DIAG_ERROR, file, 0, NULL, "not UTF-8 text");
	for (line = 1; n > 0; line++) {
		end = memchr(text, '\n', n);
		len = end != NULL ? (size_t)(end - text) : n;
		parse_line(ini, &section, text, len, line, ds);
		n -= end != NULL ? len + 1 : len;
		text += len + 1;
	}
	free(section);
	return ds->errors > errors ? ERR_INVALID : 0;
}

int
ini_load(struct ini *ini, const char *file, struct diags *ds)
{
	struct buf b = BUF_INIT;
	int r;

	memset(ini, 0, sizeof(*ini));
	if ((r = fs_read(file, INI_MAX_BYTES, &b)) < 0)
		diag_add(ds, DIAG_ERROR, file, 0, NULL, "%s", err_text(r));
	else
		r = ini_parse(ini, file, buf_str(&b), buf_len(&b), ds);
	buf_done(&b);
	return r;
}

void
ini_done(struct ini *ini)
{
	size_t i;

	for (i = 0; i < ini->n; i++) {
		free(ini->v[i].section);
		free(ini->v[i].key);
		free(ini->v[i].value);
	}
	free(ini->v);
	free(ini->file);
	memset(ini, 0, sizeof(*ini));
}

const char *
ini_get(const struct ini *ini, const char *section, const char *key)
{
	const char *found = NULL;
	size_t i;

	for (i = 0; i < ini->n; i++)
		if (strcmp(ini->v[i].section, section) == 0 &&
		    strcmp(ini->v[i].key, key) == 0)
			found = ini->v[i].value;
	return found;
}

void
ini_unknown(const struct ini *ini, const struct ini_entry *e,
    struct diags *ds, const char *what, const char *word,
    const char *const *known)
{
	const char *near = text_nearest(word, known, 2);
	struct diag *d;

	d = diag_add(ds, DIAG_ERROR, ini->file, e->line, e->section,
	    "unknown %s '%s'", what, word);
	if (near != NULL)
		diag_set_hint(d, "did you mean '%s'?", near);
}
