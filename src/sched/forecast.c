/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A copy of the scheduler is changed and played on in the simulator. */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sched/sim_private.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sched/forecast.h"

#define MAX_OPEN 20000
#define PLAYED 30000		/* open ones, over all plays */
#define MAX_ALL 2		/* times that, those that have ended too */
#define EQUAL 50		/* ends nearer than this part of what is left */
#define SURE_OF_TEN 9		/* plays that agree, to be sure of a sign */
#define MISS 0.3			/* of logarithms */
#define REDRAWS 16		/* of a length that is over already */
#define OVERDUE 8		/* this part of its length is left, at least */
#define HORIZON_US (INT64_C(400) * 86400 * US_PER_S)

struct forecasting {
	const struct sched *was;
	const struct forecast_opts *opts;
	uint32_t play;
	struct sim m;
	struct sim_run *runs;
	struct sched_run *specs;
	struct sim_agent *agents;
	void **owned;
	size_t n_owned;
};

static uint64_t
mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/*
 * What a length may be in a play, whose prediction misses it by MISS: the
 * longer ones among predictions are rather too long, the shorter ones too
 * short, by how far the lengths of the run lie apart. The sum of twelve even
 * chances is about normal. The same execution misses alike with and without a
 * change.
 */
static int64_t
missed(const struct run *r, int64_t us, uint32_t play, uint32_t no)
{
	uint64_t h = mix((uint64_t)play << 32 | r->handle) ^ no;
	double sum = -6, mean, apart, trust = 1;
	int i;

	if (play == 0)
		return us;
	for (i = 0; i < 12; i++) {
		h = mix(h);
		sum += (double)(h >> 11) / (double)(UINT64_C(1) << 53);
	}
	if (r->n_known < 2)
		return (int64_t)((double)us * exp(MISS * sum)) + 1;
	mean = (double)r->known_us / r->n_known;
	apart = log(r->known_sq / r->n_known / (mean * mean));
	trust = apart > MISS * MISS ? 1 - MISS * MISS / apart : 0;
	return (int64_t)exp(trust * log((double)us) + (1 - trust) *
	    (log(mean) - apart / 2) + MISS * sqrt(trust) * sum) + 1;
}

static int64_t
length_of(const struct forecasting *f, const struct run *r, uint32_t no)
{
	const struct exec *x = exec_get(r, no);

	if (f->opts->length_us != NULL)
		return f->opts->length_us(f->opts->length_arg, r->handle, no);
	return missed(r, x->estimate_us > 0 ? x->estimate_us :
	    run_typical_us(f->m.s, r), f->play, no);
}

static void *
own(struct forecasting *f, void *p)
{
	f->owned[f->n_owned++] = p;
	return p;
}

/* What the simulator asks of a spec: workers, lengths. */
static void
run_for_sim(struct forecasting *f, uint32_t handle)
{
	const struct run *r = f->m.s->runs[handle];
	struct sched_run *spec = &f->specs[handle];
	struct sched_exec *execs = own(f, mem_calloc(r->n, sizeof(*execs)));
	struct sched_terms *terms = own(f, mem_calloc(r->n_terms,
	    sizeof(*terms)));
	uint32_t *first = own(f, mem_calloc((size_t)r->n + 1,
	    sizeof(*first)));
	int64_t *us = own(f, mem_calloc(r->n, sizeof(*us)));
	const struct exec *x;
	uint32_t i;

	for (i = 0; i < r->n_terms; i++)
		terms[i].workers = r->terms[i].workers;
	for (i = 0; i < r->n; i++) {
		x = exec_get(r, i + 1);
		execs[i].terms = x->terms;
		execs[i].group = x->group == NONE ? 0 : 1;
		first[i + 1] = i + 1;
		us[i] = length_of(f, r, i + 1);
	}
	*spec = (struct sched_run){ .terms = terms, .n_terms = r->n_terms,
		.execs = execs, .n_execs = r->n };
	f->runs[handle] = (struct sim_run){ spec, us, first };
}

