/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A plan from a command line. Words that hold a brace become parameters,
 * because what a placeholder is replaced by is never looked at again.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/check.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"
#include "yardmaster/plan/adhoc.h"

#define MARK "{}"
#define NAME_SHOWN 60		/* bytes of the command in the name */

struct making {
	const struct adhoc *a;
	struct jw w;
	struct strvec params;	/* texts of {param.p0} and so on */
	bool marked;		/* an argument was put somewhere */
};

/* Appends literal text of a word. */
static void
put_literal(struct making *m, const char *s, size_t n, struct buf *out)
{
	char *text;

	if (memchr(s, '{', n) == NULL) {
		buf_put(out, s, n);
		return;
	}
	text = str_ndup(s, n);
	buf_putf(out, "{param.p%zu}", m->params.n);
	strvec_push(&m->params, text);
	free(text);
}

static void
put_word(struct making *m, const char *word)
{
	struct buf out = BUF_INIT;
	const char *at;

	while (m->a->args != NULL && (at = strstr(word, MARK)) != NULL) {
		put_literal(m, word, (size_t)(at - word), &out);
		buf_puts(&out, "{row.arg}");
		m->marked = true;
		word = at + strlen(MARK);
	}
	put_literal(m, word, strlen(word), &out);
	jw_str(&m->w, buf_str(&out));
	buf_done(&out);
}

static void
write_strings(struct jw *w, const char *key, const struct strvec *v)
{
	size_t i;

	jw_key(w, key);
	jw_array(w);
	for (i = 0; i < v->n; i++)
		jw_str(w, v->v[i]);
	jw_array_end(w);
}

static void
write_command(struct making *m)
{
	struct jw *w = &m->w;
	char key[32];
	size_t i;

	jw_key(w, "command");
	jw_array(w);
	for (i = 0; i < m->a->command->n; i++)
		put_word(m, m->a->command->v[i]);
	if (m->a->args != NULL && !m->marked)
		jw_str(w, "{row.arg}");
	jw_array_end(w);
	jw_key(w, "params");
	jw_object(w);
	for (i = 0; i < m->params.n; i++) {
		snprintf(key, sizeof(key), "p%zu", i);
		jw_kv_str(w, key, m->params.v[i]);
	}
	jw_object_end(w);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Whether arguments may be what people call their jobs: else these have their
 * numbers. */
static bool
are_names(const struct strvec *args)
{
	char **sorted = mem_calloc(args->n, sizeof(*sorted));
	bool good = true;
	size_t i;

	for (i = 0; i < args->n && good; i++) {
		sorted[i] = args->v[i];
		good = is_good_name(args->v[i]);
	}
	if (good)
		qsort(sorted, args->n, sizeof(*sorted), by_text);
	for (i = 1; i < args->n && good; i++)
		good = strcmp(sorted[i - 1], sorted[i]) != 0;
	free(sorted);
	return good;
}

static void
write_rows(struct jw *w, const struct strvec *args)
{
	bool named = are_names(args);
	size_t i;

	jw_key(w, "data");
	jw_object(w);
	jw_key(w, "rows");
	jw_array(w);
	for (i = 0; i < args->n; i++) {
		jw_object(w);
		if (named)
			jw_kv_str(w, "_name", args->v[i]);
		jw_kv_str(w, "arg", args->v[i]);
		jw_object_end(w);
	}
	jw_array_end(w);
	jw_object_end(w);
}

/* The program's name, where that can be the name of a test. */
static const char *
job_name(const struct adhoc *a)
{
	const char *slash = strrchr(a->command->v[0], '/');
	const char *name = slash != NULL ? slash + 1 : a->command->v[0];

	return is_good_name(name) && strpbrk(name, "{}/[]@") == NULL ? name :
	    "job";
}

static void
write_jobs(struct making *m)
{
	const struct adhoc *a = m->a;
	struct jw *w = &m->w;
	struct strvec one = STRVEC_INIT;
	size_t i;

	jw_key(w, "tests");
	jw_array(w);
	if (a->args != NULL) {
		jw_object(w);
		jw_kv_str(w, "name", job_name(a));
		write_rows(w, a->args);
		jw_object_end(w);
	}
	for (i = 0; a->args == NULL && i < a->agents->n; i++) {
		jw_object(w);
		jw_kv_str(w, "name", a->agents->v[i]);
		strvec_push(&one, a->agents->v[i]);
		write_strings(w, "agents", &one);
		strvec_done(&one);
		jw_object_end(w);
	}
	jw_array_end(w);
}

static void
write_name(struct making *m)
{
	struct buf name = BUF_INIT, safe = BUF_INIT;
	size_t i;

	buf_puts(&name, "exec");
	for (i = 0; i < m->a->command->n && buf_len(&name) < NAME_SHOWN; i++)
		buf_putf(&name, " %s", m->a->command->v[i]);
	text_fit(&safe, buf_str(&name), NAME_SHOWN, false, false);
	jw_kv_str(&m->w, "name", buf_str(&safe));
	buf_done(&name);
	buf_done(&safe);
}

static void
write_plan(struct making *m)
{
	const struct adhoc *a = m->a;
	struct jw *w = &m->w;

	jw_object(w);
	write_name(m);
	jw_kv_str(w, "parallel", "tests");
	jw_kv_str(w, "order", "plan");
	jw_kv_bool(w, "pinned", true);
	jw_kv_bool(w, "repeatable", false);
	jw_kv_bool(w, "beside_itself", true);
	jw_kv_int(w, "error_retries", 0);
	jw_kv_int(w, "max_parallel", a->jobs);
	if (a->timeout_us > 0) {
		jw_key(w, "timeout");
		jw_real(w, (double)a->timeout_us / 1e6);
	}
	if (a->args != NULL && a->agents->n > 0)
		write_strings(w, "agents", a->agents);
	if (a->target != NULL) {
		jw_key(w, "targets");
		jw_array(w);
		jw_str(w, a->target);
		jw_array_end(w);
	}
	write_command(m);
	jw_key(w, "suites");
	jw_array(w);
	jw_object(w);
	jw_kv_str(w, "name", "exec");
	write_jobs(m);
	jw_object_end(w);
	jw_array_end(w);
	jw_object_end(w);
}

/* JSON has no bytes that are not text. */
static int
check_text(const struct strvec *v, const char *what, struct diags *ds)
{
	size_t i;

	for (i = 0; v != NULL && i < v->n; i++)
		if (!text_is_utf8(v->v[i], strlen(v->v[i]))) {
			diag_add(ds, DIAG_ERROR, NULL, 0, NULL,
			    "%s %zu is not UTF-8", what, i + 1);
			return ERR_INVALID;
		}
	return 0;
}

int
plan_adhoc(const struct adhoc *a, struct diags *ds, struct plan **ret)
{
	struct buf text = BUF_INIT;
	struct making m = { .a = a };
	struct plan *p = NULL;
	int r;

	if ((r = check_text(a->command, "word", ds)) < 0 ||
	    (r = check_text(a->args, "argument", ds)) < 0)
		return r;
	jw_init(&m.w, &text);
	write_plan(&m);
	r = plan_load_text("exec", NULL, buf_str(&text), buf_len(&text), ds,
	    &p);
	if (r == 0 && (r = plan_expand(p, NULL, ds)) == 0) {
		p->adhoc = true;
		*ret = p;
	} else {
		plan_free(p);
	}
	strvec_done(&m.params);
	buf_done(&text);
	return r;
}
