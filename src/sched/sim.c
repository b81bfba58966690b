/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The simulator: the made-up clock, messages that take half a round trip each
 * way, and the real scheduler. Its agents are in sim_host.c.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "sched/sim_private.h"
#include "yardmaster/base/mem.h"

#define END_US (INT64_C(10) * 365 * 86400 * US_PER_S)

/* ---- the scheduler's side --------------------------------------------------------------- */

/* Members of a batch say how long they took themselves; else the start of the
 * process is part of it. */
static void
hear_end(struct sim *m, const struct try *t)
{
	const struct sched_run *spec = m->runs[t->id.run].spec;
	bool batch = spec->terms[spec->execs[t->id.exec - 1].terms].batch != 0;
	struct sched_id id = t->id;
	uint32_t i;

	for (i = 0; i < t->n_members; i++) {
		id.exec = t->members[i].exec;
		id.attempt = t->members[i].attempt;
		sched_ended(m->s, id, t->outcomes[i], batch ? t->took_us[i] :
		    t->end_us - t->start_us, m->now_us);
	}
}

static void
apply(struct sim *m, const struct happening *h)
{
	struct try *t = &m->tries[h->try];

	switch (h->what) {
	case AT_AGENT:
		host_arrive(m, h->try);
		break;
	case BACK_AT_AGENT:
		host_give_back(m, h->try);
		break;
	case CANCEL_AT_AGENT:
		host_cancel(m, h->try);
		break;
	case GO_AT_AGENT:
		host_go(m, h->try);
		break;
	case ENDS:
		host_end(m, h->try);
		break;
	case SAYS_QUEUED:
		sched_accepted(m->s, t->id, m->now_us);
		break;
	case SAYS_PREPARED:
		sched_prepared(m->s, t->id, m->now_us);
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
		.pinned = d->class == CLASS_PINNED,
		.together = spec->execs[d->id.exec - 1].group > 0, .tier = d->tier,
		.n_members = d->n_members,
		.members = mem_dup(out->members + d->first_member,
		    d->n_members * sizeof(*t->members)),
		.outcomes = mem_calloc(d->n_members, sizeof(*t->outcomes)),
		.took_us = mem_calloc(d->n_members, sizeof(*t->took_us)) };
	m->res->decisions++;
	sim_happen(m, m->now_us + sim_half_trip(m, d->agent), AT_AGENT,
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
		if (d->kind != SCHED_TAKE_BACK && d->kind != SCHED_CANCEL &&
		    d->kind != SCHED_GO)
			continue;
		try = try_find(m, &d->id);
		if (try != NONE)
			sim_happen(m, m->now_us + sim_half_trip(m, d->agent),
			    d->kind == SCHED_CANCEL ? CANCEL_AT_AGENT :
			    d->kind == SCHED_GO ? GO_AT_AGENT :
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
		if (run_get(m->s, i) != NULL && !sched_run_ended(m->s, i))
			return false;
	return true;
}

/* When something may happen next; what asks is asked first, and once. */
static int64_t
next_instant(struct sim *m, bool *probed)
{
	int64_t next_us = sched_next_us(m->s), at_us = m->opts->probe_us;

	if (m->times.n > 0 && (int64_t)m->times.v[0].a < next_us)
		next_us = (int64_t)m->times.v[0].a;
	if (!*probed && m->now_us >= at_us) {
		m->opts->probe(m->opts->probe_arg, m->s, m->now_us);
		*probed = true;
	}
	return !*probed && at_us < next_us ? at_us : next_us;
}

static bool
stopped(const struct sim *m)
{
	return m->opts->stop != NULL && m->opts->stop(m->opts->stop_arg);
}

bool
sim_play(struct sim *m)
{
	struct sched_decisions out = { NULL };
	int64_t end_us = m->opts->end_us > 0 ? m->opts->end_us : END_US;
	bool probed = m->opts->probe_us <= 0;
	bool stop = false;
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
		next_us = next_instant(m, &probed);
		m->now_us = next_us > m->now_us ? next_us : m->now_us + 1;
	} while (next_us < end_us && !(stop = stopped(m)));
	sched_decisions_done(&out);
	return !stop;
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

/* How long all steps of one take, and on how many workers. */
static int64_t
whole_us(const struct sim_run *r, uint32_t exec, uint32_t *ret_width)
{
	const struct sched_run *spec = r->spec;
	uint32_t workers = spec->terms[spec->execs[exec].terms].workers;
	uint32_t i;
	int64_t us = 0;

	*ret_width = workers > 1 ? workers : 1;
	for (i = r->first_step[exec]; i < r->first_step[exec + 1]; i++)
		us += r->step_us[i];
	return us;
}

/* What waits for an instant ends no sooner than so long after it. */
static int64_t
bound_of_wait(const struct sim *m, const struct sim_agent *agents,
    int64_t not_before_us, int64_t length_us)
{
	return not_before_us == 0 ? 0 : not_before_us + sim_bound_us(agents,
	    m->n_hosts, &length_us, NULL, 1, m->opts->startup_us);
}

/* The bound is one of what ran: what never started takes no time. */
static void
totals(struct sim *m, const struct sim_agent *agents)
{
	const struct sim_run *r;
	struct counts c;
	int64_t *length_us, us, waits_us = 0;
	uint32_t i, j, *width, n = 0;

	for (i = 0; i < m->n_runs; i++)
		n += m->runs[i].spec->n_execs;
	length_us = mem_calloc(n, sizeof(*length_us));
	width = mem_calloc(n, sizeof(*width));
	for (i = 0, n = 0; i < m->n_runs; i++) {
		r = &m->runs[i];
		c = sched_counts(m->s, i);
		for (j = 0; j < EXEC_STATES; j++)
			m->res->counts.n[j] += c.n[j];
		for (j = 0; j < r->spec->n_execs; j++) {
			if (exec_get(m->s->runs[i], j + 1)->attempt == 0)
				continue;
			length_us[n] = whole_us(r, j, &width[n]);
			us = bound_of_wait(m, agents,
			    r->spec->execs[j].not_before_us, length_us[n++]);
			waits_us = us > waits_us ? us : waits_us;
		}
	}
	m->res->bound_us = sim_bound_us(agents, m->n_hosts, length_us, width,
	    n, m->opts->startup_us);
	if (waits_us > m->res->bound_us)
		m->res->bound_us = waits_us;
	free(length_us);
	free(width);
	if (m->res->n_rows > 0)
		qsort(m->res->rows, m->res->n_rows, sizeof(*m->res->rows),
		    by_start);
}

void
sim_done(struct sim *m)
{
	size_t i;

	for (i = 0; i < m->n_tries; i++) {
		free(m->tries[i].members);
		free(m->tries[i].outcomes);
		free(m->tries[i].took_us);
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
		(void)sim_play(&m);
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
    const int64_t *length_us, const uint32_t *width, uint32_t n,
    int64_t startup_us)
{
	double sum = 0, longest = 0, power = 0, fastest = 0, speed, a, b;
	const struct sched_agent *f;
	uint32_t i, workers;

	for (i = 0; i < n; i++) {
		sum += (double)length_us[i] * (width != NULL ? width[i] : 1);
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
