/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Requirements: lists of selectors and targets, interned over all runs, with
 * the agents that meet them as bits.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "sched/sched_private.h"
#include "yardmaster/base/buf.h"
#include "yardmaster/base/mem.h"

bool
req_offers(const struct sched *s, uint32_t target, uint32_t agent)
{
	const struct limit *l = s->limits[target];
	const struct agent *a = &s->agents[agent];
	uint32_t i;

	if (!lease_possible_on(l, a))
		return false;
	if (a->targets.n == 0 || strvec_find(&a->targets, l->name) >= 0)
		return true;
	for (i = 0; i < a->n_pools; i++)
		if (a->pools[i].names.n > 0 && a->pools[i].limit == target)
			return true;
	return false;
}

bool
req_admits(const struct sched *s, const struct req *r, uint32_t idx)
{
	const struct agent *a = &s->agents[idx];
	size_t i;

	if (!a->known || a->gone || r->broken ||
	    (r->pin != NONE && r->pin != idx) ||
	    (r->secrets && a->no_secrets))
		return false;
	for (i = 0; i < r->n_sel; i++)
		if (!selector_match(r->sel[i], a->name, &a->labels))
			return false;
	for (i = 0; i < r->n_targets; i++)
		if (!req_offers(s, r->targets[i], idx))
			return false;
	return true;
}

bool
exec_admits(const struct sched *s, const struct run *r, const struct exec *x,
    uint32_t idx)
{
	const struct req *req = s->reqs[r->terms[x->terms].req];

	if ((x->flags & X_PINNED) != 0)
		return x->pin == idx && !(req->secrets &&
		    s->agents[idx].no_secrets);
	return bit_get(req->elig, idx);
}

static void
eval(const struct sched *s, struct req *r, uint32_t idx)
{
	bool now = req_admits(s, r, idx);

	if (now == bit_get(r->elig, idx))
		return;
	bit_set(r->elig, idx, now);
	r->n_elig += now ? 1 : UINT32_MAX;
}

void
req_eval_agent(struct sched *s, uint32_t agent)
{
	size_t i;

	s->fleet_gen++;
	for (i = 0; i < s->n_reqs; i++)
		eval(s, s->reqs[i], agent);
}

void
reqs_eval(struct sched *s)
{
	uint32_t i;

	for (i = 0; i < s->n_agents; i++) {
		req_eval_agent(s, i);
		agent_gained(s, i);
	}
}

static void
key_text(struct buf *b, const struct sched_run *spec,
    const struct sched_terms *t)
{
	uint32_t i;
	size_t j;

	if (t->secrets)
		buf_putc(b, '\x1b');
	for (i = 0; i < t->n_agents; i++) {
		buf_putc(b, '\x1d');
		for (j = 0; j < t->agents[i]->n; j++)
			buf_putf(b, "\x1e%s", t->agents[i]->v[j]);
	}
	buf_putc(b, '\x1f');
	for (i = 0; i < t->n_targets; i++)
		buf_putf(b, "\x1e%s", spec->targets[t->targets[i]].name);
}

/* Makes room for it in all tables and works out who is eligible. */
static uint32_t
req_insert(struct sched *s, struct req *r)
{
	uint32_t i;

	r->elig = mem_calloc(s->n_words > 0 ? s->n_words : 1,
	    sizeof(*r->elig));
	s->reqs = mem_grow(s->reqs, &s->cap_reqs, s->n_reqs + 1,
	    sizeof(struct req *));
	r->index = (uint32_t)s->n_reqs;
	s->reqs[s->n_reqs++] = r;
	HASH_ADD_KEYPTR(hh, s->req_hash, r->key, strlen(r->key), r);
	for (i = 0; i < s->n_agents; i++)
		eval(s, r, i);
	return r->index;
}

uint32_t
req_intern(struct sched *s, const struct sched_run *spec,
    const struct sched_terms *t)
{
	struct buf b = BUF_INIT;
	struct req *r;
	uint32_t i;

	key_text(&b, spec, t);
	HASH_FIND(hh, s->req_hash, buf_str(&b), buf_len(&b), r);
	if (r != NULL) {
		buf_done(&b);
		return r->index;
	}
	r = mem_zalloc(sizeof(*r));
	r->key = buf_steal(&b);
	r->secrets = t->secrets;
	r->pin = NONE;
	r->sel = mem_calloc(t->n_agents, sizeof(struct selector *));
	r->lists = mem_calloc(t->n_agents, sizeof(*r->lists));
	for (; r->n_lists < t->n_agents; r->n_lists++)
		strvec_push_all(&r->lists[r->n_lists], t->agents[r->n_lists]);
	for (i = 0; i < t->n_agents && !r->broken; i++) {
		if (selector_new(t->agents[i], &r->sel[i], NULL, NULL) < 0)
			r->broken = true;
		else
			r->n_sel++;
	}
	r->n_targets = t->n_targets;
	r->targets = mem_calloc(t->n_targets, sizeof(*r->targets));
	for (i = 0; i < t->n_targets; i++)
		r->targets[i] = limit_intern(s, LIMIT_TARGET,
		    spec->targets[t->targets[i]].name, NULL, NULL);
	return req_insert(s, r);
}

uint32_t
req_pin(struct sched *s, uint32_t agent, bool secrets)
{
	char *key = str_fmt("\x1c%u%s", agent, secrets ? "\x1b" : "");
	struct req *r;

	HASH_FIND(hh, s->req_hash, key, strlen(key), r);
	if (r != NULL) {
		free(key);
		return r->index;
	}
	r = mem_zalloc(sizeof(*r));
	r->key = key;
	r->secrets = secrets;
	r->pin = agent;
	return req_insert(s, r);
}

void
reqs_widen(struct sched *s, uint32_t words)
{
	struct req *r;
	size_t i;

	for (i = 0; i < s->n_reqs; i++) {
		r = s->reqs[i];
		r->elig = mem_realloc(r->elig, words, sizeof(*r->elig));
		memset(r->elig + s->n_words, 0,
		    (words - s->n_words) * sizeof(*r->elig));
	}
}

void
req_free(struct req *r)
{
	uint32_t i;

	for (i = 0; i < r->n_sel; i++)
		selector_free(r->sel[i]);
	for (i = 0; i < r->n_lists; i++)
		strvec_done(&r->lists[i]);
	free(r->lists);
	free(r->sel);
	free(r->targets);
	free(r->elig);
	free(r->key);
	free(r);
}
