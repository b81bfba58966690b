/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From a plan and the fleet to what the scheduler is told. Executions with
 * equal terms, sides of exclusions and suite limits share one entry.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"

#include "engine/feed.h"
#include "engine/feed_batch.h"

struct terms_entry {
	UT_hash_handle hh;
	uint32_t index;
	size_t n;
	uint8_t key[];		/* plan terms, sides, suite limits */
};

/* All that a spec borrows while it is being built. */
struct feed {
	const struct plan *p;
	struct sched_run spec;
	struct sched_lock *locks;
	uint32_t *suite_lock;	/* by suite: lock of its max_parallel */
	struct sched_target *targets;
	struct sched_pair *pairs;
	struct strvec pair_names;
	uint32_t *suite_node, *test_node;	/* SCHED_NONE: none */
	uint32_t n_nodes;
	struct terms_entry *by_key;
	struct sched_terms *terms;
	size_t n_terms, cap_terms;
	struct sched_list *lists;
	size_t n_lists, cap_lists;
	struct feed_batches batches;
	uint64_t *keys;
	struct sched_exec *execs;
	void **owned;		/* arrays inside terms and lists */
	size_t n_owned, cap_owned;
};

static void *
own(struct feed *f, void *p)
{
	f->owned = mem_grow(f->owned, &f->cap_owned, f->n_owned + 1,
	    sizeof *f->owned);
	f->owned[f->n_owned++] = p;
	return p;
}

static void
feed_done(struct feed *f)
{
	struct terms_entry *t, *tmp;
	size_t i;

	HASH_ITER(hh, f->by_key, t, tmp) {
		HASH_DEL(f->by_key, t);
		free(t);
	}
	for (i = 0; i < f->n_owned; i++)
		free(f->owned[i]);
	free(f->owned);
	feed_batches_done(&f->batches);
	strvec_done(&f->pair_names);
	free(f->locks);
	free(f->suite_lock);
	free(f->targets);
	free(f->pairs);
	free(f->suite_node);
	free(f->test_node);
	free(f->terms);
	free(f->lists);
	free(f->keys);
	free(f->execs);
}

/* The plan's locks, then one for each suite with a max_parallel. */
static void
feed_locks(struct feed *f)
{
	const struct plan *p = f->p;
	uint32_t i, n = p->n_locks;

	f->locks = mem_calloc(p->n_locks + p->n_suites, sizeof *f->locks);
	f->suite_lock = mem_calloc(p->n_suites, sizeof *f->suite_lock);
	for (i = 0; i < p->n_locks; i++)
		f->locks[i] = (struct sched_lock){
			.name = p->locks[i].name,
			/* Amended away: nobody of this run takes it. */
			.capacity = p->locks[i].capacity > 0 ?
			    p->locks[i].capacity : UINT32_MAX,
		};
	for (i = 0; i < p->n_suites; i++) {
		f->suite_lock[i] = SCHED_NONE;
		if (p->suites[i].max_parallel == 0)
			continue;
		f->suite_lock[i] = n;
		f->locks[n++] = (struct sched_lock){
			.name = own(f, str_fmt("%s suite %s", f->spec.id,
			    p->suites[i].path)),
			.capacity = p->suites[i].max_parallel,
			.parallel = true,
		};
	}
	f->spec.locks = f->locks;
	f->spec.n_locks = n;
}

static void
feed_targets(struct feed *f)
{
	const struct plan *p = f->p;
	uint32_t i;

	f->targets = mem_calloc(p->n_targets, sizeof *f->targets);
	for (i = 0; i < p->n_targets; i++)
		f->targets[i] = (struct sched_target){
			.name = p->targets[i].name,
			.max_per_agent = p->targets[i].max_per_agent,
			.max = p->targets[i].max,
			.instances = &p->targets[i].instances,
		};
	f->spec.targets = f->targets;
	f->spec.n_targets = p->n_targets;
}

static void
push_ref(struct feed *f, const struct plan_ref *ref)
{
	struct buf b = BUF_INIT;

	plan_ref_format(f->p, ref, &b);
	strvec_push_owned(&f->pair_names, buf_steal(&b));
}

