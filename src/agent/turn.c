/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The end of a turn of the loop: decide what starts, commit, then tell.
 *
 * 1. Nothing is told to a worker or promised to a console before the commit
 *    that holds it.
 * 2. A commit that fails leaves memory as it was but for the starts, which
 *    are taken back into the queue; everything due stays due and is tried
 *    again.
 * 3. An attempt's row and its place in memory change together: one that is to
 *    be forgotten is freed after the commit that drops it.
 *
 *	          accept_work()          dispatch()           slot_cancel()
 *	(console) ------------> queued ------------> running -------------> ending
 *	                          |   <------------   |                       |
 *	                          |    undo_starts()  |     turn_result()     |
 *	         turn_forget()    |  turn_fail()      +-----------+-----------+
 *	(gone) <------------------+----------------> ended, lost <+
 *	   ^                                              |
 *	   +----------------------------------------------+
 *	                 turn_forget() after ACK
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/console.h"
#include "agent/guard.h"
#include "agent/prepare.h"
#include "agent/ration.h"
#include "agent/reserve.h"
#include "agent/takes.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/log.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/model/work.h"
#include "yardmaster/sys/proc.h"

#define RETRY_US US_PER_S
#define FACTS_US (200 * US_PER_MS)
/* Commits are at least so far apart: what comes in close order shares one,
 * and one message. The first after a pause does not wait. */
#define COMMIT_GAP_US (3 * US_PER_MS)
/* So far apart are messages with reports, as long as workers have enough to
 * do: what was queued, began and ended meanwhile is told once. */
#define REPORT_GAP_US (15 * US_PER_MS)

void
turn_touch(struct daemon *d, struct attempt *a, unsigned due)
{
	a->due |= due;
	if (a->listed)
		return;
	a->listed = true;
	TAILQ_INSERT_TAIL(&d->due, a, in_turn);
}

/* It has its slots: its worker is told after the commit. */
static void
begin(struct daemon *d, struct attempt *a)
{
	a->state = ATTEMPT_RUNNING;
	a->unsent = true;
	a->started_wall_us = clock_wall_us();
	a->started_us = clock_mono_us();
	turn_touch(d, a, DUE_STORE | DUE_REPORT);
	turn_facts(d, false);
}

void
turn_unprepare(struct daemon *d, struct attempt *a)
{
	if (!a->prepared)
		return;
	a->prepared = false;
	slots_release(d, a);
	a->worker = 0;
	turn_facts(d, false);
}

void
turn_go(struct daemon *d, struct attempt *a)
{
	if (!attempt_waits(a)) {
		turn_touch(d, a, DUE_REPORT);
		return;
	}
	a->go = true;
	if (a->prepared) {
		a->prepared = false;
		begin(d, a);
	} else if (!a->in_line) {
		queue_enter(&d->queue, a);
	}
}

/* Who waits for one of them is told at once. */
static void
leave_targets(struct daemon *d, struct attempt *a)
{
	turn_facts(d, rations_limit(&d->queue, a));
	rations_leave(&d->queue, a);
}

void
turn_forget(struct daemon *d, struct attempt *a)
{
	turn_unprepare(d, a);
	if (attempt_waits(a))
		queue_leave(&d->queue, a);
	a->gone = true;
	leave_targets(d, a);
	turn_touch(d, a, DUE_STORE);
}

void
turn_facts(struct daemon *d, bool at_once)
{
	int64_t wait;

	if (d->facts_due)
		return;
	wait = d->facts_said_us + FACTS_US - loop_now_us(d->loop);
	if (at_once || wait <= 0)
		d->facts_due = true;
	else if (!timer_armed(d->facts_timer))
		timer_start(d->facts_timer, wait);
}

void
turn_result(struct daemon *d, struct attempt *a, enum attempt_state state,
    const char *json, size_t n)
{
	a->state = state;
	a->result = str_ndup(json, n);
	a->result_len = n;
	free(a->work);
	a->work = NULL;
	secrets_done(&a->secrets);
	turn_touch(d, a, DUE_STORE | DUE_REPORT);
	leave_targets(d, a);
	tails_ended(d, &a->id);
	prep_result(d, a);
}

