/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the scheduler's tests share: a small plan built by hand, agents, and
 * one turn at a time with its decisions.
 */
#ifndef TESTS_SCHED_KIT_H
#define TESTS_SCHED_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/sched/sched.h"

#define KIT_MAX 64

/* A plan in arrays of fixed size; counts are in run. */
struct spec {
	struct sched_run run;
	struct sched_lock locks[KIT_MAX];
	struct sched_target targets[KIT_MAX];
	struct sched_pair pairs[KIT_MAX];
	struct sched_terms terms[KIT_MAX];
	struct sched_list lists[KIT_MAX];
	struct sched_exec execs[KIT_MAX];
	uint64_t keys[KIT_MAX];
};

struct kit {
	struct sched *s;
	struct sched_decisions out;
	int64_t now_us;
};

static inline void
spec_init(struct spec *p)
{
	memset(p, 0, sizeof(*p));
	p->run.id = "r000000000a";
	p->run.order = ORDER_PLAN;
	p->run.ahead = SCHED_AHEAD_AUTO;
	p->run.locks = p->locks;
	p->run.targets = p->targets;
	p->run.pairs = p->pairs;
	p->run.terms = p->terms;
	p->run.lists = p->lists;
	p->run.execs = p->execs;
	p->run.keys = p->keys;
}

/* One more set of terms, with the defaults of a plan. */
static inline struct sched_terms *
spec_terms(struct spec *p)
{
	struct sched_terms *t = &p->terms[p->run.n_terms++];

	t->repeatable = true;
	t->workers = 1;
	t->error_retries = 2;
	t->retry_delay_us = US_PER_S;
	return t;
}

/* n more executions of the last terms, each with a step of its own. */
static inline struct sched_exec *
spec_execs(struct spec *p, uint32_t n)
{
	struct sched_exec *first = &p->execs[p->run.n_execs], *x;
	uint32_t i;

	for (i = 0; i < n; i++) {
		x = &p->execs[p->run.n_execs];
		x->terms = p->run.n_terms - 1;
		x->member = SCHED_NONE;
		x->estimate_us = -1;
		x->first_key = p->run.n_execs;
		x->n_keys = 1;
		p->keys[p->run.n_execs] = 1000 + p->run.n_execs;
		p->run.n_execs++;
	}
	return first;
}

static inline void
kit_init(struct kit *k)
{
	memset(k, 0, sizeof(*k));
	k->s = sched_new();
	k->now_us = US_PER_S;
}

static inline void
kit_check(struct kit *k)
{
	char *broken = sched_check(k->s);

	if (broken != NULL)
		fail_msg("%s", broken);
}

static inline void
kit_done(struct kit *k)
{
	kit_check(k);
	sched_decisions_done(&k->out);
	sched_free(k->s);
}

static inline struct sched_agent
kit_facts(const char *name, uint32_t max)
{
	return (struct sched_agent){ .name = name, .up = true,
		.max_workers = max, .threshold = max };
}

static inline void
kit_agent(struct kit *k, uint32_t idx, const char *name, uint32_t max)
{
	struct sched_agent a = kit_facts(name, max);

	sched_agent_set(k->s, idx, &a, k->now_us);
}

/* The same, its link up or down. */
static inline void
kit_link(struct kit *k, uint32_t idx, const char *name, uint32_t max,
    bool up)
{
	struct sched_agent a = kit_facts(name, max);

	a.up = up;
	a.offline_text = "no route to host";
	sched_agent_set(k->s, idx, &a, k->now_us);
}

static inline uint32_t
kit_run(struct kit *k, const struct spec *p)
{
	uint32_t run = SCHED_NONE;

	assert_int_equal(sched_run_add(k->s, &p->run, k->now_us, &run), 0);
	return run;
}

static inline void
kit_decide(struct kit *k)
{
	sched_decide(k->s, k->now_us, &k->out);
	kit_check(k);
}

/* The first decision of a kind about an execution, or NULL. */
static inline const struct sched_decision *
kit_find(const struct kit *k, enum sched_kind kind, uint32_t run,
    uint32_t exec)
{
	size_t i;

	for (i = 0; i < k->out.n; i++)
		if (k->out.v[i].kind == kind && k->out.v[i].id.run == run &&
		    (exec == 0 || k->out.v[i].id.exec == exec))
			return &k->out.v[i];
	return NULL;
}

static inline size_t
kit_count(const struct kit *k, enum sched_kind kind)
{
	size_t i, n = 0;

	for (i = 0; i < k->out.n; i++)
		n += k->out.v[i].kind == kind;
	return n;
}

/* Which agent it was sent to in this turn, or -1. */
static inline int
kit_sent(const struct kit *k, uint32_t run, uint32_t exec)
{
	const struct sched_decision *d = kit_find(k, SCHED_SEND, run, exec);

	return d != NULL ? (int)d->agent : -1;
}

static inline struct sched_id
kit_id(const struct kit *k, uint32_t run, uint32_t exec)
{
	struct sched_view v;

	assert_int_equal(sched_exec_view(k->s, run, exec, &v), 0);
	return (struct sched_id){ run, exec, v.attempt };
}

static inline void
kit_started(struct kit *k, uint32_t run, uint32_t exec)
{
	assert_int_equal(sched_started(k->s, kit_id(k, run, exec), 1,
	    k->now_us), SCHED_TAKEN);
}

static inline void
kit_prepared(struct kit *k, uint32_t run, uint32_t exec)
{
	sched_prepared(k->s, kit_id(k, run, exec), k->now_us);
	kit_check(k);
}

static inline void
kit_ended(struct kit *k, uint32_t run, uint32_t exec, enum outcome outcome)
{
	assert_int_equal(sched_ended(k->s, kit_id(k, run, exec), outcome,
	    US_PER_S, k->now_us), SCHED_TAKEN);
}

/* The headline, which must be that of sched_why() too. */
static inline const char *
kit_why(struct kit *k, uint32_t run, uint32_t exec)
{
	struct why w;
	enum reason code = sched_headline(k->s, run, exec, NULL);

	sched_why(k->s, run, exec, k->now_us, &w);
	assert_int_equal(w.n > 0 ? w.v[0].code : REASON_NONE, code);
	why_done(&w);
	return reason_name(code);
}

/* True when a blocker of that code has a text with all of these in it. */
static inline int
kit_says(struct kit *k, uint32_t run, uint32_t exec, const char *code,
    const char *part)
{
	struct why w;
	size_t i;
	int said = 0;

	sched_why(k->s, run, exec, k->now_us, &w);
	for (i = 0; i < w.n; i++)
		if (strcmp(reason_name(w.v[i].code), code) == 0 &&
		    strstr(w.v[i].text, part) != NULL)
			said = 1;
	for (i = 0; !said && i < w.n; i++)
		print_message("# %s: %s\n", reason_name(w.v[i].code),
		    w.v[i].text);
	why_done(&w);
	return said;
}

static inline enum exec_state
kit_state(struct kit *k, uint32_t run, uint32_t exec)
{
	return sched_exec_state(k->s, run, exec);
}

#endif
