/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Limits by name over all processes of a state folder: leases in the
 * registry.
 *
 * What always holds:
 *  1. A process decides what takes such a limit only inside a transaction of
 *     the registry, after it has read what others hold. So no two of them
 *     give away the same unit.
 *  2. A lease is on the disk before its work is sent, and goes only after its
 *     attempt is known to have ended, or was given back, or was declared
 *     dead.
 *  3. A lease whose owner died stays until its agent says that it no longer
 *     has the attempt (elsewhere.c), or until the run is adopted.
 *  4. A process whose runs share no limit never opens a transaction.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"

#include "engine/leases.h"

/* As long as others hold something: whether they still live. */
#define LOOK_EVERY_US US_PER_S
/* So long a first decision waits for what agents say that are being
 * connected to. */
#define AWAIT_US (3 * US_PER_S)
/* So many limits of one attempt are leased without a further allocation. */
#define HOLDS_FEW 16

struct ident
leases_key(const struct ident *id)
{
	struct ident key;

	memset(&key, 0, sizeof key);
	strcpy(key.run, id->run);
	key.execution = id->execution;
	key.attempt = id->attempt;
	return key;
}

static struct ident
key_of(const struct erun *r, struct sched_id id)
{
	struct ident full = { .execution = id.exec, .attempt = id.attempt };

	strcpy(full.run, r->live.id);
	return leases_key(&full);
}

static bool
any_shares(const struct engine *e)
{
	const struct erun *r;

	TAILQ_FOREACH(r, &e->runs, entry)
		if (r->file != NULL && sched_run_shares(e->sched, r->handle))
			return true;
	return false;
}

void
leases_look_again(struct engine *e)
{
	e->leases->stale = true;
	if (any_shares(e))
		engine_wake(e);
}

static void
look_due(void *arg)
{
	leases_look_again(arg);
}

/* Its own commits change the file too; the database tells them apart. */
static void
file_changed(void *arg)
{
	if (any_shares(arg))
		engine_wake(arg);
}

void
leases_facts(struct engine *e, size_t agent)
{
	const struct facts *f = &fleet_agent(e->fleet, agent)->facts;
	struct leases *l = e->leases;
	bool was = l->foreign[agent];
	uint32_t i;

	l->dead[agent] = l->foreign[agent] = false;
	for (i = 0; i < f->n_holders && !l->foreign[agent]; i++)
		l->foreign[agent] = erun_find(e, f->holders[i].id.run) == NULL;
	if (was || l->foreign[agent] || l->orphans != NULL)
		leases_look_again(e);
}

struct leases *
leases_new(struct engine *e)
{
	struct leases *l = mem_zalloc(sizeof *l);

	l->e = e;
	l->stale = true;
	l->timer = timer_new(e->loop, look_due, e);
	l->until_us = clock_mono_us() + AWAIT_US;
	l->dead = mem_calloc(fleet_count(e->fleet), sizeof *l->dead);
	l->foreign = mem_calloc(fleet_count(e->fleet), sizeof *l->foreign);
	return l;
}

void
leases_grow(struct leases *l, size_t n_old, size_t n)
{
	size_t cap = n_old;

	l->dead = mem_grow(l->dead, &cap, n, sizeof *l->dead);
	cap = n_old;
	l->foreign = mem_grow(l->foreign, &cap, n, sizeof *l->foreign);
}

void
leases_free(struct leases *l)
{
	struct own *o, *next;

	if (l == NULL)
		return;
	HASH_ITER(hh, l->own, o, next) {
		HASH_DEL(l->own, o);
		free(o);
	}
	elsewhere_done(l);
	filewatch_free(l->watch);
	timer_free(l->timer);
	free(l->dead);
	free(l->foreign);
	free(l);
}

/* An agent may still say for the first time what attempts of other state
 * folders hold. */
static bool
is_awaited(const struct agent *a)
{
	return !a->known && a->error == NULL && a->next_try_us == 0 &&
	    a->link != LINK_ASKING;
}

static void
await(struct engine *e)
{
	struct leases *l = e->leases;
	int64_t now = clock_mono_us();
	bool on = false;
	size_t i;

	if (l->until_us == 0)
		return;
	for (i = 0; i < fleet_count(e->fleet) && l->until_us > now && !on; i++)
		on = is_awaited(fleet_agent(e->fleet, i));
	if (on)
		timer_start(l->timer, l->until_us - now);
	else
		l->until_us = 0;
	sched_await_elsewhere(e->sched, on, now);
}

static int
begin_failed(struct leases *l, int code)
{
	if (code != ERR_TIMEOUT)
		l->failed = code;
	return code;
}

