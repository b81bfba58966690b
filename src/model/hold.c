/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an attempt holds of limits by name. */
#include "config.h"

#include <stdlib.h>

#include "model/names.h"
#include "model/read.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/model/hold.h"

static const char *const kinds[HOLD_KINDS] = {
	[HOLD_LOCK] = "lock",
	[HOLD_EXCLUSION] = "exclusion",
	[HOLD_TARGET] = "target",
};

NAME_FUNCTIONS(hold_kind, enum hold_kind, kinds, HOLD_KINDS)

void
hold_done(struct hold *h)
{
	free(h->name);
	free(h->other);
	free(h->instance);
	*h = (struct hold){ .name = NULL };
}

void
hold_copy(struct hold *to, const struct hold *from)
{
	*to = *from;
	to->name = str_dup(from->name);
	to->other = str_dup(from->other);
	to->instance = str_dup(from->instance);
}

void
holds_free(struct hold *v, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		hold_done(&v[i]);
	free(v);
}

void
holds_write(struct jw *w, const struct hold *v, uint32_t n)
{
	uint32_t i;

	if (n == 0)
		return;
	jw_key(w, "holds");
	jw_array(w);
	for (i = 0; i < n && i < HOLDS_MAX; i++) {
		jw_object(w);
		jw_kv_str(w, "kind", hold_kind_name(v[i].kind));
		jw_kv_str(w, "name", v[i].name);
		if (v[i].other != NULL)
			jw_kv_str(w, "other", v[i].other);
		jw_kv_int(w, "n", v[i].n);
		if (v[i].shared)
			jw_kv_bool(w, "shared", true);
		if (v[i].capacity > 0)
			jw_kv_int(w, "capacity", v[i].capacity);
		if (v[i].instance != NULL)
			jw_kv_str(w, "instance", v[i].instance);
		if (v[i].group > 0)
			jw_kv_int(w, "group", v[i].group);
		jw_object_end(w);
	}
	jw_array_end(w);
}

static int
hold_read(const struct jval *v, struct hold *h)
{
	struct reader r;

	read_init(&r, v);
	h->kind = (enum hold_kind)read_name(&r, "kind", hold_kind_parse,
	    HOLD_LOCK);
	h->name = read_text(&r, "name", READ_TEXT_MAX);
	h->other = read_text(&r, "other", READ_TEXT_MAX);
	h->n = (uint32_t)read_int(&r, "n", 1, UINT32_MAX, 1);
	h->shared = read_bool(&r, "shared");
	h->capacity = (uint32_t)read_int(&r, "capacity", 0, UINT32_MAX, 0);
	h->instance = read_text(&r, "instance", READ_TEXT_MAX);
	h->group = (uint32_t)read_int(&r, "group", 0, UINT32_MAX, 0);
	if (h->name == NULL ||
	    (h->kind == HOLD_EXCLUSION) != (h->other != NULL))
		read_fail(&r, ERR_SYNTAX);
	if (h->kind == HOLD_EXCLUSION && h->n > 3)
		read_fail(&r, ERR_RANGE);
	return r.err;
}

int
holds_read(const struct jval *v, struct hold **ret, uint32_t *ret_n)
{
	struct reader r;
	const struct jval *list;
	struct hold *holds;
	uint32_t i, n;

	read_init(&r, v);
	list = read_get(&r, "holds", JVAL_ARRAY);
	if (jval_count(list) > HOLDS_MAX)
		read_fail(&r, ERR_TOO_LARGE);
	if (r.err < 0)
		return r.err;
	n = (uint32_t)jval_count(list);
	holds = n > 0 ? mem_calloc(n, sizeof(*holds)) : NULL;
	for (i = 0; i < n && r.err == 0; i++)
		r.err = hold_read(jval_at(list, i), &holds[i]);
	if (r.err < 0) {
		holds_free(holds, n);
		return r.err;
	}
	*ret = holds;
	*ret_n = n;
	return 0;
}
