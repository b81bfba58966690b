/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine: made, freed, and what views read of it. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/paths.h"
#include "yardmaster/sys/proc.h"

#include "engine/engine_private.h"

void
engine_touch(struct engine *e)
{
	e->generation++;
	loop_poke(e->loop);
}

void
engine_wake(struct engine *e)
{
	e->changed = true;
	engine_touch(e);
}

void
engine_hurry(struct engine *e)
{
	e->turned_us = 0;
	engine_wake(e);
}

static void
wake_due(void *arg)
{
	engine_wake(arg);
}

/* Views look again at what time changes, as long as a run lives. */
static void
view_due(void *arg)
{
	struct engine *e = arg;
	struct erun *r;

	due_look(e);
	holds_look(e);
	view_refresh(e);
	fleet_live_retire(e);
	e->notified = ++e->generation;
	if (e->on_change != NULL)
		e->on_change(e->on_change_arg);
	TAILQ_FOREACH(r, &e->runs, entry)
		if (r->file != NULL && !timer_armed(e->view))
			timer_start(e->view, US_PER_S);
}

/* The file has all that was put. Results that came meanwhile were not: agents
 * have them until they are acknowledged, and are asked to repeat them. */
static int
recover_run(struct engine *e, struct erun *r)
{
	size_t i;

	if (run_file_recover(r->file) < 0)
		return ERR_STORE;
	r->failed = false;
	for (i = 0; i < fleet_count(e->fleet); i++)
		if (fleet_agent(e->fleet, i)->link >= LINK_UP) {
			r->repeats[i] = true;
			fleet_sync(e->fleet, i, r->live.id, r->epoch);
		}
	return 0;
}

/* A file that could not be written is tried again, but never between a report
 * and the turn that acknowledges it: that report would be rolled back. */
static void
recover_due(void *arg)
{
	struct engine *e = arg;
	bool again = e->n_out > 0;
	struct erun *r;

	TAILQ_FOREACH(r, &e->runs, entry)
		if (r->failed && (e->n_out > 0 || recover_run(e, r) < 0))
			again = true;
	if (leases_recover(e) < 0)
		again = true;
	if (again) {
		timer_start(e->recover, 2 * US_PER_S);
		return;
	}
	free(e->paused);
	e->paused = NULL;
	engine_gate(e);
	engine_say(e, EVENT_INFO, NULL, NULL, "what is recorded can be written "
	    "again; dispatch goes on");
	engine_wake(e);
}

const char *
engine_paused(const struct engine *e)
{
	return e->paused != NULL ? e->paused : e->stopped;
}

void
engine_gate(struct engine *e)
{
	sched_pause(e->sched, engine_paused(e), clock_mono_us());
}

static int
open_state(struct engine *e, const char *dir, struct diags *ds)
{
	int r = 0;

	if (dir != NULL)
		e->state_dir = str_dup(dir);
	else
		r = paths_state(&e->state_dir);
	if (r < 0) {
		diag_add(ds, DIAG_ERROR, NULL, 0, NULL,
		    "there is no state folder: set HOME");
		return r;
	}
	if ((r = fs_mkdirs(e->state_dir)) < 0 ||
	    (r = fs_private_dir(e->state_dir)) < 0 ||
	    (r = registry_open(e->state_dir, &e->registry)) < 0)
		diag_add(ds, DIAG_ERROR, e->state_dir, 0, NULL,
		    "the state folder cannot be used: %s", err_text(r));
	return r;
}

int
engine_new(struct loop *loop, const struct engine_opts *opts,
    struct diags *ds, struct engine **ret)
{
	struct engine *e = mem_zalloc(sizeof *e);
	size_t i;
	int r;

	e->loop = loop;
	e->spec = opts->fleet;
	TAILQ_INIT(&e->recorded);
	e->who = str_dup(opts->who);
	e->owner_text = str_fmt("%s pid %d", opts->who, (int)getpid());
	e->read_only = opts->read_only;
	TAILQ_INIT(&e->runs);
	e->lates = lates_new();
	e->sched = sched_new();
	e->bench = bench_new((uint32_t)opts->fleet->n_agents);
	e->syncing = mem_calloc(opts->fleet->n_agents, sizeof *e->syncing);
	e->facts_us = mem_calloc(opts->fleet->n_agents, sizeof *e->facts_us);
	e->turn = timer_new(loop, wake_due, e);
	e->wake = timer_new(loop, wake_due, e);
	TAILQ_INIT(&e->artifacts);
	e->artifacts_timer = timer_new(loop, artifacts_turn, e);
	e->view = timer_new(loop, view_due, e);
	e->recover = timer_new(loop, recover_due, e);
	/* Before the fleet's own hook: what a turn decides leaves with it. */
	loop_hook(loop, engine_turn, e);
	if ((r = open_state(e, opts->state_dir, ds)) == 0)
		r = fleet_new(loop, e->spec, e->who, e->read_only,
		    &engine_fleet_ops, e, &e->fleet);
	if (r < 0) {
		engine_free(e);
		return r;
	}
	e->leases = leases_new(e);
	fleet_live_open(e);
	/* The scheduler knows the agents before any run that names them. */
	for (i = 0; i < fleet_count(e->fleet); i++)
		feed_agent(e, i);
	if (engine_bench_open(e) < 0)
		engine_say(e, EVENT_WARNING, NULL, NULL,
		    "which agents are benched could not be read");
	engine_learn_speeds(e);
	foreign_refresh(e);
	*ret = e;
	return 0;
}

