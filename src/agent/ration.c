/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Limits of targets, over all consoles. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "agent/ration.h"
#include "yardmaster/base/mem.h"

static struct ration *
ration_of(struct queue *q, const char *name)
{
	struct ration *r;

	HASH_FIND_STR(q->rations, name, r);
	if (r != NULL)
		return r;
	r = mem_zalloc(sizeof *r);
	r->name = str_dup(name);
	LIST_INIT(&r->uses);
	HASH_ADD_KEYPTR(hh, q->rations, r->name, strlen(r->name), r);
	return r;
}

static bool
is_of(const struct attempt *a, const struct ration *r)
{
	uint32_t i;

	for (i = 0; i < a->n_uses; i++)
		if (a->uses[i].ration == r)
			return true;
	return false;
}

void
rations_join(struct queue *q, struct attempt *a, const struct work_target *v,
    uint32_t n)
{
	struct ration_use *u;
	struct ration *r;
	uint32_t i;

	a->uses = n > 0 ? mem_calloc(n, sizeof *a->uses) : NULL;
	for (i = 0; i < n; i++) {
		r = ration_of(q, v[i].name);
		if (is_of(a, r))
			continue;
		u = &a->uses[a->n_uses++];
		*u = (struct ration_use){ .ration = r, .attempt = a,
			.max = v[i].max_per_agent };
		LIST_INSERT_HEAD(&r->uses, u, entry);
		r->n_limited += u->max > 0;
		r->stale = true;
	}
}

void
rations_leave(struct queue *q, struct attempt *a)
{
	struct ration *r;
	uint32_t i;

	for (i = 0; i < a->n_uses; i++) {
		r = a->uses[i].ration;
		LIST_REMOVE(&a->uses[i], entry);
		r->n_limited -= a->uses[i].max > 0;
		r->stale = true;
		if (!LIST_EMPTY(&r->uses))
			continue;
		HASH_DEL(q->rations, r);
		free(r->name);
		free(r);
	}
	free(a->uses);
	a->uses = NULL;
	a->n_uses = 0;
}

static uint32_t
least(uint32_t a, uint32_t b)
{
	return a == 0 || (b > 0 && b < a) ? b : a;
}

/* What each run said last counts: so it can change its limit. but: a run that
 * says something else now, or NULL. */
static uint32_t
least_said(struct queue *q, const struct ration *r, const struct held_run *but)
{
	const struct ration_use *u;
	uint32_t max = 0;

	q->mark++;
	LIST_FOREACH(u, &r->uses, entry) {
		if (u->attempt->run->mark == q->mark || u->attempt->run == but)
			continue;
		u->attempt->run->mark = q->mark;
		u->attempt->run->said = u->max;
		max = least(max, u->max);
	}
	return max;
}

uint32_t
ration_max(struct queue *q, struct ration *r)
{
	if (r->stale && r->n_limited > 0) {
		r->max = least_said(q, r, NULL);
		r->stale = false;
	}
	return r->n_limited > 0 ? r->max : 0;
}

bool
rations_limit(struct queue *q, const struct attempt *a)
{
	uint32_t i;

	for (i = 0; i < a->n_uses; i++)
		if (ration_max(q, a->uses[i].ration) > 0)
			return true;
	return false;
}

bool
ration_takes(const struct ration_use *u)
{
	return u->max > 0 || u->attempt->worker > 0;
}

/* The takers of r, and the first that is of another run, or NULL. */
static uint32_t
count_takers(const struct ration *r, const struct held_run *but,
    const struct attempt **ret_first)
{
	const struct ration_use *u;
	uint32_t n = 0;

	*ret_first = NULL;
	LIST_FOREACH(u, &r->uses, entry) {
		if (!ration_takes(u))
			continue;
		n++;
		if (*ret_first == NULL || (*ret_first)->run == but)
			*ret_first = u->attempt;
	}
	return n;
}

bool
rations_refuse(struct queue *q, const struct held_run *run,
    const struct work *work, struct buf *why)
{
	const struct work_target *t;
	const struct attempt *first;
	char text[IDENT_TEXT];
	struct ration *r;
	uint32_t i, n, max;

	for (i = 0; i < work->n_targets; i++) {
		t = &work->targets[i];
		HASH_FIND_STR(q->rations, t->name, r);
		if (r == NULL || (t->max_per_agent == 0 && r->n_limited == 0))
			continue;
		max = least(least_said(q, r, run), t->max_per_agent);
		n = count_takers(r, run, &first);
		if (max == 0 || n < max)
			continue;
		r->asked = true;
		buf_putf(why, "%s: %u of %u here, held by %s (%s)", t->name,
		    n, max, ident_format(&first->id, text),
		    first->owner != NULL ? first->owner : "?");
		return true;
	}
	return false;
}

static void
limited_make(struct queue *q, const struct ration *r, uint32_t *left,
    struct limited *ret)
{
	const struct ration_use *u;
	const struct attempt *first;
	uint32_t n = count_takers(r, NULL, &first);

	*ret = (struct limited){ .name = str_dup(r->name),
		.max = least_said(q, r, NULL) };
	n = n < *left ? n : *left;
	*left -= n;
	ret->takers = mem_calloc(n, sizeof *ret->takers);
	LIST_FOREACH(u, &r->uses, entry) {
		if (ret->n_takers == n)
			return;
		if (ration_takes(u))
			ret->takers[ret->n_takers++] = (struct taker){
				.id = u->attempt->id,
				.owner = str_dup(u->attempt->owner),
				.max = u->attempt->run->said };
	}
}

void
rations_facts(struct queue *q, struct facts *f)
{
	uint32_t left = FACTS_HOLDERS_MAX;
	struct ration *r, *next;

	HASH_ITER(hh, q->rations, r, next) {
		if (ration_max(q, r) == 0 && !r->asked)
			continue;
		if (f->n_targets == FACTS_TARGETS_MAX)
			return;
		if (f->targets == NULL)
			f->targets = mem_calloc(FACTS_TARGETS_MAX,
			    sizeof *f->targets);
		limited_make(q, r, &left, &f->targets[f->n_targets++]);
	}
}
