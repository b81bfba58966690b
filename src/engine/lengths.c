/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files of seconds by test, and how a step is found in one. */
#include "config.h"

#include <stdlib.h>
#include <unistd.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/engine/lengths.h"
#include "yardmaster/store/registry.h"
#include "yardmaster/sys/paths.h"

/* No test that is meant takes longer: a year. */
#define SECONDS_MAX (366.0 * 86400.0)

static void
check_length(const struct jdoc *doc, size_t i, struct diags *ds)
{
	const struct jval *v = jval_value_at(doc->root, i);
	struct buf path = BUF_INIT;
	double s = jval_real(v, -1);

	if (!(s >= 0 && s <= SECONDS_MAX)) {
		jdoc_path_key(&path, jval_key_at(doc->root, i));
		jdoc_fault(doc, ds, DIAG_ERROR, buf_str(&path),
		    "a number of seconds is expected");
		buf_done(&path);
	}
}

/* A list of [name, seconds], as pytest-split wrote it once, as an object. True
 * when it was one. */
static bool
from_pairs(struct jdoc *doc, const char *file, struct diags *ds)
{
	const struct jval *pair;
	struct buf text = BUF_INIT;
	struct jdoc made;
	struct jw w;
	size_t i;
	bool well = jval_type(doc->root) == JVAL_ARRAY;

	jw_init(&w, &text);
	jw_object(&w);
	for (i = 0; i < jval_count(doc->root) && well; i++) {
		pair = jval_at(doc->root, i);
		well = jval_count(pair) == 2 &&
		    jval_type(jval_at(pair, 0)) == JVAL_STRING;
		if (!well)
			break;
		jw_key(&w, jval_str(jval_at(pair, 0), ""));
		jw_real(&w, jval_real(jval_at(pair, 1), -1));
	}
	jw_object_end(&w);
	well = well && jdoc_parse(&made, file, buf_str(&text),
	    buf_len(&text), 0, ds) == 0;
	buf_done(&text);
	if (well) {
		jdoc_done(doc);
		*doc = made;
	}
	return well;
}

int
lengths_load(struct jdoc *ret, const char *file, struct diags *ds)
{
	size_t errors = ds->errors, i;
	int r;

	if ((r = jdoc_load(ret, file, 0, ds)) < 0)
		return r;
	if (!from_pairs(ret, file, ds) && jval_type(ret->root) != JVAL_OBJECT)
		jdoc_fault(ret, ds, DIAG_ERROR, "", "an object of seconds by "
		    "test is expected, not %s",
		    jval_type_name(jval_type(ret->root)));
	for (i = 0; i < jval_count(ret->root) && ds->errors == errors; i++)
		check_length(ret, i, ds);
	if (ds->errors == errors)
		return 0;
	jdoc_done(ret);
	return ERR_INVALID;
}

/* What the registry exports, as a document. */
static int
recorded(int (*export)(struct registry *, struct jw *), struct jdoc *ret)
{
	char *state = NULL, *path = NULL;
	struct registry *reg = NULL;
	struct buf text = BUF_INIT;
	struct jw w;
	int r;

	if ((r = paths_state(&state)) < 0)
		return r;
	path = path_join(state, "registry.db");
	/* Looking must not make one. */
	if (access(path, R_OK) < 0) {
		r = ERR_NOT_FOUND;
		goto out;
	}
	if ((r = registry_open(state, &reg)) < 0)
		goto out;
	jw_init(&w, &text);
	if ((r = export(reg, &w)) == 0)
		r = jdoc_parse(ret, "history", buf_str(&text), buf_len(&text),
		    0, NULL);
out:
	registry_close(reg);
	buf_done(&text);
	free(path);
	free(state);
	return r;
}

int
lengths_recorded(struct jdoc *ret)
{
	return recorded(history_export, ret);
}

int
lengths_recorded_fails(struct jdoc *ret)
{
	return recorded(history_export_fails, ret);
}

/* The value of the most specific key of a step that is there, or NULL. */
static const struct jval *
by_keys(const struct plan *p, const struct plan_step *s,
    const struct jval *by)
{
	const struct plan_test *t = &p->tests[s->test];
	struct strvec keys = STRVEC_INIT;
	const struct jval *v = NULL;
	char number[16];
	size_t i;

	if (by == NULL)
		return NULL;
	history_keys(&(struct history_item){
		.suite = p->suites[t->suite].path,
		.test = t->name,
		.row = plan_row_name(p, s, number),
		.target = s->target != PLAN_NONE ?
		    p->targets[s->target].name : NULL,
	}, &keys);
	for (i = 0; i < keys.n && v == NULL; i++)
		v = jval_get(by, keys.v[i]);
	strvec_done(&keys);
	return v;
}

int64_t
lengths_of(const struct plan *p, const struct plan_step *s,
    const struct jval *by)
{
	const struct jval *v = by_keys(p, s, by);

	return v == NULL ? -1 :
	    (int64_t)(jval_real(v, 0) * (double)US_PER_S + 0.5);
}

int32_t
lengths_fails(const struct plan *p, const struct plan_step *s,
    const struct jval *by)
{
	const struct jval *v = by_keys(p, s, by);

	return v == NULL ? history_likelihood(0, 0) :
	    (int32_t)jval_real(v, 0);
}
