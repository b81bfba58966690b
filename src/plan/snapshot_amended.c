/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What was amended, in a snapshot that is made of a plan after that: agents of
 * suites and tests, and steps that have another target than the plan gives
 * them. All other amendments stand where the plan has its own value.
 */
#include "config.h"

#include <stdlib.h>

#include "plan/expand.h"
#include "plan/snapshot.h"
#include "yardmaster/base/mem.h"

void
snapshot_write_amended(struct jw *w, const struct plan *p)
{
	const struct plan_private *v = p->priv;
	const struct amended *a;
	uint32_t i;

	jw_key(w, "amended");
	jw_array(w);
	for (i = 0; i < v->n_amended; i++) {
		a = &v->amended[i];
		jw_object(w);
		jw_kv_int(w, a->ref.is_test ? "test" : "suite", a->ref.index);
		jw_kv_int(w, "agents", a->agents);
		jw_object_end(w);
	}
	jw_array_end(w);
	jw_key(w, "moved");
	jw_array(w);
	for (i = 0; v->planned != NULL && i < p->n_steps; i++) {
		if (p->steps[i].target == v->planned[i])
			continue;
		jw_object(w);
		jw_kv_int(w, "step", i);
		jw_kv_int(w, "target", p->steps[i].target);
		jw_object_end(w);
	}
	jw_array_end(w);
}

/* An integer member below limit. */
static bool
read_index(const struct jval *v, const char *key, size_t limit, uint32_t *ret)
{
	int64_t n = jval_get_int(v, key, -1);

	*ret = (uint32_t)n;
	return n >= 0 && (uint64_t)n < limit;
}

bool
snapshot_read_amended(const struct jval *root, struct plan *p)
{
	const struct jval *list = jval_get(root, "amended"), *v;
	struct amended a;
	size_t i;

	for (i = 0; i < jval_count(list); i++) {
		v = jval_at(list, i);
		a.ref.is_test = jval_get(v, "test") != NULL;
		if (!read_index(v, a.ref.is_test ? "test" : "suite",
		    a.ref.is_test ? p->n_tests : p->n_suites,
		    &a.ref.index) ||
		    !read_index(v, "agents", p->n_agents, &a.agents))
			return false;
		plan_amended_add(p, &a);
	}
	return true;
}

bool
snapshot_read_moved(const struct jval *root, struct plan *p)
{
	const struct jval *list = jval_get(root, "moved"), *v;
	uint32_t *targets, step;
	size_t i, n = jval_count(list);
	bool good = true;

	if (n == 0)
		return true;
	targets = plan_step_targets(p);
	for (i = 0; i < n && good; i++) {
		v = jval_at(list, i);
		good = read_index(v, "step", p->n_steps, &step) &&
		    read_index(v, "target", p->n_targets, &targets[step]);
	}
	if (good)
		plan_retarget(p, targets);
	free(targets);
	return good;
}
