/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The simulator: made-up agents with slots and a queue, messages that take
 * half a round trip each way, and the real scheduler.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "sched/sched_private.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sched/sim.h"

#define END_US (INT64_C(10) * 365 * 86400 * US_PER_S)

enum what {
	AT_AGENT,		/* the send arrives */
	BACK_AT_AGENT,		/* the take-back arrives */
	CANCEL_AT_AGENT,
	ENDS,			/* on the agent */
	SAYS_QUEUED, SAYS_STARTED, SAYS_RETURNED, SAYS_KEPT, SAYS_ENDED,
};

struct happening {
	enum what what;
	uint32_t try;
	uint32_t agent, worker, exec;	/* the order within an instant */
	uint32_t seq;
};

enum try_state { TRY_SENT, TRY_QUEUED, TRY_RUNNING, TRY_OVER };

/* One attempt, or those of a batch. */
struct try {
	struct sched_id id;
	uint32_t agent, workers;
	bool pinned;
	enum tier tier;
	enum try_state state;
	uint16_t worker;
	struct sched_member *members;
	uint32_t n_members;
	enum outcome *outcomes;
	int64_t start_us, end_us;
};

struct sim_host {
	const struct sim_agent *spec;
	uint32_t speed;
	uint32_t *slots;	/* try + 1, 0: free */
	uint32_t busy, autos;
	struct ids queue;
};

struct sim {
	struct sched *s;
	const struct sim_run *runs;
	uint32_t n_runs, n_hosts;
	struct sim_host *hosts;
	const struct sim_opts *opts;
	struct heap times;	/* a: when; id: index in happenings */
	struct happening *happenings;
	size_t n_happenings, cap_happenings;
	struct ids free;
	struct try *tries;
	size_t n_tries, cap_tries;
	struct sim_result *res;
	size_t cap_rows, cap_steps;
	uint32_t seq;
	int64_t now_us;
};

static void
happen(struct sim *m, int64_t at_us, enum what what, uint32_t try)
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

static int64_t
half_trip(const struct sim *m, uint32_t agent)
{
	return m->hosts[agent].spec->facts.rtt_us / 2;
}