/* The report as it is from what the daemon knows by itself. */
static void
describe(const struct attempt *a, struct report *ret)
{
	*ret = (struct report){
		.id = a->id, .epoch = a->epoch, .state = a->state,
		.worker = a->worker, .place = a->place,
		.prepared = a->prepared,
		.queued_wall_us = a->queued_wall_us,
		.started_wall_us = a->started_wall_us,
		.owner = a->owner, .label = a->label,
	};
	if (a->started_us > 0)
		ret->elapsed_us = clock_mono_us() - a->started_us;
}

void
turn_fail(struct daemon *d, struct attempt *a, enum attempt_state state,
    enum outcome outcome, const char *text)
{
	struct buf b = BUF_INIT;
	char *copy = str_dup(text);
	struct report r;
	struct jw w;

	describe(a, &r);
	r.state = state;
	r.outcome = outcome;
	r.text = copy;
	r.place = 0;
	r.ended_wall_us = clock_wall_us();
	jw_init(&w, &b);
	report_write(&w, &r);
	turn_result(d, a, state, buf_str(&b), buf_len(&b));
	free(copy);
	buf_done(&b);
}

void
turn_report(const struct attempt *a, struct buf *out)
{
	struct report r;
	struct jw w;

	if (a->result != NULL) {
		buf_put(out, a->result, a->result_len);
		return;
	}
	describe(a, &r);
	r.text = prep_text(a);
	jw_init(&w, out);
	report_write(&w, &r);
	free(r.text);
}

/* As many of a target as may run already. */
static bool
is_rationed(struct daemon *d, const struct attempt *a)
{
	uint32_t i, k, n, max, of;
	const struct attempt *b;

	for (i = 0; i < a->n_uses; i++) {
		if ((max = ration_max(&d->queue, a->uses[i].ration)) == 0)
			continue;
		for (k = n = 0; k < d->n_slots; k++) {
			b = d->slots[k]->attempt;
			if (b == NULL || b->worker != d->slots[k]->no)
				continue;
			for (of = 0; of < b->n_uses; of++)
				n += b->uses[of].ration == a->uses[i].ration;
		}
		if (n >= max)
			return true;
	}
	return false;
}

static bool
must_wait(void *arg, const struct attempt *a)
{
	struct daemon *d = arg;
	uint32_t i;

	for (i = 0; i < d->n_slots; i++)
		if (d->slots[i]->attempt != NULL &&
		    attempts_meet(a, d->slots[i]->attempt))
			return true;
	return is_rationed(d, a);
}

/* Without a driver it waits, in no line, for the next one. */
static void
give_back(struct daemon *d, struct attempt *a)
{
	struct link *l;

	LIST_FOREACH(l, &d->consoles->links, entry)
		if (l->serial == a->run->driver && !l->ended) {
			link_give_back(l, a);
			return;
		}
}

/* Starts in memory what may start: the workers are told after the commit. */
static void
dispatch(struct daemon *d)
{
	struct queue_limits l = {
		.max_workers = d->values.max_workers,
		.threshold = threshold_effective(&d->values.threshold,
		    d->values.max_workers),
		.stopped = d->values.draining.on || d->values.held.on ||
		    d->guard != NULL,
		.waits = must_wait, .arg = d,
	};
	uint32_t kept = takes_turn(d);
	struct attempt *a;

	if (d->store_failing)
		return;
	l.max_workers -= kept < l.max_workers ? kept : l.max_workers;
	for (;;) {
		l.busy = d->busy;
		l.auto_busy = d->auto_busy;
		if ((a = queue_next(&d->queue, &l)) == NULL)
			return;
		queue_leave(&d->queue, a);
		if (attempt_lacks(a)) {
			give_back(d, a);
			continue;
		}
		/* Nobody is there who could say go: it takes no slot. */
		if (a->together && !a->go && a->run->driver == 0)
			continue;
		slots_take(d, a);
		if (!a->together || a->go) {
			begin(d, a);
			continue;
		}
		a->prepared = true;
		turn_touch(d, a, DUE_REPORT);
		turn_facts(d, false);
	}
}