static void
hosts_for_sim(struct forecasting *f)
{
	const struct agent *a;
	struct sim_host *h;
	uint32_t i, k, taken;

	f->m.n_hosts = f->m.s->n_agents;
	f->agents = mem_calloc(f->m.n_hosts, sizeof(*f->agents));
	f->m.hosts = mem_calloc(f->m.n_hosts, sizeof(*f->m.hosts));
	for (i = 0; i < f->m.n_hosts; i++) {
		a = &f->m.s->agents[i];
		f->agents[i].facts = (struct sched_agent){
			.max_workers = a->max, .threshold = a->threshold,
			.rtt_us = a->rtt_us };
		h = &f->m.hosts[i];
		h->spec = &f->agents[i];
		h->speed = a->speed > 0 ? a->speed : 1000;
		h->slots = mem_calloc(a->max, sizeof(uint32_t));
		taken = a->other_busy < a->max ? a->other_busy : a->max;
		h->busy = taken;
		for (k = 0; k < taken; k++)
			h->slots[k] = UINT32_MAX;
	}
}

/* How long all of it takes there. */
static int64_t
all_us(const struct forecasting *f, const struct parcel *p)
{
	const struct run *r = f->m.s->runs[p->run];
	const struct sched_member *m = p->members != NULL ? p->members :
	    &p->one;
	uint32_t i, n = p->members != NULL ? p->n_members : 1;
	int64_t all = 0;

	for (i = 0; i < n; i++)
		if (m[i].attempt != 0)
			all += length_of(f, r, m[i].exec);
	if (f->m.hosts[p->agent].speed != 1000)
		all = (int64_t)((double)all * 1000 /
		    f->m.hosts[p->agent].speed);
	return f->m.opts->startup_us + all;
}

/* What is left of it, when it has run since then: of the ways to miss only
 * those are left in which it has not ended by now. */
static int64_t
left_us(struct forecasting *f, const struct parcel *p, int64_t ran_us)
{
	uint32_t play = f->play, tries;
	int64_t all = all_us(f, p), left = all - ran_us;

	for (tries = 0; play > 0 && left <= 0 && tries < REDRAWS; tries++) {
		f->play += FORECAST_PLAYS;
		all = all_us(f, p);
		left = all - ran_us;
	}
	f->play = play;
	if (left < all / OVERDUE &&
	    (left <= 0 || (play == 0 && f->opts->length_us == NULL)))
		left = all / OVERDUE;
	return left > 0 ? left : 1;
}

/* One that is out now, as the simulator knows those it sent itself. */
static void
out_for_sim(struct forecasting *f, const struct parcel *p, int64_t ran_us)
{
	struct sim *m = &f->m;
	struct sim_host *h = &m->hosts[p->agent];
	const struct sched_member *from = p->members != NULL ? p->members :
	    &p->one;
	uint32_t i, n = p->members != NULL ? p->n_members : 1;
	struct try *t;

	m->tries = mem_grow(m->tries, &m->cap_tries, m->n_tries + 1,
	    sizeof(*m->tries));
	t = &m->tries[m->n_tries++];
	*t = (struct try){ .id = { p->run, p->exec, p->attempt },
		.agent = p->agent, .workers = p->workers,
		.pinned = p->class != CLASS_AUTO, .tier = p->tier,
		.together = p->group != NONE,
		.members = mem_calloc(n, sizeof(*t->members)),
		.outcomes = mem_calloc(n, sizeof(*t->outcomes)),
		.took_us = mem_calloc(n, sizeof(*t->took_us)) };
	for (i = 0; i < n; i++)
		if (from[i].attempt != 0)
			t->members[t->n_members++] = from[i];
	for (i = 0; i < t->n_members; i++)
		t->outcomes[i] = OUTCOME_PASSED;
	if (p->state != P_RUNNING) {
		t->state = TRY_QUEUED;
		ids_push(&h->queue, (uint32_t)m->n_tries - 1);
		return;
	}
	t->state = TRY_RUNNING;
	t->worker = p->worker;
	t->start_us = m->now_us - ran_us;
	t->end_us = m->now_us + left_us(f, p, ran_us);
	for (i = 0; i < t->n_members; i++)
		t->took_us[i] = (t->end_us - t->start_us) / t->n_members;
	host_has(h, (uint32_t)m->n_tries - 1, t);
	sim_happen(m, t->end_us, ENDS, (uint32_t)m->n_tries - 1);
}

