/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The simulator's agents: slots and a queue. A free worker takes the head of
 * the queue, and the lowest free slot is taken.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "sched/sim_private.h"
#include "yardmaster/base/mem.h"

void
sim_happen(struct sim *m, int64_t at_us, enum what what, uint32_t try)
{
	const struct try *t = &m->tries[try];
	uint32_t i;

	if (m->free.n > 0) {
		i = m->free.v[--m->free.n];
	} else {
		i = (uint32_t)m->n_happenings++;
		m->happenings = mem_grow(m->happenings, &m->cap_happenings,
		    m->n_happenings, sizeof(*m->happenings));
	}
	m->happenings[i] = (struct happening){ what, try, t->agent,
		t->worker, t->id.exec, m->seq++ };
	heap_push(&m->times, (struct heap_key){ .a = (uint64_t)at_us,
	    .id = i });
}

int64_t
sim_half_trip(const struct sim *m, uint32_t agent)
{
	return m->hosts[agent].spec->facts.rtt_us / 2;
}

static void
say(struct sim *m, enum what what, uint32_t try)
{
	sim_happen(m, m->now_us + sim_half_trip(m, m->tries[try].agent), what, try);
}

/* ---- one attempt ------------------------------------------------------------------- */

static uint64_t
mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static bool
fails(const struct sim *m, uint32_t run, const struct sched_member *who,
    uint32_t step)
{
	uint64_t h = mix(m->opts->seed);

	h = mix(h ^ ((uint64_t)run << 32 | who->exec));
	h = mix(h ^ ((uint64_t)who->attempt << 32 | step));
	return h % 1000000 < m->opts->fail_ppm;
}

static int64_t
scaled(int64_t us, uint32_t speed)
{
	return speed == 1000 ? us : (int64_t)((double)us * 1000 / speed);
}

/* Lays the steps of one member out from at_us; returns their end. */
static int64_t
member_steps(struct sim *m, struct try *t, uint32_t member, int64_t at_us)
{
	const struct sim_run *r = &m->runs[t->id.run];
	const struct sched_member *who = &t->members[member];
	struct sim_result *res = m->res;
	uint32_t i, first = r->first_step[who->exec - 1];
	struct sim_step st;
	bool over = false;

	t->outcomes[member] = OUTCOME_PASSED;
	for (i = first; i < r->first_step[who->exec] && !over; i++) {
		st = (struct sim_step){ .exec = who->exec, .step = i - first,
			.start_us = at_us, .outcome = OUTCOME_PASSED };
		at_us += scaled(r->step_us[i], m->hosts[t->agent].speed);
		st.end_us = at_us;
		if (fails(m, t->id.run, who, i - first))
			st.outcome = t->outcomes[member] = OUTCOME_FAILED;
		over = st.outcome == OUTCOME_FAILED && r->ends != NULL &&
		    r->ends[who->exec - 1];
		res->steps = mem_grow(res->steps, &m->cap_steps,
		    res->n_steps + 1, sizeof(*res->steps));
		res->steps[res->n_steps++] = st;
	}
	return at_us;
}

static void
begin(struct sim *m, uint32_t try, uint16_t worker)
{
	struct try *t = &m->tries[try];
	struct sim_result *res = m->res;
	struct sim_row row = { .run = t->id.run, .exec = t->id.exec,
		.attempt = t->id.attempt, .decision = try, .agent = t->agent,
		.worker = worker, .tier = t->tier, .start_us = m->now_us,
		.first_step = (uint32_t)res->n_steps };
	int64_t at_us = m->now_us + m->opts->startup_us, from_us;
	uint32_t i;

	t->state = TRY_RUNNING;
	t->worker = worker;
	t->start_us = m->now_us;
	for (i = 0; i < t->n_members; i++) {
		from_us = at_us;
		at_us = member_steps(m, t, i, at_us);
		t->took_us[i] = at_us - from_us;
		row.outcome = outcome_worst(row.outcome, t->outcomes[i]);
	}
	t->end_us = row.end_us = at_us;
	row.n_steps = (uint32_t)res->n_steps - row.first_step;
	res->rows = mem_grow(res->rows, &m->cap_rows, res->n_rows + 1,
	    sizeof(*res->rows));
	res->rows[res->n_rows++] = row;
	if (at_us > res->makespan_us)
		res->makespan_us = at_us;
	say(m, SAYS_STARTED, try);
	sim_happen(m, at_us, ENDS, try);
}

/* ---- one agent ---------------------------------------------------------------------- */

