/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Deadlines: a run that has one uses the fewest workers that still meet it
 * by prediction. Too few known lengths, or no time left, and it uses all.
 */
#include "config.h"

#include "sched/sched_private.h"

#define LOOK_US (5 * US_PER_S)	/* between two looks at a run */
#define MARGIN 10		/* a tenth more than predicted */

/* As if all that is not final had not begun. */
static int64_t
left_us(const struct run *r)
{
	int64_t usual = r->n_known > 0 ? r->known_us / r->n_known : 0;

	return r->left_us + usual * r->left_unknown;
}

static uint32_t
enough(const struct run *r, int64_t now_us)
{
	int64_t time_us = r->deadline_us - now_us - r->longest_us, n;

	if (r->n_known == 0 || time_us <= 0)
		return 0;
	n = (left_us(r) + left_us(r) / MARGIN + time_us - 1) / time_us;
	return n < 1 ? 1 : n < UINT32_MAX ? (uint32_t)n : 0;
}

void
deadline_look(struct sched *s, struct run *r)
{
	uint32_t was = r->enough;

	if (r->deadline_us == 0 || r->n_open == 0)
		return;
	r->enough = enough(r, s->now_us);
	if (r->enough == 0 || (was != 0 && r->enough > was))
		run_wake(s, r);
}

void
deadline_timer(struct sched *s, uint32_t handle)
{
	struct run *r = run_get(s, handle);

	if (r == NULL || r->deadline_us == 0 || r->n_open == 0 ||
	    s->now_us >= r->deadline_us)
		return;
	timer_add(s, s->now_us + LOOK_US, (struct timer_arg){
		TIMER_DEADLINE, handle, 0 });
}

void
deadline_count(struct run *r, const struct exec *x, int by)
{
	if (x->estimate_us > 0)
		r->left_us += by * x->estimate_us;
	else
		r->left_unknown += (uint32_t)by;
	if (x->estimate_us > r->longest_us)
		r->longest_us = x->estimate_us;
}
