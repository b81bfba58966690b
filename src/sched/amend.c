/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A run gets other terms while it goes on. What waits is queued anew by them;
 * what is out keeps what it took.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "sched/sched_private.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"

/* Out of the queues all that is in one; which, by rank. */
static bool *
unqueue(struct sched *s, struct run *r)
{
	bool *was = mem_calloc(r->n, sizeof(*was));
	struct exec *x;
	uint32_t i;

	for (i = 0; i < r->n; i++) {
		x = &r->x[i];
		was[i] = (x->flags & (X_QUEUED | X_READY)) != 0;
		queue_remove(s, r, x);
	}
	return was;
}

/* What was never sent has the names that its steps have now. */
static void
rename_steps(struct run *r, struct exec *x, const struct sched_run *spec)
{
	const struct sched_exec *from = &spec->execs[exec_no(r, x) - 1];

	if (x->attempt == 0 && x->n_keys == from->n_keys && x->n_keys > 0)
		memcpy(&r->keys[x->first_key], &spec->keys[from->first_key],
		    x->n_keys * sizeof(*r->keys));
}

/* The numbers of terms may be others; the sets of needs, by rank, stay. */
static void
retie(struct run *r, const struct sched_run *spec, const uint32_t *needsets)
{
	uint32_t i;

	for (i = 0; i < r->n; i++) {
		rename_steps(r, &r->x[i], spec);
		r->x[i].terms = spec->execs[r->no[i] - 1].terms;
		r->terms[r->x[i].terms].needset = needsets[i];
	}
}

bool
parcel_is_astray(const struct sched *s, const struct parcel *p)
{
	const struct run *r = s->runs[p->run];
	const struct exec *x = r != NULL ? exec_get(r, p->exec) : NULL;

	if (x == NULL || p->agent == NONE)
		return false;
	return s->agents[p->agent].gone || ((x->flags & X_PINNED) == 0 &&
	    !req_admits(s, s->reqs[r->terms[x->terms].req], p->agent));
}

/* Where it may not be any more it does not start. */
static void
back_from_strangers(struct sched *s, struct run *r)
{
	struct exec *x;
	uint32_t i;

	for (i = 0; i < r->n; i++) {
		x = exec_get(r, i + 1);
		if (x->state == EXEC_ASSIGNED &&
		    parcel_is_astray(s, &s->parcels[x->parcel]))
			parcel_ask_back(s, x->parcel, NONE);
	}
}

int
sched_run_amend(struct sched *s, uint32_t run, const struct sched_run *spec,
    int64_t now_us)
{
	struct run *r = run_get(s, run);
	uint32_t i, *needsets;
	bool *queued;

	if (r == NULL)
		return ERR_NOT_FOUND;
	if (r->ended)
		return ERR_STATE;
	if (spec->n_execs != r->n || spec->n_nodes != r->n_nodes ||
	    spec->n_lists != r->n_lists || !run_spec_ok(spec))
		return ERR_RANGE;
	s->now_us = now_us;
	needsets = mem_calloc(r->n, sizeof(*needsets));
	for (i = 0; i < r->n; i++)
		needsets[i] = r->terms[r->x[i].terms].needset;
	queued = unqueue(s, r);
	run_caps_free(r);
	run_terms_free(r);
	run_caps_make(s, r, spec);
	run_terms_make(s, r, spec);
	retie(r, spec, needsets);
	limits_recount(s);
	run_terms_lsets(s);
	for (i = 0; i < r->n; i++)
		if (queued[i])
			queue_add(s, r, &r->x[i]);
	back_from_strangers(s, r);
	run_wake(s, r);
	s->reassign = true;
	free(needsets);
	free(queued);
	return 0;
}
