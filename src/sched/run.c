/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Runs: the numbers of a plan are checked, made the scheduler's own, and what
 * was before a resume is put back. Nothing is placed here.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "sched/sched_private.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"

struct run *
run_get(const struct sched *s, uint32_t handle)
{
	return handle < s->n_runs ? s->runs[handle] : NULL;
}

/* ---- limits -------------------------------------------------------------------- */

static void
cap_set(struct run_cap *c, uint32_t limit, uint32_t capacity)
{
	*c = (struct run_cap){ .limit = limit, .capacity = capacity };
}

static uint32_t
pair_intern(struct sched *s, const struct sched_pair *p, const char *run)
{
	return strcmp(p->a, p->b) > 0 ?
	    limit_intern(s, LIMIT_PAIR, p->b, p->a, run) :
	    limit_intern(s, LIMIT_PAIR, p->a, p->b, run);
}

/* locks first, then targets, then pairs (which have no capacity). */
void
run_caps_make(struct sched *s, struct run *r, const struct sched_run *spec)
{
	const struct sched_target *t;
	struct run_cap *c;
	const char *run = r->private ? r->id : NULL;
	uint32_t i;

	r->n_caps = spec->n_locks + spec->n_targets + spec->n_pairs;
	r->caps = c = mem_calloc(r->n_caps, sizeof(*r->caps));
	for (i = 0; i < spec->n_locks; i++, c++) {
		cap_set(c, limit_intern(s, LIMIT_LOCK, spec->locks[i].name,
		    NULL, run), spec->locks[i].capacity > 0 ?
		    spec->locks[i].capacity : 1);
		s->limits[c->limit]->parallel |= spec->locks[i].parallel;
	}
	for (i = 0; i < spec->n_targets; i++, c++) {
		t = &spec->targets[i];
		cap_set(c, limit_intern(s, LIMIT_TARGET, t->name, NULL, run),
		    t->max);
		c->per_agent = t->max_per_agent;
		if (t->instances != NULL)
			strvec_push_all(&c->names, t->instances);
	}
	for (i = 0; i < spec->n_pairs; i++, c++)
		cap_set(c, pair_intern(s, &spec->pairs[i], run), 0);
}

static uint32_t
sides_of(const struct sched_run *spec, const struct sched_side *side)
{
	const struct sched_pair *p = &spec->pairs[side->pair];
	bool swap = strcmp(p->a, p->b) > 0;

	return ((swap ? side->b : side->a) ? 1u : 0) |
	    ((swap ? side->a : side->b) ? 2u : 0);
}

static int
by_limit(const void *pa, const void *pb)
{
	const struct use *a = pa, *b = pb;

	return a->limit < b->limit ? -1 : a->limit > b->limit;
}

/* Two uses of one limit (equal names in a plan) become one. */
uint32_t
uses_merge(const struct sched *s, struct use *v, uint32_t n)
{
	uint32_t i, out = 0;

	qsort(v, n, sizeof(*v), by_limit);
	for (i = 0; i < n; i++) {
		if (out == 0 || v[out - 1].limit != v[i].limit) {
			v[out++] = v[i];
			continue;
		}
		if (s->limits[v[i].limit]->kind == LIMIT_PAIR)
			v[out - 1].n |= v[i].n;
		else if (v[i].n > v[out - 1].n)
			v[out - 1].n = v[i].n;
		v[out - 1].shared = v[out - 1].shared && v[i].shared;
	}
	return out;
}

static void
wants_make(const struct sched *s, struct run *r, const struct sched_run *spec,
    const struct sched_terms *t, struct terms *to)
{
	const struct run_cap *targets = r->caps + spec->n_locks;
	const struct run_cap *pairs = targets + spec->n_targets;
	uint32_t i, n = t->n_holds + t->n_targets + t->n_sides;
	struct use *u;

	to->wants = u = mem_calloc(n, sizeof(*u));
	for (i = 0; i < t->n_holds; i++, u++) {
		u->limit = r->caps[t->holds[i].lock].limit;
		u->n = t->holds[i].count > 0 ? t->holds[i].count : 1;
		u->shared = t->holds[i].shared;
	}
	for (i = 0; i < t->n_targets; i++, u++) {
		u->limit = targets[t->targets[i]].limit;
		u->n = 1;
	}
	for (i = 0; i < t->n_sides; i++, u++) {
		u->limit = pairs[t->sides[i].pair].limit;
		u->n = sides_of(spec, &t->sides[i]);
	}
	to->n_wants = uses_merge(s, to->wants, n);
}

