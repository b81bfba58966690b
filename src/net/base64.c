/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Base64, strict: padding only at the end, no stray characters. */
#include "config.h"

#include "net/base64.h"

#include <string.h>

#include "yardmaster/base/err.h"

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int
base64_get(struct buf *out, const char *s, size_t n)
{
	uint32_t bits = 0;
	unsigned have = 0, pads = 0, chars = 0;
	const char *d;
	size_t i;

	for (i = 0; i < n; i++) {
		if (s[i] == '\n' || s[i] == '\r' || s[i] == ' ')
			continue;
		chars++;
		if (s[i] == '=') {
			pads++;
			continue;
		}
		if (s[i] == '\0' || pads > 0 ||
		    (d = strchr(digits, s[i])) == NULL)
			return ERR_SYNTAX;
		bits = bits << 6 | (uint32_t)(d - digits);
		have += 6;
		if (have >= 8) {
			have -= 8;
			buf_putc(out, (int)(bits >> have & 0xff));
		}
	}
	return pads > 2 || chars % 4 != 0 ? ERR_SYNTAX : 0;
}

void
base64_put(struct buf *out, const void *p, size_t n)
{
	const uint8_t *b = p;
	uint32_t v;
	size_t i, left;

	for (i = 0; i < n; i += 3) {
		left = n - i;
		v = (uint32_t)b[i] << 16;
		if (left > 1)
			v |= (uint32_t)b[i + 1] << 8;
		if (left > 2)
			v |= b[i + 2];
		buf_putc(out, digits[v >> 18]);
		buf_putc(out, digits[v >> 12 & 63]);
		buf_putc(out, left > 1 ? digits[v >> 6 & 63] : '=');
		buf_putc(out, left > 2 ? digits[v & 63] : '=');
	}
}
