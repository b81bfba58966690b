/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The made-up world's agents and the letters between them and the console.
 * Honest agents repeat themselves; liars also answer out of order, lose
 * letters and claim what is not.
 */
#include "config.h"

#include "world.h"

static const char *const letter_names[LETTERS] = { [SEND] = "send",
	[TAKE_BACK] = "take back", [CANCEL] = "cancel", [GO] = "go",
	[STARTED] = "started", [QUEUED] = "queued",
	[PREPARED] = "prepared", [ENDED] = "ended",
	[ENDED_ONE] = "ended in part", [RETURNED] = "returned",
	[KEPT] = "kept", [WAS_LOST] = "was lost", [SYNCED] = "that is all" };

/* ---- letters ----------------------------------------------------------------------- */

static void
post(struct world *w, enum letter_kind kind, uint32_t agent, uint32_t attempt,
    uint32_t run)
{
	struct host *h = &w->hosts[agent];
	int64_t at_us = w->k.now_us + h->delay_us;

	if (!h->facts.up)
		return;
	if (w->n_letters == MAX_LETTERS)
		broken(w, "too many letters");
	if (h->liar && !w->calm && chance(w, 20))
		at_us += pick(w, 5 * US_PER_S);
	w->letters[w->n_letters++] = (struct letter){ kind, attempt, agent,
		run, h->link, at_us, w->seq++ };
}

void
letter_post(struct world *w, enum letter_kind kind, uint32_t attempt)
{
	uint32_t agent = w->attempts[attempt].agent;
	bool lies = w->hosts[agent].liar && !w->calm;

	if (kind >= STARTED && lies && chance(w, 5))
		return;
	post(w, kind, agent, attempt, 0);
	if (kind >= STARTED && chance(w, lies ? 15 : 5))
		post(w, kind, agent, attempt, 0);
}

static bool
may_start(const struct world *w, const struct attempt *a)
{
	const struct sched_agent *f = &w->hosts[a->agent].facts;
	uint32_t i, busy = 0, autos = 0;
	const struct attempt *b;

	for (i = 0; i < w->n_live; i++) {
		b = &w->attempts[w->live[i]];
		if (b->agent != a->agent || b == a ||
		    (b->truth != RUNS && b->truth != READY))
			continue;
		busy += b->workers;
		autos += b->pinned ? 0 : b->workers;
	}
	return !f->held && !f->draining && f->guard == NULL &&
	    busy + a->workers <= f->max_workers &&
	    (a->pinned || autos + a->workers <= f->threshold);
}

static void end(struct world *w, uint32_t i, enum outcome outcome);

/* A part takes its worker and waits for the go, while there is who says it. */
static void
begin(struct world *w, uint32_t i)
{
	struct attempt *a = &w->attempts[i];

	if (a->team != SCHED_NONE && !a->go) {
		if (!w->hosts[a->agent].facts.up || w->removed[a->id.run])
			return;
		a->truth = READY;
		if (chance(w, 3))	/* its workspace cannot be made */
			end(w, i, OUTCOME_ERROR);
		else
			letter_post(w, PREPARED, i);
		return;
	}
	a->truth = RUNS;
	a->worker = 1;
	a->ends_us = w->k.now_us + 1 + pick(w, 20) * US_PER_S / 2;
	trace(w, "  %s starts %s", w->hosts[a->agent].name, id_text(w, a->id));
	letter_post(w, STARTED, i);
}

static void
arrives(struct world *w, uint32_t i)
{
	struct attempt *a = &w->attempts[i];

	if (a->truth != FLYING)
		return;
	a->truth = WAITS;
	if (may_start(w, a))
		begin(w, i);
	else
		letter_post(w, QUEUED, i);
}

static void
told_to_go(struct world *w, uint32_t i)
{
	struct attempt *a = &w->attempts[i];

	a->go |= a->truth == WAITS || a->truth == READY;
	if (a->truth == READY)
		begin(w, i);
}