/* Where the old one has it as running, it has run for some time. */
static int64_t
ran_us(const struct forecasting *f, const struct parcel *p)
{
	uint32_t i = parcel_find(f->was, run_get(f->was, p->run), p->exec,
	    p->attempt);

	return i == NONE ? 0 : f->m.now_us - f->was->parcels[i].started_us;
}

static void
all_out(struct forecasting *f)
{
	const struct parcel *p;
	uint32_t i;

	for (i = 0; i < f->m.s->n_parcels; i++) {
		p = &f->m.s->parcels[i];
		if (p->state != P_FREE && p->state != P_LOST &&
		    p->agent != NONE && f->m.s->agents[p->agent].up)
			out_for_sim(f, p, ran_us(f, p));
	}
	for (i = 0; i < f->m.n_hosts; i++)
		queue_run(&f->m, &f->m.hosts[i]);
}

static void
note(struct forecasting *f, struct forecast_play *ret)
{
	const struct sim_row *row;
	struct forecast_run *to;
	const struct run *r;
	size_t i;

	ret->n_runs = f->m.s->n_runs;
	ret->runs = mem_calloc(ret->n_runs, sizeof(*ret->runs));
	for (i = 0; i < f->m.res->n_rows; i++) {
		row = &f->m.res->rows[i];
		if (row->start_us > f->opts->now_us + US_PER_S)
			continue;
		ret->starts = mem_grow(ret->starts, &ret->cap_starts,
		    ret->n_starts + 1, sizeof(*ret->starts));
		ret->starts[ret->n_starts++] = (struct forecast_start){
			row->run, row->exec };
	}
	for (i = 0; i < ret->n_runs; i++) {
		to = &ret->runs[i];
		to->end_us = f->opts->now_us;
		r = f->m.s->runs[i];
		if (r != NULL)
			to->never = r->n - counts_final(&r->counts);
	}
	for (i = 0; i < f->m.n_tries; i++) {
		to = &ret->runs[f->m.tries[i].id.run];
		if (f->m.tries[i].state == TRY_OVER &&
		    f->m.tries[i].end_us > to->end_us)
			to->end_us = f->m.tries[i].end_us;
	}
}

static void
done(struct forecasting *f)
{
	size_t i;

	for (i = 0; i < f->n_owned; i++)
		free(f->owned[i]);
	free(f->owned);
	free(f->runs);
	free(f->specs);
	free(f->agents);
	sim_result_done(f->m.res);
	sim_done(&f->m);
}

/* How many executions are open; more than max also when too many are there
 * at all. */
static uint32_t
open_of(const struct sched *s, uint32_t max)
{
	uint64_t open = 0, all = 0;
	size_t i;

	for (i = 0; i < s->n_runs; i++)
		if (s->runs[i] != NULL) {
			open += s->runs[i]->n_open;
			all += s->runs[i]->n;
		}
	return open > max || all > (uint64_t)max * MAX_ALL ? UINT32_MAX :
	    (uint32_t)open;
}

static bool
enough(void *arg)
{
	const struct forecasting *f = arg;

	return f->opts->enough != NULL &&
	    f->opts->enough(f->opts->enough_arg, f->play);
}

/* False when it was ended before its end. */
static bool
play_on(const struct sched *s, const struct forecast_opts *opts,
    uint32_t play, struct forecast_play *ret)
{
	struct sim_opts sim_opts = { .end_us = opts->now_us + HORIZON_US,
		.stop = enough };
	struct forecasting f = { .was = s, .opts = opts, .play = play };
	struct sim_result res = { NULL };
	size_t i, n = s->n_runs;
	bool whole;

	f.m.s = sched_copy(s, opts->now_us);
	if (opts->change != NULL)
		opts->change(opts->change_arg, f.m.s);
	sim_opts.stop_arg = &f;
	f.m.now_us = opts->now_us;
	f.m.res = &res;
	f.m.opts = &sim_opts;
	f.runs = mem_calloc(n, sizeof(*f.runs));
	f.specs = mem_calloc(n, sizeof(*f.specs));
	f.owned = mem_calloc(n * 4, sizeof(*f.owned));
	f.m.runs = f.runs;
	f.m.n_runs = (uint32_t)f.m.s->n_runs;
	for (i = 0; i < f.m.s->n_runs; i++) {
		if (f.m.s->runs[i] == NULL)
			continue;
		run_for_sim(&f, (uint32_t)i);
		if (f.m.s->runs[i]->start_cost_us > sim_opts.startup_us)
			sim_opts.startup_us = f.m.s->runs[i]->start_cost_us;
	}
	hosts_for_sim(&f);
	all_out(&f);
	whole = sim_play(&f.m);
	if (whole)
		note(&f, ret);
	done(&f);
	return whole;
}

