/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Why no agent takes an execution. Agents are removed one stage after the
 * other; the stage that removed the last one gives the headline, and each
 * stage that removed some is a blocker of its own.
 */
#include "config.h"

#include <stdlib.h>

#include "sched/why_private.h"
#include "yardmaster/base/buf.h"
#include "yardmaster/base/mem.h"

enum stage {
	STAGE_NEVER, STAGE_REQ, STAGE_OFFLINE, STAGE_DRAINING, STAGE_HELD,
	STAGE_BENCHED, STAGE_GUARD, STAGE_THRESHOLD, STAGE_BUSY, STAGE_WIDE,
	STAGE_AVOIDED, STAGE_RESERVED, STAGE_TARGET, STAGE_BESIDE,
	STAGE_FREE,
	STAGES
};

static const struct {
	enum reason code;
	const char *words;
} stages[STAGES] = {
	[STAGE_OFFLINE] = { REASON_AGENTS_OFFLINE, "offline" },
	[STAGE_DRAINING] = { REASON_AGENTS_DRAINING, "drained" },
	[STAGE_HELD] = { REASON_AGENTS_HELD, "held" },
	[STAGE_BENCHED] = { REASON_AGENTS_BENCHED, "benched" },
	[STAGE_GUARD] = { REASON_GUARD, "past a guard" },
	[STAGE_THRESHOLD] = { REASON_THRESHOLD, "at their threshold" },
	[STAGE_BUSY] = { REASON_WORKERS_BUSY, "full" },
	[STAGE_WIDE] = { REASON_WORKERS_BUSY, "with too few free workers" },
	[STAGE_AVOIDED] = { REASON_WORKERS_BUSY, "avoided as it failed there" },
	[STAGE_RESERVED] = { REASON_RESERVED, "reserved" },
	[STAGE_TARGET] = { REASON_TARGET_LIMIT, "at a limit of the target" },
	[STAGE_BESIDE] = { REASON_EXCLUSION, "running the same step" },
	[STAGE_FREE] = { REASON_NONE, "free" },
};


struct census {
	uint32_t n[STAGES];
	uint32_t total;
	uint32_t first[STAGES][WHY_AGENTS];
	int64_t since_us[STAGES];
};

const char *
agent_name(const struct sched *s, uint32_t idx)
{
	return idx < s->n_agents && s->agents[idx].name != NULL ?
	    s->agents[idx].name : "an unknown agent";
}

static uint32_t
req_of(struct ask *q)
{
	const struct class *c;

	if ((q->x->flags & X_QUEUED) != 0) {
		c = q->s->classes[q->x->class];
		return q->s->lanes[c->key.lane]->key.req;
	}
	return q->t->req;
}

/* It cannot be sent secrets, which this needs. */
static bool
is_too_old(struct ask *q, uint32_t idx)
{
	return q->s->agents[idx].no_secrets &&
	    q->s->reqs[q->t->req]->secrets;
}

static enum stage
stage_of_state(const struct agent *a)
{
	if (!a->up)
		return STAGE_OFFLINE;
	if (a->draining)
		return STAGE_DRAINING;
	if (a->held)
		return STAGE_HELD;
	if (agent_benched(a))
		return STAGE_BENCHED;
	return a->guard != NULL ? STAGE_GUARD : STAGE_FREE;
}

static bool
avoided(struct ask *q, uint32_t idx)
{
	const struct class *c;

	if ((q->x->flags & X_QUEUED) == 0)
		return false;
	c = q->s->classes[q->x->class];
	return c->key.avoid == idx && class_avoids(q->s, c);
}

static enum stage
stage_of(struct ask *q, uint32_t idx)
{
	const struct agent *a = &q->s->agents[idx];
	bool pinned = q->t->pinned || (q->x->flags & X_PINNED) != 0;
	enum stage st;

	if (!a->known || a->gone)
		return STAGE_NEVER;
	if (!exec_admits(q->s, q->r, q->x, idx))
		return STAGE_REQ;
	st = stage_of_state(a);
	if (st != STAGE_FREE)
		return st;
	if (agent_room(a, true) <= 0)
		return STAGE_BUSY;
	if (agent_room(a, pinned) <= 0)
		return STAGE_THRESHOLD;
	if (agent_room(a, pinned) < (int64_t)q->t->workers)
		return STAGE_WIDE;
	if (avoided(q, idx))
		return STAGE_AVOIDED;
	if (a->reserved != NONE && (q->x->flags & X_OVER) == 0 &&
	    (group_of(q->s, q->x) != NULL ?
	    a->reserved != group_tag(group_of(q->s, q->x)) :
	    (q->x->flags & X_QUEUED) == 0 || a->reserved != q->x->class))
		return STAGE_RESERVED;
	if (lset_blocked_on(q->s, q->t->lset, idx, NONE) != NONE)
		return STAGE_TARGET;
	return beside_on(q->s, q->r, q->x, idx) ? STAGE_BESIDE : STAGE_FREE;
}

