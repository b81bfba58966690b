/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What agents still have of runs that have ended: attempts that were given up
 * while their host was away. Such a run is opened once more, under its lock
 * and a higher epoch: what waits is taken back, what runs is ended, and what
 * has ended is kept as late before the agent may forget it. It never counts.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"

#include "engine/engine_private.h"

/* What has just ended here is still being acknowledged. */
#define SETTLED_US (2 * US_PER_S)
#define GRACE_US (5 * US_PER_S)
/* Of a run that is not ended, or not ours, it is asked again after. */
#define AGAIN_US (4 * US_PER_S)

struct late {
	TAILQ_ENTRY(late) entry;
	char id[RUN_ID_SIZE];
	struct run_file *file;	/* NULL: not opened yet */
	uint32_t epoch;
	int64_t since_us;	/* when an agent was first seen to have some */
	int64_t tried_us;	/* when it was last tried to be opened; 0 never */
	bool *asked;		/* by agent: it was synced under this epoch */
	struct out *acks;	/* once committed */
	size_t n_acks, cap_acks;
};
TAILQ_HEAD(lates, late);

struct lates *
lates_new(void)
{
	struct lates *l = mem_zalloc(sizeof *l);

	TAILQ_INIT(l);
	return l;
}

static void
late_free(struct lates *list, struct late *l)
{
	TAILQ_REMOVE(list, l, entry);
	run_file_close(l->file);
	free(l->asked);
	free(l->acks);
	free(l);
}

void
lates_free(struct lates *list)
{
	while (list != NULL && !TAILQ_EMPTY(list))
		late_free(list, TAILQ_FIRST(list));
	free(list);
}

static struct late *
find(const struct engine *e, const char *run)
{
	struct late *l;

	TAILQ_FOREACH(l, e->lates, entry)
		if (strcmp(l->id, run) == 0)
			return l;
	return NULL;
}

static bool
is_live(const struct engine *e, const char *run)
{
	const struct erun *r = erun_find(e, run);

	return r != NULL && r->file != NULL;
}

static struct late *
note(struct engine *e, const char *run)
{
	struct late *l = find(e, run);

	if (l != NULL)
		return l;
	l = mem_zalloc(sizeof *l);
	strcpy(l->id, run);
	l->since_us = clock_mono_us();
	l->asked = mem_calloc(fleet_count(e->fleet), sizeof *l->asked);
	TAILQ_INSERT_TAIL(e->lates, l, entry);
	return l;
}

void
lates_grow(struct lates *all, size_t n_old, size_t n)
{
	struct late *l;
	size_t cap;

	TAILQ_FOREACH(l, all, entry) {
		cap = n_old;
		l->asked = mem_grow(l->asked, &cap, n, sizeof *l->asked);
	}
}

/* Opens the run, when it has ended and nobody else does the same. */
static bool
open_run(struct engine *e, struct late *l)
{
	int64_t now = clock_mono_us();

	if (l->file != NULL)
		return true;
	if ((erun_find(e, l->id) != NULL && now < l->since_us + SETTLED_US) ||
	    (l->tried_us > 0 && now < l->tried_us + AGAIN_US))
		return false;
	l->tried_us = now;
	if (run_file_reopen(e->state_dir, l->id, e->who, &l->file) < 0)
		return false;
	l->epoch = run_file_epoch(l->file);
	return true;
}

static bool
has(const struct engine *e, size_t agent, const char *run)
{
	const struct agent *a = fleet_agent(e->fleet, agent);

	return a->link >= LINK_UP && a->known &&
	    strvec_find(&a->facts.runs, run) >= 0;
}

/* Those of which no agent that is there has anything are done with. */
static void
sweep(struct engine *e)
{
	struct late *l, *next;
	size_t i;

	for (l = TAILQ_FIRST(e->lates); l != NULL; l = next) {
		next = TAILQ_NEXT(l, entry);
		for (i = 0; i < fleet_count(e->fleet) && !has(e, i, l->id);)
			i++;
		if (l->n_acks == 0 && i == fleet_count(e->fleet) &&
		    !engine_artifacts_pending(e, l->id))
			late_free(e->lates, l);
	}
}

