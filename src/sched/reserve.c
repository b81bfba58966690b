/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reservations: what is limited or wide and was passed often enough keeps
 * what it needs, all of its limits or one agent, until it goes. Limits are
 * reserved all together or not at all, and an agent only while the limits
 * are free, so that no two items wait for each other.
 */
#include "config.h"

#include "sched/sched_private.h"

static void
limits_keep(struct sched *s, struct class *c, uint32_t who)
{
	const struct lset *ls = s->lsets[c->key.lset];
	uint32_t i;

	for (i = 0; i < ls->n; i++)
		s->limits[ls->v[i].limit]->reserved = who;
	c->reserves = who != NONE;
	for (i = 0; who == NONE && i < ls->n; i++)
		limit_wake(s, ls->v[i].limit);
}

static void
agent_release(struct sched *s, struct class *c)
{
	uint32_t idx = c->agent;

	if (idx == NONE)
		return;
	c->agent = NONE;
	s->agents[idx].reserved = NONE;
	agent_update(s, idx);
	agent_gained(s, idx);
}

void
reserve_drop(struct sched *s, struct class *c)
{
	size_t i;

	if (c->reserves)
		limits_keep(s, c, NONE);
	agent_release(s, c);
	for (i = 0; i < s->reserving.n; i++)
		if (s->reserving.v[i] == c->index)
			s->reserving.v[i--] =
			    s->reserving.v[--s->reserving.n];
}

void
class_emptied(struct sched *s, struct class *c)
{
	c->waits = false;
	reserve_drop(s, c);
}

static bool
limits_keepable(const struct sched *s, const struct class *c)
{
	const struct lset *ls = s->lsets[c->key.lset];
	uint32_t i;

	for (i = 0; i < ls->n; i++)
		if (s->limits[ls->v[i].limit]->reserved != NONE)
			return false;
	return ls->n > 0;
}

/* The agent that is nearest to having room for it. */
static uint32_t
agent_nearest(const struct sched *s, const struct class *c)
{
	const struct lane *l = s->lanes[c->key.lane];
	const uint64_t *elig = s->reqs[l->key.req]->elig;
	const struct agent *a;
	uint32_t i, best = NONE;

	for (i = 0; i < s->n_agents; i++) {
		a = &s->agents[i];
		if (!bit_get(elig, i) || !bit_get(s->usable, i) ||
		    a->reserved != NONE || (l->key.pinned ? a->max :
		    a->threshold) < c->key.workers)
			continue;
		if (best == NONE || agent_room(a, l->key.pinned) >
		    agent_room(&s->agents[best], l->key.pinned))
			best = i;
	}
	return best;
}

static void
agent_keep(struct sched *s, struct class *c)
{
	uint32_t best = agent_nearest(s, c);

	if (best == NONE)
		return;
	c->agent = best;
	s->agents[best].reserved = c->index;
	agent_update(s, best);
}

void
reserve_look(struct sched *s, struct class *c)
{
	bool free;

	if (!c->waits || s->n_sent - c->block_sent < RESERVE_PASSES)
		return;
	free = lset_blocked(s, c->key.lset, c->index) == NONE;
	if (!free && !c->reserves && limits_keepable(s, c)) {
		limits_keep(s, c, c->index);
		ids_push(&s->reserving, c->index);
	}
	if (!free)
		agent_release(s, c);
	else if (c->key.workers > 1 && c->agent == NONE) {
		agent_keep(s, c);
		if (c->agent != NONE)
			ids_push(&s->reserving, c->index);
	}
}

void
reserve_due(struct sched *s, struct class *c)
{
	c->due_sent = s->n_sent + RESERVE_PASSES;
	heap_push(&s->passed, (struct heap_key){ .a = c->due_sent,
	    .id = c->index });
}

bool
reserve_passed(struct sched *s)
{
	size_t was = s->reserving.n;
	struct heap_key k;
	struct class *c;

	while (s->passed.n > 0 && s->passed.v[0].a <= s->n_sent) {
		k = s->passed.v[0];
		heap_pop(&s->passed);
		c = s->classes[k.id];
		if (c == NULL || !c->waits || c->due_sent != k.a)
			continue;
		if (!run_gated(s, s->runs[c->key.run]))
			reserve_look(s, c);
		reserve_due(s, c);
		return s->reserving.n > was;
	}
	return false;
}

static bool
is_over(const struct sched *s, uint32_t who)
{
	if (who == NONE)
		return false;
	if ((who & GROUP_TAG) != 0)
		return group_is_over(s, s->groups[who & ~GROUP_TAG]);
	return s->lanes[s->classes[who]->key.lane]->key.over;
}

bool
reserve_lets(const struct sched *s, uint32_t reserved, uint32_t who)
{
	return reserved == NONE || reserved == who || is_over(s, who);
}

void
reserve_open_all(struct sched *s, bool open)
{
	uint32_t i, at;
	uint64_t w;

	for (i = 0; i < s->n_words; i++)
		for (w = s->kept[i] & s->usable[i]; w != 0; w &= w - 1) {
			at = i * 64 + (uint32_t)__builtin_ctzll(w);
			agent_open(s, at, open);
		}
}

/* While its own class is placed, a reserved agent counts as any other. */
void
reserve_open(struct sched *s, const struct class *c, bool open)
{
	if (s->lanes[c->key.lane]->key.over)
		reserve_open_all(s, open);
	else if (c->agent != NONE)
		agent_open(s, c->agent, open && bit_get(s->usable, c->agent));
}

/* Nobody keeps what he may not use. */
bool
reserve_check(struct sched *s)
{
	struct class *c;
	bool dropped = false;
	size_t i;

	for (i = s->reserving.n; i > 0; i--) {
		if (i > s->reserving.n)
			continue;
		c = s->classes[s->reserving.v[i - 1]];
		if (!run_gated(s, s->runs[c->key.run]) && (c->agent == NONE ||
		    bit_get(s->usable, c->agent)))
			continue;
		reserve_drop(s, c);
		dropped = true;
	}
	return dropped;
}