static void
give_back(struct world *w, uint32_t i)
{
	struct attempt *a = &w->attempts[i];

	if (a->truth <= READY) {
		a->truth = GONE;
		letter_post(w, RETURNED, i);
	} else {
		letter_post(w, KEPT, i);
	}
}

static enum outcome
some_outcome(struct world *w)
{
	static const enum outcome all[] = { OUTCOME_FAILED, OUTCOME_ERROR,
		OUTCOME_TIMEOUT, OUTCOME_SKIPPED };

	return chance(w, 75) ? OUTCOME_PASSED : all[pick(w, 4)];
}

/* outcome NONE: by chance. */
static void
end(struct world *w, uint32_t i, enum outcome outcome)
{
	struct attempt *a = &w->attempts[i];
	uint32_t j;

	a->truth = OVER;
	for (j = 0; j < a->n_members; j++)
		a->outcomes[j] = outcome != OUTCOME_NONE ? outcome :
		    some_outcome(w);
	trace(w, "  %s ends %s: %s", w->hosts[a->agent].name,
	    id_text(w, a->id), outcome_name(a->outcomes[0]));
	if (a->n_members > 1 && chance(w, 30))
		letter_post(w, ENDED_ONE, i);
	letter_post(w, ENDED, i);
}

/* The ends of its first n members. What counts is what belief says. */
static void
hear_ends(struct world *w, struct attempt *a, uint32_t n, bool lie)
{
	enum outcome outcome;
	enum sched_taken taken;
	struct sched_id id = a->id;
	uint32_t i;
	bool counts;

	for (i = 0; i < n; i++) {
		id.exec = a->members[i].exec;
		id.attempt = a->members[i].attempt;
		outcome = lie ? some_outcome(w) : a->outcomes[i];
		counts = believe_ended(w, a, i, outcome);
		taken = sched_ended(w->k.s, id, outcome, US_PER_S,
		    w->k.now_us);
		if (counts != (taken == SCHED_TAKEN))
			broken(w, "the end of %s %s", id_text(w, id), counts ?
			    "does not count" : "counts");
	}
	if (n == a->n_members && a->truth == OVER)
		a->truth = GONE;
}

/* The first of a batch that the console still has out speaks for it. */
static struct sched_id
voice(const struct world *w, const struct attempt *a)
{
	struct sched_id id = a->id;
	uint32_t i;

	for (i = 0; i < a->n_members; i++) {
		id.exec = a->members[i].exec;
		id.attempt = a->members[i].attempt;
		if (sched_holder(w->k.s, id) != SCHED_NONE)
			return id;
	}
	return a->id;
}

/* What nobody waits for is ended where it is. */
static void
disown(struct world *w, uint32_t i)
{
	struct attempt *a = &w->attempts[i];

	if (!w->removed[a->id.run] &&
	    sched_holder(w->k.s, voice(w, a)) == SCHED_NONE)
		letter_post(w, CANCEL, i);
}

static void
to_console(struct world *w, const struct letter *l, bool lie)
{
	struct attempt *a = &w->attempts[l->attempt];
	struct sched_id id = voice(w, a);
	struct sched *s = w->k.s;
	int64_t now_us = w->k.now_us;
	bool refused;

	switch (l->kind) {
	case STARTED:
		believe_started(w, a);
		sched_started(s, id, a->worker, now_us);
		disown(w, l->attempt);
		break;
	case QUEUED:
		believe_queued(w, a);
		sched_accepted(s, id, now_us);
		disown(w, l->attempt);
		break;
	case PREPARED:
		believe_prepared(w, a);
		sched_prepared(s, id, now_us);
		disown(w, l->attempt);
		break;
	case RETURNED:
		refused = chance(w, 10);
		believe_returned(w, a, refused);
		sched_returned(s, id, refused, now_us);
		break;
	case KEPT:
		believe_kept(w, a);
		sched_kept(s, id, now_us);
		break;
	case ENDED:
		hear_ends(w, a, a->n_members, lie);
		break;
	case ENDED_ONE:
		hear_ends(w, a, 1, lie);
		break;
	default:
		believe_lost(w, a);
		sched_lost(s, id, now_us);
		if (a->truth == LOST)
			a->truth = GONE;
		break;
	}
}

