/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading agent.json: one table of keys, every fault with line and key. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent_file.h"
#include "agent/values.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/size.h"
#include "yardmaster/base/text.h"
#include "yardmaster/model/prepare.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/paths.h"

#define OUT_CAP_MAX (256u << 20)
#define AGENT_FILE_MAX (1u << 20)
#define BYTES_WANTED "a number of bytes, such as 1000000 or \"64M\""

struct reading {
	struct agent_file *to;
	const struct jdoc *doc;
	struct diags *ds;
	struct buf path;
};

struct key {
	const char *name;
	void (*read)(struct reading *r, const struct jval *v);
};

static void __attribute__((format(printf, 2, 3)))
bad(struct reading *r, const char *fmt, ...)
{
	struct buf text = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vputf(&text, fmt, ap);
	va_end(ap);
	jdoc_fault(r->doc, r->ds, DIAG_ERROR, buf_str(&r->path), "%s",
	    buf_str(&text));
	buf_done(&text);
}

static void
read_max_workers(struct reading *r, const struct jval *v)
{
	int64_t n = jval_int(v, -1);

	if (n < 1 || n > MAX_WORKERS_LIMIT)
		bad(r, "wants a number from 1 to %d", MAX_WORKERS_LIMIT);
	else
		r->to->max_workers = (uint32_t)n;
}

static void
read_threshold(struct reading *r, const struct jval *v)
{
	if (threshold_read(v, &r->to->threshold) < 0)
		bad(r, "wants a number, or \"-N\" for max workers less N");
	else
		r->to->has_threshold = true;
}

static void
read_virtual(struct reading *r, const struct jval *v)
{
	if (jval_type(v) != JVAL_BOOL)
		bad(r, "wants true or false");
	else
		r->to->virtual = jval_bool(v, false);
}

static void
read_env(struct reading *r, const struct jval *v)
{
	size_t i, keep = buf_len(&r->path);
	const char *key, *value;

	if (jval_type(v) != JVAL_OBJECT) {
		bad(r, "wants an object of names and values");
		return;
	}
	for (i = 0; i < jval_count(v); i++) {
		key = jval_key_at(v, i);
		value = jval_str(jval_value_at(v, i), NULL);
		jdoc_path_key(&r->path, key);
		if (*key == '\0' || strchr(key, '=') != NULL)
			bad(r, "is no name of a variable");
		else if (value == NULL)
			bad(r, "wants a string");
		else
			strvec_setenv(&r->to->env, key, value);
		buf_truncate(&r->path, keep);
	}
}

/* "64M", "512k", "2G", or a number of bytes. */
static void
read_bytes(struct reading *r, const struct jval *v, uint64_t *to)
{
	int64_t n = jval_int(v, -1);

	if (n >= 0)
		*to = (uint64_t)n;
	else if (jval_type(v) != JVAL_STRING ||
	    size_parse(jval_str(v, ""), to) < 0)
		bad(r, "wants " BYTES_WANTED);
}

static void
read_out_cap(struct reading *r, const struct jval *v)
{
	read_bytes(r, v, &r->to->out_cap);
	if (r->to->out_cap > OUT_CAP_MAX)
		bad(r, "wants at most 256M");
}

static void
read_keep_output(struct reading *r, const struct jval *v)
{
	read_bytes(r, v, &r->to->keep_bytes);
}

static void
read_duration(struct reading *r, const struct jval *v, int64_t *to)
{
	const char *s = jval_str(v, NULL);

	if (s == NULL || duration_parse(s, to) < 0)
		bad(r, "wants a length of time, such as \"5s\" or \"10m\"");
}

static void
read_keep_for(struct reading *r, const struct jval *v)
{
	read_duration(r, v, &r->to->keep_us);
}

static void
read_workspace_max(struct reading *r, const struct jval *v)
{
	read_bytes(r, v, &r->to->workspace_max);
	if (r->to->workspace_max > TREE_MAX_BYTES)
		bad(r, "wants at most 4095M");
}

static void
read_keep_workspaces(struct reading *r, const struct jval *v)
{
	read_bytes(r, v, &r->to->keep_ws_bytes);
}

static void
read_keep_workspaces_for(struct reading *r, const struct jval *v)
{
	read_duration(r, v, &r->to->keep_ws_us);
}

static void
read_grace(struct reading *r, const struct jval *v)
{
	read_duration(r, v, &r->to->grace_us);
}

/* By the reader that consoles' edits have, too. */
static void
read_guard(struct reading *r, const struct jval *v, enum guard g,
    const char *wants)
{
	char number[32];

	snprintf(number, sizeof number, "%.17g", jval_real(v, -1));
	if (guard_set(&r->to->guards, g, jval_str(v, number)) < 0)
		bad(r, "wants %s", wants);
}

