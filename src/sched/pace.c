/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How fast agents seem of which nobody said it, while a run goes on: learned
 * from what ended on them against what was predicted, relative to all agents together: predictions that err everywhere
 * in one direction say nothing of an agent. What chance may have done counts
 * as no difference, so that equal agents stay equal.
 */
#include "config.h"

#include <math.h>

#include "sched/sched_private.h"

#define BRIEF_US (100 * US_PER_MS)	/* of shorter ones little is known */
#define ERR_SD 0.35		/* of the logarithm of one prediction */
#define CHANCE 2.0		/* so many deviations may be chance */
#define SURE 2.0		/* so many are doubt */
#define STEP 0.05		/* factors differ by such steps */
#define ENOUGH 4.0		/* of such weight an agent is known */
#define FACTOR_MAX 3.0		/* logarithm: 20 times */

double
pace_doubt(const struct sched *s, const struct agent *a)
{
	if (a->told || s->n_agents < 2)
		return 0;
	return a->pace.weight < ENOUGH ? 1 : SURE * ERR_SD /
	    sqrt(a->pace.weight);
}

static uint32_t
factor(const struct sched *s, const struct agent *a)
{
	double weight = a->pace.weight, by, chance;

	if (weight < ENOUGH || s->pace.weight <= weight)
		return 1000;
	by = a->pace.sum / weight - s->pace.sum / s->pace.weight;
	chance = CHANCE * ERR_SD / sqrt(weight);
	if (fabs(by) < chance || fabs(by) > FACTOR_MAX)
		return 1000;
	return (uint32_t)(1000 * exp(STEP * floor(by / STEP + 0.5)) + 0.5);
}

void
pace_learn(struct sched *s, uint32_t agent, int64_t estimate_us,
    int64_t elapsed_us)
{
	struct agent *a = &s->agents[agent];
	double weight, by;
	uint32_t speed;

	if (estimate_us <= 0 || elapsed_us <= 0)
		return;
	weight = (double)estimate_us / (double)(estimate_us + BRIEF_US);
	by = weight * log((double)estimate_us / (double)elapsed_us);
	a->pace.weight += weight;
	a->pace.sum += by;
	s->pace.weight += weight;
	s->pace.sum += by;
	if (a->told)
		return;
	speed = factor(s, a);
	s->fleet_gen += speed != a->speed;
	a->speed = speed;
}
