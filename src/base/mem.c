/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory that cannot fail, and the strings made from it. */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "yardmaster/base/mem.h"

#define EXIT_NO_MEMORY 70

static _Noreturn void
no_memory(void)
{
	static const char line[] = "yardmaster: out of memory\n";

	if (write(STDERR_FILENO, line, sizeof(line) - 1) < 0)
		_exit(EXIT_NO_MEMORY);
	_exit(EXIT_NO_MEMORY);
}

void *
mem_calloc(size_t nmemb, size_t size)
{
	void *p;

	if (nmemb == 0 || size == 0)
		nmemb = size = 1;
	p = calloc(nmemb, size);
	if (p == NULL)
		no_memory();
	return p;
}

void *
mem_zalloc(size_t n)
{
	return mem_calloc(1, n);
}

void *
mem_realloc(void *p, size_t nmemb, size_t size)
{
	if (nmemb == 0 || size == 0)
		nmemb = size = 1;
	if (nmemb > PTRDIFF_MAX / size)
		no_memory();
	p = realloc(p, nmemb * size);
	if (p == NULL)
		no_memory();
	return p;
}

void *
mem_grow(void *array, size_t *cap, size_t want, size_t size)
{
	size_t n = *cap;

	if (want <= n)
		return array;
	if (n < 8)
		n = 8;
	while (n < want)
		n = n > SIZE_MAX / 2 ? want : n * 2;
	array = mem_realloc(array, n, size);
	memset((char *)array + *cap * size, 0, (n - *cap) * size);
	*cap = n;
	return array;
}

void *
mem_dup(const void *p, size_t n)
{
	char *copy;

	if (n >= PTRDIFF_MAX)
		no_memory();
	copy = mem_realloc(NULL, n + 1, 1);
	if (n > 0)
		memcpy(copy, p, n);
	copy[n] = '\0';
	return copy;
}

char *
str_dup(const char *s)
{
	return s != NULL ? mem_dup(s, strlen(s)) : NULL;
}

char *
str_ndup(const char *s, size_t n)
{
	return mem_dup(s, strnlen(s, n));
}

char *
str_vfmt(const char *fmt, va_list ap)
{
	char *s;

	if (vasprintf(&s, fmt, ap) < 0)
		no_memory();
	return s;
}

char *
str_fmt(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = str_vfmt(fmt, ap);
	va_end(ap);
	return s;
}
