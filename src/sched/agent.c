/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Agents as placement sees them: facts, loads, and the sets of agents (bits)
 * that have room in each tier. agent_update() alone writes the derived parts.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "sched/sched_private.h"
#include "yardmaster/base/mem.h"

static uint64_t *
widen(uint64_t *bits, uint32_t old, uint32_t words)
{
	bits = mem_realloc(bits, words, sizeof(*bits));
	memset(bits + old, 0, (words - old) * sizeof(*bits));
	return bits;
}

static void
words_grow(struct sched *s, uint32_t words)
{
	uint64_t **const sets[] = { &s->usable, &s->idle, &s->below,
		&s->free_max, &s->room, &s->gained, &s->cand, &s->ahead,
		&s->hungry, &s->donors, &s->kept };
	size_t i;

	for (i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		*sets[i] = widen(*sets[i], s->n_words, words);
	reqs_widen(s, words);
	s->n_words = words;
}

void
agents_grow(struct sched *s, uint32_t n)
{
	struct agent *a;

	s->agents = mem_grow(s->agents, &s->cap_agents, n,
	    sizeof(*s->agents));
	if ((n + 63) / 64 > s->n_words)
		words_grow(s, (n + 63) / 64);
	for (; s->n_agents < n; s->n_agents++) {
		a = &s->agents[s->n_agents];
		*a = (struct agent){ .reserved = NONE, .first = NONE,
			.last = NONE, .down_us = s->now_us,
			.late_us = CLOCK_NEVER };
	}
}

void
agent_free(struct agent *a)
{
	uint32_t i;

	for (i = 0; i < a->n_pools; i++) {
		strvec_done(&a->pools[i].names);
		free(a->pools[i].holder);
		kept_done(&a->pools[i].kept);
	}
	free(a->pools);
	rations_free(a->rations, a->n_rations);
	strvec_done(&a->labels);
	strvec_done(&a->targets);
	free(a->name);
	free(a->guard);
	free(a->offline_text);
	free(a->draining_text);
	free(a->held_text);
	free(a->benched_text);
	free(a->held_targets);
}

bool
agent_usable(const struct agent *a)
{
	return a->known && !a->gone && a->up && !a->draining && !a->held &&
	    !agent_benched(a) && a->guard == NULL;
}

bool
agent_benched(const struct agent *a)
{
	return a->benched && (!a->probe || a->auto_load + a->pin_load > 0);
}

int64_t
agent_room(const struct agent *a, bool pinned)
{
	return (int64_t)(pinned ? a->max : a->threshold) - a->busy;
}

int64_t
agent_spare(const struct agent *a)
{
	if (!a->known || !a->up || a->held || a->draining)
		return 0;
	if (a->guard != NULL)	/* none of them starts */
		return (int64_t)a->n_unstarted - a->n_back;
	return (int64_t)a->queued - a->other_queued - a->n_back;
}

static uint32_t
least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t
less(uint32_t a, uint32_t b)
{
	return a > b ? a - b : 0;
}

/*
 * What the agent is expected to run: as much of its load as its values let
 * it, and at least what it reported. Pinned ones take what is left, so that
 * what was sent to a free worker is not counted out of it again.
 */
static void
predict_busy(struct agent *a)
{
	uint32_t pin, autos, n;

	n = less(less(a->threshold, a->other_busy), a->pin_run);
	autos = least(a->auto_load, n);
	if (autos < a->auto_run)
		autos = a->auto_run;
	n = less(less(a->max, a->other_busy), autos);
	pin = least(a->pin_load, n);
	if (pin < a->pin_run)
		pin = a->pin_run;
	a->busy = a->other_busy + pin + autos;
	a->queued = a->other_queued + less(a->pin_load, pin) +
	    less(a->auto_load, autos);
}

static uint32_t
prefetch_depth(const struct sched *s, const struct agent *a)
{
	int64_t typical = a->typical_us > 0 ? a->typical_us : s->typical_us;
	int64_t n;

	if (a->rtt_us <= 0 || a->threshold == 0)
		return 0;
	if (typical <= 0)
		typical = TYPICAL_US;
	if (a->rtt_us > typical * MAX_PREFETCH)
		return MAX_PREFETCH;
	n = (2 * (int64_t)a->threshold * a->rtt_us + typical - 1) / typical;
	return n < MAX_PREFETCH ? (uint32_t)n : MAX_PREFETCH;
}

void
gain_widen(struct sched *s, uint32_t from, uint32_t to)
{
	if (!s->any_gain || from < s->gain_from)
		s->gain_from = from;
	if (!s->any_gain || to > s->gain_to)
		s->gain_to = to;
	s->any_gain = true;
}

void
agent_gained(struct sched *s, uint32_t idx)
{
	s->gen++;
	s->group_gen++;
	bit_set(s->gained, idx, true);
	gain_widen(s, idx / 64, idx / 64 + 1);
	s->reassign = true;
}

/* One left or can do less: what avoided another agent for its sake may be due
 * there. */
static void
all_gained(struct sched *s)
{
	memcpy(s->gained, s->usable, s->n_words * sizeof(*s->gained));
	s->group_gen++;
	gain_widen(s, 0, s->n_words);
	s->reassign = true;
}

void
agent_open(struct sched *s, uint32_t idx, bool open)
{
	const struct agent *a = &s->agents[idx];

	bit_count(s->idle, &s->n_idle, idx, open && a->busy == 0 &&
	    a->threshold > 0);
	bit_count(s->below, &s->n_below, idx, open && a->busy < a->threshold);
	bit_count(s->free_max, &s->n_free_max, idx, open && a->busy < a->max);
}

/* The bits of an agent that is open to all, or none. */
static void
set_bits(struct sched *s, uint32_t idx, bool open)
{
	const struct agent *a = &s->agents[idx];

	agent_open(s, idx, open);
	bit_count(s->room, &s->n_room, idx, open && a->threshold > 0 &&
	    a->queued < a->depth);
	bit_set(s->hungry, idx, open && a->busy < a->threshold &&
	    a->queued == 0);
	bit_set(s->donors, idx, agent_spare(a) > 0);
	bit_set(s->kept, idx, a->reserved != NONE);
}

void
agent_update(struct sched *s, uint32_t idx)
{
	struct agent *a = &s->agents[idx];
	int64_t autos = a->room_auto, max = a->room_max;
	int64_t queue = a->room_queue;
	bool usable = agent_usable(a), was = bit_get(s->usable, idx);

	s->gen++;
	predict_busy(a);
	a->depth = prefetch_depth(s, a);
	a->room_auto = agent_room(a, false);
	a->room_max = agent_room(a, true);
	a->room_queue = (int64_t)a->depth - a->queued;
	bit_set(s->usable, idx, usable);
	s->fleet_gen += usable != was;
	set_bits(s, idx, usable && a->reserved == NONE);
	if (bit_get(s->donors, idx))
		s->reassign = true;
	if (was && !usable)
		all_gained(s);
	if (usable && !was) {
		a->open_us = s->now_us;
		late_watch_all(s, idx);
	}
	if (usable && (!was || a->room_auto > autos || a->room_max > max ||
	    a->room_queue > queue))
		agent_gained(s, idx);
}

static void
set_text(char **to, const char *text)
{
	if (*to != NULL && text != NULL && strcmp(*to, text) == 0)
		return;
	free(*to);
	*to = str_dup(text);
}

static void
set_texts(struct agent *a, const struct sched_agent *f)
{
	set_text(&a->name, f->name);
	set_text(&a->guard, f->guard);
	set_text(&a->offline_text, f->offline_text);
	set_text(&a->draining_text, f->draining_text);
	set_text(&a->held_text, f->held_text);
	set_text(&a->benched_text, f->benched_text);
	a->since_us = f->since_us;
}

static bool
set_list(struct strvec *to, const struct strvec *from)
{
	static const struct strvec empty = STRVEC_INIT;

	if (from == NULL)
		from = &empty;
	if (strvec_equal(to, from))
		return false;
	strvec_done(to);
	strvec_push_all(to, from);
	return true;
}

static struct pool *
pool_add(struct agent *a, uint32_t limit)
{
	uint32_t i;

	for (i = 0; i < a->n_pools; i++)
		if (a->pools[i].limit == limit)
			return &a->pools[i];
	a->pools = mem_realloc(a->pools, a->n_pools + 1, sizeof(*a->pools));
	a->pools[a->n_pools] = (struct pool){ .limit = limit };
	return &a->pools[a->n_pools++];
}

/* A target that limited nothing before now does: runs must know. */
static void
pool_seen(struct sched *s, struct limit *l)
{
	size_t i;

	if (l->pools)
		return;
	for (i = 0; i < s->n_limits; i++)
		if (s->limits[i]->base == l->index)
			s->limits[i]->pools = true;
	run_terms_lsets(s);
	reqs_eval(s);
}

/* Pools that are no longer named stay, empty. True when one has changed. */
static bool
set_pools(struct sched *s, struct agent *a, const struct sched_agent *f)
{
	struct strvec names;
	struct pool *p;
	uint32_t i, j;
	bool changed = false;

	for (i = 0; i < f->n_pools; i++)
		pool_add(a, limit_intern(s, LIMIT_TARGET,
		    f->pools[i].target, NULL, NULL));
	for (i = 0; i < a->n_pools; i++) {
		p = &a->pools[i];
		strvec_init(&names);
		for (j = 0; j < f->n_pools; j++)
			if (strcmp(f->pools[j].target,
			    s->limits[p->limit]->name) == 0)
				strvec_push_all(&names, f->pools[j].names);
		changed |= !strvec_equal(&names, &p->names);
		lease_names(&p->names, &p->holder, &p->kept, &names);
		if (p->names.n > 0)
			pool_seen(s, s->limits[p->limit]);
		limit_wake(s, p->limit);
	}
	return changed;
}

static void
set_numbers(struct sched *s, struct agent *a, const struct sched_agent *f)
{
	uint32_t threshold = least(f->threshold, f->max_workers);

	uint32_t speed = f->speed > 0 ? f->speed : a->told ||
	    a->speed == 0 ? 1000 : a->speed;

	if (f->max_workers < a->max || threshold < a->threshold)
		all_gained(s);
	s->fleet_gen += f->max_workers != a->max ||
	    threshold != a->threshold || speed != a->speed;
	a->max = f->max_workers;
	a->threshold = threshold;
	a->other_busy = f->other_busy;
	a->other_queued = f->other_queued;
	a->rtt_us = f->rtt_us;
	a->speed = speed;
	a->told = f->speed > 0;
}

static void
take_back_all(struct sched *s, uint32_t idx)
{
	uint32_t p, next;

	for (p = s->agents[idx].first; p != NONE; p = next) {
		next = s->parcels[p].next;
		parcel_ask_back(s, p, NONE);
	}
}

/* It became another one: what may not be there any more does not start. */
static void
take_back_astray(struct sched *s, uint32_t idx)
{
	uint32_t p, next;

	for (p = s->agents[idx].first; p != NONE; p = next) {
		next = s->parcels[p].next;
		if (parcel_is_astray(s, &s->parcels[p]))
			parcel_ask_back(s, p, NONE);
	}
}

void
sched_agent_set(struct sched *s, uint32_t idx, const struct sched_agent *f,
    int64_t now_us)
{
	struct agent *a;
	bool changed, gained, was_up, was_draining, was_benched;

	s->now_us = now_us;
	if (idx >= s->n_agents)
		agents_grow(s, idx + 1);
	a = &s->agents[idx];
	was_up = a->known && a->up;
	was_draining = a->draining;
	was_benched = a->benched;
	changed = !a->known || a->gone != f->gone;
	a->known = true;
	a->gone = f->gone;
	set_texts(a, f);
	changed |= set_list(&a->labels, f->labels);
	changed |= set_list(&a->targets, f->targets);
	changed |= set_pools(s, a, f);
	set_numbers(s, a, f);
	gained = rations_set(s, a, f);
	changed |= a->no_secrets != f->no_secrets;
	a->no_secrets = f->no_secrets;
	a->up = f->up;
	a->draining = f->draining;
	a->held = f->held;
	a->benched = f->benched;
	a->probe = f->probe;
	if (changed) {
		req_eval_agent(s, idx);
		all_gained(s);
		gained = true;
	}
	if (gained)
		agent_gained(s, idx);
	agent_update(s, idx);
	if (was_up && !a->up)
		lost_agent_down(s, idx);
	if (!was_up && a->up)
		events_agent_up(s, idx);
	if (a->up && ((a->draining && !was_draining) ||
	    (a->benched && !was_benched)))
		take_back_all(s, idx);
	else if (changed)
		take_back_astray(s, idx);
}

void
sched_agent_load(const struct sched *s, uint32_t idx, uint32_t *ret_busy,
    uint32_t *ret_queued)
{
	*ret_busy = idx < s->n_agents ? s->agents[idx].busy : 0;
	*ret_queued = idx < s->n_agents ? s->agents[idx].queued : 0;
}