static void
deliver(struct world *w, const struct letter *l)
{
	struct attempt *a = &w->attempts[l->attempt];

	if (l->kind == SYNCED) {
		trace(w, "  %s: that is all of %s", w->hosts[l->agent].name,
		    w->specs[l->run].run.id);
		believe_synced(w, l->agent, l->run);
		sched_agent_synced(w->k.s, l->agent, l->run, w->k.now_us);
		return;
	}
	trace(w, "  %s: %s %s", w->hosts[l->agent].name,
	    letter_names[l->kind], id_text(w, a->id));
	if (l->kind == SEND)
		arrives(w, l->attempt);
	else if (l->kind == TAKE_BACK)
		give_back(w, l->attempt);
	else if (l->kind == GO)
		told_to_go(w, l->attempt);
	else if (l->kind != CANCEL)
		to_console(w, l, false);
	else if (a->truth == RUNS || a->truth == WAITS || a->truth == READY)
		end(w, l->attempt, OUTCOME_CANCELLED);
}

static uint32_t
next_letter(const struct world *w)
{
	const struct letter *l, *best = NULL;
	uint32_t i;

	for (i = 0; i < w->n_letters; i++) {
		l = &w->letters[i];
		if (best == NULL || l->at_us < best->at_us ||
		    (l->at_us == best->at_us && l->seq < best->seq))
			best = l;
	}
	return best != NULL ? (uint32_t)(best - w->letters) : SCHED_NONE;
}

void
letters_deliver(struct world *w)
{
	struct letter l;
	uint32_t i;

	while ((i = next_letter(w)) != SCHED_NONE &&
	    w->letters[i].at_us <= w->k.now_us) {
		l = w->letters[i];
		w->letters[i] = w->letters[--w->n_letters];
		if (w->hosts[l.agent].link == l.link)
			deliver(w, &l);
	}
}

/* ---- what agents do ------------------------------------------------------------------- */

void
host_work(struct world *w, uint32_t agent)
{
	struct attempt *a;
	uint32_t i;

	for (i = 0; i < w->n_live; i++) {
		a = &w->attempts[w->live[i]];
		if (a->agent == agent && a->truth == RUNS &&
		    a->ends_us <= w->k.now_us)
			end(w, w->live[i], OUTCOME_NONE);
	}
	for (i = 0; i < w->n_live; i++) {
		a = &w->attempts[w->live[i]];
		if (a->agent == agent && a->truth == WAITS && may_start(w, a))
			begin(w, w->live[i]);
	}
}

static void
unprepare(struct attempt *a)
{
	if (a->truth == READY)
		a->truth = WAITS;
}

void
host_forget(struct world *w, uint32_t run)
{
	uint32_t i;

	for (i = 0; i < w->n_live; i++)
		if (w->attempts[w->live[i]].id.run == run)
			unprepare(&w->attempts[w->live[i]]);
}

/* An attempt that there is or was, of anyone, or one that never was. The
 * console hears of an attempt only from who has it. */
