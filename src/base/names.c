/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Comparing names: nearest match and the order people expect (part of
 * text.h). */
#include "config.h"

#include <string.h>

#include "yardmaster/base/text.h"

#define NAME_MAX_BYTES 64
#define FAR 255u

static unsigned
min(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/*
 * Three rows of the usual table are kept: the one being filled, the one
 * before it, and the one before that, which a swap of neighbours refers to.
 */
unsigned
text_distance(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b), i, j;
	unsigned rows[3][NAME_MAX_BYTES + 1];
	unsigned *row = rows[0], *above = rows[1], *above2 = rows[2], *spare;

	if (na > NAME_MAX_BYTES || nb > NAME_MAX_BYTES)
		return FAR;
	for (j = 0; j <= nb; j++)
		above[j] = above2[j] = (unsigned)j;
	for (i = 1; i <= na; i++) {
		row[0] = (unsigned)i;
		for (j = 1; j <= nb; j++) {
			row[j] = min(above[j], row[j - 1]) + 1;
			row[j] = min(row[j],
			    above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				row[j] = min(row[j], above2[j - 2] + 1);
		}
		spare = above2;
		above2 = above;
		above = row;
		row = spare;
	}
	return above[nb];
}

const char *
text_nearest(const char *word, const char *const *candidates, unsigned max)
{
	const char *best = NULL;
	unsigned d, best_d = max;

	for (; *candidates != NULL; candidates++) {
		d = text_distance(word, *candidates);
		if (d > max || (best != NULL && d >= best_d))
			continue;
		best = *candidates;
		best_d = d;
	}
	return best;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Compares the runs of digits at *a and *b by value and moves behind them. */
static int
cmp_digits(const char **a, const char **b)
{
	size_t na, nb;
	int r;

	while (**a == '0')
		(*a)++;
	while (**b == '0')
		(*b)++;
	na = strspn(*a, "0123456789");
	nb = strspn(*b, "0123456789");
	r = na != nb ? (na < nb ? -1 : 1) : memcmp(*a, *b, na);
	*a += na;
	*b += nb;
	return r;
}

int
text_natural_cmp(const char *a, const char *b)
{
	const char *x = a, *y = b;
	int r;

	while (*x != '\0' && *y != '\0') {
		if (is_digit(*x) && is_digit(*y)) {
			if ((r = cmp_digits(&x, &y)) != 0)
				return r;
			continue;
		}
		if (*x != *y)
			return (unsigned char)*x < (unsigned char)*y ? -1 : 1;
		x++;
		y++;
	}
	if (*x != *y)
		return *x == '\0' ? -1 : 1;
	return strcmp(a, b);	/* "t01" and "t1" differ all the same */
}
