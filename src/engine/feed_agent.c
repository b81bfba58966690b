/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the scheduler is told of live agents and of runs of this process. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"

#include "engine/batch.h"

struct adding {
	struct engine *e;
	struct erun *r;
};

static int
add_run(void *arg, const struct sched_run *spec)
{
	struct adding *a = arg;

	return sched_run_add(a->e->sched, spec, clock_mono_us(),
	    &a->r->handle);
}

/* The launch may be of another process, before the last boot. */
int64_t
feed_deadline_us(const struct erun *r)
{
	return clock_mono_us() + r->live.started_wall_us +
	    r->plan->deadline_us - clock_wall_us();
}

int
feed_run(struct engine *e, struct erun *r, const struct feed_state *st)
{
	struct adding a = { .e = e, .r = r };
	struct feed_state at = *st;

	at.start_us = batch_start_us(e, r->plan, r->starts);
	at.deadline_us = feed_deadline_us(r);
	at.wall_ahead_us = clock_wall_us() - clock_mono_us();
	return feed_plan(r->plan, r->live.id, &at, add_run, &a);
}

/* Workers busy with what is not ours. */
static uint32_t
others_busy(const struct engine *e, const struct facts *f)
{
	uint32_t i, n = 0;

	for (i = 0; i < f->n_workers; i++)
		if (f->workers[i].busy &&
		    erun_find(e, f->workers[i].attempt.run) == NULL)
			n++;
	return n;
}

/* Ours are counted by the scheduler, but for those that are lost. */
static bool
is_foreign(const struct engine *e, const struct ident *id)
{
	const struct erun *r = erun_find(e, id->run);

	return r == NULL || r->file == NULL || sched_uncounted(e->sched,
	    (struct sched_id){ r->handle, id->execution, id->attempt });
}

static struct sched_ration
ration_of(const struct engine *e, const struct limited *t, char **holder)
{
	struct sched_ration r = { .target = t->name };
	char id[IDENT_TEXT];
	uint32_t i, max;

	for (i = 0; i < t->n_takers; i++) {
		if (!is_foreign(e, &t->takers[i].id))
			continue;
		max = t->takers[i].max;
		if (max > 0 && (r.max == 0 || max < r.max))
			r.max = max;
		if (r.taken++ == 0)
			r.holder = *holder = str_fmt("%s (%s)", ident_format(
			    &t->takers[i].id, id), t->takers[i].owner != NULL ?
			    t->takers[i].owner : "?");
	}
	return r;
}

/* What others have of targets there; the texts are owned by holders, an array
 * of as many. */
static struct sched_ration *
rations_of(const struct engine *e, const struct agent *a, char ***holders)
{
	struct sched_ration *v = mem_calloc(a->facts.n_targets, sizeof *v);
	uint32_t i;

	*holders = mem_calloc(a->facts.n_targets, sizeof **holders);
	for (i = 0; i < a->facts.n_targets; i++)
		v[i] = ration_of(e, &a->facts.targets[i], &(*holders)[i]);
	return v;
}

static char *
stop_text(const struct stop_note *s)
{
	if (!s->on)
		return NULL;
	return str_fmt("%s%s%s", s->who != NULL ? s->who : "somebody",
	    s->note != NULL ? ": " : "", s->note != NULL ? s->note : "");
}

/* Workers that a person has with this one. */
static uint32_t
taken_with(const struct facts *f, uint16_t no)
{
	uint32_t i, take = 0, n = 0;

	for (i = 0; i < f->n_workers; i++)
		if (f->workers[i].no == no)
			take = f->workers[i].take;
	for (i = 0; take != 0 && i < f->n_workers; i++)
		n += f->workers[i].busy && f->workers[i].take == take;
	return n;
}