static uint32_t
plays_for(const struct forecast_opts *opts, uint32_t open)
{
	uint32_t n = PLAYED / (open > 0 ? open : 1);

	if (opts->length_us != NULL || n == 0)
		return 1;
	return n < FORECAST_PLAYS ? n : FORECAST_PLAYS;
}

int
sched_forecast(const struct sched *s, const struct forecast_opts *opts,
    struct forecast *ret)
{
	uint32_t max = opts->max > 0 ? opts->max : MAX_OPEN;
	uint32_t open = open_of(s, max), n;

	if (open > max)
		return ERR_TOO_LARGE;
	memset(ret, 0, sizeof(*ret));
	n = plays_for(opts, open);
	while (ret->n_plays < n && play_on(s, opts, ret->n_plays,
	    &ret->plays[ret->n_plays]))
		ret->n_plays++;
	return ret->n_plays > 0 ? 0 : ERR_TIMEOUT;
}

void
forecast_done(struct forecast *f)
{
	uint32_t i;

	for (i = 0; i < f->n_plays; i++) {
		free(f->plays[i].starts);
		free(f->plays[i].runs);
	}
	memset(f, 0, sizeof(*f));
}

/* ---- comparing ---------------------------------------------------------------- */

static bool
begins(const struct forecast_play *f, const struct forecast_start *st)
{
	size_t i;

	for (i = 0; i < f->n_starts; i++)
		if (f->starts[i].run == st->run &&
		    f->starts[i].exec == st->exec)
			return true;
	return false;
}

static struct forecast_run
run_of(const struct forecast_play *f, uint32_t run, int64_t now_us)
{
	struct forecast_run all = { now_us, 0 };
	size_t i;

	for (i = 0; i < f->n_runs; i++) {
		if (run != SCHED_NONE && run != i)
			continue;
		all.never += f->runs[i].never;
		if (f->runs[i].end_us > all.end_us)
			all.end_us = f->runs[i].end_us;
	}
	return all;
}

static int
sign_of(const struct forecast_play *without, const struct forecast_play *with,
    uint32_t run, int64_t now_us)
{
	struct forecast_run a = run_of(without, run, now_us);
	struct forecast_run b = run_of(with, run, now_us);
	int64_t by = a.end_us - b.end_us, little = (a.end_us - now_us) / EQUAL;

	if (a.never != b.never)
		return a.never > b.never ? 1 : -1;
	return by > little ? 1 : by < -little ? -1 : 0;
}

void
forecast_effect(const struct forecast *without, const struct forecast *with,
    uint32_t run, int64_t now_us, struct effect *ret)
{
	const struct forecast_play *a = &without->plays[0];
	const struct forecast_play *b = &with->plays[0];
	uint32_t votes[3] = { 0 }, i, n;

	memset(ret, 0, sizeof(*ret));
	for (i = 0; i < b->n_starts; i++) {
		if (begins(a, &b->starts[i]))
			continue;
		if (ret->starts < 3)
			ret->first[ret->starts] = b->starts[i];
		ret->starts++;
	}
	ret->never = run_of(b, run, now_us).never;
	ret->never_without = run_of(a, run, now_us).never;
	ret->end_us = run_of(b, run, now_us).end_us;
	ret->end_without_us = run_of(a, run, now_us).end_us;
	for (i = 0; i < with->n_plays && i < without->n_plays; i++)
		votes[1 + sign_of(&without->plays[i], &with->plays[i], run,
		    now_us)]++;
	for (i = 0; i < 3; i++)
		if (votes[i] > votes[1 + ret->sign])
			ret->sign = (int)i - 1;
	for (i = 0, n = 0; i < 3; i++)
		n += votes[i];
	ret->sure = votes[1 + ret->sign] * 10 >= n * SURE_OF_TEN;
}
