/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Why an execution is not running: every blocker with its facts. The run and
 * the execution come first, then the agents, removed in the order of the
 * table; the code that removed the last one speaks for them.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "sched/why_private.h"
#include "yardmaster/base/buf.h"
#include "yardmaster/base/mem.h"

void
why_found(struct ask *q, enum reason code, int64_t since_us, char *text)
{
	if (q->first == REASON_NONE || (code < q->first && !q->of_agents)) {
		q->first = code;
		q->since_us[0] = since_us;
	}
	if (q->stops == REASON_NONE &&
	    reason_info(code)->clears == CLEARS_OPERATOR) {
		q->stops = code;
		q->since_us[1] = since_us;
	}
	if (!q->brief)
		why_add(q->why, code, since_us, "%s",
		    text != NULL ? text : "");
	free(text);
}

static char *
span(int64_t us)
{
	char text[DURATION_TEXT];

	return str_dup(duration_format(us > 0 ? us : 0, text));
}

/* ---- the run and the execution -------------------------------------------------------- */

static void
why_gates(struct ask *q)
{
	const struct sched *s = q->s;
	const struct run *r = q->r;
	struct hold_note *n;
	uint32_t no = exec_no(r, q->x);

	if (s->paused != NULL)
		why_found(q, REASON_CONSOLE_PAUSED, s->paused_us,
		    str_dup(s->paused));
	if ((q->x->flags & X_HELD) != 0) {
		HASH_FIND(hh, r->notes, &no, sizeof(no), n);
		why_found(q, REASON_HELD, n != NULL ? n->since_us : 0,
		    str_dup(n != NULL ? n->text : "held"));
	}
	if (r->held != NULL)
		why_found(q, REASON_RUN_HELD, r->held_us, str_dup(r->held));
	if (r->setup != NULL)
		why_found(q, REASON_SETUP, r->setup_us, str_dup(r->setup));
}

static void
why_delay(struct ask *q)
{
	const struct exec *x = q->x;
	char *left;

	if ((x->flags & X_DELAYED) == 0)
		return;
	left = span(x->ready_us - q->now_us);
	if ((x->flags & X_RETRY) != 0)
		why_found(q, REASON_RETRY_DELAY, x->since_us, str_fmt(
		    "tries again in %s, after attempt %u", left, x->attempt));
	else if (x->attempt > 0)
		why_found(q, REASON_RETRY_DELAY, x->since_us, str_fmt(
		    "refused by agent %s, tries again in %s",
		    agent_name(q->s, x->agent), left));
	else
		why_found(q, REASON_SCHEDULE, x->since_us,
		    str_fmt("due in %s", left));
	free(left);
}

/* The member of the nodes with the longest estimate that has not ended. */
static const struct exec *
longest_need(const struct run *r, const struct needset *n)
{
	const struct exec *x, *best = NULL;
	uint32_t i, j, k;

	for (i = 0; i < r->n; i++) {
		x = exec_get(r, i + 1);
		if (x->member == NONE || exec_state_final(x->state))
			continue;
		for (j = r->list_first[x->member];
		    j < r->list_first[x->member + 1]; j++)
			for (k = 0; k < n->n; k++)
				if (r->list_nodes[j] == n->nodes[k] &&
				    (best == NULL || x->estimate_us >
				    best->estimate_us))
					best = x;
	}
	return best;
}

static void
why_needs(struct ask *q)
{
	const struct run *r = q->r;
	const struct needset *n;
	const struct exec *last;
	uint32_t i, total = 0, done = 0;

	if ((q->x->flags & X_NEEDS) == 0)
		return;
	if (q->brief) {
		why_found(q, REASON_NEEDS, q->x->since_us, NULL);
		return;
	}
	n = &r->needsets[q->t->needset];
	for (i = 0; i < n->n; i++) {
		total += r->nodes[n->nodes[i]].n;
		done += r->nodes[n->nodes[i]].n -
		    r->nodes[n->nodes[i]].pending;
	}
	last = longest_need(r, n);
	why_found(q, REASON_NEEDS, q->x->since_us, last == NULL ?
	    str_fmt("%u of %u ended", done, total) :
	    str_fmt("%u of %u ended, waits for %s/%u (%s)", done, total,
	    r->id, exec_no(r, last), exec_state_name(last->state)));
	if (last != NULL)
		why_about(q->why, NULL, 0, str_fmt("%s/%u", r->id,
		    exec_no(r, last)));
}

