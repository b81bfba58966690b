/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keys as the console knows them: a Unicode code point or one of enum
 * key_code, with modifiers; and their names in key maps ("a", "Enter",
 * "C-x", "M-<", "PgUp"). No terminal library is needed to know a key.
 */
#ifndef YARDMASTER_TUI_KEY_H
#define YARDMASTER_TUI_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEY_CTRL (UINT32_C(1) << 24)
#define KEY_ALT (UINT32_C(1) << 25)
#define KEY_SHIFT (UINT32_C(1) << 26)

enum key_code {
	YK_NONE = 0,
	YK_FIRST = 0x110000,
	YK_UP = YK_FIRST, YK_DOWN, YK_LEFT, YK_RIGHT, YK_PGUP, YK_PGDN,
	YK_HOME, YK_END, YK_INSERT, YK_DELETE, YK_BACKSPACE, YK_TAB,
	YK_ENTER, YK_ESC, YK_SPACE,
	YK_F1, YK_F2, YK_F3, YK_F4, YK_F5, YK_F6, YK_F7, YK_F8, YK_F9,
	YK_F10, YK_F11, YK_F12,
	YK_LAST
};

#define KEY_TEXT 24
#define KEYSEQ_MAX 4
#define KEYSEQ_TEXT (KEY_TEXT * KEYSEQ_MAX)

struct keyseq {
	uint32_t k[KEYSEQ_MAX];
	uint8_t n;
};

/* Reads the name of one key. 0 or ERR_SYNTAX. */
int key_parse(const char *name, size_t n, uint32_t *ret);
/* Its name, into out (KEY_TEXT bytes); returns out. */
char *key_format(uint32_t key, char *out);
/* One to four names with single blanks between. 0 or ERR_SYNTAX. */
int keyseq_parse(const char *text, size_t n, struct keyseq *ret);
/* The reverse, into out (KEYSEQ_TEXT bytes); returns out. */
char *keyseq_format(const struct keyseq *seq, char *out);
bool keyseq_equal(const struct keyseq *a, const struct keyseq *b);
/* True when a is a strict prefix of b. */
bool keyseq_prefix(const struct keyseq *a, const struct keyseq *b);

/* The key of one character as a terminal sends it (0 to 31 and 127 are
 * control keys). */
uint32_t key_from_char(uint32_t c);
/* True for a key that stands for a character to be typed. */
bool key_is_text(uint32_t key);
/* The UTF-8 of such a key into out (at least 5 bytes); returns its length. */
size_t key_utf8(uint32_t key, char *out);
/* True when terminals and multiplexers leave it alone: no function key, no
 * Ctrl-A, B, H, S, no Alt. */
bool key_is_safe(uint32_t key);

/*
 * What follows ESC '[' or ESC 'O', collected up to its final byte, as a key;
 * YK_NONE when it is no key we know (a reply of the terminal).
 */
uint32_t key_from_csi(const char *body, size_t n, char final);

#endif
