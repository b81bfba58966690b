/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Speed factors: by turns, the length of each test on an agent of speed 1 is
 * the median over its agents, and the speed of each agent is the median over
 * its tests of that length by what the agent took.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "yardmaster/base/mem.h"
#include "yardmaster/sched/speed.h"

#define ROUNDS 12

/* A sample that counts: its test has another, too. */
struct sample {
	uint32_t agent;
	uint32_t test;		/* dense */
	double us;
};

struct learning {
	struct sample *v;	/* by test */
	size_t n;
	size_t *by_agent;	/* indices in v, grouped by agent */
	size_t *first;		/* of each agent in by_agent; one more */
	double *base_us, *speed, *tmp;
	uint32_t n_tests, n_agents;
};

static int
cmp_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), cmp_double);
	return n % 2 == 1 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/* Keeps the samples of tests that two agents or more ran. */
static void
take_shared(struct learning *l, const struct speed_sample *v, size_t n,
    uint32_t n_agents)
{
	size_t i, k, end, begin;

	for (i = 0; i < n; i = end) {
		begin = l->n;
		for (end = i; end < n && v[end].test == v[i].test; end++)
			;
		for (k = i; k < end; k++)
			if (v[k].elapsed_us >= SPEED_LEAST_US &&
			    v[k].agent < n_agents)
				l->v[l->n++] = (struct sample){ v[k].agent,
				    l->n_tests, (double)v[k].elapsed_us };
		if (l->n - begin < 2)
			l->n = begin;
		else
			l->n_tests++;
	}
}

static void
group_by_agent(struct learning *l)
{
	size_t i;
	uint32_t a;

	for (i = 0; i < l->n; i++)
		l->first[l->v[i].agent + 1]++;
	for (a = 0; a < l->n_agents; a++)
		l->first[a + 1] += l->first[a];
	for (i = l->n; i-- > 0;)
		l->by_agent[--l->first[l->v[i].agent + 1]] = i;
	/* Each was counted down to the first of its own. */
	for (a = 0; a < l->n_agents; a++)
		l->first[a] = l->first[a + 1];
	l->first[l->n_agents] = l->n;
}

static void
learn_tests(struct learning *l)
{
	size_t i, n;

	for (i = 0; i < l->n; i += n) {
		for (n = 0; i + n < l->n && l->v[i + n].test == l->v[i].test;
		    n++)
			l->tmp[n] = l->v[i + n].us *
			    l->speed[l->v[i + n].agent];
		l->base_us[l->v[i].test] = median(l->tmp, n);
	}
}

static size_t
shared_tests(const struct learning *l, uint32_t agent)
{
	return l->first[agent + 1] - l->first[agent];
}

static void
learn_agent(struct learning *l, uint32_t agent)
{
	size_t i, n = shared_tests(l, agent);
	const struct sample *s;

	if (n < SPEED_TESTS)
		return;
	for (i = 0; i < n; i++) {
		s = &l->v[l->by_agent[l->first[agent] + i]];
		l->tmp[i] = l->base_us[s->test] / s->us;
	}
	l->speed[agent] = median(l->tmp, n);
}

/* The median of those that are known is 1 (of logarithms: of two agents
 * neither is the measure). */
static void
normalise(struct learning *l)
{
	double middle;
	uint32_t a;
	size_t n = 0;

	for (a = 0; a < l->n_agents; a++)
		if (shared_tests(l, a) >= SPEED_TESTS)
			l->tmp[n++] = log(l->speed[a]);
	if (n == 0)
		return;
	middle = exp(median(l->tmp, n));
	for (a = 0; a < l->n_agents; a++)
		if (shared_tests(l, a) >= SPEED_TESTS)
			l->speed[a] /= middle;
}

static uint32_t
rounded(double speed)
{
	double s = speed * 1000, step = s < 1000 ? 50 : 100;

	if (s > 900 && s < 1100)
		return 1000;
	s = floor(s / step + 0.5) * step;
	return s < SPEED_MIN ? SPEED_MIN : s > SPEED_MAX ? SPEED_MAX :
	    (uint32_t)s;
}

void
speed_learn(const struct speed_sample *v, size_t n, uint32_t *speeds,
    uint32_t n_agents)
{
	struct learning l = { .n_agents = n_agents };
	uint32_t a, round;

	l.v = mem_calloc(n, sizeof(*l.v));
	l.by_agent = mem_calloc(n, sizeof(*l.by_agent));
	l.base_us = mem_calloc(n, sizeof(*l.base_us));
	l.tmp = mem_calloc(n, sizeof(*l.tmp));
	l.first = mem_calloc((size_t)n_agents + 2, sizeof(*l.first));
	l.speed = mem_calloc(n_agents, sizeof(*l.speed));
	for (a = 0; a < n_agents; a++)
		l.speed[a] = 1;
	take_shared(&l, v, n, n_agents);
	group_by_agent(&l);
	for (round = 0; round < ROUNDS; round++) {
		learn_tests(&l);
		for (a = 0; a < n_agents; a++)
			learn_agent(&l, a);
		normalise(&l);
	}
	for (a = 0; a < n_agents; a++)
		speeds[a] = shared_tests(&l, a) < SPEED_TESTS ? 0 :
		    rounded(l.speed[a]);
	free(l.v);
	free(l.by_agent);
	free(l.base_us);
	free(l.tmp);
	free(l.first);
	free(l.speed);
}
