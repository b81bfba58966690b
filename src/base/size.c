/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers of bytes as text. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/size.h"

#define SIZE_LIMIT 0x1p60

static const char units[] = "KMGT";

int
size_parse(const char *text, uint64_t *ret)
{
	const char *unit;
	char *end;
	char first;
	double n;

	if (*text < '0' || *text > '9' || strpbrk(text, "xXpP") != NULL)
		return ERR_SYNTAX;
	n = strtod(text, &end);
	first = *end == 'k' ? 'K' : *end;
	if (first != '\0' && (unit = strchr(units, first)) != NULL) {
		for (; unit >= units; unit--)
			n *= 1024;
		end++;
	}
	if (*end != '\0' && strcmp(end, "B") != 0 && strcmp(end, "iB") != 0)
		return ERR_SYNTAX;
	if (!(n < SIZE_LIMIT))
		return ERR_RANGE;
	*ret = (uint64_t)n;
	return 0;
}

void
size_put(struct buf *out, uint64_t bytes)
{
	size_t u = 0;

	while (u < sizeof units - 1 && bytes >= 1024 && bytes % 1024 == 0) {
		bytes /= 1024;
		u++;
	}
	buf_putf(out, "%llu", (unsigned long long)bytes);
	if (u > 0)
		buf_putc(out, units[u - 1]);
}
