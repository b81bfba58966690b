/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an earlier daemon left: rows of the journal, result files, workers
 * that still run.
 *
 *	journal   lock of its   result   becomes
 *	says      worker        file
 *	queued    any           any      in line again: it never ran
 *	running   any           there    ended, as the file says
 *	running   held          not      adopted: the worker is connected to
 *	running   free          not      in line again when its worker noted that
 *	                                 it began another; else lost, outcome
 *	                                 unknown
 *	ended     any           any      kept until it is acknowledged; nothing
 *	                                 else is looked at
 *
 * The lock is looked at before the file: a worker that ends in between has
 * written its file first. After a boot of the host no lock counts.
 */
#include "config.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/begun.h"
#include "agent/console.h"
#include "agent/output.h"
#include "agent/prepare.h"
#include "agent/result_file.h"
#include "agent/takes.h"
#include "agent/tree.h"
#include "agent/wire.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/log.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/proc.h"

#define REACH_TRIES 250
#define REACH_WAIT_MS 20

enum recovery
recover_decide(enum attempt_state state, bool same_boot, bool result_there,
    bool lock_held, bool began)
{
	if (state == ATTEMPT_QUEUED)
		return RECOVER_QUEUE;
	if (state != ATTEMPT_RUNNING && state != ATTEMPT_ENDING)
		return RECOVER_KEEP;
	if (result_there)
		return RECOVER_RESULT;
	if (!same_boot)
		return RECOVER_LOST;
	if (lock_held)
		return RECOVER_ADOPT;
	return began ? RECOVER_LOST : RECOVER_QUEUE;
}

static int
load_run(void *arg, const char *id, uint32_t epoch, const char *owner)
{
	struct daemon *d = arg;
	struct held_run *run;

	if (id == NULL || strlen(id) >= RUN_ID_SIZE)
		return ERR_STORE;
	run = queue_run(&d->queue, id);
	run->epoch = epoch;
	run->owner = str_dup(owner);
	return 0;
}

static int
read_work(struct daemon *d, struct attempt *a,
    const struct journal_attempt *row)
{
	struct jval *v = NULL;
	struct work work;
	int r;

	if (row->work == NULL)
		return 0;
	if ((r = jval_parse(&v, row->work, row->work_len)) == 0 &&
	    (r = work_read(v, &work)) == 0) {
		attempt_describe(&d->queue, a, &work);
		r = prep_join(d, a, &work);
		work_done(&work);
	}
	jval_free(v);
	a->work = mem_dup(row->work, row->work_len);
	a->work_len = row->work_len;
	return r;
}

/* Appends the record in the result file of a's worker when it is a's. */
static bool
read_result(const struct attempt *a, struct buf *record)
{
	char name[WORKER_NAME_SIZE], text[IDENT_TEXT];
	size_t n;

	snprintf(name, sizeof name, WORKER_RESULT, a->worker);
	if (a->worker == 0 || result_file_read(name, record) < 0)
		return false;
	n = strlen(ident_format(&a->id, text));
	return buf_len(record) > n && buf_str(record)[n] == ' ' &&
	    memcmp(buf_str(record), text, n) == 0;
}

static void
lose(struct daemon *d, struct attempt *a, bool same_boot)
{
	const char *why = "the host was started anew while it ran";

	if (same_boot) {
		why = "its worker died while no daemon was there";
		(void)tree_kill_orphans(a->worker, &a->id);
	}
	(void)output_claim(&a->id, a->worker);
	slots_release(d, a);
	turn_fail(d, a, ATTEMPT_LOST, OUTCOME_ERROR, why);
}

/* A worker that holds its lock and does not listen is about to do so, or to
 * give it up. 0 or a code. */
static int
reach(struct daemon *d, const struct attempt *a, const char *lock)
{
	int r, tries = REACH_TRIES;

	while ((r = slot_adopt(d, a->worker)) < 0 && tries-- > 0 &&
	    file_lock_held(lock))
		poll(NULL, 0, REACH_WAIT_MS);
	return r;
}

