/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looks at every invariant that sched.c lists; for tests. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "sched/sched_private.h"
#include "yardmaster/base/mem.h"

static bool
has_member(const struct parcel *p, uint32_t no)
{
	const struct sched_member *m = p->members != NULL ? p->members :
	    &p->one;
	uint32_t i, n = p->members != NULL ? p->n_members : 1;

	for (i = 0; i < n; i++)
		if (m[i].exec == no && m[i].attempt != 0)
			return true;
	return false;
}

static char *
check_waiting(const struct sched *s, const struct run *r,
    const struct exec *x)
{
	bool queued = (x->flags & (X_QUEUED | X_READY)) != 0;
	bool blocked = (x->flags & (X_DELAYED | X_NEEDS | X_HELD)) != 0;

	if (x->parcel != NONE)
		return str_fmt("%s/%u waits and is out", r->id,
		    exec_no(r, x));
	if (queued == blocked)
		return str_fmt("%s/%u waits %s (flags %x)", r->id,
		    exec_no(r, x), queued ? "twice" : "nowhere", x->flags);
	if (sched_headline(s, r->handle, exec_no(r, x), NULL) == REASON_NONE)
		return str_fmt("%s/%u waits without a reason", r->id,
		    exec_no(r, x));
	return NULL;
}

static char *
check_exec(const struct sched *s, const struct run *r, const struct exec *x)
{
	const struct parcel *p;
	bool out = x->state == EXEC_ASSIGNED || x->state == EXEC_RUNNING;

	if (x->state == EXEC_WAITING)
		return check_waiting(s, r, x);
	if ((x->flags & (X_QUEUED | X_READY)) != 0)
		return str_fmt("%s/%u is %s and in a queue", r->id,
		    exec_no(r, x), exec_state_name(x->state));
	if (out != (x->parcel != NONE))
		return str_fmt("%s/%u is %s, parcel %u", r->id,
		    exec_no(r, x), exec_state_name(x->state), x->parcel);
	if (!out)
		return NULL;
	p = &s->parcels[x->parcel];
	if (p->state == P_FREE || p->state == P_LOST || p->stale ||
	    p->run != r->handle || !has_member(p, exec_no(r, x)))
		return str_fmt("%s/%u has a parcel that is not its own",
		    r->id, exec_no(r, x));
	return NULL;
}

/* Parcels that some execution has as its own. */
static uint32_t
parcels_out(const struct sched *s, const struct run *r)
{
	const struct parcel *p;
	uint32_t i, n = 0;

	for (i = 0; i < s->n_parcels; i++) {
		p = &s->parcels[i];
		n += p->state != P_FREE && p->state != P_LOST && !p->stale &&
		    p->run == r->handle;
	}
	return n;
}

static char *
check_run(const struct sched *s, const struct run *r)
{
	struct counts c = { { 0 } };
	uint32_t i, queued = 0, in_classes = 0;
	char *text;
	size_t j;

	for (i = 0; i < r->n; i++) {
		c.n[r->x[i].state]++;
		queued += (r->x[i].flags & X_QUEUED) != 0;
		text = check_exec(s, r, &r->x[i]);
		if (text != NULL)
			return text;
	}
	for (j = 0; j < r->classes.n; j++)
		in_classes += s->classes[r->classes.v[j]]->n;
	if (memcmp(&c, &r->counts, sizeof(c)) != 0 ||
	    counts_total(&c) != r->n)
		return str_fmt("%s: the counts are wrong", r->id);
	if (r->n_open != r->n - counts_final(&c) || r->inflight != parcels_out(s, r))
		return str_fmt("%s: %u open, %u out", r->id, r->n_open,
		    r->inflight);
	if (queued != in_classes)
		return str_fmt("%s: %u queued, %u in classes", r->id, queued,
		    in_classes);
	return NULL;
}

/* Whoever a limit (or NONE) or an agent is reserved for knows of it. */
static bool
keeps(const struct sched *s, uint32_t who, uint32_t limit, uint32_t agent)
{
	const struct class *c;
	const struct group *g;
	uint32_t i;

	if ((who & GROUP_TAG) == 0) {
		c = s->classes[who];
		return c != NULL && (limit == NONE ? c->agent == agent :
		    c->reserves && lset_has(s->lsets[c->key.lset], limit));
	}
	g = s->groups[who & ~GROUP_TAG];
	if (g == NULL || limit != NONE)
		return g != NULL && g->keeps &&
		    lset_has(s->lsets[g->kept], limit);
	for (i = 0; i < g->n_reserved; i++)
		if (g->reserved[i] == agent)
			return true;
	return false;
}

