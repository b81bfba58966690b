/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The order in which a run's executions come: ranks, worked out once. A test
 * without an estimate goes first in "longest": what is unknown may be long.
 */
#include "config.h"

#include <stdlib.h>

#include "sched/sched_private.h"
#include "yardmaster/base/mem.h"

struct place {
	int64_t estimate_us;	/* INT64_MAX: unknown */
	int32_t fails;
	uint32_t index;
};

static int
by_longest(const void *pa, const void *pb)
{
	const struct place *a = pa, *b = pb;

	if (a->estimate_us != b->estimate_us)
		return a->estimate_us > b->estimate_us ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

static int
by_failed(const void *pa, const void *pb)
{
	const struct place *a = pa, *b = pb;

	if (a->fails != b->fails)
		return a->fails > b->fails ? -1 : 1;
	return by_longest(pa, pb);
}

void
order_ranks(struct run *r, const struct sched_run *spec)
{
	struct place *v;
	uint32_t i;

	r->no = mem_calloc(r->n, sizeof(*r->no));
	r->rank = mem_calloc(r->n, sizeof(*r->rank));
	v = mem_calloc(r->n, sizeof(*v));
	for (i = 0; i < r->n; i++)
		v[i] = (struct place){ spec->execs[i].estimate_us > 0 ?
			spec->execs[i].estimate_us : INT64_MAX,
			spec->execs[i].fails, i };
	if (spec->order == ORDER_LONGEST)
		qsort(v, r->n, sizeof(*v), by_longest);
	else if (spec->order == ORDER_FAILED)
		qsort(v, r->n, sizeof(*v), by_failed);
	r->by_length = spec->order == ORDER_LONGEST;
	for (i = 0; i < r->n; i++) {
		r->no[i] = v[i].index + 1;
		r->rank[v[i].index] = i;
	}
	free(v);
}

enum order
sched_pick_order(enum order order, uint32_t n, uint32_t n_known)
{
	if (order != ORDER_AUTO)
		return order;
	return n_known > 0 && n_known >= n - n_known ? ORDER_LONGEST :
	    ORDER_PLAN;
}
