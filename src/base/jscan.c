/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The words of JSON text. Stricter than json-c, which sees a text only after
 * it passed here: numbers fit their types, strings are UTF-8 without NUL.
 */
#include "config.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/jscan.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/text.h"

#define BOM "\xef\xbb\xbf"
#define NUMBER_MAX_BYTES 64
#define EXPONENT_MAX 400

void
jscan_init(struct jscan *s, const char *text, size_t n, bool comments)
{
	if (text == NULL)
		text = "";
	s->start = s->p = text;
	s->end = text + n;
	s->comments = comments;
	s->fault = NULL;
	if (comments && n >= 3 && memcmp(text, BOM, 3) == 0)
		s->p += 3;
}

static int
fault(struct jscan *s, const char *text)
{
	s->fault = text;
	return ERR_SYNTAX;
}

static int
comment(struct jscan *s)
{
	const char *close;

	if (s->end - s->p >= 2 && s->p[1] == '/') {
		close = memchr(s->p, '\n', (size_t)(s->end - s->p));
		s->p = close != NULL ? close : s->end;
		return 0;
	}
	if (s->end - s->p < 2 || s->p[1] != '*')
		return fault(s, "unexpected '/'");
	close = memmem(s->p + 2, (size_t)(s->end - s->p - 2), "*/", 2);
	if (close == NULL)
		return fault(s, "this comment is not closed");
	s->p = close + 2;
	return 0;
}

int
jscan_space(struct jscan *s)
{
	int r;

	for (; s->p < s->end; s->p++) {
		while (s->comments && s->p < s->end && *s->p == '/')
			if ((r = comment(s)) < 0)
				return r;
		if (s->p == s->end || (*s->p != ' ' && *s->p != '\n' &&
		    *s->p != '\t' && *s->p != '\r'))
			break;
	}
	return 0;
}

/* The value of four hex digits at p, or -1. */
static int
hex4(const char *p, const char *end)
{
	static const char digits[] = "0123456789abcdef";
	const char *at;
	int value = 0, i;

	if (end - p < 4)
		return -1;
	for (i = 0; i < 4; i++) {
		at = p[i] != '\0' ? strchr(digits,
		    p[i] >= 'A' && p[i] <= 'F' ? p[i] | 0x20 : p[i]) : NULL;
		if (at == NULL)
			return -1;
		value = value * 16 + (int)(at - digits);
	}
	return value;
}

/* Passes the escape that begins at p. */
static int
escape(struct jscan *s)
{
	int c;

	if (s->end - s->p < 2 || s->p[1] == '\0' ||
	    strchr("\"\\/bfnrtu", s->p[1]) == NULL)
		return fault(s, "unknown escape in a string");
	if (s->p[1] != 'u') {
		s->p += 2;
		return 0;
	}
	c = hex4(s->p + 2, s->end);
	if (c < 0)
		return fault(s, "\\u needs four hexadecimal digits");
	if (c == 0)
		return fault(s, "a string must not hold a NUL character");
	s->p += 6;
	return 0;
}

int
jscan_string(struct jscan *s)
{
	const char *open = s->p;
	unsigned char c, bits = 0;
	int r;

	if (s->p == s->end || *s->p != '"')
		return fault(s, "expected a string in double quotes");
	for (s->p++; s->p < s->end && *s->p != '"';) {
		c = (unsigned char)*s->p;
		bits |= c;
		if (c == '\n') {
			s->p = open;
			return fault(s, "this string is not closed");
		}
		if (c < 0x20)
			return fault(s, "control character in a string");
		if (c != '\\')
			s->p++;
		else if ((r = escape(s)) < 0)
			return r;
	}
	if (s->p == s->end) {
		s->p = open;
		return fault(s, "this string is not closed");
	}
	if (bits >= 0x80 && !text_is_utf8(open, (size_t)(s->p - open))) {
		s->p = open;
		return fault(s, "this string is not valid UTF-8");
	}
	s->p++;
	return 0;
}

/* Passes digits; how many there were. */
static size_t
digits(struct jscan *s)
{
	const char *from = s->p;

	while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
		s->p++;
	return (size_t)(s->p - from);
}

/* True when the n digits at p make a number of at most max. */
static bool
fits(const char *p, size_t n, uint64_t max)
{
	uint64_t value = 0;

	if (n > 19)
		return false;
	for (; n > 0; n--, p++)
		value = value * 10 + (uint64_t)(*p - '0');
	return value <= max;
}

/* Passes the part behind the whole digits; *ret_real tells if there is one. */
static int
fraction(struct jscan *s, bool *ret_real)
{
	size_t n;

	if (s->p < s->end && *s->p == '.') {
		*ret_real = true;
		s->p++;
		if (digits(s) == 0)
			return fault(s, "a digit has to follow the point");
	}
	if (s->p < s->end && (*s->p | 0x20) == 'e') {
		*ret_real = true;
		s->p++;
		if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
			s->p++;
		n = digits(s);
		if (n == 0)
			return fault(s, "a digit has to follow the exponent");
		if (!fits(s->p - n, n, EXPONENT_MAX))
			return fault(s, "number out of range");
	}
	return 0;
}

