/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The manner of steps as JSON. */
#include "config.h"

#include <string.h>

#include "model/read.h"
#include "yardmaster/base/err.h"
#include "yardmaster/model/manner.h"

const struct manner manner_default = { .keep = KEEP_FAILED };

static const char *const limits[LIMITS] = {
	[LIMIT_CPU] = "cpu", [LIMIT_MEMORY] = "memory",
	[LIMIT_FILE_SIZE] = "file_size", [LIMIT_STACK] = "stack",
	[LIMIT_CORE] = "core", [LIMIT_FILES] = "files",
	[LIMIT_PROCESSES] = "processes",
};

const char *
limit_name(enum limit l)
{
	return limits[l];
}

static void
limits_write(struct jw *w, const struct manner *m)
{
	int i;

	jw_key(w, "limits");
	jw_object(w);
	for (i = 0; i < LIMITS; i++)
		if ((m->limited & 1u << i) != 0)
			jw_kv_int(w, limits[i], (int64_t)m->limit[i]);
	jw_object_end(w);
}

void
manner_write(struct jw *w, const struct manner *m)
{
	jw_object(w);
	if (m->nice > 0)
		jw_kv_int(w, "nice", m->nice);
	if (m->keep != manner_default.keep)
		jw_kv_int(w, "keep", m->keep);
	if (m->home != HOME_SHARED)
		jw_kv_int(w, "home", m->home);
	if (m->silence_us > 0)
		jw_kv_seconds(w, "silence_s", m->silence_us);
	if (m->limited != 0)
		limits_write(w, m);
	jw_object_end(w);
}

int
manner_read(const struct jval *v, struct manner *ret)
{
	struct manner m = manner_default;
	struct reader r, list;
	int i;

	if (jval_type(v) == JVAL_NULL) {
		*ret = m;
		return 0;
	}
	read_init(&r, v);
	m.nice = (uint32_t)read_int(&r, "nice", 0, NICE_MAX, 0);
	m.keep = (enum keep)read_int(&r, "keep", 0, KEEPS - 1, m.keep);
	m.home = (enum home)read_int(&r, "home", 0, HOMES - 1, m.home);
	m.silence_us = read_seconds(&r, "silence_s", 0);
	if (read_get(&r, "limits", JVAL_OBJECT) != NULL) {
		read_init(&list, jval_get(v, "limits"));
		for (i = 0; i < LIMITS; i++) {
			if (jval_get(list.v, limits[i]) == NULL)
				continue;
			m.limit[i] = (uint64_t)read_int(&list, limits[i], 0,
			    INT64_MAX, 0);
			m.limited |= 1u << i;
		}
		if (list.err < 0)
			read_fail(&r, list.err);
	}
	if (r.err == 0)
		*ret = m;
	return r.err;
}
