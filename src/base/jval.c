/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * JSON values. A struct jval is a json_object under another name; nothing
 * outside of this file knows. json-c stands for null with a NULL pointer, so
 * null and absent look alike, which is what the contract says.
 */
#include "config.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/jcheck.h"
#include "base/jparse.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/mem.h"

static struct json_object *
unwrap(const struct jval *v)
{
	return (struct json_object *)(uintptr_t)v;
}

static struct jval *
wrap(struct json_object *o)
{
	return (struct jval *)o;
}

int
jval_parse_checked(struct jval **ret, const char *text, size_t len)
{
	struct json_tokener *tok;
	struct json_object *o;

	tok = json_tokener_new_ex(JSON_DEPTH + 8);
	if (tok == NULL)
		return ERR_TOO_LARGE;
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
	o = json_tokener_parse_ex(tok, text, (int)len);
	if (o == NULL && json_tokener_get_error(tok) == json_tokener_continue)
		o = json_tokener_parse_ex(tok, "", 1);	/* a bare number */
	json_tokener_free(tok);
	if (o == NULL)
		return ERR_SYNTAX;	/* "null" is of no use to anybody */
	*ret = wrap(o);
	return 0;
}

int
jval_parse(struct jval **ret, const void *text, size_t len)
{
	int r;

	if (len > JDOC_MAX_BYTES)
		return ERR_TOO_LARGE;
	if ((r = jcheck(text, len, false, NULL, NULL)) < 0)
		return r;
	return jval_parse_checked(ret, text, len);
}

void
jval_free(struct jval *root)
{
	json_object_put(unwrap(root));
}

enum jval_type
jval_type(const struct jval *v)
{
	switch (json_object_get_type(unwrap(v))) {
	case json_type_boolean:
		return JVAL_BOOL;
	case json_type_int:
		return JVAL_INT;
	case json_type_double:
		return JVAL_REAL;
	case json_type_string:
		return JVAL_STRING;
	case json_type_array:
		return JVAL_ARRAY;
	case json_type_object:
		return JVAL_OBJECT;
	default:
		return JVAL_NULL;
	}
}

const char *
jval_type_name(enum jval_type t)
{
	static const char *const names[] = {
		[JVAL_NULL] = "null",
		[JVAL_BOOL] = "true or false",
		[JVAL_INT] = "a whole number",
		[JVAL_REAL] = "a number",
		[JVAL_STRING] = "a string",
		[JVAL_ARRAY] = "a list",
		[JVAL_OBJECT] = "an object",
	};

	return names[t];
}

struct jval *
jval_get(const struct jval *v, const char *key)
{
	struct json_object *o;

	if (jval_type(v) != JVAL_OBJECT ||
	    !json_object_object_get_ex(unwrap(v), key, &o))
		return NULL;
	return wrap(o);
}

size_t
jval_count(const struct jval *v)
{
	switch (jval_type(v)) {
	case JVAL_ARRAY:
		return json_object_array_length(unwrap(v));
	case JVAL_OBJECT:
		return (size_t)json_object_object_length(unwrap(v));
	default:
		return 0;
	}
}

struct jval *
jval_at(const struct jval *v, size_t i)
{
	if (jval_type(v) != JVAL_ARRAY)
		return NULL;
	return wrap(json_object_array_get_idx(unwrap(v), i));
}

static void
free_index(struct json_object *o, void *index)
{
	(void)o;
	free(index);
}

/*
 * The entry of member i. json-c chains the members; the first call makes an
 * array of them, kept with the object, so that walking an object of n
 * members costs O(n).
 */
static struct lh_entry *
entry_at(const struct jval *v, size_t i)
{
	size_t n = jval_count(v), at = 0;
	struct lh_entry **index, *e;

	if (jval_type(v) != JVAL_OBJECT || i >= n)
		return NULL;
	index = json_object_get_userdata(unwrap(v));
	if (index == NULL) {
		index = mem_calloc(n, sizeof(struct lh_entry *));
		lh_foreach(json_object_get_object(unwrap(v)), e)
			index[at++] = e;
		json_object_set_userdata(unwrap(v), index, free_index);
	}
	return index[i];
}

const char *
jval_key_at(const struct jval *v, size_t i)
{
	struct lh_entry *e = entry_at(v, i);

	return e != NULL ? lh_entry_k(e) : NULL;
}

struct jval *
jval_value_at(const struct jval *v, size_t i)
{
	struct lh_entry *e = entry_at(v, i);

	return e != NULL ? wrap((struct json_object *)(uintptr_t)lh_entry_v(e))
	    : NULL;
}

const char *
jval_str(const struct jval *v, const char *def)
{
	return jval_type(v) == JVAL_STRING ?
	    json_object_get_string(unwrap(v)) : def;
}

int64_t
jval_int(const struct jval *v, int64_t def)
{
	return jval_type(v) == JVAL_INT ? json_object_get_int64(unwrap(v)) :
	    def;
}

double
jval_real(const struct jval *v, double def)
{
	enum jval_type t = jval_type(v);

	return t == JVAL_REAL || t == JVAL_INT ?
	    json_object_get_double(unwrap(v)) : def;
}

bool
jval_bool(const struct jval *v, bool def)
{
	return jval_type(v) == JVAL_BOOL ?
	    json_object_get_boolean(unwrap(v)) != 0 : def;
}

const char *
jval_get_str(const struct jval *v, const char *key, const char *def)
{
	return jval_str(jval_get(v, key), def);
}

int64_t
jval_get_int(const struct jval *v, const char *key, int64_t def)
{
	return jval_int(jval_get(v, key), def);
}

double
jval_get_real(const struct jval *v, const char *key, double def)
{
	return jval_real(jval_get(v, key), def);
}

bool
jval_get_bool(const struct jval *v, const char *key, bool def)
{
	return jval_bool(jval_get(v, key), def);
}

void
jval_print(const struct jval *v, struct buf *out)
{
	const char *text;
	size_t n;

	text = json_object_to_json_string_length(unwrap(v),
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &n);
	if (text == NULL) {
		buf_puts(out, "null");
		return;
	}
	buf_put(out, text, n);
}