/* Of a group these are taken for all parts at once. */
static bool
is_shared(const struct sched *s, const struct terms *t, const struct use *u)
{
	return t->together && s->limits[u->limit]->kind != LIMIT_TARGET;
}

uint32_t
uses_shared(const struct sched *s, const struct terms *t, struct use *v,
    uint32_t n)
{
	uint32_t i;

	for (i = 0; i < t->n_wants; i++)
		if (is_shared(s, t, &t->wants[i]))
			v[n++] = t->wants[i];
	return n;
}

static void
terms_wants(struct sched *s, struct terms *t)
{
	struct use *v = mem_calloc(t->n_wants, sizeof(*v));
	uint32_t i, n = 0;

	for (i = 0; i < t->n_wants; i++)
		if (!is_shared(s, t, &t->wants[i]))
			v[n++] = t->wants[i];
	t->own = lset_intern(s, v, n);
	free(v);
}

static void
terms_lsets(struct sched *s, struct run *r)
{
	struct terms *t;
	struct exec *x;
	uint32_t i, lset;
	bool changed = false;

	for (i = 0; i < r->n_terms; i++) {
		t = &r->terms[i];
		lset = lset_live(s, t->own);
		changed |= t->lset != lset;
		t->lset = lset;
	}
	groups_lsets(s, r);
	for (i = 0; changed && i < r->n; i++) {
		x = &r->x[i];
		if ((x->flags & X_QUEUED) == 0)
			continue;
		queue_remove(s, r, x);
		queue_add(s, r, x);
	}
	for (i = 0; i < s->n_parcels; i++)
		if (s->parcels[i].holds && s->parcels[i].run == r->handle)
			lset_change(s, i);
}

void
run_terms_lsets(struct sched *s)
{
	size_t i;

	for (i = 0; i < s->n_runs; i++)
		if (s->runs[i] != NULL)
			terms_lsets(s, s->runs[i]);
}

/* ---- checking -------------------------------------------------------------------- */

static bool
all_below(const uint32_t *v, uint32_t n, uint32_t end)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (v[i] >= end)
			return false;
	return true;
}

static bool
terms_ok(const struct sched_run *spec, const struct sched_terms *t)
{
	uint32_t i;

	for (i = 0; i < t->n_holds; i++)
		if (t->holds[i].lock >= spec->n_locks)
			return false;
	for (i = 0; i < t->n_sides; i++)
		if (t->sides[i].pair >= spec->n_pairs)
			return false;
	return all_below(t->targets, t->n_targets, spec->n_targets) &&
	    all_below(t->needs, t->n_needs, spec->n_nodes);
}

static bool
exec_ok(const struct sched_run *spec, const struct sched_exec *x)
{
	return x->terms < spec->n_terms && (unsigned)x->state < EXEC_STATES &&
	    (x->member == NONE || x->member < spec->n_lists) &&
	    (x->n_keys == 0 || spec->keys != NULL) && x->lead <= spec->n_execs;
}

bool
run_spec_ok(const struct sched_run *spec)
{
	uint32_t i;

	for (i = 0; i < spec->n_terms; i++)
		if (!terms_ok(spec, &spec->terms[i]))
			return false;
	for (i = 0; i < spec->n_lists; i++)
		if (!all_below(spec->lists[i].nodes, spec->lists[i].n,
		    spec->n_nodes))
			return false;
	for (i = 0; i < spec->n_execs; i++)
		if (!exec_ok(spec, &spec->execs[i]))
			return false;
	for (i = 0; i < spec->n_lost; i++)
		if (spec->lost[i].exec == 0 || spec->lost[i].attempt == 0 ||
		    spec->lost[i].exec > spec->n_execs ||
		    spec->lost[i].lead > i)
			return false;
	return true;
}

