/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is prepared on agents and brought back from them: workspace, setup,
 * teardown, artifacts; loaded (part of load.h), and filled into work (part of
 * work.h).
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "plan/load.h"
#include "plan/subst.h"
#include "plan/work.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/paths.h"

#define SETUP_US (3600 * US_PER_S)
#define TEARDOWN_US (600 * US_PER_S)
#define PATTERNS_MAX 100

/* A setup is the same for all executions of an agent: only what is the same
 * for them has a place in it. */
static void
check_argument(struct loader *l, const char *text)
{
	struct piece piece;

	while (subst_next(&text, &piece))
		if (!piece.literal && piece.kind != PH_UNKNOWN &&
		    piece.kind != PH_AGENT && piece.kind != PH_PARAM)
			check_fault(&l->c, "%.*s has no value here: it runs "
			    "once for all tests of an agent", (int)piece.len,
			    piece.text);
}

const struct strvec *
load_once(struct loader *l, const struct jval *v)
{
	struct strvec *list = plan_own_list(l->p);
	size_t i, mark;

	value_strings(v, list);
	for (i = 0; i < list->n; i++) {
		mark = check_index(&l->c, i);
		check_argument(l, list->v[i]);
		load_argument(l, list->v[i]);
		check_back(&l->c, mark);
	}
	return list;
}

static void
check_folder(struct loader *l, const char *path)
{
	struct stat st;

	if (stat(path, &st) == -1)
		check_fault(&l->c, "%s: there is no such folder", path);
	else if (!S_ISDIR(st.st_mode))
		check_fault(&l->c, "%s is no folder", path);
}

static uint32_t
add_workspace(struct plan *p, char *path, const struct strvec *exclude)
{
	struct plan_workspace *w;
	uint32_t i;

	for (i = 0; i < p->n_workspaces; i++)
		if (strcmp(p->workspaces[i].path, path) == 0 &&
		    strvec_equal(&p->workspaces[i].exclude, exclude)) {
			free(path);
			return i + 1;
		}
	w = plan_add_workspace(p);
	w->path = path;
	strvec_push_all(&w->exclude, exclude);
	return p->n_workspaces;
}

uint32_t
load_workspace(struct loader *l, const struct jval *v)
{
	const struct jval *from = v, *list;
	struct strvec exclude = STRVEC_INIT;
	uint32_t index = 0;
	size_t mark = 0;
	char *path;

	if (jval_type(v) == JVAL_OBJECT) {
		check_object(&l->c, v, AT_WORKSPACE);
		from = check_get(v, "from", AT_WORKSPACE);
		list = check_get(v, "exclude", AT_WORKSPACE);
		if (jval_get(v, "from") == NULL)
			check_fault(&l->c, "workspace needs \"from\", a "
			    "folder");
		if (list != NULL)
			value_strings(list, &exclude);
		mark = check_key(&l->c, "from");
	}
	if (from != NULL) {
		path = jval_str(from, "")[0] == '/' || l->dir == NULL ?
		    str_dup(jval_str(from, "")) :
		    path_join(l->dir, jval_str(from, ""));
		check_folder(l, path);
		index = add_workspace(l->p, path, &exclude);
	}
	if (mark > 0 || jval_type(v) == JVAL_OBJECT)
		check_back(&l->c, mark);
	strvec_done(&exclude);
	return index;
}

const struct strvec *
load_artifacts(struct loader *l, const struct jval *v)
{
	struct strvec *list = plan_own_list(l->p);
	size_t i, mark;

	value_strings(v, list);
	if (list->n > PATTERNS_MAX)
		check_fault(&l->c, "more than %d patterns", PATTERNS_MAX);
	for (i = 0; i < list->n; i++) {
		mark = check_index(&l->c, i);
		if (!prepare_name_ok(list->v[i]))
			diag_set_hint(check_fault(&l->c, "\"%s\" is no path "
			    "below the folder of a step", list->v[i]),
			    "as \"reports/*.xml\" or \"**/core\"");
		check_back(&l->c, mark);
	}
	return list;
}

/* ---- in work ---- */

static bool
lists_equal(const struct strvec *a, const struct strvec *b)
{
	static const struct strvec none = STRVEC_INIT;

	return strvec_equal(a != NULL ? a : &none, b != NULL ? b : &none);
}

static bool
prepares(const struct plan_props *props)
{
	return props->workspace > 0 ||
	    (props->setup != NULL && props->setup->n > 0) ||
	    (props->teardown != NULL && props->teardown->n > 0);
}

uint32_t
plan_prepare_no(const struct plan *p, uint32_t suite)
{
	const struct plan_props *props = p->suites[suite].props, *other;
	uint32_t i;

	if (!prepares(props))
		return 0;
	for (i = 0; i < suite; i++) {
		other = p->suites[i].props;
		if (other == props || (other->workspace == props->workspace &&
		    lists_equal(other->setup, props->setup) &&
		    lists_equal(other->teardown, props->teardown)))
			break;
	}
	return i + 1;
}

static void
fill_argv(const struct strvec *from, void (*value)(void *arg,
    const struct piece *piece, struct buf *out), void *arg,
    struct strvec *to)
{
	struct buf b = BUF_INIT;
	size_t i;

	for (i = 0; from != NULL && i < from->n; i++) {
		subst_text(from->v[i], value, arg, &b);
		strvec_push_owned(to, buf_steal(&b));
	}
}

void
work_prepare_fill(const struct plan *p, uint32_t suite,
    void (*value)(void *arg, const struct piece *piece, struct buf *out),
    void *arg, struct work_prepare *ret)
{
	const struct plan_props *props = p->suites[suite].props;
	const struct plan_workspace *w;
	uint32_t no = plan_prepare_no(p, suite);

	if (no == 0)
		return;
	/* Limits of one would be those of another with an equal command. */
	props = p->suites[no - 1].props;
	ret->no = no;
	fill_argv(props->setup, value, arg, &ret->setup);
	fill_argv(props->teardown, value, arg, &ret->teardown);
	ret->setup_us = props->timeout_us > 0 ? props->timeout_us : SETUP_US;
	ret->teardown_us = props->timeout_us > 0 ? props->timeout_us :
	    TEARDOWN_US;
	if (props->workspace == 0)
		return;
	w = &p->workspaces[props->workspace - 1];
	memcpy(ret->tree, w->hash, sizeof ret->tree);
	ret->tree_bytes = w->bytes;
}