static void
undo_starts(struct daemon *d)
{
	struct attempt *a;

	TAILQ_FOREACH(a, &d->due, in_turn) {
		if (!a->unsent)
			continue;
		slots_release(d, a);
		a->unsent = false;
		a->worker = 0;
		a->started_wall_us = a->started_us = 0;
		queue_enter(&d->queue, a);
	}
}

static int
store_attempt(struct daemon *d, struct attempt *a)
{
	struct journal_attempt row = {
		.id = a->id, .epoch = a->epoch, .state = a->state,
		.worker = attempt_waits(a) ? 0 : a->worker, .seq = a->seq,
		.queued_wall_us = a->queued_wall_us,
		.started_wall_us = a->started_wall_us,
		.boot = a->worker > 0 && !attempt_waits(a) ?
		    proc_boot_id() : "",
		.work = a->work, .work_len = a->work_len,
		.result = a->result, .result_len = a->result_len,
	};

	if (a->gone)
		return a->stored ? journal_drop_attempt(d->journal, &a->id) :
		    0;
	return a->stored ? journal_set_attempt(d->journal, &row) :
	    journal_add_attempt(d->journal, &row);
}

static int
store_runs(struct daemon *d)
{
	struct held_run *run, *next;
	int r = 0;

	HASH_ITER(hh, d->queue.runs, run, next)
		if (run->dirty && (r = journal_put_run(d->journal, run->id,
		    run->epoch, run->owner)) < 0)
			break;
	return r;
}

static int
store_edits(struct daemon *d)
{
	const char *tab;
	char *who;
	size_t i;
	int r = 0;

	for (i = 0; i < d->edits.n && r == 0; i++) {
		tab = strchr(d->edits.v[i], '\t');
		who = str_ndup(d->edits.v[i], (size_t)(tab - d->edits.v[i]));
		r = journal_add_edit(d->journal, clock_wall_us(), who,
		    tab + 1);
		free(who);
	}
	return r;
}

static bool
store_due(const struct daemon *d)
{
	const struct attempt *a;

	if (d->runs_dirty || d->values.dirty || takes_dirty(d->takes) ||
	    d->edits.n > 0)
		return true;
	TAILQ_FOREACH(a, &d->due, in_turn)
		if (a->due & DUE_STORE)
			return true;
	return false;
}

static int
store_all(struct daemon *d)
{
	struct attempt *a;
	int r;

	if ((r = journal_begin(d->journal)) < 0)
		return r;
	TAILQ_FOREACH(a, &d->due, in_turn)
		if ((a->due & DUE_STORE) != 0 && (r = store_attempt(d, a)) < 0)
			return r;
	if (d->runs_dirty && (r = store_runs(d)) < 0)
		return r;
	if (d->values.dirty && (r = values_store(&d->values, d->journal)) < 0)
		return r;
	if ((takes_dirty(d->takes) && (r = takes_store(d)) < 0) ||
	    (r = store_edits(d)) < 0)
		return r;
	return journal_commit(d->journal);
}

/* What follows from a commit. */
static void
stored(struct daemon *d)
{
	struct held_run *run, *next;
	struct attempt *a;

	TAILQ_FOREACH(a, &d->due, in_turn)
		if ((a->due & DUE_STORE) != 0) {
			a->due &= ~(unsigned)DUE_STORE;
			a->stored = true;
		}
	if (d->runs_dirty)
		HASH_ITER(hh, d->queue.runs, run, next)
			run->dirty = false;
	d->runs_dirty = d->values.dirty = false;
	takes_stored(d->takes);
	strvec_done(&d->edits);
	if (d->store_failing) {
		log_warn("the journal can be written again");
		d->store_failing = false;
		guard_check(d);
		turn_facts(d, true);
	}
}