void
host_lie(struct world *w, uint32_t agent)
{
	static const enum letter_kind kinds[] = { STARTED, QUEUED, PREPARED,
		ENDED, RETURNED, KEPT, WAS_LOST, SYNCED };
	struct letter l = { .kind = kinds[pick(w, 8)], .agent = agent,
		.run = pick(w, w->n_runs) };
	struct sched_id none = { pick(w, 5), pick(w, 80), 1 + pick(w, 3000) };
	uint32_t holder;

	if (!w->hosts[agent].facts.up || w->n_attempts == 0)
		return;
	if (l.kind == SYNCED) {
		deliver(w, &l);
		return;
	}
	if (chance(w, 20)) {
		none.attempt += MAX_ATTEMPTS;
		if (sched_started(w->k.s, none, 1, w->k.now_us) !=
		    SCHED_STRANGE || sched_ended(w->k.s, none,
		    OUTCOME_PASSED, 1, w->k.now_us) != SCHED_STRANGE)
			broken(w, "an attempt that never was is believed");
		return;
	}
	l.attempt = w->n_live > 0 && chance(w, 80) ?
	    w->live[pick(w, w->n_live)] : pick(w, w->n_attempts);
	holder = sched_holder(w->k.s, w->attempts[l.attempt].id);
	if (holder != SCHED_NONE ? holder != agent :
	    w->attempts[l.attempt].agent != agent)
		return;
	/* A part that is said to run will not be told to. */
	if (l.kind == STARTED && w->attempts[l.attempt].truth <= READY) {
		w->attempts[l.attempt].go = true;
		unprepare(&w->attempts[l.attempt]);
	}
	trace(w, "  %s lies: %s %s", w->hosts[agent].name,
	    letter_names[l.kind], id_text(w, w->attempts[l.attempt].id));
	to_console(w, &l, true);
}

/* All it has, then that this was all. */
static void
host_tell(struct world *w, uint32_t agent)
{
	static const enum letter_kind says[] = { [WAITS] = QUEUED,
		[READY] = PREPARED, [RUNS] = STARTED, [OVER] = ENDED, [LOST] = WAS_LOST };
	struct attempt *a;
	uint32_t i;

	for (i = 0; i < w->n_live; i++) {
		a = &w->attempts[w->live[i]];
		if (a->agent == agent && a->truth != FLYING &&
		    a->truth != GONE)
			letter_post(w, says[a->truth], w->live[i]);
	}
	for (i = 0; i < w->n_runs; i++)
		post(w, SYNCED, agent, 0, i);
}

void
host_say(struct world *w, uint32_t agent)
{
	struct host *h = &w->hosts[agent];
	bool was = h->open_us >= 0;

	if (!fact_usable(w, agent))
		h->open_us = -1;
	else if (!was)
		h->open_us = w->k.now_us;
	sched_agent_set(w->k.s, agent, &h->facts, w->k.now_us);
}

void
host_cut(struct world *w, uint32_t agent)
{
	struct attempt *a;
	uint32_t i;

	w->hosts[agent].facts.up = false;
	w->hosts[agent].link++;
	for (i = 0; i < w->n_live; i++) {
		a = &w->attempts[w->live[i]];
		if (a->agent != agent)
			continue;
		if (a->truth == FLYING)
			a->truth = GONE;
		unprepare(a);
	}
}

void
host_link(struct world *w, uint32_t agent, bool up)
{
	struct host *h = &w->hosts[agent];

	if (h->facts.up == up)
		return;
	trace(w, "the link to %s is %s", h->name, up ? "up" : "down");
	if (!up) {
		host_cut(w, agent);
		believe_down(w, agent);
	}
	h->facts.up = up;
	h->link++;
	host_say(w, agent);
	if (up)
		host_tell(w, agent);
}

void
host_crash(struct world *w, uint32_t agent)
{
	struct attempt *a;
	uint32_t i;

	host_link(w, agent, false);
	trace(w, "%s has crashed", w->hosts[agent].name);
	for (i = 0; i < w->n_live; i++) {
		a = &w->attempts[w->live[i]];
		if (a->agent == agent && a->truth == RUNS)
			a->truth = LOST;
	}
}

int64_t
world_next_us(const struct world *w)
{
	int64_t next_us = sched_next_us(w->k.s);
	const struct attempt *a;
	uint32_t i;

	for (i = 0; i < w->n_letters; i++)
		if (w->letters[i].at_us < next_us)
			next_us = w->letters[i].at_us;
	for (i = 0; i < w->n_live; i++) {
		a = &w->attempts[w->live[i]];
		if (a->truth == RUNS && a->ends_us < next_us)
			next_us = a->ends_us;
	}
	return next_us;
}