static char *
check_agent(const struct sched *s, uint32_t idx)
{
	const struct agent *a = &s->agents[idx];
	uint32_t i, load = 0, run = 0, unstarted = 0, back = 0;
	const struct parcel *p;

	if (a->reserved != NONE && !keeps(s, a->reserved, NONE, idx))
		return str_fmt("%s is kept for nobody", a->name);
	for (i = a->first; i != NONE; i = p->next) {
		p = &s->parcels[i];
		if (p->agent != idx || p->state == P_FREE ||
		    p->loaded == (p->state == P_LOST))
			return str_fmt("%s has a strange parcel", a->name);
		load += p->loaded ? p->workers : 0;
		run += p->state == P_RUNNING ? p->workers : 0;
		unstarted += p->loaded && p->state != P_RUNNING;
		back += p->loaded && p->back;
	}
	if (load != a->auto_load + a->pin_load ||
	    run != a->auto_run + a->pin_run || unstarted != a->n_unstarted ||
	    back != a->n_back)
		return str_fmt("%s: load %u, running %u, unstarted %u, "
		    "asked back %u", a->name, load, run, unstarted, back);
	return NULL;
}

/* What one holder of a set takes of a limit. */
static void
lset_sum(const struct sched *s, uint32_t lset, uint32_t limit, bool targets,
    uint32_t sum[2])
{
	const struct lset *ls = s->lsets[lset];
	const struct use *u;
	uint32_t j;

	for (j = 0; j < ls->n; j++) {
		u = &ls->v[j];
		if (u->limit != limit)
			continue;
		if (s->limits[limit]->kind == LIMIT_LOCK) {
			sum[u->shared] += u->shared ? 1 : u->n;
		} else if (s->limits[limit]->kind == LIMIT_PAIR) {
			sum[0] += u->n & 1;
			sum[1] += u->n >> 1 & 1;
		} else {
			sum[0] += targets;
		}
	}
}

static void
limit_sum(const struct sched *s, uint32_t limit, uint32_t sum[2])
{
	const struct parcel *p;
	uint32_t i;

	sum[0] = sum[1] = 0;
	for (i = 0; i < s->n_parcels; i++) {
		p = &s->parcels[i];
		if (p->state != P_FREE && p->holds)
			lset_sum(s, p->lset, limit, p->holds_targets, sum);
	}
	for (i = 0; i < s->n_groups; i++)
		if (s->groups[i] != NULL && s->groups[i]->held != NONE)
			lset_sum(s, s->groups[i]->held, limit, false, sum);
}

static char *
check_limit(const struct sched *s, uint32_t limit)
{
	const struct limit *l = s->limits[limit];
	uint32_t sum[2];

	if (l->reserved != NONE && !keeps(s, l->reserved, limit, NONE))
		return str_fmt("limit %s is kept for nobody", l->name);
	limit_sum(s, limit, sum);
	if (sum[0] != l->used[0] || sum[1] != l->used[1])
		return str_fmt("limit %s: %u and %u used, not %u and %u",
		    l->name, sum[0], sum[1], l->used[0], l->used[1]);
	return NULL;
}

static bool
waits_for(const struct limit *l, uint32_t class)
{
	size_t i;

	for (i = 0; i < l->waiters.n; i++)
		if (l->waiters.v[i] == class)
			return true;
	return false;
}

static char *
check_class(const struct sched *s, const struct class *c)
{
	const struct lane *l = s->lanes[c->key.lane];
	size_t i;

	if (c->agent != NONE && s->agents[c->agent].reserved != c->index)
		return str_fmt("class %u keeps %s for nothing", c->index,
		    s->agents[c->agent].name);
	if (c->n == 0)
		return NULL;
	if (c->state == CLASS_LIMIT && !waits_for(s->limits[c->block],
	    c->index))
		return str_fmt("class %u waits unheard", c->index);
	if (c->state == CLASS_EMPTY)
		return str_fmt("class %u is not empty", c->index);
	for (i = 0; c->state == CLASS_AGENT && i < l->parked.n; i++)
		if (l->parked.v[i] == c->index)
			return NULL;
	if (c->state == CLASS_AGENT)
		return str_fmt("class %u is parked nowhere", c->index);
	return NULL;
}