/* ---- limits ------------------------------------------------------------------------------- */

bool
why_holds(const struct sched *s, const struct parcel *p, uint32_t limit)
{
	const struct lset *ls;
	uint32_t i;

	if (p->state == P_FREE || !p->holds)
		return false;
	ls = s->lsets[p->lset];
	for (i = 0; i < ls->n; i++)
		if (ls->v[i].limit == limit)
			return true;
	return false;
}

/* "held by r../17 on lab-1, r../18 (lost) on lab-2 and 3 more" */
static void
holders(const struct sched *s, uint32_t limit, struct buf *b)
{
	const struct limit *l = s->limits[limit];
	const struct parcel *p;
	uint32_t i, n = 0;

	for (i = 0; i < s->n_parcels; i++) {
		p = &s->parcels[i];
		if (!why_holds(s, p, limit) || ++n > 3)
			continue;
		buf_putf(b, "%s%s/%u%s on %s", n == 1 ? "held by " : ", ",
		    s->runs[p->run]->id, p->exec, p->state == P_LOST ?
		    " (lost)" : parcel_unknown(s, p) ? " (silent)" : "",
		    agent_name(s, p->agent));
	}
	if (n > 3)
		buf_putf(b, " and %u more", n - 3);
	if (l->n_ext > 0)
		buf_putf(b, "%sheld by %s", n > 0 ? "; " : "", l->ext_text);
	if (l->n_ext > 1)
		buf_putf(b, " and %u more", l->n_ext - 1);
}

/* The first that holds it, of those that are lost or of the others, as an id;
 * with its attempt where it is lost. */
static char *
holder_id(const struct sched *s, uint32_t limit, bool lost)
{
	const struct parcel *p;
	uint32_t i;

	for (i = 0; i < s->n_parcels; i++) {
		p = &s->parcels[i];
		if (!why_holds(s, p, limit) || (p->state == P_LOST) != lost)
			continue;
		return lost ? str_fmt("%s/%u/%u", s->runs[p->run]->id,
		    p->exec, p->attempt) : str_fmt("%s/%u",
		    s->runs[p->run]->id, p->exec);
	}
	return NULL;
}

/* Its key as the plan has it, its value, and the first that holds it. */
static void
limit_about(struct ask *q, const struct limit *l, uint32_t index)
{
	const struct sched *s = q->s;
	const char *suite = strstr(l->name, " suite ");
	char *key, *holder = holder_id(s, index, false);

	if (holder == NULL)
		holder = holder_id(s, index, true);
	if (l->kind == LIMIT_PAIR)
		key = str_fmt("exclusive:%s,%s", l->name, l->other);
	else if (l->kind == LIMIT_TARGET)
		key = str_fmt("max:%s", l->name);
	else if (l->parallel && suite != NULL)
		key = str_fmt("max_parallel:%s", suite + 7);
	else
		key = str_fmt("lock:%s", l->name);
	why_about(q->why, key, l->capacity, holder);
}

static enum reason
limit_reason(const struct sched *s, const struct limit *l, uint32_t class)
{
	static const enum reason codes[] = {
		[LIMIT_LOCK] = REASON_LOCK, [LIMIT_PAIR] = REASON_EXCLUSION,
		[LIMIT_TARGET] = REASON_TARGET_LIMIT
	};

	if (!reserve_lets(s, l->reserved, class))
		return REASON_RESERVED;
	return l->parallel ? REASON_PLAN_LIMIT : codes[l->kind];
}