static void
feed_pairs(struct feed *f)
{
	const struct plan *p = f->p;
	uint32_t i;

	f->pairs = mem_calloc(p->n_pairs, sizeof *f->pairs);
	for (i = 0; i < p->n_pairs; i++) {
		push_ref(f, &p->pairs[i].a);
		push_ref(f, &p->pairs[i].b);
	}
	for (i = 0; i < p->n_pairs; i++)
		f->pairs[i] = (struct sched_pair){
			.a = f->pair_names.v[2 * i],
			.b = f->pair_names.v[2 * i + 1],
		};
	f->spec.pairs = f->pairs;
	f->spec.n_pairs = p->n_pairs;
}

static uint32_t *
node_of(struct feed *f, const struct plan_ref *ref)
{
	return ref->is_test ? &f->test_node[ref->index] :
	    &f->suite_node[ref->index];
}

/* A node for everything that some execution needs. */
static void
feed_nodes(struct feed *f)
{
	const struct plan *p = f->p;
	uint32_t i, k, *node;

	f->suite_node = mem_calloc(p->n_suites, sizeof *f->suite_node);
	f->test_node = mem_calloc(p->n_tests, sizeof *f->test_node);
	memset(f->suite_node, 0xff, p->n_suites * sizeof *f->suite_node);
	memset(f->test_node, 0xff, p->n_tests * sizeof *f->test_node);
	for (i = 0; i < p->n_terms; i++)
		for (k = 0; k < p->terms[i].n_needs; k++) {
			node = node_of(f, &p->terms[i].needs[k]);
			if (*node == SCHED_NONE)
				*node = f->n_nodes++;
		}
	f->spec.n_nodes = f->n_nodes;
}

static uint32_t
add_unique(uint32_t *v, uint32_t n, uint32_t value)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (v[i] == value)
			return n;
	v[n] = value;
	return n + 1;
}

/* The list of nodes that execution x is part of; equal neighbours share. */
static uint32_t
member_of(struct feed *f, const struct plan_exec *x)
{
	const struct plan *p = f->p;
	const struct sched_list *last;
	uint32_t *nodes, n = 0, i, test, suite;

	if (f->n_nodes == 0)
		return SCHED_NONE;
	nodes = mem_calloc(f->n_nodes, sizeof *nodes);
	for (i = 0; i < x->n_steps; i++) {
		test = p->steps[x->first_step + i].test;
		if (f->test_node[test] != SCHED_NONE)
			n = add_unique(nodes, n, f->test_node[test]);
	}
	for (suite = x->suite; suite != PLAN_NONE;
	    suite = p->suites[suite].parent)
		if (f->suite_node[suite] != SCHED_NONE)
			n = add_unique(nodes, n, f->suite_node[suite]);
	last = f->n_lists > 0 ? &f->lists[f->n_lists - 1] : NULL;
	if (n == 0 || (last != NULL && last->n == n &&
	    memcmp(last->nodes, nodes, n * sizeof *nodes) == 0)) {
		free(nodes);
		return n == 0 ? SCHED_NONE : (uint32_t)f->n_lists - 1;
	}
	f->lists = mem_grow(f->lists, &f->cap_lists, f->n_lists + 1,
	    sizeof *f->lists);
	f->lists[f->n_lists] = (struct sched_list){
		.nodes = own(f, nodes), .n = n,
	};
	return (uint32_t)f->n_lists++;
}

/* The sides of all pairs that execution no is on, appended. */
static uint32_t
collect_sides(struct feed *f, uint32_t no, struct buf *out)
{
	const struct plan *p = f->p;
	struct sched_side side;
	uint32_t i, n = 0;

	for (i = 0; i < p->n_pairs; i++) {
		memset(&side, 0, sizeof side);
		side.pair = i;
		if (p->pairs[i].off)
			continue;
		side.a = plan_ref_covers(p, &p->pairs[i].a, no);
		side.b = plan_ref_covers(p, &p->pairs[i].b, no);
		if (!side.a && !side.b)
			continue;
		buf_put(out, &side, sizeof side);
		n++;
	}
	return n;
}