static void
say(struct sim *m, enum what what, uint32_t try)
{
	happen(m, m->now_us + half_trip(m, m->tries[try].agent), what, try);
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

	t->outcomes[member] = OUTCOME_PASSED;
	for (i = first; i < r->first_step[who->exec]; i++) {
		st = (struct sim_step){ .exec = who->exec, .step = i - first,
			.start_us = at_us, .outcome = OUTCOME_PASSED };
		at_us += scaled(r->step_us[i], m->hosts[t->agent].speed);
		st.end_us = at_us;
		if (fails(m, t->id.run, who, i - first))
			st.outcome = t->outcomes[member] = OUTCOME_FAILED;
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
		.attempt = t->id.attempt, .agent = t->agent,
		.worker = worker, .tier = t->tier, .start_us = m->now_us,
		.first_step = (uint32_t)res->n_steps };
	int64_t at_us = m->now_us + m->opts->startup_us;
	uint32_t i;

	t->state = TRY_RUNNING;
	t->worker = worker;
	t->start_us = m->now_us;
	for (i = 0; i < t->n_members; i++) {
		at_us = member_steps(m, t, i, at_us);
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
	happen(m, at_us, ENDS, try);
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
	begin(m, try, worker);
	return true;
}

static void
queue_drop(struct sim_host *h, size_t i)
{
	memmove(&h->queue.v[i], &h->queue.v[i + 1],
	    (h->queue.n - i - 1) * sizeof(*h->queue.v));
	h->queue.n--;
}

static void
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

static void
arrive(struct sim *m, uint32_t try)
{
	struct try *t = &m->tries[try];

	if (t->state != TRY_SENT || start(m, try))
		return;
	t->state = TRY_QUEUED;
	ids_push(&m->hosts[t->agent].queue, try);
	say(m, SAYS_QUEUED, try);
}

static void
give_back(struct sim *m, uint32_t try)
{
	struct try *t = &m->tries[try];
	struct sim_host *h = &m->hosts[t->agent];
	size_t i;

	if (t->state != TRY_QUEUED) {
		say(m, SAYS_KEPT, try);
		return;
	}
	for (i = 0; i < h->queue.n && h->queue.v[i] != try; i++)
		;
	queue_drop(h, i);
	t->state = TRY_OVER;
	say(m, SAYS_RETURNED, try);
}

static void
end(struct sim *m, uint32_t try)
{
	struct try *t = &m->tries[try];
	struct sim_host *h = &m->hosts[t->agent];
	uint32_t i;

	for (i = 0; i < h->spec->facts.max_workers; i++)
		if (h->slots[i] == try + 1)
			h->slots[i] = 0;
	h->busy -= t->workers;
	h->autos -= t->pinned ? 0 : t->workers;
	t->state = TRY_OVER;
	say(m, SAYS_ENDED, try);
	queue_run(m, h);
}

/* ---- the scheduler's side --------------------------------------------------------------- */

static void
hear_end(struct sim *m, const struct try *t)
{
	struct sched_id id = t->id;
	uint32_t i;

	for (i = 0; i < t->n_members; i++) {
		id.exec = t->members[i].exec;
		id.attempt = t->members[i].attempt;
		sched_ended(m->s, id, t->outcomes[i],
		    (t->end_us - t->start_us) / t->n_members, m->now_us);
	}
}

static void
apply(struct sim *m, const struct happening *h)
{
	struct try *t = &m->tries[h->try];

	switch (h->what) {
	case AT_AGENT:
		arrive(m, h->try);
		break;
	case BACK_AT_AGENT:
		give_back(m, h->try);
		break;
	case CANCEL_AT_AGENT:
		break;
	case ENDS:
		end(m, h->try);
		break;
	case SAYS_QUEUED:
		sched_accepted(m->s, t->id, m->now_us);
		break;
	case SAYS_STARTED:
		sched_started(m->s, t->id, t->worker, m->now_us);
		break;
	case SAYS_RETURNED:
		sched_returned(m->s, t->id, false, m->now_us);
		break;
	case SAYS_KEPT:
		sched_kept(m->s, t->id, m->now_us);
		break;
	case SAYS_ENDED:
		hear_end(m, t);
		break;
	}
}

static void
send(struct sim *m, const struct sched_decisions *out,
    const struct sched_decision *d)
{
	const struct sched_run *spec = m->runs[d->id.run].spec;
	uint32_t workers = spec->terms[spec->execs[d->id.exec - 1].terms].
	    workers;
	struct try *t;

	m->tries = mem_grow(m->tries, &m->cap_tries, m->n_tries + 1,
	    sizeof(*m->tries));
	t = &m->tries[m->n_tries++];
	*t = (struct try){ .id = d->id, .agent = d->agent,
		.workers = workers > 0 ? workers : 1,
		.pinned = d->class == CLASS_PINNED, .tier = d->tier,
		.n_members = d->n_members,
		.members = mem_dup(out->members + d->first_member,
		    d->n_members * sizeof(*t->members)),
		.outcomes = mem_calloc(d->n_members, sizeof(*t->outcomes)) };
	m->res->decisions++;
	happen(m, m->now_us + half_trip(m, d->agent), AT_AGENT,
	    (uint32_t)m->n_tries - 1);
}

static uint32_t
try_find(const struct sim *m, const struct sched_id *id)
{
	uint32_t i;

	for (i = (uint32_t)m->n_tries; i-- > 0;)
		if (m->tries[i].id.run == id->run &&
		    m->tries[i].id.exec == id->exec &&
		    m->tries[i].id.attempt == id->attempt)
			return i;
	return NONE;
}

static void
obey(struct sim *m, const struct sched_decisions *out)
{
	const struct sched_decision *d;
	uint32_t try;
	size_t i;

	for (i = 0; i < out->n; i++) {
		d = &out->v[i];
		if (d->kind == SCHED_SEND)
			send(m, out, d);
		if (d->kind != SCHED_TAKE_BACK && d->kind != SCHED_CANCEL)
			continue;
		try = try_find(m, &d->id);
		if (try != NONE)
			happen(m, m->now_us + half_trip(m, d->agent),
			    d->kind == SCHED_CANCEL ? CANCEL_AT_AGENT :
			    BACK_AT_AGENT, try);
	}
}

/* ---- the clock ---------------------------------------------------------------------------- */

static int
by_place(const void *pa, const void *pb)
{
	const struct happening *a = pa, *b = pb;

	if (a->agent != b->agent)
		return a->agent < b->agent ? -1 : 1;
	if (a->worker != b->worker)
		return a->worker < b->worker ? -1 : 1;
	if (a->exec != b->exec)
		return a->exec < b->exec ? -1 : 1;
	return a->seq < b->seq ? -1 : 1;
}

/* All that happens now and is known now, in order; more may follow. */
static void
instant(struct sim *m)
{
	struct happening *v = NULL;
	size_t i, n = 0, cap = 0;

	while (m->times.n > 0 && m->times.v[0].a <= (uint64_t)m->now_us) {
		v = mem_grow(v, &cap, n + 1, sizeof(*v));
		v[n++] = m->happenings[m->times.v[0].id];
		ids_push(&m->free, m->times.v[0].id);
		heap_pop(&m->times);
	}
	qsort(v, n, sizeof(*v), by_place);
	for (i = 0; i < n; i++)
		apply(m, &v[i]);
	free(v);
}

static bool
due(const struct sim *m)
{
	return m->times.n > 0 && m->times.v[0].a <= (uint64_t)m->now_us;
}

static bool
all_ended(const struct sim *m)
{
	uint32_t i;

	for (i = 0; i < m->n_runs; i++)
		if (!sched_run_ended(m->s, i))
			return false;
	return true;
}

static void
play(struct sim *m)
{
	struct sched_decisions out = { NULL };
	int64_t end_us = m->opts->end_us > 0 ? m->opts->end_us : END_US;
	int64_t next_us;

	do {
		do {
			while (due(m))
				instant(m);
			sched_decide(m->s, m->now_us, &out);
			obey(m, &out);
		} while (due(m));
		if (all_ended(m))
			break;
		next_us = sched_next_us(m->s);
		if (m->times.n > 0 && (int64_t)m->times.v[0].a < next_us)
			next_us = (int64_t)m->times.v[0].a;
		m->now_us = next_us > m->now_us ? next_us : m->now_us + 1;
	} while (next_us < end_us);
	sched_decisions_done(&out);
}

static void
hosts_make(struct sim *m, const struct sim_agent *agents)
{
	struct sched_agent facts;
	uint32_t i;

	m->hosts = mem_calloc(m->n_hosts, sizeof(*m->hosts));
	for (i = 0; i < m->n_hosts; i++) {
		m->hosts[i].spec = &agents[i];
		m->hosts[i].speed = agents[i].speed > 0 ? agents[i].speed :
		    agents[i].facts.speed > 0 ? agents[i].facts.speed : 1000;
		m->hosts[i].slots = mem_calloc(agents[i].facts.max_workers,
		    sizeof(uint32_t));
		facts = agents[i].facts;
		facts.up = true;
		sched_agent_set(m->s, i, &facts, 0);
	}
}

static int
by_start(const void *pa, const void *pb)
{
	const struct sim_row *a = pa, *b = pb;

	if (a->start_us != b->start_us)
		return a->start_us < b->start_us ? -1 : 1;
	if (a->agent != b->agent)
		return a->agent < b->agent ? -1 : 1;
	return a->worker < b->worker ? -1 : a->worker > b->worker;
}

static void
totals(struct sim *m, const struct sim_agent *agents)
{
	const struct sim_run *r;
	struct counts c;
	int64_t *length_us;
	uint32_t i, j, k, n = 0;

	for (i = 0; i < m->n_runs; i++)
		n += m->runs[i].spec->n_execs;
	length_us = mem_calloc(n, sizeof(*length_us));
	for (i = 0, n = 0; i < m->n_runs; i++) {
		r = &m->runs[i];
		c = sched_counts(m->s, i);
		for (j = 0; j < EXEC_STATES; j++)
			m->res->counts.n[j] += c.n[j];
		for (j = 0; j < r->spec->n_execs; j++, n++)
			for (k = r->first_step[j]; k < r->first_step[j + 1];
			    k++)
				length_us[n] += r->step_us[k];
	}
	m->res->bound_us = sim_bound_us(agents, m->n_hosts, length_us, n,
	    m->opts->startup_us);
	free(length_us);
	qsort(m->res->rows, m->res->n_rows, sizeof(*m->res->rows), by_start);
}

static void
sim_done(struct sim *m)
{
	size_t i;

	for (i = 0; i < m->n_tries; i++) {
		free(m->tries[i].members);
		free(m->tries[i].outcomes);
	}
	for (i = 0; m->hosts != NULL && i < m->n_hosts; i++) {
		free(m->hosts[i].slots);
		ids_done(&m->hosts[i].queue);
	}
	free(m->tries);
	free(m->hosts);
	free(m->happenings);
	heap_done(&m->times);
	ids_done(&m->free);
	sched_free(m->s);
}

int
sim_run(const struct sim_agent *agents, uint32_t n_agents,
    const struct sim_run *runs, uint32_t n_runs, const struct sim_opts *opts,
    struct sim_result *ret)
{
	struct sim m = { .runs = runs, .n_runs = n_runs,
		.n_hosts = n_agents, .opts = opts };
	struct sim_result res = { NULL };
	uint32_t i, handle;
	int err = 0;

	m.s = sched_new();
	m.res = &res;
	hosts_make(&m, agents);
	for (i = 0; i < n_runs && err == 0; i++)
		err = sched_run_add(m.s, runs[i].spec, 0, &handle);
	if (err == 0) {
		play(&m);
		totals(&m, agents);
		*ret = res;
	}
	sim_done(&m);
	return err;
}

void
sim_result_done(struct sim_result *r)
{
	free(r->rows);
	free(r->steps);
	memset(r, 0, sizeof(*r));
}

int64_t
sim_bound_us(const struct sim_agent *agents, uint32_t n_agents,
    const int64_t *length_us, uint32_t n, int64_t startup_us)
{
	double sum = 0, longest = 0, power = 0, fastest = 0, speed, a, b;
	const struct sched_agent *f;
	uint32_t i, workers;

	for (i = 0; i < n; i++) {
		sum += (double)length_us[i];
		if ((double)length_us[i] > longest)
			longest = (double)length_us[i];
	}
	for (i = 0; i < n_agents; i++) {
		f = &agents[i].facts;
		speed = (agents[i].speed > 0 ? agents[i].speed :
		    f->speed > 0 ? f->speed : 1000) / 1000.0;
		workers = f->threshold < f->max_workers ? f->threshold :
		    f->max_workers;
		power += workers * speed;
		if (workers > 0 && speed > fastest)
			fastest = speed;
	}
	if (power <= 0 || n == 0)
		return 0;
	a = sum / power + (double)startup_us;
	b = longest / fastest + (double)startup_us;
	return (int64_t)(a > b ? a : b);
}
