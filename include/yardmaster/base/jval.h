/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading JSON. A document keeps its text, so that a fault can name the line
 * of a key. Comments (// and slash-star) are accepted where asked. Hostile input:
 * size, depth (32) and duplicate keys are checked before anything is used.
 */
#ifndef YARDMASTER_BASE_JVAL_H
#define YARDMASTER_BASE_JVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/diag.h"

struct jval;	/* a value inside a document; borrowed from it */

struct jdoc {
	char *file;		/* name for diagnostics, or NULL */
	char *text;		/* the whole text, NUL-ended */
	size_t len;
	struct jval *root;	/* never NULL after success */
};

enum jval_type { JVAL_NULL, JVAL_BOOL, JVAL_INT, JVAL_REAL, JVAL_STRING,
	JVAL_ARRAY, JVAL_OBJECT };

#define JDOC_COMMENTS 1		/* flag: accept comments (files of people) */
#define JDOC_MAX_BYTES (64u << 20)

/*
 * Parses len bytes of text (copied). Trailing text is an error, and so is a
 * text that is only null; with JDOC_COMMENTS a byte-order mark is passed. 0, or
 * ERR_SYNTAX, ERR_TOO_LARGE with a diagnostic in ds (which may be NULL) that
 * names file and line. jdoc_done() is due only after success.
 */
int jdoc_parse(struct jdoc *ret, const char *file, const char *text,
    size_t len, unsigned flags, struct diags *ds);

/* The same for the contents of a file; also -errno, with a diagnostic. */
int jdoc_load(struct jdoc *ret, const char *file, unsigned flags,
    struct diags *ds);

/* Frees what doc holds, all its values with it. */
void jdoc_done(struct jdoc *doc);

/*
 * Parses the JSON body of a message: as jdoc_parse() without keeping the text
 * and without diagnostics. Free with jval_free().
 */
int jval_parse(struct jval **ret, const void *text, size_t len);
/* Strings that stand beside a value: each is wiped when it is freed. */
struct apart {
	char **v;
	size_t n, cap;
};
/* Wipes and frees all, and zeroes it. */
void apart_done(struct apart *a);
/*
 * As jval_parse(), but of each member of that name that is a string the value
 * has a number, and apart (empty before) the string at that index: no copy is
 * left in memory that nobody wipes. Nothing is in apart on failure.
 */
int jval_parse_apart(struct jval **ret, const void *text, size_t len,
    const char *key, struct apart *apart);
/* Frees a value made by jval_parse() and all inside. NULL is fine. */
void jval_free(struct jval *root);

/*
 * Appends a step to a path: "key", ".key", "[\"odd key\"]" (what is not a
 * word), "[3]". Cut back with buf_truncate(). The path of the root is "".
 */
void jdoc_path_key(struct buf *path, const char *key);
void jdoc_path_index(struct buf *path, size_t i);

/* Line and column (from 1) of the value at path in doc; 0, 0 when absent. */
void jdoc_locate(const struct jdoc *doc, const char *path, unsigned *ret_line,
    unsigned *ret_column);

/* Where the value at path stands in the text of doc. False when absent. */
bool jdoc_span(const struct jdoc *doc, const char *path, size_t *ret_from,
    size_t *ret_n);

/* Adds a diagnostic at path and returns it, as diag_add(). The line is that of
 * the value, or of the nearest one around it when there is none at path. */
struct diag *jdoc_fault(const struct jdoc *doc, struct diags *ds,
    enum diag_level level, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* v may be NULL (absent or null) in all of these; JVAL_NULL is then returned.
 * jval_type_name() is for messages: "a whole number", "a string". */
enum jval_type jval_type(const struct jval *v);
const char *jval_type_name(enum jval_type t);

/* A member of an object, an element of an array; NULL when absent or when v
 * is of another type. Keys of an object keep the order of the text. */
struct jval *jval_get(const struct jval *v, const char *key);
size_t jval_count(const struct jval *v);
struct jval *jval_at(const struct jval *v, size_t i);
const char *jval_key_at(const struct jval *v, size_t i);
struct jval *jval_value_at(const struct jval *v, size_t i);

/* The value, or def when absent or of another type. Strings are borrowed and
 * hold no NUL inside. jval_real() accepts integers. */
const char *jval_str(const struct jval *v, const char *def);
int64_t jval_int(const struct jval *v, int64_t def);
double jval_real(const struct jval *v, double def);
bool jval_bool(const struct jval *v, bool def);

/* The same for a member: jval_get() and jval_X() in one. */
const char *jval_get_str(const struct jval *v, const char *key,
    const char *def);
int64_t jval_get_int(const struct jval *v, const char *key, int64_t def);
double jval_get_real(const struct jval *v, const char *key, double def);
bool jval_get_bool(const struct jval *v, const char *key, bool def);

/* Writes v back as compact JSON text. */
void jval_print(const struct jval *v, struct buf *out);

#endif
