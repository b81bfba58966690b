/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What becomes of an execution when an attempt is over: final, or waiting
 * again with a budget used; and what its end means for its run. Failures and
 * errors have budgets of their own.
 */
#include "config.h"

#include "sched/sched_private.h"

void
exec_state_set(struct sched *s, struct run *r, struct exec *x,
    enum exec_state state)
{
	r->counts.n[x->state]--;
	r->counts.n[state]++;
	x->state = (uint8_t)state;
	x->since_us = s->now_us;
}

void
exec_ripen(struct sched *s, struct run *r, struct exec *x)
{
	x->flags &= (uint16_t)~X_DELAYED;
	if ((x->flags & X_CANCEL) != 0 || r->cancelled) {
		exec_final(s, r, x, EXEC_CANCELLED, REASON_NONE);
		return;
	}
	if (r->halted && (x->flags & X_WAIVED) == 0) {
		exec_final(s, r, x, EXEC_SKIPPED, REASON_HALTED);
		return;
	}
	if (x->ready_us > s->now_us) {
		x->flags |= X_DELAYED;
		timer_add(s, x->ready_us, (struct timer_arg){ TIMER_READY,
		    r->handle, exec_no(r, x) });
		return;
	}
	if ((x->flags & (X_NEEDS | X_HELD)) == 0)
		queue_add(s, r, x);
}

void
exec_wait(struct sched *s, struct run *r, struct exec *x, int64_t delay_us)
{
	x->parcel = NONE;
	x->ready_us = delay_us > 0 ? s->now_us + delay_us : 0;
	x->flags &= (uint16_t)~X_REQUEUE;
	if (x->state != EXEC_WAITING)
		exec_state_set(s, r, x, EXEC_WAITING);
	decision_add(s, &(struct sched_decision){ .kind = SCHED_WAIT,
		.id = { r->handle, exec_no(r, x), x->attempt },
		.agent = NONE, .other = NONE, .at_us = x->ready_us,
		.cause = (x->flags & X_RETRY) != 0 ? REASON_RETRY_DELAY :
		    REASON_NONE });
	exec_ripen(s, r, x);
	group_part_over(s, x);
}

static bool
counts_as_bad(enum exec_state state)
{
	return state == EXEC_FAILED || state == EXEC_TIMEOUT ||
	    state == EXEC_ERROR;
}

void
exec_final(struct sched *s, struct run *r, struct exec *x,
    enum exec_state state, enum reason cause)
{
	queue_remove(s, r, x);
	x->parcel = NONE;
	x->flags &= X_PINNED | X_LOST | X_WAIVED | X_OVER;
	x->cause = (uint8_t)cause;
	exec_state_set(s, r, x, state);
	r->n_open--;
	decision_add(s, &(struct sched_decision){ .kind = SCHED_FINAL,
		.id = { r->handle, exec_no(r, x), x->attempt },
		.agent = NONE, .other = NONE, .state = state,
		.cause = cause });
	needs_ended(r, x, exec_bad(x));
	r->n_bad += counts_as_bad(state);
	if (counts_as_bad(state) && (r->terms[x->terms].stop ||
	    (r->max_failures > 0 && r->n_bad >= r->max_failures)))
		run_halt(s, r, x);
	group_part_over(s, x);
}

void
exec_revive(struct sched *s, struct run *r, struct exec *x)
{
	needs_revived(r, x, exec_bad(x));
	if (counts_as_bad(x->state))
		r->n_bad--;
	r->n_open++;
	x->cause = REASON_NONE;
	x->flags &= X_PINNED | X_WAIVED | X_OVER;
	x->avoid = NONE;
	exec_wait(s, r, x, 0);
	if (x->state == EXEC_WAITING)	/* it may have ended at once */
		group_revived(s, r, x);
}

bool
run_should_halt(const struct run *r)
{
	uint32_t i;

	if (r->max_failures > 0 && r->n_bad >= r->max_failures)
		return true;
	for (i = 0; i < r->n; i++)
		if (r->terms[r->x[i].terms].stop &&
		    counts_as_bad((enum exec_state)r->x[i].state))
			return true;
	return false;
}

/* What is not started is skipped; what was sent is taken back for it. */
void
run_halt(struct sched *s, struct run *r, const struct exec *by)
{
	struct exec *x;
	uint32_t i;

	if (r->halted)
		return;
	r->halted = true;
	r->halted_us = s->now_us;
	r->halted_by = exec_no(r, by);
	for (i = 0; i < r->n; i++) {
		x = exec_get(r, i + 1);
		if ((x->flags & X_WAIVED) != 0)
			continue;
		if (x->state == EXEC_WAITING)
			exec_final(s, r, x, EXEC_SKIPPED, REASON_HALTED);
		else if (x->state == EXEC_ASSIGNED)
			parcel_ask_back(s, x->parcel, NONE);
	}
}

/* Another try, if the budget allows. */
static void
again(struct sched *s, struct run *r, struct exec *x, enum exec_state state)
{
	const struct terms *t = &r->terms[x->terms];
	bool error = state == EXEC_ERROR;
	uint16_t *used = error ? &x->errors : &x->failures;

	if (*used < UINT16_MAX)
		++*used;
	if (*used > (error ? t->error_retries : t->retries) || r->halted ||
	    r->cancelled || (x->flags & X_CANCEL) != 0) {
		exec_final(s, r, x, state, REASON_NONE);
		return;
	}
	x->avoid = x->agent;
	x->flags |= X_RETRY;
	x->last = (uint8_t)state;
	exec_wait(s, r, x, t->retry_delay_us);
}

void
exec_outcome(struct sched *s, struct run *r, struct exec *x,
    enum outcome outcome)
{
	enum exec_state state = outcome_exec_state(outcome, 1);

	x->parcel = NONE;
	x->ended = x->attempt;
	switch (state) {
	case EXEC_PASSED:
		exec_final(s, r, x, x->failures + x->errors > 0 ?
		    EXEC_HEALED : EXEC_PASSED, REASON_NONE);
		break;
	case EXEC_FAILED:
	case EXEC_TIMEOUT:
	case EXEC_ERROR:
		again(s, r, x, state);
		break;
	case EXEC_CANCELLED:
		if ((x->flags & X_REQUEUE) != 0 && !r->cancelled) {
			x->avoid = x->agent;
			exec_wait(s, r, x, 0);
			break;
		}
		/* FALLTHROUGH */
	default:
		exec_final(s, r, x, state, REASON_NONE);
		break;
	}
}