/* All parts are out, or none that never was: partly only at the end of a
 * round. No two of the same round are on one agent. */
static char *
check_group(const struct sched *s, const struct group *g)
{
	const struct exec *x;
	const struct parcel *p;
	uint32_t i, k, ready = 0, out = 0;

	for (i = 0; i < g->n_reserved; i++)
		if (s->agents[g->reserved[i]].reserved != group_tag(g))
			return str_fmt("group %u keeps %s for nothing",
			    g->index, s->agents[g->reserved[i]].name);
	for (i = 0; i < g->n; i++) {
		x = group_part(s, g, i);
		ready += (x->flags & X_READY) != 0;
		out += x->parcel != NONE;
		p = x->parcel != NONE ? &s->parcels[x->parcel] : NULL;
		if (p != NULL && p->state == P_RUNNING && !g->gone)
			return str_fmt("group %u runs without a go",
			    g->index);
		for (k = 0; k < i && p != NULL && !g->same_agent; k++)
			if (group_part(s, g, k)->parcel != NONE &&
			    s->parcels[group_part(s, g, k)->parcel].agent ==
			    p->agent && p->agent != NONE)
				return str_fmt("group %u has two parts on %s",
				    g->index, s->agents[p->agent].name);
	}
	if (ready != g->n_ready || g->out != (out > 0) ||
	    (g->held != NONE) != (g->n_parcels > 0) || out > g->n_parcels)
		return str_fmt("group %u: %u ready, %u out, %u parcels",
		    g->index, ready, out, g->n_parcels);
	if (out == 0 && ready < g->n && ready > 0 && g->gone)
		return str_fmt("group %u is gone and waits", g->index);
	return NULL;
}

char *
sched_check(const struct sched *s)
{
	char *text = NULL;
	uint32_t i;

	for (i = 0; i < s->n_runs && text == NULL; i++)
		if (s->runs[i] != NULL)
			text = check_run(s, s->runs[i]);
	for (i = 0; i < s->n_agents && text == NULL; i++)
		text = check_agent(s, i);
	for (i = 0; i < s->n_limits && text == NULL; i++)
		text = check_limit(s, i);
	for (i = 0; i < s->n_classes && text == NULL; i++)
		if (s->classes[i] != NULL)
			text = check_class(s, s->classes[i]);
	for (i = 0; i < s->n_groups && text == NULL; i++)
		if (s->groups[i] != NULL)
			text = check_group(s, s->groups[i]);
	return text;
}

static uint64_t
class_bytes(const struct class *c)
{
	return sizeof(*c) + c->cap_base * sizeof(uint32_t) +
	    c->back.cap * sizeof(struct heap_key) +
	    c->aside.cap * sizeof(uint32_t);
}

static uint64_t
run_bytes(const struct run *r)
{
	uint64_t n = sizeof(*r);
	uint32_t i;

	n += (uint64_t)r->n * (sizeof(*r->x) + sizeof(*r->no) +
	    sizeof(*r->rank));
	n += r->n_keys * sizeof(uint64_t);
	n += (uint64_t)r->n_terms * sizeof(*r->terms);
	n += (uint64_t)r->n_nodes * sizeof(*r->nodes);
	for (i = 0; i < r->n_needsets; i++)
		n += sizeof(*r->needsets) + (r->needsets[i].n_execs +
		    r->needsets[i].n) * sizeof(uint32_t);
	return n;
}

uint64_t
sched_bytes(const struct sched *s)
{
	uint64_t n = sizeof(*s);
	size_t i;

	for (i = 0; i < s->n_runs; i++)
		n += s->runs[i] != NULL ? run_bytes(s->runs[i]) : 0;
	for (i = 0; i < s->n_classes; i++)
		n += s->classes[i] != NULL ? class_bytes(s->classes[i]) : 0;
	n += s->cap_parcels * sizeof(*s->parcels);
	n += s->cap_beside * sizeof(*s->beside);
	n += s->cap_agents * sizeof(*s->agents);
	n += (s->timers.cap + s->top.cap + s->passed.cap) *
	    sizeof(struct heap_key);
	n += s->cap_timer_args * sizeof(*s->timer_args);
	n += s->out.cap * sizeof(*s->out.v);
	return n;
}