/* The plan's holds, and one of each suite around that has a limit. */
static uint32_t
collect_holds(struct feed *f, const struct plan_exec *x, struct buf *out)
{
	const struct plan_terms *t = &f->p->terms[x->terms];
	struct sched_hold h;
	uint32_t i, suite, n = 0;

	memset(&h, 0, sizeof h);
	for (i = 0; i < t->n_locks; i++) {
		if (f->p->locks[t->locks[i].lock].capacity == 0)
			continue;
		n++;
		h.lock = t->locks[i].lock;
		h.count = t->locks[i].count;
		h.shared = t->locks[i].shared;
		buf_put(out, &h, sizeof h);
	}
	h.count = 1;
	h.shared = false;
	for (suite = x->suite; suite != PLAN_NONE;
	    suite = f->p->suites[suite].parent) {
		h.lock = f->suite_lock[suite];
		if (h.lock == SCHED_NONE)
			continue;
		buf_put(out, &h, sizeof h);
		n++;
	}
	return n;
}

static void
copy_terms(struct feed *f, const struct plan_exec *x, struct sched_terms *ret)
{
	const struct plan_terms *t = &f->p->terms[x->terms];
	const struct strvec **agents;
	uint32_t *needs, i;

	agents = own(f, mem_calloc(t->n_agents, sizeof *agents));
	for (i = 0; i < t->n_agents; i++)
		agents[i] = &f->p->agents[t->agents[i]].terms;
	needs = own(f, mem_calloc(t->n_needs, sizeof *needs));
	for (i = 0; i < t->n_needs; i++)
		needs[i] = *node_of(f, &t->needs[i]);
	*ret = (struct sched_terms){
		.agents = agents, .n_agents = t->n_agents,
		.targets = t->targets, .n_targets = t->n_targets,
		.needs = needs, .n_needs = t->n_needs,
		.needs_any_result = t->needs_any_result,
		.pinned = t->pinned,
		.repeatable = t->repeatable,
		.beside_itself = t->beside_itself,
		.together = x->group > 0,
		.same_agent = f->p->suites[x->suite].props->same_agent,
		.stop = t->on_failure == ON_FAILURE_STOP,
		.retries = t->retries, .error_retries = t->error_retries,
		.workers = t->workers,
		.priority = t->priority,
		.retry_delay_us = t->retry_delay_us,
		.lost_after_us = t->lost_after_us,
		.start_timeout_us = t->start_timeout_us,
	};
}

static uint32_t
terms_of(struct feed *f, const struct plan_exec *x, uint32_t no)
{
	struct buf sides = BUF_INIT, holds = BUF_INIT, key = BUF_INIT;
	uint32_t n_sides = collect_sides(f, no, &sides);
	uint32_t n_holds = collect_holds(f, x, &holds);
	uint32_t batch = feed_batch_of(&f->batches, f->p, no);
	/* Which suite matters where one differs from all others. */
	uint32_t together = x->group > 0 ? x->suite + 1 : 0;
	bool secrets = plan_exec_has_secrets(f->p, no);
	struct terms_entry *entry;
	struct sched_terms *t;

	buf_put(&key, &x->terms, sizeof x->terms);
	buf_put(&key, &batch, sizeof batch);
	buf_put(&key, &together, sizeof together);
	buf_put(&key, &secrets, sizeof secrets);
	buf_put(&key, buf_data(&sides), buf_len(&sides));
	buf_put(&key, buf_data(&holds), buf_len(&holds));
	HASH_FIND(hh, f->by_key, buf_data(&key), buf_len(&key), entry);
	if (entry == NULL) {
		f->terms = mem_grow(f->terms, &f->cap_terms, f->n_terms + 1,
		    sizeof *f->terms);
		t = &f->terms[f->n_terms];
		copy_terms(f, x, t);
		t->sides = own(f, mem_dup(buf_data(&sides), buf_len(&sides)));
		t->n_sides = n_sides;
		t->holds = own(f, mem_dup(buf_data(&holds), buf_len(&holds)));
		t->n_holds = n_holds;
		t->batch = batch;
		t->secrets = secrets;
		t->room = batch > 0 ? plan_batch_room(f->p, no) : 0;
		entry = mem_zalloc(sizeof *entry + buf_len(&key));
		entry->index = (uint32_t)f->n_terms++;
		entry->n = buf_len(&key);
		memcpy(entry->key, buf_data(&key), entry->n);
		HASH_ADD_KEYPTR(hh, f->by_key, entry->key, entry->n, entry);
	}
	buf_done(&sides);
	buf_done(&holds);
	buf_done(&key);
	return entry->index;
}

