/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who holds limits outside of this process: the leases of other owners, of
 * owners that are dead, and what agents report of attempts of other state
 * folders. A lease without owner is free once its agent, asked late enough
 * that nothing can still be on its way, does not have the attempt.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"

#include "engine/leases.h"

/* What a dead owner wrote to an agent has arrived or never will. */
#define SETTLED_US US_PER_S

struct held {
	struct hold hold;
	uint32_t agent;
	char *text;
};

/* What parts that run together hold once for all. */
struct once {
	char *key;
	UT_hash_handle hh;
};

struct look {
	struct engine *e;
	struct held *v;
	size_t n, cap;
	struct ident *ended;	/* orphans whose attempt is gone */
	size_t n_ended, cap_ended;
	char run[RUN_ID_SIZE];	/* whose owner is known: */
	char *owner;		/* NULL: none lives */
	struct ident *counted;	/* that agents reported */
	size_t n_counted, cap_counted;
	struct once *once;
};

void
elsewhere_done(struct leases *l)
{
	struct orphan *o, *next;

	HASH_ITER(hh, l->orphans, o, next) {
		HASH_DEL(l->orphans, o);
		free(o);
	}
}

/* True when another part of the same group has said it. */
static bool
was_said(struct look *k, const struct hold *h, const char *run)
{
	struct once *o;
	char *key;

	if (h->group == 0)
		return false;
	key = str_fmt("%s/%u %d %s\n%s", run, h->group, (int)h->kind,
	    h->name, h->other != NULL ? h->other : "");
	HASH_FIND_STR(k->once, key, o);
	if (o != NULL) {
		free(key);
		return true;
	}
	o = mem_zalloc(sizeof *o);
	o->key = key;
	HASH_ADD_KEYPTR(hh, k->once, o->key, strlen(o->key), o);
	return false;
}

/* Of that run; the text becomes its own. */
static void
add(struct look *k, const char *run, const struct hold *hold, uint32_t agent,
    char *text)
{
	struct held *h;

	if (was_said(k, hold, run)) {
		free(text);
		return;
	}
	k->v = mem_grow(k->v, &k->cap, k->n + 1, sizeof *k->v);
	h = &k->v[k->n++];
	hold_copy(&h->hold, hold);
	h->agent = agent;
	h->text = text;
}

static bool
same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* The agent of this fleet that a lease is about: that of the same host and
 * instance, whatever either fleet calls it. */
static uint32_t
agent_of(const struct engine *e, const struct lease *l)
{
	const struct agent *a;
	size_t i;

	for (i = 0; i < fleet_count(e->fleet); i++) {
		a = fleet_agent(e->fleet, i);
		if (a->known && same(a->facts.host, l->host) &&
		    same(a->facts.instance, l->instance))
			return (uint32_t)i;
	}
	return SCHED_NONE;
}

static bool
is_held(const struct facts *f, const struct ident *id)
{
	uint32_t i;

	for (i = 0; i < f->n_holders; i++)
		if (ident_equal(&f->holders[i].id, id))
			return true;
	return false;
}

static struct orphan *
orphan_of(struct leases *l, const struct ident *id)
{
	struct ident key = leases_key(id);
	struct orphan *o;

	HASH_FIND(hh, l->orphans, &key, sizeof key, o);
	if (o == NULL) {
		o = mem_zalloc(sizeof *o);
		o->id = key;
		o->since_us = clock_mono_us();
		HASH_ADD(hh, l->orphans, id, sizeof o->id, o);
	}
	o->seen = true;
	return o;
}

/* Whether nothing of an attempt without owner is left on its agent. */
static bool
is_over(struct look *k, const struct lease *l, uint32_t agent)
{
	struct orphan *o = orphan_of(k->e->leases, &l->id);
	const struct agent *a;

	if (agent == SCHED_NONE)
		return false;
	a = fleet_agent(k->e->fleet, agent);
	if (k->e->leases->dead[agent] && a->link < LINK_UP)
		return true;
	return a->facts.all_holders && !is_held(&a->facts, &l->id) &&
	    a->facts_us > o->since_us + SETTLED_US;
}

/* Rows of one attempt follow each other. */
static bool
is_last_ended(const struct look *k, const struct ident *id)
{
	return k->n_ended > 0 && ident_equal(&k->ended[k->n_ended - 1], id);
}

static void
over(struct look *k, const struct lease *l)
{
	struct engine *e = k->e;

	engine_say(e, EVENT_INFO, NULL, l->id.run, "%s %s%s%s is free again: "
	    "execution %u of %s, which nobody drives, has ended on %s",
	    hold_kind_name(l->hold.kind), l->hold.name,
	    l->hold.other != NULL ? " and " : "",
	    l->hold.other != NULL ? l->hold.other : "", l->id.execution,
	    l->id.run, l->agent != NULL ? l->agent : "?");
	if (is_last_ended(k, &l->id))
		return;
	k->ended = mem_grow(k->ended, &k->cap_ended, k->n_ended + 1,
	    sizeof *k->ended);
	k->ended[k->n_ended++] = l->id;
}