void
engine_free(struct engine *e)
{
	struct erun *r;
	size_t i;

	if (e == NULL)
		return;
	loop_unhook(e->loop, engine_turn, e);
	schedules_free(e->schedules);
	artifacts_free(e);
	filewatch_free(e->edits);
	free(e->fleet_option);
	fleet_free(e->fleet);
	timer_free(e->turn);
	timer_free(e->wake);
	timer_free(e->view);
	free(e->stopped);
	stop_note_done(&e->stop);
	timer_free(e->probe);
	free(e->paused);
	timer_free(e->recover);
	leases_free(e->leases);
	lates_free(e->lates);
	while ((r = TAILQ_FIRST(&e->runs)) != NULL) {
		TAILQ_REMOVE(&e->runs, r, entry);
		erun_free(e, r);
	}
	for (i = 0; i < e->n_out; i++)
		free(e->out[i].instance);
	free(e->out);
	foreign_done(e);
	recorded_done(e);
	sched_decisions_done(&e->decisions);
	sched_free(e->sched);
	bench_free(e->bench);
	registry_close(e->registry);
	engine_events_done(e);
	free(e->syncing);
	free(e->facts_us);
	free(e->state_dir);
	free(e->who);
	free(e->owner_text);
	secrets_done(&e->known);
	proc_dumpable(true);
	free(e);
}

void
engine_on_change(struct engine *e, void (*fn)(void *arg), void *arg)
{
	e->on_change = fn;
	e->on_change_arg = arg;
}

uint64_t
engine_generation(const struct engine *e)
{
	return e->generation;
}

bool
engine_read_only(const struct engine *e)
{
	return e->read_only;
}

const char *
engine_fleet_name(const struct engine *e)
{
	return e->spec->name;
}

size_t
engine_agent_count(const struct engine *e)
{
	return fleet_count(e->fleet);
}

const struct agent *
engine_agent(const struct engine *e, size_t i)
{
	return fleet_agent(e->fleet, i);
}

int
engine_agent_find(const struct engine *e, const char *name)
{
	return fleet_index(e->fleet, name);
}

size_t
engine_run_count(const struct engine *e)
{
	const struct erun *r;
	size_t n = e->n_foreign;

	TAILQ_FOREACH(r, &e->runs, entry)
		n++;
	return n;
}

const struct run *
engine_run(const struct engine *e, size_t i)
{
	const struct erun *r;

	TAILQ_FOREACH(r, &e->runs, entry)
		if (i-- == 0)
			return &r->live;
	return &e->foreign[i];
}

const struct run *
engine_run_find(const struct engine *e, const char *id)
{
	const struct erun *r = erun_find(e, id);
	size_t i;

	if (r != NULL)
		return &r->live;
	for (i = 0; i < e->n_foreign; i++)
		if (strcmp(e->foreign[i].id, id) == 0)
			return &e->foreign[i];
	return NULL;
}

const struct execution *
engine_execution_find(const struct engine *e, const struct ident *id)
{
	const struct erun *r = erun_find(e, id->run);

	if (r == NULL || id->execution == 0 || id->execution > r->live.n)
		return NULL;
	return &r->live.executions[id->execution - 1];
}

void
engine_why(const struct engine *e, const struct ident *id, struct why *ret)
{
	const struct erun *r = erun_find(e, id->run);

	*ret = (struct why){ NULL, 0 };
	if (r == NULL)
		why_add(ret, REASON_NO_OWNER, 0,
		    "no process drives this run; resume takes it over");
	else if (r->file != NULL && id->execution > 0 &&
	    id->execution <= r->live.n)
		view_why(e, r, id->execution, clock_mono_us(), ret);
	view_holders(e, clock_mono_us(), ret);
}

void
engine_answer(struct engine *e, const char *agent, const char *answer)
{
	int i = fleet_index(e->fleet, agent);

	if (i >= 0)
		fleet_answer(e->fleet, (size_t)i, answer);
}

void
engine_interactive(struct engine *e, bool on)
{
	fleet_interactive(e->fleet, on);
}