/* ---- making ------------------------------------------------------------------------ */

void
run_terms_make(struct sched *s, struct run *r, const struct sched_run *spec)
{
	const struct sched_terms *t;
	struct terms *to;
	uint32_t i;

	r->n_terms = spec->n_terms;
	r->terms = mem_calloc(r->n_terms, sizeof(*r->terms));
	for (i = 0; i < r->n_terms; i++) {
		t = &spec->terms[i];
		to = &r->terms[i];
		*to = (struct terms){ .req = req_intern(s, spec, t),
			.lset = NONE, .needset = NONE,
			.pinned = t->pinned, .repeatable = t->repeatable,
			.beside = t->beside_itself, .stop = t->stop,
			.retries = t->retries,
			.error_retries = t->error_retries,
			.workers = t->workers > 0 ? t->workers : 1,
			.together = t->together, .same_agent = t->same_agent,
			.batch = t->batch, .room = t->room,
			.priority = t->priority,
			.retry_delay_us = t->retry_delay_us,
			.start_timeout_us = t->start_timeout_us > 0 ?
			    t->start_timeout_us : START_TIMEOUT_US,
			.lost_after_us = t->lost_after_us > 0 ?
			    t->lost_after_us : LOST_AFTER_US };
		wants_make(s, r, spec, t, to);
		terms_wants(s, to);
	}
}

static void
exec_make(struct run *r, struct exec *x, const struct sched_exec *from)
{
	*x = (struct exec){ .since_us = 0, .parcel = NONE, .class = NONE,
		.estimate_us = from->estimate_us > 0 ? from->estimate_us : -1,
		.ready_us = from->not_before_us, .terms = from->terms,
		.member = from->member, .n_keys = from->n_keys,
		.attempt = from->attempt,
		.agent = from->attempt > 0 ? from->agent : NONE,
		.avoid = from->avoid - 1,
		.pin = NONE, .group = NONE, .size = from->size,
		.priority = r->terms[from->terms].priority,
		.failures = (uint16_t)from->failures,
		.errors = (uint16_t)from->errors };
	if (x->estimate_us > 0) {
		r->known_us += x->estimate_us;
		r->known_sq += (double)x->estimate_us *
		    (double)x->estimate_us;
		r->n_known++;
		if (x->estimate_us > r->longest_us)
			r->longest_us = x->estimate_us;
	}
}

static void
lists_make(struct run *r, const struct sched_run *spec)
{
	uint32_t i, n = 0;

	r->n_lists = spec->n_lists;
	r->list_first = mem_calloc(r->n_lists + 1, sizeof(uint32_t));
	for (i = 0; i < r->n_lists; i++) {
		r->list_first[i] = n;
		n += spec->lists[i].n;
	}
	r->list_first[i] = n;
	r->list_nodes = mem_calloc(n, sizeof(uint32_t));
	for (i = 0; i < r->n_lists; i++)
		if (spec->lists[i].n > 0)
			memcpy(r->list_nodes + r->list_first[i],
			    spec->lists[i].nodes,
			    spec->lists[i].n * sizeof(uint32_t));
}

static void
execs_make(struct run *r, const struct sched_run *spec)
{
	const struct sched_exec *from;
	struct exec *x;
	uint32_t i;

	r->n = spec->n_execs;
	r->x = mem_calloc(r->n, sizeof(*r->x));
	order_ranks(r, spec);
	for (i = 0; i < r->n; i++)
		r->n_keys += spec->execs[i].n_keys;
	r->keys = mem_calloc(r->n_keys, sizeof(*r->keys));
	r->n_keys = 0;
	for (i = 0; i < r->n; i++) {
		x = &r->x[i];
		from = &spec->execs[r->no[i] - 1];
		exec_make(r, x, from);
		x->first_key = (uint32_t)r->n_keys;
		if (x->n_keys > 0)
			memcpy(&r->keys[x->first_key],
			    &spec->keys[from->first_key],
			    x->n_keys * sizeof(*r->keys));
		r->n_keys += x->n_keys;
	}
}