void
late_facts(struct engine *e, size_t agent)
{
	const struct strvec *runs = &fleet_agent(e->fleet, agent)->facts.runs;
	struct late *l;
	size_t i;

	if (e->read_only || fleet_agent(e->fleet, agent)->link < LINK_UP)
		return;
	for (i = 0; i < runs->n; i++) {
		if (is_live(e, runs->v[i]))
			continue;
		l = note(e, runs->v[i]);
		if (l->asked[agent] || !open_run(e, l))
			continue;
		l->asked[agent] = true;
		fleet_sync(e->fleet, agent, l->id, l->epoch);
	}
	sweep(e);
}

void
late_down(struct engine *e, size_t agent)
{
	struct late *l;

	TAILQ_FOREACH(l, e->lates, entry)
		l->asked[agent] = false;
}

struct run_file *
late_file(struct engine *e, const char *run)
{
	struct late *l = find(e, run);

	return l != NULL ? l->file : NULL;
}

void
late_ack(struct engine *e, size_t agent, const struct ident *id)
{
	struct late *l = find(e, id->run);

	l->acks = mem_grow(l->acks, &l->cap_acks, l->n_acks + 1,
	    sizeof *l->acks);
	l->acks[l->n_acks++] = (struct out){ .agent = agent, .id = *id };
	engine_touch(e);
}

static void
ended(struct engine *e, struct late *l, size_t agent, const struct report *rep)
{
	bool is_new = false;

	if (rep->state == ATTEMPT_ENDED && run_file_put_result(l->file, rep,
	    true, &is_new) < 0)
		return;
	if (is_new)
		engine_say(e, EVENT_WARNING, NULL, l->id, "execution %u: a "
		    "late result of attempt %u, %s, came after the end of the "
		    "run; it is kept and does not count", rep->id.execution,
		    rep->id.attempt, outcome_name(rep->outcome));
	if (rep->state != ATTEMPT_ENDED ||
	    !artifacts_take(e, l->file, rep))
		late_ack(e, agent, &rep->id);
	engine_touch(e);
}

void
late_report(struct engine *e, size_t agent, const struct report *rep)
{
	struct late *l = find(e, rep->id.run);

	if (l == NULL || l->file == NULL || !l->asked[agent])
		return;
	if (rep->state == ATTEMPT_QUEUED)
		fleet_take_back(e->fleet, agent, &rep->id, l->epoch);
	else if (rep->state == ATTEMPT_RUNNING)
		fleet_cancel(e->fleet, agent, &rep->id, l->epoch, GRACE_US);
	else if (rep->state == ATTEMPT_ENDED || rep->state == ATTEMPT_LOST)
		ended(e, l, agent, rep);
}

void
late_returned(struct engine *e, size_t agent, const struct ident *id,
    const char *why)
{
	struct late *l = find(e, id->run);
	struct run_attempt a = {
		.exec = id->execution,
		.attempt = id->attempt,
		.agent = fleet_agent(e->fleet, agent)->name,
		.state = ATTEMPT_RETURNED,
		.text = why,
	};

	if (l == NULL || l->file == NULL || !l->asked[agent])
		return;
	(void)run_file_put_attempt(l->file, &a);
	engine_touch(e);
}

void
late_turn(struct engine *e)
{
	struct late *l, *next;
	size_t i;

	for (l = TAILQ_FIRST(e->lates); l != NULL; l = next) {
		next = TAILQ_NEXT(l, entry);
		if (l->n_acks == 0 && (l->file == NULL ||
		    !run_file_dirty(l->file)))
			continue;
		if (run_file_commit(l->file) < 0) {
			/* The agents keep it: tried again with their next
			 * facts. */
			late_free(e->lates, l);
			continue;
		}
		for (i = 0; i < l->n_acks; i++) {
			fleet_ack_files(e->fleet, l->acks[i].agent,
			    &l->acks[i].id, l->epoch);
			fleet_ack(e->fleet, l->acks[i].agent, &l->acks[i].id,
			    l->epoch);
		}
		l->n_acks = 0;
	}
}