/* Takes the lowest free slots; the number of the first, or 0. */
static uint16_t
slots_take(struct sim_host *h, uint32_t try, uint32_t n)
{
	const struct sched_agent *f = &h->spec->facts;
	uint16_t first = 0;
	uint32_t i;

	if (h->busy + n > f->max_workers)
		return 0;
	for (i = 0; i < f->max_workers && n > 0; i++) {
		if (h->slots[i] != 0)
			continue;
		h->slots[i] = try + 1;
		h->busy++;
		first = first == 0 ? (uint16_t)(i + 1) : first;
		n--;
	}
	return first;
}

static bool
start(struct sim *m, uint32_t try)
{
	struct try *t = &m->tries[try];
	struct sim_host *h = &m->hosts[t->agent];
	uint16_t worker;

	if (!t->pinned && h->autos + t->workers > h->spec->facts.threshold)
		return false;
	worker = slots_take(h, try, t->workers);
	if (worker == 0)
		return false;
	h->autos += t->pinned ? 0 : t->workers;
	if (!t->together) {
		begin(m, try, worker);
		return true;
	}
	t->state = TRY_PREPARED;
	t->worker = worker;
	say(m, SAYS_PREPARED, try);
	return true;
}

void
host_go(struct sim *m, uint32_t try)
{
	if (m->tries[try].state == TRY_PREPARED)
		begin(m, try, m->tries[try].worker);
}

static void
slots_free(struct sim_host *h, const struct try *t, uint32_t try)
{
	uint32_t i;

	for (i = 0; i < h->spec->facts.max_workers; i++)
		if (h->slots[i] == try + 1)
			h->slots[i] = 0;
	h->busy -= t->workers;
	h->autos -= t->pinned ? 0 : t->workers;
}

static void
queue_drop(struct sim_host *h, size_t i)
{
	memmove(&h->queue.v[i], &h->queue.v[i + 1],
	    (h->queue.n - i - 1) * sizeof(*h->queue.v));
	h->queue.n--;
}

void
queue_run(struct sim *m, struct sim_host *h)
{
	size_t i = 0;

	while (i < h->queue.n) {
		if (start(m, h->queue.v[i]))
			queue_drop(h, i);
		else
			i++;
	}
}

void
host_arrive(struct sim *m, uint32_t try)
{
	struct try *t = &m->tries[try];

	if (t->state != TRY_SENT || start(m, try))
		return;
	t->state = TRY_QUEUED;
	ids_push(&m->hosts[t->agent].queue, try);
	say(m, SAYS_QUEUED, try);
}

void
host_give_back(struct sim *m, uint32_t try)
{
	struct try *t = &m->tries[try];
	struct sim_host *h = &m->hosts[t->agent];
	size_t i;

	if (t->state != TRY_QUEUED && t->state != TRY_PREPARED) {
		say(m, SAYS_KEPT, try);
		return;
	}
	for (i = 0; i < h->queue.n && h->queue.v[i] != try; i++)
		;
	if (t->state == TRY_QUEUED)
		queue_drop(h, i);
	else
		slots_free(h, t, try);
	t->state = TRY_OVER;
	say(m, SAYS_RETURNED, try);
	queue_run(m, h);
}

void
host_end(struct sim *m, uint32_t try)
{
	struct try *t = &m->tries[try];
	struct sim_host *h = &m->hosts[t->agent];

	if (t->state != TRY_RUNNING)
		return;		/* cancelled meanwhile */
	slots_free(h, t, try);
	t->state = TRY_OVER;
	say(m, SAYS_ENDED, try);
	queue_run(m, h);
}

void
host_cancel(struct sim *m, uint32_t try)
{
	struct try *t = &m->tries[try];
	struct sim_host *h = &m->hosts[t->agent];
	uint32_t i;
	size_t k;

	if (t->state == TRY_OVER)
		return;
	for (i = 0; i < t->n_members; i++)
		t->outcomes[i] = OUTCOME_CANCELLED;
	t->end_us = m->now_us;
	if (t->state == TRY_RUNNING) {
		host_end(m, try);
		return;
	}
	if (t->state == TRY_PREPARED)
		slots_free(h, t, try);
	for (k = 0; k < h->queue.n; k++)
		if (h->queue.v[k] == try) {
			queue_drop(h, k);
			break;
		}
	t->start_us = m->now_us;
	t->state = TRY_OVER;
	say(m, SAYS_ENDED, try);
}

void
host_has(struct sim_host *h, uint32_t try, const struct try *t)
{
	uint32_t i, n = t->workers;

	for (i = 0; i < h->spec->facts.max_workers && n > 0; i++)
		if (h->slots[i] == 0) {
			h->slots[i] = try + 1;
			n--;
		}
	h->busy += t->workers;
	h->autos += t->pinned ? 0 : t->workers;
}