static void
count_agents(struct ask *q, struct census *c)
{
	enum stage st;
	uint32_t i;

	*c = (struct census){ .total = 0 };
	for (i = 0; i < q->s->n_agents; i++) {
		st = stage_of(q, i);
		if (st == STAGE_NEVER)
			continue;
		c->total++;
		if (c->n[st] < WHY_AGENTS)
			c->first[st][c->n[st]] = i;
		c->n[st]++;
		if (q->s->agents[i].since_us > c->since_us[st])
			c->since_us[st] = q->s->agents[i].since_us;
	}
}

static void
requirement(struct ask *q, struct buf *b)
{
	const struct req *r = q->s->reqs[req_of(q)];
	const char *gap = "";
	size_t i;

	if ((q->x->flags & X_PINNED) != 0) {
		buf_putf(b, "%s", agent_name(q->s, q->x->pin));
		return;
	}
	for (i = 0; i < r->n_sel; i++) {
		if (selector_count(r->sel[i]) == 0)
			continue;
		buf_puts(b, gap);
		selector_format(r->sel[i], b);
		gap = ", ";
	}
	for (i = 0; i < r->n_targets; i++, gap = ", ")
		buf_putf(b, "%starget %s", gap,
		    q->s->limits[r->targets[i]]->name);
	if (r->secrets)
		buf_putf(b, "%sa version that can take secrets", gap);
}

/* "14 agents: 9 without @gpu, 3 full, 2 drained" */
static char *
summary(struct ask *q, const struct census *c)
{
	struct buf b = BUF_INIT;
	const char *gap = ": ";
	uint32_t i;

	buf_putf(&b, "%u agent%s", c->total, c->total == 1 ? "" : "s");
	for (i = STAGE_REQ; i < STAGES; i++) {
		if (c->n[i] == 0)
			continue;
		buf_putf(&b, "%s%u ", gap, c->n[i]);
		gap = ", ";
		if (i != STAGE_REQ) {
			buf_puts(&b, stages[i].words);
			continue;
		}
		buf_puts(&b, "not ");
		requirement(q, &b);
	}
	return buf_steal(&b);
}

/* " (safari: 2 of 2 in use; held by r../17, r../3/1 of ann@desk pid 5)" */
static void
target_facts(struct ask *q, uint32_t idx, struct buf *b)
{
	const struct agent *a = &q->s->agents[idx];
	uint32_t p, n = 0, at = lset_blocked_on(q->s, q->t->lset, idx, NONE);
	const struct limit *l = q->s->limits[at];
	const struct ration *r = ration_of(l, a);

	if (ration_most(l, a) == 0 || ration_left(l, a) > 0) {
		buf_putf(b, " (no instance of %s is free)", l->name);
		return;
	}
	buf_putf(b, " (%s: %u of %u in use", l->name, ration_taken(l, a),
	    ration_most(l, a));
	for (p = a->first; p != NONE && n < 3; p = q->s->parcels[p].next)
		if (why_holds(q->s, &q->s->parcels[p], at))
			buf_putf(b, "%s%s/%u", n++ == 0 ? "; held by " : ", ",
			    q->s->runs[q->s->parcels[p].run]->id,
			    q->s->parcels[p].exec);
	if (r != NULL && r->taken > 0)
		buf_putf(b, "%s%s", n == 0 ? "; held by " : ", ",
		    r->holder != NULL ? r->holder : "another console");
	if (r != NULL && r->taken > 1)
		buf_putf(b, " and %u more", r->taken - 1);
	buf_putc(b, ')');
}

/* What a run of this console may change: its own limit, or an attempt. */
static void
target_about(struct ask *q, uint32_t idx)
{
	const struct agent *a = &q->s->agents[idx];
	uint32_t p, at = lset_blocked_on(q->s, q->t->lset, idx, NONE);
	const struct limit *l = q->s->limits[at];
	char *holder = NULL;

	if (ration_left(l, a) > 0 || ration_most(l, a) != l->per_agent)
		return;
	for (p = a->first; p != NONE; p = q->s->parcels[p].next)
		if (why_holds(q->s, &q->s->parcels[p], at))
			break;
	if (p != NONE)
		holder = str_fmt("%s/%u", q->s->runs[q->s->parcels[p].run]->id,
		    q->s->parcels[p].exec);
	why_about(q->why, str_fmt("max_per_agent:%s", l->name), l->per_agent,
	    holder);
}