static int
commit(struct daemon *d)
{
	int r;

	if (!store_due(d))
		return 0;
	r = store_all(d);
	if (r == -ENOSPC && reserve_spend()) {
		journal_rollback(d->journal);
		log_warn("the disk is full: uses its reserve");
		r = store_all(d);
	}
	if (r == 0) {
		stored(d);
		return 0;
	}
	if (!d->store_failing)
		log_error("journal: %s: %s", err_text(r),
		    journal_fault(d->journal));
	d->store_failing = true;
	guard_check(d);
	journal_rollback(d->journal);
	undo_starts(d);
	turn_facts(d, true);
	timer_start(d->retry_timer, RETRY_US);
	return r;
}

static void
say_report(struct daemon *d, const struct attempt *a)
{
	struct buf b = BUF_INIT;
	size_t i;

	if (prep_is_own(&a->id))
		return;
	d->reported_us = loop_now_us(d->loop);
	if (a->run->n_watchers > 0)
		turn_report(a, &b);
	for (i = 0; i < a->run->n_watchers; i++)
		link_report(a->run->watchers[i], buf_str(&b), buf_len(&b));
	buf_done(&b);
}

/* Whether reports wait for more of them: nobody's next work depends on it. */
static bool
hold_reports(struct daemon *d)
{
	int64_t wait = d->reported_us + REPORT_GAP_US - loop_now_us(d->loop);

	if (wait <= 0 || d->queue.n == 0)
		return false;
	if (!timer_armed(d->report_timer))
		timer_start(d->report_timer, wait);
	return true;
}

/* Tells what the commit allowed; what comes up meanwhile is for the next
 * turn. */
static void
tell(struct daemon *d)
{
	struct attempts now = TAILQ_HEAD_INITIALIZER(now);
	bool hold = hold_reports(d);
	struct attempt *a;

	TAILQ_CONCAT(&now, &d->due, in_turn);
	while ((a = TAILQ_FIRST(&now)) != NULL) {
		TAILQ_REMOVE(&now, a, in_turn);
		a->listed = false;
		if (a->gone) {
			queue_drop(&d->queue, a);
			continue;
		}
		if (a->unsent) {
			slot_send(d, a);
			tails_started(d, &a->id);
		}
		if (a->listed)	/* it failed at once: not committed yet */
			continue;
		if (hold && (a->due & DUE_REPORT) != 0) {
			turn_touch(d, a, DUE_REPORT);
			continue;
		}
		if ((a->due & DUE_REPORT) != 0)
			say_report(d, a);
		a->due = 0;
	}
}

/* For the idle exit: there is something to do, or was until this turn. */
static void
note_busy(struct daemon *d)
{
	bool busy = d->queue.all != NULL || d->consoles->n > 0 ||
	    !LIST_EMPTY(&d->preps) || takes_any(d->takes);

	if (busy || d->was_busy)
		d->busy_us = loop_now_us(d->loop);
	d->was_busy = busy;
}

/* True when a commit is due and the last one was just made. An edit does not
 * wait: its answer leaves with this turn. */
static bool
too_soon(struct daemon *d)
{
	int64_t wait = d->committed_us + COMMIT_GAP_US - loop_now_us(d->loop);

	if (wait <= 0 || !store_due(d) || d->values.dirty || d->edits.n > 0)
		return false;
	if (!timer_armed(d->commit_timer))
		timer_start(d->commit_timer, wait);
	return true;
}

/* Decides, commits, tells. */
static void
work_off(struct daemon *d)
{
	preps_turn(d);
	dispatch(d);
	if (store_due(d))
		d->committed_us = loop_now_us(d->loop);
	if (commit(d) < 0)
		return;
	tell(d);
	consoles_flush(d);
	if (store_due(d))
		loop_poke(d->loop);
}

void
turn_end(void *arg)
{
	struct daemon *d = arg;

	if (!too_soon(d))
		work_off(d);
	consoles_reap(d);
	if (d->facts_due) {
		d->facts_due = false;
		d->facts_said_us = loop_now_us(d->loop);
		timer_stop(d->facts_timer);
		consoles_facts(d);
	}
	note_busy(d);
}
