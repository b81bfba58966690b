/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How fast agents are, learned from tests that several of them ran. Pure
 * numbers. A factor of 2000 stands for half the time; the median of the
 * agents that are known is 1000.
 */
#ifndef YARDMASTER_SCHED_SPEED_H
#define YARDMASTER_SCHED_SPEED_H

#include <stddef.h>
#include <stdint.h>

#define SPEED_MIN 100
#define SPEED_MAX 10000
#define SPEED_TESTS 5		/* shared tests below which nothing is known */
#define SPEED_LEAST_US 50000	/* what is shorter says more of the start of a
				 * process than of the agent */

/* What a test took on an agent. */
struct speed_sample {
	uint32_t test, agent;
	int64_t elapsed_us;
};

/*
 * The factor of each of n_agents into speeds, in thousandths; 0 of those that
 * share fewer than SPEED_TESTS tests with others. The n samples are ordered
 * by test. Of each agent the median over its tests counts, so that single
 * tests that went astray do not. What differs by less than a tenth from 1000
 * is 1000, and the rest is rounded to 50 below that, to 100 above: noise
 * shall not order agents.
 */
void speed_learn(const struct speed_sample *v, size_t n, uint32_t *speeds,
    uint32_t n_agents);

#endif