/* Who runs a step of it there. */
static void
beside_about(struct ask *q, uint32_t idx)
{
	uint32_t p = beside_holder(q->s, q->r, q->x, idx);

	if (p != NONE)
		why_about(q->why, NULL, 0, str_fmt("%s/%u",
		    q->s->runs[q->s->parcels[p].run]->id,
		    q->s->parcels[p].exec));
}

static void
agent_facts(struct ask *q, enum stage st, uint32_t idx, struct buf *b)
{
	const struct agent *a = &q->s->agents[idx];
	const char *text = NULL;

	buf_puts(b, a->name);
	switch (st) {
	case STAGE_OFFLINE:
		text = a->offline_text;
		break;
	case STAGE_DRAINING:
		text = a->draining_text;
		break;
	case STAGE_HELD:
		text = a->held_text;
		break;
	case STAGE_BENCHED:
		text = a->benched_text;
		break;
	case STAGE_GUARD:
		text = a->guard;
		break;
	case STAGE_TARGET:
		target_facts(q, idx, b);
		break;
	default:
		buf_putf(b, " (%u of %u busy, threshold %u", a->busy, a->max,
		    a->threshold);
		if (a->other_busy > 0)
			buf_putf(b, ", %u with other work", a->other_busy);
		buf_putc(b, ')');
		break;
	}
	if (text != NULL)
		buf_putf(b, " (%s)", text);
}

static char *
stage_text(struct ask *q, const struct census *c, enum stage st)
{
	struct buf b = BUF_INIT;
	uint32_t i;

	for (i = 0; i < c->n[st] && i < WHY_AGENTS; i++) {
		buf_puts(&b, i > 0 ? ", " : "");
		agent_facts(q, st, c->first[st][i], &b);
	}
	if (c->n[st] > WHY_AGENTS)
		buf_putf(&b, " and %u more", c->n[st] - WHY_AGENTS);
	return buf_steal(&b);
}

/* What of its requirement an agent lacks; the count of it. */
static uint32_t
lacks(const struct sched *s, const struct req *r, uint32_t idx,
    struct buf *b)
{
	const struct agent *a = &s->agents[idx];
	uint32_t i, n = r->secrets && a->no_secrets;

	if (n > 0 && b != NULL)
		buf_puts(b, "a version that can take secrets (deploy a newer "
		    "one)");
	for (i = 0; i < r->n_sel; i++) {
		if (selector_match(r->sel[i], a->name, &a->labels))
			continue;
		if (b != NULL) {
			buf_puts(b, n > 0 ? ", " : "");
			selector_format(r->sel[i], b);
		}
		n++;
	}
	for (i = 0; i < r->n_targets; i++) {
		if (req_offers(s, r->targets[i], idx))
			continue;
		if (b != NULL)
			buf_putf(b, "%s%s %s", n > 0 ? ", " : "",
			    lease_possible_on(s->limits[r->targets[i]], a) ?
			    "target" : "an instance of",
			    s->limits[r->targets[i]]->name);
		n++;
	}
	return n;
}

static char *
nobody_text(struct ask *q)
{
	const struct req *r = q->s->reqs[req_of(q)];
	struct buf b = BUF_INIT;
	uint32_t i, n, best = NONE, least = UINT32_MAX;

	if ((q->x->flags & X_PINNED) != 0 && is_too_old(q, q->x->pin))
		return str_fmt("the version of %s cannot take secrets: deploy "
		    "a newer one", agent_name(q->s, q->x->pin));
	buf_puts(&b, "no agent meets ");
	requirement(q, &b);
	for (i = 0; i < q->s->n_agents && r->pin == NONE; i++) {
		if (!q->s->agents[i].known || q->s->agents[i].gone)
			continue;
		/* Another version is nearer than another agent. */
		n = 2 * lacks(q->s, r, i, NULL) -
		    (r->secrets && q->s->agents[i].no_secrets);
		if (n < least) {
			least = n;
			best = i;
		}
	}
	if (best == NONE)
		return buf_steal(&b);
	buf_putf(&b, "; nearest is %s, which lacks ",
	    agent_name(q->s, best));
	lacks(q->s, r, best, &b);
	return buf_steal(&b);
}

