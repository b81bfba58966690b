/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Puts back what was before a resume: final states, attempts that are out on
 * agents (unknown until reported), budgets used.
 */
#include "config.h"

#include "sched/sched_private.h"
#include "yardmaster/base/mem.h"

static void
restore_final(struct run *r, struct exec *x, const struct sched_exec *from)
{
	x->state = (uint8_t)from->state;
	x->cause = (uint8_t)from->cause;
	x->ended = x->attempt;
	x->flags = 0;
	r->n_open--;
	if (x->state == EXEC_FAILED || x->state == EXEC_TIMEOUT ||
	    x->state == EXEC_ERROR)
		r->n_bad++;
	if (x->cause == REASON_HALTED)
		r->halted = true;
	if (r->terms[x->terms].stop && exec_bad(x))
		r->halted_by = exec_no(r, x);
	needs_ended(r, x, exec_bad(x));
}

static bool
is_out(const struct sched_exec *from)
{
	return from->attempt > 0 && exec_state_out(from->state);
}

/* The execution, by number, that a batch goes by; it may have ended. */
static uint32_t
lead_of(const struct sched_run *spec, uint32_t no)
{
	uint32_t lead = spec->execs[no - 1].lead;

	return lead != 0 ? lead : no;
}

/* Whether it stands for all of its attempt: it leads, or the one that did has
 * ended in part and it is the first that is still out. */
static bool
stands_for_all(const struct sched_run *spec, uint32_t no)
{
	uint32_t lead = lead_of(spec, no), i;

	if (lead == no || is_out(&spec->execs[lead - 1]))
		return lead == no;
	for (i = 1; i < no; i++)
		if (lead_of(spec, i) == lead && is_out(&spec->execs[i - 1]))
			return false;
	return true;
}

/* Attempt 0 of those whose part of the process is over. */
static struct sched_member
member_of(const struct sched_run *spec, uint32_t no)
{
	const struct sched_exec *from = &spec->execs[no - 1];

	return (struct sched_member){ no, is_out(from) ? from->attempt : 0 };
}

/* Itself and all that go by the same lead: they are of one process. */
static void
gather(const struct run *r, const struct sched_run *spec, uint32_t no,
    struct parcel *p)
{
	uint32_t i, n = 1, lead = lead_of(spec, no);

	p->one = (struct sched_member){ no, exec_get(r, no)->attempt };
	if (r->terms[exec_get(r, no)->terms].batch == 0)
		return;
	p->members = mem_calloc(spec->n_execs, sizeof(*p->members));
	p->members[0] = p->one;
	for (i = 1; i <= spec->n_execs; i++)
		if (i != no && spec->execs[i - 1].lead == lead &&
		    !spec->execs[i - 1].returned)
			p->members[n++] = member_of(spec, i);
	p->n_members = n;
	p->members = mem_realloc(p->members, n, sizeof(*p->members));
}

static void
members_state(struct sched *s, struct run *r, uint32_t parcel)
{
	struct parcel *p = &s->parcels[parcel];
	struct sched_member *m;
	struct exec *x;
	uint32_t i, n;

	m = parcel_members(p, &n);
	for (i = 0; i < n; i++) {
		if (m[i].attempt == 0)
			continue;
		x = exec_get(r, m[i].exec);
		x->parcel = parcel;
		x->flags &= (uint16_t)~X_NEEDS;
		x->worker = p->worker;
		exec_state_set(s, r, x, p->state == P_RUNNING ?
		    EXEC_RUNNING : EXEC_ASSIGNED);
	}
}

static void
restore_out(struct sched *s, struct run *r, const struct sched_run *spec,
    uint32_t no)
{
	const struct sched_exec *from = &spec->execs[no - 1];
	const struct terms *t = &r->terms[from->terms];
	struct parcel p = { .unheard = true, .run = r->handle, .exec = no,
		.attempt = from->attempt, .agent = from->agent,
		.worker = from->worker, .workers = t->workers,
		.lset = t->lset, .own = t->own,
		.group = exec_get(r, no)->group, .to = NONE,
		.prev = NONE, .next = NONE,
		.sent_us = s->now_us, .started_us = s->now_us };
	const struct sched_member *m;
	uint32_t i, n;

	p.class = t->pinned || from->pinned ? CLASS_PINNED : CLASS_AUTO;
	p.state = from->state == EXEC_RUNNING ? P_RUNNING : P_SENT;
	if (p.agent != NONE && p.agent >= s->n_agents)
		agents_grow(s, p.agent + 1);
	gather(r, spec, no, &p);
	m = parcel_members(&p, &n);
	for (i = 0; i < n; i++)
		if (m[i].attempt != 0)
			p.estimate_us += length_us(s, r,
			    exec_get(r, m[i].exec));
	i = parcel_new(s, &p, from->instance);
	members_state(s, r, i);
	if (p.agent == NONE)
		parcel_lose(s, i, true);
}

