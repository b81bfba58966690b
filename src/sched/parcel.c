/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Parcels: what one send put on one agent. A parcel holds, from the send to
 * its end, a place in the agent's load, its limits and its steps' places in
 * the table of steps; every one of these is given back in parcel_end().
 *
 *	sent -> queued -> running -> ended (freed), steps may be left out
 *	sent, queued -> returned (freed)
 *	any -> lost (a ghost) -> running again, or freed when the agent answers
 */
#include "config.h"

#include <stdlib.h>

#include "sched/sched_private.h"
#include "yardmaster/base/mem.h"

struct sched_member *
parcel_members(struct parcel *p, uint32_t *ret_n)
{
	*ret_n = p->members != NULL ? p->n_members : 1;
	return p->members != NULL ? p->members : &p->one;
}

bool
parcel_unknown(const struct sched *s, const struct parcel *p)
{
	return p->agent == NONE || p->unheard || !s->agents[p->agent].up;
}

static void
link_in(struct sched *s, uint32_t parcel)
{
	struct parcel *p = &s->parcels[parcel];
	struct agent *a = &s->agents[p->agent];

	p->prev = a->last;
	p->next = NONE;
	if (a->last != NONE)
		s->parcels[a->last].next = parcel;
	else
		a->first = parcel;
	a->last = parcel;
}

static void
link_out(struct sched *s, uint32_t parcel)
{
	struct parcel *p = &s->parcels[parcel];
	struct agent *a = &s->agents[p->agent];

	if (p->prev != NONE)
		s->parcels[p->prev].next = p->next;
	else
		a->first = p->next;
	if (p->next != NONE)
		s->parcels[p->next].prev = p->prev;
	else
		a->last = p->prev;
}

static void
count_load(struct agent *a, const struct parcel *p, int by)
{
	bool running = p->state == P_RUNNING;
	uint32_t n = (uint32_t)by * p->workers;

	if (p->class == CLASS_PINNED) {
		a->pin_load += n;
		a->pin_run += running ? n : 0;
	} else {
		a->auto_load += n;
		a->auto_run += running ? n : 0;
	}
	if (running)
		return;
	a->n_unstarted += (uint32_t)by;
	a->unstarted_us += by * p->estimate_us;
	a->n_back += p->back ? (uint32_t)by : 0;
}

void
parcel_load(struct sched *s, uint32_t parcel, bool on)
{
	struct parcel *p = &s->parcels[parcel];

	if (p->loaded == on || p->agent == NONE)
		return;
	p->loaded = on;
	count_load(&s->agents[p->agent], p, on ? 1 : -1);
	agent_update(s, p->agent);
	s->reassign = true;
}

void
parcel_back_over(struct sched *s, struct parcel *p)
{
	if (!p->back)
		return;
	p->back = p->late = false;
	if (p->to != NONE)
		s->agents[p->to].incoming -= p->workers;
	p->to = NONE;
	s->reassign = true;	/* it does not come: that worker is free */
	if (!p->loaded || p->state == P_RUNNING)
		return;
	s->agents[p->agent].n_back--;
	agent_update(s, p->agent);
}

void
parcel_state(struct sched *s, uint32_t parcel, enum parcel_state state)
{
	struct parcel *p = &s->parcels[parcel];
	struct run *r = run_get(s, p->run);
	bool loaded = p->loaded;

	if (state == P_RUNNING)
		parcel_back_over(s, p);
	if (loaded)
		count_load(&s->agents[p->agent], p, -1);
	if (r != NULL && p->state == P_RUNNING) {
		r->workers -= p->workers;
		left_running(s, p, false);
	}
	p->state = state;
	if (state == P_RUNNING)
		p->started_us = s->now_us;
	if (r != NULL && state == P_RUNNING) {
		r->workers += p->workers;
		left_running(s, p, true);
	}
	if (!loaded)
		return;
	count_load(&s->agents[p->agent], p, 1);
	agent_update(s, p->agent);
}

static void
steps_change(struct sched *s, struct parcel *p, int by)
{
	const struct run *r = s->runs[p->run];
	struct sched_member *m;
	uint32_t i, n;

	m = parcel_members(p, &n);
	for (i = 0; i < n; i++)
		beside_change(s, r, exec_get(r, m[i].exec), p->agent, by);
}

/* Whether it is one of those that max_parallel counts. */
static void
count_inflight(struct sched *s, struct parcel *p, bool on)
{
	struct run *r = s->runs[p->run];
	bool gated = deadline_gates(r);

	if (p->counted == on)
		return;
	p->counted = on;
	left_out(s, p, on);
	r->inflight_workers += on ? p->workers : -p->workers;
	if (on) {
		if (++r->inflight == r->max_parallel)
			r->full_us = s->now_us;
		return;
	}
	if (r->max_parallel > 0)
		s->group_gen++;	/* a group asks for several */
	if (r->inflight-- == r->max_parallel || (gated && !deadline_gates(r)))
		run_wake(s, r);
}

uint32_t
parcel_new(struct sched *s, const struct parcel *from, const char *instance)
{
	const struct sched_member *m;
	struct parcel *p;
	uint32_t i, k, n;

	if (s->free_parcels.n > 0) {
		i = s->free_parcels.v[--s->free_parcels.n];
	} else {
		i = (uint32_t)s->n_parcels++;
		s->parcels = mem_grow(s->parcels, &s->cap_parcels,
		    s->n_parcels, sizeof(*s->parcels));
	}
	p = &s->parcels[i];
	*p = *from;
	p->state = P_SENT;
	p->clock_us = s->now_us;
	m = parcel_members(p, &n);
	for (p->n_open = k = 0; k < n; k++)
		p->n_open += m[k].attempt != 0;
	if (p->agent != NONE)
		link_in(s, i);
	lset_take(s, i, instance);
	group_parcel(s, p->group, 1);
	steps_change(s, p, 1);
	count_inflight(s, p, true);
	parcel_load(s, i, true);
	if (from->state != P_SENT)
		parcel_state(s, i, from->state);
	return i;
}