/* What an op would make of them. */
static void
facts_after(struct sched_agent *s, const struct facts *f, const struct op *op)
{
	struct threshold t = f->threshold;

	if (op->kind == OP_SET && op->set_max)
		s->max_workers = op->max_workers;
	if (op->kind == OP_SET && op->set_threshold)
		t = op->threshold;
	if (op->kind == OP_SET)
		s->threshold = threshold_effective(&t, s->max_workers);
	s->draining = op->kind == OP_DRAIN ||
	    (s->draining && op->kind != OP_UNDRAIN);
	s->held = op->kind == OP_HOLD || (s->held && op->kind != OP_RELEASE);
	s->benched = s->benched && op->kind != OP_CLEAR;
	s->up = s->up || op->kind == OP_RECONNECT;
	if (op->kind == OP_SET && op->set_guards != 0)
		s->guard = NULL;
	if (op->kind == OP_GIVE_BACK)
		s->other_busy -= taken_with(f, op->worker);
}

/* What "labels+=a,b targets+=c" adds to the list of that key. */
static void
list_after(struct strvec *to, const struct strvec *from, const char *edit,
    const char *key)
{
	const char *at = edit != NULL ? strstr(edit, key) : NULL;
	size_t n;

	strvec_push_all(to, from);
	for (at = at != NULL ? at + strlen(key) : ""; *at != '\0' &&
	    *at != ' '; at += n + (at[n] == ',')) {
		n = strcspn(at, ", ");
		strvec_push_owned(to, str_ndup(at, n));
	}
}

void
feed_agent(struct engine *e, size_t agent)
{
	feed_agent_into(e, agent, e->sched, NULL);
	engine_wake(e);
}

void
feed_agent_into(struct engine *e, size_t agent, struct sched *to,
    const struct op *op)
{
	const struct agent *a = fleet_agent(e->fleet, agent);
	const struct agent_spec *spec = &e->spec->agents[agent];
	const struct facts *f = &a->facts;
	char *draining = stop_text(&f->draining), *held = stop_text(&f->held);
	struct strvec labels = STRVEC_INIT, targets = STRVEC_INIT;
	const char *edit = op != NULL && op->kind == OP_SET ? op->key : NULL;
	struct sched_ration *rations;
	struct sched_pool *pools;
	struct sched_agent s;
	char **holders;
	size_t i;

	if (edit != NULL) {
		list_after(&labels, &spec->labels, edit, "labels+=");
		list_after(&targets, &spec->targets, edit, "targets+=");
	}
	rations = rations_of(e, a, &holders);
	pools = mem_calloc(spec->n_instances, sizeof *pools);
	for (i = 0; i < spec->n_instances; i++)
		pools[i] = (struct sched_pool){
			.target = spec->instances[i].target,
			.names = &spec->instances[i].names,
		};
	s = (struct sched_agent){
		.name = a->name,
		.gone = spec->removed,
		.labels = edit != NULL ? &labels : &spec->labels,
		.targets = edit != NULL ? &targets : &spec->targets,
		.pools = pools,
		.n_pools = (uint32_t)spec->n_instances,
		.rations = rations,
		.n_rations = f->n_targets,
		.up = (a->link == LINK_UP || a->link == LINK_STALE) &&
		    a->known && e->syncing[agent] == 0,
		.no_secrets = a->known && !a->takes_secrets,
		.draining = f->draining.on,
		.held = f->held.on,
		.benched = a->benched,
		.probe = bench_state(e->bench, (uint32_t)agent) ==
		    BENCH_PROBED,
		.offline_text = a->error,
		.draining_text = draining,
		.held_text = held,
		.benched_text = a->errors,
		.guard = f->guard,
		.since_us = a->link_since_us,
		.max_workers = a->known ? f->max_workers : 0,
		.threshold = a->known ? f->effective : 0,
		.other_busy = a->known ? others_busy(e, f) : 0,
		.rtt_us = a->answer_us > a->rtt_us ? a->answer_us : a->rtt_us,
		.speed = a->speed,
	};
	if (op != NULL)
		facts_after(&s, f, op);
	sched_agent_set(to, (uint32_t)agent, &s, clock_mono_us());
	strvec_done(&labels);
	strvec_done(&targets);
	for (i = 0; i < f->n_targets; i++)
		free(holders[i]);
	free(holders);
	free(rations);
	free(pools);
	free(draining);
	free(held);
}
