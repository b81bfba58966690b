/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The secrets of a snapshot: where they come from, never what they are (part
 * of snapshot.h). */
#include "config.h"

#include <string.h>

#include "plan/plan_private.h"
#include "plan/snapshot.h"
#include "yardmaster/base/mem.h"

static void
write_strings(struct jw *w, const char *key, const struct strvec *list)
{
	size_t i;

	if (list->n == 0)
		return;
	jw_key(w, key);
	jw_array(w);
	for (i = 0; i < list->n; i++)
		jw_str(w, list->v[i]);
	jw_array_end(w);
}

void
snapshot_write_secrets(struct jw *w, const struct plan *p)
{
	const struct plan_secret *s;
	uint32_t i;

	if (p->n_secrets == 0)
		return;
	jw_key(w, "secrets");
	jw_array(w);
	for (i = 0; i < p->n_secrets; i++) {
		s = &p->secrets[i];
		jw_object(w);
		jw_kv_str(w, "name", s->name);
		if (s->file != NULL)
			jw_kv_str(w, "file", s->file);
		write_strings(w, "command", &s->command);
		jw_object_end(w);
	}
	jw_array_end(w);
}

static bool
read_strings(const struct jval *list, struct strvec *out)
{
	size_t i;

	for (i = 0; i < jval_count(list); i++) {
		if (jval_type(jval_at(list, i)) != JVAL_STRING)
			return false;
		strvec_push(out, jval_str(jval_at(list, i), ""));
	}
	return true;
}

bool
snapshot_read_secrets(const struct jval *root, struct plan *p)
{
	const struct jval *list = jval_get(root, "secrets"), *v;
	struct plan_secret *s;
	size_t i;

	for (i = 0; i < jval_count(list); i++) {
		v = jval_at(list, i);
		s = plan_add_secret(p);
		s->name = str_dup(jval_get_str(v, "name", ""));
		s->file = str_dup(jval_get_str(v, "file", NULL));
		if (*s->name == '\0' || !read_strings(jval_get(v, "command"),
		    &s->command))
			return false;
	}
	return true;
}

void
snapshot_write_columns(struct jw *w, const struct plan_data *d)
{
	struct strvec names = STRVEC_INIT;
	size_t i;

	for (i = 0; i < d->columns.n; i++)
		if (d->secret[i])
			strvec_push(&names, d->columns.v[i]);
	if (names.n > 0)
		jw_kv_str(w, "path", d->path);
	write_strings(w, "secret", &names);
	strvec_done(&names);
}

bool
snapshot_read_columns(const struct jval *v, struct plan_data *d)
{
	const struct jval *list = jval_get(v, "secret");
	size_t i;
	long column;

	d->secret = mem_calloc(d->columns.n, sizeof(*d->secret));
	for (i = 0; i < jval_count(list); i++) {
		column = strvec_find(&d->columns, jval_str(jval_at(list, i),
		    ""));
		if (column < 0)
			return false;
		d->secret[column] = d->unread = true;
	}
	d->path = str_dup(jval_get_str(v, "path", NULL));
	return !d->unread || d->path != NULL;
}
