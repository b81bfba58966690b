/* SPDX-License-Identifier: GPL-3.0-or-later */
/* OSC 52: base 64 between an escape and a bell. */
#include "config.h"

#include <stdint.h>

#include "tui/clipboard.h"

#define COPY_MAX (64u << 10)

void
clipboard_put(struct buf *out, const char *text, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *p = (const uint8_t *)text;
	uint32_t v;
	size_t i, left;

	if (n > COPY_MAX)
		n = COPY_MAX;
	buf_puts(out, "\033]52;c;");
	for (i = 0; i < n; i += 3) {
		left = n - i;
		v = (uint32_t)p[i] << 16 |
		    (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
		    (left > 2 ? p[i + 2] : 0);
		buf_putc(out, digits[v >> 18]);
		buf_putc(out, digits[v >> 12 & 63]);
		buf_putc(out, left > 1 ? digits[v >> 6 & 63] : '=');
		buf_putc(out, left > 2 ? digits[v & 63] : '=');
	}
	buf_puts(out, "\007");
}
