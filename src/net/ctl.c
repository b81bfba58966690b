/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines of the side channel of a link process. */
#include "config.h"

#include "net/ctl.h"

#include <string.h>

#include "yardmaster/base/err.h"

void
ctl_putn(struct buf *out, const char *word, const void *text, size_t n)
{
	static const char hex[] = "0123456789ABCDEF";
	const unsigned char *p = text;
	size_t room = CTL_LINE_MAX - strlen(word) - 8, i;

	buf_puts(out, word);
	buf_putc(out, ' ');
	for (i = 0; i < n && room >= 3; i++) {
		if (p[i] == '\0')	/* the reader's texts hold none */
			continue;
		if (p[i] >= ' ' && p[i] < 0x7f && p[i] != '%') {
			buf_putc(out, p[i]);
			room--;
		} else {
			buf_putc(out, '%');
			buf_putc(out, hex[p[i] >> 4]);
			buf_putc(out, hex[p[i] & 15]);
			room -= 3;
		}
	}
	buf_putc(out, '\n');
}

void
ctl_put(struct buf *out, const char *word, const char *text)
{
	ctl_putn(out, word, text, strlen(text));
}

static int
nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes in place. A NUL would end the text early and is refused. */
static int
decode(char *s)
{
	char *to = s;
	int high, low;

	for (; *s != '\0'; s++) {
		if (*s != '%') {
			*to++ = *s;
			continue;
		}
		if ((high = nibble(s[1])) < 0 || (low = nibble(s[2])) < 0 ||
		    (high == 0 && low == 0))
			return ERR_PROTOCOL;
		*to++ = (char)(high << 4 | low);
		s += 2;
	}
	*to = '\0';
	return 0;
}

int
ctl_split(char *line, char **ret_word, char **ret_text)
{
	char *space = strchr(line, ' ');

	if (space == NULL)
		return ERR_PROTOCOL;
	*space = '\0';
	*ret_word = line;
	*ret_text = space + 1;
	return decode(space + 1);
}

int
ctl_take(struct buf *in, char *line, char **ret_word, char **ret_text)
{
	const char *p = buf_str(in), *end = memchr(p, '\n', buf_len(in));
	size_t n;

	if (end == NULL)
		return buf_len(in) >= CTL_LINE_MAX ? ERR_PROTOCOL : 0;
	n = (size_t)(end - p);
	if (n >= CTL_LINE_MAX || memchr(p, '\0', n) != NULL)
		return ERR_PROTOCOL;
	memcpy(line, p, n);
	line[n] = '\0';
	buf_consume(in, n + 1);
	return ctl_split(line, ret_word, ret_text) < 0 ? ERR_PROTOCOL : 1;
}
