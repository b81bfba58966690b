/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of keys, and keys of what terminals send. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/err.h"
#include "tui/key.h"

static const struct {
	uint32_t key;
	const char *name;
} names[] = {
	{ YK_UP, "Up" }, { YK_DOWN, "Down" }, { YK_LEFT, "Left" },
	{ YK_RIGHT, "Right" }, { YK_PGUP, "PgUp" }, { YK_PGDN, "PgDn" },
	{ YK_HOME, "Home" }, { YK_END, "End" }, { YK_INSERT, "Insert" },
	{ YK_DELETE, "Delete" }, { YK_BACKSPACE, "Backspace" },
	{ YK_TAB, "Tab" }, { YK_ENTER, "Enter" }, { YK_ESC, "Esc" },
	{ YK_SPACE, "Space" }, { YK_F1, "F1" }, { YK_F2, "F2" },
	{ YK_F3, "F3" }, { YK_F4, "F4" }, { YK_F5, "F5" }, { YK_F6, "F6" },
	{ YK_F7, "F7" }, { YK_F8, "F8" }, { YK_F9, "F9" },
	{ YK_F10, "F10" }, { YK_F11, "F11" }, { YK_F12, "F12" },
	{ ',', "Comma" },	/* ',' parts sequences in key maps */
};
#define N_NAMES (sizeof(names) / sizeof(names[0]))

static const struct {
	char letter;
	uint32_t bit;
} modifiers[] = { { 'C', KEY_CTRL }, { 'M', KEY_ALT }, { 'S', KEY_SHIFT } };
#define N_MODIFIERS (sizeof(modifiers) / sizeof(modifiers[0]))

/* Takes "C-", "M-", "S-" from the front. */
static uint32_t
take_modifiers(const char **s, size_t *n)
{
	uint32_t bits = 0;
	size_t i = 0;

	while (*n > 2 && (*s)[1] == '-' && i < N_MODIFIERS) {
		if ((*s)[0] != modifiers[i].letter) {
			i++;
			continue;
		}
		bits |= modifiers[i].bit;
		*s += 2;
		*n -= 2;
		i = 0;
	}
	return bits;
}

/* One code point of UTF-8 that is all of s; 0 when it is not. */
static uint32_t
single_char(const char *s, size_t n)
{
	unsigned char first = (unsigned char)*s;
	uint32_t c;
	size_t i;

	if (n == 1)
		return first > 0x20 && first < 0x7f ? first : 0;
	if (n > 4 || first < 0xc2 || (n == 2) != (first < 0xe0) ||
	    (n == 4) != (first >= 0xf0))
		return 0;
	c = first & (0x7fu >> n);
	for (i = 1; i < n; i++) {
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | ((unsigned char)s[i] & 0x3f);
	}
	return c < 0x110000 ? c : 0;
}

int
key_parse(const char *name, size_t n, uint32_t *ret)
{
	uint32_t bits = take_modifiers(&name, &n), key = 0;
	size_t i;

	for (i = 0; i < N_NAMES && key == 0; i++)
		if (strlen(names[i].name) == n &&
		    strncmp(names[i].name, name, n) == 0)
			key = names[i].key;
	if (key == 0 && n > 0)
		key = single_char(name, n);
	if (key == 0)
		return ERR_SYNTAX;
	if ((bits & KEY_CTRL) && key >= 'A' && key <= 'Z')
		key += 'a' - 'A';
	*ret = key | bits;
	return 0;
}

size_t
key_utf8(uint32_t key, char *out)
{
	uint32_t c = key == YK_SPACE ? ' ' : key;
	size_t n = 0;

	if (c < 0x80) {
		out[n++] = (char)c;
	} else if (c < 0x800) {
		out[n++] = (char)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		out[n++] = (char)(0xe0 | c >> 12);
		out[n++] = (char)(0x80 | (c >> 6 & 0x3f));
	} else {
		out[n++] = (char)(0xf0 | c >> 18);
		out[n++] = (char)(0x80 | (c >> 12 & 0x3f));
		out[n++] = (char)(0x80 | (c >> 6 & 0x3f));
	}
	if (c >= 0x80)
		out[n++] = (char)(0x80 | (c & 0x3f));
	out[n] = '\0';
	return n;
}

char *
key_format(uint32_t key, char *out)
{
	uint32_t base = key & ~(KEY_CTRL | KEY_ALT | KEY_SHIFT);
	char glyph[8] = "";
	const char *name = NULL;
	size_t i;

	for (i = 0; i < N_NAMES && name == NULL; i++)
		if (names[i].key == base)
			name = names[i].name;
	if (name == NULL)
		key_utf8(base, glyph);
	snprintf(out, KEY_TEXT, "%s%s%s%s", key & KEY_CTRL ? "C-" : "",
	    key & KEY_ALT ? "M-" : "", key & KEY_SHIFT ? "S-" : "",
	    name != NULL ? name : glyph);
	return out;
}

