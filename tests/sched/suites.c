/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Real and made suites, and one simulated run of them. */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "suites.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/mem.h"

#define NOISE_SD 0.3
#define UNKNOWN 0.05

const char *const suites_real[] = { "dbt-core", "identity-idp", "localstack",
	NULL };

static uint64_t
next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed >> 11;
}

static double
uniform(uint64_t *seed)
{
	return (double)(next_random(seed) % 1000000 + 1) / 1000001;
}

static double
normal(uint64_t *seed)
{
	double u = uniform(seed), v = uniform(seed);

	return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

/* ---- shapes, in seconds --------------------------------------------------- */

static double
shape_heavy(uint64_t *seed, uint32_t i)
{
	return 0.3 * pow(uniform(seed), -1 / 1.3);
}

static double
shape_uniform(uint64_t *seed, uint32_t i)
{
	return 20 * uniform(seed);
}

static double
shape_tiny(uint64_t *seed, uint32_t i)
{
	return 0.2 * uniform(seed);
}

static double
shape_huge(uint64_t *seed, uint32_t i)
{
	return 60 + 240 * uniform(seed);
}

static double
shape_bimodal(uint64_t *seed, uint32_t i)
{
	return uniform(seed) < 0.1 ? 30 + 30 * uniform(seed) :
	    0.1 + uniform(seed);
}

static double
shape_lognormal(uint64_t *seed, uint32_t i)
{
	return 0.5 * exp(1.5 * normal(seed));
}

/* By file: neighbours are alike. */
static double
shape_clustered(uint64_t *seed, uint32_t i)
{
	double base = exp(1.5 * sin(i / 40 * 2.4)) * 2;

	return base * (0.5 + uniform(seed));
}

struct shape {
	const char *name;
	uint32_t n;
	double (*next)(uint64_t *seed, uint32_t i);
};

static const struct shape shapes[] = {
	{ "heavy-tailed", 3000, shape_heavy },
	{ "uniform", 1000, shape_uniform },
	{ "many-tiny", 20000, shape_tiny },
	{ "few-huge", 120, shape_huge },
	{ "bimodal", 2000, shape_bimodal },
	{ "lognormal", 4000, shape_lognormal },
	{ "clustered", 2000, shape_clustered },
};
const char *const suites_made[] = { "heavy-tailed", "uniform", "many-tiny",
	"few-huge", "bimodal", "lognormal", "clustered", NULL };

static void
make(struct suite *u, const struct shape *p)
{
	uint64_t seed = 88172645463325252 + p->n;
	uint32_t i;

	u->n = p->n;
	u->us = mem_calloc(u->n, sizeof(*u->us));
	for (i = 0; i < u->n; i++)
		u->us[i] = (int64_t)(p->next(&seed, i) * US_PER_S) + 1;
}

static bool
load(struct suite *u, const char *name)
{
	const char *dir = getenv("YM_SRCDIR");
	char *path = str_fmt("%s/tests/data/durations/real-%s.json",
	    dir != NULL ? dir : ".", name);
	const struct jval *ms;
	struct jdoc doc;
	uint32_t i;
	int r = jdoc_load(&doc, path, 0, NULL);

	free(path);
	if (r < 0)
		return false;
	ms = jval_get(doc.root, "ms");
	u->n = (uint32_t)jval_count(ms);
	u->us = mem_calloc(u->n, sizeof(*u->us));
	for (i = 0; i < u->n; i++)
		u->us[i] = jval_int(jval_at(ms, i), 1) * US_PER_MS;
	jdoc_done(&doc);
	return true;
}

bool
suite_load(struct suite *u, const char *name)
{
	size_t i;

	*u = (struct suite){ .name = str_dup(name) };
	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (strcmp(shapes[i].name, name) == 0) {
			make(u, &shapes[i]);
			return true;
		}
	return load(u, name);
}

void
suite_done(struct suite *u)
{
	free(u->name);
	free(u->us);
}

int64_t *
suite_beliefs(const struct suite *u, uint64_t seed)
{
	int64_t *v = mem_calloc(u->n, sizeof(*v));
	uint32_t i;

	seed = seed * 7919 + 1;
	for (i = 0; i < u->n; i++)
		v[i] = uniform(&seed) < UNKNOWN ? -1 : (int64_t)(
		    (double)u->us[i] * exp(NOISE_SD * normal(&seed))) + 1;
	return v;
}

/* ---- a run ------------------------------------------------------------------ */

static void
agents_make(const struct suite_try *t, struct sim_agent *v)
{
	static const char *const names[] = { "a", "b", "c", "d" };
	const struct suite_fleet *f = t->fleet;
	uint32_t i;

	for (i = 0; i < f->n; i++)
		v[i] = (struct sim_agent){ .facts = { .name = names[i],
			.max_workers = f->workers[i],
			.threshold = f->workers[i], .rtt_us = SUITES_RTT_US,
			.speed = t->told ? f->speed[i] : 0 },
			.speed = f->speed[i] };
}

void
suite_run(const struct suite_try *t, struct sim_result *ret)
{
	const struct suite *u = t->suite;
	struct sched_terms terms = { .repeatable = true, .workers = 1,
		.batch = 1 };
	struct sim_opts opts = { .startup_us = SUITES_STARTUP_US,
		.seed = t->seed, .probe_us = t->probe_us, .probe = t->probe,
		.probe_arg = t->arg };
	struct sched_exec *execs = mem_calloc(u->n, sizeof(*execs));
	uint32_t *first = mem_calloc((size_t)u->n + 1, sizeof(*first)), i;
	int64_t *beliefs = suite_beliefs(u, t->seed);
	struct sched_run spec = { .id = "r", .order = ORDER_LONGEST,
		.ahead = SCHED_AHEAD_AUTO, .start_cost_us = SUITES_STARTUP_US,
		.terms = &terms, .n_terms = 1, .execs = execs,
		.n_execs = u->n };
	struct sim_run run = { &spec, u->us, first };
	struct sim_agent agents[4];

	for (i = 0; i < u->n; i++) {
		execs[i] = (struct sched_exec){ .member = SCHED_NONE,
			.estimate_us = beliefs[i] };
		first[i + 1] = i + 1;
	}
	agents_make(t, agents);
	if (sim_run(agents, t->fleet->n, &run, 1, &opts, ret) != 0 ||
	    ret->counts.n[EXEC_PASSED] != u->n) {
		fprintf(stderr, "%s did not run to its end\n", u->name);
		abort();
	}
	free(beliefs);
	free(execs);
	free(first);
}