static void
limit_facts(const struct limit *l, struct buf *b)
{
	switch (l->kind) {
	case LIMIT_LOCK:
		buf_putf(b, "%s: %u of %u taken", l->name, l->used[0] +
		    l->ext[0], limit_capacity(l));
		if (l->used[1] + l->ext[1] > 0)
			buf_putf(b, ", %u sharing", l->used[1] + l->ext[1]);
		break;
	case LIMIT_PAIR:
		if (l->self)
			buf_putf(b, "%s keeps apart from itself", l->name);
		else
			buf_putf(b, "%s excludes %s", l->name, l->other);
		break;
	case LIMIT_TARGET:
		buf_putf(b, "%s: %u of %u in use", l->name, l->used[0] +
		    l->ext[0], limit_capacity(l) > 0 ? limit_capacity(l) :
		    (uint32_t)l->names.n);
		break;
	}
	buf_puts(b, "; ");
}

static void
why_parallel(struct ask *q)
{
	const struct run *r = q->r;
	uint32_t n = group_of(q->s, q->x) != NULL ?
	    group_of(q->s, q->x)->n : 1;
	char left[DURATION_TEXT];

	if (r->max_parallel > 0 && r->inflight + n > r->max_parallel) {
		why_found(q, REASON_PLAN_LIMIT, r->full_us, q->brief ? NULL :
		    str_fmt("max_parallel %u: %u assigned or running",
		    r->max_parallel, r->inflight));
		if (!q->brief)
			why_about(q->why, str_dup("max_parallel"),
			    r->max_parallel, NULL);
	}
	if (deadline_gates(r))
		why_found(q, REASON_PLAN_LIMIT, 0, q->brief ? NULL :
		    str_fmt("deadline: %u workers are enough to meet it, in "
		    "%s; %u have work", r->enough, duration_format(
		    r->deadline_us - q->s->now_us, left),
		    r->inflight_workers));
	if (deadline_gates(r) && !q->brief)
		why_about(q->why, str_dup("deadline"), 0, NULL);
}

static void
why_limit(struct ask *q, uint32_t limit, uint32_t class)
{
	const struct sched *s = q->s;
	const struct limit *l = s->limits[limit];
	struct buf b = BUF_INIT;

	if (q->brief) {
		why_found(q, limit_reason(s, l, class), l->since_us, NULL);
		return;
	}
	limit_facts(l, &b);
	holders(s, limit, &b);
	if (s->awaits)
		buf_puts(&b, "agents are asked who holds it");
	why_found(q, limit_reason(s, l, class), l->since_us, buf_steal(&b));
	limit_about(q, l, limit);
}

static void
why_lset(struct ask *q, uint32_t lset, uint32_t class)
{
	const struct lset *ls = q->s->lsets[lset];
	uint32_t i;

	for (i = 0; i < ls->n; i++)
		if (!limit_room(q->s, &ls->v[i], class))
			why_limit(q, ls->v[i].limit, class);
}

/* One more may run, but not as many as ask for it together. */
static void
why_targets(struct ask *q, const struct group *g, uint32_t class)
{
	uint32_t limit = group_target(q->s, g);

	if (limit != NONE && lset_blocked(q->s, q->t->lset, class) == NONE)
		why_limit(q, limit, class);
}

/* The part that is not ripe, or NULL. */
static const struct exec *
unripe_part(const struct sched *s, const struct group *g)
{
	uint32_t i;

	for (i = 0; i < g->n; i++)
		if ((group_part(s, g, i)->flags & X_READY) == 0)
			return group_part(s, g, i);
	return NULL;
}

static char *
together_text(const struct ask *q, const struct group *g)
{
	const struct exec *x = unripe_part(q->s, g);
	uint32_t missing = group_missing(q->s, g);

	if (x != NULL && x != q->x)
		return str_fmt("waits for its part %s/%u (%s)", q->r->id,
		    exec_no(q->r, x), x->parcel != NONE ?
		    "of the last round, not over yet" :
		    exec_state_name(x->state));
	return str_fmt("%u parts start together: %u worker%s missing%s", g->n,
	    missing, missing == 1 ? " is" : "s are",
	    g->n_reserved > 0 ? ", agents are reserved" : "");
}