static void
read_load(struct reading *r, const struct jval *v)
{
	read_guard(r, v, GUARD_LOAD, "a number, 0 for no limit");
}

static void
read_free_memory(struct reading *r, const struct jval *v)
{
	read_guard(r, v, GUARD_MEMORY, BYTES_WANTED);
}

static void
read_free_disk(struct reading *r, const struct jval *v)
{
	read_guard(r, v, GUARD_DISK, BYTES_WANTED);
}

static void
read_health(struct reading *r, const struct jval *v)
{
	struct buf text = BUF_INIT;

	jval_print(v, &text);
	if (jval_type(v) != JVAL_ARRAY || guard_set(&r->to->guards,
	    GUARD_HEALTH, buf_str(&text)) < 0)
		bad(r, "wants a command, as a list of its words");
	buf_done(&text);
}

static const struct key guard_keys[] = {
	{ "load_per_cpu", read_load },
	{ "free_memory", read_free_memory },
	{ "free_disk", read_free_disk },
	{ "health", read_health },
	{ NULL, NULL }
};

static void read_keys(struct reading *r, const struct jval *v,
    const struct key *keys);

static void
read_guards(struct reading *r, const struct jval *v)
{
	read_keys(r, v, guard_keys);
}

static const struct key keys_of_file[] = {
	{ "max_workers", read_max_workers },
	{ "threshold", read_threshold },
	{ "virtual", read_virtual },
	{ "env", read_env },
	{ "out_cap", read_out_cap },
	{ "grace", read_grace },
	{ "guards", read_guards },
	{ "keep_output", read_keep_output },
	{ "keep_output_for", read_keep_for },
	{ "workspace_max", read_workspace_max },
	{ "keep_workspaces", read_keep_workspaces },
	{ "keep_workspaces_for", read_keep_workspaces_for },
	{ NULL, NULL }
};

static void
unknown_key(struct reading *r, const char *key, const struct key *keys)
{
	const char *names[16], *near;
	size_t n;

	for (n = 0; keys[n].name != NULL; n++)
		names[n] = keys[n].name;
	names[n] = NULL;
	near = text_nearest(key, names, 3);
	if (near != NULL)
		bad(r, "unknown key (did you mean \"%s\"?)", near);
	else
		bad(r, "unknown key");
}

static void
read_keys(struct reading *r, const struct jval *v, const struct key *keys)
{
	size_t i, keep = buf_len(&r->path);
	const struct key *k;
	const char *name;

	if (jval_type(v) != JVAL_OBJECT) {
		bad(r, "wants an object");
		return;
	}
	for (i = 0; i < jval_count(v); i++) {
		name = jval_key_at(v, i);
		jdoc_path_key(&r->path, name);
		for (k = keys; k->name != NULL; k++)
			if (strcmp(k->name, name) == 0)
				break;
		if (k->name != NULL)
			k->read(r, jval_value_at(v, i));
		else
			unknown_key(r, name, keys);
		buf_truncate(&r->path, keep);
	}
}

int
agent_file_find(const char *instance, char **ret_path, struct buf *text)
{
	char *dir = NULL, *own = str_fmt("agent-%s.json", instance), *path;
	const char *names[] = { own, "agent.json" };
	size_t i;
	int r;

	r = paths_config(&dir);
	for (i = 0; r == 0 && i < 2; i++) {
		path = path_join(dir, names[i]);
		r = fs_read(path, AGENT_FILE_MAX, text);
		if (r == 0) {
			*ret_path = path;
			break;
		}
		free(path);
		r = r == -ENOENT ? i == 0 ? 0 : ERR_NOT_FOUND : r;
	}
	free(own);
	free(dir);
	return r;
}

int
agent_file_read(struct agent_file *ret, const char *path, const char *text,
    size_t n, struct diags *ds)
{
	struct agent_file f = {
		.grace_us = 5 * US_PER_S,
		.keep_bytes = UINT64_C(1) << 30,
		.keep_us = 24 * 3600 * US_PER_S,
		.workspace_max = UINT64_C(1) << 30,
		.keep_ws_bytes = UINT64_C(4) << 30,
		.keep_ws_us = 7 * 24 * 3600 * US_PER_S,
	};
	struct reading r = { .to = &f, .ds = ds, .path = BUF_INIT };
	size_t errors = ds->errors;
	struct jdoc doc;

	if (n > 0) {
		if (jdoc_parse(&doc, path, text, n, JDOC_COMMENTS, ds) < 0)
			return ERR_INVALID;
		r.doc = &doc;
		read_keys(&r, doc.root, keys_of_file);
		jdoc_done(&doc);
	}
	buf_done(&r.path);
	if (ds->errors > errors) {
		agent_file_done(&f);
		return ERR_INVALID;
	}
	*ret = f;
	return 0;
}

void
agent_file_done(struct agent_file *f)
{
	strvec_done(&f->env);
}
