/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Needs: executions that wait for nodes (sets of executions) to end. A node
 * counts its members that are not final and those that ended badly; a set of
 * needs counts its nodes that are not done.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "sched/sched_private.h"
#include "yardmaster/base/mem.h"

bool
exec_bad(const struct exec *x)
{
	switch (x->state) {
	case EXEC_FAILED:
	case EXEC_TIMEOUT:
	case EXEC_ERROR:
	case EXEC_CANCELLED:
		return true;
	default:
		return x->state == EXEC_SKIPPED && x->cause != REASON_NONE;
	}
}

static void
sets_make(struct run *r, const struct sched_run *spec)
{
	const struct sched_terms *t;
	struct needset *n;
	uint32_t i, j;

	r->needsets = mem_calloc(r->n_terms, sizeof(*r->needsets));
	for (i = 0; i < r->n_terms; i++) {
		t = &spec->terms[i];
		if (t->n_needs == 0)
			continue;
		r->terms[i].needset = r->n_needsets;
		n = &r->needsets[r->n_needsets];
		n->any = t->needs_any_result;
		n->n = t->n_needs;
		n->nodes = mem_dup(t->needs, t->n_needs * sizeof(uint32_t));
		for (j = 0; j < n->n; j++)
			ids_push(&r->nodes[n->nodes[j]].sets, r->n_needsets);
		r->n_needsets++;
	}
}

/* Who waits for each set, in order of rank. */
static void
waiters_make(struct run *r)
{
	struct needset *n;
	struct exec *x;
	uint32_t i;

	for (i = 0; i < r->n; i++)
		if (r->terms[r->x[i].terms].needset != NONE)
			r->needsets[r->terms[r->x[i].terms].needset].n_execs++;
	for (i = 0; i < r->n_needsets; i++) {
		n = &r->needsets[i];
		n->execs = mem_calloc(n->n_execs, sizeof(uint32_t));
		n->n_execs = 0;
	}
	for (i = 0; i < r->n; i++) {
		x = &r->x[i];
		if (r->terms[x->terms].needset == NONE)
			continue;
		n = &r->needsets[r->terms[x->terms].needset];
		n->execs[n->n_execs++] = r->no[i];
		x->flags |= X_NEEDS;
	}
}

static void
members_count(struct run *r)
{
	uint32_t i, j;

	for (i = 0; i < r->n; i++) {
		if (r->x[i].member == NONE)
			continue;
		for (j = r->list_first[r->x[i].member];
		    j < r->list_first[r->x[i].member + 1]; j++) {
			r->nodes[r->list_nodes[j]].pending++;
			r->nodes[r->list_nodes[j]].n++;
		}
	}
}

void
needs_make(struct run *r, const struct sched_run *spec)
{
	struct needset *n;
	uint32_t i, j;

	r->n_nodes = spec->n_nodes;
	r->nodes = mem_calloc(r->n_nodes, sizeof(*r->nodes));
	sets_make(r, spec);
	waiters_make(r);
	members_count(r);
	for (i = 0; i < r->n_needsets; i++) {
		n = &r->needsets[i];
		for (j = 0; j < n->n; j++)
			n->pending += r->nodes[n->nodes[j]].pending > 0;
		if (n->pending == 0)
			ids_push(&r->due, i);
	}
}

void
needs_free(struct run *r)
{
	uint32_t i;

	for (i = 0; i < r->n_nodes; i++)
		ids_done(&r->nodes[i].sets);
	for (i = 0; i < r->n_needsets; i++) {
		free(r->needsets[i].nodes);
		free(r->needsets[i].execs);
	}
	ids_done(&r->due);
	free(r->nodes);
	free(r->needsets);
}

/* Those that still wait for the set go on, or are skipped. */
static void
set_release(struct sched *s, struct run *r, struct needset *n, bool failed)
{
	struct exec *x;
	uint32_t i;

	n->gone = true;
	for (i = 0; i < n->n_execs; i++) {
		x = exec_get(r, n->execs[i]);
		if ((x->flags & X_NEEDS) == 0)
			continue;
		x->flags &= (uint16_t)~X_NEEDS;
		if (x->state != EXEC_WAITING)
			continue;
		if (failed)
			exec_final(s, r, x, EXEC_SKIPPED,
			    REASON_NEEDS_FAILED);
		else
			exec_ripen(s, r, x);
	}
}

static bool
set_failed(const struct run *r, const struct needset *n)
{
	uint32_t i;

	for (i = 0; i < n->n && !n->any; i++)
		if (r->nodes[n->nodes[i]].bad > 0)
			return true;
	return false;
}

void
needs_look(struct sched *s, struct run *r)
{
	struct needset *n;

	while (r->due.n > 0) {
		n = &r->needsets[r->due.v[--r->due.n]];
		if (!n->gone && (n->pending == 0 || set_failed(r, n)))
			set_release(s, r, n, set_failed(r, n));
	}
}

void
needs_again(struct sched *s, struct run *r, struct exec *x)
{
	const struct needset *n;

	if (r->terms[x->terms].needset == NONE || x->state != EXEC_WAITING ||
	    (x->flags & X_WAIVED) != 0)
		return;
	n = &r->needsets[r->terms[x->terms].needset];
	if (n->gone)
		return;
	queue_remove(s, r, x);
	x->flags |= X_NEEDS;
}

void
needs_ended(struct run *r, const struct exec *x, bool bad)
{
	struct needset *set;
	struct node *n;
	uint32_t i;
	size_t j;

	if (x->member == NONE)
		return;
	for (i = r->list_first[x->member]; i < r->list_first[x->member + 1];
	    i++) {
		n = &r->nodes[r->list_nodes[i]];
		n->pending--;
		n->bad += bad ? 1 : 0;
		for (j = 0; (bad || n->pending == 0) && j < n->sets.n; j++) {
			set = &r->needsets[n->sets.v[j]];
			set->pending -= n->pending == 0 ? 1 : 0;
			if (!set->gone)
				ids_push(&r->due, n->sets.v[j]);
		}
	}
}

void
needs_revived(struct run *r, const struct exec *x, bool bad)
{
	struct node *n;
	uint32_t i;
	size_t j;

	if (x->member == NONE)
		return;
	for (i = r->list_first[x->member]; i < r->list_first[x->member + 1];
	    i++) {
		n = &r->nodes[r->list_nodes[i]];
		for (j = 0; n->pending == 0 && j < n->sets.n; j++)
			r->needsets[n->sets.v[j]].pending++;
		n->pending++;
		n->bad -= bad ? 1 : 0;
	}
}