static void
why_together(struct ask *q, const struct group *g)
{
	const struct exec *x;

	if (g == NULL || (q->x->flags & X_READY) == 0)
		return;
	x = unripe_part(q->s, g);
	if (x == NULL && group_missing(q->s, g) == 0)
		return;
	why_found(q, REASON_TOGETHER, g->block_us, q->brief ? NULL :
	    together_text(q, g));
}

static void
why_limits(struct ask *q)
{
	const struct group *g = group_of(q->s, q->x);
	uint32_t class = g != NULL ? group_tag(g) :
	    (q->x->flags & X_QUEUED) != 0 ? q->x->class : NONE;

	why_lset(q, q->t->lset, class);
	if (g != NULL) {
		why_lset(q, g->lset, class);
		why_targets(q, g, class);
	}
	why_together(q, g);
	why_parallel(q);
}

/* ---- what is out --------------------------------------------------------------------------- */

static uint32_t
place_in_queue(const struct sched *s, const struct parcel *p)
{
	const struct parcel *o;
	uint32_t i, n = 1;

	for (i = s->agents[p->agent].first; i != NONE; i = o->next) {
		o = &s->parcels[i];
		if (o == p)
			break;
		n += o->state == P_SENT || o->state == P_QUEUED;
	}
	return n;
}

static void
why_silent(struct ask *q, const struct parcel *p)
{
	const struct agent *a = p->agent != NONE ?
	    &q->s->agents[p->agent] : NULL;
	int64_t since = a == NULL ? 0 : a->up ? p->sent_us : a->down_us;
	char *ago, *left;

	if (q->brief) {
		why_found(q, REASON_LOST_GRACE, since, NULL);
		return;
	}
	ago = span(q->now_us - since);
	left = span((since > p->sent_us ? since : p->sent_us) +
	    q->t->lost_after_us - q->now_us);
	why_found(q, REASON_LOST_GRACE, since, a != NULL && a->up ?
	    str_fmt("%s is asked what it has", a->name) :
	    str_fmt("%s is silent since %s, lost in %s",
	    agent_name(q->s, p->agent), ago, left));
	free(ago);
	free(left);
}

static void
why_out(struct ask *q)
{
	const struct parcel *p = &q->s->parcels[q->x->parcel];
	const char *name = agent_name(q->s, p->agent);
	char *ago;

	if (parcel_unknown(q->s, p))
		why_silent(q, p);
	if (q->x->state == EXEC_RUNNING)
		return;
	ago = q->brief ? NULL : span(q->now_us - p->sent_us);
	if (p->state == P_QUEUED)
		why_found(q, REASON_QUEUED, p->sent_us, q->brief ? NULL :
		    str_fmt("%s, place %u in its queue%s", name,
		    place_in_queue(q->s, p), p->back ? ", asked back" : ""));
	else
		why_found(q, REASON_SENT, p->sent_us, q->brief ? NULL :
		    str_fmt("sent to %s %s ago%s", name, ago,
		    p->back ? ", asked back" : ""));
	free(ago);
	if (p->agent != NONE && q->s->agents[p->agent].held)
		why_found(q, REASON_AGENTS_HELD, q->s->agents[p->agent].since_us,
		    q->brief ? NULL : str_fmt("%s is held", name));
	if (p->agent != NONE && q->s->agents[p->agent].guard != NULL)
		why_found(q, REASON_GUARD, q->s->agents[p->agent].since_us,
		    q->brief ? NULL : str_fmt("%s: %s", name,
		    q->s->agents[p->agent].guard));
}

