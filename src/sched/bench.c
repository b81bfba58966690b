/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Benching. What always holds between two calls: an agent is benched or
 * braked only with its evidence; at most a third of the fleet is benched
 * (look_at()); the records of a blamed test count nowhere (census()).
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sched/bench.h"

#define TEXT_MAX 120	/* bytes of an error that evidence quotes */
#define SHOWN 3		/* errors that evidence names */

/* A test that erred somewhere. */
struct culprit {
	char *name;
	uint32_t agents[2], n;	/* different ones on which it erred */
	bool said;		/* its blame was given as news */
	UT_hash_handle hh;
};

/* How one attempt on an agent ended. */
struct record {
	bool error;
	struct ident id;
	struct culprit *test;	/* of an error */
	char *text;
	int64_t wall_us;
};

struct benched {
	enum bench_state state, told;
	struct record v[BENCH_WINDOW];	/* oldest first */
	uint32_t n;
	char *text;
	bool restored;		/* its text is all that is known of it */
	int64_t delay_us, probe_us;	/* of its next probe by itself */
};

struct bench {
	struct benched *agents;
	uint32_t n;
	struct culprit *tests;
};

struct bench *
bench_new(uint32_t n)
{
	struct bench *b = mem_zalloc(sizeof(*b));

	b->agents = mem_calloc(n, sizeof(*b->agents));
	b->n = n;
	return b;
}

void
bench_grow(struct bench *b, uint32_t n)
{
	b->agents = mem_realloc(b->agents, n, sizeof(*b->agents));
	for (; b->n < n; b->n++)
		b->agents[b->n] = (struct benched){ .text = NULL };
}

/* Forgets all that ended there. */
static void
forget(struct benched *a)
{
	while (a->n > 0)
		free(a->v[--a->n].text);
	free(a->text);
	a->text = NULL;
	a->restored = false;
}

void
bench_free(struct bench *b)
{
	struct culprit *c, *next;
	uint32_t i;

	if (b == NULL)
		return;
	for (i = 0; i < b->n; i++)
		forget(&b->agents[i]);
	HASH_ITER(hh, b->tests, c, next) {
		HASH_DEL(b->tests, c);
		free(c->name);
		free(c);
	}
	free(b->agents);
	free(b);
}

/* ---- tests -------------------------------------------------------------------- */

static struct culprit *
test_find(const struct bench *b, const char *name)
{
	struct culprit *c;

	HASH_FIND_STR(b->tests, name, c);
	return c;
}

static bool
is_blamed(const struct culprit *c)
{
	return c != NULL && c->n == 2;
}

bool
bench_blamed(const struct bench *b, const char *test, uint32_t ret_agents[2])
{
	const struct culprit *c = test_find(b, test);

	if (!is_blamed(c))
		return false;
	memcpy(ret_agents, c->agents, sizeof(c->agents));
	return true;
}

/* It erred on that agent. True when it is to blame from now on. */
static bool
test_erred(struct culprit *c, uint32_t agent)
{
	if (c->n == 2 || (c->n == 1 && c->agents[0] == agent))
		return false;
	c->agents[c->n++] = agent;
	return c->n == 2;
}

static struct culprit *
test_get(struct bench *b, const char *name)
{
	struct culprit *c = test_find(b, name);

	if (c != NULL)
		return c;
	c = mem_zalloc(sizeof(*c));
	c->name = str_dup(name);
	HASH_ADD_KEYPTR(hh, b->tests, c->name, strlen(c->name), c);
	return c;
}

/* ---- evidence -------------------------------------------------------------------- */

struct census {
	uint32_t total, errors, different;
	const struct record *first, *last[SHOWN];	/* errors; newest first */
	uint32_t n_last;
};

static bool
same_execution(const struct ident *a, const struct ident *b)
{
	return a->execution == b->execution && strcmp(a->run, b->run) == 0;
}

static void
count_error(const struct benched *a, uint32_t i, struct census *c)
{
	const struct record *r = &a->v[i];
	uint32_t k;

	c->errors++;
	c->first = r;	/* the loop goes from the newest */
	if (c->n_last < SHOWN)
		c->last[c->n_last++] = r;
	for (k = i + 1; k < a->n; k++)
		if (a->v[k].error && !is_blamed(a->v[k].test) &&
		    same_execution(&a->v[k].id, &r->id))
			return;
	c->different++;
}