int
leases_begin(struct engine *e)
{
	struct leases *l = e->leases;
	bool changed = true;
	int r;

	if (!any_shares(e) && !l->freed)
		return 0;
	/* Without the watch the timer still looks. */
	if (l->watch == NULL)
		(void)filewatch_new(e->loop, registry_path(e->registry),
		    file_changed, e, &l->watch);
	if ((r = registry_lease_begin(e->registry)) < 0)
		return begin_failed(l, r);
	l->open = true;
	l->put_failed = 0;
	if ((r = registry_changed(e->registry, &changed)) == 0 &&
	    (changed || l->stale))
		r = elsewhere_look(e);
	if (r < 0) {
		(void)registry_lease_end(e->registry, false);
		l->open = false;
		return begin_failed(l, r);
	}
	l->stale = false;
	if (l->n_elsewhere > 0)
		timer_start(l->timer, LOOK_EVERY_US);
	await(e);
	return 0;
}

static int
put_all(struct engine *e, const struct ident *id, const char *agent,
    const struct facts *f, const struct hold *v, uint32_t n)
{
	struct lease lease = {
		.id = *id, .owner = e->owner_text, .agent = agent,
		.host = f->host, .instance = f->instance,
		.since_wall_us = clock_wall_us(),
	};
	uint32_t i;
	int r = 0;

	for (i = 0; i < n && r == 0; i++) {
		lease.hold = v[i];
		r = registry_lease_put(e->registry, &lease);
	}
	return r;
}

bool
leases_take(struct engine *e, struct erun *r, struct sched_id id)
{
	struct hold few[HOLDS_FEW], *v = few;
	struct leases *l = e->leases;
	uint32_t n, agent = sched_holder(e->sched, id);
	const struct agent *a;
	struct own *o;
	int rc;

	if (!l->open || agent == SCHED_NONE ||
	    (n = sched_holds(e->sched, id, few, HOLDS_FEW)) == 0)
		return false;
	if (n > HOLDS_FEW) {
		v = mem_calloc(n, sizeof *v);
		sched_holds(e->sched, id, v, n);
	}
	o = mem_zalloc(sizeof *o);
	o->id = key_of(r, id);
	HASH_ADD(hh, l->own, id, sizeof o->id, o);
	a = fleet_agent(e->fleet, agent);
	if ((rc = put_all(e, &o->id, a->name, &a->facts, v, n)) < 0)
		l->put_failed = rc;
	if (v != few)
		free(v);
	return true;
}

void
leases_drop(struct engine *e, struct erun *r, struct sched_id id)
{
	struct ident key = key_of(r, id);
	struct own *o;

	if (!sched_run_shares(e->sched, r->handle))
		return;
	HASH_FIND(hh, e->leases->own, &key, sizeof key, o);
	if (o == NULL) {
		o = mem_zalloc(sizeof *o);
		o->id = key;
		HASH_ADD(hh, e->leases->own, id, sizeof o->id, o);
	}
	o->freed = e->leases->freed = true;
}

static int
drop_freed(struct engine *e)
{
	struct own *o, *next;
	int r = 0;

	if (!e->leases->freed)
		return 0;
	HASH_ITER(hh, e->leases->own, o, next)
		if (o->freed && r == 0)
			r = registry_lease_drop(e->registry, &o->id);
	return r;
}

static void
forget_freed(struct leases *l)
{
	struct own *o, *next;

	if (!l->freed)
		return;
	HASH_ITER(hh, l->own, o, next)
		if (o->freed) {
			HASH_DEL(l->own, o);
			free(o);
		}
	l->freed = false;
}

int
leases_end(struct engine *e)
{
	struct leases *l = e->leases;
	int r;

	if (!l->open)
		return 0;
	l->open = false;
	r = l->put_failed < 0 ? l->put_failed : drop_freed(e);
	if (r < 0)
		(void)registry_lease_end(e->registry, false);
	else
		r = registry_lease_end(e->registry, true);
	if (r == 0) {
		forget_freed(l);
		return 0;
	}
	l->failed = r;
	l->stale = true;
	return r;
}

/* A row that is put and dropped again says whether the disk takes it. */
int
leases_recover(struct engine *e)
{
	struct hold none = { .kind = HOLD_LOCK, .name = (char *)(uintptr_t)"" };
	struct lease probe = { .id = { .run = "r0000000000" }, .hold = none };
	int r;

	if (e->leases->failed == 0)
		return 0;
	if ((r = registry_lease_begin(e->registry)) < 0)
		return r;
	if ((r = registry_lease_put(e->registry, &probe)) == 0)
		r = registry_lease_end(e->registry, true);
	else
		(void)registry_lease_end(e->registry, false);
	if (r < 0 || (r = registry_lease_begin(e->registry)) < 0)
		return r;
	r = registry_lease_drop(e->registry, &probe.id);
	r = registry_lease_end(e->registry, r == 0);
	if (r == 0)
		e->leases->failed = 0;
	return r;
}

void
leases_orphan(struct engine *e, const struct erun *r)
{
	struct own *o, *next;

	HASH_ITER(hh, e->leases->own, o, next)
		if (!o->freed && strcmp(o->id.run, r->live.id) == 0) {
			HASH_DEL(e->leases->own, o);
			free(o);
		}
	leases_look_again(e);
}

void
leases_agent_dead(struct engine *e, size_t agent)
{
	e->leases->dead[agent] = true;
	leases_look_again(e);
}