static void
ghost_drop(struct sched *s, uint32_t parcel)
{
	size_t i;

	for (i = 0; i < s->ghosts.n && s->ghosts.v[i] != parcel; i++)
		;
	if (i == s->ghosts.n)
		return;
	for (s->ghosts.n--; i < s->ghosts.n; i++)
		s->ghosts.v[i] = s->ghosts.v[i + 1];
}

void
parcel_end(struct sched *s, uint32_t parcel)
{
	struct parcel *p = &s->parcels[parcel];

	parcel_back_over(s, p);
	count_inflight(s, p, false);
	if (p->state == P_RUNNING)
		parcel_state(s, parcel, P_LOST);
	lset_drop(s, parcel);
	group_parcel(s, p->group, -1);
	steps_change(s, p, -1);
	parcel_load(s, parcel, false);
	ghost_drop(s, parcel);
	if (p->agent != NONE) {
		link_out(s, parcel);
		agent_gained(s, p->agent);
	}
	free(p->members);
	*p = (struct parcel){ .state = P_FREE };
	ids_push(&s->free_parcels, parcel);
}

void
parcel_ghost(struct sched *s, uint32_t parcel)
{
	struct parcel *p = &s->parcels[parcel];
	const struct run *r = s->runs[p->run];
	struct sched_member *m;
	uint32_t i, n;

	m = parcel_members(p, &n);
	for (i = 0; i < n; i++)
		if (m[i].attempt != 0 &&
		    exec_get(r, m[i].exec)->parcel == parcel)
			exec_get(r, m[i].exec)->parcel = NONE;
	ids_push(&s->ghosts, parcel);
	count_inflight(s, p, false);
}

void
parcel_unghost(struct sched *s, uint32_t parcel)
{
	struct parcel *p = &s->parcels[parcel];
	const struct run *r = s->runs[p->run];
	struct sched_member *m;
	uint32_t i, n;

	ghost_drop(s, parcel);
	count_inflight(s, p, true);
	m = parcel_members(p, &n);
	for (i = 0; i < n; i++)
		if (m[i].attempt != 0)
			exec_get(r, m[i].exec)->parcel = parcel;
}

static struct sched_member *
member_of(struct parcel *p, uint32_t no)
{
	struct sched_member *m;
	uint32_t i, n;

	m = parcel_members(p, &n);
	for (i = 0; i < n; i++)
		if (m[i].exec == no)
			return &m[i];
	return NULL;
}

void
parcel_member_end(struct sched *s, uint32_t parcel, uint32_t no)
{
	struct parcel *p = &s->parcels[parcel];
	struct sched_member *m = member_of(p, no);
	struct exec *x = exec_get(s->runs[p->run], no);

	if (x->parcel == parcel)
		x->parcel = NONE;
	if (m == NULL || m->attempt == 0)
		return;
	m->attempt = 0;
	if (--p->n_open == 0)
		parcel_end(s, parcel);
}

uint32_t
parcel_find(const struct sched *s, const struct run *r, uint32_t no,
    uint32_t attempt)
{
	const struct exec *x = exec_get(r, no);
	const struct sched_member *m;
	struct parcel *p;
	size_t i;

	if (attempt == 0)
		return NONE;
	if (x->parcel != NONE && x->attempt == attempt)
		return x->parcel;
	for (i = 0; i < s->ghosts.n; i++) {
		p = &s->parcels[s->ghosts.v[i]];
		m = p->run == r->handle ? member_of(p, no) : NULL;
		if (m != NULL && m->attempt == attempt)
			return s->ghosts.v[i];
	}
	return NONE;
}

/* A member of a parcel that is being given up may have none any more. */
void
parcel_ask_back(struct sched *s, uint32_t parcel, uint32_t to)
{
	struct parcel *p;

	if (parcel == NONE)
		return;
	p = &s->parcels[parcel];
	if (p->back || (p->state != P_SENT && p->state != P_QUEUED) ||
	    p->cancel || p->stale || p->agent == NONE ||
	    !s->agents[p->agent].up)
		return;
	if (p->group != NONE && !s->groups[p->group]->back) {
		group_give_back(s, s->groups[p->group]);
		return;
	}
	p->back = true;
	p->to = to;
	s->agents[p->agent].n_back += p->loaded ? 1 : 0;
	agent_update(s, p->agent);
	if (to != NONE)
		s->agents[to].incoming += p->workers;
	decision_add(s, &(struct sched_decision){ .kind = SCHED_TAKE_BACK,
		.id = { p->run, p->exec, p->attempt }, .agent = p->agent,
		.other = to });
}

void
parcel_ask_cancel(struct sched *s, uint32_t parcel)
{
	struct parcel *p;

	if (parcel == NONE || s->parcels[parcel].cancel)
		return;
	p = &s->parcels[parcel];
	p->cancel = true;
	if (p->agent == NONE || !s->agents[p->agent].up)
		return;
	decision_add(s, &(struct sched_decision){ .kind = SCHED_CANCEL,
		.id = { p->run, p->exec, p->attempt }, .agent = p->agent,
		.other = NONE });
}
