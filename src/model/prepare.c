/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Preparations and artifacts: memory, names, JSON. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "model/read.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/model/prepare.h"

void
work_prepare_done(struct work_prepare *p)
{
	strvec_done(&p->setup);
	strvec_done(&p->teardown);
	*p = (struct work_prepare){ .no = 0 };
}

void
artifacts_done(struct artifacts *a)
{
	uint32_t i;

	for (i = 0; i < a->n; i++)
		free(a->v[i].name);
	free(a->v);
	*a = (struct artifacts){ .v = NULL };
}

void
work_prepare_copy(struct work_prepare *to, const struct work_prepare *from)
{
	*to = *from;
	strvec_init(&to->setup);
	strvec_init(&to->teardown);
	strvec_push_all(&to->setup, &from->setup);
	strvec_push_all(&to->teardown, &from->teardown);
}

void
artifacts_copy(struct artifacts *to, const struct artifacts *from)
{
	uint32_t i;

	*to = *from;
	to->v = from->n > 0 ? mem_calloc(from->n, sizeof *to->v) : NULL;
	for (i = 0; i < from->n; i++) {
		to->v[i] = from->v[i];
		to->v[i].name = str_dup(from->v[i].name);
	}
}

static void
put_argv(struct jw *w, const char *key, const struct strvec *argv)
{
	size_t i;

	if (argv->n == 0)
		return;
	jw_key(w, key);
	jw_array(w);
	for (i = 0; i < argv->n; i++)
		jw_str(w, argv->v[i]);
	jw_array_end(w);
}

void
work_prepare_write(struct jw *w, const struct work_prepare *p)
{
	jw_object(w);
	jw_kv_int(w, "no", p->no);
	if (p->tree[0] != '\0') {
		jw_kv_str(w, "tree", p->tree);
		jw_kv_int(w, "tree_bytes", (int64_t)p->tree_bytes);
	}
	put_argv(w, "setup", &p->setup);
	put_argv(w, "teardown", &p->teardown);
	jw_kv_seconds(w, "setup_s", p->setup_us);
	jw_kv_seconds(w, "teardown_s", p->teardown_us);
	jw_object_end(w);
}

void
artifacts_write(struct jw *w, const struct artifacts *a)
{
	uint32_t i;

	if (a->n > 0) {
		jw_key(w, "artifacts");
		jw_array(w);
	}
	for (i = 0; i < a->n; i++) {
		jw_object(w);
		jw_kv_str(w, "name", a->v[i].name);
		jw_kv_int(w, "bytes", (int64_t)a->v[i].bytes);
		jw_kv_str(w, "sha256", a->v[i].sha256);
		jw_object_end(w);
	}
	if (a->n > 0)
		jw_array_end(w);
	if (a->dropped > 0)
		jw_kv_int(w, "artifacts_dropped", a->dropped);
}

/* A hash, or "" when it is absent. */
static void
read_hash(struct reader *r, const char *key, char out[SHA256_TEXT])
{
	char *text = read_text(r, key, SHA256_TEXT);

	if (text != NULL && !sha256_is_text(text))
		read_fail(r, ERR_SYNTAX);
	else if (text != NULL)
		memcpy(out, text, SHA256_TEXT);
	free(text);
}

int
work_prepare_read(const struct jval *v, struct work_prepare *ret)
{
	struct work_prepare p = { .no = 0 };
	struct reader r;

	read_init(&r, v);
	p.no = (uint32_t)read_int(&r, "no", 1, PREPARE_MAX, 0);
	read_hash(&r, "tree", p.tree);
	p.tree_bytes = (uint64_t)read_int(&r, "tree_bytes", 0,
	    (int64_t)TREE_MAX_BYTES, 0);
	read_strings(&r, "setup", &p.setup);
	read_strings(&r, "teardown", &p.teardown);
	p.setup_us = read_seconds(&r, "setup_s", 0);
	p.teardown_us = read_seconds(&r, "teardown_s", 0);
	if (p.no == 0)
		read_fail(&r, ERR_SYNTAX);
	if (r.err < 0)
		work_prepare_done(&p);
	else
		*ret = p;
	return r.err;
}

bool
prepare_name_ok(const char *name)
{
	size_t n;

	if (strlen(name) > ARTIFACT_NAME_MAX)
		return false;
	for (;; name += n + 1) {
		n = strcspn(name, "/");
		if (n == 0 || (n == 1 && name[0] == '.') ||
		    (n == 2 && name[0] == '.' && name[1] == '.'))
			return false;
		if (name[n] == '\0')
			return true;
	}
}

char *
artifact_file_name(const char *name)
{
	struct buf b = BUF_INIT;
	const char *p;

	for (p = name; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f || (*p == '%' &&
		    strspn(p + 1, "0123456789abcdefABCDEF") >= 2))
			buf_putf(&b, "%%%02X", (unsigned char)*p);
		else
			buf_putc(&b, *p);
	return buf_steal(&b);
}

static int
artifact_read(const struct jval *v, struct artifact *ret)
{
	struct reader r;

	read_init(&r, v);
	ret->name = read_text(&r, "name", ARTIFACT_NAME_MAX);
	ret->bytes = (uint64_t)read_int(&r, "bytes", 0, INT64_MAX, 0);
	read_hash(&r, "sha256", ret->sha256);
	if (r.err == 0 && (ret->name == NULL || !prepare_name_ok(ret->name) ||
	    ret->sha256[0] == '\0'))
		return ERR_SYNTAX;
	return r.err;
}

int
artifacts_read(const struct jval *v, struct artifacts *ret)
{
	struct artifacts a = { .v = NULL };
	const struct jval *list;
	struct reader r;
	size_t i, n;

	read_init(&r, v);
	a.dropped = (uint32_t)read_int(&r, "artifacts_dropped", 0, UINT32_MAX,
	    0);
	list = read_get(&r, "artifacts", JVAL_ARRAY);
	n = jval_count(list);
	if (n > ARTIFACTS_MAX)
		read_fail(&r, ERR_TOO_LARGE);
	if (r.err == 0 && n > 0)
		a.v = mem_calloc(n, sizeof *a.v);
	for (i = 0; i < n && r.err == 0; i++) {
		a.n++;
		read_fail(&r, artifact_read(jval_at(list, i), &a.v[i]));
		if (r.err == 0 && i > 0 &&
		    strcmp(a.v[i - 1].name, a.v[i].name) >= 0)
			read_fail(&r, ERR_SYNTAX);
	}
	if (r.err < 0)
		artifacts_done(&a);
	else
		*ret = a;
	return r.err;
}