/* Itself and those that follow it in its batch. */
static void
gather_lost(const struct sched_run *spec, uint32_t first, struct parcel *p)
{
	const struct sched_lost *l = &spec->lost[first];
	uint32_t n;

	p->one = (struct sched_member){ l->exec, l->attempt };
	for (n = 1; first + n < spec->n_lost &&
	    spec->lost[first + n].lead == first; n++)
		;
	if (n == 1)
		return;
	p->members = mem_calloc(n, sizeof(*p->members));
	for (p->n_members = 0; p->n_members < n; p->n_members++, l++)
		p->members[p->n_members] = (struct sched_member){ l->exec,
			l->attempt };
}

/* It is not known to be out. */
static bool
may_be_found(const struct sched_run *spec, uint32_t i)
{
	const struct sched_lost *l = &spec->lost[i];
	const struct sched_exec *from = &spec->execs[l->exec - 1];

	return l->agent != NONE && (l->attempt < from->attempt ||
	    (l->attempt == from->attempt && !is_out(from)));
}

/* As it stands since it was lost. */
static void
restore_lost(struct sched *s, struct run *r, const struct sched_run *spec,
    uint32_t first)
{
	const struct sched_lost *l = &spec->lost[first];
	const struct terms *t = &r->terms[exec_get(r, l->exec)->terms];
	struct parcel p = { .unheard = true, .run = r->handle,
		.exec = l->exec, .attempt = l->attempt, .agent = l->agent,
		.workers = t->workers, .lset = t->lset, .own = t->own,
		.group = exec_get(r, l->exec)->group, .to = NONE,
		.prev = NONE, .next = NONE, .sent_us = s->now_us,
		.started_us = s->now_us };
	struct sched_member *m;
	struct exec *x;
	uint32_t i, n;

	if (l->agent >= s->n_agents)
		agents_grow(s, l->agent + 1);
	p.class = t->pinned ? CLASS_PINNED : CLASS_AUTO;
	gather_lost(spec, first, &p);
	first = parcel_new(s, &p, l->instance);
	parcel_state(s, first, P_LOST);
	parcel_load(s, first, false);
	lset_drop_targets(s, first);
	parcel_ghost(s, first);
	m = parcel_members(&s->parcels[first], &n);
	for (i = 0; i < n; i++) {
		x = exec_get(r, m[i].exec);
		if (x->attempt == m[i].attempt && x->errors > 0 &&
		    spec->execs[m[i].exec - 1].state == EXEC_WAITING)
			x->flags |= X_LOST;
	}
}

static void
restore_waiting(struct sched *s, struct run *r, struct exec *x,
    bool returned)
{
	if (x->attempt > 0) {
		x->ended = returned ? 0 : x->attempt;
		x->flags &= (uint16_t)~X_NEEDS;
	}
	if (x->failures + x->errors > 0)
		x->flags |= X_RETRY;
	exec_ripen(s, r, x);
}

static void
timers_set(struct sched *s)
{
	uint32_t i;

	for (i = 0; i < s->n_agents; i++)
		lost_timer(s, i);
}

/* Those whose instance is known take theirs before the others take any. */
static void
parcels_restore(struct sched *s, struct run *r, const struct sched_run *spec,
    bool known)
{
	const struct sched_exec *from;
	uint32_t i;

	for (i = 0; i < spec->n_lost; i++)
		if (spec->lost[i].lead == i && may_be_found(spec, i) &&
		    (spec->lost[i].instance != NULL) == known)
			restore_lost(s, r, spec, i);
	for (i = 0; i < r->n; i++) {
		from = &spec->execs[i];
		if (is_out(from) && (from->instance != NULL) == known &&
		    stands_for_all(spec, i + 1))
			restore_out(s, r, spec, i + 1);
	}
}

void
restore_run(struct sched *s, struct run *r, const struct sched_run *spec)
{
	struct exec *x;
	uint32_t i;

	for (i = 0; i < r->n; i++) {
		x = exec_get(r, i + 1);
		x->since_us = s->now_us;
		if (exec_state_final(spec->execs[i].state))
			restore_final(r, x, &spec->execs[i]);
		r->counts.n[x->state]++;
	}
	r->halted |= run_should_halt(r);
	parcels_restore(s, r, spec, true);
	parcels_restore(s, r, spec, false);
	for (i = 0; i < r->n; i++) {
		x = &r->x[i];
		if (x->state == EXEC_WAITING && x->parcel == NONE &&
		    (x->flags & (X_QUEUED | X_READY | X_DELAYED)) == 0)
			restore_waiting(s, r, x,
			    spec->execs[r->no[i] - 1].returned);
	}
	groups_restore(s, r, spec);
	timers_set(s);
	deadline_timer(s, r->handle);
}