/* FNV-1a, 64 bits (Fowler, Noll, Vo). */
static uint64_t
hash_text(const uint8_t *p, size_t n)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	while (n-- > 0)
		h = (h ^ *p++) * UINT64_C(0x100000001b3);
	return h;
}

static void
feed_keys(struct feed *f)
{
	struct buf label = BUF_INIT;
	uint32_t i;

	f->keys = mem_calloc(f->p->n_steps, sizeof *f->keys);
	for (i = 0; i < f->p->n_steps; i++) {
		buf_clear(&label);
		plan_step_label(f->p, &f->p->steps[i], &label);
		f->keys[i] = hash_text(buf_data(&label), buf_len(&label));
	}
	buf_done(&label);
	f->spec.keys = f->keys;
}

static void
restore(struct sched_exec *x, const struct feed_exec *was)
{
	x->state = was->state;
	x->cause = was->cause;
	x->attempt = was->attempt;
	x->agent = was->agent;
	x->worker = was->worker;
	x->instance = was->instance;
	x->failures = was->failures;
	x->errors = was->errors;
	x->avoid = was->avoid;
	x->lead = was->lead;
	x->pinned = was->pinned;
	x->returned = was->returned;
	x->unstarted = was->unstarted;
}

/* What was sent once has waited, and may wait to be tried again. */
static int64_t
not_before(const struct plan *p, const struct feed_state *st, uint32_t no)
{
	int64_t at_us = st->execs != NULL && st->execs[no - 1].attempt > 0 ?
	    st->execs[no - 1].due_wall_us : plan_exec_at(p, no);

	return at_us > st->wall_ahead_us ? at_us - st->wall_ahead_us : 0;
}

static void
feed_execs(struct feed *f, const struct feed_state *st)
{
	const struct plan *p = f->p;
	const struct plan_exec *x;
	uint32_t i;

	f->execs = mem_calloc(p->n_execs, sizeof *f->execs);
	for (i = 0; i < p->n_execs; i++) {
		x = &p->execs[i];
		f->execs[i] = (struct sched_exec){
			.terms = terms_of(f, x, i + 1),
			.member = member_of(f, x),
			.estimate_us = st->estimates_us[i],
			.group = x->group,
			.first_key = x->first_step,
			.n_keys = x->n_steps,
			.not_before_us = not_before(p, st, i + 1),
			.agent = SCHED_NONE,
			.fails = st->fails != NULL ? st->fails[i] : 0,
		};
		if (f->terms[f->execs[i].terms].batch > 0)
			f->execs[i].size = feed_batch_size(p, i + 1);
		if (st->execs != NULL)
			restore(&f->execs[i], &st->execs[i]);
	}
	f->spec.execs = f->execs;
	f->spec.n_execs = p->n_execs;
	f->spec.terms = f->terms;
	f->spec.n_terms = (uint32_t)f->n_terms;
	f->spec.lists = f->lists;
	f->spec.n_lists = (uint32_t)f->n_lists;
}

static enum order
order_of(const struct plan *p, const struct feed_state *st)
{
	uint32_t i, known = 0;

	for (i = 0; i < p->n_execs; i++)
		known += st->estimates_us[i] > 0;
	return sched_pick_order(p->order, p->n_execs, known);
}

static uint32_t
ahead_of(const struct plan *p)
{
	if (p->ahead == PLAN_AHEAD_AUTO)
		return SCHED_AHEAD_AUTO;
	return p->ahead == PLAN_AHEAD_ALL ? SCHED_AHEAD_ALL : p->ahead;
}

int
feed_plan(const struct plan *p, const char *id, const struct feed_state *st,
    feed_fn fn, void *arg)
{
	struct feed f = { .p = p };
	int rc;

	f.spec = (struct sched_run){
		.id = id,
		.priority = p->priority,
		.order = order_of(p, st),
		.max_parallel = p->max_parallel,
		.max_failures = p->max_failures,
		.ahead = ahead_of(p),
		.start_cost_us = st->start_us,
		.private = p->private,
		.deadline_us = p->deadline_us > 0 ? st->deadline_us : 0,
		.lost = st->lost,
		.n_lost = st->n_lost,
	};
	feed_locks(&f);
	feed_targets(&f);
	feed_pairs(&f);
	feed_nodes(&f);
	feed_keys(&f);
	feed_execs(&f, st);
	rc = fn(arg, &f.spec);
	feed_done(&f);
	return rc;
}