/* The live owner of a run that is not driven here, or NULL. */
static const char *
owner_of(struct look *k, const char *run)
{
	struct run_owner o = { .who = NULL };

	if (strcmp(k->run, run) == 0)
		return k->owner;
	strcpy(k->run, run);
	free(k->owner);
	k->owner = NULL;
	if (run_owner_read(k->e->state_dir, run, &o) == 0)
		k->owner = run_owner_text(&o);
	run_owner_done(&o);
	return k->owner;
}

static int
look_at(void *arg, const struct lease *l)
{
	struct look *k = arg;
	struct engine *e = k->e;
	const struct erun *r = erun_find(e, l->id.run);
	bool driven = r != NULL && r->file != NULL;
	struct ident key = leases_key(&l->id);
	const char *owner;
	uint32_t agent;
	struct own *o;

	HASH_FIND(hh, e->leases->own, &key, sizeof key, o);
	if (o == NULL && driven && sched_holds(e->sched, (struct sched_id){
	    r->handle, key.execution, key.attempt }, NULL, 0) > 0) {
		/* Taken before this process took over. */
		o = mem_zalloc(sizeof *o);
		o->id = key;
		HASH_ADD(hh, e->leases->own, id, sizeof o->id, o);
	}
	if (o != NULL)
		return 0;
	owner = driven ? NULL : owner_of(k, l->id.run);
	agent = agent_of(e, l);
	if (owner == NULL && is_over(k, l, agent))
		over(k, l);
	else if (owner != NULL)
		add(k, l->id.run, &l->hold, agent, str_fmt("%s/%u on %s (%s, alive)",
		    l->id.run, l->id.execution, l->agent, owner));
	else
		add(k, l->id.run, &l->hold, agent, str_fmt("%s/%u on %s (%s, "
		    "%s; until it has ended there)", l->id.run, l->id.execution,
		    l->agent, l->owner != NULL ? l->owner : "?", driven ?
		    "lost" : "dead"));
	return 0;
}

/* ---- what agents report ------------------------------------------------------ */

static bool
is_counted(struct look *k, const struct ident *id)
{
	size_t i;

	for (i = 0; i < k->n_counted; i++)
		if (ident_equal(&k->counted[i], id))
			return true;
	k->counted = mem_grow(k->counted, &k->cap_counted, k->n_counted + 1,
	    sizeof *k->counted);
	k->counted[k->n_counted++] = *id;
	return false;
}

/* Runs of this state folder have leases, those that end now too. */
static bool
is_of_folder(const struct engine *e, const char *run)
{
	char *path = run_path(e->state_dir, run, ".db");
	bool is = erun_find(e, run) != NULL || fs_exists(path);

	free(path);
	return is;
}

static void
look_at_agent(struct look *k, uint32_t agent)
{
	const struct agent *a = fleet_agent(k->e->fleet, agent);
	const struct holder *h;
	uint32_t i, j;

	for (i = 0; a->known && i < a->facts.n_holders; i++) {
		h = &a->facts.holders[i];
		if (is_of_folder(k->e, h->id.run) || is_counted(k, &h->id))
			continue;
		for (j = 0; j < h->n_holds; j++)
			add(k, h->id.run, &h->holds[j], agent, str_fmt("%s/%u "
			    "on %s (%s, another state folder)", h->id.run,
			    h->id.execution, a->name,
			    h->owner != NULL ? h->owner : "?"));
	}
}

/* ---- the look ------------------------------------------------------------------- */

static void
forget_unseen(struct leases *l)
{
	struct orphan *o, *next;

	HASH_ITER(hh, l->orphans, o, next) {
		if (o->seen) {
			o->seen = false;
			continue;
		}
		HASH_DEL(l->orphans, o);
		free(o);
	}
}

static int
drop_ended(struct look *k)
{
	size_t i;
	int r = 0;

	for (i = 0; i < k->n_ended && r == 0; i++)
		r = registry_lease_drop(k->e->registry, &k->ended[i]);
	return r;
}

static void
tell(struct look *k)
{
	struct sched_elsewhere *v = mem_calloc(k->n, sizeof *v);
	size_t i;

	for (i = 0; i < k->n; i++)
		v[i] = (struct sched_elsewhere){
			.hold = &k->v[i].hold, .agent = k->v[i].agent,
			.holder = k->v[i].text,
		};
	sched_held_elsewhere(k->e->sched, v, k->n, clock_mono_us());
	k->e->leases->n_elsewhere = k->n;
	free(v);
}

static void
look_done(struct look *k)
{
	struct once *o, *next;
	size_t i;

	HASH_ITER(hh, k->once, o, next) {
		HASH_DEL(k->once, o);
		free(o->key);
		free(o);
	}
	for (i = 0; i < k->n; i++) {
		hold_done(&k->v[i].hold);
		free(k->v[i].text);
	}
	free(k->v);
	free(k->ended);
	free(k->counted);
	free(k->owner);
}

int
elsewhere_look(struct engine *e)
{
	struct look k = { .e = e };
	uint32_t i;
	int r;

	if ((r = registry_lease_each(e->registry, look_at, &k)) == 0)
		r = drop_ended(&k);
	for (i = 0; r == 0 && i < fleet_count(e->fleet); i++)
		look_at_agent(&k, i);
	if (r == 0) {
		forget_unseen(e->leases);
		tell(&k);
	}
	look_done(&k);
	return r;
}