/* The one of the agents it may use that has the most workers for it; NONE
 * when one of them has enough, or is away, so that nobody knows. */
static uint32_t
too_wide_for(struct ask *q)
{
	bool pinned = q->t->pinned || (q->x->flags & X_PINNED) != 0;
	uint32_t i, n, most = 0, best = NONE;
	const struct agent *a;

	for (i = 0; q->t->workers > 1 && i < q->s->n_agents; i++) {
		a = &q->s->agents[i];
		if (!a->known || !exec_admits(q->s, q->r, q->x, i))
			continue;
		n = pinned ? a->max : a->threshold;
		if (!a->up || n >= q->t->workers)
			return NONE;
		if (best == NONE || n > most)
			best = i;
		most = n > most ? n : most;
	}
	return best;
}

static char *
too_wide_text(struct ask *q, uint32_t best)
{
	const struct agent *a = &q->s->agents[best];

	return str_fmt("no agent gives %u workers at once; nearest is %s "
	    "(threshold %u, max workers %u)", q->t->workers, a->name,
	    a->threshold, a->max);
}

static bool
nobody(struct ask *q)
{
	if ((q->x->flags & X_PINNED) != 0)
		return !q->s->agents[q->x->pin].known ||
		    q->s->agents[q->x->pin].gone ||
		    is_too_old(q, q->x->pin);
	return q->s->reqs[req_of(q)]->n_elig == 0;
}

void
why_no_agent(struct ask *q)
{
	uint32_t best;

	if (nobody(q))
		why_found(q, REASON_NO_AGENT, q->x->since_us,
		    q->brief ? NULL : nobody_text(q));
	else if ((best = too_wide_for(q)) != NONE)
		why_found(q, REASON_NO_AGENT, q->x->since_us,
		    q->brief ? NULL : too_wide_text(q, best));
}

static enum stage
last_stage(const struct census *c)
{
	enum stage st, last = STAGE_REQ;

	for (st = STAGE_OFFLINE; st < STAGES; st++)
		if (c->n[st] > 0)
			last = st;
	return last == STAGE_REQ ? STAGE_FREE : last;
}

/* Those of one class, and those of equal terms that are in no queue, have
 * one verdict; only steps that run beside themselves are not in it. */
static struct verdict *
verdict_of(struct ask *q)
{
	if ((q->x->flags & X_ASIDE) != 0)
		return NULL;
	if ((q->x->flags & X_QUEUED) != 0)
		return &q->s->classes[q->x->class]->verdict;
	return (q->x->flags & (X_PINNED | X_OVER)) != 0 ? NULL :
	    &q->r->terms[q->x->terms].verdict;
}

static void
why_agents_brief(struct ask *q)
{
	struct verdict *v = verdict_of(q), own = { .gen = 0 };
	struct census c;
	enum stage last;

	v = v != NULL ? v : &own;
	if (v->gen != q->s->gen || v->code == REASON_EXCLUSION) {
		count_agents(q, &c);
		last = last_stage(&c);
		*v = (struct verdict){ q->s->gen, stages[last].code,
			c.since_us[last] };
	}
	if (v->code != REASON_NONE)
		why_found(q, v->code, v->since_us, NULL);
}

void
why_agents(struct ask *q)
{
	struct census c;
	enum stage st, last;
	struct blocker *b;
	char *text;

	if (q->brief) {
		why_agents_brief(q);
		return;
	}
	count_agents(q, &c);
	last = last_stage(&c);
	/* One that is free for a part is not enough for all. */
	if (last == STAGE_FREE && q->first != REASON_TOGETHER)
		return;
	if (last != STAGE_FREE)
		why_found(q, stages[last].code, c.since_us[last],
		    summary(q, &c));
	for (st = STAGE_OFFLINE; st < STAGE_FREE; st++) {
		if (c.n[st] == 0)
			continue;
		text = stage_text(q, &c, st);
		why_add(q->why, stages[st].code, c.since_us[st], "%s", text);
		free(text);
		if (st == STAGE_TARGET)
			target_about(q, c.first[st][0]);
		else if (st == STAGE_BESIDE)
			beside_about(q, c.first[st][0]);
		b = &q->why->v[q->why->n - 1];
		for (; b->n_agents < WHY_AGENTS && b->n_agents < c.n[st];
		    b->n_agents++)
			b->agents[b->n_agents] = c.first[st][b->n_agents];
	}
}
