/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A growable list of heap strings, always ended by a NULL (so v is an argv). */
#ifndef YARDMASTER_BASE_STRVEC_H
#define YARDMASTER_BASE_STRVEC_H

#include <stdbool.h>
#include <stddef.h>

struct strvec {
	char **v;	/* n strings and a NULL; NULL while n == 0 was never left */
	size_t n;
	size_t cap;	/* private */
};

#define STRVEC_INIT { NULL, 0, 0 }

/* Sets sv empty without freeing; for members of larger structs. */
void strvec_init(struct strvec *sv);
/* Frees all strings and sets sv empty. */
void strvec_done(struct strvec *sv);

/* Appends a copy of s, a formatted string, copies of all of another list. */
void strvec_push(struct strvec *sv, const char *s);
void strvec_pushf(struct strvec *sv, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void strvec_push_all(struct strvec *sv, const struct strvec *other);

/* Appends the words of a list with commas; empty ones are left out. */
void strvec_push_list(struct strvec *sv, const char *text);

/* Appends s itself and owns it from now on. */
void strvec_push_owned(struct strvec *sv, char *s);

/* The index of an equal string, or -1. */
long strvec_find(const struct strvec *sv, const char *s);

/* Sets "KEY=VALUE" in a list of such strings, replacing an equal KEY. */
void strvec_setenv(struct strvec *sv, const char *key, const char *value);

/* The list as an argv: never NULL, ended by a NULL. Borrowed. */
char *const *strvec_argv(const struct strvec *sv);

/* True when both hold equal strings in equal order. */
bool strvec_equal(const struct strvec *a, const struct strvec *b);

#endif