static void
census(const struct benched *a, struct census *c)
{
	uint32_t i;

	*c = (struct census){ .total = 0 };
	for (i = a->n; i-- > 0;) {
		if (is_blamed(a->v[i].test))
			continue;
		c->total++;
		if (a->v[i].error)
			count_error(a, i, c);
	}
}

/* "3 of the last 4 ended there as errors since TIME: ID (text), ..." */
static char *
evidence(const struct census *c, bool braked, uint32_t fleet)
{
	struct buf b = BUF_INIT;
	char when[CLOCK_TEXT], id[IDENT_TEXT];
	uint32_t i;

	buf_putf(&b, "%u of the last %u ended as errors since %s: ",
	    c->errors, c->total, clock_format(c->first->wall_us, when));
	for (i = 0; i < c->n_last; i++) {
		buf_putf(&b, "%s%s", i > 0 ? ", " : "",
		    ident_format(&c->last[i]->id, id));
		if (c->last[i]->text != NULL)
			buf_putf(&b, " (%s)", c->last[i]->text);
	}
	if (c->errors > c->n_last)
		buf_putf(&b, " and %u more", c->errors - c->n_last);
	if (braked)
		buf_putf(&b, "; not benched: at most %u of %u agent%s may be",
		    fleet / 3, fleet, fleet == 1 ? "" : "s");
	return buf_steal(&b);
}

/* ---- agents ------------------------------------------------------------------------ */

static bool
is_on(const struct benched *a)
{
	return a->state == BENCH_ON || a->state == BENCH_PROBED;
}

/* Whether one more may be benched. */
static bool
brake_is_off(const struct bench *b)
{
	uint32_t i, on = 0;

	for (i = 0; i < b->n; i++)
		on += is_on(&b->agents[i]);
	return on < b->n / 3;
}

/* Benched, braked, or neither, by what is recorded. */
static void
look_at(struct bench *b, struct benched *a, int64_t now_us)
{
	struct census c;

	census(a, &c);
	free(a->text);
	a->text = NULL;
	if (c.different < BENCH_ERRORS || c.errors * 2 <= c.total) {
		a->state = BENCH_WELL;
		return;
	}
	if (!is_on(a) && brake_is_off(b)) {
		a->state = BENCH_ON;
		a->delay_us = BENCH_PROBE_FIRST_US;
		a->probe_us = now_us + a->delay_us;
	} else if (!is_on(a)) {
		a->state = BENCH_BRAKED;
	}
	a->text = evidence(&c, a->state == BENCH_BRAKED, b->n);
}

/* One left the bench: those for whom there was no room are next. */
static void
look_at_braked(struct bench *b, int64_t now_us)
{
	uint32_t i;

	for (i = 0; i < b->n; i++)
		if (b->agents[i].state == BENCH_BRAKED)
			look_at(b, &b->agents[i], now_us);
}

/* A test is blamed from now on, or no longer: what it did counts anew. */
static void
look_at_all(struct bench *b, int64_t now_us)
{
	uint32_t i;

	for (i = 0; i < b->n; i++)
		if (b->agents[i].n > 0 && !b->agents[i].restored)
			look_at(b, &b->agents[i], now_us);
	look_at_braked(b, now_us);
}

static void
let_go(struct bench *b, struct benched *a, int64_t now_us)
{
	forget(a);
	a->state = BENCH_WELL;
	look_at_braked(b, now_us);
}

static void
record_add(struct benched *a, const struct bench_end *end,
    struct culprit *test)
{
	struct record *r;

	if (a->n == BENCH_WINDOW) {
		free(a->v[0].text);
		memmove(a->v, a->v + 1, (BENCH_WINDOW - 1) * sizeof(*a->v));
		a->n--;
	}
	r = &a->v[a->n++];
	*r = (struct record){ .error = test != NULL, .id = end->id,
		.test = test, .wall_us = end->wall_us };
	if (test != NULL && end->text != NULL)
		r->text = str_ndup(end->text, strnlen(end->text, TEXT_MAX));
}

