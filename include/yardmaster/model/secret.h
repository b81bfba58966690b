/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The secrets of an attempt: what its steps get in their environment and
 * nothing keeps. They travel beside a work, never in its JSON, lie in locked
 * memory where the system allows it, and are wiped.
 */
#ifndef YARDMASTER_MODEL_SECRET_H
#define YARDMASTER_MODEL_SECRET_H

#include <stddef.h>
#include <stdint.h>

#include "yardmaster/base/jval.h"
#include "yardmaster/base/jw.h"

#define SECRET_NAME_MAX 255
#define SECRET_VALUE_MAX 65536
#define SECRETS_MAX 100000

struct secret {
	char *name;		/* of the variable */
	char *value;		/* locked */
	uint32_t from, to;	/* steps from .. to - 1 */
};

struct secrets {
	struct secret *v;
	size_t n, cap;
};

/* A copy in locked memory; wipes and frees one. NULL is fine. */
char *secret_dup(const char *value);
void secret_free(char *value);

/* Wipes and frees all, and zeroes it. */
void secrets_done(struct secrets *s);
/* Step (ascending over calls) has that variable. */
void secrets_put(struct secrets *s, const char *name, const char *value,
    uint32_t step);

/* Writes them as an array. */
void secrets_write(struct jw *w, const struct secrets *s);
/* The name of the members that jval_parse_apart() takes out. */
#define SECRET_KEY "value"
/* Reads and checks such an array, parsed apart; what is no array is none. 0,
 * ERR_SYNTAX, ERR_RANGE, ERR_TOO_LARGE; nothing to free on failure. */
int secrets_read(const struct jval *v, const struct apart *apart,
    struct secrets *ret);

#endif