static char *
failed_need(const struct run *r, uint32_t needset)
{
	const struct needset *n = &r->needsets[needset];
	const struct exec *x;
	uint32_t i, j, k;

	for (i = 0; i < r->n; i++) {
		x = exec_get(r, i + 1);
		if (x->member == NONE || !exec_bad(x))
			continue;
		for (j = r->list_first[x->member];
		    j < r->list_first[x->member + 1]; j++)
			for (k = 0; k < n->n; k++)
				if (r->list_nodes[j] == n->nodes[k])
					return str_fmt("%s/%u ended as %s",
					    r->id, i + 1,
					    exec_state_name(x->state));
	}
	return str_dup("what it needs did not pass");
}

static void
why_skipped(struct ask *q)
{
	const struct run *r = q->r;

	if (q->x->cause == REASON_HALTED)
		why_found(q, REASON_HALTED, r->halted_us, q->brief ? NULL :
		    r->max_failures > 0 && r->n_bad >= r->max_failures ?
		    str_fmt("%u failures reached the limit of %u", r->n_bad,
		    r->max_failures) :
		    str_fmt("%s/%u failed and ends the run", r->id,
		    r->halted_by));
	if (q->x->cause == REASON_HALTED && !q->brief && r->max_failures > 0 &&
	    r->n_bad >= r->max_failures)
		why_about(q->why, str_dup("max_failures"), r->max_failures,
		    NULL);
	else if (q->x->cause == REASON_NEEDS_FAILED)
		why_found(q, REASON_NEEDS_FAILED, q->x->since_us, q->brief ?
		    NULL : failed_need(r, q->t->needset));
}

/* ---- the whole ---------------------------------------------------------------------------------- */

static void
ask_all(struct ask *q)
{
	if (q->x->state == EXEC_SKIPPED)
		why_skipped(q);
	if (exec_state_final(q->x->state))
		return;
	if (q->x->parcel != NONE) {
		why_out(q);
		return;
	}
	why_gates(q);
	why_no_agent(q);
	why_delay(q);
	why_needs(q);
	why_limits(q);
	q->of_agents = true;
	why_agents(q);
	if (q->first == REASON_NONE)
		why_found(q, REASON_WORKERS_BUSY, q->x->since_us, q->brief ?
		    NULL : str_dup("an agent has room: it goes next"));
}

static bool
ask_init(struct ask *q, const struct sched *s, uint32_t run, uint32_t exec)
{
	*q = (struct ask){ .s = s, .r = run_get(s, run), .now_us = s->now_us };
	if (q->r == NULL)
		return false;
	q->x = exec_get(q->r, exec);
	if (q->x == NULL)
		return false;
	q->t = &q->r->terms[q->x->terms];
	return true;
}

/* The headline goes first. */
static void
headline_up(struct why *w, enum reason code)
{
	struct blocker b;
	size_t i;

	for (i = 0; i < w->n && w->v[i].code != code; i++)
		;
	if (i == w->n)
		return;
	b = w->v[i];
	memmove(&w->v[1], &w->v[0], i * sizeof(*w->v));
	w->v[0] = b;
}

void
sched_why(const struct sched *s, uint32_t run, uint32_t exec, int64_t now_us,
    struct why *ret)
{
	struct ask q;

	*ret = (struct why){ NULL, 0 };
	if (!ask_init(&q, s, run, exec))
		return;
	q.now_us = now_us;
	q.why = ret;
	ask_all(&q);
	headline_up(ret, q.stops != REASON_NONE ? q.stops : q.first);
}

enum reason
sched_headline(const struct sched *s, uint32_t run, uint32_t exec,
    int64_t *ret_since_us)
{
	struct ask q;
	int64_t since = 0;

	if (ask_init(&q, s, run, exec)) {
		q.brief = true;
		ask_all(&q);
		since = q.since_us[q.stops != REASON_NONE];
		if (since < q.x->since_us)
			since = q.x->since_us;
	}
	if (ret_since_us != NULL)
		*ret_since_us = since;
	return q.stops != REASON_NONE ? q.stops : q.first;
}