/* It erred: on the test's account, or on the agent's. */
static void
erred(struct bench *b, const struct bench_end *end, int64_t now_us)
{
	struct benched *a = &b->agents[end->agent];
	struct culprit *test = test_get(b, end->test);
	bool blamed = test_erred(test, end->agent);

	record_add(a, end, test);
	if (blamed)
		look_at_all(b, now_us);
	else if (!is_on(a))
		look_at(b, a, now_us);
	if (a->state != BENCH_PROBED || is_blamed(test))
		return;
	a->state = BENCH_ON;
	a->delay_us = a->delay_us * 2 < BENCH_PROBE_LAST_US ?
	    a->delay_us * 2 : BENCH_PROBE_LAST_US;
	a->probe_us = now_us + a->delay_us;
}

/* It passed, failed or timed out: the agent did its part, and the test can
 * run. */
static void
went_well(struct bench *b, const struct bench_end *end, int64_t now_us)
{
	struct benched *a = &b->agents[end->agent];
	struct culprit *test = test_find(b, end->test);
	bool blamed = is_blamed(test);

	record_add(a, end, NULL);
	if (test != NULL)
		test->n = 0;
	if (blamed) {
		test->said = false;
		look_at_all(b, now_us);
	}
	if (a->state == BENCH_PROBED)
		let_go(b, a, now_us);
	else if (a->state == BENCH_BRAKED)
		look_at(b, a, now_us);
}

void
bench_ended(struct bench *b, const struct bench_end *end, int64_t now_us)
{
	if (end->agent >= b->n)
		return;
	if (end->outcome == OUTCOME_ERROR)
		erred(b, end, now_us);
	else if (end->outcome == OUTCOME_PASSED ||
	    end->outcome == OUTCOME_FAILED || end->outcome == OUTCOME_TIMEOUT)
		went_well(b, end, now_us);
}

enum bench_state
bench_state(const struct bench *b, uint32_t agent)
{
	return agent < b->n ? b->agents[agent].state : BENCH_WELL;
}

const char *
bench_text(const struct bench *b, uint32_t agent)
{
	return agent < b->n ? b->agents[agent].text : NULL;
}

int
bench_clear(struct bench *b, uint32_t agent, int64_t now_us)
{
	if (agent >= b->n)
		return ERR_RANGE;
	if (b->agents[agent].state == BENCH_WELL)
		return ERR_STATE;
	let_go(b, &b->agents[agent], now_us);
	return 0;
}

int
bench_probe(struct bench *b, uint32_t agent)
{
	if (agent >= b->n)
		return ERR_RANGE;
	if (!is_on(&b->agents[agent]))
		return ERR_STATE;
	b->agents[agent].state = BENCH_PROBED;
	return 0;
}

void
bench_restore(struct bench *b, uint32_t agent, const char *text,
    int64_t now_us)
{
	struct benched *a;

	if (agent >= b->n || is_on(&b->agents[agent]))
		return;
	a = &b->agents[agent];
	forget(a);
	a->state = BENCH_ON;
	a->restored = true;
	a->text = str_dup(text);
	a->delay_us = BENCH_PROBE_FIRST_US;
	a->probe_us = now_us + a->delay_us;
}

int64_t
bench_due(struct bench *b, int64_t now_us)
{
	int64_t next_us = CLOCK_NEVER;
	struct benched *a;
	uint32_t i;

	for (i = 0; i < b->n; i++) {
		a = &b->agents[i];
		if (a->state == BENCH_ON && a->probe_us <= now_us)
			a->state = BENCH_PROBED;
		else if (a->state == BENCH_ON && a->probe_us < next_us)
			next_us = a->probe_us;
	}
	return next_us;
}

/* ---- news --------------------------------------------------------------------------- */

static bool
agent_news(struct bench *b, struct bench_news *ret)
{
	struct benched *a;
	uint32_t i;

	for (i = 0; i < b->n; i++) {
		a = &b->agents[i];
		if (a->told == a->state)
			continue;
		*ret = (struct bench_news){ .agent = i, .was = a->told,
			.state = a->state };
		a->told = a->state;
		return true;
	}
	return false;
}

bool
bench_next(struct bench *b, struct bench_news *ret)
{
	struct culprit *c, *next;

	if (agent_news(b, ret))
		return true;
	HASH_ITER(hh, b->tests, c, next) {
		if (!is_blamed(c) || c->said)
			continue;
		c->said = true;
		*ret = (struct bench_news){ .agent = c->agents[1],
			.test = c->name };
		return true;
	}
	return false;
}