/* The number from p to end (at most NUMBER_MAX_BYTES) does not overflow. */
static bool
is_finite(const char *p, const char *end)
{
	char text[NUMBER_MAX_BYTES + 1] = "";

	if (memchr(p, 'e', (size_t)(end - p)) == NULL &&
	    memchr(p, 'E', (size_t)(end - p)) == NULL)
		return true;
	memcpy(text, p, (size_t)(end - p));
	return isfinite(strtod(text, NULL));
}

int
jscan_number(struct jscan *s)
{
	const char *from = s->p;
	bool negative = false, real = false;
	size_t whole;
	int r;

	if (s->p < s->end && *s->p == '-') {
		negative = true;
		s->p++;
	}
	whole = digits(s);
	if (whole == 0)
		return fault(s, "expected a value");
	if (whole > 1 && s->p[-(ptrdiff_t)whole] == '0')
		return fault(s, "a number must not begin with 0");
	if ((r = fraction(s, &real)) < 0)
		return r;
	if (s->p - from > NUMBER_MAX_BYTES || (real ? !is_finite(from, s->p) :
	    !fits(s->p - whole, whole,
	    negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX))) {
		s->p = from;
		return fault(s, "number out of range");
	}
	return 0;
}

int
jscan_literal(struct jscan *s)
{
	static const char *const words[] = { "true", "false", "null" };
	size_t i, n;

	for (i = 0; i < 3; i++) {
		n = strlen(words[i]);
		if ((size_t)(s->end - s->p) < n ||
		    memcmp(s->p, words[i], n) != 0)
			continue;
		s->p += n;
		return 0;
	}
	return fault(s, "expected a value");
}

static bool
is_scalar_byte(char c)
{
	return c == '-' || c == '+' || c == '.' || (c >= '0' && c <= '9') ||
	    (c >= 'a' && c <= 'z') || c == 'E';
}

void
jscan_skip_value(struct jscan *s)
{
	unsigned depth = 0;

	do {
		if (jscan_space(s) < 0 || s->p == s->end)
			return;
		switch (*s->p) {
		case '{':
		case '[':
			depth++;
			s->p++;
			break;
		case '}':
		case ']':
			depth--;
			s->p++;
			break;
		case '"':
			if (jscan_string(s) < 0)
				return;
			break;
		case ',':
		case ':':
			s->p++;
			break;
		default:
			if (!is_scalar_byte(*s->p))
				return;
			while (s->p < s->end && is_scalar_byte(*s->p))
				s->p++;
		}
	} while (depth > 0);
}

static void
put_utf8(struct buf *out, unsigned c)
{
	if (c < 0x80) {
		buf_putc(out, (int)c);
	} else if (c < 0x800) {
		buf_putc(out, (int)(0xc0 | c >> 6));
		buf_putc(out, (int)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buf_putc(out, (int)(0xe0 | c >> 12));
		buf_putc(out, (int)(0x80 | (c >> 6 & 0x3f)));
		buf_putc(out, (int)(0x80 | (c & 0x3f)));
	} else {
		buf_putc(out, (int)(0xf0 | c >> 18));
		buf_putc(out, (int)(0x80 | (c >> 12 & 0x3f)));
		buf_putc(out, (int)(0x80 | (c >> 6 & 0x3f)));
		buf_putc(out, (int)(0x80 | (c & 0x3f)));
	}
}

/* Decodes \uXXXX (or a pair of them) at p; the bytes used. */
static size_t
decode_unicode(const char *p, const char *end, struct buf *out)
{
	int high = hex4(p + 2, end), low = -1;

	if (high >= 0xd800 && high < 0xdc00 && end - p >= 12 && p[6] == '\\' &&
	    p[7] == 'u')
		low = hex4(p + 8, end);
	if (low >= 0xdc00 && low < 0xe000) {
		put_utf8(out, 0x10000u + (((unsigned)high & 0x3ff) << 10) +
		    ((unsigned)low & 0x3ff));
		return 12;
	}
	if (high < 0 || (high >= 0xd800 && high < 0xe000))
		high = 0xfffd;
	put_utf8(out, (unsigned)high);
	return 6;
}

void
jscan_decode(const char *p, size_t n, struct buf *out)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *end = p + n, *run, *at;

	while (p < end) {
		run = memchr(p, '\\', (size_t)(end - p));
		if (run == NULL)
			run = end;
		buf_put(out, p, (size_t)(run - p));
		p = run;
		if (end - p < 2)
			break;
		if (p[1] == 'u') {
			p += decode_unicode(p, end, out);
			continue;
		}
		at = strchr(from, p[1]);
		buf_putc(out, at != NULL ? to[at - from] : p[1]);
		p += 2;
	}
}
