/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A made-up world for the scheduler: agents that come, leave, forget and say
 * things twice, and the truth about every attempt.
 */
#ifndef TESTS_SCHED_WORLD_H
#define TESTS_SCHED_WORLD_H

#include "kit.h"

#define MAX_AGENTS 6
#define MAX_RUNS 3
#define MAX_ATTEMPTS 20000
#define MAX_LETTERS 4096
#define N_LOCKS 3
#define N_TARGETS 3

enum truth {
	FLYING,			/* sent, not arrived */
	WAITS,			/* in the agent's queue */
	RUNS,
	OVER,			/* ended; its report is kept until heard */
	LOST,			/* the agent lost it; reported until heard */
	GONE,			/* the agent has nothing of it any more */
};

struct attempt {
	struct sched_id id;
	uint32_t agent, workers, terms;
	bool pinned, backed, given_up;
	enum truth truth;
	uint16_t worker;
	int64_t ends_us;
	struct sched_member members[KIT_MAX];
	enum outcome outcomes[KIT_MAX];
	uint32_t n_members;
};

enum letter_kind { SEND, TAKE_BACK, CANCEL, STARTED, QUEUED, ENDED, RETURNED,
	KEPT, WAS_LOST, SYNCED };

struct letter {
	enum letter_kind kind;
	uint32_t attempt, agent, run;
	uint32_t link;		/* dropped when the link was cut since */
	int64_t at_us;
	uint64_t seq;
};

struct host {
	struct sched_agent facts;
	struct strvec labels, targets, own;
	struct sched_pool pool;
	char name[24];
	uint32_t link;		/* how often it was cut */
	bool wanted_up;
	int64_t delay_us;
};

struct world {
	uint64_t seed;
	struct kit k;
	struct host hosts[MAX_AGENTS];
	uint32_t n_hosts;
	struct spec specs[MAX_RUNS];
	uint32_t runs[MAX_RUNS], n_runs;
	struct strvec selectors[4], instances;
	const struct strvec *lists[4];
	struct sched_hold holds[MAX_RUNS][KIT_MAX][2];
	struct sched_side sides[MAX_RUNS][KIT_MAX];
	uint32_t targets[MAX_RUNS][KIT_MAX], needs[MAX_RUNS][KIT_MAX];
	uint32_t nodes[MAX_RUNS][KIT_MAX];
	struct attempt *attempts;
	uint32_t n_attempts;
	struct letter *letters;
	uint32_t n_letters;
	uint64_t seq;
	uint32_t last[MAX_RUNS][KIT_MAX + 1];	/* attempts sent so far */
	bool ended[MAX_RUNS];
	bool calm;
};

/* A number from 0 to n - 1. */
uint32_t pick(struct world *w, uint32_t n);
bool chance(struct world *w, uint32_t percent);

/* Builds agents and runs by the seed, and frees them. */
void world_make(struct world *w, uint64_t seed);
void world_free(struct world *w);

/* The agents' side. */
void host_tell(struct world *w, uint32_t agent);
void host_work(struct world *w, uint32_t agent);
void host_link(struct world *w, uint32_t agent, bool up);
void host_crash(struct world *w, uint32_t agent);
void letter_post(struct world *w, enum letter_kind kind, uint32_t attempt);
void letters_deliver(struct world *w);
/* The next instant at which something happens by itself. */
int64_t world_next_us(const struct world *w);

#endif