static void
adopt(struct daemon *d, struct attempt *a, const char *lock)
{
	struct buf record = BUF_INIT;
	int64_t ran = clock_wall_us() - a->started_wall_us;
	int r;

	/* Its exact start is not known any more; as people count it is, as
	 * far as their clock did not jump: it has run since the boot at most. */
	if (ran > clock_mono_us())
		ran = clock_mono_us();
	a->started_us = clock_mono_us() - (ran > 0 ? ran : 0);
	if ((r = reach(d, a, lock)) < 0) {
		log_warn("worker %u: %s", a->worker, err_text(r));
		if (read_result(a, &record))
			slot_record(d, buf_str(&record), buf_len(&record));
		else if (!begun(a->worker, &a->id))
			slot_put_back(d, a);
		else
			lose(d, a, true);
	}
	buf_done(&record);
}

static void
take(struct daemon *d, struct attempt *a, enum attempt_state state,
    bool same_boot)
{
	struct buf record = BUF_INIT;
	char name[WORKER_NAME_SIZE];
	bool held, there;

	a->state = state;
	snprintf(name, sizeof name, WORKER_LOCK, a->worker);
	held = a->worker > 0 && file_lock_held(name);
	there = read_result(a, &record);
	if (state != ATTEMPT_QUEUED && a->worker > 0)
		slots_take_one(d, a, a->worker);
	switch (recover_decide(state, same_boot, there, held,
	    a->worker == 0 || begun(a->worker, &a->id))) {
	case RECOVER_QUEUE:
		if (state == ATTEMPT_QUEUED)
			queue_enter(&d->queue, a);
		else
			slot_put_back(d, a);
		break;
	case RECOVER_RESULT:
		slot_record(d, buf_str(&record), buf_len(&record));
		break;
	case RECOVER_ADOPT:
		adopt(d, a, name);
		break;
	case RECOVER_LOST:
		lose(d, a, same_boot);
		break;
	case RECOVER_KEEP:
		break;
	}
	buf_done(&record);
}

static int
load_attempt(void *arg, const struct journal_attempt *row)
{
	struct daemon *d = arg;
	struct attempt *a = queue_add(&d->queue, &row->id);

	a->epoch = row->epoch;
	a->worker = row->worker;
	a->seq = row->seq;
	a->queued_wall_us = row->queued_wall_us;
	a->started_wall_us = row->started_wall_us;
	a->stored = true;
	if (row->seq > d->queue.next_seq)
		d->queue.next_seq = row->seq;
	if (row->result != NULL) {
		a->state = row->state;
		a->result = mem_dup(row->result, row->result_len);
		a->result_len = row->result_len;
		return 0;
	}
	if (read_work(d, a, row) < 0) {
		turn_fail(d, a, ATTEMPT_ENDED, OUTCOME_ERROR,
		    "its entry in the journal cannot be read");
		return 0;
	}
	take(d, a, row->state, strcmp(row->boot, proc_boot_id()) == 0);
	return 0;
}

/* The further workers that wide attempts keep busy. */
static void
widen(struct daemon *d)
{
	struct attempt *a, *next;
	uint32_t i, got;

	HASH_ITER(hh, d->queue.all, a, next) {
		if (a->result != NULL || a->worker == 0)
			continue;
		got = 1;
		for (i = 1; got < a->workers && i <= d->values.max_workers;
		    i++) {
			slots_reserve(d, i);
			if (!slot_is_free(d->slots[i - 1]))
				continue;
			slots_take_one(d, a, (uint16_t)i);
			got++;
		}
	}
}

int
recover(struct daemon *d)
{
	int r;

	preps_load(d);
	if ((r = journal_each_run(d->journal, load_run, d)) < 0 ||
	    (r = journal_each_attempt(d->journal, load_attempt, d)) < 0 ||
	    (r = takes_load(d)) < 0)
		return r;
	widen(d);
	if (!TAILQ_EMPTY(&d->due))
		loop_poke(d->loop);
	return 0;
}