int
keyseq_parse(const char *text, size_t n, struct keyseq *ret)
{
	struct keyseq seq = { .n = 0 };
	const char *end = text + n, *word = text, *p;

	for (p = text; p <= end; p++) {
		if (p < end && *p != ' ')
			continue;
		if (p > word) {
			if (seq.n == KEYSEQ_MAX ||
			    key_parse(word, (size_t)(p - word),
				&seq.k[seq.n]) < 0)
				return ERR_SYNTAX;
			seq.n++;
		}
		word = p + 1;
	}
	if (seq.n == 0)
		return ERR_SYNTAX;
	*ret = seq;
	return 0;
}

char *
keyseq_format(const struct keyseq *seq, char *out)
{
	char key[KEY_TEXT];
	size_t at = 0;
	unsigned i;

	out[0] = '\0';
	for (i = 0; i < seq->n; i++)
		at += (size_t)snprintf(out + at, KEYSEQ_TEXT - at, "%s%s",
		    i > 0 ? " " : "", key_format(seq->k[i], key));
	return out;
}

bool
keyseq_prefix(const struct keyseq *a, const struct keyseq *b)
{
	return a->n < b->n &&
	    memcmp(a->k, b->k, a->n * sizeof(a->k[0])) == 0;
}

bool
keyseq_equal(const struct keyseq *a, const struct keyseq *b)
{
	return a->n == b->n &&
	    memcmp(a->k, b->k, a->n * sizeof(a->k[0])) == 0;
}

uint32_t
key_from_char(uint32_t c)
{
	switch (c) {
	case ' ':
		return YK_SPACE;
	case '\t':
		return YK_TAB;
	case '\n':
	case '\r':
		return YK_ENTER;
	case 27:
		return YK_ESC;
	case 8:
	case 127:
		return YK_BACKSPACE;
	case 0:
		return KEY_CTRL | YK_SPACE;
	case 31:
		return KEY_CTRL | '/';
	default:
		break;
	}
	if (c < 27)
		return KEY_CTRL | (c + 'a' - 1);
	if (c < 32)
		return KEY_CTRL | (c + '@');
	return c;
}

bool
key_is_text(uint32_t key)
{
	return key == YK_SPACE ||
	    (key > 0x20 && key < 0x110000 && !(key >= 0x7f && key < 0xa0));
}

bool
key_is_safe(uint32_t key)
{
	uint32_t base = key & ~(KEY_CTRL | KEY_ALT | KEY_SHIFT);

	if ((key & KEY_ALT) || (base >= YK_F1 && base <= YK_F12))
		return false;
	return !(key & KEY_CTRL) || strchr("abhs", (int)base) == NULL;
}

/* Final bytes and "~" numbers of xterm and its kin. */
static const struct {
	char final;
	int number;		/* 0: any, for letters */
	uint32_t key;
} csi_keys[] = {
	{ 'A', 0, YK_UP }, { 'B', 0, YK_DOWN }, { 'C', 0, YK_RIGHT },
	{ 'D', 0, YK_LEFT }, { 'H', 0, YK_HOME }, { 'F', 0, YK_END },
	{ 'M', 0, YK_ENTER }, { 'P', 0, YK_F1 }, { 'Q', 0, YK_F2 },
	{ 'R', 0, YK_F3 }, { 'S', 0, YK_F4 }, { 'Z', 0, KEY_SHIFT | YK_TAB },
	{ '~', 1, YK_HOME }, { '~', 2, YK_INSERT }, { '~', 3, YK_DELETE },
	{ '~', 4, YK_END }, { '~', 5, YK_PGUP }, { '~', 6, YK_PGDN },
	{ '~', 7, YK_HOME }, { '~', 8, YK_END }, { '~', 11, YK_F1 },
	{ '~', 12, YK_F2 }, { '~', 13, YK_F3 }, { '~', 14, YK_F4 },
	{ '~', 15, YK_F5 }, { '~', 17, YK_F6 }, { '~', 18, YK_F7 },
	{ '~', 19, YK_F8 }, { '~', 20, YK_F9 }, { '~', 21, YK_F10 },
	{ '~', 23, YK_F11 }, { '~', 24, YK_F12 },
};

uint32_t
key_from_csi(const char *body, size_t n, char final)
{
	char text[16] = "";
	size_t i;
	int number;

	if (n >= sizeof(text) || (n > 0 && (body[0] < '0' || body[0] > '9')))
		return YK_NONE;
	memcpy(text, body, n);
	number = atoi(text);
	for (i = 0; i < sizeof(csi_keys) / sizeof(csi_keys[0]); i++)
		if (csi_keys[i].final == final &&
		    (final != '~' || csi_keys[i].number == number))
			return csi_keys[i].key;
	return YK_NONE;
}
