/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading one JSON object of a peer, member by member: the first fault is
 * kept in err, later calls then do nothing. An absent member or a null
 * leaves the value as it was.
 */
#ifndef MODEL_READ_H
#define MODEL_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "yardmaster/base/ident.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/strvec.h"

/* Longest text for people that is kept (labels, reasons, notes), and longest
 * path. */
#define READ_TEXT_MAX 4096
/* Longest argument or environment string: more than the kernel takes, so that
 * it is the kernel that refuses, in words that the attempt ends with. */
#define READ_ARG_MAX (1u << 20)

struct reader {
	const struct jval *v;
	int err;		/* 0, ERR_SYNTAX, ERR_RANGE, ERR_TOO_LARGE */
};

/* Starts reading v, which must be an object. */
void read_init(struct reader *r, const struct jval *v);
/* Notes a fault unless there was one. */
void read_fail(struct reader *r, int err);
/* The member of that type, or NULL when absent, null, or after a fault. */
const struct jval *read_get(struct reader *r, const char *key,
    enum jval_type type);

/* An integer from min to max. */
int64_t read_int(struct reader *r, const char *key, int64_t min, int64_t max,
    int64_t def);
bool read_bool(struct reader *r, const char *key);
double read_real(struct reader *r, const char *key);
/* A length in seconds as microseconds. */
int64_t read_seconds(struct reader *r, const char *key, int64_t def);
/* A wall time, 0 when absent. */
int64_t read_time(struct reader *r, const char *key);
/* A name of an enum through its parse function. */
int read_name(struct reader *r, const char *key, int (*parse)(const char *),
    int def);
/* A heap copy of a text of at most max bytes, or NULL. */
char *read_text(struct reader *r, const char *key, size_t max);
/* The same for a text for people, cut at READ_TEXT_MAX: a result must not be
 * refused for a long word about it. */
char *read_note(struct reader *r, const char *key);
/* Appends copies of all strings of an array. */
void read_strings(struct reader *r, const char *key, struct strvec *out);
/* An id with the number of parts wanted (1 to 3). */
void read_ident(struct reader *r, const char *key, unsigned parts,
    struct ident *out);

#endif
