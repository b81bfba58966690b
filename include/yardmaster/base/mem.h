/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory that cannot fail: out of memory ends the process at once, with a
 * line on standard error and exit code 70. What is recorded survives it.
 */
#ifndef YARDMASTER_BASE_MEM_H
#define YARDMASTER_BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>

/* n bytes, zeroed; n of 0 gives one byte. The caller frees. Never NULL. */
void *mem_zalloc(size_t n);

/* nmemb * size bytes, zeroed; ends the process on overflow. Never NULL. */
void *mem_calloc(size_t nmemb, size_t size);

/* realloc() to nmemb * size bytes (new bytes undefined). Never NULL. */
void *mem_realloc(void *p, size_t nmemb, size_t size);

/*
 * Grows an array so that it holds at least want members of size bytes,
 * doubling *cap; new members are zeroed. Returns the array.
 */
void *mem_grow(void *array, size_t *cap, size_t want, size_t size);

/* Copies of a string, of at most n bytes of one, of n bytes (plus a NUL).
 * str_dup(NULL) is NULL. The caller frees. */
char *str_dup(const char *s);
char *str_ndup(const char *s, size_t n);
void *mem_dup(const void *p, size_t n);

/* A formatted string; the caller frees. Never NULL. */
char *str_fmt(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *str_vfmt(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

/* Wipes n bytes so that no compiler removes it, and (on x86-64) the vector
 * registers that they may have been copied through. */
void mem_wipe(void *p, size_t n);

#endif