int
sched_run_add(struct sched *s, const struct sched_run *spec, int64_t now_us,
    uint32_t *ret_run)
{
	struct run *r;

	if (!run_spec_ok(spec))
		return ERR_RANGE;
	s->now_us = now_us;
	r = mem_zalloc(sizeof(*r));
	r->handle = (uint32_t)s->n_runs;
	r->id = str_dup(spec->id != NULL ? spec->id : "?");
	r->private = spec->private;
	r->priority = spec->priority;
	r->max_parallel = spec->max_parallel;
	r->max_failures = spec->max_failures;
	r->ahead = spec->ahead;
	r->deadline_us = spec->deadline_us;
	r->start_cost_us = spec->start_cost_us;
	run_caps_make(s, r, spec);
	run_terms_make(s, r, spec);
	lists_make(r, spec);
	execs_make(r, spec);
	s->runs = mem_grow(s->runs, &s->cap_runs, s->n_runs + 1,
	    sizeof(struct run *));
	s->runs[s->n_runs++] = r;
	s->n_ahead += r->ahead != SCHED_AHEAD_AUTO;
	groups_make(s, r, spec);
	limits_recount(s);
	run_terms_lsets(s);
	needs_make(r, spec);
	r->n_open = r->n;
	restore_run(s, r, spec);
	run_terms_lsets(s);	/* of what is kept for those restored */
	*ret_run = r->handle;
	return 0;
}

void
run_caps_free(struct run *r)
{
	uint32_t i;

	for (i = 0; i < r->n_caps; i++)
		strvec_done(&r->caps[i].names);
	free(r->caps);
}

void
run_terms_free(struct run *r)
{
	uint32_t i;

	for (i = 0; i < r->n_terms; i++)
		free(r->terms[i].wants);
	free(r->terms);
}

/* ---- forgetting ----------------------------------------------------------------------- */

static void
run_parcels_end(struct sched *s, const struct run *r)
{
	uint32_t i;

	for (i = 0; i < s->n_parcels; i++)
		if (s->parcels[i].state != P_FREE &&
		    s->parcels[i].run == r->handle)
			parcel_end(s, i);
}

static void
notes_free(struct run *r)
{
	struct hold_note *n, *tmp;

	HASH_ITER(hh, r->notes, n, tmp) {
		HASH_DEL(r->notes, n);
		free(n->text);
		free(n);
	}
}

void
run_free(struct sched *s, struct run *r)
{
	uint32_t i;

	for (i = 0; i < r->classes.n; i++)
		reserve_drop(s, s->classes[r->classes.v[i]]);
	groups_free(s, r);
	kinds_free(s, r->handle);
	for (i = 0; i < r->classes.n; i++)
		class_free(s, r->classes.v[i]);
	for (i = 0; i < r->lanes.n; i++)
		lane_free(s, r->lanes.v[i]);
	needs_free(r);
	notes_free(r);
	ids_done(&r->classes);
	ids_done(&r->lanes);
	run_caps_free(r);
	run_terms_free(r);
	free(r->list_nodes);
	free(r->list_first);
	free(r->no);
	free(r->rank);
	free(r->keys);
	free(r->x);
	free(r->held);
	free(r->setup);
	free(r->id);
	free(r);
}

void
sched_run_remove(struct sched *s, uint32_t run)
{
	struct run *r = run_get(s, run);

	if (r == NULL)
		return;
	run_parcels_end(s, r);
	decisions_forget_run(s, run);
	s->n_ahead -= r->ahead != SCHED_AHEAD_AUTO;
	s->runs[run] = NULL;
	run_free(s, r);
	limits_recount(s);
	run_terms_lsets(s);
}
